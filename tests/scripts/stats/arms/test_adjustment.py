"""CUPED: oracles, rows of users, symmetries, what falls back and why."""

import numpy as np
import pytest
import statsmodels.api as sm
import tea_tasting as tt
from arms import (
    answer_of_tea_tasting,
    moments_of,
    numbers_of,
    numbers_of_tea_tasting,
    row,
    stacked,
)
from scipy import stats

from stats.arms.adjustment import adjusted_means, adjusted_ratios
from stats.arms.comparisons import Sample
from stats.arms.effects import mean_effect
from stats.arms.moments import Moments, pair_moments

PAIR = ["y", "x"]
FOUR = ["top", "below", "top_before", "below_before"]


def users(units, generator, variables=2, offset=5.0):
    """Correlated positive variables of users, the outcome first."""
    shared = generator.gamma(3, 1, (units, 1))
    own = generator.gamma(2, 1, (units, variables))
    return shared * generator.uniform(0.2, 2, variables) + own + offset


def random_group(generator, variables):
    """Moments that some users have, at any size and scale."""
    deviations = 10 ** generator.uniform(-3, 3, variables)
    factors = generator.normal(0, 1, (variables, variables + 2))
    squares = factors @ factors.T
    scale = deviations / np.sqrt(np.diag(squares))
    return Moments(
        int(10 ** generator.uniform(0.5, 6)) + 2,
        np.abs(generator.normal(0, 3, variables)) * deviations
        + 0.1 * deviations,
        squares * np.outer(scale, scale),
    )


def like(group, generator):
    """Another arm of the same users, its means moved by some errors."""
    units = int(10 ** generator.uniform(0.5, 6)) + 2
    errors = np.sqrt(np.diag(group.covariances) / units)
    # So small a step that no positive mean turns negative.
    steps = np.minimum(errors, group.means / 40)
    return Moments(
        units,
        group.means + steps * generator.normal(0, 3, len(steps)),
        group.covariances * generator.uniform(0.5, 2),
    )


def extremes():
    """Two users an arm; 1:99; negative outcome; zero mean; far |t|."""
    arms = [
        (Sample(2, 1.0, 0.5), Sample(2, 3.0, 0.1), (2.0, 1.0, 0.1)),
        (Sample(100, 5.0, 4.0), Sample(9_900, 5.3, 4.0), (2.0, 1.0, 1.1)),
        (Sample(500, -5.0, 4.0), Sample(500, -4.0, 5.0), (2.0, 1.0, -1.1)),
        (Sample(500, 0.0, 4.0), Sample(500, 0.3, 5.0), (0.0, 1.0, 1.1)),
        (Sample(50, 3.0, 0.0), Sample(60, 4.0, 2.0), (2.0, 1.0, 0.0)),
        (Sample(10**6, 50.0, 400.0), Sample(10**6, 51.13, 400.0), (9, 9, 9)),
    ]
    return [
        (pair_moments(before, *pre), pair_moments(after, *pre))
        for before, after, pre in arms
    ]


def agreeing(adjusted, cases, metric, names):
    """Adjust pairs of arms, each as tea-tasting adjusts it."""
    found = adjusted(*(stacked(arm) for arm in zip(*cases, strict=True)))
    effect = mean_effect(found.control, found.treatment).absolute
    assert (found.reason == "").all()
    for i, pair in enumerate(cases):
        expected = answer_of_tea_tasting(metric, *pair, names)
        means = found.control.mean[i], found.treatment.mean[i]
        np.testing.assert_allclose(
            (*means, *numbers_of(row(effect, i))),
            (
                *(expected.control, expected.treatment),
                *numbers_of_tea_tasting(expected),
            ),
            rtol=1e-9,
            atol=1e-300,
        )
    return found


def test_means_agree_with_tea_tasting():
    generator = np.random.default_rng(50)
    cases = extremes()
    for _ in range(200):
        before = random_group(generator, 2)
        cases.append((before, like(before, generator)))
    found = agreeing(adjusted_means, cases, tt.Mean("y", covariate="x"), PAIR)
    for i, (before, after) in enumerate(cases):
        pre = answer_of_tea_tasting(tt.Mean("x"), before, after, PAIR)
        assert found.covariate_p_value[i, 0] == pytest.approx(
            pre.pvalue, rel=1e-9, abs=0
        )


def test_ratios_agree_with_tea_tasting():
    generator = np.random.default_rng(51)
    befores = [random_group(generator, 4) for _ in range(200)]
    cases = [(before, like(before, generator)) for before in befores]
    agreeing(adjusted_ratios, cases, tt.RatioOfMeans(*FOUR), FOUR)


@pytest.mark.parametrize("covariates", [1, 2, 5])
def test_many_covariates_agree_with_regression_on_rows(covariates):
    """Least squares of both arms (statsmodels), Welch on what is left."""
    generator = np.random.default_rng(52 + covariates)
    for _ in range(20):
        units = generator.integers(30, 400, 2)
        arms = [users(n, generator, 1 + covariates) for n in units]
        rows = np.concatenate(arms)
        fit = sm.OLS(rows[:, 0], sm.add_constant(rows[:, 1:])).fit()
        centre = rows[:, 1:].mean(axis=0)
        before, after = (
            arm[:, 0] - (arm[:, 1:] - centre) @ fit.params[1:] for arm in arms
        )
        expected = stats.ttest_ind(after, before, equal_var=False)
        found = adjusted_means(*(moments_of(arm) for arm in arms))
        np.testing.assert_allclose(found.coefficients, fit.params[1:], 1e-9)
        np.testing.assert_allclose(
            (found.control.mean, found.treatment.mean),
            (before.mean(), after.mean()),
            rtol=1e-11,
        )
        np.testing.assert_allclose(
            (found.control.variance, found.treatment.variance),
            (before.var(ddof=1), after.var(ddof=1)),
            rtol=1e-9,
        )
        effect = mean_effect(found.control, found.treatment).absolute
        np.testing.assert_allclose(effect.statistic, expected.statistic, 1e-9)
        np.testing.assert_allclose(effect.p_value, expected.pvalue, 1e-9)
        assert found.variance_ratio == pytest.approx(
            (
                found.control.variance / units[0]
                + found.treatment.variance / units[1]
            )
            / sum(arm[:, 0].var(ddof=1) / len(arm) for arm in arms),
            rel=1e-9,
        )


def test_variance_shrinks_by_the_squared_correlation():
    """Deng et al. (2013), equation 4: var (1 - rho^2) with alike arms."""
    rho = 0.7
    arm = pair_moments(Sample(10**6, 5.0, 4.0), 3.0, 9.0, rho * 6)
    found = adjusted_means(arm, arm)
    assert found.variance_ratio == pytest.approx(1 - rho**2, rel=1e-9)
    assert found.control.mean == pytest.approx(5.0, rel=1e-12)


def test_p_value_reaches_1e_300():
    arms = [
        pair_moments(Sample(10**7, mean, 1.0), 0.0, 1.0, 0.6)
        for mean in (0.0, 0.8 * 37.0 * 2e-7**0.5)
    ]
    found = adjusted_means(*arms)
    effect = mean_effect(found.control, found.treatment)
    assert 1e-300 < effect.absolute.p_value < 1e-297


def test_arms_units_origins_and_signs_are_symmetric():
    generator = np.random.default_rng(56)
    before, after = (users(n, generator, 3) for n in (90, 40))

    def effect_of(first, second):
        found = adjusted_means(moments_of(first), moments_of(second))
        return mean_effect(found.control, found.treatment)

    found = effect_of(before, after)
    swapped = effect_of(after, before)
    np.testing.assert_allclose(
        found.absolute.ci_low, -swapped.absolute.ci_high, rtol=1e-9
    )
    # Unit of the outcome; unit, sign and origin of the covariates.
    factors, shifts = np.array([60.0, -1e6, 1e-6]), np.array([0.0, 7e5, -3.0])
    changed = effect_of(before * factors + shifts, after * factors + shifts)
    np.testing.assert_allclose(
        changed.absolute.ci_low, 60 * found.absolute.ci_low, rtol=1e-8
    )
    np.testing.assert_allclose(
        changed.relative.ci_low, found.relative.ci_low, rtol=1e-8
    )
    # Order and mixture of the covariates.
    mixing = np.array([[1.0, 0, 0], [0, 2.0, 1.0], [0, -1.0, 3.0]])
    mixed = effect_of(before @ mixing, after @ mixing)
    np.testing.assert_allclose(
        mixed.absolute.p_value, found.absolute.p_value, rtol=1e-9
    )


def test_three_arms_share_their_control():
    generator = np.random.default_rng(57)
    control, *treatments = (
        moments_of(users(n, generator)) for n in (80, 90, 70)
    )
    found = adjusted_means(control, stacked(treatments))
    for i, treatment in enumerate(treatments):
        alone = adjusted_means(control, treatment)
        np.testing.assert_allclose(
            row(found.treatment, i), alone.treatment, rtol=1e-12
        )
        np.testing.assert_allclose(
            row(found.control, i), alone.control, rtol=1e-12
        )


def test_arms_alike_before_stay_where_they_are():
    """Without a difference before, adjusting moves no mean."""
    control = pair_moments(Sample(100, 5.0, 4.0), 3.0, 9.0, 3.0)
    treatment = pair_moments(Sample(300, 5.5, 4.0), 3.0, 9.0, 3.0)
    found = adjusted_means(control, treatment)
    assert (found.control.mean, found.treatment.mean) == (5.0, 5.5)
    assert found.covariate_p_value == 1


def as_raw(found, control, treatment, i=0):
    for arm, raw in ((found.control, control), (found.treatment, treatment)):
        np.testing.assert_array_equal(
            np.ravel(row(arm, i)),
            (raw.units, raw.means[0], raw.covariances[0, 0]),
        )
    assert found.variance_ratio[i] == 1


def test_what_cannot_adjust_leaves_the_raw_means():
    nan = np.nan
    usual = pair_moments(Sample(50, 5.0, 4.0), 3.0, 9.0, 3.0)
    cases = {
        "": (usual, usual),
        "constant_covariate": [
            pair_moments(Sample(50, 5.0, 4.0), 3.0, 0.0, 0.0)
        ]
        * 2,
        "missing_covariate": (
            usual,
            pair_moments(Sample(50, 6.0, 4.0), nan, nan, nan),
        ),
        "too_few_units": (
            usual,
            Moments(1, np.array([6.0, 2.0]), np.full((2, 2), nan)),
        ),
        "zero_variance": [
            pair_moments(Sample(50, mean, 0.0), 3.0, 9.0, 0.0)
            for mean in (5.0, 6.0)
        ],
    }
    found = adjusted_means(
        *(stacked(arm) for arm in zip(*cases.values(), strict=True))
    )
    assert found.reason.tolist() == list(cases)
    assert found.is_used[:, 0].tolist() == [True] + [False] * 4
    for i, (control, treatment) in enumerate(cases.values()):
        if i:
            as_raw(found, control, treatment, i)
    assert np.isnan(found.covariate_p_value[1:4]).all()
    effect = mean_effect(found.control, found.treatment, 0.05, found.reason)
    assert effect.reason.tolist() == list(cases)
    assert np.isfinite(effect.absolute.p_value[[0, 1, 2]]).all()
    assert np.isnan(effect.absolute.p_value[[3, 4]]).all()


def test_a_covariate_that_is_the_arm_itself_takes_no_effect_away():
    """Pooled, it would explain the whole difference."""
    arms = [
        pair_moments(Sample(50, 5.0 + flag, 4.0), flag, 0.0, 0.0)
        for flag in (0.0, 1.0)
    ]
    found = adjusted_means(*arms)
    assert found.reason == "constant_covariate"
    assert (found.control.mean, found.treatment.mean) == (5, 6)


def test_constants_that_are_no_exact_zero_are_constants():
    arm = pair_moments(Sample(50, 5.0, 4.0), 0.1, 1e-32, 1e-17)
    assert adjusted_means(arm, arm).reason == "constant_covariate"
    # A small spread beside a large mean still is one.
    far = pair_moments(Sample(50, 5.0, 4.0), 1e8, 0.08, 0.3)
    assert adjusted_means(far, far).reason == ""


def test_constant_and_collinear_covariates_leave_the_others_to_work():
    generator = np.random.default_rng(58)
    arms = [users(n, generator, 3) for n in (90, 40)]
    plain = adjusted_means(*(moments_of(arm) for arm in arms))
    doubled = [
        moments_of(
            np.column_stack(
                [
                    arm[:, 0],
                    np.ones(len(arm)),
                    arm[:, 1:],
                    arm[:, 1] - 2 * arm[:, 2],
                ]
            )
        )
        for arm in arms
    ]
    found = adjusted_means(*doubled)
    assert found.is_used.tolist() == [False, True, True, False]
    assert found.reason == "constant_covariate"
    np.testing.assert_allclose(found.treatment, plain.treatment, rtol=1e-9)
    np.testing.assert_array_equal(found.coefficients[[0, 3]], 0)
    twice = adjusted_means(*(moments_of(arm[:, [0, 1, 1]]) for arm in arms))
    assert twice.reason == "collinear_covariates"
    once = adjusted_means(*(moments_of(arm[:, :2]) for arm in arms))
    np.testing.assert_allclose(twice.control, once.control, rtol=1e-9)


def test_arms_that_lie_worlds_apart_stop_no_row():
    """What differs between them then hides all that differs within."""
    squares = np.diag([4.0, 1.0, 1.0])
    near = Moments(50, [5.0, 1.0, 1.0], squares)
    far = Moments(50, [[5.0, 1.0, 1.0], [5.0, 1e9, 1e9]], squares)
    found = adjusted_means(near, far)
    assert found.is_used.tolist() == [[True, True], [True, False]]
    assert found.reason.tolist() == ["", "collinear_covariates"]


def test_a_missing_covariate_leaves_the_others_to_work():
    generator = np.random.default_rng(59)
    arms = [moments_of(users(n, generator, 3)) for n in (90, 40)]
    for arm in arms:
        arm.means[1] = np.nan
        arm.covariances[1, :] = arm.covariances[:, 1] = np.nan
    found = adjusted_means(*arms)
    kept = np.ix_([0, 2], [0, 2])
    expected = adjusted_means(
        *(Moments(n, m[[0, 2]], s[kept]) for n, m, s in arms)
    )
    assert found.reason == "missing_covariate"
    assert found.is_used.tolist() == [False, True]
    np.testing.assert_allclose(found.control, expected.control, rtol=1e-12)


def test_few_users_are_not_told_apart_by_many_covariates():
    generator = np.random.default_rng(60)
    arms = [moments_of(users(2, generator, 4)) for _ in range(2)]
    found = adjusted_means(*arms)
    assert found.is_used.tolist() == [True, False, False]
    assert found.reason == "collinear_covariates"


def test_a_perfect_prediction_leaves_no_variance():
    rows = [users(50, np.random.default_rng(seed)) for seed in (61, 62)]
    arms = [moments_of(arm[:, [0, 0]]) for arm in rows]
    found = adjusted_means(*arms)
    assert (found.control.variance, found.treatment.variance) == (0, 0)
    assert mean_effect(found.control, found.treatment).reason == "zero_variance"


def test_ratio_denominators_that_are_not_positive_have_their_reason():
    generator = np.random.default_rng(63)
    arm = moments_of(users(50, generator, 4))
    means = np.tile(arm.means, (4, 1))
    means[1, 3], means[2, 1], means[3, 2:] = 0.0, -1.0, np.nan
    covariances = np.tile(arm.covariances, (4, 1, 1))
    covariances[1, 3], covariances[1, :, 3] = 0.0, 0.0
    covariances[3, 2:], covariances[3, :, 2:] = np.nan, np.nan
    control = Moments(50, means, covariances)
    found = adjusted_ratios(control, arm)
    assert found.reason.tolist() == [
        "",
        "covariate_denominator_not_positive",
        "denominator_not_positive",
        "missing_covariate",
    ]
    effect = mean_effect(found.control, found.treatment, 0.05, found.reason)
    is_number = np.isfinite(effect.absolute.estimate)
    assert is_number.tolist() == [True, True, False, True]
    raw = arm.means[0] / arm.means[1]
    np.testing.assert_allclose(
        found.treatment.mean[[1, 3]], [raw, raw], rtol=1e-12
    )


def test_ratio_with_denominators_of_one_is_the_mean():
    generator = np.random.default_rng(64)
    arms = [users(n, generator) for n in (80, 70)]
    ratios = adjusted_ratios(
        *(moments_of(np.insert(arm, [1, 2], 1.0, axis=1)) for arm in arms)
    )
    means = adjusted_means(*(moments_of(arm) for arm in arms))
    np.testing.assert_allclose(ratios.treatment, means.treatment, rtol=1e-9)
    np.testing.assert_allclose(
        ratios.variance_ratio, means.variance_ratio, rtol=1e-9
    )


@pytest.mark.parametrize(
    ("control", "treatment", "message"),
    [
        (np.eye(1), np.eye(1), "at least one covariate"),
        (np.eye(2), np.eye(3), "same variables, got 2 and 3"),
        (np.eye(2), -np.eye(2), "treatment variances must not be negative"),
    ],
)
def test_refuses_impossible_arms(control, treatment, message):
    arms = (Moments(9, np.ones(len(s)), s) for s in (control, treatment))
    with pytest.raises(ValueError, match=message):
        adjusted_means(*arms)


def test_ratios_refuse_other_than_four_variables():
    arm = Moments(9, [1.0, 2.0], np.eye(2))
    with pytest.raises(ValueError, match="4 variables, got 2"):
        adjusted_ratios(arm, arm)


@pytest.mark.slow
def test_covers_at_the_nominal_rate_and_gains_power():
    generator = np.random.default_rng(65)
    draws, units = 4_000, 300
    pre = generator.gamma(1, 4, (2, draws, units))
    post = 0.8 * pre + generator.gamma(2, 1, (2, draws, units))
    post[1] += 0.4
    arms = []
    for y, x in zip(post, pre, strict=True):
        both = np.stack([y, x], axis=-1)
        centred = both - both.mean(axis=1, keepdims=True)
        squares = np.einsum("dui,duj->dij", centred, centred) / (units - 1)
        arms.append(Moments(units, both.mean(axis=1), squares))
    found = adjusted_means(*arms)
    effect = mean_effect(found.control, found.treatment).absolute
    covered = (effect.ci_low <= 0.4) & (effect.ci_high >= 0.4)
    assert 0.94 <= covered.mean() <= 0.96
    raw = mean_effect(
        *(Sample(units, m[:, 0], s[:, 0, 0]) for _, m, s in arms)
    ).absolute
    assert (raw.p_value < 0.05).mean() < 0.4
    assert (effect.p_value < 0.05).mean() > 0.9
    assert 0.04 <= (found.covariate_p_value < 0.05).mean() <= 0.06
