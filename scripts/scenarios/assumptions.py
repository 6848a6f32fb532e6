"""Scenario assumptions as they are written down, turned into terms.

Pure functions: rows in, terms out, refusals that name the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import isnan, nan
from typing import Any, NamedTuple

from estimates.numbers import GRADES
from scenarios.distributions import Term
from scenarios.units import is_fraction

FILE = "scenario_assumptions.csv"  # where a user mends a row
EVERY_VERSION = "all"  # as the marts write an empty version


class Assumption(NamedTuple):
    """One assumed term."""

    term: Term  # its value and distribution
    unit: str  # what it counts
    source: str  # why this number
    # One of `GRADES`; empty for a term that only states the question.
    causal_grade: str
    stated_date: date  # day on which the number was stated
    # Other terms of the scenario to the correlation of the normal scores.
    correlations: dict[str, float]


def pairs(text: str | None, where: str, column: str) -> dict[str, str]:
    """Read ``name=value; name=value``.

    Raises
    ------
    ValueError
        Naming the row, the column and the remedy.

    Examples
    --------
    >>> pairs("reach=0.4; cost=-0.1", "row", "correlations")
    {'reach': '0.4', 'cost': '-0.1'}
    """
    found: dict[str, str] = {}
    for part in (text or "").split(";"):
        if not part.strip():
            continue
        name, sign, value = (piece.strip() for piece in part.partition("="))
        if not (name and sign and value):
            raise ValueError(
                f"{where}: {column} must be name=value; name=value, got "
                f"{part.strip()!r}"
            )
        if name in found:
            raise ValueError(f"{where}: {column} gives {name} twice; keep one")
        found[name] = value
    return found


def assumption(row: Mapping[str, Any]) -> Assumption:
    """Read one row of ``dim_scenario_terms``; an empty cell is None.

    Raises
    ------
    ValueError
        Naming the row of ``scenario_assumptions.csv`` and the remedy.
    """
    where = place(FILE, row)
    value, low, high = (
        nan if row[column] is None else float(row[column])
        for column in ("value", "low", "high")
    )
    unit = row["unit"] or ""
    if is_fraction(unit) and not all(
        0 <= number <= 1 for number in (value, low, high) if not isnan(number)
    ):
        raise ValueError(f"{where}: a share must lie between 0 and 1")
    grade, distribution = row["causal_grade"] or "", row["distribution"] or ""
    if grade and grade not in GRADES:
        raise ValueError(
            f"{where}: unknown causal_grade {grade!r}; use one of "
            f"{', '.join(GRADES)}"
        )
    if not grade and distribution != "fixed":
        raise ValueError(
            f"{where}: an uncertain term needs a causal_grade; E is a plain "
            "assumption"
        )
    if not row["source"]:
        raise ValueError(f"{where}: source is missing; say why this number")
    if row["stated_date"] is None:
        raise ValueError(
            f"{where}: dated_on is missing; give the day on which the number "
            "was stated, as 2026-01-31"
        )
    name = ".".join(
        row[part]
        for part in ("scenario_name", "version", "term")
        if row[part] != EVERY_VERSION
    )
    try:
        term = Term(name, value, low, high, distribution)
    except ValueError as error:
        raise ValueError(f"{where}{str(error).removeprefix(name)}") from None
    return Assumption(
        term,
        unit,
        row["source"],
        grade,
        as_date(row["stated_date"]),
        _correlations(row["correlations"], where),
    )


def place(file: str, row: Mapping[str, Any]) -> str:
    """Name a row of a file by its key."""
    is_own = row["version"] != EVERY_VERSION
    version = f" ({row['version']})" if is_own else ""
    return f"{file}, {row['scenario_name']}.{row['term']}{version}"


def as_date(value: Any) -> date:  # noqa: ANN401
    """Make a day of what a frame or a file holds."""
    if isinstance(value, str):
        return date.fromisoformat(value)
    return date(value.year, value.month, value.day)


def _correlations(text: str | None, where: str) -> dict[str, float]:
    """Read correlations, or refuse them."""
    found = {}
    for name, written in pairs(text, where, "correlations").items():
        try:
            value = float(written)
        except ValueError:
            value = nan
        if not -1 < value < 1:
            raise ValueError(
                f"{where}: the correlation with {name} must be a number "
                f"between -1 and 1, got {written!r}"
            )
        found[name] = value
    return found
