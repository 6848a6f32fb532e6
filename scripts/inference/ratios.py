"""Relative effects: treatment over control, bounded by Fieller's theorem.

Pure functions: arrays in, arrays out, nothing read or written.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from inference.comparisons import Sample
from inference.intervals import Floats


class RelativeDifference(NamedTuple):
    """Treatment minus control, as a fraction of the control's size.

    Attributes
    ----------
    estimate, ci_low, ci_high : ndarray
        Fractions (0.1 = 10 % more). All nan where the control mean is 0; the
        bounds are nan where the control mean does not differ from 0 at the
        quantile, because then no bounded interval exists.
    """

    estimate: Floats
    ci_low: Floats
    ci_high: Floats


def relative_difference(
    control: Sample, treatment: Sample, quantile: ArrayLike
) -> RelativeDifference:
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
    RelativeDifference
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
    # The root that does not cancel, then the other by their product.
    outer = half + np.where(half < 0, -root, root)
    first = outer / a
    second = np.divide(
        last, outer, out=np.zeros(np.shape(first)), where=outer != 0
    )
    sign = np.sign(baseline)
    bounds = np.sort([first * sign, second * sign], axis=0)
    return RelativeDifference(e * sign, bounds[0], bounds[1])
