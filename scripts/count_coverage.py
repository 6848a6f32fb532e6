"""Count how often the post-step's statements hold where the truth is known.

Reads the warehouse and dbt's compiled models; writes one JSON file that the
report shows. Nothing in the warehouse changes. Run after ``dbt build``:

    python scripts/count_coverage.py
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from coverage_check import genres, record, scenarios
from coverage_check.experiments import coverage_rows
from coverage_check.splits import USERS, opened
from display.text import text_table
from warehouse import (
    WarehouseError,
    connect,
    default_file,
    read_mart,
    read_marts,
    version_of,
)

# Worlds cost more than splits, and are drawn anew each time.
MOST_WORLDS = 500
# Harmless distance of a coverage from its claim, beside chance.
WORLD_MARGIN = 0.01


def counted(
    warehouse: Path, compiled: Path, replicates: int, users: int
) -> list[dict[str, Any]]:
    """Count over every experiment of a warehouse.

    Takes a DuckDB file that dbt built, the folder of its compiled models, the
    splits of every world and the users of an experiment at most. Rows are those
    of `coverage_check.shares.share_row`, each with its ``subject``.
    """
    with connect(warehouse) as connection:
        statistics = read_mart(connection, "fct_experiment_statistics")
        experiments = map(str, statistics["experiment_id"].unique())
    rows = []
    for experiment in experiments:
        with opened(warehouse, compiled, experiment, users) as splits:
            found = coverage_rows(
                splits, replicates, partial(_announce, experiment)
            )
        rows += [{"subject": experiment} | row for row in found]
    return rows


def input_version(warehouse: Path) -> str:
    """Fingerprint what is counted, so that no other build shows it."""
    with connect(warehouse) as connection:
        return version_of(read_marts(connection, record.MARTS))


def planted(seeds: int) -> list[dict[str, Any]]:
    """Count what no split of users can: worlds whose effect is known.

    Rows are as those of `counted`, from so many worlds of every kind.
    """
    rows = []
    for subject, count in (
        ("exploring genres", genres.coverage_rows),
        ("scenarios", scenarios.coverage_rows),
    ):
        print(f"count_coverage: {subject}, {seeds:,} worlds", file=sys.stderr)
        rows += [
            {"subject": subject}
            | row
            | {
                "name": row["name"].replace("_", " "),
                "is_met": row["low"] - WORLD_MARGIN
                <= row["nominal"]
                <= row["high"] + WORLD_MARGIN,
            }
            for row in count(seeds)
        ]
    return rows


def _announce(experiment: str, world: str, done: int) -> None:
    print(
        f"count_coverage: {experiment}: {world}, {done:,} splits",
        file=sys.stderr,
        flush=True,
    )


def summary(rows: Sequence[dict[str, Any]]) -> str:
    """Write the shares as a table."""
    verdicts = {True: "as claimed", False: "OFF", None: "-"}
    return text_table(
        rows,
        {
            "": lambda row: f"{row['subject']}: {row['name']}",
            "claimed": lambda row: f"{row['nominal']:.3f}",
            "found": lambda row: f"{row['found']:.3f}",
            "99 % of chance": lambda row: (
                "-"
                if row["low"] is None
                else f"{row['low']:.3f} to {row['high']:.3f}"
            ),
            "replicates": lambda row: f"{row['replicates']:,}",
            "verdict": lambda row: verdicts[row["is_met"]],
        },
    )


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    target = Path(os.environ.get("DBT_TARGET_PATH") or "target")
    parser = argparse.ArgumentParser(
        description="Count how often tests, intervals and plans keep their "
        "word: users of finished experiments are split anew, through the SQL "
        "of the marts, and worlds whose effect is known are drawn for genres "
        "and scenarios. Run after dbt build.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--warehouse",
        type=Path,
        default=default_file(),
        help="DuckDB file that dbt built",
    )
    parser.add_argument(
        "--compiled",
        type=Path,
        default=target / "compiled",
        help="folder of dbt's compiled models",
    )
    parser.add_argument(
        "--replicates", type=int, default=2_000, help="splits of every world"
    )
    parser.add_argument(
        "--users", type=int, default=USERS, help="users per experiment"
    )
    parser.add_argument(
        "--out", type=Path, default=target / record.FILE, help="file to write"
    )
    options = parser.parse_args(arguments)
    for name, least in (("replicates", 20), ("users", 100)):
        if getattr(options, name) < least:
            parser.error(
                f"--{name} must be at least {least}, got "
                f"{getattr(options, name)}"
            )
    return options


def main() -> None:
    """Count, write, and print; fail if a claim is off."""
    options = parsed()
    try:
        version = input_version(options.warehouse)
        rows = counted(
            options.warehouse,
            options.compiled,
            options.replicates,
            options.users,
        ) + planted(min(options.replicates, MOST_WORLDS))
    except (WarehouseError, ValueError) as error:
        sys.exit(f"count_coverage: {error}")
    record.write(options.out, version, rows)
    print(summary(rows))
    off = sum(row["is_met"] is False for row in rows)
    if off:
        sys.exit(f"count_coverage: {off} of {len(rows)} claims are off")


if __name__ == "__main__":
    main()
