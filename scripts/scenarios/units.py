"""Units of scenario terms, so that users are never added to euros.

A unit is words joined by "per": ``sessions per user per week``. Plural and
singular are one. Rates, ratios and shares of something have no unit. Pure
functions.
"""

from __future__ import annotations

from collections.abc import Mapping

Unit = Mapping[str, int]
"""Word to exponent; empty for a plain number."""

PLAIN = {"", "rate", "rate difference", "ratio", "share", "count", "number"}
LEAST_LETTERS = 3  # a shorter word has no plural to take off


def unit_of(text: str) -> dict[str, int]:
    """Read a unit.

    Examples
    --------
    >>> unit_of("sessions per user per week")
    {'session': 1, 'user': -1, 'week': -1}
    >>> unit_of("share of users"), unit_of("EUR per EUR")
    ({}, {})
    """
    first, *others = (
        " ".join(part.split()) for part in text.lower().split(" per ")
    )
    found: dict[str, int] = {}
    for word, exponent in ((first, 1), *((other, -1) for other in others)):
        if word in PLAIN or word.startswith("share of "):
            continue
        name = _singular(word)
        found[name] = found.get(name, 0) + exponent
    return _known(found)


def product(first: Unit, second: Unit, sign: int = 1) -> dict[str, int]:
    """Multiply two units, or with a `sign` of -1 divide them.

    Examples
    --------
    >>> product({"user": 1}, {"eur": 1, "user": -1})
    {'eur': 1}
    """
    found = dict(first)
    for name, exponent in second.items():
        found[name] = found.get(name, 0) + sign * exponent
    return _known(found)


def unit_text(unit: Unit) -> str:
    """Write a unit as it is read.

    Examples
    --------
    >>> unit_text({"session": 1, "week": -1}), unit_text({})
    ('session per week', 'a plain number')
    """
    if not unit:
        return "a plain number"
    above = [
        f"{name}^{power}" if power > 1 else name
        for name, power in unit.items()
        if power > 0
    ]
    below = [
        f"per {name}"
        for name, power in unit.items()
        for _ in range(-power if power < 0 else 0)
    ]
    return " ".join([" ".join(above) or "1", *below])


def is_fraction(text: str) -> bool:
    """Tell whether a value in this unit must lie in [0, 1].

    Examples
    --------
    >>> is_fraction("share of users"), is_fraction("rate difference")
    (True, False)
    """
    word = " ".join(text.lower().split())
    return word in {"rate", "share"} or word.startswith("share of ")


def _singular(word: str) -> str:
    has_plural = (
        len(word) > LEAST_LETTERS
        and word.endswith("s")
        and not word.endswith("ss")
    )
    return word[:-1] if has_plural else word


def _known(unit: Mapping[str, int]) -> dict[str, int]:
    return {name: power for name, power in unit.items() if power}
