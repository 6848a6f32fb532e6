"""Durations: by hand, against the sizes of the plan, degenerate days."""

import numpy as np
import pytest

from stats.designs.durations import duration
from stats.designs.power import (
    Plan,
    detectable_mean_effect,
    detectable_proportion_effect,
    mean_units,
    proportion_units,
)

DAYS = np.arange(1, 29)
# Users come ever more slowly; the metric grows, its variance faster.
UNITS = np.round(9_000 * DAYS**0.8)
MEAN, VARIANCE = 2.0 * DAYS**0.5, 30.0 * DAYS**0.6


def test_every_day_has_the_effect_of_its_own_users():
    found = duration(0.05, UNITS, MEAN, VARIANCE)
    np.testing.assert_allclose(
        found.relative_effect,
        detectable_mean_effect(VARIANCE, UNITS / 2) / MEAN,
    )


def test_first_day_is_the_first_with_the_users_needed():
    plan = Plan(power=0.9, ratio=0.5, primary_metrics=2, inflation=1.09)
    found = duration([0.2, 0.1, 0.05], UNITS, MEAN, VARIANCE, plan)
    for wanted, day in zip(
        (0.2, 0.1, 0.05), found.day_number.tolist(), strict=True
    ):
        size = mean_units(wanted * MEAN, VARIANCE, plan)
        enough = 1.5 * size.control <= UNITS
        assert day == (DAYS[enough][0] if enough.any() else 0)
    assert (np.diff(found.day_number[found.day_number > 0]) >= 0).all()


def test_rates_take_their_variance_from_the_mean():
    rates = 0.1 + 0.002 * DAYS
    found = duration(0.05, UNITS, rates, 0.0, is_proportion=True)
    expected = detectable_proportion_effect(rates, UNITS / 2) / rates
    np.testing.assert_allclose(found.relative_effect, expected)
    size = proportion_units(rates, 1.05 * rates)
    enough = 2 * size.control <= UNITS
    assert found.day_number == DAYS[enough][0]


def test_several_metrics_share_the_users():
    found = duration(
        [0.05, 0.1],
        UNITS,
        np.stack([MEAN, 2 * MEAN]),
        np.stack([VARIANCE, VARIANCE]),
    )
    assert found.relative_effect.shape == (2, 28)
    np.testing.assert_allclose(
        found.relative_effect[0], 2 * found.relative_effect[1]
    )
    assert found.day_number[0] > found.day_number[1] > 0


def test_a_longer_test_may_find_less():
    """Variance can grow faster than the users do."""
    found = duration(
        0.1, [20_000, 21_000, 22_000], [1.0, 1.0, 1.0], [10.0, 30.0, 90.0]
    )
    assert (np.diff(found.relative_effect) > 0).all()
    assert found.day_number == 0
    assert duration(0.13, [20_000, 21_000], 1.0, [10.0, 30.0]).day_number == 1


def test_days_without_users_or_variance_are_left_open():
    found = duration(
        0.5,
        [0, 3, 900, 1_000, 1_100],
        [np.nan, 1.0, 0.0, 1.0, -1.0],
        [np.nan, 1.0, 1.0, 0.0, 1.0],
    )
    assert np.isnan(found.relative_effect[:4]).all()
    assert found.relative_effect[4] > 0
    assert found.day_number == 5
    rates = duration(0.5, [900, 1_000], [0.0, 1.0], 0.0, is_proportion=True)
    assert np.isnan(rates.relative_effect).all()
    assert rates.day_number == 0


def test_history_that_is_too_short_tells_no_day():
    assert duration(0.001, UNITS, MEAN, VARIANCE).day_number == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, UNITS, MEAN, VARIANCE), "relative_effect must be positive"),
        ((0.1, UNITS[::-1], MEAN, VARIANCE), "units must be cumulative"),
        ((0.1, -UNITS, MEAN, VARIANCE), "units must be cumulative"),
        ((0.1, UNITS, MEAN, -VARIANCE), "variance must not be negative"),
        ((0.1, 900, 1.0, 1.0), "one number per day"),
        ((0.1, [], [], []), "one number per day"),
        ((0.1, UNITS, MEAN, VARIANCE, Plan(ratio=-1)), "ratio must be"),
    ],
)
def test_refuses_impossible_histories(arguments, message):
    with pytest.raises(ValueError, match=message):
        duration(*arguments)
