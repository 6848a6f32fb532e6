"""The one place where DuckDB is opened.

No connection fetches an extension. What the scripts need (JSON, Parquet, time
zones) is part of the engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import duckdb

# The profile gives the same to dbt.
SETTINGS = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_unsigned_extensions": False,
}


def open_duckdb(
    database: str | Path = ":memory:", *, read_only: bool = False
) -> duckdb.DuckDBPyConnection:
    """Open a database with the project's settings.

    Raises
    ------
    duckdb.Error
        If the file is no database, or another process holds it.
    """
    connection = duckdb.connect(str(database), read_only=read_only)
    # Set afterwards: the engine refuses a second connection to an open file
    # under another configuration.
    for name, value in SETTINGS.items():
        connection.execute(f"set {name} = {str(value).lower()}")
    return connection


def literal(path: Path) -> str:
    """Write a path so that the engine takes no character for a pattern.

    Examples
    --------
    >>> literal(Path("log [2024].csv"))
    'log [[]2024].csv'
    """
    return re.sub(r"([\[*?])", r"[\1]", str(path))


def lock(
    connection: duckdb.DuckDBPyConnection,
    *,
    files: Iterable[Path] = (),
    folders: Iterable[Path] = (),
) -> None:
    """Let a connection reach some files and folders, and no others.

    Its settings are final afterwards.
    """
    lent = [path.resolve() for path in files]
    paths = [*map(str, lent), *map(literal, lent)]
    below = [str(path.resolve()) for path in folders]
    connection.execute("set allowed_paths = $paths", {"paths": paths})
    connection.execute("set allowed_directories = $below", {"below": below})
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
