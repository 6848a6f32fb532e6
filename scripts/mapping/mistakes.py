"""Mistakes in a mapping that only the rows of the log can show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mapping.expressions import identifier, json_path, quoted
from mapping.language import (
    UNREADABLE_KINDS,
    Block,
    Column,
    MappingError,
    did_you_mean,
)
from mapping.selection import locate
from mapping.staging import Input, Load, is_numbered, staged_columns

# In a later load, fewer rows that cannot be read are rejected like any.
LEAST_ROWS = 100


def check_later(load: Load, table: str) -> None:
    """Refuse files of a later load of which not one row can be read.

    What the first files showed of the mapping holds for a few bad rows.
    """
    check_rows(load, table, least=LEAST_ROWS)


def check_rows(load: Load, table: str, least: int = 1) -> None:
    """Refuse so many rows or more of which not one can be read."""
    read = load.rows_read(table)
    if read >= least and not load.count(
        f"select count(*) from {table} where detail is null"
    ):
        file, line, detail = first_rejected(load, table)[0]
        raise MappingError(
            f"{table_key(load, table)}: none of {read:,} rows can be read; the "
            f"first, {file} line {line}: {detail}; see format, "
            "separator, names, encoding, unit and zone"
        )


def table_key(load: Load, table: str) -> str:
    """Name the blocks of a table as a mapping does."""
    blocks = load.mapping.blocks[table]
    return blocks[0].key if len(blocks) == 1 else table


def check_table(load: Load, table: str) -> None:
    """Refuse what only a mistake in the mapping explains."""
    blocks = load.mapping.blocks[table]
    key = table_key(load, table)
    if table == "events" and not load.rows_read(table):
        raise MappingError(f"{key}.files: they hold no rows")
    check_rows(load, table)
    kept = "detail is null and left_out is null"
    if any(block.where for block in blocks) and not load.count(
        f"select count(*) from {table} where {kept}"
    ):
        raise MappingError(
            f"{key}.where: no row is as it asks; found: {left_out(load, table)}"
        )
    for block in blocks:
        for name, column in staged_columns(load.mapping, table, block).items():
            check_values(load, table, name, column)
            check_path(load, table, name, column, block)
    if table == "events":
        check_events(load, key)


def left_out(load: Load, table: str) -> str:
    """List what the rows left out of a table have, the most frequent first."""
    return ", ".join(
        row[0]
        for row in load.rows(
            f"select left_out from {table} where left_out is not null "
            "group by 1 order by count(*) desc, 1 limit 10"
        )
    )


def check_numbering(load: Load) -> None:
    """Refuse users numbered by row where two blocks count rows differently."""
    first: dict[Path, Input] = {}
    for found in load.inputs:
        if not is_numbered(found.block):
            continue
        other = first.setdefault(found.path, found)
        if reading(load, found) != reading(load, other):
            raise MappingError(
                f"{found.block.key}.columns.user_id: the rows of {found.name} "
                f"are counted in another way than by {other.block.key}; give "
                "both the same format, separator, quote, header, names and "
                "encoding, or name a column that has the user"
            )


def reading(load: Load, found: Input) -> tuple[object, ...]:
    """Tell everything that decides which row of a file is the how-manieth."""
    block = found.block
    lines = load.rows(
        "select distinct line from rejected where table_name = "
        f"{quoted(found.table)} and file = {quoted(found.name)} "
        "and reason = 'malformed' order by line"
    )
    return (
        block.format,
        block.separator,
        block.quote,
        block.header,
        block.names,
        block.encoding,
        lines,
    )


def first_rejected(
    load: Load, table: str, beginning: str = ""
) -> list[tuple[Any, ...]]:
    """Find the first bad row whose detail begins so, if there is one."""
    return load.rows(
        "select file, line, detail from rejected where table_name = "
        f"{quoted(table)} and starts_with(detail, {quoted(beginning)}) "
        "order by file, line limit 1"
    )


def check_values(load: Load, table: str, name: str, column: Column) -> None:
    """Refuse a column of which every value was unreadable."""
    if column.kind not in UNREADABLE_KINDS or load.count(
        f"select count({identifier(name)}) from {table}"
    ):
        return
    bad = first_rejected(load, table, f"{name}: ")
    if bad:
        file, line, detail = bad[0]
        raise MappingError(
            f"{column.key}: none of its values can be read, as in {file} line "
            f"{line}: {detail}; correct its unit or format, or add what means "
            "empty to nulls"
        )


def check_path(
    load: Load, table: str, name: str, column: Column, block: Block
) -> None:
    """Refuse a key inside JSON that no row has: a header cannot tell."""
    numbers = load.numbers(block)
    shape = load.inputs[numbers[0]].shape
    if column.optional or not column.paths:
        return
    origin = locate(shape, column.paths[-1], column)
    if origin is None or not origin[1]:
        return
    default = quoted(column.default) if column.default else "null"
    filled = load.count(
        f"select count(*) from {table} where "
        f"file_number between {numbers[0]} and {numbers[-1]} "
        f"and cast({identifier(name)} as varchar) is distinct from {default}"
    )
    left_out = name == "event_type" and bool(column.renamed)
    if filled or left_out:
        return
    json, keys = origin
    parent = quoted(json_path(keys[:-1]))
    known = load.rows(
        f"select distinct unnest(json_keys(found, {parent})) as name "
        f"from (select {json} as found from {shape.relation} limit 1000) "
        "order by name"
    )
    names = tuple(str(row[0]) for row in known)
    raise MappingError(
        f"{column.key}: '{column.paths[-1]}' is empty in every row; the keys "
        f"there are {', '.join(names) or 'none'}"
        f"{did_you_mean(keys[-1].key, names) or '.'} If none has it, add "
        "`optional: true`"
    )


def check_events(load: Load, key: str) -> None:
    """Refuse events of no known type, or of an impossible century."""
    written = "from events where detail is null and left_out is null"
    if not load.count(f"select count(*) {written}"):
        raise MappingError(
            f"{key}.columns.event_type.map: no event is one of its types; "
            f"found: {left_out(load, 'events')}"
        )
    first, last, inside = load.rows(
        "select min(event_at), max(event_at), count(*) filter (where "
        "event_at >= timestamp '2000-01-01' "
        f"and event_at < timestamp '2100-01-01') {written}"
    )[0]
    if not inside:
        raise MappingError(
            f"{key}.columns.event_at: all events fall between {first} and "
            f"{last}; correct its unit or format"
        )
