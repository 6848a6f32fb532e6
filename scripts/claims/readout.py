"""What was expected of the log, beside what was found, as text."""

from __future__ import annotations

from collections.abc import Sequence

from display.text import Row, shown, span, text_table


def headlines(rows: Sequence[Row]) -> str:
    """Write each headline with its verdict."""
    if not rows:
        return "Headlines: none are declared for this log."
    verdicts = {True: "within error", False: "OFF", None: "-"}
    table = text_table(
        rows,
        {
            "": lambda row: row["headline_name"],
            "expected": lambda row: shown(row["expected"], row["unit"]),
            "found": lambda row: shown(row["found"], row["unit"]),
            "interval": lambda row: span(
                row["ci_low"], row["ci_high"], row["unit"]
            ),
            "z": lambda row: (
                "-" if row["z_score"] is None else f"{row['z_score']:+z.2f}"
            ),
            "verdict": lambda row: (
                row["reason_code"] or verdicts[row["is_within_error"]]
            ),
        },
    )
    title = "Headlines, expected and found"
    if all(row["expected"] is None for row in rows):
        title = "Headlines found; nothing is claimed for this log"
    return f"{title}\n{table}"
