"""The mapping language: its words, and what a mapping says.

`EXAMPLE` is the language's reference; ``load_logs.py --help`` prints it.
Nothing is read or written here.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from raw.files import OPTIONAL_COLUMNS, TABLES, Kind

EXAMPLE = """\
# What any key of a mapping means. Only name, events.files and the four event
# columns without "(optional)" have to be there; or, for an experiment without
# a log of events, name, experiment_assignments and user_measures.
name: my_service                # the log lands in logs/my_service
source: Player export, May 2024           # said again in every report
licence: internal

events:                 # or a list of such blocks, when one file per event type
  files: events/*.csv.gz        # below --input alone; or a list; .gz, .zst too
  format: csv                   # csv | json (lines or an array) | parquet;
                                # guessed from the file's name when absent
  separator: ","                # csv: up to 4 bytes ("::"), or tab
  quote: '"'                    # csv: "" when nothing is quoted
  # names: [user, item, at]     # csv: the columns of a file without header
  # header: true                # csv: with names, when there is a header too
  encoding: utf-8               # csv: utf-8 | utf-16 | latin-1
  nulls: ["NULL", "null"]       # texts that mean empty
  # where: { kind: track }      # only rows with this text, or one of a list;
                                # the others are left out and counted
  columns:
    event_id: message_id        # (optional) their column; or
    # event_id: row_number      #   each row is an event of its own; or
    # event_id: { md5: [user, at, name] }    # a digest of these. When absent:
    #   a digest of our other columns but received_at, so equal rows are one
    #   event, however often they were sent.
    user_id: [user, device]     # the first that is not empty
    content_id: properties.video_id     # a key inside a JSON column or record;
                                # "params[video_id]": of a key-value list
    event_type:
      column: name
      map: { Video Started: play, Video Paused: pause, Video Skipped: skip }
      # play (also resume), pause, skip (left for something else), stop (ended
      # by the player or the user), seek (the position changes, playing goes
      # on), heartbeat (still playing), or what you declare besides: see
      # references. Buffering is a pause, its end a play. Events of other names
      # are left out and counted. A log of one kind has
      # `event_type: { value: play }`.
    event_at: { column: at, zone: Europe/Paris }
      # ISO text, here without offset. A time that the clocks skip is read with
      # the offset before the change, a time that they show twice is the first.
      # Or { column: at, unit: milliseconds } since 1970 (seconds,
      # microseconds, nanoseconds), or { column: at, format: "%d/%m/%Y %H:%M" }.
    device_type: { column: os, map: { iPhone OS: phone }, default: other }
    # All (optional), and written to events.csv only when they are here:
    ended_at: { column: ms_played, unit: milliseconds, after: event_at }
      # When the play is known to have ended: a time like event_at, or how long
      # after it (seconds without a unit). A log of ends has
      # `event_at: { column: ms_played, unit: milliseconds, before: ended_at }`.
    position_seconds: { column: pos, unit: milliseconds }   # in the content;
                                # of a seek: where it goes
    playback_rate: speed        # 1 is normal
    player_id: media_session    # events of one belong to one player
    received_at: { column: received, unit: seconds }
    sequence_number: seq        # whole number; their order at one instant

users:                          # (optional) else: the users of the events and
                                # of the experiments
  files: members.parquet        # without files: columns of the events' files,
  columns:                      # taken from each user's first event
    user_id: id                 # or row_number, in every block but the events:
                                # each row of a file is a user of its own
    signed_up_at: created       # also platform, subscription_status,
    country_code: { sql: "upper(left(country, 2))" }    # one expression
    acquisition_channel: { column: utm, optional: true }  # may be absent

content:                        # (optional) else: the titles of the events
  files: titles.jsonl
  add_missing_from_events: true         # the default here; users: false
  columns:
    content_id: id
    title: name                 # also language, released_on
    genre: { column: genres, separator: "," }   # or a JSON list
    duration_seconds: { column: length, unit: minutes }

experiment_assignments:         # (optional) the first of a user counts
  files: tracks.jsonl
  where: { event: experiment_viewed }
  columns:
    experiment_id: properties.experiment_id   # or { value: my_test }
    user_id: userId
    variant: properties.variation_id
    assigned_at: timestamp      # not needed in a log without events
    # reached_at: ...           # (optional) when the treatment first arrived

user_measures:                  # (optional) outcomes that are no events: a row
  files: results.csv            # for each user of an experiment
  columns: { experiment_id: { value: my_test }, user_id: id }
  measures:                     # your names for them, as in
    retained: retention_7       # experiment_metrics.csv. TRUE and FALSE, in
    rounds: sum_rounds          # any case, are 1 and 0.
    spend: { column: spend, before: spend_last_year, default: "0" }
      # before: the same, or what foretells it, before assignment

user_segments:                  # (optional) attributes known before
  files: results.csv            # assignment, to break experiments down by
  columns: { user_id: id }
  dimensions: { area: zip_area, newcomer: { column: new, map: { "1": yes } } }

# references: { experiments: experiments.csv }  # reference files to copy, from
#   below --input or beside the mapping. Or put them into logs/<name>. What
#   they declare: see docs/experiments.md; event_types, which is the project's
#   seeds/event_types.csv unless you give another: see docs/event_types.md;
#   estimates, a folder of your own queries: see docs/scenarios.md
vars: { valid_play_seconds: 0 }         # for dbt, written to vars.yml: of the
                                # names and types of dbt_project.yml
"""

REQUIRED = {
    "users": ["user_id"],
    "content": ["content_id"],
    "events": ["user_id", "content_id", "event_type", "event_at"],
    "experiment_assignments": [
        "experiment_id",
        "user_id",
        "variant",
        "assigned_at",
    ],
    "user_measures": ["experiment_id", "user_id"],
    "user_segments": ["user_id"],
}

DERIVABLE = ("users", "content")


class Wide(NamedTuple):
    """A table of which a mapping gives several lines in one row.

    `key` is the mapping's word for them, `name` and `value` are the columns of
    the raw file that a line's name and value go into.
    """

    key: str
    name: str
    value: str
    kind: Kind


WIDE = {
    "user_measures": Wide("measures", "measure", "value", "measure"),
    "user_segments": Wide("dimensions", "dimension", "dimension_value", "text"),
}

# When a user was assigned to an experiment of a log that has no times: as
# early as the warehouse believes a time. Nothing is counted from it.
UNTIMED = "2000-01-01 00:00:00"

# Kinds of columns whose texts may turn out not to be such, and how the scratch
# database holds them.
UNREADABLE_KINDS = {
    "time": "timestamp",
    "date": "date",
    "duration": "double",
    "number": "double",
    "integer": "bigint",
    "measure": "double",
}

# Decimal digits of a microsecond in each.
EPOCH_DIGITS = {
    "seconds": 6,
    "milliseconds": 3,
    "microseconds": 0,
    "nanoseconds": -3,
}

DURATION_UNITS = {
    "seconds": 1,
    "milliseconds": 0.001,
    "microseconds": 0.000001,
    "minutes": 60,
    "hours": 3600,
}


class MappingError(ValueError):
    """A mistake in a mapping or in the files it names, said in one line."""


@dataclass(frozen=True)
class Column:
    """Where one of our columns comes from; exactly one origin is set.

    `anchor` names the time that a duration is counted from; `is_before` says
    that it is counted backwards.
    """

    key: str
    name: str
    kind: Kind
    paths: tuple[str, ...] = ()
    value: str | None = None
    sql: str | None = None
    md5: tuple[str, ...] = ()
    row_number: bool = False
    default: str | None = None
    optional: bool = False
    renamed: dict[str, str] = field(default_factory=dict)
    unit: str | None = None
    formats: tuple[str, ...] = ()
    zone: str | None = None
    separator: str | None = None
    anchor: str | None = None
    is_before: bool = False


@dataclass(frozen=True)
class Block:
    """Files of one shape that feed one table.

    `columns` holds those of the table; of a wide one also every measure or
    dimension, as `measures.rounds`, and what was before it, as
    `before.rounds`. `where` holds the texts that a row must have, by path.
    """

    key: str
    files: tuple[str, ...]
    columns: dict[str, Column]
    where: dict[str, tuple[str, ...]] = field(default_factory=dict)
    format: str | None = None
    separator: str | None = None
    quote: str = '"'
    header: bool = True
    names: tuple[str, ...] = ()
    encoding: str = "utf-8"
    nulls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mapping:
    """A checked mapping.

    `blocks` holds the tables that have files, `derived` the columns of users
    and content that come from the events' files.
    """

    name: str
    source: str
    licence: str
    blocks: dict[str, tuple[Block, ...]]
    derived: dict[str, dict[str, Column]]
    add_missing: dict[str, bool]
    references: dict[str, str]
    variables: dict[str, Any]


def columns_of(table: str) -> dict[str, Kind]:
    """Name the columns of a raw file, optional ones last."""
    return TABLES[table] | OPTIONAL_COLUMNS.get(table, {})


def mapped_columns(table: str) -> dict[str, Kind]:
    """Name what `columns` of a mapping may fill: of wide tables the keys."""
    kinds = columns_of(table)
    if table in WIDE:
        return {name: kinds[name] for name in REQUIRED[table]}
    return kinds


def one_of(value: str, allowed: tuple[str, ...], key: str) -> str:
    """Return `value`, or say which values `key` takes."""
    if value in allowed:
        return value
    raise MappingError(
        f"{key}: '{value}' is none of {', '.join(allowed)}"
        f"{did_you_mean(value, allowed)}"
    )


def did_you_mean(value: str, known: tuple[str, ...]) -> str:
    """Suggest the nearest known name, if one is near.

    Examples
    --------
    >>> did_you_mean("second", ("seconds", "minutes"))
    '; did you mean seconds?'
    """
    near = difflib.get_close_matches(value, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
