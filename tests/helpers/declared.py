"""Rows of the three scenario files, as tests write them."""

import csv
from datetime import date
from pathlib import Path

from cases import listed

from estimates.numbers import Number
from scenarios.assumptions import EVERY_VERSION
from scenarios.declarations import declared
from scenarios.projections import projections

DRAWS, SEED = 20_000, 1
STATED = date(2026, 1, 31)
SEEDS = Path(__file__).parents[2] / "seeds"
NUMBERS = listed("value low high threshold prior_deviation position")
RENAMED = {"dated_on": "stated_date"}


def rows_of(name):
    """Read a file in git as the marts hold it."""
    with (SEEDS / name).open(newline="") as file:
        return [
            {
                RENAMED.get(column, column): float(text)
                if text and column in NUMBERS
                else text or (EVERY_VERSION if column == "version" else None)
                for column, text in row.items()
            }
            for row in csv.DictReader(file)
        ]


def files():
    """Read what the project declares."""
    names = ("scenarios", "scenario_assumptions", "scenario_estimates")
    return [rows_of(f"{name}.csv") for name in names]


def outcome(formula, **changed):
    """Write a row of scenarios."""
    return {
        "scenario_name": "s",
        "outcome": "extra",
        "unit": "users",
        "effect_term": "effect",
        "threshold": None,
        "formula": formula,
        "base_formula": "users",
        "base_description": "{users} users",
        "position": None,
    } | changed


def assumed(term, value, low=None, high=None, distribution="fixed", **changed):
    """Write a row of assumptions."""
    return {
        "scenario_name": "s",
        "version": EVERY_VERSION,
        "term": term,
        "value": value,
        "low": low,
        "high": high,
        "distribution": distribution,
        "unit": "users" if term == "users" else "ratio",
        "source": "asked",
        "causal_grade": None if distribution == "fixed" else "E",
        "stated_date": STATED,
        "correlations": None,
    } | changed


def measured(term, **changed):
    """Write a row of estimates."""
    return {
        "scenario_name": "s",
        "version": EVERY_VERSION,
        "term": term,
        "unit": "rate difference",
        "estimate": "e",
        "control_of": None,
        "prior_deviation": None,
    } | changed


def number(value, error=0.0, name="e", **changed):
    """Give what an estimate finds; by default a count."""
    given = {"value": value, "standard_error": error} | changed
    columns = frozenset({"users", "causal_grade", *given})
    return Number(f"estimates/{name}.sql", f"What {name} is", columns, **given)


def experiment(value=0.02, error=0.004, **changed):
    """Give what an experiment finds."""
    given = {
        "causal_grade": "A",
        "kind": "proportion",
        "control_users": 25_000,
        "treatment_users": 25_000,
        "control_mean": 0.2,
        "drawn_as": "experiment",
    }
    return number(value, error, **given | changed)


def project(
    outcomes, assumptions=(), estimates=(), *, draws=DRAWS, seed=SEED, **numbers
):
    """Declare and project."""
    return projections(
        declared(outcomes, assumptions, estimates),
        numbers,
        observed=STATED,
        draw_count=draws,
        seed=seed,
    )


def whole(projected):
    """Give the results with the whole effect, by scenario and outcome."""
    return {
        (row["scenario_name"], row["version"], row["outcome"]): row
        for row in projected["scenario_results"]
        if row["effect_share"] == 1
    }


def demo():
    """Project what the project declares, on a log with round numbers."""
    return project(
        *files(),
        d7_gap=number(0.042, 0.003, "d7_gap", causal_grade="D"),
        d7_gap_users=number(41_000.0),
        d7_gap_adjusted=number(0.02, 0.003, causal_grade="C"),
        d7_gap_adjusted_users=number(41_000.0),
        low_explorers=number(41_000.0),
        d7_rate_low_explorers=number(0.082, 0.0014, "d7_rate_low_explorers"),
        d1_rate=number(0.24, 0.002),
        d7_rate=number(0.09, 0.0013),
        d30_rate=number(0.05, 0.001),
        push_uplift=experiment(9.9, 0.6, kind="mean", control_mean=49.9),
        push_control_sessions=number(
            49.9, None, ci_low=49.0, ci_high=50.8, alpha=0.05
        ),
        onboarding_d1_uplift=experiment(),
        onboarding_control_rate=number(
            0.2, None, ci_low=0.195, ci_high=0.205, alpha=0.05
        ),
        days_per_returner=number(23.0, 0.7),
        days_per_user=number(16.0, 0.4),
    )
