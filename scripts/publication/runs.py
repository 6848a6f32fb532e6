"""A run: from the locks it takes to the version that it publishes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from publication import records, versions
from publication.locks import take
from publication.versions import Version
from raw import checks
from raw.files import MANIFEST

# Set for the commands of a run that publishes by itself, to its number; their
# STREAMING_WAREHOUSE is the file that is being built.
RUN_VARIABLE = "STREAMING_RUN"
# Beside the warehouse: what was found in raw files when they were read whole.
FACTS = "raw_files.json"


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
    warnings: tuple[str, ...]  # of the raw files, before anything was built
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
            If raw files were replaced since the run began, or have far fewer
            rows than before and `volume_check` says that this is an error.
        """
        changed = self.inputs.changed() if build else []
        if changed:
            raise UnpublishedError(
                f"{self.inputs.folder / changed[0]} was replaced or written to"
                " during the build, which may have read both; run this again"
            )
        with versions.opened(self.version.file) as connection:
            warnings = self._volumes(connection) if build else []
            number = records.record(
                connection,
                self.inputs,
                build,
                command=self.command,
                started_at=self.started_at,
                warnings=[*self.warnings, *warnings],
            )
            return records.summary(connection, number)

    def _volumes(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Compare the raw files with those of the run before."""
        settings = checks.settings(self.inputs.folder)
        severity = settings["volume_check"]
        limit = settings["volume_fall_limit"]
        if severity == "ignore":
            return []
        found = records.fallen(connection, self.inputs, limit)
        if found and severity == "error":
            raise UnpublishedError(found[0])
        return found

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
        If the published file cannot be read, or raw files to be built from are
        not those of their manifest.
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
    cache = warehouse.with_name(FACTS)
    warnings = _unlike_the_manifest(seeds, cache) if anew else ()
    return Run(
        version,
        records.read_inputs(seeds, cache),
        command,
        started_at,
        number,
        warnings,
        locks,
    )


def _unlike_the_manifest(seeds: Path, cache: Path) -> tuple[str, ...]:
    """Stop at raw files that were not written as described, or warn of them."""
    if not (seeds / MANIFEST).is_file():
        return ()
    found = checks.find_other_files(seeds, cache)
    if stopping := checks.errors(found):
        raise ValueError(str(stopping[0]))
    return tuple(map(str, found))


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
