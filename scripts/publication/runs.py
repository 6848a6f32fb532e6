"""A run: from the locks it takes to the version that it publishes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from publication import records, versions
from publication.locks import take
from publication.versions import Version

# Set for the commands of a run that publishes by itself, to its number; their
# STREAMING_WAREHOUSE is the file that is being built.
RUN_VARIABLE = "STREAMING_RUN"


class UnpublishedError(Exception):
    """Why readers keep the version before: one line, with the remedy."""


@dataclass(frozen=True)
class Run:
    """One that holds its log and its warehouse until the process ends."""

    version: Version
    inputs: records.Inputs
    command: str
    started_at: datetime
    number: int
    # Descriptors of the locks, for the processes that work for this one.
    locks: tuple[int, ...]

    def environment(self) -> dict[str, str]:
        """Say to the commands of this run where they work."""
        return {
            RUN_VARIABLE: str(self.number),
            "STREAMING_WAREHOUSE": str(self.version.file.absolute()),
        }

    def record(self, build: records.Build | None) -> list[str]:
        """Write down what this run is; say what is new against the last.

        Raises
        ------
        UnpublishedError
            If raw files were replaced since the run began.
        """
        changed = self.inputs.changed() if build else []
        if changed:
            raise UnpublishedError(
                f"{self.inputs.folder / changed[0]} was replaced or written to"
                " during the build, which may have read both; run this again"
            )
        with versions.opened(self.version.file) as connection:
            number = records.record(
                connection,
                self.inputs,
                build,
                command=self.command,
                started_at=self.started_at,
            )
            return records.summary(connection, number)

    def publish(self) -> str:
        """Let readers have the version, and its report if any; say so."""
        versions.publish(self.version)
        return f"Published run {self.number}: {self.version.published}"


def start(warehouse: Path, seeds: Path, command: str, *, anew: bool) -> Run:
    """Take the locks of a warehouse and its log, and prepare a version.

    See `versions.begin` for what the version holds.

    Raises
    ------
    LockedError
        If another run holds one of them.
    ValueError
        If the published file cannot be read.
    """
    locks = (
        take(warehouse, command),
        take(seeds, command, shared=True),
    )
    started_at = datetime.now(UTC).replace(tzinfo=None)
    version = versions.begin(warehouse, anew=anew)
    number = 1
    if version.file.exists():
        with versions.opened(version.file) as connection:
            number = records.next_number(connection)
    inputs = records.read_inputs(seeds)
    return Run(version, inputs, command, started_at, number, locks)


def is_inside() -> bool:
    """Tell whether this process works for a run that publishes by itself."""
    return bool(os.environ.get(RUN_VARIABLE))


def number_inside() -> int | None:
    """Give the number of the run that this process works for, if any."""
    number = os.environ.get(RUN_VARIABLE)
    return int(number) if number else None


def note_build(build: Mapping[str, Any]) -> None:
    """Leave what dbt says of its build to the run that this works for."""
    file = Path(os.environ["STREAMING_WAREHOUSE"])
    notes = file.with_name(versions.NOTES)
    notes.write_text(json.dumps(build), encoding="utf-8")


def read_build(notes: Path) -> records.Build:
    """Read what dbt said of its build."""
    return records.Build(**json.loads(notes.read_text(encoding="utf-8")))
