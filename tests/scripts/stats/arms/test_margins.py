"""Guardrails: oracles, one verdict, both directions, refusals."""

import numpy as np
import pytest
import tea_tasting as tt
from arms import answer_of_tea_tasting
from scipy import stats

from stats.arms.comparisons import Sample, welch_difference
from stats.arms.effects import mean_effect
from stats.arms.margins import noninferiority
from stats.arms.moments import Moments


def random_arms(count, seed, baseline=3.0):
    generator = np.random.default_rng(seed)
    control = Sample(
        generator.integers(2, 10**5, count),
        generator.normal(baseline, 1, count),
        10 ** generator.uniform(-3, 2, count),
    )
    errors = np.sqrt(control.variance / control.units)
    treatment = Sample(
        generator.integers(2, 10**5, count),
        control.mean + 3 * errors * generator.normal(0, 1, count),
        control.variance * generator.uniform(0.5, 2, count),
    )
    return control, treatment


def mirrored(arm):
    return Sample(arm.units, -np.asarray(arm.mean), arm.variance)


def test_statistic_is_that_of_the_ratio_form():
    """z = (m1 - (1 - d) m0) / sqrt(v1 / n1 + (1 - d)^2 v0 / n0)."""
    control, treatment = Sample(900, 8.0, 25.0), Sample(300, 7.9, 16.0)
    found = noninferiority(control, treatment, 0.05, is_higher_better=True)
    error = np.sqrt(16 / 300 + 0.95**2 * 25 / 900)
    assert found.statistic == pytest.approx((7.9 - 0.95 * 8) / error, rel=1e-12)
    degrees = welch_difference(control, treatment).degrees_of_freedom
    assert found.p_value == pytest.approx(
        stats.t.sf(found.statistic, degrees), rel=1e-9
    )
    rise = noninferiority(control, treatment, 0.05, is_higher_better=False)
    error = np.sqrt(16 / 300 + 1.05**2 * 25 / 900)
    assert rise.statistic == pytest.approx((1.05 * 8 - 7.9) / error, rel=1e-12)


@pytest.mark.parametrize(
    ("is_better", "word"), [(True, "greater"), (False, "less")]
)
def test_without_a_margin_it_is_the_one_sided_test(is_better, word):
    control, treatment = random_arms(200, seed=100)
    found = noninferiority(control, treatment, 0.0, is_higher_better=is_better)
    expected = stats.ttest_ind_from_stats(
        treatment.mean,
        np.sqrt(treatment.variance),
        treatment.units,
        control.mean,
        np.sqrt(control.variance),
        control.units,
        equal_var=False,
        alternative=word,
    )
    np.testing.assert_allclose(found.p_value, expected.pvalue, rtol=1e-9)
    for i in range(50):
        arms = (
            Moments(arm.units[i], [arm.mean[i]], [[arm.variance[i]]])
            for arm in (control, treatment)
        )
        theirs = answer_of_tea_tasting(
            tt.Mean("y", alternative=word),
            *(Moments(n, np.array(m), np.array(s)) for n, m, s in arms),
            ["y"],
        )
        assert found.p_value[i] == pytest.approx(theirs.pvalue, rel=1e-9)


@pytest.mark.parametrize("is_better", [True, False])
def test_interval_and_p_value_give_one_verdict(is_better):
    control, treatment = random_arms(20_000, seed=101, baseline=0.5)
    margin = np.random.default_rng(102).uniform(0, 0.3, 20_000)
    found = noninferiority(
        control, treatment, margin, is_higher_better=is_better, alpha=0.025
    )
    bound = found.ci_low if is_better else found.ci_high
    is_bounded = np.isfinite(bound)
    passes = found.p_value < 0.025
    excludes = bound > -margin if is_better else bound < margin
    assert passes[is_bounded].sum() > 2_000
    assert (~passes)[is_bounded].sum() > 2_000
    assert (passes == excludes)[is_bounded].all()


def test_bound_is_that_of_the_two_sided_interval_at_twice_the_level():
    control, treatment = random_arms(200, seed=103)
    two_sided = mean_effect(control, treatment, 0.05).relative
    for is_better in (True, False):
        found = noninferiority(
            control, treatment, 0.1, is_higher_better=is_better, alpha=0.025
        )
        np.testing.assert_array_equal(found.estimate, two_sided.estimate)
        bounds = (found.ci_low, two_sided.ci_low)
        open_end, sign = found.ci_high, 1
        if not is_better:
            bounds = (found.ci_high, two_sided.ci_high)
            open_end, sign = found.ci_low, -1
        np.testing.assert_array_equal(*bounds)
        is_bounded = np.isfinite(bounds[0])
        assert (open_end[is_bounded] == sign * np.inf).all()


def test_direction_flips_with_the_sign_of_the_metric():
    """A loss of 2 from -10 is as bad as a rise of 2 from 10."""
    for baseline in (3.0, -3.0):
        control, treatment = random_arms(300, seed=104, baseline=baseline)
        up = noninferiority(control, treatment, 0.1, is_higher_better=True)
        down = noninferiority(
            mirrored(control), mirrored(treatment), 0.1, is_higher_better=False
        )
        np.testing.assert_allclose(down.p_value, up.p_value, rtol=1e-12)
        np.testing.assert_allclose(down.ci_high, -up.ci_low, rtol=1e-12)


def test_unit_does_not_matter():
    control, treatment = random_arms(300, seed=105)
    found = noninferiority(control, treatment, 0.1, is_higher_better=True)
    scaled = noninferiority(
        *(
            Sample(arm.units, 60 * arm.mean, 3600 * arm.variance)
            for arm in (control, treatment)
        ),
        0.1,
        is_higher_better=True,
    )
    np.testing.assert_allclose(scaled.p_value, found.p_value, rtol=1e-9)
    np.testing.assert_allclose(scaled.ci_low, found.ci_low, rtol=1e-9)


def test_a_wider_margin_is_easier_to_keep():
    arms = Sample(500, 8.0, 25.0), Sample(500, 7.8, 25.0)
    margins = np.linspace(0, 0.5, 20)
    for is_better in (True, False):
        found = noninferiority(*arms, margins, is_higher_better=is_better)
        assert (np.diff(found.p_value) < 0).all()


def test_p_value_reaches_1e_300():
    arms = [Sample(10**7, mean, 1.0) for mean in (1.0, 0.9 + 37 * 1.81e-7**0.5)]
    found = noninferiority(*arms, 0.1, is_higher_better=True)
    assert 1e-300 < found.p_value < 1e-298


def test_directions_and_margins_may_differ_by_row():
    control, treatment = random_arms(2, seed=106)
    found = noninferiority(
        control, treatment, [0.1, 0.2], is_higher_better=[True, False]
    )
    assert np.isinf(found.ci_high).tolist() == [True, False]
    assert np.isinf(found.ci_low).tolist() == [False, True]
    alone = noninferiority(
        *(Sample(*(part[1] for part in arm)) for arm in (control, treatment)),
        0.2,
        is_higher_better=False,
    )
    assert found.p_value[1] == pytest.approx(alone.p_value, rel=1e-12)


def test_a_row_without_a_number_says_why():
    nan = np.nan
    control = Sample(
        [0, 1, 50, 50, 50, 50, 2],
        [nan, 5.0, 5.0, 0.0, 0.1, nan, 1.0],
        [nan, nan, 0.0, 4.0, 4.0, nan, 0.1],
    )
    treatment = Sample(60, 6.0, [4.0, 4.0, 0.0, 4.0, 4.0, 4.0, 4.0])
    found = noninferiority(
        control,
        treatment,
        0.1,
        is_higher_better=True,
        reason=["", "", "", "", "", "known", ""],
    )
    assert found.reason.tolist() == [
        "empty_arm",
        "too_few_units",
        "zero_variance",
        "relative_zero_baseline",
        "relative_unbounded",
        "known",
        "",
    ]
    has_p = [False, False, False, False, True, False, True]
    assert np.isfinite(found.p_value).tolist() == has_p
    assert np.isfinite(found.ci_low).tolist() == [False] * 6 + [True]
    assert np.isnan(found.ci_high).tolist() == [True] * 6 + [False]


@pytest.mark.parametrize(
    ("margin", "alpha", "message"),
    [
        (-0.1, 0.05, r"margin must be in \[0, 1\), got -0.1"),
        (1.0, 0.05, "margin must be in"),
        (np.nan, 0.05, "margin must be in"),
        (0.1, 0.5, r"alpha must be in \(0, 0.5\), got 0.5"),
        (0.1, 0.0, "alpha must be in"),
    ],
)
def test_refuses_impossible_input(margin, alpha, message):
    arm = Sample(9, 4.0, 1.0)
    with pytest.raises(ValueError, match=message):
        noninferiority(arm, arm, margin, is_higher_better=True, alpha=alpha)


@pytest.mark.slow
def test_passes_harm_at_the_margin_at_the_nominal_rate():
    """The control's noise is part of the error; taking it as fixed is not."""
    generator = np.random.default_rng(107)
    draws, units, margin = 40_000, 1_000, 0.2
    for sign, is_better in ((-1, True), (1, False)):
        means = np.array([2.0, 2.0 * (1 + sign * margin)])
        arms = [
            Sample(
                units,
                generator.normal(mean, 3 / np.sqrt(units), draws),
                9 * generator.chisquare(units - 1, draws) / (units - 1),
            )
            for mean in means
        ]
        found = noninferiority(*arms, margin, is_higher_better=is_better)
        assert 0.047 <= (found.p_value < 0.05).mean() <= 0.053
        covered = (found.ci_low <= sign * margin) & (
            sign * margin <= found.ci_high
        )
        assert 0.947 <= covered.mean() <= 0.953
