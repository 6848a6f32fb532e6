"""Build the same logs on DuckDB and on Spark, and compare all that comes out.

Starts a Spark server on this machine, builds, tests, analyses and reports each
log on both engines, and compares every relation in every column. Without
--log the logs are made here: a small demo, and one that has everything that a
log can have. Run by ``make spark``:

    python scripts/compare_engines.py [--log NAME ...]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from check_workplace import complete
from display.text import aligned, text_table
from raw.files import TABLES, reference_files
from spark_server import (
    HOST,
    ServerError,
    Settings,
    add_sizes,
    free_port,
    start,
    stop,
)

ROOT = Path(__file__).resolve().parent.parent
DBT = (str(Path(sys.executable).parent / "dbt"), "--no-use-colors")
ENGINES = ("duckdb", "spark")
MADE_HERE = ("demo", "complete")
COMPLETE_LOG = "tests/helpers/complete_log.py"

# What names the run itself, and so differs between engines by design.
OF_THE_RUN = (
    "results.*.input_version",
    "results.analysis_runs.engine_name",
    "results.analysis_runs.engine_version",
)


class ProofError(Exception):
    """What a user must know: what failed, and where to read on."""


@dataclass
class Proof:
    """One log on both engines."""

    name: str  # of the log
    # Its raw files, and all that is made of them here.
    seeds: Path
    folder: Path
    # Engine to step to seconds.
    seconds: dict[str, dict[str, float]] = field(default_factory=dict)
    # What the comparison says; see `compare_warehouses.py`.
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.folder / "warehouse.duckdb"

    @property
    def landed(self) -> Path:
        """The Parquet files that Spark reads."""
        return self.folder / "landed"

    def environment(
        self, engine: str, spark: Mapping[str, str]
    ) -> dict[str, str]:
        """Where an engine finds the log and leaves what it makes."""
        return {
            **os.environ,
            **spark,
            "STREAMING_TARGET": engine,
            "STREAMING_SEEDS": str(self.seeds),
            "STREAMING_WAREHOUSE": str(self.warehouse),
            "STREAMING_LANDED": str(self.landed),
            "DBT_TARGET_PATH": str(self.folder / engine),
            "DBT_LOG_PATH": str(self.folder / engine),
        }


def prove(proof: Proof, spark: Mapping[str, str], *, units: bool) -> None:
    """Build and compare one log; fill in its seconds and findings.

    `spark` holds the environment variables that say where Spark is; units say
    whether the unit tests of the models run on Spark too.

    Raises
    ------
    ProofError
        If a step fails.
    """
    proof.folder.mkdir(parents=True, exist_ok=True)
    proof.warehouse.unlink(missing_ok=True)
    complete(proof.seeds)
    variables = variables_of(proof.seeds)
    for engine in ENGINES:
        environment = proof.environment(engine, spark)
        address = f"target:{engine}"
        steps = {
            "land": script("land.py"),
            "build": [
                *(*DBT, "build", "--exclude-resource-type", "unit_test"),
                *variables,
            ],
            "unit tests": [
                *(*DBT, "test", "--select", "test_type:unit", *variables),
            ],
            "analyze": script("analyze.py", "--warehouse", address),
            "report": script(
                "build_report.py",
                *("--warehouse", address),
                *("--out", str(proof.folder / engine / "report")),
            ),
        }
        if engine == "duckdb":
            del steps["land"]
        if engine == "duckdb" or not units:
            del steps["unit tests"]
        proof.seconds[engine] = {
            name: run(f"{proof.name}, {engine}: {name}", words, environment)
            for name, words in steps.items()
        }
    compare(proof, spark)


def compare(proof: Proof, spark: Mapping[str, str]) -> None:
    """Compare the two warehouses of a log, and keep what was found."""
    record = proof.folder / "comparison.json"
    words = script(
        "compare_warehouses.py",
        *(str(proof.warehouse), "target:spark", "--json", str(record)),
        *(word for pattern in OF_THE_RUN for word in ("--except", pattern)),
    )
    print(f"{proof.name}: comparison", flush=True)
    done = subprocess.run(  # noqa: S603 (composed above)
        words,
        cwd=ROOT,
        env=proof.environment("spark", spark),
        check=False,
    )
    if done.returncode not in (0, 1):
        raise ProofError(f"{proof.name} could not be compared")
    proof.found = json.loads(record.read_text(encoding="utf-8"))


def script(name: str, *words: str) -> list[str]:
    """Compose a call of one of the project's scripts."""
    return [sys.executable, f"scripts/{name}", *words]


def run(title: str, words: Sequence[str], env: Mapping[str, str]) -> float:
    """Run a step, its words kept in a file; return its seconds.

    Raises
    ------
    ProofError
        If it fails.
    """
    log = Path(env["DBT_TARGET_PATH"]) / "step.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f"{title} ...", end="", flush=True)
    began = time.monotonic()
    with log.open("w", encoding="utf-8") as file:
        done = subprocess.run(  # noqa: S603 (composed above)
            words,
            cwd=ROOT,
            env=dict(env),
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    seconds = time.monotonic() - began
    print(f" {seconds:.1f} s", flush=True)
    if done.returncode:
        lines = log.read_text(encoding="utf-8").splitlines()
        raise ProofError(
            f"{title} failed; the end of {log} reads:\n"
            + "\n".join(f"  {line}" for line in lines[-15:])
        )
    return seconds


def variables_of(seeds: Path) -> list[str]:
    """Give the variables that a loaded log brings, as dbt's arguments."""
    path = seeds / "vars.yml"
    if not path.is_file():
        return []
    return ["--vars", path.read_text(encoding="utf-8")]


def make_logs(folder: Path, options: argparse.Namespace) -> dict[str, Path]:
    """Write the logs that are made here; return their folders.

    Raises
    ------
    ProofError
        If one cannot be made.
    """
    names = [options.only] if options.only else MADE_HERE
    logs = {name: folder / name / "seeds" for name in names}
    sizes = ["--users", str(options.users), "--panel", str(options.panel)]
    for name, seeds in logs.items():
        words = script("generate_seeds.py", *sizes, "--out", str(seeds))
        if name == "complete":
            words = [sys.executable, COMPLETE_LOG, str(seeds), *sizes]
        done = subprocess.run(  # noqa: S603 (composed above)
            words,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ProofError(f"a log could not be made: {done.stderr}")
        for path in reference_files(ROOT / "seeds"):
            if not (seeds / path).exists():
                (seeds / path).parent.mkdir(exist_ok=True)
                shutil.copy(ROOT / "seeds" / path, seeds / path)
    return logs


def loaded_logs(names: Sequence[str]) -> dict[str, Path]:
    """Find the folders of logs that `make load` has read.

    Raises
    ------
    ProofError
        If there is no such log.
    """
    found = {name: (ROOT / "logs" / name).resolve() for name in names}
    for name, folder in found.items():
        if not all((folder / f"{table}.csv").is_file() for table in TABLES):
            raise ProofError(
                f"there is no log {name} in logs/; load it with `make load`"
            )
    return found


def summary(proofs: Sequence[Proof]) -> str:
    """Lay out seconds by engine and step, and what the comparison found."""
    steps = list(
        dict.fromkeys(
            step
            for proof in proofs
            for engine in reversed(ENGINES)
            for step in proof.seconds[engine]
        )
    )
    seconds = [
        [
            f"{proof.name}, {engine}",
            *(
                f"{proof.seconds[engine][step]:.1f}"
                if step in proof.seconds[engine]
                else "-"
                for step in steps
            ),
        ]
        for proof in proofs
        for engine in ENGINES
    ]
    findings = text_table(
        [proof.found | {"log": proof.name} for proof in proofs],
        {
            "log": lambda row: row["log"],
            "equal": lambda row: (
                f"{row['relations_equal']} of {row['relations']}"
            ),
            "columns": lambda row: f"{row['columns_compared']:,}",
            "rows": lambda row: f"{row['rows']:,}",
            "largest difference": lambda row: (
                f"{row['largest_relative_difference']:.1e}"
            ),
        },
    )
    equal = sum(proof.found["relations_equal"] for proof in proofs)
    total = sum(proof.found["relations"] for proof in proofs)
    return "\n\n".join(
        (
            f"Seconds\n{aligned(('', *steps), seconds)}",
            f"Relations\n{findings}",
            f"{equal} of {total} relations equal",
        )
    )


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description="Build the same logs on DuckDB and on Spark, and compare"
        " every relation in every column.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--log",
        action="append",
        metavar="NAME",
        help="a log that `make load` has read; may be repeated (default: two"
        " small logs that are made here)",
    )
    parser.add_argument(
        "--only",
        choices=MADE_HERE,
        help="one of the logs made here; complete holds all that demo does",
    )
    parser.add_argument(
        "--users", type=int, default=1500, help="new users of the logs made"
    )
    parser.add_argument(
        "--panel", type=int, default=60, help="established users of them"
    )
    add_sizes(parser)
    parser.add_argument(
        "--running",
        action="store_true",
        help="use the Spark that profiles.yml names, instead of starting one"
        " here; it must be able to read the folder of --out",
    )
    parser.add_argument(
        "--unit-tests",
        action="store_true",
        help="run the unit tests of the models on Spark, too",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("target/engines"),
        help="folder of everything that is made",
    )
    return parser.parse_args(arguments)


def proven(options: argparse.Namespace) -> list[Proof]:
    """Prove every log on a Spark that is started for it, and stopped."""
    folder = options.out.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    logs = (
        loaded_logs(options.log) if options.log else make_logs(folder, options)
    )
    proofs = [Proof(name, seeds, folder / name) for name, seeds in logs.items()]
    settings = Settings(
        folder / "spark", free_port(), options.master, options.memory
    )
    spark = {}
    if not options.running:
        print(f"Spark starts on {settings.master} ...", flush=True)
        spark = {
            "SPARK_HOST": HOST,
            "SPARK_PORT": str(start(settings)),
            # Small queries are planned longer than they run: two plan while
            # another runs, and nobody sleeps when one has ended.
            "SPARK_POLL_SECONDS": "0",
            "SPARK_THREADS": "3",
        }
    try:
        for number, proof in enumerate(proofs):
            prove(proof, spark, units=options.unit_tests and number == 0)
    finally:
        if not options.running:
            stop(settings)
    return proofs


def main() -> None:
    """Prove, print the table, and fail where anything differs."""
    try:
        proofs = proven(parsed())
    except (ProofError, ServerError, OSError) as error:
        sys.exit(f"compare_engines: {error}")
    print(f"\n{summary(proofs)}")
    sys.exit(
        any(
            proof.found["relations_equal"] < proof.found["relations"]
            for proof in proofs
        )
    )


if __name__ == "__main__":
    main()
