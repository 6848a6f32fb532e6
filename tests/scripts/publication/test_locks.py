"""One holder at a time, named to whoever comes second, released by death."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from publication.locks import LockedError, lock_file, locked, take

ROOT = Path(__file__).parents[3]
HOLDER = """
import subprocess, sys
from pathlib import Path
from publication.locks import take
held = take(Path(sys.argv[1]), "make load", shared=sys.argv[2] == "shared")
if sys.argv[2] == "lent":
    subprocess.Popen(["sleep", "60"], pass_fds=[held])
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def holding(guarded, how="alone"):
    """Let a process of its own hold a lock; yields the process."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(guarded), how],
        env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as holder:
        try:
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.stdin.close()
            with suppress(ProcessLookupError):
                os.killpg(holder.pid, signal.SIGKILL)


def test_what_is_guarded_need_not_exist_and_is_not_touched(tmp_path):
    with locked(tmp_path / "logs/mine", "make load"):
        assert list(tmp_path.iterdir()) == [tmp_path / "logs"]
        assert [path.name for path in (tmp_path / "logs").iterdir()] == [
            ".mine.lock"
        ]
    assert list((tmp_path / "logs").iterdir()) == []


def test_the_second_is_told_who_is_first_and_what_to_do(tmp_path):
    with (
        holding(tmp_path / "log") as holder,
        pytest.raises(LockedError) as refused,
    ):
        take(tmp_path / "log", "make run")
    said = str(refused.value)
    assert f"process {holder.pid} (make load, " in said
    assert f"kill {holder.pid}" in said
    assert "\n" not in said


def test_others_are_not_kept_waiting(tmp_path):
    with holding(tmp_path / "log"), locked(tmp_path / "other", "make run"):
        pass


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        ("shared", True, False),
        ("shared", False, True),
        ("alone", True, True),
        ("alone", False, True),
    ],
)
def test_sharing(tmp_path, first, second, *, is_refused):
    with holding(tmp_path / "log", first):
        if is_refused:
            with pytest.raises(LockedError, match="make load"):
                take(tmp_path / "log", "make run", shared=second)
        else:
            os.close(take(tmp_path / "log", "make run", shared=second))


def test_a_killed_holder_holds_nothing(tmp_path):
    with holding(tmp_path / "log") as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        os.close(take(tmp_path / "log", "make run"))


def test_the_lock_lasts_as_long_as_a_process_that_works_for_its_holder(
    tmp_path,
):
    with holding(tmp_path / "log", "lent") as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with pytest.raises(LockedError, match="outlived its command"):
            take(tmp_path / "log", "make run")


def test_a_file_that_its_holder_removes_is_not_locked_for_nothing(tmp_path):
    """Many come and go at once: each finds that it is alone."""
    count = tmp_path / "count"
    count.write_text("0")
    code = """
import sys
from pathlib import Path
from publication.locks import LockedError, locked
done = 0
while done < 100:
    try:
        with locked(Path(sys.argv[1]) / "log", "make load"):
            count = Path(sys.argv[1]) / "count"
            count.write_text(str(int(count.read_text()) + 1))
            done += 1
    except LockedError:
        pass
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")},
        )
        for _ in range(3)
    ]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert count.read_text() == "300"


def test_the_file_does_not_grow_with_holders_that_are_alone(tmp_path):
    for _ in range(3):
        os.close(take(tmp_path / "log", "make run"))
    assert len(lock_file(tmp_path / "log").read_text().splitlines()) == 1
