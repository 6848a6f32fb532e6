"""Spark: what is sent to it, how its server starts, what is refused."""

import json
import os
import socket
import stat
import subprocess
import sys
import time

import pandas as pd
import pytest
from builds import ROOT

import spark_server
from spark_server import ServerError, Settings
from warehouse import WarehouseError, connect, default_address, is_file
from warehouse.frames import framed
from warehouse.spark_server import LAST_TABLE, SparkServer, literal

TYPES = {
    "effects": {"name": "varchar", "size": "integer", "estimate": "double"},
    LAST_TABLE: {"log_name": "varchar"},
}


class Cursor:
    """Answers as Spark would, and keeps what it is asked."""

    def __init__(self, answers=()):
        self.asked = []
        self.answers = {
            "select version(), current_timezone()": [("4.1.0 abc", "UTC")],
            **dict(answers),
        }

    def execute(self, query):
        self.asked.append(query)
        answer = self.answers.get(query, [])
        if isinstance(answer, Exception):
            raise answer

    def fetchall(self):
        return self.answers.get(self.asked[-1], [])

    @property
    def changing(self):
        """What changes a table, of all that is asked."""
        return [
            query
            for query in self.asked
            if query.startswith(("truncate", "insert"))
        ]


def described():
    return {
        f"describe table results.{table}": [(name, "?", None) for name in names]
        for table, names in TYPES.items()
    }


# --- the warehouse ------------------------------------------------------------


def test_engine_is_named_without_the_commit():
    server = SparkServer(Cursor())
    assert (server.engine_name, server.engine_version) == ("spark", "4.1.0")


def test_a_session_in_another_zone_is_refused():
    asked = "select version(), current_timezone()"
    cursor = Cursor({asked: [("4.1.0", "Europe/Berlin")]})
    with pytest.raises(WarehouseError, match="zone is Europe/Berlin; set it"):
        SparkServer(cursor)


def test_rows_are_read_in_a_total_order_with_their_types():
    query = (
        "select name, size, day from marts.m order by"
        " name asc nulls last, size asc nulls last, day asc nulls last"
    )
    cursor = Cursor({query: [("a", 1, "2026-01-05"), (None, None, None)]})
    frame = SparkServer(cursor).read(
        "marts.m", {"name": "varchar", "size": "integer", "day": "date"}
    )
    assert frame.dtypes.astype(str).to_dict() == {
        "name": "str",
        "size": "Int64",
        "day": "datetime64[us]",
    }
    assert frame["day"][0] == pd.Timestamp("2026-01-05")
    assert frame.iloc[1].isna().all()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("TABLE_OR_VIEW_NOT_FOUND: m", "no marts.m; run `dbt build`"),
        ("[UNRESOLVED_COLUMN] x", "marts.m lacks a column: .*x.*; run `dbt"),
        ("Connection reset", "cannot read marts.m: Connection reset"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_remedy(said, told):
    query = "select x from marts.m order by x asc nulls last"
    cursor = Cursor({query: RuntimeError(f"Database Error\n  {said}")})
    with pytest.raises(WarehouseError, match=told):
        SparkServer(cursor).read("marts.m", {"x": "varchar"})


def replace(cursor, rows_of):
    with SparkServer(cursor).replacing(TYPES) as fill:
        for table, types in TYPES.items():
            fill(table, framed(table, rows_of.get(table, []), types))


def test_results_are_whole_only_with_the_run_which_comes_last():
    cursor = Cursor(described())
    rows = [{"name": "a'b", "size": 1, "estimate": float("nan")}]
    replace(cursor, {"effects": rows, LAST_TABLE: [{"log_name": "demo"}]})
    assert cursor.changing == [
        f"truncate table results.{LAST_TABLE}",
        "truncate table results.effects",
        "insert into results.effects (name, size, estimate) values"
        " ('a\\'b', 1, null)",
        f"insert into results.{LAST_TABLE} (log_name) values ('demo')",
    ]


def fail(_):
    raise ValueError("a query fails")


def test_a_failure_puts_the_earlier_rows_back():
    earlier = {
        "effects": "select name, size, estimate from results.effects order by"
        " name asc nulls last, size asc nulls last, estimate asc nulls last",
        LAST_TABLE: f"select log_name from results.{LAST_TABLE} order by"
        " log_name asc nulls last",
    }
    cursor = Cursor(
        described()
        | {earlier["effects"]: [("old", 1, 0.5)], earlier[LAST_TABLE]: [("x",)]}
    )
    rows = [{"name": "new", "size": 2, "estimate": 1.5}]
    frame = framed("effects", rows, TYPES["effects"])
    with (
        pytest.raises(ValueError, match="a query fails"),
        SparkServer(cursor).replacing(TYPES) as fill,
    ):
        fail(fill("effects", frame))
    emptied = [
        f"truncate table results.{LAST_TABLE}",
        "truncate table results.effects",
    ]
    into = "insert into results.effects (name, size, estimate) values"
    assert cursor.changing == [
        *emptied,
        f"{into} ('new', 2, double('1.5'))",
        *emptied,
        f"{into} ('old', 1, double('0.5'))",
        f"insert into results.{LAST_TABLE} (log_name) values ('x')",
    ]


def test_a_query_is_read_as_a_table():
    query = "select * from (\nselect 1 as value\n) as estimate limit 2"
    cursor = Cursor({query: [(1,)]})
    cursor.description = [("value", "int", None)]
    frame = SparkServer(cursor).query("select 1 as value;\n")
    assert frame.to_dict("records") == [{"value": 1}]
    failing = Cursor({query: RuntimeError("Database Error\n  [PARSE] no")})
    with pytest.raises(WarehouseError, match=r"^\[PARSE\] no$"):
        SparkServer(failing).query("select 1 as value")


def test_many_rows_are_several_inserts():
    cursor = Cursor(described())
    rows = [{"name": str(n), "size": n, "estimate": n / 7} for n in range(2500)]
    replace(cursor, {"effects": rows})
    inserts = [query for query in cursor.asked if query.startswith("insert")]
    assert len(inserts) == 3
    assert sum(query.count("double('") for query in inserts) == 2500
    assert f"double('{2499 / 7!r}')" in inserts[-1]


def test_other_columns_are_refused_before_a_row_is_lost():
    cursor = Cursor(
        described() | {"describe table results.effects": [("old", "int", None)]}
    )
    with pytest.raises(WarehouseError, match=r"effects .*extra old; run `dbt"):
        replace(cursor, {})
    assert not [query for query in cursor.asked if "truncate" in query]


def test_a_result_table_that_dbt_did_not_make_names_the_remedy():
    asked = f"describe table results.{LAST_TABLE}"
    missing = RuntimeError("Database Error\n [TABLE_OR_VIEW_NOT_FOUND] no")
    cursor = Cursor(described() | {asked: missing})
    message = f"no results.{LAST_TABLE}; run `d"
    with pytest.raises(WarehouseError, match=message):
        replace(cursor, {})


def test_literals_are_exact():
    assert literal(0.1 + 0.2, "double") == "double('0.30000000000000004')"
    assert literal(float("-inf"), "double") == "double('-Infinity')"
    assert literal("a\\n'b'\n", "varchar") == "'a\\\\n\\'b\\'\n'"
    for missing in (pd.NA, float("nan"), None, pd.NaT):
        assert literal(missing, "varchar") == "null"
    assert literal(2**62, "bigint") == str(2**62)
    assert literal(pd.Timestamp("2026-01-05 01:02:03.000004"), "timestamp") == (
        "timestamp'2026-01-05 01:02:03.000004'"
    )


def test_address_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("STREAMING_TARGET", "spark")
    assert default_address() == "target:spark"
    assert not is_file(default_address())
    monkeypatch.setenv("STREAMING_TARGET", "duckdb")
    monkeypatch.delenv("STREAMING_WAREHOUSE", raising=False)
    assert default_address() == "target/streaming_engagement.duckdb"


def refuses(address, message):
    with pytest.raises(WarehouseError, match=message), connect(address):
        pass


def test_a_target_that_is_not_there_is_named():
    refuses("target:moon", r"target moon of profiles\.yml")


def test_a_target_of_duckdb_is_its_file(monkeypatch, tmp_path):
    monkeypatch.setenv("STREAMING_WAREHOUSE", str(tmp_path / "none.duckdb"))
    refuses("target:duckdb", r"none\.duckdb; run `make build`")


def test_a_spark_that_does_not_answer_is_named(monkeypatch):
    pytest.importorskip("dbt.adapters.spark", reason="no dbt-spark installed")
    port = spark_server.free_port()
    monkeypatch.setenv("SPARK_PORT", str(port))
    refuses("target:spark", f"no Spark answers at 127.0.0.1:{port}")


# --- the server ---------------------------------------------------------------


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path / "spark", 0, "local[2]", "1g")


def program(folder, name, text):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """Puts a program in the place of spark-submit, and a Java beside it."""

    def put(submit):
        home = tmp_path / "pyspark"
        program(home / "bin", "spark-submit", f"#!{sys.executable}\n{submit}")
        monkeypatch.setattr(spark_server, "spark_home", lambda: home)
        monkeypatch.setattr(spark_server, "java", lambda: sys.executable)

    return put


LISTENS = """
import socket, sys, time
port = int(sys.argv[-1].rsplit("=", 1)[1])
door = socket.create_server(("127.0.0.1", port))
time.sleep(60)
"""


def test_server_starts_answers_and_stops(settings, stand_in):
    stand_in(LISTENS)
    port = spark_server.start(settings)
    assert spark_server.answers(port)
    with pytest.raises(ServerError, match=f"runs already, .*port {port}"):
        spark_server.start(settings)
    record = json.loads(settings.state_file.read_text())
    assert record["port"] == port
    assert spark_server.stop(settings)
    assert not spark_server.answers(port)
    assert not spark_server.is_alive(record["pid"])
    assert not spark_server.stop(settings)


def test_what_a_killed_server_was_writing_is_removed(settings, stand_in):
    stand_in(LISTENS)
    table = settings.folder / "warehouse/marts.db/fct_plays"
    (table / "_temporary/0").mkdir(parents=True)
    (table / "part-0.parquet").touch()
    spark_server.start(settings)
    spark_server.stop(settings)
    assert [path.name for path in table.iterdir()] == ["part-0.parquet"]


def test_a_server_that_dies_is_told_with_its_log(settings, stand_in):
    stand_in("print('no heap')")
    with pytest.raises(
        ServerError, match=r"ended while it started.*server\.lo"
    ):
        spark_server.start(settings)
    assert settings.log_file.read_text() == "no heap\n"
    assert not settings.state_file.exists()


def test_a_server_that_is_silent_is_stopped(settings, stand_in, monkeypatch):
    stand_in("import time; time.sleep(60)")
    monkeypatch.setattr(spark_server, "START_SECONDS", 0.5)
    began = time.monotonic()
    with pytest.raises(ServerError, match="does not answer"):
        spark_server.start(settings)
    assert time.monotonic() - began < 20
    assert not settings.state_file.exists()


def test_a_port_that_is_taken_is_named(tmp_path, stand_in):
    stand_in(LISTENS)
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        taken = Settings(tmp_path / "spark", port, "local[2]", "1g")
        with pytest.raises(ServerError, match=f"port {port} .*set SPARK_PORT"):
            spark_server.start(taken)


def test_no_java_and_an_old_one_name_the_remedy(monkeypatch, tmp_path):
    def java(version):
        text = f'#!/bin/sh\necho "version \\"{version}\\"" >&2'
        return program(tmp_path / "bin", "java", text)

    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    message = r"no java found; install Java 17 .*ap"
    with pytest.raises(ServerError, match=message):
        spark_server.java()
    java("11.0")
    with pytest.raises(ServerError, match="is not Java 17 or newer; install"):
        spark_server.java()
    path = java("21.0")
    assert spark_server.java() == str(path)


def test_server_listens_on_loopback_alone_and_writes_to_its_folder(
    settings, stand_in
):
    stand_in("")
    words = spark_server.command(settings, 10_001)
    folder = str(settings.folder.resolve())
    assert "hive.server2.thrift.bind.host=127.0.0.1" in words
    assert f"spark.sql.warehouse.dir={folder}/warehouse" in words
    assert any(f"databaseName={folder}/catalogue" in word for word in words)
    assert any(f"-Dderby.system.home={folder}" in word for word in words)


def test_command_line_names_what_is_missing(tmp_path):
    done = subprocess.run(
        [sys.executable, "scripts/spark_server.py", "check"],
        cwd=ROOT,
        env=os.environ | {"JAVA_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("spark_server: no java found")
