"""What an event costs: CPU time of a build's SQL, and bytes of its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import duckdb

from benchmarks.bench import CATALOG, Bench, header_of, quoted, read_json
from benchmarks.building import (
    bare_plan_of,
    duckdb_output,
    run_bare,
    seed_types,
)
from benchmarks.timing import Comparison
from engine.connections import open_duckdb

# Window functions of the floor: each asks for what the one before found out,
# as the passes of sessions and plays do, so each sorts anew.
WINDOWS = (
    "lag(event_at) over (w)",
    "max(found) over (w rows between unbounded preceding and 1 preceding)",
    "last_value(case when event_number % 3 = 0 then found end ignore nulls)"
    " over (w rows between unbounded preceding and current row)",
    "lead(found) over (w)",
    "first_value(case when event_number % 3 = 0 then found end ignore nulls)"
    " over (w rows between 1 following and unbounded following)",
)
WINDOW_COUNT = 10


def event_cost(bench: Bench) -> Comparison:
    """Measure the CPU time of a build's SQL against a floor of bare DuckDB."""
    target = bench.built
    manifest = read_json(target / "manifest.json")
    plan = bare_plan_of(bench, manifest)
    [events] = (
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "seed" and node["name"] == "events"
    )
    folder = bench.folder / "cost"
    folder.mkdir()
    output = duckdb_output()
    settings = output["settings"] | {"threads": output["threads"]}

    def build() -> float:
        return run_bare(
            plan,
            folder / f"{CATALOG}.duckdb",
            settings=output["settings"],
            threads=output["threads"],
            clock=process_time,
        )

    def floor() -> float:
        return run_floor(
            bench.seeds,
            seed_types(events, header_of(bench.seeds / "events.csv")),
            folder / "floor.duckdb",
            settings,
        )

    times = bench.compare("event_cost", {"build": build, "floor": floor})
    return Comparison(
        name="event_cost",
        measured=times["build"],
        baseline=times["floor"],
        describes="CPU time of the SQL of all seeds, models and data tests,"
        " without dbt, against that of bare DuckDB on the same raw files: read"
        " the events, map ids to whole numbers, number each user's events by"
        f" time, {WINDOW_COUNT} window functions each of which needs the one"
        " before, write one table.",
        is_speedup=False,
        target=2.5,
    )


def run_floor(
    seeds: Path,
    types: Mapping[str, str],
    database: Path,
    settings: Mapping[str, Any],
) -> float:
    """Do the least that sessions need, on a fresh file; return CPU seconds.

    Takes the folder of raw files and the types of the columns of its events.
    """
    database.unlink(missing_ok=True)
    started = process_time()
    with open_duckdb(database) as connection:
        for name, value in settings.items():
            connection.execute(f"set global {name} = '{value}'")
        connection.execute(floor_sql(seeds, types))
    return process_time() - started


def floor_sql(seeds: Path, types: Mapping[str, str]) -> str:
    """Write the floor as one statement, which makes the table `events`."""
    passes = ""
    for number in range(WINDOW_COUNT):
        window = WINDOWS[number % len(WINDOWS)].replace(
            "(w", "(partition by user_key order by event_number"
        )
        passes += f""",
        pass_{number + 1} as (
            select * replace ({window} as found)
            from {f"pass_{number}" if number else "numbered"}
        )"""
    keys = {
        "user_id": "users",
        "content_id": "content",
        "event_type": "lines",
        "device_type": "lines",
    }
    keyed = "".join(
        f""",
        {column}_keys as (
            select {column}, cast(row_number() over (order by {column})
                as integer) as {column}_key
            from (select distinct {column} from {table})
        )"""
        for column, table in keys.items()
    )
    joins = "".join(f" left join {one}_keys using ({one})" for one in keys)
    return f"""
        create table events as
        with lines as materialized (
            select * from read_csv(
                {quoted(seeds / "events.csv")}, columns = {dict(types)!r},
                auto_detect = false, header = true, delim = ',', quote = '"',
                escape = '"', nullstr = '', ignore_errors = true
            )
        ),
        users as (
            select user_id from read_csv(
                {quoted(seeds / "users.csv")}, all_varchar = true
            )
        ),
        content as (
            select content_id from read_csv(
                {quoted(seeds / "content.csv")}, all_varchar = true
            )
        ){keyed},
        numbered as (
            select
                user_id_key as user_key, content_id_key as content_key,
                event_type_key, device_type_key, event_at,
                cast(null as timestamp) as found,
                cast(row_number() over (
                    partition by user_id_key order by event_at, event_id
                ) as integer) as event_number
            from lines{joins}
        ){passes}
        select * from pass_{WINDOW_COUNT}
    """


def footprint(bench: Bench) -> Comparison:
    """Weigh the warehouse's file by the events that it was built from."""
    warehouse = bench.built / f"{CATALOG}.duckdb"
    with open_duckdb(warehouse, read_only=True) as connection:
        parts = table_bytes(connection)
        [events] = connection.execute(
            "select count(*) from raw.events"
        ).fetchall()
    return Comparison(
        name="footprint",
        measured=[warehouse.stat().st_size],
        baseline=[events[0]],
        describes="Bytes of the warehouse's file after dbt build, against the"
        " lines of events that were read.",
        is_speedup=False,
        target=80,
        parts={name: [size] for name, size in parts.items()},
        units=("B", "events", "B an event"),
    )


def table_bytes(connection: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Count the bytes of the blocks of each table, the largest first."""
    [(block_bytes,)] = connection.execute(
        "select block_size from pragma_database_size()"
    ).fetchall()
    names: Sequence[tuple[str]] = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
    ).fetchall()
    sizes = {}
    for (name,) in names:
        [(blocks,)] = connection.execute(
            f"""
            with segments as (
                select block_id, additional_block_ids
                from pragma_storage_info('{name}')
                where persistent
            )
            select count(distinct block) from (
                select block_id as block from segments
                union all
                select unnest(additional_block_ids) from segments
            )
            """
        ).fetchall()
        sizes[name] = float(blocks * block_bytes)
    return dict(sorted(sizes.items(), key=lambda part: -part[1]))
