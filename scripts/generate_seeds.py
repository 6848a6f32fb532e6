"""Simulate the streaming service and write it as raw files.

Writes ``users.csv``, ``content.csv``, ``events.csv``,
``experiment_assignments.csv`` and ``manifest.json``, the raw files that
``dbt build`` reads, and ``planted_truth.json``, which only tests read:

    python scripts/generate_seeds.py

The same options give the same bytes on every machine. Users are simulated in
chunks and events are sorted in slices of time, so memory does not grow with
``--scale``. A run that is killed leaves the earlier files as they were, or
files without a manifest, which the next run replaces.
"""

from __future__ import annotations

import argparse
import json
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
from simulation.files import (
    BYTES_PER_ROW,
    BYTES_PER_TYPED_ROW,
    PARQUET_ROWS,
    SeedFile,
    Slices,
    TypedFiles,
    expected_rows,
)
from simulation.lines import (
    assignment_line,
    content_lines,
    event_line,
    event_row,
    user_line,
)
from simulation.progress import Progress
from simulation.tally import Tally, add
from simulation.truth import planted_truth

GENERATOR_VERSION = "1.0"
WORKSPACE = ".generating"
TRUTH = "planted_truth.json"
FILES = (*(f"{table}.csv" for table in TABLES), TRUTH)
# Beside events.csv, for large logs: the same rows as Parquet.
TYPED = "events"


def identity(
    config: SimulationConfig, *, is_typed: bool = False
) -> dict[str, Any]:
    """Everything that decides the bytes of the files."""
    return ({"format": "parquet"} if is_typed else {}) | {
        "log_name": "demo",
        "source": "simulated",
        "seed": config.seed,
        "generator_version": GENERATOR_VERSION,
        "config": json.loads(json.dumps(asdict(config))),
    }


def is_current(config: SimulationConfig, out: Path, *, is_typed: bool) -> bool:
    """Whether the folder holds exactly what this run would write."""
    manifest = read_manifest(out)
    files = manifest.pop("files", None)
    try:
        return manifest == identity(config, is_typed=is_typed) and all(
            (out / name).stat().st_size == files[name]["bytes"]
            for name in {*FILES, *files}
        )
    except (OSError, KeyError, TypeError):
        return False


def generate(
    config: SimulationConfig, out: Path, *, is_typed: bool = False
) -> dict[str, Any]:
    """Simulate the service and replace the raw files in `out`.

    Events are Parquet if they are to be typed. Gives the manifest, as written.

    Raises
    ------
    OSError
        If the disk has too little room.
    """
    out.mkdir(parents=True, exist_ok=True)
    folder = out / WORKSPACE
    # What a killed run left behind.
    shutil.rmtree(folder, ignore_errors=True)
    needed = expected_rows(config) * (
        BYTES_PER_TYPED_ROW if is_typed else BYTES_PER_ROW
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
        manifest = write_files(config, folder, is_typed=is_typed)
        # The manifest goes first and comes last: files without a manifest
        # are never taken for complete.
        (out / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(out / TYPED, ignore_errors=True)
        if is_typed:
            (folder / TYPED).replace(out / TYPED)
        for name in (*FILES, MANIFEST):
            (folder / f"{name}.partial").replace(out / name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return manifest


def write_files(
    config: SimulationConfig, folder: Path, *, is_typed: bool
) -> dict[str, Any]:
    """Write all files under temporary names; return the manifest."""
    titles = draw_catalogue(config, generator(config, 0))
    files = {table: SeedFile(table, folder) for table in TABLES}
    typed = TypedFiles("events", files["events"], folder) if is_typed else None
    line, row = event_line(config), event_row(config)
    slices = Slices(config, folder)
    counts: Tally = {}
    progress = Progress(chunk_count(config) + len(slices.paths))
    with open_duckdb() as connection:
        # Rows must keep their order, whatever the machine.
        connection.execute("set threads = 1; set memory_limit = '1GB'")
        for chunk in draw_chunks(config, titles):
            add(counts, chunk.counts)
            files["users"].append(connection, chunk.users, user_line(config))
            files["experiment_assignments"].append(
                connection, chunk.assignments, assignment_line(config)
            )
            slices.add(chunk.rows)
            progress.step("users")
        files["content"].append_lines(content_lines(config, titles))
        for rows in slices.in_order():
            if typed:
                typed.append(connection, rows, row, line)
            else:
                files["events"].append(connection, rows, line)
            progress.step("events")
        if typed:
            typed.flush(connection, row)
    truth = folder / f"{TRUTH}.partial"
    content = planted_truth(config, counts)
    truth.write_text(
        json_text({"generator_version": GENERATOR_VERSION} | content),
        encoding="utf-8",
    )
    manifest = identity(config, is_typed=is_typed) | {
        "files": {
            f"{name}.csv": file.described() for name, file in files.items()
        }
        | (typed.described() if typed else {})
        | {TRUTH: {"rows": 1, **file_facts(truth)}}
    }
    (folder / f"{MANIFEST}.partial").write_text(
        json_text(manifest), encoding="utf-8"
    )
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
        choices=("csv", "parquet"),
        help="how events are written (default: parquet from"
        f" {PARQUET_ROWS:,} expected rows on)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("seeds"), help="folder to write to"
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
        with locked(options.out, this_command()):
            is_typed = (
                options.format == "parquet"
                if options.format
                else expected_rows(config) >= PARQUET_ROWS
            )
            if not options.force and is_current(
                config, options.out, is_typed=is_typed
            ):
                print(f"{options.out}: up to date (seed {config.seed})")
                return 0
            print(
                f"{options.out}: writing {config.new_users:,} new users and"
                f" {config.panel_members:,} established members over"
                f" {config.days} days, up to"
                f" {round(expected_rows(config), -4):,} event rows",
                flush=True,
            )
            manifest = generate(config, options.out, is_typed=is_typed)
    except (ValueError, OSError, LockedError, duckdb.Error) as error:
        print(f"generate_seeds.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("generate_seeds.py: stopped; nothing replaced", file=sys.stderr)
        return 130
    rows = sum(
        facts["rows"]
        for name, facts in manifest["files"].items()
        if name.startswith(TYPED)
    )
    print(
        f"{options.out}: {config.new_users + config.panel_members:,} users, "
        f"{rows:,} event rows (seed {config.seed})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
