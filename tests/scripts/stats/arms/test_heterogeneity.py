"""Effects that differ: the regression it equals, published value, refusals."""

import numpy as np
import pytest
import statsmodels.api as sm
from arms import sample_of
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from stats.arms.comparisons import Counts, Sample, welch_difference
from stats.arms.heterogeneity import heterogeneity


def wald_of_regression(segments, is_treated, outcomes):
    """Wald test of treatment x segment, HC2 (statsmodels)."""
    count = segments.max() + 1
    dummies = np.eye(count)[segments]
    products = dummies[:, 1:] * is_treated[:, None]
    design = np.column_stack([dummies, is_treated, products])
    fit = sm.OLS(outcomes, design).fit(cov_type="HC2", use_t=False)
    null = np.eye(design.shape[1])[count + 1 :]
    return fit.wald_test(null, use_f=False, scalar=True)


def effects_of(segments, is_treated, outcomes):
    found = [
        welch_difference(
            *(
                sample_of(outcomes[(segments == segment) & (is_treated == arm)])
                for arm in (0, 1)
            )
        )
        for segment in range(segments.max() + 1)
    ]
    return (
        np.array([each.estimate for each in found]),
        np.array([each.standard_error for each in found]),
    )


@pytest.mark.parametrize("count", [2, 3, 7])
def test_equals_the_interactions_of_the_regression(count):
    generator = np.random.default_rng(90 + count)
    for _ in range(10):
        units = generator.integers(3, 200, (count, 2))
        segments = np.repeat(np.arange(count), units.sum(axis=1))
        is_treated = np.concatenate(
            [np.repeat([0.0, 1.0], own) for own in units]
        )
        spread = generator.gamma(1, 1, len(segments)) * (1 + segments)
        outcomes = 3 + segments * (1 + 0.2 * is_treated) + spread
        found = heterogeneity(*effects_of(segments, is_treated, outcomes))
        expected = wald_of_regression(segments, is_treated, outcomes)
        assert found.statistic[0] == pytest.approx(
            float(expected.statistic), rel=1e-9
        )
        assert found.p_value[0] == pytest.approx(
            float(expected.pvalue), rel=1e-9
        )
        assert found.degrees_of_freedom[0] == count - 1


def test_matches_hillstrom():
    """Conversion after the women's e-mail, old against new customers.

    Effects of 0.00093 and 0.00527 differ: Q = 6.954139, p = 0.0083626.
    """
    assert stats.chi2.sf(6.954139, 1) == pytest.approx(0.0083626, abs=5e-8)
    gap = 0.00527 - 0.00093
    errors = np.full(2, gap / np.sqrt(2 * 6.954139))
    found = heterogeneity([0.00093, 0.00527], errors)
    assert found.statistic[0] == pytest.approx(6.954139, rel=1e-9)
    assert found.p_value[0] == pytest.approx(0.0083626, abs=5e-8)


def test_agrees_with_meta_analysis():
    """Fixed-effect mean, Q and I squared (statsmodels)."""
    generator = np.random.default_rng(91)
    groups = np.repeat(np.arange(50), generator.integers(2, 12, 50))
    effects = generator.normal(2, 1, len(groups))
    errors = 10 ** generator.uniform(-3, 1, len(groups))
    found = heterogeneity(effects, errors, groups)
    for group in range(50):
        own = groups == group
        expected = combine_effects(effects[own], errors[own] ** 2)
        np.testing.assert_allclose(
            (found.estimate[group], found.statistic[group]),
            (expected.mean_effect_fe, expected.q),
            rtol=1e-9,
        )
        assert found.i_squared[group] == pytest.approx(
            max(expected.i2, 0), rel=1e-9, abs=1e-12
        )
        assert found.p_value[group] == pytest.approx(
            expected.test_homogeneity().pvalue, rel=1e-9
        )


def test_groups_are_judged_apart_in_any_order():
    generator = np.random.default_rng(92)
    groups = generator.choice(["country", "platform", "channel"], 60)
    effects, errors = generator.normal(0, 1, 60), generator.uniform(0.1, 2, 60)
    found = heterogeneity(effects, errors, groups)
    assert found.group.tolist() == ["channel", "country", "platform"]
    for i, group in enumerate(found.group):
        own = groups == group
        alone = heterogeneity(effects[own], errors[own])
        assert found.statistic[i] == pytest.approx(alone.statistic[0])
        assert found.degrees_of_freedom[i] == own.sum() - 1
    order = generator.permutation(60)
    turned = heterogeneity(effects[order], errors[order], groups[order])
    np.testing.assert_allclose(turned.p_value, found.p_value, rtol=1e-12)


def test_unit_sign_and_a_common_effect_do_not_matter():
    generator = np.random.default_rng(93)
    effects, errors = generator.normal(0, 1, 9), generator.uniform(0.1, 2, 9)
    found = heterogeneity(effects, errors)
    for changed in (
        heterogeneity(-60 * effects, 60 * errors),
        heterogeneity(effects + 1e6, errors),
        heterogeneity(1e-9 * effects, 1e-9 * errors),
    ):
        np.testing.assert_allclose(
            changed.statistic, found.statistic, rtol=1e-7
        )


def test_p_value_reaches_1e_300():
    found = heterogeneity([0.0, 37.0], np.sqrt([0.5, 0.5]))
    assert found.p_value[0] == pytest.approx(2 * stats.norm.sf(37), rel=1e-9)
    assert 1e-300 < found.p_value[0] < 1e-298


def test_alike_effects_differ_by_nothing():
    found = heterogeneity([0.3, 0.3, 0.3], [0.1, 0.2, 0.3])
    assert (found.statistic, found.p_value, found.i_squared) == (0, 1, 0)
    assert found.estimate == 0.3


def test_segments_without_an_estimate_are_left_out():
    nan = np.nan
    found = heterogeneity(
        [1.0, nan, 3.0, 2.0, nan],
        [0.5, nan, 0.5, 0.5, 1.0],
        ["a", "a", "a", "b", "c"],
    )
    assert found.degrees_of_freedom.tolist() == [1, 0, 0]
    assert found.reason.tolist() == ["", "one_segment", "one_segment"]
    assert found.statistic[0] == 8
    assert found.estimate[:2].tolist() == [2, 2]
    assert np.isnan(found.estimate[2])
    assert np.isnan(found.p_value[1:]).all()
    assert np.isnan(found.i_squared[1:]).all()


@pytest.mark.parametrize("error", [0.0, -1.0])
def test_refuses_errors_that_are_not_positive(error):
    with pytest.raises(ValueError, match="standard_errors must be positive"):
        heterogeneity([1.0, 2.0], [1.0, error])


@pytest.mark.slow
def test_rejects_at_the_nominal_rate():
    generator = np.random.default_rng(94)
    draws, units, segments = 20_000, 400, 4
    rates = np.array([0.1, 0.2, 0.3, 0.5])
    arms = []
    for uplift in (0.0, 0.05):
        x = generator.binomial(units, rates + uplift, (draws, segments))
        counts = Counts(x, units)
        p = counts.successes / units
        arms.append(Sample(units, p, p * (1 - p) * units / (units - 1)))
    found = welch_difference(*arms)
    q = heterogeneity(
        found.estimate, found.standard_error, np.arange(draws)[:, None]
    )
    assert 0.045 <= (q.p_value < 0.05).mean() <= 0.056
