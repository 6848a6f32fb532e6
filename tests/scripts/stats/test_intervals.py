"""Intervals for one rate or mean: published values, oracles, refusals."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from stats.intervals import mean_interval, normal_quantile, wilson_interval


def test_matches_newcombes_single_proportions():
    """Newcombe (1998), Statistics in Medicine 17, 857-872, method 3."""
    published = [
        ((81, 263), (0.2553, 0.3662)),
        ((15, 148), (0.0624, 0.1605)),
        ((0, 20), (0.0000, 0.1611)),
        ((1, 29), (0.0061, 0.1718)),
    ]
    for (successes, trials), expected in published:
        actual = wilson_interval([successes], [trials])[0]
        np.testing.assert_allclose(actual, expected, atol=5e-5)


def test_agrees_with_statsmodels():
    generator = np.random.default_rng(1)
    trials = generator.integers(1, 10**6, 500)
    successes = generator.binomial(trials, generator.random(500))
    for alpha in (0.001, 0.05, 0.2):
        expected = proportion_confint(successes, trials, alpha, "wilson")
        np.testing.assert_allclose(
            wilson_interval(successes, trials, alpha).T,
            expected,
            rtol=1e-9,
            atol=1e-15,
        )


def test_touches_the_end_that_it_counted():
    bounds = wilson_interval([0, 7], [7, 7])
    assert bounds[0, 0] == 0
    assert bounds[1, 1] == 1


def test_interval_mirrors_with_the_outcome():
    bounds = wilson_interval([30], [100])
    mirrored = wilson_interval([70], [100])
    np.testing.assert_allclose(bounds, 1 - mirrored[:, ::-1], rtol=1e-12)


def test_mean_interval_agrees_with_scipy():
    values = np.random.default_rng(2).normal(5, 2, 40)
    expected = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
    actual = mean_interval([40], [values.mean()], [values.var(ddof=1)])[0]
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_mean_without_variance_is_its_own_interval():
    np.testing.assert_array_equal(mean_interval([3], [5.0], [0.0]), [[5, 5]])


@pytest.mark.parametrize(
    ("successes", "trials", "alpha"),
    [(1, 0, 0.05), (3, 2, 0.05), (-1, 2, 0.05), (1, 2, 1.0), (1, 2, 0.0)],
)
def test_refuses_impossible_counts(successes, trials, alpha):
    with pytest.raises(ValueError, match=r"trials|successes|alpha"):
        wilson_interval([successes], [trials], alpha)


def test_refuses_a_mean_of_one_and_a_negative_variance():
    with pytest.raises(ValueError, match="units must be at least 2, got 1"):
        mean_interval([1], [5.0], [1.0])
    with pytest.raises(ValueError, match="variance must not be negative"):
        mean_interval([5], [5.0], [-1.0])


def test_quantile_refuses_an_impossible_level():
    with pytest.raises(ValueError, match="alpha must be in"):
        normal_quantile(1.5)


@pytest.mark.slow
def test_covers_at_the_nominal_rate():
    generator = np.random.default_rng(3)
    rates = generator.uniform(0.02, 0.98, 200_000)
    successes = generator.binomial(200, rates)
    low, high = wilson_interval(successes, np.full(200_000, 200)).T
    coverage = ((low <= rates) & (rates <= high)).mean()
    assert 0.945 <= coverage <= 0.958
