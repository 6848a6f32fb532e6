"""First steps: how far those who sign up get, how fast, where they stop.

Pure functions: rows of marts in, parts of the page out.
"""

from __future__ import annotations

from functools import partial

from display import charts
from display.charts import theme
from display.dimensions import (
    Dimension,
    broken_down,
    dimensions,
    largest,
    not_broken_down,
)
from display.findings import contrast, estimate, is_apart
from display.formats import (
    MISSING,
    NO_BREAK,
    count,
    duration,
    percent,
    sentence,
    words,
)
from display.parts import Figure, Part, Row, Section, Tables, table_of
from display.rates import rate_interval, rate_label, rate_text

MARTS = ("dim_dimensions", "fct_onboarding_funnel")

FUNNEL = "marts.fct_onboarding_funnel"
STEP_RATE = "step_rate"
OUTCOMES = {
    "reached": theme.BLUE,
    "pending": theme.PALE_BLUE,
    "dropped": theme.PALE_GREY,
}
MOST_VALUES = 12


def section(tables: Tables) -> Section:
    """Tell how far those who sign up get."""
    name, title, link = "onboarding", "First steps", "First steps"
    rows = tables["fct_onboarding_funnel"]
    steps = sorted(
        (row for row in rows if row["dimension"] == "all"),
        key=lambda row: row["step_number"],
    )
    if not any(row["entered_users"] for row in steps):
        return Section(
            name,
            title,
            "No sign-up on an observed day of this log is known, so no first"
            " steps can be followed.",
            link=link,
        )
    compared = dimensions(tables["dim_dimensions"], "user")
    parts: list[Part | None] = [
        _funnel(steps),
        *broken_down(compared, partial(_by_dimension, rows, steps), FUNNEL),
        not_broken_down(rows, compared),
    ]
    return Section(
        name,
        title,
        "How far those who sign up get within the time allowed."
        + _pending(steps),
        [part for part in parts if part is not None],
        link,
    )


def _pending(steps: list[Row]) -> str:
    """Say how many still have time, and that no rate rests on them."""
    pending = sum(row["pending_users"] for row in steps)
    first = steps[0]
    young = first["entered_users"] - first["mature_entered_users"]
    if not young:
        return " For all of them that time has passed."
    return (
        f" For {count(young)} of {count(first['entered_users'])} that time has"
        f" not passed yet, and {count(pending)} of them are pending; rates and"
        " times rest on the others alone, quick or slow."
    )


def _funnel(steps: list[Row]) -> Figure:
    """Draw each step's users by what became of them."""
    last, hardest = steps[-1], _hardest(steps)
    title = f"{count(steps[0]['reached_users'])} users sign up"
    if last["total_rate"] is not None:
        title = (
            f"{percent(last['total_rate'])} of those who sign up get to step"
            f" {last['step_number']}, {words(last['step_name'])}"
        )
    if hardest is not None and _is_clear(hardest, steps):
        title += (
            "; it is the hardest step"
            if hardest is last
            else f"; the hardest step is {words(hardest['step_name'])}"
        )
        title += (
            f", taken by {estimate(hardest, STEP_RATE).text()} of those before"
            " it"
        )
    return Figure(
        "funnel",
        title,
        "Each bar holds all who took the step before, split by what became of"
        " them. Percentages are of those whose time has passed, with Wilson"
        " intervals; times are medians from the step before.",
        charts.steps(
            [
                {
                    "step": row["step_number"],
                    "heading": _heading(row),
                    "series": outcome,
                    "value": row[f"{outcome}_users"],
                    "label": f"{sentence(row['step_name'])}:"
                    f" {count(row[f'{outcome}_users'])} of"
                    f" {count(row['entered_users'])} {outcome}",
                }
                for row in steps
                for outcome in OUTCOMES
            ],
            f"Funnel. {title}.",
            "Users",
            OUTCOMES,
        ),
        table_of(
            "First steps of those who sign up",
            steps,
            {
                "Step": _step,
                "Took the step before": lambda row: count(row["entered_users"]),
                "Reached": lambda row: count(row["reached_users"]),
                "Pending": lambda row: count(row["pending_users"]),
                "Lost": lambda row: count(row["dropped_users"]),
                "Time passed": lambda row: count(row["mature_entered_users"]),
                "Of the step before": lambda row: rate_text(row, STEP_RATE),
                "Interval": lambda row: rate_interval(row, STEP_RATE),
                "Of all": lambda row: percent(row["total_rate"]),
                "Median time": lambda row: duration(row["median_seconds"]),
            },
            source=FUNNEL,
        ),
    )


def _hardest(steps: list[Row]) -> Row | None:
    """Find the step that the fewest of those before it take."""
    known = [row for row in steps[1:] if row[STEP_RATE] is not None]
    return min(
        known,
        key=lambda row: (row[STEP_RATE], row["step_number"]),
        default=None,
    )


def _is_clear(hardest: Row, steps: list[Row]) -> bool:
    """Tell whether a step is harder than each other, beyond the intervals."""
    return all(
        is_apart(estimate(hardest, STEP_RATE), estimate(row, STEP_RATE))
        for row in steps
        if row[STEP_RATE] is not None and row is not hardest
    )


def _heading(row: Row) -> str:
    """Write a step over its bar, short enough for a phone."""
    name = _step(row)
    if row["median_seconds"] is not None:
        name += f", after {duration(row['median_seconds'])}"
    users = f"{count(row['reached_users'])} users"
    if row[STEP_RATE] is not None:
        users = (
            f"{rate_label(row, STEP_RATE)} of"
            f" {count(row['mature_entered_users'])}"
        )
    return f"{name}\n{users}"


def _step(row: Row) -> str:
    return f"{row['step_number']}. {sentence(row['step_name'])}"


def _by_dimension(
    rows: list[Row], steps: list[Row], dimension: Dimension
) -> Figure | None:
    """Draw the hardest step by one dimension."""
    hardest = _hardest(steps)
    if hardest is None:
        return None
    every = [
        row
        for row in rows
        if row["dimension"] == dimension.name
        and row["step_number"] == hardest["step_number"]
        and row[STEP_RATE] is not None
        and row["ci_low"] is not None
    ]
    if len(every) < 2:  # noqa: PLR2004
        return None
    shown = largest(
        largest(every, "entered_users", MOST_VALUES), STEP_RATE, MOST_VALUES
    )
    step = words(hardest["step_name"])
    title = contrast(
        f"Going on to {step}",
        dimension.word,
        [
            (str(row["dimension_value"]), estimate(row, STEP_RATE))
            for row in shown
        ],
    )
    caption = (
        "Dots are rates of those who took the step before, lines their Wilson"
        " intervals; in brackets, for how many of them the time has passed."
    )
    if len(shown) < len(every):
        caption += f" The {len(shown)} largest of {len(every)}."
    return Figure(
        f"step-by-{dimension.name}",
        title,
        caption,
        charts.dots(
            [
                {
                    "category": f"{row['dimension_value']}"
                    f" ({count(row['mature_entered_users'])})",
                    "value": row[STEP_RATE],
                    "low": row["ci_low"],
                    "high": row["ci_high"],
                    "label": f"{row['dimension_value']}:"
                    f" {rate_label(row, STEP_RATE)}, pending"
                    f" {count(row['pending_users'])}",
                    "short": percent(row[STEP_RATE]).split(NO_BREAK)[0],
                }
                for row in shown
            ],
            f"Dot chart. {title}.",
            f"Share going on to {step}",
        ),
        table_of(
            f"Going on to {step} by {dimension.word}",
            shown,
            {
                dimension.heading: lambda row: str(
                    row["dimension_value"] or MISSING
                ),
                "Took the step before": lambda row: count(row["entered_users"]),
                "Reached": lambda row: count(row["reached_users"]),
                "Pending": lambda row: count(row["pending_users"]),
                "Time passed": lambda row: count(row["mature_entered_users"]),
                "Rate": lambda row: rate_text(row, STEP_RATE),
                "Interval": lambda row: rate_interval(row, STEP_RATE),
                "Median time": lambda row: duration(row["median_seconds"]),
            },
            source=FUNNEL,
        ),
    )
