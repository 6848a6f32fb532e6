"""Whether a rate rises or falls along an order, or within strata of it.

Pure functions: counts in, tests out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from stats.intervals import Floats


class Trend(NamedTuple):
    """A test by its normal statistic."""

    # Standard normal if there is nothing; positive when the rate rises, or is
    # higher for the exposed. nan when nothing varies.
    statistic: float
    p_value: float  # two-sided


def trend(successes: ArrayLike, trials: ArrayLike, scores: ArrayLike) -> Trend:
    """Test a linear trend of rates over ordered groups (Cochran-Armitage).

    Parameters
    ----------
    successes, trials : array_like of shape (n_groups,)
        Users with the outcome, and all users.
    scores : array_like of shape (n_groups,)
        What the groups stand for, such as numbers of genres.

    Raises
    ------
    ValueError
        If successes exceed trials or shapes differ.

    References
    ----------
    .. [1] P. Armitage (1955), "Tests for linear trends in proportions and
       frequencies", Biometrics 11(3), 375-386.

    Examples
    --------
    >>> found = trend([10, 20, 30], [100, 100, 100], [1, 2, 3])
    >>> round(found.statistic, 4), round(found.p_value, 5)
    (3.5355, 0.00041)
    """
    x, n = _counts(successes, trials)
    s = np.asarray(scores, float)
    if s.shape != x.shape:
        raise ValueError("successes, trials and scores need the same groups")
    total = n.sum()
    if not total or not 0 < x.sum() < total:
        return Trend(np.nan, np.nan)
    rate = x.sum() / total
    spread = n @ s**2 - (n @ s) ** 2 / total
    return _normal(s @ (x - n * rate), rate * (1 - rate) * spread)


def permuted(
    exposed_successes: ArrayLike,
    exposed_units: ArrayLike,
    other_successes: ArrayLike,
    other_units: ArrayLike,
) -> Trend:
    """Test an exposure against shuffling it within strata.

    Within a stratum every allotment of the exposure to the users is equally
    likely if it has no effect and strata are alike; the number of exposed with
    the outcome is then hypergeometric. Its sum over strata is compared with
    what is expected by its exact mean and variance (Cochran-Mantel-Haenszel,
    without a correction for continuity).

    Parameters
    ----------
    exposed_successes, exposed_units : array_like of shape (n_strata,)
        Exposed users with the outcome, and all exposed users.
    other_successes, other_units : array_like of shape (n_strata,)
        The same for the others.

    Raises
    ------
    ValueError
        If successes exceed units or shapes differ.

    References
    ----------
    .. [1] N. Mantel, W. Haenszel (1959), "Statistical aspects of the analysis
       of data from retrospective studies of disease", JNCI 22(4), 719-748.

    Examples
    --------
    >>> found = permuted([8, 6], [20, 20], [3, 5], [20, 40])
    >>> round(found.statistic, 3)
    2.394
    """
    x1, n1 = _counts(exposed_successes, exposed_units)
    x0, n0 = _counts(other_successes, other_units)
    if x1.shape != x0.shape:
        raise ValueError("every argument needs one number per stratum")
    n, x = n1 + n0, x1 + x0
    # A stratum of one user can be shuffled in one way only.
    able = n > 1
    n, x, n1, n0, x1 = (part[able] for part in (n, x, n1, n0, x1))
    spread = n1 * n0 * x * (n - x) / (n**2 * (n - 1))
    return _normal((x1 - n1 * x / n).sum(), spread.sum())


def _counts(successes: ArrayLike, trials: ArrayLike) -> tuple[Floats, Floats]:
    x, n = np.asarray(successes, float), np.asarray(trials, float)
    if x.shape != n.shape:
        raise ValueError("successes and trials need the same groups")
    if not ((x >= 0) & (x <= n)).all():
        raise ValueError("successes must lie in [0, trials]")
    return x, n


def _normal(excess: float, variance: float) -> Trend:
    if not variance > 0:
        return Trend(np.nan, np.nan)
    statistic = float(excess / np.sqrt(variance))
    return Trend(statistic, float(2 * ndtr(-abs(statistic))))
