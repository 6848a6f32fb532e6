"""Effects by day: regressions on rows as oracles, simulation, refusals."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from stats.arms.novelty import DailyArm, novelty


def arm(rows):
    """One arm from rows of users, a column per day."""
    return DailyArm(
        np.full(rows.shape[1], len(rows)),
        rows.mean(axis=0),
        np.cov(rows, rowvar=False),
    )


def draw(generator, users, effects, correlation=0.5):
    """Two arms of users whose days share what is their own."""
    arms = []
    for shift in (0.0, np.asarray(effects)):
        own = generator.gamma(2, 1, (users, 1)) * np.sqrt(correlation / 2)
        noise = generator.normal(size=(users, len(effects)))
        arms.append(own + np.sqrt(1 - correlation) * noise + shift)
    return arms


def simple(effects, users=100, correlation=0.5):
    """Arms whose moments are given, not drawn."""
    days = len(effects)
    covariance = np.full((days, days), correlation)
    np.fill_diagonal(covariance, 1.0)
    units = np.full(days, users)
    return (
        DailyArm(units, np.ones(days), covariance),
        DailyArm(units, 1 + np.asarray(effects), covariance),
    )


def test_agrees_with_a_regression_clustered_by_user():
    """Saturated least squares on user-days: effects and all errors."""
    users, days = 60, 6
    control, treatment = draw(
        np.random.default_rng(25), users, np.linspace(0.5, 0.1, days)
    )
    values = np.concatenate([control, treatment]).ravel()
    day = np.tile(np.eye(days), (2 * users, 1))
    treated = np.repeat([0.0, 1.0], users * days)[:, np.newaxis]
    fitted = sm.OLS(values, np.hstack([day, day * treated])).fit(
        cov_type="cluster",
        cov_kwds={
            "groups": np.repeat(np.arange(2 * users), days),
            "use_correction": False,
        },
    )
    found = novelty(arm(control), arm(treatment))
    np.testing.assert_allclose(found.effect, fitted.params[days:], rtol=1e-9)
    # The sandwich has the divisor n, a sample covariance n - 1.
    sandwich = fitted.cov_params()[days:, days:] * users / (users - 1)
    np.testing.assert_allclose(
        found.standard_error, np.sqrt(np.diag(sandwich)), rtol=1e-9
    )
    for last in range(days):
        sums = sandwich[: last + 1, : last + 1].sum()
        assert found.cumulative_error[last] == pytest.approx(sums**0.5)
    np.testing.assert_allclose(found.cumulative_effect, found.effect.cumsum())
    contrast = np.array([-1, -1, -1, 1, 1, 1]) / 3
    assert found.contrast.estimate == pytest.approx(contrast @ found.effect)
    assert found.contrast.standard_error == pytest.approx(
        (contrast @ sandwich @ contrast) ** 0.5
    )


def test_trend_agrees_with_generalised_least_squares():
    generator = np.random.default_rng(26)
    numbers = np.array([0, 1, 2, 4, 7, 13])
    control, treatment = (
        rows * np.array([1, 2, 1, 5, 1, 3])
        for rows in draw(generator, 300, np.linspace(0.5, 0.1, 6))
    )
    found = novelty(arm(control), arm(treatment), numbers)
    covariance = (
        np.cov(control, rowvar=False) + np.cov(treatment, rowvar=False)
    ) / 300
    fitted = sm.GLS(found.effect, sm.add_constant(numbers), covariance).fit(
        cov_type="fixed scale"
    )
    trend = found.trend
    assert trend.estimate == pytest.approx(fitted.params[1], rel=1e-9)
    # Rao (1967): the covariance is an estimate with 598 degrees of freedom,
    # four of which go into the days that a line leaves over.
    error = fitted.bse[1] * np.sqrt(598 / 594 * 597 / 593)
    assert trend.standard_error == pytest.approx(error, rel=1e-9)
    expected = stats.t(594, trend.estimate, error)
    np.testing.assert_allclose(
        (trend.ci_low, trend.ci_high), expected.interval(0.95), rtol=1e-9
    )
    t = abs(trend.estimate) / error
    assert trend.p_value == pytest.approx(2 * stats.t.sf(t, 594), rel=1e-9)


def test_day_p_values_are_those_of_a_z_test():
    found = novelty(*simple([0.4, 0.1, 0.0]))
    expected = 2 * stats.norm.sf(found.effect / np.sqrt(0.02))
    np.testing.assert_allclose(found.p_value, expected, rtol=1e-9)


def test_days_of_fewer_users_share_these_users():
    """Two halves by hand: one seen for two days, the other for one."""
    generator = np.random.default_rng(27)
    draws, errors = 4_000, []
    rows = generator.normal(size=(draws, 40, 1)) + generator.normal(
        size=(draws, 40, 2)
    )
    means = np.stack([rows[..., 0].mean(axis=1), rows[:, :20, 1].mean(axis=1)])
    expected = np.cov(means)
    one = DailyArm([40, 20], [0.0, 0.0], [[2.0, 1.0], [1.0, 2.0]])
    none = DailyArm([40, 20], [0.0, 0.0], np.zeros((2, 2)))
    found = novelty(none, one)
    errors = [found.standard_error[0], found.cumulative_error[1]]
    np.testing.assert_allclose(
        np.square(errors), [expected[0, 0], expected.sum()], rtol=0.1
    )
    assert found.cumulative_error[1] ** 2 == pytest.approx(
        2 / 40 + 2 / 20 + 2 * 1 / 40
    )


def test_wearing_off_is_negative_and_learning_positive():
    falling = novelty(*simple([0.4, 0.3, 0.2, 0.1]))
    rising = novelty(*simple([0.1, 0.2, 0.3, 0.4]))
    assert falling.trend.estimate == pytest.approx(-0.1)
    assert falling.contrast.estimate == pytest.approx(-0.2)
    for one, other in (
        (falling.trend, rising.trend),
        (falling.contrast, rising.contrast),
    ):
        assert one.estimate == pytest.approx(-other.estimate)
        assert one.ci_low == pytest.approx(-other.ci_high)
        assert one.p_value == pytest.approx(other.p_value)


def test_unit_and_first_day_do_not_matter():
    control, treatment = simple([0.4, 0.3, 0.25, 0.1])
    found = novelty(control, treatment)
    moved = novelty(
        *(DailyArm(n, 60 * m, 3600 * v) for n, m, v in (control, treatment)),
        np.arange(4) + 30,
    )
    assert moved.trend.estimate == pytest.approx(60 * found.trend.estimate)
    assert moved.trend.p_value == pytest.approx(found.trend.p_value)
    assert moved.contrast.p_value == pytest.approx(found.contrast.p_value)


def test_swapped_arms_change_the_sign_only():
    control, treatment = simple([0.4, 0.3, 0.25, 0.1])
    found, swapped = novelty(control, treatment), novelty(treatment, control)
    np.testing.assert_allclose(found.effect, -swapped.effect)
    assert found.trend.p_value == pytest.approx(swapped.trend.p_value)


def test_lasting_effect_has_no_trend_however_large():
    found = novelty(*simple([3.0] * 14))
    assert found.trend.estimate == pytest.approx(0, abs=1e-12)
    assert found.trend.p_value == pytest.approx(1)
    assert found.contrast.p_value == pytest.approx(1)
    assert (found.p_value < 1e-50).all()


def test_contrast_compares_weeks_where_there_are_two():
    def contrast(days, **window):
        # Effects of 1, 2, 4, ...: no two choices of days have one contrast.
        return novelty(*simple(2.0 ** np.arange(days)), **window).contrast

    def weeks(days, width):
        effects = 2.0 ** np.arange(days)
        return effects[-width:].mean() - effects[:width].mean()

    assert contrast(16).estimate == pytest.approx(weeks(16, 7))
    assert contrast(5).estimate == pytest.approx(weeks(5, 2))
    found = contrast(9, window_days=3)
    assert found.estimate == pytest.approx(weeks(9, 3))


def test_degenerate_days_are_left_out_with_a_reason():
    control, treatment = simple([0.4, 0.3, 0.2, 0.1, 0.0, 0.0, 0.0])
    units = np.array([100, 100, 100, 100, 100, 100, 1])
    covariance = np.array(control.covariance)
    covariance[1] = covariance[:, 1] = 0  # nobody ever does anything
    covariance[3] = covariance[:, 3] = covariance[0]  # a copy of day 0
    covariance[3, 3] = covariance[0, 0]
    covariance[4] = covariance[:, 4] = np.nan
    control, treatment = (
        DailyArm(units, one.mean, covariance) for one in (control, treatment)
    )
    found = novelty(control, treatment)
    assert found.reasons == (
        "",
        "zero_variance",
        "",
        "no_own_variance",
        "not_finite",
        "",
        "too_few_units",
    )
    keep = np.array([0, 2, 5])
    usable = novelty(
        *(
            DailyArm(
                one.units[keep],
                one.mean[keep],
                one.covariance[np.ix_(keep, keep)],
            )
            for one in (control, treatment)
        ),
        keep,
    )
    assert found.trend == usable.trend
    assert found.contrast == usable.contrast
    # Known without any error on day 1; unknown from day 4 on.
    assert np.isnan(found.p_value[1])
    assert found.cumulative_effect[3] == pytest.approx(1.0)
    assert np.isnan(found.cumulative_error).tolist() == 4 * [False] + 3 * [True]
    assert np.isnan(found.effect[6])


def test_too_few_days_have_no_test():
    pair = novelty(*simple([0.4, 0.1]))
    assert np.isnan(pair.trend).all()
    assert pair.contrast.estimate == pytest.approx(-0.3)
    crowded = novelty(*simple([0.4] * 28, users=14))
    assert np.isnan(crowded.trend).all()
    assert not np.isnan(crowded.contrast).any()
    one = novelty(*simple([0.4]))
    assert np.isnan(one.contrast).all()
    assert one.cumulative_effect == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"units": [9, 9]}, "control needs one number"),
        ({"mean": [1.0]}, "control needs one number"),
        ({"units": [9, 9, 10]}, "control users must not become more"),
        ({"covariance": np.eye(2)}, "control covariance must have one row"),
        ({"covariance": np.triu(np.ones((3, 3)))}, "must be symmetric"),
        ({"covariance": -np.eye(3)}, "variance must not be negative"),
    ],
)
def test_refuses_impossible_arms(change, message):
    control, treatment = simple([0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match=message):
        novelty(control._replace(**change), treatment)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"day_numbers": [0, 0, 1]}, "day_numbers must rise"),
        ({"day_numbers": [0, 1]}, "day_numbers must rise"),
        ({"window_days": 0}, "window_days must be at least 1, got 0"),
        ({"alpha": 0.0}, "alpha must be in"),
    ],
)
def test_refuses_impossible_questions(arguments, message):
    with pytest.raises(ValueError, match=message):
        novelty(*simple([0.1, 0.2, 0.3]), **arguments)


def test_refuses_arms_of_different_days():
    with pytest.raises(ValueError, match="the same days"):
        novelty(simple([0.1, 0.2])[0], simple([0.1, 0.2, 0.3])[1])


@pytest.mark.parametrize(("users", "days"), [(40, 10), (400, 10), (100, 28)])
def test_false_alarms_are_as_many_as_alpha(users, days):
    """Also with few users to a day, where the covariance is rough."""
    generator = np.random.default_rng(28)
    calm = [
        novelty(*map(arm, draw(generator, users, np.full(days, 0.3), 0.7)))
        for _ in range(800)
    ]
    for change in ("trend", "contrast"):
        alarms = np.mean([getattr(one, change).p_value < 0.05 for one in calm])
        assert 0.03 < alarms < 0.075


def test_decay_is_found():
    generator = np.random.default_rng(29)
    decay = np.linspace(0.3, 0.1, 10)
    found = [
        novelty(*map(arm, draw(generator, 200, decay, 0.7))).trend
        for _ in range(300)
    ]
    assert np.mean([one.p_value < 0.05 for one in found]) > 0.8
    covered = [one.ci_low < -0.2 / 9 < one.ci_high for one in found]
    assert 0.91 < np.mean(covered) < 0.98
