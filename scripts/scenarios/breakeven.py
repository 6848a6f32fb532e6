"""At which value of a term a scenario just pays, and what would settle it.

Pure functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq

from estimates.numbers import Number
from scenarios.distributions import Term
from scenarios.outlooks import Equation
from scenarios.units import is_fraction
from stats.designs.power import mean_units, proportion_units
from stats.kinds import KINDS

FARTHEST = 10.0  # stated values that are searched, either side of 0
STEPS = 2_001


class BreakEven(NamedTuple):
    """Where an outcome crosses its threshold."""

    # Of the term, all others as stated; nan if it never pays, or always, within
    # `FARTHEST` times the stated value.
    value: float
    is_above: bool  # whether it pays above the value, not below
    # That the term lies on the paying side; nan for a fixed term.
    probability: float


def break_even(
    equation: Equation,
    terms: Mapping[str, Term],
    name: str,
    threshold: float,
    unit: str = "",
    *,
    is_effect: bool = False,
) -> BreakEven:
    """Find the value of one term at which the outcome is the threshold.

    Of all terms of the equation the named one moves. By its unit, rates and
    shares stay in [0, 1]; no other than an effect may be negative. Gives the
    crossing nearest to the stated value.

    Examples
    --------
    >>> terms = {"lift": Term("lift", 0.02), "users": Term("users", 1e4)}
    >>> equation = lambda t: t["lift"] * t["users"]
    >>> found = break_even(equation, terms, "lift", 100, is_effect=True)
    >>> round(found.value, 12), found.is_above
    (0.01, True)
    """
    values = {key: np.float64(term.value) for key, term in terms.items()}
    term = terms[name]
    most = FARTHEST * max(abs(term.value), abs(_finite(term.high)))
    if is_fraction(unit):
        most = 1.0
    grid = np.linspace(-most if is_effect else 0.0, most, STEPS)

    def gain(value: Any) -> Any:  # noqa: ANN401
        return equation(values | {name: value}) - threshold

    found = np.broadcast_to(gain(grid), grid.shape)
    crossings = np.flatnonzero(
        np.isfinite(found[:-1])
        & np.isfinite(found[1:])
        & ((found[:-1] > 0) != (found[1:] > 0))
    )
    if not crossings.size:
        return BreakEven(nan, True, nan)
    roots = [
        float(brentq(gain, grid[i], grid[i + 1], xtol=1e-300, rtol=1e-14))
        for i in crossings
    ]
    nearest = int(np.argmin(np.abs(np.array(roots) - term.value)))
    root = roots[nearest]
    is_above = bool(found[crossings[nearest] + 1] > found[crossings[nearest]])
    if term.is_fixed:
        return BreakEven(root, is_above, nan)
    above = term.probability_above(root)
    return BreakEven(root, is_above, above if is_above else 1 - above)


def settling_units(number: Number, effect: float, value: float) -> float | None:
    """Give the users of an experiment that would tell an effect from a value.

    Takes an effect as an experiment measured it, what is expected of it and
    what that is to be told from, such as the break-even, all in one unit.
    Counts both arms, for 80 % power at 5 %; nan if it cannot be planned, None
    if no experiment measured it.
    """
    control, treatment = number.control_users, number.treatment_users
    if not (number.kind and control and treatment):
        return None
    if number.control_mean is None or number.standard_error is None:
        return None
    distance = effect - value
    if not distance or not np.isfinite(distance):
        return nan
    if KINDS[number.kind].is_share:
        rates = number.control_mean + value, number.control_mean + effect
        if not all(0 < rate < 1 for rate in rates):
            return nan
        return float(proportion_units(*rates).total)
    per_unit = 1 / control + 1 / treatment
    variance = number.standard_error**2 / per_unit
    return float(mean_units(distance, variance).total)


def _finite(value: float) -> float:
    return value if np.isfinite(value) else 0.0
