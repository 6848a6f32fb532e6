"""Where builds of tests go, how dbt is started, and two warehouses at once."""

import json
import os
import sys
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


def environment(seeds, folder, **extra):
    """Everything that is written goes to `folder`; no DBT_* leaks in."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DBT_", "STREAMING_"))
    }
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
