"""DuckDB is opened in one place, fetches nothing and stays where it is put."""

import ast
from pathlib import Path

import duckdb
import pytest
import yaml

from engine import connections
from engine.connections import SETTINGS, literal, lock, open_duckdb

ROOT = Path(connections.__file__).parents[2]
OPENS = Path(connections.__file__)


def calls_of_duckdb(path):
    """Functions of the module `duckdb` that a file names, not its classes."""
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "duckdb"
        and node.attr[0].islower()
    }


def test_no_script_opens_duckdb_by_itself():
    assert calls_of_duckdb(OPENS) == {"connect"}
    found = {
        f"{path.relative_to(ROOT)}: duckdb.{name}"
        for path in (ROOT / "scripts").rglob("*.py")
        if path != OPENS
        for name in calls_of_duckdb(path)
    }
    assert not found


def test_dbt_opens_duckdb_with_the_same_settings():
    profile = yaml.safe_load((ROOT / "profiles.yml").read_text())
    settings = profile["streaming_engagement"]["outputs"]["duckdb"]["settings"]
    assert settings.items() >= SETTINGS.items()


@pytest.mark.parametrize("is_file", [True, False])
def test_every_connection_has_the_settings(tmp_path, is_file):
    database = tmp_path / "any.duckdb" if is_file else ":memory:"
    with open_duckdb(database) as connection:
        for name, value in SETTINGS.items():
            [row] = connection.execute(
                f"select current_setting('{name}')"
            ).fetchall()
            assert row == (value,), name


def test_what_the_scripts_read_needs_no_further_extension(tmp_path):
    with open_duckdb() as connection:
        connection.execute(
            f"copy (select 1 as a) to '{tmp_path}/a.parquet' (format parquet)"
        )
        connection.execute(
            f"copy (select 1 as a) to '{tmp_path}/a.json.zst' (format json,"
            " compression zstd)"
        )
        for query in (
            f"from '{tmp_path}/a.parquet'",
            f"from read_json_objects('{tmp_path}/a.json.zst')",
            "select timezone('Europe/Paris', timestamp '2024-01-01')",
        ):
            assert connection.execute(query).fetchall()


def test_a_locked_connection_reaches_what_it_was_lent_alone(tmp_path):
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    lent, other = tmp_path / "in" / "a[1].csv", tmp_path / "in" / "a1.csv"
    lent.write_text("a\n1\n")
    other.write_text("a\n2\n")
    (tmp_path / "out" / "link.csv").symlink_to(other)
    out = tmp_path / "out"
    with open_duckdb(out / "scratch.duckdb") as connection:
        lock(connection, files=[lent], folders=[out])
        [row] = connection.execute(
            f"from read_csv('{literal(lent)}')"
        ).fetchall()
        assert row == (1,)
        connection.execute(f"copy (select 1) to '{out}/b.csv'")
        for query in (
            f"from read_csv('{other}')",
            f"from read_csv('{out}/link.csv')",
            f"from read_csv('{out}/../in/a1.csv')",
            f"from glob('{tmp_path}/in/*')",
            f"from read_text('{__file__}')",
            f"copy (select 1) to '{tmp_path}/b.csv'",
            f"attach '{tmp_path}/b.duckdb'",
            "install httpfs",
            "load httpfs",
            "set enable_external_access = true",
            "set threads = 1",
        ):
            with pytest.raises(duckdb.Error, match=r"configuration|disabled"):
                connection.execute(query)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]
