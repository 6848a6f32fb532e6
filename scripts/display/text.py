"""Numbers, intervals and tables as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

SMALLEST = 1e-300  # p-values below it reach the end of floating point


def shown(value: float | None, unit: str = "") -> str:
    """Write a number in its unit: rates as percent, gaps as points.

    Examples
    --------
    >>> shown(0.0821, "rate"), shown(0.0421, "rate difference")
    ('8.21 %', '+4.21 points')
    >>> shown(98_765_432.1, "sessions per week"), shown(None)
    ('98,765,432', '-')
    """
    if value is None:
        return "-"
    if unit == "rate":
        return f"{value:.2%}".replace("%", " %")
    if unit == "rate difference":
        return f"{100 * value:+.2f} points"
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:,.2f}"  # noqa: PLR2004


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out cells in columns: the first on the left, the others right.

    Examples
    --------
    >>> print(aligned(["arm", "mean"], [["A", "49.90"], ["B", "5.00"]]))
      arm   mean
      A    49.90
      B     5.00
    """
    table = [list(header), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for row in table:
        first, *others = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(c.rjust(w) for c, w in others)]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def text_table(
    rows: Iterable[Row], columns: Mapping[str, Callable[[Row], str]]
) -> str:
    """Lay out rows by what each column shows of a row; see `aligned`."""
    return aligned(
        list(columns),
        [[show(row) for show in columns.values()] for row in rows],
    )


def span(low: float | None, high: float | None, unit: str) -> str:
    """Write an interval; a number that is missing is a dash."""
    if low is None or high is None:
        return "-"
    return f"{shown(low, unit)} to {shown(high, unit)}"


def p_value_text(p_value: float | None) -> str:
    """Write a p-value; a missing one is a dash.

    Examples
    --------
    >>> p_value_text(0.0213), p_value_text(3e-40), p_value_text(0.0)
    ('0.021', '3.0e-40', '< 1e-300')
    """
    if p_value is None:
        return "-"
    if p_value < SMALLEST:
        return f"< {SMALLEST:.0e}"
    return f"{p_value:.3f}" if p_value >= 0.001 else f"{p_value:.1e}"  # noqa: PLR2004
