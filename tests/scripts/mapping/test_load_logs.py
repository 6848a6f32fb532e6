"""A log becomes a folder of raw files whole, or not at all."""

import hashlib
import json
import subprocess
import sys

import pytest
import yaml
from cases import cases
from loading import ROOT, csv_of, events, loader

import load_logs
from engine.connections import open_duckdb
from mapping import loads
from mapping.folder import OWN_FILES
from mapping.language import EXAMPLE, MappingError, columns_of
from mapping.specification import read_mapping
from raw.files import EVENT_TYPES, LOAD_NUMBER, REFERENCES, TABLES


@pytest.fixture
def load(tmp_path):
    return loader(tmp_path)


# The language -----------------------------------------------------------------


def test_the_example_of_the_help_is_a_mapping():
    done = subprocess.run(
        [sys.executable, load_logs.__file__, "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert EXAMPLE in done.stdout
    mapping = read_mapping(EXAMPLE)
    assert mapping.variables == {"valid_play_seconds": 0}
    assert set(mapping.blocks) == set(TABLES)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs" / "mappings").glob("*.yml")), ids=str
)
def test_worked_mappings_are_in_the_language(path):
    assert read_mapping(path.read_text()).name == path.stem


WRONG = cases(r"""
name: log\n |  | name: missing
name: log | name: ../log | name: '../log' names a folder
events: | event: | did you mean events?
files: | file: | did you mean files?
    user_id: user\n |  | events.columns.user_id: missing
user_id: | userid: | did you mean user_id?
value: play | value: watch | 'watch' is none of play, pause
value: play | value: resume | did you mean play?
value: play | value: buffer_start | did you mean pause, and
value: play | value: completed | did you mean stop?
value: play | value: play, column: a | say one of column
at: at | at: { column: at, unit: minutes } | none of seconds
at: at | at: at\n    playback_rate: { column: at, unit: x } | unit' is none of
event_at: at | event_at: {} | say one of column, value or sql
event_at: at | event_at: { column: at, format: iso } | no % directive
at: at | at: { column: at, unit: seconds, zone: UTC } | already says an instant
at: at | at: { column: at, unit: seconds, format: '%Y' } | exclude each other
user_id: user | user_id: uzer | it has user, item, at; did you
log.csv | none*.csv | events.files: no file 'none\*.csv'
log.csv | '**.csv' | events.files: '\*\*.csv': Invalid pattern
log.csv | log.log | say csv, json or parquet
log.csv | log.zip | unpack it first
log.csv | empty.csv | empty.csv is empty
log.csv | header.csv | hold no rows
log.csv | log.csv\n  separator: ';;;;;' | must have 1 to 4 bytes
log.csv | log.csv\n  encoding: cp1252 | utf-8, utf-16, latin-1
log.csv | log.csv\n  header: false | names: missing
log.csv | log.csv\n  names: [a, a] | 'a' is there twice
log.csv | twice.csv | names 'user' twice
value: play | sql: upper(nothing) | event_type.sql: .*nothing
value: play | sql: 'upper(' | event_type.sql: syntax error at end of input; wr
name: log | name: [a | not YAML
name: log | name: log\nname: b | line 3: 'name' is there twice
{ value: play } | { column: at, map: { a: play } } | found: 2024-01-01
log.csv | log.csv\n  separator: ';' | has no column 'user'
log.csv | log.csv\n  names: [user, item, at, x] | none of 2 rows can be read
log.csv | mixed.csv | lines end in two ways
""")


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        *WRONG,
        (
            "at: at",
            "at: at\n    ended_at: { column: at, after: even_at }",
            "ended_at.after: 'even_at' is no time .* there are: event_at",
        ),
        (
            "at: at",
            "at: { column: at, before: ended_at }",
            "event_at.before: 'ended_at' is no time .* there are: none",
        ),
        (
            "at: at",
            "at: { column: at, after: event_at }",
            "event_at.after: 'event_at' is no time",
        ),
        (
            "at: at",
            "at: at\n    received_at: { column: at, before: event_at,"
            " after: event_at }",
            "received_at: after and before exclude each other",
        ),
        (
            "at: at",
            "at: at\n    ended_at: { column: at, after: event_at, zone: UTC }",
            "ended_at: after makes it a duration",
        ),
        (
            "at: at",
            "at: at\n    sequence_number: at",
            "none of 1 rows can be read.*sequence_number: 2024-01-01",
        ),
        (
            "event_at: at",
            "event_at: { column: at, unit: second }",
            "events.columns.event_at.unit: 'second' .* did you mean seconds?",
        ),
        (
            "at: at",
            "at: { column: at, zone: Europe/Pariss }",
            "no IANA zone.*did you mean Europe/Paris?",
        ),
        (
            "name: log",
            "name: log\nusers: { columns: { user_id: u } }",
            "users.columns.user_id: without users.files",
        ),
        (
            "name: log",
            "name: log\nreferences: { experiments: e.csv }",
            "references.experiments: no file",
        ),
        (
            "name: log",
            "name: log\nreferences: { experiments: given.csv }",
            "no column experiment_name",
        ),
        ("log.csv", "broken.json", "events.files: broken.json: "),
    ],
)
def test_refuses_a_wrong_mapping_in_one_line(load, right, wrong, message):
    files = {
        "log__csv": csv_of("2024-01-01"),
        "log__log": "x",
        "log__zip": "x",
        "empty__csv": "",
        "header__csv": "user,item,at\n",
        "twice__csv": "user,item,at,user\n1,2,2024-01-01,3\n",
        "mixed__csv": "user,item,at\n1,x,2024-01-01\r\n2,x,2024-01-01\n",
        "broken__json": '[{"user": 1}, {"user"',
        "given__csv": "experiment_id,variant,is_control,expected_share\n",
    }
    assert right in events()
    with pytest.raises((MappingError, OSError), match=message) as raised:
        load(events().replace(right, wrong), **files)
    assert "\n" not in str(raised.value)


def test_main_says_a_mistake_without_a_traceback(tmp_path):
    done = subprocess.run(
        [sys.executable, load_logs.__file__, tmp_path / "none.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("load_logs: ")
    assert done.stderr.count("\n") == 1


def test_the_example_of_player_events_loads_as_its_comment_says(load):
    mapping = (ROOT / "docs/mappings/player_events.yml").read_text()
    lines = [
        line.removeprefix("#   ")
        for line in mapping.splitlines()
        if line.startswith(("#   id,", "#   e"))
    ]
    log = load(mapping, player_events__csv="\n".join(lines))
    assert log.times[0] == "2024-05-01 18:15:00"
    assert (
        " ".join(log.values("events", "event_type"))
        == "play heartbeat seek pause"
    )
    assert (
        " ".join(log.values("events", "position_seconds"))
        == "0.0 30.0 600.0 600.0"
    )
    assert log.counts["events"]["left_out"] == {"seek_start": 1}
    assert list(log.rows("users")[0].values()) == [
        "007",
        "",
        "tv",
        "FR",
        "",
        "",
    ]
    assert list(log.rows("content")[0].values()) == [
        "v9",
        "M",
        "Crime|Drama",
        "",
        "6660.0",
        "",
    ]


# Nothing is lost --------------------------------------------------------------


def rejects(log):
    return [
        (row["line"], row["reason"], row["row_text"])
        for row in log.rows("rejected_rows")
    ]


def test_bad_rows_are_kept_with_line_and_reason(load):
    content = (
        b"user,item,at\n"
        b"1,x,2024-01-01\n"
        b"2,x\n"
        b"3,x,2024-01-03,4\n"
        b"4,x,yesterday\n"
        b"5,x,2024-01-05\n"
        b"6,\xff,2024-01-06\n"
        b"7,x,2024-02-30\n"
        b'8,x,"2024-01-08\n'
    )
    log = load(events(), log__csv=content)
    assert log.values("events", "user_id") == ["1", "5"]
    kept = rejects(log)
    assert [(line, reason) for line, reason, _ in kept] == [
        ("3", "malformed"),
        ("4", "malformed"),
        ("5", "unreadable_value"),
        ("7", "malformed"),
        ("8", "unreadable_value"),
        ("9", "malformed"),
    ]
    assert kept[0][2] == "2,x"
    assert json.loads(kept[2][2]) == {
        "user": "4",
        "item": "x",
        "at": "yesterday",
    }
    assert log.counts["events"] == {
        "read": 8,
        "added": 0,
        "written": 2,
        "lines": 2,
        "rejected": {"malformed": 4, "unreadable_value": 2},
        "left_out": {},
        "local_times": {},
    }


def test_bad_records_are_kept_as_they_are(load):
    good = '{"user": "1", "item": "x", "at": "2024-01-01"}'
    lines = [good, "{", "[1]", "3", '{"user": "2", "at": "soon"}', good]
    log = load(events(files="log.jsonl"), log__jsonl="\n".join(lines))
    assert rejects(log) == [
        ("2", "malformed", "{"),
        ("3", "malformed", "[1]"),
        ("4", "malformed", "3"),
        ("5", "unreadable_value", '{"user": "2", "at": "soon"}'),
    ]
    assert len(log.rows("events")) == 2


def test_bad_values_of_titles_are_kept_and_their_title_comes_from_events(load):
    mapping = events() + "content: { files: t.csv, columns: { content_id: id, "
    mapping += "duration_seconds: s, released_on: day } }\n"
    log = load(
        mapping,
        log__csv=csv_of("2024-01-01"),
        t__csv="id,s,day\nfilm,long,\nb,1,2024-13-01\nc,inf,\nd,2.5,2024-01-01\n",
    )
    assert [row["detail"] for row in log.rows("rejected_rows")] == [
        "duration_seconds: long",
        "released_on: 2024-13-01",
        "duration_seconds: inf",
    ]
    assert log.values("content", "content_id") == ["d", "film"]


def test_a_column_without_one_readable_value_is_an_error(load):
    mapping = events() + "users: { columns: { signed_up_at: since } }\n"
    with pytest.raises(
        MappingError, match=r"line 3: users\.signed_up_at: soon"
    ):
        load(
            mapping,
            log__csv="user,item,at,since\n1,x,2024-01-01,\n2,x,2024-01-02,soon\n",
        )


def test_what_is_left_out_is_not_read(load):
    mapping = events().replace(
        "{ value: play }", "{ column: type, map: { a: play } }"
    )
    log = load(
        mapping,
        log__csv="user,item,at,type\n1,x,2024-01-01,a\n1,x,never,b\n",
    )
    assert log.counts["events"]["left_out"] == {"b": 1}
    assert log.counts["events"]["rejected"] == {}


def test_a_zone_in_one_row_does_not_shift_the_next(load):
    log = load(
        events(),
        log__csv=csv_of("2024-01-01 09:00:00 Asia/Tokyo", "2024-01-01 09:00"),
    )
    assert log.times == ["2024-01-01 09:00:00"]
    assert len(log.rows("rejected_rows")) == 1


def test_any_text_survives_the_raw_file(load):
    texts = ['a "b", c', "two\nlines", "tab\tand | bar", " spaces ", "'", "é\\"]
    titles = "".join(
        '{},"{}"\n'.format(number, text.replace('"', '""'))
        for number, text in enumerate(texts)
    )
    mapping = events()
    mapping += (
        "content: { files: t.csv, columns: { content_id: i, title: t } }\n"
    )
    log = load(mapping, log__csv=csv_of("2024-01-01"), t__csv="i,t\n" + titles)
    assert log.values("content", "title") == [*texts, ""]


def test_the_summary_adds_up(load):
    log = load(events(), log__csv=csv_of("2024-01-01", "never"))
    text = load_logs.summary(log.manifest, log.folder)
    assert "events: 2 rows read = 1 written + 1 rejected + 0 left out" in text
    assert "users: 0 rows read + 1 from other tables = 1 written" in text
    assert "rejected: unreadable_value 1" in text


# The folder -------------------------------------------------------------------


def test_writes_every_file_of_a_log_and_describes_it(load):
    mapping = events() + "vars: { valid_play_seconds: 0, time_zone: UTC }\n"
    log = load(mapping, log__csv=csv_of("2024-01-01"))
    assert sorted(log.bytes()) == sorted(OWN_FILES)
    assert json.loads(log.bytes()["manifest.json"]) == log.manifest
    assert log.bytes()["vars.yml"] == b"time_zone: UTC\nvalid_play_seconds: 0\n"
    assert log.manifest["seed"] is None
    assert log.manifest["mapping"]["name"] == "mapping.yml"
    for name, facts in log.manifest["files"].items():
        path = log.folder / name
        content = path.read_bytes()
        assert facts["sha256"] == hashlib.sha256(content).hexdigest()
        assert facts["bytes"] == len(content)
        assert facts["rows"] == len(log.rows(path.stem))
    for name, header in REFERENCES.items():
        own = EVENT_TYPES.read_text() if name == EVENT_TYPES.stem else None
        assert log.bytes()[f"{name}.csv"].decode() == (own or header + "\n")


def test_columns_are_those_that_the_warehouse_reads():
    path = ROOT / "models/staging/service/_service__seeds.yml"
    types = {"integer": "bigint", "time": "timestamp", "date": "date"}
    types |= dict.fromkeys(("duration", "number"), "double")
    for seed in yaml.safe_load(path.read_text())["seeds"]:
        read = {
            (
                column["name"],
                column["data_type"],
                "optional" in column.get("config", {}).get("meta", {}),
            )
            for column in seed["columns"]
        }
        assert read == {
            (name, types.get(kind, "varchar"), name not in TABLES[seed["name"]])
            for name, kind in columns_of(seed["name"]).items()
        } | {(LOAD_NUMBER, "integer", True)}


def test_reference_headers_are_those_of_the_demo():
    for name, header in REFERENCES.items():
        with (ROOT / "seeds" / f"{name}.csv").open() as file:
            assert file.readline() == header + "\n"


def test_same_input_same_bytes_on_any_number_of_threads(load, monkeypatch):
    times = [
        f"2024-01-{n % 31 + 1:02} 00:00:{n % 60:02}" for n in range(300_000)
    ]
    times[::1000] = ["bad"] * 300
    mapping = events() + "users: { columns: { platform: at } }\n"
    first = load(mapping, log__csv=csv_of(*times)).bytes()
    assert load(mapping).bytes() == first
    monkeypatch.setattr(loads, "open_duckdb", on_one_thread)
    assert load(mapping).bytes() == first


def on_one_thread(path):
    connection = open_duckdb(path)
    connection.execute("set threads = 1")
    return connection


def test_order_is_that_of_the_files(load):
    users = [str(n) for n in range(400_000)]
    lines = [f"{user},x,2024-01-01" for user in users]
    log = load(events(), log__csv="user,item,at\n" + "\n".join(lines))
    assert log.values("events", "user_id") == users
    assert log.values("users", "user_id") == sorted(users)


def test_a_log_is_loaded_anew_and_another_replaced_only_by_force(load):
    load(events(), log__csv=csv_of("2024-01-01"))
    log = load(events(), force=False, log__csv=csv_of("2024-01-02"))
    assert log.times == ["2024-01-02 00:00:00"]
    before = log.bytes()
    other = events().replace("name: log", "name: other")
    with pytest.raises(MappingError, match=r"'log'.*--force"):
        load(other, force=False)
    assert log.bytes() == before
    assert load(other).manifest["log_name"] == "other"


def test_foreign_files_are_never_replaced(load):
    log = load(events(), log__csv=csv_of("2024-01-01"))
    (log.folder / "notes.txt").write_text("mine")
    with pytest.raises(MappingError, match=r"holds notes\.txt"):
        load(events())
    assert (log.folder / "notes.txt").read_text() == "mine"


def test_reference_files_put_there_by_hand_are_kept(load, tmp_path):
    log = load(events(), log__csv=csv_of("2024-01-01"))
    own = log.folder / "experiments.csv"
    variants = "push,Push,A,true,0.5,,\npush,Push,B,false,0.5,,\n"
    own.write_text(own.read_text() + variants)
    for _ in range(2):
        log = load(events())
        assert log.values("experiments", "experiment_id") == ["push"] * 2
        assert log.manifest["kept"] == ["experiments.csv"]
    given = tmp_path / "given.csv"
    given.write_text(own.read_text().replace("push", "given"))
    mapping = events() + "references: { experiments: given.csv }\n"
    assert set(load(mapping).values("experiments", "experiment_id")) == {
        "given"
    }
    assert load(events()).values("experiments", "experiment_id") == []


def test_queries_put_there_by_hand_are_kept_and_given_ones_renewed(
    load, tmp_path
):
    def queries(log):
        return {
            path.stem: path.read_text()
            for path in (log.folder / "estimates").glob("*.sql")
        }

    log = load(events(), log__csv=csv_of("2024-01-01"))
    assert queries(log) == {}
    (log.folder / "estimates").mkdir()
    (log.folder / "estimates" / "mine.sql").write_text("-- mine")
    for _ in range(2):
        log = load(events())
        assert queries(log) == {"mine": "-- mine"}
        assert log.manifest["kept"] == ["estimates/mine.sql"]
    mapping = events() + "references: { estimates: given }\n"
    with pytest.raises(MappingError, match=r"references\.estimates: no folder"):
        load(mapping)
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "theirs.sql").write_text("-- theirs")
    log = load(mapping)
    assert queries(log) == {"mine": "-- mine", "theirs": "-- theirs"}
    content = b"-- theirs"
    assert log.manifest["files"]["estimates/theirs.sql"] == {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    (tmp_path / "given" / "theirs.sql").write_text("-- new")
    assert queries(load(mapping))["theirs"] == "-- new"
    assert queries(load(events())) == {"mine": "-- mine"}


def test_a_failed_load_leaves_the_folder_as_it_was(load):
    log = load(events(), log__csv=csv_of("2024-01-01"))
    before = log.bytes()
    with pytest.raises(MappingError):
        load(events(), log__csv=csv_of("nonsense"))
    assert log.bytes() == before
    assert [path.name for path in log.folder.parent.iterdir()] == ["log"]


@pytest.mark.parametrize("moment", ["mid-write", "between renames"])
def test_what_a_killed_load_left_is_repaired(load, moment):
    log = load(events(), log__csv=csv_of("2024-01-01"))
    before = log.bytes()
    partial = log.folder.with_name(".log.partial")
    partial.mkdir()
    (partial / "events.csv").write_text("half")
    if moment == "between renames":
        log.folder.rename(log.folder.with_name(".log.previous"))
    assert load(events(), force=False).bytes() == before
    assert [path.name for path in log.folder.parent.iterdir()] == ["log"]


def test_a_killed_process_leaves_no_half_written_folder(tmp_path):
    lines = "".join(f"{n},x,2024-01-01\n" for n in range(1_000_000))
    (tmp_path / "log.csv").write_text("user,item,at\n" + lines)
    (tmp_path / "mapping.yml").write_text(events())
    out = tmp_path / "log"
    command = [
        sys.executable,
        load_logs.__file__,
        tmp_path / "mapping.yml",
        "--out",
        out,
    ]
    process = subprocess.Popen(command)
    while not (tmp_path / ".log.partial" / "scratch").exists():
        assert process.poll() is None
    process.kill()
    process.wait()
    assert not out.exists()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert sorted(path.name for path in out.iterdir()) == sorted(OWN_FILES)
    assert not (tmp_path / ".log.partial").exists()
