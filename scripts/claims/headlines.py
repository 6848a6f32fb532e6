"""Headline numbers: what was found, beside what was claimed.

Pure functions: frames and result rows in, result rows out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from typing import Any, NamedTuple

import pandas as pd

from genres.effects import DAY_NUMBER
from scenarios.projections import Projected
from scenarios.sources import pick
from stats.intervals import normal_quantile, wilson_interval

Row = Mapping[str, Any]

TOLERATED_Z = 3.0  # standard errors between found and expected


class Found(NamedTuple):
    """A number with its sampling error and bounds."""

    value: float
    standard_error: float
    ci_low: float
    ci_high: float


class Headline(NamedTuple):
    """What a headline says when nothing is claimed, and its unit."""

    unit: str
    statement: str


RATE, GAP, SESSIONS = "rate", "rate difference", "sessions per user"

HEADLINES = {
    "d7_rate_1_genre": Headline(RATE, "D7 retention, 1 genre explored"),
    "d7_rate_2_genres": Headline(RATE, "D7 retention, 2 genres explored"),
    "d7_rate_3_genres": Headline(RATE, "D7 retention, 3 genres explored"),
    "d7_rate_4_plus_genres": Headline(RATE, "D7 retention, 4 or more genres"),
    "d7_rate_under_4_genres": Headline(RATE, "D7 retention, under 4 genres"),
    "d7_gap": Headline(GAP, "D7 retention, 4 or more genres minus fewer"),
    "d1_above_d7": Headline(GAP, "D1 retention minus D7 retention"),
    "d7_above_d30": Headline(GAP, "D7 retention minus D30 retention"),
    "d7_rate": Headline(RATE, "D7 retention of all new users"),
    "push_sessions_a": Headline(SESSIONS, "Sessions in 7 days, no reminders"),
    "push_sessions_b": Headline(SESSIONS, "Sessions in 7 days, reminders"),
    "push_uplift": Headline(SESSIONS, "Sessions in 7 days that reminders add"),
    "onboarding_d1_uplift": Headline(GAP, "D1 retention onboarding adds"),
    "scenario_explorers_points": Headline(GAP, "Explorers scenario, naive"),
    "scenario_push_sessions": Headline(
        "sessions per week", "Push rollout scenario"
    ),
    "scenario_engineer_roi": Headline("EUR per EUR", "Engineer ROI scenario"),
}

GENRES = {
    "d7_rate_1_genre": ("1",),
    "d7_rate_2_genres": ("2",),
    "d7_rate_3_genres": ("3",),
    "d7_rate_4_plus_genres": ("4+",),
    "d7_rate_under_4_genres": ("0", "1", "2", "3"),
}

PROJECTED = {
    "scenario_explorers_points": ("explorers", "naive", "d7_rate_change"),
    "scenario_push_sessions": (
        "push_rollout",
        "randomised",
        "extra_sessions_per_week",
    ),
    "scenario_engineer_roi": ("engineer_roi", "randomised", "roi"),
}


# Tables, and columns and values that pick a row there.
_FIRST = {
    "outcome_version": "raw",
    "policy": "first_assignment",
    "adjustment": "none",
}
PUSH = {
    "experiment_id": "push_reminders",
    "metric_name": "sessions_per_user",
    "method": "welch_t",
    **_FIRST,
}
ONBOARDING = {
    "experiment_id": "onboarding_personalisation",
    "metric_name": "d1_retention",
    "method": "two_proportion_z",
    **_FIRST,
}
EFFECT_ROWS = {
    "d7_gap": ("genre_effects", {"estimand": "naive_difference"}),
    "push_uplift": ("experiment_results", PUSH),
    "onboarding_d1_uplift": ("experiment_results", ONBOARDING),
}


def headline_rows(
    claims: Iterable[Row],
    *,
    summary: pd.DataFrame,
    genres: pd.DataFrame,
    statistics: pd.DataFrame,
    results: Mapping[str, Sequence[Row]],
    projected: Projected,
    alpha: float = 0.05,
) -> list[dict[str, Any]]:
    """Set what was found beside what was claimed.

    A headline appears when it is claimed or found.

    Parameters
    ----------
    claims : iterable of mapping
        Rows of ``dim_headline_claims``; an empty cell is None.
    summary, genres, statistics : DataFrame
        Rows of ``fct_retention_summary``, ``fct_retention_by_genres`` and
        ``fct_experiment_statistics``.
    results : mapping of str to sequence of mapping
        ``genre_effects`` and ``experiment_results``.
    projected : Projected
        Of the scenarios.
    alpha : float, default 0.05
        Two-sided significance level, in (0, 1).

    Returns
    -------
    list of dict
        Rows of ``headlines``, in the order of `HEADLINES`.

    Raises
    ------
    ValueError
        Naming the claim and the remedy, if one cannot be used.
    """
    claimed = _claims(claims)
    found = (
        _rates(summary, genres, alpha)
        | _effects(results)
        | _arms(results, statistics)
        | _projected(projected, alpha)
    )
    rows = []
    for name, headline in HEADLINES.items():
        if name not in claimed and name not in found:
            continue
        claim, number = claimed.get(name, {}), found.get(name)
        expected = claim.get("expected")
        z_score = None
        if number is not None and expected is not None:
            z_score = _z_score(number, expected)
        rows.append(
            {
                "headline_name": name,
                "statement": claim.get("statement") or headline.statement,
                "unit": headline.unit,
                "expected": expected,
                "found": number and number.value,
                "standard_error": number and number.standard_error,
                "ci_low": number and number.ci_low,
                "ci_high": number and number.ci_high,
                "z_score": z_score,
                "is_within_error": None
                if z_score is None
                else abs(z_score) <= TOLERATED_Z,
                "reason_code": "not_found" if number is None else None,
            }
        )
    return rows


def _claims(rows: Iterable[Row]) -> dict[str, Row]:
    """Return claims by headline, or refuse one by its name."""
    claimed: dict[str, Row] = {}
    for row in rows:
        name = row["headline_name"]
        where = f"headline_claims.csv, {name}"
        if name not in HEADLINES:
            raise ValueError(
                f"{where}: unknown headline_name; use one of "
                f"{', '.join(HEADLINES)}"
            )
        if name in claimed:
            raise ValueError(f"{where}: claimed twice; remove one")
        if row["unit"] != HEADLINES[name].unit:
            raise ValueError(
                f"{where}: the unit must be {HEADLINES[name].unit!r}, got "
                f"{row['unit']!r}"
            )
        claimed[name] = row
    return claimed


def _z_score(number: Found, expected: float) -> float | None:
    """Return the distance from the claim in standard errors."""
    if not number.standard_error > 0:
        return None
    return (number.value - expected) / number.standard_error


def _rate(cells: pd.DataFrame, alpha: float) -> Found | None:
    """Pool cells into one retention rate; None when nobody is eligible."""
    retained = int(cells["retained_users"].sum())
    eligible = int(cells["eligible_users"].sum())
    if not eligible:
        return None
    rate = retained / eligible
    low, high = wilson_interval([retained], [eligible], alpha)[0]
    error = sqrt(rate * (1 - rate) / eligible)
    return Found(rate, error, float(low), float(high))


def _rates(
    summary: pd.DataFrame, genres: pd.DataFrame, alpha: float
) -> dict[str, Found]:
    """Find the retention headlines."""
    everyone = summary[
        (summary["dimension"] == "all")
        & (summary["retention_type"] == "on_day")
        & (summary["day_mode"] == "calendar")
    ]
    days = {
        day: _rate(everyone[everyone["from_day_number"] == day], alpha)
        for day in (1, 7, 30)
    }
    own = genres[
        (genres["dimension"] == "all") & (genres["day_number"] == DAY_NUMBER)
    ]
    found = {
        name: _rate(own[own["genres_explored"].isin(buckets)], alpha)
        for name, buckets in GENRES.items()
    }
    found["d7_rate"] = days[7]
    quantile = normal_quantile(alpha)
    for name, early, late in (("d1_above_d7", 1, 7), ("d7_above_d30", 7, 30)):
        before, after = days[early], days[late]
        if before is not None and after is not None:
            gap = before.value - after.value
            # The same users return on both days, which makes the gap steadier
            # than two independent rates: this error is an upper bound.
            error = sqrt(before.standard_error**2 + after.standard_error**2)
            reach = quantile * error
            found[name] = Found(gap, error, gap - reach, gap + reach)
    return {name: number for name, number in found.items() if number}


def _effects(results: Mapping[str, Sequence[Row]]) -> dict[str, Found]:
    """Find the headlines that are effects or arms."""
    found = {}
    for name, (table, keys) in EFFECT_ROWS.items():
        row = pick(results[table], keys, name)
        if row is not None and row["estimate"] is not None:
            numbers = ("estimate", "standard_error", "ci_low", "ci_high")
            found[name] = Found(*(row[number] for number in numbers))
    return found


def _arms(
    results: Mapping[str, Sequence[Row]], statistics: pd.DataFrame
) -> dict[str, Found]:
    """Find the means of the push experiment's two arms."""
    row = pick(results["experiment_results"], PUSH, "push_sessions_a")
    found = {}
    for name, role in (
        ("push_sessions_a", "control"),
        ("push_sessions_b", "treatment"),
    ):
        if row is None or row[f"{role}_ci_low"] is None:
            continue
        own = statistics[
            (statistics["experiment_id"] == row["experiment_id"])
            & (statistics["metric_name"] == row["metric_name"])
            & (statistics["variant"] == row[f"{role}_variant"])
            & (statistics["outcome_version"] == row["outcome_version"])
            & (statistics["policy"] == row["policy"])
            & (statistics["dimension"] == "all")
        ].iloc[0]
        found[name] = Found(
            row[f"{role}_mean"],
            sqrt(own["value_variance"] / own["unit_count"]),
            float(row[f"{role}_ci_low"]),
            float(row[f"{role}_ci_high"]),
        )
    return found


def _projected(projected: Projected, alpha: float) -> dict[str, Found]:
    """Find the scenarios' headlines, with the error of what was measured."""
    points = {
        (row["scenario_name"], row["version"], row["outcome"]): row
        for row in projected.tables["scenario_results"]
        if row["effect_share"] == 1
    }
    quantile = normal_quantile(alpha)
    found = {}
    for name, key in PROJECTED.items():
        error = projected.measured_errors.get(key)
        if error is not None:
            value = points[key]["point_estimate"]
            reach = quantile * error
            found[name] = Found(value, error, value - reach, value + reach)
    return found
