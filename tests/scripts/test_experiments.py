"""Readout of experiments: what is shown, what is blocked, and why."""

import pandas as pd
import pytest

from inference.experiments import health_rows, result_rows


def arm(variant, units=1_000, mean=50.0, variance=400.0, **changed):
    return {
        "experiment_id": "push",
        "metric_name": "sessions",
        "kind": "mean",
        "role": "primary",
        "variant": variant,
        "is_control": variant == "A",
        "unit_count": units,
        "immature_count": 0,
        "value_mean": mean,
        "value_variance": variance,
    } | changed


def assigned(variant, users=1_000, share=0.5, **changed):
    return {
        "experiment_id": "push",
        "experiment_name": "Push",
        "variant": variant,
        "is_control": variant == "A",
        "expected_share": share,
        "assigned_users": users,
        "mixed_users": 0,
        "reached_users": 0,
    } | changed


def health(*arms, statistics=()):
    columns = arm("A").keys()
    return health_rows(
        pd.DataFrame(list(arms), columns=assigned("A").keys()),
        pd.DataFrame(list(statistics), columns=columns),
    )


def results(*arms, health=()):
    return result_rows(pd.DataFrame(list(arms)), list(health))


def test_means_are_compared_by_welch():
    [row] = results(arm("A"), arm("B", mean=60.0))
    assert row["method"] == "welch_t"
    assert row["estimate"] == pytest.approx(10)
    assert row["standard_error"] == pytest.approx(0.8**0.5)
    assert row["relative_estimate"] == pytest.approx(0.2)
    assert row["control_ci_low"] < 50 < row["control_ci_high"]
    assert row["degrees_of_freedom"] == pytest.approx(1_998)
    assert row["reason_code"] is None
    assert row["causal_grade"] == "A"


def test_proportions_are_compared_twice():
    pair = [
        arm("A", kind="proportion", mean=0.2, variance=0.16016),
        arm("B", kind="proportion", mean=0.26, variance=0.19259),
    ]
    rows = results(*pair)
    assert [row["method"] for row in rows] == ["two_proportion_z", "welch_t"]
    assert rows[0]["degrees_of_freedom"] is None
    assert rows[0]["estimate"] == pytest.approx(0.06)
    assert rows[0]["control_ci_low"] == rows[1]["control_ci_low"]
    assert rows[0]["p_value"] == pytest.approx(rows[1]["p_value"], rel=0.01)
    for bound in ("relative_ci_low", "relative_ci_high"):
        assert rows[0][bound] == pytest.approx(rows[1][bound], rel=0.01)


def test_every_treatment_meets_the_control():
    rows = results(arm("C", mean=55.0), arm("B", mean=60.0), arm("A"))
    assert {row["treatment_variant"] for row in rows} == {"B", "C"}
    assert {row["control_variant"] for row in rows} == {"A"}


@pytest.mark.parametrize(
    ("arms", "reason"),
    [
        ([arm("A"), arm("B", units=0, mean=None)], "empty_arm"),
        ([arm("A"), arm("B", units=1, variance=None)], "too_few_units"),
        ([arm("A", variance=0.0), arm("B", variance=0.0)], "zero_variance"),
        ([arm("B")], "no_single_control"),
        (
            [arm("A"), arm("B"), arm("A2", is_control=True)],
            "no_single_control",
        ),
        ([arm("A", kind="ratio"), arm("B", kind="ratio")], "unsupported_kind"),
    ],
)
def test_what_cannot_be_compared_says_why(arms, reason):
    [row] = results(*arms)
    assert row["reason_code"] == reason
    assert row["estimate"] is None
    assert row["p_value"] is None


@pytest.mark.parametrize(
    ("means", "reason"),
    [((0.2, 0.2005), "not_a_proportion"), ((0.0, 0.0), "zero_variance")],
)
def test_what_is_no_proportion_says_so(means, reason):
    rows = results(
        *(
            arm(variant, kind="proportion", mean=mean, variance=0.0)
            for variant, mean in zip("AB", means, strict=True)
        )
    )
    assert [row["reason_code"] for row in rows] == [reason, "zero_variance"]


@pytest.mark.parametrize(
    ("baseline", "reason"),
    [(0.0, "relative_zero_baseline"), (0.5, "relative_unbounded")],
)
def test_no_relative_interval_leaves_the_absolute_one(baseline, reason):
    [row] = results(arm("A", mean=baseline), arm("B", mean=5.0))
    assert row["reason_code"] == reason
    assert row["ci_low"] > 0


def test_a_balanced_experiment_is_readable():
    pair = [arm("A", units=900, immature_count=100), arm("B")]
    [row] = health(
        assigned("A", mixed_users=3),
        assigned("B", reached_users=880),
        statistics=pair,
    )
    assert (row["decision"], row["reason_code"]) == ("readable", None)
    assert row["p_value"] == 1
    assert row["expected_shares"] == "A 0.5, B 0.5"
    assert row["mixed_rate"] == 3 / 2_000
    assert row["immature_rate"] == 0.05
    assert row["reached_rate"] == 0.88


def test_a_broken_split_blocks_the_readout():
    pair = [arm("A"), arm("B", mean=60.0)]
    judged = health(assigned("A"), assigned("B", users=1_300))
    assert judged[0]["decision"] == "blocked"
    assert judged[0]["is_srm_alarm"]
    [row] = results(*pair, health=judged)
    assert row["reason_code"] == "sample_ratio_mismatch"
    assert row["experiment_name"] == "Push"
    assert (row["control_mean"], row["estimate"]) == (50, None)


def test_experiments_without_units_or_treatment_are_blocked():
    [row] = health(assigned("A", users=0), assigned("B", users=0))
    assert (row["decision"], row["reason_code"]) == ("blocked", "no_units")
    [row] = health(assigned("A", share=1.0))
    assert (row["decision"], row["reason_code"]) == ("blocked", "one_variant")


def test_wrong_shares_name_the_experiment_and_the_file():
    with pytest.raises(ValueError, match=r"push: .*experiments\.csv"):
        health(assigned("A", share=0.6), assigned("B"))


def test_treatment_without_delivery_has_no_reached_rate():
    [row] = health(assigned("A"), assigned("B"))
    assert row["reached_rate"] is None
