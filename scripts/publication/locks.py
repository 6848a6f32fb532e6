"""One holder at a time of a folder or a file, told by name.

The lock is the operating system's, on a file beside what it guards: it ends
with the processes that hold it, however they end.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

# Of what holders say of themselves [bytes].
SAID_BYTES = 100_000


class LockedError(Exception):
    """Somebody else holds it: one line that names them and the remedy."""


def lock_file(guarded: Path) -> Path:
    """Return the file beside what is guarded that is locked for it."""
    named = guarded if guarded.name else guarded.absolute()
    return named.with_name(f".{named.name}.lock")


def take(guarded: Path, command: str, *, shared: bool = False) -> int:
    """Lock a folder or a file, which need not exist; return the descriptor.

    The lock lasts until every process that has inherited the descriptor has
    closed it or ended. Several may share a lock; nobody else holds it then.
    `command` says to others who holds it.

    Raises
    ------
    LockedError
        If somebody else holds it, in a way that excludes this one.
    """
    path = lock_file(guarded)
    with suppress(FileExistsError):  # Opening says what is wrong with it.
        path.parent.mkdir(parents=True, exist_ok=True)
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            said = os.pread(descriptor, SAID_BYTES, 0).decode()
            os.close(descriptor)
            raise LockedError(_refusal(guarded, said)) from None
        if _is_at(descriptor, path):
            break
        os.close(descriptor)  # The last holder has removed it since.
    if not shared:
        os.ftruncate(descriptor, 0)
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    os.write(descriptor, f"{os.getpid()}\t{since}\t{command}\n".encode())
    return descriptor


@contextmanager
def locked(
    guarded: Path, command: str, *, shared: bool = False
) -> Iterator[int]:
    """Hold a lock inside a `with`; see `take`.

    Who held it alone leaves no file behind.
    """
    descriptor = take(guarded, command, shared=shared)
    try:
        yield descriptor
    finally:
        if not shared:
            lock_file(guarded).unlink(missing_ok=True)
        os.close(descriptor)


def this_command() -> str:
    """Write down the command of this process, as somebody would type it."""
    program, *words = sys.argv
    return shlex.join([Path(program).name, *words])


def _is_at(descriptor: int, path: Path) -> bool:
    """Tell whether an open file is still the one that has the name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _refusal(guarded: Path, said: str) -> str:
    """Name who holds a lock, as far as they have said, and what to do."""
    holders = []
    for line in said.splitlines():
        number, since, command = line.split("\t", 2)
        if Path(f"/proc/{number}").exists() or not Path("/proc").exists():
            holders.append((number, f"process {number} ({command}, {since})"))
    if not holders:
        return (
            f"{guarded} is in use by a process that outlived its command;"
            " wait until it ends and run this again"
        )
    names = " and ".join(name for _, name in holders)
    numbers = " ".join(number for number, _ in holders)
    return (
        f"{guarded} is in use by {names}; wait until it ends, or stop it with"
        f" `kill {numbers}`, and run this again"
    )
