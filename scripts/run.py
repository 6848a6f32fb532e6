"""Build, analyse and report a log as one run, and publish what passed.

Works on a file of its own beside the warehouse, which takes the warehouse's
place once every step and test has passed. After a failure readers keep what
they had. Run by ``make run``, ``make build`` and ``make analyze``:

    python scripts/run.py [--steps build analyze report]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from check_workplace import complete, find_landing_obstacle, look
from publication import runs
from publication.locks import LockedError, locked, this_command

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
STEPS = ("build", "analyze", "report")


class StepError(Exception):
    """A step failed; it has said why."""


def commands(
    step: str, variables: Sequence[str], report: Path
) -> list[list[str]]:
    """Write the commands of a step."""
    dbt, python = str(BIN / "dbt"), sys.executable
    return {
        "build": [
            [dbt, "build", "--exclude-resource-type", "unit_test", *variables]
        ],
        "analyze": [
            [python, "scripts/analyze.py"],
            [dbt, "--quiet", "test", "--select", "source:results", *variables],
        ],
        "report": [[python, "scripts/build_report.py", "--out", str(report)]],
    }[step]


def work(
    steps: Sequence[str],
    seeds: Path,
    report: Path,
    environment: dict[str, str],
    locks: Sequence[int],
) -> None:
    """Run the commands of steps, one after another.

    Raises
    ------
    StepError
        If one of them fails; names it.
    """
    given = seeds / "vars.yml"
    variables = (
        ["--vars", given.read_text(encoding="utf-8")] if given.is_file() else []
    )
    for step in steps:
        for command in commands(step, variables, report):
            done = subprocess.run(  # noqa: S603
                command,
                cwd=ROOT,
                env=os.environ | environment,
                check=False,
                pass_fds=locks,
            )
            if done.returncode:
                raise StepError(step)


def run_on_files(steps: Sequence[str], seeds: Path, warehouse: Path) -> None:
    """Run steps on DuckDB, and publish.

    Raises
    ------
    StepError, UnpublishedError, LockedError, ValueError
        If readers keep what they have.
    """
    builds = "build" in steps
    if not builds and not warehouse.is_file():
        raise ValueError(f"no warehouse at {warehouse}; run `make build`")
    run = runs.start(warehouse, seeds, this_command(), anew=builds)
    environment = run.environment()
    report = run.version.report.parent.absolute()
    first = [step for step in steps if step != "report"]
    work(first, seeds, report, environment, run.locks)
    said = run.record(runs.read_build(run.version.notes) if builds else None)
    if "report" in steps:
        work(["report"], seeds, report, environment, run.locks)
    print(run.publish())
    print("\n".join(said))


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    warehouse = Path(
        os.environ.get("STREAMING_WAREHOUSE")
        or "target/streaming_engagement.duckdb"
    )
    parser = argparse.ArgumentParser(
        description="Build, analyse and report a log as one run.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--steps",
        nargs="+",
        choices=STEPS,
        default=STEPS,
        help="what to do, in this order",
    )
    parser.add_argument(
        "--seeds",
        type=Path,
        default=Path(os.environ.get("STREAMING_SEEDS") or "seeds"),
        help="folder of the raw files",
    )
    parser.add_argument(
        "--warehouse", type=Path, default=warehouse, help="the DuckDB file"
    )
    return parser.parse_args(arguments)


def main() -> None:
    """Run the steps; say in a line why readers keep what they had."""
    options = parsed()
    seeds, warehouse = options.seeds, options.warehouse
    try:
        if os.environ.get("STREAMING_TARGET", "duckdb") != "duckdb":
            landed = os.environ.get("STREAMING_LANDED", "target/landed")
            obstacle = find_landing_obstacle(landed)
            if obstacle:
                sys.exit(obstacle)
            with locked(warehouse, this_command()) as lock:
                report = warehouse.with_name("report").absolute()
                work(options.steps, seeds, report, {}, [lock])
            return
        if "build" in options.steps:
            written = complete(seeds)
            if written:
                print(written)
            warnings, obstacle = look(seeds, warehouse)
            if obstacle:
                sys.exit(obstacle)
            print("\n".join(warnings), end="\n" if warnings else "")
        run_on_files(options.steps, seeds, warehouse)
    except StepError as error:
        sys.exit(
            f"Not published: {error} failed; readers keep the version before."
        )
    except (runs.UnpublishedError, LockedError, OSError, ValueError) as error:
        sys.exit(f"Not published: {error}")
    except KeyboardInterrupt:
        sys.exit("Not published: stopped; readers keep the version before.")


if __name__ == "__main__":
    main()
