"""Sufficient statistics in SQL, against numpy on the users themselves.

The models are compiled once and run on users made up here: five metrics of
every kind, whole numbers and fractions, in two variants and six segments.
"""

import duckdb
import numpy as np
import pandas as pd
import pytest
from arms import first_ranks

from stats.arms.quantiles import outer_ranks

MODELS = (
    "fct_experiment_caps",
    "fct_experiment_versions",
    "fct_experiment_statistics",
    "fct_experiment_quantiles",
)
QUANTILE, CAP = 0.9, 0.95
METRICS = pd.DataFrame(
    {
        "experiment_id": "e",
        "metric_name": ["counts", "spend", "ratio", "share", "times"],
        "kind": ["mean", "mean", "ratio", "proportion", "quantile"],
        "role": "primary",
        "direction": "increase",
        "quantile": [None, None, None, None, QUANTILE],
        "margin": None,
        "cap": [CAP, CAP, CAP, None, None],
    }
).astype({"margin": float, "cap": float, "quantile": float})
VARIANTS = pd.DataFrame(
    {
        "experiment_id": "e",
        "variant": ["A", "B"],
        "is_control": [True, False],
    }
)
SEGMENTS = pd.DataFrame(
    [
        ("e", number, dimension, value)
        for number, (platform, country) in enumerate(
            [(p, c) for p in ("ios", "tv", "web") for c in ("DE", "PL")], 1
        )
        for dimension, value in (
            ("all", "all"),
            ("platform", platform),
            ("country", country),
            ("country x platform", f"{country} x {platform}"),
        )
    ],
    columns=[
        *("experiment_id", "segment_number"),
        *("dimension", "dimension_value"),
    ],
)
PARTS = {
    "value": "outcome_value",
    "denominator": "denominator_value",
    "covariate": "covariate_value",
    "covariate_denominator": "covariate_denominator_value",
}
KEYS = [
    *("metric_name", "outcome_version", "policy"),
    *("dimension", "dimension_value", "variant"),
]


def users(size=400, seed=7):
    """Outcomes of every metric; spend is a fraction around a large mean."""
    rng = np.random.default_rng(seed)
    who = pd.DataFrame(
        {
            "experiment_id": "e",
            "user_id": [f"u{number:05}" for number in range(size)],
            "variant": rng.choice(["A", "B"], size),
            "segment_number": rng.integers(1, 7, size),
            "is_mixed": rng.random(size) < 0.2,
            "is_reached": rng.random(size) < 0.4,
            "has_history": rng.random(size) < 0.7,
        }
    )
    who["is_control"] = who["variant"] == "A"
    who["is_switched"] = who["is_mixed"] & (rng.random(size) < 0.5)
    frames = []
    for metric in METRICS["metric_name"]:
        before = rng.poisson(50, size).astype(float)
        amount = np.maximum(before + rng.normal(0, 90, size).round(), 0)
        frame = who.assign(
            metric_name=metric,
            is_mature=rng.random(size) < 0.9,
            is_whole=metric != "spend",
            outcome_value=amount,
            denominator_value=np.nan,
            covariate_value=np.where(who["has_history"], before, 0),
            covariate_denominator_value=np.nan,
        )
        if metric == "spend":
            frame["outcome_value"] = 1e8 + rng.lognormal(0, 1, size)
            frame["covariate_value"] = np.nan
        elif metric == "ratio":
            frame["denominator_value"] = rng.poisson(3, size)
            frame["covariate_denominator_value"] = np.where(
                who["has_history"], rng.poisson(3, size), 0
            )
        elif metric == "share":
            frame["outcome_value"] = (amount > 0).astype(float)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def sql(compiled):
    return compiled(*MODELS)


def marts_of(users):
    """Users with all their marks, as assignments and as outcomes."""
    alike = ["variant", "segment_number", "is_mixed", "is_switched"]
    users = users.assign(
        arm_cell_number=users.groupby([*alike, "is_reached"]).ngroup() + 1
    )
    assignments = users[
        ["experiment_id", "user_id", *alike, "is_reached", "arm_cell_number"]
    ].drop_duplicates()
    return assignments, users.assign(
        cell_number=4 * users["arm_cell_number"]
        + 2 * users["has_history"]
        + users["is_mature"]
    )


def run(sql, users, threads=2):
    """Run the models on users; returns a frame by model."""
    found = {}
    exposures, outcomes = marts_of(users)
    with duckdb.connect(config={"threads": threads}) as connection:
        connection.execute("attach ':memory:' as warehouse")
        for schema in ("marts", "staging", "intermediate"):
            connection.execute(f"create schema warehouse.{schema}")
        for place, frame in {
            "marts.fct_experiment_assignments": exposures,
            "marts.fct_experiment_outcomes": outcomes,
            "staging.stg_reference__metrics": METRICS,
            "staging.stg_reference__variants": VARIANTS,
            "intermediate.int_segments_described": SEGMENTS,
        }.items():
            connection.register("given", frame)
            connection.execute(f"create table warehouse.{place} as from given")
            connection.unregister("given")
        # NaN of a frame is the null of a table.
        for column in PARTS.values():
            connection.execute(
                "update warehouse.marts.fct_experiment_outcomes"
                f" set {column} = null where isnan({column})"
            )
        for model in MODELS:
            connection.execute(
                f"create table warehouse.marts.{model} as {sql[model]}"
            )
            found[model] = connection.execute(
                f"from warehouse.marts.{model} order by all"
            ).df()
    return found


@pytest.fixture(scope="module")
def outcomes():
    return users()


@pytest.fixture(scope="module")
def found(sql, outcomes):
    return run(sql, outcomes)


def quantile(values):
    if values.empty:
        return np.nan
    return np.quantile(values, CAP, method="inverted_cdf")


def capped(outcomes):
    """Users of the metrics with a cap, each part no higher than its own."""
    frames = []
    for metric in METRICS.dropna(subset="cap")["metric_name"]:
        own = outcomes[outcomes["metric_name"] == metric].copy()
        for column in PARTS.values():
            any_of_it = own.loc[own["is_mature"] & (own[column] > 0), column]
            if len(any_of_it):
                own[column] = own[column].clip(upper=quantile(any_of_it))
        frames.append(own.assign(outcome_version="capped"))
    return pd.concat(frames)


def by_numpy(outcomes):
    """The statistics, group by group."""
    rows = {}
    versions = pd.concat(
        [outcomes.assign(outcome_version="raw"), capped(outcomes)]
    )
    policies = {
        "first_assignment": versions.index >= 0,
        "exclude_mixed": ~versions["is_mixed"],
        "drop_mismatch": ~versions["is_switched"],
    }
    for policy, is_in in policies.items():
        own = versions[is_in].merge(
            SEGMENTS, on=["experiment_id", "segment_number"]
        )
        if policy != "first_assignment":
            own = own[own["dimension"] == "all"]
        for key, group in own.groupby([key for key in KEYS if key != "policy"]):
            metric, version, *rest = key
            rows[(metric, version, policy, *rest)] = moments(group)
    return rows


def moments(group):
    mature = group[group["is_mature"]]
    numbers = mature[list(PARTS.values())].to_numpy()
    flags = mature[["has_history", "is_reached"]].to_numpy(float)
    expected = {
        "unit_count": len(mature),
        "immature_count": len(group) - len(mature),
        "history_rate": flags[:, 0].mean(),
        "reached_rate": flags[:, 1].mean(),
    }
    everything = (
        np.cov(np.hstack([numbers, flags]).T)
        if len(mature) > 1
        else np.full((6, 6), np.nan)
    )
    names = [*PARTS, "history", "reached"]
    for i, left in enumerate(names):
        if i < len(PARTS):
            expected[f"{left}_mean"] = numbers[:, i].mean()
            expected[f"{left}_variance"] = everything[i, i]
        for j in range(i + 1, len(names)):
            expected[f"{left}_{names[j]}_covariance"] = everything[i, j]
    return expected


def test_statistics_are_those_of_the_users(found, outcomes):
    statistics = found["fct_experiment_statistics"].set_index(KEYS)
    expected = by_numpy(outcomes)
    assert set(statistics.index) == set(expected)
    assert statistics.index.is_unique
    assert len(expected) > 150
    compared = [
        column
        for column in statistics
        if column.endswith(
            ("_mean", "_variance", "_covariance", "_rate", "_count")
        )
        and column != "capped_count"
    ]
    assert len(compared) == 21
    frame = pd.DataFrame.from_dict(expected, orient="index")
    frame.index = pd.MultiIndex.from_tuples(frame.index, names=KEYS)
    frame = frame.loc[statistics.index, compared]
    scale = np.maximum(frame.abs(), 1)
    # Spends around 1e8 hold no more than eight digits of their deviations.
    close = (
        1e-10 * scale
        + 1e-7
        * (frame.index.get_level_values("metric_name") == "spend")[:, None]
    )
    gap = (statistics[compared].astype(float) - frame).abs()
    both_null = statistics[compared].isna() & frame.isna()
    assert (both_null | (gap <= close)).all(axis=None)


def test_whole_numbers_have_the_same_bytes_in_any_order(sql, outcomes, found):
    shuffled = outcomes.sample(frac=1, random_state=3)
    again = run(sql, shuffled, threads=1)
    for model in MODELS:
        ours, theirs = found[model], again[model]
        whole = ours["metric_name"] != "spend"
        pd.testing.assert_frame_equal(
            ours[whole],
            theirs[theirs["metric_name"] != "spend"],
            check_exact=True,
        )


def test_large_counts_do_not_overflow(sql):
    """46,341 squared is beyond 32 bits, and many of 2^31 beyond 64."""
    large = users(40).assign(outcome_value=2.0**31 - 1, is_mature=True)
    large.loc[large.index % 2 == 0, "outcome_value"] = 2.0**31 - 3
    statistics = run(sql, large)["fct_experiment_statistics"]
    own = statistics[
        (statistics["metric_name"] == "counts")
        & (statistics["dimension"] == "all")
        & (statistics["policy"] == "first_assignment")
        & (statistics["outcome_version"] == "raw")
    ]
    for _, row in own.iterrows():
        of_arm = large[
            (large["metric_name"] == "counts")
            & (large["variant"] == row["variant"])
        ]["outcome_value"]
        assert row["value_mean"] == of_arm.mean()
        assert row["value_variance"] == pytest.approx(
            (of_arm - 2.0**31).var(), rel=1e-12
        )


def test_quantiles_hold_the_ranks_that_their_errors_need(found, outcomes):
    rows = found["fct_experiment_quantiles"]
    assert set(rows["metric_name"]) == {"times"}
    own = outcomes[(outcomes["metric_name"] == "times") & outcomes["is_mature"]]
    for variant, grid in rows.groupby("variant"):
        values = np.sort(own.loc[own["variant"] == variant, "outcome_value"])
        count = len(values)
        wanted = np.concatenate(
            [
                np.clip(outer_ranks(count, QUANTILE), 1, count),
                first_ranks(count, range(50, 1000, 50)),
            ]
        )
        assert (grid["unit_count"] == count).all()
        assert sorted(set(wanted)) == sorted(grid["rank_number"])
        np.testing.assert_array_equal(
            grid["value"], values[grid["rank_number"] - 1]
        )


def test_caps_are_quantiles_of_users_who_have_any(found, outcomes):
    caps = found["fct_experiment_caps"].set_index("metric_name")
    assert set(caps.index) == {"counts", "spend", "ratio"}
    for metric in caps.index:
        own = outcomes[
            (outcomes["metric_name"] == metric) & outcomes["is_mature"]
        ]
        for column in PARTS.values():
            expected = quantile(own.loc[own[column] > 0, column])
            assert caps.loc[metric, f"{column}_cap"] == pytest.approx(
                expected, rel=1e-12, nan_ok=True
            )
