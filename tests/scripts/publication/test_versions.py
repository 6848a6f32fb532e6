"""Readers have the version before or the next one, whole, and always one."""

import duckdb
import pytest
from holding import held

from publication import versions


@pytest.fixture
def published(tmp_path):
    """A published file with a table, and the record of a run."""
    path = tmp_path / "warehouse.duckdb"
    with versions.opened(path) as connection:
        connection.execute(
            "create table answers as select 1 as answer;"
            "create schema runs;"
            "create table runs.runs as select 7 as run_number"
        )
    return path


def answer(path):
    with duckdb.connect(path, read_only=True) as connection:
        return connection.sql("select answer from answers").fetchall()


def build(version, value):
    with versions.opened(version.file) as connection:
        connection.execute(
            f"create or replace table answers as select {value} as answer"
        )


def write_report(version):
    version.report.parent.mkdir()
    version.report.write_text("run 8")


def test_a_version_is_not_seen_before_it_is_published(published):
    version = versions.begin(published, anew=False)
    build(version, 2)
    assert answer(published) == [(1,)]
    versions.publish(version)
    assert answer(published) == [(2,)]
    assert not version.folder.exists()


def test_a_version_built_anew_has_the_kept_tables_alone(published):
    version = versions.begin(published, anew=True)
    with versions.opened(version.file) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables()"
        ).fetchall()
        assert tables == [("runs", "runs")]
        assert connection.sql("from runs.runs").fetchall() == [(7,)]


def test_a_reader_keeps_what_it_has_open(published):
    with duckdb.connect(published, read_only=True) as reader:
        version = versions.begin(published, anew=False)
        build(version, 2)
        versions.publish(version)
        assert reader.sql("select answer from answers").fetchall() == [(1,)]


def test_the_first_version_needs_no_other(tmp_path):
    version = versions.begin(tmp_path / "new" / "w.duckdb", anew=True)
    build(version, 3)
    versions.publish(version)
    assert answer(tmp_path / "new" / "w.duckdb") == [(3,)]


def test_what_a_failed_run_left_is_removed(published):
    left = versions.begin(published, anew=False)
    build(left, 9)
    (left.folder / "spilled").write_text("")
    versions.begin(published, anew=True)
    assert [path.name for path in left.folder.iterdir()] == [published.name]


def test_a_report_is_published_with_its_version(published, tmp_path):
    version = versions.begin(published, anew=False)
    write_report(version)
    target = tmp_path / "report" / "index.html"
    versions.publish(version)
    assert target.read_text() == "run 8"


def test_a_report_whose_version_was_published_by_a_killed_run_follows(
    published, tmp_path
):
    version = versions.begin(published, anew=False)
    write_report(version)
    version.file.replace(published)  # killed here
    target = tmp_path / "report" / "index.html"
    versions.begin(published, anew=True)
    assert target.read_text() == "run 8"


def test_a_report_of_a_version_that_was_not_published_is_dropped(
    published, tmp_path
):
    version = versions.begin(published, anew=False)
    write_report(version)
    versions.begin(published, anew=True)
    assert not (tmp_path / "report").exists()


def test_an_unfinished_file_is_not_published(published):
    version = versions.begin(published, anew=False)
    version.file.with_name(f"{version.file.name}.wal").touch()
    with pytest.raises(ValueError, match="not written into its file"):
        versions.publish(version)
    assert answer(published) == [(1,)]


def test_a_program_that_writes_to_the_published_file_is_named(published):
    with held(published), pytest.raises(ValueError) as refused:
        versions.begin(published, anew=True)
    assert str(published) in str(refused.value)
    assert "close the program that writes to it" in str(refused.value)


@pytest.mark.parametrize("kind", ["garbage", "truncated"])
@pytest.mark.parametrize("name", ["warehouse", "clocks", "permissions"])
def test_a_file_that_is_no_warehouse_is_named_and_left(published, name, kind):
    """Whatever the file is called: its name is part of DuckDB's message."""
    content = published.read_bytes()
    broken = published.with_name(f"{name}.duckdb")
    broken.write_bytes(
        b"no database " * 1000 if kind == "garbage" else content[:5000]
    )
    before = broken.read_bytes()
    with pytest.raises(ValueError) as refused:
        versions.begin(broken, anew=True)
    assert str(broken) in str(refused.value)
    assert "move it away" in str(refused.value)
    assert broken.read_bytes() == before
