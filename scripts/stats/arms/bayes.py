"""What to believe of a lift: a normal prior, and what the data make of it.

A second opinion beside the test, never instead of it: the prior decides how
much a small test may say. Pure functions: arrays in, arrays out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from stats.arms.comparisons import Sample
from stats.intervals import MINIMUM_UNITS, Floats, normal_quantile

PRIOR_DEVIATION = 0.05  # two lifts in three are within 5 %
WIDE_PRIOR_DEVIATION = 0.3  # sensitivity: nearly what the data alone say


class Lift(NamedTuple):
    """Relative effect with its standard error."""

    # Fractions of the control mean's size (0.1 = 10 % more).
    estimate: Floats
    standard_error: Floats


class Posterior(NamedTuple):
    """Belief about a lift after the test."""

    # Of the lift, as fractions.
    mean: Floats
    deviation: Floats
    ci_low: Floats
    ci_high: Floats
    probability_positive: Floats  # that the treatment beats the control
    # Expected lift given away by choosing the treatment: what is lost where it
    # is worse, averaged over the belief.
    loss_if_chosen: Floats
    loss_if_rejected: Floats  # the same for keeping the control


def lift(control: Sample, treatment: Sample) -> Lift:
    """Estimate the relative effect by the delta method.

    Parameters
    ----------
    control, treatment : Sample
        Arms, broadcast against each other.

    Returns
    -------
    Lift
        Its sign is that of the absolute effect even when the baseline is
        negative.

    Raises
    ------
    ValueError
        If an arm has fewer than 2 users or a negative variance, a number is
        not finite, a control mean is 0, or both variances are 0.

    Examples
    --------
    >>> found = lift(Sample(10, 10.0, 0.25), Sample(10, 10.5, 1.0))
    >>> found.estimate.round(5), found.standard_error.round(5)
    (np.float64(0.05), np.float64(0.03572))
    """
    parts = []
    for name, arm in (("control", control), ("treatment", treatment)):
        n, m, v = (np.asarray(part, float) for part in arm)
        if not (n >= MINIMUM_UNITS).all():
            raise ValueError(f"{name} units must be at least 2, got {n.min()}")
        if not (np.isfinite(m).all() and (v >= 0).all()):
            raise ValueError(
                f"{name} mean must be finite and its variance not negative"
            )
        parts.append((m, v / n))
    (m0, unit0), (m1, unit1) = parts
    if not (m0 != 0).all():
        raise ValueError("control mean is 0: there is no relative effect")
    square = (unit1 + unit0 * (m1 / m0) ** 2) / m0**2
    if not ((square > 0) & np.isfinite(square)).all():
        raise ValueError("variance is 0 in both arms, or not finite")
    return Lift((m1 - m0) / np.abs(m0), np.sqrt(square))


def posterior(
    found: Lift,
    prior_deviation: ArrayLike = PRIOR_DEVIATION,
    prior_mean: ArrayLike = 0.0,
    alpha: float = 0.05,
) -> Posterior:
    """Combine a lift with a normal prior.

    Parameters
    ----------
    found : Lift
        As the data alone say.
    prior_deviation : array_like, default 0.05
        Standard deviation of lifts before any data; positive, infinite for no
        prior at all.
    prior_mean : array_like, default 0
        Their mean.
    alpha : float, default 0.05
        The interval holds the lift with probability ``1 - alpha``.

    Returns
    -------
    Posterior
        All arguments broadcast.

    Raises
    ------
    ValueError
        If an estimate or prior mean is not finite, a standard error is not
        positive and finite, a prior deviation is not positive, or `alpha` is
        not in (0, 1).

    References
    ----------
    .. [1] A. Gelman et al. (2013), "Bayesian Data Analysis", 3rd edition,
       section 2.5.
    .. [2] C. Stucchio (2015), "Bayesian A/B testing at VWO".

    Examples
    --------
    >>> both = posterior(Lift(0.1, 0.05), [PRIOR_DEVIATION, 0.3])
    >>> both.mean.round(3), both.probability_positive.round(3)
    (array([0.05 , 0.097]), array([0.921, 0.976]))
    """
    quantile = normal_quantile(alpha)
    estimate, error, prior, centre = (
        np.asarray(part, float)
        for part in (*found, prior_deviation, prior_mean)
    )
    if not (np.isfinite(estimate).all() and np.isfinite(centre).all()):
        raise ValueError("estimate and prior_mean must be finite")
    if not ((error > 0) & np.isfinite(error)).all():
        raise ValueError(
            f"standard_error must be positive and finite, got {error.min()}"
        )
    if not (prior > 0).all():
        raise ValueError(f"prior_deviation must be positive, got {prior.min()}")

    # Weight of the data against the prior; 1 when the prior is infinite.
    weight = 1 / (1 + (error / prior) ** 2)
    mean = weight * estimate + (1 - weight) * centre
    deviation = np.sqrt(weight) * error
    ratio = mean / deviation
    return Posterior(
        mean=mean,
        deviation=deviation,
        ci_low=mean - quantile * deviation,
        ci_high=mean + quantile * deviation,
        probability_positive=np.asarray(ndtr(ratio), float),
        loss_if_chosen=deviation * _shortfall(ratio),
        loss_if_rejected=deviation * _shortfall(-ratio),
    )


def _shortfall(ratio: Floats) -> Floats:
    """Give E[max(-x, 0)] for a normal x of mean `ratio` and variance 1."""
    density = np.exp(-(ratio**2) / 2) / np.sqrt(2 * np.pi)
    # Rounding far out must not turn a tiny loss into a gain.
    loss = density - ratio * ndtr(-ratio)
    return np.asarray(np.maximum(loss, 0.0), float)
