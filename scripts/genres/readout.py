"""Genres explored and retention as text."""

from __future__ import annotations

from collections.abc import Sequence

from display.text import Row, p_value_text, shown, span, text_table

UNIT = "rate difference"


def diversity(rows: Sequence[Row], checks: Sequence[Row] = ()) -> str:
    """Write the effects of exploring genres, and what they rest on."""
    if not rows:
        return "Genres and retention: no user of this log has genres."
    effects = text_table(
        rows,
        {
            "": lambda row: (
                row["estimand"] + (" *" if row["is_headline"] else "")
            ),
            "grade": lambda row: row["causal_grade"],
            "estimate": lambda row: shown(row["estimate"], UNIT),
            "interval": lambda row: span(row["ci_low"], row["ci_high"], UNIT),
            "p": lambda row: p_value_text(row["p_value"]),
            "ratio": lambda row: shown(row["risk_ratio"]),
            "E (limit)": lambda row: shown(row["e_value_limit"]),
            "left out": lambda row: (
                "-"
                if row["units_without_overlap"] is None
                else f"{row['units_without_overlap']:,}"
            ),
            "reason": lambda row: row["reason_code"] or "",
        },
    )
    title = (
        "Retention associated with exploring many genres against fewer;"
        " * is the headline"
    )
    text = f"{title}\n{effects}"
    return f"{text}\n{_checks(checks)}" if checks else text


def _checks(rows: Sequence[Row]) -> str:
    return text_table(
        rows,
        {
            "check": lambda row: row["check_name"],
            "plain": lambda row: shown(row["naive_estimate"], UNIT),
            "adjusted": lambda row: shown(row["estimate"], UNIT),
            "p": lambda row: p_value_text(row["p_value"]),
            "verdict": lambda row: row["verdict"] or row["reason_code"] or "",
        },
    )
