"""What may be said of numbers, and of which differences."""

import numpy as np
import pytest
from report_log import wilson

from display import findings
from display.findings import Estimate


@pytest.mark.parametrize(
    ("first", "last", "word"),
    [
        ((0.2, 0.18, 0.22), (0.1, 0.08, 0.12), "falls"),
        ((0.1, 0.08, 0.12), (0.2, 0.18, 0.22), "rises"),
        ((0.2, 0.15, 0.25), (0.18, 0.14, 0.23), "does not change clearly"),
        ((0.2, 0.2, 0.2), (0.2, 0.2, 0.2), "does not change clearly"),
        # Without intervals nothing is clear.
        ((0.2, None, None), (0.1, None, None), "does not change clearly"),
    ],
)
def test_a_course_is_told_beyond_its_intervals_only(first, last, word):
    said = findings.course(
        "D", Estimate(*first), "first", Estimate(*last), "last"
    )
    assert f"D {word}" in said


def test_intervals_that_touch_are_no_difference():
    assert not findings.is_apart(
        Estimate(0.1, 0.05, 0.15), Estimate(0.2, 0.15, 0.25)
    )


def test_a_value_of_few_users_does_not_hide_a_difference_of_others():
    named = [
        ("big", Estimate(*wilson(1_000, 10_000))),
        ("other", Estimate(*wilson(2_000, 10_000))),
        ("tiny", Estimate(*wilson(1, 2))),
    ]
    said = findings.contrast("D7", "country", named)
    assert said.startswith("D7 differs by country")
    assert "(big)" in said
    assert "(other)" in said


def test_a_value_of_few_users_makes_no_difference_of_its_own():
    named = [
        ("big", Estimate(*wilson(1_000, 10_000))),
        ("tiny", Estimate(*wilson(1, 2))),
    ]
    assert "not differ clearly" in findings.contrast("D7", "country", named)


@pytest.mark.parametrize("values", [2, 4, 15])
def test_equal_values_are_seldom_called_different(values):
    """In at most 5 % of logs, however many values are compared."""
    source = np.random.default_rng(20260105)
    logs, called = 2_000, 0
    for _ in range(logs):
        named = [
            (str(number), Estimate(*wilson(int(retained), 300)))
            for number, retained in enumerate(source.binomial(300, 0.3, values))
        ]
        called += "differs" in findings.contrast("D7", "country", named)
    assert called <= 0.05 * logs


def test_a_single_value_is_not_compared():
    said = findings.contrast("D7", "country", [("DE", Estimate(0.1, 0, 0.2))])
    assert "differ" not in said


@pytest.mark.parametrize(
    ("first", "last", "word"),
    [(100, 80, "fall"), (80, 100, "rise"), (1000, 1005, "hold steady")],
)
def test_counts_move_as_they_do(first, last, word):
    said = findings.movement("Users", first, "then", last, "now")
    assert f"Users {word}" in said


def test_a_count_that_was_nought_rises():
    assert "rise" in findings.movement("Users", 0, "then", 5, "now")
    assert "steady" in findings.movement("Users", 0, "then", 0, "now")
