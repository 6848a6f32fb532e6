"""Marts in, results out, for any engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from warehouse.declarations import DEFINITION, declared_types, result_columns
from warehouse.frames import framed
from warehouse.port import Row, Types, Warehouse, WarehouseError


def read_mart(
    warehouse: Warehouse,
    mart: str,
    columns: Sequence[str],
    schema: str = "marts",
    declared: Types | None = None,
) -> pd.DataFrame:
    """Read columns of a mart into a frame, in a total order.

    Parameters
    ----------
    warehouse : Warehouse
    mart, schema : str
    columns : sequence of str
        In the order of the frame and of its rows.
    declared : mapping of str to str, optional
        Column to data type; what the project declares if not given.

    Raises
    ------
    WarehouseError
        If the mart or a column is absent.
    """
    known = declared_types(schema, mart) if declared is None else declared
    unknown = [name for name in columns if name not in known]
    if unknown:
        raise WarehouseError(
            f"{schema}.{mart} is declared without {', '.join(unknown)}"
        )
    return warehouse.read(
        f"{schema}.{mart}", {name: known[name] for name in columns}
    )


def read_marts(
    warehouse: Warehouse, marts: Mapping[str, Sequence[str]]
) -> dict[str, pd.DataFrame]:
    """Read several marts, each with its columns; see `read_mart`."""
    return {
        mart: read_mart(warehouse, mart, columns)
        for mart, columns in marts.items()
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
        See `result_columns`.

    Raises
    ------
    WarehouseError
        If a table or a column is missing or unknown, in the definition, in
        the warehouse or in a row; nothing is changed then.
    """
    declared = result_columns(definition)
    same_names("tables computed", declared, results)
    frames = {}
    for table, types in declared.items():
        for row in results[table]:
            same_names(f"columns of a row of {table}", types, row)
        frames[table] = framed(table, results[table], types)
    warehouse.replace(frames, declared)


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
