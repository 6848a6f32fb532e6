"""How a simulated service is written: as text, as Parquet, or day by day."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import duckdb
import pandas as pd

from raw.files import TABLES
from simulation.catalogue import Catalogue
from simulation.config import SimulationConfig
from simulation.daily import DailyFiles
from simulation.files import SeedFile, TypedFiles
from simulation.lines import (
    assignment_line,
    content_lines,
    event_line,
    event_row,
    user_line,
)

Form = Literal["csv", "parquet", "daily"]
Described = dict[str, dict[str, int | str]]


class Writer(Protocol):
    """Takes the rows of a service in their order, and writes files."""

    def users(
        self, connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame
    ) -> None:
        """Write some users."""

    def assignments(
        self, connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame
    ) -> None:
        """Write some assignments."""

    def events(
        self, connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame
    ) -> None:
        """Write some events, which come by their arrival."""

    def content(self, titles: Catalogue) -> None:
        """Write all titles."""

    def finish(self, connection: duckdb.DuckDBPyConnection) -> Described:
        """Complete the files; describe them for the manifest."""


class TextFiles:
    """A CSV file for each raw table."""

    def __init__(self, config: SimulationConfig, folder: Path) -> None:
        """Begin the files with their headers."""
        self.config = config
        self.files = {table: SeedFile(table, folder) for table in TABLES}

    def users(
        self, connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame
    ) -> None:
        """Write some users."""
        line = user_line(self.config)
        self.files["users"].append(connection, frame, line)

    def assignments(
        self, connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame
    ) -> None:
        """Write some assignments."""
        line = assignment_line(self.config)
        self.files["experiment_assignments"].append(connection, frame, line)

    def events(
        self, connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame
    ) -> None:
        """Write some events."""
        line = event_line(self.config)
        self.files["events"].append(connection, frame, line)

    def content(self, titles: Catalogue) -> None:
        """Write all titles."""
        self.files["content"].append_lines(content_lines(self.config, titles))

    def finish(
        self,
        connection: duckdb.DuckDBPyConnection,  # noqa: ARG002 (as others do)
    ) -> Described:
        """Complete the files."""
        return {
            file.finish().name: file.described() for file in self.files.values()
        }


class TypedEvents(TextFiles):
    """The same, but for the events: those are Parquet."""

    def __init__(self, config: SimulationConfig, folder: Path) -> None:
        """Begin the files."""
        super().__init__(config, folder)
        self.typed = TypedFiles("events", self.files["events"], folder)
        self.line, self.row = event_line(config), event_row(config)

    def events(
        self, connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame
    ) -> None:
        """Write some events."""
        self.typed.append(connection, frame, self.row, self.line)

    def finish(self, connection: duckdb.DuckDBPyConnection) -> Described:
        """Complete the files."""
        self.typed.flush(connection, self.row)
        return super().finish(connection) | self.typed.described()


WRITERS: dict[Form, Callable[[SimulationConfig, Path], Writer]] = {
    "csv": TextFiles,
    "parquet": TypedEvents,
    "daily": DailyFiles,
}
