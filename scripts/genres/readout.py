"""Genres explored and retention as text."""

from __future__ import annotations

from collections.abc import Sequence

from display.text import Row, aligned, p_value_text, shown, span

UNIT = "rate difference"


def diversity(rows: Sequence[Row], checks: Sequence[Row] = ()) -> str:
    """Write the effects of exploring genres, and what they rest on."""
    if not rows:
        return "Genres and retention: no user of this log has genres."
    cells = [
        [
            f"{row['estimand']}{' *' if row['is_headline'] else ''}",
            row["causal_grade"],
            shown(row["estimate"], UNIT),
            span(row["ci_low"], row["ci_high"], UNIT),
            p_value_text(row["p_value"]),
            shown(row["risk_ratio"]),
            shown(row["e_value_limit"]),
            "-"
            if row["units_without_overlap"] is None
            else f"{row['units_without_overlap']:,}",
            row["reason_code"] or "",
        ]
        for row in rows
    ]
    header = (
        "",
        "grade",
        "estimate",
        "interval",
        "p",
        "ratio",
        "E (limit)",
        "left out",
        "reason",
    )
    title = (
        "Retention associated with exploring many genres against fewer;"
        " * is the headline"
    )
    text = f"{title}\n{aligned(header, cells)}"
    return f"{text}\n{_checks(checks)}" if checks else text


def _checks(rows: Sequence[Row]) -> str:
    cells = [
        [
            row["check_name"],
            shown(row["naive_estimate"], UNIT),
            shown(row["estimate"], UNIT),
            p_value_text(row["p_value"]),
            row["verdict"] or row["reason_code"] or "",
        ]
        for row in rows
    ]
    header = ("check", "plain", "adjusted", "p", "verdict")
    return aligned(header, cells)
