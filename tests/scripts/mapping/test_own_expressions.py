"""The SQL of a mapping is one expression over the row at hand."""

import pytest
from loading import csv_of, events, loader

from engine.connections import open_duckdb
from mapping.language import Column, MappingError
from mapping.own_expressions import check_expression, enclosed


@pytest.fixture(scope="module")
def check():
    with open_duckdb() as connection:

        def run(sql):
            column = Column("events.columns.item", "item", "text", sql=sql)
            check_expression(connection, column)

        yield run


@pytest.mark.parametrize(
    "sql",
    [
        "upper(left(country, 2))",
        "case when name like 'watch%' then 'play' end",
        "try_cast(a as decimal(10, 2))",
        "a at time zone 'Europe/Paris' + interval '1' day",
        "list_transform(split(a, ','), lambda x: trim(x))[1]",
        "[x for x in split(a, ',') if x <> '']",
        "a ->> '$.b'",
        "{'x': a}.x in ('y', 'z') and not b between 1 and 2",
        "row_number() over (partition by a order by b)",
        "'it''s; -- no comment'",
        "a /* why */ -- because",
    ],
)
def test_an_expression_over_the_row_is_taken(check, sql):
    check(sql)


@pytest.mark.parametrize(
    ("sql", "mistake"),
    [
        ("1; copy (select 1) to 'x'", "it is more than an expression"),
        ("1 -- \n; select 2", "it is more than an expression"),
        ("1;", "it is more than an expression"),
        ("1, 2", "it is more than an expression"),
        ("1 as item", "it is more than an expression"),
        ("1 union select 2", "it is more than an expression"),
        ("1 from read_text('/etc/passwd')", "it is more than an expression"),
        ("item\0) as varchar) --", "it is more than an expression"),
        ("1) as s0, (2", "syntax error"),
        ("1 /*", "unterminated"),
        ("", "without selection list"),
        ("--", "without selection list"),
        ("(select content from read_text('x'))", "it has a subquery"),
        ("item in (from glob('*'))", "it has a subquery"),
        ("case when true then array(from users) end", "it has a subquery"),
        ("list_transform(a, lambda x: (select 1))", "it has a subquery"),
        ("max((select 1)) over ()", "it has a subquery"),
        ("read_text('/etc/passwd')", "read_text reads files or tables"),
        ("columns('.*')", "it has a star"),
        ("$file", "it has a parameter"),
        ("#1", "it has a positional reference"),
        ("unnest([1, 2])", "unnest makes several rows"),
        ("generate_subscripts(a, 1)", "generate_subscripts reads more"),
        ("pg_get_viewdef(1)", "pg_get_viewdef reads more"),
        ("max(item)", "max makes one row of several"),
        ("random()", "random may answer another thing"),
        ("now()", "now may answer another thing"),
        ("current_setting('home_directory')", "tells of the machine"),
        ("+".join(["1"] * 900), "nested too deeply"),
    ],
)
def test_anything_else_is_refused_with_its_key_and_a_remedy(
    check, sql, mistake
):
    with pytest.raises(
        MappingError,
        match=rf"^events\.columns\.item\.sql: .*({mistake}).*; write one",
    ):
        check(sql)


def test_a_comment_does_not_swallow_what_follows(tmp_path):
    assert enclosed("a -- b") == "(\na -- b\n)"
    mapping = events().replace("{ value: play }", "{ sql: \"'play' -- a\" }")
    log = loader(tmp_path)(mapping, log__csv=csv_of("2024-01-01"))
    assert log.values("events", "event_type") == ["play"]


@pytest.mark.parametrize(
    "sql",
    [
        "(select content from read_text('{secret}'))",
        "(select 'play' from glob('{secret}'))",
        "'play'); copy (select 1) to '{written}'; select ('play'",
        "'play'); attach '{written}'; select ('play'",
        "'play'); install httpfs; select ('play'",
        "'play'; attach '{written}'",
        "getenv('HOME')",
    ],
)
def test_a_mapping_neither_reads_nor_writes_elsewhere(tmp_path, sql):
    secret, written = tmp_path / "secret", tmp_path / "written"
    secret.write_text("play")
    (tmp_path / "in").mkdir()
    sql = sql.format(secret=secret, written=written)
    mapping = events().replace("{ value: play }", f'{{ sql: "{sql}" }}')
    with pytest.raises(MappingError, match=r"event_type\.sql: "):
        loader(tmp_path / "in")(mapping, log__csv=csv_of("2024-01-01"))
    assert not written.exists()
