"""Group-sequential boundaries: published tables, integrals, simulation."""

import time

import numpy as np
import pytest
from looks import crossings
from scipy import stats

from stats.designs.boundaries import (
    MINIMUM_STEP,
    sequential_inflation,
    spending_boundaries,
)


def even(looks):
    return np.arange(1, looks + 1) / looks


def level(information, quantile):
    return np.sum(crossings(information, quantile))


def walks(information, count, seed, drift=0.0):
    """Draw z at every look of many tests."""
    times = np.asarray(information)
    steps = np.diff(times, prepend=0)
    noise = np.random.default_rng(seed).normal(size=(count, times.size))
    paths = np.cumsum(noise * np.sqrt(steps) + drift * steps, axis=1)
    return paths / np.sqrt(times)


def test_matches_reboussin_and_others():
    """Reboussin et al. (2000), rho 1: boundaries, drift and exits."""
    found = spending_boundaries(even(5), rho=1)
    np.testing.assert_allclose(
        found.quantile, [2.5758, 2.4919, 2.4108, 2.3391, 2.2754], atol=2e-4
    )
    above, below = crossings(even(5), found.quantile, 3.455209)
    np.testing.assert_allclose(
        above,
        [0.151361, 0.251277, 0.233648, 0.164962, 0.098731],
        atol=2e-5,
    )
    assert below[0] == pytest.approx(1.8858e-5, abs=5e-10)


def test_matches_repeated_significance_tests():
    """Jennison and Turnbull (2000), table 2.1: levels of repeated 1.96."""
    published = {2: 0.083, 3: 0.107, 4: 0.126, 5: 0.142, 10: 0.193, 20: 0.248}
    for looks, expected in published.items():
        assert level(even(looks), [1.96] * looks) == pytest.approx(
            expected, abs=5e-4
        )


def test_matches_pococks_constants():
    """Jennison and Turnbull (2000), table 2.1, alpha 0.05."""
    published = {2: 2.178, 3: 2.289, 4: 2.361, 5: 2.413, 10: 2.555, 20: 2.672}
    for looks, constant in published.items():
        wider, narrower = (
            level(even(looks), [constant + shift] * looks)
            for shift in (-5e-4, 5e-4)
        )
        assert narrower < 0.05 < wider


def test_matches_jennisons_inflation_of_spending_tests():
    """Jennison and Turnbull (2000), chapter 7: power 0.8, alpha 0.05."""
    for (looks, rho), expected in {
        (3, 1): 1.117,
        (10, 2): 1.081,
        (2, 3): 1.010,
    }.items():
        found = sequential_inflation(even(looks), 0.8, 0.05, rho)
        assert found == pytest.approx(expected, abs=5.1e-4)


def test_matches_jennisons_expected_information():
    """The same tables: percent of the fixed test's, at four effects."""
    for (looks, rho), expected in {
        (3, 1): [109.9, 103.4, 81.2, 56.5],
        (10, 2): [106.6, 99.7, 76.2, 51.0],
        (2, 3): [100.7, 98.9, 89.5, 70.7],
    }.items():
        inflation = sequential_inflation(even(looks), rho=rho)
        fixed = stats.norm.isf(0.025) + stats.norm.ppf(0.8)
        quantile = spending_boundaries(even(looks), rho=rho).quantile
        for effect, percent in zip((0, 0.5, 1, 1.5), expected, strict=True):
            drift = effect * fixed * np.sqrt(inflation)
            stops = np.sum(crossings(even(looks), quantile, drift), axis=0)
            stops[-1] = 1 - stops[:-1].sum()
            actual = 100 * inflation * stops @ even(looks)
            assert actual == pytest.approx(percent, abs=0.051)


@pytest.mark.parametrize(
    ("information", "rho"),
    [
        ([0.25, 1.0], 2),
        (even(3), 2),
        (even(5), 2),
        ([0.05, 0.2, 0.25, 0.7, 1.0], 2),
        ([0.3, 0.31, 0.8, 1.0], 1),
        ([0.5, 0.9, 0.901, 1.2], 3),
    ],
)
def test_agrees_with_scipys_normal_integral(information, rho):
    """Within 1e-4 of z, by the slope of the integral in each boundary."""
    found = spending_boundaries(information, rho=rho)
    times = found.information
    smaller, larger = (
        np.minimum.outer(times, times),
        np.maximum.outer(times, times),
    )
    normal = stats.multivariate_normal(
        cov=np.sqrt(smaller / larger),
        maxpts=400_000,
        abseps=1e-8,
        releps=1e-8,
        seed=13,
    )
    for count in range(2, times.size + 1):

        def inside(quantile, count=count):
            bounds = np.append(quantile, np.full(times.size - count, 10.0))
            return normal.cdf(bounds, lower_limit=-bounds)

        at = inside(found.quantile[:count])
        moved = found.quantile[:count] + 0.01 * (np.arange(count) == count - 1)
        slope = (inside(moved) - at) / 0.01
        gap = (at - (1 - found.spent_alpha[count - 1])) / slope
        assert abs(gap) < 1e-4


def test_one_look_is_the_fixed_test():
    for alpha in (0.001, 0.05, 0.2):
        found = spending_boundaries([1.0], alpha)
        assert found.quantile[0] == pytest.approx(stats.norm.isf(alpha / 2))
    assert sequential_inflation([1.0]) == pytest.approx(1)


def test_spends_exactly_what_it_says():
    for information in (even(14), [0.01, 0.3, 0.31, 0.9, 1.3]):
        found = spending_boundaries(information, 0.03)
        above, below = crossings(information, found.quantile)
        np.testing.assert_allclose(
            np.cumsum(above + below), found.spent_alpha, rtol=1e-7
        )
        assert found.spent_alpha[-1] == 0.03


def test_later_looks_leave_earlier_boundaries_as_they_are():
    full = spending_boundaries(even(14))
    for count in range(1, 14):
        np.testing.assert_allclose(
            spending_boundaries(even(14)[:count]).quantile,
            full.quantile[:count],
            rtol=1e-10,
        )


def test_an_unplanned_look_keeps_the_level():
    planned = spending_boundaries(even(5))
    extra = np.insert(even(5), 2, 0.47)
    found = spending_boundaries(extra)
    np.testing.assert_allclose(found.quantile[:2], planned.quantile[:2])
    assert (found.quantile[3:] > planned.quantile[2:]).all()
    assert level(extra, found.quantile) == pytest.approx(0.05, rel=1e-7)


def test_a_look_without_news_leaves_its_alpha_to_the_next():
    little = 0.4 + MINIMUM_STEP / 2
    found = spending_boundaries([0.2, 0.4, little, 0.6])
    assert found.is_tested.tolist() == [True, True, False, True]
    assert np.isinf(found.quantile[2])
    assert found.spent_alpha[2] == found.spent_alpha[1]
    without = spending_boundaries([0.2, 0.4, 0.6])
    assert found.quantile[3] == pytest.approx(without.quantile[2], rel=1e-12)
    creeping = spending_boundaries(0.4 + np.arange(6) * MINIMUM_STEP / 2.5)
    assert np.flatnonzero(creeping.is_tested).tolist() == [0, 3]


def test_the_look_that_reaches_the_plan_spends_the_rest():
    found = spending_boundaries([0.5, 0.9, 1.04, 1.1])
    assert found.is_tested.tolist() == [True, True, True, False]
    assert found.spent_alpha.tolist() == [0.0125, 0.05 * 0.9**2, 0.05, 0.05]
    assert level(found.information, found.quantile) == pytest.approx(0.05)


def test_the_last_look_tests_however_little_came_since():
    near = spending_boundaries([0.3, 1 - 1e-9, 1.0])
    assert near.is_tested.all()
    assert near.spent_alpha[2] == 0.05
    assert 1.9 < near.quantile[2] < 2


def test_more_looks_cost_more():
    costs = [sequential_inflation(even(looks)) for looks in (1, 2, 5, 14, 60)]
    assert (np.diff(costs) > 0).all()
    assert costs[-1] < 1.11


def test_alpha_too_small_to_spend_is_left_to_the_next_look():
    found = spending_boundaries([1e-4, 0.5, 1.0], rho=80)
    assert found.is_tested.tolist() == [False, True, True]
    assert found.quantile[2] == pytest.approx(stats.norm.isf(0.025))


def test_sixty_looks_take_less_than_a_second():
    start = time.perf_counter()
    found = spending_boundaries(even(60))
    assert time.perf_counter() - start < 1
    assert level(even(60), found.quantile) == pytest.approx(0.05, rel=1e-7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5, 0.5],), r"rise from look to look, got \[0.5, 0.5\]"),
        (([0.0, 0.5],), "must be positive"),
        (([0.5, np.nan],), "must be positive"),
        (([],), "one number per look"),
        ((0.5,), "one number per look"),
        (([0.5], 1.0), "alpha must be in"),
        (([0.5], 0.05, 0.0), "rho must be positive, got 0.0"),
    ],
)
def test_refuses_impossible_looks(arguments, message):
    with pytest.raises(ValueError, match=message):
        spending_boundaries(*arguments)


def test_refuses_impossible_plans():
    with pytest.raises(ValueError, match="last information must be 1"):
        sequential_inflation([0.5, 0.9])
    with pytest.raises(ValueError, match="power must be in"):
        sequential_inflation([1.0], 0.05)


def test_fourteen_daily_looks_keep_the_level_that_peeking_loses():
    count = 40_000
    z = np.abs(walks(even(14), count, seed=14))
    held = (z > spending_boundaries(even(14)).quantile).any(axis=1).mean()
    peeked = (z > stats.norm.isf(0.025)).any(axis=1).mean()
    assert held < 0.05 + 3 * np.sqrt(0.05 * 0.95 / count)
    assert 0.20 < peeked < 0.24


def test_power_is_as_planned():
    fixed = stats.norm.isf(0.025) + stats.norm.ppf(0.8)
    for looks, last_alone in ((5, 0.781), (14, 0.765)):
        drift = fixed * np.sqrt(sequential_inflation(even(looks)))
        z = walks(even(looks), 20_000, seed=15, drift=drift)
        crossed = z > spending_boundaries(even(looks)).quantile
        assert crossed.any(axis=1).mean() == pytest.approx(0.8, abs=0.01)
        # Some tests cross before, and are below their boundary at the end.
        assert crossed[:, -1].mean() == pytest.approx(last_alone, abs=0.01)


def test_looks_that_no_users_pay_for_cost_power():
    """Five looks: the last alone keeps 75 % of the fixed test's 80 %."""
    drift = stats.norm.isf(0.025) + stats.norm.ppf(0.8)
    quantile = spending_boundaries(even(5)).quantile
    assert stats.norm.sf(quantile[-1] - drift) >= 0.75
    above, _ = crossings(even(5), quantile, drift)
    assert above.sum() == pytest.approx(0.775, abs=5e-4)


@pytest.mark.parametrize(("looks", "power"), [(2, 0.9), (5, 0.8), (14, 0.8)])
def test_inflated_information_has_the_power_asked_for(looks, power):
    fixed = stats.norm.isf(0.025) + stats.norm.ppf(power)
    drift = fixed * np.sqrt(sequential_inflation(even(looks), power))
    quantile = spending_boundaries(even(looks)).quantile
    above, _ = crossings(even(looks), quantile, drift)
    assert above.sum() == pytest.approx(power, rel=1e-7)
