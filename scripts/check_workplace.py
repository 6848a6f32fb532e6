"""Say in one line what would stop a build, before it starts.

Reads the folder of raw files and the free disk. A log that declares no types of
events is given the project's; beside the warehouse the digests of the raw files
are kept, so that none is read twice. Nothing else is written. ``make`` looks so
before every build:

    python scripts/check_workplace.py
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from publication.runs import FACTS
from raw.checks import (
    errors,
    find_problems,
    find_unreadable,
    find_unwritable,
)
from raw.files import EVENT_TYPES, REFERENCES, TABLES, typed_files

RAW_FILES = (*TABLES, *REFERENCES)
# Bytes of CSV that a byte of Parquet holds.
PARQUET_FACTOR = 6
# Whoever reads more than this waits long enough to be told why [bytes].
SHOWN_BYTES = 2_000_000_000


def complete(seeds: Path) -> str | None:
    """Give a log without types of events the project's, and say so.

    Gives one line, or None when nothing was written.
    """
    target = seeds / EVENT_TYPES.name
    try:
        if target.exists() or not (seeds / "events.csv").is_file():
            return None
        shutil.copyfile(EVENT_TYPES, target)
    except PermissionError:
        return None  # The obstacle that is found next.
    return f"{target}: the log had none, and has the project's now."


def find_obstacle(seeds: Path, warehouse: Path) -> str | None:
    """Name the first thing that would stop a build, and its remedy.

    The DuckDB file need not exist. Gives one line, or None when nothing stands
    in the way.
    """
    closed = find_unreadable(seeds) if seeds.is_dir() else []
    if closed:
        return str(closed[0])
    missing = [
        f"{name}.csv"
        for name in RAW_FILES
        if not (seeds / f"{name}.csv").is_file()
    ]
    if missing:
        return (
            f"{seeds}/ lacks {', '.join(missing)}: run `make data` for the"
            " demo, or `make load MAPPING=file.yml` for your own logs."
        )

    closed = [
        *find_unwritable(warehouse.parent),
        *find_unwritable(Path(os.environ.get("DBT_TARGET_PATH", "target"))),
    ]
    if closed:
        return str(closed[0])
    raw_bytes = sum(
        (seeds / f"{name}.csv").stat().st_size for name in RAW_FILES
    ) + PARQUET_FACTOR * sum(
        path.stat().st_size
        for table in TABLES
        for path in typed_files(seeds, table)
    )
    # Raw, classified, sessionised and joined events, and a margin to sort in:
    # the version that readers have stays until this one takes its place.
    needed = 4 * raw_bytes + 200_000_000
    free = shutil.disk_usage(warehouse.parent).free
    if free < needed:
        return (
            f"{warehouse.parent}/ has {free / 1e9:.1f} GB free and the build"
            f" needs about {needed / 1e9:.1f} GB: make room, or set"
            " STREAMING_WAREHOUSE to a file on another disk."
        )

    return None


def find_landing_obstacle(landed: str) -> str | None:
    """Name what a build on another engine lacks, as `find_obstacle` does.

    An address such as `s3a://...` is left to the engine.
    """
    if "://" in landed or (Path(landed) / "events").is_dir():
        return None
    return (
        f"{landed}/ holds no landed files: run `make land`, or set"
        " STREAMING_LANDED to where they are."
    )


def show_progress(done: int, total: int) -> None:
    """Say on a terminal how far raw files are read, if it takes a while."""
    if total > SHOWN_BYTES and sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(
            f"\rReading {total / 1e9:.1f} GB of raw files, once:"
            f" {done / total:4.0%}",
            end=end,
            file=sys.stderr,
        )


def look(seeds: Path, warehouse: Path) -> tuple[list[str], str | None]:
    """Look at everything; give what is worth knowing, and the obstacle."""
    obstacle = find_obstacle(seeds, warehouse)
    if obstacle:
        return [], obstacle
    found = find_problems(seeds, warehouse.with_name(FACTS), show_progress)
    warnings = [str(each) for each in found if each.severity == "warn"]
    return warnings, "\n".join(map(str, errors(found))) or None


def main() -> None:
    """Print the obstacle, if any, and exit with status 1."""
    parser = argparse.ArgumentParser(
        description="Say in one line what would stop a build."
    )
    parser.add_argument(
        "--seeds",
        type=Path,
        default=Path(os.environ.get("STREAMING_SEEDS", "seeds")),
        help="folder of the raw CSV files (default: %(default)s)",
    )
    parser.add_argument(
        "--warehouse",
        type=Path,
        default=Path(
            os.environ.get(
                "STREAMING_WAREHOUSE", "target/streaming_engagement.duckdb"
            )
        ),
        help="the DuckDB file (default: %(default)s)",
    )
    parser.add_argument(
        "--landed",
        default=os.environ.get("STREAMING_LANDED", "target/landed"),
        help="folder of the landed files (default: %(default)s)",
    )
    options = parser.parse_args()
    if os.environ.get("STREAMING_TARGET", "duckdb") == "duckdb":
        written = complete(options.seeds)
        if written:
            print(written)
        warnings, obstacle = look(options.seeds, options.warehouse)
        for warning in warnings:
            print(warning)
    else:
        obstacle = find_landing_obstacle(options.landed)
    if obstacle:
        sys.exit(obstacle)


if __name__ == "__main__":
    main()
