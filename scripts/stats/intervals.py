"""Confidence intervals for one rate or one mean, from counts and moments.

Pure functions: arrays in, arrays out, nothing read or written.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit

Floats = NDArray[np.float64]

MINIMUM_UNITS = 2  # one user has no variance


def check_alpha(alpha: ArrayLike) -> None:
    """Refuse a significance level outside (0, 1).

    Raises
    ------
    ValueError
        If an `alpha` is not in (0, 1).
    """
    level = np.asarray(alpha, float)
    if not ((level > 0) & (level < 1)).all():
        raise ValueError(f"alpha must be in (0, 1), got {level}")


def normal_quantile(alpha: float) -> float:
    """Give the two-sided normal quantile.

    Raises
    ------
    ValueError
        If `alpha` is not in (0, 1).

    Examples
    --------
    >>> round(normal_quantile(0.05), 6)
    1.959964
    """
    check_alpha(alpha)
    return float(-ndtri(alpha / 2))


def wilson_interval(
    successes: ArrayLike, trials: ArrayLike, alpha: float = 0.05
) -> Floats:
    """Bound each proportion by its Wilson score interval.

    Parameters
    ----------
    successes : array_like of shape (n,)
        Users with the outcome.
    trials : array_like of shape (n,)
        Users observed; each at least 1.
    alpha : float, default 0.05
        Two-sided significance level, in (0, 1).

    Returns
    -------
    ndarray of shape (n, 2), dtype=float
        Lower and upper bound of each proportion, in [0, 1].

    Raises
    ------
    ValueError
        If a group is empty or has more successes than trials, or `alpha` is
        not in (0, 1).

    References
    ----------
    .. [1] E. B. Wilson (1927), "Probable inference, the law of succession,
       and statistical inference", JASA 22(158), 209-212.

    Examples
    --------
    >>> wilson_interval([8], [10]).round(3)
    array([[0.49 , 0.943]])
    """
    z = normal_quantile(alpha)
    x, n = np.asarray(successes, float), np.asarray(trials, float)
    if not (n >= 1).all():
        raise ValueError(f"trials must be at least 1, got {n.min()}")
    if not ((x >= 0) & (x <= n)).all():
        raise ValueError(f"successes must lie in [0, trials], got {x} of {n}")

    rate = x / n
    centre = rate + z**2 / (2 * n)
    reach = z * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    scale = 1 + z**2 / n
    # The bound at 0 or n successes is 0 or 1 itself; rounding must not move it.
    low = np.where(x == 0, 0.0, (centre - reach) / scale)
    high = np.where(x == n, 1.0, (centre + reach) / scale)
    return np.stack([low, high], axis=-1)


def mean_interval(
    units: ArrayLike, mean: ArrayLike, variance: ArrayLike, alpha: float = 0.05
) -> Floats:
    """Bound each mean by Student's t.

    Parameters
    ----------
    units : array_like of shape (n,)
        Users observed; each at least 2.
    mean : array_like of shape (n,)
        Sample mean.
    variance : array_like of shape (n,)
        Sample variance (divisor ``units - 1``).
    alpha : float, default 0.05
        Two-sided significance level, in (0, 1).

    Returns
    -------
    ndarray of shape (n, 2), dtype=float
        Lower and upper bound, in the mean's unit.

    Raises
    ------
    ValueError
        If a group has fewer than 2 users or a negative variance, or `alpha`
        is not in (0, 1).

    Examples
    --------
    >>> mean_interval([10], [5.0], [4.0]).round(3)
    array([[3.569, 6.431]])
    """
    check_alpha(alpha)
    n, m, v = (np.asarray(part, float) for part in (units, mean, variance))
    if not (n >= MINIMUM_UNITS).all():
        raise ValueError(f"units must be at least 2, got {n.min()}")
    if not (v >= 0).all():
        raise ValueError(f"variance must not be negative, got {v.min()}")
    reach = -stdtrit(n - 1, alpha / 2) * np.sqrt(v / n)
    return np.stack([m - reach, m + reach], axis=-1)
