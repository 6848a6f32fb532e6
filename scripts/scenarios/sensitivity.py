"""Which term of a scenario matters: tornado, Sobol indices, information.

Pure functions; the only randomness is the seed that is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.polynomial import hermite_e
from scipy.special import ndtri
from scipy.stats import qmc

from scenarios.copulas import correlated, correlated_groups
from scenarios.distributions import Term
from scenarios.outlooks import Correlations, Equation
from stats.intervals import Floats

SAMPLES = 2_048  # of each of the two Saltelli matrices; a power of 2
P90_SCORE = float(ndtri(0.9))
SMOOTHNESS = 5  # degree of the polynomial that stands for a conditional mean


class Swing(NamedTuple):
    """One bar of a tornado."""

    # The term at its 10 %, 50 % and 90 % quantile, in its unit.
    low_value: float
    median_value: float
    high_value: float
    # The outcome there, all other terms at their medians.
    at_low: float
    at_high: float


class Indices(NamedTuple):
    """Shares of an outcome's variance, one per factor."""

    first_order: Floats  # by the factor alone
    total: Floats  # by the factor and all that it does together with others


def tornado(equation: Equation, terms: Mapping[str, Term]) -> dict[str, Swing]:
    """Move one term at a time.

    Gives the uncertain terms of the equation, the widest swing first; equal
    ones by name.

    Examples
    --------
    >>> terms = {
    ...     "users": Term("u", 100.0, 80.0, 120.0, "normal"),
    ...     "price": Term("p", 2.0),
    ... }
    >>> swing = tornado(lambda t: t["users"] * t["price"], terms)["users"]
    >>> round(swing.at_low, 1), round(swing.at_high, 1)
    (173.8, 226.2)
    """
    medians = {name: term.at(0.0) for name, term in terms.items()}
    found = {}
    for name, term in terms.items():
        if term.is_fixed:
            continue
        low, high = term.at([-P90_SCORE, P90_SCORE])
        found[name] = Swing(
            float(low),
            float(medians[name]),
            float(high),
            float(equation(medians | {name: low})),
            float(equation(medians | {name: high})),
        )
    return dict(
        sorted(
            found.items(),
            key=lambda pair: (-abs(pair[1].at_high - pair[1].at_low), pair[0]),
        )
    )


def sobol_indices(
    model: Callable[[Floats], Floats],
    factors: Sequence[Sequence[int]],
    seed: int,
    samples: int = SAMPLES,
) -> Indices:
    """Estimate Sobol indices by Saltelli's scheme on a scrambled sequence.

    The model turns points of the unit cube, of shape (n, n_columns), into n
    outcomes. The columns of one factor are exchanged together, so dependent
    inputs make one factor. Each of the two base matrices has a power of 2 as
    its number of rows. The indices are nan where the outcome does not vary.

    References
    ----------
    .. [1] A. Saltelli et al. (2010), "Variance based sensitivity analysis of
       model output", Computer Physics Communications 181, 259-270.
    .. [2] M. J. W. Jansen (1999), "Analysis of variance designs for model
       output", Computer Physics Communications 117, 35-43.

    Examples
    --------
    Two parts of variance 4 and 1:

    >>> found = sobol_indices(lambda u: 2 * u[:, 0] + u[:, 1], [[0], [1]], 1)
    >>> found.first_order.round(2), found.total.round(2)
    (array([0.8, 0.2]), array([0.8, 0.2]))
    """
    width = sum(len(columns) for columns in factors)
    sequence = qmc.Sobol(2 * width, rng=np.random.default_rng(seed))
    # The sequence may hold exact zeros, where a quantile would be infinite.
    points = np.clip(sequence.random(samples), 2**-40, 1 - 2**-40)
    first, second = points[:, :width], points[:, width:]
    at_first, at_second = model(first), model(second)
    both = np.concatenate([at_first, at_second])
    variance = float(both.var())
    # Constant but for rounding.
    if not variance > (1e-12 * np.abs(both).max()) ** 2:
        nothing = np.full(len(factors), np.nan)
        return Indices(nothing, nothing.copy())
    centre = float(both.mean())
    orders, totals = [], []
    for columns in factors:
        mixed = first.copy()
        mixed[:, columns] = second[:, columns]
        at_mixed = model(mixed)
        own = (at_second - centre) * (at_mixed - at_first)
        orders.append(float(own.mean()) / variance)
        totals.append(float(((at_first - at_mixed) ** 2).mean()) / 2 / variance)
    return Indices(np.array(orders), np.array(totals))


def shares_of_variance(
    equation: Equation,
    terms: Mapping[str, Term],
    correlations: Correlations,
    seed: int,
) -> dict[str, tuple[float, float, list[str]]]:
    """Give each uncertain term its Sobol indices.

    Correlated terms are one factor: each has the indices of all. Gives the
    first order, the total, and the terms that share them.
    """
    names = [name for name, term in terms.items() if not term.is_fixed]
    if not names:
        return {}
    groups = correlated_groups(names, correlations)
    columns = {name: number for number, name in enumerate(names)}
    fixed = {name: term.at(0.0) for name, term in terms.items()}

    def model(points: Floats) -> Floats:
        scores = {
            name: np.asarray(ndtri(points[:, column]))
            for name, column in columns.items()
        }
        values = {
            name: terms[name].at(score)
            for name, score in correlated(scores, correlations).items()
        }
        return np.asarray(
            np.broadcast_to(equation(fixed | values), len(points)), float
        )

    found = sobol_indices(
        model, [[columns[name] for name in group] for group in groups], seed
    )
    return {
        name: (first, total, group)
        for group, first, total in zip(
            groups, *(index.tolist() for index in found), strict=True
        )
        for name in group
    }


def information_value(net: Floats, scores: Floats) -> float:
    """Give what knowing one term before deciding would be worth (EVPPI).

    Takes, draw by draw, the outcome above its threshold, where acting pays if
    its mean is positive, and the term's normal scores. The value is in the unit
    of `net` and never negative; the conditional mean of `net` is a polynomial
    of the scores.

    References
    ----------
    .. [1] M. Strong, J. E. Oakley and A. Brennan (2014), "Estimating
       multiparameter partial expected value of perfect information from a
       probabilistic sensitivity analysis sample", Medical Decision Making
       34(3), 311-326.

    Examples
    --------
    >>> score = np.linspace(-3, 3, 1001)
    >>> information_value(np.full(1001, 2.0), score)
    0.0
    """
    # Hermite's polynomials are all but orthogonal here: the normal equations
    # are safe, and fast.
    basis = hermite_e.hermevander(scores, SMOOTHNESS)
    expected = basis @ np.linalg.solve(basis.T @ basis, basis.T @ net)
    gained = float(np.maximum(expected, 0).mean())
    return max(0.0, gained - max(float(expected.mean()), 0.0))
