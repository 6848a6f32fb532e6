"""Numbers as a page writes them."""

import pytest
from pages import plain

from display.formats import MISSING, Scale, fit_scale


@pytest.mark.parametrize(
    ("unit", "values", "shown"),
    [
        ("rate", (0.0642, 0.061, 0.068), "6.4 %"),
        ("rate", (0.06421, 0.06419, 0.06423), "6.421 %"),
        ("rate", (0.0,), "0.0 %"),
        ("rate difference", (-0.0418, -0.05, -0.03), "\u22124.2 points"),
        ("rate difference", (0.0418, 0.03, 0.05), "+4.2 points"),
        ("sessions per user", (49.9, 49.6, 50.2), "49.9 sessions per user"),
        (
            "sessions per week",
            (98.7e6, 95e6, 102e6),
            "98.7 million sessions per week",
        ),
        ("EUR per EUR", (3.21, 1.2, 5.9), "3.2\u00d7"),
        ("EUR", (1_234_567.0,), "€1.2 million"),
        ("EUR", (-330_000.0, -400_000.0, -200_000.0), "\u2212€330,000"),
        ("users", (1234.4, 1000.0, 1500.0), "1,234 users"),
        ("count", (60_000,), "60,000"),
    ],
)
def test_units_and_digits(unit, values, shown):
    text = fit_scale(unit, *values).text(values[0])
    assert plain(text) == shown


def test_zero_after_rounding_has_no_sign():
    assert Scale(decimals=1, is_signed=True).text(-0.001) == "0.0"
    assert Scale().text(None) == MISSING
    assert Scale().span(None, 1.0) == MISSING
