"""Loads added to a log one after another, each as files of its own.

A load writes the rows of its files to ``<table>/<load>.parquet``; earlier ones
stay as they are. Users and titles that only events and assignments know hang
on all loads together: each load keeps what it tells of them in
``derived/<table>/<load>.parquet``, and the table's CSV file is written anew
from all of those. So any split of the same files into loads gives the same
rows.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from engine.connections import literal
from mapping.expressions import identifier, quoted
from mapping.language import (
    DERIVABLE,
    REQUIRED,
    UNREADABLE_KINDS,
    WIDE,
    Mapping,
)
from mapping.staging import Load, written_columns
from mapping.tables import CSV, GOOD, lines, rows, table_counts
from raw.files import DERIVED, LOAD_NUMBER, TABLES

REJECTED = "rejected_rows"
PARQUET = "(format parquet, compression zstd)"
# What a load's part of `derived` says of an id beside its attributes.
MARKS = ("is_told", "is_written", "is_of_event", "is_assigned")


def part_name(number: int) -> str:
    """Name the files of a load.

    Examples
    --------
    >>> part_name(7)
    '00007.parquet'
    """
    return f"{number:05d}.parquet"


def take_over(earlier: Path, folder: Path, without: Iterable[int]) -> None:
    """Give a new folder the parts of earlier loads, but for some of them.

    They are never written to again, so a file may have two names.
    """
    gone = {part_name(number) for number in without}
    kept = [f"{DERIVED}/{name}" for name in (*DERIVABLE, REJECTED)]
    for table in (*TABLES, *kept):
        for path in sorted((earlier / table).glob("*.parquet")):
            if path.name in gone:
                continue
            target = folder / table / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, target)
            except OSError:  # another file system, or one without links
                shutil.copy2(path, target)


def write_part(
    load: Load, folder: Path, number: int
) -> dict[str, dict[str, Any]]:
    """Write the rows of a load; count what became of those of its files."""
    counts = {}
    for table in TABLES:
        query = lines(load, table) if table in WIDE else rows(load, table)
        path = folder / table / part_name(number)
        path.parent.mkdir(exist_ok=True)
        # As the seed reader has it: empty texts are none.
        texts = ", ".join(
            f"nullif({identifier(name)}, '') as {identifier(name)}"
            for name, kind in written_columns(load.mapping, table).items()
            if kind not in UNREADABLE_KINDS
        )
        written = load.count(
            f"copy (select * replace ({texts}), "
            f"{number}::integer as {LOAD_NUMBER} "
            f"from ({query})) to {quoted(str(path))} {PARQUET}"
        )
        if not written:
            path.unlink()
        counts[table] = table_counts(load, table, written)
    for table in DERIVABLE:
        write_told(load, folder, table, number)
    path = folder / DERIVED / REJECTED / part_name(number)
    path.parent.mkdir(parents=True, exist_ok=True)
    load.rows(f"copy rejected to {quoted(str(path))} {PARQUET}")
    return counts


def is_derived(mapping: Mapping, table: str) -> bool:
    """Whether events tell of rows that the table's own files lack."""
    return table in mapping.derived or mapping.add_missing[table]


def write_told(load: Load, folder: Path, table: str, number: int) -> None:
    """Keep what a load tells of users or titles: ids, marks and attributes.

    An attribute is that of the earliest event that has it, with its time.
    """
    mapping = load.mapping
    key = REQUIRED[table][0]
    names = list(mapping.derived.get(table, {}))
    nothing = "".join(
        f", null as {identifier(name)}, null as {identifier(f'{name} at')}"
        for name in names
    )

    def marked(*marks: str) -> str:
        return ", ".join(
            f"{'true' if mark in marks else 'false'} as {mark}"
            for mark in MARKS
        )

    selects = [
        f"select {key}, {marked('is_told')}{nothing} from {table} "
        f"where {key} is not null and detail is null group by {key}",
        f"select {key}, {marked('is_written')}{nothing} from {table} "
        f"where {key} is not null and {GOOD} group by {key}",
    ]
    if is_derived(mapping, table):
        at = "coalesce(event_at, timestamp '9999-12-31')"
        attributes = ""
        for name in names:
            value = identifier(f"{table}.{name}")
            has = f"filter (where {value} is not null)"
            attributes += (
                f", min_by({value}, struct_pack(at := {at}, of := {value}))"
                f" {has} as {identifier(name)}"
                f", min({at}) {has} as {identifier(f'{name} at')}"
            )
        selects.append(
            f"select {key}, {marked('is_of_event')}{attributes} from events "
            f"where {GOOD} and {key} is not null group by {key}"
        )
    if is_adding_assigned(mapping, table):
        selects.append(
            f"select {key}, {marked('is_assigned')}{nothing} "
            f"from experiment_assignments where {GOOD} "
            f"and {key} is not null group by {key}"
        )
    path = folder / DERIVED / table / part_name(number)
    path.parent.mkdir(parents=True, exist_ok=True)
    query = " union all by name ".join(selects[::-1])
    load.rows(
        f"copy (from ({query}) order by all) to {quoted(str(path))} {PARQUET}"
    )


def is_adding_assigned(mapping: Mapping, table: str) -> bool:
    """Whether users are added whom only the experiments know."""
    return (
        table == "users"
        and "users" in mapping.derived
        and "experiment_assignments" in mapping.blocks
    )


def write_derived(
    connection: duckdb.DuckDBPyConnection, mapping: Mapping, folder: Path
) -> dict[str, int]:
    """Write each table's CSV file: its header, and what all loads derive.

    Gives the number of rows of each.
    """
    counts = {}
    for table in TABLES:
        kinds = written_columns(mapping, table)
        path = folder / f"{table}.csv"
        if table not in DERIVABLE:
            path.write_text(f"{','.join(kinds)}\n", encoding="utf-8")
            counts[table] = 0
            continue
        key = REQUIRED[table][0]
        names = list(mapping.derived.get(table, {}))
        earliest = "".join(
            f", min_by({identifier(name)}, struct_pack(at := "
            f"{identifier(f'{name} at')}, of := {identifier(name)})) "
            f"filter (where {identifier(name)} is not null) "
            f"as {identifier(name)}"
            for name in names
        )
        marks = ", ".join(f"bool_or({mark}) as {mark}" for mark in MARKS)
        is_new = "is_of_event and not is_told"
        fields = ", ".join(
            name
            if name == key
            else f"case when {is_new} then {identifier(name)} end "
            f"as {identifier(name)}"
            if name in names
            else f"null as {identifier(name)}"
            for name in kinds
        )
        copied = connection.execute(
            f"copy (select {fields} from (select {key}, {marks}{earliest} "
            f"from read_parquet([{parts(folder / DERIVED / table)}]) "
            f"group by {key}) "
            f"where {is_new} or (is_assigned and not is_written) "
            f"order by {key}) to {quoted(str(path))} {CSV}"
        )
        counts[table] = int(copied.fetchall()[0][0])
    return counts


def write_rejected(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write the rejected rows of all loads as one file."""
    connection.execute(
        f"copy (from read_parquet([{parts(folder / DERIVED / REJECTED)}]) "
        f"order by all) to {quoted(str(folder / f'{REJECTED}.csv'))} {CSV}"
    )


def parts(folder: Path) -> str:
    """List the Parquet files of a folder, as SQL."""
    return ", ".join(
        quoted(literal(path)) for path in sorted(folder.glob("*.parquet"))
    )
