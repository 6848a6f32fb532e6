"""Landing: every raw row in Parquet, by the day on which it arrived."""

import re
from datetime import date

import duckdb
import pytest

import land
from warehouse import WarehouseError

TODAY = date(2026, 3, 1)
ROWS = [
    # Of a clock that never was set, of a receipt, of one after the landing.
    ("a", "1970-01-01 00:00:00", None),
    ("b", "2106-02-07 06:28:15", "2026-02-27 23:59:59"),
    ("c", "2026-02-27 10:00:00.000001", "2026-02-27 10:00:03"),
    ("d", "2026-02-28 10:00:00", "2099-01-01 00:00:00"),
]


@pytest.fixture
def loaded():
    with duckdb.connect() as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.events"
            " (event_id varchar, event_at timestamp, received_at timestamp)"
        )
        connection.executemany("insert into raw.events values (?, ?, ?)", ROWS)
        connection.execute("create table raw.users (user_id varchar, n bigint)")
        connection.execute(
            "create table raw.malformed_rows as select 'events' as table_name"
        )
        yield connection


def read(folder, table):
    return duckdb.sql(
        f"select * from read_parquet('{folder}/{table}/**/*.parquet')"
        " order by all"
    )


def test_every_row_lands_with_its_types(loaded, tmp_path):
    counts = land.land(loaded, tmp_path / "landed", TODAY)
    assert counts == {"events": 4, "malformed_rows": 1, "users": 0}
    found = read(tmp_path / "landed", "events")
    assert [str(kind) for kind in found.types[:3]] == [
        "VARCHAR",
        "TIMESTAMP",
        "TIMESTAMP",
    ]
    assert [row[:3] for row in found.fetchall()] == loaded.execute(
        "select * from raw.events order by all"
    ).fetchall()


def test_rows_lie_under_the_day_of_their_arrival(loaded, tmp_path):
    land.land(loaded, tmp_path / "landed", TODAY)
    found = {
        row[0]: row[3] for row in read(tmp_path / "landed", "events").fetchall()
    }
    assert found == {
        "a": TODAY,
        "b": date(2026, 2, 27),
        "c": date(2026, 2, 27),
        "d": TODAY,
    }
    days = sorted(path.name for path in (tmp_path / "landed/events").iterdir())
    assert days == ["arrived_date=2026-02-27", "arrived_date=2026-03-01"]


def test_an_empty_table_keeps_its_columns(loaded, tmp_path):
    land.land(loaded, tmp_path / "landed", TODAY)
    found = read(tmp_path / "landed", "users")
    assert found.columns[:2] == ["user_id", "n"]
    assert found.fetchall() == []


def test_landing_again_replaces_what_was_there(loaded, tmp_path):
    folder = tmp_path / "landed"
    land.land(loaded, folder, date(2026, 2, 1))
    loaded.execute("delete from raw.events where event_id <> 'a'")
    land.land(loaded, folder, TODAY)
    assert [row[0] for row in read(folder, "events").fetchall()] == ["a"]
    assert [path.name for path in tmp_path.iterdir()] == ["landed"]


def test_a_landing_that_fails_leaves_the_one_before(loaded, tmp_path):
    folder = tmp_path / "landed"
    land.land(loaded, folder, TODAY)
    before = read(folder, "events").fetchall()
    # Tables are written by name, and this one cannot be read.
    loaded.execute("create view raw.zones as select error('unreadable') as z")
    with pytest.raises(duckdb.Error, match="unreadable"):
        land.land(loaded, folder, TODAY)
    assert read(folder, "events").fetchall() == before
    assert [path.name for path in tmp_path.iterdir()] == ["landed"]


def test_nothing_loaded_is_refused(tmp_path):
    with (
        duckdb.connect() as connection,
        pytest.raises(WarehouseError, match="no raw file is loaded; run `dbt"),
    ):
        land.land(connection, tmp_path / "landed", TODAY)
    assert list(tmp_path.iterdir()) == []


def test_lines_that_were_set_apart_are_told(loaded, tmp_path):
    counts = land.land(loaded, tmp_path / "landed", TODAY)
    told = land.summary(tmp_path / "landed", counts)
    assert re.search(r"landed: 4 rows of 2 raw tables landed", told)
    assert "1 malformed line(s) set apart in malformed_rows" in told
    assert "malformed" not in land.summary(
        tmp_path / "landed", counts | {"malformed_rows": 0}
    )


def test_command_line_lands_a_built_log(
    build, script, log_of, tmp_path, monkeypatch
):
    monkeypatch.setenv("STREAMING_LANDED", "ignored by the call below")
    seeds = log_of(tmp_path / "log")
    build(seeds, tmp_path, select="resource_type:seed").close()
    done = script(
        "land.py",
        seeds,
        tmp_path,
        *("--warehouse", tmp_path / "warehouse.duckdb"),
        *("--out", tmp_path / "landed"),
    )
    assert done.returncode == 0, done.stderr
    count = len(list(seeds.glob("*.csv")))
    assert f"of {count} raw tables landed" in done.stdout
    done = script("land.py", seeds, tmp_path, "--warehouse", tmp_path / "no")
    assert done.returncode == 1
    assert done.stderr.startswith("land: no warehouse at ")
