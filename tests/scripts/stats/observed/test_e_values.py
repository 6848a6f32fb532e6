"""E-values: published values, symmetries, refusals."""

import numpy as np
import pytest

from stats.observed.e_values import e_value


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [(1.05, 1.28), (1.10, 1.43), (1.30, 1.92), (2.0, 3.41), (3.9, 7.26)],
)
def test_matches_vanderweele_and_ding(ratio, expected):
    """VanderWeele and Ding (2017): RR + sqrt(RR (RR - 1))."""
    found = e_value(ratio, ratio, ratio)
    assert found.estimate == pytest.approx(expected, abs=0.005)


def test_matches_their_interval():
    """Breastfeeding and respiratory death: 3.9 (1.8 to 8.7), 7.26 and 3.0."""
    assert e_value(3.9, 1.8, 8.7).limit == pytest.approx(3.0, abs=0.005)


def test_an_interval_that_holds_one_needs_nothing():
    assert e_value(1.2, 0.9, 1.6).limit == 1.0
    assert e_value(1.2, 1.0, 1.6).limit == 1.0


def test_protection_is_harm_turned_around():
    found, other = e_value(0.5, 0.4, 0.8), e_value(2.0, 1.25, 2.5)
    np.testing.assert_allclose(found, other)


def test_no_ratio_has_no_e_value():
    assert np.isnan(e_value(np.nan, np.nan, np.nan)).all()


@pytest.mark.parametrize("numbers", [(0.0, 0.0, 1.0), (2.0, 2.1, 3.0)])
def test_refuses_what_is_no_ratio_in_its_interval(numbers):
    with pytest.raises(ValueError, match="must be positive and their bounds"):
        e_value(*numbers)
