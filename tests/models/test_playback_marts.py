"""Marts of titles, genres and sessions, by brute force, on a messy log.

Each number is counted from the rows of plays and sessions by its definition.
"""

import math
import random
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import pairwise, product

import pandas as pd
import pytest
from builds import RAW_COLUMNS
from by_local_day import DAY, share
from statsmodels.stats.proportion import proportion_confint

EDGES = [0, 60, 300, 900, 1800, 3600, 7200]
VARIABLES = {
    "dimensions": [
        {"name": "platform", "unit": "user", "column": "platform"},
        {"name": "country", "unit": "user", "column": "country_code"},
        {"name": "device", "unit": "play", "column": "device_type"},
        {"name": "genre", "unit": "title", "column": "genre_name"},
    ],
    "time_zone": "America/New_York",
    "week_start_day": "sunday",
    "late_allowance_days": 1,
    "session_band_seconds": EDGES,
}
# Evening in New York: its days and UTC's differ, and its clocks change on
# 8 March. Nobody is there from 10 to 24 March, a whole week from Sunday among
# them.
BEGIN = datetime(2026, 1, 28, 20)
SILENCE = (datetime(2026, 3, 10), datetime(2026, 3, 24))
DAYS = 80
USER_COLUMNS = [
    *("user_id", "signed_up_at", "platform"),
    *("country_code", "acquisition_channel"),
]
GENRES = ["Crime", "Drama", "Horror", "Crime|Drama", "Drama|Horror|Crime", ""]
TITLES = {
    f"t{number:02}": (
        f"Title {number}",
        GENRES[number % len(GENRES)],
        ["", "25", "120", "1500", "5400"][number % 5],
    )
    for number in range(20)
} | {"unplayed": ("Unplayed", "Crime|Silent", "60")}


def accounts(draw):
    """user_id to (signed_up_at, platform, country, channel), as written."""
    users = {}
    for number in range(90):
        signed_up = [
            BEGIN - timedelta(days=draw.randint(1, 400)),
            BEGIN + timedelta(days=draw.uniform(0, DAYS)),
            None,
        ][number % 3]
        users[f"u{number:02}"] = (
            signed_up and signed_up.replace(microsecond=0),
            draw.choice(["tv", "web", "phone", ""]),
            draw.choice(["DE", "FR", ""]),
            draw.choice(["organic", "paid"]),
        )
    users["nobody"] = (None, "console", "AQ", "paid")
    return users


def lines_of(draw, user, signed_up):
    """A user's events in bursts, from regulars to those who came once."""
    lines = []
    start = max(BEGIN, signed_up or BEGIN)
    share = draw.choice([0.02, 0.1, 0.4, 0.9])
    only_pauses = draw.random() < 0.05
    for day in range(DAYS):
        at = BEGIN + timedelta(days=day, seconds=draw.randint(0, 30_000))
        if at < start or draw.random() > share:
            continue
        for _ in range(draw.choice([1, 1, 2, 3, 8])):
            title = draw.choice(list(TITLES)[:-1])
            kind = "pause" if only_pauses else "play"
            device = draw.choice(["phone", "tv", ""])
            for event_type in [kind, *draw.choice([[], ["pause"], ["skip"]])]:
                if not SILENCE[0] <= at < SILENCE[1]:
                    lines.append((user, title, event_type, at, device))
                at += timedelta(
                    seconds=draw.choice([0, 1, 29, 30, 60, 1800, 1801])
                    if draw.random() < 0.5
                    else draw.randint(1, 3000)
                )
    return lines


@pytest.fixture(scope="module")
def log():
    """Accounts; and lines in any order, some copied and some of no use."""
    draw = random.Random(20260128)  # noqa: S311
    users = accounts(draw)
    events = [
        line
        for user, (signed_up, *_) in users.items()
        if user != "nobody"
        for line in lines_of(draw, user, signed_up)
    ]
    lines = [(f"e{number:05}", *line) for number, line in enumerate(events)]
    _, _, title, event_type, at, device = lines[0]
    messy = [
        *lines,
        *draw.sample(lines, 50),
        ("x1", "stranger", title, event_type, at, device),
        ("x2", "u00", "unheard", event_type, at - 9 * DAY, device),
        ("x3", "u00", title, "rewind", at + 99 * DAY, device),
        ("x4", "u00", title, event_type, None, device),
    ]
    draw.shuffle(messy)
    return users, messy


@pytest.fixture(scope="module")
def warehouse(log, tmp_path_factory, build, log_of):
    users, messy = log
    folder = tmp_path_factory.mktemp("playback")
    seeds = log_of(
        folder / "log",
        users=pd.DataFrame(
            [(user, *attributes) for user, attributes in users.items()],
            columns=USER_COLUMNS,
        ),
        content=pd.DataFrame(
            [(key, *attributes) for key, attributes in TITLES.items()],
            columns=["content_id", "title", "genre", "duration_seconds"],
        ),
        events=pd.DataFrame(messy, columns=RAW_COLUMNS["events"].split()),
    )
    with build(
        seeds,
        folder,
        VARIABLES,
        "+path:models/marts/playback +fct_plays +fct_sessions",
        ("--indirect-selection", "cautious"),
        with_tests=True,
    ) as connection:
        yield connection


@pytest.fixture(scope="module")
def found(warehouse):
    """Read a mart as {key: row}; the rest of the row is compared."""

    def read(mart, *keys):
        rows = warehouse.execute(f"select * from marts.{mart}").fetchall()
        names = [column[0] for column in warehouse.description]
        read_rows = {}
        for row in rows:
            values = dict(zip(names, row, strict=True))
            read_rows[tuple(values.pop(key) for key in keys)] = values
        assert len(read_rows) == len(rows)
        return read_rows

    return read


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    assert expected
    for key, values in expected.items():
        row = found[key]
        assert row.keys() == values.keys()
        for name, value in values.items():
            if isinstance(value, float):
                assert row[name] is not None, (key, name)
                assert math.isclose(
                    row[name], value, rel_tol=1e-12, abs_tol=1e-15
                ), (key, name, row[name], value)
            else:
                assert row[name] == value, (key, name)


# --- what is played -----------------------------------------------------------


@pytest.fixture(scope="module")
def plays(found):
    return [
        row | {"play_id": key}
        for (key,), row in found("fct_plays", "play_id").items()
    ]


@pytest.fixture(scope="module")
def sessions(found):
    return {
        key: row for (key,), row in found("fct_sessions", "session_id").items()
    }


def genres_of(content_id):
    return {genre for genre in TITLES[content_id][1].split("|") if genre}


def performance(plays):
    starters = {play["user_id"] for play in plays if play["is_valid_play"]}
    completers = {
        play["user_id"]
        for play in plays
        if play["is_valid_play"] and play["is_completed"]
    }
    measured = {
        play["user_id"]
        for play in plays
        if play["is_valid_play"] and play["completion_rate"] is not None
    }
    skipped = sum(play["is_skipped"] for play in plays)
    low, high = (
        proportion_confint(len(completers), len(measured), method="wilson")
        if measured
        else (None, None)
    )
    return {
        "play_count": len(plays),
        "valid_play_count": sum(play["is_valid_play"] for play in plays),
        "skipped_play_count": skipped,
        "starter_users": len(starters),
        "completer_users": len(completers),
        "watched_seconds": sum(play["watched_seconds"] for play in plays),
        "unique_seconds": sum(play["unique_seconds"] for play in plays),
        "skip_rate": share(skipped, len(plays)),
        "completer_rate": share(len(completers), len(measured)),
        "completer_ci_low": low,
        "completer_ci_high": high,
    }


def test_content_performance(found, plays):
    expected = {
        (key,): {"title": title, "genre_names": genre or None}
        | performance([play for play in plays if play["content_id"] == key])
        for key, (title, genre, _) in TITLES.items()
    }
    assert expected["unplayed",]["skip_rate"] is None
    assert any(row["completer_users"] for row in expected.values())
    assert any(row["skipped_play_count"] for row in expected.values())
    assert_same(found("fct_content_performance", "content_id"), expected)


def test_genre_performance(found, plays):
    genres = set().union(*map(genres_of, TITLES))
    expected = {
        (genre,): {
            "title_count": sum(genre in genres_of(key) for key in TITLES)
        }
        | performance(
            [play for play in plays if genre in genres_of(play["content_id"])]
        )
        for genre in genres
    }
    assert len(expected) == 4
    assert expected["Silent",]["play_count"] == 0
    assert_same(found("fct_genre_performance", "genre_name"), expected)


def test_genre_transitions(found, plays):
    by_session = defaultdict(list)
    for play in sorted(
        plays, key=lambda play: (play["started_at"], play["play_id"])
    ):
        if play["is_valid_play"]:
            by_session[play["session_id"]].append(play)
    transitions = [
        (*pair, one["user_id"])
        for valid_plays in by_session.values()
        for one, other in pairwise(valid_plays)
        for pair in product(
            genres_of(one["content_id"]), genres_of(other["content_id"])
        )
    ]
    counts = Counter((start, end) for start, end, _ in transitions)
    starts = Counter(start for start, _, _ in transitions)
    assert_same(
        found("fct_genre_transitions", "from_genre_name", "to_genre_name"),
        {
            pair: {
                "transition_count": count,
                "user_count": len(
                    {user for *each, user in transitions if (*each,) == pair}
                ),
                "transition_rate": count / starts[pair[0]],
            }
            for pair, count in counts.items()
        },
    )


# --- how long sessions are ----------------------------------------------------


@pytest.fixture(scope="module")
def grouped_sessions(plays, sessions):
    """(user, whole seconds) of each session of a dimension's value."""
    keys = defaultdict(set)
    for key, session in sessions.items():
        keys[key] = {
            ("all", "all"),
            ("platform", session["platform"]),
            ("country", session["country_code"]),
        }
    for play in plays:
        keys[play["session_id"]].add(("device", play["device_type"]))
        if play["is_valid_play"]:
            keys[play["session_id"]] |= {
                ("genre", genre) for genre in genres_of(play["content_id"])
            }
    assert keys.keys() == sessions.keys()
    groups = defaultdict(list)
    for key, session in sessions.items():
        for group in keys[key]:
            seconds = math.floor(session["duration_seconds"])
            groups[group].append((session["user_id"], seconds))
    assert {key for key, _ in groups} == {
        "all",
        "platform",
        "country",
        "device",
        "genre",
    }
    return groups


def test_session_lengths(found, grouped_sessions):
    expected = {}
    for key, group in grouped_sessions.items():
        users = {user for user, _ in group}
        lengths = sorted(seconds for _, seconds in group)
        expected[key] = {
            "session_count": len(lengths),
            "user_count": len(users),
            "sessions_per_user": len(lengths) / len(users),
            "mean_seconds": sum(lengths) / len(lengths),
            "longest_seconds": lengths[-1],
        } | {
            # The nearest rank, rounded up in whole numbers.
            name: lengths[-(-len(lengths) * percent // 100) - 1]
            for name, percent in {
                "p25_seconds": 25,
                "median_seconds": 50,
                "p75_seconds": 75,
                "p90_seconds": 90,
                "p95_seconds": 95,
            }.items()
        }
    assert_same(
        found("fct_session_lengths", "dimension", "dimension_value"), expected
    )
