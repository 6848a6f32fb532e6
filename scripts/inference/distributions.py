"""Uncertain numbers: a stated value, how far it may lie off, and its draws.

Pure functions and values; the only randomness is the seed that is passed in.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from math import isclose, isfinite, log, nan

import numpy as np

from inference.intervals import Floats, normal_quantile

DISTRIBUTIONS = ("fixed", "normal", "lognormal", "triangular", "beta")
CENTRAL_95 = 2 * normal_quantile(0.05)  # width in standard deviations


@dataclass(frozen=True)
class Term:
    """One term of a scenario.

    Attributes
    ----------
    name : str
        Seeds the term's own stream of draws, so that terms added elsewhere
        never change it and the same term is the same in every scenario.
    value : float
        fixed: the number; normal: mean; lognormal: median; triangular and
        beta (PERT): mode.
    low, high : float
        normal and lognormal: central 95 % interval; triangular and beta:
        least and greatest possible value. Ignored when fixed.
    distribution : str
        One of `DISTRIBUTIONS`.

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

    name: str
    value: float
    low: float = nan
    high: float = nan
    distribution: str = "fixed"

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
        if self.distribution == "normal" and not isclose(
            middle, self.value, rel_tol=0, abs_tol=0.01 * width
        ):
            raise ValueError(
                f"{self.name}: a normal term is symmetric; set the value to "
                f"{middle:g} or use a triangular or beta distribution"
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
        if self.distribution == "normal":
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

    def draws(self, count: int, seed: int) -> Floats:
        """Draw the term.

        Parameters
        ----------
        count : int
            Draws wanted.
        seed : int
            Seed of the whole analysis; the term's name is mixed in.

        Returns
        -------
        ndarray of shape (count,), dtype=float
        """
        digest = hashlib.md5(self.name.encode(), usedforsecurity=False).digest()
        words = np.frombuffer(digest, dtype="<u4").tolist()
        stream = np.random.SeedSequence(seed, spawn_key=words)
        generator = np.random.default_rng(stream)
        if self.distribution == "normal":
            return generator.normal(self.value, self.deviation, count)
        if self.distribution == "lognormal":
            sigma = log(self.high / self.low) / CENTRAL_95
            return generator.lognormal(log(self.value), sigma, count)
        if self.distribution == "triangular":
            return generator.triangular(self.low, self.value, self.high, count)
        if self.distribution == "beta":
            unit = generator.beta(*self._shape(), count)
            return self.low + (self.high - self.low) * unit
        return np.full(count, self.value)

    def _shape(self) -> tuple[float, float]:
        """Return the PERT shape: the mode weighs four times a bound."""
        width = self.high - self.low
        return (
            1 + 4 * (self.value - self.low) / width,
            1 + 4 * (self.high - self.value) / width,
        )


def estimated(name: str, estimate: float, standard_error: float) -> Term:
    """Make a term of an estimate: normal around it, or fixed without error.

    Raises
    ------
    ValueError
        If the standard error is negative or a number is not finite.

    Examples
    --------
    >>> round(estimated("uplift", 9.9, 0.5).deviation, 6)
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
