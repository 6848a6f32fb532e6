"""The file that readers open, and the one that is being built.

``<warehouse>`` is published: nobody ever writes into it, it is replaced whole.
``<warehouse>.building/`` holds what is not published yet: the next version,
under the same file name, since views store it; what the engine spills; and
the next report. A run that fails leaves it there to be looked at, and the
next one empties it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from engine.connections import open_duckdb

# Tables that are kept from version to version; see `records`.
KEPT_SCHEMA = "runs"
NOTES = "build.json"
REPORT = Path("report/index.html")
# The format of a new file, as profiles.yml has it.
FILE_OPTIONS = "storage_version 'v1.3.0'"


@dataclass(frozen=True)
class Version:
    """The next version of a warehouse, while it is built."""

    published: Path  # the file that readers open

    @property
    def folder(self) -> Path:
        """The folder that holds nothing but this."""
        return self.published.with_name(f"{self.published.name}.building")

    @property
    def file(self) -> Path:
        """The file that is built."""
        return self.folder / self.published.name

    @property
    def notes(self) -> Path:
        """What dbt says of its build, for the record."""
        return self.folder / NOTES

    @property
    def report(self) -> Path:
        """The report that is written of it."""
        return self.folder / REPORT

    @property
    def published_report(self) -> Path:
        """The report that readers open."""
        return self.published.with_name(REPORT.parent.name) / REPORT.name


def begin(published: Path, *, anew: bool) -> Version:
    """Prepare the file of the next version, for whoever holds the lock.

    Built anew, it holds nothing but the kept tables of the published one; else
    it is a copy. What a run before has left behind is removed.

    Raises
    ------
    ValueError
        If the published file cannot be read; names it and the remedy.
    """
    version = Version(published)
    _complete(version)
    # First what could be taken for the report of a published version.
    version.report.unlink(missing_ok=True)
    shutil.rmtree(version.folder, ignore_errors=True)
    version.folder.mkdir(parents=True)
    if not published.exists():
        return version
    try:
        published.open("rb").close()
        _settle(published)
        if anew:
            _keep_history(published, version.file)
        else:
            shutil.copyfile(published, version.file)
    except PermissionError as error:
        raise ValueError(
            f"{published} cannot be read ({error.strerror}); give its owner's"
            " permission to you, or set STREAMING_WAREHOUSE to another file"
        ) from None
    except duckdb.Error as error:
        if "Could not set lock" in str(error):
            raise ValueError(
                f"{published} is being written to; close the program that"
                " writes to it and run this again"
            ) from None
        raise ValueError(
            f"{published} cannot be read as a DuckDB file; move it away and"
            " run this again; it is built from the log"
        ) from None
    return version


@contextmanager
def opened(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file that is not published, also where dbt has let go of it.

    A process that has once connected to a path can do so only with the same
    options; whoever attaches it is free.
    """
    with open_duckdb() as connection:
        connection.execute(
            f"attach {_quoted(file)} as version ({FILE_OPTIONS}); use version"
        )
        try:
            yield connection
        finally:
            connection.execute("use memory; detach version")


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def publish(version: Version) -> None:
    """Let readers have the version, and its report if there is one.

    Who has the old file open keeps it; who opens it from now on has the new
    one. The file must be closed.
    """
    wal = version.file.with_name(f"{version.file.name}.wal")
    if wal.exists():
        raise ValueError(f"{wal} is not written into its file; run this again")
    with version.file.open("rb") as file:
        os.fsync(file.fileno())
    version.file.replace(version.published)
    _complete(version)
    shutil.rmtree(version.folder, ignore_errors=True)


def _complete(version: Version) -> None:
    """Publish the report of a version that has been published.

    Its file is gone then; a process that is killed leaves the report alone.
    """
    if version.report.exists() and not version.file.exists():
        version.published_report.parent.mkdir(exist_ok=True)
        version.report.replace(version.published_report)


def _settle(published: Path) -> None:
    """Write into the file what somebody else's session has left beside it."""
    wal = published.with_name(f"{published.name}.wal")
    if wal.exists():
        open_duckdb(published).close()


def _keep_history(published: Path, file: Path) -> None:
    """Make a file that has the published one's kept tables alone."""
    with opened(file) as connection:
        connection.execute(
            f"attach {_quoted(published)} as published (read_only)"
        )
        connection.execute(f"create schema {KEPT_SCHEMA}")
        tables = connection.execute(
            "select table_name from duckdb_tables()"
            " where database_name = 'published' and schema_name = ?",
            [KEPT_SCHEMA],
        ).fetchall()
        for (table,) in tables:
            name = f"{KEPT_SCHEMA}.{table}"
            connection.execute(f"create table {name} as from published.{name}")
