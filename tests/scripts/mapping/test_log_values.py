"""Files, times, values and ids in other shapes become ours."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from cases import cases
from loading import csv_of, events, loader

from mapping.language import MappingError
from raw.files import TABLES


@pytest.fixture
def load(tmp_path):
    return loader(tmp_path)


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


@pytest.mark.parametrize(
    ("setting", "content", "expected"),
    [
        ('quote: ""', b'"a,x"y,2024-01-01', ('"a', 'x"y')),
        (
            "encoding: latin-1",
            "José,é,2024-01-01".encode("latin-1"),
            ("José", "é"),
        ),
    ],
)
def test_keeps_every_character(load, setting, content, expected):
    mapping = events().replace("log.csv", f"log.csv\n  {setting}")
    log = load(mapping, log__csv=b"user,item,at\n" + content + b"\n")
    event = only_event(log)
    assert (event["user_id"], event["content_id"]) == expected


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
users: { files: play.csv, columns: { user_id: user } }
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
    assert log.values("users", "user_id") == ["1"]
    assert log.values("events", "event_id") == ["1:play.csv:1", "2:play.csv:1"]


# Times ------------------------------------------------------------------------


TIMES = cases("""
unit: seconds | 1365029107 | 2013-04-03 22:45:07
unit: seconds | 1365029107.25 | 2013-04-03 22:45:07.25
unit: seconds | 1.3650291072500e9 | 2013-04-03 22:45:07.25
unit: milliseconds | 1365029107250.5 | 2013-04-03 22:45:07.2505
unit: milliseconds | 1365029107250 | 2013-04-03 22:45:07.25
unit: microseconds | 1365029107250001 | 2013-04-03 22:45:07.250001
unit: nanoseconds | 1365029107250001999 | 2013-04-03 22:45:07.250001
format: '%d/%m/%Y %H.%M' | 03/04/2013 22.45 | 2013-04-03 22:45:00
format: ['%d/%m/%Y', '%m-%d-%Y'] | 04-03-2013 | 2013-04-03 00:00:00
format: '%d/%m/%Y %H:%M %z' | 04/04/2013 00:45 +0200 | 2013-04-03 22:45:00
zone: UTC | 2013-04-03 | 2013-04-03 00:00:00
zone: UTC | 2013-04-04T00:45:07+02:00 | 2013-04-03 22:45:07
zone: UTC | 2013-04-03T12:45:07.5-1000 | 2013-04-03 22:45:07.5
zone: Europe/Paris | 2013-04-03T22:45:07Z | 2013-04-03 22:45:07
zone: Europe/Paris | 2013-04-04 00:45:07 | 2013-04-03 22:45:07
zone: Europe/Paris | 2013-04-04 | 2013-04-03 22:00:00
zone: Europe/Paris | 2013-12-04 00:45:07.5 | 2013-12-03 23:45:07.5
zone: Asia/Kolkata | 2013-04-04 04:15:07 | 2013-04-03 22:45:07
""")


@pytest.mark.parametrize(
    ("at", "theirs", "ours"),
    [
        *TIMES,
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


# Optional columns -------------------------------------------------------------


def with_columns(*lines):
    return events() + "".join(f"    {line}\n" for line in lines)


def test_optional_columns_are_written_only_when_mapped(load):
    log = load(events(), log__csv=csv_of("2024-01-01"))
    assert list(log.rows("events")[0]) == list(TABLES["events"])
    mapping = with_columns("sequence_number: user", "player_id: item")
    log = load(mapping)
    assert list(log.rows("events")[0]) == [
        *TABLES["events"],
        "player_id",
        "sequence_number",
    ]
    (event,) = log.rows("events")
    assert (event["player_id"], event["sequence_number"]) == ("film", "0")


def test_blocks_without_an_optional_column_leave_it_empty(load):
    mapping = """
name: log
events:
  - files: log.csv
    columns:
      user_id: user
      content_id: item
      event_type: { value: play }
      event_at: at
  - files: log.csv
    columns:
      user_id: user
      content_id: item
      event_type: { value: seek }
      event_at: at
      position_seconds: user
"""
    log = load(mapping, log__csv=csv_of("2024-01-01"))
    assert log.values("events", "position_seconds") == ["", "0.0"]
    assert "ended_at" not in log.rows("events")[0]


OPTIONAL = cases("""
position_seconds: x | 1.5 | 1.5
position_seconds: { column: x, unit: milliseconds } | 1500 | 1.5
position_seconds: { column: x, unit: minutes } | -1 | -60.0
playback_rate: x | 1.25 | 1.25
playback_rate: x | 0 | 0.0
player_id: x | 007 | 007
sequence_number: x | 9223372036854775807 | 9223372036854775807
sequence_number: x | -7 | -7
sequence_number: x | 7.0 | 7
received_at: { column: x, unit: seconds } | 1704067200 | 2024-01-01 00:00:00
ended_at: x | 2023-12-31 | 2023-12-31 00:00:00
ended_at: { column: x, after: event_at } | 0 | 2024-01-01 09:00:00
ended_at: { value: 90, after: event_at } |  | 2024-01-01 09:01:30
""")


@pytest.mark.parametrize(
    ("column", "theirs", "ours"),
    [
        *OPTIONAL,
        ("playback_rate: x", "", ""),
        (
            "ended_at: { column: x, zone: Europe/Paris }",
            "2024-01-01 01:00:00",
            "2024-01-01 00:00:00",
        ),
        ("ended_at: x", "", ""),
        (
            "ended_at: { column: x, unit: milliseconds, after: event_at }",
            "1500.5",
            "2024-01-01 09:00:01.5005",
        ),
        (
            "ended_at: { column: x, after: event_at, unit: hours }",
            "-10",
            "2023-12-31 23:00:00",
        ),
        ("ended_at: { column: x, after: event_at }", "", ""),
        (
            "received_at: { column: x, unit: minutes, before: event_at }",
            "60",
            "2024-01-01 08:00:00",
        ),
    ],
)
def test_optional_values_become_ours(load, column, theirs, ours):
    log = load(
        with_columns(column),
        log__csv=f"user,item,at,x\n1,film,2024-01-01 09:00:00,{theirs}\n",
    )
    assert log.values("events", column.split(":")[0]) == [ours]


@pytest.mark.parametrize(
    ("column", "theirs"),
    [
        ("position_seconds: x", "inf"),
        ("position_seconds: x", "1:30"),
        ("playback_rate: x", "1.5x"),
        ("playback_rate: x", "nan"),
        ("sequence_number: x", "1.5"),
        ("sequence_number: x", "1e3"),
        ("sequence_number: x", "9223372036854775808"),
        ("received_at: x", "soon"),
        ("ended_at: { column: x, after: event_at }", "long"),
        ("ended_at: { column: x, after: event_at }", "nan"),
        ("ended_at: { column: x, after: event_at }", "1e300"),
        ("ended_at: { column: x, after: event_at }", "-99999999999"),
    ],
)
def test_unreadable_optional_values_are_kept_apart(load, column, theirs):
    name = column.split(":")[0]
    good = "2024-01-02" if name == "received_at" else "1"
    log = load(
        with_columns(column),
        log__csv=f"user,item,at,x\n1,a,2024-01-01,{theirs}\n"
        f"2,a,2024-01-01,{good}\n",
    )
    assert log.values("events", "user_id") == ["2"]
    (row,) = log.rows("rejected_rows")
    assert row["detail"] == f"{name}: {theirs}"


def test_a_log_of_ends_and_durations_has_starts(load):
    """As music histories are exported: `ts` is the end, in UTC."""
    record = {
        "ts": "2024-01-01T00:10:00Z",
        "ms_played": 90_500,
        "username": "u",
        "uri": "song",
    }
    mapping = """
name: log
events:
  files: log.json
  columns:
    user_id: username
    content_id: uri
    event_type: { value: play }
    ended_at: { column: ts, zone: America/New_York }
    event_at: { column: ms_played, unit: milliseconds, before: ended_at }
"""
    skipped = record | {"ms_played": 0}
    silent = record | {"ms_played": None}
    log = load(mapping, log__json=json.dumps([record, skipped, silent]))
    assert log.times == [
        "2024-01-01 00:08:29.5",
        "2024-01-01 00:10:00",
        "",
    ]
    assert set(log.values("events", "ended_at")) == {"2024-01-01 00:10:00"}


def test_a_duration_without_its_time_is_no_time(load):
    mapping = with_columns("ended_at: { column: x, after: event_at }")
    log = load(
        mapping,
        log__csv="user,item,at,x\n1,a,,5\n2,a,2024-01-01,5\n3,a,never,5\n",
    )
    assert log.values("events", "ended_at") == ["", "2024-01-01 00:00:05"]
    assert log.counts["events"]["rejected"] == {"unreadable_value": 1}
    assert log.rows("rejected_rows")[0]["detail"] == "event_at: never"


def test_a_play_may_cross_a_change_of_the_clocks(load):
    mapping = events("{ column: at, zone: America/New_York }")
    mapping += "    ended_at: { column: x, unit: hours, after: event_at }\n"
    log = load(mapping, log__csv="user,item,at,x\n1,a,2021-03-14 01:30:00,1\n")
    assert log.times == ["2021-03-14 06:30:00"]
    assert log.values("events", "ended_at") == ["2021-03-14 07:30:00"]


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


def test_a_digest_has_the_optional_columns_but_not_the_receipt(load):
    mapping = with_columns("position_seconds: x", "received_at: got")
    log = load(
        mapping,
        log__csv="user,item,at,x,got\n1,a,2024-01-01,1,2024-01-02\n"
        "1,a,2024-01-01,1,2024-01-03\n1,a,2024-01-01,2,2024-01-02\n",
    )
    first, again, moved = log.values("events", "event_id")
    assert first == again != moved


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
    assert (
        " ".join(log.values("events", "event_id"))
        == "a.csv:1 a.csv:2 b.csv:1 b.csv:2"
    )


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


@pytest.mark.parametrize(
    ("flag", "users", "titles"),
    [
        ("add_missing_from_events: true, ", 1, 1),
        ("add_missing_from_events: false, ", 0, 0),
        ("", 0, 1),
    ],
)
def test_titles_and_users_that_their_files_lack(load, flag, users, titles):
    mapping = (
        events()
        + f"""
users: {{ files: u.csv, {flag}columns: {{ user_id: id }} }}
content: {{ files: t.csv, {flag}columns: {{ content_id: id, title: id }} }}
"""
    )
    log = load(
        mapping,
        log__csv=csv_of("2024-01-01", "2024-01-02"),
        u__csv="id,x\n1,\n",
        t__csv="id,x\nother,\nother,\n",
    )
    assert log.values("users", "user_id") == ["1", "0"][: 1 + users]
    assert (
        log.values("content", "content_id")
        == ["other", "other", "film"][: 2 + titles]
    )
    assert log.values("content", "title")[2:] == [""] * titles
    assert log.counts["users"]["added"] == users
    assert log.counts["content"]["added"] == titles


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
