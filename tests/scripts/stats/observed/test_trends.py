"""Trends and slopes: published values, independent libraries, refusals."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import hypergeom
from statsmodels.stats.contingency_tables import StratifiedTable, Table

from stats.observed.slopes import stratified_slope
from stats.observed.trends import permuted, trend


def test_matches_agrestis_infant_malformations():
    """Agresti (2002), Categorical Data Analysis, table 3.9: z^2 = 6.57."""
    found = trend(
        [48, 38, 5, 1, 1],
        [17114, 14502, 793, 127, 38],
        [0, 0.5, 1.5, 4, 7],
    )
    assert found.statistic**2 == pytest.approx(6.57, abs=0.005)
    assert found.p_value == pytest.approx(0.0104, abs=5e-5)


def test_trend_agrees_with_statsmodels():
    generator = np.random.default_rng(1)
    trials = generator.integers(20, 400, 5)
    successes = generator.binomial(trials, np.linspace(0.2, 0.3, 5))
    table = Table(np.column_stack([trials - successes, successes]), False)
    scores = np.array([1.0, 2, 3, 4, 6])
    other = table.test_ordinal_association(
        row_scores=scores, col_scores=np.array([0.0, 1])
    )
    found = trend(successes, trials, scores)
    total = trials.sum()
    # statsmodels divides the variance by n - 1 instead of n.
    assert found.statistic == pytest.approx(
        other.zscore * (total / (total - 1)) ** 0.5, rel=1e-9
    )


def test_trend_knows_no_unit_and_turns_with_its_scores():
    counts = ([5, 9, 20], [100, 90, 80])
    found = trend(*counts, [1, 2, 3])
    assert trend(*counts, [10, 20, 30]).statistic == pytest.approx(
        found.statistic
    )
    assert trend(*counts, [3, 2, 1]).statistic == pytest.approx(
        -found.statistic
    )


def test_nothing_to_test_is_no_number():
    for counts in (([0, 0], [5, 5]), ([5, 5], [5, 5]), ([0, 1], [0, 5])):
        assert np.isnan(trend(*counts, [1, 2]).statistic)
    assert np.isnan(trend([1, 2], [5, 5], [1, 1]).statistic)
    assert np.isnan(permuted([1], [1], [0], [0]).p_value)


def strata(seed=2, size=7):
    generator = np.random.default_rng(seed)
    n1, n0 = generator.integers(2, 40, (2, size))
    return (
        generator.binomial(n1, 0.4),
        n1,
        generator.binomial(n0, 0.3),
        n0,
    )


def test_permutation_agrees_with_statsmodels():
    x1, n1, x0, n0 = strata()
    tables = [
        np.array([[a, b - a], [c, d - c]])
        for a, b, c, d in zip(x1, n1, x0, n0, strict=True)
    ]
    other = StratifiedTable(tables).test_null_odds(correction=False)
    found = permuted(x1, n1, x0, n0)
    assert found.statistic**2 == pytest.approx(other.statistic, rel=1e-9)
    assert found.p_value == pytest.approx(other.pvalue, rel=1e-9)


def test_permutation_is_that_of_shuffled_users():
    """Drawn from the hypergeometric law that shuffling within strata is."""
    x1, n1, x0, n0 = strata(3)
    generator = np.random.default_rng(4)
    draws = sum(
        hypergeom.rvs(
            n1[s] + n0[s], x1[s] + x0[s], n1[s], size=40_000,
            random_state=generator,
        )
        for s in range(len(n1))
    )  # fmt: skip
    expected = (x1.sum() - draws.mean()) / draws.std()
    assert permuted(x1, n1, x0, n0).statistic == pytest.approx(
        expected, abs=0.03
    )


def test_slope_agrees_with_least_squares_on_users():
    generator = np.random.default_rng(5)
    stratum = np.repeat(np.arange(4), 5)
    dose = np.tile(np.arange(5) / 2, 4)
    units = generator.integers(3, 30, 20)
    successes = generator.binomial(units, 0.2 + 0.05 * stratum + 0.04 * dose)
    rows = [np.repeat(part, units) for part in (stratum, dose)]
    outcome = np.concatenate(
        [[1] * x + [0] * (n - x) for x, n in zip(successes, units, strict=True)]
    )
    design = np.column_stack([rows[1], np.eye(4)[rows[0]]])
    model = sm.OLS(outcome, design).fit(cov_type="HC1")
    found = stratified_slope(stratum, dose, successes, units)
    assert found.estimate == pytest.approx(model.params[0], rel=1e-9)
    assert found.standard_error == pytest.approx(model.bse[0], rel=1e-9)
    assert found.units == units.sum()


def test_strata_of_one_dose_say_nothing_of_the_slope():
    found = stratified_slope([0, 0, 1], [1, 2, 5], [4, 6, 1], [20, 20, 9])
    alone = stratified_slope([0, 0], [1, 2], [4, 6], [20, 20])
    assert found.estimate == alone.estimate
    assert (found.strata_used, found.units_without_overlap) == (1, 9)
    nothing = stratified_slope([0, 1], [1, 2], [1, 1], [5, 5])
    assert np.isnan(nothing.estimate)
    assert nothing.units_without_overlap == 10


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: trend([3], [2], [1]), "successes must lie"),
        (lambda: trend([1], [2], [1, 2]), "the same groups"),
        (lambda: permuted([1], [2], [1, 1], [2, 2]), "one number per stratum"),
        (lambda: permuted([1], [2], [3], [2]), "successes must lie"),
        (lambda: stratified_slope([0], [1], [3], [2]), "successes must lie"),
    ],
)
def test_refuses_impossible_counts(call, message):
    with pytest.raises(ValueError, match=message):
        call()
