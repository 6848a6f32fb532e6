"""Effects averaged over cells of users alike before the experiment.

Within a cell the arms are compared as they are; cells are then weighted by
their share of all users, so that an arm that happens to hold more of one kind
of user gains nothing by it. Pure functions, vectorised: one comparison per
row, cells along the last axis.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stats.arms.comparisons import Difference, t_difference
from stats.arms.effects import assembled
from stats.arms.moments import ROUNDING
from stats.arms.ratios import (
    Estimate,
    Quotient,
    quotient_interval,
)
from stats.intervals import MINIMUM_UNITS, Floats
from stats.reasons import Reasons, first_reason

# Users of either arm below which a cell is merged: its own variance would be
# too uncertain to weigh it by.
MINIMUM_CELL_UNITS = 20


class Cells(NamedTuple):
    """One arm, cell by cell."""

    # (..., n_cells): Users; 0 in both arms where a row has fewer cells.
    units: ArrayLike
    # (..., n_cells): Sample mean and variance (divisor ``units - 1``); nan
    # where there are too few users for one.
    mean: ArrayLike
    variance: ArrayLike


class StratifiedEffect(NamedTuple):
    """Treatment minus control over the same mixture of users."""

    # In the unit of the means; t with Satterthwaite's degrees of freedom.
    absolute: Difference
    # As a fraction of the size of the weighted control mean.
    relative: Quotient
    # Weighted over the cells.
    control_mean: Floats
    treatment_mean: Floats
    # Variance of the difference over that of the unweighted one.
    variance_ratio: Floats
    reason: Reasons  # empty, or why a number is missing


def stratified_effect(
    control: Cells,
    treatment: Cells,
    alpha: ArrayLike = 0.05,
    minimum_units: float = MINIMUM_CELL_UNITS,
) -> StratifiedEffect:
    """Average the effect over cells, weighted by all users in them.

    The variance is that of the means within cells plus that of the weights,
    which are themselves a sample (multinomial). Cells with fewer than
    `minimum_units` in an arm join the largest that has enough, or all others
    where none has. With one cell it is Welch's test.

    Parameters
    ----------
    control, treatment : Cells
        Arms, broadcast against each other; the same cells in the same order.
    alpha : array_like of shape (...,), default 0.05
        Two-sided significance level, in (0, 1).
    minimum_units : float, default 20
        At least 2.

    Returns
    -------
    StratifiedEffect
        Reasons as those of `mean_effect`.

    Raises
    ------
    ValueError
        If there are no cells, units are negative, a variance is negative or
        a number is not finite where there are users enough, `minimum_units`
        is below 2, or `alpha` is not in (0, 1).

    References
    ----------
    .. [1] L. W. Miratrix, J. S. Sekhon, B. Yu (2013), "Adjusting treatment
       effect estimates by post-stratification in randomized experiments",
       Journal of the Royal Statistical Society B 75(2), 369-396.

    Examples
    --------
    >>> found = stratified_effect(
    ...     Cells([100, 300], [1.0, 5.0], [1.0, 1.0]),
    ...     Cells([120, 280], [1.5, 5.5], [1.0, 1.0]),
    ... )
    >>> float(found.absolute.estimate)
    0.5
    """
    if not minimum_units >= MINIMUM_UNITS:
        raise ValueError(
            f"minimum_units must be at least 2, got {minimum_units}"
        )
    parts = np.broadcast_arrays(
        *_checked("control", control), *_checked("treatment", treatment)
    )
    before, after = _Arm(*parts[:3]), _Arm(*parts[3:])
    users = before.units + after.units
    is_merged, is_target = _mergers(before.units, after.units, minimum_units)
    cells = [_merged(arm, is_merged, is_target) for arm in (before, after)]
    whole = [_union(arm, users > 0) for arm in (before, after)]
    found = _weighted(*cells)

    least = np.minimum(*(arm.units for arm in whole))
    obstacle = first_reason(
        {
            "empty_arm": least < 1,
            "too_few_units": least < MINIMUM_UNITS,
            "zero_variance": found.variance == 0,
        }
    )
    is_blocked = obstacle != ""
    # A stand-in where nothing can be computed, blanked again below.
    variance = np.where(is_blocked, 1.0, found.variance)
    absolute = t_difference(
        found.estimate,
        np.sqrt(variance),
        1 / np.where(is_blocked, 1.0, found.lost),
        alpha,
    )
    relative = quotient_interval(
        Estimate(found.estimate, variance),
        Estimate(np.abs(found.control_mean), found.control_variance),
        np.sign(found.control_mean) * found.covariance,
        absolute.quantile,
    )
    effect = assembled(absolute, relative, obstacle)

    def shown(part: Floats) -> Floats:
        return np.where(is_blocked, np.nan, part)

    plain0, plain1 = (_over(arm.variance, arm.units) for arm in whole)
    return StratifiedEffect(
        *effect[:2],
        control_mean=shown(found.control_mean),
        treatment_mean=shown(found.control_mean + found.estimate),
        variance_ratio=shown(_over(found.variance, plain0 + plain1)),
        reason=effect.reason,
    )


class _Arm(NamedTuple):
    """One arm: arrays alike in shape, nothing missing."""

    units: Floats
    mean: Floats
    variance: Floats


class _Weighted(NamedTuple):
    """The weighted difference, and what its interval takes."""

    estimate: Floats
    variance: Floats
    lost: Floats  # one over the degrees of freedom
    control_mean: Floats
    control_variance: Floats
    covariance: Floats  # of the estimate and the control mean


def _checked(name: str, cells: Cells) -> _Arm:
    """Return the cells with 0 for what nobody can have, or refuse them."""
    units, mean, variance = np.broadcast_arrays(
        *(np.asarray(part, float) for part in cells)
    )
    if not units.ndim or not units.shape[-1]:
        raise ValueError(f"{name} needs at least one cell")
    if not (units >= 0).all():
        raise ValueError(
            f"{name} units must not be negative, got {units.min()}"
        )
    mean = np.where(units >= 1, mean, 0.0)
    variance = np.where(units >= MINIMUM_UNITS, variance, 0.0)
    if not (np.isfinite(mean) & np.isfinite(variance)).all():
        raise ValueError(f"{name} mean and variance must be finite")
    if not (variance >= 0).all():
        raise ValueError(
            f"{name} variance must not be negative, got {variance.min()}"
        )
    return _Arm(units, mean, variance)


def _mergers(
    before: Floats, after: Floats, minimum_units: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find the cells that become one, and the one that takes them in."""
    users, least = before + after, np.minimum(before, after)
    is_enough = least >= minimum_units
    # The largest that has enough; the largest of all where none has.
    rank = np.where(is_enough, users, users - users.max(axis=-1)[..., None] - 1)
    largest = rank.argmax(axis=-1)
    is_target = np.arange(users.shape[-1]) == largest[..., None]
    is_small = ~is_enough & (users > 0)
    is_needed = is_small.any(axis=-1, keepdims=True)
    return is_small | (is_target & is_needed), is_target & is_needed


def _union(arm: _Arm, is_in: NDArray[np.bool_]) -> _Arm:
    """Pool some of the cells."""
    units = np.where(is_in, arm.units, 0.0)
    total = units.sum(axis=-1)
    mean = _over((units * arm.mean).sum(axis=-1), total)
    off = arm.mean - mean[..., None]
    scatter = np.maximum(units - 1, 0) * arm.variance + units * off**2
    return _Arm(total, mean, _over(scatter.sum(axis=-1), total - 1))


def _merged(
    arm: _Arm, is_merged: NDArray[np.bool_], is_target: NDArray[np.bool_]
) -> _Arm:
    """Empty the cells that are merged, and put their union in one."""
    kept = (np.where(is_merged, 0.0, part) for part in arm)
    union = _union(arm, is_merged)
    return _Arm(
        *(
            np.where(is_target, whole[..., None], part)
            for whole, part in zip(union, kept, strict=True)
        )
    )


def _weighted(control: _Arm, treatment: _Arm) -> _Weighted:
    """Weigh the cells by their users, who are a sample themselves."""
    users = control.units + treatment.units
    total = users.sum(axis=-1)
    weights = _over(users, total[..., None])
    gaps = treatment.mean - control.mean
    mean = (weights * control.mean).sum(axis=-1)
    estimate = (weights * gaps).sum(axis=-1)
    within, of_treatment = (
        weights**2 * _over(arm.variance, arm.units)
        for arm in (control, treatment)
    )

    # How both would move if the users fell into other cells.
    size = np.maximum(np.abs(control.mean), np.abs(treatment.mean))
    off, off_gap = control.mean - mean[..., None], gaps - estimate[..., None]
    off_gap = np.where(np.abs(off_gap) > ROUNDING * size, off_gap, 0.0)
    moves, together, moves_gap = (
        _over((weights * one * other).sum(axis=-1), total)
        for one, other in ((off, off), (off, off_gap), (off_gap, off_gap))
    )
    variance = (within + of_treatment).sum(axis=-1) + moves_gap
    # Satterthwaite, by shares of the variance: no underflow in tiny units.
    lost0, lost1 = (
        _over(_over(part, variance[..., None]) ** 2, arm.units - 1)
        for part, arm in ((within, control), (of_treatment, treatment))
    )
    return _Weighted(
        estimate=estimate,
        variance=variance,
        lost=(lost0 + lost1).sum(axis=-1)
        + _over(_over(moves_gap, variance) ** 2, total - 1),
        control_mean=mean,
        control_variance=within.sum(axis=-1) + moves,
        covariance=together - within.sum(axis=-1),
    )


def _over(part: Floats, divisor: Floats) -> Floats:
    """Divide; where there is nobody, nothing is left."""
    shape = np.broadcast_shapes(part.shape, divisor.shape)
    return np.divide(part, divisor, out=np.zeros(shape), where=divisor > 0)
