"""Which files of a log were loaded when, and which are to be loaded now.

The manifest of a log that is loaded bit by bit lists every input file with its
load, size, digest, rows and columns. A file is known by its block and its path
below the input folder; it is loaded once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mapping.expressions import quoted
from mapping.files import block_files
from mapping.language import Mapping as Language
from mapping.language import MappingError
from mapping.staging import Load, input_name
from raw.files import file_facts

FileKey = tuple[str, str]  # the block that reads a file, and its name


@dataclass(frozen=True)
class Plan:
    """What is to be loaded: digests of files, by the number of their load."""

    jobs: dict[int, dict[FileKey, str]]
    known: int  # how many files were loaded before and have not changed
    notes: list[str]


def find_files(
    mapping: Language, folder: Path, missing: list[str]
) -> dict[FileKey, Path]:
    """List the files that a mapping names; say which names lead to none."""
    return {
        (block.key, input_name(path, folder)): path
        for blocks in mapping.blocks.values()
        for block in blocks
        for path in block_files(block, folder, missing)
    }


def plan_loads(
    found: Mapping[FileKey, Path],
    earlier: list[dict[str, Any]],
    *,
    replace: bool,
) -> Plan:
    """Compare the files that a mapping names with those loaded before.

    Raises
    ------
    MappingError
        If a file has changed since it was loaded and is not to be replaced, or
        a file that would have to be read again for that is gone.
    """
    loaded = {(one["table"], one["name"]): one for one in earlier}
    digests = {
        key: str(file_facts(path)["sha256"]) for key, path in found.items()
    }
    # Files that are no longer there, by what was in them.
    left = {
        (one["table"], one["sha256"]): one
        for key, one in loaded.items()
        if key not in found
    }
    fresh, again, same, notes = {}, set(), set(), []
    for key, digest in digests.items():
        block, name = key
        before = loaded.get(key)
        if before and before["sha256"] == digest:
            same.add(key)
        elif before:
            if not replace:
                raise MappingError(
                    f"{block}.files: {name} has changed since load "
                    f"{before['load_number']}; load it again in place of what "
                    "it was with --replace (REPLACE=1), or give the new rows a "
                    "file of their own"
                )
            again.add(before["load_number"])
        elif twin := left.get((block, digest)):
            same.add(key)
            notes.append(
                f"{name} is {twin['name']} of load {twin['load_number']}, "
                "renamed: passed over"
            )
        else:
            fresh[key] = digest

    jobs: dict[int, dict[FileKey, str]] = {}
    for number in sorted(again):
        keys = [
            key for key, one in loaded.items() if one["load_number"] == number
        ]
        gone = [name for block, name in keys if (block, name) not in found]
        if gone:
            raise MappingError(
                f"load {number} has to be read again, and {gone[0]} of it is "
                "gone; put it back"
            )
        same -= set(keys)
        jobs[number] = {key: digests[key] for key in keys}
    if fresh:
        last = max((one["load_number"] for one in loaded.values()), default=0)
        jobs[last + 1] = fresh
    return Plan(jobs, len(same), notes)


def check_unchanged(load: Load, files: Mapping[FileKey, str]) -> None:
    """Refuse files that were written to, or went, while they were read."""
    read = {
        (found.block.key, found.name): file_facts(found.path)["sha256"]
        for found in load.inputs
    }
    for (block, name), digest in files.items():
        if read.get((block, name)) != digest:
            raise MappingError(
                f"{block}.files: {name} was written to while it was read; wait "
                "until it is complete, and run this again"
            )


def loads_of(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the input files of a log that was loaded bit by bit, else none."""
    inputs = manifest.get("inputs", [])
    return [one for one in inputs if "load_number" in one]


def input_facts(load: Load, number: int) -> list[dict[str, Any]]:
    """Describe the files of a load for the ledger."""
    described = []
    for place, found in enumerate(load.inputs):
        rows = load.count(
            f"select count(*) from {found.table} "
            f"where file_number = {place} and detail is null"
        ) + load.count(
            f"select count(*) from rejected where table_name = "
            f"{quoted(found.table)} and file = {quoted(found.name)}"
        )
        times = (
            load.rows(
                "select cast(min(event_at) as varchar), "
                "cast(max(event_at) as varchar) from events "
                f"where file_number = {place} and detail is null "
                "and left_out is null"
            )[0]
            if found.table == "events"
            else (None, None)
        )
        described.append(
            {
                "load_number": number,
                "table": found.block.key,
                "name": found.name,
                **file_facts(found.path),
                "rows": rows,
                "first_event_at": times[0],
                "last_event_at": times[1],
                "columns": list(found.shape.names),
            }
        )
    return described


def column_changes(
    earlier: list[dict[str, Any]], now: list[dict[str, Any]]
) -> list[str]:
    """Say which columns came and went, file by file, against the file before.

    A column that the mapping needs is missed by the loader itself.
    """
    last = {one["table"]: one for one in earlier}
    notes = []
    for one in now:
        before = last.get(one["table"])
        last[one["table"]] = one
        if before is None or not before["columns"] or not one["columns"]:
            continue
        for verb, names in (
            ("has the new column", _beyond(one, before)),
            ("lacks the column", _beyond(before, one)),
        ):
            if names:
                notes.append(
                    f"{one['name']} {verb} {', '.join(names)}, against "
                    f"{before['name']} of load {before['load_number']}"
                )
    return notes


def _beyond(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return [name for name in one["columns"] if name not in other["columns"]]
