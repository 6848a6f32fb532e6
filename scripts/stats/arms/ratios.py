"""Relative effects and quotients, bounded by Fieller's theorem.

Pure functions: arrays in, arrays out, nothing read or written.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from stats.arms.comparisons import Sample
from stats.intervals import Floats


class Estimate(NamedTuple):
    """One estimate."""

    value: ArrayLike  # in any unit
    variance: ArrayLike  # of the estimate itself: its squared standard error


class Quotient(NamedTuple):
    """One estimate over another, such as a difference over the control's size.

    All nan where the divisor is 0; the bounds are nan where it does not differ
    from 0 at the quantile, because then no bounded interval exists.
    """

    # In the numerator's unit per unit of the denominator: a relative difference
    # is a fraction (0.1 = 10 % more).
    estimate: Floats
    ci_low: Floats
    ci_high: Floats


def relative_difference(
    control: Sample, treatment: Sample, quantile: ArrayLike
) -> Quotient:
    """Bound the relative effect by Fieller's theorem.

    With the quantile of the absolute test, the interval excludes 0 exactly
    when that test rejects: the two verdicts cannot contradict each other. The
    effect is relative to the *size* of the control mean, so its sign is that
    of the absolute effect even when the baseline is negative.

    Parameters
    ----------
    control, treatment : Sample
        Arms, broadcast against each other; units at least 1.
    quantile : array_like
        Two-sided quantile of the absolute test; positive.

    Returns
    -------
    Quotient
        Fractions of the control mean's size.

    Raises
    ------
    ValueError
        If a quantile is not positive, an arm is empty or a variance is
        negative.

    References
    ----------
    .. [1] E. C. Fieller (1954), "Some problems in interval estimation",
       Journal of the Royal Statistical Society B 16(2), 175-185.

    Examples
    --------
    >>> found = relative_difference(
    ...     Sample(1000, 50.0, 400.0), Sample(1000, 60.0, 400.0), 1.96
    ... )
    >>> [round(float(value), 4) for value in found]
    [0.2, 0.162, 0.2395]
    """
    n0, m0, v0 = (np.asarray(part, float) for part in control)
    n1, m1, v1 = (np.asarray(part, float) for part in treatment)
    q = np.asarray(quantile, float)
    if not (q > 0).all():
        raise ValueError(f"quantile must be positive, got {q.min()}")
    if not ((n0 >= 1).all() and (n1 >= 1).all()):
        raise ValueError("every arm needs at least one unit")
    if not ((v0 >= 0).all() and (v1 >= 0).all()):
        raise ValueError("variances must not be negative")

    baseline = np.where(m0 == 0, np.nan, m0)
    # In units of the baseline: d = R - 1 for the ratio R of the means solves
    # (1 - g) d^2 - 2 (e + g) d + e^2 - (g + h) <= 0, Fieller's quadratic
    # written around "no effect". Its last term has the sign of the test.
    e = (m1 - m0) / baseline
    g = q**2 * v0 / n0 / baseline**2
    h = q**2 * v1 / n1 / baseline**2
    a = np.where(g < 1, 1 - g, np.nan)
    half = e + g
    last = e**2 - (g + h)
    # half^2 - a * last, expanded: free of cancellation, never negative.
    root = np.sqrt(g * (1 + e) ** 2 + h * a)
    first, second = _roots(a, half, last, root)
    sign = np.sign(baseline)
    bounds = np.sort([first * sign, second * sign], axis=0)
    return Quotient(e * sign, bounds[0], bounds[1])


def quotient_interval(
    numerator: Estimate,
    denominator: Estimate,
    covariance: ArrayLike,
    quantile: ArrayLike,
) -> Quotient:
    """Bound the quotient of two correlated estimates by Fieller's theorem.

    With the quantile of the numerator's test, the interval excludes 0 exactly
    when that test rejects.

    Parameters
    ----------
    numerator, denominator : Estimate
        Estimates and their own variances, broadcast against each other.
    covariance : array_like
        Covariance of the two estimates.
    quantile : array_like
        Two-sided quantile; positive.

    Raises
    ------
    ValueError
        If a quantile is not positive or a variance is negative.

    References
    ----------
    As `relative_difference`.

    Examples
    --------
    >>> found = quotient_interval(
    ...     Estimate(2.0, 0.04), Estimate(0.5, 0.0001), 0.0005, 1.96
    ... )
    >>> [round(float(value), 4) for value in found]
    [4.0, 3.2378, 4.7592]
    """
    top, top_variance = (np.asarray(part, float) for part in numerator)
    below, below_variance = (np.asarray(part, float) for part in denominator)
    between, q = np.asarray(covariance, float), np.asarray(quantile, float)
    if not (q > 0).all():
        raise ValueError(f"quantile must be positive, got {q.min()}")
    if not ((top_variance >= 0).all() and (below_variance >= 0).all()):
        raise ValueError("variances must not be negative")

    divisor = np.where(below == 0, np.nan, below)
    estimate = top / divisor
    scale = (q / divisor) ** 2
    g = scale * below_variance
    a = np.where(g < 1, 1 - g, np.nan)
    # What the denominator explains of the numerator, and what is left.
    slope = np.divide(
        between,
        below_variance,
        out=np.zeros(np.broadcast(between, below_variance).shape),
        where=below_variance > 0,
    )
    h = scale * np.maximum(top_variance - slope * between, 0)
    half = estimate - scale * between
    last = estimate**2 - scale * top_variance
    root = np.sqrt(g * (estimate - slope) ** 2 + h * a)
    bounds = np.sort(_roots(a, half, last, root), axis=0)
    return Quotient(estimate, bounds[0], bounds[1])


def _roots(
    a: Floats, half: Floats, last: Floats, root: Floats
) -> tuple[Floats, Floats]:
    """Solve ``a x^2 - 2 half x + last = 0``, `root` being known.

    The root that does not cancel, then the other by their product.
    """
    outer = half + np.where(half < 0, -root, root)
    second = np.divide(
        last, outer, out=np.zeros(np.shape(outer)), where=outer != 0
    )
    return outer / a, second
