"""Effect on those whom the treatment reached (complier average effect).

Assignment is random, being reached is not: users who let themselves be
reached differ from the others. The effect of assignment, divided by how many
more users assignment reached, is the effect on the users who are reached only
if assigned; it uses nothing but the random assignment. It holds if assignment
acts through reaching alone, and keeps nobody from being reached. Pure
functions, vectorised.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from stats.arms.comparisons import Sample
from stats.arms.effects import mean_effect
from stats.arms.moments import Moments, broadcast_moments, checked_moments
from stats.arms.ratios import Estimate, quotient_interval
from stats.intervals import Floats
from stats.reasons import Reasons, combined, first_reason

VARIABLES = 2  # the outcome, and being reached
# First-stage F below which the quotient is badly biased and is not shown.
MINIMUM_F = 10.0


class ComplierEffect(NamedTuple):
    """Effect per user reached."""

    # In the outcome's unit, per user reached by assignment; Fieller's interval,
    # which excludes 0 exactly where the effect of assignment is significant.
    estimate: Floats
    standard_error: Floats
    ci_low: Floats
    ci_high: Floats
    # Two-sided, of the effect of assignment on the outcome (Welch).
    p_value: Floats
    reason: Reasons  # empty, or why a number is missing


def complier_effect(
    control: Moments, treatment: Moments, alpha: ArrayLike = 0.05
) -> ComplierEffect:
    """Divide the effect on the outcome by the effect on being reached.

    Parameters
    ----------
    control, treatment : Moments
        Two variables: the outcome, and whether the user was reached (1 or 0,
        or how often); broadcast against each other. All users assigned,
        reached or not. If control was never reached, its mean, variance and
        covariance are 0.
    alpha : array_like, default 0.05
        Two-sided significance level, in (0, 1).

    Returns
    -------
    ComplierEffect
        Reasons: ``empty_arm``, ``too_few_units``, ``zero_variance`` (of the
        outcome), ``reach_unknown`` (its moments are nan), ``nobody_reached``
        (in either arm), ``weak_instrument``
        (assignment hardly changed who was reached: F below 10, or no bounded
        interval).

    Raises
    ------
    ValueError
        If there are not two variables, no users can have such variances and
        covariances, or `alpha` is not in (0, 1).

    References
    ----------
    .. [1] G. W. Imbens, J. D. Angrist (1994), "Identification and estimation
       of local average treatment effects", Econometrica 62(2), 467-475.
    .. [2] D. Staiger, J. H. Stock (1997), "Instrumental variables regression
       with weak instruments", Econometrica 65(3), 557-586.

    Examples
    --------
    >>> from stats.arms.moments import pair_moments
    >>> found = complier_effect(
    ...     pair_moments(Sample(1000, 5.0, 4.0), 0.0, 0.0, 0.0),
    ...     pair_moments(Sample(1000, 5.4, 4.0), 0.8, 0.16, 0.05),
    ... )
    >>> float(found.estimate.round(4)), float(found.ci_low.round(4))
    (0.5, 0.2809)
    """
    arms = broadcast_moments(
        checked_moments("control", control),
        checked_moments("treatment", treatment),
    )
    for name, arm in zip(("control", "treatment"), arms, strict=True):
        if np.shape(arm.means)[-1] != VARIABLES:
            raise ValueError(
                f"{name} must have the outcome and being reached, got "
                f"{np.shape(arm.means)[-1]} variables"
            )
    (n0, y0, v0, x0, w0, c0), (n1, y1, v1, x1, w1, c1) = map(_parts, arms)
    assigned = mean_effect(Sample(n0, y0, v0), Sample(n1, y1, v1), alpha)
    is_compared = np.isfinite(assigned.absolute.estimate)
    is_known = is_compared & np.isfinite(x0 + x1 + w0 + w1 + c0 + c1)

    n0, n1 = (np.where(is_known, n, np.nan) for n in (n0, n1))
    gap, spread, shared = x1 - x0, w0 / n0 + w1 / n1, c0 / n0 + c1 / n1
    is_certain = is_known & (spread == 0) & (gap != 0)
    first_stage = np.where(
        is_certain, np.inf, gap**2 / np.where(spread > 0, spread, np.nan)
    )
    # A stand-in where nothing can be computed, blanked again below.
    top, error, below, spread, shared, quantile = (
        np.where(is_known, part, 1.0)
        for part in (
            assigned.absolute.estimate,
            assigned.absolute.standard_error,
            gap,
            spread,
            shared,
            assigned.absolute.quantile,
        )
    )
    found = quotient_interval(
        Estimate(top, error**2), Estimate(below, spread), shared, quantile
    )
    is_strong = (first_stage >= MINIMUM_F) & np.isfinite(found.ci_low)

    def shown(part: Floats) -> Floats:
        return np.where(is_strong, part, np.nan)

    slope = shown(found.estimate)
    variance = error**2 - 2 * slope * shared + slope**2 * spread
    return ComplierEffect(
        estimate=slope,
        standard_error=np.sqrt(np.maximum(variance, 0)) / np.abs(below),
        ci_low=shown(found.ci_low),
        ci_high=shown(found.ci_high),
        p_value=assigned.absolute.p_value,
        reason=combined(
            np.where(is_compared, "", assigned.reason),
            first_reason(
                {
                    "reach_unknown": ~is_known,
                    "nobody_reached": (x0 == 0) & (x1 == 0),
                    "weak_instrument": ~is_strong,
                }
            ),
        ),
    )


def _parts(arm: Moments) -> tuple[Floats, ...]:
    """Split into units; mean and variance of both variables; covariance."""
    n, m, s = (np.asarray(part, float) for part in arm)
    return (
        n,
        m[..., 0],
        s[..., 0, 0],
        m[..., 1],
        s[..., 1, 1],
        s[..., 0, 1],
    )
