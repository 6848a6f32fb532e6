"""Effects row by row: Welch's test and Fieller's interval, or a reason.

Pure functions, vectorised. A row that cannot be compared is nan and carries
a code; the rows beside it are computed all the same.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from stats.arms.comparisons import Difference, Sample, welch_difference
from stats.arms.ratios import (
    Quotient,
    relative_difference,
)
from stats.intervals import MINIMUM_UNITS
from stats.reasons import Reasons, combined, first_reason


class Effect(NamedTuple):
    """Treatment minus control, absolute and relative."""

    absolute: Difference  # in the unit of the means; nan where there is no test
    relative: Quotient  # as a fraction of the control's size
    reason: Reasons  # empty, or why a number is missing or lesser


def mean_effect(
    control: Sample,
    treatment: Sample,
    alpha: ArrayLike = 0.05,
    reason: ArrayLike = "",
) -> Effect:
    """Compare two means, row by row.

    Parameters
    ----------
    control, treatment : Sample
        Arms, broadcast against each other. Mean and variance may be nan where
        `reason` says why, or where an arm has fewer than 2 users.
    alpha : array_like, default 0.05
        Two-sided significance level, in (0, 1); it may be nan where there is
        nothing to compare.
    reason : array_like of str, default ""
        What is already known of a row: why its mean is nan, or a remark that
        yields to any reason found here.

    Returns
    -------
    Effect
        Reasons without any number: ``empty_arm``, ``too_few_units``,
        ``zero_variance`` (in both arms). Reasons without a relative effect or
        its bounds: ``relative_zero_baseline``, ``relative_unbounded``.

    Raises
    ------
    ValueError
        As `welch_difference`, for rows without a reason.

    Examples
    --------
    >>> found = mean_effect(
    ...     Sample([100, 0], [5.0, np.nan], [4.0, np.nan]),
    ...     Sample([100, 90], [6.0, 6.0], [5.0, 5.0]),
    ... )
    >>> found.relative.estimate.round(3), found.reason.tolist()
    (array([0.2, nan]), ['', 'empty_arm'])
    """
    n0, m0, v0, n1, m1, v1, level, known = np.broadcast_arrays(
        *(np.asarray(part, float) for part in (*control, *treatment, alpha)),
        np.asarray(reason, str),
    )
    is_missing = ~np.isfinite(m0 + v0 + m1 + v1) & (known != "")
    least = np.minimum(n0, n1)
    obstacle = combined(
        np.where(is_missing, known, ""),
        first_reason(
            {
                "empty_arm": least < 1,
                "too_few_units": least < MINIMUM_UNITS,
                "zero_variance": (v0 == 0) & (v1 == 0),
            }
        ),
    )
    is_blocked = obstacle != ""
    # A stand-in where nothing can be computed, blanked again at the end.
    before, after = (
        Sample(
            np.where(is_blocked, MINIMUM_UNITS, units),
            np.where(is_blocked, 1.0, mean),
            np.where(is_blocked, 1.0, variance),
        )
        for units, mean, variance in ((n0, m0, v0), (n1, m1, v1))
    )
    absolute = welch_difference(before, after, np.where(is_blocked, 0.5, level))
    relative = relative_difference(before, after, absolute.quantile)
    return assembled(absolute, relative, obstacle, known)


def assembled(
    absolute: Difference,
    relative: Quotient,
    obstacle: ArrayLike,
    remark: ArrayLike = "",
) -> Effect:
    """Put an effect together, and blank what stands in for no number.

    Of one comparison per row: why a row has no number at all, empty where it
    has, and a remark, what else is known of it, which yields to every other
    reason.

    Examples
    --------
    >>> before, after = Sample(100, 5.0, 4.0), Sample(100, 6.0, 5.0)
    >>> absolute = welch_difference(before, after)
    >>> relative = relative_difference(before, after, absolute.quantile)
    >>> found = assembled(absolute, relative, ["", "empty_arm"])
    >>> found.absolute.estimate
    array([ 1., nan])
    """
    why = np.asarray(obstacle, str)
    is_blocked = why != ""
    shortfall = first_reason(
        {
            "relative_zero_baseline": np.isnan(relative.estimate),
            "relative_unbounded": np.isnan(relative.ci_low),
        }
    )
    return Effect(
        Difference(*(np.where(is_blocked, np.nan, part) for part in absolute)),
        Quotient(*(np.where(is_blocked, np.nan, part) for part in relative)),
        combined(combined(why, shortfall), remark),
    )
