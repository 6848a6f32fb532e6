"""Whether the variants received the shares that were planned.

Pure functions: arrays in, arrays out, nothing read or written.
"""

from __future__ import annotations

from math import isclose
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

ALARM_P_VALUE = 0.001  # below it, assignment or logging is broken, not unlucky


class ShareTest(NamedTuple):
    """Sample-ratio test of one experiment.

    Attributes
    ----------
    chi_square : float
        Pearson's statistic.
    degrees_of_freedom : int
        Variants minus one.
    p_value : float
        Probability of shares at least this far off under the plan.
    is_alarm : bool
        Whether `p_value` is below `ALARM_P_VALUE`.
    """

    chi_square: float
    degrees_of_freedom: int
    p_value: float
    is_alarm: bool


def share_test(users: ArrayLike, shares: ArrayLike) -> ShareTest:
    """Test assigned users against planned shares by Pearson's chi-square.

    Parameters
    ----------
    users : array_like of shape (n_variants,)
        Users assigned to each variant; at least one in all.
    shares : array_like of shape (n_variants,)
        Planned share of each variant; positive, summing to 1.

    Returns
    -------
    ShareTest

    Raises
    ------
    ValueError
        If there are fewer than two variants, nobody is assigned, a count is
        negative, or the shares are not positive or do not sum to 1.

    References
    ----------
    .. [1] A. Fabijan et al. (2019), "Diagnosing sample ratio mismatch in
       online controlled experiments", KDD 2019, 2156-2164.

    Examples
    --------
    >>> found = share_test([44_700, 45_489], [0.5, 0.5])
    >>> round(found.p_value, 6), found.is_alarm
    (0.008608, False)
    """
    observed, planned = np.asarray(users, float), np.asarray(shares, float)
    if observed.ndim != 1 or observed.shape != planned.shape:
        raise ValueError("users and shares must have one number per variant")
    if observed.size <= 1:
        raise ValueError("a sample ratio needs at least two variants")
    if not (observed >= 0).all() or observed.sum() < 1:
        raise ValueError(
            f"users must be counts with at least one in all, got {observed}"
        )
    if not (planned > 0).all() or not isclose(planned.sum(), 1, abs_tol=1e-6):
        raise ValueError(
            f"shares must be positive and sum to 1, got {planned.tolist()}"
        )

    expected = observed.sum() * planned
    chi_square = float((((observed - expected) ** 2) / expected).sum())
    degrees = observed.size - 1
    p_value = float(chdtrc(degrees, chi_square))
    return ShareTest(chi_square, degrees, p_value, p_value < ALARM_P_VALUE)
