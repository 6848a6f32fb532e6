"""The clock changes of a time zone, from the engine's zone table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import duckdb

from mapping.language import Column, MappingError, did_you_mean

# Every change of a zone's offset [s] this century, found by day, then to the
# minute; before the first of them the offset is that of 2000-01-01.
SHIFTS = """
    with

    days as (
        select
            day,
            epoch(timezone($zone, timezone('UTC', day)) - day) as seconds
        from (
            select
                unnest(
                    generate_series(
                        timestamp '2000-01-01',
                        timestamp '2100-01-01',
                        interval 1 day
                    )
                ) as day
        ) as series
    ),

    changes as (
        select
            day,
            seconds as before,
            lead(seconds) over (order by day) as after
        from days
        qualify before <> after
    ),

    minutes as (
        select
            day,
            before,
            after,
            unnest(
                generate_series(day, day + interval 1 day, interval 1 minute)
            ) as minute
        from changes
    ),

    moments as (
        select before, after, min(minute) as moment
        from minutes
        where epoch(timezone($zone, timezone('UTC', minute)) - minute) = after
        group by day, before, after

        union all

        select seconds, seconds, day
        from days
        where day = timestamp '2000-01-01'
    )

    select
        cast(moment + to_seconds(least(before, after)) as varchar),
        cast(moment + to_seconds(greatest(before, after)) as varchar),
        cast(before as integer),
        cast(after as integer)
    from moments
    order by moment
"""


class Shift(NamedTuple):
    """One change of a zone's offset from UTC.

    `before` and `after` are the offsets [s]; local times from `opens` to
    `closes` are skipped by the clocks (after > before) or shown twice.
    """

    opens: str
    closes: str
    before: int
    after: int


def zone_names(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """List the zones that the engine knows."""
    known = connection.execute(
        "select name from pg_timezone_names() order by name"
    ).fetchall()
    return tuple(row[0] for row in known)


def zone_shifts(
    connection: duckdb.DuckDBPyConnection, columns: Iterable[Column]
) -> dict[str, Sequence[Shift]]:
    """Find the changes of every zone that the columns name."""
    names = zone_names(connection)
    shifts: dict[str, Sequence[Shift]] = {"UTC": ()}
    for column in columns:
        zone = column.zone
        if zone is None:
            continue
        if zone not in names:
            raise MappingError(
                f"{column.key}.zone: '{zone}' is no IANA zone, such as "
                f"Europe/Paris{did_you_mean(zone, names)}"
            )
        if zone not in shifts:
            found = connection.execute(SHIFTS, {"zone": zone}).fetchall()
            shifts[zone] = [Shift(*row) for row in found]
    return shifts
