"""Terms: moments, bounds, streams of draws, refusals."""

import numpy as np
import pytest

from scenarios.distributions import Term, estimated

TERMS = [
    Term("normal", 10.0, 8.0, 12.0, "normal"),
    Term("lognormal", 120.0, 80.0, 180.0, "lognormal"),
    Term("triangular", 3.0, 1.0, 9.0, "triangular"),
    Term("beta", 0.2, 0.1, 0.5, "beta"),
]


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_draws_have_the_stated_deviation(term):
    draws = term.draws(400_000, seed=1)
    tolerance = 0.06 if term.distribution == "lognormal" else 0.01
    assert draws.std() == pytest.approx(term.deviation, rel=tolerance)


@pytest.mark.parametrize("term", TERMS[:2], ids=lambda term: term.name)
def test_normal_bounds_enclose_95_percent(term):
    draws = term.draws(400_000, seed=2)
    low, median, high = np.quantile(draws, [0.025, 0.5, 0.975])
    np.testing.assert_allclose(
        (low, median, high), (term.low, term.value, term.high), rtol=0.005
    )


@pytest.mark.parametrize("term", TERMS[2:], ids=lambda term: term.name)
def test_bounded_terms_stay_inside(term):
    draws = term.draws(100_000, seed=3)
    assert draws.min() >= term.low
    assert draws.max() <= term.high


def test_pert_mean_weighs_the_mode_four_times():
    draws = TERMS[3].draws(400_000, seed=4)
    assert draws.mean() == pytest.approx((0.1 + 4 * 0.2 + 0.5) / 6, rel=0.002)


def test_fixed_terms_do_not_move():
    assert set(Term("a", 5.0).draws(10, seed=5)) == {5.0}
    assert Term("a", 5.0).deviation == 0


def test_a_term_has_its_own_stream():
    term = TERMS[0]
    again = Term("normal", 10.0, 8.0, 12.0, "normal")
    other = Term("another", 10.0, 8.0, 12.0, "normal")
    np.testing.assert_array_equal(term.draws(9, 6), again.draws(9, 6))
    assert (term.draws(9, 6) != other.draws(9, 6)).all()
    assert (term.draws(9, 6) != term.draws(9, 7)).all()


def test_an_estimate_is_normal_around_itself():
    term = estimated("uplift", 9.9, 0.5)
    assert (term.value, term.distribution) == (9.9, "normal")
    assert term.deviation == pytest.approx(0.5)
    assert estimated("zero", 0.0, 0.0).distribution == "fixed"
    with pytest.raises(ValueError, match="standard error must not be negative"):
        estimated("uplift", 9.9, -0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((5.0, 1.0, 9.0, "uniform"), "unknown distribution 'uniform'"),
        ((np.nan,), "finite number"),
        ((5.0, np.nan, 9.0, "beta"), "needs low and high"),
        ((5.0, 6.0, 9.0, "beta"), "low <= value <= high"),
        ((5.0, 9.0, 1.0, "triangular"), "low <= value <= high"),
        ((5.0, 5.0, 5.0, "normal"), "make the distribution fixed"),
        ((5.0, 4.0, 9.0, "normal"), "set the value to 6.5"),
        ((0.0, -1.0, 1.0, "lognormal"), "lognormal term is positive"),
        ((10.0, 5.0, 30.0, "lognormal"), "set high to 20"),
    ],
)
def test_refuses_what_cannot_be_drawn(arguments, message):
    with pytest.raises(ValueError, match=f"reach: .*{message}"):
        Term("reach", *arguments)
