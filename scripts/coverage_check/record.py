"""The file of what was counted: how it is written, and what is read of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]

FILE = "coverage.json"
# What is split anew: nothing else makes the counts out of date.
MARTS = ("fct_experiment_statistics",)
FIELDS = {
    "subject",
    "name",
    "nominal",
    "found",
    "low",
    "high",
    "replicates",
    "is_met",
}


def write(path: Path, version: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the counts of one version of the marts, whole or not at all."""
    unfinished = path.with_name(f".{path.name}.partial")
    found = {"input_version": version, "rows": list(rows)}
    unfinished.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(path)


def read(path: Path, version: str) -> tuple[list[Row], bool]:
    """Read the counts, if there are any of these marts.

    Gives no rows where the file is absent or of other marts, and False for a
    file of other marts.

    Raises
    ------
    ValueError
        If the file is not one that `write` wrote.
    """
    if not path.is_file():
        return [], True
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        is_current = found["input_version"] == version
        rows = list(found["rows"])
        is_known = all(row.keys() >= FIELDS for row in rows)
    except (ValueError, AttributeError, TypeError, KeyError):
        is_known = False
    if not is_known:
        raise ValueError(
            f"{path} is no count of this version; run `make coverage`, or"
            " delete it"
        )
    return (rows, True) if is_current else ([], False)
