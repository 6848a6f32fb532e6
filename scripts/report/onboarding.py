"""First steps: how far new users get, how fast, and where they stop.

Pure functions: rows of marts in, parts of the page out.
"""

from __future__ import annotations

from report import charts
from report.charts import theme
from report.findings import contrast, estimate
from report.formats import (
    MISSING,
    NO_BREAK,
    count,
    duration,
    fit_scale,
    percent,
    sentence,
    words,
)
from report.parts import (
    Cell,
    Figure,
    Part,
    Row,
    Section,
    Table,
    Tables,
)
from report.rates import lone_values, not_broken_down, rate_label

FUNNEL = "marts.fct_onboarding_funnel"
STEP_RATE = "step_rate"
OUTCOMES = {
    "reached": theme.BLUE,
    "pending": theme.PALE_BLUE,
    "dropped": theme.PALE_GREY,
}
MOST_VALUES = 12


def section(tables: Tables) -> Section:
    """Tell how far new users get."""
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
            "This log has no new user whose first steps could be followed.",
            link=link,
        )
    parts: list[Part | None] = [
        _funnel(steps),
        _hardest(rows, steps, "platform"),
        not_broken_down(lone_values(rows, ("platform",))),
    ]
    pending = sum(row["pending_users"] for row in steps)
    return Section(
        name,
        title,
        "How far new users get within the time allowed."
        + (
            f" {count(pending)} still have time; they are pending, neither"
            " reached nor lost, and no rate counts them."
            if pending
            else " Nobody is still within that time."
        ),
        [part for part in parts if part is not None],
        link,
    )


def _funnel(steps: list[Row]) -> Figure:
    """Draw each step's users by what became of them."""
    last = steps[-1]
    hardest = _lowest(steps)
    title = (
        f"{percent(last['total_rate'])} get to the last step,"
        f" {words(last['step_name'])}"
    )
    if last["total_rate"] is None:
        title = f"{count(steps[0]['reached_users'])} users take the first step"
    if hardest is not None:
        title += (
            f"; fewest go on to {words(hardest['step_name'])},"
            f" {estimate(hardest, STEP_RATE).text()}"
        )
    return Figure(
        "funnel",
        title,
        "Each bar holds the users who took the step before. Percentages are of"
        " them, without the pending, with Wilson intervals; times are medians"
        " from the step before.",
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
        Table(
            caption="First steps of new users",
            columns=[
                "Step",
                "Took the step before",
                "Reached",
                "Pending",
                "Lost",
                "Of the step before",
                "Interval",
                "Of all",
                "Median time",
            ],
            rows=[_step_row(row) for row in steps],
            source=FUNNEL,
        ),
    )


def _lowest(steps: list[Row]) -> Row | None:
    """Find the step that the fewest of those before it take."""
    known = [row for row in steps[1:] if row[STEP_RATE] is not None]
    return min(
        known,
        key=lambda row: (row[STEP_RATE], row["step_number"]),
        default=None,
    )


def _heading(row: Row) -> str:
    """Write a step over its bar, short enough for a phone."""
    name = f"{row['step_number']}. {sentence(row['step_name'])}"
    if row["median_seconds"] is not None:
        name += f", after {duration(row['median_seconds'])}"
    users = f"{count(row['reached_users'])} users"
    if row[STEP_RATE] is not None and row["ci_low"] is not None:
        users = (
            f"{count(row['reached_users'])} of {count(row['entered_users'])}:"
            f" {rate_label(row, STEP_RATE)}"
        )
    return f"{name}\n{users}"


def _step_row(row: Row) -> list[str | Cell]:
    scale = fit_scale("rate", row[STEP_RATE], row["ci_low"], row["ci_high"])
    return [
        f"{row['step_number']}. {sentence(row['step_name'])}",
        count(row["entered_users"]),
        count(row["reached_users"]),
        count(row["pending_users"]),
        count(row["dropped_users"]),
        scale.text(row[STEP_RATE]),
        Cell(scale.span(row["ci_low"], row["ci_high"])),
        percent(row["total_rate"]),
        duration(row["median_seconds"]),
    ]


def _hardest(
    rows: list[Row], steps: list[Row], dimension: str
) -> Figure | None:
    """Draw the hardest step by one dimension."""
    hardest = _lowest(steps)
    if hardest is None:
        return None
    every = [
        row
        for row in rows
        if row["dimension"] == dimension
        and row["step_number"] == hardest["step_number"]
        and row[STEP_RATE] is not None
        and row["ci_low"] is not None
    ]
    if len(every) < 2:  # noqa: PLR2004
        return None
    shown = sorted(
        sorted(
            every,
            key=lambda row: (
                -row["entered_users"],
                str(row["dimension_value"]),
            ),
        )[:MOST_VALUES],
        key=lambda row: (-row[STEP_RATE], str(row["dimension_value"])),
    )
    step = words(hardest["step_name"])
    title = contrast(
        f"Going on to {step}",
        dimension,
        [
            (str(row["dimension_value"]), estimate(row, STEP_RATE))
            for row in shown
        ],
    )
    return Figure(
        f"step-by-{dimension}",
        title,
        "Dots are rates of those who took the step before, lines their Wilson"
        " intervals; in brackets, how many took it.",
        charts.dots(
            [
                {
                    "category": f"{row['dimension_value']}"
                    f" ({count(row['entered_users'])})",
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
        Table(
            caption=f"Going on to {step} by {dimension}",
            columns=[
                dimension.capitalize(),
                "Took the step before",
                "Reached",
                "Pending",
                "Rate",
                "Interval",
                "Median time",
            ],
            rows=[_value_row(row) for row in shown],
            source=FUNNEL,
        ),
    )


def _value_row(row: Row) -> list[str | Cell]:
    scale = fit_scale("rate", row[STEP_RATE], row["ci_low"], row["ci_high"])
    return [
        str(row["dimension_value"] or MISSING),
        count(row["entered_users"]),
        count(row["reached_users"]),
        count(row["pending_users"]),
        scale.text(row[STEP_RATE]),
        Cell(scale.span(row["ci_low"], row["ci_high"])),
        duration(row["median_seconds"]),
    ]
