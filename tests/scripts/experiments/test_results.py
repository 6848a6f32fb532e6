"""The table of comparisons, against what unit rows say, and its refusals."""

import numpy as np
import pandas as pd
import pytest
import tea_tasting as tt
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest
from trials import ATTRIBUTES, measures, quantile_rows, statistics, trial

from experiments.grids import declared_pairs
from experiments.pairs import paired
from experiments.results import KEYS, result_frame

PAIR = "country x platform"
SHARES = {"A": 0.5, "B": 0.3, "C": 0.2}
NONE = quantile_rows(trial(users=0, shares={"A": 1}))


def results(*tables, quantiles=NONE, blocked=None, alpha=0.05, strata=(PAIR,)):
    pairs = paired(pd.concat(tables, ignore_index=True))
    return result_frame(
        pairs, quantiles, blocked or {}, alpha, preferred_strata=strata
    )


def pick(found, **keys):
    keys = {
        "outcome_version": "raw",
        "policy": "first_assignment",
        "adjustment": "none",
        "treatment_variant": "B",
    } | keys
    own = found[np.logical_and.reduce([found[k] == v for k, v in keys.items()])]
    assert len(own) == 1, (keys, len(own))
    return own.iloc[0]


def values(rows, variant, column="value"):
    return rows.loc[rows["variant"] == variant, column].to_numpy()


def arm(variant, units, mean, variance, **changed):
    """One row of aggregates alone."""
    nothing = dict.fromkeys(measures(trial(users=9), "mean"), np.nan)
    return (
        {
            "experiment_id": "push",
            "metric_name": "sessions",
            "outcome_version": "raw",
            "policy": "first_assignment",
            "dimension": "all",
            "dimension_value": "all",
            "variant": variant,
            "is_control": variant == "A",
        }
        | ATTRIBUTES
        | {"immature_count": 0, "capped_count": 0}
        | nothing
        | {"unit_count": units, "value_mean": mean, "value_variance": variance}
        | changed
    )


def compared(*arms, **options):
    return results(pd.DataFrame(list(arms)), **options)


@pytest.fixture(scope="module")
def rows():
    return {
        "mean": trial(1, shares=SHARES),
        "proportion": trial(2, shares=SHARES, kind="proportion"),
        "ratio": trial(3, shares=SHARES, kind="ratio"),
        "quantile": trial(4, shares=SHARES),
    }


@pytest.fixture(scope="module")
def found(rows):
    return results(
        *(
            statistics(rows[kind], metric=kind, kind=kind, **attributes)
            for kind, attributes in (
                ("mean", {"cap": 0.99}),
                ("proportion", {"role": "secondary"}),
                ("ratio", {"role": "guardrail", "margin": 0.02}),
                ("quantile", {"role": "secondary"}),
            )
        ),
        quantiles=quantile_rows(rows["quantile"], metric="quantile"),
    )


# ---- One method after the other, from rows of users


@pytest.mark.parametrize("variant", ["B", "C"])
def test_welch_agrees_with_scipy_on_rows(rows, found, variant):
    row = pick(
        found,
        metric_name="mean",
        method="welch_t",
        treatment_variant=variant,
    )
    control, treatment = (values(rows["mean"], v) for v in ("A", variant))
    test = stats.ttest_ind(treatment, control, equal_var=False)
    interval = test.confidence_interval(0.95)
    assert row["estimate"] == pytest.approx(
        treatment.mean() - control.mean(), rel=1e-9
    )
    assert row["statistic"] == pytest.approx(test.statistic, rel=1e-9)
    assert row["p_value"] == pytest.approx(test.pvalue, rel=1e-9)
    assert row["degrees_of_freedom"] == pytest.approx(test.df, rel=1e-9)
    assert row["ci_low"] == pytest.approx(interval.low, rel=1e-9)
    assert row["ci_high"] == pytest.approx(interval.high, rel=1e-9)
    assert row["control_units"] == len(control)
    assert row["control_ci_low"] == pytest.approx(
        stats.t.interval(
            0.95, len(control) - 1, control.mean(), stats.sem(control)
        )[0],
        rel=1e-9,
    )


def test_proportions_agree_with_statsmodels_on_rows(rows, found):
    row = pick(found, metric_name="proportion", method="two_proportion_z")
    control, treatment = (values(rows["proportion"], v) for v in "AB")
    statistic, p_value = proportions_ztest(
        [treatment.sum(), control.sum()], [len(treatment), len(control)]
    )
    assert row["statistic"] == pytest.approx(statistic, rel=1e-9)
    assert row["p_value"] == pytest.approx(p_value, rel=1e-9)
    assert np.isnan(row["degrees_of_freedom"])
    beside = pick(found, metric_name="proportion", method="welch_t")
    assert beside["p_value"] == pytest.approx(
        stats.ttest_ind(treatment, control, equal_var=False).pvalue, rel=1e-9
    )


def tea_tasting(rows, metric):
    two = rows[rows["variant"].isin(["A", "B"])]
    return tt.Experiment({"value": metric}, variant="variant").analyze(
        two, control="A"
    )["value"]


def test_ratios_agree_with_tea_tasting_on_rows(rows, found):
    row = pick(found, metric_name="ratio", method="ratio_delta")
    other = tea_tasting(rows["ratio"], tt.RatioOfMeans("value", "denominator"))
    assert row["estimate"] == pytest.approx(other.effect_size, rel=1e-9)
    assert row["p_value"] == pytest.approx(other.pvalue, rel=1e-9)
    assert row["ci_low"] == pytest.approx(other.effect_size_ci_lower, rel=1e-9)
    assert row["control_mean"] == pytest.approx(other.control, rel=1e-9)


def test_adjusted_ratios_agree_with_tea_tasting_on_rows(rows, found):
    row = pick(
        found, metric_name="ratio", method="ratio_delta", adjustment="cuped"
    )
    other = tea_tasting(
        rows["ratio"],
        tt.RatioOfMeans(
            "value", "denominator", "covariate", "covariate_denominator"
        ),
    )
    # tea-tasting centres at another point; the effect is the same.
    assert row["estimate"] == pytest.approx(other.effect_size, rel=1e-9)
    assert row["p_value"] == pytest.approx(other.pvalue, rel=1e-9)
    assert 0 < row["variance_ratio"] < 1


def test_adjusted_means_are_those_of_least_squares_on_rows(rows, found):
    row = pick(found, metric_name="mean", method="welch_t", adjustment="cuped")
    two = rows["mean"][rows["mean"]["variant"].isin(["A", "B"])]
    covariates = two[["covariate", "history"]].to_numpy()
    covariates = covariates - covariates.mean(axis=0)
    theta = np.linalg.lstsq(
        covariates, two["value"] - two["value"].mean(), rcond=None
    )[0]
    rest = (two["value"] - covariates @ theta).to_numpy()
    is_control = (two["variant"] == "A").to_numpy()
    test = stats.ttest_ind(rest[~is_control], rest[is_control], equal_var=False)
    assert row["estimate"] == pytest.approx(
        rest[~is_control].mean() - rest[is_control].mean(), rel=1e-9
    )
    assert row["p_value"] == pytest.approx(test.pvalue, rel=1e-7)
    assert row["control_mean"] == pytest.approx(rest[is_control].mean())
    before = stats.ttest_ind(
        *(two.loc[two["variant"] == v, "covariate"] for v in "BA"),
        equal_var=False,
    )
    assert row["covariate_p_value"] == pytest.approx(before.pvalue, rel=1e-9)
    raw = pick(found, metric_name="mean", method="welch_t")
    assert row["variance_ratio"] == pytest.approx(
        (row["standard_error"] / raw["standard_error"]) ** 2
    )


def weighted(rows, *strata):
    """The mean of each arm, its strata weighted as among users of both."""
    two = rows[rows["variant"].isin(["A", "B"])]
    means = two.groupby([*strata, "variant"])["value"].mean().unstack()
    shares = two.groupby([*strata]).size() / len(two)
    return means[["A", "B"]].mul(shares, axis=0).sum()


def test_post_stratified_means_are_weighted_by_all_users(rows, found):
    row = pick(
        found,
        metric_name="mean",
        method="welch_t",
        adjustment="post_stratified",
    )
    control, treatment = weighted(rows["mean"], "country", "platform")
    assert row["estimate"] == pytest.approx(treatment - control, rel=1e-9)
    assert row["control_mean"] == pytest.approx(control, rel=1e-9)


@pytest.mark.parametrize(
    "without_rows", [True, False], ids=["no such rows", "none declared"]
)
def test_strata_are_the_largest_single_dimension_without_the_pair(
    rows, without_rows
):
    table = statistics(rows["mean"])
    if without_rows:
        table = table[table["dimension"] != PAIR]
    strata = (PAIR,) if without_rows else ()
    row = pick(
        results(table, strata=strata),
        method="welch_t",
        adjustment="post_stratified",
    )
    control, treatment = weighted(rows["mean"], "platform")
    assert row["estimate"] == pytest.approx(treatment - control, rel=1e-9)
    whole = table[table["dimension"] == "all"]
    assert "post_stratified" not in set(results(whole)["adjustment"])


def test_pairs_of_settled_dimensions_are_preferred_as_declared():
    frame = pd.DataFrame(
        [
            ("b x c", 9, True, True),
            ("a", 1, False, True),
            ("a x d", 7, True, False),
            ("a x b", 8, True, True),
        ],
        columns=["dimension", "dimension_number", "is_pair", "is_settled"],
    )
    assert declared_pairs(frame) == ["a x b", "b x c"]
    assert declared_pairs(frame.head(0)) == []


def test_quantiles_are_read_off_the_ranks_around_them(rows, found):
    row = pick(found, metric_name="quantile", method="quantile_outer")
    arms = [np.sort(values(rows["quantile"], v)) for v in "AB"]
    points, errors = [], []
    for own in arms:
        size = len(own)
        reach = 1.959963984540054 * np.sqrt(size * 0.9 * 0.1)
        low = int(np.floor(0.9 * size - reach))
        high = int(np.ceil(0.9 * size + reach))
        points.append(own[int(np.ceil(0.9 * size)) - 1])
        errors.append((own[high - 1] - own[low - 1]) / (2 * 1.959963984540054))
    assert row["estimate"] == pytest.approx(points[1] - points[0], rel=1e-9)
    assert row["standard_error"] == pytest.approx(np.hypot(*errors), rel=1e-9)
    assert row["control_mean"] == points[0]
    assert row["control_ci_low"] == pytest.approx(
        points[0] - 1.959963984540054 * errors[0]
    )
    assert set(found.loc[found["kind"] == "quantile", "method"]) == {
        "quantile_outer"
    }


def test_guardrails_rule_harm_out_with_the_noise_of_the_control(rows, found):
    row = pick(found, metric_name="ratio", method="non_inferiority")
    plain = pick(found, metric_name="ratio", method="ratio_delta")
    units, arms = [], []
    for variant in "AB":
        own = rows["ratio"][rows["ratio"]["variant"] == variant]
        ratio = own["value"].mean() / own["denominator"].mean()
        linear = (own["value"] - ratio * own["denominator"]) / own[
            "denominator"
        ].mean()
        units.append(len(own))
        arms.append((ratio, linear.var()))
    (m0, v0), (m1, v1) = arms
    z = (m1 - 0.98 * m0) / np.sqrt(v1 / units[1] + 0.98**2 * v0 / units[0])
    assert row["statistic"] == pytest.approx(z, rel=1e-9)
    assert row["p_value"] == pytest.approx(
        stats.t.sf(z, row["degrees_of_freedom"]), rel=1e-9
    )
    assert row["alpha"] == 0.025
    # One-sided, it ends where the two-sided interval does.
    assert row["ci_low"] == pytest.approx(plain["ci_low"])
    assert row["relative_ci_low"] == pytest.approx(plain["relative_ci_low"])
    assert np.isnan(row["ci_high"])
    assert np.isnan(row["relative_ci_high"])


def test_the_harmless_side_of_a_decrease_is_below(rows):
    table = statistics(
        rows["mean"], role="guardrail", margin=0.02, direction="decrease"
    )
    row = pick(results(table), method="non_inferiority")
    assert np.isnan(row["ci_low"])
    assert row["ci_high"] > 0
    assert row["p_value"] > 0.5


def test_compliers_are_the_effect_over_the_reached(rows, found):
    row = pick(found, metric_name="mean", method="complier_effect")
    raw = pick(found, metric_name="mean", method="welch_t")
    reached = values(rows["mean"], "B", "reached").mean()
    assert row["estimate"] == pytest.approx(raw["estimate"] / reached)
    assert row["p_value"] == pytest.approx(raw["p_value"], rel=1e-12)
    assert row["ci_low"] > 0
    assert row["causal_grade"] == "B"
    assert raw["causal_grade"] == "A"


def test_without_delivery_there_are_no_compliers(rows):
    table = statistics(rows["mean"].assign(reached=0.0))
    assert "complier_effect" not in set(results(table)["method"])


def test_beliefs_shrink_the_lift_and_follow_the_direction(rows, found):
    raw = pick(found, metric_name="mean", method="welch_t")
    beliefs = [
        pick(found, metric_name="mean", method=method)
        for method in ("bayes_normal", "bayes_normal_wide")
    ]
    lifts = [row["relative_estimate"] for row in beliefs]
    assert 0 < lifts[0] < lifts[1] < raw["relative_estimate"]
    assert np.isnan(beliefs[0]["estimate"])
    down = pick(
        results(statistics(rows["mean"], direction="decrease")),
        method="bayes_normal",
    )
    assert down["probability_better"] == pytest.approx(
        1 - beliefs[0]["probability_better"]
    )
    # What choosing gives away, less what rejecting does, is the mean lift.
    assert down["expected_loss"] - beliefs[0]["expected_loss"] == (
        pytest.approx(lifts[0])
    )


def test_capped_rows_stand_beside_raw_ones_and_speak(rows, found):
    own = rows["mean"]["value"]
    limit = own[own > 0].quantile(0.99)
    capped = pick(
        found, metric_name="mean", method="welch_t", outcome_version="capped"
    )
    raw = pick(found, metric_name="mean", method="welch_t")
    test = stats.ttest_ind(
        *(np.minimum(values(rows["mean"], v), limit) for v in "BA"),
        equal_var=False,
    )
    assert capped["p_value"] == pytest.approx(test.pvalue, rel=1e-9)
    assert capped["cap_value"] == limit
    assert (capped["is_headline"], raw["is_headline"]) == (True, False)


# ---- Extremes, at the level of rows


def test_extreme_rows_agree_with_scipy_far_into_the_tail():
    """Forty standard errors, uneven arms, two users, a negative baseline."""
    cases = [
        ((100_000, 10.0, 4.0), (100_000, 10.36, 4.0)),
        ((99_000, 5.0, 9.0), (1_000, 5.4, 9.0)),
        ((2, 1.0, 1.0), (2, 3.0, 2.0)),
        ((500, -20.0, 16.0), (500, -19.0, 16.0)),
        ((1_000, 1e8, 0.08), (1_000, 1e8 + 0.01, 0.08)),
        ((1_000, 3.0, 0.0), (1_000, 3.1, 1.0)),
        ((40_000_000, 10.0, 4.0), (40_000_000, 10.0165, 4.0)),
    ]
    rows = [
        arm(variant, *values, metric_name=f"m{place}")
        for place, case in enumerate(cases)
        for variant, values in zip("AB", case, strict=True)
    ]
    table = compared(*rows)
    for place, ((n0, m0, v0), (n1, m1, v1)) in enumerate(cases):
        row = pick(table, metric_name=f"m{place}", method="welch_t")
        other = stats.ttest_ind_from_stats(
            m1, v1**0.5, n1, m0, v0**0.5, n0, equal_var=False
        )
        assert row["p_value"] == pytest.approx(other.pvalue, rel=1e-9), place
        assert row["statistic"] == pytest.approx(other.statistic, rel=1e-9)
        # The relative verdict is the absolute one.
        assert (row["relative_ci_low"] > 0) == (row["ci_low"] > 0)
        assert np.sign(row["relative_estimate"]) == np.sign(row["estimate"])
    far = pick(table, metric_name="m6", method="welch_t")
    assert 36 < far["statistic"] < 40
    assert 0 < far["p_value"] < 1e-290


def test_swapping_the_arms_turns_the_sign_and_scaling_the_size(rows):
    two = rows["mean"][rows["mean"]["variant"] != "C"]
    swapped = two.assign(is_control=~two["is_control"])
    swapped["variant"] = swapped["variant"].map({"A": "B", "B": "A"})
    scaled = two.assign(value=60 * two["value"], covariate=two["covariate"] / 7)
    tables = [results(statistics(each)) for each in (two, swapped, scaled)]
    for adjustment in ("none", "cuped", "post_stratified"):
        plain, turned, large = (
            pick(table, method="welch_t", adjustment=adjustment)
            for table in tables
        )
        assert turned["estimate"] == pytest.approx(-plain["estimate"])
        assert turned["ci_low"] == pytest.approx(-plain["ci_high"])
        assert turned["p_value"] == pytest.approx(plain["p_value"])
        assert large["estimate"] == pytest.approx(60 * plain["estimate"])
        assert large["p_value"] == pytest.approx(plain["p_value"])
        assert large["relative_ci_low"] == pytest.approx(
            plain["relative_ci_low"]
        )


# ---- Families and the headline


def test_every_test_has_one_headline(found):
    tests = found.groupby(["metric_name", "treatment_variant"])["is_headline"]
    assert (tests.sum() == 1).all()
    heads = found[found["is_headline"]].set_index("metric_name")
    assert heads["method"].groupby(level=0).first().to_dict() == {
        "mean": "welch_t",
        "proportion": "two_proportion_z",
        "quantile": "quantile_outer",
        "ratio": "ratio_delta",
    }
    assert not found.duplicated(list(KEYS)).any()


def test_many_tests_are_judged_by_family_and_not_by_row(found):
    heads = found[found["is_headline"]]
    for role, method in (("primary", "holm"), ("secondary", "fdr_bh")):
        own = heads[heads["role"] == role]
        other = multipletests(own["p_value"], method=method)[1]
        np.testing.assert_allclose(own["adjusted_p_value"], other, rtol=1e-9)
        assert set(own["family_id"]) == {f"push:{role}"}
        assert set(own["family_size"]) == {len(own)}
    outside = found[~found["is_headline"] | (found["role"] == "guardrail")]
    assert outside["adjusted_p_value"].isna().all()
    assert outside["family_id"].isna().all()


def test_another_experiment_is_another_family(rows):
    alone = results(statistics(rows["mean"]))
    both = results(
        statistics(rows["mean"]), statistics(rows["mean"], experiment="b")
    )
    for table in (alone, both):
        head = table[table["is_headline"] & (table["treatment_variant"] == "B")]
        assert head["family_size"].iloc[0] == 2
    assert (
        both.loc[both["is_headline"], "adjusted_p_value"].max()
        == alone.loc[alone["is_headline"], "adjusted_p_value"].max()
    )


# ---- What cannot be compared

SOUND, OTHER = arm("A", 9, 5, 4), arm("B", 9, 5, 4)


@pytest.mark.parametrize(
    ("arms", "reason"),
    [
        ([SOUND, arm("B", 0, np.nan, np.nan)], "empty_arm"),
        ([SOUND, arm("B", 1, 5, np.nan)], "too_few_units"),
        ([arm("A", 9, 5, 0), arm("B", 9, 5, 0)], "zero_variance"),
        ([OTHER], "no_single_control"),
        ([SOUND, OTHER, SOUND | {"variant": "A2"}], "no_single_control"),
    ],
)
def test_what_cannot_be_compared_says_why(arms, reason):
    table = compared(*arms)
    for adjustment in ("none", "cuped"):
        row = pick(table, method="welch_t", adjustment=adjustment)
        assert row["reason_code"] == reason
        assert np.isnan(row["estimate"])
        assert np.isnan(row["p_value"])
    assert pick(table, method="bayes_normal")["reason_code"] == reason


@pytest.mark.parametrize(
    ("means", "reasons"),
    [
        ((0.2, 0.2005), ("not_a_proportion", "")),
        ((0.0, 0.0), ("zero_variance", "zero_variance")),
        ((1.0, 1.0), ("zero_variance", "zero_variance")),
    ],
)
def test_what_is_no_proportion_says_so(means, reasons):
    table = compared(
        *(
            arm(v, 1_000, m, m * (1 - m) * 1000 / 999, kind="proportion")
            for v, m in zip("AB", means, strict=True)
        )
    )
    for method, reason in zip(
        ("two_proportion_z", "welch_t"), reasons, strict=True
    ):
        assert pick(table, method=method)["reason_code"] == reason


@pytest.mark.parametrize(
    ("baseline", "reason"),
    [(0.0, "relative_zero_baseline"), (0.5, "relative_unbounded")],
)
def test_a_baseline_of_zero_leaves_the_absolute_effect(baseline, reason):
    table = compared(
        arm("A", 1_000, baseline, 400.0), arm("B", 1_000, 5.0, 400.0)
    )
    row = pick(table, method="welch_t")
    assert row["reason_code"] == reason
    assert row["ci_low"] > 0
    assert np.isnan(row["relative_ci_low"])


def test_a_negative_baseline_keeps_the_direction():
    table = compared(arm("A", 900, -20.0, 16.0), arm("B", 900, -15.0, 16.0))
    row = pick(table, method="welch_t")
    assert row["estimate"] > 0
    assert row["relative_estimate"] == pytest.approx(0.25)
    assert pick(table, method="bayes_normal")["probability_better"] > 0.99


def test_one_arm_without_variance_is_compared_all_the_same():
    table = compared(arm("A", 50, 0.0, 0.0), arm("B", 50, 1.0, 2.0))
    assert pick(table, method="welch_t")["p_value"] < 0.001


def test_a_treatment_without_rows_is_an_empty_arm_and_stays():
    """Users without a row of the metric are no reason to vanish."""
    table = compared(SOUND, OTHER, arm("C", 9, 5, 4, metric_name="other"))
    table = table[table["metric_name"] == "sessions"]
    row = pick(table, method="welch_t", treatment_variant="C")
    assert (row["treatment_units"], row["reason_code"]) == (0, "empty_arm")


def test_without_history_nothing_passes_as_adjusted(rows):
    new = rows["mean"].assign(covariate=0.0, history=0.0)
    unknown = statistics(rows["mean"])
    names = [name for name in unknown if "covariate" in name]
    unknown[[*names, "history_rate"]] = np.nan
    for table, reason in (
        (statistics(new), "constant_covariate"),
        (unknown, "missing_covariate"),
    ):
        row = pick(results(table), method="welch_t", adjustment="cuped")
        assert row["reason_code"] == reason
        assert np.isnan(row["estimate"])
        assert np.isnan(row["variance_ratio"])


def test_everybody_having_a_history_takes_no_adjustment_away(rows):
    table = statistics(rows["mean"].assign(history=1.0))
    row = pick(results(table), method="welch_t", adjustment="cuped")
    assert row["reason_code"] == ""
    assert 0 < row["variance_ratio"] < 1


def test_a_broken_experiment_shows_its_arms_and_no_comparison(rows):
    table = results(
        statistics(rows["mean"]),
        statistics(rows["mean"], experiment="sound"),
        blocked={"push": "sample_ratio_mismatch"},
    )
    broken = table[table["experiment_id"] == "push"]
    assert set(broken["reason_code"]) == {"sample_ratio_mismatch"}
    assert (
        broken[["estimate", "p_value", "adjusted_p_value"]].isna().all().all()
    )
    assert (broken["control_units"] > 0).all()
    assert set(broken.loc[broken["is_headline"], "family_size"]) == {0}
    sound = table[(table["experiment_id"] == "sound") & table["is_headline"]]
    assert sound["p_value"].notna().all()


def test_other_policies_are_shown_and_never_speak(rows):
    table = statistics(rows["mean"])
    whole = table[table["dimension"] == "all"]
    found = results(
        table,
        whole.assign(policy="exclude_mixed"),
        whole.assign(policy="drop_mismatch"),
    )
    other = pick(found, policy="exclude_mixed", method="welch_t")
    assert not other["is_headline"]
    assert other["causal_grade"] == "B"
    assert found["is_headline"].sum() == 2


def test_no_experiment_is_an_empty_table(rows):
    table = results(statistics(rows["mean"])[:0])
    assert table.empty
    assert "adjusted_p_value" in table


def test_row_order_changes_nothing(rows):
    table = statistics(rows["mean"], cap=0.99)
    shuffled = table.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(results(table), results(shuffled))
