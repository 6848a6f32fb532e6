"""Effects over time: by date, at looks, and by day since assignment.

Pure functions: rows of results in, parts of the page out.
"""

from __future__ import annotations

from display import charts
from display.effects import effect_mark, effect_text, interval_cell
from display.formats import MISSING, Scale, count, day, p_value, percent, words
from display.parts import Cell, Figure, Row, Table, table_of
from experiments.page.wording import (
    Naming,
    by_role,
    change_scale,
    compared,
    difference_axis,
    effect_scale,
    key,
    metric,
    naming,
    whole_percent,
)

SERIES = "results.experiment_time_series"
# More courses of one experiment than this are left to the warehouse.
MOST_COURSES = 3
NAMES = ("metric_name", "treatment_variant")
# A chart is drawn so many times higher for its first bands, no more.
MOST_STRETCH = 2
# Ends of the interval at all looks together.
WIDE = ("sequential_ci_low", "sequential_ci_high")
BANDS = {
    "group_sequential": "group-sequential band",
    "confidence_sequence": "confidence sequence",
}


def _kinds(results: list[Row]) -> dict[str, str]:
    """Look up the kind of each metric."""
    return {row["metric_name"]: row["kind"] for row in results}


def by_date(
    health: Row, results: list[Row], series: list[Row]
) -> list[Figure | None]:
    """Draw what was known at the end of each date, of primary metrics."""
    rows = [
        row
        for row in series
        if row["series"] == "cumulative_by_date"
        and row["role"] == "primary"
        and row["estimate"] is not None
        and row["ci_low"] is not None
    ]
    label = naming(series)
    kinds = _kinds(results)
    courses: dict[tuple[str, ...], list[Row]] = {}
    for row in by_role(rows):
        courses.setdefault(key(row, NAMES), []).append(row)
    return [
        _dates(
            health,
            sorted(course, key=lambda row: row["look_date"]),
            label(course[0]),
            kinds.get(course[0]["metric_name"]),
        )
        for course in list(courses.values())[:MOST_COURSES]
    ]


def _dates(
    health: Row, course: list[Row], name: str, kind: str | None
) -> Figure:
    last = course[-1]
    scale = effect_scale(kind, last)
    title = _dates_title(health, course, name)
    lowest, highest = _window(course)
    band = BANDS[last["method"]]
    coverage = whole_percent(1 - last["sequential_alpha"])
    caption = (
        "Treatment minus control of all users whose window had closed by the"
        " end of each date. The dark band is the interval as if that date were"
        f" the only look; the pale one, the {band}, holds at all looks"
        f" together at {coverage}."
    )
    if any(_is_cut(row, lowest, highest) for row in course):
        caption += " Where it is widest it runs off the chart."
    factor = scale.factor
    return Figure(
        "-".join(("experiment", health["experiment_id"], *key(last, NAMES))),
        title,
        caption,
        charts.looks(
            [
                {
                    "date": str(row["look_date"]),
                    **effect_mark(row, scale),
                    "wide_low": _times(factor, row["sequential_ci_low"]),
                    "wide_high": _times(factor, row["sequential_ci_high"]),
                    "is_crossing": row["look_date"]
                    == row["first_crossing_date"],
                    "label": _date_label(row, scale, band),
                }
                for row in course
            ],
            f"Line chart with two bands. {title}.",
            y_title=difference_axis(name, kind),
            names=("only this look", band),
            domain=(factor * lowest, factor * highest),
        ),
        _dates_table(health, course, scale),
    )


def _times(factor: float, value: float | None) -> float | None:
    return None if value is None else factor * value


def _window(course: list[Row]) -> tuple[float, float]:
    """Choose the range to draw: early bands are wider than all that follows."""

    def ends(rows: list[Row], low: str, high: str) -> list[float]:
        found = [row[end] for row in rows for end in (low, high)]
        return [end for end in found if end is not None]

    half = course[len(course) // 2 :]
    drawn = [0.0, *(row["estimate"] for row in course)]
    drawn += ends(half, "ci_low", "ci_high") + ends(half, *WIDE)
    low, high = min(drawn), max(drawn)
    every = ends(course, *WIDE)
    least, most = min([low, *every]), max([high, *every])
    if most - least <= MOST_STRETCH * (high - low):
        low, high = least, most
    room = (high - low or 1.0) / 20
    return low - room * (low < 0), high + room * (high > 0)


def _is_cut(row: Row, low: float, high: float) -> bool:
    return row["sequential_ci_low"] is not None and (
        row["sequential_ci_low"] < low or row["sequential_ci_high"] > high
    )


def _users(row: Row) -> int:
    return int(row["control_units"] + row["treatment_units"])


def _dates_title(health: Row, course: list[Row], name: str) -> str:
    """Say at which look the band left zero, or that none did."""
    last = course[-1]
    first = last["first_crossing_date"]
    band = BANDS[last["method"]]
    planned = health["planned_users"]
    of_plan = "" if planned is None else f" of {count(planned)} planned"
    if first is None:
        return (
            f"{name}: by {day(last['look_date'])} the {band} has not left"
            f" zero, with {count(_users(last))}{of_plan} users"
        )
    at = next((row for row in course if row["look_date"] == first), last)
    looks = [row for row in course if row["sequential_ci_low"] is not None]
    number = sum(row["look_date"] <= first for row in looks)
    return (
        f"{name}: the {band} left zero on {day(first)}, look {number} of"
        f" {len(looks)}, with {count(_users(at))}{of_plan} users"
    )


def _date_label(row: Row, scale: Scale, band: str) -> str:
    text = (
        f"{day(row['look_date'])}: {scale.text(row['estimate'])}"
        f" ({scale.span(row['ci_low'], row['ci_high'])} as the only look"
    )
    if row["sequential_ci_low"] is not None:
        wide = scale.span(row["sequential_ci_low"], row["sequential_ci_high"])
        text += f"; {wide} by the {band}"
    return f"{text}), {count(_users(row))} users"


def _dates_table(health: Row, course: list[Row], scale: Scale) -> Table:
    return table_of(
        f"{health['experiment_name']}: {metric(course[0])} by date",
        course,
        {
            "By the end of": lambda row: str(row["look_date"]),
            "Users": lambda row: count(_users(row)),
            "Of the plan": lambda row: (
                MISSING
                if health["planned_users"] is None
                else percent(row["information_fraction"])
            ),
            "Difference": lambda row: scale.text(row["estimate"]),
            "Only this look": lambda row: interval_cell(row, scale),
            "All looks together": lambda row: Cell(
                scale.span(row["sequential_ci_low"], row["sequential_ci_high"])
            ),
            "p, only this look": lambda row: p_value(row["p_value"]),
            "Level spent": lambda row: (
                MISSING
                if row["spent_alpha"] is None
                else percent(row["spent_alpha"], 0.0)
            ),
            "Look": lambda row: (
                "no look"
                if row["sequential_ci_low"] is None
                else "crossed"
                if row["is_crossed"]
                else "not crossed"
            ),
        },
        source=SERIES,
    )


def by_day(health: Row, results: list[Row], series: list[Row]) -> Figure | None:
    """Draw the effect on each day since assignment, and test its change."""
    days = [
        row
        for row in series
        if row["series"] == "by_day_since_assignment"
        and row["estimate"] is not None
        and row["ci_low"] is not None
    ]
    if not days:
        return None
    label = naming(series)
    kinds = _kinds(results)
    ordered = by_role(days)
    chosen = key(ordered[0], NAMES)
    drawn = sorted(
        (row for row in days if key(row, NAMES) == chosen),
        key=lambda row: row["day_number"],
    )
    tests = {
        row["method"]: row
        for row in series
        if row["series"] == "novelty" and key(row, NAMES) == chosen
    }
    name = label(drawn[0])
    kind = kinds.get(drawn[0]["metric_name"])
    scale = change_scale(
        kind,
        *(row[end] for row in drawn for end in ("estimate", "ci_low")),
    )
    contrast = tests.get("contrast")
    title = _days_title(name, drawn, tests.get("trend"), contrast, kind)
    caption = (
        "The difference on each day since the first assignment, of users whose"
        " whole window is loaded: the same users on every day."
        f" {count(_users(drawn[0]))} users. The trend is a weighted line"
        " through the days that knows how they hang together."
    )
    if contrast is not None and contrast["estimate"] is not None:
        told = effect_text(contrast, effect_scale(kind, contrast))
        caption += (
            f" The last days against the first: {told},"
            f" {compared(contrast['p_value'])}."
        )
    return Figure(
        f"experiment-{health['experiment_id']}-days",
        title,
        caption,
        charts.day_effects(
            [
                {
                    "day": row["day_number"],
                    **effect_mark(row, scale),
                    "label": f"Day {row['day_number']}:"
                    f" {effect_text(row, scale)}, {compared(row['p_value'])}",
                }
                for row in drawn
            ],
            f"Dot chart with intervals. {title}.",
            x_title="Days since assignment",
            y_title=difference_axis(name, kind),
        ),
        _days_table(health, ordered, kinds, label),
    )


def _days_title(
    name: str,
    days: list[Row],
    trend: Row | None,
    contrast: Row | None,
    kind: str | None,
) -> str:
    """Say whether the effect grows or fades; both tests must agree."""
    if trend is None or trend["estimate"] is None:
        why = "" if trend is None else f" ({words(trend['reason_code'])})"
        return f"{name}: whether the effect changes is not tested{why}"
    told = compared(trend["p_value"])
    if trend["p_value"] > trend["alpha"]:
        return (
            f"{name}: the effect does not change clearly with the days since"
            f" assignment (trend {told})"
        )
    if (
        contrast is not None
        and contrast["estimate"] is not None
        and (
            contrast["p_value"] > contrast["alpha"]
            or contrast["estimate"] * trend["estimate"] <= 0
        )
    ):
        return (
            f"{name}: the effect differs between days since assignment, in no"
            f" clear direction (trend {told})"
        )
    scale = effect_scale(kind, trend)
    whole = sum(row["estimate"] for row in days)
    verb = "grows" if trend["estimate"] * whole > 0 else "fades"
    return (
        f"{name}: the effect {verb} with the days since assignment, by"
        f" {scale.text(abs(trend['estimate'])).lstrip('+')} a day ({told})"
    )


def _days_table(
    health: Row, days: list[Row], kinds: dict[str, str], label: Naming
) -> Table:
    def scale(row: Row) -> Scale:
        return effect_scale(kinds.get(row["metric_name"]), row)

    def total(row: Row, name: str) -> str:
        sums = ("cumulative_estimate", "cumulative_standard_error")
        kind = kinds.get(row["metric_name"])
        return change_scale(kind, *(row[one] for one in sums)).text(row[name])

    return table_of(
        f"{health['experiment_name']}: effects by day since assignment",
        # Stable: the days of a metric stay in order.
        by_role(sorted(days, key=lambda row: row["day_number"])),
        {
            "Metric": label,
            "Day": lambda row: str(row["day_number"]),
            "Difference": lambda row: scale(row).text(row["estimate"]),
            "Interval": lambda row: interval_cell(row, scale(row)),
            "p": lambda row: p_value(row["p_value"]),
            "So far": lambda row: total(row, "cumulative_estimate"),
            "Its standard error": lambda row: total(
                row, "cumulative_standard_error"
            ).lstrip("+"),
        },
        source=SERIES,
        text_columns=2,
    )
