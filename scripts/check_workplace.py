"""Say in one line what would stop a build, before it starts.

Reads the folder of raw files and the free disk. A log that
declares no types of events is given the project's; nothing else is written. Run
by ``make build``:

    python scripts/check_workplace.py
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from raw.files import EVENT_TYPES, REFERENCES, TABLES

RAW_FILES = (*TABLES, *REFERENCES)


def complete(seeds: Path) -> str | None:
    """Give a log without types of events the project's, and say so.

    Gives one line, or None when nothing was written.
    """
    target = seeds / EVENT_TYPES.name
    if target.exists() or not (seeds / "events.csv").is_file():
        return None
    shutil.copyfile(EVENT_TYPES, target)
    return f"{target}: the log had none, and has the project's now."


def find_obstacle(seeds: Path, warehouse: Path) -> str | None:
    """Name the first thing that would stop a build, and its remedy.

    The DuckDB file need not exist. Gives one line, or None when nothing stands
    in the way.
    """
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

    warehouse.parent.mkdir(parents=True, exist_ok=True)
    raw_bytes = sum(
        (seeds / f"{name}.csv").stat().st_size for name in RAW_FILES
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
        obstacle = find_obstacle(options.seeds, options.warehouse)
    else:
        obstacle = find_landing_obstacle(options.landed)
    if obstacle:
        sys.exit(obstacle)


if __name__ == "__main__":
    main()
