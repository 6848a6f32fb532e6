"""The warehouse: clear refusals, total order, all or nothing."""

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml
from cases import listed
from holding import held

from warehouse import (
    WarehouseError,
    connect,
    default_file,
    read_mart,
    replace_results,
    replacing_results,
    result_tables,
    version_of,
)
from warehouse.frames import FRAME_TYPES, as_declared

TABLES = {
    "runs": {"name": "varchar", "size": "integer"},
    "effects": {"name": "varchar", "estimate": "double", "is_on": "boolean"},
}
SIZES = {"name": "varchar", "size": "integer"}
ROWS = {
    "runs": [{"name": "demo", "size": 1}],
    "effects": [
        {"name": "a", "estimate": float("nan"), "is_on": None},
        {"name": "b", "estimate": 0.5, "is_on": True},
    ],
}


@pytest.fixture
def definition(tmp_path):
    path = tmp_path / "results.yml"
    tables = [
        {
            "name": table,
            "columns": [
                {"name": name, "data_type": kind}
                for name, kind in columns.items()
            ],
        }
        for table, columns in TABLES.items()
    ]
    path.write_text(
        yaml.safe_dump({"sources": [{"name": "results", "tables": tables}]})
    )
    return path


@pytest.fixture
def warehouse(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.fct_sizes as"
            " select * from (values ('b', 2), (null, 1), ('a', 3), ('a', 1))"
            " as sizes (name, size)"
        )
    return path


def refuses(path, message):
    with pytest.raises(WarehouseError, match=message), connect(path):
        pass


def test_missing_file_names_it_and_is_not_created(tmp_path):
    path = tmp_path / "none.duckdb"
    refuses(path, r"none\.duckdb; run `make build`")
    assert not path.exists()


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "notes.duckdb"
    path.write_text("not a database, but long enough to be looked at" * 99)
    refuses(path, r"cannot open .* DuckDB file")


def test_a_locked_file_names_the_process(warehouse):
    with held(warehouse) as holder:
        refuses(warehouse, f"in use by process {holder.pid}; close it and run")


def test_file_comes_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("STREAMING_WAREHOUSE", str(tmp_path / "w.duckdb"))
    assert default_file() == tmp_path / "w.duckdb"
    monkeypatch.delenv("STREAMING_WAREHOUSE")
    assert str(default_file()) == "target/streaming_engagement.duckdb"


def test_rows_come_in_a_total_order(warehouse):
    with connect(warehouse) as file:
        frame = read_mart(file, "fct_sizes", SIZES)
    assert frame["size"].tolist() == [1, 3, 2, 1]
    assert frame["name"].tolist()[:3] == ["a", "a", "b"]


def test_missing_mart_and_column_name_the_remedy(warehouse):
    with connect(warehouse) as file:
        with pytest.raises(WarehouseError, match=r"marts\.fct_no; run `dbt bu"):
            read_mart(file, "fct_no", SIZES)
        with pytest.raises(WarehouseError, match=r"lacks a column.*\"colour\""):
            read_mart(file, "fct_sizes", {"colour": "varchar"})
        with pytest.raises(WarehouseError, match=r"declares no marts\.fct_siz"):
            read_mart(file, "fct_sizes")


def test_columns_have_their_declared_types_in_any_engine():
    """What a driver gives, dates as text or numbers as objects, is one type."""
    types = dict.fromkeys(FRAME_TYPES)
    given = {
        "varchar": ["a", "b"],
        "double": [0.5, 2],
        "integer": [1, 2],
        "bigint": [1, 2],
        "boolean": [True, False],
        "date": ["2026-01-05", "2026-01-06"],
        "timestamp": [
            pd.Timestamp("2026-01-05 10:00:00.000001"),
            pd.Timestamp("2026-01-05"),
        ],
    }
    types = {kind: kind for kind in FRAME_TYPES}
    typed = duckdb.sql(
        "select * from (values ('a', 0.5::double, 1, 1::bigint, true,"
        " date '2026-01-05', timestamp '2026-01-05 10:00:00.000001'),"
        " ('b', 2, 2, 2, false, date '2026-01-06', timestamp '2026-01-05'))"
        f" as given ({', '.join(FRAME_TYPES)})"
    ).df()
    for rows in ([0, 1], [0], []):
        objects = pd.DataFrame(given, dtype=object).iloc[rows]
        for holes in (False, True):
            driver, native = objects.copy(), typed.iloc[rows].copy()
            if holes and rows:
                driver.iloc[0] = None
                native = duckdb.sql(
                    "select "
                    + ", ".join(
                        f"case when varchar <> 'a' then {name} end as {name}"
                        for name in types
                    )
                    + " from native"
                ).df()
            pd.testing.assert_frame_equal(
                as_declared(driver.reset_index(drop=True), types),
                as_declared(native.reset_index(drop=True), types),
            )


def test_version_depends_on_rows_and_nothing_else():
    frames = {"a": pd.DataFrame({"x": [1, 2]}), "b": pd.DataFrame({"y": [0.1]})}
    same = dict(reversed(frames.items()))
    assert version_of(frames) == version_of(same)
    assert len(version_of(frames)) == 32
    for changed in (
        frames | {"a": pd.DataFrame({"x": [1, 3]})},
        frames | {"a": pd.DataFrame({"z": [1, 2]})},
        frames | {"b": pd.DataFrame({"y": [0.1 + 1e-16]}), "c": frames["a"]},
    ):
        assert version_of(changed) != version_of(frames)


def test_results_are_created_replaced_and_null_where_nan(warehouse, definition):
    with connect(warehouse, read_only=False) as file:
        for _ in range(2):
            replace_results(file, ROWS, definition)
            found = file.connection.execute(
                "select * from results.effects order by name"
            ).fetchall()
            assert found == [("a", None, None), ("b", 0.5, True)]
        replace_results(file, {"runs": [], "effects": []}, definition)
        for table in TABLES:
            rows = file.connection.execute(f"from results.{table}").fetchall()
            assert rows == []


def test_a_failure_leaves_every_table_as_it_was(warehouse, definition):
    broken = {
        "runs": [{"name": "next", "size": 2}],
        "effects": [{"name": "c", "estimate": "high", "is_on": True}],
    }
    with connect(warehouse, read_only=False) as file:
        replace_results(file, ROWS, definition)
        with pytest.raises(
            WarehouseError,
            match=r"effects\.estimate is declared double: .*high",
        ):
            replace_results(file, broken, definition)
        runs = file.connection.execute("from results.runs").fetchall()
        effects = file.connection.execute("from results.effects").fetchall()
    assert runs == [("demo", 1)]
    assert len(effects) == 2


def fill_and_fail(file, write, rows):
    write({"runs": rows})
    found = file.query("select size from results.runs;")
    assert found.to_dict("records") == [{"size": 2}]
    file.query("select 1 from results.moon")


def test_queries_see_what_is_written_and_a_failure_undoes_it(
    warehouse, definition
):
    new = [{"name": "next", "size": 2}]
    with connect(warehouse, read_only=False) as file:
        replace_results(file, ROWS, definition)
        with (
            pytest.raises(WarehouseError, match=r"Catalog Error: .*moon"),
            replacing_results(file, definition) as write,
        ):
            fill_and_fail(file, write, new)
        assert file.query("select name from results.runs")["name"][0] == "demo"
        with (
            pytest.raises(WarehouseError, match=r"computed .*missing effects"),
            replacing_results(file, definition) as write,
        ):
            write({"runs": new})
        assert file.query("select name from results.runs")["name"][0] == "demo"


def test_a_query_reads_the_warehouse_alone(warehouse, definition):
    with connect(warehouse, read_only=False) as file:
        with pytest.raises(WarehouseError, match=r"Permission Error"):
            file.query(f"select * from/**/read_text('{__file__}')")
        replace_results(file, ROWS, definition)
        assert file.query("select name from results.runs")["name"][0] == "demo"


def test_a_query_can_change_nothing(warehouse):
    with connect(warehouse, read_only=False) as file:
        for sql, message in (
            ("delete from marts.fct_sizes", "Parser Error"),
            (
                "select 1) as a; delete from marts.fct_sizes;"
                " select * from (select 2",
                "more than one query; keep one",
            ),
        ):
            with pytest.raises(WarehouseError, match=message):
                file.query(sql)
        assert len(read_mart(file, "fct_sizes", SIZES)) == 4


def test_a_null_where_none_may_be_is_refused(warehouse, definition):
    written = yaml.safe_load(definition.read_text())
    [runs, _] = written["sources"][0]["tables"]
    runs["columns"][1]["constraints"] = [{"type": "not_null"}]
    definition.write_text(yaml.safe_dump(written))
    rows = ROWS | {"runs": [{"name": "demo", "size": None}]}
    with connect(warehouse, read_only=False) as file:
        replace_results(file, ROWS, definition)
        with pytest.raises(
            WarehouseError, match=r"results\.runs\.size is declared never null"
        ):
            replace_results(file, rows, definition)
        found = file.connection.execute("from results.runs").fetchall()
    assert found == [("demo", 1)]


def test_thousands_of_rows_are_one_insert(warehouse, definition):
    effects = [
        {
            "name": f"{number:05}",
            "estimate": np.float64(number) if number > 2_000 else None,
            "is_on": None if number % 2 else np.bool_(True),
        }
        for number in range(20_000)
    ]
    with connect(warehouse, read_only=False) as file:
        replace_results(file, ROWS | {"effects": effects}, definition)
        [found] = file.connection.execute(
            "select count(*), count(estimate), sum(estimate), count(is_on)"
            " from results.effects"
        ).fetchall()
    assert found == (20_000, 17_999, sum(range(2_001, 20_000)), 10_000)


def test_names_that_differ_are_named(warehouse, definition):
    missing = {"runs": [{"name": "demo"}], "effects": []}
    with connect(warehouse, read_only=False) as file:
        with pytest.raises(WarehouseError, match=r"of runs .*missing size, ex"):
            replace_results(file, missing, definition)
        with pytest.raises(WarehouseError, match=r"tables computed .*effects"):
            replace_results(file, {"runs": []}, definition)
        file.connection.execute("create schema if not exists results")
        file.connection.execute(
            "create table results.runs (name text, old int)"
        )
        with pytest.raises(
            WarehouseError, match="missing size, extra old; drop the table"
        ):
            replace_results(file, ROWS, definition)


def test_the_definition_declares_types_and_words_for_every_column():
    tables = result_tables()
    assert set(tables) == listed(
        "analysis_runs experiment_results experiment_health"
        " experiment_segments experiment_time_series experiment_power"
        " genre_effects genre_checks genre_balance genre_overlap"
        " genre_dose_response genre_trends expected_lifetimes"
        " scenario_results scenario_terms scenario_sensitivity"
        " scenario_breakeven scenario_quantiles headlines"
    )
    kinds = {kind for one in tables.values() for kind in one.types.values()}
    assert kinds <= set(FRAME_TYPES)
