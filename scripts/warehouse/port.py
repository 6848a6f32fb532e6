"""What the steps after dbt ask of an engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pandas as pd

Row = Mapping[str, Any]

# Column to the type that the project's YAML declares, in the file's order.
Types = Mapping[str, str]


class WarehouseError(Exception):
    """What a user must know: one line that names the cause and the remedy."""


class Warehouse(Protocol):
    """A warehouse that is open.

    Attributes
    ----------
    engine_name, engine_version : str
        What computes, for example `duckdb` and `1.5.6`.
    """

    engine_name: str
    engine_version: str

    def read(self, relation: str, types: Types) -> pd.DataFrame:
        """Read columns of a relation, ordered by all of them, nulls last.

        Parameters
        ----------
        relation : str
            Schema and name.
        types : mapping of str to str
            The columns to read and their declared types; see
            `frames.as_declared` for what becomes of them.

        Raises
        ------
        WarehouseError
            If the relation or a column is absent.
        """

    def replace(
        self, frames: Mapping[str, pd.DataFrame], types: Mapping[str, Types]
    ) -> None:
        """Replace the rows of result tables.

        Parameters
        ----------
        frames : mapping of str to DataFrame
            Table of the schema `results` to its rows.
        types : mapping of str to mapping of str to str
            The same tables, with their columns and declared types.

        Raises
        ------
        WarehouseError
            If a table has other columns, or is not there and not made here.
        """
