"""What an event costs as the log grows."""

from __future__ import annotations

import resource
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.bench import CATALOG, PROJECT, Bench, progress, timed
from benchmarks.timing import Comparison
from engine.connections import open_duckdb

WATCHED_EVERY = 1.0  # seconds between two looks at a folder


@dataclass(frozen=True)
class Growth:
    """One build of a simulated log."""

    events: int
    cpu_seconds: float
    wall_seconds: float
    peak_memory: int  # of the largest process so far [bytes]
    peak_disk: int  # of the raw files and everything that is built [bytes]
    file: int  # the published file [bytes]

    def described(self) -> str:
        """Say it in a line."""
        return (
            f"{self.events:,} events: {self.cpu_seconds:,.0f} CPU s,"
            f" {self.wall_seconds:,.0f} s, {self.peak_memory / 1e9:.1f} GB of"
            f" memory, {self.peak_disk / 1e9:.1f} GB of disk at the most,"
            f" {self.file / self.events:.0f} bytes an event in the file"
        )


def scale(bench: Bench) -> Comparison:
    """Measure an event's CPU time in a large log, against the demo."""
    grown = [built(bench, factor) for factor in (1.0, bench.scale)]
    seconds = [1e6 * one.cpu_seconds / one.events for one in grown]
    return Comparison(
        name="scale",
        measured=[seconds[1]],
        baseline=[seconds[0]],
        describes="CPU time of `dbt build` for a million events of the demo"
        f" {bench.scale:g} times as large, against the demo, both with Parquet;"
        " one run each. " + "; ".join(one.described() for one in grown),
        is_speedup=False,
        target=1.3,
    )


def built(bench: Bench, factor: float) -> Growth:
    """Simulate a log so many times as large as the demo, and build it."""
    seeds = bench.raw_folder(f"scale-{factor:g}")
    target = seeds / "target"
    progress(f"scale: simulating the demo {factor:g} times")
    timed(
        (
            sys.executable,
            PROJECT / "scripts" / "generate_seeds.py",
            *("--scale", str(factor), "--format", "parquet"),
            *("--force", "--out", str(seeds)),
        )
    )
    progress(f"scale: building it {factor:g} times")
    before, started = cpu_of_children(), perf_counter()
    with watched(seeds) as sizes:
        bench.dbt(["build"], seeds, target)
    seconds = perf_counter() - started
    file = target / f"{CATALOG}.duckdb"
    with open_duckdb(file, read_only=True) as connection:
        [(events,)] = connection.execute(
            "select raw_rows from marts.fct_reconciliation"
            " where table_name = 'events'"
        ).fetchall()
    found = Growth(
        events=events,
        cpu_seconds=cpu_of_children() - before,
        wall_seconds=seconds,
        peak_memory=1024
        * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
        peak_disk=max(sizes),
        file=file.stat().st_size,
    )
    progress(f"scale: {found.described()}")
    shutil.rmtree(seeds)
    return found


def cpu_of_children() -> float:
    """Return the CPU time of all commands that have ended [s]."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@contextmanager
def watched(folder: Path) -> Iterator[list[int]]:
    """Note the size of a folder now and then [bytes]."""
    sizes = [folder_bytes(folder)]
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(WATCHED_EVERY):
            sizes.append(folder_bytes(folder))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield sizes
    finally:
        ended.set()
        thread.join()
        sizes.append(folder_bytes(folder))


def folder_bytes(folder: Path) -> int:
    """Add up the files of a folder; one that goes meanwhile counts nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total
