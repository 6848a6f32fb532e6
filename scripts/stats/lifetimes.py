"""Days that users stay, from a survival curve and a stated rule for its tail.

A single churn rate would be wrong: whoever has stayed for long leaves less
often. Pure functions: counts by day in, days out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from stats.intervals import Floats

DAYS_PER_YEAR = 365.0


class Lifetime(NamedTuple):
    """Expected discounted days within a horizon."""

    # Sum over the days after `from_day` of the discounted share still there,
    # among users there on `from_day` [days].
    days: float
    # From the observed hazards, which Greenwood takes as independent [days].
    standard_error: float


def expected_days(
    at_risk: ArrayLike,
    churned: ArrayLike,
    *,
    horizon_days: int = 365,
    tail_days: int = 14,
    from_day: int = 0,
    yearly_discount: float = 0.0,
) -> Lifetime:
    """Add up a Kaplan-Meier curve, continued at its latest hazard.

    Parameters
    ----------
    at_risk, churned : array_like of shape (n_days,)
        Users at risk and leaving, on days 0, 1, 2, ...
    horizon_days : int, default 365
        Last day that counts.
    tail_days : int, default 14
        After the last observed day users leave at the pooled hazard of so
        many days before it.
    from_day : int, default 0
        Users who are still there after this day; days count from the next.
    yearly_discount : float, default 0
        What a day is worth less a year later, as a fraction; at least 0.

    Raises
    ------
    ValueError
        If no day is observed after `from_day`, counts are impossible, or a
        setting is out of its range.

    References
    ----------
    .. [1] E. L. Kaplan and P. Meier (1958), "Nonparametric estimation from
       incomplete observations", JASA 53(282), 457-481.
    .. [2] P. S. Fader and B. G. S. Hardie (2007), "How to project customer
       retention", Journal of Interactive Marketing 21(1), 76-90.

    Examples
    --------
    About a tenth leaves every day: 0.9 + 0.811.

    >>> found = expected_days([100, 90, 81], [10, 9, 8], horizon_days=2)
    >>> round(found.days, 3)
    1.711
    """
    n, leaving = np.asarray(at_risk, float), np.asarray(churned, float)
    _check(n, leaving, horizon_days, tail_days, from_day)
    if not yearly_discount >= 0:
        raise ValueError(
            f"yearly_discount must not be negative, got {yearly_discount}"
        )
    hazards = leaving / n
    # Later hazards are another population's wherever nobody is left.
    last = min(n.size - 1, horizon_days)
    used = slice(max(from_day + 1, n.size - tail_days), n.size)
    weights = np.zeros(n.size)
    weights[used] = n[used] / n[used].sum()
    numbers = np.arange(from_day + 1, horizon_days + 1)
    discount = (1 + yearly_discount) ** (-(numbers - from_day) / DAYS_PER_YEAR)
    own = np.minimum(numbers, n.size - 1)
    is_tail = numbers > last

    def total(rates: Floats) -> float:
        daily = np.where(is_tail, rates @ weights, rates[own])
        return float((np.cumprod(1 - daily) * discount).sum())

    variance = hazards * (1 - hazards) / n
    squares = 0.0
    for day in np.flatnonzero(variance > 0):
        step = 1e-3 * np.sqrt(variance[day])
        moved = hazards.copy()
        moved[day] += step
        above = total(moved)
        moved[day] -= 2 * step
        below = total(moved)
        squares += ((above - below) / (2 * step)) ** 2 * variance[day]
    return Lifetime(total(hazards), float(np.sqrt(squares)))


def _check(
    at_risk: Floats,
    churned: Floats,
    horizon_days: int,
    tail_days: int,
    from_day: int,
) -> None:
    """Refuse impossible counts and settings by name and value."""
    if at_risk.ndim != 1 or at_risk.shape != churned.shape:
        raise ValueError("at_risk and churned need one number per day")
    if not ((at_risk > 0) & (churned >= 0) & (churned <= at_risk)).all():
        raise ValueError("churned must lie in [0, at_risk], and at_risk above")
    if not 0 <= from_day < horizon_days:
        raise ValueError(
            f"from_day must lie in [0, horizon_days), got {from_day} of "
            f"{horizon_days}"
        )
    if from_day + 1 >= at_risk.size:
        raise ValueError(f"no day after {from_day} is observed")
    if tail_days < 1:
        raise ValueError(f"tail_days must be at least 1, got {tail_days}")
