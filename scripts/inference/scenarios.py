"""What would happen if: equations, and their distribution by Monte Carlo.

Pure functions; the only randomness is the seed that is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from inference.distributions import Term
from inference.intervals import Floats

# Below this many draws the 95 % bounds themselves are too noisy to read.
MINIMUM_DRAWS = 20_000

Equation = Callable[[Mapping[str, Any]], Any]


class Outcome(NamedTuple):
    """One outcome of a scenario.

    Attributes
    ----------
    name, unit : str
        What is computed, and its unit.
    equation : callable
        Term names to numbers in, the outcome out; floats or arrays alike.
    """

    name: str
    unit: str
    equation: Equation


class Outlook(NamedTuple):
    """Distribution of one outcome, in its own unit.

    Attributes
    ----------
    point_estimate : float
        Every term at its stated value. It is neither mean nor median when
        terms are skewed.
    median, ci80_low, ci80_high, ci95_low, ci95_high : float
        Quantiles of the draws.
    probability_positive : float
        Share of draws above 0.
    monte_carlo_error : float
        Standard error of `median` due to the number of draws.
    draws : ndarray of shape (n_draws,)
        The draws themselves.
    """

    point_estimate: float
    median: float
    ci80_low: float
    ci80_high: float
    ci95_low: float
    ci95_high: float
    probability_positive: float
    monte_carlo_error: float
    draws: Floats


def _added_rate(terms: Mapping[str, Any]) -> Any:  # noqa: ANN401
    # Spread over all users under four genres: those not moved gain nothing.
    return terms["share_moved"] * terms["effect"]


def _benefit(terms: Mapping[str, Any]) -> Any:  # noqa: ANN401
    return (
        terms["new_users_per_year"]
        * terms["effect"]
        * terms["persistence"]
        * terms["value_per_retained_user_eur"]
    )


# `effect` and `base_users` come from the warehouse, all other terms from the
# assumptions.
SCENARIOS: dict[str, list[Outcome]] = {
    "explorers": [
        Outcome("d7_rate_change", "rate difference", _added_rate),
        Outcome(
            "extra_d7_users",
            "users",
            lambda terms: terms["base_users"] * _added_rate(terms),
        ),
    ],
    "push_rollout": [
        Outcome(
            "extra_sessions_per_week",
            "sessions per week",
            lambda terms: (
                terms["population_users"]
                * terms["effect"]
                * terms["effect_carried_over"]
            ),
        ),
    ],
    "engineer_roi": [
        Outcome(
            "roi",
            "EUR per EUR",
            lambda terms: _benefit(terms) / terms["engineer_cost_eur"],
        ),
        Outcome(
            "net_value_eur",
            "EUR per year",
            lambda terms: _benefit(terms) - terms["engineer_cost_eur"],
        ),
    ],
}

ASSUMED_TERMS: dict[str, tuple[str, ...]] = {
    "explorers": ("share_moved",),
    "push_rollout": ("population_users", "effect_carried_over"),
    "engineer_roi": (
        "new_users_per_year",
        "persistence",
        "value_per_retained_user_eur",
        "engineer_cost_eur",
    ),
}


def outlook(
    equation: Equation, terms: Mapping[str, Term], draw_count: int, seed: int
) -> Outlook:
    """Draw every term, apply the equation, and summarise.

    Parameters
    ----------
    equation : callable
        See `Outcome`.
    terms : mapping of str to Term
        By the name that the equation uses.
    draw_count : int
        At least `MINIMUM_DRAWS`.
    seed : int
        Seed of the draws.

    Returns
    -------
    Outlook

    Raises
    ------
    ValueError
        If there are too few draws, or the outcome is not a finite number in
        every draw.

    Examples
    --------
    >>> terms = {"users": Term("users", 100.0), "lift": Term("lift", 0.02)}
    >>> found = outlook(lambda t: t["users"] * t["lift"], terms, 20_000, 1)
    >>> found.point_estimate, found.ci95_low, found.monte_carlo_error
    (2.0, 2.0, 0.0)
    """
    if draw_count < MINIMUM_DRAWS:
        raise ValueError(
            f"draws must be at least {MINIMUM_DRAWS}, got {draw_count}"
        )
    values = {
        name: term.draws(draw_count, seed) for name, term in terms.items()
    }
    draws = np.sort(np.broadcast_to(equation(values), draw_count))
    if not np.isfinite(draws).all():
        raise ValueError("the outcome is not finite: a divisor may reach 0")

    low95, low80, median, high80, high95 = np.quantile(
        draws, [0.025, 0.1, 0.5, 0.9, 0.975]
    )
    # Order statistics one binomial standard deviation either side of the
    # median: needs no density, and is 0 when all draws agree.
    step = np.sqrt(draw_count) / 2
    below = draws[int(np.floor(draw_count / 2 - step))]
    above = draws[int(np.ceil(draw_count / 2 + step))]
    return Outlook(
        point_estimate=float(
            equation({name: term.value for name, term in terms.items()})
        ),
        median=float(median),
        ci80_low=float(low80),
        ci80_high=float(high80),
        ci95_low=float(low95),
        ci95_high=float(high95),
        probability_positive=float((draws > 0).mean()),
        monte_carlo_error=float((above - below) / 2),
        draws=draws,
    )


def delta_error(equation: Equation, terms: Mapping[str, Term]) -> float:
    """Propagate the terms' standard deviations to first order.

    Exact when the equation is linear; an independent check of the draws
    otherwise.

    Parameters
    ----------
    equation : callable
        See `Outcome`.
    terms : mapping of str to Term
        Independent of each other. Make a term fixed to leave it out.

    Returns
    -------
    float
        Standard error of the outcome, in its unit.

    References
    ----------
    .. [1] G. W. Oehlert (1992), "A note on the delta method", The American
       Statistician 46(1), 27-29.

    Examples
    --------
    >>> terms = {"lift": Term("lift", 2.0, 0.04, 3.96, "normal")}
    >>> round(delta_error(lambda t: 10 * t["lift"], terms), 3)
    10.0
    """
    values = {name: term.value for name, term in terms.items()}
    squares = 0.0
    for name, term in terms.items():
        if term.deviation == 0:
            continue
        step = 1e-4 * term.deviation
        above = equation(values | {name: term.value + step})
        below = equation(values | {name: term.value - step})
        slope = (above - below) / (2 * step)
        squares += (slope * term.deviation) ** 2
    return float(np.sqrt(squares))
