"""Who comes back: retention by cohort, day, platform and country.

Pure functions: rows of marts in, parts of the page out.
"""

from __future__ import annotations

from collections import defaultdict

from report import charts
from report.formats import NO_BREAK, count, fit_scale, percent
from report.parts import (
    Card,
    Cards,
    Cell,
    Figure,
    Part,
    Row,
    Section,
    Table,
    Tables,
)
from report.rates import RATE_COLUMNS, rate_cells, rate_label, rate_text

SUMMARY = "marts.fct_retention_summary"
TRIANGLE = "marts.fct_retention_triangle"
NOT_YET = "not yet"
HEADLINE_DAYS = {1: "the next day", 7: "a week later", 30: "thirty days later"}
TABLE_DAYS = (1, 3, 7, 14, 30)
# What still fits a page: later cohorts and longer lives are in the marts.
MOST_COHORTS = 60
MOST_DAYS = 90
MOST_COUNTRIES = 15


def section(tables: Tables) -> Section:
    """Tell who comes back, from the whole to the parts."""
    summary = [
        row
        for row in tables["fct_retention_summary"]
        if row["rate"] is not None
    ]
    triangle = [
        row
        for row in tables["fct_retention_triangle"]
        if row["rate"] is not None and row["is_mature"]
    ]
    if not summary:
        return Section(
            "returning",
            "Who comes back",
            "No new user of this log is old enough for a day of retention.",
        )
    whole = {
        row["day_number"]: row for row in summary if row["dimension"] == "all"
    }
    said = [
        f"{rate_text(whole[day])} {when}"
        for day, when in HEADLINE_DAYS.items()
        if day in whole
    ]
    parts: list[Part | None] = [
        _cards(tables["fct_retention_summary"]),
        _curve(triangle, whole),
        _cohorts(summary, whole.get(7)),
        _heat_map(triangle, tables["fct_retention_triangle"]),
        _platforms(summary),
        _countries(summary),
    ]
    return Section(
        "returning",
        "Who comes back",
        f"Share of new users who come back: {_listed(said)}."
        if said
        else "The days of retention shown are those old enough to tell.",
        [part for part in parts if part is not None],
    )


def _listed(items: list[str]) -> str:
    return (
        items[0]
        if len(items) == 1
        else f"{', '.join(items[:-1])} and {items[-1]}"
    )


def _cards(summary: list[Row]) -> Cards:
    """Set D1, D7 and D30 large."""
    whole = {
        row["day_number"]: row for row in summary if row["dimension"] == "all"
    }
    cards = []
    for day, when in HEADLINE_DAYS.items():
        row = whole.get(day)
        if row is None:
            continue
        if row["rate"] is None:
            cards.append(
                Card(f"D{day}, {when}", NOT_YET, "", "no user is old enough")
            )
            continue
        scale = fit_scale("rate", row["rate"], row["ci_low"], row["ci_high"])
        cards.append(
            Card(
                f"D{day}, {when}",
                scale.text(row["rate"]),
                scale.span(row["ci_low"], row["ci_high"]),
                f"{count(row['retained_users'])} of"
                f" {count(row['eligible_users'])} users old enough",
            )
        )
    return Cards(cards, SUMMARY, "Retention of all new users")


def _curve(triangle: list[Row], whole: dict[int, Row]) -> Figure | None:
    """Draw pooled retention by day since first activity."""
    eligible: dict[int, int] = defaultdict(int)
    retained: dict[int, int] = defaultdict(int)
    for row in triangle:
        if 1 <= row["day_number"] <= MOST_DAYS:
            eligible[row["day_number"]] += row["eligible_users"]
            retained[row["day_number"]] += row["retained_users"]
    if not eligible:
        return None
    days = sorted(eligible)
    pooled = {day: retained[day] / eligible[day] for day in days}
    most = max(eligible.values())
    full_days = [day for day in days if eligible[day] == most]
    rows = []
    for day in days:
        row = {
            "day": day,
            "rate": round(pooled[day], 6),
            "label": f"Day {day}: {percent(pooled[day])} of"
            f" {count(eligible[day])} users",
        }
        if day in full_days:
            rows.append(row | {"part": "every cohort"})
        # The last full day belongs to both, so that the line does not break.
        if day not in full_days or day == full_days[-1] != days[-1]:
            rows.append(row | {"part": "older cohorts"})
    marked = [
        {
            "day": day,
            "rate": row["rate"],
            "low": row["ci_low"],
            "high": row["ci_high"],
            "label": f"Day {day}: {rate_label(row)}",
            # A phone has room for the headline days only.
            "short": f"D{day}  {rate_text(row)}"
            if day in HEADLINE_DAYS
            else "",
        }
        for day, row in whole.items()
        if 1 <= day <= days[-1]
    ]
    ends = f"{percent(pooled[days[0]])} on day {days[0]}"
    if len(days) > 1:
        ends += f" to {percent(pooled[days[-1]])} on day {days[-1]}"
    verb = "falls" if pooled[days[-1]] < pooled[days[0]] else "goes"
    caption = (
        "Share of users active on each day after their first: sum of returned"
        " over sum of eligible users."
    )
    if full_days[-1] < days[-1]:
        caption += (
            f" Dotted after day {full_days[-1]}: only the older cohorts have"
            " reached those days."
        )
    return Figure(
        "retention-curve",
        f"Retention {verb} from {ends}",
        caption,
        charts.curve(
            rows, marked, f"Line chart. Retention {verb} from {ends}."
        ),
        Table(
            caption="Pooled retention by day since first activity",
            columns=["Day", "Eligible users", "Returned", "Rate"],
            rows=[
                [
                    str(day),
                    count(eligible[day]),
                    count(retained[day]),
                    percent(pooled[day]),
                ]
                for day in days
            ],
            source=TRIANGLE,
        ),
    )


def _cohorts(summary: list[Row], pooled: Row | None) -> Figure | None:
    """Draw D7 of each cohort with its interval."""
    cohorts = sorted(
        (
            row
            for row in summary
            if row["dimension"] == "cohort" and row["day_number"] == 7  # noqa: PLR2004
        ),
        key=lambda row: str(row["dimension_value"]),
    )
    if not cohorts or pooled is None:
        return None
    shown = cohorts[-MOST_COHORTS:]
    lowest = min(shown, key=lambda row: (row["rate"], row["dimension_value"]))
    highest = max(shown, key=lambda row: (row["rate"], row["dimension_value"]))
    inside = sum(
        row["ci_low"] <= pooled["rate"] <= row["ci_high"] for row in shown
    )
    title = (
        f"D7 runs from {percent(lowest['rate'])} to"
        f" {percent(highest['rate'])} across {len(shown)} cohorts"
    )
    caption = (
        f"One bar per cohort day with its Wilson interval; dashed: all cohorts"
        f" together, {rate_text(pooled)}, which {inside} of {len(shown)} intervals"
        " contain."
    )
    if len(shown) < len(cohorts):
        caption += f" The latest {len(shown)} of {len(cohorts)} are shown."
    return Figure(
        "cohorts",
        title,
        caption,
        charts.bars(
            [
                {
                    "category": str(row["dimension_value"]),
                    "rate": row["rate"],
                    "low": row["ci_low"],
                    "high": row["ci_high"],
                    "label": f"{row['dimension_value']}: {rate_label(row)}",
                }
                for row in shown
            ],
            f"Bar chart. {title}.",
            "Day of first activity",
            "D7 retention",
            reference=pooled["rate"],
            is_dated=True,
        ),
        Table(
            caption="D7 retention by cohort",
            columns=["Cohort", *RATE_COLUMNS],
            rows=[
                [str(row["dimension_value"]), *rate_cells(row)] for row in shown
            ],
            source=SUMMARY,
        ),
    )


def _heat_map(triangle: list[Row], every: list[Row]) -> Figure | None:
    """Draw the triangle; what is not old enough stays blank."""
    cells = [row for row in triangle if 1 <= row["day_number"] <= MOST_DAYS]
    if not cells:
        return None
    all_cohorts = sorted({row["cohort_date"] for row in cells})
    shown = set(all_cohorts[-MOST_COHORTS:])
    cells = [row for row in cells if row["cohort_date"] in shown]
    days = {row["day_number"] for row in cells}
    is_blank = len(cells) < len(shown) * len(days)
    spans = []
    for day in HEADLINE_DAYS:
        rates = [row["rate"] for row in cells if row["day_number"] == day]
        if rates:
            scale = fit_scale("rate", min(rates), max(rates))
            spans.append(f"D{day} {scale.span(min(rates), max(rates))}")
    title = f"Cohort by cohort: {_listed(spans)}" if spans else "Every cohort"
    caption = (
        "Rows are cohorts, columns days since first activity; darker is more"
        " users active."
    )
    if is_blank:
        caption += " Blank cells are days that have not come yet, not zeros."
    if len(shown) < len(all_cohorts):
        caption += f" The latest {len(shown)} of {len(all_cohorts)} cohorts."
    by_cell = {(row["cohort_date"], row["day_number"]): row for row in cells}
    sizes = {row["cohort_date"]: row["cohort_size"] for row in every}
    columns = [day for day in TABLE_DAYS if day in days]
    rows: list[list[str | Cell]] = []
    for cohort in sorted(shown):
        found = [by_cell.get((cohort, day)) for day in columns]
        rows.append(
            [
                str(cohort),
                count(sizes[cohort]),
                *(NOT_YET if row is None else rate_text(row) for row in found),
            ]
        )
    return Figure(
        "triangle",
        title,
        caption,
        charts.heat_map(
            [
                {
                    "cohort": str(row["cohort_date"]),
                    "day": row["day_number"],
                    "rate": round(row["rate"], 6),
                }
                for row in cells
            ],
            f"Heat map of {len(shown)} cohorts by {len(days)} days. {title}.",
            "not yet old enough" if is_blank else "",
        ),
        Table(
            caption="Retention by cohort on selected days",
            columns=[
                "Cohort",
                "Users",
                *(f"D{day}" for day in columns),
            ],
            rows=rows,
            source=TRIANGLE,
        ),
    )


def _platforms(summary: list[Row]) -> Figure | None:
    """Draw D1, D7 and D30 by platform."""
    rows = [
        row
        for row in summary
        if row["dimension"] == "platform" and row["day_number"] in HEADLINE_DAYS
    ]
    if not rows:
        return None
    return _breakdown(rows, "platform", list(HEADLINE_DAYS))


def _countries(summary: list[Row]) -> Figure | None:
    """Draw D7 by country, the largest first."""
    rows = [
        row
        for row in summary
        if row["dimension"] == "country" and row["day_number"] == 7  # noqa: PLR2004
    ]
    if not rows:
        return None
    return _breakdown(rows, "country", [7])


def _breakdown(rows: list[Row], dimension: str, days: list[int]) -> Figure:
    """Draw retention by one dimension, sorted by its D7."""
    sizes = {row["dimension_value"]: row["cohort_size"] for row in rows}
    largest = sorted(sizes, key=lambda value: (-sizes[value], str(value)))
    shown = set(largest[:MOST_COUNTRIES])
    main_day = 7 if any(row["day_number"] == 7 for row in rows) else days[0]  # noqa: PLR2004
    rates = {
        row["dimension_value"]: row["rate"]
        for row in rows
        if row["day_number"] == main_day and row["dimension_value"] in shown
    }
    order = sorted(shown, key=lambda value: (-rates.get(value, 0), str(value)))
    rows = sorted(
        (row for row in rows if row["dimension_value"] in shown),
        key=lambda row: (
            order.index(row["dimension_value"]),
            row["day_number"],
        ),
    )
    names = [f"D{day}" for day in days]
    axis_title = "Share of eligible users active on the day"
    if len(days) == 1:
        axis_title = f"{names[0]} retention"
    title = f"D{main_day} by {dimension}"
    if rates:
        best = max(rates, key=lambda value: (rates[value], str(value)))
        least = min(rates, key=lambda value: (rates[value], str(value)))
        title += (
            f" runs from {percent(rates[least])} ({least}) to"
            f" {percent(rates[best])} ({best})"
        )
    caption = (
        f"Dots are rates, lines their Wilson intervals; sorted by D{main_day}."
    )
    if len(shown) < len(sizes):
        caption += (
            f" The {len(shown)} largest of {len(sizes)} by number of users."
        )
    return Figure(
        f"by-{dimension}",
        title,
        caption,
        charts.dots(
            [
                {
                    "category": str(row["dimension_value"]),
                    "series": f"D{row['day_number']}",
                    "value": row["rate"],
                    "low": row["ci_low"],
                    "high": row["ci_high"],
                    "label": f"{row['dimension_value']},"
                    f" D{row['day_number']}: {rate_label(row)}",
                    "short": percent(row["rate"]).split(NO_BREAK)[0],
                }
                for row in rows
            ],
            f"Dot chart. {title}.",
            axis_title,
            series_names=names if len(names) > 1 else None,
        ),
        Table(
            caption=f"Retention by {dimension}",
            columns=[dimension.capitalize(), "Day", *RATE_COLUMNS],
            rows=[
                [
                    str(row["dimension_value"]),
                    f"D{row['day_number']}",
                    *rate_cells(row),
                ]
                for row in rows
            ],
            source=SUMMARY,
            text_columns=2,
        ),
    )
