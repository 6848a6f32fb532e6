"""Time this project against named baselines, and print the ratios.

Reads the raw files; builds and writes in a folder of its own inside the
folder of ``--out``, which is removed at the end, so the warehouse of the
project stays untouched. Writes one JSON file. Run after ``make data``:

    python scripts/benchmark.py

Both sides of a ratio are measured in the same run, taking turns; shown are
medians with the least and the largest run. Needs an idle machine; what counts
CPU time or bytes needs none.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb

from benchmarks import (
    building,
    commands,
    events,
    experiments,
    growth,
    publishing,
    reading,
)
from benchmarks.bench import Bench, BenchmarkError
from benchmarks.timing import table
from check_workplace import find_obstacle

BENCHMARKS = {
    one.__name__: one
    for one in (
        reading.seed_reader,
        building.dbt_overhead,
        building.usage_marts,
        publishing.publication,
        events.event_cost,
        events.footprint,
        experiments.inference,
        experiments.experiment_tests,
        commands.generate,
        experiments.experiment_statistics,
        commands.post_step,
        growth.scale,
    )
}


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
        help=f"some of {', '.join(BENCHMARKS)} (default: all but scale)",
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
    parser.add_argument(
        "--scale",
        type=float,
        help="only the benchmark scale, with the demo so many times",
    )
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error(f"--runs must be at least 1, got {options.runs}")
    if options.scale is not None and options.scale <= 1:
        parser.error(f"--scale must be above 1, got {options.scale}")
    if options.only is None:
        options.only = [
            name
            for name in BENCHMARKS
            if (name == "scale") == (options.scale is not None)
        ]
    if "scale" in options.only and options.scale is None:
        parser.error("scale needs --scale, how many times the demo")
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
            bench = Bench(
                options.seeds, folder, options.runs, options.scale or 1.0
            )
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
