"""Effects with their intervals, all in the digits of one scale."""

from __future__ import annotations

from display.formats import Scale
from display.parts import Cell, Row


def effect_text(row: Row, scale: Scale) -> str:
    """Write an effect with its interval."""
    span = scale.span(row["ci_low"], row["ci_high"])
    return f"{scale.text(row['estimate'])} ({span})"


def effect_mark(row: Row, scale: Scale) -> Row:
    """Place an effect and its interval on an axis of the scale."""
    return {
        "value": scale.factor * row["estimate"],
        "low": scale.factor * row["ci_low"],
        "high": scale.factor * row["ci_high"],
    }


def interval_cell(row: Row, scale: Scale) -> Cell:
    """Write the interval of an effect."""
    return Cell(scale.span(row["ci_low"], row["ci_high"]))
