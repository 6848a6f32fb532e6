"""Marts in, results out, for any engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from warehouse.declarations import DEFINITION, declared, result_tables
from warehouse.frames import framed
from warehouse.port import Row, Types, Warehouse, WarehouseError


def read_mart(
    warehouse: Warehouse, mart: str, types: Types | None = None
) -> pd.DataFrame:
    """Read a mart into a frame, in a total order.

    Parameters
    ----------
    warehouse : Warehouse
    mart : str
    types : mapping of str to str, optional
        Columns to read and their data types, in the order of the frame and of
        its rows; all of the contract's if not given, the key's first.

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


def replace_results(
    warehouse: Warehouse,
    results: Mapping[str, Sequence[Row]],
    definition: Path = DEFINITION,
) -> None:
    """Replace the rows of every result table.

    A nan is written as null.

    Parameters
    ----------
    warehouse : Warehouse
        Opened for writing.
    results : mapping of str to sequence of mapping
        Table to rows; a row maps every column to its value.
    definition : Path
        See `declarations.result_tables`.

    Raises
    ------
    WarehouseError
        If a table or a column is missing or unknown, in the definition, in
        the warehouse or in a row, or a value is not as declared; nothing is
        changed then.
    """
    tables = result_tables(definition)
    same_names("tables computed", tables, results)
    frames = {}
    for table, one in tables.items():
        for row in results[table]:
            same_names(f"columns of a row of {table}", one.types, row)
        frames[table] = framed(table, results[table], one.types)
        for name in sorted(one.required):
            if frames[table][name].hasnans:
                raise WarehouseError(
                    f"results.{table}.{name} is declared never null, but is"
                )
    warehouse.replace(frames, {name: one.types for name, one in tables.items()})


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
