"""Builds: dbt against the same SQL without it, and what some marts cost."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ThreadPoolExecutor,
    wait,
)
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from time import perf_counter
from typing import Any

import yaml
from jinja2 import Template

from benchmarks.bench import (
    CATALOG,
    PROFILE,
    PROJECT,
    Bench,
    BenchmarkError,
    header_of,
    quoted,
    read_json,
)
from benchmarks.timing import Comparison
from engine.connections import open_duckdb

# What describes usage and feeds nothing else.
USAGE = (
    "path:models/marts/engagement",
    "path:models/marts/playback",
    "path:models/marts/funnels",
    "path:models/intermediate/funnels",
    *("fct_plays", "fct_retention_triangle", "fct_retention_curve"),
    *("fct_survival", "fct_user_lifetimes"),
    *("fct_user_streaks", "fct_tenure"),
)
Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """SQL of a build without dbt."""

    # Statements for schemas and the tables that the project declares.
    setup: list[str]
    statements: dict[str, str]  # node to its SQL
    parents: dict[str, set[str]]  # node to the nodes that must be done first


def dbt_overhead(bench: Bench) -> Comparison:
    """Time dbt build against an empty build and the same SQL without dbt."""
    target, (no_seeds, empty_target) = bench.built, bench.empty
    output = duckdb_output()
    plan = bare_plan_of(bench, read_json(target / "manifest.json"))
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
    )


def duckdb_output() -> dict[str, Any]:
    """Read what the profile says of DuckDB, in this environment."""
    profiles = Template((PROJECT / "profiles.yml").read_text(encoding="utf-8"))
    told = yaml.safe_load(profiles.render(env_var=os.environ.get))
    return dict(told[PROFILE]["outputs"]["duckdb"])


def bare_plan_of(bench: Bench, manifest: Manifest) -> Plan:
    """Take the SQL of the bench's own build out of its manifest."""

    def seed(node: Manifest) -> str:
        path = bench.seeds / Path(node["original_file_path"]).name
        return seed_sql(node, header_of(path), path)

    def read(path: str) -> str:
        return (PROJECT / path).read_text(encoding="utf-8")

    return bare_plan(manifest, read, seed)


def bare_plan(
    manifest: Manifest,
    read: Callable[[str], str],
    seed: Callable[[Manifest], str],
) -> Plan:
    """Take the SQL of a finished build out of its manifest.

    Takes dbt's ``manifest.json``, written by ``dbt build``, and how to read a
    file of ``target/run`` and to write a seed's loading SQL, which dbt does not
    keep. Gives all seeds, models and data tests; no unit tests and no comments.

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


def seed_types(node: Manifest, header: Sequence[str]) -> dict[str, str]:
    """Give the type of each column of a seed's file, by the seed's YAML."""
    return {
        name: node["columns"].get(name, {}).get("data_type") or "varchar"
        for name in header
    }


def seed_sql(node: Manifest, header: Sequence[str], path: Path) -> str:
    """Write the SQL that loads a seed and keeps its malformed lines.

    Takes the seed in dbt's manifest and the column names in its file; gives the
    statements that the project's seed materialization runs.
    """
    types = seed_types(node, header)
    malformed = f'"{node["database"]}"."{node["schema"]}"."malformed_rows"'
    absent = "\n".join(
        f"alter table {node['relation_name']} add column {name}"
        f" {column['data_type']};"
        for name, column in node["columns"].items()
        if name not in types
    )
    return f"""
        create table {node["relation_name"]} as
        select *
        from read_csv(
            {quoted(path)}, columns = {types!r}, auto_detect = false,
            header = true, delim = ',', quote = '"', escape = '"',
            nullstr = '', store_rejects = true, rejects_limit = 0
        );
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


def without_swap(sql: str) -> str:
    """Let a model's SQL write its relation directly.

    dbt writes a table or view under a temporary name and renames it.

    Examples
    --------
    >>> without_swap('create view "c"."s"."plays__dbt_tmp" as (select 1)')
    'create view "c"."s"."plays" as (select 1)'
    """
    return sql.replace('__dbt_tmp"', '"')


def run_bare(
    plan: Plan,
    database: Path,
    *,
    settings: Mapping[str, Any],
    threads: int,
    clock: Callable[[], float] = perf_counter,
) -> float:
    """Run a plan on a fresh file, a cursor per worker; return the seconds.

    A node starts as soon as its parents are done and a worker is free. The
    clock may be one of CPU time instead of the one on the wall.
    """
    database.unlink(missing_ok=True)
    started = clock()
    with open_duckdb(database) as connection:
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
    return clock() - started


def table_rows(warehouse: Path) -> dict[str, int]:
    """Count the rows of every table of a warehouse, but of its runs."""
    with open_duckdb(warehouse, read_only=True) as connection:
        names = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
            " where schema_name <> 'runs'"
        ).fetchall()
        counts = {}
        for (name,) in names:
            [(count,)] = connection.execute(
                f"select count(*) from {name}"
            ).fetchall()
            counts[str(name)] = int(count)
    return counts
