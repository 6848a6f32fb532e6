"""Simulate the streaming service and write it as raw files.

Writes ``users.csv``, ``content.csv``, ``events.csv``,
``experiment_assignments.csv`` and ``manifest.json``, the raw files that
``dbt build`` reads, and ``planted_truth.json``, which only tests read:

    python scripts/generate_seeds.py

With ``--format daily`` it writes the service as daily files instead, as they
would have arrived, for ``scripts/load_logs.py --append``.

The same options give the same bytes on every machine. Users are simulated in
chunks and events are sorted in slices of time, so memory does not grow with
``--scale``. A run that is killed leaves the earlier files as they were, or
files without a manifest, which the next run replaces.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from engine.connections import open_duckdb
from publication.locks import LockedError, locked, this_command
from raw.files import MANIFEST, TABLES, file_facts, json_text, read_manifest
from simulation.catalogue import draw_catalogue
from simulation.chunks import chunk_count, draw_chunks, generator
from simulation.config import (
    LEAST_PANEL_MEMBERS,
    NEW_USERS_PER_MEMBER,
    SimulationConfig,
)
from simulation.daily import add_references
from simulation.files import (
    BYTES_PER_ROW,
    BYTES_PER_TYPED_ROW,
    PARQUET_ROWS,
    Slices,
    expected_rows,
)
from simulation.progress import Progress
from simulation.tally import Tally, add
from simulation.truth import planted_truth
from simulation.writers import WRITERS, Form, Writer

GENERATOR_VERSION = "1.1"
WORKSPACE = ".generating"
TRUTH = "planted_truth.json"
FILES = (*(f"{table}.csv" for table in TABLES), TRUTH)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def identity(config: SimulationConfig, form: Form = "csv") -> dict[str, Any]:
    """Everything that decides the bytes of the files."""
    return ({} if form == "csv" else {"format": form}) | {
        "log_name": "demo",
        "source": "simulated",
        "seed": config.seed,
        "generator_version": GENERATOR_VERSION,
        "config": json.loads(json.dumps(asdict(config))),
    }


def is_current(config: SimulationConfig, out: Path, form: Form) -> bool:
    """Whether the folder holds exactly what this run would write."""
    manifest = read_manifest(out)
    files = manifest.pop("files", None)
    try:
        needed = {TRUTH} if form == "daily" else set(FILES)
        return (
            manifest == identity(config, form)
            and all(
                (out / name).stat().st_size == files[name]["bytes"]
                for name in {*needed, *files}
            )
            and {path.name for path in own_folders(out)}
            <= {Path(name).parts[0] for name in files}
        )
    except (OSError, KeyError, TypeError):
        return False


def own_folders(out: Path) -> list[Path]:
    """List the folders in which only this script writes: Parquet, and days."""
    if not out.is_dir():
        return []
    return sorted(
        path
        for path in out.iterdir()
        if path.is_dir() and (path.name in TABLES or DAY.fullmatch(path.name))
    )


def generate(
    config: SimulationConfig, out: Path, form: Form = "csv"
) -> dict[str, Any]:
    """Simulate the service and replace the raw files in `out`.

    Gives the manifest, as written.

    Raises
    ------
    OSError
        If the disk has too little room.
    ValueError
        If the folder holds another log, or daily files would lie beside raw
        files.
    """
    held = read_manifest(out)
    if held.get("source", "simulated") != "simulated":
        raise ValueError(
            f"{out} holds the log {held.get('log_name')!r}, which is not "
            "simulated; choose another --out"
        )
    if form == "daily" and (out / f"{next(iter(TABLES))}.csv").exists():
        raise ValueError(
            f"{out} holds raw files; choose another --out for daily files"
        )
    out.mkdir(parents=True, exist_ok=True)
    folder = out / WORKSPACE
    # What a killed run left behind.
    shutil.rmtree(folder, ignore_errors=True)
    needed = expected_rows(config) * (
        BYTES_PER_TYPED_ROW if form == "parquet" else BYTES_PER_ROW
    )
    free = shutil.disk_usage(out).free
    if free < needed:
        raise OSError(
            f"{out} has {free / 1e9:.1f} GB free and this log may need "
            f"{needed / 1e9:.1f} GB; free some, choose another --out, or "
            "lower --users or --scale"
        )
    folder.mkdir()
    try:
        writer = WRITERS[form](config, folder)
        manifest = write_files(config, folder, writer, form)
        # The manifest goes first and comes last: files without a manifest
        # are never taken for complete.
        (out / MANIFEST).unlink(missing_ok=True)
        for path in own_folders(out):
            shutil.rmtree(path)
        written = sorted(path.name for path in folder.iterdir())
        for name in sorted(written, key=lambda name: name == MANIFEST):
            (folder / name).replace(out / name)
        if form == "daily":
            add_references(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return manifest


def write_files(
    config: SimulationConfig, folder: Path, writer: Writer, form: Form
) -> dict[str, Any]:
    """Write all files into an empty folder; return the manifest."""
    titles = draw_catalogue(config, generator(config, 0))
    slices = Slices(config, folder)
    counts: Tally = {}
    progress = Progress(chunk_count(config) + len(slices.paths))
    with open_duckdb() as connection:
        # Rows must keep their order, whatever the machine.
        connection.execute("set threads = 1; set memory_limit = '1GB'")
        for chunk in draw_chunks(config, titles):
            add(counts, chunk.counts)
            writer.users(connection, chunk.users)
            writer.assignments(connection, chunk.assignments)
            slices.add(chunk.rows)
            progress.step("users")
        writer.content(titles)
        for rows in slices.in_order():
            writer.events(connection, rows)
            progress.step("events")
        described = writer.finish(connection)
    truth = folder / TRUTH
    content = planted_truth(config, counts)
    truth.write_text(
        json_text({"generator_version": GENERATOR_VERSION} | content),
        encoding="utf-8",
    )
    manifest = identity(config, form) | {
        "files": described | {TRUTH: {"rows": 1, **file_facts(truth)}}
    }
    (folder / MANIFEST).write_text(json_text(manifest), encoding="utf-8")
    return manifest


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    default = SimulationConfig()
    parser = argparse.ArgumentParser(
        description="Simulate a streaming service and write its raw files.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--users", type=int, default=default.new_users, help="new users"
    )
    parser.add_argument(
        "--panel",
        type=int,
        default=argparse.SUPPRESS,
        help="established members, who carry the push experiment (default: "
        f"one for {NEW_USERS_PER_MEMBER} new users, at least "
        f"{LEAST_PANEL_MEMBERS})",
    )
    parser.add_argument(
        "--days", type=int, default=default.days, help="whole days of data"
    )
    parser.add_argument(
        "--seed", type=int, default=default.seed, help="seed of all draws"
    )
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="multiplies all users",
    )
    parser.add_argument(
        "--format",
        choices=tuple(WRITERS),
        help="how events are written (default: parquet from"
        f" {PARQUET_ROWS:,} expected rows on); daily: all as files by day",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="folder to write to (default: seeds; of daily files"
        " target/daily_files)",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="write again even if the files are there already",
    )
    return parser.parse_args(arguments)


def configured(options: argparse.Namespace) -> SimulationConfig:
    """Take the sizes from the command line.

    Raises
    ------
    ValueError
        If a size is impossible, by the name of its option.
    """
    if not 0 < options.scale <= 1_000:  # noqa: PLR2004
        raise ValueError(
            f"--scale must be above 0 and at most 1000, got {options.scale}"
        )
    users = options.users * options.scale
    panel = max(users / NEW_USERS_PER_MEMBER, LEAST_PANEL_MEMBERS)
    if "panel" in options:
        panel = options.panel * options.scale
    try:
        return SimulationConfig(
            seed=options.seed,
            new_users=round(users),
            panel_members=round(panel),
            days=options.days,
        )
    except ValueError as error:
        if options.scale == 1:
            raise
        raise ValueError(f"{error} after --scale {options.scale}") from None


def main(arguments: list[str] | None = None) -> int:
    """Write the raw files, unless they are there already.

    Gives the exit status: 0 when the files are in place, 2 after a refusal, 130
    after Ctrl-C.
    """
    options = parsed(arguments)
    try:
        config = configured(options)
        form: Form = options.format or (
            "parquet" if expected_rows(config) >= PARQUET_ROWS else "csv"
        )
        options.out = options.out or Path(
            "target/daily_files" if form == "daily" else "seeds"
        )
        with locked(options.out, this_command()):
            if not options.force and is_current(config, options.out, form):
                print(f"{options.out}: up to date (seed {config.seed})")
                return 0
            print(
                f"{options.out}: writing {config.new_users:,} new users and"
                f" {config.panel_members:,} established members over"
                f" {config.days} days, up to"
                f" {round(expected_rows(config), -4):,} event rows",
                flush=True,
            )
            manifest = generate(config, options.out, form)
    except (ValueError, OSError, LockedError, duckdb.Error) as error:
        print(f"generate_seeds.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("generate_seeds.py: stopped; nothing replaced", file=sys.stderr)
        return 130
    rows = sum(
        facts["rows"]
        for name, facts in manifest["files"].items()
        if "events" in name
    )
    print(
        f"{options.out}: {config.new_users + config.panel_members:,} users, "
        f"{rows:,} event rows (seed {config.seed})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
