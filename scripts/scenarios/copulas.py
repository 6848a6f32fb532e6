"""Terms that are drawn together: a Gaussian copula of their normal scores.

Pure functions: arrays in, arrays out.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stats.intervals import Floats


def correlated(
    scores: Mapping[str, Floats],
    correlations: Mapping[tuple[str, str], float],
) -> dict[str, Floats]:
    """Correlate independent normal scores (a Gaussian copula).

    Each correlation is that of the scores of two terms, in [-1, 1]; for normal
    terms it is the correlation of the terms themselves. A term that is not
    drawn is skipped, and terms in no pair keep their scores.

    Raises
    ------
    ValueError
        If a correlation is outside [-1, 1], or all of them cannot hold
        together.

    References
    ----------
    .. [1] R. B. Nelsen (2006), "An Introduction to Copulas", 2nd edition,
       section 2.3.

    Examples
    --------
    >>> one, two = np.array([1.0, -1.0]), np.array([0.0, 0.0])
    >>> correlated({"a": one, "b": two}, {("a", "b"): -0.5})["b"]
    array([-0.5,  0.5])
    """
    found = dict(scores)
    for group in correlated_groups(list(scores), correlations):
        if len(group) == 1:
            continue
        matrix = np.eye(len(group))
        for (first, second), value in correlations.items():
            if first in group and second in group:
                i, j = group.index(first), group.index(second)
                matrix[i, j] = matrix[j, i] = value
        try:
            root = np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            raise ValueError(
                f"the correlations of {', '.join(group)} cannot hold together;"
                " bring them nearer to 0"
            ) from None
        mixed = root @ np.stack([scores[name] for name in group])
        found |= dict(zip(group, mixed, strict=True))
    return found


def correlated_groups(
    names: list[str], correlations: Mapping[tuple[str, str], float]
) -> list[list[str]]:
    """Group terms that are drawn together; the others are groups of one.

    Examples
    --------
    >>> correlated_groups(["a", "b", "c"], {("c", "a"): 0.5})
    [['a', 'c'], ['b']]
    """
    groups = {name: [name] for name in names}
    for (first, second), value in correlations.items():
        if first not in groups or second not in groups or not value:
            continue
        one, other = groups[first], groups[second]
        if one is not other:
            merged = [name for name in names if name in one + other]
            groups |= dict.fromkeys(merged, merged)
    return [group for name, group in groups.items() if group[0] == name]
