"""Scenarios: golden values, exact zeros, monotony, the delta method."""

import numpy as np
import pytest

from inference.distributions import Term, estimated
from inference.scenarios import ASSUMED_TERMS, SCENARIOS, delta_error, outlook

DRAWS, SEED = 100_000, 1


def equation(scenario, name):
    return next(o.equation for o in SCENARIOS[scenario] if o.name == name)


def roi_terms(**changed):
    terms = {
        "new_users_per_year": Term("engineer.users", 1e6),
        "effect": estimated("onboarding.d1", 0.02, 0.004),
        "persistence": Term("engineer.persistence", 0.2, 0.1, 0.3, "beta"),
        "value_per_retained_user_eur": Term(
            "engineer.value", 120.0, 80.0, 180.0, "lognormal"
        ),
        "engineer_cost_eur": Term("engineer.cost", 150e3, 130e3, 170e3, "beta"),
    }
    return terms | changed


def test_matches_the_golden_retention_scenario():
    """100,000 users at 21.5 % (of 50,000), risk ratio 1.05, SE(log) 0.02."""
    width = np.exp(1.959964 * 0.02)
    terms = {
        "users": Term("golden.users", 1e5),
        "rate": estimated("golden.rate", 0.215, (0.215 * 0.785 / 5e4) ** 0.5),
        "ratio": Term(
            "golden.ratio", 1.05, 1.05 / width, 1.05 * width, "lognormal"
        ),
    }

    def extra(terms):
        return terms["users"] * terms["rate"] * (terms["ratio"] - 1)

    found = outlook(extra, terms, 400_000, SEED)
    assert found.point_estimate == pytest.approx(1_075)
    assert found.ci95_low == pytest.approx(203, abs=8)
    assert found.ci95_high == pytest.approx(1_983, abs=8)
    assert found.probability_positive == pytest.approx(0.993, abs=0.001)
    reach = 1.959964 * delta_error(extra, terms)
    assert found.point_estimate - reach == pytest.approx(190, abs=1)
    assert found.point_estimate + reach == pytest.approx(1_960, abs=1)


def test_the_three_scenarios_say_what_is_claimed():
    """2.1 points, 99 million sessions a week, 3.2 euro per euro."""
    points = equation("explorers", "d7_rate_change")
    assert points({"share_moved": 0.5, "effect": 0.042}) == 0.021
    sessions = equation("push_rollout", "extra_sessions_per_week")
    terms = {"population_users": 10e6, "effect": 9.9, "effect_carried_over": 1}
    assert sessions(terms) == pytest.approx(99e6)
    found = outlook(equation("engineer_roi", "roi"), roi_terms(), DRAWS, SEED)
    assert found.point_estimate == pytest.approx(3.2)
    net = equation("engineer_roi", "net_value_eur")
    assert outlook(
        net, roi_terms(), DRAWS, SEED
    ).point_estimate == pytest.approx(330e3)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_effect_gives_exactly_nothing(scenario):
    terms = {
        name: Term(f"{scenario}.{name}", 2.0, 1.0, 3.0, "triangular")
        for name in ASSUMED_TERMS[scenario]
    }
    terms |= {
        "effect": estimated("none", 0.0, 0.0),
        "base_users": Term("base", 1e4),
    }
    found = outlook(SCENARIOS[scenario][0].equation, terms, DRAWS, SEED)
    assert (found.draws == 0).all()
    assert found[:8] == (0,) * 8


def test_more_reach_never_means_less():
    extra = equation("explorers", "extra_d7_users")
    medians, lows = [], []
    for share in np.linspace(0, 1, 11):
        terms = {
            "share_moved": Term("explorers.share_moved", share),
            "effect": estimated("gap", 0.042, 0.003),
            "base_users": Term("base", 40_000.0),
        }
        found = outlook(extra, terms, DRAWS, SEED)
        medians.append(found.median)
        lows.append(found.ci95_low)
    assert (np.diff(medians) > 0).all()
    assert (np.diff(lows) > 0).all()


def test_an_effect_and_its_opposite_cancel():
    points = equation("explorers", "d7_rate_change")
    draws = [
        outlook(
            points,
            {"share_moved": Term("s", 0.5), "effect": effect},
            DRAWS,
            SEED,
        )
        for effect in (estimated("e", 0.04, 0.01), estimated("e", -0.04, 0.01))
    ]
    assert draws[0].point_estimate == -draws[1].point_estimate
    error = draws[0].monte_carlo_error + draws[1].monte_carlo_error
    assert abs(draws[0].median + draws[1].median) < 4 * error


def test_delta_method_agrees_when_the_equation_is_linear():
    terms = {
        "share_moved": Term("s", 0.5),
        "effect": estimated("gap", 0.042, 0.003),
    }
    points = equation("explorers", "d7_rate_change")
    found = outlook(points, terms, 400_000, SEED)
    error = delta_error(points, terms)
    assert error == pytest.approx(0.0015)
    np.testing.assert_allclose(
        (found.ci95_low, found.ci95_high),
        (0.021 - 1.959964 * error, 0.021 + 1.959964 * error),
        rtol=0.01,
    )


def test_delta_method_is_near_when_it_is_not():
    roi = equation("engineer_roi", "roi")
    found = outlook(roi, roi_terms(), 400_000, SEED)
    spread = found.draws.std()
    assert delta_error(roi, roi_terms()) == pytest.approx(spread, rel=0.08)


def test_chances_come_from_the_draws():
    found = outlook(equation("engineer_roi", "roi"), roi_terms(), DRAWS, SEED)
    assert found.probability_positive == (found.draws > 0).mean()
    assert found.ci95_low < found.ci80_low < found.median
    assert found.median < found.ci80_high < found.ci95_high


def test_same_seed_same_draws_and_other_seed_within_the_error():
    roi = equation("engineer_roi", "roi")
    one, same = (outlook(roi, roi_terms(), DRAWS, SEED) for _ in range(2))
    np.testing.assert_array_equal(one.draws, same.draws)
    medians = [outlook(roi, roi_terms(), DRAWS, s).median for s in range(40)]
    assert np.std(medians) == pytest.approx(one.monte_carlo_error, rel=0.5)


def test_refuses_few_draws_and_divisors_of_zero():
    roi = equation("engineer_roi", "roi")
    with pytest.raises(ValueError, match="draws must be at least 20000, got 9"):
        outlook(roi, roi_terms(), 9, SEED)
    free = roi_terms(engineer_cost_eur=Term("engineer.cost", 0.0))
    with (
        np.errstate(divide="ignore"),
        pytest.raises(ValueError, match="a divisor may reach 0"),
    ):
        outlook(roi, free, DRAWS, SEED)
