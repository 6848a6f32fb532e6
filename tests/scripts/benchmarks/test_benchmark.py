"""The benchmark: its baselines hold what they say, and its table is right."""

import json
import shutil
import sys

import duckdb
import pytest
from cases import listed

import check_workplace
import generate_seeds
from benchmark import BENCHMARKS, main
from benchmarks import growth
from benchmarks.bench import PROJECT, Bench, BenchmarkError, timed
from benchmarks.building import (
    bare_plan,
    run_bare,
    seed_sql,
    table_rows,
    without_swap,
)
from benchmarks.events import WINDOW_COUNT, floor_sql, run_floor, table_bytes
from benchmarks.reading import copy_readable, execute_seconds
from benchmarks.timing import Comparison, interleaved, table
from raw.files import TABLES

SETTINGS = {"TimeZone": "UTC", "preserve_insertion_order": False}
PLAYS = (
    "play_id,watched_seconds,played_at\n"
    "p1,31.5,2026-01-05 10:00:00\n"
    "p2,,2026-01-05 11:00:00\n"
    "p3,12,2026-02-30 25:61:00\n"
    '"p,4",7,2026-01-06 00:00:00\n'
    "p5,8\n"
)
TYPES = {
    "play_id": "varchar",
    "watched_seconds": "double",
    "played_at": "timestamp",
}
# As dbt leaves it in target/run for a table under contract, a view and a test.
RUN = {
    "run/fct_plays.sql": """
        create  table "streaming_engagement"."marts"."fct_plays__dbt_tmp"
        (play_id varchar, watched_seconds double)
        ;
        insert into "streaming_engagement"."marts"."fct_plays__dbt_tmp"
        (play_id, watched_seconds)
        (select play_id, watched_seconds
         from "streaming_engagement"."staging"."stg_plays")
        ;
    """,
    "run/stg_plays.sql": """
        create view "streaming_engagement"."staging"."stg_plays__dbt_tmp" as (
            select * from "streaming_engagement"."raw"."plays"
        );
    """,
    "run/plays_are_few.sql": """
        select count(*) as failures
        from (select 1 from "streaming_engagement"."marts"."fct_plays")
    """,
}


def node(kind, name, schema, parents=()):
    return {
        "resource_type": kind,
        "name": name,
        "database": "streaming_engagement",
        "schema": schema,
        "relation_name": f'"streaming_engagement"."{schema}"."{name}"',
        "original_file_path": f"seeds/{name}.csv",
        "build_path": None if kind == "seed" else f"run/{name}.sql",
        "columns": {},
        "depends_on": {"nodes": list(parents)},
    }


@pytest.fixture
def manifest():
    words = ("table_name", "file_name", "reason_name", "reason_text")
    columns = dict.fromkeys((*words, "line_text"), "varchar")
    columns["line_number"] = "bigint"
    seed = node("seed", "plays", "raw")
    seed["columns"] = {
        name: {"data_type": kind} for name, kind in TYPES.items()
    }
    return {
        "nodes": {
            # Children first: only the dependencies may decide the order.
            "test.plays_are_few": node(
                "test", "plays_are_few", "audit", ["model.fct_plays"]
            ),
            "model.fct_plays": node(
                "model", "fct_plays", "marts", ["model.stg_plays"]
            ),
            "model.stg_plays": node(
                "model", "stg_plays", "staging", ["seed.plays", "source.other"]
            ),
            "seed.plays": seed,
            "operation.hook": node("operation", "hook", "main"),
        },
        "sources": {
            "source.malformed_rows": node("source", "malformed_rows", "raw")
            | {
                "config": {"meta": {"created_here": True}},
                "columns": {
                    name: {"name": name, "data_type": kind}
                    for name, kind in columns.items()
                },
            },
            "source.other": node("source", "other", "elsewhere")
            | {"config": {"meta": {}}},
        },
    }


@pytest.fixture
def plan(manifest, tmp_path):
    path = tmp_path / "plays.csv"
    path.write_text(PLAYS, encoding="utf-8")
    return bare_plan(
        manifest, RUN.__getitem__, lambda one: seed_sql(one, list(TYPES), path)
    )


def test_holds_every_seed_model_and_data_test_and_nothing_else(plan):
    assert set(plan.statements) == listed(
        "seed.plays model.stg_plays model.fct_plays test.plays_are_few"
    )
    assert plan.parents["model.stg_plays"] == {"seed.plays"}
    assert plan.setup[:3] == [
        'create schema "marts"',
        'create schema "raw"',
        'create schema "staging"',
    ]


def test_writes_every_relation_under_its_own_name(plan):
    assert not any("__dbt_tmp" in sql for sql in plan.statements.values())
    assert without_swap('"a__dbt_tmp", "a__dbt_tmpl"') == '"a", "a__dbt_tmpl"'


@pytest.mark.parametrize("threads", [1, 2])
def test_runs_without_dbt_from_seed_to_test(plan, tmp_path, threads):
    database = tmp_path / "streaming_engagement.duckdb"
    for _ in range(2):
        seconds = run_bare(plan, database, settings=SETTINGS, threads=threads)
        assert seconds > 0
    assert table_rows(database) == {
        "marts.fct_plays": 3,
        "raw.malformed_rows": 2,
        "raw.plays": 3,
    }
    with duckdb.connect(str(database)) as connection:
        rows = connection.execute(
            "select line_number, reason_name from raw.malformed_rows order by 1"
        ).fetchall()
    assert rows == [(4, "cast"), (6, "missing columns")]


def test_stops_at_the_first_failing_node(manifest, tmp_path):
    plan = bare_plan(manifest, RUN.__getitem__, lambda _: "select nothing")
    with pytest.raises(duckdb.Error, match="nothing"):
        run_bare(
            plan,
            tmp_path / "streaming_engagement.duckdb",
            settings=SETTINGS,
            threads=2,
        )


def test_refuses_a_node_that_dbt_did_not_run(manifest):
    manifest["nodes"]["model.fct_plays"]["build_path"] = None
    with pytest.raises(BenchmarkError, match=r"model\.fct_plays"):
        bare_plan(manifest, RUN.__getitem__, lambda _: "")


EVENTS = (
    "event_id,user_id,content_id,event_type,event_at,device_type\n"
    "e1,u1,c1,play,2026-01-05 10:00:00,tv\n"
    "e2,u1,,pause,2026-01-05 09:00:00,tv\n"
    "e3,u2,c1,play,2026-01-05 10:00:00,phone\n"
    "e4,u9,c1,play,2026-02-30 25:61:00,phone\n"
)
EVENT_TYPES = dict.fromkeys(EVENTS.splitlines()[0].split(","), "varchar")


def test_the_floor_keeps_every_event_that_can_be_read(tmp_path):
    for name, text in {
        "events": EVENTS,
        "users": "user_id\nu1\nu2\n",
        "content": "content_id\nc1\n",
    }.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    types = EVENT_TYPES | {"event_at": "timestamp"}
    database = tmp_path / "floor.duckdb"
    for _ in range(2):
        assert run_floor(tmp_path, types, database, SETTINGS) > 0
    with duckdb.connect(str(database)) as connection:
        rows = connection.execute(
            "select user_key, event_number, content_key, event_type_key,"
            " device_type_key from events order by all"
        ).fetchall()
        assert list(table_bytes(connection)) == ["main.events"]
    assert rows == [(1, 1, None, 1, 2), (1, 2, 1, 2, 2), (2, 1, 1, 2, 1)]


def test_each_window_of_the_floor_needs_the_one_before(tmp_path):
    sql = floor_sql(tmp_path, EVENT_TYPES)
    assert sql.count(" over (") == WINDOW_COUNT + 1 + 4
    for number in range(1, WINDOW_COUNT):
        assert f"from pass_{number}\n" in sql


def test_weighs_tables_by_their_blocks(tmp_path):
    with duckdb.connect(str(tmp_path / "any.duckdb")) as connection:
        connection.execute("create table small as select 1 as one")
        connection.execute(
            "create table large as select hash(range) as number"
            " from range(200_000)"
        )
        connection.execute("checkpoint")
        sizes = table_bytes(connection)
    assert list(sizes) == ["main.large", "main.small"]
    assert sizes["main.large"] >= 200_000 * 8 > sizes["main.small"] > 0


def test_copies_what_both_readers_can_read(tmp_path):
    source, copy = tmp_path / "plays.csv", tmp_path / "copy.csv"
    source.write_text(PLAYS, encoding="utf-8")
    assert copy_readable(source, copy, TYPES, None) == 3
    lines = copy.read_text(encoding="utf-8").splitlines()
    assert lines[0] == PLAYS.splitlines()[0]
    assert lines[1:3] == [
        "p1,31.5,2026-01-05 10:00:00",
        "p2,,2026-01-05 11:00:00",
    ]
    assert copy_readable(source, copy, TYPES, 1) == 1


def test_takes_the_time_that_dbt_spent_executing():
    def span(name, start, end):
        day = "2026-01-05T10:00"
        return {
            "name": name,
            "started_at": f"{day}:{start}Z",
            "completed_at": f"{day}:{end}Z",
        }

    timing = [span("compile", "00", "05"), span("execute", "05", "07.25")]
    results = {"results": [{"unique_id": "seed.p.events", "timing": timing}]}
    assert execute_seconds(results, "seed.") == pytest.approx(2.25)
    with pytest.raises(BenchmarkError, match="model"):
        execute_seconds(results, "model.")


def test_says_how_a_command_failed():
    command = [sys.executable, "-c", "raise SystemExit('no such thing')"]
    with pytest.raises(BenchmarkError, match="failed with no such thing"):
        timed(command)


def test_lets_contenders_take_turns():
    turns = []
    contenders = {
        name: lambda name=name: turns.append(name) or 1.0 for name in "ab"
    }
    assert interleaved(contenders, 2) == {"a": [1.0, 1.0], "b": [1.0, 1.0]}
    assert turns == ["a", "b", "a", "b"]
    with pytest.raises(ValueError, match="runs must be at least 1, got 0"):
        interleaved(contenders, 0)


@pytest.mark.parametrize(
    ("is_speedup", "target", "ratio", "verdict"),
    [
        (True, 5, 5.0, "met"),
        (True, 5.1, 5.0, "MISSED"),
        (False, 0.2, 0.2, "met"),
        (False, 0.1, 0.2, "MISSED"),
        (False, None, 0.2, "-"),
    ],
)
def test_judges_the_ratio_of_the_medians(is_speedup, target, ratio, verdict):
    one = Comparison(
        name="reading",
        measured=[1.0, 2.0, 9.0],
        baseline=[20.0, 10.0, 9.0],
        describes="",
        is_speedup=is_speedup,
        target=target,
        parts={},
    )
    assert one.ratio == pytest.approx(ratio)
    assert one.verdict == verdict
    assert one.as_record()["measured"] == [1.0, 2.0, 9.0]
    first, second = table([one]).splitlines()[1:]
    assert "2.00 s" in first
    assert "10.0 s" in first
    assert verdict.strip("-") in first
    assert "1.00 s-9.00 s" in second


def test_shows_what_are_no_seconds_with_its_unit():
    one = Comparison(
        name="footprint",
        measured=[5_000.0],
        baseline=[50],
        describes="",
        is_speedup=False,
        target=80,
        units=("B", "events", "B an event"),
    )
    assert one.verdict == "MISSED"
    shown = table([one])
    assert "5,000 B" in shown
    assert "50.0 events" in shown
    assert "100 B an event" in shown


@pytest.fixture
def seeds(tmp_path):
    folder = tmp_path / "seeds"
    folder.mkdir()
    for name in check_workplace.RAW_FILES:
        (folder / f"{name}.csv").write_text("id\n", encoding="utf-8")
    return folder


def test_prints_the_table_and_leaves_one_file(
    seeds, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("benchmarks.commands.SMALL_SCALE", 0.02)
    out = tmp_path / "new" / "benchmark.json"
    main(
        [
            *("--runs", "1", "--only", "generate", "experiment_tests"),
            *("--seeds", str(seeds), "--out", str(out)),
        ]
    )
    printed = capsys.readouterr()
    assert "1 runs, taking turns" in printed.out
    assert "experiment_tests" in printed.out
    assert "x faster" in printed.out
    assert "run 1 of 1" in printed.err
    record = json.loads(out.read_text(encoding="utf-8"))
    assert [one["name"] for one in record["benchmarks"]] == [
        "experiment_tests",
        "generate",
    ]
    assert list(out.parent.iterdir()) == [out]


def test_says_in_one_line_that_there_are_no_data(tmp_path):
    out = tmp_path / "benchmark.json"
    with pytest.raises(SystemExit) as stopped:
        main(["--seeds", str(tmp_path), "--out", str(out)])
    message = str(stopped.value)
    assert message.startswith("benchmark: ")
    assert "make data" in message
    assert "\n" not in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--runs", "0"],
        ["--only", "everything"],
        ["--scale", "0.5"],
        ["--only", "scale"],
    ],
)
def test_refuses_impossible_options(arguments, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert arguments[1] in capsys.readouterr().err


@pytest.mark.slow
def test_measures_everything_on_a_small_log(tmp_path, capsys):
    seeds = tmp_path / "seeds"
    generate_seeds.main(
        ["--users", "2000", "--panel", "200", "--out", str(seeds)]
    )
    for path in (PROJECT / "seeds").glob("*.csv"):
        if path.stem not in TABLES:
            shutil.copy(path, seeds)
    out = tmp_path / "benchmark.json"
    main(["--runs", "1", "--seeds", str(seeds), "--out", str(out)])
    printed = capsys.readouterr().out
    assert all(
        f"\n{name} " in printed for name in BENCHMARKS if name != "scale"
    )
    assert {path.name for path in tmp_path.iterdir()} == {
        "seeds",
        "benchmark.json",
    }


@pytest.mark.slow
def test_says_what_a_log_of_any_size_takes(tmp_path):
    found = growth.built(Bench(PROJECT / "seeds", tmp_path, 1), 0.02)
    assert 50_000 < found.events < 150_000
    assert found.file < found.peak_disk
    assert found.peak_memory > 100_000_000
    assert found.cpu_seconds > 1
    assert f"{found.events:,} events: " in found.described()
    assert not (tmp_path / "scale-0.02").exists()
