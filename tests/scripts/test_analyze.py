"""The post-step end to end, on a small warehouse with known answers."""

import shutil
import subprocess
import sys
from math import isnan
from pathlib import Path

import duckdb
import pytest
import stand_ins
from cases import listed

import analyze
from analyze import main, parsed, read_manifest, run, summary
from estimates.files import read_estimates
from stats.designs.power import proportion_units
from warehouse import WarehouseError, result_tables, stand_in

PROJECT = Path(__file__).parents[2]
RESULTS = tuple(result_tables())

# The marts of the contract, with rows whose answers are the claims.
MARTS = """
insert into marts.fct_retention_by_genres (
    dimension, dimension_value, genres_explored, day_number, cohort_size,
    eligible_users, retained_users, rate, ci_low, ci_high, is_mature
) values
    ('all', 'all', '1', 7, 12500, 12500, 800, 0.064, 0.06, 0.068, true),
    ('all', 'all', '2', 7, 17500, 17500, 1418, 1418 / 17500, 0.08, 0.09, true),
    ('all', 'all', '3', 7, 11000, 11000, 1133, 0.103, 0.097, 0.109, true),
    ('all', 'all', '4+', 7, 9000, 9000, 1116, 0.124, 0.117, 0.131, true),
    ('platform', 'ios', '1', 7, 5000, 5000, 900, 0.18, 0.17, 0.19, true);
insert into marts.fct_genre_strata (
    day_number, stratum_id, valid_play_band, platform, is_explorer,
    eligible_users, retained_users
) values
    (7, '1:ios', '1', 'ios', false, 11000, 671),
    (7, '4:ios', '4', 'ios', false, 20000, 1700),
    (7, '4:ios', '4', 'ios', true, 4000, 420),
    (7, '9:ios', '9', 'ios', false, 10000, 980),
    (7, '9:ios', '9', 'ios', true, 4996, 696),
    (7, '40:ios', '40', 'ios', true, 4, 0);
insert into marts.fct_genre_cells (
    exploration_name, day_number, valid_play_band, active_day_count,
    session_band, watched_band_seconds, platform_group, country_group,
    channel_group, cohort_span_number, is_weekend_start, fold_number,
    is_explorer, genre_level, eligible_users, retained_users
)
select
    exploration_name, 7, 4 + band, 1 + band % 2, 1, 0, 'ios', 'DE',
    channel_group, 1, false, fold_number, genre_level = 4, genre_level,
    -- The fifth band has nobody who explores one genre only.
    case when band = 4 and genre_level = 1 then 0 else 200 end,
    case when band = 4 and genre_level = 1 then 0
    else 14 + 2 * band + (genre_level = 4)::integer end
from
    (values ('genres'), ('shuffled_genres'), ('overlapping_genres'))
        as exposures (exploration_name),
    (values ('organic'), ('paid')) as channels (channel_group),
    range(5) as bands (band), range(5) as folds (fold_number),
    range(1, 5) as levels (genre_level);
insert into marts.fct_genre_doses (
    day_number, valid_play_band, active_day_count, effective_tenths,
    eligible_users, retained_users
) values
    (7, 4, 1, 10, 1000, 80), (7, 4, 1, 20, 1000, 90),
    (7, 5, 1, 20, 1000, 100), (7, 5, 1, 40, 1000, 120),
    (7, 6, 1, 30, 50, 9);
insert into marts.fct_experiment_arms (
    experiment_id, experiment_name, variant, is_control, expected_share,
    dimension, dimension_value, planned_users, look_days, assigned_users,
    mixed_users, switched_users, reached_users
) values
    ('push_reminders', 'Push reminders', 'A', true, 0.5, 'all', 'all', 4000,
     null, 2020, 10, 10, 0),
    ('push_reminders', 'Push reminders', 'B', false, 0.5, 'all', 'all', 4000,
     null, 1980, 10, 10, 1742),
    ('onboarding_personalisation', 'Onboarding personalisation', 'A', true,
     0.5, 'all', 'all', null, null, 25000, 0, 0, 0),
    ('onboarding_personalisation', 'Onboarding personalisation', 'B', false,
     0.5, 'all', 'all', null, null, 25000, 0, 0, 0);
insert into marts.fct_experiment_statistics (
    experiment_id, metric_name, kind, role, direction, variant, is_control,
    unit_count, immature_count, value_mean, value_variance
) values
    ('push_reminders', 'sessions_per_user', 'mean', 'primary', 'increase',
     'A', true, 2020, 0, 49.9, 400.0),
    ('push_reminders', 'sessions_per_user', 'mean', 'primary', 'increase',
     'B', false, 1980, 0, 59.8, 420.0),
    ('onboarding_personalisation', 'd1_retention', 'proportion', 'primary',
     'increase', 'A', true, 25000, 0, 0.23, 0.177107),
    ('onboarding_personalisation', 'd1_retention', 'proportion', 'primary',
     'increase', 'B', false, 25000, 0, 0.25, 0.187507);
update marts.fct_experiment_statistics set
    outcome_version = 'raw', policy = 'first_assignment', dimension = 'all',
    dimension_value = 'all', covariate_mean = 0, covariate_variance = 0,
    history_rate = 0, reached_rate = 0, value_covariate_covariance = 0,
    value_history_covariance = 0, covariate_history_covariance = 0,
    value_reached_covariance = 0;
insert into marts.fct_experiment_looks by name
    select
        experiment_id, metric_name, variant, is_control, kind,
        cast('2026-03-01' as date) as look_date, unit_count, value_mean,
        value_variance, denominator_mean, denominator_variance,
        value_denominator_covariance
    from marts.fct_experiment_statistics;
insert into marts.fct_scenario_baselines (
    baseline_name, value, standard_error, unit, user_count, base_description
) values
    ('low_explorers', 41000, null, 'users', 41000, 'under four genres'),
    ('d7_rate_low_explorers', 0.0817317, 0.00135, 'rate', 41000, 'same'),
    ('d1_rate', 0.24, 0.0019, 'rate', 50000, 'same'),
    ('d7_rate', 0.09, 0.00128, 'rate', 50000, 'same'),
    ('d30_rate', 0.048, 0.00096, 'rate', 50000, 'same');
insert into marts.fct_observation by name
    select date '2026-03-05' as watermark_date;
insert into marts.fct_survival by name
    select 'all' as dimension, 'all' as dimension_value, i as day_number,
        floor(50000 * 0.95 ** greatest(i - 1, 0)) as at_risk_users,
        case when i = 0 then 0
            else floor(0.05 * floor(50000 * 0.95 ** (i - 1))) end
            as churned_users
    from range(40) as days (i);
"""
THIRDS = ("light", "middle", "busy")
VERSIONED = "select * replace (coalesce(version, 'all') as version)"
REFERENCES = {
    "dim_scenarios": ("scenarios.csv", "select *"),
    "dim_scenario_estimates": ("scenario_estimates.csv", VERSIONED),
    "dim_scenario_terms": (
        "scenario_assumptions.csv",
        VERSIONED.replace("*", "* exclude (dated_on)", 1)
        + ", dated_on as stated_date",
    ),
    "dim_headline_claims": ("headline_claims.csv", "select *"),
    "dim_lifetimes": (
        "lifetimes.csv",
        "select lifetime_name, 'all' as dimension, 'all' as dimension_value,"
        " from_day, horizon_days, tail_days, yearly_discount",
    ),
}
ESTIMATES = PROJECT / "seeds" / "estimates"
READ = analyze.marts_of(read_estimates(PROJECT / "seeds").values())


@pytest.fixture
def seeds(tmp_path):
    folder = tmp_path / "seeds"
    folder.mkdir()
    (folder / "manifest.json").write_text(
        '{"log_name": "demo", "source": "simulated", "seed": 7}'
    )
    shutil.copytree(ESTIMATES, folder / "estimates")
    return folder


def written(path):
    with duckdb.connect(str(path)) as connection:
        stand_ins.create(connection, *READ)
        connection.execute(MARTS)
        for mart, (file, words) in REFERENCES.items():
            connection.execute(
                f"insert into marts.{mart} by name {words}"
                f" from read_csv('{PROJECT / 'seeds' / file}')"
            )
    return path


@pytest.fixture
def warehouse(tmp_path):
    return written(tmp_path / "warehouse.duckdb")


@pytest.fixture
def options(warehouse, seeds):
    arguments = ["--warehouse", warehouse, "--seeds", seeds, "--draws", 20_000]
    return parsed([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What one run finds, for those who only look."""
    folder = tmp_path_factory.mktemp("found")
    path = written(folder / "warehouse.duckdb")
    shutil.copytree(ESTIMATES, folder / "estimates")
    arguments = ["--warehouse", path, "--seeds", folder, "--draws", 20_000]
    return run(parsed([str(argument) for argument in arguments]))


def change(warehouse, statement):
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(statement)


def stored(warehouse):
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return {
            table: connection.execute(f"from results.{table}").df().to_csv()
            for table in RESULTS
        }


WHOLE = ("scenario_name", "version", "outcome", "effect_share")


def by(rows, *names):
    return {tuple(row[name] for name in names): row for row in rows}


def test_finds_every_claim(found):
    rows = by(found["headlines"], "headline_name")
    assert len(rows) == 16
    for row in rows.values():
        assert row["reason_code"] is None
        assert row["ci_low"] < row["found"] < row["ci_high"]
        if row["expected"] is not None:
            assert abs(row["z_score"]) < 0.6
            assert row["is_within_error"] is True
        else:
            assert row["z_score"] is None
            assert row["is_within_error"] is None
    assert rows["d7_rate_1_genre",]["found"] == 0.064
    assert rows["d7_rate_under_4_genres",]["found"] == 3351 / 41000
    assert rows["d7_gap",]["found"] == pytest.approx(0.124 - 3351 / 41000)
    assert rows["d1_above_d7",]["found"] == pytest.approx(0.15)
    assert rows["push_sessions_a",]["standard_error"] == pytest.approx(
        (400 / 2020) ** 0.5
    )
    assert rows["scenario_push_sessions",]["found"] == pytest.approx(99e6)
    assert rows["scenario_engineer_roi",]["found"] == pytest.approx(3.2)


def test_a_wrong_claim_is_off(options, warehouse):
    change(
        warehouse,
        "update marts.dim_headline_claims set expected = 0.094"
        " where headline_name = 'd7_rate_1_genre'",
    )
    rows = by(run(options)["headlines"], "headline_name")
    assert rows["d7_rate_1_genre",]["z_score"] < -10
    assert rows["d7_rate_1_genre",]["is_within_error"] is False


def test_scenarios_carry_base_grade_and_chances(found):
    rows = {
        key[:3]: row
        for key, row in by(found["scenario_results"], *WHOLE).items()
        if key[3] == 1
    }
    naive = rows["explorers", "naive", "d7_rate_change"]
    causal = rows["explorers", "causal", "d7_rate_change"]
    effects = by(found["genre_effects"], "estimand")
    assert naive["causal_grade"] == "D"
    assert causal["causal_grade"] == "C"
    assert causal["point_estimate"] == pytest.approx(
        effects["aipw_atu",]["estimate"] / 2
    )
    assert causal["point_estimate"] < naive["point_estimate"]
    assert naive["base_value"] == 0.0817317
    assert "41,000 new users under four genres" in naive["base_description"]
    users = rows["explorers", "naive", "extra_d7_users"]
    assert users["point_estimate"] == pytest.approx(
        41000 * naive["point_estimate"]
    )
    fewer = rows["explorers", "naive", "d7_rate_change_smaller_share"]
    assert fewer["point_estimate"] == pytest.approx(
        0.6 * naive["point_estimate"]
    )
    push = rows["push_rollout", "randomised", "extra_sessions_per_week"]
    assert push["causal_grade"] == "E"
    assert push["base_value"] == pytest.approx(499e6)
    assert push["ci95_low"] < 99e6 < push["ci95_high"]
    roi = rows["engineer_roi", "randomised", "roi"]
    net = rows["engineer_roi", "randomised", "net_value_eur"]
    # A return above one euro per euro and a net value above zero are one.
    assert roi["probability_target"] == net["probability_target"]
    assert net["probability_target"] == net["probability_positive"]
    assert naive["probability_target"] is None


def test_a_roll_out_starts_slowly_and_wears_off(found):
    rows = by(found["scenario_results"], *WHOLE)
    terms = by(found["scenario_terms"], "scenario_name", "version", "term")
    key = ("push_rollout", "randomised")
    week = rows[*key, "extra_sessions_per_week", 1]["point_estimate"]
    total = rows[*key, "extra_sessions_first_12_weeks", 1]["point_estimate"]
    ramp, loss = (
        terms[*key, name]["value"]
        for name in ("ramp_weeks", "weekly_novelty_loss")
    )
    expected = sum(
        (1 - loss) ** age / ramp
        for start in range(int(ramp))
        for age in range(12 - start)
    )
    assert total == pytest.approx(week * expected)
    assert total < 12 * week


def test_no_effect_gives_the_baseline_exactly(found):
    """Whatever is drawn: nothing of the effect is nothing at all."""
    for row in found["scenario_results"]:
        if row["effect_share"] or row["reason_code"]:
            continue
        base = row["base_value"] if row["unit"] == "rate" else 0
        assert row["point_estimate"] == pytest.approx(
            -150_000 if row["outcome"] == "net_value_eur" else base, abs=0
        )
        if row["unit"] == "rate difference":
            assert row["mean"] == row["ci95_low"] == row["ci95_high"] == 0


def test_a_shrunk_effect_lies_nearer_to_nothing(found):
    terms = by(found["scenario_terms"], "scenario_name", "version", "term")
    for scenario in ("push_rollout", "engineer_roi"):
        raw = terms[scenario, "randomised", "effect"]
        shrunk = terms[scenario, "shrunk", "effect"]
        assert raw["raw_value"] is None
        assert shrunk["raw_value"] == raw["value"]
        assert 0 < shrunk["value"] < raw["value"]
        assert shrunk["high"] - shrunk["low"] < raw["high"] - raw["low"]


def test_every_term_says_where_and_when_it_is_from(found):
    rows = found["scenario_terms"]
    assert all(row["source"] and row["stated_date"] for row in rows)
    assert {row["is_measured"] for row in rows} == {True, False}
    own = by(rows, "scenario_name", "version", "term")
    control = own["push_rollout", "randomised", "control_sessions"]
    assert str(control["stated_date"]) == "2026-03-05"
    # The control's error is part of the effect's.
    effect = own["push_rollout", "randomised", "effect"]
    expected = -(((400 / 2020) / (400 / 2020 + 420 / 1980)) ** 0.5)
    assert control["correlations"] == f"effect={expected:.3g}"
    assert effect["correlations"] == f"control_sessions={expected:.3g}"


def test_what_decides_and_what_would_settle_it(found):
    rows = by(found["scenario_breakeven"], "version", "outcome", "term")
    own = rows["randomised", "roi", "effect"]
    assert own["break_even_value"] == pytest.approx(0.02 / 3.2)
    assert own["is_paying_above"] is True
    assert own["probability_paying"] > 0.999
    assert own["settling_units"] == pytest.approx(
        float(proportion_units(0.23 + 0.02 / 3.2, 0.25).total)
    )
    cost = rows["randomised", "roi", "engineer_cost_eur"]
    assert cost["break_even_value"] == pytest.approx(480_000)
    assert cost["is_paying_above"] is False
    price = rows["randomised", "roi", "value_per_retained_user_eur"]
    assert price["break_even_value"] == pytest.approx(120 / 3.2)
    users = rows["randomised", "roi", "new_users_per_year"]
    assert users["break_even_value"] == pytest.approx(1e6 / 3.2)
    assert isnan(users["probability_paying"])
    ranks = [
        row["term"]
        for row in found["scenario_sensitivity"]
        if (row["version"], row["outcome"]) == ("randomised", "roi")
    ]
    assert set(ranks) == listed(
        "effect persistence value_per_retained_user_eur engineer_cost_eur"
    )


def test_quantiles_are_those_of_the_intervals(found):
    quantiles = by(found["scenario_quantiles"], *WHOLE[:3], "probability")
    for row in found["scenario_results"]:
        if row["effect_share"] != 1 or row["reason_code"]:
            continue
        key = tuple(row[name] for name in WHOLE[:3])
        for probability, name in (
            (0.025, "ci95_low"),
            (0.1, "ci80_low"),
            (0.5, "median"),
            (0.9, "ci80_high"),
            (0.975, "ci95_high"),
        ):
            assert quantiles[*key, probability]["value"] == row[name]


def test_money_on_an_association_needs_a_discount(options, warehouse):
    change(
        warehouse,
        "insert into marts.dim_scenarios by name select 'explorers' as"
        " scenario_name, 'value' as outcome, 'EUR' as unit, 'effect' as"
        " effect_term, 'base_users * effect * price' as formula,"
        " 'base_users' as base_formula, 'all' as base_description;"
        "insert into marts.dim_scenario_terms by name select 'explorers' as"
        " scenario_name, 'all' as version, 'price' as term, 9 as value,"
        " 'fixed' as distribution, 'EUR per user' as unit, 'asked' as source,"
        " date '2026-01-31' as stated_date",
    )
    rows = by(run(options)["scenario_results"], *WHOLE)
    key = ("explorers", "naive", "value")
    assert rows[*key, 1]["reason_code"] == "association_needs_discount"
    assert rows[*key, 1]["point_estimate"] is None
    assert rows[*key, 0.5]["point_estimate"] > 0
    assert rows["explorers", "causal", "value", 1]["point_estimate"] > 0


def test_diversity_leaves_out_what_has_no_overlap(found):
    rows = by(found["genre_effects"], "estimand")
    own = rows["stratified_atu",]
    assert own["strata_used"] == 2
    assert own["units_without_overlap"] == 11_004
    assert own["estimate"] == pytest.approx(
        (20000 * (0.105 - 0.085) + 10000 * (696 / 4996 - 0.098)) / 30000
    )
    assert rows["naive_difference",]["explorer_units"] == 9_000


def test_exploring_is_adjusted_for_what_makes_users_alike(found):
    """One in 200 more come back among explorers, in every kind of user."""
    rows = by(found["genre_effects"], "estimand")
    for estimand in ("regression_ate", "weighting_ate", "aipw_ate"):
        assert rows[estimand,]["estimate"] == pytest.approx(1 / 200, abs=1e-4)
        assert rows[estimand,]["causal_grade"] == "C"
    [headline] = [row for row in found["genre_effects"] if row["is_headline"]]
    assert headline["estimand"] == "aipw_ate"
    assert headline["trimmed_rate"] == 0
    assert "is associated with +0.50 points" in headline["wording"]
    slope = rows["effective_genre_slope",]
    assert slope["estimate"] == pytest.approx(0.01)
    assert slope["units_without_overlap"] == 50
    assert rows["compared_difference",]["causal_grade"] == "D"
    assert rows["total_ate",]["causal_grade"] == "D"
    units = {rows[f"aipw_ate_{third}",]["other_units"] for third in THIRDS}
    assert sum(units) <= rows["aipw_ate",]["other_units"]


def test_doses_are_compared_among_those_who_could_have_any(found):
    """A fifth of users never explores one genre only, and is left out."""
    rows = by(found["genre_dose_response"], "genres_explored")
    assert [name for (name,) in rows] == ["1", "2", "3", "4+"]
    assert {row["compared_users"] for row in rows.values()} == {32_000}
    assert rows["4+",]["difference"] == pytest.approx(1 / 200, abs=2e-4)
    assert rows["2",]["difference"] == pytest.approx(0, abs=2e-4)
    assert rows["1",]["difference"] is None
    assert rows["2",]["eligible_users"] == 10_000
    # The plain rates differ for want of the busy in the first.
    assert rows["1",]["rate"] < rows["2",]["rate"]


def test_checks_say_what_they_found(found):
    rows = by(found["genre_checks"], "check_name")
    # The same counts stand for every exposure here: a true effect of half a
    # point is too small for these numbers to be seen.
    assert rows["shuffled_genres",]["verdict"] == "passed"
    assert rows["earlier_outcome",]["estimate"] == pytest.approx(0, abs=1e-6)
    assert rows["overlapping_window",]["verdict"] == "unclear"
    assert rows["shuffled_within_strata",]["p_value"] > 0.05
    assert rows["activity_thirds",]["degrees_of_freedom"] == 2


def test_balance_and_overlap_hold_every_user(found):
    overlap = found["genre_overlap"]
    assert sum(row["user_count"] for row in overlap) == 38 * 1_000
    balance = by(found["genre_balance"], "covariate", "covariate_value")
    plays = balance["valid_play_band", "mean"]
    assert abs(plays["difference_after"]) < abs(plays["difference_before"])
    assert abs(plays["difference_after"]) < 1e-3
    shares = [
        row["explorer_mean"]
        for (name, _), row in balance.items()
        if name == "channel_group"
    ]
    assert sum(shares) == pytest.approx(1)


def test_trends_are_tested_in_every_breakdown(found):
    rows = by(found["genre_trends"], "dimension", "dimension_value")
    assert rows["all", "all"]["p_value"] < 1e-10
    assert rows["platform", "ios"]["reason_code"] == "zero_variance"


def test_a_log_without_explorers_says_so(options, warehouse):
    change(
        warehouse,
        "update marts.fct_genre_cells"
        " set is_explorer = false, genre_level = least(genre_level, 3)",
    )
    results = run(options)
    rows = by(results["genre_effects"], "estimand")
    assert rows["aipw_ate",]["reason_code"] == "no_explorers"
    assert rows["aipw_ate",]["estimate"] is None
    assert rows["aipw_ate",]["wording"] == "no number: no_explorers"
    assert not results["genre_balance"]
    assert "no_explorers" in summary(results)


def test_every_row_names_the_input_it_came_from(options, warehouse):
    first = run(options)
    [one] = first["analysis_runs"]
    assert (one["log_name"], one["data_seed"]) == ("demo", 7)
    for table in ("experiment_results", "scenario_results"):
        versions = {row["input_version"] for row in first[table]}
        assert versions == {one["input_version"]}
    change(
        warehouse,
        "update marts.fct_scenario_baselines set value = 0.0901"
        " where baseline_name = 'd7_rate'",
    )
    [other] = run(options)["analysis_runs"]
    assert other["input_version"] != one["input_version"]


def test_running_again_writes_the_same_bytes(options, warehouse):
    run(options)
    once = stored(warehouse)
    run(options)
    assert stored(warehouse) == once


def test_row_order_changes_nothing(options, warehouse):
    run(options)
    once = stored(warehouse)
    for mart in ("fct_genre_strata", "fct_experiment_arms"):
        change(
            warehouse,
            f"create or replace table marts.{mart} as"
            f" from marts.{mart} order by 1 desc, 2 desc, 3 desc, 5 desc",
        )
    run(options)
    assert stored(warehouse) == once


def test_a_failure_keeps_the_last_results(options, warehouse):
    run(options)
    once = stored(warehouse)
    change(
        warehouse,
        "update marts.fct_scenario_baselines set value = 0.5;"
        "alter table results.headlines rename found to seen",
    )
    with pytest.raises(WarehouseError, match="missing found, extra seen"):
        run(options)
    change(warehouse, "alter table results.headlines rename seen to found")
    assert stored(warehouse) == once


GAP = "where headline_name = 'd7_gap'"
GAP_IS = f"update marts.dim_headline_claims set {{}} {GAP}"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "insert into marts.dim_headline_claims by name"
            f" select * from marts.dim_headline_claims {GAP}",
            "d7_gap: claimed twice; remove one",
        ),
        (GAP_IS.format("unit = null"), "d7_gap: unit is missing; fill"),
        (GAP_IS.format("statement = null"), "d7_gap: statement is missing; f"),
        (
            GAP_IS.format("headline_name = 'moon'"),
            r"^headline_claims.csv, moon: no estimate 'moon'; write"
            r" estimates/moon\.sql",
        ),
        (
            "update marts.dim_scenario_estimates set estimate = 'moon'"
            " where term = 'days_per_user'",
            "^scenario_estimates.csv, retention_ladder.days_per_user: no"
            r" estimate 'moon'; write estimates/moon\.sql",
        ),
    ],
)
def test_a_wrong_declaration_is_named(options, warehouse, statement, message):
    change(warehouse, statement)
    with pytest.raises(ValueError, match=message):
        run(options)


OWN = """
-- New users who stay for more than a day
select
    1e0 * sum(at_risk_users) / 50000 as value,
    1e-2 as standard_error,
    50000 as users,
    null as causal_grade
from marts.fct_survival
where day_number = 2
"""


@pytest.fixture
def claim(warehouse, seeds):
    """Claim something by a query of one's own."""

    def run(name, query):
        (seeds / "estimates" / f"{name}.sql").write_text(query)
        change(
            warehouse,
            "insert into marts.dim_headline_claims"
            " (position, headline_name, expected, unit, statement)"
            f" values (0, '{name}', 0.94, 'rate', 'Most users stay')",
        )

    return run


def test_a_claim_of_ones_own_is_a_file_and_a_row(options, claim):
    claim("stay", OWN)
    first, *others = run(options)["headlines"]
    assert len(others) == 16
    assert first["headline_name"] == "stay"
    assert first["position"] == 1
    assert first["found"] == 0.95
    assert first["z_score"] == pytest.approx(1)
    assert first["ci_low"] < 0.95 < first["ci_high"]


def test_an_estimate_of_ones_own_feeds_a_scenario(options, warehouse, seeds):
    (seeds / "estimates" / "stay.sql").write_text(OWN)
    change(
        warehouse,
        "update marts.dim_scenario_estimates set estimate = 'stay'"
        " where term = 'base_rate'",
    )
    terms = run(options)["scenario_terms"]
    own = by(terms, "scenario_name", "version", "term")
    term = own["explorers", "causal", "base_rate"]
    assert term["value"] == 0.95
    assert term["source"] == (
        "New users who stay for more than a day (estimates/stay.sql)"
    )


def test_a_mart_that_only_an_own_query_reads_is_input_too(
    options, warehouse, claim
):
    claim(
        "days",
        "-- Days\nselect 1e0 * count(*) as value, 0 as standard_error,"
        " 1 as users, null as causal_grade from marts.fct_user_days",
    )
    change(warehouse, stand_in("marts.fct_user_days", {}, "limit 0"))
    versions = set()
    for _ in range(2):
        results = run(options)
        [one] = results["analysis_runs"]
        assert "fct_user_days" in one["input_marts"].split(", ")
        versions.add(one["input_version"])
        change(
            warehouse,
            "insert into marts.fct_user_days (user_id) values ('another')",
        )
    assert len(versions) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "-- x\nselect rat as value from marts.fct_retention_by_genres",
            'Binder Error: .*"rat" not found',
        ),
        ("-- x\ndelete from marts.fct_survival", "Parser Error: syntax error"),
        (
            "-- x\nselect 1 as value from results.headlines",
            "results.headlines is not written when this is asked; read one of",
        ),
    ],
)
def test_a_query_that_cannot_be_used_is_refused_by_its_file(
    options, warehouse, claim, text, message
):
    run(options)
    once = stored(warehouse)
    claim("own", text)
    with pytest.raises(ValueError, match=rf"^estimates/own\.sql: {message}"):
        run(options)
    assert stored(warehouse) == once


def test_a_mart_that_nobody_declares_is_refused(options, claim):
    claim("own", "-- x\nselect 1 as value from marts.fct_moon")
    with pytest.raises(WarehouseError, match=r"declares no marts\.fct_moon"):
        run(options)


def test_no_row_is_no_number(options, claim):
    claim(
        "own",
        "-- x\nselect rate as value, 0 as standard_error, 1 as users,"
        " null as causal_grade from marts.fct_retention_by_genres"
        " where day_number = 99",
    )
    rows = by(run(options)["headlines"], "headline_name")
    assert rows["own",]["found"] is None
    assert rows["own",]["reason_code"] == "not_found"


def test_options_reach_the_numbers(options):
    default = run(options)
    options.alpha, options.draw_seed = 0.2, 5
    other = run(options)
    for table in ("experiment_results", "genre_effects", "headlines"):
        before, after = (
            next(row for row in rows if row["ci_low"] is not None)
            for rows in (default[table], other[table])
        )
        assert before["ci_low"] < after["ci_low"]
        assert after["ci_high"] < before["ci_high"]
    medians = [run["scenario_results"][3]["median"] for run in (default, other)]
    assert medians[0] != medians[1]
    [one] = other["analysis_runs"]
    assert (one["alpha"], one["draw_seed"], one["draw_count"]) == (0.2, 5, 2e4)


def test_a_log_without_experiments_genres_or_claims(options, warehouse):
    for mart in (
        "fct_experiment_arms",
        "fct_experiment_statistics",
        "fct_genre_strata",
        "fct_genre_cells",
        "fct_genre_doses",
        "fct_retention_by_genres",
        *REFERENCES,
    ):
        change(warehouse, f"delete from marts.{mart}")
    results = run(options)
    assert [name for name in results if results[name]] == ["analysis_runs"]
    text = summary(results)
    assert "Headlines: none are declared for this log." in text
    assert "Experiments: none in this log." in text
    assert "no user of this log has genres" in text
    assert "no assumptions are given" in text


def test_scenarios_without_their_effect_say_why(options, warehouse):
    change(warehouse, "delete from marts.fct_experiment_statistics")
    change(warehouse, "delete from marts.fct_scenario_baselines")
    results = run(options)
    reasons = {
        (row["scenario_name"], row["reason_code"], row["median"])
        for row in results["scenario_results"]
        if row["outcome"] != "extra_value_eur"
    }
    assert reasons == {
        ("explorers", "no_base", None),
        ("push_rollout", "no_effect", None),
        ("engineer_roi", "no_effect", None),
        ("retention_ladder", "no_base", None),
    }
    rows = by(results["headlines"], "headline_name")
    assert rows["push_uplift",]["reason_code"] == "not_found"
    assert rows["push_uplift",]["expected"] == 9.9
    assert "not_found" in summary(results)


def test_a_blocked_experiment_feeds_no_scenario(options, warehouse):
    change(
        warehouse,
        "update marts.fct_experiment_arms set assigned_users = 3000"
        " where experiment_id = 'push_reminders' and variant = 'B'",
    )
    results = run(options)
    rows = by(results["scenario_results"], "scenario_name")
    push = rows["push_rollout",]
    assert push["reason_code"] == "sample_ratio_mismatch"
    assert push["point_estimate"] is None
    assert "BROKEN (sample_ratio_mismatch)" in summary(results)


def test_prints_the_answers(found):
    text = summary(found)
    assert "d7_rate_1_genre" in text
    assert "6.40 %" in text
    assert "+9.90" not in text
    assert "9.90" in text
    assert "99,000,000" in text
    assert all(line == line.rstrip() for line in text.splitlines())


def call(*arguments):
    return subprocess.run(
        [sys.executable, PROJECT / "scripts" / "analyze.py", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_command_line_from_start_to_end(warehouse, seeds):
    done = call("--warehouse", warehouse, "--seeds", seeds)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "Headlines, expected and found" in done.stdout


def fails(said, *arguments):
    """Calling it says this, in one line."""
    done = call(*arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.startswith("analyze: ")
    assert done.stderr.count("\n") == 1


def test_mistakes_are_one_line_with_a_remedy(warehouse, seeds, tmp_path):
    fails("analyze: no warehouse at", "--warehouse", tmp_path / "none.duckdb")
    own = ("--warehouse", warehouse, "--seeds", seeds)
    change(warehouse, "drop table marts.fct_genre_strata")
    fails("no marts.fct_genre_strata; run `dbt build`", *own)
    with duckdb.connect(str(warehouse)):
        fails("is in use by process", *own)


@pytest.mark.parametrize(
    "arguments",
    [["--alpha", "1"], ["--draws", "99"], ["--draw-seed", "-1"]],
)
def test_refuses_impossible_options(arguments, capsys):
    with pytest.raises(SystemExit):
        parsed(arguments)
    assert f"{arguments[0]} must" in capsys.readouterr().err


def test_help_says_when_to_run_it(capsys):
    with pytest.raises(SystemExit, match="0"):
        parsed(["--help"])
    assert "Run after dbt build" in capsys.readouterr().out


def test_main_prints_and_refuses(monkeypatch, capsys, warehouse, seeds):
    monkeypatch.setenv("STREAMING_WAREHOUSE", str(warehouse))
    monkeypatch.setenv("STREAMING_SEEDS", str(seeds))
    monkeypatch.setattr(sys, "argv", ["analyze.py"])
    main()
    assert capsys.readouterr().out.startswith("demo: results of input")
    (seeds / "manifest.json").write_text("{")
    with pytest.raises(SystemExit, match=r"analyze: .*manifest\.json is not"):
        main()


def test_a_log_without_manifest_is_named_after_its_folder(tmp_path):
    found = read_manifest(tmp_path)
    assert found["log_name"] == tmp_path.name
    assert found["data_seed"] is None
