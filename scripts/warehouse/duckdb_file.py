"""A warehouse in a DuckDB file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pandas as pd

from engine.connections import open_duckdb
from warehouse.frames import as_declared
from warehouse.port import Fill, Types, WarehouseError
from warehouse.tables import as_table, same_names

# How DuckDB says that the file is held, on Unix, on Windows, in this process.
IN_USE = (
    "Could not set lock",
    "used by another process",
    "different configuration",
)


class DuckDBFile:
    """Marts and results over a connection; see `port.Warehouse`."""

    engine_name = "duckdb"
    engine_version = duckdb.__version__

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection  # for what only DuckDB is asked

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

    def query(self, sql: str) -> pd.DataFrame:
        """Run a query; see `port.Warehouse`.

        It is somebody's own: from here on no file but the warehouse is reached.
        """
        try:
            self.connection.execute("set enable_external_access = false")
            [*statements] = self.connection.extract_statements(as_table(sql))
            if len(statements) > 1:
                raise WarehouseError("it is more than one query; keep one")
            found = self.connection.execute(statements[0])
        except duckdb.Error as error:
            raise WarehouseError(str(error).splitlines()[0]) from None
        names = [column[0] for column in found.description]
        return pd.DataFrame(found.fetchall(), columns=names, dtype=object)

    @contextmanager
    def replacing(self, types: Mapping[str, Types]) -> Iterator[Fill]:
        """Replace the rows of tables in one transaction."""
        connection = self.connection

        def fill(table: str, frame: pd.DataFrame) -> None:
            connection.register("new_rows", frame)
            names = ", ".join(types[table])
            connection.execute(
                f"insert into results.{table} ({names})"
                f" select {names} from new_rows"
            )
            connection.unregister("new_rows")

        connection.begin()
        try:
            connection.execute("create schema if not exists results")
            for table, columns in types.items():
                body = ", ".join(f"{name} {columns[name]}" for name in columns)
                connection.execute(
                    f"create table if not exists results.{table} ({body})"
                )
                same_names(
                    f"columns of results.{table} in the warehouse",
                    columns,
                    connection.table(f"results.{table}").columns,
                    "; drop the table and run this again",
                )
                connection.execute(f"delete from results.{table}")
            yield fill
            connection.commit()
        except BaseException:
            connection.rollback()
            raise


@contextmanager
def opened(path: Path, *, read_only: bool = True) -> Iterator[DuckDBFile]:
    """Open a file, and close it again.

    Read-only, other readers may stay connected.

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
        connection = open_duckdb(path, read_only=read_only)
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
