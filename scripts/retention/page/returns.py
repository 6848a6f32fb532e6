"""Who comes back: retention by day, cohort and dimension.

Pure functions: rows of marts in, parts of the page out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import partial
from itertools import pairwise

from display import charts
from display.dimensions import (
    Dimension,
    broken_down,
    dimensions,
    not_broken_down,
)
from display.findings import Estimate, contrast, course, estimate, listed
from display.formats import NO_BREAK, count, day, fit_scale, percent
from display.parts import (
    Card,
    Cards,
    Cell,
    Figure,
    Note,
    Part,
    Row,
    Section,
    Table,
    Tables,
    table_of,
)
from display.rates import (
    RATE_CELLS,
    rate_label,
    rate_text,
    rounded,
)

MARTS = (
    "dim_dimensions",
    "fct_retention_curve",
    "fct_retention_summary",
    "fct_retention_triangle",
)

SUMMARY = "marts.fct_retention_summary"
TRIANGLE = "marts.fct_retention_triangle"
CURVE = "marts.fct_retention_curve"
NOT_YET = "not yet"
HEADLINE_DAYS = {1: "the next day", 7: "a week later", 30: "thirty days later"}
HEADLINES = {"day": ("D", tuple(HEADLINE_DAYS)), "week": ("W", (1, 4, 8))}
MAIN_DAY = 7
COHORT_SETS = {
    "eligible": "all who are old enough",
    "fixed": "the same users throughout",
}
# What still fits a page: later cohorts and longer lives are in the marts.
MOST_COHORTS = 60
MOST_PERIODS = {"day": 90, "week": 26}
MOST_VALUES = 15
# Of so many values all headline days are drawn, of more the main one.
FEW_VALUES = 5
# Cells are wide enough for numbers while they are few.
MOST_NUMBERED = 400


def section(tables: Tables) -> Section:
    """Tell who comes back, from the whole to the parts."""
    name, title, link = "returning", "Who comes back", "Coming back"
    classic = [
        row
        for row in tables["fct_retention_summary"]
        if row["retention_type"] == "on_day" and row["day_mode"] == "calendar"
    ]
    summary = [row for row in classic if row["rate"] is not None]
    if not summary:
        return Section(
            name,
            title,
            "No new user of this log is old enough for a day of retention.",
            link=link,
        )
    whole = _whole(summary)
    said = [
        f"{rate_text(whole[number])} {when}"
        for number, when in HEADLINE_DAYS.items()
        if number in whole
    ]
    compared = dimensions(tables["dim_dimensions"], "user", "new_user")
    parts: list[Part | None] = [
        _cards(classic),
        _curve(tables["fct_retention_curve"]),
        *(
            _cohorts(summary, calendar, whole.get(MAIN_DAY))
            for calendar in dimensions(
                tables["dim_dimensions"], "new_user", is_bounded=False
            )
        ),
        _heat_map(tables["fct_retention_triangle"], "day"),
        _heat_map(tables["fct_retention_triangle"], "week"),
        *broken_down(compared, partial(_breakdown, summary), SUMMARY),
        not_broken_down(summary, compared),
    ]
    return Section(
        name,
        title,
        f"Share of new users who come back: {listed(said)}."
        if said
        else "The days of retention shown are those old enough to tell.",
        [part for part in parts if part is not None],
        link,
    )


def _whole(summary: list[Row]) -> dict[int, Row]:
    """Take the rows of all new users, by day."""
    return {
        row["from_day_number"]: row
        for row in summary
        if row["dimension"] == "all"
    }


def _cards(summary: list[Row]) -> Cards:
    """Set D1, D7 and D30 large."""
    whole = _whole(summary)
    cards = []
    for number, when in HEADLINE_DAYS.items():
        row = whole.get(number)
        if row is None:
            continue
        label = f"D{number}, {when}"
        if row["rate"] is None:
            cards.append(Card(label, NOT_YET, (), "no user is old enough"))
            continue
        scale = fit_scale("rate", row["rate"], row["ci_low"], row["ci_high"])
        intervals = [f"{scale.span(row['ci_low'], row['ci_high'])} (Wilson)"]
        if row["cohort_ci_low"] is not None:
            span = scale.span(row["cohort_ci_low"], row["cohort_ci_high"])
            intervals.append(f"{span} (between cohorts)")
        cards.append(
            Card(
                label,
                scale.text(row["rate"]),
                tuple(intervals),
                f"{count(row['retained_users'])} of"
                f" {count(row['eligible_users'])} users old enough",
            )
        )
    return Cards(cards, SUMMARY, "Retention of all new users")


def _curve(rows: list[Row]) -> Figure | None:
    """Draw retention by day of the users old enough, and of the same users."""
    shown = sorted(
        (
            row
            for row in rows
            if row["dimension"] == "all"
            and row["rate"] is not None
            and 1 <= row["day_number"] <= MOST_PERIODS["day"]
        ),
        key=lambda row: row["day_number"],
    )
    eligible, fixed = (
        {row["day_number"]: row for row in shown if row["cohort_set"] == name}
        for name in COHORT_SETS
    )
    if not eligible:
        return None
    # Where all are old enough both sets are the same users, and one line.
    is_same = all(
        number in eligible
        and eligible[number]["eligible_users"] == row["eligible_users"]
        for number, row in fixed.items()
    )
    drawn = {"eligible": eligible}
    if fixed and not is_same:
        drawn["fixed"] = fixed
    first = min(eligible)
    last = max(
        (number for number in eligible if number in HEADLINE_DAYS),
        default=max(eligible),
    )
    title = (
        f"Retention on day {first} is {_interval(eligible[first]).text()}"
        if first == last
        else course(
            "Retention",
            _interval(eligible[first]),
            f"on day {first}",
            _interval(eligible[last]),
            f"on day {last}",
        )
    )
    return Figure(
        "retention-curve",
        title,
        _curve_caption(drawn),
        charts.curve(
            [
                {
                    "series": COHORT_SETS[name],
                    "day": row["day_number"],
                    "rate": round(row["rate"], 6),
                    "low": rounded(_interval(row).low),
                    "high": rounded(_interval(row).high),
                    "label": f"Day {row['day_number']}, {COHORT_SETS[name]}:"
                    f" {rate_label(row)} of {count(row['eligible_users'])}",
                }
                for name, days in drawn.items()
                for row in days.values()
            ],
            f"Line chart. {title}.",
            x_title="Days since first activity",
            y_title="Active on that day",
            series_names=[COHORT_SETS[name] for name in drawn],
            marked=[
                {
                    "day": number,
                    "rate": round(eligible[number]["rate"], 6),
                    "short": f"D{number}  {rate_text(eligible[number])}",
                }
                for number in HEADLINE_DAYS
                if number in eligible
            ],
        ),
        _curve_table(drawn),
    )


def _interval(row: Row) -> Estimate:
    """Take the interval between cohorts, or Wilson's where there is none."""
    if row["cohort_ci_low"] is None or row["cohort_ci_high"] is None:
        return estimate(row)
    return estimate(row, low="cohort_ci_low", high="cohort_ci_high")


def _curve_caption(drawn: dict[str, dict[int, Row]]) -> str:
    """Tell the two sets and the two intervals apart in words."""
    eligible = drawn["eligible"]
    most = max(row["eligible_users"] for row in eligible.values())
    full = max(n for n, r in eligible.items() if r["eligible_users"] == most)
    last = max(eligible)
    caption = "Share of users active on each day after their first."
    if "fixed" in drawn:
        fixed = drawn["fixed"]
        caption += (
            f" Solid: all who are old enough for the day, {count(most)} users"
            f" at most and {count(eligible[last]['eligible_users'])} on day"
            f" {last}; who they are changes along the line. Dashed: the"
            f" {count(fixed[max(fixed)]['eligible_users'])} users old enough"
            f" for day {max(fixed)}, the same on every day, so that no change"
            " of users can bend the line."
        )
    else:
        caption += (
            f" Up to day {full} these are the same {count(most)} users, so no"
            " change of users bends the line"
        )
        caption += (
            "; after it only older cohorts are old enough,"
            f" {count(eligible[last]['eligible_users'])} users on day {last}."
            if full < last
            else "."
        )
    has_between = any(
        row["cohort_ci_low"] is not None for row in eligible.values()
    )
    caption += (
        " Bands are intervals between cohorts: they let cohorts differ by more"
        " than chance. Wilson's, in the table, take users as independent."
        if has_between
        else " Bands are Wilson intervals, which take users as independent;"
        " one cohort cannot tell how much cohorts differ."
    )
    top = charts.HEADROOM * max(row["rate"] for row in eligible.values())
    if any((_interval(row).high or 0) > top for row in eligible.values()):
        few = "cohorts" if has_between else "users"
        caption += f" Where few {few} are left the band is cut off above."
    return caption


def _curve_table(drawn: dict[str, dict[int, Row]]) -> Table:
    return table_of(
        "Retention by day since first activity",
        (row for days in drawn.values() for _, row in sorted(days.items())),
        {
            "Day": lambda row: str(row["day_number"]),
            "Users": lambda row: COHORT_SETS[row["cohort_set"]],
            "Eligible users": RATE_CELLS["Eligible users"],
            "Returned": RATE_CELLS["Returned"],
            "Rate": RATE_CELLS["Rate"],
            "Wilson interval": RATE_CELLS["Interval"],
            "Between cohorts": lambda row: Cell(
                fit_scale("rate", row["rate"], row["ci_low"]).span(
                    row["cohort_ci_low"], row["cohort_ci_high"]
                )
            ),
        },
        source=CURVE,
        text_columns=2,
    )


def _cohorts(
    summary: list[Row], calendar: Dimension, pooled: Row | None
) -> Figure | Note | None:
    """Draw D7 of each cohort with its interval."""
    cohorts = sorted(
        (
            row
            for row in summary
            if row["dimension"] == calendar.name
            and row["from_day_number"] == MAIN_DAY
        ),
        key=lambda row: str(row["dimension_value"]),
    )
    if not cohorts or pooled is None:
        return None
    shown = cohorts[-MOST_COHORTS:]
    # Few users are at 0 or at 100 % by chance: they do not make a title.
    told = [row for row in shown if not row["is_small_cell"]]
    if not told:
        return Note(
            f"The {len(cohorts)} cohorts of a day are all too small to be told"
            " apart, so their D7 is not drawn."
        )
    rates = [row["rate"] for row in told]
    inside = sum(
        row["ci_low"] <= pooled["rate"] <= row["ci_high"] for row in shown
    )
    title = (
        f"D7 runs from {percent(min(rates))} to {percent(max(rates))} across"
        f" {len(told)} cohorts"
        if len(told) > 1
        else f"D7 of the only cohort of enough users is {rate_text(told[0])}"
    )
    caption = (
        "One bar per cohort day with its Wilson interval; dashed: all cohorts"
        f" together, {rate_text(pooled)}, which {inside} of {len(shown)}"
        " intervals contain."
    )
    if pooled["design_effect"] is not None:
        caption += (
            " The variance between cohorts is"
            f" {pooled['design_effect']:.1f} times what chance alone gives."
        )
    if len(shown) < len(cohorts):
        caption += f" The latest {len(shown)} of {len(cohorts)} are shown."
    caption += _small_cells(shown)
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
                    "label": f"{row['dimension_value']}: {rate_label(row)},"
                    f" n {count(row['eligible_users'])}",
                }
                for row in shown
            ],
            f"Bar chart. {title}.",
            "Day of first activity",
            "D7 retention",
            reference=pooled["rate"],
            is_dated=True,
        ),
        table_of(
            "D7 retention by cohort",
            shown,
            {"Cohort": lambda row: str(row["dimension_value"]), **RATE_CELLS},
            source=SUMMARY,
        ),
    )


def _small_cells(rows: list[Row]) -> str:
    """Say how many of the rates rest on few users."""
    small = sum(bool(row["is_small_cell"]) for row in rows)
    if not small:
        return ""
    if small == len(rows):
        return " Every one of them rests on few users."
    return f" {count(small)} of them rest on few users."


def _heat_map(triangle: list[Row], grain: str) -> Figure | None:
    """Draw the triangle of one grain; what has not passed is dashed."""
    every = sorted(
        (
            row
            for row in triangle
            if row["cohort_grain"] == grain
            and 1 <= row["period_number"] <= MOST_PERIODS[grain]
        ),
        key=lambda row: (row["cohort_date"], row["period_number"]),
    )
    all_cohorts = sorted({row["cohort_date"] for row in every})
    shown = all_cohorts[-MOST_COHORTS:]
    cells = [
        row
        for row in every
        # The period has passed for every user of the cohort.
        if row["rate"] is not None
        and row["is_mature"]
        and row["cohort_date"] in set(shown)
    ]
    if not cells:
        return None
    last = max(row["period_number"] for row in cells)
    unknown = _unknown(cells, shown, last)
    letter, marked = HEADLINES[grain]
    told = [row for row in cells if not row["is_small_cell"]]
    if not told and grain == "day":
        # Noise; the weeks follow.
        return None
    title = f"Cohorts by {grain}: {_spread(told, letter, marked)}"
    caption = (
        f"Rows are users by {grain} of first activity, columns {grain}s since;"
        " darker is more users active."
    )
    if unknown:
        caption += (
            f" Dashed lines are {grain}s that have not passed for all of the"
            " cohort: not known yet, which is not zero."
        )
    partly = {
        row["cohort_date"] for row in every if not row["is_cohort_complete"]
    }
    if smaller := [day(cohort) for cohort in shown if cohort in partly]:
        caption += (
            f" Not observed for the whole {grain}, so smaller:"
            f" {listed(smaller)}."
        )
    if len(shown) < len(all_cohorts):
        caption += f" The latest {len(shown)} of {len(all_cohorts)} cohorts."
    has_numbers = len(shown) * last <= MOST_NUMBERED and grain == "week"
    caption += (
        " Numbers in brackets rest on few users."
        if has_numbers and len(told) < len(cells)
        else _small_cells(cells)
    )
    # The fifth column tells days, 1, 7, 14 ..., and each of a few weeks.
    ticks = [
        number
        for number in range(1, last + 1)
        if grain == "week" or number == 1 or number % MAIN_DAY == 0
    ]
    return Figure(
        f"triangle-{grain}",
        title,
        caption,
        charts.heat_map(
            [
                {
                    "cohort": str(row["cohort_date"]),
                    "period": row["period_number"],
                    "rate": round(row["rate"], 4),
                }
                | ({"short": _cell_text(row)} if has_numbers else {})
                for row in cells
            ],
            unknown,
            f"Heat map of {len(shown)} cohorts by {last} {grain}s. {title}.",
            x_title=f"{grain.capitalize()}s since first activity",
            legend_title="Active on that day"
            if grain == "day"
            else f"Active in that {grain}",
            ticks=ticks,
        ),
        _triangle_table(
            cells, every, shown, letter, _table_columns(last, grain)
        ),
    )


def _cell_text(row: Row) -> str:
    """Write the number into a cell; in brackets if it has few users."""
    number = percent(row["rate"]).split(NO_BREAK)[0]
    return f"({number})" if row["is_small_cell"] else number


def _unknown(cells: list[Row], cohorts: list[date], last: int) -> list[Row]:
    """Find for each cohort the stretches of periods that are not known."""
    known: dict[date, set[int]] = {cohort: set() for cohort in cohorts}
    for row in cells:
        known[row["cohort_date"]].add(row["period_number"])
    return [
        {"cohort": str(cohort), "first": one + 1, "last": other - 1}
        for cohort, periods in known.items()
        for one, other in pairwise(sorted({0, *periods, last + 1}))
        if other - one > 1
    ]


def _spread(cells: list[Row], letter: str, marked: Iterable[int]) -> str:
    """Say how far the cohorts lie apart."""
    spans, scale = [], fit_scale("rate")
    for number in marked:
        rates = [row["rate"] for row in cells if row["period_number"] == number]
        if rates:
            span = scale.span(min(rates), max(rates))
            if scale.bare(min(rates)) == scale.bare(max(rates)):
                span = scale.text(rates[0])
            spans.append(f"{letter}{number} {span}")
    return listed(spans) or "none of enough users to be told apart"


def _table_columns(last: int, grain: str) -> list[int]:
    numbers = [1, 3, 7, 14, 30, 60, 90] if grain == "day" else range(1, 13)
    return [number for number in numbers if number <= last]


def _triangle_table(
    cells: list[Row],
    every: list[Row],
    cohorts: list[date],
    letter: str,
    columns: list[int],
) -> Table:
    """Table selected periods of each cohort."""
    by_cell = {(row["cohort_date"], row["period_number"]): row for row in cells}
    sizes = {row["cohort_date"]: row["cohort_size"] for row in every}

    def cell(cohort: date, number: int) -> str:
        row = by_cell.get((cohort, number))
        return NOT_YET if row is None else rate_text(row)

    return Table(
        "Retention by cohort",
        ["Cohort from", "Users", *(f"{letter}{number}" for number in columns)],
        [
            [
                str(cohort),
                count(sizes[cohort]),
                *(cell(cohort, number) for number in columns),
            ]
            for cohort in cohorts
        ],
        source=TRIANGLE,
    )


def _breakdown(summary: list[Row], dimension: Dimension) -> Figure | None:
    """Draw retention by one dimension, sorted by its D7."""
    own = [row for row in summary if row["dimension"] == dimension.name]
    values = {row["dimension_value"] for row in own}
    days = list(HEADLINE_DAYS) if len(values) <= FEW_VALUES else [MAIN_DAY]
    rows = [row for row in own if row["from_day_number"] in days]
    sizes = {row["dimension_value"]: row["cohort_size"] for row in rows}
    if len(sizes) < 2:  # noqa: PLR2004
        return None
    largest = sorted(sizes, key=lambda value: (-sizes[value], str(value)))
    shown = set(largest[:MOST_VALUES])
    found = {row["from_day_number"] for row in rows}
    main_day = MAIN_DAY if MAIN_DAY in found else min(found)
    rows = [row for row in rows if row["dimension_value"] in shown]
    main = {
        row["dimension_value"]: row
        for row in rows
        if row["from_day_number"] == main_day
    }

    def order(row: Row) -> tuple[float, str, int]:
        value = row["dimension_value"]
        rate = main[value]["rate"] if value in main else 0
        return (-rate, str(value), row["from_day_number"])

    rows.sort(key=order)
    names = [f"D{number}" for number in days if number in found]
    axis_title = "Active on the day"
    if len(names) == 1:
        axis_title = f"{names[0]} retention"
    # Few users are far out by chance: they do not make a title.
    told = {
        value: row for value, row in main.items() if not row["is_small_cell"]
    }
    title = contrast(
        f"D{main_day}",
        dimension.word,
        [(str(value), estimate(row)) for value, row in (told or main).items()],
    )
    caption = (
        "Dots are rates, lines their Wilson intervals, in brackets the number"
        f" of new users; sorted by D{main_day}."
    )
    if len(shown) < len(sizes):
        caption += (
            f" The {len(shown)} largest of {len(sizes)} by number of users."
        )
    caption += _small_cells(rows)
    return Figure(
        f"by-{dimension.name}",
        title,
        caption,
        charts.dots(
            [
                {
                    "category": f"{row['dimension_value']}"
                    f" ({count(sizes[row['dimension_value']])})",
                    "series": f"D{row['from_day_number']}",
                    "value": row["rate"],
                    "low": row["ci_low"],
                    "high": row["ci_high"],
                    "label": f"{row['dimension_value']},"
                    f" D{row['from_day_number']}: {rate_label(row)},"
                    f" n {count(row['eligible_users'])}",
                    "short": percent(row["rate"]).split(NO_BREAK)[0],
                }
                for row in rows
            ],
            f"Dot chart. {title}.",
            axis_title,
            series_names=names if len(names) > 1 else None,
        ),
        table_of(
            f"Retention by {dimension.word}",
            rows,
            {
                dimension.heading: lambda row: str(row["dimension_value"]),
                "Day": lambda row: f"D{row['from_day_number']}",
                **RATE_CELLS,
            },
            source=SUMMARY,
            text_columns=2,
        ),
    )
