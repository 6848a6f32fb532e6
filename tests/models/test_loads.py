"""A log that was loaded bit by bit is read like one that was loaded whole."""

import duckdb
import pytest

from load_logs import load_log
from mapping.loads import Wish

MAPPING = """
name: log
events:
  files: "*/events.csv"
  columns:
    user_id: user
    content_id: item
    event_type: { column: kind, map: { p: play, a: pause } }
    event_at: at
    position_seconds: position
users:
  columns:
    platform: device
"""
DAYS = {
    "2026-01-05": "a,x,p,2026-01-05 10:00:00,ios,\n"
    "a,x,a,2026-01-05 10:20:00,ios,1200\n"
    "b,x,p,2026-01-05 11:00:00,,\n",
    "2026-01-06": "a,y,p,2026-01-06 10:00:00,tv,\n"
    # Two days late, and of a session of the day before.
    "a,x,p,2026-01-05 10:25:00,web,1200\n"
    "c,y,p,2026-01-06 12:00:00,tv,much\n",
    "2026-01-07": "b,y,p,2026-01-04 23:50:00,web,30\n"
    "c,y,p,2026-01-07 12:00:00,tv,\n",
}
TABLES = ("users", "content", "events")


@pytest.fixture
def days(tmp_path):
    (tmp_path / "mapping.yml").write_text(MAPPING)
    for day, lines in DAYS.items():
        folder = tmp_path / "in" / day
        folder.mkdir(parents=True)
        header = "user,item,kind,at,device,position\n"
        (folder / "events.csv").write_text(header + lines)
    return tmp_path


def test_raw_tables_do_not_know_how_their_log_was_loaded(days, dbt):
    mapping, hidden = days / "mapping.yml", days / "hidden"
    (days / "in").rename(hidden)
    (days / "in").mkdir()
    for day in sorted(DAYS, reverse=True):
        (hidden / day).rename(days / "in" / day)
        load_log(mapping, days / "in", days / "added", force=False, wish=Wish())
    load_log(mapping, days / "in", days / "whole", force=False)

    found = {}
    for name in ("whole", "added"):
        folder = days / f"{name}-built"
        folder.mkdir()
        done = dbt(days / name, folder, "seed", "--select", *TABLES)
        assert done.returncode == 0, done.stdout[-3000:]
        with duckdb.connect(
            folder / "warehouse.duckdb", read_only=True
        ) as connection:
            found[name] = {
                table: connection.sql(
                    f"select * exclude (load_number) from raw.{table}"
                    " order by all"
                ).fetchall()
                for table in TABLES
            }
            loads = connection.sql(
                "select load_number, count(*) from raw.events group by 1"
                " order by 1"
            ).fetchall()
    assert found["added"] == found["whole"]
    assert len(found["added"]["events"]) == 7
    assert loads == [(1, 2), (2, 2), (3, 3)]
