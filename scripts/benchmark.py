"""Time this project against named baselines, and print the ratios.

Reads the raw files; builds and writes in a folder of its own inside the
folder of ``--out``, which is removed at the end, so the warehouse of the
project stays untouched. Writes one JSON file. Run after ``make data``:

    python scripts/benchmark.py

Both sides of a ratio are measured in the same run, taking turns; shown are
medians with the least and the largest run. Needs an idle machine.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from graphlib import TopologicalSorter
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import yaml
from scipy.stats import ttest_ind_from_stats

from check_workplace import find_obstacle
from experiments.methods import effects
from raw.files import TABLES
from stats.arms.comparisons import Sample, welch_difference
from timing import Comparison, interleaved, table
from warehouse import stand_in

PROJECT = Path(__file__).resolve().parent.parent
PROFILE = "streaming_engagement"
# The file's stem is the catalog that the compiled SQL names.
CATALOG = "streaming_engagement"

# What describes usage and feeds nothing else.
USAGE = (
    "path:models/marts/engagement",
    "path:models/marts/funnels",
    "path:models/intermediate/funnels",
    *("fct_plays", "fct_retention_triangle", "fct_retention_curve"),
    *("fct_survival", "fct_user_lifetimes"),
    *("fct_user_streaks", "fct_tenure"),
)

# dbt's own seed reader is tried on so many rows first; the whole file is then
# left out when it would take longer, or more than half of the memory.
PROBE_ROWS = 100_000
SLOW_SECONDS = 180
READER_BYTES_PER_ROW = 1_200
CUT_ROWS = 1_000_000

TESTS, TESTED_BY_SCIPY = 30_000, 1_000
ALPHA = 0.05
ROLES = ("control", "treatment")
MEASURES = ("unit_count", "value_mean", "value_variance")
SMALL_SCALE = 0.1

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

Manifest = Mapping[str, Any]


class BenchmarkError(Exception):
    """What a user must know: one line that names the cause and the remedy."""


@dataclass(frozen=True)
class Plan:
    """SQL of a build without dbt.

    Attributes
    ----------
    setup : list of str
        Statements for schemas and the tables that the project declares.
    statements : dict of str to str
        Node to its SQL.
    parents : dict of str to set of str
        Node to the nodes that must be done first.
    """

    setup: list[str]
    statements: dict[str, str]
    parents: dict[str, set[str]]


def without_swap(sql: str) -> str:
    """Let a model's SQL write its relation directly.

    dbt writes a table or view under a temporary name and renames it.

    Examples
    --------
    >>> without_swap('create view "c"."s"."plays__dbt_tmp" as (select 1)')
    'create view "c"."s"."plays" as (select 1)'
    """
    return sql.replace('__dbt_tmp"', '"')


def seed_sql(node: Manifest, header: Sequence[str], path: Path) -> str:
    """Write the SQL that loads a seed and keeps its malformed lines.

    Parameters
    ----------
    node : mapping
        The seed in dbt's manifest.
    header : sequence of str
        Column names in the file.
    path : Path
        The file.

    Returns
    -------
    str
        The statements that the project's seed materialization runs.
    """
    types = {
        name: node["columns"].get(name, {}).get("data_type") or "varchar"
        for name in header
    }
    malformed = f'"{node["database"]}"."{node["schema"]}"."malformed_rows"'
    absent = "\n".join(
        f"alter table {node['relation_name']} add column {name}"
        f" {column['data_type']};"
        for name, column in node["columns"].items()
        if name not in types
    )
    return f"""
        set global force_compression = 'uncompressed';
        create table {node["relation_name"]} as
        select *
        from read_csv(
            {_quoted(path)}, columns = {types!r}, auto_detect = false,
            header = true, delim = ',', quote = '"', escape = '"',
            nullstr = '', store_rejects = true, rejects_limit = 0
        );
        set global force_compression = 'auto';
        {absent}
        insert into {malformed} by name
        select
            '{node["name"]}' as table_name,
            '{node["original_file_path"]}' as file_name,
            line as line_number,
            lower(min_by(cast(error_type as varchar), column_idx))
                as reason_name,
            min_by(error_message, column_idx) as reason_text,
            min_by(csv_line, column_idx) as line_text
        from reject_errors
        group by all
    """


def bare_plan(
    manifest: Manifest,
    read: Callable[[str], str],
    seed: Callable[[Manifest], str],
) -> Plan:
    """Take the SQL of a finished build out of its manifest.

    Parameters
    ----------
    manifest : mapping
        dbt's ``manifest.json``, written by ``dbt build``.
    read : callable
        From the path of a file in ``target/run`` to its text.
    seed : callable
        From a seed's node to its loading SQL, which dbt does not keep.

    Returns
    -------
    Plan
        All seeds, models and data tests; no unit tests and no comments.

    Raises
    ------
    BenchmarkError
        If a model or test was not run.
    """
    nodes = {
        key: node
        for key, node in manifest["nodes"].items()
        if node["resource_type"] in ("seed", "model", "test")
    }
    declared = [
        source
        for source in manifest["sources"].values()
        if source["config"]["meta"].get("created_here")
    ]
    schemas = {
        one["schema"]
        for one in [*nodes.values(), *declared]
        if one["resource_type"] != "test"
    }
    setup = [f'create schema "{schema}"' for schema in sorted(schemas)]
    for source in declared:
        columns = ", ".join(
            f"{column['name']} {column['data_type']}"
            for column in source["columns"].values()
        )
        setup.append(f"create table {source['relation_name']} ({columns})")

    statements = {}
    for key, node in nodes.items():
        if node["resource_type"] == "seed":
            statements[key] = seed(node)
        elif node.get("build_path"):
            statements[key] = without_swap(read(node["build_path"]))
        else:
            raise BenchmarkError(f"dbt build did not run {key}; run it again")
    parents = {
        key: {
            one for one in node["depends_on"].get("nodes", ()) if one in nodes
        }
        for key, node in nodes.items()
    }
    return Plan(setup, statements, parents)


def run_bare(
    plan: Plan,
    database: Path,
    *,
    settings: Mapping[str, Any],
    threads: int,
) -> float:
    """Run a plan on a fresh file, a cursor per worker; return the seconds.

    A node starts as soon as its parents are done and a worker is free.
    """
    database.unlink(missing_ok=True)
    started = perf_counter()
    with duckdb.connect(str(database)) as connection:
        for name, value in settings.items():
            connection.execute(f"set global {name} = '{value}'")
        for statement in plan.setup:
            connection.execute(statement)

        def execute(statement: str) -> None:
            with connection.cursor() as cursor:
                cursor.execute(statement).fetchall()

        order = TopologicalSorter(plan.parents)
        order.prepare()
        running: dict[Future[None], str] = {}
        with ThreadPoolExecutor(threads) as pool:
            while order.is_active():
                for node in order.get_ready():
                    statement = plan.statements[node]
                    running[pool.submit(execute, statement)] = node
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                    order.done(running.pop(future))
    return perf_counter() - started


def execute_seconds(results: Manifest, prefix: str) -> float:
    """Sum what dbt spent in the materializations of some nodes.

    Parameters
    ----------
    results : mapping
        dbt's ``run_results.json``.
    prefix : str
        How the nodes' ids start.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    BenchmarkError
        If there is no such node.
    """
    spans = [
        span
        for result in results["results"]
        if result["unique_id"].startswith(prefix)
        for span in result["timing"]
        if span["name"] == "execute"
    ]
    if not spans:
        raise BenchmarkError(f"run_results.json has no timing of {prefix}*")
    return sum(
        (
            datetime.fromisoformat(span["completed_at"])
            - datetime.fromisoformat(span["started_at"])
        ).total_seconds()
        for span in spans
    )


def timed(
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
    folder: Path = PROJECT,
) -> float:
    """Run a command and return its wall seconds.

    Raises
    ------
    BenchmarkError
        If it fails; names it and its last line.
    """
    started = perf_counter()
    done = subprocess.run(  # noqa: S603
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        check=False,
        capture_output=True,
        text=True,
    )
    seconds = perf_counter() - started
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if "rror" in line]
        lines += (done.stderr or done.stdout).strip().splitlines()[-1:]
        what = " ".join(str(part) for part in command[1:])
        raise BenchmarkError(
            f"`{what}` failed with {(lines or ['no message'])[0].strip()}"
        )
    return seconds


class Bench:
    """The raw files, a folder to work in, and the number of runs."""

    def __init__(self, seeds: Path, folder: Path, runs: int) -> None:
        """Prepare nothing yet; every fixture is made when first used."""
        self.seeds, self.folder, self.runs = seeds.resolve(), folder, runs

    def compare(
        self,
        name: str,
        contenders: Mapping[str, Callable[[], float]],
    ) -> dict[str, list[float]]:
        """Let contenders take turns, telling stderr."""
        return interleaved(
            contenders, self.runs, lambda turn: progress(f"{name}: {turn}")
        )

    def dbt(
        self,
        command: Sequence[str],
        seeds: Path,
        target: Path,
        project: Path = PROJECT,
    ) -> float:
        """Run dbt on a folder of seeds and a fresh warehouse in `target`."""
        target.mkdir(exist_ok=True)
        warehouse = target / f"{CATALOG}.duckdb"
        for file in (warehouse, warehouse.with_name(f"{warehouse.name}.wal")):
            file.unlink(missing_ok=True)
        chosen = self.seeds / "vars.yml"
        variables = (
            ["--vars", chosen.read_text(encoding="utf-8")]
            if chosen.is_file() and project == PROJECT
            else []
        )
        # The entry point that people use, beside the Python that runs this.
        program = Path(sys.executable).with_name("dbt")
        return timed(
            [program, *command, *variables],
            {
                "STREAMING_SEEDS": str(seeds),
                "STREAMING_WAREHOUSE": str(warehouse),
                "DBT_TARGET_PATH": str(target),
                "DBT_LOG_PATH": str(target),
                "DBT_PROFILES_DIR": str(PROJECT),
            },
            project,
        )

    def raw_folder(self, name: str) -> Path:
        """Make a folder of raw files that hold their header only.

        The reference seeds, which declare experiments, are whole.
        """
        folder = self.folder / name
        folder.mkdir()
        for path in sorted(self.seeds.glob("*.csv")):
            if path.stem in TABLES:
                header = ",".join(_header(path))
                (folder / path.name).write_text(f"{header}\n", encoding="utf-8")
            else:
                shutil.copy(path, folder)
        return folder

    @cached_property
    def empty(self) -> tuple[Path, Path]:
        """Folder of raw files without rows, and the target built from it."""
        progress("preparing: dbt build --empty")
        seeds, target = self.raw_folder("empty"), self.folder / "empty-target"
        self.dbt(["build", "--empty"], seeds, target)
        return seeds, target

    @cached_property
    def built(self) -> Path:
        """Target folder of a build of the raw files."""
        progress("preparing: dbt build")
        target = self.folder / "target"
        self.dbt(["build"], self.seeds, target)
        return target


def seed_reader(bench: Bench) -> Comparison:
    """Load events.csv by this project's materialization and by dbt's."""
    seeds = bench.raw_folder("events")
    target = bench.folder / "events-target"
    progress("seed_reader: preparing")
    bench.dbt(["parse"], seeds, target)
    manifest = _json(target / "manifest.json")
    node = next(
        one
        for one in manifest["nodes"].values()
        if one["resource_type"] == "seed" and one["name"] == "events"
    )
    types = {
        name: column["data_type"] for name, column in node["columns"].items()
    }

    other = bench.folder / "default-reader"
    (other / "seeds").mkdir(parents=True)
    project = {
        "name": "default_reader",
        "version": "1.0",
        "config-version": 2,
        "profile": PROFILE,
        "seed-paths": ["seeds"],
        "flags": {"send_anonymous_usage_stats": False},
        "seeds": {"default_reader": {"events": {"+column_types": types}}},
    }
    (other / "dbt_project.yml").write_text(
        yaml.safe_dump(project, sort_keys=False), encoding="utf-8"
    )
    sides = {
        "this project": (seeds, PROJECT),
        "dbt's reader": (other / "seeds", other),
    }

    def rows(limit: int | None) -> int:
        count = 0
        for folder, _ in sides.values():
            count = copy_readable(
                bench.seeds / "events.csv", folder / "events.csv", types, limit
            )
        return count

    def load(side: str) -> float:
        folder, project = sides[side]
        written = target if project == PROJECT else other / "target"
        bench.dbt(["seed", "--select", "events"], folder, written, project)
        return execute_seconds(_json(written / "run_results.json"), "seed.")

    progress("seed_reader: trying dbt's reader on the first rows")
    probed = rows(PROBE_ROWS)
    rate = load("dbt's reader") / probed
    count = rows(None)
    scope = "all"
    is_too_much = READER_BYTES_PER_ROW * count > _memory() / 2
    if count > CUT_ROWS and (is_too_much or rate * count > SLOW_SECONDS):
        count, scope = rows(CUT_ROWS), "the first"
    times = bench.compare(
        "seed_reader", {side: partial(load, side) for side in sides}
    )
    return Comparison(
        name="seed_reader",
        measured=times["this project"],
        baseline=times["dbt's reader"],
        describes=f"Loading {scope} {count:,} well-formed rows of events.csv by"
        " this project's seed materialization, against dbt-duckdb's default"
        " seed reader in an empty dbt project with the same column types;"
        " execution times that dbt records. Malformed lines, on which the"
        " default reader stops, are left out for both.",
        is_speedup=True,
        target=20,
        parts={},
    )


def dbt_overhead(bench: Bench) -> Comparison:
    """Time dbt build against an empty build and the same SQL without dbt."""
    target, (no_seeds, empty_target) = bench.built, bench.empty
    manifest = _json(target / "manifest.json")
    profile = yaml.safe_load(
        (PROJECT / "profiles.yml").read_text(encoding="utf-8")
    )[PROFILE]
    output = profile["outputs"][profile["target"]]

    def seed(node: Manifest) -> str:
        path = bench.seeds / Path(node["original_file_path"]).name
        return seed_sql(node, _header(path), path)

    def read(path: str) -> str:
        return (PROJECT / path).read_text(encoding="utf-8")

    plan = bare_plan(manifest, read, seed)
    folder = bench.folder / "bare"
    folder.mkdir()
    database = folder / f"{CATALOG}.duckdb"

    def bare() -> float:
        return run_bare(
            plan,
            database,
            settings=output["settings"],
            threads=output["threads"],
        )

    times = bench.compare(
        "dbt_overhead",
        {
            "dbt build": lambda: bench.dbt(["build"], bench.seeds, target),
            "dbt build --empty": lambda: bench.dbt(
                ["build", "--empty"], no_seeds, empty_target
            ),
            "bare SQL": bare,
        },
    )
    built, without = (
        table_rows(file) for file in (target / database.name, database)
    )
    if built != without:
        names = sorted(
            name for name, _ in set(built.items()) ^ set(without.items())
        )
        raise BenchmarkError(
            "the SQL without dbt made other tables than dbt build:"
            f" {', '.join(sorted(set(names)))}; run_bare is no baseline"
        )
    pairs = zip(times["dbt build --empty"], times["bare SQL"], strict=True)
    kinds = [node.split(".")[0] for node in plan.statements]
    return Comparison(
        name="dbt_overhead",
        measured=times["dbt build"],
        baseline=[empty + sql for empty, sql in pairs],
        describes="`dbt build` as people run it, on a fresh warehouse with a"
        " parse cache, against the sum of `dbt build --empty` on raw files"
        " without rows (start-up, parsing, every node and unit test) and the"
        f" same SQL in DuckDB alone: {kinds.count('seed')} seeds,"
        f" {kinds.count('model')} models and {kinds.count('test')} data tests"
        f" in the order of their dependencies, {output['threads']} workers;"
        " without unit tests, descriptions and the swap of names. Both made"
        " the same tables with the same numbers of rows.",
        is_speedup=False,
        target=1.5,
        parts={name: times[name] for name in ("dbt build --empty", "bare SQL")},
    )


def inference(bench: Bench) -> Comparison:
    """Time vectorised Welch tests against a loop over SciPy's."""
    control, treatment = _samples()

    def together() -> float:
        started = perf_counter()
        welch_difference(control, treatment)
        return perf_counter() - started

    return _against_scipy(
        bench,
        "inference",
        f"{TESTS:,} Welch tests with intervals by scripts/stats",
        together,
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

    def together() -> float:
        started = perf_counter()
        effects(pairs, ALPHA)
        return perf_counter() - started

    return _against_scipy(
        bench,
        "experiment_tests",
        f"{TESTS:,} rows of experiments, each with its test, its interval, its"
        " relative interval and its reason,",
        together,
        lambda: effects(pairs, ALPHA)["p_value"],
    )


def _samples() -> tuple[Sample, Sample]:
    """Make up the arms of many comparisons."""
    rng = np.random.default_rng(1)
    units = rng.integers(50, 50_000, (2, TESTS))
    means = rng.normal(10, 1, (2, TESTS))
    variances = rng.gamma(9, 1, (2, TESTS))
    return (
        Sample(units[0], means[0], variances[0]),
        Sample(units[1], means[1], variances[1]),
    )


def _against_scipy(
    bench: Bench,
    name: str,
    what: str,
    together: Callable[[], float],
    p_values: Callable[[], Any],
) -> Comparison:
    """Compare vectorised tests of `_samples` with a loop over SciPy's."""
    control, treatment = (
        tuple(np.asarray(part) for part in arm) for arm in _samples()
    )
    other = np.empty(TESTED_BY_SCIPY)

    def one_by_one() -> float:
        started = perf_counter()
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
        return (perf_counter() - started) * TESTS / TESTED_BY_SCIPY

    together()
    times = bench.compare(
        name, {"together": together, "one by one": one_by_one}
    )
    ours = np.asarray(p_values())[:TESTED_BY_SCIPY]
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
        target=None,
        parts={},
    )


def generate(bench: Bench) -> Comparison:
    """Time the simulator against DuckDB writing the same bytes."""
    folder = bench.folder / "generated"
    folder.mkdir()
    command = (
        sys.executable,
        PROJECT / "scripts" / "generate_seeds.py",
        *("--scale", str(SMALL_SCALE), "--force", "--out", folder),
    )
    progress("generate: preparing")
    timed(command)
    names = [f"{name}.csv" for name in TABLES]
    files = _json(folder / "manifest.json")["files"]
    rows = sum(files[name]["rows"] for name in names)
    lines = "(format csv, header false, delimiter '\x01', quote '', escape '')"

    with closing(duckdb.connect()) as connection:
        for name in names:
            connection.execute(
                f'create table "{name}" as select * from read_csv('
                f"{_quoted(folder / name)}, columns = {{'line': 'varchar'}},"
                " auto_detect = false, header = false, delim = '\x01',"
                " quote = '', escape = '')"
            )
        copies = bench.folder / "copied"
        copies.mkdir()

        def write() -> float:
            started = perf_counter()
            for name in names:
                connection.execute(
                    f'copy "{name}" to {_quoted(copies / name)} {lines}'
                )
            return perf_counter() - started

        times = bench.compare(
            "generate",
            {"generate_seeds.py": lambda: timed(command), "copy": write},
        )
    for name in names:
        digest = hashlib.sha256((copies / name).read_bytes()).hexdigest()
        if digest != files[name]["sha256"]:
            raise BenchmarkError(f"DuckDB wrote other bytes to {name}")
    speeds = [
        f"{rows / np.median(seconds):,.0f} rows/s" for seconds in times.values()
    ]
    return Comparison(
        name="generate",
        measured=times["generate_seeds.py"],
        baseline=times["copy"],
        describes=f"generate_seeds.py --scale {SMALL_SCALE}, from start to"
        f" exit, {rows:,} rows ({speeds[0]}), against DuckDB's `copy ... to`"
        f" writing the same bytes from finished lines ({speeds[1]}).",
        is_speedup=False,
        target=None,
        parts={},
    )


def post_step(bench: Bench) -> Comparison:
    """Time the statistics against importing the libraries."""
    warehouse = bench.built / f"{CATALOG}.duckdb"
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        [events] = connection.execute(
            "select event_count from marts.fct_observation"
        ).fetchall()
    times = bench.compare(
        "post_step",
        {
            "analyze.py": lambda: timed(
                (
                    sys.executable,
                    PROJECT / "scripts" / "analyze.py",
                    *("--warehouse", warehouse, "--seeds", bench.seeds),
                )
            ),
            "imports": lambda: timed(
                (sys.executable, "-c", "import duckdb, pandas, scipy")
            ),
        },
    )
    return Comparison(
        name="post_step",
        measured=times["analyze.py"],
        baseline=times["imports"],
        describes="analyze.py, all statistics and scenarios, on the marts of"
        f" {events[0]:,} events, against Python importing duckdb, pandas and"
        " scipy.",
        is_speedup=False,
        target=None,
        parts={},
    )


def usage_marts(bench: Bench) -> Comparison:
    """Time a build with and without the marts that describe usage."""
    without = bench.folder / "without_usage"
    times = bench.compare(
        "usage_marts",
        {
            "all": lambda: bench.dbt(["build"], bench.seeds, bench.built),
            "without": lambda: bench.dbt(
                ["build", "--exclude", *USAGE], bench.seeds, without
            ),
        },
    )
    return Comparison(
        name="usage_marts",
        measured=times["all"],
        baseline=times["without"],
        describes="dbt build of everything, against the same without the marts"
        " of plays, engagement and funnels and without the triangle, curves,"
        " survival, streaks and tenure.",
        is_speedup=False,
        target=1.4,
        parts={},
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
    with closing(duckdb.connect(str(file))) as connection:
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


BENCHMARKS = {
    one.__name__: one
    for one in (
        seed_reader,
        dbt_overhead,
        usage_marts,
        inference,
        experiment_tests,
        generate,
        experiment_statistics,
        post_step,
    )
}


def copy_readable(
    source: Path, copy: Path, types: Mapping[str, str], limit: int | None
) -> int:
    """Copy the first well-formed lines of a CSV file; return their number."""
    columns = {name: types.get(name, "varchar") for name in _header(source)}
    some = "" if limit is None else f"limit {limit}"
    with closing(duckdb.connect()) as connection:
        [(rows,)] = connection.execute(
            f"""
            copy (
                select *
                from read_csv(
                    {_quoted(source)}, columns = {columns!r}, header = true,
                    auto_detect = false, delim = ',', quote = '"',
                    escape = '"', nullstr = '', ignore_errors = true
                )
                {some}
            ) to {_quoted(copy)} (format csv, header true)
            """
        ).fetchall()
    return int(rows)


def table_rows(warehouse: Path) -> dict[str, int]:
    """Count the rows of every table of a warehouse."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        names = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
        ).fetchall()
        counts = {}
        for (name,) in names:
            [(count,)] = connection.execute(
                f"select count(*) from {name}"
            ).fetchall()
            counts[str(name)] = int(count)
    return counts


def progress(text: str) -> None:
    """Tell stderr what is being done."""
    print(text, file=sys.stderr, flush=True)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _json(path: Path) -> Any:  # noqa: ANN401
    return json.loads(path.read_text(encoding="utf-8"))


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return next(csv.reader(lines), [])


def _memory() -> int:
    """Bytes of memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description="Time this project against named baselines, and print the "
        "ratios. Run after make data, on an idle machine.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--runs", type=int, default=3, help="turns of each contender"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        choices=BENCHMARKS,
        default=list(BENCHMARKS),
        help=f"some of {', '.join(BENCHMARKS)}",
    )
    parser.add_argument(
        "--seeds",
        type=Path,
        default=Path(os.environ.get("STREAMING_SEEDS") or "seeds"),
        help="folder of the raw files",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("target/benchmark.json"),
        help="file to write; work is done in a folder beside it",
    )
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error(f"--runs must be at least 1, got {options.runs}")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write, and print."""
    options = parsed(arguments)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(
            prefix="benchmark-", dir=options.out.parent
        ) as place:
            folder = Path(place).resolve()
            obstacle = find_obstacle(options.seeds, folder / "any.duckdb")
            if obstacle:
                raise BenchmarkError(obstacle)
            bench = Bench(options.seeds, folder, options.runs)
            found = [
                benchmark(bench)
                for name, benchmark in BENCHMARKS.items()
                if name in options.only
            ]
    except (BenchmarkError, duckdb.Error, OSError) as error:
        sys.exit(f"benchmark: {str(error).splitlines()[0]}")
    except KeyboardInterrupt:
        sys.exit("benchmark: stopped; nothing written")
    record = {
        "runs": options.runs,
        "processors": os.cpu_count(),
        "python": sys.version.split()[0],
        "duckdb": duckdb.__version__,
        "benchmarks": [one.as_record() for one in found],
    }
    options.out.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    print(f"Medians of {options.runs} runs, taking turns\n\n{table(found)}\n")
    for one in found:
        print(f"{one.name}: {one.describes}")
    print(f"\n{options.out}")


if __name__ == "__main__":
    main()
