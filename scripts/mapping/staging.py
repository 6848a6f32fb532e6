"""Read the files of a log into a scratch database, row by row as ours.

Bad rows go to the table `rejected`, with their file, line and reason.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from engine.connections import lock
from mapping.expressions import identifier, quoted
from mapping.files import (
    ENCODE,
    block_files,
    check_readable,
    file_format,
    file_shape,
    reader_message,
)
from mapping.language import (
    UNREADABLE_KINDS,
    WIDE,
    Block,
    Column,
    Mapping,
    MappingError,
    columns_of,
)
from mapping.own_expressions import check_expression, enclosed
from mapping.selection import NOT_AN_OBJECT, STATE, Shape, selection
from mapping.variables import check_variables, declared_variables
from mapping.zones import Shift, zone_names, zone_shifts
from raw.files import TABLES, Kind

# A reader knows the line of what it could not read. Of other rows the place
# among the readable ones is known: add the unreadable ones before it.
REJECTED = """
    insert into rejected
    with

    errors as (
        select
            line,
            min_by(
                case
                    when ends_with(error_message, 'not utf-8 encoded.')
                    then 'not UTF-8; ' || $remedy
                    else error_message
                end,
                column_idx
            ) as detail,
            min_by(csv_line, column_idx) as row_text,
            row_number() over (order by line) as error_count
        from reader_errors
        group by line
    ),

    earlier as (
        select
            line - $first_line - error_count + 1 as row_number,
            max(error_count) as error_count
        from errors
        group by 1
    ),

    rows as (
        select
            rowid - $first_row + 1 as row_number,
            detail,
            row_text
        from {table}
        where rowid >= $first_row and detail is not null
    )

    select $table, $file, line, 'malformed', detail, row_text
    from errors

    union all

    select
        $table,
        $file,
        rows.row_number + $first_line - 1 + coalesce(earlier.error_count, 0),
        case
            when rows.detail = $malformed then 'malformed'
            else 'unreadable_value'
        end,
        rows.detail,
        rows.row_text
    from rows
    asof left join earlier on rows.row_number > earlier.row_number
"""


@dataclass(frozen=True)
class Input:
    """One file of a block; `first_row` is its first in the staged table."""

    table: str
    block: Block
    path: Path
    name: str
    first_row: int
    shape: Shape


@dataclass(frozen=True)
class Load:
    """The scratch database of one load, and what was read into it."""

    connection: duckdb.DuckDBPyConnection
    mapping: Mapping
    folder: Path
    inputs: list[Input] = field(default_factory=list)
    # Of the mapping's files those to read, by block and name; None for all.
    chosen: Collection[tuple[str, str]] | None = None

    def files(self, block: Block) -> list[Path]:
        """List the files of a block that are to be read."""
        if self.chosen is None:
            return block_files(block, self.folder)
        return [
            path
            for path in block_files(block, self.folder, missing=[])
            if (block.key, input_name(path, self.folder)) in self.chosen
        ]

    def rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        """Run one statement and fetch its rows."""
        return self.connection.execute(query, parameters or None).fetchall()

    def count(self, query: str) -> int:
        """Run one statement whose answer is a number."""
        return int(self.rows(query)[0][0])

    def numbers(self, block: Block) -> list[int]:
        """List the numbers that the files of a block have in staged rows."""
        return [
            number
            for number, found in enumerate(self.inputs)
            if found.block is block
        ]

    def rows_read(self, table: str) -> int:
        """Count the rows of a table's files, bad ones included."""
        return self.count(
            f"select count(*) from {table} "
            "where file_number is not null and detail is null"
        ) + self.count(
            f"select count(*) from rejected where table_name = {quoted(table)}"
        )


def prepare(load: Load, out: Path) -> dict[str, Sequence[Shift]]:
    """Set up the scratch database; return the changes of every zone.

    From here on it reaches the log's files and the folder `out` alone.

    Raises
    ------
    MappingError
        If a variable is not of its type, a file is missing or not in the log's
        folder, or the SQL of a column is not an expression.
    """
    load.rows("set TimeZone = 'UTC'")
    load.rows("set enable_progress_bar = false")
    load.rows(
        "create table rejected (table_name varchar, file varchar, "
        "line bigint, reason varchar, detail varchar, row_text varchar)"
    )
    check_variables(
        load.mapping.variables,
        declared_variables(),
        zone_names(load.connection),
    )
    files = []
    for blocks in load.mapping.blocks.values():
        for block in blocks:
            for path in load.files(block):
                check_readable(path, f"{block.key}.files")
                files.append(path)
    lock(load.connection, files=files, folders=[out])
    columns = [
        column
        for table, blocks in load.mapping.blocks.items()
        for block in blocks
        for column in staged_columns(load.mapping, table, block).values()
    ]
    for column in columns:
        if column.sql is not None:
            check_expression(load.connection, column)
    return zone_shifts(load.connection, columns)


def input_name(path: Path, folder: Path) -> str:
    """Name a file by its place below the log's folder."""
    inside = path.is_relative_to(folder)
    return path.relative_to(folder).as_posix() if inside else path.name


def stage_table(
    load: Load, table: str, shifts: dict[str, Sequence[Shift]]
) -> None:
    """Read every file of one raw table into the scratch database."""
    create_table(load, table)
    for block in load.mapping.blocks.get(table, ()):
        for path in load.files(block):
            stage_file(load, table, block, path, shifts)


def staged_columns(
    mapping: Mapping, table: str, block: Block
) -> dict[str, Column]:
    """Name what a block fills: its table, and what is derived of events."""
    return block.columns | derived_columns(mapping, table)


def written_columns(mapping: Mapping, table: str) -> dict[str, Kind]:
    """Name the columns of a raw file: the optional ones that are mapped too."""
    mapped = {
        name
        for block in mapping.blocks.get(table, ())
        for name in block.columns
    }
    return {
        name: kind
        for name, kind in columns_of(table).items()
        if name in TABLES[table] or name in mapped
    }


def is_numbered(block: Block) -> bool:
    """Whether each row of the block's files is a user of its own."""
    return "user_id" in block.columns and block.columns["user_id"].row_number


def derived_columns(mapping: Mapping, table: str) -> dict[str, Column]:
    """Name what users and content take from the files of the events."""
    if table != "events":
        return {}
    return {
        f"{derived}.{name}": column
        for derived, columns in mapping.derived.items()
        for name, column in columns.items()
    }


def staged_kinds(mapping: Mapping, table: str) -> dict[str, Kind]:
    """Name the staged columns: those to be written, and what is derived."""
    if table in WIDE:
        return {
            name: column.kind
            for block in mapping.blocks.get(table, ())
            for name, column in block.columns.items()
        }
    return written_columns(mapping, table) | {
        name: column.kind
        for name, column in derived_columns(mapping, table).items()
    }


def create_table(load: Load, table: str) -> None:
    """Create the table that the files of one raw table are read into."""
    kinds = staged_kinds(load.mapping, table)
    fields = [
        f"{identifier(name)} {UNREADABLE_KINDS.get(kind, 'varchar')}"
        for name, kind in kinds.items()
    ]
    fields += [
        f"{name} {'integer' if name == 'file_number' else 'varchar'}"
        for name in STATE
    ]
    load.rows(f"create table {table} ({', '.join(fields)})")


def stage_file(
    load: Load,
    table: str,
    block: Block,
    path: Path,
    shifts: dict[str, Sequence[Shift]],
) -> None:
    """Read one file into its table, and its bad rows into `rejected`."""
    name = input_name(path, load.folder)
    path = path.resolve()
    first_row = load.count(f"select count(*) from {table}")
    columns = staged_columns(load.mapping, table, block)
    try:
        shape = file_shape(load.connection, block, path, name)
        check_expressions(load, shape, columns)
        fields, query = selection(
            shape, columns, shifts, block, len(load.inputs)
        )
        names = ", ".join(identifier(field) for field in fields)
        load.rows(f"insert into {table} ({names}) {query}")
    except duckdb.Error as error:
        message = reader_message(error, file_format(path, block))
        raise MappingError(f"{block.key}.files: {name}: {message}") from None
    if is_numbered(block):
        # The same row of a file is the same user in every block.
        load.rows(
            f"update {table} set user_id = $file || ':' "
            "|| (rowid - $first_row + 1) where rowid >= $first_row",
            file=name,
            first_row=first_row,
        )
    load.inputs.append(Input(table, block, path, name, first_row, shape))

    if not shape.has_errors:
        load.rows(
            "create or replace temp table reader_errors (line bigint, "
            "column_idx bigint, error_message varchar, csv_line varchar)"
        )
    load.rows(
        REJECTED.format(table=table),
        table=table,
        file=name,
        first_row=first_row,
        first_line=shape.first_line,
        malformed=NOT_AN_OBJECT,
        remedy=ENCODE["json" if shape.is_records else "csv"],
    )
    load.rows("drop table reader_errors")
    load.rows("drop table if exists reader_scans")


def check_expressions(
    load: Load, shape: Shape, columns: dict[str, Column]
) -> None:
    """Try each `sql` alone, to name the one that is wrong."""
    for column in columns.values():
        if column.sql is None:
            continue
        try:
            load.rows(
                f"select {enclosed(column.sql)} from {shape.relation} limit 0"
            )
        except duckdb.Error as error:
            message = first_line(error)
            raise MappingError(f"{column.key}.sql: {message}") from None
        finally:
            load.rows("drop table if exists reader_errors")
            load.rows("drop table if exists reader_scans")


def first_line(error: duckdb.Error) -> str:
    """Keep of an engine's message what fits one line."""
    return str(error).strip().splitlines()[0]
