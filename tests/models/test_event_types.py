"""Types of events are data: what they do, and what they leave alone."""

import csv
import random
import re
import shutil
from collections import Counter, defaultdict
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
import yaml
from complete_log import append, complete_log
from loading import csv_of, events, loader
from rendering import render

import check_workplace
from mapping.language import MappingError
from raw.files import EVENT_TYPES, REFERENCES, playback_effects

ROOT = Path(__file__).parents[2]
SECOND = timedelta(seconds=1)
GAP = 1800
# One session is one run, so that runs can be counted from outside.
VARIABLES = {"session_gap_seconds": GAP, "maximum_session_seconds": 0}
NEUTRAL = ("like", "search", "rating")
ACTIVE = ("like",)
METRIC = (
    "push_reminders,likes_per_user,mean,like_events,,,elapsed,0,7,increase,"
    "secondary,,\n"
    "push_reminders,likes_per_search,ratio,like_events,search_events,,elapsed,"
    "0,7,increase,secondary,,\n"
)
# Every type under another name, and two names for most effects.
RENAMED = {
    "play": ("video_start", "autoplay", "cast"),
    "pause": ("hold", "buffer"),
    "skip": ("next",),
    "stop": ("ended", "closed"),
    "seek": ("jump",),
    "heartbeat": ("ping", "progress"),
}


def declare(folder, lines):
    header = REFERENCES["event_types"]
    (folder / "event_types.csv").write_text("\n".join([header, *lines]) + "\n")


def project_types():
    return EVENT_TYPES.read_text().splitlines()[1:]


def copied(log, folder):
    shutil.copytree(log, folder)
    return folder


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    return complete_log(folder, users=500, panel=150, whole=True)


@pytest.fixture(scope="module")
def base_folder(build, log, tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    build(log, folder, VARIABLES).close()
    return folder


@pytest.fixture(scope="module")
def base(base_folder):
    path = base_folder / "warehouse.duckdb"
    with duckdb.connect(path, read_only=True) as connection:
        yield connection


# What does nothing -----------------------------------------------------------


@pytest.fixture(scope="module")
def neutral_events(base):
    """Events at random and at awkward instants of a log's users."""
    draw = random.Random(20260107)  # noqa: S311
    known = base.execute(
        "select user_id, event_at, content_id, signed_up_at"
        " from marts.fct_streaming_activity"
        " inner join marts.dim_users using (user_id) order by event_id"
    ).fetchall()
    first, last = min(row[1] for row in known), max(row[1] for row in known)
    found = []
    for number in range(6000):
        user, at, title, signed_up_at = draw.choice(known)
        at += SECOND * draw.choice(
            [-1800, -1, 0, 0, 0.000001, 1, 59, 600, 1799, 1800, 1801, 3600]
            + [draw.uniform(-9e5, 9e5)] * 3
        )
        at = max(min(at, last), first, signed_up_at or first)
        kind = draw.choice(NEUTRAL)
        found.append(
            {
                "event_id": f"{draw.random():.12f}-{number}",
                "user_id": user,
                "content_id": "" if kind == "search" else title,
                "event_type": kind.upper() if number % 7 == 0 else kind,
                "event_at": at,
                "device_type": draw.choice(["tv", "phone", "web", ""]),
                "player_id": draw.choice(["", "one"]),
                "position_seconds": draw.choice(["", 30]),
                "playback_rate": draw.choice(["", 2]),
                "ended_at": draw.choice(["", at + 900 * SECOND]),
                "received_at": draw.choice(["", at - SECOND, at + SECOND]),
                "sequence_number": draw.choice(["", 1, 9]),
            }
        )
    return found


def add(folder, rows):
    """Declare neutral types, one of them active, and append their events."""
    declare(
        folder,
        [
            *project_types(),
            *(
                f"{kind},{kind.title()},none,{str(kind in ACTIVE).lower()}"
                for kind in NEUTRAL
            ),
        ],
    )
    with (folder / "events.csv").open(newline="", encoding="utf-8") as file:
        columns = next(csv.reader(file))
    # Positions free the file of any order.
    lines = (folder / "events.csv").read_text().splitlines(keepends=True)
    with (folder / "events.csv").open("w", encoding="utf-8") as file:
        file.write(lines[0])
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writerows(rows[::2])
        file.writelines(lines[1:])
        writer.writerows(rows[1::2])
    append(folder, "experiment_metrics", [METRIC])
    return folder


@pytest.fixture(scope="module")
def neutral(build, log, neutral_events, tmp_path_factory):
    folder = tmp_path_factory.mktemp("neutral")
    seeds = add(copied(log, folder / "log"), neutral_events)
    with build(seeds, folder, VARIABLES, with_tests=True) as connection:
        yield connection


def table(connection, name, columns="*", order="all"):
    return connection.execute(
        f"select {columns} from {name} order by {order}"
    ).fetchall()


def test_events_without_effect_change_no_play(base, neutral):
    # Who is new, and since when, follows from the first activity.
    columns = "* exclude (session_id, is_new, day_number)"
    name = "marts.fct_plays"
    assert table(neutral, name, columns) == table(base, name, columns)


def test_events_without_effect_change_no_other_events_place(base, neutral):
    query = (
        "select ids.event_id, openings.event_id, is_playing, is_shown,"
        " has_beat, closing_type, closing_at, shown_until_at, next_event_at,"
        " next_run_at, next_play_at"
        " from intermediate.int_events_sessionized as events"
        " inner join intermediate.int_events_classified as ids"
        " using (user_key, event_number)"
        " left join intermediate.int_events_classified as openings"
        " on events.user_key = openings.user_key"
        " and play_number = openings.event_number"
        " where events.playback_effect <> 'none' order by all"
    )
    theirs = neutral.execute(query).fetchall()
    assert theirs == base.execute(query).fetchall()


def test_every_event_without_effect_reaches_the_activity(
    base, neutral, neutral_events
):
    found = neutral.execute(
        "select event_id, content_id, event_type, playback_effect, play_id"
        " from marts.fct_streaming_activity where playback_effect = 'none'"
        " order by event_id"
    ).fetchall()
    assert found == sorted(
        (
            row["event_id"],
            row["content_id"] or None,
            row["event_type"].lower(),
            "none",
            None,
        )
        for row in neutral_events
    )
    query = (
        "select canonical_rows, unknown_type_rows, is_reconciled"
        " from marts.fct_reconciliation where table_name = 'events'"
    )
    [before] = base.execute(query).fetchall()
    [after] = neutral.execute(query).fetchall()
    assert after == (before[0] + len(neutral_events), 0, True)


def visits(connection, neutral_events):
    """Runs of all events, told by when each is shown to be at something."""
    shown = defaultdict(list)
    for user, at, until, opens in connection.execute(
        "select user_id, event_at, shown_until_at,"
        " coalesce(event_number = play_number, false)"
        " from intermediate.int_events_sessionized"
        " inner join intermediate.int_users_started using (user_key)"
    ).fetchall():
        shown[user].append((at, until, opens))
    for row in neutral_events:
        shown[row["user_id"]].append((row["event_at"], row["event_at"], False))
    found = []
    for user, told in shown.items():
        run = None
        for at, until, opens in sorted(told):
            if run is None or at - run[2] > GAP * SECOND:
                run = [at, 0, at, 0]
                found.append((user, run))
            run[1] += 1
            run[2] = max(run[2], until)
            run[3] += opens
    return sorted((user, *run) for user, run in found)


def test_visits_are_runs_of_all_events(base, neutral, neutral_events):
    expected = visits(base, neutral_events)
    assert expected != visits(base, [])
    assert expected == table(
        neutral,
        "marts.fct_sessions",
        "user_id, started_at, event_count, ended_at, play_count",
    )


def days(base, neutral_events):
    """Days of the users: what the log had, and what was added."""
    counts, starts = Counter(), Counter()
    for user, at, *_ in visits(base, neutral_events):
        starts[user, at.date()] += 1
    found = {
        (user, day): [is_active, *rest]
        for user, day, count, is_active, *rest in base.execute(
            "select user_id, activity_date, event_count, is_active, play_count,"
            " valid_play_count, watched_seconds from marts.fct_user_days"
        ).fetchall()
        if not counts.update({(user, day): count})
    }
    for row in neutral_events:
        key = row["user_id"], row["event_at"].date()
        counts[key] += 1
        day = found.setdefault(key, [False, 0, 0, 0])
        day[0] |= row["event_type"].lower() in ACTIVE
    return sorted(
        (*key, counts[key], starts[key], *rest) for key, rest in found.items()
    )


DAYS = (
    "user_id, activity_date, event_count, session_count, is_active,"
    " play_count, valid_play_count, watched_seconds"
)


def test_days_count_all_events_and_an_active_type_makes_them_active(
    base, neutral, neutral_events
):
    expected = days(base, neutral_events)
    assert len(expected) > len(days(base, []))
    assert table(neutral, "marts.fct_user_days", DAYS) == expected


def test_the_count_of_a_declared_type_is_a_measure(neutral, neutral_events):
    found = neutral.execute(
        "select user_id, metric_name, outcome_value, denominator_value,"
        " window_starts_at, window_ends_at"
        " from marts.fct_experiment_outcomes"
        " where metric_name in ('likes_per_user', 'likes_per_search')"
    ).fetchall()
    assert found
    at = defaultdict(list)
    for row in neutral_events:
        at[row["user_id"], row["event_type"].lower()].append(row["event_at"])
    for user, metric, value, below, start, end in found:
        likes, searches = (
            sum(start <= moment < end for moment in at[user, kind])
            for kind in ("like", "search")
        )
        assert value == likes
        assert below == (searches if metric == "likes_per_search" else None)
    assert sum(row[2] for row in found) > 0


def test_only_an_active_type_may_be_the_first_activity(
    base, neutral, neutral_events
):
    columns = "user_id, first_active_at"
    before = dict(table(base, "intermediate.int_users_started", columns))
    firsts = dict(before)
    for row in neutral_events:
        if row["event_type"].lower() in ACTIVE:
            user, at = row["user_id"], row["event_at"]
            firsts[user] = min(firsts[user] or at, at)
    assert firsts != before
    assert firsts == dict(
        table(neutral, "intermediate.int_users_started", columns)
    )


# Names are the log's own -----------------------------------------------------


def test_other_names_for_the_same_effects_give_the_same_marts(
    build, log, base_folder, differing_marts, tmp_path
):
    draw = random.Random(20260108)  # noqa: S311
    seeds = copied(log, tmp_path / "log")
    declared = [line.split(",") for line in project_types()]
    declare(
        seeds,
        [
            ",".join([name, name.title(), effect, is_active])
            for kind, _, effect, is_active in declared
            for name in RENAMED[kind]
        ],
    )
    lines = (seeds / "events.csv").read_text().splitlines(keepends=True)
    place = lines[0].split(",").index("event_type")
    for number, line in enumerate(lines[1:], 1):
        cells = line.split(",")
        if len(cells) > place and cells[place] in RENAMED:
            cells[place] = draw.choice(RENAMED[cells[place]])
            lines[number] = ",".join(cells)
    (seeds / "events.csv").write_text("".join(lines))
    build(seeds, tmp_path / "built", VARIABLES).close()

    def without_types(mart, columns):
        names = ", ".join(name for name, _ in columns if name != "event_type")
        return f"select {names} from {mart}"

    assert (
        differing_marts(
            base_folder,
            tmp_path / "built",
            without=("dim_event_types",),
            view=without_types,
            own_view=without_types,
        )
        == []
    )


def test_no_model_macro_or_script_names_a_declared_type():
    """Quoted words alone are names; some words are those of something else."""
    allowed = {
        # Codes of what ended a play, which are the same in every log.
        "close_reason.sql",
        # The simulator writes events.
        "config.py",
        # What players call theirs, in any mapping.
        "specification.py",
        # A server is stopped.
        "spark_server.py",
        "check_dialect.py",
    }
    types = "|".join(playback_effects(EVENT_TYPES))
    # `play` is also a unit of dimensions, and stands beside that word only.
    named = re.compile(
        rf"""^(?!.*(?:unit|dimensions\()).*(['"])({types})\1""", re.MULTILINE
    )
    places = (
        ("models", "*.sql"),
        ("macros", "*.sql"),
        ("analyses", "*.sql"),
        ("tests/singular", "*.sql"),
        ("tests/generic", "*.sql"),
        ("scripts", "*.py"),
    )
    found = [
        str(path.relative_to(ROOT))
        for folder, pattern in places
        for path in sorted((ROOT / folder).rglob(pattern))
        if named.search(path.read_text()) and path.name not in allowed
    ]
    assert found == []


# Types that nobody declared --------------------------------------------------


def test_undeclared_types_are_kept_when_asked(build, dbt, log, base, tmp_path):
    with build(
        log,
        tmp_path,
        VARIABLES | {"unknown_event_types": "keep"},
        select="+fct_plays +fct_reconciliation +fct_rejected_rows"
        " +fct_streaming_activity +dim_event_types",
    ) as kept:
        columns = "* exclude (session_id)"
        assert table(kept, "marts.fct_plays", columns) == table(
            base, "marts.fct_plays", columns
        )
        counts = [
            connection.execute(
                "select (select coalesce(sum(row_count), 0)"
                " from marts.fct_rejected_rows"
                " where reason = 'unknown_event_type'), unknown_type_rows,"
                " canonical_rows, is_reconciled from marts.fct_reconciliation"
                " where table_name = 'events'"
            ).fetchone()
            for connection in (base, kept)
        ]
        unknown = counts[0][0]
        assert unknown > 0
        assert counts[0][1] == 0
        assert counts[1] == (0, unknown, counts[0][2] + unknown, True)
        assert kept.execute(
            "select count(*), count(play_id), bool_or(is_active)"
            " from marts.fct_streaming_activity"
            " where event_type not in (select event_type"
            " from marts.dim_event_types)"
        ).fetchone() == (unknown, 0, False)
    words = "test", "--select", "assert_every_event_is_of_a_declared_type"
    done = dbt(
        log,
        tmp_path,
        *words,
        variables=VARIABLES | {"unknown_event_types": "keep"},
    )
    assert done.returncode == 0, done.stdout
    assert f"{unknown} events are of types that event_types.csv" in done.stdout
    assert "declare their types there" in done.stdout
    with duckdb.connect(tmp_path / "warehouse.duckdb") as misspelt:
        [[skips]] = misspelt.execute(
            "update raw.events set event_type = 'skpi'"
            " where event_type = 'skip'"
        ).fetchall()
    done = dbt(log, tmp_path, *words, variables=VARIABLES)
    assert done.returncode == 0, done.stdout
    assert f"{skips} of " in done.stdout
    assert "does not declare their type skpi; declare it" in done.stdout
    assert "volume_change" not in done.stdout


def test_another_policy_is_refused_by_name(dbt, log, tmp_path):
    done = dbt(
        log,
        tmp_path,
        "compile",
        "--select",
        "int_event_types_keyed",
        variables={"unknown_event_types": "ignore"},
    )
    assert done.returncode != 0
    assert (
        "unknown_event_types is 'ignore'. Write reject or keep." in done.stdout
    )


UNSOUND = {
    ",Nameless,none,false": "event_types.csv, has no event_type; write the",
    "PLAY,Play,plays,true": "event_types.csv, play: is declared 2 times,",
    "like,,none,false": "event_types.csv, like: has no label; write its name",
    "hum,Hum,sings,false": "event_types.csv, hum: playback_effect sings is",
    "rate,Rate,,false": "event_types.csv, rate: playback_effect empty is",
    "ask,Ask,none,": "event_types.csv, ask: does not say whether it makes",
    "bow,Bow,none,perhaps": "event_types.csv, line 14, cannot be read: bow,",
}


SOUND = (
    "event_types",
    "stg_reference__event_types",
    "stg_reader__malformed_rows",
    "assert_event_types_are_declared_soundly",
    "assert_every_declaration_can_be_read",
)


def test_unsound_declarations_are_refused_by_name(dbt, log_of, tmp_path):
    seeds = log_of(tmp_path / "log")
    declare(seeds, [*project_types(), *UNSOUND])
    done = dbt(seeds, tmp_path, "build", "--select", *SOUND)
    assert done.returncode != 0
    for words in UNSOUND.values():
        assert words in done.stdout


def test_a_log_in_which_nobody_can_be_active_is_refused(dbt, log_of, tmp_path):
    seeds = log_of(tmp_path / "log")
    declare(seeds, [line.replace("true", "false") for line in project_types()])
    done = dbt(seeds, tmp_path, "build", "--select", *SOUND)
    assert done.returncode != 0
    assert "no type makes active, so that nobody ever would be" in done.stdout


# Other people's logs ---------------------------------------------------------


@pytest.fixture
def load(tmp_path):
    return loader(tmp_path)


OWN = "event_type,label,playback_effect,is_active\n"
OWN_TYPES = OWN + "watch,Watched,plays,true\nhalt,Halted,pauses,false\n"
LIKES = events().replace(
    "{ value: play }", "{ column: kind, map: { a: watch, b: like } }"
)


def test_a_log_declares_types_of_its_own(load):
    mapping = LIKES + "references: { event_types: own.csv }\n"
    log = load(
        mapping,
        log__csv="user,item,at,kind\n1,x,2024-01-01,a\n1,x,2024-01-02,b\n",
        own__csv=OWN_TYPES + "like,Liked,none,false\n",
    )
    assert log.values("events", "event_type") == ["watch", "like"]
    assert [row["event_type"] for row in log.rows("event_types")] == [
        "watch",
        "halt",
        "like",
    ]


def test_types_put_into_the_folder_by_hand_are_kept(load):
    log = load(events(), log__csv=csv_of("2024-01-01"))
    path = log.folder / "event_types.csv"
    path.write_text(path.read_text() + "like,Like,none,true\n")
    log = load(
        events().replace("{ value: play }", "{ value: like }"),
        log__csv=csv_of("2024-01-01"),
    )
    assert log.manifest["kept"] == ["event_types.csv"]
    assert log.values("events", "event_type") == ["like"]


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (OWN_TYPES, "events.columns.event_type: 'like' is none of watch, halt"),
        (OWN_TYPES, "or declare it in a file of your own"),
        (OWN_TYPES + "like,Like,ends,false\n", "playback_effect ends is unkn"),
        (OWN_TYPES + "like,Like,none,maybe\n", "event_types.csv, line 4: "),
        ("event_type,playback_effect,is_active\n", "has no column label"),
    ],
)
def test_types_that_mean_nothing_are_refused(load, own, words):
    mapping = LIKES + "references: { event_types: own.csv }\n"
    with pytest.raises(MappingError, match=re.escape(words)):
        load(
            mapping,
            log__csv="user,item,at,kind\n1,x,2024-01-01,a\n",
            own__csv=own,
        )


def test_a_players_word_suggests_the_types_of_its_effect(load):
    mapping = events().replace("{ value: play }", "{ value: buffer_start }")
    with pytest.raises(
        MappingError, match="did you mean halt, and watch when it ends"
    ):
        load(
            mapping + "references: { event_types: own.csv }\n",
            log__csv=csv_of("2024-01-01"),
            own__csv=OWN_TYPES,
        )


def test_a_search_needs_no_title(load):
    mapping = """
name: log
events:
  - files: log.csv
    columns:
      user_id: user
      content_id: item
      event_type: { value: play }
      event_at: at
  - files: searches.csv
    columns:
      user_id: user
      content_id: { column: item, optional: true }
      event_type: { value: search }
      event_at: at
references: { event_types: own.csv }
"""
    log = load(
        mapping,
        log__csv=csv_of("2024-01-01"),
        searches__csv="user,at\n0,2024-01-01\n",
        own__csv=OWN + "play,Play,plays,true\nsearch,Search,none,false\n",
    )
    assert log.values("events", "content_id") == ["film", ""]
    assert log.counts["events"]["rejected"] == {}


def test_an_older_log_is_given_the_projects_types(script, log_of, tmp_path):
    seeds = log_of(tmp_path / "log")
    (seeds / "event_types.csv").unlink()
    for name in ("users", "events"):
        with (seeds / f"{name}.csv").open("a") as file:
            file.write("1,,,,,\n")
    words = ("--seeds", seeds, "--warehouse", tmp_path / "w.duckdb")
    done = script("check_workplace.py", seeds, tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert "event_types.csv: the log had none" in done.stdout
    assert (seeds / "event_types.csv").read_bytes() == EVENT_TYPES.read_bytes()
    again = script("check_workplace.py", seeds, tmp_path, *words)
    assert (again.returncode, again.stdout) == (0, "")


def test_a_folder_without_events_is_no_log(tmp_path):
    assert check_workplace.complete(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


# One place for measures ------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("'at'", "'when'"), ("'rows': 'plays'", "'rows': 'sessions'")],
)
def test_a_measure_that_lacks_something_is_refused(right, wrong):
    macro = (ROOT / "macros/experiments/event_measures.sql").read_text()
    head, name, rest = macro.partition("'watched_seconds': {")
    text = f"{head}{name}{rest.replace(right, wrong, 1)}"
    with pytest.raises(ValueError, match="'watched_seconds' must say amount"):
        render(text + "{{ event_measures('names') }}")


def test_unit_tests_of_playback_speak_of_effects_alone():
    for name in ("int_events_played", "int_events_sessionized"):
        path = ROOT / f"models/intermediate/events/{name}.yml"
        for test in yaml.safe_load(path.read_text())["unit_tests"]:
            for given in test["given"]:
                assert "event_type" not in given.get("rows", "")
