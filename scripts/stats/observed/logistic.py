"""Logistic regression on counts, by Newton's method.

Each row of the design stands for all users who share it, so that the cost
depends on how many kinds of users there are, not on how many users. One model
on counts with a ridge is all that is needed here, and its score and
information are needed too; a library of models would be a large dependency
that hides both. Pure functions: arrays in, arrays out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from stats.intervals import Floats

# A step this small, in log-odds, ends the iteration; the error left is of the
# order of its square.
SMALLEST_STEP = 1e-8
MOST_STEPS = 100
MOST_HALVINGS = 30
# A likelihood is summed to so many digits: less of a fall is no fall.
ROUNDING = 1e-12
UNDETERMINED = (
    "the data do not determine the coefficients: use a ridge, or leave out "
    "columns"
)


# Rows of a block that is summed by itself.
BLOCK_ROWS = 128


def gram(design: Floats, weights: Floats) -> Floats:
    """Sum the weighted products of a design's columns.

    Summed in blocks so small that no block is shared among threads: the digits
    do not depend on how many there are, and none waits for another.

    Examples
    --------
    >>> gram(np.array([[1.0, 2.0], [1.0, 4.0]]), np.array([1.0, 3.0])).tolist()
    [[4.0, 14.0], [14.0, 52.0]]
    """
    rows, columns = design.shape
    blocks = -(-rows // BLOCK_ROWS)
    padded = np.zeros((2, blocks * BLOCK_ROWS, columns))
    padded[0, :rows] = design
    np.multiply(design, weights[:, None], out=padded[1, :rows])
    plain, weighted = padded.reshape(2, blocks, BLOCK_ROWS, columns)
    return np.asarray((weighted.transpose(0, 2, 1) @ plain).sum(axis=0))


def log_odds(design: Floats, coefficients: Floats) -> Floats:
    """Multiply a design by coefficients, on one thread as `gram`.

    Examples
    --------
    >>> log_odds(np.array([[1.0, 2.0]]), np.array([0.5, 1.0])).tolist()
    [2.5]
    """
    return np.asarray(np.einsum("ij,j->i", design, coefficients))


class LogisticFit(NamedTuple):
    """Coefficients of a logistic regression."""

    coefficients: Floats  # (n_columns,): in log-odds
    # (n_columns, n_columns): Negative second derivative of the penalised
    # log-likelihood.
    information: Floats

    def predict(self, design: Floats) -> Floats:
        """Give each row of a design its probability."""
        return np.asarray(expit(log_odds(design, self.coefficients)))


def fit_logistic(
    design: ArrayLike,
    successes: ArrayLike,
    trials: ArrayLike,
    ridge: float = 0.0,
    start: ArrayLike | None = None,
) -> LogisticFit:
    """Fit the probability of success, with a ridge on all but the intercept.

    Parameters
    ----------
    design : array_like of shape (n_rows, n_columns)
        The first column is the intercept and not penalised.
    successes, trials : array_like of shape (n_rows,)
        Counts, or weighted counts; rows without trials change nothing.
    ridge : float, default 0
        Half of it times the square of each coefficient is taken from the
        log-likelihood: a normal prior of variance ``1 / ridge``.
    start : array_like of shape (n_columns,), optional
        Coefficients to begin with, such as those of similar data.

    Raises
    ------
    ValueError
        If successes exceed trials, shapes differ, the ridge is negative, or
        the data do not determine the coefficients.

    References
    ----------
    .. [1] S. le Cessie, J. C. van Houwelingen (1992), "Ridge estimators in
       logistic regression", Applied Statistics 41(1), 191-201.

    Examples
    --------
    >>> fit = fit_logistic([[1, 0], [1, 1]], [10, 30], [100, 100])
    >>> fit.predict(np.array([[1.0, 0.0], [1.0, 1.0]])).round(6)
    array([0.1, 0.3])
    """
    x = np.asarray(design, float)
    y, n = np.asarray(successes, float), np.asarray(trials, float)
    if not x.ndim == 2 or not y.shape == n.shape == x.shape[:1]:  # noqa: PLR2004
        raise ValueError("design, successes and trials need the same rows")
    if not ((y >= 0) & (y <= n)).all():
        raise ValueError("successes must lie in [0, trials]")
    if not ridge >= 0:
        raise ValueError(f"ridge must not be negative, got {ridge}")
    # Rows without trials cost time and say nothing.
    is_used = n > 0
    if not is_used.all():
        x, y, n = x[is_used], y[is_used], n[is_used]
    penalty = np.full(x.shape[1], float(ridge))
    penalty[0] = 0

    def merit(beta: Floats) -> float:
        odds = log_odds(x, beta)
        fit = (y * odds - n * np.logaddexp(0, odds)).sum()
        return float(fit - (penalty * beta**2).sum() / 2)

    coefficients = (
        np.zeros(x.shape[1]) if start is None else np.array(start, float)
    )
    reached = merit(coefficients)
    for _ in range(MOST_STEPS):
        mean = expit(log_odds(x, coefficients))
        information = gram(x, n * mean * (1 - mean))
        information[np.diag_indices_from(information)] += penalty
        score = np.einsum("ij,i->j", x, y - n * mean)
        score -= penalty * coefficients
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            raise ValueError(UNDETERMINED) from None
        if not np.isfinite(step).all():
            raise ValueError(UNDETERMINED)
        if np.abs(step).max() < SMALLEST_STEP:
            return LogisticFit(coefficients + step, information)
        coefficients, reached = _climbed(merit, coefficients, step, reached)
    raise ValueError(UNDETERMINED)


def _climbed(
    merit: Callable[[Floats], float],
    start: Floats,
    step: Floats,
    reached: float,
) -> tuple[Floats, float]:
    """Take the step, or the largest halving of it that does not lead down."""
    for _ in range(MOST_HALVINGS):
        there = start + step
        value = merit(there)
        if value >= reached - ROUNDING * abs(reached):
            return there, value
        step = step / 2
    return start + step, merit(start + step)
