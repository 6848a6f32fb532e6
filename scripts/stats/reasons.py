"""Why a row has no number, or not the one that was asked for.

One code per row; empty where nothing stands against. A row that cannot be
computed is nan and never stops the rows beside it; only input that no data
can produce is an error.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

Reasons = NDArray[np.str_]


def first_reason(cases: Mapping[str, ArrayLike]) -> Reasons:
    """Give each row the first code whose condition holds.

    Parameters
    ----------
    cases : mapping of str to array_like of bool
        Code to condition, the graver codes first; broadcast against each
        other.

    Returns
    -------
    ndarray of str
        Empty where no condition holds.

    Examples
    --------
    >>> first_reason({"empty_arm": [True, False], "late": [True, True]})
    array(['empty_arm', 'late'], dtype='<U9')
    """
    conditions = np.broadcast_arrays(
        *(np.asarray(condition, bool) for condition in cases.values())
    )
    return np.select(conditions, [np.str_(code) for code in cases], np.str_())


def combined(first: ArrayLike, second: ArrayLike) -> Reasons:
    """Keep the first code of each row, or else the second.

    Examples
    --------
    >>> combined(["", "late"], ["empty_arm", "empty_arm"])
    array(['empty_arm', 'late'], dtype='<U9')
    """
    own, other = np.asarray(first, str), np.asarray(second, str)
    return np.where(own == "", other, own)
