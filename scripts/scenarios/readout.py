"""Scenarios as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from display.text import Row, shown, span, text_table

MOST_USERS = 10_000_000  # of a test that anybody would run
KEY = ("scenario_name", "version", "outcome")


def scenarios(
    rows: Sequence[Row], sensitivity: Sequence[Row], breakeven: Sequence[Row]
) -> str:
    """Write the outcomes of scenarios as a table, and what decides them."""
    if not rows:
        return "Scenarios: no assumptions are given for this log."
    whole = [row for row in rows if row["effect_share"] == 1]
    widest = {
        _key(one): one["term"]
        for one in sensitivity
        if one["rank_number"] == 1 and one["swing"] > 0
    }

    def chance(name: str) -> Callable[[Row], str]:
        return lambda row: "-" if row[name] is None else f"{row[name]:.3f}"

    table = text_table(
        sorted(whole, key=lambda row: row["position"]),
        {
            "": lambda row: f"{row['scenario_name']} {row['outcome']}",
            "version": lambda row: row["version"],
            "grade": lambda row: row["causal_grade"] or "-",
            "as stated": lambda row: shown(row["point_estimate"], row["unit"]),
            "95 % interval": lambda row: span(
                row["ci95_low"], row["ci95_high"], row["unit"]
            ),
            "P(> 0)": chance("probability_positive"),
            "P(pays)": chance("probability_target"),
            "widest term, or reason": lambda row: (
                row["reason_code"] or widest.get(_key(row), "")
            ),
        },
    )
    parts = [f"Scenarios, every uncertain term drawn\n{table}"]
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
