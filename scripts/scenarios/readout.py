"""Scenarios as text."""

from __future__ import annotations

from collections.abc import Sequence

from display.text import Row, aligned, shown, span

MOST_USERS = 10_000_000  # of a test that anybody would run
KEY = ("scenario_name", "version", "outcome")


def scenarios(
    rows: Sequence[Row], sensitivity: Sequence[Row], breakeven: Sequence[Row]
) -> str:
    """Write the outcomes of scenarios as a table, and what decides them."""
    if not rows:
        return "Scenarios: no assumptions are given for this log."
    cells = []
    whole = [row for row in rows if row["effect_share"] == 1]
    for row in sorted(whole, key=lambda row: row["position"]):
        unit, chance = row["unit"], row["probability_positive"]
        first = next(
            (
                one["term"]
                for one in sensitivity
                if one["rank_number"] == 1
                and one["swing"] > 0
                and _key(one) == _key(row)
            ),
            "",
        )
        cells.append(
            [
                f"{row['scenario_name']} {row['outcome']}",
                row["version"],
                row["causal_grade"] or "-",
                shown(row["point_estimate"], unit),
                span(row["ci95_low"], row["ci95_high"], unit),
                "-" if chance is None else f"{chance:.3f}",
                "-"
                if row["probability_target"] is None
                else f"{row['probability_target']:.3f}",
                row["reason_code"] or first,
            ]
        )
    header = (
        "",
        "version",
        "grade",
        "as stated",
        "95 % interval",
        "P(> 0)",
        "P(pays)",
        "widest term, or reason",
    )
    title = "Scenarios, every uncertain term drawn"
    parts = [f"{title}\n{aligned(header, cells)}"]
    # Outcomes that pay at the same effect need the same test.
    settling = {
        (row["scenario_name"], row["version"], row["settling_units"]): row
        for row in reversed(breakeven)
        if row["settling_units"]
    }
    return "\n".join([*parts, *map(_settling, reversed(settling.values()))])


def _key(row: Row) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in KEY)


def _settling(row: Row) -> str:
    """Say what the effect must be for an outcome to pay."""
    unit = "rate difference" if row["unit"].startswith("rate") else row["unit"]
    users = row["settling_units"]
    test = f"a test of {users:,.0f} users would settle it"
    if users > MOST_USERS:
        test = "too near to what is found for a test to settle it"
    return (
        f"  {row['scenario_name']} {row['outcome']}, {row['version']}: pays "
        f"from {row['term']} {shown(row['break_even_value'], unit)}, "
        f"P = {row['probability_paying']:.3f}; {test}"
    )
