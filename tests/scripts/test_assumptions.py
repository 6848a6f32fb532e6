"""Assumptions: the rows in git, and refusals that name row and remedy."""

import csv
from pathlib import Path

import pytest

from inference.assumptions import assumed_terms
from inference.scenarios import ASSUMED_TERMS

SEED_FILE = Path(__file__).parents[2] / "seeds" / "scenario_assumptions.csv"


def row(**changed):
    return {
        "scenario_name": "explorers",
        "term": "share_moved",
        "value": 0.5,
        "low": None,
        "high": None,
        "distribution": "fixed",
        "unit": "share of users",
        "source": "asked",
        "causal_grade": None,
    } | changed


def test_the_demo_assumes_every_term_of_every_scenario():
    with SEED_FILE.open(newline="") as file:
        rows = [
            {name: text or None for name, text in row.items()}
            for row in csv.DictReader(file)
        ]
    found = assumed_terms(rows, ASSUMED_TERMS)
    assert {name: tuple(terms) for name, terms in found.items()} == dict(
        ASSUMED_TERMS
    )
    roi = {name: one.term.value for name, one in found["engineer_roi"].items()}
    retained = roi["new_users_per_year"] * 0.02 * roi["persistence"]
    benefit = retained * roi["value_per_retained_user_eur"]
    assert benefit / roi["engineer_cost_eur"] == pytest.approx(3.2)


def test_no_rows_mean_no_scenarios():
    assert assumed_terms([], ASSUMED_TERMS) == {}


def test_a_term_is_drawn_under_its_full_name():
    found = assumed_terms([row()], ASSUMED_TERMS)
    assumption = found["explorers"]["share_moved"]
    assert assumption.term.name == "explorers.share_moved"
    assert assumption.causal_grade == ""


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"scenario_name": "moon"}, r"csv, moon\.share_moved: unknown sc"),
        ({"term": "reach"}, "unknown term; explorers uses share_moved"),
        ({"value": None}, "value must be a finite number"),
        ({"value": 1.5}, "a share must lie between 0 and 1"),
        ({"causal_grade": "F"}, "unknown causal_grade 'F'"),
        ({"distribution": "beta"}, "needs a causal_grade"),
        (
            {"distribution": "beta", "causal_grade": "E"},
            "a beta term needs low and high",
        ),
        (
            {
                "distribution": "beta",
                "causal_grade": "E",
                "low": 0.6,
                "high": 0.9,
            },
            r"csv, explorers\.share_moved: low <= value <= high",
        ),
    ],
)
def test_refuses_a_row_by_its_place(changed, message):
    with pytest.raises(ValueError, match=message):
        assumed_terms([row(**changed)], ASSUMED_TERMS)


def test_refuses_doubled_and_missing_terms():
    with pytest.raises(ValueError, match="the term is given twice"):
        assumed_terms([row(), row()], ASSUMED_TERMS)
    push = row(scenario_name="push_rollout", term="population_users", unit="u")
    with pytest.raises(ValueError, match="lacks effect_carried_over"):
        assumed_terms([push], ASSUMED_TERMS)
