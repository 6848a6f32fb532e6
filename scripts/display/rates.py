"""Rates with their users and intervals, and what cannot be broken down."""

from __future__ import annotations

from display.findings import listed
from display.formats import count, fit_scale, percent
from display.parts import Cell, Note, Row

RATE_COLUMNS = ["Eligible users", "Returned", "Rate", "Interval"]


def rate_cells(row: Row) -> list[str | Cell]:
    """Write counts, rate and interval of one retention row."""
    scale = fit_scale("rate", row["rate"], row["ci_low"], row["ci_high"])
    return [
        count(row["eligible_users"]),
        count(row["retained_users"]),
        scale.text(row["rate"]),
        Cell(scale.span(row["ci_low"], row["ci_high"])),
    ]


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


def rate_text(row: Row) -> str:
    """Write a rate with digits to fit its interval."""
    return percent(row["rate"], row["ci_low"], row["ci_high"])


def lone_values(
    rows: list[Row], dimensions: tuple[str, ...]
) -> dict[str, str | None]:
    """Find the dimensions that cannot be broken down, with their one value."""
    values = {
        dimension: sorted(
            {
                str(row["dimension_value"])
                for row in rows
                if row["dimension"] == dimension
            }
        )
        for dimension in dimensions
    }
    return {
        dimension: found[0] if found else None
        for dimension, found in values.items()
        if len(found) < 2  # noqa: PLR2004
    }


def not_broken_down(lone: dict[str, str | None]) -> Note | None:
    """Say which charts are left out, because there is nothing to compare."""
    if not lone:
        return None
    reasons = [
        f"no {dimension} is known"
        if value is None
        else f"the only {dimension} is {value}"
        for dimension, value in lone.items()
    ]
    return Note(f"Not broken down by {' or '.join(lone)}: {listed(reasons)}.")


def small_values(summary: list[Row], dimension: str) -> set[str]:
    """Find the values of a dimension that only ever have few users."""
    small: dict[str, bool] = {}
    for row in summary:
        if row["dimension"] == dimension and row["eligible_users"]:
            value = str(row["dimension_value"])
            small[value] = small.get(value, True) and bool(row["is_small_cell"])
    return {value for value, is_small in small.items() if is_small}
