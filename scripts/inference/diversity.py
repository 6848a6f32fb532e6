"""Retention after four or more genres against fewer, plain and stratified.

Pure functions of frames: stratum counts in, result rows out.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from inference.comparisons import Counts, proportion_difference
from inference.standardisation import standardised_effect

DAY_NUMBER = 7


def effect_rows(
    strata: pd.DataFrame, alpha: float = 0.05
) -> list[dict[str, Any]]:
    """Estimate the gap in D7 retention and what of it survives stratification.

    Parameters
    ----------
    strata : DataFrame
        Rows of ``fct_diversity_strata``.
    alpha : float, default 0.05
        Two-sided significance level, in (0, 1).

    Returns
    -------
    list of dict
        Rows of ``diversity_effects``, without ``input_version``; none when
        there are no strata.
    """
    own = strata[strata["day_number"] == DAY_NUMBER]
    if own.empty:
        return []
    counts = own.pivot_table(
        index="stratum_id",
        columns="is_explorer",
        values=["retained_users", "eligible_users"],
        aggfunc="sum",
        fill_value=0,
    ).reindex(
        columns=pd.MultiIndex.from_product(
            [["retained_users", "eligible_users"], [True, False]]
        ),
        fill_value=0,
    )
    x1, x0 = counts["retained_users"][True], counts["retained_users"][False]
    n1, n0 = counts["eligible_users"][True], counts["eligible_users"][False]
    rows = [_plain_gap(x1.sum(), n1.sum(), x0.sum(), n0.sum(), alpha)]
    for estimand, on_others in (
        ("stratified_ate", False),
        ("stratified_atu", True),
    ):
        found = standardised_effect(
            x1, n1, x0, n0, on_others=on_others, alpha=alpha
        )
        reason = None
        if not found.strata_used:
            reason = "no_overlap"
        elif not found.standard_error > 0:
            reason = "zero_variance"
        rows.append(
            _row(estimand, "stratified difference, influence-function variance")
            | found._asdict()
            | {
                "explorer_units": found.exposed_units,
                "causal_grade": "C",
                "alpha": alpha,
                "reason_code": reason,
            }
        )
        del rows[-1]["exposed_units"]
    return rows


def _row(estimand: str, method: str) -> dict[str, Any]:
    numbers = ("estimate", "standard_error", "ci_low", "ci_high", "p_value")
    return {"estimand": estimand, "method": method, **dict.fromkeys(numbers)}


def _plain_gap(
    x1: int, n1: int, x0: int, n0: int, alpha: float
) -> dict[str, Any]:
    """Compare all explorers with all others, as they are."""
    row = _row("naive_difference", "difference of proportions, Newcombe") | {
        "explorer_units": int(n1),
        "other_units": int(n0),
        "strata_used": None,
        "units_without_overlap": 0,
        "causal_grade": "D",
        "alpha": alpha,
        "reason_code": None,
    }
    if not n1 or not n0:
        return row | {"reason_code": "no_explorers" if n0 else "no_others"}
    if not 0 < x1 + x0 < n1 + n0:
        return row | {"reason_code": "zero_variance"}
    found = proportion_difference(Counts(x0, n0), Counts(x1, n1), alpha)
    return row | {
        "estimate": float(found.estimate),
        "standard_error": float(found.standard_error),
        "ci_low": float(found.ci_low),
        "ci_high": float(found.ci_high),
        "p_value": float(found.p_value),
    }
