"""The files of a log: where they are, and what can be selected from each."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from engine.connections import literal
from mapping.expressions import identifier, quoted
from mapping.language import Block, MappingError
from mapping.selection import Shape

FORMAT_OF = {
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

# One column, cut by a byte that no text holds. Not strict, because a file of
# records may mix its line ends.
LINES = (
    "auto_detect = false, header = false, columns = { 'line': 'varchar' }, "
    "delim = '\x01', quote = '', escape = '', strict_mode = false"
)
# What a reader says of bytes that are no text, and what to do about it.
UNDECODABLE = re.compile(
    r"Invalid (unicode|UTF-8|string encoding)|invalid UTF-8 encoding|"
    r"not (utf-8|utf-16|latin-1) encoded"
)
ENCODE = {
    "csv": "say its `encoding`: utf-8, utf-16 or latin-1",
    "json": "write it as UTF-8",
    "parquet": "write its texts as UTF-8",
}
REMEDIES = {
    FileNotFoundError: "correct the path",
    IsADirectoryError: "name a file in it",
    NotADirectoryError: "correct the path",
    PermissionError: "give yourself the right to use it",
}
ERRORS = (
    "store_rejects = true, rejects_limit = 0, "
    "rejects_table = 'reader_errors', rejects_scan = 'reader_scans'"
)


def block_files(
    block: Block, folder: Path, missing: list[str] | None = None
) -> list[Path]:
    """List the files of a block, each once, by name within a pattern.

    A list of what is missing takes note of patterns that find no file.

    Raises
    ------
    MappingError
        If a pattern finds a file that is outside of the folder; or none, where
        no list takes note of it.
    """
    found: list[Path] = []
    for pattern in block.files:
        path = folder / pattern
        paths = [path] if path.is_file() else []
        if not paths and not Path(pattern).is_absolute():
            try:
                paths = sorted(p for p in folder.glob(pattern) if p.is_file())
            except ValueError as error:
                raise MappingError(
                    f"{block.key}.files: '{pattern}': {error}; correct it"
                ) from None
        if not paths and missing is not None:
            missing.append(
                f"{block.key}.files: no file '{pattern}' in {folder}"
            )
        elif not paths:
            raise MappingError(
                f"{block.key}.files: no file '{pattern}' in {folder}; correct "
                "it, or say where the files are with --input"
            )
        for path in paths:
            check_below(path, (folder,), f"{block.key}.files")
        found += [path for path in paths if path not in found]
    return found


def check_below(path: Path, folders: Sequence[Path], key: str) -> None:
    """Refuse a path that leads out of all of some folders, links followed."""
    place = path.resolve()
    if not any(place.is_relative_to(folder.resolve()) for folder in folders):
        raise MappingError(
            f"{key}: {path} leads to {place}, out of {folders[0]}; a mapping "
            "reads below --input alone: copy the file there, or name a folder "
            "that holds it"
        )


def check_readable(path: Path, key: str) -> None:
    """Refuse a file that cannot be opened, or has a name that is no text."""
    try:
        path.name.encode()
        with path.open("rb"):
            pass
    except OSError as error:
        raise MappingError(f"{key}: {system_message(error)}") from None
    except UnicodeEncodeError:
        raise MappingError(
            f"{key}: the name {path.name!a} is no UTF-8; rename the file"
        ) from None


def read_text(path: Path) -> str:
    """Read a file of UTF-8 whole.

    Raises
    ------
    MappingError
        With the file and the line of the first byte that is no UTF-8.
    """
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise MappingError(
            f"{path}, line {line}: the byte {content[error.start]:#04x} is no "
            "UTF-8; save the file as UTF-8"
        ) from None


def system_message(error: OSError) -> str:
    """Say what the system refused: the path, the reason, a remedy.

    Examples
    --------
    >>> system_message(PermissionError(13, "Permission denied", "log.csv"))
    'log.csv: permission denied; give yourself the right to use it'
    """
    if error.filename is None:
        return str(error)
    reason = (error.strerror or "cannot be used").lower()
    remedy = REMEDIES.get(type(error))
    return f"{error.filename}: {reason}" + (f"; {remedy}" if remedy else "")


def reader_message(error: duckdb.Error, form: str) -> str:
    """Say in one line why a file of some format cannot be read."""
    message = str(error).strip().splitlines()[0]
    if "state machine" in message:
        return "its lines end in two ways; write them all as \\n"
    if "GZIP stream" in message or "frame descriptor" in message:
        return "it is not compressed as its name says; correct its name"
    if UNDECODABLE.search(message):
        return f"{message.rstrip('.!')}; {ENCODE[form]}"
    return message


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
    if suffixes and suffixes[-1] in FORMAT_OF:
        return FORMAT_OF[suffixes[-1]]
    raise MappingError(
        f"{block.key}.format: missing, and the name of {path.name} does not "
        "tell; say csv, json or parquet"
    )


def file_shape(
    connection: duckdb.DuckDBPyConnection,
    block: Block,
    path: Path,
    name: str,
) -> Shape:
    """Look at one file: what can be selected from it, and how."""
    source = quoted(literal(path))
    form = file_format(path, block)
    if form == "parquet":
        relation = f"read_parquet({source}, binary_as_string = true)"
        described = connection.execute(
            f"describe select * from {relation}"
        ).fetchall()
        names = tuple(row[0] for row in described)
        types = tuple(row[1] for row in described)
        return Shape(name, relation, names, names, types)

    encoding = quoted(block.encoding)
    first = connection.execute(
        f"select line from read_csv({source}, {LINES}, "
        f"encoding = {encoding}, ignore_errors = true) "
        "where line is not null limit 1"
    ).fetchone()
    line = str(first[0]).lstrip("\ufeff") if first else ""
    if form == "csv" and not block.names:
        check_header_text(connection, block, source, name)
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
    try:
        names = block.names or header_names(line, separator, block.quote)
    except csv.Error as error:
        raise MappingError(
            f"{block.key}.files: {name} line 1: as a header, {error}; see "
            "format, separator, quote and names"
        ) from None
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


def check_header_text(
    connection: duckdb.DuckDBPyConnection,
    block: Block,
    source: str,
    name: str,
) -> None:
    """Refuse a header that is not of its encoding; of rows it is a reject."""
    try:
        connection.execute(
            f"select line from read_csv({source}, {LINES}, "
            f"encoding = {quoted(block.encoding)}) limit 1"
        ).fetchone()
    except duckdb.Error as error:
        message = str(error)
        if "on Line: 1\n" in message and "utf-8 encoded" in message:
            raise MappingError(
                f"{block.key}.files: {name} line 1: the header is no UTF-8; "
                f"{ENCODE['csv']}"
            ) from None


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
