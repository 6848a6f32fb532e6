"""Declared scenarios: the rows in git, and refusals that name file and row."""

import pytest
from declared import assumed, files, measured, outcome

from scenarios.assumptions import Assumption
from scenarios.declarations import declared


def test_the_demo_declares_its_scenarios():
    found = {one.name: one for one in declared(*files())}
    assert {name: list(one.versions) for name, one in found.items()} == {
        "explorers": ["naive", "causal"],
        "push_rollout": ["randomised", "shrunk"],
        "engineer_roi": ["randomised", "shrunk"],
        "retention_ladder": ["baseline", "moderate", "aggressive"],
    }
    roi = {
        name: source.term.value
        for name, source in found["engineer_roi"].versions["shrunk"].items()
        if isinstance(source, Assumption)
    }
    formula = found["engineer_roi"].outcomes[0].formula
    assert formula(roi | {"effect": 0.02}) == pytest.approx(3.2)
    points = found["explorers"].outcomes[0].formula
    terms = {"share_moved": 0.5, "effect": 0.042, "base_rate": 0.082}
    assert points(terms) == 0.021
    sessions = found["push_rollout"].outcomes[0].formula
    terms = {"population_users": 10e6, "effect": 9.9, "effect_carried_over": 1}
    assert sessions(terms) == pytest.approx(99e6)


def test_no_rows_mean_no_scenarios():
    assert declared([], [], []) == []


def test_a_term_is_drawn_under_its_full_name():
    [one] = declared([outcome("users * effect")], *TERMS)
    assert one.versions["assumed"]["users"].term.name == "s.users"
    own = assumed("effect", 1.0, version="high")
    [one] = declared([outcome("users * effect")], [TERMS[0][0], own], [])
    assert one.versions["high"]["effect"].term.name == "s.high.effect"


def test_a_version_takes_its_own_row_before_the_common_one():
    rows = [
        assumed("users", 10),
        assumed("effect", 1.0),
        assumed("effect", 2.0, version="high"),
        assumed("users", 20, version="low"),
    ]
    [one] = declared([outcome("users * effect")], rows, [])
    values = {
        version: (terms["users"].term.value, terms["effect"].term.value)
        for version, terms in one.versions.items()
    }
    assert values == {"high": (10, 2.0), "low": (20, 1.0)}


TERMS = ([assumed("users", 10), assumed("effect", 1.0)], [])
FORMULA = "users * effect"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"formula": "users * effct"},
            r"formula, character 9: unknown term 'effct'; add it to "
            r"scenario_assumptions\.csv or scenario_estimates\.csv, or use one "
            "of effect, users",
        ),
        ({"formula": "users *"}, "formula, character 8: this is no formula"),
        ({"formula": None}, "formula, character 1: the formula is empty"),
        ({"base_formula": "size"}, "base_formula, character 1: unknown term"),
        ({"formula": "users + effect"}, "formula, character 1: .* correct the"),
        ({"unit": "EUR"}, "the formula gives user, the unit says eur; correct"),
        ({"unit": None}, "unit is missing; fill it in"),
        ({"effect_term": "lift"}, "effect_term 'lift' is not in the formula"),
        ({"effect_term": None}, "effect_term is missing"),
        ({"base_description": "{size}"}, "base_description, unknown term 's"),
        ({"base_description": None}, "base_description is missing"),
    ],
)
def test_refuses_an_outcome_by_its_place(changed, message):
    with pytest.raises(
        ValueError, match=rf"scenarios\.csv, s\.extra: {message}"
    ):
        declared([outcome(FORMULA) | changed], *TERMS)


def uncertain(distribution, **numbers):
    return {"distribution": distribution, "causal_grade": "E"} | numbers


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"scenario_name": "moon"}, r"csv, moon\.effect: unknown scenario"),
        ({"term": "min"}, r"csv, s\.min: 'min' cannot name a term"),
        ({"term": "a b"}, "'a b' cannot name a term; use letters"),
        ({"term": "users"}, r"csv, s\.users: the term is given twice"),
        ({"term": "reach"}, r"csv, s\.reach: no formula of s uses it; remove"),
        ({"value": None}, r"s\.effect: value must be a finite number"),
        ({"value": 1.5, "unit": "share of users"}, "a share must lie between"),
        ({"value": -0.1, "unit": "rate"}, "a share must lie between 0 and 1"),
        ({"causal_grade": "F"}, "unknown causal_grade 'F'; use one of A, B"),
        ({"distribution": "beta"}, "an uncertain term needs a causal_grade"),
        (uncertain("uniform"), "unknown distribut"),
        (uncertain("beta"), "beta term needs low"),
        (
            uncertain("triangular", low=2.0, high=0.5),
            "low <= value <= high must hold, got 2, 1, 0.5",
        ),
        (
            uncertain("proportion", value=0.5, low=-0.5, high=1.5),
            "narrow low and high",
        ),
        ({"source": None}, "source is missing; say why this number"),
        ({"stated_date": None}, "dated_on is missing; give the day"),
        ({"correlations": "users"}, "must be name=value; name=value, got 'us"),
        ({"correlations": "users=2"}, "correlation with users must be a num"),
        ({"correlations": "users=x"}, "between -1 and 1, got 'x'"),
        ({"correlations": "users=.1;users=.2"}, "gives users twice; keep one"),
        (
            {"correlations": "moon=0.5"},
            "correlations names 'moon', which is no",
        ),
        ({"correlations": "effect=0.5"}, "names 'effect', which is no other"),
    ],
)
def test_refuses_an_assumption_by_its_place(changed, message):
    rows = [assumed("users", 10), assumed("effect", 1.0) | changed]
    if rows[1]["term"] == "reach":
        rows.append(assumed("effect", 1.0))
    with pytest.raises(ValueError, match=message) as refusal:
        declared([outcome(FORMULA)], rows, [])
    assert str(refusal.value).startswith("scenario_assumptions.csv, ")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"estimate": None}, "estimate is missing; name a query of estimates"),
        ({"control_of": "lift"}, "control_of names 'lift', which is no other"),
        ({"prior_deviation": 0}, "prior_deviation must be positive, got 0"),
        ({"unit": "EUR"}, "the formula gives user eur, the unit says user"),
    ],
)
def test_refuses_an_estimate_by_its_place(changed, message):
    with pytest.raises(ValueError, match=message) as refusal:
        declared(
            [outcome(FORMULA)],
            [assumed("users", 10)],
            [measured("effect", **changed)],
        )
    if "formula" not in message:
        assert "scenario_estimates.csv, s.effect: " in str(refusal.value)


def test_refuses_a_common_row_that_every_version_replaces():
    rows = [*TERMS[0], assumed("effect", 2.0, version="high")]
    with pytest.raises(ValueError, match=r"s\.effect: every version of s has"):
        declared([outcome(FORMULA)], rows, [])


def test_refuses_doubled_rows_across_files():
    with pytest.raises(ValueError, match=r"s\.effect: the term is given twice"):
        declared([outcome(FORMULA)], TERMS[0], [measured("effect")])
    with pytest.raises(ValueError, match=r"s\.extra: the outcome is given twi"):
        declared([outcome(FORMULA), outcome(FORMULA)], *TERMS)


def test_a_term_that_only_one_version_has_is_missed_in_the_others():
    rows = [
        assumed("users", 10),
        assumed("effect", 1.0, version="high"),
        assumed("users", 9, version="low"),
    ]
    with pytest.raises(ValueError, match="unknown term 'effect'"):
        declared([outcome(FORMULA)], rows, [])
