"""Logs in other shapes become raw files, and no row is lost on the way."""

import csv
import gzip
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

import load_logs
from mapping.specification import EXAMPLE, MappingError, read_mapping

ROOT = Path(load_logs.__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"

EVENTS = """
name: log
events:
  files: {files}
  columns:
    user_id: user
    content_id: item
    event_type: {{ value: play }}
    event_at: {at}
"""


@pytest.fixture
def load(tmp_path):
    """Load a mapping over files written on the spot."""

    def run(mapping, *, force=True, **files):
        for name, content in files.items():
            path = tmp_path / name.replace("__", ".")
            data = content if isinstance(content, bytes) else content.encode()
            path.write_bytes(data)
        path = tmp_path / "mapping.yml"
        path.write_text(mapping)
        out = tmp_path / "logs" / "log"
        manifest, _ = load_logs.load_log(path, tmp_path, out, force=force)
        return Log(out, manifest)

    return run


class Log:
    def __init__(self, folder, manifest):
        self.folder = folder
        self.manifest = manifest

    def rows(self, table):
        with (self.folder / f"{table}.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    def values(self, table, column):
        return [row[column] for row in self.rows(table)]

    @property
    def times(self):
        return self.values("events", "event_at")

    @property
    def counts(self):
        return self.manifest["tables"]

    def bytes(self):
        return {p.name: p.read_bytes() for p in self.folder.iterdir()}


def events(at="at", files="log.csv"):
    return EVENTS.format(at=at, files=files)


def csv_of(*times):
    lines = [f'{number},film,"{at}"' for number, at in enumerate(times)]
    return "\n".join(["user,item,at", *lines]) + "\n"


# The language -----------------------------------------------------------------


def test_the_example_of_the_help_is_a_mapping():
    mapping = read_mapping(EXAMPLE)
    assert mapping.variables == {"valid_play_seconds": 0}
    assert set(mapping.blocks) == {"users", "content", "events"}


def test_help_explains_the_language():
    done = subprocess.run(
        [sys.executable, load_logs.__file__, "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert EXAMPLE in done.stdout


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs" / "mappings").glob("*.yml")), ids=str
)
def test_worked_mappings_are_in_the_language(path):
    assert read_mapping(path.read_text()).name == path.stem


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("name: log\n", ""), "name: missing"),
        (("name: log", "name: ../log"), "name: '../log' names a folder"),
        (("events:", "event:"), "did you mean events?"),
        (("files:", "file:"), "did you mean files?"),
        (("    user_id: user\n", ""), r"events.columns.user_id: missing"),
        (("user_id:", "userid:"), "did you mean user_id?"),
        (("value: play", "value: watch"), "'watch' is none of play, pause"),
        (("value: play", "value: play, column: a"), "say one of column"),
        (("event_at: at", "event_at: {}"), "say one of column, value or sql"),
        (
            ("event_at: at", "event_at: { column: at, unit: second }"),
            "events.columns.event_at.unit: 'second' .* did you mean seconds?",
        ),
        (
            ("event_at: at", "event_at: { column: at, format: iso }"),
            "no % directive",
        ),
        (
            ("at: at", "at: { column: at, unit: seconds, zone: UTC }"),
            "already says an instant",
        ),
        (
            ("at: at", "at: { column: at, unit: seconds, format: '%Y' }"),
            "exclude each other",
        ),
        (
            ("at: at", "at: { column: at, zone: Europe/Pariss }"),
            "no IANA zone.*did you mean Europe/Paris?",
        ),
        (("user_id: user", "user_id: uzer"), "it has user, item, at; did you"),
        (("log.csv", "none*.csv"), r"events.files: no file 'none\*.csv'"),
        (("log.csv", "log.log"), "say csv, json or parquet"),
        (("log.csv", "log.zip"), "unpack it first"),
        (("log.csv", "empty.csv"), "empty.csv is empty"),
        (("log.csv", "header.csv"), "hold no rows"),
        (
            ("log.csv", "log.csv\n  separator: ';;;;;'"),
            "must have 1 to 4 bytes",
        ),
        (("log.csv", "log.csv\n  encoding: cp1252"), "utf-8, utf-16, latin-1"),
        (("log.csv", "log.csv\n  header: false"), "names: missing"),
        (("log.csv", "log.csv\n  names: [a, a]"), "'a' is there twice"),
        (("log.csv", "twice.csv"), "names 'user' twice"),
        (("value: play", "sql: upper(nothing)"), "event_type.sql: .*nothing"),
        (("value: play", "sql: 'upper('"), "event_type.sql: Parser"),
        (("name: log", "name: [a"), "not YAML"),
        (("name: log", "name: log\nname: b"), "line 3: 'name' is there twice"),
        (
            ("name: log", "name: log\nusers: { columns: { user_id: u } }"),
            "users.columns.user_id: without users.files",
        ),
        (
            ("name: log", "name: log\nreferences: { experiments: e.csv }"),
            "references.experiments: no file",
        ),
    ],
)
def test_refuses_a_wrong_mapping_in_one_line(load, change, message):
    files = {
        "log__csv": csv_of("2024-01-01"),
        "log__log": "x",
        "log__zip": "x",
        "empty__csv": "",
        "header__csv": "user,item,at\n",
        "twice__csv": "user,item,at,user\n1,2,2024-01-01,3\n",
    }
    assert change[0] in events()
    with pytest.raises((MappingError, OSError), match=message) as raised:
        load(events().replace(*change), **files)
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
        if line.startswith(("#   id,", "#   e1,"))
    ]
    log = load(mapping, player_events__csv="\n".join(lines))
    assert log.times == ["2024-05-01 18:15:00"]
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
        "Metropolis",
        "Drama|Sci-Fi",
        "",
        "9180.0",
        "",
    ]


# Formats ----------------------------------------------------------------------

ONE_EVENT = {
    "user_id": "007",
    "content_id": "0042",
    "event_type": "play",
    "event_at": "2024-01-01 00:00:01",
    "device_type": "",
}


def only_event(log):
    (event,) = log.rows("events")
    del event["event_id"]
    return event


def parquet(path, query):
    duckdb.sql(f"copy ({query}) to '{path}' (format parquet)")


@pytest.mark.parametrize(
    ("settings", "content"),
    [
        ("", "item,user,at\n0042,007,2024-01-01 00:00:01\n"),
        ("", "\ufeffuser,item,at\r\n007,0042,2024-01-01 00:00:01\r\n"),
        ("separator: '::'", "user::item::at\n007::0042::2024-01-01 0:00:01"),
        ("separator: tab", "user\titem\tat\n007\t0042\t2024-01-01 00:00:01\n"),
        ("names: [user, item, at]", "007,0042,2024-01-01T00:00:01Z\n"),
        (
            "names: [user, item, at]\n  header: true",
            "a,b,c\n007,0042,2024-01-01 00:00:01.000\n",
        ),
        ('quote: "\'"', "user,item,at\n'007','0042',2024-01-01 00:00:01\n"),
        (
            "encoding: utf-16",
            "user,item,at\n007,0042,2024-01-01 00:00:01\n".encode("utf-16"),
        ),
    ],
)
def test_reads_separated_text(load, settings, content):
    mapping = events().replace("log.csv", f"log.csv\n  {settings}")
    assert only_event(load(mapping, log__csv=content)) == ONE_EVENT


def test_quotes_are_text_when_quoting_is_off(load):
    mapping = events().replace("log.csv", 'log.csv\n  quote: ""')
    log = load(mapping, log__csv='user,item,at\n"a,x"y,2024-01-01\n')
    assert only_event(log)["user_id"] == '"a'
    assert only_event(log)["content_id"] == 'x"y'


def test_reads_latin_1(load):
    mapping = events().replace("log.csv", "log.csv\n  encoding: latin-1")
    content = "user,item,at\nJosé,é,2024-01-01\n".encode("latin-1")
    assert load(mapping, log__csv=content).values("users", "user_id") == [
        "José"
    ]


def test_reads_a_tsv_and_gzip_by_name(load):
    content = gzip.compress(b"user\titem\tat\n007\t0042\t2024-01-01 00:00:01\n")
    log = load(events(files="log.tsv.gz"), log__tsv__gz=content)
    assert only_event(log) == ONE_EVENT


RECORD = {"user": "007", "p": {"$item": "0042", "a.b": {"at": "1704067201"}}}
NESTED = (
    events('{ column: p."a.b".at, unit: seconds }', "{files}")
    .replace("item", "p.$item")
    .replace("{files}", "log.json")
)


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(RECORD) + "\n",
        "\n" + json.dumps(RECORD) + "\r\n\n",
        json.dumps([RECORD]),
        json.dumps([RECORD], indent=2),
    ],
)
def test_reads_json_lines_and_arrays(load, content):
    assert only_event(load(NESTED, log__json=content)) == ONE_EVENT


def test_reads_json_inside_a_column(load):
    content = 'user,p,at\n007,"{""item"": ""0042""}",2024-01-01 00:00:01\n'
    mapping = events().replace("item", "p.item")
    assert only_event(load(mapping, log__csv=content)) == ONE_EVENT


def test_reads_parquet_with_nested_columns(load, tmp_path):
    parquet(
        tmp_path / "log.parquet",
        "select '007' as user, "
        "{'$item': '0042', 'a.b': {'at': 1704067201}} as p",
    )
    mapping = NESTED.replace("log.json", "log.parquet")
    assert only_event(load(mapping)) == ONE_EVENT


@pytest.mark.parametrize(
    "instant",
    [
        "timestamp '2024-01-01 00:00:01'",
        "timestamptz '2024-01-01 02:00:01+02'",
        "timestamp_ns '2024-01-01 00:00:01'",
    ],
)
def test_parquet_times_keep_their_meaning(load, tmp_path, instant):
    parquet(
        tmp_path / "log.parquet",
        f"select '007' as user, '0042' as item, {instant} as at",
    )
    assert only_event(load(events(files="log.parquet"))) == ONE_EVENT


@pytest.mark.parametrize("is_typed", [True, False])
def test_reads_lists_of_keys_and_values(load, is_typed):
    value = {"string_value": None, "int_value": "42"} if is_typed else 42
    record = {
        "user": "u",
        "at": "2024-01-01",
        "params": [{"key": "other", "value": 1}, {"key": "id", "value": value}],
    }
    mapping = events(files="log.jsonl").replace("item", "params[id]")
    log = load(mapping, log__jsonl=json.dumps(record))
    assert log.values("events", "content_id") == ["42"]


def test_files_may_differ_in_column_order_and_repeat_in_patterns(load):
    log = load(
        events(files="[b.csv, '*.csv']"),
        a__csv="at,item,user\n2024-01-02,x,1\n",
        b__csv="user,item,at,extra\n2,x,2024-01-01,y\n",
    )
    assert log.values("events", "user_id") == ["2", "1"]
    assert [found["name"] for found in log.manifest["inputs"]] == [
        "b.csv",
        "a.csv",
    ]


def test_a_table_may_come_from_blocks_of_different_shapes(load):
    mapping = """
name: log
events:
  - files: play.csv
    columns:
      event_id: row_number
      user_id: user
      content_id: item
      event_type: { value: play }
      event_at: at
  - files: play.csv
    columns:
      event_id: row_number
      user_id: user
      content_id: item
      event_type: { value: pause }
      event_at: { column: stopped, unit: milliseconds }
"""
    log = load(
        mapping,
        play__csv="user,item,at,stopped\n1,x,2024-01-01,1704153600000\n",
    )
    assert log.values("events", "event_type") == ["play", "pause"]
    assert log.times == ["2024-01-01 00:00:00", "2024-01-02 00:00:00"]
    assert len(set(log.values("events", "event_id"))) == 2


# Times ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "theirs", "ours"),
    [
        ("unit: seconds", "1365029107", "2013-04-03 22:45:07"),
        ("unit: seconds", "1365029107.25", "2013-04-03 22:45:07.25"),
        ("unit: seconds", "1.3650291072500e9", "2013-04-03 22:45:07.25"),
        ("unit: milliseconds", "1365029107250.5", "2013-04-03 22:45:07.2505"),
        ("unit: milliseconds", "1365029107250", "2013-04-03 22:45:07.25"),
        (
            "unit: microseconds",
            "1365029107250001",
            "2013-04-03 22:45:07.250001",
        ),
        (
            "unit: nanoseconds",
            "1365029107250001999",
            "2013-04-03 22:45:07.250001",
        ),
        ("format: '%d/%m/%Y %H.%M'", "03/04/2013 22.45", "2013-04-03 22:45:00"),
        (
            "format: ['%d/%m/%Y', '%m-%d-%Y']",
            "04-03-2013",
            "2013-04-03 00:00:00",
        ),
        (
            "format: '%d/%m/%Y %H:%M %z'",
            "04/04/2013 00:45 +0200",
            "2013-04-03 22:45:00",
        ),
        ("zone: UTC", "2013-04-03", "2013-04-03 00:00:00"),
        ("zone: UTC", "2013-04-04T00:45:07+02:00", "2013-04-03 22:45:07"),
        ("zone: UTC", "2013-04-03T12:45:07.5-1000", "2013-04-03 22:45:07.5"),
        ("zone: Europe/Paris", "2013-04-03T22:45:07Z", "2013-04-03 22:45:07"),
        ("zone: Europe/Paris", "2013-04-04 00:45:07", "2013-04-03 22:45:07"),
        ("zone: Europe/Paris", "2013-04-04", "2013-04-03 22:00:00"),
        (
            "zone: Europe/Paris",
            "2013-12-04 00:45:07.5",
            "2013-12-03 23:45:07.5",
        ),
        ("zone: Asia/Kolkata", "2013-04-04 04:15:07", "2013-04-03 22:45:07"),
        (
            "zone: Europe/Paris, format: '%d.%m.%Y %H:%M:%S'",
            "04.04.2013 00:45:07",
            "2013-04-03 22:45:07",
        ),
    ],
)
def test_times_become_utc(load, at, theirs, ours):
    log = load(events(f"{{ column: at, {at} }}"), log__csv=csv_of(theirs))
    assert log.times == [ours]


def test_skipped_and_repeated_local_times_follow_the_rule(load):
    """New York, 2021: clocks skip 2 to 3 on 14 March, repeat 1 to 2 on 7
    November. A skipped time keeps the offset before; a repeated is the first.
    """
    local_and_utc = {
        "2021-03-14 01:59:59": "2021-03-14 06:59:59",
        "2021-03-14 02:00:00": "2021-03-14 07:00:00",
        "2021-03-14 02:30:00": "2021-03-14 07:30:00",
        "2021-03-14 03:00:00": "2021-03-14 07:00:00",
        "2021-11-07 00:59:59": "2021-11-07 04:59:59",
        "2021-11-07 01:00:00": "2021-11-07 05:00:00",
        "2021-11-07 01:59:59": "2021-11-07 05:59:59",
        "2021-11-07 02:00:00": "2021-11-07 07:00:00",
        "2021-11-07 01:30:00-05:00": "2021-11-07 06:30:00",
    }
    log = load(
        events("{ column: at, zone: America/New_York }"),
        log__csv=csv_of(*local_and_utc),
    )
    assert log.times == list(local_and_utc.values())
    assert log.counts["events"]["local_times"] == {
        "repeated": 2,
        "skipped": 2,
    }


@pytest.mark.parametrize(
    "zone",
    ["Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "Etc/GMT+8"],
)
def test_local_times_agree_with_an_independent_zone_table(load, zone):
    """Python's zone table, whose fold 0 has the same rule."""
    first = datetime(2021, 1, 1, 0, 13)
    local = [first + timedelta(minutes=47 * n) for n in range(11_000)]
    expected = [
        time.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for time in local
    ]
    log = load(
        events(f"{{ column: at, zone: {zone} }}"),
        log__csv=csv_of(*map(str, local)),
    )
    assert log.times == [f"{time:%Y-%m-%d %H:%M:%S}" for time in expected]


def test_impossible_but_writable_times_stay_for_the_warehouse_to_judge(load):
    log = load(
        events("{ column: at, unit: seconds }"),
        log__csv=csv_of(
            "-1", "0", "1704067200", "9999999999", "", "253402300800"
        ),
    )
    assert log.times == [
        "1969-12-31 23:59:59",
        "1970-01-01 00:00:00",
        "2024-01-01 00:00:00",
        "2286-11-20 17:46:39",
        "",
    ]
    (row,) = log.rows("rejected_rows")
    assert row["detail"] == "event_at: 253402300800"


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("{ column: at, unit: seconds }", "none of 2 rows can be read"),
        ("{ column: at, format: '%d/%m/%Y' }", "line 2: event_at: 2024-01-01"),
        ("{ value: '1970-01-01' }", "all events fall between 1970-01-01"),
    ],
)
def test_a_wrong_unit_or_format_is_an_error_not_an_empty_log(load, at, message):
    with pytest.raises(MappingError, match=message):
        load(events(at), log__csv=csv_of("2024-01-01", "2024-01-02"))


# Values -----------------------------------------------------------------------


def test_event_types_are_mapped_and_the_others_counted(load):
    mapping = events().replace(
        "{ value: play }",
        "{ column: type, map: { Start: play, 1: pause, no: skip } }",
    )
    types = ["Start", "1", "no", "Seek", "Seek", "", "start"]
    lines = [f"{n},x,2024-01-01,{kind}" for n, kind in enumerate(types)]
    log = load(mapping, log__csv="user,item,at,type\n" + "\n".join(lines))
    assert log.values("events", "event_type") == ["play", "pause", "skip"]
    assert log.counts["events"]["left_out"] == {
        "Seek": 2,
        "(empty)": 1,
        "start": 1,
    }
    assert log.values("users", "user_id") == ["0", "1", "2"]


def test_a_map_without_any_of_their_types_is_an_error(load):
    mapping = events().replace(
        "{ value: play }", "{ column: at, map: { a: play } }"
    )
    with pytest.raises(MappingError, match="found: 2024-01-01"):
        load(mapping, log__csv=csv_of("2024-01-01"))


def test_first_filled_column_nulls_defaults_maps_and_sql(load):
    mapping = events().replace("user_id: user", "user_id: [user, device]")
    mapping = mapping.replace("log.csv", "log.csv\n  nulls: ['NULL', null]")
    mapping += (
        "    device_type: { column: os, map: { ios: phone }, default: x }\n"
    )
    mapping += "users: { columns: { country_code: { sql: upper(land) } } }\n"
    log = load(
        mapping,
        log__csv="user,device,item,at,os,land\n"
        "u,d,x,2024-01-01,ios,fr\n"
        "NULL,d,x,2024-01-01,tv,null\n"
        ",,NULL,2024-01-01,null,fr\n",
    )
    assert log.values("events", "user_id") == ["u", "d", ""]
    assert log.values("events", "device_type") == ["phone", "tv", "x"]
    assert log.values("events", "content_id") == ["x", "x", ""]
    assert [tuple(row.values())[0:4:3] for row in log.rows("users")] == [
        ("d", ""),
        ("u", "FR"),
    ]


def test_optional_columns_may_be_absent(load):
    mapping = events() + "    device_type: { column: os, optional: true }\n"
    log = load(mapping, log__csv=csv_of("2024-01-01"))
    assert log.values("events", "device_type") == [""]


def test_a_json_key_that_no_row_has_is_an_error(load):
    mapping = NESTED.replace("p.$item", "p.$itme")
    with pytest.raises(MappingError, match=r"there are \$item, a.b; did you"):
        load(mapping, log__json=json.dumps(RECORD))
    mapping = NESTED.replace("p.$item", "{ column: p.x, optional: true }")
    log = load(mapping, log__json=json.dumps(RECORD))
    assert log.values("events", "content_id") == [""]


def test_genres_durations_and_dates_of_titles(load):
    mapping = (
        events()
        + """
content:
  files: titles.csv
  columns:
    content_id: id
    title: title
    genre: { column: genres, separator: ',' }
    duration_seconds: { column: minutes, unit: minutes }
    released_on: { column: year, format: '%Y' }
"""
    )
    log = load(
        mapping,
        log__csv=csv_of("2024-01-01"),
        titles__csv="id,title,genres,minutes,year\n"
        'film,"A ""B"", C","Drama, Crime,,Drama,R|B",1.5,1999\n'
        "0001,,,,\n",
    )
    film, blank = log.rows("content")
    assert film == {
        "content_id": "film",
        "title": 'A "B", C',
        "genre": "Drama|Crime|R/B",
        "language": "",
        "duration_seconds": "90.0",
        "released_on": "1999-01-01",
    }
    assert set(blank.values()) == {"0001", ""}


@pytest.mark.parametrize(
    ("genres", "expected"),
    [(["Drama", "Crime"], "Drama|Crime"), ("a|b", "a|b"), ([], "")],
)
def test_genres_may_be_a_json_list(load, genres, expected):
    mapping = events() + "content: { files: t.json, columns: "
    mapping += "{ content_id: id, genre: genres } }\n"
    titles = json.dumps(
        [{"id": "film", "genres": genres}, {"id": "b", "genres": "x"}]
    )
    log = load(mapping, log__csv=csv_of("2024-01-01"), t__json=titles)
    assert log.values("content", "genre") == [expected, "x"]


# Ids --------------------------------------------------------------------------


def test_equal_rows_share_a_digest_and_different_rows_do_not(load):
    log = load(
        events(),
        log__csv="user,item,at\n1,x,2024-01-01\n1,x,2024-01-01\n"
        "1x,,2024-01-01\n,1x,2024-01-01\n1,x,2024-01-02\n",
    )
    first, second, *others = log.values("events", "event_id")
    assert first == second
    assert len({first, *others}) == 4


def test_a_digest_may_be_of_stated_columns(load):
    mapping = events() + "    event_id: { md5: [user, id] }\n"
    log = load(
        mapping,
        log__csv="user,item,at,id\n1,x,2024-01-01,a\n1,y,2024-01-02,a\n"
        "1,x,2024-01-01,b\n",
    )
    first, second, third = log.values("events", "event_id")
    assert first == second != third


def test_each_row_may_be_an_event_of_its_own(load):
    mapping = events(files="'*.csv'") + "    event_id: row_number\n"
    body = "user,item,at\n1,x,2024-01-01\nbad\n1,x,2024-01-01\n"
    log = load(mapping, a__csv=body, b__csv=body)
    assert log.values("events", "event_id") == [
        "a.csv:1",
        "a.csv:2",
        "b.csv:1",
        "b.csv:2",
    ]


# Derived tables ---------------------------------------------------------------


def test_users_and_titles_come_from_events_with_their_earliest_attributes(
    load,
):
    mapping = (
        events()
        + """
users: { columns: { platform: os, signed_up_at: { column: since } } }
content: { columns: { title: name } }
"""
    )
    log = load(
        mapping,
        log__csv="user,item,at,os,since,name\n"
        "2,y,2024-01-03,tv,,Y\n"
        "1,x,2024-01-02,web,2023-01-01,X later\n"
        "1,x,2024-01-01,ios,,X\n"
        "1,x,2023-12-31,,,\n",
    )
    assert [list(row.values())[:3] for row in log.rows("users")] == [
        ["1", "2023-01-01 00:00:00", "ios"],
        ["2", "", "tv"],
    ]
    assert [list(row.values())[:2] for row in log.rows("content")] == [
        ["x", "X"],
        ["y", "Y"],
    ]


@pytest.mark.parametrize("adds", [True, False])
def test_titles_and_users_that_their_files_lack(load, adds):
    flag = f"add_missing_from_events: {str(adds).lower()}"
    mapping = (
        events()
        + f"""
users: {{ files: u.csv, {flag}, columns: {{ user_id: id }} }}
content: {{ files: t.csv, {flag}, columns: {{ content_id: id, title: id }} }}
"""
    )
    log = load(
        mapping,
        log__csv=csv_of("2024-01-01", "2024-01-02"),
        u__csv="id,x\n1,\n",
        t__csv="id,x\nother,\nother,\n",
    )
    added = 1 if adds else 0
    assert log.values("users", "user_id") == ["1", "0"][: 1 + added]
    assert (
        log.values("content", "content_id")
        == ["other", "other", "film"][: 2 + added]
    )
    assert log.values("content", "title")[2:] == [""] * added
    for table in ("users", "content"):
        assert log.counts[table]["added_from_events"] == added


def test_by_default_only_titles_are_added(load):
    mapping = (
        events()
        + """
users: { files: u.csv, columns: { user_id: id } }
content: { files: u.csv, columns: { content_id: id } }
"""
    )
    log = load(mapping, log__csv=csv_of("2024-01-01"), u__csv="id,x\n9,\n")
    assert log.values("users", "user_id") == ["9"]
    assert log.values("content", "content_id") == ["9", "film"]


def test_assignments_are_mapped_too(load):
    mapping = (
        events()
        + """
experiment_assignments:
  files: a.csv
  columns:
    experiment_id: { value: push }
    user_id: user
    variant: { column: arm, map: { control: A, treated: B } }
    assigned_at: { column: at, unit: seconds }
    reached_at: { column: seen, unit: seconds }
"""
    )
    log = load(
        mapping,
        log__csv=csv_of("2024-01-01"),
        a__csv="user,arm,at,seen\n0,control,1704067200,\n1,treated,1704067200,1704067201\n",
    )
    assert [
        list(row.values()) for row in log.rows("experiment_assignments")
    ] == [
        ["push", "0", "A", "2024-01-01 00:00:00", ""],
        ["push", "1", "B", "2024-01-01 00:00:00", "2024-01-01 00:00:01"],
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
        "added_from_events": 0,
        "written": 2,
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


def test_mixed_line_ends_are_an_error_not_a_loss(load):
    with pytest.raises(MappingError, match="lines end in two ways"):
        load(
            events(),
            log__csv="user,item,at\n1,x,2024-01-01\r\n2,x,2024-01-01\n",
        )


def test_a_file_that_fits_in_no_row_is_an_error(load):
    mapping = events().replace("log.csv", "log.csv\n  separator: ';'")
    with pytest.raises(MappingError, match="has no column 'user'"):
        load(mapping, log__csv=csv_of("2024-01-01"))
    mapping = events().replace(
        "log.csv", "log.csv\n  names: [user, item, at, x]"
    )
    with pytest.raises(MappingError, match="none of 2 rows can be read"):
        load(mapping, log__csv=csv_of("2024-01-01"))


def test_a_broken_array_names_its_file(load):
    with pytest.raises(MappingError, match=r"events.files: log.json: "):
        load(NESTED, log__json='[{"user": 1}, {"user"')


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
    assert "users: 0 rows read + 1 from the events = 1 written" in text
    assert "rejected: unreadable_value 1" in text


# The folder -------------------------------------------------------------------


def test_writes_every_file_of_a_log_and_describes_it(load):
    mapping = events() + "vars: { valid_play_seconds: 0, time_zone: UTC }\n"
    log = load(mapping, log__csv=csv_of("2024-01-01"))
    assert sorted(log.bytes()) == sorted(load_logs.OWN_FILES)
    assert json.loads(log.bytes()["manifest.json"]) == log.manifest
    assert log.bytes()["vars.yml"] == b"time_zone: UTC\nvalid_play_seconds: 0\n"
    assert log.manifest["seed"] is None
    for name, facts in log.manifest["files"].items():
        path = log.folder / name
        assert facts["sha256"] == load_logs.sha256(path)
        assert facts["bytes"] == path.stat().st_size
        assert facts["rows"] == len(log.rows(path.stem))
    for name, columns in load_logs.REFERENCES.items():
        assert log.bytes()[f"{name}.csv"].decode() == ",".join(columns) + "\n"


def test_reference_headers_are_those_of_the_demo():
    for name, columns in load_logs.REFERENCES.items():
        with (ROOT / "seeds" / f"{name}.csv").open() as file:
            assert next(csv.reader(file)) == columns


def test_same_input_same_bytes(load):
    times = [f"2024-01-01 00:00:{n % 60:02}" for n in range(300_000)]
    times[::1000] = ["bad"] * 300
    content = csv_of(*times)
    first = load(events(), log__csv=content).bytes()
    assert load(events()).bytes() == first


def test_bytes_do_not_depend_on_threads(load, monkeypatch):
    content = csv_of(*(f"2024-01-{n % 31 + 1:02}" for n in range(300_000)))
    mapping = events() + "users: { columns: { platform: at } }\n"
    first = load(mapping, log__csv=content).bytes()
    connect = duckdb.connect
    monkeypatch.setattr(
        load_logs.duckdb,
        "connect",
        lambda path: connect(path, config={"threads": 1}),
    )
    assert load(mapping).bytes() == first


def test_order_is_that_of_the_files(load):
    users = [str(n) for n in range(400_000)]
    lines = [f"{user},x,2024-01-01" for user in users]
    log = load(events(), log__csv="user,item,at\n" + "\n".join(lines))
    assert log.values("events", "user_id") == users
    assert log.values("users", "user_id") == sorted(users)


def test_a_log_is_replaced_only_by_force(load):
    log = load(events(), log__csv=csv_of("2024-01-01"))
    with pytest.raises(MappingError, match="--force"):
        load(events(), force=False)
    log = load(events(), log__csv=csv_of("2024-01-02"))
    assert log.times == ["2024-01-02 00:00:00"]


def test_foreign_files_are_never_replaced(load):
    log = load(events(), log__csv=csv_of("2024-01-01"))
    (log.folder / "notes.txt").write_text("mine")
    with pytest.raises(MappingError, match=r"holds notes\.txt"):
        load(events())
    assert (log.folder / "notes.txt").read_text() == "mine"


def test_reference_files_put_there_by_hand_are_kept(load, tmp_path):
    log = load(events(), log__csv=csv_of("2024-01-01"))
    own = log.folder / "experiments.csv"
    own.write_text(own.read_text() + "push,Push,A,true,1\n")
    for _ in range(2):
        log = load(events())
        assert log.values("experiments", "experiment_id") == ["push"]
        assert log.manifest["kept"] == ["experiments.csv"]
    given = tmp_path / "given.csv"
    given.write_text(own.read_text().replace("push", "given"))
    mapping = events() + "references: { experiments: given.csv }\n"
    assert load(mapping).values("experiments", "experiment_id") == ["given"]
    assert load(events()).values("experiments", "experiment_id") == []


def test_a_reference_file_must_have_its_columns(load):
    mapping = events() + "references: { experiments: given.csv }\n"
    with pytest.raises(MappingError, match="no column experiment_name"):
        load(
            mapping,
            log__csv=csv_of("2024-01-01"),
            given__csv="experiment_id,variant,is_control,expected_share\n",
        )


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
    with pytest.raises(MappingError, match="--force"):
        load(events(), force=False)
    assert log.bytes() == before
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
    assert sorted(path.name for path in out.iterdir()) == sorted(
        load_logs.OWN_FILES
    )
    assert not (tmp_path / ".log.partial").exists()


# Published logs ---------------------------------------------------------------


def shared(name):
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"no published log at ../shared/data/{name}")
    return folder


def load_shared(tmp_path, folder, mapping):
    path = tmp_path / "mapping.yml"
    path.write_text(mapping)
    out = tmp_path / "out"
    manifest, _ = load_logs.load_log(path, folder, out, force=True)
    return Log(out, manifest)


CLASSIC = """
    with

    activity as (
        select distinct
            user_id,
            cast(
                timezone('{zone}', timezone('UTC', event_at)) as date
            ) as day
        from events
        where event_type = 'play'
    ),

    cohorts as (
        select user_id, min(day) as first_day from activity group by user_id
    ),

    last_full_day as (select max(day) - 1 as day from activity)

    select
        count(*) filter (
            where (user_id, first_day + {day_number}) in (from activity)
        ),
        count(*)
    from cohorts
    where first_day + {day_number} <= (select day from last_full_day)
"""

SESSIONS = """
    select count(*) filter (where gap is null or gap > interval 1800 second)
    from (
        select
            event_at - lag(event_at) over (
                partition by user_id order by event_at, event_id
            ) as gap
        from events
        where event_type = 'play'
    )
"""


def raw(log):
    connection = duckdb.connect()
    connection.execute(
        "create table events as from read_csv("
        f"'{log.folder / 'events.csv'}', header = true, auto_detect = false, "
        "columns = {'event_id': 'varchar', 'user_id': 'varchar', 'content_id':"
        " 'varchar', 'event_type': 'varchar', 'event_at': 'timestamp', "
        "'device_type': 'varchar'}, delim = ',', quote = '\"', escape = '\"')"
    )
    return connection


def retention(connection, day_number, zone="UTC"):
    query = CLASSIC.format(day_number=day_number, zone=zone)
    return connection.sql(query).fetchone()


def test_movietweetings_to_the_last_user(tmp_path):
    folder = shared("movietweetings")
    mapping = (ROOT / "docs/mappings/movietweetings.yml").read_text()
    log = load_shared(tmp_path, folder, mapping)
    assert {name: n["written"] for name, n in log.counts.items()} == {
        "users": 16_554,
        "content": 10_506,
        "events": 100_000,
        "experiment_assignments": 0,
    }
    assert log.rows("rejected_rows") == []
    assert len(set(log.values("events", "event_id"))) == 100_000
    genres = log.values("content", "genre")
    assert genres.count("") == 66
    assert (
        len({name for text in genres for name in text.split("|")} - {""}) == 25
    )
    assert "0002844" in log.values("content", "content_id")
    assert set(log.values("events", "content_id")) <= set(
        log.values("content", "content_id")
    )

    connection = raw(log)
    found = {day: retention(connection, day) for day in (1, 7, 14, 30)}
    assert found == {
        1: (991, 16_122),
        7: (768, 15_450),
        14: (641, 15_042),
        30: (403, 14_253),
    }
    assert retention(connection, 7, "America/New_York") == (752, 15_464)
    assert connection.sql(SESSIONS).fetchone() == (80_977,)
    assert (log.folder / "vars.yml").read_text() == "valid_play_seconds: 0\n"


def test_movietweetings_in_small(tmp_path):
    folder = shared("movietweetings")
    mapping = (ROOT / "docs/mappings/movietweetings.yml").read_text()
    log = load_shared(tmp_path, folder, mapping.replace("100K", "10K"))
    with gzip.open(folder / "ratings_10K.dat.gz", "rt") as file:
        rows = [line.split("::") for line in file]
    assert log.values("events", "user_id") == [row[0] for row in rows]
    assert log.values("events", "content_id") == [row[1] for row in rows]


OUTRIDERS = """
name: outriders
source: Vuorre et al. 2022, doi 10.1098/rsos.220411
licence: CC BY 4.0
events:
  - files: telemetry-outriders.csv.gz
    columns:
      event_id: row_number
      user_id: pid
      content_id: { value: outriders }
      event_type: { value: play }
      event_at: session_start
      device_type: s__platform
  - files: telemetry-outriders.csv.gz
    columns:
      event_id: row_number
      user_id: pid
      content_id: { value: outriders }
      event_type: { value: pause }
      event_at: session_end
      device_type: s__platform
vars: { valid_play_seconds: 0 }
"""


def test_outriders_sessions_have_a_start_and_an_end(tmp_path):
    log = load_shared(tmp_path, shared("outriders"), OUTRIDERS)
    assert log.counts["events"]["read"] == 2 * 160_351
    assert log.counts["users"]["written"] == 2_014
    connection = raw(log)
    found = {day: retention(connection, day) for day in (1, 7, 14, 30)}
    assert found == {
        1: (1_410, 2_014),
        7: (1_148, 2_014),
        14: (965, 2_014),
        30: (652, 2_014),
    }
    assert connection.sql(SESSIONS).fetchone() == (124_287,)


VENDORS = {
    "mixpanel": """
name: mixpanel
events:
  files: mixpanel_fivetran_event.csv
  columns:
    # Mixpanel's own rule: an insert_id repeats on other days.
    event_id: { md5: [name, distinct_id, time, insert_id] }
    user_id: distinct_id
    content_id: properties.video_id
    event_type: { column: name, map: { plays: play, playthrough_25: pause } }
    event_at: time
    device_type: properties.Operating System
users: { columns: { platform: properties.Operating System } }
content: { columns: { title: properties.title } }
""",
    "mixpanel_raw": """
name: mixpanel_raw
events:
  files: mixpanel_raw_export_example.jsonl
  columns:
    event_id: properties.$insert_id
    user_id:
      { column: properties.distinct_id, optional: true, default: nobody }
    content_id: event
    event_type: { value: play }
    event_at: { column: properties.time, unit: seconds }
""",
    "amplitude": """
name: amplitude
events:
  files: amplitude_fivetran_event.csv
  columns:
    event_id: uuid
    user_id: [user_id, amplitude_id]
    content_id: event_type
    event_type: { sql: "case when event_type like 'watch%' then 'play' end" }
    event_at: event_time
users:
  columns: { country_code: country, signed_up_at: user_creation_time }
""",
    "segment": """
name: segment
events:
  files: segment_pages_example.csv
  columns:
    event_id: id
    user_id: [user_id, anonymous_id]
    content_id: path
    event_type: { value: play }
    event_at: timestamp
content: { columns: { title: title } }
""",
    "snowplow": """
name: snowplow
events:
  files: [snowplow_atomic_event.csv, snowplow_atomic_event_update.csv]
  nulls: ["NULL", "null"]
  columns:
    event_id: event_id
    user_id: [user_id, domain_userid]
    content_id: page_url
    event_type: { column: event, map: { page_view: play } }
    event_at: [derived_tstamp, collector_tstamp]
    device_type: dvce_type
users: { columns: { country_code: geo_country } }
content: { columns: { title: page_title } }
""",
    "ga4_nested": """
name: ga4_nested
events:
  files: ga4_nested_event_example.jsonl
  columns:
    user_id: [user_id, client_id]
    content_id: event_params[page_location]
    event_type: { column: event_name, map: { first_visit: play } }
    event_at: { column: event_timestamp, unit: microseconds }
    device_type: device.category
    event_id:
      md5:
        - client_id
        - event_params[ga_session_id]
        - event_name
        - event_timestamp
users:
  columns:
    signed_up_at: { column: user_first_touch_timestamp, unit: microseconds }
content: { columns: { title: 'event_params[page_title]' } }
""",
    "ga4": """
name: ga4
events:
  files: ga4_fivetran_event.csv
  columns:
    event_id: _fivetran_id
    user_id: [user_id, user_pseudo_id]
    content_id: event_dimensions_hostname
    event_type: { column: name, map: { scroll: play, view_item: play } }
    event_at: timestamp
    device_type: device_category
""",
}


@pytest.mark.parametrize("vendor", VENDORS)
def test_vendor_exports_can_be_mapped(tmp_path, vendor):
    log = load_shared(tmp_path, shared("exports"), VENDORS[vendor])
    for count in log.counts.values():
        assert count["read"] + count["added_from_events"] == (
            count["written"]
            + sum(count["rejected"].values())
            + sum(count["left_out"].values())
        )
    assert log.rows("events")
    assert log.rows("rejected_rows") == []
    assert all(log.values("events", "event_at"))
    assert all(log.values("events", "user_id"))
