"""Quantiles from values by rank: rows, oracles, coarser grids, refusals."""

import numpy as np
import pytest
from arms import first_ranks, row
from scipy import stats

from stats.arms.quantiles import (
    Grid,
    outer_ranks,
    quantile_effect,
    quantile_estimate,
)

Z = stats.norm.ppf(0.975)
PERMILLES = np.array([1, 5, *range(10, 1000, 10), 995, 999])


def grid_of(rows, quantile):
    """The three values that a quantile needs, as a database would give."""
    ordered = np.sort(rows)
    ranks = np.clip(np.stack(outer_ranks(len(rows), quantile)), 1, len(rows))
    return Grid(len(rows), ranks, ordered[ranks - 1])


def coarse_grid_of(rows, permilles=PERMILLES):
    ordered = np.sort(rows)
    ranks = first_ranks(len(rows), permilles)
    return Grid(len(rows), ranks, ordered[ranks - 1])


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9, 0.99])
def test_error_is_that_of_the_outer_interval(quantile):
    """Deng, Knoblich, Lu (2018): L, U = n (q -+ z sqrt(q (1 - q) / n))."""
    generator = np.random.default_rng(120)
    for units in (500, 5_000, 90_001):
        rows = np.sort(generator.lognormal(3, 1, units))
        reach = Z * np.sqrt(quantile * (1 - quantile) / units)
        low = rows[int(np.floor(units * (quantile - reach))) - 1]
        high = rows[int(np.ceil(units * (quantile + reach))) - 1]
        found = quantile_estimate(grid_of(rows, quantile), quantile)
        assert found.standard_error == pytest.approx(
            (high - low) / (2 * Z), rel=1e-12
        )
        expected = np.quantile(rows, quantile, method="inverted_cdf")
        assert found.value == expected


def test_effect_is_that_of_two_normal_estimates():
    generator = np.random.default_rng(121)
    before, after = (generator.gamma(2, 10, n) for n in (4_000, 900))
    arms = [grid_of(rows, 0.9) for rows in (before, after)]
    first, second = (quantile_estimate(arm, 0.9) for arm in arms)
    gap = second.value - first.value
    error = np.hypot(first.standard_error, second.standard_error)
    found = quantile_effect(*arms, 0.9, 0.1).absolute
    assert found.estimate == gap
    assert found.standard_error == pytest.approx(error, rel=1e-12)
    assert found.p_value == pytest.approx(
        2 * stats.norm.sf(abs(gap / error)), rel=1e-9
    )
    np.testing.assert_allclose(
        (found.ci_low, found.ci_high),
        stats.norm.interval(0.9, gap, error),
        rtol=1e-9,
    )


def test_ranks_are_those_of_the_binomial_interval():
    """Exact order statistics (scipy) lie within a rank or two of these."""
    for units, quantile in ((200, 0.5), (1_000, 0.9), (20_000, 0.99)):
        found = outer_ranks(units, quantile)
        exact = stats.quantile_test(
            np.arange(1, units + 1), p=quantile
        ).confidence_interval(0.95)
        assert abs(found.low - exact.low) <= 2
        assert abs(found.high - exact.high) <= 2


def test_ranks_are_those_of_the_first_value_reached():
    for units in (*range(1, 60), 1_000, 12_345):
        np.testing.assert_array_equal(
            outer_ranks(units, PERMILLES / 1000).point,
            first_ranks(units, PERMILLES),
        )


def test_a_coarser_grid_is_rescaled():
    """Percentiles alone give the same error where the density is smooth."""
    generator = np.random.default_rng(123)
    rows = generator.normal(100, 10, 200_000)
    for quantile in (0.1, 0.5, 0.9):
        fine = quantile_estimate(grid_of(rows, quantile), quantile)
        coarse = quantile_estimate(coarse_grid_of(rows), quantile)
        assert coarse.value == fine.value
        exact = np.sqrt(quantile * (1 - quantile) / 200_000) / stats.norm.pdf(
            stats.norm.ppf(quantile)
        )
        assert coarse.standard_error == pytest.approx(10 * exact, rel=0.05)
        assert fine.standard_error == pytest.approx(10 * exact, rel=0.15)


def test_a_grid_with_the_outer_ranks_may_hold_others():
    rows = np.random.default_rng(124).gamma(2, 10, 5_000)
    narrow = grid_of(rows, 0.9)
    ranks = np.unique(np.concatenate([narrow.ranks, np.arange(1, 5_001, 7)]))
    wide = Grid(5_000, ranks, np.sort(rows)[ranks - 1])
    np.testing.assert_array_equal(
        quantile_estimate(wide, 0.9), quantile_estimate(narrow, 0.9)
    )


def test_arms_units_and_ranks_from_above_are_symmetric():
    generator = np.random.default_rng(125)
    before, after = (generator.gamma(2, 10, n) for n in (4_000, 900))
    found = quantile_effect(grid_of(before, 0.9), grid_of(after, 0.9), 0.9)
    swapped = quantile_effect(grid_of(after, 0.9), grid_of(before, 0.9), 0.9)
    assert swapped.absolute.ci_low == pytest.approx(-found.absolute.ci_high)
    assert swapped.absolute.p_value == pytest.approx(found.absolute.p_value)
    scaled = quantile_effect(
        grid_of(60 * before, 0.9), grid_of(60 * after, 0.9), 0.9
    )
    assert scaled.absolute.ci_low == pytest.approx(60 * found.absolute.ci_low)
    assert scaled.relative.ci_low == pytest.approx(found.relative.ci_low)
    shifted = quantile_effect(
        grid_of(before + 7, 0.9), grid_of(after + 7, 0.9), 0.9
    )
    assert shifted.absolute.p_value == pytest.approx(found.absolute.p_value)
    # Odd users have one median, whichever side it is counted from.
    odd = generator.gamma(2, 10, 4_001)
    up, down = (quantile_estimate(grid_of(s * odd, 0.5), 0.5) for s in (1, -1))
    assert up.value == -down.value
    # Its ranks are one apart, since a share is reached from below.
    assert up.standard_error == pytest.approx(down.standard_error, rel=0.1)


def test_verdicts_absolute_and_relative_are_one():
    generator = np.random.default_rng(126)
    count = 20_000
    steps = generator.gamma(1, 1, (2, count, 3))
    arms = [
        Grid(1_000, [881, 900, 919], generator.normal(3, 3, (count, 1)) + each)
        for each in steps.cumsum(axis=-1)
    ]
    found = quantile_effect(*arms, 0.9)
    is_bounded = ~np.isnan(found.relative.ci_low)
    rejects = (found.absolute.ci_low > 0) | (found.absolute.ci_high < 0)
    excludes = (found.relative.ci_low > 0) | (found.relative.ci_high < 0)
    assert is_bounded.sum() > 5_000
    assert rejects.sum() > 1_000
    assert (rejects == excludes)[is_bounded].all()


def test_every_row_is_as_if_alone():
    generator = np.random.default_rng(127)
    units = generator.integers(300, 5_000, 200)
    arms = []
    for _ in range(2):
        grids = [coarse_grid_of(generator.gamma(2, 10, int(n))) for n in units]
        arms.append(
            Grid(*(np.stack(part) for part in zip(*grids, strict=True)))
        )
    found = quantile_effect(*arms, 0.9)
    for i in range(200):
        alone = quantile_effect(row(arms[0], i), row(arms[1], i), 0.9)
        np.testing.assert_allclose(
            row(found.absolute, i), alone.absolute, rtol=1e-12
        )
        assert found.reason[i] == alone.reason


def test_p_value_reaches_1e_300():
    arms = [
        Grid(1_000, [881, 900, 919], [at - Z, at, at + Z])
        for at in (0.0, 37.0 * 2**0.5)
    ]
    found = quantile_effect(*arms, 0.9)
    assert 1e-300 < found.absolute.p_value < 1e-298


def test_values_shared_by_all_around_have_no_error():
    tied = Grid(1_000, [881, 900, 919], [7.0, 7.0, 7.0])
    spread = Grid(1_000, [881, 900, 919], [7.0, 8.0, 9.0])
    assert quantile_estimate(tied, 0.9).standard_error == 0
    assert quantile_effect(tied, tied, 0.9).reason == "zero_variance"
    assert quantile_effect(tied, spread, 0.9).reason == ""


def test_a_row_without_a_number_says_why():
    nan = np.nan
    usual = Grid(1_000, [881, 900, 919], [7.0, 8.0, 9.0])
    cases = {
        "": (usual, 0.9),
        "empty_arm": (Grid(0, [1, 1, 1], [nan, nan, nan]), 0.9),
        "too_few_units": (Grid(30, [22, 27, 30], [7.0, 8.0, 9.0]), 0.9),
        "quantile_not_in_grid": (
            Grid(1_000, [881, 901, 919], [7.0, 8.0, 9.0]),
            0.9,
        ),
        "grid_too_narrow": (
            Grid(1_000, [882, 900, 919], [7.0, 8.0, 9.0]),
            0.9,
        ),
    }
    for reason, (grid, quantile) in cases.items():
        found = quantile_effect(usual, grid, quantile)
        assert found.reason == reason
        assert np.isfinite(found.absolute.p_value) == (not reason)
        assert np.isfinite(found.absolute.estimate) == (not reason)
    grids = [grid for grid, _ in cases.values()]
    together = Grid(*(np.stack(part) for part in zip(*grids, strict=True)))
    found = quantile_effect(usual, together, 0.9)
    assert found.reason.tolist() == list(cases)
    zero = quantile_effect(
        Grid(1_000, [881, 900, 919], [-1.0, 0.0, 1.0]), usual, 0.9
    )
    assert zero.reason == "relative_zero_baseline"


def test_a_rare_quantile_needs_users_beyond_it():
    """At 99 %, n must leave z sqrt(0.99 x 0.01 n) ranks above: 381 users."""
    least = Z**2 * 0.99 / 0.01
    assert least == pytest.approx(380.3, abs=0.05)
    assert outer_ranks(380, 0.99).high == 381
    assert outer_ranks(381, 0.99).high == 381


@pytest.mark.parametrize(
    ("grid", "quantile", "message"),
    [
        (Grid(9, [1, 5, 9], [1.0, 2.0, 3.0]), 1.0, r"quantile must be in \(0"),
        (Grid(-1, [1, 5, 9], [1.0, 2.0, 3.0]), 0.5, "units must not be negat"),
        (Grid(9, [1, 5, 10], [1.0, 2.0, 3.0]), 0.5, "ranks must ascend from 1"),
        (Grid(9, [0, 5, 9], [1.0, 2.0, 3.0]), 0.5, "ranks must ascend from 1"),
        (Grid(9, [5, 1, 9], [1.0, 2.0, 3.0]), 0.5, "ranks must ascend from 1"),
        (Grid(9, [1, 5, 9], [1.0, 3.0, 2.0]), 0.5, "values must not descend"),
        (Grid(9, [1, 5, 9], [1.0, np.nan, 2.0]), 0.5, "values must be finite"),
        (Grid(9, [], []), 0.5, "at least one value"),
    ],
)
def test_refuses_impossible_grids(grid, quantile, message):
    with pytest.raises(ValueError, match=message):
        quantile_estimate(grid, quantile)


@pytest.mark.slow
@pytest.mark.parametrize("quantile", [0.5, 0.9])
@pytest.mark.parametrize("kind", ["exact", "coarse"])
def test_covers_at_the_nominal_rate(quantile, kind):
    generator = np.random.default_rng(128)
    draws, units = 2_000, 600
    arms = []
    for factor in (1.0, 1.2):
        rows = np.sort(factor * generator.lognormal(1, 0.8, (draws, units)))
        ranks = (
            np.stack(outer_ranks(units, quantile))
            if kind == "exact"
            else first_ranks(units, PERMILLES)
        )
        arms.append(Grid(units, ranks, rows[:, ranks - 1]))
    found = quantile_effect(*arms, quantile)
    assert (found.reason == "").all()
    true = 0.2 * np.exp(1 + 0.8 * stats.norm.ppf(quantile))
    covered = (found.absolute.ci_low <= true) & (found.absolute.ci_high >= true)
    assert 0.935 <= covered.mean() <= 0.97
    covered = (found.relative.ci_low <= 0.2) & (found.relative.ci_high >= 0.2)
    assert 0.935 <= covered.mean() <= 0.97
