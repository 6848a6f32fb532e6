"""Scenarios of this warehouse: declared terms, drawn, summed up and judged.

Pure functions: declarations and estimates in, result rows out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from estimates.numbers import Number
from scenarios.breakeven import break_even, settling_units
from scenarios.declarations import PLACEHOLDER, Outcome, Scenario
from scenarios.distributions import Term
from scenarios.outlooks import (
    Correlations,
    Decision,
    Draws,
    Outlook,
    decision,
    delta_error,
    drawn,
    outcome_draws,
    outlook,
)
from scenarios.sensitivity import (
    information_value,
    shares_of_variance,
    tornado,
)
from scenarios.sources import Supplied, correlations_of, supplied
from scenarios.units import is_fraction
from stats.intervals import Floats

Row = dict[str, Any]

# What is left of the effect: nothing, a quarter, half, all.
EFFECT_SHARES = (0.0, 0.25, 0.5, 1.0)
# Every 2.5 %, and what is left of the tails.
PROBABILITIES = (
    *(0.005, 0.01),
    *(step / 40 for step in range(1, 40)),
    *(0.99, 0.995),
)
MONEY = "EUR"
SCENARIO_TABLES = (
    "scenario_results",
    "scenario_terms",
    "scenario_sensitivity",
    "scenario_breakeven",
    "scenario_quantiles",
)


class _Version(NamedTuple):
    """One version of a scenario, ready to be computed."""

    scenario: str
    version: str
    found: dict[str, Supplied]
    correlations: Correlations
    draws: Draws
    seed: int

    @property
    def terms(self) -> dict[str, Term]:
        return {name: one.term for name, one in self.found.items() if one.term}

    def key(self, outcome: Outcome) -> Row:
        return {
            "scenario_name": self.scenario,
            "version": self.version,
            "outcome": outcome.name,
        }


def projections(
    scenarios: Sequence[Scenario],
    numbers: Mapping[str, Number],
    *,
    observed: date | None,
    draw_count: int,
    seed: int,
    assumption_version: str = "",
) -> dict[str, list[Row]]:
    """Project every version of every scenario.

    Takes what the estimates find that terms name, the last day that is loaded
    whole, and a fingerprint of the declarations, quoted in every row. Gives the
    rows of `SCENARIO_TABLES`, without ``input_version``; an outcome without a
    number carries a reason code.

    Raises
    ------
    ValueError
        Naming file and row, if one shrinks what has no control.
    """
    projected: dict[str, list[Row]] = {name: [] for name in SCENARIO_TABLES}
    told = 0
    for scenario in scenarios:
        terms = {
            name: supplied(sources, numbers, observed)
            for name, sources in scenario.versions.items()
        }
        for place, name in enumerate(_told(scenario, terms), start=told + 1):
            found = terms[name]
            known = {key: one.term for key, one in found.items() if one.term}
            ties = correlations_of(scenario.versions[name], found)
            try:
                draws = drawn(known, ties, draw_count, seed)
            except ValueError as error:
                raise ValueError(f"scenario {scenario.name}: {error}") from None
            version = _Version(scenario.name, name, found, ties, draws, seed)
            projected["scenario_terms"] += _terms(version)
            for number, outcome in enumerate(scenario.outcomes):
                position = place + number * len(terms)
                _project(version, outcome, position, projected)
        told += len(terms) * len(scenario.outcomes)
    for row in projected["scenario_results"]:
        row["assumption_version"] = assumption_version
    return projected


def _told(
    scenario: Scenario, terms: Mapping[str, Mapping[str, Supplied]]
) -> list[str]:
    """Order versions from the weakest claim to the strongest.

    Of one grade, what is shrunk comes after what is not, and a large effect
    after a small one.
    """
    effect_term = scenario.outcomes[0].effect_term

    def strength(name: str) -> tuple[bool, int, bool, float, str]:
        effect = terms[name][effect_term]
        return (
            bool(effect.causal_grade),
            -ord(effect.causal_grade or "A"),
            effect.raw_value is not None,
            effect.term.value if effect.term else 0.0,
            name,
        )

    return sorted(terms, key=strength)


def _project(
    version: _Version,
    outcome: Outcome,
    position: int,
    projected: dict[str, list[Row]],
) -> None:
    """Add all rows of one outcome."""
    reason = _reason(version, outcome)
    results = projected["scenario_results"]
    for share in EFFECT_SHARES:
        row = _empty(version, outcome, share, reason) | {"position": position}
        results.append(row)
        if reason is not None or row["reason_code"] is not None:
            continue
        draws = _fill(row, version, outcome, share)
        # The whole effect alone is drawn.
        if draws is not None and share == 1:
            values = np.quantile(draws, PROBABILITIES).tolist()
            projected["scenario_quantiles"] += [
                version.key(outcome) | {"probability": each, "value": value}
                for each, value in zip(PROBABILITIES, values, strict=True)
            ]
    if results[-1]["point_estimate"] is None:
        return
    terms = _used(version, outcome)
    stated = {
        name: term
        if version.found[name].is_measured
        else Term(name, term.value)
        for name, term in terms.items()
    }
    results[-1]["measured_error"] = delta_error(
        outcome.formula, stated, version.correlations
    )
    projected["scenario_sensitivity"] += _sensitivity(version, outcome, terms)
    if outcome.threshold is not None:
        projected["scenario_breakeven"] += _break_even_rows(
            version, outcome, terms, outcome.threshold
        )


def _used(version: _Version, outcome: Outcome) -> dict[str, Term]:
    """Return the terms of an outcome's formula."""
    terms = version.terms
    return {name: terms[name] for name in outcome.formula.names}


def _reason(version: _Version, outcome: Outcome) -> str | None:
    """Say why an outcome has no number, the effect's reason first."""
    for name in (outcome.effect_term, *sorted(outcome.names)):
        one = version.found[name]
        if one.term is None:
            is_effect = name == outcome.effect_term
            return one.reason_code or ("no_effect" if is_effect else "no_base")
    return None


def _grade(version: _Version, outcome: Outcome) -> str | None:
    """Return the weakest grade among the formula's terms."""
    found = (version.found[name] for name in outcome.formula.names)
    return max(filter(None, (one.causal_grade for one in found)), default=None)


def _empty(
    version: _Version, outcome: Outcome, share: float, reason: str | None
) -> Row:
    """Describe an outcome before it has numbers."""
    text, value = _base(version, outcome)
    effect = version.found[outcome.effect_term]
    if (
        reason is None
        and share == 1
        and effect.causal_grade == "D"
        and MONEY in outcome.unit.split()
    ):
        # Money is promised on no association as it stands.
        reason = "association_needs_discount"
    return version.key(outcome) | {
        "effect_share": share,
        "unit": outcome.unit,
        "formula": outcome.formula.text,
        "effect_term": outcome.effect_term,
        "base_description": text,
        "base_value": value,
        **dict.fromkeys(Outlook._fields),
        "measured_error": None,
        "threshold": outcome.threshold,
        **dict.fromkeys(Decision._fields),
        "draw_count": version.draws.draw_count,
        "draw_seed": version.seed,
        "causal_grade": _grade(version, outcome),
        "reason_code": reason,
    }


def _base(version: _Version, outcome: Outcome) -> tuple[str, float | None]:
    """Name the population and the baseline that the outcome refers to."""
    terms = version.terms
    mentioned = PLACEHOLDER.findall(outcome.base_text)
    if not terms.keys() >= {*mentioned, *outcome.base_formula.names}:
        return "no base", None
    text = PLACEHOLDER.sub(
        lambda match: _shown(
            terms[match[1]].value, version.found[match[1]].unit
        ),
        outcome.base_text,
    )
    values = {name: np.float64(term.value) for name, term in terms.items()}
    return text, float(outcome.base_formula(values))


def _shown(value: float, unit: str) -> str:
    """Write a term's value inside a sentence."""
    if is_fraction(unit):
        return f"{100 * value:.1f} %".replace(".0 %", " %")
    is_whole = float(value).is_integer()
    return f"{value:,.0f}" if is_whole else f"{value:,.1f}"


def _fill(
    row: Row, version: _Version, outcome: Outcome, share: float
) -> Floats | None:
    """Give a row its numbers; return the draws behind them."""
    name = outcome.effect_term

    def equation(terms: Mapping[str, Any]) -> Any:  # noqa: ANN401
        return outcome.formula({**terms, name: share * terms[name]})

    try:
        draws = outcome_draws(equation, version.draws)
    except ValueError:
        row["reason_code"] = "not_finite"
        return None
    terms = _used(version, outcome)
    row |= outlook(equation, terms, version.correlations, draws)._asdict()
    if outcome.threshold is not None:
        row |= decision(draws, outcome.threshold)._asdict()
    return draws


def _terms(version: _Version) -> list[Row]:
    """Show every term as it was used."""
    rows = []
    for name, one in version.found.items():
        shown: Row = dict.fromkeys(("distribution", "value", "low", "high"))
        if term := one.term:
            shown = {name: getattr(term, name) for name in shown}
            if term.is_fixed:
                shown |= {"low": term.value, "high": term.value}
        ties = [
            f"{second if first == name else first}={value:.3g}"
            for (first, second), value in version.correlations.items()
            if name in {first, second}
        ]
        rows.append(
            {
                "scenario_name": version.scenario,
                "version": version.version,
                "term": name,
                "unit": one.unit,
                "source": one.source,
                "causal_grade": one.causal_grade or None,
                "correlations": "; ".join(ties) or None,
                "is_measured": one.is_measured,
                **shown,
                "raw_value": one.raw_value,
                "stated_date": one.stated_date,
                "reason_code": None if term else one.reason_code or "no_base",
            }
        )
    return rows


def _sensitivity(
    version: _Version, outcome: Outcome, terms: Mapping[str, Term]
) -> list[Row]:
    """Rank the uncertain terms of one outcome."""
    swings = tornado(outcome.formula, terms)
    shares = shares_of_variance(
        outcome.formula, terms, version.correlations, version.seed
    )
    net = None
    if outcome.threshold is not None:
        net = outcome_draws(outcome.formula, version.draws) - outcome.threshold
    rows = []
    for number, (name, swing) in enumerate(swings.items(), start=1):
        first, total, group = shares[name]
        others = [other for other in group if other != name]
        rows.append(
            version.key(outcome)
            | {
                "term": name,
                "unit": version.found[name].unit,
                "rank_number": number,
                **swing._asdict(),
                "swing": abs(swing.at_high - swing.at_low),
                "first_order_index": first,
                "total_index": total,
                "drawn_with": ", ".join(others) or None,
                "information_value": None
                if net is None
                else information_value(net, version.draws.scores[name]),
            }
        )
    return rows


def _break_even_rows(
    version: _Version,
    outcome: Outcome,
    terms: Mapping[str, Term],
    threshold: float,
) -> list[Row]:
    """Find the break-even of every term of one outcome."""
    rows = []
    for name, term in terms.items():
        one = version.found[name]
        is_effect = name == outcome.effect_term
        found = break_even(
            outcome.formula,
            terms,
            name,
            threshold,
            one.unit,
            is_effect=is_effect,
        )
        is_found = isfinite(found.value)
        units = None
        if is_effect and one.number:
            units = settling_units(one.number, term.value, found.value)
        rows.append(
            version.key(outcome)
            | {
                "term": name,
                "unit": one.unit,
                "stated_value": term.value,
                "break_even_value": found.value,
                "is_paying_above": found.is_above if is_found else None,
                "probability_paying": found.probability,
                "settling_units": units,
                "reason_code": None if is_found else "no_break_even",
            }
        )
    return rows
