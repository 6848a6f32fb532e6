"""Scenarios whose numbers a reader may change in the page.

An outcome that is proportional to a term (or to one over it) moves as a
whole with it: point, quantiles and break-even scale by the same factor. So
the page needs no draws, and as stated its numbers are the warehouse's own.
Pure functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose

import numpy as np

from display.formats import (
    Scale,
    finest,
    fit_scale,
    percent,
    sentence,
    words,
)
from display.parts import Cell, Controls, Output, Row, Slider, Tables
from scenarios.formulas import Formula, parse
from scenarios.page.words import is_same
from scenarios.units import is_fraction

FACTORS = (0.5, 0.8)  # tried on a term: a share must not leave [0, 1]
MOST_PERCENT = 300
HUNDRED = 100
COLUMNS = ["Outcome", "Version", "Estimate", "80 % interval", "95 % interval"]
PAYING_COLUMNS = ["P(pays)", "Effect that just pays"]
BOUNDS = ("ci80_low", "ci80_high", "ci95_low", "ci95_high")


def degree(
    formula: Formula, values: Mapping[str, float], name: str
) -> int | None:
    """Tell whether an outcome is proportional to a term.

    1 if it is, -1 if it is to one over the term, None if neither.

    Examples
    --------
    >>> roi = parse("users * gain / cost")
    >>> values = {"users": 5.0, "gain": 2.0, "cost": 4.0}
    >>> degree(roi, values, "users"), degree(roi, values, "cost")
    (1, -1)
    >>> degree(parse("users * gain - cost"), values, "gain") is None
    True
    """
    exact = {key: np.float64(value) for key, value in values.items()}
    whole = float(formula(exact))
    if not whole or not exact[name]:
        return None
    for power in (1, -1):
        if all(
            isclose(
                float(formula(exact | {name: factor * exact[name]})),
                whole * factor**power,
                rel_tol=1e-9,
            )
            for factor in FACTORS
        ):
            return power
    return None


def formula_values(
    row: Row, terms: list[Row]
) -> tuple[Formula, dict[str, float]]:
    """Give an outcome's formula and the terms of its version as stated."""
    return parse(row["formula"]), {
        term["term"]: term["value"]
        for term in terms
        if term["version"] == row["version"] and term["value"] is not None
    }


def break_even(row: Row, term: str, tables: Tables) -> Row | None:
    """Find where a term makes an outcome just pay."""
    for one in tables["scenario_breakeven"]:
        if is_same(one, row) and one["term"] == term:
            return one
    return None


def controls(rows: list[Row], tables: Tables) -> Controls | None:
    """Make the controls of one scenario.

    Takes its outcomes with the whole effect, the most important first, and
    other tables of the same scenario; none where nothing is proportional to
    anything.
    """
    terms = tables["scenario_terms"]
    values = {row["version"]: formula_values(row, terms)[1] for row in rows}
    powers = [_powers(row, values) for row in rows]
    chosen = set(next(filter(None, powers), {}))
    kept = [
        (row, power)
        for row, power in zip(rows, powers, strict=True)
        if chosen & set(power)
    ]
    if not kept:
        return None
    has_threshold = any(row["threshold"] is not None for row, _ in kept)
    names = list(dict.fromkeys(name for _, power in kept for name in power))
    stated = {term["term"]: term for term in reversed(terms)}
    name = sentence(rows[0]["scenario_name"])
    return Controls(
        name=f"controls-{rows[0]['scenario_name']}",
        title=f"{name}: change the numbers",
        caption="Intervals move with the numbers and keep their shape: the"
        " range of a term grows with it. What is left alone is as stated.",
        columns=COLUMNS + (PAYING_COLUMNS if has_threshold else []),
        sliders=[_slider(stated[name]) for name in names],
        outputs=[
            _output(row, power, tables, has_threshold=has_threshold)
            for row, power in kept
        ],
        source="results.scenario_quantiles",
    )


def _powers(
    row: Row, values: Mapping[str, Mapping[str, float]]
) -> dict[str, int]:
    """Give the terms that an outcome is proportional to, but the effect."""
    formula = parse(row["formula"])
    found = {}
    for name in formula.names:
        shared = {own.get(name) for own in values.values()}
        if name == row["effect_term"] or len(shared) > 1:
            continue
        power = degree(formula, values[row["version"]], name)
        if power is not None:
            found[name] = power
    return found


def _slider(term: Row) -> Slider:
    value, unit, most = float(term["value"]), term["unit"] or "", MOST_PERCENT
    if is_fraction(unit):
        unit, most = "rate", int(HUNDRED / value)
    # A step of one percent stays visible.
    scale = fit_scale(unit, value, value * 1.01)
    return Slider(
        name=term["term"],
        label=sentence(term["term"]).removesuffix(" EUR"),
        value=scale.text(value),
        stated=value,
        scale=scale.data(),
        most=most,
    )


def _output(
    row: Row,
    powers: Mapping[str, int],
    tables: Tables,
    *,
    has_threshold: bool,
) -> Output:
    """Describe one outcome, as stated and as the page computes it."""
    scale = finest(
        [
            fit_scale(row["unit"], row["point_estimate"]),
            fit_scale(row["unit"], row["ci80_low"], row["ci80_high"]),
        ]
    )
    least, effect_scale = None, Scale()
    if even := break_even(row, row["effect_term"], tables):
        least = even["break_even_value"]
        effect_scale = fit_scale(even["unit"], least, even["stated_value"])
    grid = sorted(
        [one["probability"], one["value"]]
        for one in tables["scenario_quantiles"]
        if is_same(one, row)
    )
    model = {
        "powers": dict(powers),
        "point": row["point_estimate"],
        "intervals": [row[name] for name in BOUNDS],
        "grid": grid,
        "threshold": row["threshold"],
        "chance": row["probability_target"],
        "breakEven": least,
        "bounds": bounds(row),
        "scale": scale.data(),
        "effectScale": effect_scale.data(),
    }
    cells: list[str | Cell] = [
        words(row["outcome"]),
        graded(row),
        scale.brief(row["point_estimate"]),
        scale.span(row["ci80_low"], row["ci80_high"]),
        scale.span(row["ci95_low"], row["ci95_high"]),
    ]
    if has_threshold:
        cells += [percent(row["probability_target"]), effect_scale.text(least)]
    return Output(cells, model)


def graded(row: Row) -> str:
    """Name a version with its grade.

    Examples
    --------
    >>> graded({"version": "plain_gap", "causal_grade": "D"})
    'plain gap (D)'
    """
    grade = f" ({row['causal_grade']})" if row["causal_grade"] else ""
    return words(row["version"]) + grade


def bounds(row: Row) -> list[float] | None:
    """Give the least and greatest value that an outcome can have.

    Examples
    --------
    >>> bounds({"unit": "rate difference", "base_value": 0.25})
    [-0.25, 0.75]
    """
    if row["unit"] == "rate":
        return [0.0, 1.0]
    if row["unit"] == "rate difference" and row["base_value"] is not None:
        return [-row["base_value"], 1 - row["base_value"]]
    return None
