"""Raw files: this project's reader of CSV against dbt's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from benchmarks.bench import (
    PROFILE,
    PROJECT,
    Bench,
    BenchmarkError,
    header_of,
    progress,
    quoted,
    read_json,
)
from benchmarks.timing import Comparison
from engine.connections import open_duckdb

# dbt's own seed reader is tried on so many rows first; the whole file is then
# left out when it would take longer, or more than half of the memory.
PROBE_ROWS = 100_000
SLOW_SECONDS = 180
READER_BYTES_PER_ROW = 1_200
CUT_ROWS = 1_000_000


def seed_reader(bench: Bench) -> Comparison:
    """Load events.csv by this project's materialization and by dbt's."""
    seeds = bench.raw_folder("events")
    target = bench.folder / "events-target"
    progress("seed_reader: preparing")
    bench.dbt(["parse"], seeds, target)
    manifest = read_json(target / "manifest.json")
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
        return execute_seconds(read_json(written / "run_results.json"), "seed.")

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
    )


def copy_readable(
    source: Path, copy: Path, types: Mapping[str, str], limit: int | None
) -> int:
    """Copy the first well-formed lines of a CSV file; return their number."""
    columns = {name: types.get(name, "varchar") for name in header_of(source)}
    some = "" if limit is None else f"limit {limit}"
    with closing(open_duckdb()) as connection:
        [(rows,)] = connection.execute(
            f"""
            copy (
                select *
                from read_csv(
                    {quoted(source)}, columns = {columns!r}, header = true,
                    auto_detect = false, delim = ',', quote = '"',
                    escape = '"', nullstr = '', ignore_errors = true
                )
                {some}
            ) to {quoted(copy)} (format csv, header true)
            """
        ).fetchall()
    return int(rows)


def execute_seconds(results: Mapping[str, Any], prefix: str) -> float:
    """Sum what dbt spent in the materializations of some nodes.

    Takes dbt's ``run_results.json`` and how the nodes' ids start.

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


def _memory() -> int:
    """Bytes of memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
