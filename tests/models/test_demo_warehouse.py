"""What was planted in the simulated service comes out of the marts.

The fast proofs read the demo as `make test` leaves it. The slow one simulates
further services of the same size, each with a seed of its own.
"""

import json
import os
import re
import shutil
from math import sqrt
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from planted import (
    COUNTS,
    NOT_IN_THE_WAREHOUSE,
    RETENTION_DAYS,
    counted,
    reconciliation,
    single,
)
from scipy.stats import binom, chi2, entropy, hypergeom, norm

from stats.intervals import wilson_interval

ROOT = Path(__file__).parents[2]
WAREHOUSE = ROOT / "target/streaming_engagement.duckdb"
TRUTH = ROOT / "seeds/planted_truth.json"
PROOF_SEEDS = int(os.environ.get("PROOF_SEEDS", "20"))
FIRST_PROOF_SEED = 1


@pytest.fixture(scope="module")
def truth():
    if not TRUTH.is_file():
        pytest.skip(f"no {TRUTH.relative_to(ROOT)}: run `make data`")
    return json.loads(TRUTH.read_text())


@pytest.fixture(scope="module")
def demo():
    if not WAREHOUSE.is_file():
        pytest.skip(f"no {WAREHOUSE.relative_to(ROOT)}: run `make run`")
    with duckdb.connect(WAREHOUSE, read_only=True) as connection:
        yield connection


# --- exact counts -------------------------------------------------------------


def test_every_planted_count_is_proven(truth):
    assert truth["counts"].keys() == COUNTS.keys() | NOT_IN_THE_WAREHOUSE


@pytest.mark.parametrize("name", COUNTS)
def test_planted_count(demo, truth, name):
    assert counted(demo, name) == truth["counts"][name]


@pytest.mark.parametrize(
    "table", ["events", "users", "content", "experiment_assignments"]
)
def test_every_line_is_accounted_for_with_its_reason(demo, truth, table):
    assert reconciliation(demo)[table] == truth["reconciliation"][table]


# --- headlines and effects ----------------------------------------------------


def z_scores(connection):
    return dict(
        connection.execute(
            "select headline_name, z_score from results.headlines"
            " where expected is not null"
        ).fetchall()
    )


def effects(connection):
    return {
        estimand: (estimate, error)
        for estimand, estimate, error in connection.execute(
            "select estimand, estimate, standard_error"
            " from results.genre_effects"
        ).fetchall()
    }


def test_controls_of_exploring_find_nothing_where_there_is_much(demo):
    """The plain gap of the shuffled map is far from none; what is left, not."""
    naive, estimate, error = demo.execute(
        "select naive_estimate, estimate, standard_error"
        " from results.genre_checks where check_name = 'shuffled_genres'"
    ).fetchone()
    assert naive > 0.01
    assert abs(estimate) < norm.isf(0.001 / 2) * error


def test_diversity_agrees_with_its_definitions(demo):
    """Some users, from their plays by genre, by scipy."""
    counted = demo.execute(
        "select user_id, early_play_count as plays, early_weight as weight"
        " from intermediate.int_user_genres_counted"
        " where early_play_count > 0 and user_id like '%7'"
        " order by user_id, genre_name"
    ).df()
    found = demo.execute(
        "from marts.fct_user_genres where genre_count > 0"
        " and user_id like '%7' order by user_id limit 200"
    ).df()
    assert len(found) > 50
    groups = dict(list(counted.groupby("user_id")))
    for row in found.itertuples():
        own = groups[row.user_id]
        share = own["weight"] / own["weight"].sum()
        assert row.genre_count == len(own)
        assert row.effective_genres == pytest.approx(np.exp(entropy(share)))
        assert row.dominant_genres == pytest.approx(1 / (share**2).sum())
        plays = row.valid_play_count - row.unknown_genre_play_count
        if plays < 5:
            assert np.isnan(row.rarefied_genres)
        else:
            missed = hypergeom.pmf(0, plays, own["plays"], 5)
            assert row.rarefied_genres == pytest.approx((1 - missed).sum())


def day_rates(connection):
    rates = dict(
        connection.execute(
            "select from_day_number, rate from marts.fct_retention_summary"
            " where dimension = 'all' and retention_type = 'on_day'"
            " and day_mode = 'calendar'"
        ).fetchall()
    )
    return [rates[day] for day in RETENTION_DAYS]


def test_every_claim_is_found_within_its_sampling_error(demo):
    found = z_scores(demo)
    assert len(found) == 13
    assert {name: z for name, z in found.items() if not abs(z) <= 3} == {}


@pytest.mark.parametrize(
    "estimand",
    [
        "stratified_ate",
        "stratified_atu",
        "regression_ate",
        "weighting_ate",
        "aipw_ate",
        "aipw_att",
        "aipw_atu",
    ],
)
def test_planted_effect_lies_in_the_interval(demo, truth, estimand):
    """Stratifying takes the confounding out and leaves the effect."""
    estimate, error = effects(demo)[estimand]
    reach = norm.isf(0.001 / 2) * error
    planted = truth["effects"]["exploration_d7"]
    assert estimate - reach < planted < estimate + reach


def test_the_plain_gap_is_not_the_effect(demo, truth):
    """Else there would be nothing to adjust for, and nothing proven above."""
    estimate, error = effects(demo)["naive_difference"]
    assert (estimate - truth["effects"]["exploration_d7"]) / error > 3


def test_retention_falls_with_the_day(demo):
    rates = day_rates(demo)
    assert rates == sorted(rates, reverse=True)
    assert len(set(rates)) == len(rates)


@pytest.mark.parametrize(
    "mart",
    [
        "fct_retention_triangle",
        "fct_retention_summary",
        "fct_retention_by_genres",
    ],
)
def test_wilson_bounds_in_sql_are_those_in_python(demo, mart):
    rows = demo.execute(
        "select retained_users, eligible_users, ci_low, ci_high"
        f" from marts.{mart} where eligible_users > 0"
    ).fetchnumpy()
    expected = wilson_interval(rows["retained_users"], rows["eligible_users"])
    found = np.stack([rows["ci_low"], rows["ci_high"]], axis=-1)
    assert len(found) > 10
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    assert (
        single(
            demo,
            f"select count(*) from marts.{mart} where eligible_users = 0"
            " and coalesce(rate, ci_low, ci_high) is not null",
        )
        == 0
    )


# --- what people see, and what nobody may read --------------------------------


def test_every_mart_and_column_is_described_in_the_catalog(demo):
    assert (
        demo.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts'"
            " and coalesce(comment, '') = '' union all"
            " select table_name || '.' || column_name from duckdb_columns()"
            " where schema_name = 'marts' and coalesce(comment, '') = ''"
        ).fetchall()
        == []
    )


def test_nobody_but_the_simulator_knows_the_planted_truth():
    own = {ROOT / "scripts/generate_seeds.py"}
    own |= set((ROOT / "scripts/simulation").rglob("*"))
    readers = [
        path.relative_to(ROOT)
        for folder in ("models", "macros", "scripts")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
        and path.suffix != ".pyc"
        and path not in own
        and re.search(r"planted[_ ]?truth", path.read_text(), re.IGNORECASE)
    ]
    assert readers == []


# --- over many seeds ----------------------------------------------------------

# The chance that a sound project fails any one of the proofs below.
FAMILY_ERROR = 0.001


@pytest.fixture(scope="module")
def proof(tmp_path_factory, simulate, build, script):
    """Per seed: z of every claim, effects with errors, and wrong counts."""
    rows = []
    for seed in range(FIRST_PROOF_SEED, FIRST_PROOF_SEED + PROOF_SEEDS):
        folder = tmp_path_factory.mktemp(f"seed{seed}")
        seeds = simulate(folder / "log", "--seed", str(seed))
        truth = json.loads((seeds / "planted_truth.json").read_text())
        build(seeds, folder).close()
        done = script(
            "analyze.py",
            seeds,
            folder,
            "--warehouse",
            folder / "warehouse.duckdb",
            "--seeds",
            seeds,
        )
        assert done.returncode == 0, done.stderr
        with duckdb.connect(folder / "warehouse.duckdb") as connection:
            wrong = [
                name
                for name in COUNTS
                if counted(connection, name) != truth["counts"][name]
            ]
            if reconciliation(connection) != truth["reconciliation"]:
                wrong.append("reconciliation")
            rows.append(
                {
                    "seed": seed,
                    "z": z_scores(connection),
                    "effects": effects(connection),
                    "planted": truth["effects"]["exploration_d7"],
                    "rates": day_rates(connection),
                    "wrong": wrong,
                }
            )
        shutil.rmtree(folder)
    table = pd.DataFrame([row["z"] for row in rows])
    print(f"\nz of the claims over {len(rows)} seeds")
    print(table.agg(["mean", "std", "min", "max"]).T.round(2).to_string())
    return rows


@pytest.fixture(scope="module")
def z_table(proof):
    return pd.DataFrame([row["z"] for row in proof])


@pytest.mark.slow
def test_counts_are_exact_for_every_seed(proof):
    assert {row["seed"]: row["wrong"] for row in proof if row["wrong"]} == {}


@pytest.mark.slow
def test_claims_are_unbiased_over_seeds(z_table):
    """The mean of S independent z is N(0, 1/S).

    Bonferroni over the claims; they are dependent, which it allows. Claims
    are rounded to three digits: at most 0.06 standard errors of one seed.
    """
    seeds, claims = z_table.shape
    bound = norm.isf(FAMILY_ERROR / (2 * claims)) / sqrt(seeds) + 0.06
    means = z_table.mean()
    assert means[means.abs() > bound].to_dict() == {}


@pytest.mark.slow
def test_standard_errors_are_large_enough_over_seeds(z_table):
    """The sum of S squared z is chi-square with S degrees of freedom."""
    seeds, claims = z_table.shape
    squares = (z_table**2).sum()
    bound = chi2.isf(FAMILY_ERROR / claims, seeds)
    assert squares[squares > bound].to_dict() == {}


@pytest.mark.slow
def test_no_seed_is_far_from_any_claim(z_table):
    """260 z pass 4.5 by chance with probability 0.002."""
    assert z_table.abs().max().max() < 4.5


@pytest.mark.slow
@pytest.mark.parametrize("estimand", ["stratified_ate", "stratified_atu"])
def test_intervals_cover_the_planted_effect_over_seeds(proof, estimand):
    """Covered seeds are binomial with the nominal rate, 0.95."""
    scores = np.array(
        [
            (row["effects"][estimand][0] - row["planted"])
            / row["effects"][estimand][1]
            for row in proof
        ]
    )
    covered = int((np.abs(scores) <= norm.isf(0.025)).sum())
    print(
        f"\n{estimand}: {covered} of {len(scores)} intervals cover, mean z"
        f" {scores.mean():+.2f}"
    )
    assert covered >= binom.ppf(FAMILY_ERROR, len(scores), 0.95)
    assert abs(scores.mean()) < norm.isf(FAMILY_ERROR / 2) / sqrt(len(scores))


@pytest.mark.slow
def test_retention_falls_with_the_day_for_every_seed(proof):
    for row in proof:
        assert row["rates"] == sorted(row["rates"], reverse=True), row["seed"]
