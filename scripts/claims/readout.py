"""What was expected of the log, beside what was found, as text."""

from __future__ import annotations

from collections.abc import Sequence

from display.text import Row, aligned, shown, span


def headlines(rows: Sequence[Row]) -> str:
    """Write each headline with its verdict."""
    if not rows:
        return "Headlines: none are declared for this log."
    verdicts = {True: "within error", False: "OFF", None: "-"}
    cells = [
        [
            row["headline_name"],
            shown(row["expected"], row["unit"]),
            shown(row["found"], row["unit"]),
            span(row["ci_low"], row["ci_high"], row["unit"]),
            "-" if row["z_score"] is None else f"{row['z_score']:+z.2f}",
            row["reason_code"] or verdicts[row["is_within_error"]],
        ]
        for row in rows
    ]
    header = ("", "expected", "found", "interval", "z", "verdict")
    title = "Headlines, expected and found"
    if all(row["expected"] is None for row in rows):
        title = "Headlines found; nothing is claimed for this log"
    return f"{title}\n{aligned(header, cells)}"
