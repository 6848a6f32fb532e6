"""The one query that reads a file in another shape as rows of ours.

Pure functions: the shape of a file and the columns of a mapping in, SQL out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mapping.expressions import (
    Step,
    clock_note,
    digest,
    filled,
    identifier,
    json_path,
    json_text,
    parsed,
    quoted,
    renamed,
    steps,
    value,
)
from mapping.language import (
    UNREADABLE_KINDS,
    Block,
    Column,
    MappingError,
    columns_of,
    did_you_mean,
)
from mapping.own_expressions import enclosed
from mapping.zones import Shift

NOT_AN_OBJECT = "not a JSON object"
EMPTY = "cast(null as varchar)"
# What every staged row carries beside its table's columns.
STATE = ["file_number", "clock", "left_out", "detail", "row_text"]


@dataclass(frozen=True)
class Shape:
    """What can be selected from one file.

    `relation` has a column per name of `types` (in order, as the file names
    them), under the name in `aliases`; or, for records, `line` alone.
    """

    name: str
    relation: str
    names: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    is_records: bool = False
    has_errors: bool = False
    first_line: int = 1


@dataclass
class Inputs:
    """Their values that a block asks for, each read once."""

    shape: Shape
    nulls: tuple[str, ...]
    expressions: dict[str, str] = field(default_factory=dict)
    record_paths: list[str] = field(default_factory=list)

    def read(self, path: str, column: Column) -> str | None:
        """Name the value at a path; None when the file has no such column."""
        if path not in self.expressions:
            expression = self._expression(path, column)
            if expression is None:
                return None
            self.expressions[path] = filled(expression, self.nulls)
        return f"s{list(self.expressions).index(path)}"

    def compute(self, sql: str) -> str:
        """Name the value of an expression over their columns."""
        self.expressions[f"sql: {sql}"] = filled(
            f"cast({enclosed(sql)} as varchar)", self.nulls
        )
        return f"s{len(self.expressions) - 1}"

    def select(self) -> str:
        """Select every value that was asked for."""
        relation = self.shape.relation
        fields = [
            f"{expression} as s{number}"
            for number, expression in enumerate(self.expressions.values())
        ]
        if self.shape.is_records:
            # One parse of a record finds all of its plain paths.
            paths = ", ".join(quoted(path) for path in self.record_paths)
            relation = (
                "(select *, json_extract_string(record, "
                f"cast([{paths}] as varchar[])) as found from {relation})"
            )
            fields += ["line", "record"]
        return f"select {', '.join(fields) or '1'} from {relation}"

    def row_text(self) -> str:
        """Write the row as it was: the record, or the values asked for."""
        if self.shape.is_records:
            return "line"
        pairs = ", ".join(
            f"{quoted(path)}: s{number}"
            for number, path in enumerate(self.expressions)
        )
        return f"cast(to_json({{ {pairs} }}) as varchar)"

    def _expression(self, path: str, column: Column) -> str | None:
        if self.shape.is_records and not any(
            step.in_list for step in steps(path)
        ):
            self.record_paths.append(json_path(steps(path)))
            return f"found[{len(self.record_paths)}]"
        origin = locate(self.shape, path, column)
        if origin is None:
            return None
        json, keys = origin
        return json_text(json, keys) if keys else json


def locate(
    shape: Shape, path: str, column: Column
) -> tuple[str, list[Step]] | None:
    """Find the column that a path starts at, and the keys that remain.

    The column is SQL: text, or JSON when keys remain.
    """
    keys = steps(path)
    if shape.is_records:
        return "record", keys
    if path in shape.names:
        keys, start = [], path
    else:
        start = keys[0].key if keys else path
        keys = keys[1:]
    if shape.names.count(start) > 1:
        raise MappingError(
            f"{column.key}: the header of {shape.name} names '{start}' twice; "
            "give names of your own with `names:` and `header: true`"
        )
    if start not in shape.names:
        return None
    position = shape.names.index(start)
    name = identifier(shape.aliases[position])
    kind = shape.types[position]
    if any(nested in kind for nested in ("STRUCT", "MAP", "[")):
        return (
            f"to_json({name})" if keys else f"cast(to_json({name}) as varchar)",
            keys,
        )
    if keys:
        return f"(case when json_valid({name}) then {name} end)", keys
    return (name if kind == "VARCHAR" else f"cast({name} as varchar)"), keys


def selection(
    shape: Shape,
    columns: dict[str, Column],
    shifts: dict[str, Sequence[Shift]],
    block: Block,
    file_number: int,
) -> tuple[list[str], str]:
    """Compose the query that reads one file.

    Columns go by the name they are staged under, shifts by the zone that
    columns name; the block says what texts mean empty and which rows to leave
    out, and the number is staged with every row. Gives the staged columns in
    their order, and SQL with one row per row of the file.

    Raises
    ------
    MappingError
        If the file lacks a column that is not optional.
    """
    inputs = Inputs(shape, block.nulls)
    places = {name: number for number, name in enumerate(columns)}
    read, texts, parses, notes, failures = [], [], [], [], []
    values: list[str] = []
    relative: list[str] = []
    for number, (name, column) in enumerate(columns.items()):
        text, found, ours = f"t{number}", f"p{number}", f"v{number}"
        changes = shifts.get(column.zone or "UTC", ())
        read.append(f"{_theirs(column, inputs)} as r{number}")
        texts.append(f"{renamed(f'r{number}', column)} as {text}")
        parses.append(f"{parsed(text, column)} as {found}")
        anchor = "" if column.anchor is None else f"v{places[column.anchor]}"
        is_known = f"and {anchor} is not null " if anchor else ""
        (relative if anchor else values).append(
            f"{value(found, text, column, changes, anchor)} as {ours}"
        )
        if column.kind == "time" and changes:
            notes.append(clock_note(found, text, column, changes))
        if column.kind in UNREADABLE_KINDS:
            failures.append(
                f"when {text} is not null and {ours} is null {is_known}"
                f"then {quoted(name + ': ')} || {text}"
            )
    fields = list(columns)
    ours_in_order = [f"v{number}" for number in places.values()]
    left_out = _left_out(inputs, columns, block)
    if "event_type" in columns and "event_id" not in columns:
        fields.append("event_id")
        ours_in_order.append(
            digest(
                f"cast(v{places[name]} as varchar)"
                for name in columns_of("events")
                if name in places and name != "received_at"
            )
        )
    # What is left out is not read, so it cannot be unreadable.
    failures.insert(0, "when left_out is not null then null")
    if shape.is_records:
        failures.insert(
            0,
            "when record is null or ltrim(record) not like '{%' "
            f"then {quoted(NOT_AN_OBJECT)}",
        )
    detail = f"case {' '.join(failures)} end"
    query = f"""
        with

        inputs as ({inputs.select()}),

        reads as (select *, {", ".join(read)} from inputs),

        texts as (select *, {", ".join(texts)} from reads),

        parses as (select *, {", ".join(parses)} from texts),

        ours as (select *, {", ".join(values + relative)} from parses),

        sorted as (select *, {left_out} as left_out from ours),

        judged as (select *, {detail} as detail from sorted)

        select
            {", ".join(ours_in_order)},
            {file_number} as file_number,
            {f"coalesce({', '.join(notes)})" if notes else "null"} as clock,
            case when detail is null then left_out end as left_out,
            detail,
            case when detail is not null then {inputs.row_text()} end
                as row_text
        from judged
    """
    return [*fields, *STATE], query


def _left_out(inputs: Inputs, columns: dict[str, Column], block: Block) -> str:
    """Say of a row that is not asked for what it has instead."""
    found = []
    for path, wanted in block.where.items():
        key = f"{block.key}.where.{path}"
        column = Column(key=key, name="where", kind="text")
        [text] = _found(column, (path,), inputs, every=True)
        texts = ", ".join(quoted(each) for each in wanted)
        found.append(
            f"case when {text} in ({texts}) then null "
            f"else coalesce({text}, '(empty)') end"
        )
    if "event_type" in columns and columns["event_type"].renamed:
        place = list(columns).index("event_type")
        found.append(
            f"case when v{place} is null then coalesce(r{place}, '(empty)') end"
        )
    return f"coalesce({', '.join(found)}, null)" if found else EMPTY


def _theirs(column: Column, inputs: Inputs) -> str:
    """Name the text that a column comes from."""
    if column.value is not None:
        return quoted(column.value)
    if column.row_number:
        return EMPTY
    if column.sql is not None:
        return inputs.compute(column.sql)
    if column.md5:
        return digest(_found(column, column.md5, inputs, every=True))
    found = _found(column, column.paths, inputs, every=False)
    return f"coalesce({', '.join(found)})" if found else EMPTY


def _found(
    column: Column, paths: Sequence[str], inputs: Inputs, *, every: bool
) -> list[str]:
    """Name the values at some paths; one of them, or every one, must exist."""
    named = {path: inputs.read(path, column) for path in paths}
    missing = [path for path, name in named.items() if name is None]
    is_short = bool(missing) if every else len(missing) == len(paths)
    if is_short and not column.optional:
        known = inputs.shape.names
        raise MappingError(
            f"{column.key}: {inputs.shape.name} has no column "
            f"'{missing[0]}'; it has {', '.join(known)}"
            f"{did_you_mean(missing[0], known)}"
        )
    return [name for name in named.values() if name is not None]
