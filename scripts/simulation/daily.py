"""The simulated service as daily files, as they would have arrived.

A folder for each day holds what arrived on it: events with the time of their
receipt, the users who signed up, assignments, and titles. Some users and titles
arrive days after their first events. The last folder holds part of a day.
"""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raw.files import ROOT, TABLES, reference_files
from simulation.catalogue import Catalogue
from simulation.config import DAY_SECONDS, SimulationConfig
from simulation.files import SeedFile
from simulation.lines import (
    assignment_line,
    content_lines,
    event_line,
    user_line,
)

# One user and one title in so many arrive so many days late.
LATE_USERS, LATE_USER_DAYS = 97, 2
LATE_TITLES, LATE_TITLE_DAYS = 50, 3


class DailyFiles:
    """The raw tables while they are written, in a folder for each day."""

    def __init__(self, config: SimulationConfig, folder: Path) -> None:
        """Begin without a file."""
        self.config = config
        self.folder = folder
        self.files: dict[tuple[int, str], SeedFile] = {}
        self.columns = {table: list(TABLES[table]) for table in TABLES}
        self.columns["events"].append("received_at")

    def users(
        self, connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame
    ) -> None:
        """Write users on the day after which they are known."""
        day = frame["signed_up_at"].to_numpy() // DAY_SECONDS
        late = np.where(frame["user"] % LATE_USERS == 0, LATE_USER_DAYS, 0)
        self._append(
            connection, "users", frame, day + late, user_line(self.config)
        )

    def assignments(
        self, connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame
    ) -> None:
        """Write assignments on their day."""
        day = frame["assigned_at"].to_numpy() // DAY_SECONDS
        self._append(
            connection,
            "experiment_assignments",
            frame,
            day,
            assignment_line(self.config),
        )

    def events(
        self, connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame
    ) -> None:
        """Write events on the day of their receipt."""
        day = frame["arrival"].to_numpy() // DAY_SECONDS
        line = event_line(self.config, is_received=True)
        self._append(connection, "events", frame, day, line)

    def content(self, titles: Catalogue) -> None:
        """Write the catalogue, most of it on the first day."""
        for number, line in enumerate(content_lines(self.config, titles)):
            is_late = (number + 1) % LATE_TITLES == 0
            day = LATE_TITLE_DAYS if is_late else 0
            self._file(day, "content").append_lines([line])

    def finish(
        self,
        connection: duckdb.DuckDBPyConnection,  # noqa: ARG002 (as others do)
    ) -> dict[str, dict[str, int | str]]:
        """Complete the files."""
        return {
            str(file.finish().relative_to(self.folder)): file.described()
            for _, file in sorted(self.files.items())
        }

    def _append(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: str,
        frame: pd.DataFrame,
        day: NDArray[np.int64],
        line: str,
    ) -> None:
        """Append each row to the file of its day, in the order of the rows."""
        last = self.config.cut // DAY_SECONDS
        day = np.clip(day, 0, last)
        for number in np.unique(day):
            self._file(int(number), table).append(
                connection, frame[day == number], line
            )

    def _file(self, day: int, table: str) -> SeedFile:
        if (day, table) not in self.files:
            date = self.config.start + dt.timedelta(days=day)
            folder = self.folder / f"{date:%Y-%m-%d}"
            folder.mkdir(exist_ok=True)
            self.files[day, table] = SeedFile(
                table, folder, self.columns[table]
            )
        return self.files[day, table]


def add_references(folder: Path) -> None:
    """Put the demo's hand-written files beside the days, where there are none.

    Nothing is overwritten: people may change them.
    """
    for path in reference_files(ROOT / "seeds"):
        target = folder / path
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(ROOT / "seeds" / path, target)
