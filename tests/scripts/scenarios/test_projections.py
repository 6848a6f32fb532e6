"""Scenarios from rows to results: golden values, exact zeros, sums, checks."""

import numpy as np
import pytest
from declared import (
    DRAWS,
    SEED,
    assumed,
    experiment,
    measured,
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
        experiment_results=[experiment()],
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
        experiment_results=[experiment()],
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
    rows = {
        row["effect_share"]: row for row in found.tables["scenario_results"]
    }
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
    quantiles = [row["value"] for row in found.tables["scenario_quantiles"]]
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
        experiment_results=[experiment()],
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
            measured(
                "control",
                unit="rate",
                value_column="control_mean",
                error_column="control_ci",
                control_of="effect",
            ),
        ],
        draws=400_000,
        experiment_results=[experiment()],
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
    effects = [
        {
            "estimand": name,
            "estimate": value,
            "standard_error": 0.001,
            "causal_grade": grade,
            "reason_code": None,
        }
        for name, value, grade in (
            ("naive_difference", 0.04, "D"),
            ("aipw_atu", 0.02, "C"),
        )
    ]
    found = project(
        [outcome("users * effect")],
        [USERS],
        [
            measured(
                "effect",
                version=version,
                source_table="genre_effects",
                row_keys=f"estimand={estimand}",
            )
            for version, estimand in (
                ("naive", "naive_difference"),
                ("causal", "aipw_atu"),
            )
        ],
        genre_effects=effects,
    )
    rows = whole(found)
    assert rows["s", "naive", "extra"]["point_estimate"] == 4_000
    assert rows["s", "causal", "extra"]["point_estimate"] == 2_000
    assert rows["s", "causal", "extra"]["causal_grade"] == "C"


def test_keys_of_later_columns_are_skipped_until_they_exist():
    estimate = measured("effect", row_keys="experiment_id=e; adjustment=none")
    for rows, expected in (
        ([experiment()], 2_000),
        (
            [
                experiment(adjustment="none"),
                experiment(adjustment="cuped", estimate=0.03),
            ],
            2_000,
        ),
    ):
        found = project(
            [outcome("users * effect")],
            [USERS],
            [estimate],
            experiment_results=rows,
        )
        [row] = whole(found).values()
        assert row["point_estimate"] == expected


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"row_keys": "colour=red"}, "no column colour; use one of experiment"),
        ({"row_keys": "metric_name=d1"}, "2 rows match; name one by experim"),
        ({"value_column": "size"}, "no column size; use one of"),
        ({"error_column": "size"}, "no column size; use one of"),
    ],
)
def test_a_row_that_cannot_be_found_is_named(changed, message):
    with pytest.raises(
        ValueError, match=rf"scenario_estimates\.csv, s\.effect: {message}"
    ):
        project(
            [outcome("users * effect")],
            [USERS],
            [measured("effect", **changed)],
            experiment_results=[
                experiment(),
                experiment(experiment_id="f"),
            ],
        )


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
