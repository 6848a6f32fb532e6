"""Check the text of a mapping and give every setting its value.

Pure functions: YAML in, a `Mapping` or an error that names the key out.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from mapping.language import (
    DERIVABLE,
    DURATION_UNITS,
    EPOCH_DIGITS,
    REQUIRED,
    UNTIMED,
    WIDE,
    Block,
    Column,
    Mapping,
    MappingError,
    did_you_mean,
    mapped_columns,
    one_of,
)
from raw.files import ESTIMATES, REFERENCES, TABLES, Kind

FORMATS = ("csv", "json", "parquet")
ENCODINGS = ("utf-8", "utf-16", "latin-1")
ADD_MISSING = "add_missing_from_events"
SEPARATOR_BYTES = 4
MAPPING_KEYS = ("name", "source", "licence", *TABLES, "references", "vars")
CSV_KEYS = ("separator", "quote", "header", "names", "encoding")
TABLE_KEYS = (
    "files",
    "format",
    *CSV_KEYS,
    "nulls",
    "where",
    "columns",
    ADD_MISSING,
)
ANCHORS = ("after", "before")
COLUMN_KEYS = {
    "text": ("map",),
    "time": ("unit", "format", "zone", *ANCHORS),
    "date": ("format",),
    "duration": ("unit",),
    "number": (),
    "integer": (),
    "genre": ("separator",),
    "measure": ("map", "before"),
}
ORIGINS = ("column", "value", "sql", "md5", "row_number")
# What players' words for events tell of their effect on a title.
MEANINGS = {
    "buffer": "{pauses}, and {plays} when it ends",
    "seek": "{seeks}",
    "start": "{plays}",
    "resume": "{plays}",
    "next": "{skips}",
    "end": "{stops}",
    "finish": "{stops}",
    "complete": "{stops}",
    "ping": "{beats}",
    "progress": "{beats}",
}


def read_mapping(text: str) -> Mapping:
    """Check a mapping and give every setting its value.

    The text is YAML in the language that `EXAMPLE` explains.

    Raises
    ------
    MappingError
        If a key is unknown, missing or has an impossible value.

    Examples
    --------
    >>> from mapping.language import EXAMPLE
    >>> mapping = read_mapping(EXAMPLE)
    >>> mapping.blocks["events"][0].columns["user_id"].paths
    ('user', 'device')
    """
    tree, typed = _trees(text)
    _check_keys(tree, MAPPING_KEYS, "mapping")
    name = _name(tree)
    references = tree.get("references") or {}
    _check_keys(references, (*REFERENCES, ESTIMATES), "references")
    variables = typed.get("vars") or {}
    if not isinstance(variables, dict):
        raise MappingError("vars: give them as name: value")
    blocks: dict[str, tuple[Block, ...]] = {}
    derived: dict[str, dict[str, Column]] = {}
    add_missing = {"users": False, "content": True}
    has_events = bool(tree.get("events"))
    for table in TABLES:
        parts = _parts(tree.get(table) or {}, table)
        for key, part in parts.items():
            if ADD_MISSING in part:
                add_missing[table] = _add_missing(part, table, key)
        if any("files" in part for part in parts.values()):
            blocks[table] = tuple(
                _block(_timed(part, table, has_events=has_events), table, key)
                for key, part in parts.items()
            )
        elif table in DERIVABLE:
            derived[table] = _derived(parts, table, has_events=has_events)
        elif any(parts.values()):
            raise MappingError(f"{table}.files: missing; name the files")
    return Mapping(
        name=name,
        source=_text(tree.get("source", ""), "source"),
        licence=_text(tree.get("licence", ""), "licence"),
        blocks=blocks,
        derived=derived,
        add_missing=add_missing,
        references={
            key: _text(path, f"references.{key}")
            for key, path in references.items()
        },
        variables=variables,
    )


class _Texts(yaml.BaseLoader):
    """Read every scalar as text, and no key twice."""

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for number, key in enumerate(keys):
            if key in keys[:number]:
                line = node.value[number][0].start_mark.line + 1
                raise MappingError(f"line {line}: '{key}' is there twice")
        return super().construct_mapping(node, deep)


def _trees(text: str) -> tuple[Any, Any]:
    """Read YAML as texts, and as YAML's types."""
    try:
        # All scalars as they are written: `007` and `no` are names, not 7
        # and false. Variables alone have YAML's types.
        tree = yaml.load(text, Loader=_Texts)  # noqa: S506
        typed = yaml.safe_load(text)
    except MappingError:
        raise
    except (yaml.YAMLError, ValueError) as error:  # a date of month 13
        message = " ".join(str(error).split())
        raise MappingError(f"not YAML: {message}") from None
    return tree, typed


def _name(tree: dict[str, Any]) -> str:
    if not tree.get("name"):
        raise MappingError("name: missing; the mapping must have it")
    if not tree.get("events"):
        for key in ("user_measures", "experiment_assignments"):
            if not tree.get(key):
                raise MappingError(
                    "events: missing; the mapping must have them, or both "
                    "experiment_assignments and user_measures"
                )
    name = _text(tree["name"], "name")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise MappingError(
            f"name: '{name}' names a folder; use letters, digits, _ and -"
        )
    return name


def _parts(given: object, table: str) -> dict[str, dict[str, Any]]:
    """List the blocks of a table, each under the key that errors name."""
    parts: dict[str, Any] = (
        {f"{table}[{number}]": part for number, part in enumerate(given, 1)}
        if isinstance(given, list)
        else {table: given}
    )
    known = (*TABLE_KEYS, WIDE[table].key) if table in WIDE else TABLE_KEYS
    for key, part in parts.items():
        _check_keys(part, known, key)
    return parts


def _timed(
    part: dict[str, Any], table: str, *, has_events: bool
) -> dict[str, Any]:
    """Give assignments a time where there is none that could matter."""
    columns = part.get("columns")
    if (
        table != "experiment_assignments"
        or has_events
        or not isinstance(columns, dict)
    ):
        return part
    return part | {"columns": {"assigned_at": {"value": UNTIMED}} | columns}


def _lines(given: object, key: str, form: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise MappingError(f"{key}: give it as `{form}` lines")
    return given


def _check_keys(part: object, known: tuple[str, ...], key: str) -> None:
    for found in _lines(part, key, "key: value"):
        one_of(str(found), known, key)


def _text(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise MappingError(f"{key}: give it one text")
    return value


def _optional(part: dict[str, Any], name: str, key: str) -> str | None:
    return _text(part[name], f"{key}.{name}") if name in part else None


def _texts(value: object, key: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in values):
        raise MappingError(f"{key}: give it a text or a list of texts")
    return tuple(values)


def _flag(value: object, key: str) -> bool:
    return one_of(_text(value, key), ("true", "false"), key) == "true"


def _add_missing(part: dict[str, Any], table: str, key: str) -> bool:
    if table not in DERIVABLE:
        raise MappingError(f"{key}.{ADD_MISSING}: only for users and content")
    return _flag(part[ADD_MISSING], f"{key}.{ADD_MISSING}")


def _block(part: dict[str, Any], table: str, key: str) -> Block:
    if not part.get("files"):
        raise MappingError(f"{key}.files: missing; name the files")
    columns = part.get("columns") or {}
    _check_keys(columns, tuple(mapped_columns(table)), f"{key}.columns")
    for name in REQUIRED[table]:
        if name not in columns:
            raise MappingError(
                f"{key}.columns.{name}: missing; say which of their columns "
                "it is"
            )
    form = part.get("format")
    if form is not None:
        one_of(_text(form, f"{key}.format"), FORMATS, f"{key}.format")
    names = _texts(part.get("names", []), f"{key}.names")
    return Block(
        key=key,
        files=_texts(part["files"], f"{key}.files"),
        columns=(
            _columns(columns, table, f"{key}.columns")
            | _cells(part, table, key)
        ),
        where=_where(part.get("where") or {}, f"{key}.where"),
        format=_csv_format(part, form, key),
        separator=_separator(part, key),
        quote=_quote(part, key),
        header=(
            _flag(part["header"], f"{key}.header")
            if "header" in part
            else not names
        ),
        names=_distinct(names, f"{key}.names"),
        encoding=one_of(
            _text(part.get("encoding", "utf-8"), f"{key}.encoding").lower(),
            ENCODINGS,
            f"{key}.encoding",
        ),
        nulls=_texts(part.get("nulls", []), f"{key}.nulls"),
    )


def _where(given: object, key: str) -> dict[str, tuple[str, ...]]:
    return {
        path: _texts(wanted, f"{key}.{path}")
        for path, wanted in _lines(given, key, "their column: text").items()
    }


def _cells(part: dict[str, Any], table: str, key: str) -> dict[str, Column]:
    """Name the measures or dimensions that each row of a wide table gives."""
    if table not in WIDE:
        return {}
    word, kind = WIDE[table].key, WIDE[table].kind
    given = part.get(word)
    if not given or not isinstance(given, dict):
        raise MappingError(
            f"{key}.{word}: missing; give them as `your name: their column` "
            "lines"
        )
    cells = {}
    for name, cell in given.items():
        place = f"{key}.{word}.{name}"
        if isinstance(cell, dict) and "before" in cell:
            cells[f"before.{name}"] = _column(
                cell["before"], f"before.{name}", kind, f"{place}.before"
            )
        cells[f"{word}.{name}"] = _column(cell, f"{word}.{name}", kind, place)
    return cells


def _csv_format(part: dict[str, Any], form: str | None, key: str) -> str | None:
    """Take a setting of CSV files as the word that they are CSV files."""
    settings = [name for name in CSV_KEYS if name in part]
    if settings and form not in {None, "csv"}:
        raise MappingError(f"{key}.{settings[0]}: only for format: csv")
    if part.get("header") == "false" and "names" not in part:
        raise MappingError(f"{key}.names: missing; name the columns")
    return "csv" if settings else form


def _separator(part: dict[str, Any], key: str) -> str | None:
    if "separator" not in part:
        return None
    text = _text(part["separator"], f"{key}.separator")
    text = "\t" if text in {"tab", "\\t"} else text
    if not 1 <= len(text.encode()) <= SEPARATOR_BYTES:
        raise MappingError(
            f"{key}.separator: '{text}' must have 1 to {SEPARATOR_BYTES} bytes"
        )
    return text


def _quote(part: dict[str, Any], key: str) -> str:
    text = _text(part.get("quote", '"'), f"{key}.quote")
    if len(text) > 1:
        raise MappingError(
            f"{key}.quote: '{text}' must be one character, or \"\" for none"
        )
    return text


def _distinct(names: tuple[str, ...], key: str) -> tuple[str, ...]:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise MappingError(f"{key}: '{name}' is there twice")
    return names


def _derived(
    parts: dict[str, dict[str, Any]], table: str, *, has_events: bool
) -> dict[str, Column]:
    if len(parts) != 1:
        raise MappingError(f"{table}.files: missing; name the files")
    (part,) = parts.values()
    for name in part:
        if name not in {"columns", ADD_MISSING}:
            raise MappingError(f"{table}.{name}: needs {table}.files")
    if part.get(ADD_MISSING) == "false":
        raise MappingError(
            f"{table}.{ADD_MISSING}: without {table}.files all of "
            "them come from the events"
        )
    columns = part.get("columns") or {}
    if columns and not has_events:
        raise MappingError(
            f"{table}.files: missing; there are no events to take them from"
        )
    _check_keys(columns, tuple(TABLES[table]), f"{table}.columns")
    for name in REQUIRED[table]:
        if name in columns:
            raise MappingError(
                f"{table}.columns.{name}: without {table}.files it is the "
                f"events' {name}; remove it, or name the files"
            )
    return _columns(columns, table, f"{table}.columns")


def _columns(
    columns: dict[str, Any], table: str, key: str
) -> dict[str, Column]:
    kinds = mapped_columns(table)
    numbered = "event_id" if table == "events" else "user_id"
    found = {
        name: _column(
            given,
            name,
            kinds[name],
            f"{key}.{name}",
            is_numbered=name == numbered,
        )
        for name, given in columns.items()
    }
    times = [
        name
        for name, column in found.items()
        if column.kind == "time" and column.anchor is None
    ]
    for column in found.values():
        if column.anchor is not None and column.anchor not in times:
            anchor = ANCHORS[column.is_before]
            raise MappingError(
                f"{column.key}.{anchor}: '{column.anchor}' is no time that "
                "the mapping reads by itself; there are: "
                f"{', '.join(times) or 'none'}"
            )
    return found


def _column(
    given: object,
    name: str,
    kind: Kind,
    key: str,
    *,
    is_numbered: bool = False,
) -> Column:
    is_event_id = name == "event_id"
    if isinstance(given, (str, list)):
        given = {"column": given}
        if is_numbered and given["column"] == "row_number":
            given = {"row_number": "true"}
    known = (*ORIGINS, *COLUMN_KEYS[kind], "default", "optional")
    _check_keys(given, known, key)
    assert isinstance(given, dict)
    origins = [origin for origin in ORIGINS if origin in given]
    if len(origins) != 1 or not given[origins[0]]:
        raise MappingError(
            f"{key}: say one of column, value or sql"
            + (", md5" if is_event_id else "")
            + (" or row_number" if is_numbered else "")
        )
    if origins[0] == "md5" and not is_event_id:
        raise MappingError(f"{key}.md5: only for event_id")
    if origins[0] == "row_number" and not is_numbered:
        raise MappingError(
            f"{key}.row_number: only for event_id, and for user_id where a "
            "row is a user"
        )
    column = Column(
        key=key,
        name=name,
        kind=kind,
        paths=_texts(given.get("column", []), f"{key}.column"),
        value=_optional(given, "value", key),
        sql=_optional(given, "sql", key),
        md5=_texts(given.get("md5", []), f"{key}.md5"),
        row_number="row_number" in given,
        default=_optional(given, "default", key),
        optional=_flag(given.get("optional", "false"), f"{key}.optional"),
        renamed=_renamed(given.get("map") or {}, f"{key}.map"),
        unit=_unit(given, kind, key),
        formats=_texts(given.get("format", []), f"{key}.format"),
        zone=_optional(given, "zone", key),
        separator=_optional(given, "separator", key) or None,
        anchor=_anchor(given, key) if kind == "time" else None,
        is_before="before" in given,
    )
    _check_time(column)
    return column


def _renamed(given: object, key: str) -> dict[str, str]:
    lines = _lines(given, key, "their value: our value")
    return {
        _text(theirs, key): _text(ours, f"{key}.{theirs}")
        for theirs, ours in lines.items()
    }


def _unit(given: dict[str, Any], kind: Kind, key: str) -> str | None:
    is_duration = kind == "duration" or (
        kind == "time" and any(name in given for name in ANCHORS)
    )
    if "unit" not in given:
        return "seconds" if is_duration else None
    units = DURATION_UNITS if is_duration else EPOCH_DIGITS
    return one_of(
        _text(given["unit"], f"{key}.unit"), tuple(units), f"{key}.unit"
    )


def _anchor(given: dict[str, Any], key: str) -> str | None:
    named = [name for name in ANCHORS if name in given]
    if len(named) > 1:
        raise MappingError(f"{key}: after and before exclude each other")
    return _optional(given, named[0], key) if named else None


def _check_time(column: Column) -> None:
    if column.anchor is not None and (column.formats or column.zone):
        raise MappingError(
            f"{column.key}: {ANCHORS[column.is_before]} makes it a duration, "
            "which has a unit but no format and no zone"
        )
    if column.unit and column.formats:
        raise MappingError(
            f"{column.key}: unit (of a number) and format (of a text) exclude "
            "each other"
        )
    has_offset = any("%z" in form for form in column.formats)
    if column.zone and (has_offset or (column.unit and column.kind == "time")):
        raise MappingError(
            f"{column.key}.zone: their value already says an instant; remove "
            "the zone"
        )
    for form in column.formats:
        if "%" not in form:
            raise MappingError(
                f"{column.key}.format: '{form}' has no % directive, such as "
                "%d/%m/%Y %H:%M:%S"
            )


def check_event_types(mapping: Mapping, effects: dict[str, str]) -> None:
    """Refuse a type of event that the log does not declare.

    Effects say what each declared type does to a title.

    Raises
    ------
    MappingError
        With the types declared, and the likeliest of them.
    """
    for block in mapping.blocks.get("events", ()):
        column = block.columns["event_type"]
        ours = [*column.renamed.values()]
        ours += [text for text in (column.value, column.default) if text]
        for text in ours:
            if text.lower() not in effects:
                raise MappingError(
                    f"{column.key}: '{text}' is none of {', '.join(effects)}"
                    f"{_meaning(text, effects)}, or declare it in a file of "
                    "your own: references.event_types"
                )


def _meaning(text: str, effects: dict[str, str]) -> str:
    """Suggest the declared type that a player's word may stand for."""
    types: dict[str, str] = {}
    for name, effect in effects.items():
        types.setdefault(effect, name)
    for word, meaning in MEANINGS.items():
        if word in text.lower():
            try:
                return f"; did you mean {meaning.format_map(types)}?"
            except KeyError:
                continue
    return did_you_mean(text, tuple(effects))
