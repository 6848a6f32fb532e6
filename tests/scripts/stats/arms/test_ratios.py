"""Relative effects: published values, the shared verdict, symmetries."""

import numpy as np
import pytest

from stats.arms.comparisons import Sample, welch_difference
from stats.arms.ratios import (
    Estimate,
    quotient_interval,
    relative_difference,
)


def relative(control, treatment):
    return relative_difference(
        control, treatment, welch_difference(control, treatment).quantile
    )


def test_matches_cookie_cats():
    """Fieller on retention_7: [-6.890, -1.664] % around -4.31 %."""
    found = relative(
        *(
            Sample(n, x / n, x / n * (1 - x / n) * n / (n - 1))
            for x, n in ((8_502, 44_700), (8_279, 45_489))
        )
    )
    np.testing.assert_allclose(found, (-0.0431, -0.06890, -0.01664), atol=2e-5)


def test_bounds_solve_fiellers_equation():
    """At a bound the ratio is exactly one quantile from the data."""
    control, treatment = Sample(80, 5.0, 9.0), Sample(70, 7.0, 16.0)
    q = welch_difference(control, treatment).quantile
    found = relative(control, treatment)
    for bound in (found.ci_low, found.ci_high):
        ratio = 1 + bound
        distance = abs(7.0 - ratio * 5.0)
        error = np.sqrt(16.0 / 70 + ratio**2 * 9.0 / 80)
        assert distance == pytest.approx(q * error, rel=1e-12)


def test_verdict_always_equals_the_absolute_one():
    generator = np.random.default_rng(10)
    count = 20_000
    control = Sample(
        generator.integers(2, 5_000, count),
        generator.normal(0, 1, count),
        10 ** generator.uniform(-4, 1, count),
    )
    treatment = Sample(
        generator.integers(2, 5_000, count),
        control.mean * generator.normal(1, 0.2, count),
        10 ** generator.uniform(-4, 1, count),
    )
    absolute = welch_difference(control, treatment)
    found = relative_difference(control, treatment, absolute.quantile)
    is_bounded = ~np.isnan(found.ci_low)
    assert 5_000 < is_bounded.sum() < count
    rejects = (absolute.ci_low > 0) | (absolute.ci_high < 0)
    excludes = (found.ci_low > 0) | (found.ci_high < 0)
    assert (rejects == excludes)[is_bounded].all()
    assert (found.estimate >= found.ci_low)[is_bounded].all()
    assert (found.estimate <= found.ci_high)[is_bounded].all()
    assert (np.sign(found.estimate) == np.sign(absolute.estimate)).all()


def test_a_bound_may_lie_exactly_at_no_effect():
    found = relative_difference(Sample(4, 1.0, 0.0), Sample(4, 0.5, 1.0), 1.0)
    assert (found.ci_low, found.ci_high) == (-1, 0)


def test_negative_baseline_keeps_the_direction():
    found = relative(Sample(100, -5.0, 4.0), Sample(100, -4.0, 4.0))
    mirrored = relative(Sample(100, 5.0, 4.0), Sample(100, 4.0, 4.0))
    assert found.estimate == pytest.approx(0.2)
    assert 0 < found.ci_low < found.ci_high
    np.testing.assert_allclose(found.ci_low, -mirrored.ci_high)
    np.testing.assert_allclose(found.ci_high, -mirrored.ci_low)


def test_unit_does_not_matter():
    control, treatment = Sample(100, 5.0, 4.0), Sample(120, 5.5, 3.0)
    scaled = [Sample(n, 60 * m, 3600 * v) for n, m, v in (control, treatment)]
    np.testing.assert_allclose(
        relative(control, treatment), relative(*scaled), rtol=1e-12
    )


def test_baseline_that_may_be_zero_has_no_bounds():
    unbounded = relative(Sample(100, 0.1, 4.0), Sample(100, 5.0, 4.0))
    assert unbounded.estimate == pytest.approx(49)
    assert np.isnan([unbounded.ci_low, unbounded.ci_high]).all()
    assert np.isnan(relative(Sample(9, 0.0, 4.0), Sample(9, 5.0, 4.0))).all()


def test_arms_without_variance_give_a_point():
    found = relative_difference(Sample(9, 4.0, 0.0), Sample(9, 5.0, 0.0), 1.96)
    assert tuple(found) == (0.25, 0.25, 0.25)
    equal = relative_difference(Sample(9, 4.0, 0.0), Sample(9, 4.0, 0.0), 1.96)
    assert tuple(equal) == (0, 0, 0)


@pytest.mark.parametrize(
    ("control", "quantile", "message"),
    [
        (Sample(9, 4.0, 1.0), 0.0, "quantile must be positive"),
        (Sample(0, 4.0, 1.0), 1.96, "at least one unit"),
        (Sample(9, 4.0, -1.0), 1.96, "must not be negative"),
    ],
)
def test_refuses_impossible_input(control, quantile, message):
    with pytest.raises(ValueError, match=message):
        relative_difference(control, Sample(9, 4.0, 1.0), quantile)


def random_quotients(count, seed):
    generator = np.random.default_rng(seed)
    tops, belows = 10 ** generator.uniform(-6, 6, (2, count))
    correlations = generator.uniform(-1, 1, count)
    return (
        Estimate(np.sqrt(tops) * generator.normal(0, 5, count), tops),
        Estimate(np.sqrt(belows) * generator.normal(0, 9, count), belows),
        correlations * np.sqrt(tops * belows),
        generator.uniform(0.5, 4, count),
    )


def test_quotient_bounds_solve_fiellers_equation():
    """At a bound the numerator is one quantile from bound x denominator."""
    top, below, covariance, quantile = random_quotients(5_000, seed=30)
    found = quotient_interval(top, below, covariance, quantile)
    is_bounded = np.abs(below.value) > quantile * np.sqrt(below.variance)
    assert 2_000 < is_bounded.sum() < 4_900
    np.testing.assert_array_equal(~np.isnan(found.ci_low), is_bounded)
    for bound in (found.ci_low, found.ci_high):
        distance = np.abs(top.value - bound * below.value)
        error = np.sqrt(
            top.variance - 2 * bound * covariance + bound**2 * below.variance
        )
        np.testing.assert_allclose(
            distance[is_bounded], (quantile * error)[is_bounded], rtol=1e-8
        )
    assert (found.ci_low <= found.estimate)[is_bounded].all()
    assert (found.estimate <= found.ci_high)[is_bounded].all()


def test_quotient_verdict_equals_its_numerators():
    top, below, covariance, quantile = random_quotients(20_000, seed=31)
    found = quotient_interval(top, below, covariance, quantile)
    is_bounded = ~np.isnan(found.ci_low)
    rejects = np.abs(top.value) > quantile * np.sqrt(top.variance)
    excludes = (found.ci_low > 0) | (found.ci_high < 0)
    assert (rejects == excludes)[is_bounded].all()


def test_relative_difference_is_the_quotient_by_the_control():
    generator = np.random.default_rng(32)
    control, treatment = (
        Sample(
            generator.integers(2, 5_000, 500),
            generator.normal(3, 1, 500),
            10 ** generator.uniform(-3, 1, 500),
        )
        for _ in range(2)
    )
    before, after = (arm.variance / arm.units for arm in (control, treatment))
    sign = np.sign(control.mean)
    quotient = quotient_interval(
        Estimate(treatment.mean - control.mean, before + after),
        Estimate(np.abs(control.mean), before),
        -sign * before,
        1.96,
    )
    expected = relative_difference(control, treatment, 1.96)
    np.testing.assert_allclose(quotient, expected, rtol=1e-9)


def test_quotient_by_a_certain_denominator_is_scaled():
    found = quotient_interval(Estimate(6.0, 4.0), Estimate(-2.0, 0.0), 0.0, 2.0)
    assert tuple(found) == (-3, -5, -1)
    none = quotient_interval(Estimate(6.0, 4.0), Estimate(0.0, 1.0), 0.0, 2.0)
    assert np.isnan(none).all()


def test_quotient_flips_with_either_sign():
    top, below, covariance, quantile = random_quotients(500, seed=33)
    found = quotient_interval(top, below, covariance, quantile)
    flipped = quotient_interval(
        Estimate(-top.value, top.variance), below, -covariance, quantile
    )
    np.testing.assert_allclose(found.ci_low, -flipped.ci_high, rtol=1e-12)
    both = quotient_interval(
        Estimate(-top.value, top.variance),
        Estimate(-below.value, below.variance),
        covariance,
        quantile,
    )
    np.testing.assert_allclose(found, both, rtol=1e-12)


@pytest.mark.parametrize(
    ("top", "below", "quantile", "message"),
    [
        (Estimate(1.0, 1.0), Estimate(1.0, 1.0), 0.0, "quantile must be pos"),
        (Estimate(1.0, -1.0), Estimate(1.0, 1.0), 1.0, "must not be negative"),
        (Estimate(1.0, 1.0), Estimate(1.0, -1.0), 1.0, "must not be negative"),
    ],
)
def test_quotient_refuses_impossible_input(top, below, quantile, message):
    with pytest.raises(ValueError, match=message):
        quotient_interval(top, below, 0.0, quantile)


@pytest.mark.slow
def test_covers_at_the_nominal_rate():
    generator = np.random.default_rng(11)
    draws, units = 20_000, 2_000
    x0 = generator.binomial(units, 0.02, draws) / units
    x1 = generator.binomial(units, 0.04, draws) / units
    arms = [
        Sample(units, p, p * (1 - p) * units / (units - 1)) for p in (x0, x1)
    ]
    found = relative(*arms)
    covered = (found.ci_low <= 1) & (found.ci_high >= 1)
    assert 0.943 <= covered.mean() <= 0.957
