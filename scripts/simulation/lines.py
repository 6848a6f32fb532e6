"""The lines of the raw files: SQL over drawn columns, and content's texts.

Pure functions: nothing read or written.
"""

from __future__ import annotations

import datetime as dt

from simulation.catalogue import LANGUAGES, Catalogue
from simulation.config import (
    CHANNELS,
    COUNTRIES,
    DEVICES,
    EVENT_TYPES,
    GENRES,
    PLATFORMS,
    VARIANTS,
    SimulationConfig,
)
from simulation.faults import FAULTS
from simulation.members import NEVER

STATUSES = ("free", "trial", "premium")
# Kinds of assignment rows.
PLAIN, UNKNOWN_USER, MISSING_USER, UNKNOWN_EXPERIMENT = range(4)


def _instant(column: str, config: SimulationConfig) -> str:
    """Turn seconds since the start into a timestamp."""
    start = f"timestamp '{config.start:%Y-%m-%d %H:%M:%S}'"
    return f"cast({start} + to_seconds({column}) as varchar)"


def _label(column: str, *labels: str) -> str:
    """Look up the label at a position."""
    return f"{list(labels)!r}[{column} + 1]"


def _number(column: str, digits: int) -> str:
    return f"lpad(cast({column} as varchar), {digits}, '0')"


def _is_fault(*names: str) -> str:
    numbers = ", ".join(str(FAULTS.index(name)) for name in names)
    return f"fault in ({numbers})"


def event_values(config: SimulationConfig) -> dict[str, str]:
    """Write SQL for each column of an event, as text, from a `faults.ROW`.

    What is missing is an empty text.
    """
    user, sender = _number('"user"', 8), _number("sender", 8)
    return {
        "event_id": f"""if({_is_fault("missing_event_id")}, '',
                'e' || {user} || {_number("sequence", 5)})""",
        "user_id": f"""if({_is_fault("missing_user_id")}, '',
                if({_is_fault("unknown_user")}, 'x', 'u') || {sender})""",
        "content_id": f"""if({_is_fault("missing_content_id")}, '',
                if({_is_fault("unknown_content")}, 'x', 'c')
                || {_number("title + 1", 5)})""",
        "event_type": _label("kind", *EVENT_TYPES, "volume_change"),
        "event_at": f"""case
                when {_is_fault("missing_event_at")} then ''
                when {_is_fault("bad_timestamp")} then '2026-02-30 25:61:00'
                else {_instant('"at"', config)}
            end""",
        "device_type": _label("device", *DEVICES),
    }


def event_line(config: SimulationConfig, *, is_received: bool = False) -> str:
    """Write SQL for one line of events.csv from a row of `faults.ROW`.

    With the time of its receipt, if it is to be there.
    """
    values = event_values(config)
    if is_received:
        values["received_at"] = _instant("arrival", config)
    for name in list(values)[4:]:
        values[name] = (
            f"if({_is_fault('too_few_columns')}, null, {values[name]})"
        )
    more = f"if({_is_fault('too_many_columns')}, 'unexpected,fields', null)"
    return f"concat_ws(',', {', '.join([*values.values(), more])})"


def event_row(config: SimulationConfig) -> str:
    """Write SQL for the typed columns of an event, from a row of `faults.ROW`.

    Not for malformed rows, which have none.
    """
    return ", ".join(
        f"cast(nullif({value}, '') as "
        f"{'timestamp' if name == 'event_at' else 'varchar'}) as {name}"
        for name, value in event_values(config).items()
    )


def user_line(config: SimulationConfig) -> str:
    """Write SQL for one line of users.csv."""
    return f"""
        concat_ws(
            ',',
            'u' || {_number('"user"', 8)},
            {_instant("signed_up_at", config)},
            {_label("platform", *PLATFORMS)},
            {_label("country", *COUNTRIES)},
            {_label("status", *STATUSES)},
            {_label("channel", *CHANNELS)}
        )
    """


def assignment_line(config: SimulationConfig) -> str:
    """Write SQL for one line of experiment_assignments.csv."""
    return f"""
        concat_ws(
            ',',
            if(kind = {UNKNOWN_EXPERIMENT}, 'retired_banner', experiment),
            if(kind = {MISSING_USER}, '',
                if(kind = {UNKNOWN_USER}, 'x', 'u') || {_number('"user"', 8)}),
            {_label("variant", *VARIANTS)},
            {_instant("assigned_at", config)},
            if(
                reached_at = {NEVER},
                '',
                {_instant(f"nullif(reached_at, {NEVER})", config)}
            )
        )
    """


def content_lines(config: SimulationConfig, titles: Catalogue) -> list[str]:
    """Write the lines of content.csv, the last one malformed."""
    released = [
        config.start + dt.timedelta(days=int(day))
        for day in titles.release_days
    ]
    return [
        *(
            f"c{number + 1:05d},{name},{GENRES[titles.genres[number]]},"
            f"{LANGUAGES[titles.languages[number]]},"
            f"{titles.durations[number]},{released[number]:%Y-%m-%d}"
            for number, name in enumerate(titles.names)
        ),
        "c99999,Unfinished Import,drama,en,an hour,2020-01-01",
    ]
