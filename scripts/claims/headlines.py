"""Headline numbers: what was found, beside what was claimed.

Pure functions: claims and estimates in, result rows out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from estimates.numbers import Number
from stats.intervals import normal_quantile, wilson_interval

Row = Mapping[str, Any]

FILE = "headline_claims.csv"
RATE = "rate"  # the unit of a share of users, whose interval is Wilson's
TOLERATED_Z = 3.0  # standard errors between found and expected


def in_order(claims: Iterable[Row]) -> list[Row]:
    """Sort claims by their position; those without one come last, by name.

    Claims are rows of ``dim_headline_claims``; an empty cell is None.

    Raises
    ------
    ValueError
        Naming the claim and the remedy, if one cannot be used.
    """
    rows = sorted(
        claims,
        key=lambda row: (
            row["position"] is None,
            row["position"] or 0,
            row["headline_name"],
        ),
    )
    for before, row in zip([None, *rows], rows, strict=False):
        for column in ("unit", "statement"):
            if not row[column]:
                raise ValueError(
                    f"{place(row)}: {column} is missing; fill it in"
                )
        if before and before["headline_name"] == row["headline_name"]:
            raise ValueError(f"{place(row)}: claimed twice; remove one")
    return rows


def place(row: Row) -> str:
    """Name a claim by its file."""
    return f"{FILE}, {row['headline_name']}"


def headline_rows(
    claims: Iterable[Row], numbers: Mapping[str, Number], alpha: float = 0.05
) -> list[dict[str, Any]]:
    """Set what was found beside what was claimed.

    Takes claims `in_order`, what the estimate of each headline found, and the
    two-sided significance level, in (0, 1), of intervals that an estimate does
    not bring itself. Gives the rows of ``headlines``, in the order of the
    claims.
    """
    rows = []
    for position, claim in enumerate(claims, start=1):
        number = numbers[claim["headline_name"]]
        expected, found = claim["expected"], number.value
        z_score = None
        if found is not None and expected is not None and number.error:
            z_score = (found - expected) / number.error
        low, high = _interval(number, claim["unit"], alpha)
        rows.append(
            {
                "headline_name": claim["headline_name"],
                "statement": claim["statement"],
                "unit": claim["unit"],
                "position": position,
                "expected": expected,
                "found": found,
                "standard_error": None if found is None else number.error,
                "ci_low": low,
                "ci_high": high,
                "z_score": z_score,
                "is_within_error": None
                if z_score is None
                else abs(z_score) <= TOLERATED_Z,
                "reason_code": number.reason_code or "not_found"
                if found is None
                else None,
            }
        )
    return rows


def _interval(
    number: Number, unit: str, alpha: float
) -> tuple[float | None, float | None]:
    """Give the estimate's own interval, a rate's Wilson's, or a normal one."""
    value, error = number.value, number.error
    if value is None:
        return None, None
    if number.ci_low is not None and number.ci_high is not None:
        return number.ci_low, number.ci_high
    if unit == RATE and number.users:
        users = round(number.users)
        low, high = wilson_interval([round(value * users)], [users], alpha)[0]
        return float(low), float(high)
    if error is None:
        return None, None
    reach = normal_quantile(alpha) * error
    return value - reach, value + reach
