"""Days that users stay: by hand, against lifelines, and the tail's rule."""

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time

from stats.lifetimes import expected_days


def test_a_constant_hazard_gives_the_geometric_sum():
    at_risk = np.full(20, 1_000)
    churned = np.where(np.arange(20) > 0, 100, 0)
    found = expected_days(at_risk, churned, horizon_days=400)
    assert found.days == pytest.approx(0.9 / 0.1 * (1 - 0.9**400))
    later = expected_days(at_risk, churned, horizon_days=403, from_day=3)
    assert later.days == pytest.approx(found.days)


def test_a_discount_is_that_of_an_annuity():
    at_risk, churned = np.full(5, 100), np.zeros(5)
    found = expected_days(
        at_risk, churned, horizon_days=365, yearly_discount=0.1
    )
    daily = 1.1 ** (-1 / 365)
    assert found.days == pytest.approx(daily * (1 - daily**365) / (1 - daily))
    assert found.standard_error == 0


def counts(durations, observed, days):
    numbers = np.arange(days + 1)
    at_risk = np.array([(durations >= day).sum() for day in numbers])
    churned = np.array(
        [((durations == day) & observed).sum() for day in numbers]
    )
    return at_risk, churned


def test_agrees_with_lifelines_within_what_is_observed():
    generator = np.random.default_rng(1)
    lifetimes = generator.geometric(0.1, 800)
    limits = generator.integers(5, 40, 800)
    durations, observed = np.minimum(lifetimes, limits), lifetimes <= limits
    at_risk, churned = counts(durations, observed, 30)
    found = expected_days(at_risk, churned, horizon_days=30)
    fitter = KaplanMeierFitter().fit(durations, observed)
    mean = restricted_mean_survival_time(fitter, t=31)
    # The restricted mean also holds the first day, on which all are there.
    assert found.days == pytest.approx(mean - 1, rel=1e-9)


def test_the_error_is_that_of_the_bootstrap():
    generator = np.random.default_rng(2)
    lifetimes = generator.geometric(0.08, 1_500)
    durations = np.minimum(lifetimes, 25)

    def days(sample):
        return expected_days(
            *counts(sample, sample < 25, 24), horizon_days=90, tail_days=7
        )

    found = days(durations)
    again = [
        days(generator.choice(durations, durations.size)).days
        for _ in range(150)
    ]
    assert found.standard_error == pytest.approx(np.std(again), rel=0.2)


def test_users_who_leave_less_and_less_stay_longer_than_one_rate_says():
    """The reason why no single churn rate is used."""
    hazards = 0.3 / np.arange(1, 31)
    at_risk = 10_000 * np.cumprod(np.r_[1, 1 - hazards])[:30]
    churned = np.r_[0, (at_risk * hazards)[:-1]]
    at_risk = np.r_[at_risk[0], at_risk[:-1]]
    found = expected_days(at_risk, churned, horizon_days=180)
    one_rate = churned.sum() / at_risk[1:].sum()
    constant = np.cumprod(np.full(180, 1 - one_rate)).sum()
    assert found.days > 1.2 * constant


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"at_risk": [10, 9], "churned": [0]}, "one number per day"),
        ({"churned": [0, 11, 1]}, "churned must lie in"),
        ({"at_risk": [10, 0, 0], "churned": [0, 0, 0]}, "and at_risk above"),
        ({"from_day": 9, "horizon_days": 9}, "from_day must lie in .* 9 of 9"),
        ({"from_day": 2}, "no day after 2 is observed"),
        ({"tail_days": 0}, "tail_days must be at least 1, got 0"),
        ({"yearly_discount": -0.1}, "yearly_discount must not be negative"),
    ],
)
def test_refuses_the_impossible(changed, message):
    given = {"at_risk": [10, 9, 8], "churned": [0, 1, 1]} | changed
    with pytest.raises(ValueError, match=message):
        expected_days(given.pop("at_risk"), given.pop("churned"), **given)
