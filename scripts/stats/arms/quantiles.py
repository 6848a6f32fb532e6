"""Quantile metrics, such as the 90th percentile of watch time per user.

A quantile has no variance among users. Its standard error is read off the
distribution itself: the values at the ranks between which the quantile lies
with 95 % say how far it may move. So a few values by rank suffice, and no
users leave the warehouse. Pure functions, vectorised: one comparison per row,
grid values along the last axis.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stats.arms.comparisons import Sample, t_difference
from stats.arms.effects import Effect, assembled
from stats.arms.moments import ROUNDING
from stats.arms.ratios import relative_difference
from stats.intervals import Floats, normal_quantile
from stats.reasons import Reasons, combined, first_reason

Ranks = NDArray[np.int64]

# The ranks from which a standard error is read off; of no test, so it stays
# the same whatever level the interval of an effect has.
OUTER_ALPHA = 0.05


class Grid(NamedTuple):
    """One arm: some of its values in ascending order."""

    units: ArrayLike  # (...,): users
    # (..., n_values): Places among the users' values in ascending order, from
    # 1; ascending.
    ranks: ArrayLike
    # (..., n_values): The values there; nan where there are no users.
    values: ArrayLike


class OuterRanks(NamedTuple):
    """Ranks that a quantile and its standard error need."""

    # Of the lower bound, the quantile itself and the upper bound; `low` may be
    # below 1, and `high` above the users, when they are too few.
    low: Ranks
    point: Ranks
    high: Ranks


class QuantileEstimate(NamedTuple):
    """A quantile of one arm."""

    value: Floats  # in the metric's unit; nan where it has a reason
    # Of the value; 0 where all users around it share one value.
    standard_error: Floats
    reason: Reasons  # empty, or why there is no number


def outer_ranks(units: ArrayLike, quantile: ArrayLike) -> OuterRanks:
    """Give the ranks between which the quantile lies with 95 %, from outside.

    Parameters
    ----------
    units : array_like
        Users.
    quantile : array_like
        Share of users below the quantile, in (0, 1); broadcast against
        `units`.

    Raises
    ------
    ValueError
        If a quantile is not in (0, 1).

    Examples
    --------
    >>> [int(rank) for rank in outer_ranks(1000, 0.9)]
    [881, 900, 919]
    """
    n, share = np.broadcast_arrays(
        np.asarray(units, float), np.asarray(quantile, float)
    )
    if not ((share > 0) & (share < 1)).all():
        raise ValueError(f"quantile must be in (0, 1), got {share}")
    reach = normal_quantile(OUTER_ALPHA) * np.sqrt(n * share * (1 - share))
    return OuterRanks(
        low=np.floor(n * share - reach).astype(np.int64),
        point=_rank(n, share),
        high=np.ceil(n * share + reach).astype(np.int64),
    )


def quantile_estimate(arm: Grid, quantile: ArrayLike) -> QuantileEstimate:
    """Read a quantile and its standard error off the values by rank.

    The error is the distance of the values at the outer ranks, in normal
    quantiles. Of a grid that lacks these ranks the next ones outside are
    taken, and their distance is shortened as that of the ranks.

    Parameters
    ----------
    arm : Grid
        Values of one arm; best those at the ranks of `outer_ranks`.
    quantile : array_like of shape (...,)
        Share of users below the quantile, in (0, 1).

    Returns
    -------
    QuantileEstimate
        Reasons: ``empty_arm``; ``too_few_units`` for a bound on either side;
        ``quantile_not_in_grid``, ``grid_too_narrow`` where the grid lacks the
        rank of the quantile, or any rank outside the bounds.

    Raises
    ------
    ValueError
        If a quantile is not in (0, 1), units are negative, ranks do not
        ascend from 1 to the units at most, or values descend.

    Notes
    -----
    Made for metrics that hardly ever tie, such as times. Of small counts most
    quantiles do not move at all, or by a whole step at once; compare shares of
    users beyond a step instead.

    References
    ----------
    .. [1] A. Deng, U. Knoblich, J. Lu (2018), "Applying the delta method in
       metric analytics: a practical guide with novel ideas", KDD 2018,
       233-242; section 4.

    Examples
    --------
    >>> found = quantile_estimate(Grid(1000, [881, 900, 919], [8, 9, 11]), 0.9)
    >>> float(found.value), float(found.standard_error.round(4))
    (9.0, 0.7653)
    """
    n, ranks, values = _checked(arm)
    wanted = outer_ranks(n, quantile)
    rows = np.broadcast_shapes(ranks.shape[:-1], wanted.point.shape)
    ranks = np.broadcast_to(ranks, rows + ranks.shape[-1:])
    values = np.broadcast_to(values, ranks.shape)
    low, point, high = (rank[..., None] for rank in wanted)
    last = ranks.shape[-1] - 1
    places = [
        np.clip((ranks <= low).sum(axis=-1) - 1, 0, last),
        np.clip((ranks < point).sum(axis=-1), 0, last),
        np.clip((ranks < high).sum(axis=-1), 0, last),
    ]
    found_low, found_point, found_high = (_at(ranks, i) for i in places)
    below, value, above = (_at(values, i) for i in places)

    reason = first_reason(
        {
            "empty_arm": n < 1,
            "too_few_units": (wanted.low < 1) | (wanted.high > n),
            "quantile_not_in_grid": found_point != wanted.point,
            "grid_too_narrow": (found_low > wanted.low)
            | (found_high < wanted.high),
        }
    )
    taken = np.where(reason == "", found_high - found_low, np.nan)
    error = (above - below) / (2 * normal_quantile(OUTER_ALPHA))
    return QuantileEstimate(
        value=np.where(reason == "", value, np.nan),
        standard_error=error * (wanted.high - wanted.low) / taken,
        reason=reason,
    )


def quantile_effect(
    control: Grid,
    treatment: Grid,
    quantile: ArrayLike,
    alpha: ArrayLike = 0.05,
) -> Effect:
    """Compare a quantile of two arms, row by row.

    Parameters
    ----------
    control, treatment : Grid
        Arms, broadcast against each other.
    quantile : array_like
        Share of users below the quantile, in (0, 1).
    alpha : array_like, default 0.05
        Two-sided significance level, in (0, 1).

    Returns
    -------
    Effect
        Normal, as the quantiles' errors are. Reasons: those of
        `quantile_estimate`, ``zero_variance`` where all users around the
        quantile share one value in both arms, and those of the relative
        effect in `mean_effect`.

    Raises
    ------
    ValueError
        As `quantile_estimate`, or if `alpha` is not in (0, 1).

    Examples
    --------
    >>> found = quantile_effect(
    ...     Grid(1000, [881, 900, 919], [8, 9, 11]),
    ...     Grid(1000, [881, 900, 919], [10, 12, 13]),
    ...     0.9,
    ... )
    >>> float(found.absolute.estimate), float(found.absolute.p_value.round(4))
    (3.0, 0.0056)
    """
    before = quantile_estimate(control, quantile)
    after = quantile_estimate(treatment, quantile)
    variance = before.standard_error**2 + after.standard_error**2
    obstacle = combined(
        combined(before.reason, after.reason),
        first_reason({"zero_variance": variance == 0}),
    )
    is_blocked = obstacle != ""
    # A stand-in where nothing can be computed, blanked again at the end.
    arms = [
        Sample(
            1,
            np.where(is_blocked, 1.0, arm.value),
            np.where(is_blocked, 1.0, arm.standard_error**2),
        )
        for arm in (before, after)
    ]
    absolute = t_difference(
        np.asarray(arms[1].mean) - arms[0].mean,
        np.sqrt(np.where(is_blocked, 1.0, variance)),
        np.inf,
        alpha,
    )
    relative = relative_difference(arms[0], arms[1], absolute.quantile)
    return assembled(absolute, relative, obstacle)


def _rank(units: Floats, levels: ArrayLike) -> Ranks:
    """Give the first rank at which so large a share of the users is reached."""
    exact = units * np.asarray(levels, float)
    # 0.07 x 100 is 7, and not the 7.000000000000001 that floats make of it.
    whole = np.round(exact)
    is_whole = np.abs(exact - whole) <= ROUNDING * exact
    ranks = np.where(is_whole, whole, np.ceil(exact))
    return np.asarray(np.maximum(ranks, 1), np.int64)


def _checked(arm: Grid) -> tuple[Floats, Floats, Floats]:
    """Return the grid as arrays, or refuse it."""
    n, ranks, values = (np.asarray(part, float) for part in arm)
    ranks, values = np.broadcast_arrays(ranks, values)
    if not (n >= 0).all():
        raise ValueError(f"units must not be negative, got {n.min()}")
    if not ranks.ndim or not ranks.shape[-1]:
        raise ValueError("a grid needs at least one value")
    is_empty = n[..., None] < 1
    is_within = (ranks >= 1) & (ranks <= n[..., None])
    if not (is_within | is_empty).all() or (np.diff(ranks) < 0).any():
        raise ValueError("ranks must ascend from 1 to the units at most")
    if not (np.isfinite(values) | is_empty).all():
        raise ValueError("values must be finite where there are users")
    if (np.diff(values) < 0).any():
        raise ValueError("values must not descend with their ranks")
    return n, np.where(is_empty, 0.0, ranks), values


def _at(grid: Floats, places: Ranks) -> Floats:
    """Return one value of each row."""
    found = np.take_along_axis(grid, places[..., None], axis=-1)
    return np.asarray(found[..., 0], float)
