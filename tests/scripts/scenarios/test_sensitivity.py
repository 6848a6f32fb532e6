"""Sensitivity: published indices, closed forms, and what moves nothing."""

from math import pi

import numpy as np
import pytest
from declared import experiment, number
from scipy.special import ndtr

from scenarios.breakeven import break_even, settling_units
from scenarios.copulas import correlated, correlated_groups
from scenarios.distributions import Term, estimated_rate
from scenarios.sensitivity import (
    information_value,
    shares_of_variance,
    sobol_indices,
    tornado,
)
from stats.designs.power import mean_units, proportion_units


def ishigami(points):
    """Ishigami and Homma (1990), a = 7 and b = 0.1, on [-pi, pi]."""
    one, two, three = (pi * (2 * points[:, i] - 1) for i in range(3))
    return np.sin(one) + 7 * np.sin(two) ** 2 + 0.1 * three**4 * np.sin(one)


def test_sobol_indices_of_the_ishigami_function():
    """First order 0.3139, 0.4424, 0; total 0.5576, 0.4424, 0.2437."""
    found = sobol_indices(ishigami, [[0], [1], [2]], seed=1, samples=2**14)
    np.testing.assert_allclose(
        found.first_order, [0.3139, 0.4424, 0.0], atol=0.01
    )
    np.testing.assert_allclose(found.total, [0.5576, 0.4424, 0.2437], atol=0.01)


def test_a_factor_of_two_columns_has_their_indices_together():
    found = sobol_indices(ishigami, [[0, 2], [1]], seed=2, samples=2**13)
    np.testing.assert_allclose(found.first_order, [0.5576, 0.4424], atol=0.01)
    np.testing.assert_allclose(found.total, found.first_order, atol=0.01)


def test_what_never_varies_has_no_indices():
    found = sobol_indices(lambda u: np.full(len(u), 0.1), [[0]], seed=1)
    assert np.isnan(found.first_order).all()


def test_correlated_terms_share_one_factor():
    def terms(name):
        return Term(name, 1.0, 0.0, 2.0, "normal")

    found = shares_of_variance(
        lambda t: t["a"] + t["b"] + 2 * t["c"],
        {name: terms(name) for name in "abc"},
        {("a", "b"): 0.5},
        seed=1,
    )
    # Var(a + b) = 3, Var(2 c) = 4.
    for name in "ab":
        first, total, group = found[name]
        assert first == pytest.approx(3 / 7, abs=0.01)
        assert total == pytest.approx(3 / 7, abs=0.01)
        assert group == ["a", "b"]
    assert found["c"][0] == pytest.approx(4 / 7, abs=0.01)


@pytest.mark.parametrize("rho", [-0.95, -0.3, 0.0, 0.7])
def test_the_copula_has_the_correlation_that_was_asked_for(rho):
    scores = {
        name: Term(name, 0.0).scores(200_000, 5) for name in ("a", "b", "c")
    }
    found = correlated(scores, {("b", "a"): rho})
    matrix = np.corrcoef([found["a"], found["b"], found["c"]])
    assert matrix[0, 1] == pytest.approx(rho, abs=0.006)
    assert matrix[0, 2] == pytest.approx(0, abs=0.006)
    np.testing.assert_allclose(found["b"].std(), 1, atol=0.01)
    np.testing.assert_array_equal(found["c"], scores["c"])


def test_a_copula_leaves_each_term_its_own_distribution():
    terms = {
        "rate": estimated_rate("rate", 0.2, 0.02),
        "cost": Term("cost", 3.0, 1.0, 9.0, "triangular"),
    }
    scores = correlated(
        {name: term.scores(100_000, 1) for name, term in terms.items()},
        {("rate", "cost"): 0.8},
    )
    shares = np.linspace(0.05, 0.95, 7)
    for name, term in terms.items():
        alone = np.quantile(term.draws(100_000, 2), shares)
        both = np.quantile(term.at(scores[name]), shares)
        np.testing.assert_allclose(both, alone, rtol=0.02)


def test_groups_are_chained():
    ties = {("a", "c"): 0.1, ("c", "e"): 0.1, ("b", "x"): 0.5, ("b", "d"): 0.0}
    assert correlated_groups(list("abcde"), ties) == [
        ["a", "c", "e"],
        ["b"],
        ["d"],
    ]


@pytest.mark.parametrize("mean", [-0.5, 0.0, 0.3, 2.0])
def test_information_on_a_normal_term_agrees_with_the_closed_form(mean):
    """net = x + noise: knowing x is worth a unit normal loss of x."""
    generator = np.random.default_rng(7)
    score, noise = generator.normal(size=(2, 200_000))
    deviation = 0.8
    net = mean + deviation * score + 3 * noise
    z = abs(mean) / deviation
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * pi)
    expected = deviation * (density - z * ndtr(-z))
    found = information_value(net, score)
    assert found == pytest.approx(expected, abs=0.02)
    assert information_value(net, noise) > found


def test_information_that_changes_no_decision_is_worth_nothing():
    score = np.random.default_rng(1).normal(size=20_000)
    assert information_value(100 + score, score) == pytest.approx(0, abs=1e-9)


def test_the_widest_bar_stands_first():
    terms = {
        "a": Term("a", 1.0, 0.9, 1.1, "normal"),
        "b": Term("b", 1.0, 0.5, 1.5, "normal"),
        "c": Term("c", 5.0),
        "d": Term("d", 1.0, 0.9, 1.1, "normal"),
    }
    found = tornado(lambda t: t["c"] * (t["a"] - t["b"] + t["d"]), terms)
    assert list(found) == ["b", "a", "d"]
    swing = found["b"]
    assert swing.low_value == pytest.approx(1 - 1.281552 * 0.5 / 1.959964)
    assert swing.at_high == pytest.approx(5 * (2 - swing.high_value))


TERMS = {
    "users": Term("users", 1e4),
    "effect": Term("effect", 0.02, 0.01, 0.03, "normal"),
    "cost": Term("cost", 150.0, 100.0, 200.0, "triangular"),
}


def net(terms):
    return terms["users"] * terms["effect"] - terms["cost"]


def test_break_even_of_each_term():
    effect = break_even(net, TERMS, "effect", 0.0, is_effect=True)
    assert effect.value == pytest.approx(0.015, rel=1e-12)
    error = 0.01 / 1.959964
    assert effect.probability == pytest.approx(float(ndtr(0.005 / error)))
    cost = break_even(net, TERMS, "cost", 0.0)
    assert (cost.value, cost.is_above) == (pytest.approx(200), False)
    assert cost.probability == pytest.approx(1, abs=1e-6)
    users = break_even(net, TERMS, "users", 0.0)
    assert users.value == pytest.approx(7_500)
    assert np.isnan(users.probability)


def test_break_even_of_a_share_that_would_have_to_exceed_one():
    found = break_even(
        lambda t: t["share"] - 2, {"share": Term("s", 0.5)}, "share", 0, "share"
    )
    assert np.isnan(found.value)


def test_break_even_is_the_crossing_nearest_to_what_is_stated():
    found = break_even(
        lambda t: (t["x"] - 1) * (t["x"] - 4), {"x": Term("x", 3.0)}, "x", 0
    )
    assert found.value == pytest.approx(4)
    assert found.is_above


def test_the_experiment_that_settles_it_is_the_one_that_power_plans():
    row = experiment(0.02, 0.02, control_users=1_000, treatment_users=1_000)
    assert settling_units(row, 0.02, 0.005) == float(
        proportion_units(0.205, 0.22).total
    )
    assert settling_units(row._replace(kind="mean"), 0.02, 0.005) == float(
        mean_units(0.015, 0.2).total
    )
    assert np.isnan(settling_units(row, 0.02, 0.02))
    assert np.isnan(settling_units(row, 0.02, np.nan))
    assert np.isnan(settling_units(row, 0.02, -0.5))
    assert settling_units(number(0.02, 0.02), 0.02, 0.005) is None


@pytest.mark.parametrize(
    "term",
    [
        TERMS["effect"],
        TERMS["cost"],
        estimated_rate("r", 0.1, 0.02),
        Term("v", 120.0, 80.0, 180.0, "lognormal"),
    ],
    ids=lambda term: term.distribution,
)
def test_probabilities_are_those_of_the_draws(term):
    draws = term.draws(200_000, 3)
    for value in np.quantile(draws, [0.03, 0.5, 0.9]):
        assert term.probability_above(value) == pytest.approx(
            (draws > value).mean(), abs=0.003
        )
    assert term.probability_above(draws.min() - 1e9) == 1
    assert term.probability_above(draws.max() + 1e9) == 0
