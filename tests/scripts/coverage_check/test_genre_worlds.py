"""Planted worlds: what exploring does is found, and nothing where it is none.

Coverage is judged by the binomial law of the number of worlds, so that a fair
interval fails once in two thousand runs of any line here.
"""

import numpy as np
import pytest
from scipy.stats import binom

from coverage_check.genres import (
    answers,
    coverage_rows,
    holds_ratio,
    holds_zero,
    replicate,
    world,
)

FEW, MANY = 60, 500
USERS = 6_000


def is_nominal(hits, rate=0.95):
    low, high = binom.ppf([0.0005, 0.9995], len(hits), rate)
    return low <= sum(hits) <= high


@pytest.fixture(scope="module")
def without_effect():
    return [answers(world(seed, users=USERS)) for seed in range(FEW)]


def test_intervals_hold_zero_where_exploring_does_nothing(without_effect):
    assert is_nominal([holds_zero(each.headline) for each in without_effect])
    assert is_nominal(
        [holds_ratio(each.headline, 1.0) for each in without_effect]
    )


def test_the_plain_table_finds_an_effect_where_there_is_none(without_effect):
    alarms = [not holds_zero(each.naive) for each in without_effect]
    assert np.mean(alarms) > 0.8
    ratio = np.exp(
        np.mean([np.log(each.naive.ratio) for each in without_effect])
    )
    assert ratio > 1.2


def test_a_planted_ratio_is_recovered():
    found = [
        answers(world(seed, ratio=1.2, users=USERS)) for seed in range(FEW)
    ]
    assert is_nominal([holds_ratio(each.headline, 1.2) for each in found])
    ratio = np.exp(np.mean([np.log(each.headline.ratio) for each in found]))
    spread = np.std([np.log(each.headline.ratio) for each in found])
    assert abs(np.log(ratio / 1.2)) < 3.3 * spread / FEW**0.5


def test_a_window_that_overlaps_the_outcome_cannot_be_adjusted():
    for seed in range(5):
        found = answers(world(seed), "overlapping_genres").headline
        assert found.ratio_ci_low > 1.3


def test_the_same_seed_is_the_same_world():
    assert world(3, users=2_000).equals(world(3, users=2_000))
    assert not world(3, users=2_000).equals(world(4, users=2_000))


def test_coverage_says_how_many_worlds_it_rests_on():
    rows = coverage_rows(2)
    assert len({row["name"] for row in rows}) == len(rows)
    for row in rows:
        assert row["replicates"] == 2
        assert 0 <= row["low"] <= row["found"] <= row["high"] <= 1
    with pytest.raises(ValueError, match="seeds must be at least 1, got 0"):
        coverage_rows(0)


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [1.0, 1.2])
def test_every_estimator_covers_at_the_nominal_rate(ratio):
    found = [replicate(seed, ratio) for seed in range(MANY)]
    for name in ("headline", "regression", "weights"):
        own = [getattr(each, name) for each in found]
        assert is_nominal([holds_ratio(each, ratio) for each in own])
        spread = np.std([each.estimate for each in own])
        error = np.mean([each.standard_error for each in own])
        assert error == pytest.approx(spread, rel=0.1)
    worlds = [world(seed, ratio) for seed in range(MANY)]
    for frame in worlds:
        wide = answers(frame, "overlapping_genres").headline
        assert not holds_ratio(wide, ratio)
    naive = [answers(frame).naive for frame in worlds]
    assert np.mean([holds_ratio(each, ratio) for each in naive]) < 0.2
    if ratio == 1:
        alarms = [each.permutation_p < 0.05 for each in found]
        assert is_nominal(alarms, 0.05)
        assert is_nominal([holds_zero(each.shuffled) for each in found])
