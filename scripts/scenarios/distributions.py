"""Uncertain numbers: a stated value, how far it may lie off, and its draws.

Every draw is a normal score pushed through the term's own quantiles, so terms
can be drawn together (see `scenarios.copulas`) without changing what each is.
Pure functions and values; the only randomness is the seed that is passed in.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from math import isclose, isfinite, log, nan

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline
from scipy.special import betaincinv, ndtr

from stats.intervals import Floats, normal_quantile

DISTRIBUTIONS = (
    "fixed",
    "normal",
    "lognormal",
    "triangular",
    "beta",
    "proportion",
)
CENTRAL_95 = 2 * normal_quantile(0.05)  # width in standard deviations


@dataclass(frozen=True)
class Term:
    """One term of a scenario.

    Raises
    ------
    ValueError
        If the distribution is unknown, a number is not finite, the bounds do
        not enclose the value, or they do not fit the distribution's shape.

    References
    ----------
    .. [1] D. G. Malcolm et al. (1959), "Application of a technique for
       research and development program evaluation", Operations Research
       7(5), 646-669 (PERT).
    """

    # Seeds the term's own stream of draws, so that terms added elsewhere never
    # change it and the same term is the same in every scenario.
    name: str
    # Fixed: the number; normal and proportion: mean; lognormal: median;
    # triangular and beta (PERT): mode.
    value: float
    # Ignored when fixed. normal and lognormal: central 95 % interval;
    # triangular and beta: least and greatest possible value; proportion (a beta
    # distribution on [0, 1]): 1.96 standard deviations either side.
    low: float = nan
    high: float = nan
    distribution: str = "fixed"  # one of `DISTRIBUTIONS`

    def __post_init__(self) -> None:
        """Refuse a term that cannot be drawn, naming it and the remedy."""
        if self.distribution not in DISTRIBUTIONS:
            raise ValueError(
                f"{self.name}: unknown distribution {self.distribution!r}; "
                f"use one of {', '.join(DISTRIBUTIONS)}"
            )
        if not isfinite(self.value):
            raise ValueError(f"{self.name}: value must be a finite number")
        if self.distribution != "fixed":
            self._check_bounds()

    def _check_bounds(self) -> None:
        if not (isfinite(self.low) and isfinite(self.high)):
            raise ValueError(
                f"{self.name}: a {self.distribution} term needs low and high"
            )
        if not self.low <= self.value <= self.high:
            raise ValueError(
                f"{self.name}: low <= value <= high must hold, got "
                f"{self.low:g}, {self.value:g}, {self.high:g}"
            )
        if self.low == self.high:
            raise ValueError(
                f"{self.name}: low equals high; make the distribution fixed"
            )
        width = self.high - self.low
        middle = (self.low + self.high) / 2
        if self.distribution in {"normal", "proportion"} and not isclose(
            middle, self.value, rel_tol=0, abs_tol=0.01 * width
        ):
            raise ValueError(
                f"{self.name}: a {self.distribution} term is symmetric; set "
                f"the value to {middle:g} or use a triangular or beta "
                "distribution"
            )
        if self.distribution == "proportion" and not (
            0 < self.value < 1
            and self.deviation**2 < self.value * (1 - self.value)
        ):
            raise ValueError(
                f"{self.name}: a proportion lies between 0 and 1, and no "
                "interval around it is so wide; narrow low and high"
            )
        if self.distribution == "lognormal":
            if self.low <= 0:
                raise ValueError(
                    f"{self.name}: a lognormal term is positive, got low "
                    f"{self.low:g}"
                )
            if not isclose(self.low * self.high, self.value**2, rel_tol=0.02):
                raise ValueError(
                    f"{self.name}: the bounds of a lognormal term are the "
                    f"value divided and multiplied by one factor; set high "
                    f"to {self.value**2 / self.low:g}"
                )

    @property
    def deviation(self) -> float:
        """Standard deviation, in the value's unit (lognormal: first order)."""
        width = self.high - self.low
        if self.distribution in {"normal", "proportion"}:
            return width / CENTRAL_95
        if self.distribution == "lognormal":
            return self.value * log(self.high / self.low) / CENTRAL_95
        if self.distribution == "triangular":
            a, b, c = self.low, self.high, self.value
            squares = a * a + b * b + c * c - a * b - a * c - b * c
            return float(np.sqrt(squares / 18))
        if self.distribution == "beta":
            p, q = self._shape()
            return float(width * np.sqrt(p * q / (p + q + 1)) / (p + q))
        return 0.0

    @property
    def is_fixed(self) -> bool:
        """Whether there is nothing to draw."""
        return self.distribution == "fixed"

    def at(self, scores: ArrayLike) -> Floats:
        """Give the term's quantiles at standard normal scores.

        Such as 0 for the median, 1.28 for the 90 % quantile; in the value's
        unit.
        """
        z = np.asarray(scores, float)
        if self.distribution == "normal":
            return np.asarray(self.value + self.deviation * z)
        if self.distribution == "lognormal":
            sigma = log(self.high / self.low) / CENTRAL_95
            return np.asarray(np.exp(log(self.value) + sigma * z))
        if self.distribution == "triangular":
            return self._triangular(np.asarray(ndtr(z)))
        if self.distribution in {"beta", "proportion"}:
            unit = _beta_at(*self._shape(), z)
            if self.distribution == "proportion":
                return unit
            return np.asarray(self.low + (self.high - self.low) * unit)
        return np.full(z.shape, self.value)

    def probability_above(self, value: float) -> float:
        """Give the probability that the term is above a value.

        Found from the quantiles, so it holds for every distribution.
        """
        if self.is_fixed:
            return float(self.value > value)
        scores = np.linspace(-_FAR, _FAR, 4_001)
        score = np.interp(value, self.at(scores), scores)
        if value < self.at(-_FAR):
            return 1.0
        if value > self.at(_FAR):
            return 0.0
        return float(ndtr(-score))

    def scores(self, count: int, seed: int) -> Floats:
        """Draw the term's standard normal scores.

        The term's name is mixed into the seed of the whole analysis.
        """
        digest = hashlib.md5(self.name.encode(), usedforsecurity=False).digest()
        words = np.frombuffer(digest, dtype="<u4").tolist()
        stream = np.random.SeedSequence(seed, spawn_key=words)
        return np.random.default_rng(stream).standard_normal(count)

    def draws(self, count: int, seed: int) -> Floats:
        """Draw the term; see `scores`."""
        return self.at(self.scores(count, seed))

    def _triangular(self, share: Floats) -> Floats:
        """Invert the triangular distribution."""
        width = self.high - self.low
        rise, fall = self.value - self.low, self.high - self.value
        return np.where(
            share * width < rise,
            self.low + np.sqrt(share * width * rise),
            self.high - np.sqrt((1 - share) * width * fall),
        )

    def _shape(self) -> tuple[float, float]:
        """Return the shape of a beta: by its mode (PERT) or by its moments."""
        if self.distribution == "proportion":
            mean = self.value
            size = mean * (1 - mean) / self.deviation**2 - 1
            return mean * size, (1 - mean) * size
        width = self.high - self.low
        # PERT: the mode weighs four times a bound.
        return (
            1 + 4 * (self.value - self.low) / width,
            1 + 4 * (self.high - self.value) / width,
        )


_FAR = 8.0  # a normal score beyond which nothing lies in double precision
_KNOTS = 1_025  # scores at which many quantiles of a beta are exact


def _beta_at(alpha: float, beta: float, scores: Floats) -> Floats:
    """Give quantiles of a beta distribution at normal scores.

    Many are read off a cubic spline through exact ones: a hundred times
    faster, and within 1e-9.
    """
    if scores.size <= _KNOTS:
        return np.asarray(betaincinv(alpha, beta, ndtr(scores)))
    found = _beta_spline(alpha, beta)(np.clip(scores, -_FAR, _FAR))
    return np.asarray(np.clip(found, 0.0, 1.0))


@lru_cache(maxsize=64)
def _beta_spline(alpha: float, beta: float) -> CubicSpline:
    knots = np.linspace(-_FAR, _FAR, _KNOTS)
    return CubicSpline(knots, betaincinv(alpha, beta, ndtr(knots)))


def estimated(name: str, estimate: float, standard_error: float) -> Term:
    """Make a term of an estimate: normal around it, or fixed without error.

    Raises
    ------
    ValueError
        If the standard error is negative or a number is not finite.

    Examples
    --------
    >>> round(estimated("gain", 9.9, 0.5).deviation, 6)
    0.5
    """
    if not standard_error >= 0:
        raise ValueError(
            f"{name}: standard error must not be negative, got {standard_error}"
        )
    if standard_error == 0:
        return Term(name, estimate)
    reach = CENTRAL_95 / 2 * standard_error
    return Term(name, estimate, estimate - reach, estimate + reach, "normal")


def estimated_rate(name: str, rate: float, standard_error: float) -> Term:
    """Make a term of an estimated rate: a beta distribution in [0, 1].

    Raises
    ------
    ValueError
        If the standard error is negative or a number is not finite.

    Examples
    --------
    >>> estimated_rate("d7", 0.2, 0.01).distribution
    'proportion'
    """
    spread = rate * (1 - rate)
    if not 0 < standard_error**2 < spread:
        return estimated(name, rate, standard_error)
    reach = CENTRAL_95 / 2 * standard_error
    return Term(name, rate, rate - reach, rate + reach, "proportion")
