"""Kinds of metric: what each is estimated from, how, and how it is shown.

The macro `kinds_with` says the same of them to SQL, and what its properties
mean. A kind is added there and here, with an estimator in
`experiments.methods` if it needs one of its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Kind(NamedTuple):
    """A kind of metric."""

    method: str  # the test that speaks for it
    # The test of its mean per user, or of what is made one; "" for none.
    mean_method: str
    # A user counts 1 or 0: intervals are Wilson's, differences are points.
    is_share: bool = False
    # A sum over a sum, made a mean per user by the delta method.
    has_denominator: bool = False
    # Its mean is the weighted mean of groups of users, and each day has one.
    adds_up: bool = False
    has_ranks: bool = False  # estimated from values by rank, not from moments

    @property
    def difference_unit(self) -> str:
        """Unit of a difference: "points", or "" for the measure's own."""
        return "points" if self.is_share else ""


KINDS = {
    "mean": Kind("welch_t", "welch_t", adds_up=True),
    "proportion": Kind(
        "two_proportion_z", "welch_t", is_share=True, adds_up=True
    ),
    "ratio": Kind("ratio_delta", "ratio_delta", has_denominator=True),
    "quantile": Kind("quantile_outer", "", has_ranks=True),
}
METHODS = {name for kind in KINDS.values() for name in kind[:2]} - {""}


def having(kinds: object, attribute: str) -> NDArray[np.bool_]:
    """Tell for each kind whether it has a property.

    From kinds of shape (n,) and a property of `Kind`, such as ``is_share``.

    Raises
    ------
    ValueError
        If a kind is none of `KINDS`.

    Examples
    --------
    >>> having(["mean", "ratio"], "has_denominator").tolist()
    [False, True]
    """
    given = np.asarray(kinds, dtype=str)
    for name in set(given.tolist()) - KINDS.keys():
        raise ValueError(f"kind {name} is not in scripts/stats/kinds.py")
    names = [name for name, one in KINDS.items() if getattr(one, attribute)]
    return np.isin(given, names)
