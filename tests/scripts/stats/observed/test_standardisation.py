"""Standardised effects: hand-made truth, oracles, coverage, refusals."""

import numpy as np
import pytest
import statsmodels.api as sm

from stats.arms.comparisons import Sample, welch_difference
from stats.observed.standardisation import standardised_effect


def planted(effect, seed, users=60_000):
    """Draw strata where activity moves exposure and outcome alike."""
    generator = np.random.default_rng(seed)
    activity = np.arange(12)
    sizes = generator.multinomial(users, np.full(12, 1 / 12))
    n1 = generator.binomial(sizes, 0.05 + 0.05 * activity)
    n0 = sizes - n1
    base = 0.04 + 0.008 * activity
    return (
        generator.binomial(n1, base + effect),
        n1,
        generator.binomial(n0, base),
        n0,
    )


def test_weights_by_the_population_that_is_asked_about():
    counts = ([30, 20], [100, 50], [40, 60], [200, 400])
    everyone = standardised_effect(*counts, on_others=False)
    others = standardised_effect(*counts, on_others=True)
    assert everyone.estimate == pytest.approx((300 * 0.1 + 450 * 0.25) / 750)
    assert others.estimate == pytest.approx((200 * 0.1 + 400 * 0.25) / 600)
    assert (everyone.exposed_units, everyone.other_units) == (150, 600)


def test_error_counts_outcomes_and_weights():
    """Two strata by hand: effects 0.1 and 0.25, variances of x / n."""
    found = standardised_effect(
        [30, 20], [100, 50], [40, 60], [200, 400], on_others=False
    )
    weights = np.array([300, 450]) / 750
    outcomes = np.array(
        [
            0.3 * 0.7 / 99 + 0.2 * 0.8 / 199,
            0.4 * 0.6 / 49 + 0.15 * 0.85 / 399,
        ]
    )
    spread = weights @ (np.array([0.1, 0.25]) - found.estimate) ** 2 / 750
    variance = weights**2 @ outcomes + spread
    assert found.standard_error == pytest.approx(variance**0.5, rel=1e-12)


def test_one_stratum_is_the_plain_comparison():
    x1, n1, x0, n0 = 300, 1_000, 200, 2_000
    found = standardised_effect([x1], [n1], [x0], [n0], on_others=False)
    welch = welch_difference(
        *(
            Sample(n, x / n, x / n * (1 - x / n) * n / (n - 1))
            for x, n in ((x0, n0), (x1, n1))
        )
    )
    assert found.estimate == pytest.approx(welch.estimate)
    assert found.standard_error == pytest.approx(welch.standard_error)


def test_agrees_with_inverse_probability_weighting_on_rows():
    """Saturated strata make weighting and standardising the same estimate."""
    x1, n1, x0, n0 = planted(0.02, seed=13, users=5_000)
    weights, outcomes, exposed = [], [], []
    for s in range(12):
        share = n1[s] / (n1[s] + n0[s])
        for kind, x, n, weight in (
            (1, x1[s], n1[s], 1 / share),
            (0, x0[s], n0[s], 1 / (1 - share)),
        ):
            weights += [weight] * n
            outcomes += [1] * x + [0] * (n - x)
            exposed += [kind] * n
    model = sm.WLS(outcomes, sm.add_constant(exposed), weights).fit()
    found = standardised_effect(x1, n1, x0, n0, on_others=False)
    assert found.estimate == pytest.approx(model.params[1], rel=1e-9)


def test_strata_without_overlap_are_left_out_and_counted():
    found = standardised_effect(
        [10, 3, 0, 1], [50, 9, 0, 1], [10, 0, 8, 5], [90, 0, 40, 30],
        on_others=True,
    )  # fmt: skip
    alone = standardised_effect([10], [50], [10], [90], on_others=True)
    assert found.estimate == alone.estimate
    assert found.strata_used == 1
    assert found.units_without_overlap == 9 + 40 + 31


def test_no_overlap_gives_no_number():
    found = standardised_effect([1], [5], [0], [0], on_others=False)
    assert np.isnan(found.estimate)
    assert np.isnan(found.p_value)
    assert (found.strata_used, found.units_without_overlap) == (0, 5)


def test_order_and_empty_strata_change_nothing():
    counts = np.array(planted(0.02, seed=14))
    found = standardised_effect(*counts, on_others=False)
    shuffled = standardised_effect(*counts[:, ::-1], on_others=False)
    padded = np.hstack([counts, np.zeros((4, 1), int)])
    np.testing.assert_allclose(found, shuffled, rtol=1e-12)
    assert found == standardised_effect(*padded, on_others=False)


@pytest.mark.parametrize("effect", [0.0, 0.02])
def test_recovers_what_the_plain_gap_does_not(effect):
    x1, n1, x0, n0 = planted(effect, seed=15, users=600_000)
    gap = x1.sum() / n1.sum() - x0.sum() / n0.sum()
    for on_others in (False, True):
        found = standardised_effect(x1, n1, x0, n0, on_others=on_others)
        assert found.ci_low <= effect <= found.ci_high
        assert gap > found.ci_high


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (([6], [5], [0], [5]), "exposed successes must lie"),
        (([1], [5], [-1], [5]), "other successes must lie"),
        (([1], [5], [1, 2], [5, 5]), "one number per stratum"),
        (([1, 2], [5], [1], [5]), "one number per stratum"),
    ],
)
def test_refuses_impossible_counts(counts, message):
    with pytest.raises(ValueError, match=message):
        standardised_effect(*counts, on_others=False)


@pytest.mark.slow
@pytest.mark.parametrize("effect", [0.0, 0.02])
@pytest.mark.parametrize("on_others", [False, True])
def test_covers_at_the_nominal_rate(effect, on_others):
    found = [
        standardised_effect(
            *planted(effect, seed, users=20_000), on_others=on_others
        )
        for seed in range(4_000)
    ]
    covered = np.mean([f.ci_low <= effect <= f.ci_high for f in found])
    assert 0.94 <= covered <= 0.96
    spread = np.std([f.estimate for f in found])
    error = np.mean([f.standard_error for f in found])
    assert error == pytest.approx(spread, rel=0.04)
