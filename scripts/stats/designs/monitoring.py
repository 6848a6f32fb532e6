"""Verdicts on a running test: intervals that hold at every look.

With the quantiles of `stats.designs.boundaries` the looks are those of a
planned test. With `sequence_quantile` there may be any number of looks, for
ever, at the price of wider intervals. Both apply to the absolute effect;
`stats.arms.ratios` carries their verdict over to the relative one.

Pure functions: arrays in, arrays out, nothing read or written.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stats.intervals import MINIMUM_UNITS, Floats, check_alpha


class Monitored(NamedTuple):
    """What each look shows."""

    # (..., n_looks): Interval that holds at all looks together, in the unit of
    # the estimate; infinite where a look does not test.
    ci_low: Floats
    ci_high: Floats
    # (..., n_looks): Whether the interval of this look excludes 0.
    is_crossed: NDArray[np.bool_]


def monitored(
    estimate: ArrayLike, standard_error: ArrayLike, quantile: ArrayLike
) -> Monitored:
    """Judge every look by its own quantile.

    Parameters
    ----------
    estimate, standard_error : array_like of shape (..., n_looks)
        Absolute effect on all users so far, and its standard error.
    quantile : array_like of shape (..., n_looks)
        From `spending_boundaries` or `sequence_quantile`; infinite where a
        look does not test.

    Raises
    ------
    ValueError
        If there is no look, an estimate is not finite, or a standard error or
        quantile is not positive.

    Examples
    --------
    >>> found = monitored([0.5, 0.6, 0.7], [0.4, 0.3, 0.2], [3.7, 2.5, 2.0])
    >>> found.ci_low.round(2), found.is_crossed
    (array([-0.98, -0.15,  0.3 ]), array([False, False,  True]))
    """
    centre, error, q = np.broadcast_arrays(
        np.asarray(estimate, float),
        np.asarray(standard_error, float),
        np.asarray(quantile, float),
    )
    if not (centre.ndim and centre.shape[-1]):
        raise ValueError("estimate must have one number per look")
    if not np.isfinite(centre).all():
        raise ValueError("estimate must be finite")
    if not ((error > 0) & np.isfinite(error)).all():
        raise ValueError(
            f"standard_error must be positive and finite, got {error.min()}"
        )
    if not (q > 0).all():
        raise ValueError(f"quantile must be positive, got {q.min()}")

    half = q * error
    return Monitored(centre - half, centre + half, np.abs(centre) > half)


def sequence_quantile(
    units: ArrayLike, planned_units: ArrayLike, alpha: float = 0.05
) -> Floats:
    """Give the quantile of an asymptotic confidence sequence.

    Times the standard error, it is the half-width of an interval that covers
    at all looks together, however many there are and whenever they happen.

    Parameters
    ----------
    units : array_like
        Users so far, both arms; at least 4.
    planned_units : array_like
        Users, both arms, at which the interval is to be tightest; fixed
        before the first look; at least 4.
    alpha : float, default 0.05
        Two-sided significance level of all looks together, in (0, 1).

    Returns
    -------
    ndarray
        Quantiles, broadcast.

    Raises
    ------
    ValueError
        If users are too few or `alpha` is not in (0, 1).

    Notes
    -----
    The coverage is asymptotic: the first look should already have users enough
    for a z-test.

    References
    ----------
    .. [1] I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy and A. Ramdas
       (2024), "Time-uniform central limit theory and asymptotic confidence
       sequences", Annals of Statistics 52(6), 2613-2640; equation 9.

    Examples
    --------
    >>> sequence_quantile([2_000, 10_000, 50_000], 10_000).round(3)
    array([3.364, 3.035, 3.153])
    """
    check_alpha(alpha)
    mixing = _mixing(units, planned_units, alpha)
    square = (1 + 1 / mixing) * (np.log1p(mixing) - 2 * np.log(alpha))
    return np.asarray(np.sqrt(square), float)


def _mixing(units: ArrayLike, planned_units: ArrayLike, alpha: float) -> Floats:
    """Give the mixing variance in units of the squared standard error."""
    n, planned = np.asarray(units, float), np.asarray(planned_units, float)
    for name, number in (("units", n), ("planned_units", planned)):
        if not (number >= 2 * MINIMUM_UNITS).all():
            raise ValueError(
                f"{name} must be at least {2 * MINIMUM_UNITS}, got "
                f"{number.min()}"
            )
    reach = -2 * np.log(alpha)
    return np.asarray(n / planned * (reach + np.log1p(reach)), float)
