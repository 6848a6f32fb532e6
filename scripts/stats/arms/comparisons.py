"""Treatment against control, from sufficient statistics alone.

Pure functions, vectorised: every field may be an array, one comparison per
element. P-values come from survival functions, so they stay exact far below
the smallest ``1 - cdf``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, stdtr, stdtrit

from stats.intervals import (
    MINIMUM_UNITS,
    Floats,
    check_alpha,
    normal_quantile,
    wilson_interval,
)


class Sample(NamedTuple):
    """One arm of a comparison of means."""

    units: ArrayLike  # users; at least 2
    mean: ArrayLike  # sample mean
    variance: ArrayLike  # sample variance (divisor ``units - 1``)


class Counts(NamedTuple):
    """One arm of a comparison of proportions."""

    successes: ArrayLike  # users with the outcome
    trials: ArrayLike  # users; at least 1


class Difference(NamedTuple):
    """Treatment minus control."""

    # Difference, its unpooled standard error and bounds, in the unit of the
    # means.
    estimate: Floats
    standard_error: Floats
    ci_low: Floats
    ci_high: Floats
    statistic: Floats  # t or z
    degrees_of_freedom: Floats  # Welch-Satterthwaite; infinite for z
    p_value: Floats  # two-sided
    # Of the statistic at ``1 - alpha / 2``; a relative interval made with it
    # gives the same verdict.
    quantile: Floats


def welch_difference(
    control: Sample, treatment: Sample, alpha: ArrayLike = 0.05
) -> Difference:
    """Compare two means by Welch's t-test.

    Parameters
    ----------
    control, treatment : Sample
        Arms, broadcast against each other.
    alpha : array_like, default 0.05
        Two-sided significance level, in (0, 1); one for all comparisons, or
        one for each.

    Returns
    -------
    Difference
        Treatment minus control.

    Raises
    ------
    ValueError
        If an arm has fewer than 2 users or a negative variance, both variances
        are 0, a number is not finite, or `alpha` is not in (0, 1).

    References
    ----------
    .. [1] B. L. Welch (1947), "The generalization of 'Student's' problem when
       several different population variances are involved", Biometrika
       34(1-2), 28-35.

    Examples
    --------
    >>> found = welch_difference(Sample(100, 5.0, 4.0), Sample(100, 6.0, 5.0))
    >>> float(found.p_value.round(6))
    0.001026
    """
    return t_difference(*_welch(control, treatment), alpha)


def t_difference(
    estimate: ArrayLike,
    standard_error: ArrayLike,
    degrees_of_freedom: ArrayLike,
    alpha: ArrayLike = 0.05,
) -> Difference:
    """Test and bound estimates whose standard errors are known.

    Parameters
    ----------
    estimate, standard_error : array_like
        In one unit; standard errors are positive.
    degrees_of_freedom : array_like
        Of the standard error; infinite for z.
    alpha : array_like, default 0.05
        Two-sided significance level, in (0, 1).

    Raises
    ------
    ValueError
        If a standard error or degrees of freedom are not positive, or `alpha`
        is not in (0, 1).

    Examples
    --------
    >>> found = t_difference(1.96, 1.0, np.inf)
    >>> float(found.p_value.round(6)), float(found.ci_low.round(6))
    (0.049996, 3.6e-05)
    """
    check_alpha(alpha)
    value, error, degrees = np.broadcast_arrays(
        *(
            np.asarray(part, float)
            for part in (estimate, standard_error, degrees_of_freedom)
        )
    )
    if not (error > 0).all():
        raise ValueError(f"standard_error must be positive, got {error.min()}")
    if not (degrees > 0).all():
        raise ValueError(
            f"degrees_of_freedom must be positive, got {degrees.min()}"
        )
    statistic = value / error
    quantile = np.asarray(
        -stdtrit(degrees, np.asarray(alpha, float) / 2), float
    )
    return Difference(
        estimate=value,
        standard_error=error,
        ci_low=value - quantile * error,
        ci_high=value + quantile * error,
        statistic=statistic,
        degrees_of_freedom=degrees,
        p_value=2 * stdtr(degrees, -np.abs(statistic)),
        quantile=quantile,
    )


def welch_p_value(control: Sample, treatment: Sample) -> Floats:
    """Test two means by Welch's t-test, without an interval.

    Parameters
    ----------
    control, treatment : Sample
        Arms, broadcast against each other.

    Returns
    -------
    ndarray
        The p-value of `welch_difference`, in a third of its time.

    Raises
    ------
    ValueError
        As `welch_difference`.

    Examples
    --------
    >>> found = welch_p_value(Sample(100, 5.0, 4.0), Sample(100, 6.0, 5.0))
    >>> float(found.round(6))
    0.001026
    """
    estimate, error, degrees = _welch(control, treatment)
    return np.asarray(2 * stdtr(degrees, -np.abs(estimate / error)), float)


def proportion_difference(
    control: Counts, treatment: Counts, alpha: float = 0.05
) -> Difference:
    """Compare two proportions: pooled z-test, Newcombe's interval.

    The interval squares and adds the two Wilson half-widths (method 10), so
    it stays inside [-1, 1] and keeps its coverage when a rate is near 0 or 1.
    The test pools the arms, as its null hypothesis says they are alike.

    Parameters
    ----------
    control, treatment : Counts
        Arms, broadcast against each other.
    alpha : float, default 0.05
        Two-sided significance level, in (0, 1).

    Returns
    -------
    Difference
        Treatment minus control; `standard_error` is the unpooled one.

    Raises
    ------
    ValueError
        If an arm is empty or has more successes than trials, nobody or
        everybody in both arms has the outcome, or `alpha` is not in (0, 1).

    References
    ----------
    .. [1] R. G. Newcombe (1998), "Interval estimation for the difference
       between independent proportions: comparison of eleven methods",
       Statistics in Medicine 17(8), 873-890; method 10.

    Examples
    --------
    >>> found = proportion_difference(Counts(48, 80), Counts(56, 70))
    >>> [round(float(bound), 4) for bound in (found.ci_low, found.ci_high)]
    [0.0524, 0.3339]
    """
    bounds0 = wilson_interval(*control, alpha=alpha)
    bounds1 = wilson_interval(*treatment, alpha=alpha)
    x0, n0 = (np.asarray(part, float) for part in control)
    x1, n1 = (np.asarray(part, float) for part in treatment)
    pooled = (x0 + x1) / (n0 + n1)
    if not ((pooled > 0) & (pooled < 1)).all():
        raise ValueError("nobody or everybody in both arms has the outcome")

    p0, p1 = x0 / n0, x1 / n1
    estimate = p1 - p0
    statistic = estimate / np.sqrt(pooled * (1 - pooled) * (1 / n0 + 1 / n1))
    below = np.hypot(p1 - bounds1[..., 0], bounds0[..., 1] - p0)
    above = np.hypot(bounds1[..., 1] - p1, p0 - bounds0[..., 0])
    return Difference(
        estimate=estimate,
        standard_error=np.sqrt(p0 * (1 - p0) / n0 + p1 * (1 - p1) / n1),
        ci_low=estimate - below,
        ci_high=estimate + above,
        statistic=statistic,
        degrees_of_freedom=np.full_like(statistic, np.inf),
        p_value=2 * ndtr(-np.abs(statistic)),
        quantile=np.full_like(statistic, normal_quantile(alpha)),
    )


def _welch(control: Sample, treatment: Sample) -> tuple[Floats, Floats, Floats]:
    """Return the difference, its standard error and degrees of freedom."""
    n0, m0, v0 = _checked("control", control)
    n1, m1, v1 = _checked("treatment", treatment)
    unit0, unit1 = v0 / n0, v1 / n1
    total = unit0 + unit1
    if not (total > 0).all():
        raise ValueError("variance is 0 in both arms: there is no test")

    # Shares of the variance, not its squares: no underflow in tiny units.
    share0, share1 = unit0 / total, unit1 / total
    degrees = 1 / (share0**2 / (n0 - 1) + share1**2 / (n1 - 1))
    return m1 - m0, np.sqrt(total), degrees


def _checked(name: str, sample: Sample) -> tuple[Floats, Floats, Floats]:
    """Return the arm as arrays, or refuse it by name and value."""
    units, mean, variance = (np.asarray(part, float) for part in sample)
    if not (units >= MINIMUM_UNITS).all():
        raise ValueError(f"{name} units must be at least 2, got {units.min()}")
    if not (variance >= 0).all():
        raise ValueError(
            f"{name} variance must not be negative, got {variance.min()}"
        )
    if not (np.isfinite(mean) & np.isfinite(variance)).all():
        raise ValueError(f"{name} mean and variance must be finite")
    return units, mean, variance
