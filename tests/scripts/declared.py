"""Rows of the three scenario files, as tests write them."""

from datetime import date

from inference.assumptions import EVERY_VERSION
from inference.declarations import declared
from inference.projections import projections

DRAWS, SEED = 20_000, 1
STATED = date(2026, 1, 31)


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
            "diversity_effects",
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
