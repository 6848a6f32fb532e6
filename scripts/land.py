"""Write the raw tables as Parquet, for engines that read files.

Reads the schema `raw` of a warehouse, in which DuckDB has loaded and typed the
raw files and set apart the lines that cannot be read (`dbt seed`). Writes a
folder for each table, in it one for each day of arrival: the day of
`received_at` where a table has it, else, and where that lies after the landing,
the day of the landing. Days of events would not do: a broken clock makes a
folder of 1970. Files of an earlier landing are replaced when all are written.

    python scripts/land.py
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from warehouse import WarehouseError, default_file
from warehouse.duckdb_file import opened

DEFAULT_FOLDER = "target/landed"
ARRIVAL = "arrived_date"
RECEIPT = "received_at"
SET_APART = "malformed_rows"


def default_folder() -> Path:
    """Return where files land: STREAMING_LANDED or target/landed."""
    return Path(os.environ.get("STREAMING_LANDED") or DEFAULT_FOLDER)


def land(
    connection: duckdb.DuckDBPyConnection, folder: Path, today: date
) -> dict[str, int]:
    """Write every raw table, all or nothing.

    The warehouse's raw files are loaded; what is in the folder is replaced.
    Today is when rows arrive that do not say. Gives the rows of each table.

    Raises
    ------
    WarehouseError
        If no raw file is loaded.
    """
    tables = raw_tables(connection)
    if not tables:
        raise WarehouseError("no raw file is loaded; run `dbt seed`")
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    stale = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    try:
        counts = {
            table: write(connection, table, columns, fresh / table, today)
            for table, columns in tables.items()
        }
        if folder.exists():
            folder.rename(stale)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(stale, ignore_errors=True)
    return counts


def raw_tables(
    connection: duckdb.DuckDBPyConnection,
) -> dict[str, list[str]]:
    """Name the raw tables and their columns, in order."""
    tables: dict[str, list[str]] = {}
    for table, column in connection.execute(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = 'raw' and table_catalog = current_database()"
        " order by table_name, ordinal_position"
    ).fetchall():
        tables.setdefault(table, []).append(column)
    return tables


def write(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: list[str],
    folder: Path,
    today: date,
) -> int:
    """Write one table in folders by day of arrival; return its rows."""
    arrived = f"date '{today}'"
    if RECEIPT in columns:
        received = f"cast({RECEIPT} as date)"
        arrived = f"coalesce(least({received}, {arrived}), {arrived})"
    folder.mkdir(parents=True)
    [(count,)] = connection.execute(
        f"copy (select *, {arrived} as {ARRIVAL} from raw.{table})"
        f" to '{folder}' (format parquet, compression zstd,"
        f" partition_by ({ARRIVAL}), overwrite_or_ignore)"
    ).fetchall()
    if count == 0:
        # An engine learns the columns of an empty table from an empty file.
        empty = folder / f"{ARRIVAL}={today}"
        empty.mkdir()
        connection.execute(
            f"copy (select * from raw.{table})"
            f" to '{empty}/data_0.parquet' (format parquet)"
        )
    return int(count)


def summary(folder: Path, counts: Mapping[str, int]) -> str:
    """Say what has landed, and what was set apart."""
    rows = sum(counts.values()) - counts.get(SET_APART, 0)
    lines = [f"{folder}: {rows:,} rows of {len(counts) - 1} raw tables landed"]
    if counts.get(SET_APART):
        lines.append(
            f"  {counts[SET_APART]:,} malformed line(s) set apart in"
            f" {SET_APART}, with the reason and the line of the file"
        )
    return "\n".join(lines)


def main() -> None:
    """Write the files and say how many rows they hold."""
    parser = argparse.ArgumentParser(
        description="Write the raw tables as Parquet, for engines that read"
        " files. Run after dbt seed.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--warehouse",
        type=Path,
        default=default_file(),
        help="DuckDB file in which the raw files are loaded",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=default_folder(),
        help="folder of the landed files",
    )
    options = parser.parse_args()
    try:
        with opened(options.warehouse) as file:
            counts = land(
                file.connection, options.out, datetime.now(UTC).date()
            )
    except (WarehouseError, OSError, duckdb.Error) as error:
        sys.exit(f"land: {error}")
    print(summary(options.out, counts))


if __name__ == "__main__":
    main()
