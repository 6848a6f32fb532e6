r"""Write somebody else's log as the raw files that the warehouse reads.

Reads a mapping (``docs/mappings/*.yml``) and the files it names; writes
``logs/<name>/``: the raw files, ``rejected_rows.csv``, ``vars.yml`` and
``manifest.json``. Every row read is written, or kept in ``rejected_rows.csv``
with its file, line and reason, or, when the mapping leaves its event type
out, counted. Same input, same bytes. Then build it:

    python scripts/load_logs.py docs/mappings/movietweetings.yml --input DIR
    STREAMING_SEEDS=logs/movietweetings \
    STREAMING_WAREHOUSE=target/movietweetings/warehouse.duckdb \
        dbt build --vars "$(cat logs/movietweetings/vars.yml)"
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml

from mapping.expressions import (
    Shift,
    identifier,
    json_path,
    quoted,
)
from mapping.selection import (
    NOT_AN_OBJECT,
    STATE,
    Shape,
    locate,
    selection,
)
from mapping.specification import (
    DERIVABLE,
    EXAMPLE,
    REFERENCES,
    REQUIRED,
    TABLES,
    Block,
    Column,
    Mapping,
    MappingError,
    did_you_mean,
    read_mapping,
)

FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".dat": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
}
COMPRESSIONS = (".gz", ".zst")
ARCHIVES = (".zip", ".tar", ".tgz", ".7z")
REFERENCE_FILES = [f"{name}.csv" for name in REFERENCES]
OWN_FILES = [
    *(f"{table}.csv" for table in TABLES),
    *REFERENCE_FILES,
    "rejected_rows.csv",
    "vars.yml",
    "manifest.json",
]
# Event types left out, named in the manifest before the rest is summed.
LEFT_OUT_LIMIT = 50

# One column, cut by a byte that no text holds. Not strict, because a file of
# records may mix its line ends.
LINES = (
    "auto_detect = false, header = false, columns = { 'line': 'varchar' }, "
    "delim = '\x01', quote = '', escape = '', strict_mode = false"
)
ERRORS = (
    "store_rejects = true, rejects_limit = 0, "
    "rejects_table = 'reader_errors', rejects_scan = 'reader_scans'"
)
CSV = "(format csv, header, delimiter ',', quote '\"', escape '\"')"

# Every change of a zone's offset [s] this century, found by day, then to the
# minute; before the first of them the offset is that of 2000-01-01.
SHIFTS = """
    with

    days as (
        select
            day,
            epoch(timezone($zone, timezone('UTC', day)) - day) as seconds
        from (
            select
                unnest(
                    generate_series(
                        timestamp '2000-01-01',
                        timestamp '2100-01-01',
                        interval 1 day
                    )
                ) as day
        ) as series
    ),

    changes as (
        select
            day,
            seconds as before,
            lead(seconds) over (order by day) as after
        from days
        qualify before <> after
    ),

    minutes as (
        select
            day,
            before,
            after,
            unnest(
                generate_series(day, day + interval 1 day, interval 1 minute)
            ) as minute
        from changes
    ),

    moments as (
        select before, after, min(minute) as moment
        from minutes
        where epoch(timezone($zone, timezone('UTC', minute)) - minute) = after
        group by day, before, after

        union all

        select seconds, seconds, day
        from days
        where day = timestamp '2000-01-01'
    )

    select
        cast(moment + to_seconds(least(before, after)) as varchar),
        cast(moment + to_seconds(greatest(before, after)) as varchar),
        cast(before as integer),
        cast(after as integer)
    from moments
    order by moment
"""

# A reader knows the line of what it could not read. Of other rows the place
# among the readable ones is known: add the unreadable ones before it.
REJECTED = """
    insert into rejected
    with

    errors as (
        select
            line,
            min_by(error_message, column_idx) as detail,
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
    first_row: int = 0


@dataclass(frozen=True)
class Load:
    """The scratch database of one load, and what was read into it."""

    connection: duckdb.DuckDBPyConnection
    mapping: Mapping
    folder: Path
    inputs: list[Input]
    shapes: list[Shape]

    def rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        """Run one statement and fetch its rows."""
        return self.connection.execute(query, parameters or None).fetchall()

    def count(self, query: str) -> int:
        """Run one statement whose answer is a number."""
        return int(self.rows(query)[0][0])


# Reading --------------------------------------------------------------------


def stage(load: Load) -> None:
    """Read every file into the scratch database.

    Raises
    ------
    MappingError
        If a file or column is missing, or nothing in it can be read.
    """
    load.rows("set TimeZone = 'UTC'")
    load.rows("set enable_progress_bar = false")
    load.rows(
        "create table rejected (table_name varchar, file varchar, "
        "line bigint, reason varchar, detail varchar, row_text varchar)"
    )
    shifts = zone_shifts(load)
    for table in TABLES:
        create_table(load, table)
        for block in load.mapping.blocks.get(table, ()):
            for path in block_files(block, load.folder):
                stage_file(load, table, block, path, shifts)
        if table in load.mapping.blocks:
            check_table(load, table)


def staged_columns(
    mapping: Mapping, table: str, block: Block
) -> dict[str, Column]:
    """Name what a block fills: its table, and what is derived of events."""
    columns = dict(block.columns)
    if table == "events":
        columns |= {
            f"{derived}.{name}": column
            for derived, extra in mapping.derived.items()
            for name, column in extra.items()
        }
    return columns


def create_table(load: Load, table: str) -> None:
    """Create the table that the files of one raw table are read into."""
    kinds = {**TABLES[table]}
    if table == "events":
        for derived, extra in load.mapping.derived.items():
            for name, column in extra.items():
                kinds[f"{derived}.{name}"] = column.kind
    types = {"time": "timestamp", "date": "date", "number": "double"}
    fields = [
        f"{identifier(name)} {types.get(kind, 'varchar')}"
        for name, kind in kinds.items()
    ]
    fields += [
        f"{name} {'integer' if name == 'file_number' else 'varchar'}"
        for name in STATE
    ]
    load.rows(f"create table {table} ({', '.join(fields)})")


def zone_shifts(load: Load) -> dict[str, Sequence[Shift]]:
    """Find the changes of every zone that the mapping names."""
    columns = [
        column
        for table, blocks in load.mapping.blocks.items()
        for block in blocks
        for column in staged_columns(load.mapping, table, block).values()
        if column.zone
    ]
    known = load.rows("select name from pg_timezone_names() order by name")
    names = tuple(row[0] for row in known)
    shifts: dict[str, Sequence[Shift]] = {"UTC": ()}
    for column in columns:
        zone = str(column.zone)
        if zone not in names:
            raise MappingError(
                f"{column.key}.zone: '{zone}' is no IANA zone, such as "
                f"Europe/Paris{did_you_mean(zone, names)}"
            )
        if zone not in shifts:
            shifts[zone] = [Shift(*row) for row in load.rows(SHIFTS, zone=zone)]
    return shifts


def block_files(block: Block, folder: Path) -> list[Path]:
    """List the files of a block, each once, by name within a pattern."""
    found: list[Path] = []
    for pattern in block.files:
        path = folder / pattern
        paths = [path] if path.is_file() else []
        if not paths and not Path(pattern).is_absolute():
            paths = sorted(p for p in folder.glob(pattern) if p.is_file())
        if not paths:
            raise MappingError(
                f"{block.key}.files: no file '{pattern}' in {folder}; correct "
                "it, or say where the files are with --input"
            )
        found += [path for path in paths if path not in found]
    return found


def file_format(path: Path, block: Block) -> str:
    """Say how to read a file: as the mapping says, or as its name does."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in ARCHIVES:
        raise MappingError(
            f"{block.key}.files: {path.name} is an archive; unpack it first"
        )
    if block.format:
        return block.format
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    if suffixes and suffixes[-1] in FORMATS:
        return FORMATS[suffixes[-1]]
    raise MappingError(
        f"{block.key}.format: missing, and the name of {path.name} does not "
        "tell; say csv, json or parquet"
    )


def stage_file(
    load: Load,
    table: str,
    block: Block,
    path: Path,
    shifts: dict[str, Sequence[Shift]],
) -> None:
    """Read one file into its table, and its bad rows into `rejected`."""
    inside = path.is_relative_to(load.folder)
    name = path.relative_to(load.folder).as_posix() if inside else path.name
    first_row = load.count(f"select count(*) from {table}")
    columns = staged_columns(load.mapping, table, block)
    try:
        shape = file_shape(load, block, path, name)
        check_expressions(load, shape, columns)
        fields, query = selection(
            shape, columns, shifts, block.nulls, len(load.inputs)
        )
        names = ", ".join(identifier(field) for field in fields)
        load.rows(f"insert into {table} ({names}) {query}")
    except duckdb.Error as error:
        raise MappingError(reading_mistake(error, block, name)) from None
    load.inputs.append(Input(table, block, path, name, first_row))
    load.shapes.append(shape)

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
    )
    load.rows("drop table reader_errors")
    load.rows("drop table if exists reader_scans")


def file_shape(load: Load, block: Block, path: Path, name: str) -> Shape:
    """Look at one file: what can be selected from it, and how."""
    source = quoted(str(path))
    form = file_format(path, block)
    if form == "parquet":
        relation = f"read_parquet({source}, binary_as_string = true)"
        described = load.rows(f"describe select * from {relation}")
        names = tuple(row[0] for row in described)
        types = tuple(row[1] for row in described)
        return Shape(name, relation, names, names, types)

    encoding = quoted(block.encoding)
    first = load.rows(
        f"select line from read_csv({source}, {LINES}, "
        f"encoding = {encoding}, ignore_errors = true) "
        "where line is not null limit 1"
    )
    line = str(first[0][0]).lstrip("\ufeff") if first else ""
    if form == "json":
        if line.lstrip().startswith("["):
            relation = (
                "(select cast(json as varchar) as line, line as record "
                f"from read_json_objects({source}, format = 'array', "
                "maximum_object_size = 67108864))"
            )
            return Shape(name, relation, is_records=True)
        relation = (
            "(select line, case when json_valid(line) then line end as record "
            f"from read_csv({source}, {LINES}, {ERRORS}) "
            "where line is not null)"
        )
        return Shape(name, relation, is_records=True, has_errors=True)

    tabs = ".tsv" in (suffix.lower() for suffix in path.suffixes)
    separator = block.separator or ("\t" if tabs else ",")
    names = block.names or header_names(line, separator, block.quote)
    if not names:
        raise MappingError(
            f"{block.key}.files: {name} is empty; it should begin with a "
            "header, or the mapping should say `names:`"
        )
    columns = ", ".join(
        f"'column {number}': 'varchar'" for number in range(len(names))
    )
    aliases = distinct_names(names)
    quote = quoted(block.quote)
    relation = (
        f"read_csv({source}, auto_detect = false, "
        f"header = {str(block.header).lower()}, columns = {{ {columns} }}, "
        f"delim = {quoted(separator)}, quote = {quote}, escape = {quote}, "
        f"encoding = {encoding}, {ERRORS}) "
        f"as file({', '.join(identifier(alias) for alias in aliases)})"
    )
    return Shape(
        name,
        relation,
        names,
        aliases,
        ("VARCHAR",) * len(names),
        has_errors=True,
        first_line=2 if block.header else 1,
    )


def header_names(line: str, separator: str, quote: str) -> tuple[str, ...]:
    """Split a header into the names of its columns.

    Examples
    --------
    >>> header_names('user::"a::b"', "::", '"')
    ('user', 'a::b')
    """
    # The csv module knows separators of one character only.
    reader = csv.reader(
        [line.replace(separator, "\x1f")],
        delimiter="\x1f",
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
    )
    cells = next(reader, [])
    return tuple(cell.replace("\x1f", separator).strip() for cell in cells)


def distinct_names(names: Sequence[str]) -> tuple[str, ...]:
    """Tell equal names apart, as SQL sees them: upper case is lower case.

    Examples
    --------
    >>> distinct_names(["id", "ID", ""])
    ('id', 'ID_2', 'column_3')
    """
    seen: set[str] = set()
    distinct = []
    for number, name in enumerate(names, 1):
        alias = name or f"column_{number}"
        while alias.lower() in seen:
            alias = f"{alias}_{number}"
        seen.add(alias.lower())
        distinct.append(alias)
    return tuple(distinct)


def check_expressions(
    load: Load, shape: Shape, columns: dict[str, Column]
) -> None:
    """Try each `sql` alone, to name the one that is wrong."""
    for column in columns.values():
        if column.sql is None:
            continue
        try:
            load.rows(f"select ({column.sql}) from {shape.relation} limit 0")
        except duckdb.Error as error:
            message = first_line(error)
            raise MappingError(f"{column.key}.sql: {message}") from None
        finally:
            load.rows("drop table if exists reader_errors")
            load.rows("drop table if exists reader_scans")


def reading_mistake(error: duckdb.Error, block: Block, name: str) -> str:
    """Say in one line why a file could not be read."""
    message = first_line(error)
    if "state machine" in message:
        message = "its lines end in two ways; write them all as \\n"
    return f"{block.key}.files: {name}: {message}"


def first_line(error: duckdb.Error) -> str:
    """Keep of an engine's message what fits one line."""
    return str(error).strip().splitlines()[0]


# Checking -------------------------------------------------------------------


def check_table(load: Load, table: str) -> None:
    """Refuse what only a mistake in the mapping explains."""
    blocks = load.mapping.blocks[table]
    key = blocks[0].key if len(blocks) == 1 else table
    read = rows_read(load, table)
    good = load.count(f"select count(*) from {table} where detail is null")
    if table == "events" and not read:
        raise MappingError(f"{key}.files: they hold no rows")
    if read and not good:
        reason = load.rows(
            "select file, line, detail from rejected where table_name = "
            f"{quoted(table)} order by file, line limit 1"
        )[0]
        raise MappingError(
            f"{key}: none of {read:,} rows can be read; the first, "
            f"{reason[0]} line {reason[1]}: {reason[2]}; see format, "
            "separator, names, unit and zone"
        )
    for block in blocks:
        for name, column in staged_columns(load.mapping, table, block).items():
            check_values(load, table, name, column)
            check_path(load, table, name, column, block)
    if table == "events":
        check_events(load, key)


def check_values(load: Load, table: str, name: str, column: Column) -> None:
    """Refuse a column of which every value was unreadable."""
    if column.kind not in {"time", "date", "number"} or load.count(
        f"select count({identifier(name)}) from {table}"
    ):
        return
    bad = load.rows(
        f"select file, line, detail from rejected where table_name = "
        f"{quoted(table)} and starts_with(detail, {quoted(name + ': ')}) "
        "order by file, line limit 1"
    )
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
    numbers = [
        number
        for number, found in enumerate(load.inputs)
        if found.table == table and found.block is block
    ]
    shape = load.shapes[numbers[0]]
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
        types = load.rows(
            "select left_out from events where left_out is not null "
            "group by 1 order by count(*) desc, 1 limit 10"
        )
        raise MappingError(
            f"{key}.columns.event_type.map: no event is one of its types; "
            f"found: {', '.join(row[0] for row in types)}"
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


def rows_read(load: Load, table: str) -> int:
    """Count the rows of a table's files, bad ones included."""
    good = (
        f"select count(*) from {table} "
        "where file_number is not null and detail is null"
    )
    bad = f"select count(*) from rejected where table_name = {quoted(table)}"
    return load.count(good) + load.count(bad)


# Writing --------------------------------------------------------------------


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
        f"where detail is null and left_out is null and {key} is not null "
        f"and {key} not in (select {key} from {table} "
        f"where {key} is not null and detail is null) "
        f"group by {key} order by {key}"
    )


def write_tables(load: Load, folder: Path) -> dict[str, dict[str, Any]]:
    """Write the raw files and the rejected rows; count what became of them.

    Returns
    -------
    dict of str to dict
        For each table rows read, written, rejected (by reason), left_out (by
        event type), added from events, and local times that the clocks
        skipped or repeated.
    """
    for table in DERIVABLE:
        if table in load.mapping.derived or load.mapping.add_missing[table]:
            derive(load, table)
    counts = {}
    for table, kinds in TABLES.items():
        path = quoted(str(folder / f"{table}.csv"))
        fields = ", ".join(
            f"{event_id(load)} as event_id"
            if name == "event_id"
            else identifier(name)
            for name in kinds
        )
        # A scan keeps the order in which the rows were read.
        written = load.count(
            f"copy (select {fields} from {table} "
            f"where detail is null and left_out is null) to {path} {CSV}"
        )
        counts[table] = table_counts(load, table, written)
    path = quoted(str(folder / "rejected_rows.csv"))
    load.rows(f"copy (select * from rejected order by all) to {path} {CSV}")
    return counts


def event_id(load: Load) -> str:
    """Write an event's id: theirs, a digest, or the place of its row."""
    blocks = load.mapping.blocks["events"]
    names, firsts, numbered = [], [], []
    for number, found in enumerate(load.inputs):
        part = f"{blocks.index(found.block) + 1}:" if len(blocks) > 1 else ""
        names.append(
            quoted(f"{part if found.table == 'events' else ''}{found.name}:")
        )
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


def table_counts(load: Load, table: str, written: int) -> dict[str, Any]:
    """Count what became of a table's rows; they must add up."""
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
            "and detail is null and left_out is null group by 1 order by 1"
        )
    )
    read = rows_read(load, table)
    gone = sum(rejected.values()) + sum(left_out.values())
    assert read + added == written + gone, f"{table}: rows were lost"
    return {
        "read": read,
        "added_from_events": added,
        "written": written,
        "rejected": rejected,
        "left_out": left_out,
        "local_times": clocks,
    }


def write_references(
    mapping: Mapping, sources: Path, previous: Path, folder: Path
) -> list[str]:
    """Write the reference files: given, kept, or nothing but a header.

    A file is kept when somebody put it into the folder by hand, which the
    last manifest shows: it lists every file's digest, and those kept.

    Returns
    -------
    list of str
        Names of the files kept.
    """
    path = previous / "manifest.json"
    manifest = json.loads(path.read_text()) if path.is_file() else {}
    kept = []
    for name, columns in REFERENCES.items():
        target = folder / f"{name}.csv"
        own = previous / target.name
        known = manifest.get("files", {}).get(target.name, {}).get("sha256")
        if name in mapping.references:
            source = sources / mapping.references[name]
            if not source.is_file():
                raise MappingError(f"references.{name}: no file {source}")
            check_header(source, columns, f"references.{name}")
            shutil.copyfile(source, target)
        elif own.is_file() and (
            target.name in manifest.get("kept", []) or sha256(own) != known
        ):
            check_header(own, columns, str(own))
            shutil.copyfile(own, target)
            kept.append(target.name)
        else:
            target.write_text(",".join(columns) + "\n")
    return kept


def check_header(path: Path, columns: list[str], key: str) -> None:
    """Refuse a reference file that lacks a column."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file), [])
    missing = [name for name in columns if name not in header]
    if missing:
        raise MappingError(
            f"{key}: {path.name} has no column {', '.join(missing)}; it has "
            f"{', '.join(header)}"
        )


def write_manifest(
    load: Load, folder: Path, counts: dict[str, dict[str, Any]], kept: list[str]
) -> dict[str, Any]:
    """Describe the folder: what was read, written, and lost."""
    mapping = load.mapping
    rows = {f"{name}.csv": count["written"] for name, count in counts.items()}
    rows["rejected_rows.csv"] = sum(
        sum(count["rejected"].values()) for count in counts.values()
    )
    for name in REFERENCE_FILES:
        with (folder / name).open(encoding="utf-8", newline="") as file:
            rows[name] = sum(1 for row in csv.reader(file) if row) - 1
    manifest = {
        "log_name": mapping.name,
        "source": mapping.source,
        "licence": mapping.licence,
        "seed": None,
        "files": {
            name: {"rows": rows[name], **file_facts(folder / name)}
            for name in sorted(rows)
        },
        "kept": kept,
        "inputs": [
            {
                "table": found.block.key,
                "name": found.name,
                **file_facts(found.path),
            }
            for found in load.inputs
        ],
        "tables": counts,
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    return manifest


def file_facts(path: Path) -> dict[str, int | str]:
    """State a file's size and digest."""
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def sha256(path: Path) -> str:
    """Digest a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# The folder -----------------------------------------------------------------


@contextmanager
def replacing(out: Path, *, force: bool) -> Iterator[Path]:
    """Lend an empty folder that takes the place of `out` once it is whole.

    Raises
    ------
    MappingError
        If `out` holds a load already (without `force`) or foreign files.
    """
    partial = out.with_name(f".{out.name}.partial")
    previous = out.with_name(f".{out.name}.previous")
    # What a killed run left: before its folder was whole, or between renames.
    shutil.rmtree(partial, ignore_errors=True)
    if previous.exists() and not out.exists():
        previous.rename(out)
    shutil.rmtree(previous, ignore_errors=True)

    if out.exists():
        foreign = (
            sorted({path.name for path in out.iterdir()} - set(OWN_FILES))
            if out.is_dir()
            else [out.name]
        )
        if foreign:
            raise MappingError(
                f"{out} holds {foreign[0]}, which is no part of a log; choose "
                "another folder with --out"
            )
        if (out / "manifest.json").exists() and not force:
            raise MappingError(
                f"{out} holds a log already; replace it with --force, or "
                "choose another folder with --out"
            )
    partial.mkdir(parents=True)
    try:
        yield partial
        if out.exists():
            out.rename(previous)
        partial.rename(out)
        shutil.rmtree(previous, ignore_errors=True)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def load_log(
    path: Path, folder: Path | None, out: Path | None, *, force: bool
) -> tuple[dict[str, Any], Path]:
    """Load the log that a mapping describes; return its manifest and folder.

    Raises
    ------
    MappingError
        If the mapping, its files or the folder to write are not usable.
    """
    try:
        mapping = read_mapping(path.read_text(encoding="utf-8"))
    except MappingError as error:
        raise MappingError(f"{path}: {error}") from None
    folder = folder or path.parent
    out = out or Path("logs") / mapping.name
    if not folder.is_dir():
        raise MappingError(f"--input: no folder {folder}")
    with replacing(out, force=force) as partial:
        scratch = partial / "scratch"
        scratch.mkdir()
        with duckdb.connect(str(scratch / "log.duckdb")) as connection:
            load = Load(connection, mapping, folder, [], [])
            try:
                stage(load)
                counts = write_tables(load, partial)
            except MappingError as error:
                raise MappingError(f"{path}: {error}") from None
        shutil.rmtree(scratch)
        kept = write_references(mapping, folder, out, partial)
        (partial / "vars.yml").write_text(
            yaml.safe_dump(mapping.variables, allow_unicode=True),
            encoding="utf-8",
        )
        manifest = write_manifest(load, partial, counts, kept)
    return manifest, out


def summary(manifest: dict[str, Any], out: Path) -> str:
    """Say what became of every row, table by table."""
    lines = [f"{manifest['log_name']} -> {out}"]
    for table, count in manifest["tables"].items():
        rejected = sum(count["rejected"].values())
        left_out = sum(count["left_out"].values())
        added = count["added_from_events"]
        text = f"  {table}: {count['read']:,} rows read"
        if added:
            text += f" + {added:,} from the events"
        text += f" = {count['written']:,} written + {rejected:,} rejected"
        if table == "events":
            text += f" + {left_out:,} left out"
        lines.append(text)
        details = {
            "rejected": count["rejected"],
            "left out": count["left_out"],
            "local times": count["local_times"],
        }
        lines += [
            f"    {name}: "
            + ", ".join(f"{key} {value:,}" for key, value in items.items())
            for name, items in details.items()
            if items
        ]
    if manifest["kept"]:
        lines.append(f"  kept as they were: {', '.join(manifest['kept'])}")
    if manifest["files"]["rejected_rows.csv"]["rows"]:
        lines.append(
            f"  see {out / 'rejected_rows.csv'}; a value that means empty "
            "belongs under `nulls:`"
        )
    return "\n".join(lines)


def main() -> None:
    """Read the arguments, load the log and print what became of it."""
    parser = argparse.ArgumentParser(
        description="Write a log in another shape as raw files.",
        epilog="A mapping:\n\n" + EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("mapping", type=Path, help="the mapping, a YAML file")
    parser.add_argument(
        "--input",
        type=Path,
        help="folder of the log's files (default: the mapping's)",
    )
    parser.add_argument(
        "--out", type=Path, help="folder to write (default: logs/<name>)"
    )
    parser.add_argument(
        "--force", action="store_true", help="replace a log loaded before"
    )
    options = parser.parse_args()
    try:
        manifest, out = load_log(
            options.mapping, options.input, options.out, force=options.force
        )
    except (MappingError, OSError, UnicodeDecodeError) as error:
        sys.exit(f"load_logs: {error}")
    except duckdb.Error as error:
        sys.exit(f"load_logs: {first_line(error)}")
    print(summary(manifest, out))


if __name__ == "__main__":
    main()
