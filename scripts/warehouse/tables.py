"""Marts in, results out, for any engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from warehouse.declarations import (
    DEFINITION,
    Declared,
    declared,
    result_tables,
)
from warehouse.frames import framed
from warehouse.port import Row, Types, Warehouse, WarehouseError

Write = Callable[[Mapping[str, Sequence[Row]]], None]


def read_mart(
    warehouse: Warehouse, mart: str, types: Types | None = None
) -> pd.DataFrame:
    """Read a mart into a frame, in a total order.

    The columns to read are in the order of the frame and of its rows; all of
    the contract's if not given, the key's first.

    Raises
    ------
    WarehouseError
        If the project declares no such mart, or it or a column is absent.
    """
    known = declared("marts", mart).types if types is None else types
    return warehouse.read(f"marts.{mart}", known)


def read_marts(
    warehouse: Warehouse, marts: Iterable[str]
) -> dict[str, pd.DataFrame]:
    """Read several marts, whole; see `read_mart`."""
    return {mart: read_mart(warehouse, mart) for mart in marts}


def read_results(warehouse: Warehouse) -> dict[str, pd.DataFrame]:
    """Read every result table, whole; see `read_mart`."""
    return {
        table: warehouse.read(f"results.{table}", one.types)
        for table, one in result_tables().items()
    }


@contextmanager
def replacing_results(
    warehouse: Warehouse, definition: Path = DEFINITION
) -> Iterator[Write]:
    """Replace the rows of every result table, some tables after others.

    A nan is written as null.

    The warehouse is open for writing. What is lent writes tables, by name; a
    row maps every column to its value, and queries see what is written.

    Raises
    ------
    WarehouseError
        If a table or a column is missing or unknown, in the definition, in
        the warehouse or in a row, or a value is not as declared; nothing is
        changed then, nor by any other failure inside the context.
    """
    tables = result_tables(definition)
    written: dict[str, Sequence[Row]] = {}
    types = {name: one.types for name, one in tables.items()}
    with warehouse.replacing(types) as fill:

        def write(results: Mapping[str, Sequence[Row]]) -> None:
            written.update(results)
            for table, rows in results.items():
                if table in tables:
                    fill(table, _framed(table, rows, tables[table]))

        yield write
        same_names("tables computed", tables, written)


def replace_results(
    warehouse: Warehouse,
    results: Mapping[str, Sequence[Row]],
    definition: Path = DEFINITION,
) -> None:
    """Replace the rows of every result table; see `replacing_results`."""
    with replacing_results(warehouse, definition) as write:
        write(results)


def _framed(table: str, rows: Sequence[Row], one: Declared) -> pd.DataFrame:
    """Lay out the rows of a table, or refuse them."""
    for row in rows:
        same_names(f"columns of a row of {table}", one.types, row)
    frame = framed(table, rows, one.types)
    for name in sorted(one.required):
        if frame[name].hasnans:
            raise WarehouseError(
                f"results.{table}.{name} is declared never null, but is"
            )
    return frame


def as_table(sql: str) -> str:
    """Read a query as a table: nothing but a query can be one.

    Examples
    --------
    >>> print(as_table("select 1 as value;"))
    select * from (
    select 1 as value
    ) as estimate limit 2
    """
    return f"select * from (\n{sql.strip().rstrip(';')}\n) as estimate limit 2"


def same_names(
    subject: str,
    expected: Mapping[str, Any],
    found: Mapping[str, Any] | Sequence[str],
    remedy: str = "",
) -> None:
    """Refuse names that differ from the declared ones, saying which.

    Raises
    ------
    WarehouseError
        If a name is missing or not expected.
    """
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected]
    if missing or extra:
        raise WarehouseError(
            f"{subject} differ from {DEFINITION.name}: "
            f"missing {', '.join(missing) or 'none'}, "
            f"extra {', '.join(extra) or 'none'}{remedy}"
        )
