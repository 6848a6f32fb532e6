"""Rows of the three scenario files, as tests write them."""

import csv
from datetime import date
from pathlib import Path

from scenarios.assumptions import EVERY_VERSION
from scenarios.declarations import declared
from scenarios.projections import projections

DRAWS, SEED = 20_000, 1
STATED = date(2026, 1, 31)
SEEDS = Path(__file__).parents[2] / "seeds"
NUMBERS = {"value", "low", "high", "threshold", "prior_deviation"}
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
        "source_table": "experiment_results",
        "row_keys": "experiment_id=e",
        "value_column": "estimate",
        "error_column": "standard_error",
        "control_of": None,
        "prior_deviation": None,
    } | changed


def experiment(**changed):
    """Write a row of experiment results."""
    return {
        "experiment_id": "e",
        "metric_name": "d1",
        "kind": "proportion",
        "control_units": 25_000,
        "treatment_units": 25_000,
        "control_mean": 0.2,
        "control_ci_low": 0.195,
        "control_ci_high": 0.205,
        "estimate": 0.02,
        "standard_error": 0.004,
        "alpha": 0.05,
        "causal_grade": "A",
        "reason_code": None,
    } | changed


def project(
    outcomes, assumptions=(), estimates=(), *, draws=DRAWS, seed=SEED, **tables
):
    """Declare and project."""
    empty = dict.fromkeys(
        (
            "genre_effects",
            "experiment_results",
            "fct_scenario_baselines",
            "fct_survival",
        ),
        (),
    )
    return projections(
        declared(outcomes, assumptions, estimates),
        empty | tables,
        observed=STATED,
        draw_count=draws,
        seed=seed,
    )


def whole(projected):
    """Give the results with the whole effect, by scenario and outcome."""
    return {
        (row["scenario_name"], row["version"], row["outcome"]): row
        for row in projected.tables["scenario_results"]
        if row["effect_share"] == 1
    }


def demo():
    """Project what the project declares, on a log with round numbers."""
    effects = [
        {
            "estimand": name,
            "estimate": value,
            "standard_error": 0.003,
            "other_units": 41_000,
            "causal_grade": grade,
            "reason_code": None,
        }
        for name, value, grade in (
            ("naive_difference", 0.042, "D"),
            ("aipw_atu", 0.02, "C"),
        )
    ]
    baselines = [
        {"baseline_name": name, "value": value, "standard_error": error}
        for name, value, error in (
            ("low_explorers", 41_000.0, None),
            ("d7_rate_low_explorers", 0.082, 0.0014),
            ("d1_rate", 0.24, 0.002),
            ("d7_rate", 0.09, 0.0013),
            ("d30_rate", 0.05, 0.001),
        )
    ]
    survival = [
        {
            "dimension": "all",
            "dimension_value": "all",
            "day_number": day,
            "at_risk_users": 1_000 - 10 * day,
            "churned_users": 10 if day else 0,
        }
        for day in range(30)
    ]
    return project(
        *files(),
        genre_effects=effects,
        experiment_results=[
            experiment(
                experiment_id="push_reminders",
                metric_name="sessions_per_user",
                kind="mean",
                method="welch_t",
                control_mean=49.9,
                control_ci_low=49.0,
                control_ci_high=50.8,
                estimate=9.9,
                standard_error=0.6,
            ),
            experiment(
                experiment_id="onboarding_personalisation",
                metric_name="d1_retention",
                method="two_proportion_z",
            ),
        ],
        fct_scenario_baselines=baselines,
        fct_survival=survival,
    )
