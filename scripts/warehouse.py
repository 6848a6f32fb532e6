"""The only way in and out of the warehouse for the steps after dbt.

Four things are asked of an engine: open a file, read a mart in a total order,
say which version was read, and replace all result tables in one transaction.
Another engine goes behind these functions.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isnan
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import yaml

DEFAULT_FILE = "target/streaming_engagement.duckdb"
DEFINITION = Path(__file__).resolve().parent.parent / "models" / "results.yml"

# How DuckDB says that the file is held, on Unix, on Windows, in this process.
IN_USE = (
    "Could not set lock",
    "used by another process",
    "different configuration",
)

# How a frame holds each type of a result column, nulls included.
FRAME_TYPES = {
    "varchar": "string",
    "double": "float64",
    "integer": "Int64",
    "bigint": "Int64",
    "boolean": "boolean",
    "date": "datetime64[us]",
}

Row = Mapping[str, Any]


class WarehouseError(Exception):
    """What a user must know: one line that names the cause and the remedy."""


def default_file() -> Path:
    """Return the warehouse that dbt builds: STREAMING_WAREHOUSE or target/."""
    return Path(os.environ.get("STREAMING_WAREHOUSE") or DEFAULT_FILE)


@contextmanager
def connect(
    path: Path, *, read_only: bool = True
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse, and close it again.

    Parameters
    ----------
    path : Path
        An existing DuckDB file.
    read_only : bool, default True
        Whether other readers may stay connected.

    Yields
    ------
    DuckDBPyConnection

    Raises
    ------
    WarehouseError
        If there is no such file, another process holds it, or it is no
        warehouse.
    """
    if not path.is_file():
        raise WarehouseError(
            f"no warehouse at {path}; run `make build`, or name another file "
            "with --warehouse"
        )
    try:
        connection = duckdb.connect(str(path), read_only=read_only)
    except duckdb.Error as error:
        text = str(error)
        if any(sign in text for sign in IN_USE):
            holder = re.search(r"PID (\d+)", text)
            who = f"process {holder[1]}" if holder else "another connection"
            raise WarehouseError(
                f"{path} is in use by {who}; close it and run this again"
            ) from None
        raise WarehouseError(
            f"cannot open {path}: {text.splitlines()[0]}; if it is not a "
            "DuckDB file, name the right one, else rebuild it with `make build`"
        ) from None
    try:
        yield connection
    finally:
        connection.close()


def read_mart(
    connection: duckdb.DuckDBPyConnection,
    mart: str,
    columns: Sequence[str],
    schema: str = "marts",
) -> pd.DataFrame:
    """Read columns of a mart into a frame, in a total order.

    Raises
    ------
    WarehouseError
        If the mart or a column is absent.
    """
    order = ", ".join(f"{name} nulls last" for name in columns)
    query = f"select {', '.join(columns)} from {schema}.{mart} order by {order}"
    try:
        return connection.execute(query).df()
    except duckdb.CatalogException:
        raise WarehouseError(
            f"the warehouse has no {schema}.{mart}; run `dbt build`"
        ) from None
    except duckdb.BinderException as error:
        raise WarehouseError(
            f"{schema}.{mart} lacks a column: {str(error).splitlines()[0]}; "
            "run `dbt build`"
        ) from None


def read_marts(
    connection: duckdb.DuckDBPyConnection,
    marts: Mapping[str, Sequence[str]],
) -> dict[str, pd.DataFrame]:
    """Read several marts, each with its columns; see `read_mart`."""
    return {
        mart: read_mart(connection, mart, columns)
        for mart, columns in marts.items()
    }


def version_of(frames: Mapping[str, pd.DataFrame]) -> str:
    """Fingerprint frames: md5 over names, columns and rows in their order.

    Examples
    --------
    >>> one = pd.DataFrame({"a": [1]})
    >>> version_of({"m": one}) == version_of({"m": one + 1})
    False
    """
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(frames):
        text = frames[name].to_csv(index=False, lineterminator="\n")
        digest.update(f"{name}\n{text}\n".encode())
    return digest.hexdigest()


def result_columns(definition: Path = DEFINITION) -> dict[str, dict[str, str]]:
    """Read the result tables' columns and data types from their definition.

    Parameters
    ----------
    definition : Path
        A dbt properties file with the source `results`.

    Returns
    -------
    dict of str to dict of str to str
        Table to column to data type, in the file's order.
    """
    sources = yaml.safe_load(definition.read_text(encoding="utf-8"))["sources"]
    tables = next(s["tables"] for s in sources if s["name"] == "results")
    return {
        table["name"]: {c["name"]: c["data_type"] for c in table["columns"]}
        for table in tables
    }


def replace_results(
    connection: duckdb.DuckDBPyConnection,
    results: Mapping[str, Sequence[Row]],
    definition: Path = DEFINITION,
) -> None:
    """Replace the rows of every result table, all or nothing.

    Missing tables are created from the definition. A nan is written as null.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Opened for writing.
    results : mapping of str to sequence of mapping
        Table to rows; a row maps every column to its value.
    definition : Path
        See `result_columns`.

    Raises
    ------
    WarehouseError
        If a table or a column is missing or unknown, in the definition, in
        the warehouse or in a row; nothing is changed then.
    """
    declared = result_columns(definition)
    _same_names("tables computed", declared, results)
    connection.begin()
    try:
        connection.execute("create schema if not exists results")
        for table, columns in declared.items():
            body = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            connection.execute(
                f"create table if not exists results.{table} ({body})"
            )
            found = connection.execute(
                "select column_name from information_schema.columns"
                " where table_schema = 'results' and table_name = ?"
                " and table_catalog = current_database()",
                [table],
            ).fetchall()
            _same_names(
                f"columns of results.{table} in the warehouse",
                columns,
                [name for (name,) in found],
                "; drop the table and run this again",
            )
            connection.execute(f"delete from results.{table}")
            for row in results[table]:
                _same_names(f"columns of a row of {table}", columns, row)
            connection.register(
                "new_rows", _framed(table, results[table], columns)
            )
            names = ", ".join(columns)
            connection.execute(
                f"insert into results.{table} ({names})"
                f" select {names} from new_rows"
            )
            connection.unregister("new_rows")
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def _same_names(
    subject: str,
    expected: Mapping[str, Any],
    found: Mapping[str, Any] | Sequence[str],
    remedy: str = "",
) -> None:
    """Refuse names that differ from the declared ones, saying which."""
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected]
    if missing or extra:
        raise WarehouseError(
            f"{subject} differ from {DEFINITION.name}: "
            f"missing {', '.join(missing) or 'none'}, "
            f"extra {', '.join(extra) or 'none'}{remedy}"
        )


def _framed(
    table: str, rows: Sequence[Row], columns: Mapping[str, str]
) -> pd.DataFrame:
    """Lay out rows as the declared types, for one insert."""
    found = {}
    for name, kind in columns.items():
        values = [_plain(row[name]) for row in rows]
        try:
            found[name] = pd.Series(values, dtype=FRAME_TYPES[kind])
        except (TypeError, ValueError) as error:
            raise WarehouseError(
                f"results.{table}.{name} is declared {kind}: {error}"
            ) from None
    return pd.DataFrame(found)


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Make a numpy scalar a plain one, and nan the null it stands for."""
    plain = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and isnan(plain) else plain
