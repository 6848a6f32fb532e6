"""A side of the comparison that lies on Spark."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse
from uuid import uuid4

import duckdb
import pandas as pd

from comparison.sources import (
    Kinds,
    Relation,
    parts_of,
    quote_identifier,
    read_parquet,
)
from warehouse.opening import target_credentials
from warehouse.spark_server import SparkServer, opened

# Rows that travel at a time when they come through the connection.
ROWS_AT_ONCE = 50_000

# Spark's types in DuckDB's words; the others have the same.
DUCKDB_TYPES = {
    "int": "integer",
    "string": "varchar",
    "timestamp_ntz": "timestamp",
}


class SparkSource:
    """Tables and views of a target of profiles.yml.

    A table whose Parquet files lie on this machine is read from them; what
    lies elsewhere, and views, come through the connection.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._folders: dict[Relation, Path] = {}
        self._kinds: dict[Relation, dict[str, str]] = {}

    def schemas(self) -> set[str]:
        """See `sources.Source`."""
        with self._opened() as server:
            return {str(row[0]) for row in server.rows("show schemas")}

    def relations(self, schemas: Collection[str]) -> dict[Relation, Kinds]:
        """See `sources.Source`."""
        there = self.schemas()
        with self._opened() as server:
            for schema in sorted(there & set(schemas)):
                for row in server.rows(f"show tables in {quoted(schema)}"):
                    relation = schema, str(row[1])
                    self._describe(server, relation)
        return dict(self._kinds)

    def bring(
        self, connection: duckdb.DuckDBPyConnection, schema: str, name: str
    ) -> str:
        """See `sources.Source`."""
        relation = schema, name
        folder = self._folders.get(relation)
        if folder and (files := parts_of(folder)):
            return read_parquet(files)
        kinds = self._kinds[relation]
        table = f"brought_{uuid4().hex}"
        body = ", ".join(
            f"{quote_identifier(column)} {kind}"
            for column, kind in kinds.items()
        )
        connection.execute(f"create temporary table {table} ({body})")
        if folder is None:
            self._fill(connection, table, relation)
        return table

    def _opened(self) -> AbstractContextManager[SparkServer]:
        return opened(target_credentials(self._target))

    def _describe(self, server: SparkServer, relation: Relation) -> None:
        """Keep the columns of a relation, and where its files are."""
        rows = server.rows(
            f"describe table extended {'.'.join(map(quoted, relation))}"
        )
        names = [str(row[0]) for row in rows]
        # An empty line or a heading ends the columns.
        end = next(
            number
            for number, name in enumerate([*names, ""])
            if not name or name.startswith("#")
        )
        self._kinds[relation] = {
            str(name): DUCKDB_TYPES.get(kind, kind).upper()
            for name, kind, *_ in rows[:end]
        }
        told = {str(name): str(value) for name, value, *_ in rows[end:]}
        place = urlparse(told.get("Location", ""))
        folder = Path(unquote(place.path))
        if (
            place.scheme == "file"
            and told.get("Provider") == "parquet"
            and folder.is_dir()
        ):
            self._folders[relation] = folder

    def _fill(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: str,
        relation: Relation,
    ) -> None:
        """Fetch rows in batches into a table."""
        kinds = self._kinds[relation]
        columns = ", ".join(map(quoted, kinds))
        query = f"select {columns} from {'.'.join(map(quoted, relation))}"
        casts = ", ".join(
            f"cast({quote_identifier(column)} as {kind})"
            for column, kind in kinds.items()
        )
        with self._opened() as server:
            for rows in batches(server, query):
                connection.register("batch", as_text(rows, kinds))
                connection.execute(
                    f"insert into {table} select {casts} from batch"
                )
                connection.unregister("batch")


def quoted(name: str) -> str:
    """Write any name as an identifier of Spark's SQL.

    Examples
    --------
    >>> print(quoted("a `b`"))
    `a ``b```
    """
    return "`" + name.replace("`", "``") + "`"


def batches(server: SparkServer, query: str) -> Iterator[list[Sequence[Any]]]:
    """Run a query and fetch its rows some at a time, where the driver can."""
    server.cursor.execute(query)
    # dbt-spark's cursors fetch all; PyHive's below them can do with less.
    fetch = getattr(getattr(server.cursor, "_cursor", None), "fetchmany", None)
    if fetch is None:
        yield list(server.cursor.fetchall())
        return
    while rows := fetch(ROWS_AT_ONCE):
        yield list(rows)


def as_text(rows: Sequence[Sequence[Any]], columns: Kinds) -> pd.DataFrame:
    """Lay out rows as text, which DuckDB casts to what it was, nan included.

    Examples
    --------
    >>> as_text([(0.1, 7), (float("nan"), None)], {"x": "DOUBLE", "n": "INT"})
         x    n
    0  0.1    7
    1  nan  NaN
    """
    return pd.DataFrame(
        [
            [None if value is None else str(value) for value in row]
            for row in rows
        ],
        columns=list(columns),
        dtype="str",
    )
