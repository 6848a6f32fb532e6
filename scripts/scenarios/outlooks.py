"""What would happen if: the distribution of an equation by Monte Carlo.

Pure functions; the only randomness is the seed that is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from scenarios.copulas import correlated
from scenarios.distributions import Term
from stats.intervals import Floats, normal_quantile

# Below this many draws the 95 % bounds themselves are too noisy to read.
MINIMUM_DRAWS = 20_000

Equation = Callable[[Mapping[str, Any]], Any]
Correlations = Mapping[tuple[str, str], float]


class Draws(NamedTuple):
    """Draws of all terms of a scenario."""

    # Normal scores of the uncertain terms, correlated, of shape (n_draws,).
    scores: dict[str, Floats]
    # In their units; a single number for a fixed term.
    values: dict[str, Floats]
    draw_count: int


class Outlook(NamedTuple):
    """Distribution of one outcome, in its own unit."""

    # Every term at its stated value. It is neither mean nor median when terms
    # are skewed or dependent.
    point_estimate: float
    # Of the draws.
    mean: float
    median: float
    ci80_low: float
    ci80_high: float
    ci95_low: float
    ci95_high: float
    # The same interval by the delta method, around the point estimate: a check
    # that does not depend on draws.
    delta_ci95_low: float
    delta_ci95_high: float
    probability_positive: float  # share of draws above 0
    # Standard error of `median` due to the number of draws.
    monte_carlo_error: float


class Decision(NamedTuple):
    """What acting on an outcome risks, in the outcome's unit."""

    probability_target: float  # share of draws above the threshold
    # Mean shortfall below the threshold: what acting gives away where it does
    # not pay.
    expected_loss: float
    # What knowing every term before deciding would be worth (EVPI).
    perfect_information_value: float


def drawn(
    terms: Mapping[str, Term],
    correlations: Correlations,
    draw_count: int,
    seed: int,
) -> Draws:
    """Draw every term.

    Terms go by the name that formulas use; for correlations see
    `scenarios.copulas.correlated`.

    Raises
    ------
    ValueError
        If there are too few draws, or the correlations cannot hold together.
    """
    if draw_count < MINIMUM_DRAWS:
        raise ValueError(
            f"draws must be at least {MINIMUM_DRAWS}, got {draw_count}"
        )
    scores = correlated(
        {
            name: term.scores(draw_count, seed)
            for name, term in terms.items()
            if not term.is_fixed
        },
        correlations,
    )
    values = {
        name: term.at(scores[name]) if name in scores else term.at(0.0)
        for name, term in terms.items()
    }
    return Draws(scores, values, draw_count)


def outcome_draws(equation: Equation, draws: Draws) -> Floats:
    """Apply an equation to all draws.

    Raises
    ------
    ValueError
        If the outcome is not a finite number in every draw.
    """
    found = np.broadcast_to(equation(draws.values), draws.draw_count)
    if not np.isfinite(found).all():
        raise ValueError("the outcome is not finite: a divisor may reach 0")
    return np.asarray(found, float)


def outlook(
    equation: Equation,
    terms: Mapping[str, Term],
    correlations: Correlations,
    outcomes: Floats,
) -> Outlook:
    """Summarise an outcome.

    The equation takes terms by name, floats or arrays alike; its outcomes are
    those of `outcome_draws`.

    Examples
    --------
    >>> terms = {"users": Term("users", 100.0), "lift": Term("lift", 0.02)}
    >>> draws = drawn(terms, {}, 20_000, 1)
    >>> outcomes = outcome_draws(lambda t: t["users"] * t["lift"], draws)
    >>> found = outlook(lambda t: t["users"] * t["lift"], terms, {}, outcomes)
    >>> found.point_estimate, found.ci95_low, found.monte_carlo_error
    (2.0, 2.0, 0.0)
    """
    draws = np.sort(outcomes)
    low95, low80, median, high80, high95 = np.quantile(
        draws, [0.025, 0.1, 0.5, 0.9, 0.975], method="linear"
    )
    # Order statistics one binomial standard deviation either side of the
    # median: needs no density, and is 0 when all draws agree.
    step = np.sqrt(draws.size) / 2
    below = draws[int(np.floor(draws.size / 2 - step))]
    above = draws[int(np.ceil(draws.size / 2 + step))]
    point = float(
        equation({name: np.float64(term.value) for name, term in terms.items()})
    )
    reach = normal_quantile(0.05) * delta_error(equation, terms, correlations)
    return Outlook(
        point_estimate=point,
        # The sum of equal numbers, divided, may be another one.
        mean=float(draws[0] if draws[0] == draws[-1] else draws.mean()),
        median=float(median),
        ci80_low=float(low80),
        ci80_high=float(high80),
        ci95_low=float(low95),
        ci95_high=float(high95),
        delta_ci95_low=point - reach,
        delta_ci95_high=point + reach,
        probability_positive=float((draws > 0).mean()),
        monte_carlo_error=float((above - below) / 2),
    )


def decision(outcomes: Floats, threshold: float) -> Decision:
    """Judge acting on an outcome against leaving it.

    The outcome, of which there are draws, must exceed the threshold to pay.

    References
    ----------
    .. [1] H. Raiffa and R. Schlaifer (1961), "Applied Statistical Decision
       Theory", chapter 4.

    Examples
    --------
    >>> decision(np.array([-1.0, 1.0, 3.0, 5.0]), 0.0)
    Decision(probability_target=0.75, expected_loss=0.25, \
perfect_information_value=0.25)
    """
    net = outcomes - threshold
    gained = float(np.maximum(net, 0).mean())
    return Decision(
        probability_target=float((net > 0).mean()),
        expected_loss=float(np.maximum(-net, 0).mean()),
        perfect_information_value=max(0.0, gained - max(float(net.mean()), 0)),
    )


def delta_error(
    equation: Equation,
    terms: Mapping[str, Term],
    correlations: Correlations | None = None,
) -> float:
    """Propagate the terms' standard deviations to first order.

    Exact when the equation is linear; an independent check of the draws
    otherwise.

    Make a term fixed to leave it out. Gives the standard error of the outcome,
    in its unit.

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
    values = {name: np.float64(term.value) for name, term in terms.items()}
    parts = {}
    for name, term in terms.items():
        if term.deviation == 0:
            continue
        step = 1e-4 * term.deviation
        above = equation(values | {name: term.value + step})
        below = equation(values | {name: term.value - step})
        parts[name] = float((above - below) / (2 * step)) * term.deviation
    square = sum(part**2 for part in parts.values())
    for (first, second), value in (correlations or {}).items():
        if first in parts and second in parts:
            square += 2 * value * parts[first] * parts[second]
    return float(np.sqrt(max(square, 0.0)))
