"""What the steps after dbt ask of an engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pandas as pd

Row = Mapping[str, Any]

# Column to the type that the project's YAML declares, in the file's order.
Types = Mapping[str, str]

# Fills one emptied result table.
Fill = Callable[[str, pd.DataFrame], None]


class WarehouseError(Exception):
    """What a user must know: one line that names the cause and the remedy."""


class Warehouse(Protocol):
    """A warehouse that is open."""

    # What computes, for example `duckdb` and `1.5.6`.
    engine_name: str
    engine_version: str

    def read(self, relation: str, types: Types) -> pd.DataFrame:
        """Read columns of a relation, ordered by all of them, nulls last.

        A relation is schema and name; for what becomes of the declared types
        see `frames.as_declared`.

        Raises
        ------
        WarehouseError
            If the relation or a column is absent.
        """

    def query(self, sql: str) -> pd.DataFrame:
        """Run a query; return its rows as the engine gives them.

        One query, which is read as a table: it can change nothing. The rows
        hold Python's values and are at most two: who expects one can tell.

        Raises
        ------
        WarehouseError
            With the engine's message, if the query fails.
        """

    def replacing(
        self, types: Mapping[str, Types]
    ) -> AbstractContextManager[Fill]:
        """Empty result tables, to be filled one after another.

        Queries see what is filled already. On a failure inside the context
        every table is again as it was.

        Tables of the schema `results` come with their columns and declared
        types.

        Raises
        ------
        WarehouseError
            If a table has other columns, or is not there and not made here.
        """
