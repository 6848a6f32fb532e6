"""Whether the variants received the shares that were planned.

Pure functions: arrays in, arrays out, nothing read or written.
"""

from __future__ import annotations

from math import isclose
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from stats.intervals import Floats

ALARM_P_VALUE = 0.001  # below it, assignment or logging is broken, not unlucky
MINIMUM_EXPECTED = 5  # users per variant, for the chi-square to hold


class ShareTest(NamedTuple):
    """Sample-ratio test of one experiment.

    Attributes
    ----------
    chi_square : float
        Pearson's statistic.
    degrees_of_freedom : int
        Variants minus one.
    p_value : float
        Probability of shares at least this far off under the plan.
    is_alarm : bool
        Whether `p_value` is below `ALARM_P_VALUE`.
    """

    chi_square: float
    degrees_of_freedom: int
    p_value: float
    is_alarm: bool


class GroupedShareTests(NamedTuple):
    """Sample-ratio tests of the groups of one experiment.

    Attributes
    ----------
    chi_square, p_value : ndarray of shape (n_groups,)
        Of each group alone; nan where it is not tested.
    adjusted_p_value : ndarray of shape (n_groups,)
        By Bonferroni over the groups tested.
    is_tested : ndarray of shape (n_groups,), dtype=bool
        False where a variant should have fewer than `MINIMUM_EXPECTED` users.
    is_alarm : ndarray of shape (n_groups,), dtype=bool
        Whether `adjusted_p_value` is below `ALARM_P_VALUE`.
    """

    chi_square: Floats
    p_value: Floats
    adjusted_p_value: Floats
    is_tested: NDArray[np.bool_]
    is_alarm: NDArray[np.bool_]


class DailyShareTests(NamedTuple):
    """Sample-ratio tests of the days of one experiment.

    Attributes
    ----------
    p_value : ndarray of shape (n_days,)
        Of the users assigned on the day; nan where a variant should have
        fewer than `MINIMUM_EXPECTED`.
    cumulative_p_value : ndarray of shape (n_days,)
        Of all users assigned so far; nan likewise.
    first_alarm : int
        First day with a cumulative p-value below `ALARM_P_VALUE`, from 1; 0
        if none.
    """

    p_value: Floats
    cumulative_p_value: Floats
    first_alarm: int


def share_test(users: ArrayLike, shares: ArrayLike) -> ShareTest:
    """Test assigned users against planned shares by Pearson's chi-square.

    Parameters
    ----------
    users : array_like of shape (n_variants,)
        Users assigned to each variant; at least one in all.
    shares : array_like of shape (n_variants,)
        Planned share of each variant; positive, summing to 1.

    Returns
    -------
    ShareTest

    Raises
    ------
    ValueError
        If there are fewer than two variants, nobody is assigned, a count is
        negative, or the shares are not positive or do not sum to 1.

    References
    ----------
    .. [1] A. Fabijan et al. (2019), "Diagnosing sample ratio mismatch in
       online controlled experiments", KDD 2019, 2156-2164.

    Examples
    --------
    >>> found = share_test([44_700, 45_489], [0.5, 0.5])
    >>> round(found.p_value, 6), found.is_alarm
    (0.008608, False)
    """
    observed, planned = _checked(users, shares, dimensions=1)
    if observed.sum() < 1:
        raise ValueError(
            f"users must be counts with at least one in all, got {observed}"
        )

    chi_square = float(_pearson(observed, planned))
    degrees = observed.size - 1
    p_value = float(chdtrc(degrees, chi_square))
    return ShareTest(chi_square, degrees, p_value, p_value < ALARM_P_VALUE)


def grouped_share_tests(
    users: ArrayLike, shares: ArrayLike
) -> GroupedShareTests:
    """Test every group of users, such as each platform, against the plan.

    A mismatch that hits one group only can hide in the whole.

    Parameters
    ----------
    users : array_like of shape (n_groups, n_variants)
        Users assigned to each variant, group by group; all groups that are
        looked at, for they share the level.
    shares : array_like of shape (n_variants,)
        Planned share of each variant, the same in every group; positive,
        summing to 1.

    Returns
    -------
    GroupedShareTests

    Raises
    ------
    ValueError
        If there are fewer than two variants, a count is negative, or the
        shares are not positive or do not sum to 1.

    Examples
    --------
    >>> found = grouped_share_tests([[4_000, 4_100], [900, 1_200]], [0.5, 0.5])
    >>> found.adjusted_p_value.round(4), found.is_alarm
    (array([0.533, 0.   ]), array([False,  True]))
    """
    observed, planned = _checked(users, shares, dimensions=2)
    is_tested = _is_enough(observed, planned)
    chi_square, p_value = _tests(observed, planned, is_tested)
    adjusted = np.minimum(p_value * is_tested.sum(), 1)
    is_alarm = is_tested & (adjusted < ALARM_P_VALUE)
    return GroupedShareTests(chi_square, p_value, adjusted, is_tested, is_alarm)


def daily_share_tests(users: ArrayLike, shares: ArrayLike) -> DailyShareTests:
    """Follow the shares day by day, to see since when they are off.

    The verdict is that of `share_test` on all users: within 28 days, some
    cumulative p-value raises the alarm in about 0.9 % of sound experiments.

    Parameters
    ----------
    users : array_like of shape (n_days, n_variants)
        Users assigned to each variant on each day, in order.
    shares : array_like of shape (n_variants,)
        Planned share of each variant; positive, summing to 1.

    Returns
    -------
    DailyShareTests

    Raises
    ------
    ValueError
        As `grouped_share_tests`.

    Examples
    --------
    >>> days = [[500, 510], [480, 490], [200, 500], [210, 480]]
    >>> found = daily_share_tests(days, [0.5, 0.5])
    >>> found.cumulative_p_value.round(3), found.first_alarm
    (array([0.753, 0.653, 0.   , 0.   ]), 3)
    """
    observed, planned = _checked(users, shares, dimensions=2)
    _, daily = _tests(observed, planned, _is_enough(observed, planned))
    so_far = observed.cumsum(axis=0)
    _, cumulative = _tests(so_far, planned, _is_enough(so_far, planned))
    alarms = np.flatnonzero(cumulative < ALARM_P_VALUE)
    return DailyShareTests(
        daily, cumulative, int(alarms[0]) + 1 if alarms.size else 0
    )


def _checked(
    users: ArrayLike, shares: ArrayLike, dimensions: int
) -> tuple[Floats, Floats]:
    """Return users and shares as arrays, or refuse them."""
    observed, planned = np.asarray(users, float), np.asarray(shares, float)
    if observed.ndim != dimensions or observed.shape[-1:] != planned.shape:
        raise ValueError("users and shares must have one number per variant")
    if planned.size <= 1:
        raise ValueError("a sample ratio needs at least two variants")
    if not (observed >= 0).all():
        raise ValueError(f"users must be counts, got {observed.min()}")
    if not (planned > 0).all() or not isclose(planned.sum(), 1, abs_tol=1e-6):
        raise ValueError(
            f"shares must be positive and sum to 1, got {planned.tolist()}"
        )
    return observed, planned


def _is_enough(observed: Floats, planned: Floats) -> NDArray[np.bool_]:
    """Tell in which groups the chi-square holds."""
    expected = observed.sum(axis=-1) * planned.min()
    return np.asarray(expected >= MINIMUM_EXPECTED)


def _pearson(observed: Floats, planned: Floats) -> Floats:
    """Give Pearson's statistic over the last axis."""
    expected = observed.sum(axis=-1, keepdims=True) * planned
    return np.asarray(((observed - expected) ** 2 / expected).sum(axis=-1))


def _tests(
    observed: Floats, planned: Floats, is_tested: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Give statistics and p-values, nan where there is no test."""
    chi_square = np.full(is_tested.shape, np.nan)
    chi_square[is_tested] = _pearson(observed[is_tested], planned)
    return chi_square, np.asarray(chdtrc(planned.size - 1, chi_square), float)
