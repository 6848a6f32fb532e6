"""What the end-to-end proofs share: logs, builds, and their comparison."""

import shutil
import subprocess
import sys

import duckdb
import pandas as pd
import pytest
from builds import (
    RAW_COLUMNS,
    ROOT,
    Dbt,
    dbt_command,
    environment,
    two_warehouses,
)

from raw.files import reference_files


def pytest_collection_modifyitems(items):
    """Begin with the files that build warehouses: they take longest."""
    slow = {
        item.path
        for item in items
        if "dbt" in getattr(item, "fixturenames", ())
    }
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def dbt():
    """Run dbt from the project's root; returns the completed process."""
    run = Dbt()
    yield run
    run.stop()


@pytest.fixture(scope="session")
def start_dbt():
    """Start dbt and leave it running; its lines come out of `stdout`."""

    def start(seeds, folder, *words):
        return subprocess.Popen(
            dbt_command(*words),
            cwd=ROOT,
            env=environment(seeds, folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


@pytest.fixture(scope="session")
def build(dbt):
    """Build a folder of raw files into ``folder/warehouse.duckdb``.

    Unit tests prove nothing about data and never run; data tests run on
    request. `extra` are environment variables. Returns a read-only connection:
    close it before the same folder is built again.
    """

    def run(
        seeds,
        folder,
        variables=None,
        select=None,
        extra_args=(),
        *,
        with_tests=False,
        **extra,
    ):
        folder.mkdir(parents=True, exist_ok=True)
        words = ["build", "--exclude-resource-type", "unit_test"]
        if not with_tests:
            words += ["test"]
        if select:
            words += ["--select", *select.split()]
        done = dbt(
            seeds, folder, *words, *extra_args, variables=variables, **extra
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr
        return duckdb.connect(folder / "warehouse.duckdb", read_only=True)

    return run


@pytest.fixture(scope="session")
def script():
    """Run a script of the project on a build; returns the process."""

    def run(name, seeds, folder, *words):
        return subprocess.run(
            [sys.executable, f"scripts/{name}", *map(str, words)],
            cwd=ROOT,
            env=environment(seeds, folder),
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def add_references():
    """Put the project's hand-written reference files beside a log.

    A log without measures or segments of its own gets the files' headers.
    """

    def add(folder):
        for name in ("user_measures", "user_segments"):
            path = folder / f"{name}.csv"
            if not path.exists():
                path.write_text(",".join(RAW_COLUMNS[name].split()) + "\n")
        for path in reference_files(ROOT / "seeds"):
            (folder / path).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / "seeds" / path, folder / path)
        return folder

    return add


@pytest.fixture(scope="session")
def log_of(add_references):
    """Write frames as raw files; columns and files not given are empty."""

    def write(folder, **frames):
        folder.mkdir(parents=True, exist_ok=True)
        for name, columns in RAW_COLUMNS.items():
            frame = frames.get(name, pd.DataFrame())
            frame.reindex(columns=columns.split()).to_csv(
                folder / f"{name}.csv", index=False
            )
        return add_references(folder)

    return write


@pytest.fixture(scope="session")
def compiled(dbt, log_of, tmp_path_factory):
    """Compile models; returns their SQL by name, in the order given.

    Relations are called ``warehouse.<schema>.<model>``: attach a database by
    that name and run the SQL on tables of one's own.
    """

    def run(*names, variables=None):
        folder = tmp_path_factory.mktemp("compiled")
        done = dbt(
            log_of(folder / "log"),
            folder,
            "compile",
            "--select",
            *names,
            variables=variables,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr
        found = {
            path.stem: path.read_text()
            for path in (folder / "target/compiled").rglob("*.sql")
            if "models" in path.parts
        }
        return {name: found[name] for name in names}

    return run


@pytest.fixture(scope="session")
def simulate(script, add_references):
    """Write a simulated log, ready to build."""

    def run(folder, *words):
        done = script(
            "generate_seeds.py", folder, folder, "--out", folder, *words
        )
        assert done.returncode == 0, done.stderr
        return add_references(folder)

    return run


@pytest.fixture(scope="session")
def columns_of():
    """Columns by table of a schema, both in order of name and position."""

    def read(connection, schema="marts"):
        found = {}
        for table, column, kind in connection.execute(
            "select table_name, column_name, data_type"
            " from information_schema.columns"
            " where table_schema = ? and table_catalog = current_database()"
            " order by table_name, ordinal_position",
            [schema],
        ).fetchall():
            found.setdefault(table, []).append((column, kind))
        return found

    return read


@pytest.fixture(scope="session")
def differing_marts(columns_of):
    """Name the marts that differ in columns or in any row, either way.

    `view` may say how the marts of the other folder are to be read: it takes
    a mart and its columns and returns what stands for ``select * from it``,
    or nothing where the mart is to be left out. `own_view` does the same for
    the marts of the first folder.
    """

    def plain(mart, _columns):
        return f"select * from {mart}"

    def compare(folder, other, without=(), view=plain, own_view=plain):
        with two_warehouses(folder, other) as connection:
            connection.execute("use one")
            ours = columns_of(connection)
            connection.execute("use two")
            theirs = columns_of(connection)
            assert len(ours) > 15
            differing = sorted(ours.keys() ^ theirs.keys())
            for mart in sorted(ours.keys() & theirs.keys()):
                mine = own_view(f"one.marts.{mart}", ours[mart])
                yours = view(f"two.marts.{mart}", theirs[mart])
                if mart in without or not mine or not yours:
                    continue
                rows = connection.execute(
                    f"select count(*) from ("
                    f"(({mine}) except all ({yours})) union all"
                    f"(({yours}) except all ({mine})))"
                ).fetchone()[0]
                if rows or ours[mart] != theirs[mart]:
                    differing.append(mart)
        return differing

    return compare
