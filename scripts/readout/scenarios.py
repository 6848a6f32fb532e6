"""Scenarios as text."""

from __future__ import annotations

from collections.abc import Sequence

from readout.text import Row, aligned, shown, span


def scenarios(rows: Sequence[Row]) -> str:
    """Write the outcomes of scenarios as a table."""
    if not rows:
        return "Scenarios: no assumptions are given for this log."
    cells = []
    for row in rows:
        unit, chance = row["unit"], row["probability_positive"]
        cells.append(
            [
                f"{row['scenario_name']} {row['outcome']}",
                row["version"],
                row["causal_grade"] or "-",
                shown(row["point_estimate"], unit),
                span(row["ci95_low"], row["ci95_high"], unit),
                "-" if chance is None else f"{chance:.3f}",
                "-"
                if row["probability_target"] is None
                else f"{row['probability_target']:.3f}",
                row["reason_code"] or "",
            ]
        )
    header = (
        "",
        "effect",
        "grade",
        "as stated",
        "95 % interval",
        "P(> 0)",
        "P(ROI > 1)",
        "reason",
    )
    title = "Scenarios, every uncertain term drawn"
    return f"{title}\n{aligned(header, cells)}"
