"""Queries of a log's own: what they say, what they read, what they return."""

import pandas as pd
import pytest

from estimates.files import Estimate, chosen, read_estimates, relations_of
from estimates.numbers import number_of
from warehouse import WarehouseError

ROW = {"value": 0.5, "standard_error": 0.1, "users": 9, "causal_grade": None}


def estimate(sql, name="own"):
    return Estimate(name, "Own", sql)


def found(*rows, sql="select 1", written=()):
    return number_of(
        estimate(sql), lambda _: pd.DataFrame(rows, dtype=object), written
    )


def test_a_folder_without_queries_has_none(tmp_path):
    assert read_estimates(tmp_path) == {}


def test_the_first_comment_says_what_a_query_estimates(tmp_path):
    (tmp_path / "estimates").mkdir()
    path = tmp_path / "estimates" / "own.sql"
    path.write_text(
        "\n-- Users\n-- of the log.\n--\n-- Why.\nselect 1 -- one\n"
    )
    own = read_estimates(tmp_path)["own"]
    assert own.description == "Users of the log. Why."
    path.write_text("select 1 -- one\n")
    with pytest.raises(ValueError, match=r"own\.sql: begin with a comment"):
        read_estimates(tmp_path)


def test_a_name_without_a_file_is_told_what_to_write():
    with pytest.raises(
        ValueError,
        match=r"claims, x: no estimate 'x'; write estimates/x\.sql beside the"
        r" raw data, or use one of own",
    ):
        chosen({"own": estimate("select 1")}, "x", "claims, x")


@pytest.mark.parametrize(
    ("sql", "marts", "results"),
    [
        ("select 1 as value", set(), set()),
        ("select a from marts.b", {"b"}, set()),
        ("SELECT a FROM Marts.B AS x, results.c y", {"b"}, {"c"}),
        ("select a from\n marts . b join results.c on true", {"b"}, {"c"}),
        ('select a from "marts"."b" -- from raw.x', {"b"}, set()),
        (
            "select 'from raw.x' as a /* from raw.y */ from marts.b",
            {"b"},
            set(),
        ),
        ("with u as (select a from marts.b) select a from u", {"b"}, set()),
        ("select a from (select a from marts.b) as u", {"b"}, set()),
        ("select a is distinct from u.c as d from marts.b as u", {"b"}, set()),
    ],
)
def test_what_a_query_reads_is_found(sql, marts, results):
    own = estimate(sql)
    assert relations_of(own) == {"marts": marts, "results": results}


@pytest.mark.parametrize(
    "relation",
    ["raw.events", "events", "other.marts.b", "staging.x", "'file.csv'"],
)
@pytest.mark.parametrize(
    "sql",
    [
        "select a from {}",
        "select a from marts.b, {}",
        "select a from marts.b as c, {} as d",
        "select a from marts.b inner join {} on true",
        "with u as (select a from {}) select a from u",
    ],
)
def test_other_tables_are_refused(sql, relation):
    with pytest.raises(ValueError, match=r"own\.sql: it reads .*; an estimate"):
        relations_of(estimate(sql.format(relation)))


def test_what_is_not_written_yet_is_refused():
    sql = "select 1 as value from results.headlines"
    assert found(ROW, sql=sql, written={"headlines"}).value == 0.5
    with pytest.raises(ValueError, match="headlines is not written when this"):
        found(ROW, sql=sql, written={"genre_effects"})


def test_numbers_come_as_any_engine_gives_them():
    own = found(ROW | {"ci_low": "0.25", "kind": "mean", "alpha": float("nan")})
    assert own.value == 0.5
    assert own.ci_low == 0.25
    assert own.users == 9
    assert own.alpha is None
    assert own.causal_grade is None
    assert own.kind == "mean"
    assert "control_mean" not in own.columns


def test_an_error_may_be_given_by_an_interval():
    bounds = {"standard_error": None, "ci_low": 0.3, "ci_high": 0.7}
    assert found(ROW | bounds | {"alpha": 0.05}).error == pytest.approx(
        0.2 / 1.959964
    )
    assert found(ROW | bounds).error is None
    assert found(ROW | bounds | {"standard_error": 0.1}).error == 0.1


def test_no_row_and_no_finite_value_are_no_number():
    empty = pd.DataFrame(columns=list(ROW), dtype=object)
    own = number_of(estimate("select 1"), lambda _: empty, ())
    assert own.value is None
    assert own.reason_code is None
    assert found(ROW | {"value": float("inf")}).value is None


def test_a_query_that_fails_is_named_with_what_the_engine_says():
    def fails(_):
        raise WarehouseError("no such column")

    with pytest.raises(ValueError, match=r"estimates/own\.sql: no such column"):
        number_of(estimate("select 1"), fails, ())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"colour": 1}, "it returns colour; an estimate has the columns value"),
        ({"value": "high"}, "value must be a number, got 'high'"),
        ({"causal_grade": "F"}, "unknown causal_grade 'F'; use one of A, B"),
        ({"kind": "sum"}, "unknown kind 'sum'; use one of mean, proportion"),
    ],
)
def test_other_rows_are_refused(changed, message):
    with pytest.raises(ValueError, match=rf"own\.sql: {message}"):
        found(ROW | changed)


def test_several_rows_and_missing_columns_are_refused():
    with pytest.raises(ValueError, match="it returns several rows; name one"):
        found(ROW, ROW)
    with pytest.raises(ValueError, match="it returns value without standard"):
        found({"value": 1})
