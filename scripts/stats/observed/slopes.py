"""Change of a rate with one more of something, among users who are alike.

Pure functions: counts in, numbers out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from stats.intervals import MINIMUM_UNITS, normal_quantile


class Slope(NamedTuple):
    """A slope common to all strata."""

    # Change of the rate per unit of the dose; nan when no stratum has users of
    # different doses.
    estimate: float
    standard_error: float
    ci_low: float
    ci_high: float
    p_value: float  # two-sided, of no slope
    units: int  # users in strata of different doses
    strata_used: int  # such strata
    units_without_overlap: int  # users in the other strata


def stratified_slope(
    strata: ArrayLike,
    doses: ArrayLike,
    successes: ArrayLike,
    units: ArrayLike,
    alpha: float = 0.05,
) -> Slope:
    """Fit one straight line per stratum, all with the same slope.

    Least squares on users, with a constant for each stratum and the error that
    allows unequal variances (HC1). If slopes differ between strata, theirs are
    averaged by how much doses vary in them.

    Parameters
    ----------
    strata : array_like of shape (n_rows,)
        What users of a row are alike in; any labels.
    doses : array_like of shape (n_rows,)
        Their dose.
    successes, units : array_like of shape (n_rows,)
        Users with the outcome, and all users.
    alpha : float, default 0.05
        Two-sided significance level, in (0, 1).

    Raises
    ------
    ValueError
        If successes exceed units, or `alpha` is not in (0, 1).

    References
    ----------
    .. [1] J. G. MacKinnon, H. White (1985), "Some heteroskedasticity-
       consistent covariance matrix estimators with improved finite sample
       properties", Journal of Econometrics 29(3), 305-325.

    Examples
    --------
    >>> found = stratified_slope(
    ...     [0, 0, 1, 1], [1, 2, 2, 3], [10, 15, 30, 35], [100] * 4
    ... )
    >>> round(found.estimate, 3), found.strata_used
    (0.05, 2)
    """
    quantile = normal_quantile(alpha)
    _, stratum = np.unique(np.asarray(strata), return_inverse=True)
    dose, x, n = (np.asarray(part, float) for part in (doses, successes, units))
    if not ((x >= 0) & (x <= n)).all():
        raise ValueError("successes must lie in [0, units]")
    users = np.bincount(stratum, n)
    mean_dose = np.bincount(stratum, n * dose) / users
    base = np.bincount(stratum, x) / users
    off = dose - mean_dose[stratum]
    spread = np.bincount(stratum, n * off**2)
    is_used = spread > 0
    used = int(users[is_used].sum())
    left_out = int(users[~is_used].sum())
    count = int(is_used.sum())
    freedom = used - count - 1
    if not count or freedom < MINIMUM_UNITS:
        nan = float("nan")
        return Slope(nan, nan, nan, nan, nan, 0, 0, left_out + used)
    estimate = float(off @ (x - n * base[stratum]) / spread.sum())
    line = base[stratum] + estimate * off
    squares = x * (1 - line) ** 2 + (n - x) * line**2
    meat = off**2 @ squares * used / freedom
    error = float(np.sqrt(meat) / spread.sum())
    statistic = estimate / error if error > 0 else float("nan")
    return Slope(
        estimate=estimate,
        standard_error=error,
        ci_low=estimate - quantile * error,
        ci_high=estimate + quantile * error,
        p_value=float(2 * ndtr(-abs(statistic))),
        units=used,
        strata_used=count,
        units_without_overlap=left_out,
    )
