"""Ratio metrics: a mean over a mean, such as watch time per session.

The unit of analysis is the user, who brings both a numerator and a
denominator. The delta method turns each arm into a mean with a variance per
user, and then every test of means applies. Pure functions, vectorised.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from stats.arms.comparisons import Sample
from stats.arms.moments import (
    checked_moments,
    linearised_ratios,
    pair_moments,
)
from stats.reasons import Reasons, first_reason


class RatioArm(NamedTuple):
    """One arm of a ratio metric."""

    units: ArrayLike  # users
    # Per user; sample variance (divisor ``units - 1``).
    numerator_mean: ArrayLike
    numerator_variance: ArrayLike
    # The same of the denominator.
    denominator_mean: ArrayLike
    denominator_variance: ArrayLike
    covariance: ArrayLike  # sample covariance of the two


class RatioSample(NamedTuple):
    """One arm of a ratio metric, as a mean."""

    # Ratio of the means, and its variance per user; nan where refused.
    sample: Sample
    reason: Reasons  # empty, or ``denominator_not_positive``


def ratio_sample(arm: RatioArm) -> RatioSample:
    """Linearise one arm by the delta method.

    Parameters
    ----------
    arm : RatioArm
        Arms, one per row.

    Returns
    -------
    RatioSample
        Ready for `welch_difference` and `relative_difference`, or with its
        reason for `mean_effect`.

    Raises
    ------
    ValueError
        If a variance is negative, or a covariance exceeds what the variances
        allow.

    References
    ----------
    As `linearised_ratios`.

    Examples
    --------
    >>> found = ratio_sample(RatioArm(100, 6.0, 9.0, 2.0, 1.0, 1.5))
    >>> float(found.sample.mean), float(found.sample.variance)
    (3.0, 2.25)
    """
    moments = checked_moments("ratio", pair_moments(Sample(*arm[:3]), *arm[3:]))
    units, means, _ = (np.asarray(part, float) for part in moments)
    linear = linearised_ratios(moments)
    return RatioSample(
        Sample(
            units,
            np.asarray(linear.means)[..., 0],
            np.asarray(linear.covariances)[..., 0, 0],
        ),
        first_reason(
            {"denominator_not_positive": (units > 0) & ~(means[..., 1] > 0)}
        ),
    )
