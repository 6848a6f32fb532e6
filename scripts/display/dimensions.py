"""What numbers are broken down by, in the order and the words of the marts.

Pure functions: rows of marts in, parts of the page out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from display.findings import listed
from display.formats import sentence, words
from display.parts import Figure, Note, Part, Row

# What still fits a page: breakdowns by others are in the marts.
MOST_DIMENSIONS = 6


@dataclass(frozen=True)
class Dimension:
    """A single dimension, by its name in the marts and as people call it."""

    name: str
    label: str

    @property
    def heading(self) -> str:
        """Name it at the head of a column.

        Examples
        --------
        >>> Dimension("spend_last_year", "spend_last_year").heading
        'Spend last year'
        """
        return sentence(self.label)

    @property
    def word(self) -> str:
        """Name it within a sentence.

        Examples
        --------
        >>> Dimension("platform", "Platform").word
        'platform'
        >>> Dimension("version", "OS version").word
        'OS version'
        """
        text = words(self.label)
        if text[1:2].isupper():
            return text
        return text[:1].lower() + text[1:]


def dimensions(
    rows: list[Row], *units: str, is_bounded: bool = True
) -> list[Dimension]:
    """Find the single dimensions of some units, in the order of the marts.

    The rows are the dimensions of the log, as the marts list them; units are
    such as ``user`` and ``play``. Calendars are the dimensions that are not
    bounded.
    """
    return [
        Dimension(str(row["dimension"]), str(row["label"]))
        for row in sorted(rows, key=lambda row: row["dimension_number"])
        if row["dimension_unit"] in units
        and not row["is_pair"]
        and row["is_bounded"] == is_bounded
    ]


def broken_down(
    each: Iterable[Dimension],
    draw: Callable[[Dimension], Figure | None],
    source: str,
) -> list[Part]:
    """Draw the first dimensions, and name the others.

    A figure is None where there is nothing to compare. The source is the mart
    that has them all.
    """
    drawn = [(one, draw(one)) for one in each]
    found = [(one, figure) for one, figure in drawn if figure is not None]
    parts: list[Part] = [figure for _, figure in found[:MOST_DIMENSIONS]]
    others = [one.word for one, _ in found[MOST_DIMENSIONS:]]
    if others:
        parts.append(Note(f"Not drawn, but in {source}: by {listed(others)}."))
    return parts


def largest(rows: Iterable[Row], size: str, most: int) -> list[Row]:
    """Take the values of a dimension that have most of a count, in order."""
    return sorted(
        rows, key=lambda row: (-row[size], str(row["dimension_value"]))
    )[:most]


def not_broken_down(rows: list[Row], each: Iterable[Dimension]) -> Note | None:
    """Say which charts are left out, because there is nothing to compare."""
    reasons = {}
    for one in each:
        own = (row for row in rows if row["dimension"] == one.name)
        values = {str(row["dimension_value"]) for row in own}
        if not values:
            reasons[one.word] = f"no {one.word} is known"
        elif len(values) == 1:
            reasons[one.word] = f"the only {one.word} is {values.pop()}"
    if not rows or not reasons:
        return None
    return Note(
        f"Not broken down by {' or '.join(reasons)}:"
        f" {listed([*reasons.values()])}."
    )
