"""Frames whose columns have the declared types, whatever engine they are of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd
from pandas.api.types import pandas_dtype

from warehouse.port import Row, Types, WarehouseError

# How a frame holds each declared type; where there are nulls, the second.
FRAME_TYPES = {
    "varchar": ("str", "str"),
    "double": ("float64", "float64"),
    "integer": ("int64", "Int64"),
    "bigint": ("int64", "Int64"),
    "boolean": ("bool", "boolean"),
    "date": ("datetime64[us]", "datetime64[us]"),
    "timestamp": ("datetime64[us]", "datetime64[us]"),
}


def as_declared(frame: pd.DataFrame, types: Types) -> pd.DataFrame:
    """Give every column its declared type, the same for every engine.

    Examples
    --------
    >>> frame = pd.DataFrame({"n": [1.0, None], "day": ["2026-01-05", None]})
    >>> as_declared(frame, {"n": "integer", "day": "date"}).dtypes.to_dict()
    {'n': Int64Dtype(), 'day': dtype('<M8[us]')}
    """
    return pd.DataFrame(
        {
            name: frame[name].astype(
                pandas_dtype(FRAME_TYPES[kind][int(frame[name].hasnans)])
            )
            for name, kind in types.items()
        }
    )


def framed(table: str, rows: Sequence[Row], types: Types) -> pd.DataFrame:
    """Lay out rows as the declared types, for one insert; nan becomes null.

    Raises
    ------
    WarehouseError
        If a value is not of its column's type.
    """
    found = {}
    for name, kind in types.items():
        values = [plain(name, row[name]) for row in rows]
        try:
            found[name] = pd.Series(values, dtype=FRAME_TYPES[kind][1])
        except (TypeError, ValueError) as error:
            raise WarehouseError(
                f"results.{table}.{name} is declared {kind}: {error}"
            ) from None
    return pd.DataFrame(found)


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


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn a frame into rows of plain values; every kind of null is None."""
    return [
        {
            str(name): plain(str(name), value)
            for name, value in zip(frame.columns, values, strict=True)
        }
        for values in frame.itertuples(index=False, name=None)
    ]


def plain(name: str, value: Any) -> Any:  # noqa: ANN401
    """Make a value of a frame a plain one.

    Examples
    --------
    >>> plain("cohort_date", pd.Timestamp("2026-01-05"))
    datetime.date(2026, 1, 5)
    >>> plain("rate", float("nan")) is None
    True
    """
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp) and name.endswith("_date"):
        return date(value.year, value.month, value.day)
    return value.item() if hasattr(value, "item") else value
