"""Whether an effect wears off, by day since assignment.

The same users are seen day after day, so the days are not independent: every
standard error here uses the covariance between days, with the user as the
cluster. Pure functions: arrays in, arrays out.
"""

from __future__ import annotations

from math import nan, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, stdtr, stdtrit

from stats.intervals import MINIMUM_UNITS, Floats, check_alpha

WINDOW_DAYS = 7  # a week against a week: no weekday weighs twice
LEAST_DAYS = 3  # two days always lie on a line

_OWN = 1e-9  # of a day's variance; less comes from rounding


class DailyArm(NamedTuple):
    """One arm, by day since assignment."""

    # (n_days,): Users seen on the day. Whoever is seen on a day has been seen
    # on all days before.
    units: ArrayLike
    # (n_days,): Mean of the metric on that day alone, over those users.
    mean: ArrayLike
    # (n_days, n_days): Sample covariance of a user's days, over the users seen
    # on both.
    covariance: ArrayLike


class Change(NamedTuple):
    """A change of the effect over the days."""

    # In the unit of the metric; nan if there is nothing to test.
    estimate: float
    standard_error: float
    ci_low: float
    ci_high: float
    degrees_of_freedom: float  # of the t distribution behind the interval
    p_value: float  # two-sided, of an effect that does not change


_NO_CHANGE = Change(nan, nan, nan, nan, nan, nan)


class Novelty(NamedTuple):
    """Effect by day since assignment, and how it changes."""

    # (n_days,): Treatment minus control on the day; nan where it cannot be
    # known.
    effect: Floats
    standard_error: Floats
    p_value: Floats
    # (n_days,): Sum of the effects up to the day, and its standard error.
    cumulative_effect: Floats
    cumulative_error: Floats
    # Why a day is left out of the tests: ``too_few_units``, ``not_finite``,
    # ``zero_variance`` or ``no_own_variance`` (the days before determine it);
    # empty for a day that is in.
    reasons: tuple[str, ...]
    # Per day: slope of the line that fits the effects best, given their
    # covariance. Its error counts in that the covariance is an estimate.
    trend: Change
    contrast: Change  # mean effect of the last days minus that of the first


def novelty(
    control: DailyArm,
    treatment: DailyArm,
    day_numbers: ArrayLike | None = None,
    window_days: int = WINDOW_DAYS,
    alpha: float = 0.05,
) -> Novelty:
    """Test whether the effect changes with the days since assignment.

    A positive effect that wears off has a negative trend and a negative
    contrast; one that users have to learn first has positive ones.

    Parameters
    ----------
    control, treatment : DailyArm
        The same days for both.
    day_numbers : array_like of shape (n_days,), optional
        Days since assignment, rising; 0, 1, 2, ... by default.
    window_days : int, default 7
        Days in each mean of the contrast; with fewer than twice as many
        usable days, half of these.
    alpha : float, default 0.05
        Two-sided significance level, in (0, 1).

    Returns
    -------
    Novelty
        With fewer than `LEAST_DAYS` usable days, or hardly more users than
        days, the trend is nan; with fewer than 2 days the contrast.

    Raises
    ------
    ValueError
        If shapes do not fit, days do not rise, users become more from day to
        day, a covariance matrix is not symmetric or has a negative variance,
        `window_days` is below 1, or `alpha` is not in (0, 1).

    References
    ----------
    .. [1] A. C. Aitken (1936), "On least squares and linear combinations of
       observations", Proceedings of the Royal Society of Edinburgh 55, 42-48.
    .. [2] C. R. Rao (1967), "Least squares theory using an estimated
       dispersion matrix and its application to measurement of signals",
       Proceedings of the Fifth Berkeley Symposium 1, 355-372.
    .. [3] K.-Y. Liang and S. L. Zeger (1986), "Longitudinal data analysis
       using generalized linear models", Biometrika 73(1), 13-22.

    Examples
    --------
    >>> days = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    >>> found = novelty(
    ...     DailyArm([100] * 4, [1.0, 1.0, 1.0, 1.0], days),
    ...     DailyArm([100] * 4, [1.4, 1.3, 1.2, 1.1], days),
    ... )
    >>> round(found.trend.estimate, 3), round(found.trend.p_value, 4)
    (-0.1, 0.028)
    """
    check_alpha(alpha)
    if window_days < 1:
        raise ValueError(f"window_days must be at least 1, got {window_days}")
    arms = [
        _checked(name, arm)
        for name, arm in (("control", control), ("treatment", treatment))
    ]
    (n0, m0, v0), (n1, m1, v1) = arms
    if n0.shape != n1.shape:
        raise ValueError("control and treatment must have the same days")
    days = np.arange(n0.size) if day_numbers is None else day_numbers
    days = np.asarray(days, float)
    if days.shape != n0.shape or not (np.diff(days) > 0).all():
        raise ValueError("day_numbers must rise, one per day")

    units, effect, covariance = np.minimum(n0, n1), m1 - m0, v0 + v1
    effect[units < MINIMUM_UNITS] = np.nan
    reasons = _reasons(units, effect, covariance)
    is_used = np.array([not reason for reason in reasons], bool)
    error = np.sqrt(np.diag(covariance))
    error[np.isnan(effect)] = np.nan
    cumulative = effect.cumsum()
    square = np.diag(covariance.cumsum(axis=0).cumsum(axis=1))
    square = np.where(np.isnan(cumulative), np.nan, np.maximum(square, 0))
    # Without variance there is nothing to judge the effect against.
    z = np.divide(
        effect, error, out=np.full(effect.shape, np.nan), where=error > 0
    )

    kept = effect[is_used], covariance[np.ix_(is_used, is_used)]
    seen = float((n0 + n1)[is_used].min(initial=np.inf)) - len(arms)
    width = min(window_days, int(is_used.sum()) // 2)
    return Novelty(
        effect=effect,
        standard_error=error,
        p_value=np.asarray(2 * ndtr(-np.abs(z)), float),
        cumulative_effect=cumulative,
        cumulative_error=np.sqrt(square),
        reasons=reasons,
        trend=_trend(days[is_used], *kept, seen, alpha),
        contrast=_contrast(*kept, seen, width, alpha),
    )


def _checked(name: str, arm: DailyArm) -> tuple[Floats, Floats, Floats]:
    """Return users, means and the covariance of the means, or refuse them."""
    units, mean, covariance = (np.asarray(part, float) for part in arm)
    if units.ndim != 1 or not units.size or mean.shape != units.shape:
        raise ValueError(f"{name} needs one number of users and mean per day")
    if covariance.shape != (units.size, units.size):
        raise ValueError(f"{name} covariance must have one row per day")
    if not (units >= 0).all() or (np.diff(units) > 0).any():
        raise ValueError(f"{name} users must not become more from day to day")
    known = np.nan_to_num(covariance)
    if not np.allclose(known, known.T, rtol=0, atol=1e-9 * np.abs(known).max()):
        raise ValueError(f"{name} covariance must be symmetric")
    if (np.diag(covariance) < 0).any():
        raise ValueError(
            f"{name} variance must not be negative, got "
            f"{np.diag(covariance).min()}"
        )
    # Of n0 and n1 users, the fewer are in both means: S * n1 / (n0 * n1).
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = covariance / np.maximum.outer(units, units)
    return units, mean, shared


def _reasons(
    units: Floats, effect: Floats, covariance: Floats
) -> tuple[str, ...]:
    """Say of each day why it is left out; empty if it is not."""
    reasons: list[str] = []
    used: list[int] = []
    for day, number in enumerate(units):
        if number < MINIMUM_UNITS:
            reason = "too_few_units"
        elif not np.isfinite(
            [effect[day], *covariance[[*used, day], day]]
        ).all():
            reason = "not_finite"
        elif covariance[day, day] <= 0:
            reason = "zero_variance"
        elif _own_share(covariance[np.ix_([*used, day], [*used, day])]) < _OWN:
            reason = "no_own_variance"
        else:
            reason = ""
            used.append(day)
        reasons.append(reason)
    return tuple(reasons)


def _own_share(covariance: Floats) -> float:
    """Give the share of the last day's variance that the others leave open."""
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)
    shared = correlation[:-1, -1]
    return float(1 - shared @ np.linalg.solve(correlation[:-1, :-1], shared))


def _trend(
    days: Floats, effect: Floats, covariance: Floats, seen: float, alpha: float
) -> Change:
    """Estimate the slope by least squares."""
    # The covariance has `seen` degrees of freedom; adjusting for what of it
    # the line does not explain costs one per further day.
    extra = days.size - 2
    left = seen - extra
    if days.size < LEAST_DAYS or left <= 1:
        return _NO_CHANGE
    scale = np.sqrt(np.diag(covariance))
    line = np.column_stack([np.ones(days.size), days - days.mean()])
    line /= scale[:, np.newaxis]
    weighted = np.linalg.solve(covariance / np.outer(scale, scale), line)
    bread = np.linalg.inv(line.T @ weighted)
    slope = float((bread @ weighted.T @ (effect / scale))[1])
    inflation = seen / left * (seen - 1) / (left - 1)
    return _change(slope, inflation * float(bread[1, 1]), left, alpha)


def _contrast(
    effect: Floats, covariance: Floats, seen: float, width: int, alpha: float
) -> Change:
    """Estimate the last mean minus the first."""
    if not width:
        return _NO_CHANGE
    weights = np.zeros(effect.size)
    weights[:width], weights[-width:] = -1 / width, 1 / width
    square = float(weights @ covariance @ weights)
    return _change(float(weights @ effect), square, seen, alpha)


def _change(
    estimate: float, square: float, degrees: float, alpha: float
) -> Change:
    """Judge an estimate by its squared standard error."""
    error = sqrt(square)
    reach = -float(stdtrit(degrees, alpha / 2)) * error
    return Change(
        estimate,
        error,
        estimate - reach,
        estimate + reach,
        degrees,
        2 * float(stdtr(degrees, -abs(estimate) / error)),
    )
