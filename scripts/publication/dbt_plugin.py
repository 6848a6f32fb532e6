"""Lets dbt build where no reader looks, and publish what passed.

dbt-duckdb loads this before it opens the warehouse, as profiles.yml says. A
command that writes gets the file of the next version; the macro `publish_run`
ends it. Any other opens the published file to read, beside other readers. The
commands of a run that publishes by itself are left alone; see `runs`.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.flags import get_flags
from dbt_common.exceptions import DbtRuntimeError

from publication import records, runs
from publication.locks import LockedError, this_command
from publication.versions import Version

# Commands after which dbt runs the macro `publish_run`.
WRITING = ("build", "run", "seed", "snapshot")
# What chooses among the nodes of a build: without it everything is built.
CHOICES = ("SELECT", "MODELS", "EXCLUDE", "SELECTOR", "RESOURCE_TYPES")
UNTESTED = {"unit_test", "test"}


class Plugin(BasePlugin):
    """Chooses the file that dbt opens; the name is dbt-duckdb's."""

    run: runs.Run | None = None
    is_read_only = False

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Redirect dbt to the file of its command."""
        flags = dbt_flags()
        if runs.is_inside() or not self.creds or self.creds.path == ":memory:":
            return
        published = Path(self.creds.path)
        if flags.WHICH not in WRITING:
            self.is_read_only = published.exists()
            if not self.is_read_only:
                # Nothing to read: dbt still wants a file, and nobody else does.
                version = Version(published)
                if not version.folder.exists():
                    version.folder.mkdir(parents=True)
                    atexit.register(shutil.rmtree, version.folder, True)
                self.creds.path = str(version.file)
            return
        try:
            self.run = runs.start(
                published,
                Path(plugin_config["seeds"]),
                this_command(),
                anew=is_whole(flags),
            )
        except (LockedError, ValueError) as error:
            raise DbtRuntimeError(str(error)) from None
        self.creds.path = str(self.run.version.file)

    def update_connection_config(
        self,
        creds: DuckDBCredentials,  # noqa: ARG002 (dbt-duckdb's signature)
        config: dict[str, Any],
    ) -> None:
        """Open a published file to read."""
        if self.is_read_only:
            config["access_mode"] = "read_only"

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Bound the memory; lend SQL the function that ends a build.

        What goes beyond the bound is written to a folder beside the file.
        """
        limit = os.environ.get("STREAMING_MEMORY") or memory_share(conn)
        conn.execute(f"set memory_limit = '{limit}'")
        if dbt_flags().WHICH not in WRITING:
            return
        conn.create_function(
            "publish_run",
            self.publish,
            ["VARCHAR"],
            "VARCHAR",
            side_effects=True,
        )

    def publish(self, build: str) -> str:
        """Record and publish a build that passed; say so.

        Takes what `records.Build` holds, as JSON. The file must be detached.
        """
        content = json.loads(build) | {"is_whole": is_whole(dbt_flags())}
        if self.run is None:
            runs.note_build(content)
            return ""
        said = self.run.record(records.Build(**content))
        return "\n".join([self.run.publish(), *said])


def memory_share(connection: duckdb.DuckDBPyConnection) -> str:
    """Give a quarter of the memory that there is, for DuckDB to hold.

    DuckDB's own limit is four fifths of what the machine or the container has,
    and what it needs beside can be a third more.
    """
    found = connection.execute("select current_setting('memory_limit')")
    number, unit = found.fetchall()[0][0].split()
    return f"{float(number) / 0.8 / 4:.2f}{unit}"


def dbt_flags() -> Any:  # noqa: ANN401 (dbt's, by command)
    """Return what dbt was asked to do."""
    return get_flags()  # type: ignore[no-untyped-call]


def is_whole(flags: Any) -> bool:  # noqa: ANN401 (dbt's, by command)
    """Tell whether a command builds every model."""
    excluded = set(getattr(flags, "EXCLUDE_RESOURCE_TYPES", None) or ())
    return (
        flags.WHICH == "build"
        and not any(getattr(flags, name, None) for name in CHOICES)
        and excluded <= UNTESTED
    )
