"""Comparing engines: what comes over from Spark, and what is told of it."""

from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal

import duckdb
import pytest

import compare_engines
from compare_engines import Proof, ProofError, loaded_logs, run, summary
from comparison.sources import working_connection
from comparison.spark import SparkSource
from warehouse.spark_server import SparkServer

KINDS = {
    "name": "string",
    "size": "int",
    "total": "decimal(38,0)",
    "share": "double",
    "is_on": "boolean",
    "day": "date",
    "seen_at": "timestamp",
}
ROWS = [
    (
        *("a, 'b'", 7, Decimal(10**30), 0.1 + 0.2, True, "2026-01-05"),
        datetime(2026, 1, 5, 10, 0, 0, 1),
    ),
    ("", None, None, float("inf"), False, None, None),
    (None, 0, Decimal(0), None, None, "1970-01-01", datetime(1970, 1, 1)),
    ("nan", 1, Decimal(-1), float("nan"), True, "2106-02-07", None),
]


class Cursor:
    """Answers as PyHive's cursor would."""

    def __init__(self, answers):
        self.answers = answers
        self._cursor = self
        self.left = []

    def execute(self, query):
        assert query in self.answers, query
        self.left = list(self.answers[query])

    def fetchall(self):
        rows, self.left = self.left, []
        return rows

    def fetchmany(self, count):
        rows, self.left = self.left[:count], self.left[count:]
        return rows


def spark(monkeypatch, *details, rows=ROWS):
    """A source of one relation, `marts.m`."""
    columns = ", ".join(f"`{name}`" for name in KINDS)
    answers = {
        "select version(), current_timezone()": [("4.1.0 x", "UTC")],
        "show schemas": [("marts",), ("default",)],
        "show tables in `marts`": [("marts", "m", False)],
        "describe table extended `marts`.`m`": [
            *((name, kind, None) for name, kind in KINDS.items()),
            ("", "", ""),
            ("# Detailed Table Information", "", ""),
            *((*detail, "") for detail in details),
        ],
        f"select {columns} from `marts`.`m`": rows,
    }

    @contextmanager
    def opened():
        yield SparkServer(Cursor(answers))

    source = SparkSource("spark")
    monkeypatch.setattr(source, "_opened", opened)
    return source


def brought(source):
    source.relations(["marts", "results"])
    with working_connection("1GB") as connection:
        found = source.bring(connection, "marts", "m")
        return connection.execute(f"select * from {found}").fetchall()


def test_columns_are_described_in_the_words_of_duckdb(monkeypatch):
    source = spark(monkeypatch, ("Type", "VIEW"))
    assert source.schemas() == {"marts", "default"}
    assert source.relations(["marts", "results"]) == {
        ("marts", "m"): {
            "name": "VARCHAR",
            "size": "INTEGER",
            "total": "DECIMAL(38,0)",
            "share": "DOUBLE",
            "is_on": "BOOLEAN",
            "day": "DATE",
            "seen_at": "TIMESTAMP",
        }
    }


def test_a_view_comes_through_the_connection_value_by_value(monkeypatch):
    monkeypatch.setattr("comparison.spark.ROWS_AT_ONCE", 3)
    rows = brought(spark(monkeypatch, ("Type", "VIEW")))
    assert [str(row) for row in rows] == [
        str((*row[:5], row[5] and date.fromisoformat(row[5]), row[6]))
        for row in ROWS
    ]


def test_files_on_this_machine_are_read_where_they_are(monkeypatch, tmp_path):
    folder = tmp_path / "a table"
    folder.mkdir()
    select = "select 'here' as name"
    duckdb.sql(f"copy ({select}) to '{folder}/part-0.parquet'")
    (folder / "_SUCCESS").touch()
    place = ("Location", folder.as_uri().replace("///", "/"))
    parquet = ("Provider", "parquet")
    assert brought(spark(monkeypatch, place, parquet)) == [("here",)]
    # Files of another format, and those of another machine, are not.
    assert len(brought(spark(monkeypatch, place, ("Provider", "delta")))) == 4
    away = ("Location", "s3a://bucket/m")
    assert len(brought(spark(monkeypatch, away, parquet))) == 4


def test_a_table_without_files_is_empty(monkeypatch, tmp_path):
    place = ("Location", tmp_path.as_uri())
    assert brought(spark(monkeypatch, place, ("Provider", "parquet"))) == []


def test_a_driver_without_batches_fetches_all(monkeypatch):
    monkeypatch.delattr(Cursor, "fetchmany")
    assert len(brought(spark(monkeypatch, ("Type", "VIEW")))) == 4


def test_no_rows_are_no_rows(monkeypatch):
    monkeypatch.delattr(Cursor, "fetchmany")
    assert brought(spark(monkeypatch, ("Type", "VIEW"), rows=[])) == []


# --- the command --------------------------------------------------------------


def proof(tmp_path, equal=3):
    return Proof(
        "demo",
        tmp_path / "seeds",
        tmp_path / "demo",
        {"duckdb": {"build": 2.0}, "spark": {"land": 0.5, "build": 30.25}},
        {
            "relations_equal": equal,
            "relations": 3,
            "columns_compared": 1_234,
            "rows": 50,
            "largest_relative_difference": 2.5e-15,
        },
    )


def test_summary_ends_with_how_many_relations_are_equal(tmp_path):
    text = summary([proof(tmp_path), proof(tmp_path, equal=2)])
    assert text.splitlines()[-1] == "5 of 6 relations equal"
    assert "1,234" in text
    assert "2.5e-15" in text
    [duckdb_line, spark_line] = [
        line.split() for line in text.splitlines() if "demo, " in line
    ][:2]
    assert duckdb_line == ["demo,", "duckdb", "-", "2.0"]
    assert spark_line == ["demo,", "spark", "0.5", "30.2"]


def test_each_engine_has_its_place(tmp_path):
    where = {"SPARK_PORT": "10001"}
    found = {
        engine: proof(tmp_path).environment(engine, where)
        for engine in compare_engines.ENGINES
    }
    assert found["spark"]["STREAMING_TARGET"] == "spark"
    assert found["spark"]["SPARK_PORT"] == "10001"
    assert (
        found["spark"]["DBT_TARGET_PATH"] != found["duckdb"]["DBT_TARGET_PATH"]
    )
    assert found["spark"]["STREAMING_LANDED"] == str(tmp_path / "demo/landed")


def test_a_step_that_fails_is_told_with_its_last_words(tmp_path):
    env = {"DBT_TARGET_PATH": str(tmp_path), "PATH": "/bin:/usr/bin"}
    assert run("fine", ["true"], env) >= 0
    with pytest.raises(
        ProofError, match=r"a step failed; .*step\.log reads:\n"
    ):
        run("a step", ["sh", "-c", "echo first; echo why; exit 3"], env)
    assert (tmp_path / "step.log").read_text() == "first\nwhy\n"


def test_a_log_that_is_not_loaded_is_refused():
    with pytest.raises(ProofError, match="no log nowhere in logs/; load it"):
        loaded_logs(["nowhere"])
