"""Health, segments, series and plans of experiments, from unit rows."""

import datetime

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from trials import (
    FIRST_DAY,
    arms,
    day_statistics,
    days_of,
    looks,
    quantile_rows,
    statistics,
    trial,
)

from experiments.assignments import assignments
from experiments.health import health_rows
from experiments.pairs import paired
from experiments.plans import inflation
from experiments.readout import experiments
from experiments.results import result_frame
from experiments.segments import segment_frame
from experiments.series import UNPLANNED_USERS, series_frame
from experiments.tables import experiment_tables
from stats.designs.boundaries import sequential_inflation, spending_boundaries
from stats.designs.monitoring import sequence_quantile
from stats.designs.power import Plan, mean_units, proportion_units

DIMENSIONS = pd.DataFrame(
    {
        "dimension": ["country x platform"],
        "dimension_number": [3],
        "is_pair": [True],
        "is_settled": [True],
    }
)
EMPTY = trial(users=0, shares={"A": 1})
NO_DAYS = day_statistics(np.zeros((0, 1)), np.array([], str))


def marts(rows, *, kind="mean", plan=None, by_day=None, **attributes):
    variants = rows["variant"].to_numpy()
    days = NO_DAYS if by_day is None else day_statistics(by_day, variants)
    return {
        "dim_dimensions": DIMENSIONS,
        "fct_experiment_arms": arms(rows, **(plan or {})),
        "fct_experiment_statistics": statistics(rows, kind=kind, **attributes),
        "fct_experiment_quantiles": quantile_rows(EMPTY),
        "fct_experiment_day_statistics": days,
        "fct_experiment_looks": looks(rows, kind),
    }


def tables(rows, **options):
    found = experiment_tables(marts(rows, **options))
    return {name: pd.DataFrame(each) for name, each in found.items()}


def welch(rows):
    """The p-value of Welch's test on rows of users (scipy)."""
    arms = (rows.loc[rows["variant"] == name, "value"] for name in "BA")
    return stats.ttest_ind(*arms, equal_var=False).pvalue


@pytest.fixture(scope="module")
def rows():
    return trial(11, users=1_500, effect=1.0)


@pytest.fixture(scope="module")
def by_day(rows):
    noise = np.random.default_rng(5).normal(size=(len(rows), 8))
    fading = np.linspace(1.0, 0.0, 8)
    return noise + (rows["variant"] == "B").to_numpy()[:, None] * fading


@pytest.fixture(scope="module")
def found(rows, by_day):
    plan = {"planned_users": 1_500, "look_days": 4}
    return tables(rows, plan=plan, by_day=by_day)


# ---- Health


def assigned(*changes):
    """Two arms of 1,000 users each; changes go to one after the other."""
    base = {
        "experiment_id": "push",
        "experiment_name": "Push",
        "dimension": "all",
        "dimension_value": "all",
        "planned_users": np.nan,
        "look_days": np.nan,
        "expected_share": 0.5,
        "assigned_users": 1_000,
        "mixed_users": 0,
        "switched_users": 0,
        "reached_users": 0,
    }
    return pd.DataFrame(
        [
            base | {"variant": v, "is_control": v == "A"} | change
            for v, change in zip("ABABAB", changes, strict=False)
        ]
    )


def health(frame):
    rows = trial(users=200)
    table = statistics(rows)
    pairs = paired(table)
    judged = assignments(frame)
    blocked = {k: v.broken[0] for k, v in judged.items() if v.broken}
    results = result_frame(pairs, quantile_rows(EMPTY), blocked)
    series = series_frame(
        looks(rows),
        NO_DAYS,
        metrics=pd.DataFrame(
            [("push", "sessions", "primary", 1)],
            columns=["experiment_id", "metric_name", "role", "primary_tests"],
        ),
        assigned=judged,
        blocked=blocked,
    )
    [row] = health_rows(judged, table, results, series)
    return row


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (({}, {}), None),
        (({}, {"assigned_users": 1_300}), "sample_ratio_mismatch"),
        (({"mixed_users": 100}, {"mixed_users": 99}), None),
        (({"mixed_users": 100}, {"mixed_users": 100}), "mixed_users"),
        (({"assigned_users": 0}, {"assigned_users": 0}), "no_units"),
        (({"expected_share": 1.0},), "one_variant"),
    ],
)
def test_what_breaks_an_assignment_is_named(changes, reason):
    row = health(assigned(*changes))
    assert row["reason_code"] == reason
    assert (row["decision"] == "broken") == (reason is not None)


def test_a_mismatch_in_one_group_breaks_the_whole():
    groups = [
        {"dimension": "platform", "dimension_value": name, "assigned_users": n}
        for name, n in (("ios", 650), ("ios", 350), ("web", 350), ("web", 650))
    ]
    row = health(assigned({}, {}, *groups))
    assert row["p_value"] == 1
    assert row["reason_code"] == "sample_ratio_mismatch_in_group"
    assert (row["srm_dimension"], row["srm_dimension_value"]) in {
        ("platform", "ios"),
        ("platform", "web"),
    }
    other = stats.chisquare([650, 350]).pvalue
    assert row["srm_dimension_p_value"] == pytest.approx(2 * other)


def test_the_first_day_of_a_mismatch_is_named():
    days = [
        {"dimension": "assigned_date", "dimension_value": f"2026-01-0{day}"}
        | {"assigned_users": users}
        for day, users in ((5, 500), (5, 500), (6, 500), (6, 800))
    ]
    row = health(assigned({}, {"assigned_users": 1_300}, *days))
    assert row["srm_first_alarm_date"] == datetime.date(2026, 1, 6)


@pytest.mark.parametrize(("mixed", "is_warning"), [(19, False), (20, True)])
def test_users_in_two_arms_are_warned_of_from_one_percent_on(mixed, is_warning):
    row = health(assigned({"mixed_users": mixed}, {}))
    assert row["is_mixed_warning"] is is_warning
    assert row["mixed_rate"] == mixed / 2_000


def test_reached_users_are_told_by_arm():
    row = health(assigned({}, {"reached_users": 880}))
    assert row["reached_rate"] == 0.88
    assert row["reached_rates"] == "A 0, B 0.88"
    assert health(assigned({}, {}))["reached_rate"] is None


def test_open_windows_keep_an_experiment_running(rows):
    plan = {"planned_users": len(rows)}
    mature = marts(rows, plan=plan)
    table = mature["fct_experiment_statistics"]
    late = table.assign(unit_count=table["unit_count"] - 1, immature_count=1)
    rows_of = [
        experiment_tables(mature | {"fct_experiment_statistics": each})[
            "experiment_health"
        ][0]
        for each in (table, late)
    ]
    assert [row["immature_rate"] for row in rows_of] == [0, 2 / len(rows)]
    assert rows_of[0]["decision"] == "ship"
    # A planned size without looks is read once, when it is reached.
    assert rows_of[1]["decision"] == "keep_running"
    quiet = late.assign(value_mean=5.0)
    still = mature["fct_experiment_looks"].assign(value_mean=5.0)
    [row] = experiment_tables(
        mature
        | {"fct_experiment_statistics": quiet, "fct_experiment_looks": still}
    )["experiment_health"]
    assert row["decision"] == "keep_running"
    assert "1,498 of 1,500 planned users" in row["decision_reasons"]


def test_a_difference_before_the_experiment_is_found(rows):
    skewed = rows.assign(
        covariate=rows["covariate"] + 2.0 * (rows["variant"] == "B")
    )
    for each, is_found in ((rows, False), (skewed, True)):
        row = tables(each)["experiment_health"].iloc[0]
        assert (row["pre_period_p_value"] < 1e-6) == is_found
        assert row["pre_period_metric_name"] == "sessions"


def test_wrong_shares_name_the_experiment_and_the_file():
    frame = assigned({"expected_share": 0.6}, {})
    with pytest.raises(ValueError, match=r"push: .*experiments\.csv"):
        assignments(frame)


# ---- Segments


def test_segments_and_their_difference_agree_with_regression(rows, found):
    cells = found["experiment_segments"]
    own = cells[
        (cells["dimension"] == "platform") & (cells["adjustment"] == "none")
    ]
    for _, row in own.iterrows():
        inside = rows[rows["platform"] == row["dimension_value"]]
        assert row["p_value"] == pytest.approx(welch(inside), rel=1e-9)
        assert row["family_size"] == 3
    data = rows.assign(treated=(rows["variant"] == "B") * 1.0)
    fit = smf.ols("value ~ treated * C(platform)", data).fit(cov_type="HC2")
    wald = fit.wald_test(
        [
            f"treated:C(platform)[T.{name}] = 0"
            for name in sorted(rows["platform"].unique())[1:]
        ],
        scalar=True,
        use_f=False,
    )
    assert own["q_statistic"].iloc[0] == pytest.approx(
        float(wald.statistic), rel=1e-9
    )
    assert own["q_p_value"].iloc[0] == pytest.approx(
        float(wald.pvalue), rel=1e-9
    )


def test_every_segment_is_shown_raw_and_adjusted(found):
    cells = found["experiment_segments"]
    keys = ["dimension", "dimension_value"]
    raw, adjusted = (
        cells[cells["adjustment"] == name].set_index(keys)
        for name in ("none", "cuped")
    )
    assert set(raw.index) == set(adjusted.index)
    assert len(raw) == 2 + 3 + 6
    ratio = (adjusted["standard_error"] / raw["standard_error"]) ** 2
    np.testing.assert_allclose(adjusted["variance_ratio"], ratio)
    assert (ratio < 1).all()


def test_dimensions_are_a_family_of_their_own(found):
    cells = found["experiment_segments"]
    own = cells[cells["adjustment"] == "none"].drop_duplicates("dimension")
    other = stats.false_discovery_control(own["q_p_value"])
    np.testing.assert_allclose(own["q_adjusted_p_value"], other, rtol=1e-9)


def test_small_segments_carry_a_reason_and_take_no_part():
    small = trial(12, users=400)
    small.loc[small.index[:30], "country"] = "LI"
    cells = segment_frame(paired(statistics(small)), {})
    own = cells[cells["dimension_value"] == "LI"]
    assert set(own["reason_code"]) == {"too_few_units"}
    assert own["estimate"].isna().all()
    assert (own["control_units"] > 0).all()
    assert set(own["family_size"]) == {2}
    assert set(own["q_degrees_of_freedom"]) == {1}


def test_a_segment_in_one_arm_only_says_so():
    lone = trial(12, users=400)
    lone.loc[lone["variant"] == "B", "country"] = "DE"
    cells = segment_frame(paired(statistics(lone)), {})
    own = cells[cells["dimension_value"] == "FR"]
    assert set(own["reason_code"]) == {"empty_arm"}


# ---- Series


def test_by_date_is_what_was_known_at_the_end_of_each_date(rows, found):
    series = found["experiment_time_series"]
    own = series[series["series"] == "cumulative_by_date"]
    for day in (5, 9):
        date = FIRST_DAY + days_of(day)
        row = own[own["look_date"] == date].iloc[0]
        seen = rows[rows["day"] + 2 <= day]
        assert row["p_value"] == pytest.approx(welch(seen), rel=1e-9)
        assert row["information_fraction"] == len(seen) / 1_500


def test_planned_looks_are_group_sequential_until_the_plan_is_full(found):
    series = found["experiment_time_series"]
    own = series[series["series"] == "cumulative_by_date"]
    assert set(own["method"]) == {"group_sequential"}
    is_look = own["sequential_quantile"].notna()
    # Every fourth date, and the one on which the last user is measured.
    dates = own["look_date"].tolist()
    looked = own.loc[is_look, "look_date"].tolist()
    assert looked == [dates[place] for place in (3, 7, 9)]
    other = spending_boundaries(own.loc[is_look, "information_fraction"])
    np.testing.assert_allclose(
        own.loc[is_look, "sequential_quantile"], other.quantile
    )
    np.testing.assert_allclose(
        own.loc[is_look, "spent_alpha"], other.spent_alpha
    )
    assert own["spent_alpha"].max() == pytest.approx(0.05)
    z = own["estimate"] / own["standard_error"]
    assert (own["is_crossed"] == (z > own["sequential_quantile"])).all()
    first = own.loc[own["is_crossed"], "look_date"].min()
    crossed = own["look_date"] >= first
    assert (own.loc[crossed, "first_crossing_date"] == first).all()
    assert own.loc[~crossed, "first_crossing_date"].isna().all()


@pytest.mark.parametrize(
    ("plan", "planned"), [({}, UNPLANNED_USERS), ({"planned_users": 900}, 900)]
)
def test_without_planned_looks_every_date_is_one_of_a_sequence(
    rows, plan, planned
):
    series = tables(rows, plan=plan)["experiment_time_series"]
    assert set(series["method"]) == {"confidence_sequence"}
    assert set(series["planned_units"]) == {planned}
    units = series["control_units"] + series["treatment_units"]
    np.testing.assert_allclose(
        series["sequential_quantile"], sequence_quantile(units, planned)
    )
    assert (series["sequential_ci_low"] < series["ci_low"]).all()


def test_looks_at_a_mean_are_none_at_a_quantile(rows):
    own = marts(rows, kind="quantile")
    own["fct_experiment_quantiles"] = quantile_rows(rows)
    own["fct_experiment_arms"] = arms(rows, planned_users=1_500, look_days=4)
    found = experiment_tables(own)
    assert found["experiment_time_series"] == []
    # So the quantile is judged once, at the planned size.
    assert found["experiment_health"][0]["decision"] == "ship"


def test_primary_tests_share_the_level_of_the_looks(rows):
    both = marts(rows)
    for name in ("fct_experiment_statistics", "fct_experiment_looks"):
        other = both[name].assign(metric_name="other")
        both[name] = pd.concat([both[name], other])
    series = pd.DataFrame(experiment_tables(both)["experiment_time_series"])
    assert set(series["sequential_alpha"]) == {0.025}


def test_an_effect_that_wears_off_has_a_trend(rows, by_day, found):
    series = found["experiment_time_series"]
    own = series[series["series"] == "by_day_since_assignment"]
    means = [by_day[(rows["variant"] == v).to_numpy()] for v in "AB"]
    np.testing.assert_allclose(
        own["estimate"], means[1].mean(0) - means[0].mean(0)
    )
    total = [part.sum(axis=1) for part in means]
    assert own["cumulative_standard_error"].iloc[-1] == pytest.approx(
        np.sqrt(sum(part.var(ddof=1) / len(part) for part in total))
    )
    tests = series[series["series"] == "novelty"].set_index("method")
    assert set(tests.index) == {"trend", "contrast"}
    assert tests.loc["trend", "estimate"] == pytest.approx(-1 / 7, abs=0.05)
    assert (tests["p_value"] < 1e-6).all()
    assert (tests["estimate"] < 0).all()


def test_a_broken_experiment_has_no_series_and_no_segments(rows):
    plan = {"mixed_users": 400}
    broken = tables(rows, plan=plan)
    for name in ("experiment_time_series", "experiment_segments"):
        assert set(broken[name]["reason_code"]) == {"mixed_users"}
        assert broken[name]["estimate"].isna().all()
        assert broken[name]["p_value"].isna().all()
    assert not broken["experiment_time_series"]["is_crossed"].any()


# ---- Plans


def test_plans_are_those_of_the_control_arm(rows, found):
    raw, adjusted = (
        found["experiment_power"].set_index("design").loc[name]
        for name in ("raw", "cuped")
    )
    control = rows.loc[rows["variant"] == "A", "value"]
    assert raw["baseline_mean"] == pytest.approx(control.mean())
    assert raw["baseline_deviation"] == pytest.approx(control.std())
    rate = len(rows) / 10
    assert raw["arrivals_per_day"] == rate
    looks_ = int(np.ceil(1_500 / rate / 4))
    assert raw["look_count"] == looks_
    plan = Plan(inflation=inflation(looks_, 0.05))
    size = mean_units(0.05 * control.mean(), control.var(), plan)
    assert raw["required_users_5_percent"] == pytest.approx(
        2 * size.control, abs=1
    )
    assert raw["required_days_5_percent"] == np.ceil(
        raw["required_users_5_percent"] / rate
    )
    assert adjusted["required_users_5_percent"] == pytest.approx(
        raw["required_users_5_percent"] * adjusted["variance_ratio"], rel=0.01
    )
    # Nothing of the treatment enters.
    louder = rows.assign(value=rows["value"] + 9 * (rows["variant"] == "B"))
    again = tables(louder, plan={"planned_users": 1_500, "look_days": 4})
    column = "detectable_relative_effect"
    other = again["experiment_power"].set_index("design").loc["raw"]
    assert other[column] == pytest.approx(raw[column])


def test_plans_of_proportions_take_the_variance_of_both_rates():
    rows = trial(13, users=1_000, kind="proportion")
    for direction, sign in (("increase", 1), ("decrease", -1)):
        power = tables(rows, kind="proportion", direction=direction)[
            "experiment_power"
        ].set_index("design")
        rate = rows.loc[rows["variant"] == "A", "value"].mean()
        size = proportion_units(rate, rate * (1 + sign * 0.1))
        assert power.loc["raw", "required_users_10_percent"] == pytest.approx(
            2 * size.control, abs=1
        )


def test_plans_of_uneven_arms_count_the_users_of_all_variants():
    shares = {"A": 0.9, "B": 0.1}
    rows = trial(14, users=1_000, shares=shares)
    power = tables(rows, plan={"shares": shares})["experiment_power"]
    raw = power.set_index("design").loc["raw"]
    control = rows.loc[rows["variant"] == "A", "value"]
    size = mean_units(0.05 * control.mean(), control.var(), Plan(ratio=1 / 9))
    assert raw["required_users_5_percent"] == pytest.approx(
        10 / 9 * size.control, abs=1
    )


def test_one_day_of_assignment_gives_users_and_no_days(rows):
    power = tables(rows.assign(day=3))["experiment_power"]
    assert set(power["reason_code"]) == {"one_assignment_day"}
    assert power["required_days_1_percent"].isna().all()
    assert power["required_users_1_percent"].notna().all()


def test_looks_cost_what_the_boundaries_say():
    assert inflation(4, 0.025) == pytest.approx(
        sequential_inflation([0.25, 0.5, 0.75, 1.0], alpha=0.025)
    )


# ---- All together


def test_the_readout_says_what_was_decided_and_why(rows, by_day):
    plan = {"planned_users": 1_500, "look_days": 4}
    text = experiments(experiment_tables(marts(rows, plan=plan, by_day=by_day)))
    assert "Push: SHIP (sessions is better)" in text
    assert "cuped" in text
    assert "looks sessions B: group-sequential boundary crossed on" in text
    assert "novelty sessions B: trend" in text
    assert "power sessions B: raw finds" in text
    assert "nan" not in text
    assert "None" not in text


def test_the_readout_of_a_guardrail_and_a_broken_experiment(rows):
    guard = marts(rows, role="guardrail", margin=0.02)
    text = experiments(experiment_tables(guard))
    assert "KEEP RUNNING (no_primary_metric)" in text
    assert "guardrail sessions B: harm beyond 2.00 % ruled out" in text
    broken = marts(rows, plan={"mixed_users": 400})
    text = experiments(experiment_tables(broken))
    assert "BROKEN (mixed_users)" in text
    assert "(WARNING)" in text
    assert "looks" not in text


def test_segments_are_told_only_where_their_difference_is_shown(rows):
    quiet = experiments(experiment_tables(marts(rows)))
    assert "differs by" not in quiet
    treated = (rows["variant"] == "B") & (rows["platform"] == "ios")
    apart = rows.assign(value=rows["value"] + 4 * treated)
    text = experiments(experiment_tables(marts(apart)))
    assert "sessions B differs by platform, p " in text
    assert ": ios " in text


def test_frames_in_another_order_give_the_same_rows(rows, by_day):
    own = marts(rows, by_day=by_day)
    shuffled = {
        name: frame.sample(frac=1, random_state=2)
        for name, frame in own.items()
    }
    once, again = experiment_tables(own), experiment_tables(shuffled)
    assert repr(once) == repr(again)
