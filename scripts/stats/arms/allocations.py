"""Whether the variants received the shares that were planned.

Pure functions: arrays in, arrays out, nothing read or written.
"""

from __future__ import annotations

from math import isclose
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from stats.intervals import Floats

ALARM_P_VALUE = 0.001  # below it, assignment or logging is broken, not unlucky
MINIMUM_EXPECTED = 5  # users per variant, for the chi-square to hold


class ShareTest(NamedTuple):
    """Sample-ratio test of one experiment."""

    chi_square: float  # Pearson's statistic
    degrees_of_freedom: int  # variants minus one
    p_value: float  # probability of shares at least this far off under the plan
    is_alarm: bool  # whether `p_value` is below `ALARM_P_VALUE`


def share_test(users: ArrayLike, shares: ArrayLike) -> ShareTest:
    """Test assigned users against planned shares by Pearson's chi-square.

    Parameters
    ----------
    users : array_like of shape (n_variants,)
        Users assigned to each variant; at least one in all.
    shares : array_like of shape (n_variants,)
        Planned share of each variant; positive, summing to 1.

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


def grouped_p_values(users: ArrayLike, shares: ArrayLike) -> Floats:
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
    ndarray of shape (n_groups,)
        P-values, by Bonferroni over the groups tested; nan where a variant
        should have fewer than `MINIMUM_EXPECTED` users.

    Raises
    ------
    ValueError
        If there are fewer than two variants, a count is negative, or the
        shares are not positive or do not sum to 1.

    Examples
    --------
    >>> grouped_p_values([[4_000, 4_100], [900, 1_200]], [0.5, 0.5]).round(4)
    array([0.533, 0.   ])
    """
    p_value = _p_values(*_checked(users, shares, dimensions=2))
    return np.asarray(np.minimum(p_value * np.isfinite(p_value).sum(), 1))


def first_alarm(users: ArrayLike, shares: ArrayLike) -> int:
    """Follow the shares day by day, to see since when they are off.

    The verdict is that of `share_test` on all users so far: within 28 days,
    some day raises the alarm in about 0.9 % of sound experiments.

    Parameters
    ----------
    users : array_like of shape (n_days, n_variants)
        Users assigned to each variant on each day, in order.
    shares : array_like of shape (n_variants,)
        Planned share of each variant; positive, summing to 1.

    Returns
    -------
    int
        First day on which the p-value of all users so far is below
        `ALARM_P_VALUE`, from 1; 0 if none.

    Raises
    ------
    ValueError
        As `grouped_p_values`.

    Examples
    --------
    >>> first_alarm([[500, 510], [480, 490], [200, 500]], [0.5, 0.5])
    3
    """
    observed, planned = _checked(users, shares, dimensions=2)
    so_far = _p_values(observed.cumsum(axis=0), planned)
    alarms = np.flatnonzero(so_far < ALARM_P_VALUE)
    return int(alarms[0]) + 1 if alarms.size else 0


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


def _pearson(observed: Floats, planned: Floats) -> Floats:
    """Give Pearson's statistic over the last axis."""
    expected = observed.sum(axis=-1, keepdims=True) * planned
    return np.asarray(((observed - expected) ** 2 / expected).sum(axis=-1))


def _p_values(observed: Floats, planned: Floats) -> Floats:
    """Give the p-value of every row, nan where the chi-square does not hold."""
    expected = observed.sum(axis=-1) * planned.min()
    chi_square = np.full(expected.shape, np.nan)
    is_tested = expected >= MINIMUM_EXPECTED
    chi_square[is_tested] = _pearson(observed[is_tested], planned)
    return np.asarray(chdtrc(planned.size - 1, chi_square), float)
