"""What if: outcomes of the scenarios with their ranges and grades.

Pure functions: rows of marts and results in, parts of the page out. No
outcome stands without the causal grade of its weakest input.
"""

from __future__ import annotations

from itertools import groupby

from report import charts
from report.formats import (
    MISSING,
    count,
    finest,
    fit_scale,
    percent,
    place,
    sentence,
    words,
)
from report.parts import Cell, Figure, Part, Row, Section, Table, Tables

SCENARIO_ORDER = ["explorers", "push_rollout", "engineer_roi"]
VERSION_ORDER = ["naive", "causal", "randomised"]


def section(tables: Tables) -> Section:
    """Show each scenario's outcomes with their ranges and grades."""
    rows = [
        row
        for row in tables["scenario_results"]
        if row["point_estimate"] is not None
    ]
    name, title = "scenarios", "What if"
    if not rows:
        return Section(
            name,
            title,
            "No scenario could be computed from this log.",
            link=title,
        )
    rows = sorted(rows, key=_telling_order)
    parts: list[Part | None] = [
        _scenario(list(group))
        for _, group in groupby(
            rows, key=lambda row: (row["scenario_name"], row["outcome"])
        )
    ]
    parts.append(
        _assumed(
            tables["dim_scenario_terms"],
            {row["scenario_name"] for row in rows},
        )
    )
    return Section(
        name,
        title,
        "Each scenario multiplies an effect found here by stated assumptions."
        " Thick bars hold 80 % of the draws, thin lines 95 %, dots mark the"
        " median, letters are causal grades. Where an effect is only an"
        " association, the naive and the causal version stand side by side.",
        [part for part in parts if part is not None],
        title,
    )


def _telling_order(row: Row) -> tuple[object, ...]:
    return (
        place(row["scenario_name"], SCENARIO_ORDER),
        row["probability_target"] is None,
        row["outcome"],
        place(row["version"], VERSION_ORDER),
    )


def _scenario(rows: list[Row]) -> Figure:
    """Draw one outcome, a line per version."""
    scale = finest(
        fit_scale(row["unit"], row["median"], row["ci80_low"], row["ci80_high"])
        for row in rows
    )
    target = next(
        (
            row["probability_target"]
            for row in rows
            if row["probability_target"] is not None
        ),
        None,
    )
    first = rows[0]
    name = sentence(first["scenario_name"])
    outcome = words(first["outcome"]).removesuffix(" EUR")
    axis_title = sentence(scale.axis())
    if not scale.words:
        axis_title = f"{sentence(outcome)}, {scale.axis()}"
    # "Extra users: 955" need not be told its unit again.
    write = scale.brief if scale.words.strip() in outcome else scale.text
    said = " or ".join(
        write(row["point_estimate"])
        + (f" ({words(row['version'])})" if len(rows) > 1 else "")
        for row in rows
    )
    # "Engineer ROI" need not be told its outcome.
    subject = name if outcome in name else f"{name}, {outcome}"
    title = f"{subject}: {said}"
    bases = {row["base_description"] for row in rows}
    base = "; ".join(
        f"{words(row['version'])}, {row['base_description']}" for row in rows
    )
    if len(bases) == 1:
        base = first["base_description"]
    caption = f"Base: {base}."
    if target is not None:
        caption += f" P(ROI > 1) = {percent(target)}."
    marks = [
        {
            "category": f"{words(row['version'])} ({row['causal_grade']})",
            "median": row["median"] * scale.factor,
            "low80": row["ci80_low"] * scale.factor,
            "high80": row["ci80_high"] * scale.factor,
            "low95": row["ci95_low"] * scale.factor,
            "high95": row["ci95_high"] * scale.factor,
            "label": f"{sentence(row['version'])}, grade"
            f" {row['causal_grade']}: median {scale.text(row['median'])}, 95 %"
            f" {scale.span(row['ci95_low'], row['ci95_high'])}",
        }
        for row in rows
    ]
    columns = [
        "Version",
        "Grade",
        "Point estimate",
        "Median",
        "80 % interval",
        "95 % interval",
        "P(> 0)",
        "P(ROI > 1)",
        "Draws",
    ]
    lines: list[list[str | Cell]] = [
        [
            words(row["version"]),
            row["causal_grade"] or MISSING,
            scale.text(row["point_estimate"]),
            scale.text(row["median"]),
            Cell(scale.span(row["ci80_low"], row["ci80_high"])),
            Cell(scale.span(row["ci95_low"], row["ci95_high"])),
            percent(row["probability_positive"]),
            percent(row["probability_target"]),
            count(row["draw_count"]),
        ]
        for row in rows
    ]
    return Figure(
        f"scenario-{first['scenario_name']}-{first['outcome']}",
        title,
        caption,
        charts.ranges(
            marks,
            f"Interval chart. {title}.",
            axis_title,
            0.0 if target is None else 1.0,
        ),
        Table(
            caption=subject,
            columns=columns,
            rows=lines,
            source="results.scenario_results",
            text_columns=2,
        ),
    )


def _assumed(terms: list[Row], names: set[str]) -> Table | None:
    """Table what the scenarios take for granted."""
    rows = [row for row in terms if row["scenario_name"] in names]
    if not rows:
        return None
    lines: list[list[str | Cell]] = []
    for row in rows:
        scale = fit_scale("count", row["value"], row["low"], row["high"])
        is_fixed = row["low"] == row["high"]
        lines.append(
            [
                sentence(row["scenario_name"]),
                words(row["term"]),
                str(row["source"] or MISSING),
                scale.text(row["value"]),
                Cell(
                    "fixed" if is_fixed else scale.span(row["low"], row["high"])
                ),
                words(row["unit"]),
                words(row["distribution"]),
                row["causal_grade"] or MISSING,
            ]
        )
    return Table(
        caption="What the scenarios assume",
        columns=[
            "Scenario",
            "Term",
            "Why this number",
            "Value",
            "Range",
            "Unit",
            "Distribution",
            "Grade",
        ],
        rows=lines,
        source="marts.dim_scenario_terms",
        text_columns=3,
        wide_columns=(2,),
    )
