"""How long a test must run, from how such a test would have gone before.

Pure functions: arrays in, arrays out, nothing read or written.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stats.designs.power import (
    DEFAULT_PLAN,
    Plan,
    check_plan,
    detectable_mean_effect,
    detectable_proportion_effect,
)
from stats.intervals import MINIMUM_UNITS, Floats


class Duration(NamedTuple):
    """How long a test must run."""

    # (...,): First day on which the test could find the effect, from 1; 0 if
    # the history is too short to tell.
    day_number: NDArray[np.int_]
    # (..., n_days): Smallest effect, relative to the mean, that a test of so
    # many days finds; nan where it has too few users or no variance, or no rate
    # is far enough.
    relative_effect: Floats


def duration(
    relative_effect: ArrayLike,
    units: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    plan: Plan = DEFAULT_PLAN,
    *,
    is_proportion: bool = False,
) -> Duration:
    """Find the first day on which a test could find an effect.

    The history says how a test would have gone: users do not come in step
    with days, and a metric that is watched for longer has another mean and
    variance.

    Parameters
    ----------
    relative_effect : array_like of shape (...,)
        Effect to find, relative to the mean; positive.
    units : array_like of shape (..., n_days)
        Users, both arms, who came from the first up to day 1, 2, ...
    mean, variance : array_like of shape (..., n_days)
        Of the metric between those users, by what each did up to that day.
    plan : Plan, optional
        Of the test.
    is_proportion : bool, default False
        Whether the metric is a rate of users, so that the variance follows
        the mean; `variance` is then not read.

    Raises
    ------
    ValueError
        If there is no day, users become fewer, an effect is not positive, a
        variance is negative, or the plan is impossible.

    Examples
    --------
    >>> found = duration(
    ...     0.05, [9_000, 20_000, 35_000], [5.0, 5.2, 5.3], [64.0, 70.0, 75.0]
    ... )
    >>> int(found.day_number), found.relative_effect.round(3)
    (3, array([0.095, 0.064, 0.049]))
    """
    check_plan(plan)
    wanted = np.asarray(relative_effect, float)
    if not (wanted > 0).all():
        raise ValueError(f"relative_effect must be positive, got {wanted}")
    n, m, v = np.broadcast_arrays(
        *(np.asarray(part, float) for part in (units, mean, variance))
    )
    if not (n.ndim and n.shape[-1]):
        raise ValueError("units must have one number per day")
    if not ((n >= 0).all() and (np.diff(n) >= 0).all()):
        raise ValueError("units must be cumulative, from the first day on")
    if not is_proportion and (v < 0).any():
        raise ValueError(f"variance must not be negative, got {v.min()}")

    control = n / (1 + plan.ratio)
    least = MINIMUM_UNITS * plan.inflation / min(1, plan.ratio)
    is_known = (control >= least) & np.isfinite(m)
    is_known &= (m > 0) & (m < 1) if is_proportion else (m != 0) & (v > 0)
    effect = np.full(n.shape, np.nan)
    if is_proportion:
        found = detectable_proportion_effect(
            m[is_known], control[is_known], plan
        )
    else:
        found = detectable_mean_effect(v[is_known], control[is_known], plan)
    effect[is_known] = found / np.abs(m[is_known])
    is_reached = effect <= wanted[..., np.newaxis]
    first = np.where(is_reached.any(-1), is_reached.argmax(-1) + 1, 0)
    return Duration(first, effect)
