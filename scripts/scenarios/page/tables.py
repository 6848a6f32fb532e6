"""Tables over all scenarios: less of the effect, and every term.

Pure functions: rows of results in, tables of the page out.
"""

from __future__ import annotations

from display.formats import (
    MISSING,
    TIMES,
    day,
    fit_scale,
    sentence,
    words,
)
from display.parts import Cell, Row, Table, Tables
from scenarios.page.words import outcome_scale, subject_of


def discounted(results: list[Row]) -> Table | None:
    """Table all outcomes with a part of the effect."""
    shares = sorted({row["effect_share"] for row in results})
    found: dict[tuple[str, ...], dict[float, Row]] = {}
    for row in sorted(results, key=lambda row: row["position"]):
        key = (row["scenario_name"], row["outcome"], row["version"])
        if row["median"] is not None:
            found.setdefault(key, {})[row["effect_share"]] = row
    lines: list[list[str | Cell]] = []
    for rows in found.values():
        row = next(iter(rows.values()))
        scale = outcome_scale(list(rows.values()))
        lines.append(
            [
                subject_of(row),
                words(row["version"]),
                row["causal_grade"] or MISSING,
                *(
                    Cell(
                        scale.brief(rows[share]["median"]),
                        scale.span(
                            rows[share]["ci95_low"], rows[share]["ci95_high"]
                        ),
                    )
                    if share in rows
                    else MISSING
                    for share in shares
                ),
            ]
        )
    if not lines:
        return None
    return Table(
        caption="With less of the effect: median, and 95 % interval below",
        columns=[
            "Outcome",
            "Version",
            "Grade",
            *(f"Effect {TIMES} {share:g}" for share in shares),
        ],
        rows=lines,
        source="results.scenario_results",
        text_columns=3,
        note="What a doubt about the effect costs: none of it leaves the"
        " baseline, and an association is not to be promised in money whole.",
    )


def used_terms(tables: Tables, rows: list[Row]) -> Table | None:
    """Table every term with its source, date and grade."""
    first: dict[object, int] = {}
    for row in rows:
        scenario = row["scenario_name"]
        for key in (scenario, (scenario, row["version"])):
            first[key] = min(row["position"], first.get(key, row["position"]))
    terms = sorted(
        (
            row
            for row in tables["scenario_terms"]
            if row["scenario_name"] in first and row["value"] is not None
        ),
        key=lambda row: (
            first[row["scenario_name"]],
            row["is_measured"],
            row["term"],
            first.get((row["scenario_name"], row["version"]), 0),
        ),
    )
    # A term that all versions share stands once.
    found: dict[tuple[object, ...], tuple[Row, list[str]]] = {}
    for row in terms:
        key = (row["scenario_name"], row["term"], row["value"], row["low"])
        found.setdefault(key, (row, []))[1].append(words(row["version"]))
    if not found:
        return None
    lines: list[list[str | Cell]] = []
    for row, versions in found.values():
        scale = fit_scale(
            row["unit"] or "count", row["value"], row["low"], row["high"]
        )
        value: str | Cell = scale.bare(row["value"]) + scale.suffix
        if row["raw_value"] is not None:
            value = Cell(
                str(value), f"before shrinkage {scale.brief(row['raw_value'])}"
            )
        is_fixed = row["low"] == row["high"]
        others = {
            one["version"]
            for one in tables["scenario_terms"]
            if one["scenario_name"] == row["scenario_name"]
        }
        lines.append(
            [
                sentence(row["scenario_name"]),
                words(row["term"]),
                "all" if len(versions) == len(others) else ", ".join(versions),
                str(row["source"] or MISSING),
                MISSING
                if row["stated_date"] is None
                else f"{day(row['stated_date'])} {row['stated_date'].year}",
                value,
                Cell(
                    "fixed" if is_fixed else scale.span(row["low"], row["high"])
                ),
                words(row["unit"]),
                words(row["distribution"]),
                row["causal_grade"] or MISSING,
            ]
        )
    return Table(
        caption="What the scenarios are made of",
        columns=[
            "Scenario",
            "Term",
            "Versions",
            "Where the number is from",
            "As of",
            "Value",
            "Range",
            "Unit",
            "Distribution",
            "Grade",
        ],
        rows=lines,
        source="results.scenario_terms",
        text_columns=5,
        wide_columns=(3,),
    )
