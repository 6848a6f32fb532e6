"""What experiments found, or why they must not be read.

Pure functions: rows of marts and results in, parts of the page out.
"""

from __future__ import annotations

from display.findings import listed
from display.formats import count
from display.parts import Part, Row, Section, Tables
from experiments.page import (
    adjustments,
    courses,
    coverage,
    effects,
    health,
    power,
    segments,
)

MARTS = ("fct_experiment_arms",)

TABLES = (
    "experiment_results",
    "experiment_segments",
    "experiment_time_series",
    "experiment_power",
)


def section(tables: Tables) -> Section:
    """Read out each experiment, or say why it must not be read."""
    name, title = "experiments", "Experiments"
    experiments = [
        row for row in tables["experiment_health"] if row["assigned_users"]
    ]
    if not experiments:
        return Section(name, title, "This log has no experiments.", link=title)
    parts: list[Part] = []
    for row in experiments:
        mine = {
            table: [
                one
                for one in tables[table]
                if one["experiment_id"] == row["experiment_id"]
            ]
            for table in TABLES
        }
        arms = [
            one
            for one in tables["fct_experiment_arms"]
            if one["experiment_id"] == row["experiment_id"]
            and one["dimension"] == "all"
        ]
        parts += _experiment(row, mine, arms)
    parts += coverage.coverage(tables["coverage"])
    return Section(name, title, _lead(experiments), parts, title)


def _lead(experiments: list[Row]) -> str:
    """Count the decisions."""
    decisions = [row["decision"] for row in experiments]
    readable = len(decisions) - decisions.count("broken")
    said = [
        f"{decisions.count(decision)} {words}"
        for decision, words in health.COUNTED.items()
        if decision in decisions
    ]
    return (
        f"{readable} of {count(len(decisions))} experiments can be read:"
        f" {listed(said)}. Users are compared by the variant they were"
        " assigned, reached or not."
    )


def _experiment(row: Row, mine: Tables, arms: list[Row]) -> list[Part]:
    """Lay out one experiment: decision, health, and what was found."""
    results = mine["experiment_results"]
    is_broken = row["decision"] == "broken"
    parts: list[Part | None] = [
        health.verdict(row, [] if is_broken else results),
        health.checks(row),
        health.arms(row, arms) if arms else None,
    ]
    if not is_broken:
        series = mine["experiment_time_series"]
        parts += [
            effects.forest(row, results),
            adjustments.adjusted(row, results),
            *courses.by_date(row, results, series),
            courses.by_day(row, results, series),
            segments.segments(row, results, mine["experiment_segments"]),
            adjustments.policies(row, results),
            power.power(row, mine["experiment_power"]),
        ]
    return [part for part in parts if part is not None]
