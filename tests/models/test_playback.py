"""What is watched, from traces of players to exact seconds.

Every hand-written trace is one user of one log; random players are others. The
log is built once.
"""

import random
from dataclasses import dataclass, field

import pandas as pd
import pytest
from players import played, player_events

TITLES = {"film": "7200", "short": "600", "live": ""}
COLUMNS = (
    *("event_id", "user_id", "content_id", "event_type", "event_at"),
    *("device_type", "player_id", "position_seconds", "playback_rate"),
    *("ended_at", "received_at", "sequence_number"),
)
DEFAULTS = {
    "content_id": "film",
    "device_type": "tv",
}


def event(event_type, at, **more):
    """One event at a clock time of 2026-02-02, or at a full instant."""
    instant = at if " " in at else f"2026-02-02 {at}"
    return DEFAULTS | {"event_type": event_type, "event_at": instant} | more


def play(at, **more):
    return event("play", at, **more)


def pause(at, **more):
    return event("pause", at, **more)


def stop(at, **more):
    return event("stop", at, **more)


def skip(at, **more):
    return event("skip", at, **more)


def seek(at, position, **more):
    return event("seek", at, position_seconds=position, **more)


def beat(at, **more):
    return event("heartbeat", at, **more)


@dataclass(frozen=True)
class Trace:
    """Events of one user and what they add up to.

    Parameters
    ----------
    events : list of dict
        In the order of the file.
    plays : list of tuple
        Per play, in order of time: watched, unique seconds, why it closed.
    facts : dict
        Further columns of the plays, as lists.
    """

    events: list
    plays: list
    facts: dict = field(default_factory=dict)


PHONE = {"device_type": "phone", "content_id": "short"}
SHORT = {"content_id": "short"}
LIVE = {"content_id": "live"}

# Boundaries of one model have unit tests of its own; these cross models.
TRACES = {
    "from_start_to_end": Trace(
        [play("10:00:00"), stop("12:00:00")],
        [(7200, 7200, "stop")],
        {"is_completed": [True], "completion_rate": [1.0]},
    ),
    "pause_without_resume": Trace(
        [play("10:00:00"), pause("10:20:00")], [(1200, 1200, "pause")]
    ),
    "pause_and_resume_are_one_play": Trace(
        [
            play("10:00:00"),
            pause("10:10:00"),
            play("10:15:00"),
            stop("10:30:00"),
        ],
        [(1500, 1500, "stop")],
        {"pause_count": [1]},
    ),
    "missing_stop_ends_with_the_title": Trace(
        [play("10:00:00")], [(7200, 7200, "title_end")]
    ),
    "missing_stop_ends_with_the_next_play": Trace(
        [
            play("10:00:00"),
            play("10:05:00", **SHORT),
            stop("10:06:00", **SHORT),
        ],
        [(300, 300, "next_play"), (60, 60, "stop")],
    ),
    "missing_stop_ends_with_the_next_play_elsewhere": Trace(
        [
            play("10:00:00"),
            play("10:05:00", **PHONE),
            stop("10:06:00", **PHONE),
        ],
        [(300, 300, "next_play"), (60, 60, "stop")],
    ),
    "missing_stop_ends_with_the_session": Trace(
        [
            play("10:00:00"),
            play("10:50:00", **PHONE),
            stop("10:55:00", **PHONE),
        ],
        [(3000, 3000, "session_end"), (300, 300, "stop")],
    ),
    "double_stop": Trace(
        [play("10:00:00"), stop("10:05:00"), stop("10:06:00")],
        [(300, 300, "stop")],
    ),
    "double_pause": Trace(
        [
            play("10:00:00"),
            pause("10:05:00"),
            pause("10:06:00"),
            play("10:07:00"),
            stop("10:08:00"),
        ],
        [(360, 360, "stop")],
    ),
    "seek_forward": Trace(
        [play("10:00:00"), seek("10:01:00", 6000), stop("10:02:00")],
        [(120, 120, "stop")],
    ),
    "seek_past_the_end": Trace(
        [play("10:00:00"), seek("10:05:00", 9000), stop("10:10:00")],
        [(300, 300, "title_end")],
    ),
    "double_speed": Trace(
        [play("10:00:00", playback_rate=2), stop("10:30:00")],
        [(1800, 3600, "stop")],
    ),
    "speed_changes_on_the_way": Trace(
        [
            play("10:00:00"),
            seek("10:01:00", "", playback_rate=0.5),
            stop("10:03:00"),
        ],
        [(180, 120, "stop")],
    ),
    "crash_then_new_player": Trace(
        [
            play("10:00:00", player_id="one"),
            play("10:10:00", player_id="two"),
            stop("10:20:00", player_id="two"),
        ],
        [(600, 600, "next_play"), (600, 600, "stop")],
    ),
    "across_midnight": Trace(
        [play("23:50:00"), stop("2026-02-03 00:10:00")],
        [(1200, 1200, "stop")],
        {"cast(play_date as varchar)": ["2026-02-02"]},
    ),
    "out_of_order_in_the_file": Trace(
        [stop("10:05:00"), play("10:00:00")], [(300, 300, "stop")]
    ),
    "the_same_event_twice": Trace(
        [
            play("10:00:00", event_id="copy"),
            play("10:00:00", event_id="copy"),
            stop("10:05:00"),
        ],
        [(300, 300, "stop")],
    ),
    "position_beyond_the_end": Trace(
        [
            play("10:00:00", position_seconds=700, **SHORT),
            stop("10:05:00", **SHORT),
        ],
        [(0, 0, "title_end")],
    ),
    "heartbeats_then_nothing": Trace(
        [
            play("10:00:00"),
            *(beat(f"10:00:{second}") for second in range(10, 60, 10)),
        ],
        [(110, 110, "heartbeat")],
    ),
    "logged_with_its_end": Trace(
        [play("10:00:00", ended_at="2026-02-02 10:20:00")],
        [(1200, 1200, "ended")],
    ),
    "logged_with_an_end_before_its_start": Trace(
        [play("10:00:00", ended_at="2026-02-02 09:20:00", **LIVE)],
        [(0, 0, "unknown")],
    ),
    "skip_while_paused": Trace(
        [play("10:00:00"), pause("10:01:00"), skip("10:02:00")],
        [(60, 60, "pause")],
        {"is_skipped": [True]},
    ),
    "fractions_add_up": Trace(
        [
            play("10:00:00"),
            pause("10:00:00.6"),
            play("10:00:01"),
            stop("10:00:01.4"),
        ],
        [(1, 1, "stop")],
    ),
}


# Two visits, at 10:00 and 12:00, and an event that arrives late: the sessions'
# ids, which are their first events'.
VISITS = [
    play("10:00:00", event_id="a"),
    stop("10:01:00", event_id="b"),
    play("12:00:00", event_id="c"),
    stop("12:01:00", event_id="d"),
]
LATE = {
    "before_the_first_event": ("09:50:00", ["late", "c"]),
    "inside_a_session": ("10:00:30", ["a", "c"]),
    "a_gap_after_a_session": ("10:31:00", ["a", "c"]),
    "between_two_sessions": ("11:00:00", ["a", "late", "c"]),
    "a_gap_before_a_session": ("11:30:00", ["a", "late"]),
    "after_the_last_event": ("13:00:00", ["a", "c", "late"]),
}


@pytest.fixture(scope="module")
def random_events():
    return player_events(
        random.Random(20260202),  # noqa: S311
        list(TITLES),
    )


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory, build, log_of, random_events):
    rows = list(random_events)
    late = {
        user: Trace([*VISITS, pause(at, event_id="late")], [])
        for user, (at, _) in LATE.items()
    }
    for user, trace in (TRACES | late).items():
        for number, row in enumerate(trace.events):
            values = {"event_id": f"{user}{number}", "user_id": user} | row
            if row.get("event_id"):
                values["event_id"] = f"{user}-{row['event_id']}"
            rows.append(values)
    seeds = log_of(
        tmp_path_factory.mktemp("traces"),
        users=pd.DataFrame(
            {"user_id": sorted({row["user_id"] for row in rows})}
        ),
        content=pd.DataFrame(
            TITLES.items(), columns=["content_id", "duration_seconds"]
        ),
    )
    events = pd.DataFrame(rows, columns=COLUMNS)
    events.to_csv(seeds / "events.csv", index=False)
    with build(
        seeds,
        tmp_path_factory.mktemp("traced"),
        {"maximum_session_seconds": 0},
        select="+fct_plays +fct_sessions +dim_content",
    ) as connection:
        yield connection


@pytest.mark.parametrize("name", TRACES)
def test_trace(warehouse, name):
    trace = TRACES[name]
    columns = "watched_seconds, unique_seconds, close_reason_code"
    rows = warehouse.execute(
        f"select {columns} from marts.fct_plays where user_id = ?"
        " order by started_at, play_id",
        [name],
    ).fetchall()
    assert rows == trace.plays
    for column, expected in trace.facts.items():
        found = warehouse.execute(
            f"select {column} from marts.fct_plays where user_id = ?"
            " order by started_at, play_id",
            [name],
        ).fetchall()
        assert [value for (value,) in found] == expected, column


@pytest.fixture(scope="module")
def by_definition(random_events):
    lengths = {
        name: int(length) if length else None for name, length in TITLES.items()
    }
    return played(random_events, lengths)


def test_random_players_visit_as_the_definitions_say(warehouse, by_definition):
    _, visits = by_definition
    assert len(visits) > 1000
    assert visits == {
        session: (user, end)
        for session, user, end in warehouse.execute(
            "select session_id, user_id, ended_at from marts.fct_sessions"
            " where starts_with(user_id, 'player')"
        ).fetchall()
    }


def test_random_players_watch_as_the_definitions_say(warehouse, by_definition):
    expected, _ = by_definition
    columns = list(next(iter(expected.values())))
    found = {
        play: dict(zip(columns, row, strict=True))
        for play, *row in warehouse.execute(
            f"select play_id, {', '.join(columns)} from marts.fct_plays"
            " where starts_with(user_id, 'player')"
        ).fetchall()
    }
    assert found.keys() == expected.keys()
    differing = {
        play: (found[play], row)
        for play, row in expected.items()
        if found[play] != row
    }
    assert differing == {}
    assert len({row["close_reason_code"] for row in expected.values()}) >= 10
    assert len(expected) > 2000


@pytest.mark.parametrize("user", LATE)
def test_a_late_event_renames_the_session_that_it_lands_in(warehouse, user):
    found = warehouse.execute(
        "select session_id from marts.fct_sessions where user_id = ?"
        " order by started_at",
        [user],
    ).fetchall()
    assert [name.removeprefix(f"{user}-") for (name,) in found] == LATE[user][1]


def test_every_trace_is_played(warehouse):
    found = warehouse.execute(
        "select count(distinct user_id) from marts.fct_plays"
        " where not starts_with(user_id, 'player')"
    ).fetchone()
    assert found == (len(TRACES) + len(LATE),)


def test_nobody_watches_longer_than_time_passes(warehouse):
    """Net of overlaps, and seconds of a title no more than it has."""
    assert not warehouse.execute(
        "select user_id from marts.fct_plays"
        " inner join marts.dim_content using (content_id)"
        " group by user_id having sum(net_watched_seconds)"
        " > epoch(max(ended_at) - min(started_at))"
        " or max(unique_seconds - duration_seconds) > 0"
    ).fetchall()
