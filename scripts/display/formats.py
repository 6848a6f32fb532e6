"""Numbers as a reader expects them: units, digits, signs and intervals.

Pure functions: numbers in, text out. A number is never rounded to nothing:
digits grow until the interval around it stays visible.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import ceil, isfinite, log10

MISSING = "\u2013"
MINUS = "\u2212"
TIMES = "\u00d7"
NO_BREAK = "\u00a0"
MOST_DECIMALS = 6
SMALLEST_P = 0.001
FLOAT_NOISE = 1e-9

RATES = {"rate", "proportion", "share", "fraction", "probability", "percent"}
POINTS = {"point", "points", "percentage points", "rate difference"}
MULTIPLES = {"x", "ratio", "multiple", "times", "eur per eur"}
COUNTS = {"", "count", "number", "z"}
HUNDRED = 100
ABBREVIATION = re.compile(r"\b(roi|eur|d\d+)\b")
MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
TIME_UNITS = ((86_400.0, "days"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))
MAGNITUDES = ((1e9, "billion"), (1e6, "million"))


@dataclass(frozen=True)
class Scale:
    """How the numbers of one unit are written, all with the same digits."""

    factor: float = 1.0
    decimals: int = 1
    prefix: str = ""
    suffix: str = ""
    words: str = ""
    """Unit words that a crowded place may leave out."""
    is_signed: bool = False

    def bare(self, value: float | None) -> str:
        """Write a number without its unit.

        Examples
        --------
        >>> Scale(factor=100, decimals=1, suffix=" %").bare(0.0642)
        '6.4'
        """
        if value is None or not isfinite(value):
            return MISSING
        digits = f"{abs(value) * self.factor:,.{self.decimals}f}"
        if not digits.strip("0.,"):
            return self.prefix + digits
        sign = MINUS if value < 0 else "+" if self.is_signed else ""
        return sign + self.prefix + digits

    def brief(self, value: float | None) -> str:
        """Write a number with its sign of unit, without words."""
        bare = self.bare(value)
        return bare if bare == MISSING else bare + self.suffix

    def text(self, value: float | None) -> str:
        """Write a number with its whole unit."""
        brief = self.brief(value)
        return brief if brief == MISSING else brief + self.words

    def span(self, low: float | None, high: float | None) -> str:
        """Write an interval with its sign of unit once."""
        if low is None or high is None:
            return MISSING
        return f"{self.bare(low)} to {self.brief(high)}"

    def data(self) -> dict[str, float | str | bool]:
        """Give what the page needs to write numbers in the same way."""
        return {
            "factor": self.factor,
            "decimals": self.decimals,
            "prefix": self.prefix,
            "suffix": self.suffix,
            "words": self.words,
            "signed": self.is_signed,
        }

    def axis(self) -> str:
        """Name the unit for an axis title."""
        text = self.prefix + self.suffix + self.words
        return text.replace(NO_BREAK, " ").strip()


def fit_scale(unit: str, *values: float | None) -> Scale:
    """Choose factor, digits and unit words for numbers shown together.

    The unit is as the warehouse names it: `rate` (a fraction, shown in
    percent), `points` (a difference of fractions), `x`, or words such as
    `plays_per_user`. The values are all that is shown, such as estimate, low
    and high: digits are enough to tell them apart.

    Examples
    --------
    >>> fit_scale("users", 3.2).text(3.2)
    '3.2 users'
    >>> fit_scale("count", 1_234.0).text(1_234.0)
    '1,234'
    """
    known = [v for v in values if v is not None and isfinite(v)]
    word = unit.strip().lower().replace("_", " ")
    if word in POINTS:
        decimals = digits_for(known, HUNDRED, 1)
        return Scale(
            HUNDRED, decimals, suffix=f"{NO_BREAK}points", is_signed=True
        )
    if word in RATES:
        decimals = digits_for(known, HUNDRED, 1)
        return Scale(HUNDRED, decimals, suffix=f"{NO_BREAK}%")

    largest = max((abs(value) for value in known), default=0.0)
    factor, magnitude = 1.0, ""
    for size, name in MAGNITUDES:
        if largest >= size:
            factor, magnitude = 1.0 / size, NO_BREAK + name
            break
    is_whole = word == "count" or (factor == 1 and largest >= HUNDRED)
    prefix, suffix, unit_words = "", magnitude, ""
    if word in MULTIPLES:
        suffix = magnitude + TIMES
    elif word.split(" ")[0] == "eur":
        rest = word.partition(" ")[2]
        prefix, unit_words = "€", f" {rest}" if rest else ""
    elif word not in COUNTS:
        unit_words = f" {word}"
    decimals = digits_for(known, factor, 0 if is_whole else 1)
    return Scale(factor, decimals, prefix, suffix, unit_words)


def digits_for(values: list[float], factor: float, base: int) -> int:
    """Count the decimals that keep values visible and apart.

    Examples
    --------
    >>> digits_for([0.064, 0.0601, 0.0679], 100, 1)
    1
    >>> digits_for([0.064, 0.06398, 0.06402], 100, 1)
    3
    """
    shown = sorted({v * factor for v in values})
    steps = [b - a for a, b in pairwise(shown) if b - a > abs(b) * FLOAT_NOISE]
    if len(shown) == 1 and shown[0] != 0:
        steps = [abs(shown[0])]
    needed = [ceil(-log10(step)) for step in steps]
    return min(MOST_DECIMALS, max([base, *needed]))


def count(value: float | None) -> str:
    """Write a whole number with thousands apart.

    Examples
    --------
    >>> count(60000)
    '60,000'
    """
    return MISSING if value is None else f"{value:,.0f}"


def percent(value: float | None, *around: float | None) -> str:
    """Write a fraction in percent, with digits to fit its interval.

    Examples
    --------
    >>> percent(0.0642).replace(NO_BREAK, " ")
    '6.4 %'
    """
    return fit_scale("rate", value, *around).text(value)


def yes_or_no(is_so: object) -> str:
    """Answer a question of the table's head."""
    return "yes" if is_so else "no"


def day(value: date) -> str:
    """Write a date as a reader says it; the year stands at the page's head.

    Examples
    --------
    >>> day(date(2026, 3, 5)).replace(NO_BREAK, " ")
    '5 Mar'
    """
    return f"{value.day}{NO_BREAK}{MONTHS[value.month - 1]}"


def duration(seconds: float | None) -> str:
    """Write a length of time in the largest unit that it fills.

    Examples
    --------
    >>> [duration(s).replace(NO_BREAK, " ") for s in (42, 90, 5400, 200_000)]
    ['42 s', '1.5 min', '1.5 h', '2.3 days']
    """
    if seconds is None:
        return MISSING
    size, unit = time_unit(seconds)
    return fit_number(seconds / size) + NO_BREAK + unit


def time_unit(seconds: float) -> tuple[float, str]:
    """Choose the largest unit of time that a length fills."""
    return next(
        ((size, unit) for size, unit in TIME_UNITS if abs(seconds) >= size),
        TIME_UNITS[-1],
    )


def fit_number(value: float) -> str:
    """Write a number with one decimal, where it has one.

    Examples
    --------
    >>> fit_number(3.0), fit_number(1.26)
    ('3', '1.3')
    """
    return f"{value:,.1f}".removesuffix(".0")


def p_value(value: float | None) -> str:
    """Write a p-value; the smallest are bounded, never zero.

    Examples
    --------
    >>> [p_value(p)[-5:] for p in (1e-300, 0.0312, 0.99999)]
    ['0.001', '0.031', '0.999']
    """
    if value is None:
        return MISSING
    if value < SMALLEST_P:
        return f"<{NO_BREAK}{SMALLEST_P}"
    if value > 1 - SMALLEST_P:
        return f">{NO_BREAK}{1 - SMALLEST_P}"
    return f"{value:.3f}"


def words(name: str | None) -> str:
    """Turn a name of the warehouse into words.

    Examples
    --------
    >>> words("plays_per_user"), words("d3_return")
    ('plays per user', 'D3 return')
    """
    if name is None:
        return MISSING
    return ABBREVIATION.sub(
        lambda match: match[0].upper(), str(name).replace("_", " ")
    )


def sentence(name: str) -> str:
    """Turn a name of the warehouse into words that open a sentence.

    Examples
    --------
    >>> sentence("new_player")
    'New player'
    """
    text = words(name)
    return text[:1].upper() + text[1:]


def finest(scales: Iterable[Scale]) -> Scale:
    """Choose the scale with the most digits, the coarsest unit first."""
    return min(scales, key=lambda scale: (scale.factor, -scale.decimals))


def place(name: str, order: list[str]) -> tuple[int, str]:
    """Sort known names as told, others after them by name.

    Examples
    --------
    >>> sorted(["b", "z", "a"], key=lambda name: place(name, ["z"]))
    ['z', 'a', 'b']
    """
    return (order.index(name) if name in order else len(order), name)
