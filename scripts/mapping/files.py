"""The files of a log: where they are, and what can be selected from each."""

from __future__ import annotations

import csv
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
ERRORS = (
    "store_rejects = true, rejects_limit = 0, "
    "rejects_table = 'reader_errors', rejects_scan = 'reader_scans'"
)


def block_files(block: Block, folder: Path) -> list[Path]:
    """List the files of a block, each once, by name within a pattern.

    Raises
    ------
    MappingError
        If a pattern finds no file in the folder, or one that is outside.
    """
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
