"""The comparer: every difference is found, and nothing else."""

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import duckdb
import pytest
import yaml
from cases import cases
from holding import held

from compare_warehouses import main, open_source
from comparison.keys import MODELS, Keys
from comparison.sources import DuckDBSource
from warehouse import WarehouseError

KEYED = "marts.dim_users"  # by user_id
SUMMARY = "marts.fct_retention_summary"
RESULTS = "results.experiment_results"
# Layers that keep every line, copies included, have no key to test.
KEYLESS = (
    *("_judged", "_classified", "_played", "_sessionized", "_bounded"),
    "plays_described",
)


read_once = cache(Keys)


def build(path, relations):
    """Make a warehouse of tables, or of views where the SQL begins so."""
    with duckdb.connect(str(path)) as connection:
        for name, sql in relations.items():
            connection.execute(
                f"create schema if not exists {name.split('.')[0]}"
            )
            kind, _, body = (
                sql.partition(":") if sql[:5] == "view:" else ("table", "", sql)
            )
            connection.execute(f"create {kind} {name} as {body}")
    return path


def told(result, code, *words):
    """What is returned and said is this; returns the record."""
    found, text, record = result
    assert found == code, text
    assert [each for each in words if each not in text] == [], text
    return record


def values(columns, *rows):
    """SQL of a few rows; casts stand in the first."""
    return f"from (values {', '.join(rows)}) as rows ({columns})"


@pytest.fixture
def compare(tmp_path, capsys, monkeypatch):
    """Compare two warehouses made of SQL; returns code, text and record."""
    monkeypatch.setattr("compare_warehouses.Keys", read_once)

    def run(old, new, *words, schemas=None):
        sides = []
        for side, relations in (("old", old), ("new", new)):
            path = relations
            if isinstance(relations, dict):
                path = tmp_path / f"{side}.duckdb"
                path.unlink(missing_ok=True)
                build(path, relations)
            sides.append(str(path))
        if schemas is None:
            named = [r for r in (old, new) if isinstance(r, dict)]
            schemas = ",".join(
                sorted({name.split(".")[0] for r in named for name in r})
            )
        record = tmp_path / "record.json"
        record.unlink(missing_ok=True)
        code = main(
            [*sides, "--schemas", schemas, "--json", str(record), *words]
        )
        text = capsys.readouterr()
        found = json.loads(record.read_text()) if record.exists() else None
        return code, text.out + text.err, found

    return run


@pytest.fixture
def one(compare):
    """Compare one relation made of SQL."""

    def run(old, new, *words, name=KEYED):
        return compare({name: old}, {name: new}, *words)

    return run


def test_equal_in_any_order_of_rows_and_columns(one):
    code, text, record = one(
        values("user_id, n, d", "('a', 1, 1.5)", "('b', null, 2.5)"),
        "select d, n, user_id from (values ('b', null, 2.5), ('a', 1, 1.5))"
        " as rows (user_id, n, d)",
    )
    assert code == 0
    assert text == (
        "1 of 1 relations equal, 3 columns compared, 2 rows,"
        " largest relative difference 0\n"
    )
    assert record["is_equal"]
    assert (record["relations_equal"], record["relations"]) == (1, 1)
    assert record["columns_compared"] == 3
    assert record["largest_relative_difference"] == 0


def test_rows_added_removed_and_changed_are_counted_and_named(one):
    code, text, record = one(
        values(
            "user_id, n, d", "('a', 1, 1e0)", "('b', 2, 2e0)", "('c', 3, 3e0)"
        ),
        values(
            "user_id, n, d", "('a', 1, 1e0)", "('b', 5, 4e0)", "('d', 3, 3e0)"
        ),
    )
    assert code == 1
    assert text.splitlines()[:-1] == [
        "marts.dim_users: 3 rows in OLD, 3 in NEW; 1 added, 1 removed,"
        " 1 changed; matched by user_id",
        "  added: user_id = 'd'",
        "  removed: user_id = 'c'",
        "  n: 1 rows differ",
        "    user_id = 'b': 2 -> 5",
        "  d: 1 rows differ, largest relative difference 0.5",
        "    user_id = 'b': 2.0 -> 4.0",
    ]
    assert text.splitlines()[-1].startswith("0 of 1 relations equal, 3 columns")
    rows = record["verdicts"][0]["rows"]
    assert (rows["added"], rows["removed"], rows["changed"]) == (1, 1, 1)
    assert record["largest_relative_difference"] == 0.5


def test_the_first_keys_are_shown_in_their_order(one):
    sql = "select range as user_id, {} as n from range(100)"
    _, text, _ = one(sql.format(1), sql.format("range % 2"), "--show", "2")
    assert "n: 50 rows differ" in text
    assert "user_id = 0: 1 -> 0\n    user_id = 2: 1 -> 0\n" in text
    assert "user_id = 4" not in text


def test_integers_of_another_width_keep_their_order(one):
    sql = "select (range + 8)::{} as user_id, {} as n from range(3)"
    _, text, _ = one(sql.format("integer", 1), sql.format("bigint", 2))
    assert "differ\n    user_id = 8: 1 -> 2\n    user_id = 9: " in text


CHANGES = cases("""
user_id | 'b' | 'B'
whole | 2 | 3
wide | 170141183460469231731687303715884105727::hugeint | 0::hugeint
money | 1.25::decimal(18, 2) | 1.26::decimal(18, 2)
rate | 0.1::double | 0.1000001::double
single | 0.5::float | 0.6::float
title | 'x' | 'x '
is_on | true | false
day | date '2026-01-01' | date '2026-01-02'
at | timestamp '2026-01-01 00:00:00' | timestamp '2026-01-01 00:00:00.000001'
tz | timestamptz '2026-01-01 00:00:00+00' | timestamptz '2026-01-01 00:00:00+01'
clock | time '10:00:00' | time '10:00:01'
list | [1, 2] | [2, 1]
empty | '' | null
nothing | null::integer | 0
odd "name", it's | 1 | 2
""")


def test_a_change_of_any_one_value_is_found(one):
    columns = {name: pair for name, *pair in CHANGES}

    def rows(changed):
        return " union all ".join(
            "select "
            + ", ".join(
                f"{pair[number == 1 and name == changed]}"
                f' as "{name.replace(chr(34), 2 * chr(34))}"'
                if name != "user_id" or number == 1
                else f"'{number}' as user_id"
                for name, pair in columns.items()
            )
            for number in range(3)
        )

    assert one(rows(None), rows(None))[0] == 0
    for name in columns:
        code, text, record = one(rows(None), rows(name))
        assert code == 1, name
        found = record["verdicts"][0]["rows"]
        if name == "user_id":
            assert (found["added"], found["removed"]) == (1, 1)
        else:
            assert [each["name"] for each in found["columns"]] == [name]
            assert found["changed"] == found["columns"][0]["row_count"] == 1
            assert f"  {name}: 1 rows differ" in text


@pytest.mark.parametrize(
    ("old", "new"),
    cases("""
5::integer | 5::bigint
5::utinyint | 5::hugeint
5::bigint | 5::decimal(38, 0)
-1.50::decimal(9, 2) | -1.5::decimal(38, 6)
0.50::decimal(2, 2) | 0.5::decimal(9, 1)
100::decimal(9, 2) | 100::integer
'x' | 'x'::enum('w', 'x')
'{}' | '{}'::json
timestamp '2026-01-01 10:00:00.5' | timestamp_ns '2026-01-01 10:00:00.5'
timestamp '2026-01-01 10:00:00' | timestamptz '2026-01-01 12:00:00+02'
0.5::float | 0.5::double
'nan'::double | 'nan'::double
'-inf'::double | '-inf'::double
0::double | '-0'::double
null::integer | null::bigint
1e300::double | 1e300::double * (1 + 9e-10)
-3e-200::double | -3e-200::double * (1 + 9e-10)
0::double | 1e-12::double
-1e-17::double | 0::double
"""),
)
def test_equal_values_are_equal_whatever_holds_them(one, old, new):
    sql = "select 'a' as user_id, {} as v"
    for sides in ((old, new), (new, old)):
        told(one(*map(sql.format, sides)), 0)


@pytest.mark.parametrize(
    ("old", "new"),
    cases("""
5::integer | 6::bigint
9007199254740993::bigint | 9007199254740992::decimal(38, 0)
1.5::decimal(9, 2) | 1::integer
timestamp '2026-01-01' | timestamp_ns '2026-01-01 00:00:00.000000001'
timestamp '2026-01-01' | timestamptz '2026-01-01 00:00:00+02'
0 | null
0::double | null::double
'nan'::double | null::double
'nan'::double | 1::double
'inf'::double | 1e308::double
'inf'::double | '-inf'::double
1e308::double | -1e308::double
0::double | 1.1e-12::double
1e-13::double | 2e-13::double
5e-324::double | 1e-323::double
'' | null::varchar
'a' | 'A'
"""),
)
def test_unequal_values_differ_whatever_holds_them(one, old, new):
    sql = "select 'a' as user_id, {} as v"
    for sides in ((old, new), (new, old)):
        told(one(*map(sql.format, sides)), 1, "v: 1 rows differ")


@pytest.mark.parametrize("size", [1e-250, 0.1, 1.0, 1e12, -7e250])
@pytest.mark.parametrize("key", ["user_id", "other"])
def test_doubles_agree_to_one_in_a_thousand_million(one, size, key):
    sql = "select 1 as {}, {!r}::double as v"
    old = sql.format(key, size)
    for share, expected in ((0.9e-9, 0), (1.1e-9, 1)):
        for sign in (1, -1):
            new = sql.format(key, size * (1 + sign * share))
            record = told(one(old, new), expected)
            assert record["largest_relative_difference"] == pytest.approx(
                share, rel=1e-5
            )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("'1'", "1", "VARCHAR (text) in OLD, INTEGER (exact number) in NEW"),
        ("1", "1::double", "INTEGER (exact number) in OLD, DOUBLE (floating"),
        ("date '2026-01-01'", "timestamp '2026-01-01'", "DATE (date) in OLD"),
        ("1", "true", "BOOLEAN (boolean) in NEW; values not compared"),
        ("[1]", "[1::bigint]", "INTEGER[] (integer[]) in OLD, BIGINT[]"),
    ],
)
def test_another_family_of_types_is_a_difference_by_itself(
    one, old, new, words
):
    sql = "select 'a' as user_id, {} as v"
    told(one(sql.format(old), sql.format(new)), 1, "  column v: ", words)


def test_columns_and_relations_of_one_side_are_named(compare):
    told(
        compare(
            {KEYED: "select 1 as user_id, 2 as a", "marts.gone": "select 1 x"},
            {KEYED: "select 1 as user_id, 2 as b", "marts.come": "select 1 x"},
        ),
        1,
        "marts.come: only NEW has it\n",
        "marts.gone: only OLD has it\n",
        "  column b: only NEW has it\n  column a: only OLD has it\n",
        "0 of 3 relations equal, 1 columns compared",
    )


def test_nulls_in_a_key_match_nulls(one):
    old = values(
        "dimension, dimension_value, retention_type, day_mode,"
        " from_day_number, to_day_number, rate",
        "('all', null, 'n', 'm', 1, null, 0.5::double)",
        "('all', 'x', 'n', 'm', 1, null, 0.25)",
    )
    told(one(old, old, name=SUMMARY), 0)
    told(
        one(old, old.replace("0.5", "0.75"), name=SUMMARY),
        1,
        "0 added, 0 removed, 1 changed; matched by dimension",
        "dimension_value = null",
        "to_day_number = null: 0.5 -> 0.75",
    )


def test_keys_that_occur_twice_are_compared_as_a_multiset(one):
    def rows(*pairs):
        return values("user_id, n", *pairs)

    old = rows("('a', 1)", "('a', 1)", "('a', 2)")
    told(one(old, rows("('a', 2)", "('a', 1)", "('a', 1)")), 0)
    told(
        one(old, rows("('a', 1)", "('a', 2)", "('a', 2)")),
        1,
        "1 added, 1 removed, 0 changed; compared as a multiset, as its key"
        " (user_id) is not unique in OLD",
        "  added: user_id = 'a', n = 2\n  removed: user_id = 'a', n = 1",
    )
    found = one(rows("('a', 1)", "('b', 3)"), rows("('a', 1)", "('a', 3)"))
    told(found, 1, "not unique in NEW")


def test_a_key_that_one_side_lacks_or_that_is_left_out_is_not_used(one):
    old = values("user_id, n", "('a', 1)", "('b', 2)")
    renamed = one(old, old.replace("user_id", "id"))
    told(renamed, 1, "0 added, 0 removed, 0 changed\n")
    left_out = one(old, old.replace("2)", "3)"), "--except", "*.user_id")
    told(left_out, 1, "its key (user_id) is not compared on both sides")


def test_multisets_of_doubles_agree_within_the_tolerance(one):
    sql = (
        "select range % 3 as a, (range % 7) / 7e0 * {0} as x,"
        " (range % 11) / 11e0 * {0} as y, null::double as z"
        " from range(1000) order by hash(range * {1})"
    )
    old = sql.format(1, 2)
    near = one(old, sql.format("(1 + 3e-15)", 3), name="marts.any")
    assert 1e-15 < told(near, 0)["largest_relative_difference"] < 5e-15
    told(
        one(old, old + " limit 999", name="marts.any"),
        1,
        "0 added, 1 removed, 0 changed; compared as a multiset, as no key",
    )


def test_noise_does_not_change_the_order_in_a_multiset(one):
    old = values("a, x, y", "(1, 1.5e0, 5e0)", "(1, 1.5e0 + 2e-15, 3e0)")
    new = values("a, x, y", "(1, 1.5e0 + 2e-15, 5e0)", "(1, 1.5e0, 3e0)")
    told(one(old, new, name="marts.any"), 0)


def test_a_multiset_counts_how_often_a_row_occurs(one):
    old = values("x", "(1e0)", "(1e0)", "(2e0)")
    new = values("x", "(1e0)", "(2e0)", "(2e0)")
    told(
        one(old, new, name="marts.any"),
        1,
        "x: 1 rows differ, largest relative difference 0.5",
        "    a row: 1.0 -> 2.0\n",
    )
    found = one(old, values("x", "(1e0)", "(2e0)"), name="marts.any")
    told(found, 1, "0 added, 1 removed, 0 changed")


def test_values_exchanged_between_rows_are_found(one):
    sql = "select range as user_id, {} % 2 as n, range % 2 as m from range(64)"
    found = one(sql.format("range"), sql.format("(range + 1)"))
    told(found, 1, "n: 64 rows differ")
    assert "m:" not in found[1]


def test_a_double_in_a_key_matches_within_the_tolerance(one):
    name = "results.scenario_quantiles"
    columns = "scenario_name, version, outcome, probability, v"
    old = values(columns, "('s', 1, 'o', 0.1e0, 1)", "('s', 1, 'o', 0.3e0, 2)")
    near = old.replace("0.3e0", "(0.1e0 + 0.2e0)")
    record = told(one(old, near, name=name), 0)
    assert 0 < record["largest_relative_difference"] < 1e-15
    told(
        one(old, near.replace(", 2)", ", 3)"), name=name),
        1,
        "1 changed; matched by scenario_name, version, outcome, probab",
        "v: 1 rows differ\n",
    )
    found = one(old, old.replace("0.3e0", "0.4e0"), name=name)
    told(found, 1, "1 added, 1 removed, 0 changed")


def test_a_hundred_thousand_changes_are_joined_by_hash(one):
    sql = "select 'u' || range as user_id, range + {} as n from range(100000)"
    found = one(sql.format(0), sql.format(1))
    told(found, 1, "0 added, 0 removed, 100,000 changed")


@pytest.fixture
def renamed(tmp_path):
    """Write declared changes; returns the words that name their file."""

    def run(renames):
        path = tmp_path / "map.yml"
        path.write_text(yaml.safe_dump(renames))
        return "--renamed", str(path)

    return run


def test_declared_renames_are_no_difference(compare, renamed):
    old = {
        "legacy.users": "select 'a' as user_id, 1 as n, 2 as m, 9 as gone",
        "legacy.dropped": "select 1 as x",
    }
    new = {
        KEYED: "select 'a' as user_id, 1 as m, 2 as k, 7 as come",
        "marts.fresh": "select 1 as x",
    }
    renames = {
        "relations": {"legacy.users": KEYED},
        "columns": {KEYED: {"n": "m", "m": "k"}},
        "added": {KEYED: ["come"], "marts.fresh": "all"},
        "removed": {KEYED: ["gone"], "legacy.dropped": []},
    }
    told(
        compare(old, new, *renamed(renames)),
        0,
        "1 of 1 relations equal, 3 columns compared",
        "7 changes are declared",
    )
    new[KEYED] = new[KEYED].replace("2 as k", "3 as k")
    found = compare(old, new, *renamed(renames))
    told(found, 1, "k: 1 rows differ\n    user_id = 'a': 2 -> 3\n")


def test_a_renamed_column_may_take_the_name_of_a_removed_one(one, renamed):
    renames = {"columns": {KEYED: {"n": "m"}}, "removed": {KEYED: ["m"]}}
    new = "select 'a' as user_id, 1 as m"
    for columns in ("1 as n, 5 as m", "5 as m, 1 as n"):
        old = f"select 'a' as user_id, {columns}"
        told(one(old, new, *renamed(renames)), 0)


@pytest.mark.parametrize(
    ("renames", "words"),
    cases("""
relations: {marts.no: K} | relations: marts.no to marts.dim_users, which is
relations: {K: marts.no} | relations: marts.dim_users to marts.no, which is
columns: {K: {gone: n}} | columns: marts.dim_users: gone to n
columns: {marts.no: {n: m}} | columns: marts.no: n to m
added: {K: [n]} | added: marts.dim_users: n
added: {K: all} | added: marts.dim_users, which is not so
removed: {marts.no: []} | removed: marts.no, which is not so
removed: {K: [gone]} | removed: marts.dim_users: gone
renamed: {} | renamed must be one of relations, columns
added: {K: n} | added: marts.dim_users must be a list
columns: [n] | columns must be a mapping
[n] | map.yml must be a mapping
"""),
)
def test_a_declaration_that_does_not_apply_is_refused(
    one, renamed, renames, words
):
    sql = "select 'a' as user_id, 1 as n"
    declared = yaml.safe_load(renames.replace("K", KEYED))
    found = one(sql, sql, *renamed(declared))
    assert told(found, 2, words) is None
    assert found[1].count("\n") == 1


def test_exceptions_leave_columns_out_and_are_counted(compare):
    old = {
        RESULTS: "select 'e' as experiment_id, 'v1' as input_version",
        "results.headlines": "select 'h' as x, 'v1' as input_version",
        "results.analysis_runs": "select 1 as a, 2 as b",
    }
    new = {name: sql.replace("v1", "v2") for name, sql in old.items()}
    new["results.analysis_runs"] = "select 5 as a, 2 as b, 3 as c"
    words = ("--except", "results.*.input_version")
    words += ("--except", "results.analysis_runs.*")
    record = told(
        compare(old, new, *words),
        0,
        "2 of 2 relations equal, 2 columns compared",
        "2 columns are left out by results.*.input_version\n",
        "3 columns are left out by results.analysis_runs.*\n",
    )
    assert record["left_out"] == {words[1]: 2, words[3]: 3}
    found = compare(old, new, *words, "--except", "marts.*.input")
    told(found, 2, "--except marts.*.input matches no column")
    told(compare(old, new, "--except", "*"), 2, "nothing is left to compare")


def test_relations_without_a_common_column_are_not_equal(one, renamed):
    words = renamed({"added": {KEYED: ["b"]}, "removed": {KEYED: ["a"]}})
    found = one("select 1 as a", "select 1 as b", *words)
    told(found, 1, "  no column of the two is the same\n")


def test_empty_relations_are_named_and_prove_nothing(compare):
    empty = "select 1 as x where false"
    old = {"marts.a": "select 1 as x", "marts.b": empty, "marts.c": empty}
    words = "2 relations are empty on both sides: marts.b, marts.c\n"
    assert told(compare(old, old), 0, words)["empty"] == ["marts.b", "marts.c"]
    found = compare({"marts.b": empty}, {"marts.b": empty})
    told(found, 2, "nothing was compared: no relation has a row")
    found = compare({"marts.b": empty}, {"marts.b": "select 1 as x"})
    told(found, 1)
    assert "are empty" not in found[1]


def test_schemas_are_those_of_either_side(compare, tmp_path):
    old = {"marts.a": "select 1 as x"}
    found = compare(old, old, schemas="marts,results")
    told(found, 2, "neither side has results; there are marts")
    found = compare(old, old | {"results.b": "select 1 as x"})
    told(found, 1, "results.b: only NEW has it")
    assert main([str(tmp_path / "old.duckdb")] * 2) == 2


def test_the_same_path_twice_is_said_to_prove_nothing(compare, tmp_path):
    path = build(tmp_path / "w.duckdb", {KEYED: "select 'a' as user_id"})
    found = compare(path, path, schemas="marts")
    words = "OLD and NEW are the same path: this proves nothing"
    assert told(found, 0, words)["is_same_path"]


def test_what_cannot_be_read_is_refused_in_one_line(compare, tmp_path):
    good = build(tmp_path / "good.duckdb", {KEYED: "select 'a' as user_id"})
    text_file = tmp_path / "notes.duckdb"
    text_file.write_text("not a database, but long enough to look at" * 99)
    empty = tmp_path / "empty"
    empty.mkdir()
    broken = tmp_path / "broken"
    (broken / "marts").mkdir(parents=True)
    (broken / "marts" / "a.parquet").write_text("no")
    for path, options, words in (
        (
            tmp_path / "none",
            (),
            "none; name a DuckDB file, a folder of Parquet",
        ),
        (text_file, (), "if it is not a DuckDB file"),
        (
            empty,
            (),
            "empty holds no Parquet; name a folder laid out as <schema>/",
        ),
        (broken, (), "cannot read marts.a at "),
        (good, ("--memory", "much"), ""),
        (good, ("--models", "none"), "there is no folder none of models"),
    ):
        found = compare(good, path, *options, schemas="marts")
        told(found, 2, words)
        assert found[1].count("\n") == 1
    for words in (["--show", "0"], ["--colour"]):
        with pytest.raises(SystemExit, match="2"):
            main([str(good), str(good), *words])


def test_a_locked_file_names_the_process(compare, tmp_path):
    path = build(tmp_path / "w.duckdb", {KEYED: "select 'a' as user_id"})
    with held(path) as holder:
        found = compare(path, path, schemas="marts")
    told(found, 2, f"in use by process {holder.pid}")


def test_views_are_read_whatever_the_file_is_called_now(compare, tmp_path):
    first = build(
        tmp_path / "first.duckdb",
        {
            "raw.users": "select 'a' as user_id, (1e30)::hugeint as n",
            "staging.stg_a": "view:from first.raw.users",
            "staging.stg_b": "view:from first.staging.stg_a",
        },
    )
    renamed = tmp_path / "second.duckdb"
    shutil.copy(first, renamed)
    before = {path.name for path in tmp_path.iterdir()}
    stamp = renamed.stat().st_mtime_ns
    found = compare(first, renamed, schemas="staging")
    told(found, 0, "2 of 2 relations equal, 4 columns compared")
    assert renamed.stat().st_mtime_ns == stamp
    assert {path.name for path in tmp_path.iterdir()} == before | {
        "record.json"
    }


def test_what_is_written_meanwhile_is_removed(compare, tmp_path, monkeypatch):
    path = build(
        tmp_path / "w.duckdb",
        {"raw.t": "select 1 as x", "staging.v": "view:from w.raw.t"},
    )
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    opened, attach = [], DuckDBSource._attach

    def watched(*arguments):
        attach(*arguments)
        opened.extend(folder.iterdir())

    monkeypatch.setattr(DuckDBSource, "_attach", watched)
    assert compare(path, path, schemas="staging")[0] == 0
    assert opened
    assert not list(folder.iterdir())


def test_long_comparisons_tell_how_far_they_are(one, monkeypatch):
    monkeypatch.setattr("compare_warehouses.QUIET_SECONDS", 0)
    _, text, _ = one("select 1 as user_id", "select 1 as user_id")
    assert "1 of 1, 0 s: marts.dim_users\n" in text


def test_values_are_shown_whole(one):
    sql = "select 'a' as user_id, {} as v"
    for old, new, words in (
        ("''", "null::varchar", "'' -> null"),
        ("'null'", "null::varchar", "'null' -> null"),
        ("0.1::double", "0.1::double + 1e-8", "0.1 -> 0.10000001"),
        (
            "timestamp_ns '2026-01-01 00:00:00'",
            "timestamp_ns '2026-01-01 00:00:00.000000001'",
            "2026-01-01 00:00:00 -> 2026-01-01 00:00:00.000000001",
        ),
        (
            "timestamp 'infinity'",
            "timestamp '20000-01-01'",
            "infinity -> 20000-01-01 00:00:00",
        ),
        ("1.50::decimal(9, 2)", "2::decimal(9, 3)", "1.5 -> 2\n"),
    ):
        assert words in one(sql.format(old), sql.format(new))[1]


def test_a_view_that_no_longer_works_is_named(compare, tmp_path):
    path = build(
        tmp_path / "w.duckdb",
        {"raw.t": "select 1 as x", "staging.v": "view:from raw.t"},
    )
    with duckdb.connect(str(path)) as connection:
        connection.execute("drop table raw.t")
    found = compare(path, path, schemas="staging")
    told(found, 2, "compare_warehouses: staging.v: ")


@pytest.mark.parametrize("layout", ["file", "parts", "spark", "partitions"])
def test_a_folder_of_parquet_equals_its_warehouse(compare, tmp_path, layout):
    sql = (
        "select 'u' || range as user_id, range % 2 as half, range / 7 as d,"
        " timestamptz '2026-01-01 00:00:00+00' as at from range(100)"
    )
    folder = tmp_path / "lake"
    schema = folder / ("marts.db" if layout == "spark" else "marts")
    schema.mkdir(parents=True)
    (folder / "_logs").mkdir()
    relation = schema / "dim_users"

    def export(path, rows, options=""):
        path.parent.mkdir(parents=True, exist_ok=True)
        duckdb.sql(f"copy ({rows}) to '{path}' (format parquet{options})")

    if layout == "file":
        export(schema / "dim_users.parquet", sql)
    elif layout == "partitions":
        export(relation, sql, ", partition_by half")
    else:
        export(relation / "part-0.parquet", f"{sql} where half = 0")
        export(relation / "deep" / "part-1.parquet", f"{sql} where half = 1")
        export(relation / "_temporary" / "part.parquet", sql)
        export(relation / ".part.parquet", sql)
        (relation / "_SUCCESS").touch()
    (schema / "notes.txt").touch()
    record = told(compare({KEYED: sql}, folder), 0)
    assert record["columns_compared"] == 4
    assert record["rows"] == 100
    changed = sql.replace("range / 7", "range / 8")
    assert compare(folder, {KEYED: changed})[0] == 1


def test_a_relation_that_a_folder_holds_twice_is_refused(tmp_path):
    for part in ("a.parquet", "a/part.parquet"):
        path = tmp_path / "marts" / part
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with pytest.raises(WarehouseError, match=r"holds marts\.a twice, at "):
        open_source(str(tmp_path))


def test_the_key_of_a_result_comes_from_the_project(one):
    columns = (
        "experiment_id, metric_name, treatment_variant, outcome_version,"
        " policy, adjustment, method, estimate"
    )
    old = values(
        columns,
        "('e', 'm', 't', 'o', 'p', 'a', 'x', 1e0)",
        "('e', 'm', 't', 'o', 'p', 'a', 'y', 2e0)",
    )
    _, text, _ = one(old, old.replace("2e0", "2.5e0"), name=RESULTS)
    key = columns.removesuffix(", estimate")
    assert f"1 changed; matched by {key}\n" in text
    assert "method = 'y': 2.0 -> 2.5" in text


# What a file says of a table, and the key that is read of it.
FORMS = r"""
together:
  - data_tests: [{unique_together: {arguments: {columns: [a, b]}}}]
    columns: [{name: c, data_tests: [unique]}]
  - [a, b]
older: [{tests: [{unique_together: {columns: [a]}}]}, [a]]
joined:
  - data_tests: [{unique: {arguments: {column_name: "concat_ws(':', a,\n b)"}}}]
  - [a, b]
named: [{data_tests: [{unique: {column_name: a}}]}, [a]]
computed: [{data_tests: [{unique: {column_name: lower(a)}}]}, []]
partial:
  - data_tests: [{unique: {column_name: a, config: {where: b > 0}}}]
  - []
plain:
  - columns:
      - {name: a, data_tests: [not_null]}
      - {name: b, data_tests: [unique, not_null]}
  - [b]
mapped: [{columns: [{name: a, data_tests: [{unique: {name: x}}]}]}, [a]]
primary: [{constraints: [{type: primary_key, columns: [a, b]}]}, [a, b]]
primary_column:
  - columns: [{name: a, constraints: [{type: primary_key}]}]
  - [a]
none: [{}, []]
"""


def test_every_form_of_a_key_is_read(tmp_path):
    forms = yaml.safe_load(FORMS)
    nodes = [{"name": name, **node} for name, (node, _) in forms.items()]
    sources = [{"name": "x", "schema": "raw", "tables": nodes}]
    for file, key in (
        ({"models": nodes}, "marts"),
        ({"sources": sources}, "raw"),
    ):
        (tmp_path / "all.yml").write_text(yaml.safe_dump(file))
        keys = Keys(tmp_path)
        for name, (_, expected) in forms.items():
            assert keys.of((key, name)) == tuple(expected), name
    assert keys.of(("marts", "together")) == ()


def test_every_model_and_result_has_its_key_but_those_of_raw_lines():
    keys = Keys()
    columns, keyless = {}, set()
    for path in MODELS.rglob("*.yml"):
        file = yaml.safe_load(path.read_text(encoding="utf-8"))
        layer = path.relative_to(MODELS).parts[0]
        nodes = [
            ((layer, node["name"]), node) for node in file.get("models", ())
        ]
        for source in file.get("sources", ()):
            schema = source.get("schema", source["name"])
            if schema == "runs":  # of this warehouse alone: never compared
                continue
            nodes += [((schema, t["name"]), t) for t in source["tables"]]
        for relation, node in nodes:
            columns[relation] = {column["name"] for column in node["columns"]}
            assert set(keys.of(relation)) <= columns[relation]
            if not keys.of(relation):
                keyless.add(relation)
    assert len(columns) > 90
    assert {schema for schema, _ in keyless} == {
        "staging",
        "intermediate",
        "raw",
    }
    for _, name in keyless:
        assert name.startswith(
            ("stg_service__", "stg_reader__", "malformed_rows")
        ) or name.endswith((*KEYLESS, "_recorded"))
    assert (
        " ".join(keys.of(("results", "experiment_power")))
        == "experiment_id metric_name treatment_variant design"
    )
    assert keys.of(("intermediate", "int_milestones_reached")) == (
        "user_id",
        "event_name",
    )
    assert keys.of(("marts", "fct_plays")) == ("play_id",)


def test_runs_from_the_command_line(tmp_path):
    sides = [
        build(tmp_path / f"{n}.duckdb", {KEYED: f"select {n} as user_id"})
        for n in (1, 2)
    ]
    script = Path(__file__).parents[3] / "scripts" / "compare_warehouses.py"
    done = subprocess.run(
        [sys.executable, script, *sides, "--schemas", "marts"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "1 added, 1 removed, 0 changed; matched by user_id" in done.stdout
    assert done.stderr == ""
