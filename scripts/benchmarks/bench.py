"""What every benchmark is given: raw files, a folder, runs, and a dbt.

Builds and writes in the folder alone; raises `BenchmarkError` for what a user
must know.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.timing import interleaved
from publication.runs import RUN_VARIABLE
from raw.files import TABLES

PROJECT = Path(__file__).resolve().parents[2]
PROFILE = "streaming_engagement"
# The file's stem is the catalog that the compiled SQL names.
CATALOG = "streaming_engagement"


class BenchmarkError(Exception):
    """What a user must know: one line that names the cause and the remedy."""


class Bench:
    """The raw files, a folder to work in, and the number of runs."""

    def __init__(
        self, seeds: Path, folder: Path, runs: int, scale: float = 1.0
    ) -> None:
        """Prepare nothing yet; every fixture is made when first used.

        The scale is how many times as large as the demo a large log is.
        """
        self.seeds, self.folder, self.runs = seeds.resolve(), folder, runs
        self.scale = scale

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
                "STREAMING_TARGET": "duckdb",
                "STREAMING_SEEDS": str(seeds),
                "STREAMING_WAREHOUSE": str(warehouse),
                "DBT_TARGET_PATH": str(target),
                "DBT_LOG_PATH": str(target),
                "DBT_PROFILES_DIR": str(PROJECT),
                # Of another project nothing is published.
                **({RUN_VARIABLE: "1"} if project != PROJECT else {}),
                "PYTHONPATH": str(PROJECT / "scripts"),
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
                header = ",".join(header_of(path))
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


def progress(text: str) -> None:
    """Tell stderr what is being done."""
    print(text, file=sys.stderr, flush=True)


def quoted(path: Path) -> str:
    """Write a path as a literal of SQL."""
    return "'" + str(path).replace("'", "''") + "'"


def read_json(path: Path) -> Any:  # noqa: ANN401
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def header_of(path: Path) -> list[str]:
    """Read the column names of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return next(csv.reader(lines), [])
