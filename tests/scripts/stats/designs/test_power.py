"""Planning: published sizes, oracles, round trips, simulation, refusals."""

import numpy as np
import pytest
import tea_tasting as tt
from scipy import stats
from statsmodels.stats.power import (
    TTestIndPower,
    normal_sample_size_one_tail,
)
from tea_tasting.aggr import Aggregates

from stats.designs.boundaries import sequential_inflation, spending_boundaries
from stats.designs.power import (
    Plan,
    detectable_mean_effect,
    detectable_proportion_effect,
    mean_units,
    proportion_units,
)

# Cookie Cats, retention_7 of gate 30, and 5 % more.
UNITS, RATE = 44_700, 8_502 / 44_700
VARIANCE = RATE * (1 - RATE) * UNITS / (UNITS - 1)
RAISED = 1.05 * RATE


def welch_power(effect, variance, control, plan):
    """Power of Welch's test with so many control users, by scipy."""
    n0, n1 = control / plan.inflation * np.array([[1.0], [plan.ratio]])
    parts = variance * plan.variance_ratio / np.array([n0, n1])
    whole = parts.sum(axis=0)
    degrees = whole**2 / (parts**2 / np.array([n0 - 1, n1 - 1])).sum(axis=0)
    critical = stats.t.isf(plan.level / 2, degrees)
    found = stats.nct(degrees, effect / np.sqrt(whole))
    # Far out scipy gives nan: all are above, none below.
    above = np.nan_to_num(found.sf(critical), nan=1.0)
    return above + np.nan_to_num(found.cdf(-critical), nan=0.0)


def test_matches_cookie_cats():
    """Two published answers to one question, per arm."""
    assert mean_units(RAISED - RATE, VARIANCE).control == pytest.approx(
        26_735.3, abs=0.05
    )
    two = proportion_units(RATE, RAISED)
    assert two.control == pytest.approx(27_237.35, abs=5e-3)
    assert two.total == 2 * 27_238


def test_matches_cohens_tables():
    """Cohen (1988), table 2.4.1: users per arm, alpha 0.05, two-sided."""
    published = {
        (0.2, 0.80): 393,
        (0.5, 0.80): 64,
        (0.8, 0.80): 26,
        (0.5, 0.90): 85,
        (0.5, 0.95): 105,
    }
    for (effect, power), expected in published.items():
        found = mean_units(effect, 1.0, Plan(power=power))
        assert found.control == pytest.approx(expected, abs=1)


def test_means_agree_with_statsmodels():
    oracle = TTestIndPower()
    for effect in (0.02, 0.2, 0.5, 1.5):
        for alpha, power in ((0.05, 0.8), (0.01, 0.95)):
            found = mean_units(effect, 1.0, Plan(alpha, power))
            expected = oracle.solve_power(effect, None, alpha, power)
            assert found.control == pytest.approx(expected, rel=1e-6)
    found = detectable_mean_effect(1.0, [5, 64, 3_000])
    expected = [oracle.solve_power(None, n, 0.05, 0.8) for n in (5, 64, 3_000)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("ratio", [0.25, 1.0, 3.0])
def test_means_agree_with_tea_tasting(ratio):
    data = Aggregates(
        count_=1_000,
        mean_={"value": 5.0, "before": 4.0},
        var_={"value": 9.0, "before": 7.0},
        cov_={("before", "value"): 5.0},
    )
    left = 1 - 5.0**2 / (9.0 * 7.0)
    for covariate, variance_ratio in ((None, 1.0), ("before", left)):
        for effect, total in ((0.3, 4_000), (0.8, 300)):
            metric = tt.Mean(
                "value",
                covariate,
                ratio=ratio,
                effect_size=effect,
                n_obs=total,
            )
            expected = metric.solve_power(data, "power")[0].power
            plan = Plan(
                power=expected, ratio=ratio, variance_ratio=variance_ratio
            )
            found = mean_units(effect, 9.0, plan)
            assert found.control == pytest.approx(total / (1 + ratio), rel=1e-6)


@pytest.mark.parametrize("ratio", [0.25, 1.0, 3.0])
def test_proportions_agree_with_statsmodels(ratio):
    for before, after in ((0.2, 0.22), (0.5, 0.4), (0.01, 0.02), (0.9, 0.97)):
        deviation = (before * (1 - before) + after * (1 - after) / ratio) ** 0.5
        for alpha, power in ((0.05, 0.8), (0.01, 0.95)):
            size = proportion_units(before, after, Plan(alpha, power, ratio))
            expected = normal_sample_size_one_tail(
                abs(after - before), power, alpha / 2, deviation
            )
            assert size.control == pytest.approx(expected, rel=1e-9)


def test_needed_users_have_the_power_asked_for():
    generator = np.random.default_rng(19)
    effect = 10 ** generator.uniform(-2, 0.5, 200)
    variance = 10 ** generator.uniform(-1, 1, 200)
    for plan in (Plan(), Plan(0.01, 0.95, 0.1), Plan(ratio=9, inflation=1.1)):
        size = mean_units(effect, variance, plan)
        least = 2 / min(1, plan.ratio) * plan.inflation
        is_free = size.control > least * (1 + 1e-9)
        assert is_free.sum() > 150
        power = welch_power(effect, variance, size.control, plan)
        np.testing.assert_allclose(power[is_free], plan.power, rtol=1e-8)
        assert (power[~is_free] >= plan.power).all()
        found = detectable_mean_effect(variance, size.control, plan)
        np.testing.assert_allclose(found[is_free], effect[is_free], rtol=1e-7)


@pytest.mark.parametrize("is_decrease", [False, True])
def test_detectable_rates_need_the_users_given(is_decrease):
    rates = np.array([0.02, 0.19, 0.5, 0.9])
    plan = Plan(ratio=2, inflation=1.1, variance_ratio=0.8)
    effect = detectable_proportion_effect(
        rates, 5_000, plan, is_decrease=is_decrease
    )
    assert (effect > 0).all()
    sign = -1 if is_decrease else 1
    size = proportion_units(rates, rates + sign * effect, plan)
    np.testing.assert_allclose(size.control, 5_000, rtol=1e-9)


def test_a_rate_that_cannot_move_far_enough_has_no_effect_to_find():
    found = detectable_proportion_effect([0.5, 0.999], 20)
    assert found[0] > 0
    assert np.isnan(found[1])
    assert detectable_proportion_effect(0.999, 20, is_decrease=True) > 0


def test_t_approaches_z_with_many_users():
    few, many = mean_units([1.0, 0.01], 1.0).control
    z_few, z_many = (
        normal_sample_size_one_tail(effect, 0.8, 0.025, 2**0.5)
        for effect in (1.0, 0.01)
    )
    assert few - z_few > 0.9
    assert many == pytest.approx(z_many, rel=1e-4)


def test_arms_of_equal_size_need_the_fewest_users():
    ratios = (0.1, 0.5, 1.0, 2.0, 10.0)
    totals = [mean_units(0.1, 1.0, Plan(ratio=r)).total for r in ratios]
    assert min(totals) == totals[2]
    assert totals[0] == totals[4]
    assert totals[1] == totals[3]


def test_adjustment_saves_and_looks_cost_users():
    plain = mean_units(0.05, 1.0)
    adjusted = mean_units(0.05, 1.0, Plan(variance_ratio=0.7))
    looked = mean_units(0.05, 1.0, Plan(inflation=1.08))
    assert adjusted.control == mean_units(0.05, 0.7).control
    assert adjusted.control == pytest.approx(0.7 * plain.control, rel=1e-3)
    assert looked.control == pytest.approx(1.08 * plain.control)
    assert looked.total == 2 * np.ceil(looked.control)


def test_bonferroni_divides_alpha():
    shared = mean_units(0.1, 1.0, Plan(0.06, primary_metrics=3))
    assert shared.control == mean_units(0.1, 1.0, Plan(0.02)).control


def test_unit_and_direction_do_not_matter():
    found = mean_units(0.1, 1.0).control
    assert mean_units(-6.0, 3600.0).control == pytest.approx(found)
    assert proportion_units(0.2, 0.3).control == pytest.approx(
        proportion_units(0.8, 0.7).control
    )


def test_the_largest_effects_need_the_fewest_users():
    assert (mean_units([50.0, 1e6], 1.0).total == 4).all()
    assert detectable_mean_effect(1.0, 2, Plan(1e-6, 0.999)) > 0


def test_simulated_power_is_as_planned():
    """Rates, by the pooled z-test that the readout uses."""
    generator = np.random.default_rng(21)
    units = int(np.ceil(proportion_units(0.2, 0.23).control))
    x0, x1 = (generator.binomial(units, p, 20_000) for p in (0.2, 0.23))
    pooled = (x0 + x1) / (2 * units)
    error = np.sqrt(pooled * (1 - pooled) * 2 / units)
    z = (x1 - x0) / units / error
    rejected = (np.abs(z) > stats.norm.isf(0.025)).mean()
    assert rejected == pytest.approx(0.8, abs=0.01)


def test_simulated_power_with_daily_looks_is_as_planned():
    """Fourteen days, users and inflation from the plan, a skewed metric."""
    generator = np.random.default_rng(22)
    information = np.arange(1, 15) / 14
    plan = Plan(inflation=sequential_inflation(information))
    # Exponential, so of variance 1; the sums of n users are gamma(n).
    daily = np.ceil(mean_units(0.1, 1.0, plan).control / 14)
    users = daily * np.arange(1, 15)
    sums = generator.gamma(daily, 1, (2, 4_000, 14)).cumsum(axis=-1)
    means = sums / users + np.array([0.0, 0.1])[:, np.newaxis, np.newaxis]
    z = (means[1] - means[0]) / np.sqrt(2 / users)
    crossed = z > spending_boundaries(information).quantile
    assert crossed.any(axis=1).mean() == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (Plan(alpha=0.0), "alpha must be in"),
        (Plan(power=0.05), "power must be in"),
        (Plan(power=1.0), "power must be in"),
        (Plan(ratio=0.0), "ratio must be positive, got 0"),
        (Plan(variance_ratio=0.0), "variance_ratio must be positive, got 0"),
        (Plan(primary_metrics=0), "primary_metrics must be at least 1, got 0"),
        (Plan(inflation=0.9), "inflation must be at least 1, got 0.9"),
    ],
)
def test_refuses_impossible_plans(plan, message):
    for call in (
        lambda: mean_units(0.1, 1.0, plan),
        lambda: detectable_mean_effect(1.0, 50, plan),
        lambda: proportion_units(0.1, 0.2, plan),
        lambda: detectable_proportion_effect(0.1, 50, plan),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_units(0.0, 1.0), "effect must be finite and not 0"),
        (lambda: mean_units(np.nan, 1.0), "effect must be finite"),
        (lambda: mean_units(0.1, 0.0), "variance must be positive"),
        (lambda: detectable_mean_effect(1.0, 1), "at least 2 users, got 1"),
        (
            lambda: detectable_mean_effect(1.0, 3, Plan(ratio=0.5)),
            "at least 2 users",
        ),
        (lambda: proportion_units(0.2, 0.2), "effect must be finite and not 0"),
        (lambda: proportion_units(0.0, 0.2), "control_rate must be in"),
        (lambda: proportion_units(0.1, 1.0), "treatment_rate must be in"),
        (
            lambda: detectable_proportion_effect(1.2, 50),
            "control_rate must be in",
        ),
    ],
)
def test_refuses_impossible_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
