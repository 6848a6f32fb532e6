"""The same effects by other means: adjusted, and by other policies.

Pure functions: rows of results in, parts of the page out.
"""

from __future__ import annotations

from display import charts
from display.formats import MISSING, Scale, count, percent, place
from display.parts import Cell, Figure, Note, Row, Table, table_of
from experiments.page.wording import (
    ADJUSTMENTS,
    POLICIES,
    TEST,
    Naming,
    by_role,
    change_cell,
    compared,
    effect_scale,
    is_beyond_zero,
    key,
    naming,
    relative_cell,
    relative_mark,
    within,
)

RESULTS = "results.experiment_results"
# Less than this change of width is none worth telling.
SAME_WIDTH = 0.02


def adjusted(health: Row, results: list[Row]) -> Figure | Note | None:
    """Draw each effect beside the same, adjusted for what was known before."""
    heads = by_role(
        row
        for row in results
        if row["is_headline"] and row["relative_ci_low"] is not None
    )
    groups = [
        (head, others) for head in heads if (others := _others(head, results))
    ]
    name = health["experiment_name"]
    if not groups:
        return (
            Note(
                f"{name}: nothing was measured before the assignment, so no"
                " effect is adjusted."
            )
            if heads
            else None
        )
    label = naming(heads)
    used = {"none"} | {
        row["adjustment"] for _, others in groups for row in others
    }
    series = [text for code, text in ADJUSTMENTS.items() if code in used]
    title = _title(*groups[0], label)
    marks = [
        _mark(row, label(head))
        for head, others in groups
        for row in (head, *others)
    ]
    caption = [
        "CUPED takes out what the same metric and activity before the"
        " assignment predict."
        if "cuped" in used
        else "No metric has a history before the assignment, so there is no"
        " CUPED."
    ]
    if "post_stratified" in used:
        caption.append(
            "Post-stratified effects are weighted means over cells of users"
            " known before."
        )
    caption.append(
        "The variance ratio is the adjusted over the unadjusted variance; its"
        " inverse tells how many times the users the adjustment is worth."
    )
    return Figure(
        f"experiment-{health['experiment_id']}-adjusted",
        title,
        " ".join(caption),
        charts.dots(
            marks,
            f"Dot chart with intervals. {title}.",
            "Effect relative to the control mean",
            reference=0.0,
            series_names=series,
            is_spread=True,
            step=38,
            starts_at_zero=False,
        ),
        _table(health, groups, label),
    )


def _others(head: Row, results: list[Row]) -> list[Row]:
    """Find the adjusted versions of a headline that have a number."""
    codes = list(ADJUSTMENTS)
    return sorted(
        (
            row
            for row in results
            if key(row) == key(head)
            and row["adjustment"] != "none"
            and row["variance_ratio"] is not None
            and row["relative_ci_low"] is not None
            and row["relative_ci_high"] is not None
        ),
        key=lambda row: place(row["adjustment"], codes),
    )


def _width_ratio(row: Row, head: Row) -> float | None:
    """Divide the width of an adjusted interval by the unadjusted one's."""
    ends = (row["ci_low"], row["ci_high"], head["ci_low"], head["ci_high"])
    if None in ends or head["ci_high"] <= head["ci_low"]:
        return None
    return float(
        (row["ci_high"] - row["ci_low"]) / (head["ci_high"] - head["ci_low"])
    )


def _title(head: Row, others: list[Row], label: Naming) -> str:
    """Tell what the first adjustment does to the first metric."""
    row = others[0]
    method = ADJUSTMENTS[row["adjustment"]]
    by = "CUPED" if row["adjustment"] == "cuped" else "Post-stratification"
    name = within(label(head))
    ratio = _width_ratio(row, head)
    if ratio is None:
        return f"{label(head)}, unadjusted and {method}"
    if abs(ratio - 1) < SAME_WIDTH:
        return f"{by} hardly changes the interval of {name}"
    if ratio > 1:
        return f"{by} widens the interval of {name} by {percent(ratio - 1)}"
    return (
        f"{by} narrows the interval of {name} by {percent(1 - ratio)}, as"
        f" {_worth(row)} the users would"
    )


def _worth(row: Row) -> str:
    """Say how many times the users an adjustment is worth."""
    return f"{1 / row['variance_ratio']:,.1f} times"


def _mark(row: Row, name: str) -> Row:
    method = ADJUSTMENTS[row["adjustment"]]
    return relative_mark(row, name, method, f", {method}")


def _table(
    health: Row, groups: list[tuple[Row, list[Row]]], label: Naming
) -> Table:
    lines = [
        # An unadjusted row has nothing to be compared with.
        row | ({"variance_ratio": None} if row is head else {"head": head})
        for head, others in groups
        for row in (head, *others)
    ]
    return table_of(
        f"{health['experiment_name']}: effects unadjusted and adjusted",
        lines,
        {
            "Metric": label,
            "Effect": lambda row: ADJUSTMENTS[row["adjustment"]],
            "Difference": lambda row: change_cell(
                row, effect_scale(row["kind"], row)
            ),
            "Relative": relative_cell,
            "Interval's width": lambda row: (
                percent(_width_ratio(row, row["head"]))
                if "head" in row
                else MISSING
            ),
            "Variance ratio": lambda row: percent(row["variance_ratio"]),
            "Worth, in users": lambda row: (
                _worth(row) if row["variance_ratio"] else MISSING
            ),
            "Arms alike before": lambda row: (
                MISSING
                if row["covariate_p_value"] is None
                else compared(row["covariate_p_value"])
            ),
        },
        source=RESULTS,
        text_columns=2,
    )


def policies(health: Row, results: list[Row]) -> Table | None:
    """Table the effects by what is done with users seen in two variants."""
    heads = by_role(row for row in results if row["is_headline"])
    label = naming(heads)
    test = [name for name in TEST if name != "policy"]
    lines: list[list[str | Cell]] = []
    differing = []
    for head in heads:
        same = {
            row["policy"]: row
            for row in results
            if key(row, test) == key(head, test)
            and row["adjustment"] == "none"
            and row["method"] == head["method"]
        }
        if len(same) < len(POLICIES):
            continue
        scale = effect_scale(head["kind"], head)
        name = label(head)
        if len({_verdict(row) for row in same.values()}) > 1:
            differing.append(within(name))
        lines.append(
            [name, *(_cell(same[policy], scale) for policy in POLICIES)]
        )
    if not lines:
        return None
    title = (
        "What is done with users seen in two variants changes no conclusion"
        if not differing
        else "What is done with users seen in two variants matters for"
        f" {', '.join(differing)}"
    )
    return Table(
        caption=f"{health['experiment_name']}: users seen in two variants",
        columns=["Metric", *(text.capitalize() for text in POLICIES.values())],
        rows=lines,
        source=RESULTS,
        title=title,
        note=f"{count(health['mixed_users'])} users were seen in two variants."
        " Each effect with its interval and its users. Only by the first"
        " variant are the arms those that were randomised. A conclusion is the"
        " side of zero that the interval lies on, or neither.",
    )


def _verdict(row: Row) -> int:
    """Tell the side of zero that an interval lies on; 0 for neither."""
    if not is_beyond_zero(row["ci_low"], row["ci_high"]):
        return 0
    return 1 if row["ci_low"] > 0 else -1


def _cell(row: Row, scale: Scale) -> Cell:
    cell = change_cell(row, scale)
    users = (row["control_units"] or 0) + (row["treatment_units"] or 0)
    return cell._replace(note=f"{cell.note}\nn {count(users)}")
