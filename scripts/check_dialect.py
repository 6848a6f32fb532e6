"""Let PostgreSQL judge whether the models are spelt in portable SQL.

DuckDB forgives much that other engines refuse. This starts a private PostgreSQL
server in a temporary folder, reached by a socket in that folder and by nothing
else, builds every model on empty tables, runs the unit tests, and removes it
all. It needs the packages of requirements-postgres.txt and the programs of
Debian's `postgresql` package; a cluster of the machine is neither needed nor
touched.

    python scripts/check_dialect.py
"""

from __future__ import annotations

import argparse
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from raw.files import REFERENCES, TABLES

ROOT = Path(__file__).resolve().parents[1]
DEBIAN = Path("/usr/lib/postgresql")
PROGRAMS = ("initdb", "pg_ctl", "postgres")
USER = "streaming"
NOT_RUN = 2


class DbtError(Exception):
    """What dbt printed when it stopped before the first node."""


class NotRunError(Exception):
    """Why nothing was checked: one line that names the cause and the remedy."""


def find_programs() -> Path:
    """Find the folder of PostgreSQL's server: on PATH, or Debian's newest.

    Raises
    ------
    NotRunError
        If there is none.
    """
    on_path = [Path(each) for each in os.get_exec_path() if each]
    of_debian = sorted(
        DEBIAN.glob("*/bin"),
        key=lambda folder: [int(n) for n in re.findall(r"\d+", str(folder))],
        reverse=True,
    )
    for folder in (*on_path, *of_debian):
        if all(os.access(folder / name, os.X_OK) for name in PROGRAMS):
            return folder
    raise NotRunError(
        "no PostgreSQL server found; install one (Debian, Ubuntu: apt-get"
        " install --no-install-recommends postgresql), or put its folder of"
        " programs on PATH"
    )


def user_of_server() -> str | None:
    """Name who runs the server, which refuses root; None for whoever asks."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def run_program(command: Sequence[str | Path], cwd: Path) -> None:
    """Run one of PostgreSQL's programs as the server's user.

    Raises
    ------
    NotRunError
        If it fails, with its last line.
    """
    user = user_of_server()
    log = cwd / "program.log"
    # Not a pipe: the server would inherit it and keep it open.
    with log.open("wb") as out:
        done = subprocess.run(  # noqa: S603 (programs found above)
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            user=user,
            group=None if user is None else pwd.getpwnam(user).pw_gid,
            extra_groups=None if user is None else [],
            check=False,
        )
    if done.returncode:
        words = log.read_text(errors="replace").strip().splitlines()
        raise NotRunError(
            f"{Path(command[0]).name} failed: {words[-1] if words else 'mute'}"
        )


@contextmanager
def server(programs: Path) -> Iterator[Path]:
    """Run a server; yield the folder of its socket, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="dialect-"))
    try:
        user = user_of_server()
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        initdb: list[str | Path] = [
            programs / "initdb",
            f"--pgdata={data}",
            f"--username={USER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]
        run_program(initdb, folder)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": folder,
            "timezone": "UTC",
            "fsync": "off",
        }
        options = " ".join(
            f"-c {name}='{value}'" for name, value in settings.items()
        )
        control: list[str | Path] = [
            programs / "pg_ctl",
            f"--pgdata={data}",
            "--wait",
        ]
        log = f"--log={folder / 'server.log'}"
        try:
            run_program([*control, log, "-o", options, "start"], folder)
            yield folder
        finally:
            if (data / "postmaster.pid").exists():
                run_program([*control, "--mode=immediate", "stop"], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_dbt(folder: Path, *verb: str) -> list[dict[str, Any]]:
    """Run a verb of dbt on the server; return what it writes of each node.

    Raises
    ------
    DbtError
        If it stops before the first node, with what it printed.
    """
    seeds = folder / "seeds"
    seeds.mkdir(exist_ok=True)
    for name in (*TABLES, *REFERENCES):
        (seeds / f"{name}.csv").touch()
    target = folder / "target"
    results = target / "run_results.json"
    results.unlink(missing_ok=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DBT_", "PG", "POSTGRES_", "STREAMING_"))
    }
    dbt = Path(sys.executable).with_name("dbt")
    done = subprocess.run(  # noqa: S603 (dbt beside this Python)
        [dbt, "--quiet", "--no-use-colors", *verb],
        cwd=ROOT,
        env=kept
        | {
            "DBT_LOG_PATH": str(target),
            "DBT_PROFILES_DIR": str(ROOT),
            "DBT_TARGET_PATH": str(target),
            "POSTGRES_DB": "postgres",
            "POSTGRES_HOST": str(folder),
            "POSTGRES_USER": USER,
            "STREAMING_SEEDS": str(seeds),
            "STREAMING_TARGET": "postgres",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if not results.exists():
        raise DbtError(done.stdout + done.stderr)
    found: list[dict[str, Any]] = json.loads(results.read_text())["results"]
    return found


def tell(
    results: Sequence[Mapping[str, Any]], kind: str
) -> tuple[str, list[str]]:
    r"""Count what was accepted, and say of the rest why not.

    Of run_results.json `unique_id`, `status` and `message` are read; the kind
    counted is `model` or `unit_test`. Gives how many of how many, and a line
    for each node of any kind that was refused, and for nothing to be counted;
    what was skipped on account of others has none.

    Examples
    --------
    >>> said = "Database Error in model b\n  no function max_by\n  LINE 1"
    >>> tell([
    ...     {"unique_id": "model.p.a", "status": "success", "message": "OK"},
    ...     {"unique_id": "model.p.b", "status": "error", "message": said},
    ...     {"unique_id": "model.p.c", "status": "skipped", "message": None},
    ... ], "model")
    ('1 of 3', ['b: no function max_by'])
    """
    statuses = [
        each["status"]
        for each in results
        if each["unique_id"].startswith(f"{kind}.")
    ]
    accepted = sum(status in ("success", "pass") for status in statuses)
    refusals = [] if statuses else [f"no {kind} was judged"]
    for each in results:
        if each["status"] not in ("success", "pass", "skipped"):
            name = each["unique_id"].split(".", 2)[2]
            said = [
                line.strip()
                for line in (each["message"] or "").splitlines()
                if line.strip()
            ]
            # What follows the last headline, such as `Database Error in ...`.
            at = max(
                (n + 1 for n, line in enumerate(said) if " Error" in line),
                default=0,
            )
            refusals.append(f"{name}: {' '.join(said[at : at + 1])}")
    return f"{accepted} of {len(statuses)}", refusals


def judge(folder: Path) -> tuple[list[str], list[str]]:
    """Build the models on empty tables and, if all are accepted, test them.

    Gives what was accepted, and what was not and why.
    """
    models = ("--resource-type=seed", "--resource-type=model")
    results = run_dbt(folder, "build", "--empty", *models)
    count, refusals = tell(results, "model")
    counts = [f"{count} models accepted"]
    if not refusals:
        results = run_dbt(folder, "test", "--select", "test_type:unit")
        count, refusals = tell(results, "unit_test")
        counts.append(f"{count} unit tests passed")
    return counts, refusals


def version_of(programs: Path) -> str:
    """Read the server's version: the number before the point."""
    told = subprocess.run(  # noqa: S603 (a program found above)
        [programs / "postgres", "--version"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.search(r"\d+", told)
    return found[0] if found else told.strip()


def main() -> None:
    """Check, and say how many models were accepted."""
    argparse.ArgumentParser(
        description="Build all models on an empty, private PostgreSQL server."
    ).parse_args()
    # Ended from outside, it still stops the server and removes the folder.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        programs = find_programs()
        if find_spec("dbt.adapters.postgres") is None:
            raise NotRunError("no dbt-postgres found; run `make postgres`")
        with server(programs) as folder:
            counts, refusals = judge(folder)
    except NotRunError as error:
        print(f"check_dialect: {error}", file=sys.stderr)
        sys.exit(NOT_RUN)
    except DbtError as error:
        sys.exit(f"{error}\ncheck_dialect: dbt stopped before the first model")
    print(f"PostgreSQL {version_of(programs)}: {', '.join(counts)}")
    for line in refusals:
        print(f"  {line}")
    sys.exit(1 if refusals else 0)


if __name__ == "__main__":
    main()
