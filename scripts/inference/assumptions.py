"""Scenario assumptions as they are written down, turned into terms.

Pure functions: rows in, terms out, refusals that name the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isnan, nan
from typing import Any, NamedTuple

from inference.distributions import Term

FILE = "scenario_assumptions.csv"  # where a user mends a row
GRADES = "ABCDE"  # from randomised here to plain assumption


class Assumption(NamedTuple):
    """One assumed term.

    Attributes
    ----------
    term : Term
        Its value and distribution.
    causal_grade : str
        One of `GRADES`; empty for a term that only states the question.
    """

    term: Term
    causal_grade: str


def assumed_terms(
    rows: Iterable[Mapping[str, Any]],
    required: Mapping[str, Iterable[str]],
) -> dict[str, dict[str, Assumption]]:
    """Turn rows of ``dim_scenario_terms`` into terms.

    Parameters
    ----------
    rows : iterable of mapping
        One per term; an empty cell is None.
    required : mapping of str to iterable of str
        Scenario to the terms it needs. A scenario without any row is left
        out; one with some rows must have all.

    Returns
    -------
    dict of str to dict of str to Assumption
        Scenario to term to assumption, in the order of `required`.

    Raises
    ------
    ValueError
        Naming the row of ``scenario_assumptions.csv`` and the remedy, if a
        row cannot be used or one is missing or doubled.
    """
    scenarios: dict[str, dict[str, Assumption]] = {}
    for row in rows:
        scenario, name = row["scenario_name"], row["term"]
        where = f"{FILE}, {scenario}.{name}"
        known = required.get(scenario)
        if known is None:
            raise ValueError(
                f"{where}: unknown scenario; use one of {', '.join(required)}"
            )
        if name not in known:
            raise ValueError(
                f"{where}: unknown term; {scenario} uses {', '.join(known)}"
            )
        terms = scenarios.setdefault(scenario, {})
        if name in terms:
            raise ValueError(f"{where}: the term is given twice; remove one")
        terms[name] = _assumption(where, row)

    for scenario, terms in scenarios.items():
        missing = [name for name in required[scenario] if name not in terms]
        if missing:
            raise ValueError(
                f"{FILE}: {scenario} lacks {', '.join(missing)}; add the rows, "
                "or remove the scenario"
            )
    return {
        scenario: {name: scenarios[scenario][name] for name in names}
        for scenario, names in required.items()
        if scenario in scenarios
    }


def _assumption(where: str, row: Mapping[str, Any]) -> Assumption:
    """Read one row, or refuse it with its place."""
    value, low, high = (
        nan if row[column] is None else float(row[column])
        for column in ("value", "low", "high")
    )
    grade, distribution = row["causal_grade"] or "", row["distribution"]
    if (row["unit"] or "").startswith("share") and not all(
        0 <= number <= 1 for number in (value, low, high) if not isnan(number)
    ):
        raise ValueError(f"{where}: a share must lie between 0 and 1")
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
    name = f"{row['scenario_name']}.{row['term']}"
    try:
        return Assumption(Term(name, value, low, high, distribution), grade)
    except ValueError as error:
        raise ValueError(f"{FILE}, {error}") from None
