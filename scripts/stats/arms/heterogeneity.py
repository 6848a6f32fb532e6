"""Whether an effect differs between segments.

A segment in which an effect is significant beside one in which it is not shows
nothing; the difference between them must be tested itself. Pure functions,
vectorised over all groups of segments in one call.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from stats.intervals import Floats
from stats.reasons import Reasons, first_reason


class Heterogeneity(NamedTuple):
    """Tests that the effects of a group are one; a row per group."""

    group: NDArray[np.generic]  # (n_groups,): groups, sorted
    estimate: Floats  # (n_groups,): mean effect, weighted by precision
    statistic: Floats  # (n_groups,): Cochran's Q
    degrees_of_freedom: NDArray[np.int64]  # (n_groups,): segments minus one
    # (n_groups,): Probability of effects at least so far apart if they are one.
    p_value: Floats
    # (n_groups,): Share of the spread between segments that chance does not
    # explain, in [0, 1).
    i_squared: Floats
    # (n_groups,): Empty, or ``one_segment`` where there is nothing to compare.
    reason: Reasons


def heterogeneity(
    estimates: ArrayLike, standard_errors: ArrayLike, groups: ArrayLike = 0
) -> Heterogeneity:
    """Test by Cochran's Q whether effects differ within groups.

    With the unpooled standard errors of differences of means, Q is the Wald
    test of the interactions of treatment and segment in a regression of rows
    with the HC2 covariance.

    Parameters
    ----------
    estimates, standard_errors : array_like
        Effect in each segment; nan where there is none. Segments of a group
        share no user.
    groups : array_like, default 0
        Group of each segment, numbers or text; broadcast against `estimates`.

    Raises
    ------
    ValueError
        If a standard error is not positive.

    References
    ----------
    .. [1] W. G. Cochran (1954), "The combination of estimates from different
       experiments", Biometrics 10(1), 101-129.
    .. [2] J. P. T. Higgins, S. G. Thompson (2002), "Quantifying heterogeneity
       in a meta-analysis", Statistics in Medicine 21(11), 1539-1558.

    Examples
    --------
    >>> found = heterogeneity([1.0, 3.0, 2.0], [0.5, 0.5, 0.5], ["a", "a", "b"])
    >>> found.statistic, found.p_value.round(6), found.reason.tolist()
    (array([ 8., nan]), array([0.004678,      nan]), ['', 'one_segment'])
    """
    effects, errors, labels = np.broadcast_arrays(
        np.asarray(estimates, float),
        np.asarray(standard_errors, float),
        np.asarray(groups),
    )
    found, group = np.unique(labels.ravel(), return_inverse=True)
    is_known = np.isfinite(effects + errors).ravel()
    effect, error = effects.ravel()[is_known], errors.ravel()[is_known]
    group = group.ravel()[is_known]
    if not (error > 0).all():
        raise ValueError(f"standard_errors must be positive, got {error.min()}")

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(group, values, len(found)), float)

    count = np.bincount(group, minlength=len(found))
    weight = error**-2
    weights = np.where(count > 0, total(weight), np.nan)
    # Around one of the effects: no digits are lost far from zero.
    origin = np.zeros(len(found))
    origin[group] = effect
    mean = origin + total(weight * (effect - origin[group])) / weights
    is_one = count <= 1
    statistic = total(weight * (effect - mean[group]) ** 2)
    degrees = np.maximum(count - 1, 0)
    excess = np.divide(
        statistic - degrees,
        statistic,
        out=np.zeros(len(found)),
        where=statistic > degrees,
    )
    return Heterogeneity(
        group=found,
        estimate=mean,
        statistic=np.where(is_one, np.nan, statistic),
        degrees_of_freedom=degrees,
        p_value=np.where(is_one, np.nan, chdtrc(degrees, statistic)),
        i_squared=np.where(is_one, np.nan, excess),
        reason=first_reason({"one_segment": is_one}),
    )
