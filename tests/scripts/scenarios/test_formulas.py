"""Formulas: values, units, places of mistakes; nothing is ever executed."""

import numpy as np
import pytest

from scenarios.formulas import parse, place_of, ramped_weeks
from scenarios.units import unit_of, unit_text

TERMS = {"a": 6.0, "b": 2.0, "c": 0.5}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * c", 7.0),
        ("(a + b) * c", 4.0),
        ("a - b - c", 3.5),
        ("a / b / c", 6.0),
        ("-a + +b", -4.0),
        ("min(a, b, c)", 0.5),
        ("max(a, min(b, 9))", 6.0),
        ("1e3 * c", 500.0),
        (" a", None),
    ],
)
def test_computes_like_arithmetic(text, expected):
    if expected is None:
        with pytest.raises(ValueError, match="character"):
            parse(text)
        return
    assert parse(text)(TERMS) == expected


def test_computes_arrays_and_numbers_alike():
    formula = parse("max(0, min(1, a * b)) - c")
    draws = {"a": np.linspace(-1, 2, 7), "b": 0.8, "c": np.full(7, 0.1)}
    found = formula(draws)
    for number in range(7):
        one = {
            name: np.broadcast_to(value, 7)[number]
            for name, value in draws.items()
        }
        assert formula(one) == found[number]


def test_names_its_terms_in_order():
    formula = parse("b * a + max(b, c)")
    assert formula.names == ("b", "a", "c")
    assert place_of(formula, "c") == 16


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "character 1: the formula is empty"),
        ("a +", "character 4: this is no formula"),
        ("a ** b", r"character 1: 'a \*\* b' is no arithmetic"),
        ("a // b", "character 1: 'a // b' is no arithmetic"),
        ("a * __import__('os')", "character 5: unknown function '__import__'"),
        ("a * b.c", r"character 5: 'b\.c' is no arithmetic"),
        ("a.real()", r"character 1: unknown function 'a\.real'"),
        ("[a for a in b]", "character 1: .* is no arithmetic"),
        ("a if b else c", "character 1: .* is no arithmetic"),
        ("a < b", "character 1: 'a < b' is no arithmetic"),
        ("'a'", "character 1: 'a' is no number"),
        ("a * True", "character 5: True is no number"),
        ("2j * a", "character 1: 2j is no number"),
        ("a + exp(b)", "character 5: unknown function 'exp'; use one of min"),
        ("a + min", r"character 5: min needs its arguments in \(...\)"),
        ("min()", "character 1: min takes one value or more"),
        ("max(a, key=b)", "character 1: max takes one value or more"),
        ("max(*a)", "character 5: .* is no arithmetic"),
        ("ramped_weeks(a)", "character 1: ramped_weeks takes weeks, ramp"),
        ("a := 2", "this is no formula"),
        ("lambda: a", "character 1: .* is no arithmetic"),
        ("(" * 300 + "a" + ")" * 300, "this is no formula"),
        ("a" + " + a" * 300, "character 1000: the formula is longer"),
    ],
)
def test_refuses_by_character_what_is_not_arithmetic(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("users * rate", {"user": 1}),
        ("users * price", {"eur": 1}),
        ("users * price / cost", {"year": 1}),
        ("users * max(0, min(1 - rate, rate))", {"user": 1}),
        ("max(0, users)", {"user": 1}),
        ("users - 0", {"user": 1}),
        ("-users", {"user": -1 * -1}),
        ("ramped_weeks(weeks, weeks, rate)", {"week": 1}),
        ("0 * 1", {}),
    ],
)
def test_carries_units(text, expected):
    assert parse(text).unit(UNITS) == expected


UNITS = {
    "users": unit_of("users"),
    "rate": unit_of("rate"),
    "price": unit_of("EUR per user"),
    "cost": unit_of("EUR per year"),
    "weeks": unit_of("weeks"),
}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("users + price", "character 1: .* user and eur per user"),
        ("rate * max(users, rate)", "character 8: .* user and a plain number"),
        ("users - 1", "brings together user and a plain number"),
        ("ramped_weeks(weeks, users, rate)", "week and user"),
        ("ramped_weeks(weeks, weeks, cost)", "eur per year and a plain"),
    ],
)
def test_refuses_to_bring_together_different_units(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text).unit(UNITS)


def test_units_are_read_and_written():
    assert unit_of("Sessions  per user per week") == {
        "session": 1,
        "user": -1,
        "week": -1,
    }
    assert unit_of("share of users per week") == {"week": -1}
    assert unit_of("address") == {"address": 1}
    assert unit_text({"week": -2}) == "1 per week per week"
    assert unit_text({"eur": 2, "user": -1}) == "eur^2 per user"


def by_cohort(weeks, ramp, loss):
    """Follow every week's newcomers on their own."""
    total, before = 0.0, 0.0
    for start in range(1, weeks + 1):
        reached = min(start / ramp, 1.0)
        for age in range(weeks - start + 1):
            total += (reached - before) * (1 - loss) ** age
        before = reached
    return total


@pytest.mark.parametrize(
    ("weeks", "ramp", "loss"),
    [(12, 4, 0.03), (12, 3.7, 0.1), (5, 8, 0.5), (0, 2, 0.1), (26, 1, 1.0)],
)
def test_a_ramp_adds_up_week_by_week(weeks, ramp, loss):
    found = ramped_weeks(weeks, ramp, loss)
    assert float(found) == pytest.approx(by_cohort(weeks, ramp, loss))


def test_a_ramp_is_vectorised_and_refuses_half_weeks():
    ramps, losses = np.array([1.0, 4.0, 9.5]), np.array([0.0, 0.1, 0.2])
    found = ramped_weeks(np.full(3, 12.0), ramps, losses)
    expected = [by_cohort(12, *one) for one in zip(ramps, losses, strict=True)]
    np.testing.assert_allclose(found, expected)
    for weeks in (2.5, -1, 1_000):
        with pytest.raises(ValueError, match="one whole number from 0 to 520"):
            ramped_weeks(weeks, 1, 0)
