"""Raw files while they grow, and event rows until they can be sorted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raw.files import TABLES, file_facts
from simulation.config import SimulationConfig
from simulation.faults import FAULTS, REASONS, ROW

SLICE_ROWS = 500_000
# Upper estimates, for slices and the check of the disk.
ROWS_PER_NEWCOMER_DAY = 0.75
ROWS_PER_MEMBER_DAY = 13
BYTES_PER_ROW = 140
BYTES_PER_TYPED_ROW = 50  # written as Parquet, its slice included
# Of a Parquet file of events, and from how many rows on they are written so.
FILE_ROWS = 5_000_000
PARQUET_ROWS = 50_000_000
# Kinds of rows that no columns with types can hold.
MALFORMED = [
    number
    for number, name in enumerate(FAULTS)
    if REASONS.get(name) == "malformed"
]


class SeedFile:
    """One raw file while it is written, under a temporary name."""

    def __init__(
        self, table: str, folder: Path, columns: Sequence[str] = ()
    ) -> None:
        """Begin the file with its header: the table's columns, or those."""
        self.path = folder / f"{table}.csv.partial"
        header = ",".join(columns or TABLES[table])
        self.path.write_text(f"{header}\n", encoding="utf-8")
        self.rows = 0

    def append_lines(self, lines: list[str]) -> None:
        """Append some rows."""
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        self.rows += len(lines)

    def append(
        self,
        connection: duckdb.DuckDBPyConnection,
        frame: pd.DataFrame,
        line: str,
    ) -> None:
        """Append the SQL `line` of every row of a frame, in its order."""
        part = self.path.with_name("part")
        target = str(part).replace("'", "''")
        connection.register("batch", frame)
        # Lines are complete: no quoting, and a delimiter that none contains.
        connection.execute(
            f"copy (select {line} from batch) to '{target}' "
            "(format csv, header false, delimiter '\x01', quote '', escape '')"
        )
        connection.unregister("batch")
        with part.open("rb") as source, self.path.open("ab") as file:
            shutil.copyfileobj(source, file)
        self.rows += len(frame)

    def finish(self) -> Path:
        """Give the file its name, once it is complete."""
        self.path.with_name("part").unlink(missing_ok=True)
        self.path = self.path.replace(self.path.with_suffix(""))
        return self.path

    def described(self) -> dict[str, int | str]:
        """Describe the file for the manifest."""
        return {"rows": self.rows, **file_facts(self.path)}


class TypedFiles:
    """A raw table as Parquet while it is written, in a folder of its name.

    What has no such row, because it is malformed, goes to the CSV file beside.
    """

    def __init__(self, table: str, lines: SeedFile, folder: Path) -> None:
        """Begin without a file."""
        self.folder = folder / table
        self.folder.mkdir()
        self.lines = lines
        self.waiting: list[pd.DataFrame] = []
        self.rows: dict[Path, int] = {}

    def append(
        self,
        connection: duckdb.DuckDBPyConnection,
        frame: pd.DataFrame,
        row: str,
        line: str,
    ) -> None:
        """Append a frame: the SQL `row` of rows with types, else the `line`."""
        is_typed = ~frame["fault"].isin(MALFORMED)
        self.lines.append(connection, frame[~is_typed], line)
        self.waiting.append(frame[is_typed])
        if sum(map(len, self.waiting)) >= FILE_ROWS:
            self.flush(connection, row)

    def flush(self, connection: duckdb.DuckDBPyConnection, row: str) -> None:
        """Write what is waiting into a file of its own."""
        if not self.waiting:
            return
        path = self.folder / f"{len(self.rows) + 1:05d}.parquet"
        target = str(path).replace("'", "''")
        connection.register("rows", pd.concat(self.waiting))
        written = connection.execute(
            f"copy (select {row} from rows) to '{target}'"
            " (format parquet, compression zstd)"
        ).fetchall()
        connection.unregister("rows")
        self.rows[path] = written[0][0]
        self.waiting = []

    def described(self) -> dict[str, dict[str, int | str]]:
        """Describe the files for the manifest, by name."""
        return {
            f"{self.folder.name}/{path.name}": {
                "rows": rows,
                **file_facts(path),
            }
            for path, rows in self.rows.items()
        }


class Slices:
    """Event rows on disk, in slices of time that fit in memory easily."""

    def __init__(self, config: SimulationConfig, folder: Path) -> None:
        """Plan the slices; the one after the last holds what is late."""
        slices = -(-expected_rows(config) // SLICE_ROWS)
        self.width = -(-(config.cut + 1) // slices)
        self.paths = [folder / f"slice_{n}" for n in range(slices + 1)]

    def add(self, rows: NDArray[np.void]) -> None:
        """Put every row into its slice."""
        number = np.minimum(rows["arrival"] // self.width, len(self.paths) - 1)
        rows = rows[np.argsort(number, kind="stable")]
        counts = np.bincount(number, minlength=len(self.paths))
        pieces = np.split(rows, np.cumsum(counts)[:-1])
        for path, piece in zip(self.paths, pieces, strict=True):
            with path.open("ab") as file:
                file.write(piece.tobytes())

    def in_order(self) -> Iterator[pd.DataFrame]:
        """Yield the rows of each slice by arrival, and forget it."""
        for path in self.paths:
            rows = np.fromfile(path, dtype=ROW)
            path.unlink()
            event = rows["user"].astype(np.int64) * 100_000 + rows["sequence"]
            order = np.lexsort(
                (rows["at"], rows["fault"], event, rows["arrival"])
            )
            yield pd.DataFrame(rows[order])


def expected_rows(config: SimulationConfig) -> int:
    """Rows of events.csv to expect, rather too many."""
    return int(
        config.days
        * (
            config.new_users * ROWS_PER_NEWCOMER_DAY
            + config.panel_members * ROWS_PER_MEMBER_DAY
        )
    )
