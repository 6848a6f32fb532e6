"""Rates with their users and intervals."""

from __future__ import annotations

from collections.abc import Callable

from display.formats import count, fit_scale, percent
from display.parts import Cell, Row


def rate_label(
    row: Row,
    rate: str = "rate",
    low: str = "ci_low",
    high: str = "ci_high",
) -> str:
    """Write rate and interval in one line; the names are those of columns."""
    scale = fit_scale("rate", row[rate], row[low], row[high])
    if row[low] is None or row[high] is None:
        return scale.text(row[rate])
    return f"{scale.text(row[rate])} ({scale.span(row[low], row[high])})"


def rate_text(row: Row, rate: str = "rate") -> str:
    """Write a rate with digits to fit its interval."""
    return percent(row[rate], row["ci_low"], row["ci_high"])


def rate_interval(row: Row, rate: str = "rate") -> Cell:
    """Write the interval of a rate with digits to fit it."""
    scale = fit_scale("rate", row[rate], row["ci_low"], row["ci_high"])
    return Cell(scale.span(row["ci_low"], row["ci_high"]))


# Columns of counts, rate and interval of retention rows.
RATE_CELLS: dict[str, Callable[[Row], str | Cell]] = {
    "Eligible users": lambda row: count(row["eligible_users"]),
    "Returned": lambda row: count(row["retained_users"]),
    "Rate": rate_text,
    "Interval": rate_interval,
}


def rounded(value: float | None) -> float | None:
    """Keep what a chart can show of a rate."""
    return None if value is None else round(value, 6)


def small_values(summary: list[Row], dimension: str) -> set[str]:
    """Find the values of a dimension that only ever have few users."""
    small: dict[str, bool] = {}
    for row in summary:
        if row["dimension"] == dimension and row["eligible_users"]:
            value = str(row["dimension_value"])
            small[value] = small.get(value, True) and bool(row["is_small_cell"])
    return {value for value, is_small in small.items() if is_small}
