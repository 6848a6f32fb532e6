"""What may be said of numbers: rise, fall, difference, or none that is clear.

A title calls two estimates different only where their intervals do not meet;
that is stricter than a test, as it should be for a title.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

from display.formats import count, percent
from display.parts import Row

# Counts are of all users, not of a sample: what is less than this part of
# the first number is called steady.
STEADY = 0.01
# The risk that a title takes of calling a difference what is none.
ALPHA = 0.05


class Estimate(NamedTuple):
    """A rate with its interval, if it has one."""

    value: float
    low: float | None
    high: float | None

    def widened(self, factor: float) -> Estimate:
        """Move both ends of the interval away from the value."""
        if self.low is None or self.high is None:
            return self
        return Estimate(
            self.value,
            self.value - factor * (self.value - self.low),
            self.value + factor * (self.high - self.value),
        )

    def text(self) -> str:
        """Write the rate with digits to fit its interval."""
        return percent(self.value, self.low, self.high)


def estimate(
    row: Row, value: str = "rate", low: str = "ci_low", high: str = "ci_high"
) -> Estimate:
    """Read an estimate from a row; the names are those of columns."""
    return Estimate(row[value], row[low], row[high])


def is_apart(one: Estimate, other: Estimate) -> bool:
    """Tell whether two intervals are known and do not meet.

    Examples
    --------
    >>> is_apart(Estimate(0.1, 0.08, 0.12), Estimate(0.2, 0.18, 0.22))
    True
    >>> is_apart(Estimate(0.1, 0.05, 0.19), Estimate(0.2, 0.18, 0.22))
    False
    """
    if None in (one.low, one.high, other.low, other.high):
        return False
    lower, upper = sorted((one, other))
    return bool(lower.high < upper.low)  # type: ignore[operator]


def course(
    subject: str, first: Estimate, start: str, last: Estimate, end: str
) -> str:
    """Say in a title how a rate goes from its first to its last point.

    Examples
    --------
    >>> course(
    ...     "Retention",
    ...     Estimate(0.24, 0.22, 0.26),
    ...     "on day 1",
    ...     Estimate(0.05, 0.04, 0.06),
    ...     "on day 30",
    ... ).replace("\u00a0", " ")
    'Retention falls from 24.0 % on day 1 to 5.0 % on day 30'
    """
    if not is_apart(first, last):
        return (
            f"{subject} does not change clearly: {first.text()} {start},"
            f" {last.text()} {end}"
        )
    verb = "falls" if last.value < first.value else "rises"
    return (
        f"{subject} {verb} from {first.text()} {start} to {last.text()} {end}"
    )


def widening(number: int) -> float:
    """Tell how much wider intervals must be when many are compared.

    Two intervals at 95 % that do not meet are a strict test of one pair. The
    lowest and the highest of many part by chance alone; beyond four values,
    Bonferroni's bound over all pairs asks for more.

    Examples
    --------
    >>> widening(2), round(widening(15), 2)
    (1.0, 1.26)
    """
    pairs = max(1, number * (number - 1) // 2)
    normal = NormalDist()
    asked = normal.inv_cdf(1 - ALPHA / (2 * pairs)) * sqrt(2)
    return max(1.0, asked / (2 * normal.inv_cdf(1 - ALPHA / 2)))


def contrast(
    subject: str, dimension: str, named: Sequence[tuple[str, Estimate]]
) -> str:
    """Say in a title whether a rate differs between the values of a dimension.

    The subject is what is compared, such as `D7`, the dimension what it is
    compared by, such as `platform`; there is at least one value.

    Examples
    --------
    >>> some = [
    ...     ("ios", Estimate(0.2, 0.1, 0.3)), ("tv", Estimate(0.25, 0.1, 0.4))
    ... ]
    >>> contrast("D7", "platform", some).replace("\u00a0", " ")
    'D7 does not differ clearly by platform: 20.0 % (ios) to 25.0 % (tv)'
    """
    ordered = sorted(named, key=lambda pair: (pair[1].value, pair[0]))
    (least, low), (most, high) = ordered[0], ordered[-1]
    if len(ordered) == 1:
        return f"{subject} is {low.text()} ({least})"
    # A value of few users may lie outermost and tell nothing.
    factor = widening(len(ordered))
    known = [
        (name, one.widened(factor), one)
        for name, one in ordered
        if one.low is not None and one.high is not None
    ]
    if known:
        below = min(known, key=lambda each: (each[1].high, each[0]))
        above = max(known, key=lambda each: (each[1].low, each[0]))
        if is_apart(below[1], above[1]):
            return (
                f"{subject} differs by {dimension}: {below[2].text()}"
                f" ({below[0]}), {above[2].text()} ({above[0]})"
            )
    return (
        f"{subject} does not differ clearly by {dimension}:"
        f" {low.text()} ({least}) to {high.text()} ({most})"
    )


def movement(
    subject: str,
    first: float,
    start: str,
    last: float,
    end: str,
    *,
    write: Callable[[float], str] = count,
    is_plural: bool = True,
) -> str:
    """Say in a title how a number of all users goes from first to last.

    Examples
    --------
    >>> movement("Users a day", 100, "on 5 Jan", 80, "on 5 Mar")
    'Users a day fall from 100 on 5 Jan to 80 on 5 Mar'
    >>> movement("Users a day", 1000, "on 5 Jan", 1001, "on 5 Mar")
    'Users a day hold steady: 1,000 on 5 Jan, 1,001 on 5 Mar'
    """
    if abs(last - first) <= STEADY * abs(first):
        verb = "hold" if is_plural else "holds"
        return (
            f"{subject} {verb} steady: {write(first)} {start},"
            f" {write(last)} {end}"
        )
    verb = ("fall" if last < first else "rise") + ("" if is_plural else "s")
    return (
        f"{subject} {verb} from {write(first)} {start} to {write(last)} {end}"
    )


def listed(items: Sequence[str]) -> str:
    """Join items as a sentence does.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    if len(items) < 2:  # noqa: PLR2004
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"
