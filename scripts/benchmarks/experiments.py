"""Experiments: tests against SciPy's, their SQL against one by hand."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import ttest_ind_from_stats

from benchmarks.bench import CATALOG, Bench, BenchmarkError, progress
from benchmarks.timing import Comparison, seconds_of
from engine.connections import open_duckdb
from experiments.methods import effects
from stats.arms.comparisons import Sample, welch_difference
from warehouse import stand_in

TESTS, TESTED_BY_SCIPY = 30_000, 1_000
ALPHA = 0.05
ROLES = ("control", "treatment")
MEASURES = ("unit_count", "value_mean", "value_variance")
# A unit table as the statistics read it: users in two variants and 120
# segments, some of them mixed, all of their values whole numbers.
STATISTICS, UNITS, METRICS = "fct_experiment_statistics", 5_000_000, 5
UNIT_TABLES = (
    *(f"create schema {name}" for name in ("marts", "staging", "intermediate")),
    stand_in(
        "marts.fct_experiment_outcomes",
        {
            "experiment_id": "'e'",
            "user_id": "number",
            "metric_name": "'metric_' || metric",
            "variant": "case when hash(number) % 2 = 0 then 'A' else 'B' end",
            "is_control": "hash(number) % 2 = 0",
            "has_history": "hash(number, 'history') % 3 > 0",
            "is_mature": "true",
            "is_whole": "true",
            "cell_number": "4 * (8 * (hash(number, 'segment') % 120)"
            " + 4 * (hash(number) % 2) + 2 * (hash(number, 'mixed') % 64 // 63)"
            " + hash(number, 'reached') % 2)"
            " + 2 * (hash(number, 'history') % 3 > 0)::integer + 1",
            "outcome_value": "hash(number, metric) % 100",
            "covariate_value": "hash(number, metric, 'before') % 40",
        },
        f"from range({METRICS}) as metrics (metric)"
        f" cross join range({UNITS}) as users (number)",
    ),
    stand_in(
        "marts.fct_experiment_assignments",
        {
            "experiment_id": "'e'",
            "arm_cell_number": "number",
            "variant": "case when number // 4 % 2 = 0 then 'A' else 'B' end",
            "segment_number": "number // 8 + 1",
            "is_mixed": "number // 2 % 2 = 1",
            "is_switched": "false",
            "is_reached": "number % 2 = 1",
        },
        "from range(960) as cells (number)",
    ),
    stand_in("marts.fct_experiment_caps", {}, "limit 0"),
    stand_in(
        "staging.stg_reference__metrics",
        {
            "experiment_id": "'e'",
            "metric_name": "'metric_' || metric",
            "kind": "'mean'",
            "role": "'primary'",
            "direction": "'increase'",
        },
        f"from range({METRICS}) as metrics (metric)",
    ),
    """
    create view marts.fct_experiment_versions as
    select experiment_id, user_id, metric_name, 'raw' as outcome_version,
        is_whole, cell_number, outcome_value as value,
        denominator_value as denominator, covariate_value as covariate,
        covariate_denominator_value as covariate_denominator
    from marts.fct_experiment_outcomes
    """,
    stand_in(
        "staging.stg_reference__variants",
        {
            "experiment_id": "'e'",
            "variant": "variant",
            "is_control": "variant = 'A'",
        },
        "from (values ('A'), ('B')) as variants (variant)",
    ),
    stand_in(
        "intermediate.int_segments_described",
        {
            "experiment_id": "'e'",
            "segment_number": "number + 1",
            "dimension": "dimension",
            "dimension_value": "case dimension when 'all' then 'all'"
            " when 'platform' then cast(number % 4 as varchar)"
            " when 'country' then cast(number // 4 as varchar)"
            " else (number // 4) || ' x ' || (number % 4) end",
        },
        "from range(120) as segments (number) cross join (values ('all'),"
        " ('platform'), ('country'), ('country x platform'))"
        " as dimensions (dimension)",
    ),
)
BY_HAND = """
    select experiment_id, metric_name, variant, count(*) as n,
        avg(outcome_value) as mean_y, var_samp(outcome_value) as var_y,
        avg(covariate_value) as mean_x, var_samp(covariate_value) as var_x,
        covar_samp(outcome_value, covariate_value) as cov_xy
    from marts.fct_experiment_outcomes
    where is_mature
    group by all
"""
BY_HAND_BROKEN_DOWN = """
    with places as (
        select 4 * arm_cell_number + state as cell_number,
            max(dimension_value) filter (where dimension = 'platform')
                as platform,
            max(dimension_value) filter (where dimension = 'country') as country
        from marts.fct_experiment_assignments
        inner join intermediate.int_segments_described
        using (experiment_id, segment_number)
        cross join range(4) as states (state)
        group by all
    )
    select experiment_id, metric_name, variant, platform, country,
        count(*) as n, avg(outcome_value) as mean_y,
        var_samp(outcome_value) as var_y, avg(covariate_value) as mean_x,
        var_samp(covariate_value) as var_x,
        covar_samp(outcome_value, covariate_value) as cov_xy
    from marts.fct_experiment_outcomes
    inner join places using (cell_number)
    where is_mature
    group by grouping sets (
        (experiment_id, metric_name, variant),
        (experiment_id, metric_name, variant, platform),
        (experiment_id, metric_name, variant, country),
        (experiment_id, metric_name, variant, platform, country)
    )
"""


def inference(bench: Bench) -> Comparison:
    """Time vectorised Welch tests against a loop over SciPy's."""
    control, treatment = _samples()
    return _against_scipy(
        bench,
        "inference",
        f"{TESTS:,} Welch tests with intervals by scripts/stats",
        lambda: welch_difference(control, treatment).p_value,
    )


def experiment_tests(bench: Bench) -> Comparison:
    """Time rows of comparisons, as the post-step makes them, against SciPy."""
    pairs = pd.DataFrame(
        {"kind": "mean", "control_variant": "A"}
        | {
            f"{role}_{name}": part
            for role, arm in zip(ROLES, _samples(), strict=True)
            for name, part in zip(MEASURES, arm, strict=True)
        }
    )

    return _against_scipy(
        bench,
        "experiment_tests",
        f"{TESTS:,} rows of experiments, each with its test, its interval, its"
        " relative interval and its reason,",
        lambda: effects(pairs, ALPHA)["p_value"],
    )


def experiment_statistics(bench: Bench) -> Comparison:
    """Time the SQL of sufficient statistics against one written by hand."""
    compiled = next(
        path
        for path in (bench.built / "compiled").rglob(f"{STATISTICS}.sql")
        if not path.parent.suffix
    )
    model = compiled.read_text(encoding="utf-8")
    file = bench.folder / "units" / f"{CATALOG}.duckdb"
    file.parent.mkdir()
    progress(f"{STATISTICS}: making {UNITS:,} users")
    with closing(open_duckdb(file)) as connection:
        for statement in UNIT_TABLES:
            connection.execute(statement)
        found: dict[str, int] = {}

        def run(name: str, sql: str) -> float:
            started = perf_counter()
            found[name] = len(connection.execute(sql).fetchall())
            return perf_counter() - started

        times = bench.compare(
            STATISTICS,
            {
                "model": lambda: run("model", model),
                "by hand": lambda: run("by hand", BY_HAND_BROKEN_DOWN),
                "no breakdown": lambda: run("no breakdown", BY_HAND),
            },
        )
        same = connection.execute(
            f"select count(*) from ({model}) as ours inner join ({BY_HAND}) as"
            " theirs using (experiment_id, metric_name, variant)"
            " where dimension = 'all' and policy = 'first_assignment'"
            " and unit_count = n and abs(value_mean - mean_y) < 1e-9"
            " and abs(value_variance / var_y - 1) < 1e-9"
            " and abs(covariate_variance / var_x - 1) < 1e-9"
            " and abs(value_covariate_covariance - cov_xy) < 1e-9 * var_y"
        ).fetchall()
    if same != [(found["no breakdown"],)]:
        raise BenchmarkError(
            f"{STATISTICS} and the query written by hand disagree"
        )
    return Comparison(
        name="experiment_statistics",
        measured=times["model"],
        baseline=times["by hand"],
        describes=f"The SQL of {STATISTICS}, {found['model']:,} rows of"
        f" breakdowns and policies, on {UNITS:,} users and {METRICS} metrics,"
        " against one query by hand for the same breakdowns with count, avg,"
        f" var_samp and covar_samp, {found['by hand']:,} rows. Same numbers."
        " Part: one by hand without any breakdown,"
        f" {found['no breakdown']:,} rows.",
        is_speedup=False,
        target=1.2,
        parts={"no breakdown": times["no breakdown"]},
    )


def _samples() -> tuple[Sample, Sample]:
    """Make up the arms of many comparisons."""
    rng = np.random.default_rng(1)
    units = rng.integers(50, 50_000, (2, TESTS))
    means = rng.normal(10, 1, (2, TESTS))
    variances = rng.gamma(9, 1, (2, TESTS))
    control, treatment = map(Sample, units, means, variances)
    return control, treatment


def _against_scipy(
    bench: Bench,
    name: str,
    what: str,
    p_values: Callable[[], Any],
) -> Comparison:
    """Compare vectorised tests of `_samples` with a loop over SciPy's."""
    control, treatment = (
        tuple(np.asarray(part) for part in arm) for arm in _samples()
    )
    other = np.empty(TESTED_BY_SCIPY)

    def one_by_one() -> None:
        for k in range(TESTED_BY_SCIPY):
            other[k] = ttest_ind_from_stats(
                treatment[1][k],
                treatment[2][k] ** 0.5,
                treatment[0][k],
                control[1][k],
                control[2][k] ** 0.5,
                control[0][k],
                equal_var=False,
            ).pvalue

    ours = np.asarray(p_values())[:TESTED_BY_SCIPY]
    scale = TESTS / TESTED_BY_SCIPY
    times = bench.compare(
        name,
        {
            "together": lambda: seconds_of(p_values),
            "one by one": lambda: seconds_of(one_by_one) * scale,
        },
    )
    if not np.allclose(ours, other, rtol=1e-9, atol=0):
        raise BenchmarkError("SciPy and scripts/stats disagree on p-values")
    return Comparison(
        name=name,
        measured=times["together"],
        baseline=times["one by one"],
        describes=f"{what} against a loop over"
        " scipy.stats.ttest_ind_from_stats, which gives no interval;"
        f" {TESTED_BY_SCIPY:,} of them, scaled. Same p-values.",
        is_speedup=True,
    )
