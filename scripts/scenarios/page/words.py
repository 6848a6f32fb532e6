"""How scenarios are told: in which order, and what they are called.

Pure functions: rows of results in, words out.
"""

from __future__ import annotations

from display.formats import Scale, finest, fit_scale, sentence, words
from display.parts import Row


def subject_of(row: Row) -> str:
    """Name an outcome: "Engineer ROI" need not be told its own."""
    name = sentence(row["scenario_name"])
    outcome = words(row["outcome"]).removesuffix(" EUR")
    return name if outcome in name else f"{name}, {outcome}"


def is_same(one: Row, row: Row) -> bool:
    """Say whether two rows are of one outcome and version."""
    return all(
        one[name] == row[name]
        for name in ("scenario_name", "version", "outcome")
    )


def term_words(name: str) -> str:
    """Name a term; its unit is said with its numbers."""
    return words(name).removesuffix(" EUR")


def outcome_scale(rows: list[Row]) -> Scale:
    """Choose one scale for all versions of an outcome."""
    return finest(
        fit_scale(row["unit"], row["median"], row["ci80_low"], row["ci80_high"])
        for row in rows
    )
