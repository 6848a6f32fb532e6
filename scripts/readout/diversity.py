"""Genres explored and retention as text."""

from __future__ import annotations

from collections.abc import Sequence

from readout.text import Row, aligned, p_value_text, shown, span


def diversity(rows: Sequence[Row]) -> str:
    """Write the effects of exploring genres as a table."""
    if not rows:
        return "Genres and D7 retention: no user of this log has genres."
    unit = "rate difference"
    cells = [
        [
            row["estimand"],
            row["causal_grade"],
            shown(row["estimate"], unit),
            span(row["ci_low"], row["ci_high"], unit),
            p_value_text(row["p_value"]),
            f"{row['units_without_overlap']:,}",
            row["reason_code"] or "",
        ]
        for row in rows
    ]
    header = ("", "grade", "estimate", "interval", "p", "left out", "reason")
    title = "D7 retention, four or more genres against fewer"
    return f"{title}\n{aligned(header, cells)}"
