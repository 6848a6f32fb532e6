"""Many tests at once: adjusted p-values and levels within families.

A family is the set of tests that one statement is drawn from. Tests without a
p-value belong to none and stay nan. Pure functions, vectorised over all
families in one call.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stats.intervals import Floats, check_alpha

Integers = NDArray[np.int64]


class Adjustment(NamedTuple):
    """Tests, judged together with their family."""

    p_value: Floats  # adjusted; at most `alpha` exactly where the test rejects
    # Level for the test's own p-value and interval: the p-value is at most this
    # exactly where the test rejects.
    alpha: Floats
    family_size: Integers  # tests with a p-value in the family


def bonferroni(
    p_values: ArrayLike, families: ArrayLike = 0, alpha: float = 0.05
) -> Adjustment:
    """Share the level equally: no error in a family, at `alpha`.

    Intervals at the adjusted level all hold together.

    Arguments and refusals are those of `holm`; `alpha` is the level of the
    whole family.

    Examples
    --------
    >>> bonferroni([0.01, 0.04, 0.03]).p_value
    array([0.03, 0.12, 0.09])
    """
    tests = _ordered(p_values, families, alpha)
    return _restored(tests, tests.p * tests.size, alpha / tests.size)


def holm(
    p_values: ArrayLike, families: ArrayLike = 0, alpha: float = 0.05
) -> Adjustment:
    """Step down from the least: no error in a family, under any dependence.

    Rejects whatever Bonferroni rejects, and more. The adjusted level of a
    test is the one that it was held against; after the first that does not
    reject, its level stays for all that follow.

    Parameters
    ----------
    p_values : array_like
        In [0, 1]; nan for what was not tested.
    families : array_like, default 0
        Family of each test, numbers or text; broadcast against `p_values`.
    alpha : float, default 0.05
        Probability of any false rejection in a family, in (0, 1).

    Raises
    ------
    ValueError
        If a p-value is not in [0, 1], or `alpha` is not in (0, 1).

    References
    ----------
    .. [1] S. Holm (1979), "A simple sequentially rejective multiple test
       procedure", Scandinavian Journal of Statistics 6(2), 65-70.

    Examples
    --------
    >>> found = holm([0.01, 0.04, 0.03, 0.02], ["a", "a", "a", "b"])
    >>> found.p_value, found.family_size
    (array([0.03, 0.06, 0.06, 0.02]), array([3, 3, 3, 1]))
    """
    tests = _ordered(p_values, families, alpha)
    steps = tests.size - tests.tied_rank + 1
    adjusted = _running(np.maximum, tests.p * steps, tests.family)
    level = alpha / steps
    # The first test that fails holds its level for those after it.
    failed = np.where(tests.p > level, level, np.inf)
    held = _running(np.minimum, failed, tests.family)
    return _restored(tests, adjusted, np.minimum(level, held))


def benjamini_hochberg(
    p_values: ArrayLike, families: ArrayLike = 0, alpha: float = 0.05
) -> Adjustment:
    """Bound the expected share of false rejections among all rejections.

    Holds for independent tests and for those that depend positively. The
    adjusted level is that of Benjamini and Yekutieli's intervals, the share of
    rejected tests times `alpha`: of the intervals of the rejected tests, at
    most a share of `alpha` is expected to miss.

    Arguments and refusals are those of `holm`; `alpha` is the expected share of
    false rejections.

    References
    ----------
    .. [1] Y. Benjamini, Y. Hochberg (1995), "Controlling the false discovery
       rate: a practical and powerful approach to multiple testing", Journal
       of the Royal Statistical Society B 57(1), 289-300.
    .. [2] Y. Benjamini, D. Yekutieli (2005), "False discovery rate-adjusted
       multiple confidence intervals for selected parameters", JASA 100(469),
       71-81.

    Examples
    --------
    >>> found = benjamini_hochberg([0.01, 0.04, 0.03, 0.9])
    >>> found.p_value.round(4)
    array([0.04  , 0.0533, 0.0533, 0.9   ])
    >>> found.alpha
    array([0.0125, 0.0125, 0.0125, 0.0125])
    """
    tests = _ordered(p_values, families, alpha)
    steps = tests.size / tests.rank
    # From the greatest p-value down, so reversed.
    adjusted = _running(
        np.minimum, (tests.p * steps)[::-1], tests.family[::-1]
    )[::-1]
    rejected = np.zeros(tests.family.max(initial=-1) + 1, dtype=np.int64)
    np.maximum.at(
        rejected, tests.family, np.where(adjusted <= alpha, tests.rank, 0)
    )
    # Where nothing is rejected, the level that the first would have needed.
    share = np.maximum(rejected, 1)[tests.family] / tests.size
    return _restored(tests, adjusted, alpha * share)


class _Tests(NamedTuple):
    """Tests with a p-value, by family and then by p-value."""

    p: Floats
    family: Integers
    rank: Integers  # in the family, from 1
    tied_rank: Integers  # of the first with this p-value: no order in ties
    size: Integers
    alpha: float
    places: Integers  # of each in the input, flattened
    shape: tuple[int, ...]


def _ordered(p_values: ArrayLike, families: ArrayLike, alpha: float) -> _Tests:
    """Sort the tests, or refuse them."""
    check_alpha(alpha)
    given, labels = np.broadcast_arrays(
        np.asarray(p_values, float), np.asarray(families)
    )
    if ((given < 0) | (given > 1)).any():
        raise ValueError(
            f"p_values must lie in [0, 1], got {np.nanmin(given)} to "
            f"{np.nanmax(given)}"
        )
    places = np.flatnonzero(~np.isnan(given))
    p = given.ravel()[places]
    _, family = np.unique(labels.ravel()[places], return_inverse=True)
    order = np.lexsort((p, family))
    places, p, family = places[order], p[order], family[order]
    sizes = np.bincount(family)
    starts = np.cumsum(sizes) - sizes
    place = np.arange(len(p))
    is_tied = np.zeros(len(p), bool)
    is_tied[1:] = (p[1:] == p[:-1]) & (family[1:] == family[:-1])
    first = np.maximum.accumulate(np.where(is_tied, 0, place))
    return _Tests(
        p=p,
        family=family,
        rank=place - starts[family] + 1,
        tied_rank=first - starts[family] + 1,
        size=sizes[family],
        alpha=alpha,
        places=places,
        shape=given.shape,
    )


def _running(choose: np.ufunc, values: Floats, family: Integers) -> Floats:
    """Accumulate within families, which lie together.

    Each pass doubles how far back a test looks, so that no family needs a
    loop of its own.
    """
    found, step = values.copy(), 1
    longest = np.bincount(family).max(initial=0)
    while step < longest:
        is_own = family[step:] == family[:-step]
        chosen = choose(found[step:], found[:-step])
        found[step:] = np.where(is_own, chosen, found[step:])
        step *= 2
    return found


def _restored(tests: _Tests, adjusted: Floats, level: Floats) -> Adjustment:
    """Put the tests back where they came from; both verdicts are one."""
    adjusted = np.minimum(adjusted, 1)
    # Rounding must not part them where a p-value lies exactly at its level.
    level = np.where(
        adjusted <= tests.alpha,
        np.maximum(level, tests.p),
        np.minimum(level, np.nextafter(tests.p, 0)),
    )

    def placed(values: Floats | Integers, empty: float) -> Floats:
        whole = np.full(np.prod(tests.shape, dtype=int), empty)
        whole[tests.places] = values
        return whole.reshape(tests.shape)

    return Adjustment(
        p_value=placed(adjusted, np.nan),
        alpha=placed(level, np.nan),
        family_size=placed(tests.size, 0).astype(np.int64),
    )
