"""Sample ratio: whole, groups and days, against a published value and scipy."""

import numpy as np
import pytest
from scipy import stats

from stats.arms.allocations import (
    first_alarm,
    grouped_p_values,
    share_test,
)


def test_matches_cookie_cats():
    """44,700 against 45,489 passes at 0.001 (and would fail at 0.01)."""
    found = share_test([44_700, 45_489], [0.5, 0.5])
    assert found.p_value == pytest.approx(0.008608, abs=5e-7)
    assert not found.is_alarm


@pytest.mark.parametrize("variants", [2, 3, 7])
def test_agrees_with_scipy(variants):
    generator = np.random.default_rng(variants)
    shares = generator.dirichlet(np.full(variants, 5.0))
    users = generator.multinomial(100_000, shares[::-1])
    found = share_test(users, shares)
    expected = stats.chisquare(users, 100_000 * shares)
    assert found.chi_square == pytest.approx(expected.statistic, rel=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.degrees_of_freedom == variants - 1


def test_exact_shares_raise_no_alarm_and_gross_ones_do():
    assert share_test([100, 900], [0.1, 0.9]).p_value == 1
    assert share_test([40_000, 50_000], [0.5, 0.5]).is_alarm
    assert share_test([0, 900], [0.1, 0.9]).is_alarm


def test_order_of_variants_does_not_matter():
    one = share_test([100, 250, 650], [0.1, 0.3, 0.6])
    other = share_test([650, 100, 250], [0.6, 0.1, 0.3])
    assert one.p_value == pytest.approx(other.p_value)


def test_groups_agree_with_the_test_of_each():
    generator = np.random.default_rng(23)
    shares = [0.2, 0.3, 0.5]
    users = generator.multinomial([40, 900, 70_000], [0.22, 0.28, 0.5])
    found = grouped_p_values(users, shares)
    alone = [share_test(row, shares).p_value for row in users]
    np.testing.assert_allclose(found, np.minimum(3 * np.array(alone), 1))
    assert (found < 0.001).tolist() == [False, False, True]


def test_a_mismatch_can_hide_in_the_whole():
    users = [[5_000, 5_500], [5_500, 5_000], [9_000, 9_050]]
    assert not share_test(np.sum(users, axis=0), [0.5, 0.5]).is_alarm
    found = grouped_p_values(users, [0.5, 0.5])
    assert (found < 0.001).tolist() == [True, True, False]


def test_groups_share_the_level():
    odd = [1_000, 1_160]  # p 0.00058: an alarm alone, none among four
    even = [1_000, 1_000]
    assert grouped_p_values([odd], [0.5, 0.5])[0] < 0.001
    four = grouped_p_values([odd, even, even, even], [0.5, 0.5])
    assert four.min() > 0.001


def test_groups_too_small_are_not_tested_nor_counted():
    found = grouped_p_values([[0, 49], [10, 40], [0, 0]], [0.1, 0.9])
    assert np.isnan(found).tolist() == [True, False, True]
    assert found[1] == share_test([10, 40], [0.1, 0.9]).p_value < 0.05
    assert grouped_p_values(np.zeros((0, 2)), [0.5, 0.5]).size == 0


def test_the_first_alarm_is_that_of_the_sum_so_far():
    for seed in range(20):
        random = np.random.default_rng(seed)
        users = random.multinomial(500, [0.53, 0.47], 20)
        alarms = [
            share_test(so_far, [0.5, 0.5]).is_alarm
            for so_far in users.cumsum(axis=0)
        ]
        assert any(alarms)
        assert first_alarm(users, [0.5, 0.5]) == alarms.index(True) + 1


def test_days_say_when_the_shares_went_off():
    users = np.full((10, 2), 400)
    users[6:, 1] -= 120
    assert first_alarm(users, [0.5, 0.5]) == 9
    assert first_alarm(users[:6], [0.5, 0.5]) == 0


def test_days_with_too_few_users_raise_no_alarm():
    assert first_alarm([[0, 0], [0, 9], [0, 0]], [0.5, 0.5]) == 0
    assert first_alarm([[0, 9], [0, 9]], [0.5, 0.5]) == 2
    assert first_alarm(np.zeros((0, 2)), [0.5, 0.5]) == 0


@pytest.mark.parametrize("test", [grouped_p_values, first_alarm])
@pytest.mark.parametrize(
    ("users", "shares", "message"),
    [
        ([[5, 5]], [0.5, 0.6], "sum to 1"),
        ([[-1, 5]], [0.5, 0.5], "must be counts, got -1"),
        ([[5]], [1.0], "at least two variants"),
        ([5, 5], [0.5, 0.5], "one number per variant"),
        ([[5, 5, 5]], [0.5, 0.5], "one number per variant"),
    ],
)
def test_groups_and_days_refuse_impossible_input(test, users, shares, message):
    with pytest.raises(ValueError, match=message):
        test(users, shares)


@pytest.mark.parametrize(
    ("users", "shares", "message"),
    [
        ([5, 5], [0.5, 0.6], r"sum to 1, got \[0.5, 0.6\]"),
        ([5, 5], [0.0, 1.0], "must be positive"),
        ([0, 0], [0.5, 0.5], "at least one in all"),
        ([-1, 5], [0.5, 0.5], "must be counts"),
        ([5], [1.0], "at least two variants"),
        ([5, 5], [1.0], "one number per variant"),
    ],
)
def test_refuses_impossible_input(users, shares, message):
    with pytest.raises(ValueError, match=message):
        share_test(users, shares)


@pytest.mark.slow
def test_false_alarms_are_one_in_a_thousand():
    users = np.random.default_rng(12).multinomial(9_000, [0.5, 0.5], 20_000)
    alarms = sum(share_test(row, [0.5, 0.5]).is_alarm for row in users)
    assert alarms <= 40
