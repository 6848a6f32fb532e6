"""Ratio metrics: oracles, rows of sessions, symmetries, refusals."""

from collections import namedtuple

import numpy as np
import pytest
import statsmodels.api as sm
import tea_tasting as tt
from arms import answer_of_tea_tasting, numbers_of, numbers_of_tea_tasting

from stats.arms.comparisons import Sample, welch_difference
from stats.arms.effects import mean_effect
from stats.arms.moments import pair_moments
from stats.arms.ratio_metrics import ratio_sample as sample_of
from stats.reasons import combined

RatioArm = namedtuple("RatioArm", "n mean variance below_mean below cross")


def ratio_sample(arm):
    return sample_of(pair_moments(Sample(*arm[:3]), *arm[3:]))


def ratio_effect(control, treatment):
    """Compare two ratios, as the readout does."""
    before, after = ratio_sample(control), ratio_sample(treatment)
    reason = combined(before.reason, after.reason)
    return mean_effect(before.sample, after.sample, reason=reason)


def random_arm(count, generator):
    variance, other = 10 ** generator.uniform(-3, 3, (2, count))
    return RatioArm(
        generator.integers(2, 10**6, count),
        generator.normal(0, 50, count),
        variance,
        10 ** generator.uniform(-2, 3, count),
        other,
        generator.uniform(-0.99, 0.99, count) * np.sqrt(variance * other),
    )


def arm_of(rows):
    covariances = np.cov(rows, rowvar=False)
    return RatioArm(
        len(rows),
        rows[:, 0].mean(),
        covariances[0, 0],
        rows[:, 1].mean(),
        covariances[1, 1],
        covariances[0, 1],
    )


def scaled(arm, top, below):
    n, m, v, d, w, c = arm
    return RatioArm(
        n, top * m, top**2 * v, below * d, below**2 * w, top * below * c
    )


def users(units, generator, rate=3.0):
    """Sessions per user and their total length: they go together."""
    sessions = 1 + generator.poisson(rate, units)
    level = generator.gamma(4, 5, units)
    return np.column_stack([generator.poisson(sessions * level), sessions])


EXTREMES = [
    (RatioArm(*control), RatioArm(*treatment))
    for control, treatment in [
        # n = 2; splits 1:99; denominator with hardly any and without variance.
        ((2, 3.0, 1.0, 2.0, 1.0, 0.5), (2, 4.0, 1.0, 2.0, 1.0, 0.9)),
        ((100, 3.0, 1.0, 2.0, 1.0, 0.5), (9_900, 3.1, 1.0, 2.0, 1.0, 0.5)),
        ((50, 3.0, 1.0, 2.0, 0.0, 0.0), (60, 4.0, 1.0, 2.0, 0.0, 0.0)),
        ((50, -3.0, 1.0, 2.0, 1.0, 0.1), (60, -4.0, 1.0, 2.0, 1.0, 0.1)),
        ((50, 0.0, 1.0, 2.0, 1.0, 0.1), (60, 1.0, 1.0, 2.0, 1.0, 0.1)),
    ]
]


def test_agrees_with_tea_tasting():
    generator = np.random.default_rng(40)
    control, treatment = (random_arm(200, generator) for _ in range(2))
    cases = [
        (
            RatioArm(*(part[i] for part in control)),
            RatioArm(*(part[i] for part in treatment)),
        )
        for i in range(200)
    ]
    for before, after in [*cases, *EXTREMES]:
        found = ratio_effect(before, after).absolute
        expected = answer_of_tea_tasting(
            tt.RatioOfMeans("top", "below"),
            *(
                pair_moments(Sample(*arm[:3]), *arm[3:])
                for arm in (before, after)
            ),
            ["top", "below"],
        )
        np.testing.assert_allclose(
            numbers_of(found),
            numbers_of_tea_tasting(expected),
            rtol=1e-9,
        )


def test_variance_is_that_of_the_linearised_users():
    rows = users(500, np.random.default_rng(41))
    top, below = rows.T
    ratio = top.mean() / below.mean()
    linear = (top - ratio * below) / below.mean()
    found = ratio_sample(arm_of(rows)).sample
    assert found.mean == pytest.approx(ratio, rel=1e-12)
    assert found.variance == pytest.approx(linear.var(ddof=1), rel=1e-9)


def test_error_is_that_of_rows_clustered_by_user():
    """Regression of session lengths with users as clusters (statsmodels)."""
    generator = np.random.default_rng(42)
    owners = np.repeat(np.arange(300), 1 + generator.poisson(3, 300))
    lengths = generator.gamma(2, 3, 300)[owners] + generator.normal(
        0, 1, len(owners)
    )
    fit = sm.OLS(lengths, np.ones(len(lengths))).fit(
        cov_type="cluster",
        cov_kwds={"groups": owners, "use_correction": False},
    )
    rows = np.column_stack([np.bincount(owners, lengths), np.bincount(owners)])
    found = ratio_sample(arm_of(rows)).sample
    assert found.mean == pytest.approx(fit.params[0], rel=1e-12)
    # The sandwich divides by the users, the variance by one less.
    error = np.sqrt(found.variance / 300 * 299 / 300)
    assert error == pytest.approx(fit.bse[0], rel=1e-9)


def test_denominator_of_one_leaves_the_plain_mean():
    found = ratio_sample(RatioArm(50, 3.0, 4.0, 1.0, 0.0, 0.0)).sample
    assert tuple(map(float, found)) == (50, 3, 4)


def test_p_value_reaches_1e_300():
    arms = [RatioArm(10**7, m, 1.0, 1.0, 0.0, 0.0) for m in (0.0, 0.016546904)]
    assert 1e-300 < ratio_effect(*arms).absolute.p_value < 1e-295


def test_arms_units_and_signs_are_symmetric():
    generator = np.random.default_rng(43)
    control, treatment = (random_arm(300, generator) for _ in range(2))
    found = ratio_effect(control, treatment)
    swapped = ratio_effect(treatment, control)
    np.testing.assert_allclose(
        found.absolute.ci_low, -swapped.absolute.ci_high, rtol=1e-9
    )
    np.testing.assert_allclose(
        found.absolute.p_value, swapped.absolute.p_value, rtol=1e-9
    )
    changed = ratio_effect(
        *(scaled(arm, 60.0, 1e3) for arm in (control, treatment))
    )
    np.testing.assert_allclose(
        changed.absolute.ci_low, 0.06 * found.absolute.ci_low, rtol=1e-9
    )
    np.testing.assert_allclose(
        changed.relative.ci_low, found.relative.ci_low, rtol=1e-9
    )
    mirrored = ratio_effect(
        *(scaled(arm, -1.0, 1.0) for arm in (control, treatment))
    )
    np.testing.assert_allclose(
        mirrored.absolute.estimate, -found.absolute.estimate
    )
    np.testing.assert_allclose(
        mirrored.relative.ci_low, -found.relative.ci_high
    )


def test_three_arms_share_their_control():
    generator = np.random.default_rng(44)
    control = random_arm(1, generator)
    treatments = random_arm(2, generator)
    found = ratio_effect(control, treatments)
    assert found.absolute.p_value.shape == (2,)
    alone = ratio_effect(control, RatioArm(*(x[1:] for x in treatments)))
    assert found.absolute.p_value[1] == pytest.approx(
        alone.absolute.p_value[0], rel=1e-12
    )


def test_a_denominator_that_is_not_positive_has_its_reason():
    control = RatioArm(9, 1.0, 1.0, [2.0, 0.0, 2.0, 2.0], 1.0, 0.5)
    treatment = RatioArm(
        [9, 9, 9, 0], 1.0, 1.0, [2.0, 2.0, -1.0, np.nan], 1.0, 0.5
    )
    found = ratio_effect(control, treatment)
    assert found.reason.tolist() == [
        "",
        "denominator_not_positive",
        "denominator_not_positive",
        "empty_arm",
    ]
    is_missing = [False, True, True, True]
    assert np.isnan(found.absolute.estimate).tolist() == is_missing
    assert np.isnan(found.relative.estimate).tolist() == is_missing


def test_a_ratio_alike_for_all_users_has_no_variance():
    rows = np.random.default_rng(45).poisson(5, 200) + 1.0
    arm = arm_of(np.column_stack([0.1 * rows, rows]))
    assert ratio_sample(arm).sample.variance == 0
    assert ratio_effect(arm, arm).reason == "zero_variance"


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        (RatioArm(9, 1.0, -1.0, 2.0, 1.0, 0.5), "variances must not be negat"),
        (RatioArm(9, 1.0, 1.0, 2.0, -1.0, 0.5), "variances must not be negat"),
        (RatioArm(9, 1.0, 1.0, 2.0, 1.0, 1.5), "covariances must not exceed"),
    ],
)
def test_refuses_impossible_arms(arm, message):
    with pytest.raises(ValueError, match=message):
        ratio_sample(arm)


@pytest.mark.slow
def test_covers_and_rejects_at_the_nominal_rate():
    generator = np.random.default_rng(46)
    draws, units = 4_000, 400
    rows = users(2 * draws * units, generator).reshape(2, draws, units, 2)
    means = rows.mean(axis=2)
    centred = rows - means[:, :, None]
    squares = np.einsum("adui,aduj->adij", centred, centred) / (units - 1)
    arms = [
        RatioArm(
            units,
            means[arm, :, 0],
            squares[arm, :, 0, 0],
            means[arm, :, 1],
            squares[arm, :, 1, 1],
            squares[arm, :, 0, 1],
        )
        for arm in (0, 1)
    ]
    found = ratio_effect(*arms)
    assert 0.04 <= (found.absolute.p_value < 0.05).mean() <= 0.06
    covered = (found.relative.ci_low <= 0) & (found.relative.ci_high >= 0)
    assert 0.94 <= covered.mean() <= 0.96
    samples = [ratio_sample(arm).sample for arm in arms]
    expected = welch_difference(*samples)
    np.testing.assert_array_equal(found.absolute.p_value, expected.p_value)
