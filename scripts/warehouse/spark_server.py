"""A warehouse on Spark, reached as profiles.yml says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isfinite
from typing import Any

import pandas as pd

from warehouse.frames import as_declared
from warehouse.port import Fill, Types, WarehouseError
from warehouse.tables import as_table, same_names

# Rows of one insert: as text they stay within some megabytes.
ROWS_AT_ONCE = 1_000

# Emptied first and filled last: results without it are not whole.
LAST_TABLE = "analysis_runs"

Cursor = Any  # of dbt-spark, which has no types


class SparkServer:
    """Marts and results over a cursor of dbt-spark; see `port.Warehouse`."""

    engine_name = "spark"

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor  # for what only Spark is asked
        [(version, zone)] = self.rows("select version(), current_timezone()")
        if zone != "UTC":
            raise WarehouseError(
                f"the session's time zone is {zone}; set it to UTC under this"
                " target, as the project's own profiles.yml does"
            )
        self.engine_version = str(version).split()[0]

    def rows(self, query: str) -> list[Sequence[Any]]:
        """Run a query; return its rows."""
        self.cursor.execute(query)
        return list(self.cursor.fetchall())

    def read(self, relation: str, types: Types) -> pd.DataFrame:
        """Read columns of a relation; see `port.Warehouse`."""
        order = ", ".join(f"{name} asc nulls last" for name in types)
        query = f"select {', '.join(types)} from {relation} order by {order}"
        rows = self._asked(relation, query)
        return as_declared(
            pd.DataFrame(rows, columns=list(types), dtype=object), types
        )

    def query(self, sql: str) -> pd.DataFrame:
        """Run a query; see `port.Warehouse`."""
        try:
            rows = self.rows(as_table(sql))
        except Exception as error:  # dbt-spark has no narrower one
            raise WarehouseError(first_line(error)) from None
        names = [column[0] for column in self.cursor.description]
        return pd.DataFrame(rows, columns=names, dtype=object)

    @contextmanager
    def replacing(self, types: Mapping[str, Types]) -> Iterator[Fill]:
        """Replace the rows table by table, the run itself last.

        Plain files know no transaction: whoever reads meanwhile may see some
        tables of the earlier analysis and some of this one, and none where
        `analysis_runs` is empty. After a failure the earlier rows are put
        back.
        """
        for table, columns in types.items():
            relation = f"results.{table}"
            found = self._asked(relation, f"describe table {relation}")
            same_names(
                f"columns of {relation} in the warehouse",
                columns,
                [str(row[0]) for row in found],
                "; run `dbt build`",
            )
        earlier = {
            table: self.read(f"results.{table}", columns)
            for table, columns in types.items()
        }
        try:
            self._empty(types)
            last = []

            def fill(table: str, frame: pd.DataFrame) -> None:
                if table == LAST_TABLE:
                    last.append(frame)
                else:
                    self._fill(table, frame, types[table])

            yield fill
            for frame in last:
                self._fill(LAST_TABLE, frame, types[LAST_TABLE])
        except BaseException:
            self._empty(types)
            for table in sorted(types, key=LAST_TABLE.__eq__):
                self._fill(table, earlier[table], types[table])
            raise

    def _empty(self, types: Mapping[str, Types]) -> None:
        for table in sorted(types, key=LAST_TABLE.__ne__):
            self.rows(f"truncate table results.{table}")

    def _asked(self, relation: str, query: str) -> list[Sequence[Any]]:
        """Run a query of a relation; name what is missing, with its remedy."""
        try:
            return self.rows(query)
        except Exception as error:  # dbt-spark has no narrower one
            text = first_line(error)
            if "TABLE_OR_VIEW_NOT_FOUND" in text:
                raise WarehouseError(
                    f"the warehouse has no {relation}; run `dbt build`"
                ) from None
            if "UNRESOLVED_COLUMN" in text:
                raise WarehouseError(
                    f"{relation} lacks a column: {text}; run `dbt build`"
                ) from None
            raise WarehouseError(f"cannot read {relation}: {text}") from None

    def _fill(self, table: str, frame: pd.DataFrame, types: Types) -> None:
        """Insert rows as text, some at a time."""
        columns = [
            [literal(value, kind) for value in frame[name]]
            for name, kind in types.items()
        ]
        rows = [f"({', '.join(row)})" for row in zip(*columns, strict=True)]
        for start in range(0, len(rows), ROWS_AT_ONCE):
            self.rows(
                f"insert into results.{table} ({', '.join(types)}) values "
                + ", ".join(rows[start : start + ROWS_AT_ONCE])
            )


def literal(value: Any, kind: str) -> str:  # noqa: ANN401
    r"""Write a value of a declared type as Spark's SQL.

    Examples
    --------
    >>> literal("it's 5 \\ 6", "varchar"), literal(True, "boolean")
    ("'it\\'s 5 \\\\ 6'", 'true')
    >>> literal(0.1, "double"), literal(float("inf"), "double")
    ("double('0.1')", "double('Infinity')")
    >>> literal(pd.Timestamp("2026-01-05"), "date"), literal(None, "date")
    ("date'2026-01-05'", 'null')
    """
    plain = value.item() if hasattr(value, "item") else value
    if pd.isna(plain):
        return "null"
    if kind == "varchar":
        escaped = plain.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    if kind == "double":
        # As text, so that no digit is lost on the way through a decimal.
        text = repr(plain) if isfinite(plain) else f"{plain}inity".title()
        return f"double('{text}')"
    if kind in ("date", "timestamp"):
        text = f"{plain:%Y-%m-%d}" if kind == "date" else str(plain)
        return f"{kind}'{text}'"
    return str(plain).lower()


def first_line(error: Exception) -> str:
    """Take the first line that says something from a long message."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = [line for line in lines if line and not line.endswith(" Error")]
    return said[0] if said else type(error).__name__


@contextmanager
def opened(credentials: Any) -> Iterator[SparkServer]:  # noqa: ANN401
    """Connect as dbt-spark does, and close the connection again.

    Credentials are those of a target of profiles.yml.

    Raises
    ------
    WarehouseError
        If nobody answers.
    """
    from dbt.adapters.contracts.connection import (  # noqa: PLC0415
        Connection,
        ConnectionState,
    )
    from dbt.adapters.spark.connections import (  # noqa: PLC0415
        SparkConnectionManager,
    )

    connection = Connection(
        type=credentials.type,
        name="post_step",
        state=ConnectionState.INIT,
        credentials=credentials,
    )
    try:
        SparkConnectionManager.open(connection)
    except Exception as error:  # dbt-spark has no narrower one
        where = f"{credentials.host}:{credentials.port}"
        raise WarehouseError(
            f"no Spark answers at {where} ({first_line(error)}); start one"
            " with `make spark-server`, or name yours in profiles.yml"
        ) from None
    handle: Any = connection.handle
    try:
        yield SparkServer(handle.cursor())
    finally:
        handle.close()
