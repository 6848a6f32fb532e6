"""Where builds of tests go, how dbt is started, and two warehouses at once."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import duckdb

ROOT = Path(__file__).parents[2]
RAW_COLUMNS = {
    "users": "user_id signed_up_at platform country_code subscription_status"
    " acquisition_channel",
    "content": "content_id title genre language duration_seconds released_on",
    "events": "event_id user_id content_id event_type event_at device_type",
    "experiment_assignments": "experiment_id user_id variant assigned_at"
    " reached_at",
    "user_measures": "experiment_id user_id measure value value_before",
    "user_segments": "user_id dimension dimension_value",
}
BIN = Path(sys.executable).parent
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "OPENBLAS_NUM_THREADS")


def environment(seeds, folder, **extra):
    """Everything that is written goes to `folder`; nothing else leaks in.

    dbt searches the whole environment for secrets at each of its events.
    """
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {
        "STREAMING_SEEDS": str(seeds),
        "STREAMING_WAREHOUSE": str(folder / "warehouse.duckdb"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "target"),
        "DBT_PROFILES_DIR": str(ROOT),
        "DBT_LOG_LEVEL_FILE": "none",
        "DBT_WRITE_JSON": "false",
        "PYTHONHASHSEED": "0",
        "NO_COLOR": "1",
        **extra,
    }


def dbt_command(*words, variables=None):
    command = [str(BIN / "dbt"), "--no-use-colors", *words]
    if variables:
        command += ["--vars", json.dumps(variables)]
    return command


class Dbt:
    """Run dbt from the project's root, as the command does.

    A log with the usual raw files is run by a process that has parsed the
    project before, see `parsed_project`; any other by the command itself, and
    so is one with an environment of its own, but for the machine's zone.
    """

    def __init__(self):
        self.server, self.known = None, None
        self.starting = threading.Lock()

    def __call__(self, seeds, folder, *words, variables=None, **extra):
        own = environment(seeds, folder, **extra)
        command = dbt_command(*words, variables=variables)
        files = sorted(path.name for path in Path(seeds).glob("*.csv"))
        with self.starting:
            usual = all(f"{name}.csv" in files for name in RAW_COLUMNS)
            plain = not extra.keys() - {"TZ"}
            if self.server is None and plain and usual:
                self.server = self.start(environment(seeds, folder))
                self.known = files
        if not plain or files != self.known:
            return subprocess.run(
                command,
                cwd=ROOT,
                env=own,
                capture_output=True,
                text=True,
                check=False,
            )
        with tempfile.TemporaryDirectory() as place:
            said, code = Path(place, "said"), Path(place, "code")
            os.mkfifo(code)
            request = {
                "words": command[1:],
                "environment": own,
                "said": str(said),
                "code": str(code),
            }
            with self.starting:
                self.server.stdin.write(json.dumps(request) + "\n")
                self.server.stdin.flush()
            returned = int(code.read_text())
            return subprocess.CompletedProcess(
                command, returned, said.read_text(encoding="utf-8"), ""
            )

    def start(self, own):
        folder = tempfile.mkdtemp()
        return subprocess.Popen(
            [sys.executable, Path(__file__).with_name("parsed_project.py")],
            cwd=ROOT,
            env=own | {"DBT_TARGET_PATH": folder, "DBT_LOG_PATH": folder},
            stdin=subprocess.PIPE,
            text=True,
        )

    def stop(self):
        if self.server:
            self.server.stdin.close()
            self.server.wait()


@contextmanager
def two_warehouses(folder, other):
    """Open the marts of two folders side by side, as `one` and `two`.

    A view knows its warehouse by the name of the file and can be read under no
    other, so the rows of views are copied.
    """
    with duckdb.connect() as connection:
        for name, place in (("one", folder), ("two", other)):
            file = f"'{place}/warehouse.duckdb'"
            connection.execute(
                f"attach {file} as warehouse (read_only);"
                f"attach ':memory:' as {name}; create schema {name}.marts"
            )
            marts = connection.execute(
                "select table_name, table_type from information_schema.tables"
                " where table_catalog = 'warehouse' and table_schema = 'marts'"
            ).fetchall()
            for mart, kind in marts:
                if kind == "VIEW":
                    connection.execute(
                        f"create table {name}.marts.{mart} as"
                        f" from warehouse.marts.{mart}"
                    )
            connection.execute(
                f"detach warehouse; attach {file} as file_{name} (read_only)"
            )
            for mart, kind in marts:
                if kind != "VIEW":
                    connection.execute(
                        f"create view {name}.marts.{mart} as"
                        f" from file_{name}.marts.{mart}"
                    )
        yield connection
