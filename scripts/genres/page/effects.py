"""What goes with exploring genres: the plain gap and what remains of it.

What the adjusted estimate deserves to be believed for is told by
`genres.page.checks`.

Pure functions: rows of marts and results in, parts of the page out. The plain
gap is called an association, never an effect.
"""

from __future__ import annotations

from display import charts
from display.effects import effect_mark, effect_text, interval_cell
from display.formats import (
    MISSING,
    NO_BREAK,
    Scale,
    count,
    finest,
    fit_number,
    fit_scale,
    p_value,
    percent,
    words,
)
from display.parts import Figure, Note, Part, Row, Section, Tables, table_of
from display.rates import RATE_CELLS, rate_label, rate_text
from genres.page import checks as page_checks
from genres.page.checks import estimated

MARTS = (
    "fct_genre_landmark",
    "fct_retention_by_genres",
)

NUMBER_WORDS = ["no", "one", "two", "three", "four", "five", "six"]
ESTIMANDS = {
    "naive_difference": "Plain gap",
    "compared_difference": "Plain gap, those compared",
    "total_ate": "Alike but for activity",
    "stratified_ate": "Strata, all users",
    "stratified_atu": "Strata, others",
    "regression_ate": "Regression",
    "weighting_ate": "Weights",
    "aipw_ate": "Both (headline)",
    "aipw_att": "Both, on explorers",
    "aipw_atu": "Both, on others",
}
THIRDS = {
    "aipw_ate_light": "Light",
    "aipw_ate_middle": "Middle",
    "aipw_ate_busy": "Busy",
}
KINDS = ["association", "adjusted"]
# What is not adjusted for activity is shown as an association.
ASSOCIATION = "D"


def section(tables: Tables) -> Section:
    """Tell what goes with exploring genres, plainly and adjusted."""
    by_day = [
        row
        for row in tables["fct_retention_by_genres"]
        if row["dimension"] == "all" and row["rate"] is not None
    ]
    day = min((row["day_number"] for row in by_day), default=None)
    rows = sorted(
        (row for row in by_day if row["day_number"] == day), key=_genre_count
    )
    name, title = "genres", "Genres explored and coming back"
    if not any(_genre_count(row) for row in rows):
        return Section(
            name,
            title,
            "This log has no genres, so there is nothing to compare.",
            link="Genres",
        )
    effects, many = tables["genre_effects"], _genre_words(rows[-1])
    checks = tables["genre_checks"]
    parts: list[Part | None] = [
        _by_genres(rows, tables["genre_trends"]),
        _genre_effects(effects, many),
        _doses(tables["genre_dose_response"], day),
        _thirds(effects, checks),
        page_checks.balance(tables["genre_balance"]),
        page_checks.overlap(tables["genre_overlap"]),
        page_checks.sensitivity(effects, ESTIMANDS),
        page_checks.known_answers(checks),
        page_checks.landmark(tables["fct_genre_landmark"], day),
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


def _by_genres(rows: list[Row], trends: list[Row]) -> Figure:
    """Draw D7 by genres explored."""
    first = next(row for row in rows if _genre_count(row))
    last, day = rows[-1], rows[0]["day_number"]
    title = f"D{day} is {rate_text(last)} after {_genre_words(last)}"
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
        " days; lines are Wilson intervals." + _trend_words(trends),
        charts.bars(
            bars,
            f"Bar chart. {title}.",
            "Genres explored in the first days",
            f"D{day} retention",
        ),
        table_of(
            f"D{day} retention by genres explored",
            rows,
            {"Genres explored": _explored, **RATE_CELLS},
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


def _trend_words(trends: list[Row]) -> str:
    """Say on which days retention rises with the genres explored."""
    known = sorted(
        (
            row
            for row in trends
            if row["dimension"] == "all" and row["p_value"] is not None
        ),
        key=lambda row: row["day_number"],
    )
    if not known:
        return ""
    tests = ", ".join(
        f"D{row['day_number']} z {fit_number(row['statistic'])}"
        f" (p {p_value(row['p_value'])})"
        for row in known
    )
    return f" Test of a trend (Cochran-Armitage): {tests}."


def _genre_effects(rows: list[Row], many: str) -> Figure | Note | None:
    """Draw the plain gap beside the adjusted estimates."""
    known = estimated(rows, ESTIMANDS)
    if not known:
        reasons = sorted({words(row["reason_code"]) for row in rows})
        return (
            Note(f"The gap could not be adjusted: {', '.join(reasons)}.")
            if reasons
            else None
        )
    scale = _scale(known)
    return Figure(
        "genre-effects",
        _gap_title(known, many),
        f"Difference in retention between {many} and fewer, with"
        f" {fit_number(100 * (1 - known[0]['alpha']))}{NO_BREAK}% intervals."
        " The plain gaps are associations (grade D), and so is the one among"
        " users of the same platform, country, channel and time of first"
        " activity. The adjusted"
        " estimates hold activity equal too (grade C); they are effects only"
        " if nothing else sets explorers apart. \u201cBoth\u201d joins"
        " regression and weights and needs only one of them to be right."
        + _left_out(known),
        charts.dots(
            [_gap_mark(row, scale) for row in known],
            f"Dot chart with intervals. {_gap_title(known, many)}.",
            "Difference in retention, points",
            axis_format=charts.NUMBER_AXIS,
            reference=0.0,
            series_names=KINDS,
        ),
        table_of(
            f"Difference in retention, {many} against fewer",
            known,
            {
                "Estimate of": _estimand,
                "Difference": lambda row: scale.text(row["estimate"]),
                "Interval": lambda row: interval_cell(row, scale).text,
                "p": lambda row: p_value(row["p_value"]),
                "Ratio": _ratio,
                "Explorers": lambda row: count(row["explorer_units"]),
                "Others": lambda row: count(row["other_units"]),
                "Left out": lambda row: count(row["units_without_overlap"]),
                "Grade": lambda row: row["causal_grade"] or MISSING,
            },
            source="results.genre_effects",
        ),
    )


def _scale(rows: list[Row]) -> Scale:
    """Write gaps shown together with the digits that the closest need."""
    return finest(
        fit_scale("points", row["estimate"], row["ci_low"], row["ci_high"])
        for row in rows
    )


def _gap_title(known: list[Row], many: str) -> str:
    """Say what remains of the plain gap, and whether it could be nothing."""
    by_name = {row["estimand"]: row for row in known}
    plain = by_name.get("naive_difference")
    adjusted = by_name.get("aipw_ate") or by_name.get("stratified_ate")
    if not plain or not adjusted:
        return f"Users of {many} against those of fewer"
    scale = _scale([plain, adjusted])
    title = (
        f"Of a plain gap of {scale.text(plain['estimate'])},"
        f" {scale.text(adjusted['estimate'])} remain among equally active users"
    )
    if adjusted["ci_low"] <= 0 <= adjusted["ci_high"]:
        title += ", which chance alone could give"
    return title


def _gap_mark(row: Row, scale: Scale) -> Row:
    is_plain = row["causal_grade"] == ASSOCIATION
    return {
        "category": _estimand(row),
        "series": KINDS[0] if is_plain else KINDS[1],
        **effect_mark(row, scale),
        "label": f"{_estimand(row)}: {effect_text(row, scale)},"
        f" grade {row['causal_grade']}",
        "short": scale.bare(row["estimate"]),
    }


def _left_out(known: list[Row]) -> str:
    lost = max(row["units_without_overlap"] or 0 for row in known)
    if not lost:
        return ""
    return (
        f" {count(lost)} users with nobody to be compared with are left out of"
        " the strata."
    )


def _ratio(row: Row) -> str:
    ends = row["risk_ratio_ci_low"], row["risk_ratio_ci_high"]
    scale = fit_scale("x", row["risk_ratio"], *ends)
    return scale.text(row["risk_ratio"])


def _estimand(row: Row) -> str:
    return ESTIMANDS.get(row["estimand"], words(row["estimand"]))


def _doses(rows: list[Row], day: int | None) -> Figure | None:
    """Set the rates by genres explored beside the adjusted ones."""
    known = [row for row in rows if row["adjusted_rate"] is not None]
    if len(known) < 2:  # noqa: PLR2004
        return None
    known = sorted(known, key=_genre_count)
    first, last = known[0], known[-1]
    ends = last["difference_ci_low"], last["difference_ci_high"]
    steps = fit_scale("points", last["difference"], *ends)
    title = (
        f"Among equally active users, {_genre_words(last)} go with"
        f" {steps.text(last['difference'])} of D{day} against"
        f" {_number_words(first)} ({steps.span(*ends)})"
    )
    marks: list[Row] = []
    for row in known:
        for kind, prefix in zip(KINDS, ("", "adjusted_"), strict=True):
            ends = (f"{prefix}ci_low", f"{prefix}ci_high")
            names = (f"{prefix}rate", *ends)
            value, low, high = (row[name] for name in names)
            marks.append(
                {
                    "category": f"{_genre_words(row)}, {kind}",
                    "series": kind,
                    "value": value,
                    "low": low,
                    "high": high,
                    "label": f"{_genre_words(row)}, {kind}:"
                    f" {rate_label(row, *names)}",
                    "short": percent(value, low, high),
                }
            )
    return Figure(
        "genre-doses",
        title,
        f"D{day} retention by genres explored among those compared: as it is,"
        f" and as it would be if all {count(first['compared_users'])} users"
        " for whom every number of genres is likely enough had explored so"
        f" many. {percent(first['trimmed_rate'])} are left out for want of"
        " others like them.",
        charts.dots(
            marks,
            f"Dot chart with intervals. {title}.",
            f"D{day} retention",
            series_names=KINDS,
            starts_at_zero=True,
        ),
        table_of(
            f"D{day} retention by genres explored, plain and adjusted",
            known,
            {
                "Genres explored": _explored,
                "Users": lambda row: count(row["eligible_users"]),
                "Plain": rate_label,
                "Adjusted": lambda row: rate_label(
                    row, "adjusted_rate", "adjusted_ci_low", "adjusted_ci_high"
                ),
            },
            source="results.genre_dose_response",
        ),
    )


def _thirds(rows: list[Row], checks: list[Row]) -> Figure | None:
    """Draw the effect among light, middle and busy users."""
    known = estimated(rows, THIRDS)
    tests = {row["check_name"]: row for row in checks}
    test = tests.get("activity_thirds")
    if not known or test is None or test["p_value"] is None:
        return None
    scale = _scale(known)
    differs = (
        "differs"
        if test["p_value"] < test["alpha"]
        else "does not differ clearly"
    )
    title = (
        f"The adjusted effect {differs} between light, middle and busy users"
        f" (p {p_value(test['p_value'])})"
    )
    marks = [
        {
            "category": THIRDS[row["estimand"]],
            **effect_mark(row, scale),
            "label": f"{THIRDS[row['estimand']]} users:"
            f" {effect_text(row, scale)}",
            "short": scale.bare(row["estimate"]),
        }
        for row in known
    ]
    return Figure(
        "genre-thirds",
        title,
        "Users compared, cut into thirds by valid plays on the first days;"
        " Cochran's Q tests whether one effect fits all. Where it does not,"
        " a recommendation to explore should not be the same for all.",
        charts.dots(
            marks,
            f"Dot chart with intervals. {title}.",
            "Difference in retention, points",
            axis_format=charts.NUMBER_AXIS,
            reference=0.0,
        ),
        table_of(
            "Adjusted difference in retention by third of activity",
            known,
            {
                "Third": lambda row: THIRDS[row["estimand"]],
                "Difference": lambda row: scale.text(row["estimate"]),
                "Interval": lambda row: interval_cell(row, scale).text,
                "Explorers": lambda row: count(row["explorer_units"]),
                "Others": lambda row: count(row["other_units"]),
            },
            source="results.genre_effects",
        ),
    )
