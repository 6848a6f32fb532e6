"""PostgreSQL judges the models, and says so when it cannot."""

import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

import check_dialect

ROOT = Path(__file__).parents[2]


def is_ready():
    try:
        check_dialect.find_programs()
    except check_dialect.NotRunError:
        return False
    return find_spec("dbt.adapters.postgres") is not None


def words_of(pid):
    """How a process was called; nothing once it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


needs_server = pytest.mark.skipif(
    not is_ready(), reason="no PostgreSQL server, or no dbt-postgres"
)


@pytest.fixture
def open_folder():
    """A folder that the server's user can reach, as pytest's are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def no_programs(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(check_dialect, "DEBIAN", tmp_path)
    monkeypatch.setattr(sys, "argv", ["check_dialect.py"])


@pytest.mark.usefixtures("no_programs")
def test_says_how_to_get_a_server(capsys):
    with pytest.raises(SystemExit) as ended:
        check_dialect.main()
    assert ended.value.code == check_dialect.NOT_RUN
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert "apt-get install --no-install-recommends postgresql" in said.err


def test_takes_the_newest_of_debian(monkeypatch, tmp_path):
    for version in ("9.6", "15", "17"):
        folder = tmp_path / version / "bin"
        folder.mkdir(parents=True)
        for name in check_dialect.PROGRAMS:
            (folder / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(check_dialect, "DEBIAN", tmp_path)
    assert check_dialect.find_programs() == tmp_path / "17/bin"


def test_nothing_judged_is_a_refusal():
    assert check_dialect.tell([], "model") == (
        "0 of 0",
        ["no model was judged"],
    )


@needs_server
def test_leaves_nothing_behind_when_ended_early(open_folder):
    running = subprocess.Popen(
        [sys.executable, ROOT / "scripts/check_dialect.py"],
        env=os.environ | {"TMPDIR": str(open_folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while not list(open_folder.glob("dialect-*/seeds")):
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    [state] = open_folder.glob("dialect-*/data/postmaster.pid")
    pid = int(state.read_text().split()[0])
    assert words_of(pid)
    running.terminate()
    running.wait(timeout=30)
    assert not list(open_folder.iterdir())
    assert not words_of(pid)


@pytest.mark.slow
@needs_server
def test_accepts_every_model():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/check_dialect.py"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    count = len(list((ROOT / "models").rglob("*.sql")))
    assert f"{count} of {count} models accepted" in done.stdout
