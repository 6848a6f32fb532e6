"""What if: outcomes of the scenarios with their ranges, terms and grades.

Pure functions: rows of marts and results in, parts of the page out. No
outcome stands without the causal grade of its weakest input.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from display import charts
from display.formats import (
    MISSING,
    NO_BREAK,
    Scale,
    count,
    fit_scale,
    percent,
    sentence,
    words,
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
from scenarios.page.controls import (
    bounds,
    break_even,
    controls,
    degree,
    formula_values,
    graded,
)
from scenarios.page.tables import discounted, used_terms
from scenarios.page.words import (
    is_same,
    outcome_scale,
    subject_of,
    term_words,
)

MARTS: tuple[str, ...] = ()

NO_GRADE = "F"  # comes after all grades
FAN_STEPS = 24
BANDS = {  # what a chart calls them
    "median": "median",
    "low80": "ci80_low",
    "high80": "ci80_high",
    "low95": "ci95_low",
    "high95": "ci95_high",
}
RESULTS = (
    "scenario_results",
    "scenario_terms",
    "scenario_sensitivity",
    "scenario_breakeven",
    "scenario_quantiles",
)


def section(tables: Tables) -> Section:
    """Show each scenario's outcomes with their ranges, terms and grades."""
    rows = [
        row
        for row in tables["scenario_results"]
        if row["point_estimate"] is not None and row["effect_share"] == 1
    ]
    name, title = "scenarios", "What if"
    if not rows:
        return Section(
            name,
            title,
            "No scenario could be computed from this log.",
            link=title,
        )
    rows = sorted(rows, key=lambda row: row["position"])
    parts: list[Part | None] = []
    for scenario, group in groupby(rows, key=lambda row: row["scenario_name"]):
        own = {
            table: [
                row for row in tables[table] if row["scenario_name"] == scenario
            ]
            for table in RESULTS
        }
        parts += _scenario_parts(list(group), own)
    parts += [discounted(tables["scenario_results"]), used_terms(tables, rows)]
    return Section(
        name,
        title,
        "Each scenario multiplies an effect found here by stated assumptions."
        " Thick bars hold 80 % of the draws, thin lines 95 %, dots mark the"
        " median, letters are causal grades. Versions of a scenario stand side"
        " by side, the weakest claim first: an association as it is beside one"
        " that is adjusted, a measured effect beside the same shrunk, because"
        " what was chosen for its size is likely too large."
        " Scenarios are about the same users, so their outcomes are not to be"
        " added up.",
        [part for part in parts if part is not None],
        title,
    )


def _scenario_parts(rows: list[Row], tables: Tables) -> list[Part | None]:
    """Show one scenario: to change, its outcomes, what decides them."""
    parts: list[Part | None] = [controls(rows, tables)]
    outcomes = [
        list(group)
        for _, group in groupby(rows, key=lambda row: row["outcome"])
    ]
    parts += [_outcome(group) for group in outcomes]
    ranked = [
        min(group, key=lambda row: _effect_grade(row, tables))
        for group in outcomes
    ]
    doubts = [
        [one for one in _ranked(row, tables) if one["swing"] > 0]
        for row in ranked
    ]
    most = max(doubts, key=len)
    # One bar alone says no more than the interval above.
    if len(most) > 1:
        parts.append(_tornado(ranked[doubts.index(most)], most, tables))
    parts.append(_fan(ranked[0], tables))
    return parts


def _effect_grade(row: Row, tables: Tables) -> str:
    """Give the grade of an outcome's effect: whose terms are ranked."""
    return _term(row, row["effect_term"], tables)["causal_grade"] or NO_GRADE


def _term(row: Row, name: str, tables: Tables) -> Row:
    return next(
        term
        for term in tables["scenario_terms"]
        if (term["version"], term["term"]) == (row["version"], name)
    )


def _ranked(row: Row, tables: Tables) -> list[Row]:
    """Return the uncertain terms of an outcome, the widest first."""
    own = [one for one in tables["scenario_sensitivity"] if is_same(one, row)]
    return sorted(own, key=lambda one: one["rank_number"])


def _axis_title(row: Row, scale: Scale) -> str:
    if scale.words:
        return sentence(scale.axis())
    outcome = words(row["outcome"]).removesuffix(" EUR")
    return f"{sentence(outcome)}, {scale.axis()}"


def _outcome(rows: list[Row]) -> Figure:
    """Draw one outcome, a line per version."""
    scale = outcome_scale(rows)
    first = rows[0]
    outcome = words(first["outcome"])
    # "Extra users: 955" need not be told its unit again.
    write = scale.brief if scale.words.strip() in outcome else scale.text
    said = " or ".join(
        write(row["point_estimate"])
        + (f" ({words(row['version'])})" if len(rows) > 1 else "")
        for row in rows
    )
    subject = subject_of(first)
    title = f"{subject}: {said}"
    marks = [
        {
            "category": graded(row),
            **{
                short: row[column] * scale.factor
                for short, column in BANDS.items()
            },
            "label": f"{sentence(row['version'])}, grade"
            f" {row['causal_grade'] or MISSING}: median"
            f" {scale.text(row['median'])}, 95 %"
            f" {scale.span(row['ci95_low'], row['ci95_high'])}",
        }
        for row in rows
    ]
    return Figure(
        f"scenario-{first['scenario_name']}-{first['outcome']}",
        title,
        _caption(rows),
        charts.ranges(
            marks,
            f"Interval chart. {title}.",
            _axis_title(first, scale),
            (first["threshold"] or 0.0) * scale.factor,
        ),
        _numbers(rows, subject, scale),
    )


def _caption(rows: list[Row]) -> str:
    """Name the base, and how likely it pays."""
    bases = {row["base_description"] for row in rows}
    base = "; ".join(
        f"{words(row['version'])}, {row['base_description']}" for row in rows
    )
    if len(bases) == 1:
        base = rows[0]["base_description"]
    caption = f"Base: {base}.".replace(" %", f"{NO_BREAK}%")
    for row in rows:
        if row["probability_target"] is None:
            continue
        name = term_words(row["outcome"])
        version = f"{sentence(row['version'])}: " if len(rows) > 1 else ""
        caption += (
            f" {version}P({name} > {row['threshold']:g}) ="
            f" {percent(row['probability_target'])}."
        )
    return caption


def _numbers(rows: list[Row], subject: str, scale: Scale) -> Table:
    """Table one outcome, a line per version."""

    def value(name: str) -> Callable[[Row], str]:
        return lambda row: scale.text(row[name])

    def span(name: str) -> Callable[[Row], Cell]:
        return lambda row: Cell(
            scale.span(row[f"{name}_low"], row[f"{name}_high"])
        )

    return table_of(
        f"{subject}: {rows[0]['formula']}",
        rows,
        {
            "Version": lambda row: words(row["version"]),
            "Grade": lambda row: row["causal_grade"] or MISSING,
            "Point estimate": value("point_estimate"),
            "Mean": value("mean"),
            "Median": value("median"),
            "80 % interval": span("ci80"),
            "95 % interval": span("ci95"),
            "95 %, delta method": span("delta_ci95"),
            "P(> 0)": lambda row: percent(row["probability_positive"]),
            "P(pays)": lambda row: percent(row["probability_target"]),
            "Expected loss": value("expected_loss"),
            "Value of knowing all": value("perfect_information_value"),
            "Draws": lambda row: count(row["draw_count"]),
        },
        source="results.scenario_results",
        text_columns=2,
    )


def _tornado(row: Row, own: list[Row], tables: Tables) -> Figure:
    """Draw what an outcome owes to each uncertain term."""
    scale = fit_scale(
        row["unit"], *(one[end] for one in own for end in ("at_low", "at_high"))
    )

    def span(one: Row) -> str:
        low, high = one["low_value"], one["high_value"]
        return fit_scale(one["unit"] or "", low, high).span(low, high)

    def reach(one: Row) -> str:
        return scale.span(one["at_low"], one["at_high"])

    marks = [
        {
            "category": term_words(one["term"]),
            "low": one["at_low"] * scale.factor,
            "high": one["at_high"] * scale.factor,
            "label": f"{sentence(one['term'])} {span(one)}: {reach(one)}",
        }
        for one in own
    ]
    subject = f"{subject_of(row)}, {words(row['version'])}"
    widest = own[0]
    name = term_words(widest["term"])
    title = (
        f"{subject}: {name} alone moves it from"
        f" {scale.span(*sorted((widest['at_low'], widest['at_high'])))}"
    )
    return Figure(
        f"scenario-tornado-{row['scenario_name']}",
        title,
        "Each bar moves one term from its 10 % to its 90 % quantile and leaves"
        " the others at their medians. The shares of variance below let all"
        " terms vary at once; correlated terms share one.",
        charts.tornado(
            marks,
            f"Tornado chart. {title}.",
            _axis_title(row, scale),
            _middle(row, tables) * scale.factor,
        ),
        table_of(
            f"{subject}: what it owes to each term",
            own,
            {
                "Term": lambda one: term_words(one["term"]),
                "Term, 10 % to 90 %": lambda one: Cell(span(one)),
                "Outcome": lambda one: Cell(reach(one)),
                "Variance, alone": lambda one: _share(one["first_order_index"]),
                "Variance, with interactions": lambda one: _share(
                    one["total_index"]
                ),
                "Value of knowing it": lambda one: scale.text(
                    one["information_value"]
                ),
                "Drawn with": lambda one: words(one["drawn_with"]),
            },
            source="results.scenario_sensitivity",
            wide_columns=(6,),
        ),
    )


def _share(value: float | None) -> str:
    """Write a share; what sampling puts outside of [0, 1] is at its edge."""
    return percent(None if value is None else min(1.0, max(0.0, value)))


def _middle(row: Row, tables: Tables) -> float:
    """Give the outcome with every term at its median."""
    formula, values = formula_values(row, tables["scenario_terms"])
    for one in _ranked(row, tables):
        values[one["term"]] = one["median_value"]
    return float(formula(values))


def _fan(row: Row, tables: Tables) -> Figure | None:
    """Draw an outcome that must pay against the term that moves it most."""
    formula, values = formula_values(row, tables["scenario_terms"])
    candidates = [
        one
        for one in _ranked(row, tables)
        if one["term"] != row["effect_term"]
        and degree(formula, values, one["term"]) == 1
    ]
    if row["threshold"] is None or not candidates:
        return None
    name = candidates[0]["term"]
    term = _term(row, name, tables)
    even = break_even(row, name, tables)
    least = even["break_even_value"] if even else None
    stated = term["value"]
    scale = outcome_scale([row])
    x_scale = fit_scale(term["unit"] or "", stated, least)
    low, high = bounds(row) or (-float("inf"), float("inf"))
    marks = [
        {
            "x": stated * factor * x_scale.factor,
            **{
                short: min(high, max(low, row[column] * factor)) * scale.factor
                for short, column in BANDS.items()
            },
            "label": f"{sentence(name)} {x_scale.text(stated * factor)}:"
            f" median {scale.text(row['median'] * factor)}",
        }
        for factor in (2 * step / FAN_STEPS for step in range(FAN_STEPS + 1))
    ]
    subject = f"{subject_of(row)}, {words(row['version'])}"
    near = f"{term_words(name)}, stated {x_scale.text(stated)}"
    title = f"{subject}: pays from {x_scale.text(least)} of {near}"
    if least is None:
        title = f"{subject}: does not pay at any {near}"
    return Figure(
        f"scenario-break-even-{row['scenario_name']}",
        title,
        "The line is the median, the bands hold 80 % and 95 % of the draws."
        f" The dashed line is what must be exceeded"
        f" ({row['threshold']:g}); all other terms are as drawn.",
        charts.fan(
            marks,
            f"Break-even curve. {title}.",
            x_title=sentence(f"{term_words(name)}, {x_scale.axis()}"),
            y_title=_axis_title(row, scale),
            threshold=row["threshold"] * scale.factor,
            crossing=None
            if least is None
            else {
                "x": least * x_scale.factor,
                "short": f"pays from {x_scale.text(least)}",
            },
        ),
        _break_even_table(row, tables, subject),
    )


def _break_even_table(row: Row, tables: Tables, subject: str) -> Table:
    """Table where each term makes an outcome just pay."""
    side = {True: "at least", False: "at most", None: "nothing near"}

    def value(name: str) -> Callable[[Row], str]:
        return lambda one: fit_scale(
            one["unit"] or "", one["stated_value"], one["break_even_value"]
        ).text(one[name])

    return table_of(
        f"{subject}: where it just pays, other terms as stated",
        [one for one in tables["scenario_breakeven"] if is_same(one, row)],
        {
            "Term": lambda one: term_words(one["term"]),
            "Pays with": lambda one: side[one["is_paying_above"]],
            "Stated": value("stated_value"),
            "Break-even": value("break_even_value"),
            "P(on that side)": lambda one: percent(one["probability_paying"]),
            "Users of a test that settles it": lambda one: count(
                one["settling_units"]
            ),
        },
        source="results.scenario_breakeven",
        text_columns=2,
    )
