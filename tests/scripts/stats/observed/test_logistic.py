"""Logistic regression: an independent library, its own equations, refusals."""

import numpy as np
import pytest
import statsmodels.api as sm

from stats.observed.logistic import BLOCK_ROWS, fit_logistic, gram


def counts(seed=1, rows=300, columns=6):
    generator = np.random.default_rng(seed)
    design = np.column_stack(
        [np.ones(rows), generator.normal(size=(rows, columns - 1))]
    )
    trials = generator.integers(0, 40, rows)
    chance = 1 / (1 + np.exp(-design @ generator.normal(0, 0.5, columns)))
    return design, generator.binomial(trials, chance), trials


def test_agrees_with_statsmodels():
    design, successes, trials = counts()
    used = trials > 0
    found = fit_logistic(design, successes, trials)
    model = sm.GLM(
        np.column_stack([successes, trials - successes])[used],
        design[used],
        sm.families.Binomial(),
    ).fit(tol=1e-14, maxiter=200)
    np.testing.assert_allclose(
        found.coefficients, model.params, rtol=1e-8, atol=1e-8
    )
    np.testing.assert_allclose(
        np.linalg.inv(found.information), model.cov_params(), rtol=1e-8
    )


def test_a_ridge_solves_its_own_equations():
    """At the maximum the score is the penalty, but for the intercept."""
    design, successes, trials = counts(2)
    found = fit_logistic(design, successes, trials, ridge=3.0)
    residual = successes - trials * found.predict(design)
    penalty = 3.0 * found.coefficients
    penalty[0] = 0
    np.testing.assert_allclose(design.T @ residual, penalty, atol=1e-8)


def test_a_ridge_keeps_separated_data_finite():
    design = [[1, 0], [1, 1]]
    with pytest.raises(ValueError, match="do not determine"):
        fit_logistic(design, [5, 10], [10, 10])
    found = fit_logistic(design, [5, 10], [10, 10], ridge=0.1)
    assert 1 < found.coefficients[1] < 10


def test_counts_are_as_good_as_rows_in_any_order():
    design, successes, trials = counts(3, rows=40)
    rows = np.repeat(design, trials, axis=0)
    outcome = np.concatenate(
        [
            [1] * x + [0] * (n - x)
            for x, n in zip(successes, trials, strict=True)
        ]
    )
    found = fit_logistic(design, successes, trials)
    alone = fit_logistic(rows[::-1], outcome[::-1], np.ones(len(rows)))
    np.testing.assert_allclose(
        found.coefficients, alone.coefficients, atol=1e-10
    )


def test_the_start_changes_nothing():
    design, successes, trials = counts(4)
    found = fit_logistic(design, successes, trials)
    other = fit_logistic(
        design, successes, trials, start=np.linspace(-2, 2, design.shape[1])
    )
    np.testing.assert_allclose(
        found.coefficients, other.coefficients, atol=1e-9
    )


@pytest.mark.parametrize("rows", [1, BLOCK_ROWS, BLOCK_ROWS + 1, 1000])
def test_blocks_hold_every_row_once(rows):
    generator = np.random.default_rng(5)
    design, weights = generator.normal(size=(rows, 4)), generator.random(rows)
    expected = design.T @ np.diag(weights) @ design
    np.testing.assert_allclose(gram(design, weights), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1], [1]], [3, 0], [2, 2]), "successes must lie in"),
        (([[1], [1]], [1], [2]), "the same rows"),
        (([[1], [1]], [1, 1], [2, 2], -1.0), "ridge must not be negative"),
        (([[1, 1], [1, 1]], [1, 1], [2, 2]), "do not determine"),
    ],
)
def test_refuses_what_has_no_answer(arguments, message):
    with pytest.raises(ValueError, match=message):
        fit_logistic(*arguments)
