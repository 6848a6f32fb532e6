"""What a section of the page is made of, and the rows it is made from.

Pure data: the template knows how each part looks, the sections know what it
says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Row = dict[str, Any]
Tables = dict[str, list[Row]]


class Cell(NamedTuple):
    """A table cell that says more than its text."""

    text: str
    note: str = ""
    """A second line, set small."""
    tone: str = ""
    """`good`, `bad` or nothing; always said in words as well."""
    z_score: float | None = None
    """Drawn as a dot on a scale of standard errors."""


@dataclass(frozen=True)
class Table:
    """A real table: the first column heads its row."""

    caption: str
    columns: list[str]
    rows: list[list[str | Cell]]
    source: str
    text_columns: int = 1
    """Leading columns set left; the others hold numbers, set right."""
    wide_columns: tuple[int, ...] = ()
    """Columns of prose, set left wherever they stand."""
    title: str = ""
    """The finding, over a table that no chart accompanies."""
    note: str = ""
    """How to read it, below."""
    is_folded: bool = False
    """Shown on demand: it is long, and says no more than what it follows."""
    kind: str = "table"


def table_of(
    caption: str,
    rows: Iterable[Any],
    columns: Mapping[str, Callable[[Any], str | Cell]],
    **said: Any,  # noqa: ANN401
) -> Table:
    """Table some rows by what each column shows of a row.

    Examples
    --------
    >>> table_of("Users", [{"n": 3}], {"N": lambda row: str(row["n"])},
    ...          source="marts").rows
    [['3']]
    """
    return Table(
        caption,
        list(columns),
        [[show(row) for show in columns.values()] for row in rows],
        **said,
    )


@dataclass(frozen=True)
class Figure:
    """A chart under the finding it shows, with its numbers folded below."""

    name: str
    title: str
    caption: str
    spec: Row
    table: Table
    kind: str = "figure"


@dataclass(frozen=True)
class Card:
    """One number set large."""

    label: str
    value: str
    intervals: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Cards:
    """Numbers side by side."""

    cards: list[Card]
    source: str
    caption: str
    kind: str = "cards"


@dataclass(frozen=True)
class Note:
    """A sentence between figures; `tone` as of a cell."""

    text: str
    title: str = ""
    tone: str = ""
    is_subject: bool = False
    """Whether the title opens a subject that the parts below belong to."""
    kind: str = "note"


@dataclass(frozen=True)
class Slider:
    """One number of a scenario that a reader may change, in percent of it."""

    name: str
    label: str
    value: str
    """As stated, with its unit."""
    stated: float
    scale: Row
    most: int
    """Percent of the stated value at the right end."""


@dataclass(frozen=True)
class Output:
    """One outcome that follows the sliders."""

    cells: list[str | Cell]
    """As stated: name, version, estimate, intervals, chance, break-even."""
    model: Row
    """What the page computes it from, in the warehouse's numbers."""


@dataclass(frozen=True)
class Controls:
    """A scenario with numbers to change, computed in the page."""

    name: str
    title: str
    caption: str
    columns: list[str]
    sliders: list[Slider]
    outputs: list[Output]
    source: str
    kind: str = "controls"


Part = Table | Figure | Cards | Note | Controls


@dataclass(frozen=True)
class Section:
    """A heading, the sentence under it and its parts."""

    name: str
    title: str
    lead: str
    parts: list[Part] = field(default_factory=list)
    link: str = ""
    """The title in short, for the navigation."""
