"""How scenarios are told: in which order, and what they are called.

Pure functions: rows of results in, words out.
"""

from __future__ import annotations

from display.formats import Scale, finest, fit_scale, place, sentence, words
from display.parts import Row

SCENARIO_ORDER = [
    "explorers",
    "push_rollout",
    "engineer_roi",
    "retention_ladder",
]
# The first one of a scenario is the one whose numbers can be changed.
OUTCOME_ORDER = [
    "d7_rate_change",
    "extra_sessions_per_week",
    "roi",
    "extra_value_eur",
    "d1_rate",
    "d7_rate",
    "d30_rate",
]
VERSION_ORDER = [
    "naive",
    "causal",
    "randomised",
    "shrunk",
    "baseline",
    "moderate",
    "aggressive",
]


def telling_order(row: Row) -> tuple[object, ...]:
    """Sort outcomes: known ones as told, others after them by name."""
    return (
        place(row["scenario_name"], SCENARIO_ORDER),
        place(row["outcome"], OUTCOME_ORDER),
        place(row["version"], VERSION_ORDER),
    )


def subject_of(row: Row) -> str:
    """Name an outcome: "Engineer ROI" need not be told its own."""
    name = sentence(row["scenario_name"])
    outcome = words(row["outcome"]).removesuffix(" EUR")
    return name if outcome in name else f"{name}, {outcome}"


def term_words(name: str) -> str:
    """Name a term; its unit is said with its numbers."""
    return words(name).removesuffix(" EUR")


def outcome_scale(rows: list[Row]) -> Scale:
    """Choose one scale for all versions of an outcome."""
    return finest(
        fit_scale(row["unit"], row["median"], row["ci80_low"], row["ci80_high"])
        for row in rows
    )
