"""A warehouse in a DuckDB file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pandas as pd

from warehouse.frames import as_declared
from warehouse.port import Types, WarehouseError
from warehouse.tables import same_names

# How DuckDB says that the file is held, on Unix, on Windows, in this process.
IN_USE = (
    "Could not set lock",
    "used by another process",
    "different configuration",
)


class DuckDBFile:
    """Marts and results over a connection; see `port.Warehouse`.

    Attributes
    ----------
    connection : DuckDBPyConnection
        For what only DuckDB is asked.
    """

    engine_name = "duckdb"
    engine_version = duckdb.__version__

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def read(self, relation: str, types: Types) -> pd.DataFrame:
        """Read columns of a relation; see `port.Warehouse`."""
        order = ", ".join(f"{name} nulls last" for name in types)
        query = f"select {', '.join(types)} from {relation} order by {order}"
        try:
            return as_declared(self.connection.execute(query).df(), types)
        except duckdb.CatalogException:
            raise WarehouseError(
                f"the warehouse has no {relation}; run `dbt build`"
            ) from None
        except duckdb.BinderException as error:
            raise WarehouseError(
                f"{relation} lacks a column: {str(error).splitlines()[0]}; "
                "run `dbt build`"
            ) from None

    def replace(
        self, frames: Mapping[str, pd.DataFrame], types: Mapping[str, Types]
    ) -> None:
        """Replace the rows of every table, all or nothing."""
        connection = self.connection
        connection.begin()
        try:
            connection.execute("create schema if not exists results")
            for table, columns in types.items():
                body = ", ".join(f"{name} {columns[name]}" for name in columns)
                connection.execute(
                    f"create table if not exists results.{table} ({body})"
                )
                found = connection.execute(
                    "select column_name from information_schema.columns"
                    " where table_schema = 'results' and table_name = ?"
                    " and table_catalog = current_database()",
                    [table],
                ).fetchall()
                same_names(
                    f"columns of results.{table} in the warehouse",
                    columns,
                    [name for (name,) in found],
                    "; drop the table and run this again",
                )
                connection.execute(f"delete from results.{table}")
                connection.register("new_rows", frames[table])
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


@contextmanager
def opened(path: Path, *, read_only: bool = True) -> Iterator[DuckDBFile]:
    """Open a file, and close it again.

    Parameters
    ----------
    path : Path
        An existing DuckDB file.
    read_only : bool, default True
        Whether other readers may stay connected.

    Yields
    ------
    DuckDBFile

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
        yield DuckDBFile(connection)
    finally:
        connection.close()
