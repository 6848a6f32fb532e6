"""Effect on those reached: two-stage least squares, one verdict, reasons."""

import numpy as np
import pytest
from arms import moments_of, row, stacked
from statsmodels.sandbox.regression.gmm import IV2SLS

from stats.arms.comparisons import Sample, welch_difference
from stats.arms.compliance import complier_effect
from stats.arms.effects import mean_effect
from stats.arms.moments import Moments, pair_moments


def users(units, generator, share, *, assigned, always=0.0, effect=1.0):
    """Outcome and being reached; who is reached differs from the others."""
    kind = generator.random(units)
    reached = (kind < always) | ((kind < always + share) & (assigned > 0))
    outcome = 3 + 2 * (kind < 0.5) + effect * reached
    return np.column_stack([outcome + generator.gamma(1, 1, units), reached])


def two_arms(units, seed, share=0.6, always=0.0, effect=1.0):
    generator = np.random.default_rng(seed)
    return [
        users(
            n,
            generator,
            share,
            assigned=assigned,
            always=always,
            effect=effect,
        )
        for assigned, n in enumerate(units)
    ]


@pytest.mark.parametrize("always", [0.0, 0.2])
def test_agrees_with_two_stage_least_squares(always):
    """One-sided and two-sided noncompliance (statsmodels)."""
    for seed in range(20):
        arms = two_arms((300, 500), seed, always=always)
        rows = np.concatenate(arms)
        is_treated = np.repeat([0.0, 1.0], [len(arm) for arm in arms])
        ones = np.ones(len(rows))
        fit = IV2SLS(
            rows[:, 0],
            np.column_stack([ones, rows[:, 1]]),
            np.column_stack([ones, is_treated]),
        ).fit()
        found = complier_effect(*(moments_of(arm) for arm in arms))
        assert found.estimate == pytest.approx(fit.params[1], rel=1e-9)


def test_bounds_are_where_the_rows_stop_rejecting():
    """At a bound b, outcomes less b x reached differ by one quantile."""
    arms = two_arms((300, 500), seed=110, always=0.1)
    found = complier_effect(*(moments_of(arm) for arm in arms))
    quantile = welch_difference(
        *(Sample(len(a), a[:, 0].mean(), a[:, 0].var(ddof=1)) for a in arms)
    ).quantile
    for bound in (found.ci_low, found.ci_high):
        before, after = (arm[:, 0] - bound * arm[:, 1] for arm in arms)
        error = np.sqrt(
            before.var(ddof=1) / len(before) + after.var(ddof=1) / len(after)
        )
        assert abs(after.mean() - before.mean()) == pytest.approx(
            quantile * error, rel=1e-9
        )
    before, after = (arm[:, 0] - found.estimate * arm[:, 1] for arm in arms)
    assert after.mean() == pytest.approx(before.mean(), rel=1e-12)
    error = np.sqrt(
        before.var(ddof=1) / len(before) + after.var(ddof=1) / len(after)
    )
    assert found.standard_error == pytest.approx(
        error / (arms[1][:, 1].mean() - arms[0][:, 1].mean()), rel=1e-9
    )


def random_moments(count, seed):
    generator = np.random.default_rng(seed)
    arms = []
    for shares in ((0.0, 0.3), (0.1, 1.0)):
        units = generator.integers(50, 10_000, count)
        share = generator.uniform(*shares, count)
        variance = 10 ** generator.uniform(-2, 2, count)
        reached = share * (1 - share) * units / (units - 1)
        covariance = generator.uniform(-0.5, 0.5, count) * np.sqrt(
            variance * reached
        )
        mean = generator.normal(3, 0.3, count)
        arms.append(
            pair_moments(
                Sample(units, mean, variance), share, reached, covariance
            )
        )
    return arms


def test_verdict_is_that_of_the_assignment():
    arms = random_moments(20_000, seed=111)
    found = complier_effect(*arms)
    assigned = mean_effect(
        *(Sample(n, m[..., 0], s[..., 0, 0]) for n, m, s in arms)
    ).absolute
    np.testing.assert_array_equal(found.p_value, assigned.p_value)
    is_shown = found.reason == ""
    assert is_shown.sum() > 10_000
    assert (~is_shown).sum() > 1_000
    assert (found.reason[~is_shown] == "weak_instrument").all()
    excludes = (found.ci_low > 0) | (found.ci_high < 0)
    rejects = (assigned.ci_low > 0) | (assigned.ci_high < 0)
    assert (excludes == rejects)[is_shown].all()
    (n0, m0, s0), (n1, m1, s1) = arms
    spread = s0[..., 1, 1] / n0 + s1[..., 1, 1] / n1
    assert ((m1 - m0)[is_shown, 1] ** 2 / spread[is_shown] >= 10).all()
    assert (found.ci_low < found.estimate)[is_shown].all()
    assert (found.estimate < found.ci_high)[is_shown].all()


def test_full_compliance_is_the_plain_comparison():
    control = pair_moments(Sample(400, 5.0, 4.0), 0.0, 0.0, 0.0)
    treatment = pair_moments(Sample(300, 5.4, 5.0), 1.0, 0.0, 0.0)
    found = complier_effect(control, treatment)
    plain = welch_difference(Sample(400, 5.0, 4.0), Sample(300, 5.4, 5.0))
    np.testing.assert_allclose(
        (found.estimate, found.standard_error, found.ci_low, found.ci_high),
        (plain.estimate, plain.standard_error, plain.ci_low, plain.ci_high),
        rtol=1e-12,
    )
    assert found.reason == ""


def test_arms_units_and_names_of_reaching_are_symmetric():
    arms = [moments_of(arm) for arm in two_arms((300, 500), 112, always=0.1)]
    found = complier_effect(*arms)
    swapped = complier_effect(*arms[::-1])
    np.testing.assert_allclose(
        (swapped.estimate, swapped.ci_low, swapped.ci_high),
        (found.estimate, found.ci_low, found.ci_high),
        rtol=1e-9,
    )
    factors = np.array([-60.0, 1.0])
    scaled = complier_effect(
        *(
            Moments(n, m * factors, s * np.outer(factors, factors))
            for n, m, s in arms
        )
    )
    np.testing.assert_allclose(scaled.ci_low, -60 * found.ci_high, rtol=1e-9)
    # To be left alone instead of reached: the same users, the other sign.
    turned = np.array([1.0, -1.0])
    left = complier_effect(
        *(
            Moments(n, m * turned + [0, 1], s * np.outer(turned, turned))
            for n, m, s in arms
        )
    )
    np.testing.assert_allclose(left.ci_low, -found.ci_high, rtol=1e-9)


def test_every_row_is_as_if_alone():
    control, treatment = random_moments(100, seed=113)
    found = complier_effect(control, treatment)
    for i in range(100):
        alone = complier_effect(row(control, i), row(treatment, i))
        for ours, theirs in zip(found, alone, strict=True):
            if ours.dtype.kind == "f":
                np.testing.assert_allclose(ours[i], theirs, rtol=1e-9)
            else:
                assert ours[i] == theirs


def test_a_row_without_a_number_says_why():
    nan = np.nan
    usual = pair_moments(Sample(900, 5.0, 4.0), 0.0, 0.0, 0.0)
    cases = {
        "": (usual, pair_moments(Sample(900, 6.0, 4.0), 0.7, 0.21, 0.1)),
        "empty_arm": (
            usual,
            Moments(0, np.full(2, nan), np.full((2, 2), nan)),
        ),
        "too_few_units": (
            usual,
            Moments(1, np.array([5.0, 1.0]), np.full((2, 2), nan)),
        ),
        "zero_variance": [
            pair_moments(Sample(900, 5.0, 0.0), share, share * (1 - share), 0.0)
            for share in (0.0, 0.7)
        ],
        "reach_unknown": (
            usual,
            pair_moments(Sample(900, 6.0, 4.0), nan, nan, nan),
        ),
        "nobody_reached": (usual, usual),
        "weak_instrument": (
            pair_moments(Sample(900, 5.0, 4.0), 0.5, 0.25, 0.1),
            pair_moments(Sample(900, 6.0, 4.0), 0.52, 0.2496, 0.1),
        ),
    }
    found = complier_effect(
        *(stacked(arm) for arm in zip(*cases.values(), strict=True))
    )
    assert found.reason.tolist() == list(cases)
    is_shown = [True] + [False] * 6
    for part in (found.estimate, found.standard_error, found.ci_low):
        assert np.isfinite(part).tolist() == is_shown
    # The effect of assignment stands, whoever was reached.
    has_p = [True, False, False, False, True, True, True]
    assert np.isfinite(found.p_value).tolist() == has_p


def test_a_baseline_of_zero_is_no_obstacle():
    arms = [
        pair_moments(Sample(900, mean, 4.0), share, share * (1 - share), 0.0)
        for mean, share in ((0.0, 0.0), (0.5, 0.7))
    ]
    assert complier_effect(*arms).reason == ""


def test_p_value_reaches_1e_300():
    arms = [
        pair_moments(Sample(10**7, mean, 1.0), share, share * (1 - share), 0.0)
        for mean, share in ((0.0, 0.0), (37.0 * 2e-7**0.5, 0.7))
    ]
    assert 1e-300 < complier_effect(*arms).p_value < 1e-298


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        (Moments(9, [1.0], [[1.0]]), "treatment must have the outcome and"),
        (Moments(9, [1.0, 0.5], -np.eye(2)), "treatment variances must not"),
        (
            Moments(9, [1.0, 0.5], [[1.0, 2.0], [2.0, 0.25]]),
            "treatment covariances must not exceed",
        ),
    ],
)
def test_refuses_impossible_arms(arm, message):
    usual = Moments(9, [1.0, 0.5], [[1.0, 0.2], [0.2, 0.25]])
    with pytest.raises(ValueError, match=message):
        complier_effect(usual, arm)


@pytest.mark.slow
def test_covers_at_the_nominal_rate_where_comparing_the_reached_does_not():
    generator = np.random.default_rng(114)
    draws, units = 3_000, 600
    groups, naive = [], []
    for assigned in (0, 1):
        rows = users(draws * units, generator, 0.3, assigned=assigned).reshape(
            draws, units, 2
        )
        centred = rows - rows.mean(axis=1, keepdims=True)
        squares = np.einsum("dui,duj->dij", centred, centred) / (units - 1)
        groups.append(Moments(units, rows.mean(axis=1), squares))
        naive.append(rows)
    found = complier_effect(*groups)
    covered = (found.ci_low <= 1) & (found.ci_high >= 1)
    assert 0.94 <= covered.mean() <= 0.96
    # Those reached against all of control: the reached were better anyway.
    reached = naive[1][..., 1]
    means = (naive[1][..., 0] * reached).sum(axis=1) / reached.sum(axis=1)
    assert (means - naive[0][..., 0].mean(axis=1)).mean() > 1.5
