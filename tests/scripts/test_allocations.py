"""Sample ratio: published value, oracle, any number of variants, refusals."""

import numpy as np
import pytest
from scipy import stats

from inference.allocations import share_test


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
