"""What goes with exploring genres: the plain gap and what remains of it.

Pure functions: rows of marts and results in, parts of the page out. The plain
gap is called an association, never an effect.
"""

from __future__ import annotations

from report import charts
from report.formats import (
    MISSING,
    count,
    finest,
    fit_scale,
    p_value,
    place,
    words,
)
from report.parts import (
    Figure,
    Note,
    Part,
    Row,
    Section,
    Table,
    Tables,
)
from report.rates import RATE_COLUMNS, rate_cells, rate_label, rate_text

NUMBER_WORDS = ["no", "one", "two", "three", "four", "five", "six"]
ESTIMANDS = {
    "naive_difference": "Plain gap",
    "stratified_ate": "Adjusted, all users",
    "stratified_atu": "Adjusted, others",
}


def section(tables: Tables) -> Section:
    """Tell what goes with exploring genres, plainly and adjusted."""
    rows = sorted(
        (
            row
            for row in tables["fct_retention_by_genres"]
            if row["dimension"] == "all" and row["rate"] is not None
        ),
        key=_genre_count,
    )
    name, title = "genres", "Genres explored and coming back"
    if not any(_genre_count(row) for row in rows):
        return Section(
            name,
            title,
            "This log has no genres, so there is nothing to compare.",
            link="Genres",
        )
    parts: list[Part | None] = [
        _by_genres(rows),
        _genre_effects(tables["diversity_effects"], _genre_words(rows[-1])),
    ]
    return Section(
        name,
        title,
        "Genres explored in the first days are associated with coming back."
        " The gap alone does not say that genres cause it: busy users do more"
        " of both.",
        [part for part in parts if part is not None],
        "Genres",
    )


def _by_genres(rows: list[Row]) -> Figure:
    """Draw D7 by genres explored."""
    first = next(row for row in rows if _genre_count(row))
    last, day = rows[-1], rows[0]["day_number"]
    title = f"D{day} is {rate_text(last)}"
    title += f" after {_genre_words(last)}"
    if first is not last:
        title += f", {rate_text(first)} after {_number_words(first)}"
    bars = [
        {
            "category": _explored(row),
            "rate": row["rate"],
            "low": row["ci_low"],
            "high": row["ci_high"],
            "label": f"{_genre_words(row)}: {rate_label(row)}",
            "short": rate_text(row),
        }
        for row in rows
    ]
    return Figure(
        "genres-explored",
        title,
        f"D{day} retention by distinct genres with a valid play in the first"
        " days; lines are Wilson intervals.",
        charts.bars(
            bars,
            f"Bar chart. {title}.",
            "Genres explored in the first days",
            f"D{day} retention",
        ),
        Table(
            caption=f"D{day} retention by genres explored",
            columns=["Genres explored", *RATE_COLUMNS],
            rows=[[_explored(row), *rate_cells(row)] for row in rows],
            source="marts.fct_retention_by_genres",
        ),
    )


def _explored(row: Row) -> str:
    return str(row["genres_explored"])


def _genre_count(row: Row) -> int:
    """Read the number out of `3` or `4+`."""
    return int(_explored(row).rstrip("+"))


def _number_words(row: Row) -> str:
    number = _genre_count(row)
    small = number < len(NUMBER_WORDS)
    text = NUMBER_WORDS[number] if small else str(number)
    return f"{text} or more" if _explored(row).endswith("+") else text


def _genre_words(row: Row) -> str:
    single = _explored(row) == "1"
    return f"{_number_words(row)} {'genre' if single else 'genres'}"


def _genre_effects(rows: list[Row], many: str) -> Figure | Note | None:
    """Draw the plain gap beside the adjusted estimates."""
    known = sorted(
        (row for row in rows if row["estimate"] is not None),
        key=lambda row: place(row["estimand"], list(ESTIMANDS)),
    )
    if not known:
        reasons = sorted({words(row["reason_code"]) for row in rows})
        return (
            Note(f"The gap could not be adjusted: {', '.join(reasons)}.")
            if reasons
            else None
        )
    scale = finest(
        fit_scale("points", row["estimate"], row["ci_low"], row["ci_high"])
        for row in known
    )
    by_name = {row["estimand"]: row for row in known}
    plain, adjusted = (
        by_name.get("naive_difference"),
        by_name.get("stratified_ate"),
    )
    title = f"Users of {many} against those of fewer"
    if plain and adjusted:
        title = (
            f"Of a plain gap of {scale.text(plain['estimate'])},"
            f" {scale.text(adjusted['estimate'])} remain among equally busy"
            " users"
        )
    marks = [
        {
            "category": _estimand(row),
            "value": row["estimate"] * scale.factor,
            "low": row["ci_low"] * scale.factor,
            "high": row["ci_high"] * scale.factor,
            "label": f"{_estimand(row)}: {scale.text(row['estimate'])}"
            f" ({scale.span(row['ci_low'], row['ci_high'])}),"
            f" grade {row['causal_grade']}",
            "short": scale.bare(row["estimate"]),
        }
        for row in known
    ]
    lost = max(row["units_without_overlap"] or 0 for row in known)
    left_out = ""
    if lost:
        left_out = (
            f" {count(lost)} users with nobody to be compared with are left"
            " out."
        )
    return Figure(
        "genre-effects",
        title,
        f"Difference in retention between {many} and fewer. The plain"
        " gap is an association (grade D); the adjusted estimates"
        " compare users with the same number of valid plays on the same"
        " platform (grade C), and still rest on having no other difference."
        + left_out,
        charts.dots(
            marks,
            f"Dot chart with intervals. {title}.",
            "Difference in retention, points",
            axis_format=charts.NUMBER_AXIS,
            reference=0.0,
        ),
        Table(
            caption=f"Difference in retention, {many} against fewer",
            columns=[
                "Estimate of",
                "Difference",
                "Interval",
                "p",
                "Explorers",
                "Others",
                "Strata",
                "Left out",
                "Grade",
            ],
            rows=[
                [
                    _estimand(row),
                    scale.text(row["estimate"]),
                    scale.span(row["ci_low"], row["ci_high"]),
                    p_value(row["p_value"]),
                    count(row["explorer_units"]),
                    count(row["other_units"]),
                    count(row["strata_used"]),
                    count(row["units_without_overlap"]),
                    row["causal_grade"] or MISSING,
                ]
                for row in known
            ],
            source="results.diversity_effects",
        ),
    )


def _estimand(row: Row) -> str:
    return ESTIMANDS.get(row["estimand"], words(row["estimand"]))
