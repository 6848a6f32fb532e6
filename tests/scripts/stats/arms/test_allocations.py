"""Sample ratio: whole, groups and days, against a published value and scipy."""

import numpy as np
import pytest
from scipy import stats

from stats.arms.allocations import (
    daily_share_tests,
    grouped_share_tests,
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
    found = grouped_share_tests(users, shares)
    for row, chi_square, p_value in zip(users, *found[:2], strict=True):
        expected = share_test(row, shares)
        assert chi_square == pytest.approx(expected.chi_square)
        assert p_value == pytest.approx(expected.p_value)
    np.testing.assert_allclose(
        found.adjusted_p_value, np.minimum(3 * found.p_value, 1)
    )
    assert found.is_alarm.tolist() == [False, False, True]


def test_a_mismatch_can_hide_in_the_whole():
    users = [[5_000, 5_500], [5_500, 5_000], [9_000, 9_050]]
    assert not share_test(np.sum(users, axis=0), [0.5, 0.5]).is_alarm
    found = grouped_share_tests(users, [0.5, 0.5])
    assert found.is_alarm.tolist() == [True, True, False]


def test_groups_share_the_level():
    odd = [1_000, 1_160]  # p 0.00058: an alarm alone, none among four
    even = [1_000, 1_000]
    assert grouped_share_tests([odd], [0.5, 0.5]).is_alarm.all()
    assert not grouped_share_tests(
        [odd, even, even, even], [0.5, 0.5]
    ).is_alarm.any()


def test_groups_too_small_are_not_tested_nor_counted():
    found = grouped_share_tests([[0, 49], [10, 40], [0, 0]], [0.1, 0.9])
    assert found.is_tested.tolist() == [False, True, False]
    assert np.isnan(found.p_value).tolist() == [True, False, True]
    assert found.adjusted_p_value[1] == found.p_value[1] < 0.05
    assert not found.is_alarm.any()
    none = grouped_share_tests(np.zeros((0, 2)), [0.5, 0.5])
    assert none.p_value.size == 0


def test_days_agree_with_the_tests_of_day_and_sum():
    users = np.random.default_rng(24).multinomial(500, [0.55, 0.45], 20)
    found = daily_share_tests(users, [0.5, 0.5])
    for day in range(20):
        alone = share_test(users[day], [0.5, 0.5])
        whole = share_test(users[: day + 1].sum(axis=0), [0.5, 0.5])
        assert found.p_value[day] == pytest.approx(alone.p_value)
        assert found.cumulative_p_value[day] == pytest.approx(whole.p_value)
    below = np.flatnonzero(found.cumulative_p_value < 0.001)
    assert found.first_alarm == below[0] + 1
    assert found.cumulative_p_value[-1] < found.p_value.min()


def test_days_say_when_the_shares_went_off():
    users = np.full((10, 2), 400)
    users[6:, 1] -= 120
    found = daily_share_tests(users, [0.5, 0.5])
    np.testing.assert_array_equal(found.cumulative_p_value[:6], 1)
    assert found.first_alarm == 9
    assert daily_share_tests(users[:6], [0.5, 0.5]).first_alarm == 0


def test_days_without_users_have_no_test():
    found = daily_share_tests([[0, 0], [4, 5], [3, 2], [0, 0]], [0.5, 0.5])
    assert np.isnan(found.p_value).all()
    assert np.isnan(found.cumulative_p_value).tolist() == [
        True,
        True,
        False,
        False,
    ]
    assert found.cumulative_p_value[2] == found.cumulative_p_value[3] == 1


@pytest.mark.parametrize("test", [grouped_share_tests, daily_share_tests])
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
