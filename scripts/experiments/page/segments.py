"""Effects by segment of users, and whether they differ.

Pure functions: rows of results in, parts of the page out.
"""

from __future__ import annotations

from display import charts
from display.effects import effect_mark, effect_text, interval_cell
from display.findings import listed
from display.formats import Scale, count, p_value, percent, words
from display.parts import Figure, Row, Table, table_of
from experiments.page.wording import (
    by_role,
    compared,
    difference_axis,
    effect_scale,
    key,
    naming,
)

SEGMENTS = "results.experiment_segments"
# More segments than this, the smallest, are left to the warehouse.
MOST_SEGMENTS = 15
GROUP = ("metric_name", "treatment_variant", "dimension")


def segments(health: Row, results: list[Row], rows: list[Row]) -> Figure | None:
    """Draw the dimension in which the effects of segments differ most."""
    tested = [
        row
        for row in by_role(rows)
        if row["adjustment"] == "none" and row["q_p_value"] is not None
    ]
    if not tested:
        return None
    # Where a primary metric has segments, the others are not looked at.
    role = tested[0]["role"]
    first = min(
        (row for row in tested if row["role"] == role),
        key=lambda row: (row["q_p_value"], key(row, GROUP)),
    )
    every = [
        row
        for row in rows
        if row["adjustment"] == "none" and key(row, GROUP) == key(first, GROUP)
    ]
    known = [row for row in every if row["estimate"] is not None]
    largest = sorted(
        known, key=lambda row: (-_users(row), row["dimension_value"])
    )[:MOST_SEGMENTS]
    drawn = sorted(
        largest, key=lambda row: (-row["estimate"], row["dimension_value"])
    )
    heads = {key(row, GROUP[:2]): row for row in results if row["is_headline"]}
    whole = heads.get(key(first, GROUP[:2]), {}).get("estimate")
    scale = effect_scale(first["kind"], largest[0])
    name = naming(results)(first)
    title = _title(first, name)
    return Figure(
        f"experiment-{health['experiment_id']}-segments",
        title,
        _caption(tested, first, every, drawn),
        charts.dots(
            [_mark(row, scale) for row in drawn],
            f"Dot chart with intervals. {title}.",
            difference_axis(name, first["kind"]),
            axis_format=charts.NUMBER_AXIS,
            reference=0.0,
            step=32,
            centre=None if whole is None else scale.factor * whole,
        ),
        _table(health, drawn, scale),
    )


def _users(row: Row) -> int:
    return int((row["control_units"] or 0) + (row["treatment_units"] or 0))


def _dimension(row: Row) -> str:
    return words(row["dimension"]).replace(" x ", " and ")


def _title(row: Row, name: str) -> str:
    """Say whether the effect differs between the segments."""
    told = compared(row["q_adjusted_p_value"])
    is_different = row["q_adjusted_p_value"] <= row["alpha"]
    verb = "differs" if is_different else "does not differ clearly"
    return f"{name}: the effect {verb} by {_dimension(row)} ({told})"


def _caption(
    tested: list[Row], first: Row, every: list[Row], drawn: list[Row]
) -> str:
    """Say how the segments were judged, and what is not drawn."""
    known = [row for row in every if row["estimate"] is not None]
    dimensions = {
        _dimension(row): row["q_p_value"]
        for row in tested
        if key(row, GROUP[:2]) == key(first, GROUP[:2])
    }
    others = [
        f"{name} {p_value(value)}"
        for name, value in sorted(
            dimensions.items(), key=lambda pair: (pair[1], pair[0])
        )
    ]
    said = [
        "Segments known before the assignment. Cochran's Q asks whether all"
        " have one effect; the p-value in the title is by Benjamini-Hochberg"
        f" over {len(dimensions)} ways to divide users. p of Q alone:"
        f" {listed(others)}. {percent(first['i_squared'])} of the spread"
        " between segments is more than chance explains.",
        "Dashed: the effect on all users.",
    ]
    if len(drawn) < len(known):
        said.append(f"The {len(drawn)} largest of {len(known)} segments.")
    if len(known) < len(every):
        said.append(
            f"{len(every) - len(known)} segments have too few users for an"
            " effect."
        )
    return " ".join(said)


def _value(row: Row) -> str:
    return str(row["dimension_value"]).replace("_", " ")


def _mark(row: Row, scale: Scale) -> Row:
    return {
        "category": _value(row),
        **effect_mark(row, scale),
        "short": scale.bare(row["estimate"]),
        "label": f"{_value(row)}: {effect_text(row, scale)},"
        f" {count(_users(row))} users",
    }


def _table(health: Row, rows: list[Row], scale: Scale) -> Table:
    return table_of(
        f"{health['experiment_name']}: effects by segment",
        rows,
        {
            "Segment": _value,
            "Users": lambda row: count(_users(row)),
            "Difference": lambda row: scale.text(row["estimate"]),
            "Interval": lambda row: interval_cell(row, scale),
            "p": lambda row: p_value(row["p_value"]),
            "p, over all segments": lambda row: p_value(
                row["adjusted_p_value"]
            ),
        },
        source=SEGMENTS,
    )
