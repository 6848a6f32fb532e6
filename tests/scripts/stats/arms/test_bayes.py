"""Beliefs about lifts: published values, integrals, limits, refusals."""

import numpy as np
import pytest
from scipy import integrate, stats

from stats.arms.bayes import (
    PRIOR_DEVIATION,
    WIDE_PRIOR_DEVIATION,
    Lift,
    lift,
    posterior,
)
from stats.arms.comparisons import Sample

# GrowthBook's own test: sums 100 and 105, squares 1002.25 and 1111.5.
ARMS = Sample(10, 10.0, 0.25), Sample(10, 10.5, 1.0)


@pytest.mark.parametrize(
    ("deviation", "mean", "expected"),
    [
        (np.inf, 0.0, (0.05, 0.03572, -0.02, 0.12, 0.91923, 0.00131, 0.05131)),
        (
            0.1**0.5,
            0.1,
            (0.05063, 0.03549, -0.01893, 0.12019, 0.92315, 0.00123, 0.05186),
        ),
    ],
)
def test_matches_growthbook(deviation, mean, expected):
    found = posterior(lift(*ARMS), deviation, mean)
    np.testing.assert_allclose(found, expected, atol=6e-6)


def test_agrees_with_the_integral_over_prior_and_likelihood():
    for estimate, error in ((0.03, 0.02), (-0.08, 0.05), (0.4, 0.2)):
        for prior in (PRIOR_DEVIATION, WIDE_PRIOR_DEVIATION):

            def weigh(worth, estimate=estimate, error=error, prior=prior):
                def product(x):
                    return (
                        worth(x)
                        * stats.norm.pdf(x, 0, prior)
                        * stats.norm.pdf(estimate, x, error)
                    )

                value, _ = integrate.quad(
                    product, -2, 2, points=[0.0, estimate], epsabs=1e-13
                )
                return value

            total = weigh(lambda _: 1.0)
            mean = weigh(lambda x: x) / total
            expected = (
                mean,
                (weigh(lambda x, m=mean: (x - m) ** 2) / total) ** 0.5,
                weigh(lambda x: float(x > 0)) / total,
                weigh(lambda x: max(-x, 0.0)) / total,
                weigh(lambda x: max(x, 0.0)) / total,
            )
            found = posterior(Lift(estimate, error), prior)
            np.testing.assert_allclose(
                (found.mean, found.deviation, *found[4:]), expected, rtol=1e-7
            )


def test_interval_holds_its_probability():
    for alpha in (0.05, 0.2):
        found = posterior(Lift(0.02, 0.03), alpha=alpha)
        inside = np.diff(
            stats.norm.cdf(
                [found.ci_low, found.ci_high], found.mean, found.deviation
            )
        )
        assert inside == pytest.approx(1 - alpha)


def test_losses_differ_by_the_mean():
    estimates = np.linspace(-0.5, 0.5, 41)
    found = posterior(Lift(estimates, 0.03), 0.3)
    np.testing.assert_allclose(
        found.loss_if_rejected - found.loss_if_chosen, found.mean, atol=1e-15
    )
    assert (found.loss_if_chosen >= 0).all()
    assert (np.diff(found.loss_if_chosen) <= 0).all()


def test_loss_stays_exact_far_in_the_tail():
    found = posterior(Lift(1.0, 0.1), np.inf)
    # The normal density at -10 - u is that at -10, times what is left here.
    tail, _ = integrate.quad(
        lambda u: u * np.exp(-(u**2) / 2 - 10 * u), 0, np.inf, epsabs=0
    )
    expected = 0.1 * stats.norm.pdf(10) * tail
    assert found.loss_if_chosen == pytest.approx(expected, rel=1e-10)


def test_beliefs_mirror_with_the_effect():
    found, mirrored = posterior(Lift(0.04, 0.03)), posterior(Lift(-0.04, 0.03))
    assert found.mean == -mirrored.mean
    assert found.ci_low == -mirrored.ci_high
    assert found.loss_if_chosen == mirrored.loss_if_rejected
    assert found.probability_positive == pytest.approx(
        1 - mirrored.probability_positive
    )


def test_prior_rules_without_data_and_yields_with_many():
    nothing = posterior(Lift(0.4, 1e6))
    assert nothing.mean == pytest.approx(0, abs=1e-12)
    assert nothing.deviation == pytest.approx(PRIOR_DEVIATION)
    assert nothing.probability_positive == pytest.approx(0.5)
    plenty = posterior(Lift(0.4, 1e-6))
    assert plenty.mean == pytest.approx(0.4)
    assert plenty.deviation == pytest.approx(1e-6)


def test_wide_prior_shrinks_less():
    found = posterior(
        Lift(np.array([[0.1], [-0.1]]), 0.05),
        [PRIOR_DEVIATION, WIDE_PRIOR_DEVIATION, np.inf],
    )
    assert found.mean.shape == (2, 3)
    assert (np.diff(np.abs(found.mean), axis=1) > 0).all()


def test_lift_follows_the_absolute_effect_and_ignores_the_unit():
    found = lift(Sample(100, -5.0, 4.0), Sample(100, -4.0, 4.0))
    assert found.estimate == pytest.approx(0.2)
    scaled = lift(*(Sample(n, 60 * m, 3600 * v) for n, m, v in ARMS))
    np.testing.assert_allclose(scaled, lift(*ARMS), rtol=1e-12)


@pytest.mark.parametrize(
    ("control", "treatment", "message"),
    [
        (Sample(9, 0.0, 1.0), Sample(9, 5.0, 1.0), "control mean is 0"),
        (Sample(1, 4.0, 1.0), Sample(9, 5.0, 1.0), "control units must be"),
        (Sample(9, 4.0, 1.0), Sample(9, 5.0, -1.0), "treatment mean must be"),
        (Sample(9, 4.0, 1.0), Sample(9, np.nan, 1.0), "treatment mean must be"),
        (Sample(9, 4.0, 0.0), Sample(9, 5.0, 0.0), "0 in both arms"),
    ],
)
def test_refuses_arms_without_a_lift(control, treatment, message):
    with pytest.raises(ValueError, match=message):
        lift(control, treatment)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((Lift(np.nan, 0.1),), "must be finite"),
        ((Lift(0.1, 0.1), 0.05, np.inf), "must be finite"),
        ((Lift(0.1, 0.0),), "standard_error must be positive and finite"),
        ((Lift(0.1, np.inf),), "standard_error must be positive and finite"),
        ((Lift(0.1, 0.1), 0.0), "prior_deviation must be positive"),
        ((Lift(0.1, 0.1), 0.05, 0.0, 1.0), "alpha must be in"),
    ],
)
def test_refuses_impossible_beliefs(arguments, message):
    with pytest.raises(ValueError, match=message):
        posterior(*arguments)


@pytest.mark.slow
def test_interval_covers_lifts_drawn_from_the_prior():
    generator = np.random.default_rng(18)
    truth = generator.normal(0, PRIOR_DEVIATION, 50_000)
    found = posterior(Lift(generator.normal(truth, 0.04), 0.04))
    covered = (found.ci_low <= truth) & (truth <= found.ci_high)
    assert covered.mean() == pytest.approx(0.95, abs=0.004)
    # Of decisions believed right with 90 %, 90 % are.
    is_near = np.abs(found.probability_positive - 0.9) < 0.02
    assert (truth[is_near] > 0).mean() == pytest.approx(0.9, abs=0.015)
