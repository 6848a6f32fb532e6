"""Commands from start to exit: the simulator, and the statistics."""

from __future__ import annotations

import hashlib
import sys
from contextlib import closing

import numpy as np

from benchmarks.bench import (
    CATALOG,
    PROJECT,
    Bench,
    BenchmarkError,
    progress,
    quoted,
    read_json,
    timed,
)
from benchmarks.timing import Comparison, seconds_of
from engine.connections import open_duckdb
from raw.files import TABLES

SMALL_SCALE = 0.1


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
    files = read_json(folder / "manifest.json")["files"]
    rows = sum(files[name]["rows"] for name in names)
    lines = "(format csv, header false, delimiter '\x01', quote '', escape '')"

    with closing(open_duckdb()) as connection:
        for name in names:
            connection.execute(
                f'create table "{name}" as select * from read_csv('
                f"{quoted(folder / name)}, columns = {{'line': 'varchar'}},"
                " auto_detect = false, header = false, delim = '\x01',"
                " quote = '', escape = '')"
            )
        copies = bench.folder / "copied"
        copies.mkdir()

        def write() -> None:
            for name in names:
                connection.execute(
                    f'copy "{name}" to {quoted(copies / name)} {lines}'
                )

        times = bench.compare(
            "generate",
            {
                "generate_seeds.py": lambda: timed(command),
                "copy": lambda: seconds_of(write),
            },
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
    )


def post_step(bench: Bench) -> Comparison:
    """Time the statistics against importing the libraries."""
    warehouse = bench.built / f"{CATALOG}.duckdb"
    with open_duckdb(warehouse, read_only=True) as connection:
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
    )
