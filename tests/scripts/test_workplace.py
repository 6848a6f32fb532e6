"""What would stop a build is said in one line, before it starts."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from holding import held

import check_workplace
from raw.files import REFERENCES, TABLES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def seeds(tmp_path):
    folder = tmp_path / "seeds"
    folder.mkdir()
    headers = {name: ",".join(columns) for name, columns in TABLES.items()}
    for name, header in (headers | REFERENCES).items():
        (folder / f"{name}.csv").write_text(f"{header}\n")
    for name in ("users", "events"):
        with (folder / f"{name}.csv").open("a") as file:
            file.write("1" + headers[name].count(",") * "," + "\n")
    return folder


@pytest.fixture
def warehouse(tmp_path):
    """A sound warehouse, in a folder with a plain name."""
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create table t as select range from range(100000)")
    return path


@pytest.fixture
def check(script, tmp_path, seeds):
    def run(warehouse, folder=seeds):
        return script(
            "check_workplace.py",
            folder,
            tmp_path,
            "--seeds",
            folder,
            "--warehouse",
            warehouse,
        )

    return run


def assert_one_line(done, *words):
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    for word in words:
        assert word in done.stderr


def test_says_nothing_when_all_is_well(check, warehouse):
    done = check(warehouse)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_needs_no_warehouse_yet(check, tmp_path):
    done = check(tmp_path / "new" / "warehouse.duckdb")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "new" / "warehouse.duckdb").exists()


def test_names_every_missing_file_and_the_remedy(check, seeds, warehouse):
    (seeds / "users.csv").unlink()
    (seeds / "events.csv").unlink()
    assert_one_line(
        check(warehouse), "users.csv, events.csv", "make data", "make load"
    )


def test_names_a_missing_folder(check, tmp_path, warehouse):
    assert_one_line(check(warehouse, tmp_path / "nowhere"), "nowhere/ lacks")


def test_a_reader_of_the_warehouse_is_no_obstacle(check, warehouse):
    with held(warehouse):
        assert check(warehouse).returncode == 0


def test_names_a_full_disk(seeds, warehouse, monkeypatch):
    full = shutil._ntuple_diskusage(10**9, 10**9, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    obstacle = check_workplace.find_obstacle(seeds, warehouse)
    assert "0.0 GB free" in obstacle
    assert "STREAMING_WAREHOUSE" in obstacle


@pytest.mark.parametrize("name", check_workplace.RAW_FILES)
def test_every_raw_file_has_an_entry_that_says_who_writes_it(name):
    """dbt names the file's entry where the file is missing."""
    (entry,) = (
        path
        for path in (ROOT / "models" / "staging").rglob("_*__seeds.yml")
        if f"\n  - name: {name}\n" in path.read_text()
    )
    head = entry.read_text().split("seeds:")[0]
    assert "a node that was not found" in " ".join(
        head.replace("#", "").split()
    )
    assert "`make load`" in head


def test_dbt_by_itself_names_the_missing_file_and_its_entry(
    dbt, log_of, tmp_path
):
    log = log_of(tmp_path / "log")
    (log / "events.csv").unlink()
    done = dbt(log, tmp_path, "build")
    said = " ".join(done.stdout.split())
    assert done.returncode == 2
    assert "depends on a node named 'events' which was not found" in said
    assert "'models/staging/service/_service__seeds.yml'" in said
    assert "a node named 'events' which was not found" in " ".join(
        (ROOT / "README.md").read_text().split()
    )


def test_make_looks_at_the_workplace_before_dbt_does():
    rules = (ROOT / "Makefile").read_text().split("\n\n")
    for rule in rules:
        for word in ("dbt build", "docs generate", "quiet seed"):
            if f"{word} " in rule:
                assert "check_workplace.py" in rule.split(word)[0], rule


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_help_lists_every_described_target():
    described = re.findall(
        r"^([\w.-]+):.*## (.+)$",
        (ROOT / "Makefile").read_text(),
        flags=re.MULTILINE,
    )
    assert len(described) > 10
    listed = subprocess.run(
        [shutil.which("make"), "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert listed.splitlines() == [
        f"  make {name:<12} {text}" for name, text in described
    ]


@pytest.fixture
def check_python(tmp_path):
    def run():
        return subprocess.run(
            [sys.executable, ROOT / "scripts" / "check_python.py"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize("kind", ["none", "empty", "environment"])
def test_an_environment_may_be_made_anew(check_python, tmp_path, kind):
    if kind != "none":
        (tmp_path / ".venv").mkdir()
    if kind == "environment":
        (tmp_path / ".venv" / "pyvenv.cfg").touch()
    done = check_python()
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("kind", ["link", "file", "folder", "dangling"])
def test_what_is_no_environment_is_never_emptied(check_python, tmp_path, kind):
    path = tmp_path / ".venv"
    if kind == "link":
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "pyvenv.cfg").touch()
    if kind in ("link", "dangling"):
        path.symlink_to(tmp_path / "other")
    elif kind == "file":
        path.touch()
    else:
        path.mkdir()
        (path / "thesis.md").touch()
    done = check_python()
    assert_one_line(
        done, ".venv is ", "rm .venv" if path.is_symlink() else "move it away"
    )
