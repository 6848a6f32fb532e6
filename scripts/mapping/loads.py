"""Load a log: whole, or its new files beside what was loaded before."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.connections import open_duckdb
from mapping.folder import Found
from mapping.language import Mapping, MappingError
from mapping.ledger import (
    FileKey,
    check_unchanged,
    column_changes,
    find_files,
    input_facts,
    loads_of,
    plan_loads,
)
from mapping.mistakes import check_later, check_numbering, check_table
from mapping.parts import (
    part_name,
    take_over,
    write_derived,
    write_part,
    write_rejected,
)
from mapping.staging import Load, prepare, stage_table
from mapping.tables import write_tables
from raw.files import TABLES, file_facts, read_manifest

# What the counts of several loads are added up by: numbers, and numbers by
# name.
SUMS = ("read", "added", "written", "lines")
SUMS_BY_NAME = ("rejected", "left_out", "local_times")


@dataclass(frozen=True)
class Wish:
    """How a log is to be loaded bit by bit."""

    replace: bool = False  # files that have changed, in place of what they were
    anew: bool = False  # all files again, as the first load
    force: bool = False  # even where rows of earlier loads are lost


def load_whole(mapping: Mapping, folder: Path, partial: Path) -> Found:
    """Read all files of a log, and write the raw files."""
    with _staged(mapping, folder, partial, check=check_table) as load:
        counts = write_tables(load, partial)
        inputs = [
            {
                "table": found.block.key,
                "name": found.name,
                **file_facts(found.path),
            }
            for found in load.inputs
        ]
    rows = {f"{name}.csv": one["lines"] for name, one in counts.items()}
    return Found(rows, counts, inputs)


def load_more(
    path: Path,
    mapping: Mapping,
    folder: Path,
    wish: Wish,
    *,
    out: Path,
    partial: Path,
) -> tuple[Found, list[str]]:
    """Read the files of a log that are not loaded yet, and add their rows.

    Takes the mapping and its path, the folder of the log's files, the log's
    folder as it is, `out`, and the one that takes its place. Gives what the log
    then holds, and what is to be said of it.

    Raises
    ------
    MappingError
        If the log was loaded in another way before, a file has changed, or one
        that is gone would be lost.
    """
    notes: list[str] = []
    found = find_files(mapping, folder, notes)
    earlier = _earlier(path, out, wish)
    if wish.anew:
        _check_left(earlier.get("inputs", []), found, wish)
        earlier = {}
    plan = plan_loads(found, loads_of(earlier), replace=wish.replace)
    notes += plan.notes
    inputs = [
        one for one in loads_of(earlier) if one["load_number"] not in plan.jobs
    ]
    loads = [
        one
        for one in earlier.get("loads", [])
        if one["load_number"] not in plan.jobs
    ]
    missing = [note for note in notes if note.startswith("events")]
    if not earlier and missing:
        raise MappingError(
            f"{missing[0]}; correct it, or say where the files are with --input"
        )
    take_over(out if earlier else partial, partial, without=plan.jobs)
    for number, files in plan.jobs.items():
        check = check_later if inputs else check_table
        with _staged(mapping, folder, partial, files, check=check) as load:
            check_unchanged(load, files)
            counts = write_part(load, partial, number)
            described = input_facts(load, number)
        notes += column_changes(inputs, described)
        inputs += described
        loads.append({"load_number": number, "tables": counts})
        notes.append(
            f"load {number}: {len(files):,} file(s), "
            f"{sum(one['written'] for one in counts.values()):,} rows written"
        )
    if plan.known:
        notes.append(f"{plan.known:,} file(s) were loaded before")
    with open_duckdb() as connection:
        derived = write_derived(connection, mapping, partial)
        write_rejected(connection, partial)

    inputs.sort(key=lambda one: one["load_number"])
    loads.sort(key=lambda one: one["load_number"])
    counts = _added_up([one["tables"] for one in loads])
    for table, count in derived.items():
        for name in ("added", "written", "lines"):
            counts[table][name] += count
    rows = {f"{table}.csv": count for table, count in derived.items()} | {
        f"{table}/{part_name(one['load_number'])}": count["lines"]
        for one in loads
        for table, count in one["tables"].items()
        if count["lines"]
    }
    return Found(rows, counts, inputs, loads), notes


def _earlier(path: Path, out: Path, wish: Wish) -> dict[str, Any]:
    """Read the manifest of a log that is to be added to; empty for none."""
    manifest = read_manifest(out)
    if not manifest:
        if (out / f"{next(iter(TABLES))}.csv").exists() and not wish.force:
            raise MappingError(
                f"{out} holds a log without a readable manifest.json; put it "
                "back, or replace the log with --force (FORCE=1)"
            )
        return {}
    if wish.anew:
        return manifest
    if not loads_of(manifest):
        raise MappingError(
            f"{out} was loaded whole; to add to it bit by bit, load it once "
            "with --append --anew (APPEND=1 ANEW=1)"
        )
    if manifest["mapping"]["sha256"] != file_facts(path)["sha256"]:
        number = max(one["load_number"] for one in loads_of(manifest))
        raise MappingError(
            f"{path.name} has changed since load {number}, and all rows of a "
            "log are read by one mapping; load all files again with --append "
            "--anew (APPEND=1 ANEW=1), or undo the change"
        )
    return manifest


def _check_left(
    earlier: Iterable[dict[str, Any]],
    found: Iterable[FileKey],
    wish: Wish,
) -> None:
    """Refuse to load anew where files of earlier loads are gone."""
    there = set(found)
    gone = [
        one["name"]
        for one in earlier
        if (one["table"], one["name"]) not in there
    ]
    if gone and not wish.force:
        raise MappingError(
            f"{len(gone):,} file(s) of earlier loads are gone, such as "
            f"{gone[0]}, and their rows would be lost; put them back, or say "
            "--force (FORCE=1) as well"
        )


@contextmanager
def _staged(
    mapping: Mapping,
    folder: Path,
    partial: Path,
    files: Collection[FileKey] | None = None,
    *,
    check: Callable[[Load, str], None],
) -> Iterator[Load]:
    """Lend a scratch database with the rows of a log's files, all or some."""
    place = partial / "scratch"
    place.mkdir()
    try:
        with open_duckdb(place / "log.duckdb") as connection:
            load = Load(connection, mapping, folder, chosen=files)
            shifts = prepare(load, partial)
            for table in TABLES:
                stage_table(load, table, shifts)
                if any(found.table == table for found in load.inputs):
                    check(load, table)
            check_numbering(load)
            yield load
    finally:
        shutil.rmtree(place)


def _added_up(
    counts: list[dict[str, dict[str, Any]]],
) -> dict[str, dict[str, Any]]:
    """Add up the counts of several loads, table by table."""
    return {
        table: {name: sum(one[table][name] for one in counts) for name in SUMS}
        | {
            name: dict(
                sum((Counter(one[table][name]) for one in counts), Counter())
            )
            for name in SUMS_BY_NAME
        }
        for table in TABLES
    }
