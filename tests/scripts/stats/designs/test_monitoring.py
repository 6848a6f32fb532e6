"""Running tests: published sequences, equation 9, simulation, refusals."""

import numpy as np
import pytest
from scipy import stats

from stats.arms.comparisons import Sample, welch_difference
from stats.arms.ratios import relative_difference
from stats.designs.boundaries import spending_boundaries
from stats.designs.monitoring import (
    monitored,
    sequence_quantile,
)


def tau_square(planned_units, alpha):
    """Waudby-Smith et al., as printed: the tightest mixture of effects."""
    return (-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1)) / planned_units


def mixture_p_value(statistic, units, planned_units, alpha=0.05):
    """One over the likelihood ratio of a normal mixture of effects to none."""
    spread = units * tau_square(planned_units, alpha)
    ratio = np.exp(statistic**2 / 2 * spread / (1 + spread))
    return np.minimum(np.sqrt(1 + spread) / ratio, 1)


def equation_9(units, planned_units, alpha):
    """Waudby-Smith et al., as printed, for observations of variance 1."""
    square = tau_square(planned_units, alpha)
    return np.sqrt(
        2
        * (units * square + 1)
        / (units**2 * square)
        * np.log(np.sqrt(units * square + 1) / alpha)
    )


def test_matches_growthbook():
    """GrowthBook's own test: 3,000 and 3,461 users, tuned to 1,000."""
    found = monitored([0.50336], [0.33341], sequence_quantile([6_461], 1_000))
    np.testing.assert_allclose(found.ci_low, -0.55844, atol=2e-5)
    np.testing.assert_allclose(found.ci_high, 1.56516, atol=2e-5)
    assert not found.is_crossed.any()


def test_matches_cookie_cats():
    """Retention_7, tuned to 10,000: p 0.0612, never below 0.05."""
    arms = [
        Sample(n, x / n, x / n * (1 - x / n) * n / (n - 1))
        for x, n in ((8_502, 44_700), (8_279, 45_489))
    ]
    compared = welch_difference(*arms)
    p_value = mixture_p_value(compared.statistic, 90_189, 10_000)
    assert p_value == pytest.approx(0.0612, abs=5e-5)
    assert abs(compared.statistic) < sequence_quantile(90_189, 10_000)


def test_agrees_with_equation_9():
    units = np.array([10.0, 1e3, 1e5, 1e7])[:, np.newaxis]
    planned = np.array([100.0, 5e3, 1e6])
    for alpha in (0.001, 0.05, 0.2):
        half_width = sequence_quantile(units, planned, alpha) / np.sqrt(units)
        np.testing.assert_allclose(
            half_width, equation_9(units, planned, alpha), rtol=1e-12
        )


def test_sequence_is_tightest_at_the_plan():
    # At alpha 0.05 the planned number is within one percent of the optimum.
    units = np.linspace(1_000, 40_000, 400)
    here = sequence_quantile(20_000, 20_000) / np.sqrt(20_000)
    for planned in units:
        other = sequence_quantile(20_000, planned) / np.sqrt(20_000)
        assert here <= 1.001 * other


def test_p_value_reaches_alpha_with_the_quantile():
    units = np.array([50, 5_000, 500_000])
    for alpha in (0.001, 0.05, 0.2):
        quantile = sequence_quantile(units, 5_000, alpha)
        for sign in (-1, 1):
            np.testing.assert_allclose(
                mixture_p_value(sign * quantile, units, 5_000, alpha),
                alpha,
                rtol=1e-12,
            )


def test_intervals_and_crossings_follow_the_quantile():
    found = monitored(
        [[0.5, 0.6, 0.7], [-0.1, -2.0, 0.0]],
        [0.4, 0.3, 0.2],
        [np.inf, 2.5, 2.0],
    )
    assert found.is_crossed.tolist() == [
        [False, False, True],
        [False, True, False],
    ]
    excludes = (found.ci_low > 0) | (found.ci_high < 0)
    assert (found.is_crossed == excludes).all()
    assert np.isinf(found.ci_high[:, 0]).all()


def test_verdict_mirrors_and_ignores_the_unit():
    estimate, error = np.array([0.5, 0.6, 0.7]), np.array([0.4, 0.2, 0.2])
    quantile = spending_boundaries([0.3, 0.6, 1.0]).quantile
    found = monitored(estimate, error, quantile)
    mirrored = monitored(-60 * estimate, 60 * error, quantile)
    np.testing.assert_allclose(-60 * found.ci_low, mirrored.ci_high)
    assert found.is_crossed.tolist() == [False, True, True]
    assert (mirrored.is_crossed == found.is_crossed).all()


def test_relative_verdict_follows_through_fieller():
    generator = np.random.default_rng(16)
    control = Sample(5_000, generator.normal(5, 0.1, 2_000), 9.0)
    treatment = Sample(5_000, generator.normal(5.2, 0.1, 2_000), 9.0)
    quantile = sequence_quantile(10_000, 20_000)
    absolute = welch_difference(control, treatment)
    found = monitored(
        absolute.estimate[:, np.newaxis],
        absolute.standard_error,
        quantile,
    )
    relative = relative_difference(control, treatment, quantile)
    excludes = (relative.ci_low > 0) | (relative.ci_high < 0)
    assert (excludes == found.is_crossed[:, 0]).all()
    assert 0 < excludes.sum() < 2_000


def test_a_hundred_looks_stay_below_alpha():
    """Users with a skewed outcome, from the hundredth on."""
    generator = np.random.default_rng(17)
    tests, looks, step = 4_000, 100, 100
    users = step * np.arange(1, looks + 1)
    # Of each hundred users and arm, how many have the outcome.
    counts = generator.binomial(step, 0.1, (2, tests, looks)).cumsum(axis=-1)
    rates = counts / users
    error = np.sqrt((rates * (1 - rates)).sum(axis=0) / users)
    estimate = rates[1] - rates[0]
    quantile = sequence_quantile(2 * users, 2 * users[-1])
    crossed = monitored(estimate, error, quantile).is_crossed.any(axis=1)
    assert 0.002 < crossed.mean() < 0.05
    fixed = monitored(estimate, error, stats.norm.isf(0.025))
    assert fixed.is_crossed.any(axis=1).mean() > 0.25
    p_value = mixture_p_value(estimate / error, 2 * users, 2 * users[-1])
    assert ((p_value.min(axis=1) < 0.05) == crossed).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.5, 0.1, 2.0), "one number per look"),
        (([], [], []), "one number per look"),
        (([np.nan], [0.1], [2.0]), "estimate must be finite"),
        (([0.5], [0.0], [2.0]), "standard_error must be positive and finite"),
        (([0.5], [0.1], [0.0]), "quantile must be positive"),
    ],
)
def test_refuses_impossible_looks(arguments, message):
    with pytest.raises(ValueError, match=message):
        monitored(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, 1_000), "units must be at least 4, got 3"),
        ((100, 0), "planned_units must be at least 4, got 0"),
        ((100, 1_000, 0.0), "alpha must be in"),
    ],
)
def test_refuses_impossible_sequences(arguments, message):
    with pytest.raises(ValueError, match=message):
        sequence_quantile(*arguments)
