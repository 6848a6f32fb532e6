"""Scenarios as their three files declare them, checked against each other.

Pure functions: rows in, scenarios out, refusals that name file and row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

from scenarios.assumptions import (
    EVERY_VERSION,
    Assumption,
    assumption,
    place,
)
from scenarios.assumptions import FILE as ASSUMPTIONS_FILE
from scenarios.formulas import FUNCTIONS, Formula, parse, place_of
from scenarios.units import unit_of, unit_text

FILE = "scenarios.csv"
ESTIMATES_FILE = "scenario_estimates.csv"
ONLY_VERSION = "assumed"  # of a scenario whose rows name none
PLACEHOLDER = re.compile(r"\{(\w*)\}")

Row = Mapping[str, Any]


class Estimate(NamedTuple):
    """One term that the log supplies."""

    where: str  # file and row, for refusals
    unit: str  # what it counts
    name: str  # the estimate that finds it; see `estimates.files`
    # The effect of which this is the control's side; empty for none.
    control_of: str
    # Shrinks the effect: standard deviation of lifts like it before any data,
    # as a fraction of the control mean.
    prior_deviation: float | None


class Outcome(NamedTuple):
    """One outcome of a scenario."""

    # What is computed, and its unit.
    name: str
    unit: str
    effect_term: str  # the term that is the effect
    threshold: float | None  # what the outcome must exceed to pay
    # The outcome, and the size that it is a change of.
    formula: Formula
    base_formula: Formula
    base_text: str  # names the base, with terms in braces

    @property
    def names(self) -> set[str]:
        """Terms that it mentions anywhere."""
        return {
            *self.formula.names,
            *self.base_formula.names,
            *PLACEHOLDER.findall(self.base_text),
        }


Source = Assumption | Estimate


class Scenario(NamedTuple):
    """A scenario."""

    name: str
    outcomes: list[Outcome]
    # Version to term to where its number comes from.
    versions: dict[str, dict[str, Source]]


def declared(
    scenarios: Iterable[Row],
    assumptions: Iterable[Row],
    estimates: Iterable[Row],
) -> list[Scenario]:
    """Read the three files of scenarios together.

    Takes rows of ``dim_scenarios``, ``dim_scenario_terms`` and
    ``dim_scenario_estimates``; an empty cell is None. Scenarios and their
    outcomes are in the order of the rows' `position`; rows without one come
    last, by name.

    Raises
    ------
    ValueError
        Naming file, row and remedy, if a row cannot be used or one is
        missing, doubled or idle.
    """
    outcomes: dict[str, list[Outcome]] = {}
    for row in sorted(scenarios, key=_telling_order):
        own = outcomes.setdefault(row["scenario_name"], [])
        found = _outcome(row)
        if found.name in {other.name for other in own}:
            raise ValueError(
                f"{_outcome_place(row)}: the outcome is given twice; remove one"
            )
        own.append(found)

    sources: dict[str, dict[tuple[str, str], Source]] = {
        name: {} for name in outcomes
    }
    for file, rows, read in (
        (ASSUMPTIONS_FILE, assumptions, assumption),
        (ESTIMATES_FILE, estimates, _estimate),
    ):
        for row in rows:
            _collect(place(file, row), row, read, sources)
    return [
        _scenario(name, own, sources[name]) for name, own in outcomes.items()
    ]


def estimates_of(scenarios: Iterable[Scenario]) -> list[Estimate]:
    """List the terms of scenarios that the log supplies."""
    return [
        source
        for scenario in scenarios
        for sources in scenario.versions.values()
        for source in sources.values()
        if isinstance(source, Estimate)
    ]


def _collect(
    where: str,
    row: Row,
    read: Any,  # noqa: ANN401
    sources: Mapping[str, dict[tuple[str, str], Source]],
) -> None:
    """Put a term where it belongs, or refuse it."""
    scenario, term = row["scenario_name"], row["term"]
    if scenario not in sources:
        raise ValueError(
            f"{where}: unknown scenario; declare it in {FILE}, or use one of "
            f"{', '.join(sources)}"
        )
    if not term or not term.isidentifier() or term in FUNCTIONS:
        raise ValueError(
            f"{where}: {term!r} cannot name a term; use letters, digits and _"
        )
    key = (term, row["version"])
    if key in sources[scenario]:
        raise ValueError(
            f"{where}: the term is given twice, here or in "
            f"{ASSUMPTIONS_FILE} and {ESTIMATES_FILE}; remove one"
        )
    sources[scenario][key] = read(row)


def _telling_order(row: Row) -> tuple[bool, int, str, str]:
    position = row["position"]
    return (
        position is None,
        position or 0,
        row["scenario_name"],
        row["outcome"],
    )


def _outcome_place(row: Row) -> str:
    return f"{FILE}, {row['scenario_name']}.{row['outcome']}"


def _outcome(row: Row) -> Outcome:
    """Read one row of scenarios."""
    where = _outcome_place(row)
    for column in ("outcome", "unit", "effect_term", "base_description"):
        if not row[column]:
            raise ValueError(f"{where}: {column} is missing; fill it in")
    parsed = {}
    for column in ("formula", "base_formula"):
        try:
            parsed[column] = parse(row[column] or "")
        except ValueError as error:
            raise ValueError(f"{where}: {column}, {error}") from None
    return Outcome(
        row["outcome"],
        row["unit"],
        row["effect_term"],
        None if row["threshold"] is None else float(row["threshold"]),
        parsed["formula"],
        parsed["base_formula"],
        row["base_description"],
    )


def _estimate(row: Row) -> Estimate:
    """Read one row of estimates."""
    where = place(ESTIMATES_FILE, row)
    if not row["estimate"]:
        raise ValueError(
            f"{where}: estimate is missing; name a query of estimates/"
        )
    prior = row["prior_deviation"]
    if prior is not None:
        prior = float(prior)
        if not (prior > 0 and isfinite(prior)):
            raise ValueError(
                f"{where}: prior_deviation must be positive, got {prior:g}; "
                "leave it empty for no shrinkage"
            )
    return Estimate(
        where,
        row["unit"] or "",
        row["estimate"],
        row["control_of"] or "",
        prior,
    )


def _scenario(
    name: str,
    outcomes: list[Outcome],
    sources: Mapping[tuple[str, str], Source],
) -> Scenario:
    """Give each version its terms, and check that they fit the formulas."""
    names = [version for _, version in sources if version != EVERY_VERSION]
    versions: dict[str, dict[str, Source]] = {}
    for version in dict.fromkeys(names or [ONLY_VERSION]):
        own = {
            term: source
            for wanted in (EVERY_VERSION, version)
            for (term, given), source in sources.items()
            if given == wanted
        }
        for outcome in outcomes:
            _check_outcome(name, outcome, own)
        _check_ties(name, own)
        versions[version] = own

    names_used = {term for outcome in outcomes for term in outcome.names}
    taken = {id(one) for own in versions.values() for one in own.values()}
    for (term, version), source in sources.items():
        if term in names_used and id(source) in taken:
            continue
        file = (
            ASSUMPTIONS_FILE
            if isinstance(source, Assumption)
            else ESTIMATES_FILE
        )
        reason = (
            f"every version of {name} has its own"
            if term in names_used
            else f"no formula of {name} uses it"
        )
        where = place(
            file, {"scenario_name": name, "term": term, "version": version}
        )
        raise ValueError(
            f"{where}: {reason}; remove the row, or name it in {FILE}"
        )
    return Scenario(name, outcomes, versions)


def _check_outcome(
    scenario: str, outcome: Outcome, sources: Mapping[str, Source]
) -> None:
    """Refuse unknown terms and units that do not fit."""
    where = f"{FILE}, {scenario}.{outcome.name}"
    units = {term: unit_of(source.unit) for term, source in sources.items()}
    for column, formula in (
        ("formula", outcome.formula),
        ("base_formula", outcome.base_formula),
    ):
        for term in formula.names:
            if term not in sources:
                raise ValueError(
                    f"{where}: {column}, character {place_of(formula, term)}:"
                    f" {_unknown(term, sources)}"
                )
        try:
            unit = formula.unit(units)
        except ValueError as error:
            raise ValueError(
                f"{where}: {column}, {error}; correct the unit of a term"
            ) from None
        if column == "formula" and unit != unit_of(outcome.unit):
            raise ValueError(
                f"{where}: the formula gives {unit_text(unit)}, the unit says "
                f"{unit_text(unit_of(outcome.unit))}; correct one of them or "
                "the unit of a term"
            )
    if outcome.effect_term not in outcome.formula.names:
        raise ValueError(
            f"{where}: effect_term {outcome.effect_term!r} is not in the "
            f"formula; use one of {', '.join(outcome.formula.names)}"
        )
    for term in PLACEHOLDER.findall(outcome.base_text):
        if term not in sources:
            raise ValueError(
                f"{where}: base_description, {_unknown(term, sources)}"
            )


def _unknown(term: str, sources: Mapping[str, Source]) -> str:
    return (
        f"unknown term {term!r}; add it to {ASSUMPTIONS_FILE} or "
        f"{ESTIMATES_FILE}, or use one of {', '.join(sorted(sources))}"
    )


def _check_ties(scenario: str, sources: Mapping[str, Source]) -> None:
    """Refuse correlations with terms that are not there."""
    for term, source in sources.items():
        if isinstance(source, Assumption):
            others: Sequence[str] = list(source.correlations)
            file, column = ASSUMPTIONS_FILE, "correlations"
        else:
            others = [source.control_of] if source.control_of else []
            file, column = ESTIMATES_FILE, "control_of"
        for other in others:
            if other not in sources or other == term:
                raise ValueError(
                    f"{file}, {scenario}.{term}: {column} names {other!r}, "
                    "which is no other term of the scenario"
                )
