"""Counts, means and covariances of groups of users, and of their union.

Pure functions, vectorised: leading axes are rows, the last ones variables.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from stats.arms.comparisons import Sample
from stats.intervals import Floats

ROUNDING = 1e-12  # relative error that sums over many users may carry


class Moments(NamedTuple):
    """Several variables of one group of users."""

    units: ArrayLike  # (...,): users
    means: ArrayLike  # (..., n_variables): sample means
    # (..., n_variables, n_variables): Sample covariances (divisor
    # ``units - 1``), variances on the diagonal.
    covariances: ArrayLike


def pair_moments(
    first: Sample,
    second_mean: ArrayLike,
    second_variance: ArrayLike,
    covariance: ArrayLike,
) -> Moments:
    """Arrange the aggregates of two variables.

    Parameters
    ----------
    first : Sample
        Users, and the first variable.
    second_mean, second_variance : array_like of shape (...,)
        The second variable of the same users.
    covariance : array_like of shape (...,)
        Sample covariance of the two.

    Returns
    -------
    Moments
        Of two variables.

    Examples
    --------
    >>> pair_moments(Sample(9, 5.0, 4.0), 2.0, 1.0, 1.5).covariances
    array([[4. , 1.5],
           [1.5, 1. ]])
    """
    parts = (first.mean, first.variance, second_mean, second_variance)
    m, v, x, w, c = np.broadcast_arrays(
        *(np.asarray(part, float) for part in (*parts, covariance))
    )
    return Moments(
        first.units,
        np.stack([m, x], axis=-1),
        np.stack([np.stack([v, c], axis=-1), np.stack([c, w], axis=-1)], -2),
    )


def pooled_moments(first: Moments, second: Moments) -> Moments:
    """Give the moments of the union of two groups.

    Parameters
    ----------
    first, second : Moments
        Groups of at least one user, none in common, broadcast against each
        other.

    Returns
    -------
    Moments
        As if computed from all users at once; nan where a group's are nan.

    References
    ----------
    .. [1] T. F. Chan, G. H. Golub, R. J. LeVeque (1983), "Algorithms for
       computing the sample variance: analysis and recommendations", The
       American Statistician 37(3), 242-247.

    Examples
    --------
    >>> group = pair_moments(Sample(2, 1.0, 2.0), 0.0, 2.0, 2.0)
    >>> pooled_moments(group, group).covariances.round(3)
    array([[1.333, 1.333],
           [1.333, 1.333]])
    """
    n0, m0, s0 = (np.asarray(part, float) for part in first)
    n1, m1, s1 = (np.asarray(part, float) for part in second)
    gap = m1 - m0
    # Fewer than two users have no covariance: nan, without a warning.
    total = np.where(n0 + n1 > 1, n0 + n1, np.nan)
    scatter = (
        (n0 - 1)[..., None, None] * s0
        + (n1 - 1)[..., None, None] * s1
        + (n0 * n1 / total)[..., None, None]
        * (gap[..., :, None] * gap[..., None, :])
    )
    return Moments(
        n0 + n1,
        m0 + (n1 / total)[..., None] * gap,
        scatter / (total - 1)[..., None, None],
    )


def linearised_ratios(moments: Moments) -> Moments:
    """Turn pairs of variables into ratios of their means (delta method).

    Parameters
    ----------
    moments : Moments
        An even number of variables: numerator, denominator, numerator, ...

    Returns
    -------
    Moments
        One variable per ratio: the ratio of the means, and variances and
        covariances per user. Nan where a denominator's mean is not positive.

    References
    ----------
    .. [1] A. Deng, U. Knoblich, J. Lu (2018), "Applying the delta method in
       metric analytics: a practical guide with novel ideas", KDD 2018,
       233-242.

    Examples
    --------
    >>> found = linearised_ratios(
    ...     pair_moments(Sample(100, 6.0, 9.0), 2.0, 1.0, 1.5)
    ... )
    >>> found.means, found.covariances
    (array([3.]), array([[2.25]]))
    """
    means = np.asarray(moments.means, float)
    covariances = np.asarray(moments.covariances, float)
    below = np.where(means[..., 1::2] > 0, means[..., 1::2], np.nan)
    ratios = means[..., 0::2] / below
    left, right = ratios[..., :, None], ratios[..., None, :]
    whole = (
        covariances[..., 0::2, 0::2]
        + left * right * covariances[..., 1::2, 1::2]
    )
    explained = (
        left * covariances[..., 1::2, 0::2]
        + right * covariances[..., 0::2, 1::2]
    )
    is_variance = np.eye(ratios.shape[-1], dtype=bool)
    # A ratio that is the same for every user leaves only rounding.
    rest = np.where(is_variance, remainder(whole, explained), whole - explained)
    return Moments(
        moments.units, ratios, rest / below[..., :, None] / below[..., None, :]
    )


def checked_moments(name: str, moments: Moments) -> Moments:
    """Return a group as arrays of matching shapes, or refuse it by name.

    Moments may be nan where there is nothing to measure.

    Raises
    ------
    ValueError
        If shapes do not match, a variance is negative, or a covariance
        exceeds what the variances allow.

    Examples
    --------
    >>> checked_moments("control", Moments(9, [1.0], [[-1.0]]))
    Traceback (most recent call last):
    ValueError: control variances must not be negative, got -1.0
    """
    units, means, covariances = (np.asarray(part, float) for part in moments)
    if not means.ndim or covariances.shape[-2:] != 2 * means.shape[-1:]:
        raise ValueError(
            f"{name} needs one mean per variable and a square of covariances, "
            f"got shapes {means.shape} and {covariances.shape}"
        )
    variances = np.diagonal(covariances, axis1=-2, axis2=-1)
    if (variances < 0).any():
        raise ValueError(
            f"{name} variances must not be negative, got {np.nanmin(variances)}"
        )
    deviations = np.sqrt(variances)
    limit = deviations[..., :, None] * deviations[..., None, :]
    # Variables that hardly vary leave rounding as large as their means.
    size = np.abs(means)[..., :, None] * np.abs(means)[..., None, :]
    if (np.abs(covariances) > limit * (1 + 1e-6) + ROUNDING * size).any():
        raise ValueError(
            f"{name} covariances must not exceed the product of the standard "
            "deviations"
        )
    return Moments(units, means, covariances)


def broadcast_moments(*groups: Moments) -> list[Moments]:
    """Give all groups the same rows; each keeps its variables.

    Examples
    --------
    >>> groups = Moments(9, [1.0], [[1.0]]), Moments([9, 8], [1.0], [[1.0]])
    >>> [each.units.tolist() for each in broadcast_moments(*groups)]
    [[9, 9], [9, 8]]
    """
    rows = np.broadcast_shapes(
        *(np.shape(each.units) for each in groups),
        *(np.shape(each.means)[:-1] for each in groups),
        *(np.shape(each.covariances)[:-2] for each in groups),
    )
    return [
        Moments(
            np.broadcast_to(each.units, rows),
            np.broadcast_to(each.means, rows + np.shape(each.means)[-1:]),
            np.broadcast_to(
                each.covariances, rows + np.shape(each.covariances)[-2:]
            ),
        )
        for each in groups
    ]


def remainder(whole: ArrayLike, explained: ArrayLike) -> Floats:
    """Take what is explained off a variance; what only rounding left is 0.

    Examples
    --------
    >>> remainder([2.0, 2.0], [0.5, 2.0 - 1e-15])
    array([1.5, 0. ])
    """
    total = np.asarray(whole, float)
    rest = total - np.asarray(explained, float)
    return np.where(rest <= ROUNDING * total, 0.0, rest)
