"""What the adjusted effect of exploring genres deserves to be believed for.

Pure functions: rows of marts and results in, parts of the page out.
"""

from __future__ import annotations

from collections import Counter

from display import charts
from display.formats import (
    MISSING,
    count,
    fit_scale,
    p_value,
    percent,
    place,
    sentence,
    words,
)
from display.parts import Cell, Figure, Row, Table, table_of

WEIGHTING = ["before", "after"]
DIFFERENCES = [f"difference_{when}" for when in WEIGHTING]
# Beyond this many standard deviations groups are called unlike.
UNLIKE = 0.1
COVARIATES = {
    "valid_play_band": "Valid plays",
    "active_day_count": "Active days",
    "session_band": "Sessions",
    "watched_band_seconds": "Time watched",
    "platform_group": "Platform",
    "country_group": "Country",
    "channel_group": "Channel",
    "cohort_span_number": "Time of first activity",
    "is_weekend_start": "Weekend start",
}
CHECKS = {
    "shuffled_genres": "Shuffled genres",
    "earlier_outcome": "Outcome of before",
    "overlapping_window": "Overlapping window",
    "shuffled_within_strata": "Shuffled explorers",
    "activity_thirds": "Thirds of activity",
}
TONES = {"passed": "good", "failed": "bad"}
STATUSES = {
    "compared": "Compared",
    "too_few_plays": "Too few plays to explore",
    "no_genre": "No title with a genre",
    "no_valid_play": "No valid play",
    "not_observed": "The day is not loaded yet",
}


def balance(rows: list[Row]) -> Figure | None:
    """Draw how unlike explorers and others are, before and after weighting."""
    differing = [row for row in rows if row["difference_before"] is not None]
    # The last of each covariate is the one that differs most.
    worst = {row["covariate"]: row for row in sorted(differing, key=_size)}
    known = sorted(
        worst.values(),
        key=lambda row: place(row["covariate"], list(COVARIATES)),
    )
    if not known:
        return None
    scale = fit_scale(
        "number",
        *(max(abs(row[name]) for row in known) for name in DIFFERENCES),
        0.01,
    )
    before, after = (
        max(abs(row[name]) for row in rows if row[name] is not None)
        for name in DIFFERENCES
    )
    title = (
        "Weighting leaves explorers and others"
        f" {'alike' if after < UNLIKE else 'unlike'}: the largest difference"
        f" goes from {scale.text(before)} to {scale.text(after)} standard"
        " deviations"
    )
    marks = [
        {
            "category": _covariate(row),
            "series": when,
            "value": abs(row[f"difference_{when}"]),
            "low": abs(row[f"difference_{when}"]),
            "high": abs(row[f"difference_{when}"]),
            "label": f"{_covariate(row)}, {when} weighting:"
            f" {scale.text(row[f'difference_{when}'])}",
            "short": scale.bare(abs(row["difference_before"]))
            if when == WEIGHTING[0]
            else "",
        }
        for row in known
        for when in WEIGHTING
    ]
    return Figure(
        "genre-balance",
        title,
        "Size of the difference between explorers and others in standard"
        f" deviations; up to {UNLIKE} (the line) they count as alike. Of a"
        " covariate with several values, the value that differs most.",
        charts.dots(
            marks,
            f"Dot chart. {title}.",
            "Difference, standard deviations",
            axis_format=charts.NUMBER_AXIS,
            reference=UNLIKE,
            series_names=WEIGHTING,
        ),
        table_of(
            "Explorers and others before and after weighting",
            known,
            {
                "Covariate": _covariate,
                "Others": lambda row: _number(row["other_mean"]),
                "Explorers": lambda row: _number(row["explorer_mean"]),
                "Difference before": lambda row: scale.text(
                    row["difference_before"]
                ),
                "Difference after": lambda row: scale.text(
                    row["difference_after"]
                ),
            },
            source="results.genre_balance",
        ),
    )


def _number(value: float) -> str:
    return fit_scale("number", value).text(value)


def _size(row: Row) -> tuple[float, str]:
    return abs(row["difference_before"]), str(row["covariate_value"])


def _covariate(row: Row) -> str:
    name = COVARIATES.get(row["covariate"], sentence(row["covariate"]))
    if row["covariate_value"] in {"mean", "True", "False"}:
        return name
    return f"{name}: {row['covariate_value']}"


def overlap(rows: list[Row]) -> Figure | None:
    """Draw how likely explorers and others were to explore."""
    if not rows:
        return None
    names = {True: "explorers", False: "others"}
    totals: Counter[bool] = Counter()
    for row in rows:
        totals[row["is_explorer"]] += row["user_count"]
    trimmed = sum(row["trimmed_users"] for row in rows)
    users = sum(totals.values())
    title = (
        f"{percent(1 - trimmed / users)} of the users compared have others like"
        " them on both sides"
    )
    ordered = sorted(
        rows, key=lambda row: (row["propensity_from"], row["is_explorer"])
    )
    marks = [
        {
            "category": f"{100 * row['propensity_from']:.0f}",
            "series": names[row["is_explorer"]],
            "value": row["user_count"] / totals[row["is_explorer"]],
            "label": f"{names[row['is_explorer']]} with a chance of"
            f" {_band(row)}: {count(row['user_count'])}",
        }
        for row in ordered
    ]
    return Figure(
        "genre-overlap",
        title,
        "Share of explorers, and of others, by their estimated chance of"
        " exploring, in percent from the lower edge of each band. Where only"
        " one side has users nothing can be compared.",
        charts.paired(
            marks,
            f"Bar chart. {title}.",
            "Chance of exploring, percent",
            "Share of the side",
            [names[False], names[True]],
        ),
        table_of(
            "Users by their estimated chance of exploring",
            ordered,
            {
                "Chance": _band,
                "Side": lambda row: names[row["is_explorer"]],
                "Users": lambda row: count(row["user_count"]),
                "Left out": lambda row: count(row["trimmed_users"]),
            },
            source="results.genre_overlap",
            text_columns=2,
        ),
    )


def _band(row: Row) -> str:
    low, high = row["propensity_from"], row["propensity_to"]
    return fit_scale("rate", low, high).span(low, high)


def estimated(
    rows: list[Row], names: dict[str, str], number: str = "estimate"
) -> list[Row]:
    """Take the estimands that have a name and a number, in the names' order."""
    by_name = {row["estimand"]: row for row in rows if row[number] is not None}
    return [by_name[name] for name in names if name in by_name]


def sensitivity(rows: list[Row], names: dict[str, str]) -> Table | None:
    """Say how strong an unmeasured difference would have to be."""
    known = estimated(rows, names, "e_value")
    headline = next((row for row in known if row["is_headline"]), None)
    if headline is None:
        return None
    title = (
        "An unmeasured difference of ratio"
        f" {_times(headline['e_value'])} on both sides would explain the"
        " adjusted effect"
    )
    title += (
        "; its interval needs none"
        if headline["e_value_limit"] == 1
        else f"; for its interval {_times(headline['e_value_limit'])} would do"
    )
    return table_of(
        "E-values",
        known,
        {
            "Estimate of": lambda row: names[row["estimand"]],
            "Ratio": lambda row: _times(row["risk_ratio"]),
            "Interval": _span,
            "E-value": lambda row: _times(row["e_value"]),
            "Of the limit": lambda row: _times(row["e_value_limit"]),
            "Grade": lambda row: row["causal_grade"] or MISSING,
        },
        source="results.genre_effects",
        title=title,
        note="The E-value is the risk ratio that something unmeasured would"
        " need both with exploring and with coming back, beyond what is held"
        " equal, to explain the ratio away; of the limit, to move the interval"
        " to 1.",
    )


def _times(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2f}"


def _span(row: Row) -> str:
    low, high = row["risk_ratio_ci_low"], row["risk_ratio_ci_high"]
    return f"{_times(low)} to {_times(high)}"


def known_answers(rows: list[Row]) -> Table | None:
    """Show the checks whose answer is known beforehand."""
    ordered = sorted(
        rows, key=lambda row: place(row["check_name"], list(CHECKS))
    )
    judged = [row for row in ordered if row["verdict"] in TONES]
    if not ordered:
        return None
    failed = sum(row["verdict"] == "failed" for row in judged)
    title = "No control has a known answer in this log"
    if judged:
        found = "something" if failed else "nothing"
        number = f"{failed} of" if failed else "All"
        title = (
            f"{number} {len(judged)} controls that must find nothing find"
            f" {found}"
        )
    return table_of(
        "Checks of the adjusted effect",
        ordered,
        {
            "Check": lambda row: CHECKS.get(
                row["check_name"], words(row["check_name"])
            ),
            "Question": lambda row: row["question"],
            "Plain gap": lambda row: _points(row, "naive_estimate"),
            "Adjusted": lambda row: _points(row, "estimate"),
            "p": lambda row: p_value(row["p_value"]),
            "Verdict": lambda row: Cell(
                row["verdict"] or words(row["reason_code"]),
                tone=TONES.get(row["verdict"], ""),
            ),
        },
        source="results.genre_checks",
        wide_columns=(1,),
        title=title,
        note="A control that should find nothing fails in one of twenty logs"
        " by chance alone.",
    )


def _points(row: Row, name: str) -> str:
    known = row[name], row["ci_low"], row["ci_high"]
    return fit_scale("points", *known).text(row[name])


def landmark(rows: list[Row], day: int | None) -> Table | None:
    """Count who is compared and who is left out, and why."""
    users: Counter[str] = Counter()
    for row in rows:
        if row["dimension"] == "all" and row["day_number"] == day:
            users[row["landmark_status"]] += row["user_count"]
    total = sum(users[status] for status in STATUSES)
    if not total:
        return None
    return table_of(
        "New users at the end of the window",
        [status for status in STATUSES if users[status]],
        {
            "Status": lambda status: STATUSES[status],
            "New users": lambda status: count(users[status]),
            "Share": lambda status: percent(users[status] / total),
        },
        source="marts.fct_genre_landmark",
        title=f"{count(users['compared'])} of {count(total)} new users can be"
        f" compared on D{day}",
        note="Decided at the end of the window for everybody alike, so that"
        " nobody's place depends on coming back.",
    )
