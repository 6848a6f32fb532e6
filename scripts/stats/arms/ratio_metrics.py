"""Ratio metrics: a mean over a mean, such as watch time per session.

The unit of analysis is the user, who brings both a numerator and a
denominator. The delta method turns each arm into a mean with a variance per
user, and then every test of means applies. Pure functions, vectorised.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stats.arms.comparisons import Sample
from stats.arms.moments import Moments, checked_moments, linearised_ratios
from stats.reasons import Reasons, first_reason


class RatioSample(NamedTuple):
    """One arm of a ratio metric, as a mean."""

    # Ratio of the means, and its variance per user; nan where refused.
    sample: Sample
    reason: Reasons  # empty, or ``denominator_not_positive``


def ratio_sample(arm: Moments) -> RatioSample:
    """Linearise one arm by the delta method.

    Parameters
    ----------
    arm : Moments
        Numerator and denominator, one arm per row.

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
    >>> from stats.arms.moments import pair_moments
    >>> arm = pair_moments(Sample(100, 6.0, 9.0), 2.0, 1.0, 1.5)
    >>> found = ratio_sample(arm)
    >>> float(found.sample.mean), float(found.sample.variance)
    (3.0, 2.25)
    """
    moments = checked_moments("ratio", arm)
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
