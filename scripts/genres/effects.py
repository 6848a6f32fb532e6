"""Retention after four or more genres against fewer, plain and adjusted.

Pure functions of frames: counts of marts in, result rows out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from genres.comparison import (
    SEGMENTS,
    Study,
    by_activity,
    exploration_rows,
    fitted,
    studied,
)
from stats.arms.comparisons import Counts, proportion_difference
from stats.intervals import normal_quantile
from stats.observed.causal import (
    Means,
    contrast,
    doubly_robust,
    doubly_robust_among,
    outcome_regression,
    weighting,
)
from stats.observed.e_values import e_value
from stats.observed.slopes import stratified_slope
from stats.observed.standardisation import standardised_effect

__all__ = ["HEADLINE", "effect_rows", "judged", "rounded"]

HEADLINE = "aipw_ate"
AIPW = "cross-fitted AIPW, influence-function variance"
JUDGED = ("estimate", "standard_error", "ci_low", "ci_high", "p_value")
NUMBERS = (
    *JUDGED,
    *("explorer_rate", "other_rate"),
    *("risk_ratio", "risk_ratio_ci_low", "risk_ratio_ci_high"),
    *("e_value", "e_value_limit"),
    *("explorer_units", "other_units", "strata_used", "units_without_overlap"),
    *("trimmed_rate", "effective_units", "maximum_weight"),
)
Row = dict[str, Any]


def effect_rows(
    strata: pd.DataFrame,
    cells: pd.DataFrame,
    doses: pd.DataFrame,
    study: Study,
    alpha: float = 0.05,
) -> list[Row]:
    """Estimate the gap in retention and what of it survives adjustment.

    Takes rows of ``fct_genre_strata``, ``fct_genre_cells`` and
    ``fct_genre_doses``, the `comparison` of the same cells, and the two-sided
    significance level, in (0, 1). Gives the rows of ``genre_effects`` without
    ``input_version``; none when there are no strata.
    """
    if strata.empty:
        return []
    [day] = strata["day_number"].unique()
    rows = _stratified(strata, alpha)
    compared = exploration_rows(cells, "genres")
    if len(compared):
        rows += _compared(compared, study, alpha)
        rows.append(_slope(doses, alpha))
    return [rounded(row | {"wording": _wording(row, day)}) for row in rows]


def rounded(row: Row) -> Row:
    """Keep twelve digits, so that the last ones of a sum are never shown.

    Examples
    --------
    >>> rounded({"estimate": 0.1 + 0.2, "method": "sum", "units": 3})
    {'estimate': 0.3, 'method': 'sum', 'units': 3}
    """
    return {
        name: float(f"{value:.12g}") if isinstance(value, float) else value
        for name, value in row.items()
    }


def judged(found: Any) -> Row:  # noqa: ANN401
    """Take what every estimate has: it, its error, interval and p-value."""
    return {name: float(getattr(found, name)) for name in JUDGED}


def _row(
    estimand: str, population: str, adjustment: str, method: str, grade: str
) -> Row:
    return {
        "estimand": estimand,
        "population": population,
        "adjustment": adjustment,
        "method": method,
        "effect_scale": "rate difference",
        "is_headline": estimand == HEADLINE,
        **dict.fromkeys(NUMBERS),
        "causal_grade": grade,
        "reason_code": None,
    }


def _wording(row: Row, day: int) -> str:
    """Say what a row may be quoted as: an association, with its conditions."""
    if row["estimate"] is None:
        return f"no number: {row['reason_code']}"
    what = {
        "rate difference": "Exploring many genres",
        "rate difference per genre": "One more effective genre",
    }[row["effect_scale"]]
    held = {
        "none": "nothing held equal",
        "segments": "segment held equal, activity not",
        "plays_platform": "plays and platform held equal",
        "volume_segments": "activity and segment held equal",
        "plays_days": "plays and active days held equal",
    }[row["adjustment"]]
    low, high = 100 * row["ci_low"], 100 * row["ci_high"]
    return (
        f"{what} is associated with {100 * row['estimate']:+.2f} points of "
        f"D{day} retention ({low:+.2f} to {high:+.2f}), {held}"
    )


def _stratified(strata: pd.DataFrame, alpha: float) -> list[Row]:
    """Compare explorers with others, plainly and within strata."""
    counts = strata.pivot_table(
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
    totals = (x1.sum(), n1.sum(), x0.sum(), n0.sum())
    rows = [_plain_gap("naive_difference", "observed", totals, alpha)]
    for estimand, on_others in (
        ("stratified_ate", False),
        ("stratified_atu", True),
    ):
        found = standardised_effect(
            x1, n1, x0, n0, on_others=on_others, alpha=alpha
        )
        row = _row(
            estimand,
            "observed",
            "plays_platform",
            "stratified difference, influence-function variance",
            "C",
        )
        reason = None
        if not found.strata_used:
            reason = "no_overlap"
        elif not found.standard_error > 0:
            reason = "zero_variance"
        rows.append(
            row
            | judged(found)
            | ({"estimate": None} if reason == "no_overlap" else {})
            | {
                "explorer_rate": found.exposed_rate,
                "other_rate": found.other_rate,
                "explorer_units": found.exposed_units,
                "other_units": found.other_units,
                "strata_used": found.strata_used,
                "units_without_overlap": found.units_without_overlap,
                "reason_code": reason,
                "alpha": alpha,
            }
            | _ratio(found.ratio, found.ratio_ci_low, found.ratio_ci_high)
        )
    return rows


def _ratio(ratio: float, low: float, high: float) -> Row:
    """Give a ratio, and how strong what explains it away must be."""
    strength = e_value(ratio, low, high)
    return {
        "risk_ratio": ratio,
        "risk_ratio_ci_low": low,
        "risk_ratio_ci_high": high,
        "e_value": strength.estimate,
        "e_value_limit": strength.limit,
    }


def _plain_gap(
    estimand: str,
    population: str,
    counts: tuple[float, ...],
    alpha: float,
) -> Row:
    """Compare all explorers with all others, as they are."""
    x1, n1, x0, n0 = counts
    row = _row(
        estimand,
        population,
        "none",
        "difference of proportions, Newcombe",
        "D",
    ) | {
        "explorer_units": int(n1),
        "other_units": int(n0),
        "units_without_overlap": 0,
        "alpha": alpha,
    }
    if not n1 or not n0:
        return row | {"reason_code": "no_explorers" if n0 else "no_others"}
    if not 0 < x1 + x0 < n1 + n0:
        return row | {"reason_code": "zero_variance"}
    found = proportion_difference(Counts(x0, n0), Counts(x1, n1), alpha)
    row |= judged(found) | {
        "explorer_rate": float(x1 / n1),
        "other_rate": float(x0 / n0),
    }
    if x1 and x0:
        ratio = (x1 / n1) / (x0 / n0)
        # The interval of Katz et al. (1978), on the log scale.
        reach = normal_quantile(alpha) * np.sqrt(
            1 / x1 - 1 / n1 + 1 / x0 - 1 / n0
        )
        low, high = ratio * np.exp(-reach), ratio * np.exp(reach)
        row |= _ratio(float(ratio), float(low), float(high))
    return row


def _compared(frame: pd.DataFrame, study: Study, alpha: float) -> list[Row]:
    """Estimate among those compared at the landmark, one row per estimand."""
    segments = studied(frame, SEGMENTS)
    cells = study.cells
    explores = cells.level == 1
    rows = [
        _plain_gap(
            "compared_difference",
            "compared",
            tuple(
                counts[side].sum()
                for side in (explores, ~explores)
                for counts in (cells.successes, cells.units)
            ),
            alpha,
        ),
        _estimated(
            _row("total_ate", "compared", "segments", AIPW, "D"),
            segments,
            lambda own: doubly_robust(own.cells, own.crossed),
            alpha,
        ),
    ]
    estimators: dict[str, tuple[str, str, Callable[[Study], Means]]] = {
        "regression_ate": (
            "compared",
            "logistic outcome regression, influence-function variance",
            lambda own: outcome_regression(own.cells, own.whole),
        ),
        "weighting_ate": (
            "compared",
            "stabilised inverse propensity weights, influence-function"
            " variance",
            lambda own: weighting(own.cells, own.whole),
        ),
        HEADLINE: (
            "compared",
            AIPW,
            lambda own: doubly_robust(own.cells, own.crossed),
        ),
        "aipw_att": (
            "explorers",
            AIPW,
            lambda own: doubly_robust_among(own.cells, own.crossed, 1),
        ),
        "aipw_atu": (
            "others",
            AIPW,
            lambda own: doubly_robust_among(own.cells, own.crossed, 0),
        ),
    }
    for estimand, (population, method, estimator) in estimators.items():
        row = _row(estimand, population, "volume_segments", method, "C")
        rows.append(_estimated(row, study, estimator, alpha))
    for name, part in by_activity(cells).items():
        row = _row(f"{HEADLINE}_{name}", name, "volume_segments", AIPW, "C")
        estimator = estimators[HEADLINE][2]
        rows.append(_estimated(row, fitted(part), estimator, alpha))
    return rows


def _estimated(
    row: Row, study: Study, estimator: Callable[[Study], Means], alpha: float
) -> Row:
    """Fill a row with what an estimator finds, or with the reason."""
    row = row | {"alpha": alpha, "reason_code": study.reason}
    if study.reason:
        return row
    means = estimator(study)
    other_units, explorer_units = means.units
    total = study.cells.units.sum()
    row |= {
        "explorer_units": int(explorer_units),
        "other_units": int(other_units),
        "units_without_overlap": int(total - means.units.sum()),
        "trimmed_rate": means.trimmed_rate,
    }
    if not np.isfinite(means.estimate).all():
        return row | {"reason_code": "no_overlap"}
    found = contrast(means, alpha=alpha)
    return (
        row
        | judged(found)
        | {
            "explorer_rate": float(means.estimate[1]),
            "other_rate": float(means.estimate[0]),
            "effective_units": means.effective_units,
            "maximum_weight": means.maximum_weight,
        }
        | _ratio(found.ratio, found.ratio_ci_low, found.ratio_ci_high)
    )


def _slope(doses: pd.DataFrame, alpha: float) -> Row:
    """Estimate what goes with one more effective genre."""
    row = _row(
        "effective_genre_slope",
        "compared",
        "plays_days",
        "slope within strata, least squares, HC1",
        "C",
    ) | {"effect_scale": "rate difference per genre", "alpha": alpha}
    stratum = doses.groupby(["valid_play_band", "active_day_count"]).ngroup()
    found = stratified_slope(
        stratum,
        doses["effective_tenths"] / 10,
        doses["retained_users"],
        doses["eligible_users"],
        alpha,
    )
    if not found.strata_used:
        return row | {"reason_code": "no_overlap"}
    if not found.standard_error > 0:
        return row | {"reason_code": "zero_variance"}
    return (
        row
        | judged(found)
        | {
            "strata_used": found.strata_used,
            "units_without_overlap": found.units_without_overlap,
        }
    )
