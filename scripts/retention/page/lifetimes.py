"""How long users stay: ways of counting a return, survival and tenure.

Pure functions: rows of marts in, parts of the page out.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import partial

from display import charts
from display.charts import theme
from display.dimensions import (
    Dimension,
    broken_down,
    dimensions,
    not_broken_down,
)
from display.findings import contrast, estimate
from display.formats import (
    MISSING,
    count,
    day,
    fit_scale,
    percent,
    yes_or_no,
)
from display.parts import (
    Cell,
    Figure,
    Part,
    Row,
    Section,
    Table,
    Tables,
    table_of,
)
from display.rates import (
    rate_interval,
    rate_label,
    rate_text,
    rounded,
    small_values,
)

MARTS = (
    "dim_dimensions",
    "fct_retention_summary",
    "fct_survival",
    "fct_tenure",
)

SUMMARY = "marts.fct_retention_summary"
SURVIVAL = "marts.fct_survival"
TENURE = "marts.fct_tenure"
SURVIVAL_RATE = "survival_rate"
WINDOW_TYPES = ["on_day", "bracket", "on_or_after"]
NOT_YET = "not yet"
# The day at which survival is told, if the log is long enough.
MAIN_DAY = 30
HALF = 0.5
MOST_DAYS = 90
MOST_VALUES = 4
MOST_WEEKS = 53
# From the longest known to the newest: later bands are paler.
BAND_COLOURS = [
    theme.GREY,
    theme.NAVY,
    theme.BLUE,
    theme.SOFT_BLUE,
    theme.PALE_BLUE,
]
ESTABLISHED = "established"

# Rows of day modes by place of type, first and last day.
Windows = dict[tuple[int, int, int], dict[str, Row]]


def section(tables: Tables) -> Section:
    """Tell how returns are counted and how long users stay."""
    survival = tables["fct_survival"]
    summary = tables["fct_retention_summary"]
    compared = dimensions(tables["dim_dimensions"], "user", "new_user")
    parts: list[Part | None] = [
        _windows(summary),
        _survival(survival),
        *broken_down(
            compared, partial(_survival_by, survival, summary), SURVIVAL
        ),
        not_broken_down(survival, compared),
        _tenure(tables["fct_tenure"]),
    ]
    known = [part for part in parts if part is not None]
    has_lives = parts[0] is not None or parts[1] is not None
    lead = (
        "A return can be asked for on a day, on any day of several, or at any"
        " time from a day on; and a user can be followed until they fall"
        " silent. Each answers another question."
    )
    if not has_lives:
        lead = "This log is too short to tell how long users stay."
    return Section("lasting", "How long users stay", lead, known, "Staying")


def _windows(summary: list[Row]) -> Table | None:
    """Table every window, by calendar days and by 24-hour days."""
    rows = [
        row
        for row in summary
        if row["dimension"] == "all" and row["retention_type"] in WINDOW_TYPES
    ]
    by_window: Windows = {}
    for row in rows:
        key = (
            WINDOW_TYPES.index(row["retention_type"]),
            row["from_day_number"],
            row["to_day_number"],
        )
        by_window.setdefault(key, {})[row["day_mode"]] = row
    if not by_window or all(row["rate"] is None for row in rows):
        return None
    lines: list[list[str | Cell]] = []
    for _, modes in sorted(by_window.items()):
        calendar, elapsed = modes.get("calendar"), modes.get("elapsed")
        lines.append(
            [
                _window_words(calendar or elapsed or {}),
                *(_rate_cell(calendar), _between_cell(calendar)),
                *(_users(calendar), _rate_cell(elapsed), _users(elapsed)),
            ]
        )
    return Table(
        caption="New users who come back, by way of counting",
        columns=[
            "Active again",
            "Calendar days",
            "Between cohorts",
            "Old enough",
            "24-hour days",
            "Old enough",
        ],
        rows=lines,
        source=SUMMARY,
        title=_windows_title(by_window),
        note="Below each rate its Wilson interval, which takes users as"
        " independent; the interval between cohorts lets days of first"
        " activity differ by more than chance. Calendar days are those of the"
        " log's time zone, 24-hour days are counted from each user's first"
        " play. Whoever is asked to come back on a day or after has until the"
        " same last day to do so.",
    )


def _windows_title(by_window: Windows) -> str:
    """Set a day beside the same day or later, if both are known."""
    calendar = {
        key: modes["calendar"]
        for key, modes in by_window.items()
        if "calendar" in modes and modes["calendar"]["rate"] is not None
    }
    days = sorted(key[1] for key in calendar if key[0] == 0)
    after = {key[1]: row for key, row in calendar.items() if key[0] == 2}  # noqa: PLR2004
    pairs = [number for number in days if number in after]
    if not pairs:
        return "Ways of counting a return"
    number = 7 if 7 in pairs else pairs[0]  # noqa: PLR2004
    exact = next(row for key, row in calendar.items() if key[:2] == (0, number))
    return (
        f"{estimate(exact).text()} come back on day {number} itself,"
        f" {estimate(after[number]).text()} on day {number} or after it,"
        f" up to day {after[number]['to_day_number']}"
    )


def _window_words(row: Row) -> str:
    first, last = row["from_day_number"], row["to_day_number"]
    return {
        "on_day": f"on day {first}",
        "bracket": f"on any of days {first} to {last}",
        "on_or_after": f"on day {first} or after, to day {last}",
    }[row["retention_type"]]


def _rate_cell(row: Row | None) -> str | Cell:
    if row is None:
        return MISSING
    if row["rate"] is None:
        return NOT_YET
    return Cell(rate_text(row), rate_interval(row).text)


def _users(row: Row | None) -> str:
    return MISSING if row is None else count(row["eligible_users"])


def _between_cell(row: Row | None) -> str | Cell:
    if row is None or row["cohort_ci_low"] is None:
        return MISSING
    scale = fit_scale("rate", row["rate"], row["cohort_ci_low"])
    return Cell(scale.span(row["cohort_ci_low"], row["cohort_ci_high"]))


def _by_value(rows: list[Row], dimension: str) -> dict[str, list[Row]]:
    """Group the days that are drawn by the value of a dimension."""
    by_value: dict[str, list[Row]] = {}
    for row in rows:
        if (
            row["dimension"] == dimension
            and row[SURVIVAL_RATE] is not None
            and row["day_number"] <= MOST_DAYS
        ):
            by_value.setdefault(str(row["dimension_value"]), []).append(row)
    return {
        value: sorted(days, key=lambda row: row["day_number"])
        for value, days in by_value.items()
    }


def _told(days: list[Row]) -> Row:
    """Choose the day at which a survival curve is told."""
    until = [row for row in days if row["day_number"] <= MAIN_DAY]
    return (until or days)[-1]


def _days(row: Row) -> str:
    number = row["day_number"]
    return f"{number} day{'' if number == 1 else 's'}"


def _survival(rows: list[Row]) -> Figure | None:
    """Draw how many users stay beyond each day."""
    days = _by_value(rows, "all").get("all")
    if not days:
        return None
    told = _told(days)
    half = next((row for row in days if row[SURVIVAL_RATE] <= HALF), None)
    stay = estimate(told, SURVIVAL_RATE).text()
    title = f"{stay} of new users stay for more than {_days(told)}"
    if half is not None and half["day_number"] < told["day_number"]:
        title = (
            f"Half of new users stay for no more than {_days(half)}, {stay}"
            f" for more than {_days(told)}"
        )
    return Figure(
        "survival",
        title,
        "Kaplan-Meier: from the first active day to the last one before a"
        " silence long enough to count as leaving, both included, so whoever"
        " never comes back has stayed for one day. Users too young to tell"
        " count for as long as they were followed. The band is Greenwood's"
        f" interval; {count(days[0]['at_risk_users'])} users followed at the"
        f" start, {count(days[-1]['at_risk_users'])} on day"
        f" {days[-1]['day_number']}.",
        _survival_chart({"all": days}, title),
        _survival_table({"all": days}),
    )


def _survival_by(
    rows: list[Row], summary: list[Row], dimension: Dimension
) -> Figure | None:
    """Draw survival by the largest values that have enough users."""
    every = _by_value(rows, dimension.name)
    small = small_values(summary, dimension.name)
    by_value = {
        value: days for value, days in every.items() if value not in small
    }
    if len(by_value) < 2:  # noqa: PLR2004
        return None
    largest = sorted(
        by_value,
        key=lambda value: (-by_value[value][0]["at_risk_users"], value),
    )
    shown = {value: by_value[value] for value in largest[:MOST_VALUES]}
    # The same day for all, or they cannot be compared.
    number = min(_told(days)["day_number"] for days in shown.values())
    told = {
        value: row
        for value, days in shown.items()
        for row in days
        if row["day_number"] == number
    }
    title = contrast(
        f"Staying for more than {number} days",
        dimension.word,
        [(value, estimate(row, SURVIVAL_RATE)) for value, row in told.items()],
    )
    caption = (
        f"Users who stay for longer than so many days, by {dimension.word};"
        " bands are Greenwood intervals. At the start: "
        + ", ".join(
            f"{value} {count(days[0]['at_risk_users'])}"
            for value, days in shown.items()
        )
        + " users."
    )
    if len(shown) < len(every):
        caption += f" The {len(shown)} largest of {len(every)}."
    return Figure(
        f"survival-by-{dimension.name}",
        title,
        caption,
        _survival_chart(shown, title),
        _survival_table(shown, dimension.heading),
    )


def _survival_chart(by_value: dict[str, list[Row]], title: str) -> Row:
    return charts.curve(
        [
            {
                "series": value,
                "day": row["day_number"],
                "rate": round(row[SURVIVAL_RATE], 6),
                "low": rounded(row["ci_low"]),
                "high": rounded(row["ci_high"]),
                "label": ("" if value == "all" else f"{value}, ")
                + f"day {row['day_number']}:"
                f" {rate_label(row, SURVIVAL_RATE)},"
                f" {count(row['at_risk_users'])} followed",
            }
            for value, days in by_value.items()
            for row in days
        ],
        f"Step chart. {title}.",
        x_title="Length of stay, days",
        y_title="Users who stay longer",
        series_names=list(by_value),
        is_stepped=True,
    )


def _survival_table(
    by_value: dict[str, list[Row]], heading: str | None = None
) -> Table:
    return table_of(
        "Users by day since first activity",
        (row for days in by_value.values() for row in days),
        ({heading: lambda row: str(row["dimension_value"])} if heading else {})
        | {
            "Day": lambda row: str(row["day_number"]),
            "Followed": lambda row: count(row["at_risk_users"]),
            "Left": lambda row: count(row["churned_users"]),
            "Followed no longer": lambda row: count(row["censored_users"]),
            "Stay for longer": lambda row: rate_text(row, SURVIVAL_RATE),
            "Greenwood interval": lambda row: rate_interval(row, SURVIVAL_RATE),
            "Leave on that day": lambda row: percent(row["hazard_rate"]),
        },
        source=SURVIVAL,
        text_columns=2 if heading else 1,
    )


def _tenure(rows: list[Row]) -> Figure | None:
    """Draw how long the active users of each week have been there."""
    weeks = sorted({row["week_start_date"] for row in rows})
    shown = set(weeks[-MOST_WEEKS:])
    names = {row["band_number"]: row["tenure_band"] for row in rows}
    # The established first, then from the longest known to the newest.
    newest_last = [names[number] for number in sorted(names, reverse=True)]
    order = sorted(newest_last, key=lambda name: name != ESTABLISHED)
    colours = BAND_COLOURS[0 if ESTABLISHED in order else 1 :]
    colours += colours[-1:] * len(order)
    rows = sorted(
        (
            row
            for row in rows
            if row["week_start_date"] in shown and row["active_users"]
        ),
        key=lambda row: (row["week_start_date"], row["band_number"]),
    )
    if not rows:
        return None
    drawn = {row["tenure_band"] for row in rows}
    series = {
        name: colour
        for name, colour in zip(order, colours, strict=False)
        if name in drawn
    }
    totals: Counter[date] = Counter()
    for row in rows:
        totals[row["week_start_date"]] += row["active_users"]
    whole = [row for row in rows if row["is_complete"]]
    title = "How long the active users of each week have been there"
    if whole:
        week = whole[-1]["week_start_date"]
        most = max(
            (row for row in whole if row["week_start_date"] == week),
            key=lambda row: (row["active_users"], -row["band_number"]),
        )
        who = (
            "had signed up before the log begins"
            if most["tenure_band"] == ESTABLISHED
            else f"had been there for {most['tenure_band']}"
        )
        title = (
            f"In the week of {day(week)}, {count(most['active_users'])} of"
            f" {count(totals[week])} active users {who}"
        )
    return Figure(
        "tenure",
        title,
        "Active users of each week by days since their first activity;"
        " established users signed up before the log begins."
        + (
            " Pale weeks are not observed whole."
            if any(not row["is_complete"] for row in rows)
            else ""
        ),
        charts.stacks(
            [
                {
                    "period": str(row["week_start_date"]),
                    "series": row["tenure_band"],
                    "value": row["active_users"],
                    "is_complete": bool(row["is_complete"]),
                    "label": f"Week of {day(row['week_start_date'])},"
                    f" {row['tenure_band']}: {count(row['active_users'])} of"
                    f" {count(totals[row['week_start_date']])} active users"
                    + ("" if row["is_complete"] else "; not a whole week"),
                }
                for row in rows
            ],
            f"Stacked bar chart. {title}.",
            "Week from",
            "Active users",
            series,
        ),
        table_of(
            "Active users by week and tenure",
            rows,
            {
                "Week from": lambda row: str(row["week_start_date"]),
                "Tenure": lambda row: row["tenure_band"],
                "Active users": lambda row: count(row["active_users"]),
                "Plays": lambda row: count(row["play_count"]),
                "Hours watched": lambda row: count(
                    row["watched_seconds"] / 3600
                ),
                "Whole week": lambda row: yes_or_no(row["is_complete"]),
            },
            source=TENURE,
            text_columns=2,
        ),
    )
