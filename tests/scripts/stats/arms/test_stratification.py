"""Post-stratification: regression on rows, merging, symmetries, refusals."""

import numpy as np
import pytest
import statsmodels.api as sm
from arms import row

from stats.arms.comparisons import Sample
from stats.arms.effects import mean_effect
from stats.arms.stratification import Cells, stratified_effect


def users(counts, generator, effect=0.5):
    """Outcome and cell of the users of one arm."""
    cells = np.repeat(np.arange(len(counts)), counts)
    levels = np.arange(len(counts)) ** 2 + 1.0
    spread = generator.gamma(2, 1, len(cells)) * levels[cells]
    return cells, levels[cells] * (1 + effect) + spread


def cells_of(cells, outcomes, count):
    nan = float("nan")
    found = []
    for cell in range(count):
        own = outcomes[cells == cell]
        found.append(
            (
                len(own),
                own.mean() if len(own) else nan,
                own.var(ddof=1) if len(own) > 1 else nan,
            )
        )
    return Cells(*np.transpose(found))


def two_arms(counts, seed):
    generator = np.random.default_rng(seed)
    return [
        users(own, generator, effect)
        for own, effect in zip(counts, (0.0, 0.3), strict=True)
    ]


def interacted_regression(arms, count):
    """Treatment, cells centred on their shares, and their products; HC2."""
    cells = np.concatenate([arm[0] for arm in arms])
    outcomes = np.concatenate([arm[1] for arm in arms])
    is_treated = np.repeat([0.0, 1.0], [len(arm[0]) for arm in arms])
    dummies = np.eye(count)[cells][:, 1:]
    centred = dummies - dummies.mean(axis=0)
    design = np.column_stack(
        [
            np.ones(len(cells)),
            is_treated,
            centred,
            centred * is_treated[:, None],
        ]
    )
    return sm.OLS(outcomes, design).fit(cov_type="HC2"), cells


@pytest.mark.parametrize(
    "counts",
    [
        ([40, 300], [55, 290]),
        ([30, 25, 2_000], [3_000, 21, 24]),
        ([2, 3, 4], [3, 2, 5]),
        ([500, 90, 70, 60, 50], [80, 90, 700, 60, 50]),
        ([20, 20], [1_980, 1_980]),
    ],
)
def test_agrees_with_the_interacted_regression(counts):
    """Lin (2013): the estimate, and its HC2 error, at fixed weights."""
    arms = two_arms(counts, seed=70)
    count = len(counts[0])
    fit, labels = interacted_regression(arms, count)
    control, treatment = (cells_of(*arm, count) for arm in arms)
    found = stratified_effect(control, treatment, minimum_units=2)
    assert found.absolute.estimate == pytest.approx(fit.params[1], rel=1e-9)

    # What the weights add: their multinomial covariance, both sides.
    weights = np.bincount(labels) / len(labels)
    gaps = treatment.mean - control.mean
    spread = (np.diag(weights) - np.outer(weights, weights)) / len(labels)
    variance = fit.bse[1] ** 2 + gaps @ spread @ gaps
    assert found.absolute.standard_error == pytest.approx(
        np.sqrt(variance), rel=1e-9
    )
    raw = mean_effect(
        *(Sample(len(y), y.mean(), y.var(ddof=1)) for _, y in arms)
    ).absolute
    assert found.variance_ratio == pytest.approx(
        variance / raw.standard_error**2, rel=1e-9
    )
    assert found.control_mean == pytest.approx(weights @ control.mean)
    assert found.treatment_mean == pytest.approx(weights @ treatment.mean)


def test_one_cell_is_welchs_test():
    generator = np.random.default_rng(71)
    parts = [
        (
            generator.integers(2, 10**6, 300),
            generator.normal(0, 100, 300),
            10 ** generator.uniform(-6, 6, 300),
        )
        for _ in range(2)
    ]
    parts.append((2, 1.0, 0.5)), parts.append((2, 3.0, 0.0))
    for before, after in (parts[:2], parts[2:]):
        expected = mean_effect(Sample(*before), Sample(*after))
        found = stratified_effect(
            *(
                Cells(*(np.asarray(part)[..., None] for part in arm))
                for arm in (before, after)
            )
        )
        for ours, theirs in zip(found.absolute, expected.absolute, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-300)
        np.testing.assert_allclose(found.relative, expected.relative, rtol=1e-9)
        np.testing.assert_array_equal(found.reason, expected.reason)
        np.testing.assert_allclose(found.variance_ratio, 1, rtol=1e-12)


def test_takes_away_what_an_uneven_mixture_feigns():
    """No effect in any cell, and yet the plain means differ by far."""
    control = Cells([900, 100], [1.0, 9.0], [1.0, 1.0])
    treatment = Cells([100, 900], [1.0, 9.0], [1.0, 1.0])
    found = stratified_effect(control, treatment)
    assert found.absolute.estimate == 0
    assert found.absolute.p_value == 1
    assert found.relative.ci_low < 0 < found.relative.ci_high


def test_small_cells_join_the_largest():
    arms = two_arms(([40, 300, 5, 0], [55, 290, 40, 3]), seed=72)
    found = stratified_effect(*(cells_of(*arm, 4) for arm in arms))
    joined = [(np.where(cells > 1, 1, cells), y) for cells, y in arms]
    expected = stratified_effect(*(cells_of(*arm, 2) for arm in joined))
    np.testing.assert_allclose(found.absolute, expected.absolute, rtol=1e-9)
    np.testing.assert_allclose(found.relative, expected.relative, rtol=1e-9)


def test_cells_that_are_all_too_small_become_one():
    arms = two_arms(([4, 5, 0], [3, 6, 1]), seed=73)
    found = stratified_effect(*(cells_of(*arm, 3) for arm in arms))
    expected = mean_effect(
        *(Sample(len(y), y.mean(), y.var(ddof=1)) for _, y in arms)
    )
    np.testing.assert_allclose(found.absolute, expected.absolute, rtol=1e-9)


def test_rows_may_have_fewer_cells():
    arms = two_arms(([40, 300], [55, 290]), seed=74)
    plain = stratified_effect(*(cells_of(*arm, 2) for arm in arms))
    padded = stratified_effect(*(cells_of(*arm, 5) for arm in arms))
    np.testing.assert_array_equal(padded.absolute, plain.absolute)


def test_every_row_is_as_if_alone():
    generator = np.random.default_rng(75)
    control, treatment = (
        Cells(
            generator.integers(0, 200, (300, 6)),
            generator.normal(5, 3, (300, 6)),
            10 ** generator.uniform(-2, 2, (300, 6)),
        )
        for _ in range(2)
    )
    found = stratified_effect(control, treatment)
    is_enough = np.minimum(control.units, treatment.units) >= 20
    assert len(set(is_enough.sum(axis=1).tolist())) > 2
    for i in range(300):
        alone = stratified_effect(row(control, i), row(treatment, i))
        np.testing.assert_allclose(
            row(found.absolute, i), alone.absolute, rtol=1e-10
        )
        np.testing.assert_allclose(
            row(found.relative, i), alone.relative, rtol=1e-10
        )


def test_order_arms_and_units_are_symmetric():
    arms = [
        cells_of(*arm, 3)
        for arm in two_arms(([40, 300, 50], [55, 290, 40]), seed=76)
    ]
    found = stratified_effect(*arms)
    turned = stratified_effect(
        *(Cells(*(part[::-1] for part in arm)) for arm in arms)
    )
    np.testing.assert_allclose(turned.absolute, found.absolute, rtol=1e-12)
    swapped = stratified_effect(*arms[::-1])
    assert swapped.absolute.ci_low == pytest.approx(-found.absolute.ci_high)
    assert swapped.absolute.p_value == pytest.approx(found.absolute.p_value)
    scaled = stratified_effect(
        *(Cells(n, -60 * m, 3600 * v) for n, m, v in arms)
    )
    assert scaled.absolute.ci_low == pytest.approx(-60 * found.absolute.ci_high)
    assert scaled.relative.ci_low == pytest.approx(-found.relative.ci_high)


def test_verdicts_absolute_and_relative_are_one():
    generator = np.random.default_rng(77)
    control, treatment = (
        Cells(
            generator.integers(20, 200, (20_000, 4)),
            generator.normal(1, 0.3, (20_000, 4)),
            10 ** generator.uniform(-2, 1, (20_000, 4)),
        )
        for _ in range(2)
    )
    found = stratified_effect(control, treatment)
    is_bounded = ~np.isnan(found.relative.ci_low)
    rejects = (found.absolute.ci_low > 0) | (found.absolute.ci_high < 0)
    excludes = (found.relative.ci_low > 0) | (found.relative.ci_high < 0)
    assert is_bounded.sum() > 5_000
    assert rejects.sum() > 1_000
    assert (rejects == excludes)[is_bounded].all()


def test_a_row_without_a_number_says_why():
    nan = np.nan
    control = Cells(
        [[0, 0], [1, 0], [30, 40], [30, 40], [30, 40]],
        [[nan, nan], [1.0, nan], [1.1, 2.1], [0.0, 0.0], [0.1, -0.1]],
        [[nan, nan], [nan, nan], [0.0, 0.0], [1.0, 1.0], [9.0, 9.0]],
    )
    treatment = Cells(
        [31, 42],
        [[5.0, 6.0]] * 2 + [[1.3, 2.3]] + [[5.0, 6.0]] * 2,
        [[0.0, 0.0]] * 3 + [[1.0, 1.0]] * 2,
    )
    found = stratified_effect(control, treatment)
    assert found.reason.tolist() == [
        "empty_arm",
        "too_few_units",
        "zero_variance",
        "relative_zero_baseline",
        "relative_unbounded",
    ]
    has_number = [False, False, False, True, True]
    assert np.isfinite(found.absolute.p_value).tolist() == has_number
    assert np.isfinite(found.relative.estimate).tolist() == [False] * 4 + [True]


@pytest.mark.parametrize(
    ("cells", "minimum", "message"),
    [
        (Cells([-1, 9], 1.0, 1.0), 2, "treatment units must not be negative"),
        (Cells([9, 9], 1.0, -1.0), 2, "treatment variance must not be negati"),
        (Cells([9, 9], np.nan, 1.0), 2, "treatment mean and variance must be"),
        (Cells(9, 1.0, 1.0), 2, "treatment needs at least one cell"),
        (Cells([9, 9], 1.0, 1.0), 1, "minimum_units must be at least 2, got 1"),
    ],
)
def test_refuses_impossible_cells(cells, minimum, message):
    with pytest.raises(ValueError, match=message):
        stratified_effect(Cells([9, 9], 1.0, 1.0), cells, minimum_units=minimum)


@pytest.mark.slow
def test_covers_at_the_nominal_rate_when_users_are_sampled():
    """Effects differ between cells, so the sample's mixture matters."""
    generator = np.random.default_rng(78)
    draws, levels = 20_000, np.array([0.0, 5.0, 20.0])
    effects, shares = np.array([3.0, 0.0, -2.0]), [0.5, 0.3, 0.2]
    mixtures = generator.multinomial(400, shares, draws)
    treated = generator.binomial(mixtures, 0.5)

    def drawn(units, means):
        spread = 1.0
        return Cells(
            units,
            means + generator.normal(0, spread, units.shape) / np.sqrt(units),
            generator.chisquare(units - 1) / (units - 1) * spread**2,
        )

    found = stratified_effect(
        drawn(mixtures - treated, levels),
        drawn(treated, levels + effects),
        minimum_units=5,
    )
    true = shares @ effects
    covered = (found.absolute.ci_low <= true) & (found.absolute.ci_high >= true)
    assert 0.945 <= covered.mean() <= 0.955
    true /= shares @ levels
    covered = (found.relative.ci_low <= true) & (found.relative.ci_high >= true)
    assert 0.945 <= covered.mean() <= 0.955
