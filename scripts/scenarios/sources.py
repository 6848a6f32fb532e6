"""Terms of a scenario with their numbers: given, shrunk, correlated.

Pure functions: declarations and estimates in, terms out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import numpy as np

from estimates.numbers import Number
from scenarios.assumptions import Assumption
from scenarios.declarations import Estimate, Source
from scenarios.distributions import Term, estimated, estimated_rate
from scenarios.units import is_fraction
from stats.arms.bayes import Lift, posterior

CLOSEST = 0.999  # a derived correlation; at 1 one term would be the other


class Supplied(NamedTuple):
    """A term with everything that is shown of it."""

    term: Term | None  # none where the log has no number
    # As declared, or as the log says.
    unit: str
    source: str
    causal_grade: str
    # Of an assumption; of an estimate the last day loaded whole.
    stated_date: date | None
    is_measured: bool  # whether the log supplies it
    # Before shrinkage; none where nothing was shrunk.
    raw_value: float | None = None
    reason_code: str | None = None  # why there is no number
    number: Number | None = None  # the estimate it was taken from


def supplied(
    sources: Mapping[str, Source],
    numbers: Mapping[str, Number],
    observed: date | None,
) -> dict[str, Supplied]:
    """Give each term of one version its number.

    Takes the sources of one version of a scenario, what the estimates find that
    terms name, and the last day that is loaded whole.

    Raises
    ------
    ValueError
        Naming the row of ``scenario_estimates.csv``, if it shrinks what has no
        control.
    """
    return {
        name: Supplied(
            source.term,
            source.unit,
            source.source,
            source.causal_grade,
            source.stated_date,
            is_measured=False,
        )
        if isinstance(source, Assumption)
        else _measured(source, numbers[source.name], observed)
        for name, source in sources.items()
    }


def correlations_of(
    sources: Mapping[str, Source], found: Mapping[str, Supplied]
) -> dict[tuple[str, str], float]:
    """Give the correlations between terms, declared and derived.

    An effect is treatment minus control, so its covariance with the mean of
    the control is minus the variance of that mean.
    """
    ties: dict[tuple[str, str], float] = {}
    for name, source in sources.items():
        if isinstance(source, Assumption):
            ties |= {
                (name, other): value
                for other, value in source.correlations.items()
            }
        elif source.control_of:
            own, effect = found[name].term, found[source.control_of].term
            if own and effect and own.deviation > 0 and effect.deviation > 0:
                # Shrinkage scales the covariance as it does the effect.
                raw = found[source.control_of].raw_value
                weight = effect.value / raw if raw else 1.0
                value = -weight * own.deviation / effect.deviation
                ties[name, source.control_of] = max(-CLOSEST, value)
    return ties


def _measured(
    source: Estimate, number: Number, observed: date | None
) -> Supplied:
    """Make a term of what an estimate found."""
    grade = number.causal_grade or ""
    empty = Supplied(
        None,
        source.unit,
        f"{number.description} ({number.place})",
        grade,
        observed,
        is_measured=True,
        reason_code=number.reason_code,
        number=number,
    )
    value, error = number.value, number.error
    if value is None or error is None:
        return empty
    raw = None
    if source.prior_deviation is not None:
        raw, (value, error) = value, _shrunk(source, number, value, error)
    if error == 0 and grade:
        return empty._replace(reason_code="zero_variance")
    make = estimated_rate if is_fraction(source.unit) else estimated
    term = make(number.drawn_as or source.name, value, error)
    return empty._replace(term=term, raw_value=raw, reason_code=None)


def _shrunk(
    source: Estimate, number: Number, value: float, error: float
) -> tuple[float, float]:
    """Draw an effect towards nothing by a normal prior of lifts."""
    if "control_mean" not in number.columns:
        raise ValueError(
            f"{source.where}: prior_deviation needs the column control_mean in "
            f"{number.place}; add it, or leave prior_deviation empty"
        )
    if not number.control_mean or not error > 0:
        return value, error
    scale = abs(number.control_mean)
    belief = posterior(
        Lift(np.asarray(value / scale), np.asarray(error / scale)),
        source.prior_deviation or 1.0,
    )
    return float(belief.mean) * scale, float(belief.deviation) * scale
