"""Comparisons of two arms: published values, oracles, symmetries, refusals."""

import numpy as np
import pytest
import tea_tasting as tt
from arms import answer_of_tea_tasting, numbers_of, numbers_of_tea_tasting
from scipy import stats
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportions_ztest,
)
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from stats.arms.comparisons import (
    Counts,
    Sample,
    proportion_difference,
    welch_difference,
)

# Cookie Cats, retention_7: users with the outcome, users.
GATE_30, GATE_40 = Counts(8_502, 44_700), Counts(8_279, 45_489)


def as_sample(counts):
    x, n = counts
    return Sample(n, x / n, x / n * (1 - x / n) * n / (n - 1))


def random_samples(count, seed):
    generator = np.random.default_rng(seed)
    return [
        Sample(
            generator.integers(2, 10**6, count),
            generator.normal(0, 100, count),
            10 ** generator.uniform(-6, 6, count),
        )
        for _ in range(2)
    ]


EXTREMES = [
    (Sample(2, 1.0, 0.5), Sample(2, 3.0, 0.1)),
    (Sample(10**6, 50.0, 400.0), Sample(10**6, 51.13, 400.0)),  # |t| = 40
    (Sample(100, 5.0, 4.0), Sample(9_900, 5.3, 4.0)),  # 1:99
    (Sample(500, -5.0, 4.0), Sample(500, -4.0, 5.0)),
    (Sample(500, 0.0, 4.0), Sample(500, 0.3, 5.0)),
    (Sample(50, 3.0, 0.0), Sample(60, 4.0, 2.0)),
    (Sample(50, 1e8, 0.08), Sample(60, 1e8 + 0.1, 0.08)),
    (Sample(3_000, 7.0, 2.0), Sample(4_000, 7.0, 2.0)),
]


def test_matches_newcombe_table_ii():
    """Newcombe (1998), Table II, method 10."""
    published = [
        ((56, 70), (48, 80), (0.2000, 0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.6000, 0.1705, 0.8090)),
        ((10, 10), (0, 20), (1.0000, 0.6791, 1.0000)),
    ]
    for treatment, control, expected in published:
        found = proportion_difference(Counts(*control), Counts(*treatment))
        actual = (found.estimate, found.ci_low, found.ci_high)
        np.testing.assert_allclose(actual, expected, atol=5e-5)


def test_matches_cookie_cats():
    """Pooled z and Welch on retention_7, ten digits."""
    pooled = proportion_difference(GATE_30, GATE_40)
    assert pooled.p_value == pytest.approx(0.0015542500, abs=5e-11)
    welch = welch_difference(as_sample(GATE_30), as_sample(GATE_40))
    assert welch.p_value == pytest.approx(0.0015565302, abs=5e-11)
    unpooled = 2 * stats.norm.sf(abs(pooled.estimate / pooled.standard_error))
    assert unpooled == pytest.approx(0.0015558256, abs=5e-11)


def test_matches_hillstrom_far_in_the_tail():
    """Visits after the men's e-mail against none: far below 1 - cdf."""
    welch = welch_difference(
        as_sample(Counts(2_262, 21_306)), as_sample(Counts(3_894, 21_307))
    )
    assert welch.p_value == pytest.approx(1.36e-112, rel=5e-3)


def test_p_value_reaches_1e_300():
    found = welch_difference(
        Sample(10**7, 0.0, 1.0), Sample(10**7, 37.0 * (2e-7) ** 0.5, 1.0)
    )
    assert 1e-300 < found.p_value < 1e-298


def test_welch_agrees_with_scipy():
    control, treatment = random_samples(2_000, seed=4)
    for before, after in [(control, treatment), *EXTREMES]:
        found = welch_difference(before, after)
        expected = stats.ttest_ind_from_stats(
            after.mean,
            np.sqrt(after.variance),
            after.units,
            before.mean,
            np.sqrt(before.variance),
            before.units,
            equal_var=False,
        )
        np.testing.assert_allclose(
            found.statistic, expected.statistic, rtol=1e-9
        )
        np.testing.assert_allclose(found.p_value, expected.pvalue, rtol=1e-9)
        interval = stats.t.interval(
            0.95, found.degrees_of_freedom, found.estimate, found.standard_error
        )
        np.testing.assert_allclose(
            (found.ci_low, found.ci_high), interval, rtol=1e-9
        )


def test_welch_agrees_with_tea_tasting():
    control, treatment = random_samples(50, seed=5)
    pairs = [
        (
            Sample(*(part[i] for part in control)),
            Sample(*(part[i] for part in treatment)),
        )
        for i in range(50)
    ]
    for before, after in [*pairs, *EXTREMES]:
        expected = answer_of_tea_tasting(
            tt.Mean("value"),
            *((n, [mean], np.array([[v]])) for n, mean, v in (before, after)),
            ["value"],
        )
        found = welch_difference(before, after)
        np.testing.assert_allclose(
            numbers_of(found),
            numbers_of_tea_tasting(expected),
            rtol=1e-9,
            # At a mean of 1e8 the difference itself holds eight digits.
            atol=1e-9 if abs(before.mean) > 1e6 else 0,
        )


def test_welch_agrees_with_statsmodels_on_rows():
    generator = np.random.default_rng(6)
    before, after = generator.normal(5, 2, 80), generator.normal(6, 4, 30)
    compared = CompareMeans(DescrStatsW(after), DescrStatsW(before))
    found = welch_difference(
        Sample(80, before.mean(), before.var(ddof=1)),
        Sample(30, after.mean(), after.var(ddof=1)),
    )
    statistic, p_value, degrees = compared.ttest_ind(usevar="unequal")
    interval = compared.tconfint_diff(usevar="unequal")
    np.testing.assert_allclose(
        (found.statistic, found.p_value, found.degrees_of_freedom),
        (statistic, p_value, degrees),
        rtol=1e-9,
    )
    np.testing.assert_allclose(
        (found.ci_low, found.ci_high), interval, rtol=1e-9
    )


def test_proportions_agree_with_statsmodels():
    generator = np.random.default_rng(7)
    cases = [
        (GATE_30, GATE_40),
        (Counts(1, 100), Counts(300, 9_900)),
        (Counts(0, 50), Counts(1, 50)),
        (Counts(2_262, 21_306), Counts(3_894, 21_307)),
    ]
    for _ in range(200):
        trials = generator.integers(1, 10**5, 2)
        successes = generator.binomial(trials, generator.uniform(0.01, 0.99, 2))
        if 0 < successes.sum() < trials.sum():
            cases.append(
                tuple(map(Counts, successes.tolist(), trials.tolist()))
            )
    for before, after in cases:
        found = proportion_difference(before, after)
        statistic, p_value = proportions_ztest(
            [after.successes, before.successes], [after.trials, before.trials]
        )
        np.testing.assert_allclose(
            (found.statistic, found.p_value),
            (statistic, p_value),
            rtol=1e-9,
            atol=1e-300,
        )
        interval = confint_proportions_2indep(
            *after, *before, method="newcomb", compare="diff"
        )
        np.testing.assert_allclose(
            (found.ci_low, found.ci_high), interval, rtol=1e-9, atol=1e-14
        )


def test_difference_flips_with_the_arms():
    control, treatment = random_samples(500, seed=8)
    found = welch_difference(control, treatment)
    swapped = welch_difference(treatment, control)
    np.testing.assert_allclose(found.estimate, -swapped.estimate)
    np.testing.assert_allclose(found.ci_low, -swapped.ci_high)
    np.testing.assert_allclose(found.p_value, swapped.p_value)
    counted = proportion_difference(GATE_30, GATE_40)
    mirrored = proportion_difference(GATE_40, GATE_30)
    assert counted.ci_low == pytest.approx(-mirrored.ci_high)
    assert counted.p_value == pytest.approx(mirrored.p_value)


def test_verdict_ignores_unit_and_origin():
    control, treatment = Sample(100, 5.0, 4.0), Sample(120, 5.5, 3.0)
    found = welch_difference(control, treatment)
    scaled = welch_difference(
        *(Sample(n, 60 * m, 3600 * v) for n, m, v in (control, treatment))
    )
    shifted = welch_difference(
        *(Sample(n, m + 1000, v) for n, m, v in (control, treatment))
    )
    assert scaled.ci_low == pytest.approx(60 * found.ci_low)
    assert scaled.p_value == pytest.approx(found.p_value)
    assert shifted.estimate == pytest.approx(found.estimate)
    assert shifted.p_value == pytest.approx(found.p_value)


def test_equal_arms_differ_by_nothing():
    found = welch_difference(Sample(9, 2.0, 1.0), Sample(9, 2.0, 1.0))
    assert (found.estimate, found.p_value) == (0, 1)


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        (Sample(1, 5.0, 1.0), "treatment units must be at least 2, got 1"),
        (Sample(0, np.nan, np.nan), "treatment units must be at least 2"),
        (Sample(9, 5.0, -1.0), "treatment variance must not be negative"),
        (Sample(9, np.inf, 1.0), "treatment mean and variance must be finite"),
    ],
)
def test_welch_refuses_impossible_arms(arm, message):
    with pytest.raises(ValueError, match=message):
        welch_difference(Sample(9, 5.0, 1.0), arm)


def test_refuses_arms_without_variation():
    with pytest.raises(ValueError, match="variance is 0 in both arms"):
        welch_difference(Sample(9, 5.0, 0.0), Sample(9, 6.0, 0.0))
    for successes, trials in ((0, 9), (9, 9)):
        arm = Counts(successes, trials)
        with pytest.raises(ValueError, match="nobody or everybody"):
            proportion_difference(arm, arm)


@pytest.mark.slow
def test_false_positives_and_coverage_are_nominal():
    generator = np.random.default_rng(9)
    draws, units = 20_000, 400
    x0 = generator.binomial(units, 0.2, draws)
    x1 = generator.binomial(units, 0.25, draws)
    null = generator.binomial(units, 0.2, draws)
    found = proportion_difference(Counts(x0, units), Counts(x1, units))
    covered = (found.ci_low <= 0.05) & (found.ci_high >= 0.05)
    assert 0.945 <= covered.mean() <= 0.957
    pooled = proportion_difference(Counts(x0, units), Counts(null, units))
    assert 0.044 <= (pooled.p_value < 0.05).mean() <= 0.056
    welch = welch_difference(*(as_sample(Counts(x, units)) for x in (x0, null)))
    assert 0.044 <= (welch.p_value < 0.05).mean() <= 0.056
