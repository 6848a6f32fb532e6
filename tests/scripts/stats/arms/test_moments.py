"""Moments of unions and ratios: the rows themselves, oracles, refusals."""

import numpy as np
import pytest
from arms import aggregates_of, moments_of

from stats.arms.comparisons import Sample
from stats.arms.moments import (
    Moments,
    checked_moments,
    linearised_ratios,
    pair_moments,
    pooled_moments,
    remainder,
)

NAMES = ["a", "b", "c", "d"]


def rows(units, seed, offset=3.0):
    generator = np.random.default_rng(seed)
    mixing = generator.normal(0, 1, (4, 4))
    return generator.normal(0, 1, (units, 4)) @ mixing + offset


@pytest.mark.parametrize(
    ("first", "second"), [(2, 2), (2, 5_000), (99, 1), (40, 60), (1, 1)]
)
def test_pooling_equals_the_rows_together(first, second):
    before, after = rows(first, 1), rows(second, 2, offset=-40.0)
    groups = [
        Moments(
            len(each),
            each.mean(axis=0),
            np.cov(each, rowvar=False) if len(each) > 1 else np.zeros((4, 4)),
        )
        for each in (before, after)
    ]
    expected = moments_of(np.concatenate([before, after]))
    found = pooled_moments(*groups)
    assert found.units == first + second
    np.testing.assert_allclose(found.means, expected.means, rtol=1e-12)
    np.testing.assert_allclose(
        found.covariances, expected.covariances, rtol=1e-9, atol=1e-9
    )


def test_pooling_keeps_its_digits_far_from_the_origin():
    """Sums of squares give 197 where the variance is 0.083."""
    before, after = rows(500, 3, offset=1e8), rows(700, 4, offset=1e8)
    expected = moments_of(np.concatenate([before, after]) - 1e8)
    found = pooled_moments(moments_of(before), moments_of(after))
    np.testing.assert_allclose(found.covariances, expected.covariances, 1e-6)


def test_pooling_agrees_with_tea_tasting():
    before, after = moments_of(rows(80, 5)), moments_of(rows(900, 6, 2.0))
    expected = aggregates_of(before, NAMES) + aggregates_of(after, NAMES)
    found = aggregates_of(pooled_moments(before, after), NAMES)
    for part in ("mean_", "var_", "cov_"):
        ours, theirs = getattr(found, part), getattr(expected, part)
        assert ours == pytest.approx(theirs, rel=1e-12)


def test_ratios_agree_with_tea_tasting():
    for seed in range(50):
        group = moments_of(rows(60, seed, offset=6.0))
        expected = aggregates_of(group, NAMES)
        found = linearised_ratios(group)
        variances = [
            expected.ratio_var(*pair) for pair in (("a", "b"), ("c", "d"))
        ]
        np.testing.assert_allclose(
            np.diag(found.covariances), variances, rtol=1e-9
        )
        covariance = expected.ratio_cov("a", "b", "c", "d")
        assert found.covariances[0, 1] == pytest.approx(covariance, rel=1e-9)
        assert found.covariances[1, 0] == pytest.approx(covariance, rel=1e-9)


def test_ratio_of_a_denominator_that_is_not_positive_is_nan():
    found = linearised_ratios(
        pair_moments(Sample(9, 1.0, 1.0), [2.0, 0.0, -2.0], 1.0, 0.5)
    )
    assert found.means[:, 0].tolist()[0] == 0.5
    assert np.isnan(found.means[1:]).all()
    assert np.isnan(found.covariances[1:]).all()


def test_nobody_has_no_moments():
    nobody = Moments(0, [np.nan, np.nan], np.full((2, 2), np.nan))
    found = pooled_moments(nobody, nobody)
    assert np.isnan(found.means).all()


def test_what_only_rounding_left_is_nothing():
    assert remainder(1.0, 1.0 - 1e-13) == 0
    assert remainder(1.0, 1.0 + 1e-13) == 0
    assert remainder(1.0, 0.999) == pytest.approx(0.001)
    assert np.isnan(remainder(np.nan, 1.0))


@pytest.mark.parametrize(
    ("group", "message"),
    [
        (Moments(9, [1.0, 2.0], np.eye(3)), "control needs one mean per"),
        (Moments(9, 1.0, [[1.0]]), "control needs one mean per"),
        (
            Moments(9, [1.0, 2.0], [[1.0, 0.0], [0.0, -2.0]]),
            r"control variances must not be negative, got -2.0",
        ),
        (
            Moments(9, [1.0, 2.0], [[1.0, 3.0], [3.0, 2.0]]),
            "control covariances must not exceed",
        ),
    ],
)
def test_refuses_impossible_groups(group, message):
    with pytest.raises(ValueError, match=message):
        checked_moments("control", group)
