"""Scenarios from rows to results: golden values, exact zeros, sums, checks."""

import numpy as np
import pytest
from declared import (
    DRAWS,
    SEED,
    assumed,
    experiment,
    measured,
    number,
    outcome,
    project,
    whole,
)

from scenarios.distributions import Term
from scenarios.outlooks import (
    decision,
    delta_error,
    drawn,
    outcome_draws,
    outlook,
)

USERS = assumed("users", 100_000)
EXTRA = outcome("users * rate * (effect - 1)")


def golden(**changed):
    """100,000 users at 21.5 % (of 50,000), risk ratio 1.05, SE(log) 0.02."""
    error = (0.215 * 0.785 / 50_000) ** 0.5
    width = np.exp(1.959964 * 0.02)
    return [
        USERS,
        assumed(
            "rate",
            0.215,
            0.215 - 1.959964 * error,
            0.215 + 1.959964 * error,
            "proportion",
            unit="rate",
        ),
        assumed("effect", 1.05, 1.05 / width, 1.05 * width, "lognormal")
        | changed,
    ]


def test_matches_the_golden_retention_scenario():
    [row] = whole(project([EXTRA], golden(), draws=400_000)).values()
    assert row["point_estimate"] == pytest.approx(1_075)
    assert row["ci95_low"] == pytest.approx(203, abs=8)
    assert row["ci95_high"] == pytest.approx(1_983, abs=8)
    assert row["probability_positive"] == pytest.approx(0.993, abs=0.001)
    assert row["delta_ci95_low"] == pytest.approx(190, abs=1)
    assert row["delta_ci95_high"] == pytest.approx(1_960, abs=1)
    # A skewed ratio: the point is the median's, the mean lies above it.
    assert row["mean"] == pytest.approx(1_079.5, abs=3)
    assert row["base_description"] == "100,000 users"
    assert row["causal_grade"] == "E"


def test_an_effect_and_its_inverse_cancel():
    """One up and then one down leaves what was there."""
    up_and_down = outcome("users * (effect * back)", unit="users")
    rows = [USERS, assumed("effect", 1.25), assumed("back", 0.8)]
    [row] = whole(project([up_and_down], rows)).values()
    assert row["mean"] == row["ci95_low"] == row["base_value"] == 100_000
    added = [
        whole(
            project(
                [outcome("users * effect")],
                [USERS, assumed("effect", *bounds, "normal")],
            )
        )["s", "assumed", "extra"]
        for bounds in ((0.04, 0.02, 0.06), (-0.04, -0.06, -0.02))
    ]
    assert added[0]["point_estimate"] == -added[1]["point_estimate"]
    error = added[0]["monte_carlo_error"] + added[1]["monte_carlo_error"]
    assert abs(added[0]["median"] + added[1]["median"]) < 4 * error


def test_segments_sum_to_the_total():
    """They share the measured effect, so the means add up draw by draw."""
    sizes = {"a": 20_000, "b": 30_000, "c": 50_000, "total": 100_000}
    formula = "users * max(-0.2, min(0.8, effect))"
    found = project(
        [outcome(formula, scenario_name=name) for name in sizes],
        [
            assumed("users", size, scenario_name=name)
            for name, size in sizes.items()
        ],
        [measured("effect", scenario_name=name) for name in sizes],
        e=experiment(),
    )
    rows = {key[0]: row for key, row in whole(found).items()}
    total = rows.pop("total")
    for name in ("point_estimate", "mean", "base_value"):
        parts = sum(row[name] for row in rows.values())
        assert parts == pytest.approx(total[name], rel=1e-12)


def test_more_reach_never_means_less():
    found = project(
        [
            outcome("users * reach * effect", scenario_name=f"s{share}")
            for share in range(11)
        ],
        [
            row
            for share in range(11)
            for row in (
                assumed("users", 1e5, scenario_name=f"s{share}"),
                assumed("reach", share / 10, scenario_name=f"s{share}"),
            )
        ],
        [measured("effect", scenario_name=f"s{share}") for share in range(11)],
        e=experiment(),
    )
    rows = sorted(whole(found).items(), key=lambda pair: int(pair[0][0][1:]))
    for name in ("median", "ci95_low", "ci80_high"):
        assert (np.diff([row[name] for _, row in rows]) > 0).all()


def test_no_effect_gives_the_baseline_exactly():
    found = project(
        [outcome("min(1, rate * (1 + effect))", unit="rate")],
        [
            USERS,
            assumed("rate", 0.2, 0.15, 0.25, "proportion", unit="rate"),
            assumed("effect", 0.1, 0.0, 0.2, "triangular"),
        ],
    )
    rows = {row["effect_share"]: row for row in found["scenario_results"]}
    assert rows[0]["point_estimate"] == 0.2
    alone = drawn(
        {"rate": Term("s.rate", 0.2, 0.15, 0.25, "proportion")}, {}, DRAWS, SEED
    ).values["rate"]
    assert rows[0]["mean"] == alone.mean()
    points = [rows[share]["point_estimate"] for share in (0, 0.25, 0.5, 1)]
    np.testing.assert_allclose(np.diff(points), [0.005, 0.005, 0.01])


def test_rates_never_leave_zero_and_one():
    found = project(
        [outcome("max(0, min(1, rate * (1 + effect)))", unit="rate")],
        [
            USERS,
            assumed("rate", 0.9, 0.8, 1.0, "proportion", unit="rate"),
            assumed("effect", 0.5, -3.0, 4.0, "triangular"),
        ],
    )
    quantiles = [row["value"] for row in found["scenario_quantiles"]]
    assert min(quantiles) == 0
    assert max(quantiles) == 1


def test_delta_method_agrees_when_the_equation_is_linear():
    found = project(
        [outcome("users * effect - cost")],
        [
            USERS,
            assumed("cost", 500, 300, 700, "normal", unit="users"),
        ],
        [measured("effect")],
        draws=400_000,
        e=experiment(),
    )
    [row] = whole(found).values()
    for side in ("low", "high"):
        assert row[f"ci95_{side}"] == pytest.approx(
            row[f"delta_ci95_{side}"], abs=8
        )


def test_effect_and_control_are_drawn_as_one_experiment_estimates_them():
    """Var(T) = Var(C) + Var(T - C) + 2 Cov(C, T - C) = Var(T - C) - Var(C)."""
    found = project(
        [outcome("users * (control + effect)")],
        [USERS],
        [
            measured("effect"),
            measured("control", unit="rate", estimate="c", control_of="effect"),
        ],
        draws=400_000,
        e=experiment(),
        c=number(0.2, None, ci_low=0.195, ci_high=0.205, alpha=0.05),
    )
    [row] = whole(found).values()
    control = 0.005 / 1.959964
    expected = 1e5 * (0.004**2 - control**2) ** 0.5
    width = row["delta_ci95_high"] - row["delta_ci95_low"]
    assert width / 2 / 1.959964 == pytest.approx(expected)
    width = row["ci95_high"] - row["ci95_low"]
    assert width / 2 / 1.959964 == pytest.approx(expected, rel=0.01)


def test_declared_correlations_reach_the_draws():
    found = project(
        [outcome("users * effect * other")],
        [
            USERS,
            assumed("effect", 1.0, 0.9, 1.1, "normal"),
            assumed(
                "other", 1.0, 0.9, 1.1, "normal", correlations="effect=-0.9"
            ),
        ],
    )
    [row] = whole(found).values()
    error = 0.1 / 1.959964 * 1e5
    expected = error * (2 * (1 - 0.9)) ** 0.5
    width = row["ci95_high"] - row["ci95_low"]
    assert width / 2 / 1.959964 == pytest.approx(expected, rel=0.03)
    # Points multiplied are not the mean when terms depend on each other.
    covariance = -0.9 * (0.1 / 1.959964) ** 2
    assert row["mean"] == pytest.approx(1e5 * (1 + covariance), rel=2e-4)


def test_correlations_that_cannot_hold_together_are_refused():
    def tied(term, others):
        return assumed(term, 1.0, 0.9, 1.1, "normal", correlations=others)

    rows = [
        USERS,
        tied("effect", "b=0.9; c=0.9"),
        tied("b", "c=-0.9"),
        tied("c", None),
    ]
    with pytest.raises(ValueError, match=r"scenario s: .*cannot hold together"):
        project([outcome("users * effect * b * c")], rows)


def test_a_switch_of_estimator_is_a_changed_row():
    found = project(
        [outcome("users * effect")],
        [USERS],
        [
            measured("effect", version=version, estimate=estimate)
            for version, estimate in (("naive", "n"), ("causal", "c"))
        ],
        n=number(0.04, 0.001, causal_grade="D"),
        c=number(0.02, 0.001, causal_grade="C"),
    )
    rows = whole(found)
    assert rows["s", "naive", "extra"]["point_estimate"] == 4_000
    assert rows["s", "causal", "extra"]["point_estimate"] == 2_000
    assert rows["s", "causal", "extra"]["causal_grade"] == "C"


def test_terms_say_where_their_numbers_are_from():
    found = project(
        [outcome("users * effect")],
        [USERS],
        [measured("effect")],
        e=experiment(),
    )
    terms = {row["term"]: row for row in found["scenario_terms"]}
    assert terms["effect"]["source"] == "What e is (estimates/e.sql)"
    assert terms["effect"]["is_measured"] is True
    assert terms["users"]["source"] == "asked"


def test_what_is_drawn_under_one_name_is_drawn_alike():
    """Two estimates of one number cancel, draw by draw."""

    def width(name):
        found = project(
            [outcome("users * (effect - other)")],
            [USERS],
            [measured("effect"), measured("other", estimate="f")],
            e=experiment(),
            f=experiment(name="f", drawn_as=name),
        )
        [row] = whole(found).values()
        return row["ci95_high"] - row["ci95_low"]

    assert width("experiment") == 0
    assert width("another") > 0


def test_what_was_measured_has_an_error_of_its_own():
    found = project(
        [outcome("users * effect * kept")],
        [USERS, assumed("kept", 0.5, 0.1, 0.9, "beta")],
        [measured("effect")],
        e=experiment(),
    )
    [row] = whole(found).values()
    assert row["measured_error"] == pytest.approx(100_000 * 0.5 * 0.004)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"value": None}, "no_effect"),
        ({"value": None, "reason_code": "zero_units"}, "zero_units"),
        ({"error": None}, "no_effect"),
        ({"error": 0.0}, "zero_variance"),
    ],
)
def test_an_effect_without_a_number_says_why(changed, reason):
    found = project(
        [outcome("users * effect")],
        [USERS],
        [measured("effect")],
        e=experiment(**changed),
    )
    [row] = whole(found).values()
    assert row["reason_code"] == reason
    assert row["point_estimate"] is None


def test_only_what_has_a_control_is_shrunk():
    parts = [outcome("users * effect")], [USERS]
    shrunk = [measured("effect", prior_deviation=0.05)]
    [row] = whole(project(*parts, shrunk, e=experiment())).values()
    assert 0 < row["point_estimate"] < 2_000
    with pytest.raises(
        ValueError, match=r"s\.effect: prior_deviation needs th"
    ):
        project(*parts, shrunk, e=number(0.02, 0.004))


def test_scenarios_are_told_as_declared_and_claims_from_the_weakest():
    found = project(
        [
            outcome("users * effect", scenario_name="last", position=3),
            outcome("users * effect", position=2, outcome="second"),
            outcome("users * effect", position=1, outcome="first"),
        ],
        [
            USERS,
            assumed("users", 9, scenario_name="last"),
            assumed("effect", 0.1, scenario_name="last"),
        ],
        [
            measured("effect", version="z_raw"),
            measured("effect", version="a_shrunk", prior_deviation=0.05),
            measured("effect", version="gap", estimate="n"),
        ],
        e=experiment(),
        n=number(0.04, 0.001, causal_grade="D"),
    )
    rows = sorted(whole(found).values(), key=lambda row: row["position"])
    assert [row["position"] for row in rows] == list(range(1, 8))
    versions = ["gap", "z_raw", "a_shrunk"]
    assert [(row["outcome"], row["version"]) for row in rows] == [
        *(("first", version) for version in versions),
        *(("second", version) for version in versions),
        ("extra", "assumed"),
    ]


def test_a_divisor_of_zero_stops_its_own_outcome_only():
    found = project(
        [
            outcome("users / effect", outcome="broken"),
            outcome("users * effect"),
        ],
        [USERS, assumed("effect", 0.0)],
    )
    rows = whole(found)
    assert rows["s", "assumed", "broken"]["reason_code"] == "not_finite"
    assert rows["s", "assumed", "extra"]["point_estimate"] == 0


def test_a_decision_loses_what_is_known_of_a_normal():
    """Unit normal loss: phi(z) - z (1 - Phi(z)) of one deviation."""
    draws = np.random.default_rng(3).normal(1.0, 2.0, 400_000)
    found = decision(draws, 0.0)
    loss = 2 * (0.35206533 - 0.5 * 0.30853754)
    assert found.expected_loss == pytest.approx(loss, rel=0.01)
    assert found.perfect_information_value == pytest.approx(loss, rel=0.02)
    assert found.probability_target == pytest.approx(0.6915, abs=0.002)


def roi_terms():
    return {
        "users": Term("users", 1e6),
        "effect": Term("effect", 0.02, 0.012, 0.028, "normal"),
        "persistence": Term("persistence", 0.2, 0.1, 0.3, "beta"),
        "value": Term("value", 120.0, 80.0, 180.0, "lognormal"),
        "cost": Term("cost", 150e3, 130e3, 170e3, "beta"),
    }


def roi(terms):
    gained = terms["users"] * terms["effect"] * terms["persistence"]
    return gained * terms["value"] / terms["cost"]


def test_delta_method_is_near_when_the_equation_is_not_linear():
    draws = outcome_draws(roi, drawn(roi_terms(), {}, 400_000, SEED))
    assert delta_error(roi, roi_terms()) == pytest.approx(draws.std(), rel=0.08)


def test_same_seed_same_draws_and_other_seed_within_the_error():
    def summary(seed):
        draws = outcome_draws(roi, drawn(roi_terms(), {}, DRAWS, seed))
        return outlook(roi, roi_terms(), {}, draws)

    assert summary(SEED) == summary(SEED)
    medians = [summary(seed).median for seed in range(40)]
    error = summary(SEED).monte_carlo_error
    assert np.std(medians) == pytest.approx(error, rel=0.5)


def test_refuses_few_draws():
    with pytest.raises(ValueError, match="draws must be at least 20000, got 9"):
        drawn(roi_terms(), {}, 9, SEED)
