"""Write what was staged as raw files, and count what became of every row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mapping.expressions import identifier, quoted
from mapping.language import DERIVABLE, REQUIRED, WIDE
from mapping.staging import Load, written_columns
from raw.files import TABLES

# Event types left out, named in the manifest before the rest is summed.
LEFT_OUT_LIMIT = 50
GOOD = "detail is null and left_out is null"
CSV = "(format csv, header, delimiter ',', quote '\"', escape '\"')"


def write_tables(load: Load, folder: Path) -> dict[str, dict[str, Any]]:
    """Write the raw files and the rejected rows; count what became of them.

    Per table: rows read, written, rejected (by reason), left_out (by event
    type, or by what `where` asked for), added because other tables speak of
    them, lines of the file, and local times that clocks skipped or repeated.
    """
    for table in DERIVABLE:
        if table in load.mapping.derived or load.mapping.add_missing[table]:
            derive(load, table)
    if "users" in load.mapping.derived:
        add_assigned(load)
    counts = {}
    for table in TABLES:
        path = quoted(str(folder / f"{table}.csv"))
        query = lines(load, table) if table in WIDE else rows(load, table)
        written = load.count(f"copy ({query}) to {path} {CSV}")
        counts[table] = table_counts(load, table, written)
    path = quoted(str(folder / "rejected_rows.csv"))
    load.rows(f"copy (select * from rejected order by all) to {path} {CSV}")
    return counts


def rows(load: Load, table: str) -> str:
    """Select what is to be written of a table, in the order of its files."""
    fields = ", ".join(
        f"{event_id(load)} as event_id"
        if name == "event_id"
        else identifier(name)
        for name in written_columns(load.mapping, table)
    )
    # A scan keeps the order in which the rows were read.
    return f"select {fields} from {table} where {GOOD}"


def lines(load: Load, table: str) -> str:
    """Select a line for each measure or dimension of each row."""
    wide = WIDE[table]
    keys = [name for name in TABLES[table] if name in REQUIRED[table]]
    selects = []
    for block in load.mapping.blocks.get(table, ()):
        numbers = ", ".join(map(str, load.numbers(block)))
        if not numbers:
            continue
        names = [
            name.removeprefix(f"{wide.key}.")
            for name in block.columns
            if name.startswith(f"{wide.key}.")
        ]
        for place, name in enumerate(names):
            origins = {
                wide.name: quoted(name),
                wide.value: identifier(f"{wide.key}.{name}"),
                "value_before": identifier(f"before.{name}")
                if f"before.{name}" in block.columns
                else "null",
            } | {key: identifier(key) for key in keys}
            fields = ", ".join(
                f"{origins[column]} as {column}" for column in TABLES[table]
            )
            selects.append(
                f"select {fields}, rowid as row_number, {place} as place "
                f"from {table} where {GOOD} and file_number in ({numbers})"
            )
    if not selects:
        fields = ", ".join(f"null as {name}" for name in TABLES[table])
        return f"select {fields} where false"
    fields = ", ".join(TABLES[table])
    return (
        f"select {fields} from ({' union all '.join(selects)}) "
        "order by row_number, place"
    )


def add_assigned(load: Load) -> None:
    """Add the users whom only the experiments know.

    Whoever was assigned and did nothing counts, with nothing.
    """
    if "experiment_assignments" in load.mapping.blocks:
        load.rows(
            "insert into users (user_id) select user_id "
            f"from experiment_assignments where {GOOD} "
            "and user_id is not null and user_id not in "
            f"(select user_id from users where user_id is not null and {GOOD}) "
            "group by user_id order by user_id"
        )


def derive(load: Load, table: str) -> None:
    """Add the users or titles that only the events know, by id.

    An attribute is that of the earliest event that has it.
    """
    key = REQUIRED[table][0]
    columns = load.mapping.derived.get(table, {})
    attributes = "".join(
        f", min_by({identifier(f'{table}.{name}')}, struct_pack("
        "at := coalesce(event_at, timestamp '9999-12-31'), "
        f"of := {identifier(f'{table}.{name}')})) "
        f"filter (where {identifier(f'{table}.{name}')} is not null)"
        for name in columns
    )
    load.rows(
        f"insert into {table} ({', '.join([key, *columns])}) "
        f"select {key}{attributes} from events "
        f"where {GOOD} and {key} is not null "
        f"and {key} not in (select {key} from {table} "
        f"where {key} is not null and detail is null) "
        f"group by {key} order by {key}"
    )


def event_id(load: Load) -> str:
    """Write an event's id: theirs, a digest, or the place of its row."""
    blocks = load.mapping.blocks.get("events", ())
    names, firsts, numbered = [], [], []
    for number, found in enumerate(load.inputs):
        part = ""
        if found.table == "events" and len(blocks) > 1:
            part = f"{blocks.index(found.block) + 1}:"
        names.append(quoted(f"{part}{found.name}:"))
        firsts.append(str(found.first_row))
        column = found.block.columns.get("event_id")
        if column and column.row_number:
            numbered.append(str(number))
    if not numbered:
        return "event_id"
    return (
        f"case when file_number in ({', '.join(numbered)}) "
        f"then ([{', '.join(names)}])[file_number + 1] "
        f"|| (rowid - ([{', '.join(firsts)}])[file_number + 1] + 1) "
        "else event_id end"
    )


def table_counts(load: Load, table: str, lines: int) -> dict[str, Any]:
    """Count what became of a table's rows; they must add up."""
    written = lines
    if table in WIDE:
        written = load.count(f"select count(*) from {table} where {GOOD}")
    rejected = dict(
        load.rows(
            "select reason, count(*) from rejected "
            f"where table_name = {quoted(table)} group by 1 order by 1"
        )
    )
    types = load.rows(
        f"select left_out, count(*) from {table} "
        "where left_out is not null group by 1 order by count(*) desc, 1"
    )
    left_out = dict(types[:LEFT_OUT_LIMIT])
    if types[LEFT_OUT_LIMIT:]:
        left_out["(others)"] = sum(row[1] for row in types[LEFT_OUT_LIMIT:])
    added = load.count(
        f"select count(*) from {table} where file_number is null"
    )
    clocks = dict(
        load.rows(
            f"select clock, count(*) from {table} where clock is not null "
            f"and {GOOD} group by 1 order by 1"
        )
    )
    read = load.rows_read(table)
    gone = sum(rejected.values()) + sum(left_out.values())
    assert read + added == written + gone, f"{table}: rows were lost"
    return {
        "read": read,
        "added": added,
        "written": written,
        "lines": lines,
        "rejected": rejected,
        "left_out": left_out,
        "local_times": clocks,
    }
