"""Effects row by row: as each alone, reasons, and the time of many."""

from time import process_time

import numpy as np
import pytest
from arms import row

from stats.arms.adjustment import adjusted_means
from stats.arms.comparisons import Sample, welch_difference
from stats.arms.effects import mean_effect
from stats.arms.moments import pair_moments
from stats.arms.ratios import relative_difference

MANY = 30_000


def random_sample(count, generator):
    return Sample(
        generator.integers(2, 10**6, count),
        generator.normal(0, 100, count),
        10 ** generator.uniform(-6, 6, count),
    )


def test_every_row_is_as_if_alone():
    generator = np.random.default_rng(20)
    control, treatment = (random_sample(300, generator) for _ in range(2))
    alphas = generator.uniform(1e-6, 0.5, 300)
    found = mean_effect(control, treatment, alphas)
    for i in range(300):
        arms = row(control, i), row(treatment, i)
        absolute = welch_difference(*arms, alphas[i])
        relative = relative_difference(*arms, absolute.quantile)
        np.testing.assert_allclose(row(found.absolute, i), absolute, 1e-13)
        np.testing.assert_allclose(row(found.relative, i), relative, 1e-13)


def test_a_row_without_a_number_says_why_and_stops_no_other():
    nan = np.nan
    cases = {
        "": (Sample(50, 5.0, 4.0), Sample(60, 5.0, 4.0)),
        "empty_arm": (Sample(0, nan, nan), Sample(60, 5.0, 4.0)),
        "too_few_units": (Sample(50, 5.0, 4.0), Sample(1, 5.0, nan)),
        "zero_variance": (Sample(50, 5.0, 0.0), Sample(60, 6.0, 0.0)),
        "relative_zero_baseline": (Sample(50, 0.0, 4.0), Sample(60, 6.0, 1.0)),
        "relative_unbounded": (Sample(50, 0.1, 4.0), Sample(60, 6.0, 1.0)),
    }
    control, treatment = (
        Sample(*np.transpose([pair[arm] for pair in cases.values()]))
        for arm in (0, 1)
    )
    found = mean_effect(control, treatment)
    assert found.reason.tolist() == list(cases)
    has_number = [True, False, False, False, True, True]
    assert np.isfinite(found.absolute.p_value).tolist() == has_number
    is_bounded = [True, False, False, False, False, False]
    assert np.isfinite(found.relative.ci_low).tolist() == is_bounded
    alone = mean_effect(*cases[""])
    assert found.absolute.p_value[0] == alone.absolute.p_value


def test_known_reasons_excuse_nan_and_yield_to_graver_ones():
    nan = np.nan
    control = Sample(50, [nan, 5.0, 5.0, 0.0], [nan, 4.0, 0.0, 4.0])
    treatment = Sample(60, 6.0, [1.0, 1.0, 0.0, 1.0])
    found = mean_effect(control, treatment, [nan, 0.05, nan, 0.05], "remark")
    assert (
        " ".join(found.reason.tolist())
        == "remark remark zero_variance relative_zero_baseline"
    )
    assert np.isnan(found.absolute.estimate).tolist() == [
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("control", "alpha", "message"),
    [
        (Sample(9, np.nan, 1.0), 0.05, "control mean and variance must be fin"),
        (Sample(9, 1.0, -1.0), 0.05, "control variance must not be negative"),
        (Sample(9, 1.0, 1.0), np.nan, "alpha must be in"),
        (Sample(9, 1.0, 1.0), 1.0, "alpha must be in"),
    ],
)
def test_refuses_impossible_input(control, alpha, message):
    with pytest.raises(ValueError, match=message):
        mean_effect(control, Sample(9, 1.0, 1.0), alpha)


def test_a_stricter_level_widens_the_interval_of_its_row_only():
    arms = Sample([50, 50], 5.0, 4.0), Sample([60, 60], 6.0, 4.0)
    found = mean_effect(*arms, [0.05, 0.001])
    assert found.absolute.ci_low[1] < found.absolute.ci_low[0]
    assert found.absolute.p_value[1] == found.absolute.p_value[0]
    assert found.relative.ci_low[1] < found.relative.ci_low[0]


def test_thirty_thousand_comparisons_take_a_moment():
    """CUPED, Welch and Fieller with intervals, one call each."""
    generator = np.random.default_rng(21)
    arms = [
        pair_moments(
            Sample(
                generator.integers(100, 10_000, MANY),
                generator.normal(10, 1, MANY),
                generator.uniform(1, 4, MANY),
            ),
            generator.normal(8, 1, MANY),
            generator.uniform(1, 4, MANY),
            generator.uniform(-0.9, 0.9, MANY),
        )
        for _ in range(2)
    ]
    seconds = []
    for _ in range(5):
        start = process_time()
        adjusted = adjusted_means(*arms)
        found = mean_effect(
            adjusted.control, adjusted.treatment, 0.05, adjusted.reason
        )
        seconds.append(process_time() - start)
    print(f"{MANY:,} comparisons: {1e3 * min(seconds):.0f} ms")
    assert (found.reason == "").all()
    assert np.isfinite(found.relative.ci_high).all()
    assert min(seconds) < 0.1
