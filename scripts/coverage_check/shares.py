"""Shares found over many replicates, beside the shares that are claimed.

Pure functions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from stats.intervals import wilson_interval

# Bounds of a share found over many replicates, two-sided.
MONTE_CARLO_ALPHA = 0.01


def share_row(
    name: str, nominal: float, hits: ArrayLike, margin: float = 0.0
) -> dict[str, Any]:
    """Compare how often something held with how often it should.

    The nominal share is claimed, in [0, 1]; hits, of shape (n_replicates,), say
    whether it held, replicate by replicate. The margin is the largest harmless
    distance of the true share from the claim: intervals of discrete data are
    nominal only so far.

    Gives ``name``, ``nominal``, ``found``, ``low`` and ``high`` (Monte Carlo
    interval of `found` at 99 %), ``replicates`` and ``is_met``: whether the
    claim, within its margin, lies in that interval.

    Raises
    ------
    ValueError
        If there is no replicate.

    Examples
    --------
    >>> row = share_row("coverage", 0.95, [True] * 93 + [False] * 7)
    >>> row["found"], row["is_met"]
    (0.93, True)
    """
    held = np.asarray(hits, bool)
    if not held.size:
        raise ValueError(f"{name}: no replicate to count")
    count = int(held.sum())
    low, high = wilson_interval([count], [held.size], MONTE_CARLO_ALPHA)[0]
    return {
        "name": name,
        "nominal": nominal,
        "found": count / held.size,
        "low": float(low),
        "high": float(high),
        "replicates": int(held.size),
        "is_met": bool(low - margin <= nominal <= high + margin),
    }


def ceiling_row(name: str, nominal: float, hits: ArrayLike) -> dict[str, Any]:
    """Compare how often something went wrong with how often it may.

    As `share_row`, with the largest share allowed as the claim, which is met
    unless the whole interval lies above it.

    Examples
    --------
    >>> ceiling_row("alarms", 0.05, [False] * 100)["is_met"]
    True
    """
    row = share_row(name, nominal, hits)
    return row | {"is_met": row["low"] <= nominal}
