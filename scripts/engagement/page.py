"""How many are active and how often: counts of users by day and by week.

Pure functions: rows of marts in, parts of the page out. These are counts of
all users, not of a sample, so they have no intervals.
"""

from __future__ import annotations

from collections.abc import Callable

from display import charts
from display.charts import theme
from display.findings import movement
from display.formats import MISSING, count, day, fit_number, percent, yes_or_no
from display.parts import (
    Figure,
    Note,
    Part,
    Row,
    Section,
    Table,
    Tables,
    table_of,
)

MARTS = (
    "fct_active_users",
    "fct_activity_frequency",
    "fct_growth_accounting",
)

ACTIVE = "marts.fct_active_users"
FREQUENCY = "marts.fct_activity_frequency"
GROWTH = "marts.fct_growth_accounting"
# Columns of users active on a day, in the week and month that end with it.
COUNTS = {
    "daily": "daily_active_users",
    "weekly": "weekly_active_users",
    "monthly": "monthly_active_users",
}
# What still fits a page; earlier days are in the marts.
MOST_DAYS = 180
MOST_WEEKS = 53
GROWTH_COLOURS = {
    "retained": theme.SOFT_BLUE,
    "resurrected": theme.BLUE,
    "new": theme.NAVY,
    "churned": theme.ORANGE,
}
MINUS = "\u2212"


def section(tables: Tables) -> Section:
    """Tell how many are active, how often, and who comes and goes."""
    name, title, link = "activity", "How many, and how often", "Activity"
    days = _days(tables["fct_active_users"])
    if not any(row["daily_active_users"] for row in days):
        return Section(name, title, "Nobody is active in this log.", link=link)
    parts: list[Part | None] = [
        _active_users(days),
        _stickiness(days),
        *_frequencies(tables["fct_activity_frequency"]),
        _growth(tables["fct_growth_accounting"]),
    ]
    return Section(
        name,
        title,
        "Active is who had an event that counts as activity, see the"
        " definitions. These are counts of all users, new and"
        " established, so nothing is estimated; what is not observed whole is"
        " set apart.",
        [part for part in parts if part is not None],
        link,
    )


def _days(rows: list[Row]) -> list[Row]:
    """Take the latest days of all users, in order."""
    whole = [row for row in rows if row["dimension"] == "all"]
    return sorted(whole, key=lambda row: row["calendar_date"])[-MOST_DAYS:]


def _ends(days: list[Row], column: str) -> tuple[Row, Row] | None:
    """Find the first and the last whole day on which a number is known."""
    known = [
        row for row in days if row["is_complete"] and row[column] is not None
    ]
    return (known[0], known[-1]) if known else None


def _history(
    days: list[Row], columns: dict[str, str], write: Callable[[float], str]
) -> list[Row]:
    """Lay out the points of each series; a day without a number has none."""
    return [
        {
            "series": series,
            "date": str(row["calendar_date"]),
            "value": round(row[column], 6),
            "is_complete": bool(row["is_complete"]),
            "label": f"{day(row['calendar_date'])}, {series}:"
            f" {write(row[column])}"
            + ("" if row["is_complete"] else "; not a whole day"),
            "short": f"{write(row[column])} {series}"
            if len(columns) > 1
            else write(row[column]),
        }
        for series, column in columns.items()
        for row in days
        if row[column] is not None
    ]


def _movement_title(
    subject: str,
    days: list[Row],
    column: str,
    write: Callable[[float], str] = count,
    *,
    is_plural: bool = True,
) -> str:
    """Say how a number goes from its first to its last whole day."""
    ends = _ends(days, column)
    if ends is None:
        last = [row for row in days if row[column] is not None][-1]
        return (
            f"{subject} on {day(last['calendar_date'])}, a day not observed"
            f" whole: {write(last[column])}"
        )
    first, last = ends
    if first is last:
        value = write(first[column])
        return f"{subject} on {day(first['calendar_date'])}: {value}"
    return movement(
        subject,
        first[column],
        f"on {day(first['calendar_date'])}",
        last[column],
        f"on {day(last['calendar_date'])}",
        write=write,
        is_plural=is_plural,
    )


def _incomplete(days: list[Row]) -> str:
    """Say that some days are dotted, where some are."""
    if all(row["is_complete"] for row in days):
        return ""
    return " Dotted: days not loaded whole, where the count can still grow."


def _active_users(days: list[Row]) -> Figure:
    """Draw daily, weekly and monthly active users."""
    columns = {
        series: column
        for series, column in COUNTS.items()
        if any(row[column] is not None for row in days)
    }
    # Weeks are told: single days go up and down with the day of the week.
    told = "weekly" if "weekly" in columns else "daily"
    title = _movement_title(
        f"{told.capitalize()} active users", days, COUNTS[told]
    )
    caption = (
        "Users active on the day, in the week and in the month that end with"
        " it, each user once; the week and the month begin once they are"
        " observed whole."
    )
    ends = _ends(days, "daily_active_users")
    if ends:
        numbers = ", ".join(
            f"{count(ends[1][column])} {series}"
            for series, column in columns.items()
        )
        caption += f" On {day(ends[1]['calendar_date'])}: {numbers}."
    return Figure(
        "active-users",
        title,
        caption + _incomplete(days),
        charts.history(
            _history(days, columns, count),
            f"Line chart. {title}.",
            y_title="Active users",
            series_names=list(columns),
        ),
        table_of(
            "Active users by day",
            days,
            {
                "Day": lambda row: str(row["calendar_date"]),
                "Daily": lambda row: count(row[COUNTS["daily"]]),
                "Weekly": lambda row: count(row[COUNTS["weekly"]]),
                "Monthly": lambda row: count(row[COUNTS["monthly"]]),
                "Stickiness": lambda row: percent(row["stickiness_rate"]),
                "Whole day": lambda row: yes_or_no(row["is_complete"]),
            },
            source=ACTIVE,
        ),
    )


def _stickiness(days: list[Row]) -> Figure | Note:
    """Draw the share of the month's users who are active on its mean day."""
    column = "stickiness_rate"
    points = _history(days, {"stickiness": column}, percent)
    if not points:
        return Note(
            "Stickiness and monthly active users need a whole month of"
            " observed days; this log has fewer."
        )
    title = _movement_title(
        "Stickiness", days, column, percent, is_plural=False
    )
    ends = _ends(days, column)
    mean = ""
    if ends and ends[1]["mean_daily_active_users"] is not None:
        last = ends[1]
        mean = (
            f" On {day(last['calendar_date'])}:"
            f" {count(last['mean_daily_active_users'])} users on the mean day,"
            f" of {count(last['monthly_active_users'])} in the month."
        )
    return Figure(
        "stickiness",
        title,
        "Stickiness: mean daily over monthly active users, the trailing month"
        f" in both.{mean}" + _incomplete(days),
        charts.history(
            points,
            f"Line chart. {title}.",
            y_title="Stickiness",
            series_names=["stickiness"],
            axis_format=charts.PERCENT_AXIS,
        ),
        table_of(
            "Stickiness by day",
            (row for row in days if row[column] is not None),
            {
                "Day": lambda row: str(row["calendar_date"]),
                "Mean daily users": lambda row: (
                    MISSING
                    if row["mean_daily_active_users"] is None
                    else fit_number(row["mean_daily_active_users"])
                ),
                "Monthly users": lambda row: count(row["monthly_active_users"]),
                "Stickiness": lambda row: percent(row[column]),
            },
            source=ACTIVE,
        ),
    )


def _frequencies(rows: list[Row]) -> list[Figure]:
    """Draw the power-user curves of a week and of a month."""
    by_window: dict[int, list[Row]] = {}
    for row in rows:
        if row["exact_rate"] is not None:
            by_window.setdefault(row["window_days"], []).append(row)
    return [_frequency(own, days) for days, own in sorted(by_window.items())]


def _frequency(rows: list[Row], window: int) -> Figure:
    """Draw on how many days of the latest window its users were active."""
    end = max(row["window_end_date"] for row in rows)
    rows = sorted(
        (row for row in rows if row["window_end_date"] == end),
        key=lambda row: row["active_day_count"],
    )
    by_days = {row["active_day_count"]: row for row in rows}
    half = (window + 1) // 2
    said = f"{percent(rows[0]['exact_rate'])} were so on one day only"
    if half in by_days and half > 1:
        said += f", {percent(by_days[half]['at_least_rate'])} on {half} or more"
    title = f"Of users active within {window} days, {said}"
    return Figure(
        f"frequency-{window}",
        title,
        f"L{window}: the {count(rows[0]['window_user_count'])} users active in"
        f" the {window} days to {day(end)}, by the number of days on which they"
        " were. Bars: exactly so many days; line: at least so many.",
        charts.shares(
            [
                {
                    "days": row["active_day_count"],
                    "exact": round(row["exact_rate"], 6),
                    "at_least": round(row["at_least_rate"], 6),
                    "label": f"{row['active_day_count']} of {window} days:"
                    f" {percent(row['exact_rate'])} exactly"
                    f" ({count(row['user_count'])} users),"
                    f" {percent(row['at_least_rate'])} at least",
                }
                for row in rows
            ],
            f"Bar and line chart. {title}.",
            f"Active days of {window}",
            "Share of the active users",
        ),
        Table(
            caption=f"Users by active days of {window}",
            columns=[
                "Active days",
                "Users, exactly",
                "Share",
                "Users, at least",
                "Share",
            ],
            rows=[
                [
                    str(row["active_day_count"]),
                    count(row["user_count"]),
                    percent(row["exact_rate"]),
                    count(row["user_count_at_least"]),
                    percent(row["at_least_rate"]),
                ]
                for row in rows
            ],
            source=FREQUENCY,
        ),
    )


def _growth(rows: list[Row]) -> Figure | Note | None:
    """Draw who makes up each week's change."""
    weeks = sorted(
        (
            row
            for row in rows
            if row["dimension"] == "all" and row["period_grain"] == "week"
        ),
        key=lambda row: row["period_start_date"],
    )[-MOST_WEEKS:]
    later = [row for row in weeks if not row["is_first_period"]]
    if not later:
        return Note(
            "Growth accounting compares a week with the one before; this log"
            " has one week."
        )
    whole = [row for row in later if row["is_complete"]]
    told = whole[-1] if whole else later[-1]
    title = (
        f"Week of {day(told['period_start_date'])}:"
        f" {count(told['previous_active_users'])} before +"
        f" {count(told['new_users'])} new +"
        f" {count(told['resurrected_users'])} resurrected {MINUS}"
        f" {count(told['churned_users'])} churned ="
        f" {count(told['active_users'])} active"
    )
    caption = (
        "Active users of each week: retained from the week before, resurrected"
        " after a week or more without a play, new; below zero the churned,"
        " active the week before and not in this one."
    )
    if any(row["is_first_period"] for row in weeks):
        caption += " The first week has none before it and is left out."
    if any(not row["is_complete"] for row in later):
        caption += (
            " Pale weeks are not observed whole: some of their churned may"
            " still come."
        )
    return Figure(
        "growth",
        title,
        caption,
        charts.stacks(
            [
                {
                    "period": str(row["period_start_date"]),
                    "series": series,
                    "value": -row["churned_users"]
                    if series == "churned"
                    else row[f"{series}_users"],
                    "is_complete": bool(row["is_complete"]),
                    "label": f"Week of {day(row['period_start_date'])}:"
                    f" {count(row[f'{series}_users'])} {series}"
                    + ("" if row["is_complete"] else "; not a whole week"),
                }
                for row in later
                for series in GROWTH_COLOURS
            ],
            f"Stacked bar chart. {title}.",
            "Week from",
            "Users",
            GROWTH_COLOURS,
        ),
        table_of(
            "Growth accounting by week: before + new + resurrected"
            f" {MINUS} churned = active",
            weeks,
            {
                "Week from": lambda row: str(row["period_start_date"]),
                "Before": lambda row: count(row["previous_active_users"]),
                "+ new": lambda row: count(row["new_users"]),
                "+ resurrected": lambda row: count(row["resurrected_users"]),
                f"{MINUS} churned": lambda row: count(row["churned_users"]),
                "= active": lambda row: count(row["active_users"]),
                "of them retained": lambda row: count(row["retained_users"]),
                "Quick ratio": lambda row: (
                    MISSING
                    if row["quick_ratio"] is None
                    else f"{row['quick_ratio']:.2f}"
                ),
                "Whole week": lambda row: yes_or_no(row["is_complete"]),
            },
            source=GROWTH,
        ),
    )
