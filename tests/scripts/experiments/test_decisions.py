"""The rules of the decision, each at its boundary."""

import pytest

from experiments.decisions import Evidence, decided

PRIMARY = Evidence("sessions", "primary", 1, 0.05, units=1_000)
GUARD = Evidence("crashes", "guardrail", -1, 0.5, 0.025, units=1_000)


def decide(*evidence, broken=(), planned=1_000):
    return decided(broken, {"B": evidence}, planned)


@pytest.mark.parametrize(
    ("primary", "planned", "decision"),
    [
        # Significant at the planned size: alpha itself rejects.
        ({}, 1_000, "ship"),
        ({"p_value": 0.0500001}, 1_000, "do_not_ship"),
        ({"benefit": -1}, 1_000, "do_not_ship"),
        ({"benefit": 0, "p_value": None}, 1_000, "do_not_ship"),
        # One user short of the plan.
        ({}, 1_001, "keep_running"),
        ({"benefit": -1}, 1_001, "keep_running"),
        # A planned boundary that is crossed ends the test early.
        ({"has_planned_looks": True, "crossed": 1}, 1_001, "ship"),
        ({"has_planned_looks": True, "crossed": -1}, 1_001, "do_not_ship"),
        # Whoever planned a size and no looks reads once.
        ({"crossed": 1}, 1_001, "keep_running"),
        ({"crossed": -1, "p_value": 0.5}, 1_000, "do_not_ship"),
        # Looks were planned: the level is spent there.
        ({"has_planned_looks": True}, 1_000, "do_not_ship"),
        ({"has_planned_looks": True, "crossed": 1}, 1_000, "ship"),
        # Without a plan only the boundary decides.
        ({"p_value": 1e-9}, None, "keep_running"),
        ({"crossed": 1}, None, "ship"),
        ({"crossed": -1}, None, "do_not_ship"),
    ],
)
def test_a_primary_metric_decides(primary, planned, decision):
    found = decide(PRIMARY._replace(**primary), planned=planned)
    assert found.decision == decision


HARMED = "guardrail crashes is harmed"


@pytest.mark.parametrize(
    ("guard", "decision", "reason"),
    [
        ({}, "ship", "sessions is better"),
        ({"harm_p_value": 0.0250001}, "keep_running", "not shown harmless"),
        # Worse, but within the margin.
        ({"p_value": 0.001}, "ship", "sessions is better"),
        ({"p_value": 0.05, "harm_p_value": 0.6}, "do_not_ship", HARMED),
        (
            {"crossed": -1, "has_planned_looks": True, "harm_p_value": 0.6},
            "do_not_ship",
            HARMED,
        ),
        # Without a margin, only harm that is found stops.
        ({"harm_p_value": None}, "ship", "sessions is better"),
        ({"harm_p_value": None, "p_value": 0.05}, "do_not_ship", HARMED),
    ],
)
def test_a_guardrail_must_be_harmless(guard, decision, reason):
    found = decide(PRIMARY, GUARD._replace(**guard))
    assert found.decision == decision
    assert reason in found.reasons[-1]


def test_harm_stops_even_before_a_primary_is_significant():
    harmed = GUARD._replace(
        crossed=-1, has_planned_looks=True, harm_p_value=0.9, units=10
    )
    open_ = PRIMARY._replace(p_value=0.9, units=10)
    assert decide(open_, harmed).decision == "do_not_ship"


def test_a_primary_that_is_worse_outweighs_one_that_is_better():
    worse = PRIMARY._replace(metric_name="plays", benefit=-1, p_value=0.01)
    found = decide(PRIMARY, worse)
    assert found.decision == "do_not_ship"
    assert found.reasons == ("plays is worse",)


def test_every_primary_must_be_measured_before_none_is_better():
    late = PRIMARY._replace(metric_name="d7", p_value=0.9, units=400)
    found = decide(PRIMARY._replace(p_value=0.9), late)
    assert found.decision == "keep_running"
    assert found.reasons == ("400 of 1,000 planned users are measured",)


def test_a_broken_assignment_is_read_no_further():
    found = decide(PRIMARY, broken=("sample_ratio_mismatch", "mixed_users"))
    assert found.decision == "broken"
    assert found.reasons == ("sample_ratio_mismatch", "mixed_users")


@pytest.mark.parametrize(
    ("p_values", "decision"),
    [
        ((0.01, 0.9), "ship"),
        ((0.9, 0.9), "do_not_ship"),
        ((0.01, 0.01), "ship"),
    ],
)
def test_each_treatment_is_judged_alone(p_values, decision):
    arms = {
        name: [PRIMARY._replace(p_value=p)]
        for name, p in zip("BC", p_values, strict=True)
    }
    found = decided((), arms, 1_000)
    assert found.decision == decision
    assert [reason[:3] for reason in found.reasons] == ["B: ", "C: "]


def test_one_treatment_that_runs_on_keeps_the_experiment_running():
    arms = {"B": [PRIMARY._replace(benefit=-1)], "C": [PRIMARY, GUARD]}
    arms["C"][1] = GUARD._replace(harm_p_value=0.3)
    assert decided((), arms, 1_000).decision == "keep_running"


def test_without_a_primary_metric_nothing_is_decided():
    for treatments in ({}, {"B": [GUARD]}):
        found = decided((), treatments, 1_000)
        assert found == ("keep_running", ("no_primary_metric",))
