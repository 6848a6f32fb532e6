"""Effects of all metrics of an experiment, on one axis and in one table.

Pure functions: rows of results in, parts of the page out.
"""

from __future__ import annotations

from display import charts
from display.findings import listed
from display.formats import MISSING, Scale, count, p_value, percent, words
from display.parts import Cell, Figure, Row, Table
from experiments.page.wording import (
    METHODS,
    ROLES,
    Key,
    Naming,
    by_role,
    change_cell,
    compared,
    is_beyond_zero,
    key,
    mean_scales,
    metric,
    naming,
    relative_cell,
    relative_mark,
    whole_percent,
    within,
)

RESULTS = "results.experiment_results"
# A heading cannot hold more effects than this; the chart can.
MOST_TOLD = 3


def forest(health: Row, results: list[Row]) -> Figure | Table | None:
    """Draw the headline effects of all metrics, relative to control."""
    heads = by_role(row for row in results if row["is_headline"])
    if not heads:
        return None
    name = naming(heads)
    guards = {
        key(row): row for row in results if row["method"] == "non_inferiority"
    }
    drawn = [
        row
        for row in heads
        if row["relative_ci_low"] is not None
        and row["relative_ci_high"] is not None
    ]
    table = _table(health, results, guards, name)
    if not drawn:
        return table
    marks = [_mark(row, guards.get(key(row)), name(row)) for row in drawn]
    roles = [role for role in ROLES if any(m["series"] == role for m in marks)]
    title = _title(drawn, name)
    return Figure(
        f"experiment-{health['experiment_id']}-effects",
        title,
        _caption(health, heads, drawn, marks),
        charts.dots(
            marks,
            f"Dot chart with intervals. {title}.",
            "Effect relative to the control mean",
            reference=0.0,
            series_names=roles,
            has_always_text=True,
        ),
        table,
    )


def _title(rows: list[Row], name: Naming) -> str:
    """Tell the effects whose interval leaves zero out."""
    clear = [
        row
        for row in rows
        if is_beyond_zero(row["relative_ci_low"], row["relative_ci_high"])
    ]
    number = len(rows)
    if not clear:
        return (
            "The effect's interval contains zero"
            if number == 1
            else f"All {number} intervals contain zero: no effect is clear"
        )
    said = [
        f"{within(name(row))} {relative_cell(row).text}"
        for row in clear[:MOST_TOLD]
    ]
    if len(clear) > MOST_TOLD:
        said.append(f"{len(clear) - MOST_TOLD} more")
    verb = "has" if len(clear) == 1 else "have"
    return (
        f"{len(clear)} of {number} effects {verb} an interval beyond zero:"
        f" {listed(said)}"
    )


def _mark(row: Row, guard: Row | None, name: str) -> Row:
    """Give the mark of one effect, and of the loss it must not reach."""
    role = row["role"]
    mark = relative_mark(row, name, role, f" ({role})")
    margin = _margin(row, guard)
    if margin is None or guard is None:
        return mark
    label = f"{mark['label']}; {_harm(guard)}"
    return mark | {"label": label, "margin": margin}


def _margin(row: Row, guard: Row | None) -> float | None:
    """Place the margin on the side where the guardrail is harmed.

    The one-sided interval is open on the harmless side.
    """
    if guard is None or row["margin"] is None:
        return None
    if guard["relative_ci_low"] is not None:
        return -float(row["margin"])
    if guard["relative_ci_high"] is not None:
        return float(row["margin"])
    return None


def _harm(guard: Row) -> str:
    """Say whether harm as large as the margin is ruled out."""
    if guard["p_value"] is None:
        return "harm not tested"
    verdict = (
        "ruled out" if guard["p_value"] <= guard["alpha"] else "not ruled out"
    )
    return (
        f"harm of {percent(guard['margin'])} {verdict}"
        f" ({compared(guard['p_value'])})"
    )


def _caption(
    health: Row, heads: list[Row], drawn: list[Row], marks: list[Row]
) -> str:
    """Say how the effects were found, and what is not drawn."""
    coverage = whole_percent(1 - heads[0]["alpha"])
    said = [
        "Treatment minus control over the control mean, users by the variant"
        f" they were assigned; {coverage} intervals by Fieller."
    ]
    capped = [
        within(metric(row))
        for row in drawn
        if row["outcome_version"] == "capped"
    ]
    if capped:
        said.append(f"Outcomes of {listed(capped)} are capped.")
    if any("margin" in mark for mark in marks):
        said.append(
            "The upright bar is a guardrail's margin: its interval should end"
            " before it."
        )
    planned = health["planned_users"]
    measured = max(
        (row["control_units"] or 0) + (row["treatment_units"] or 0)
        for row in heads
    )
    if planned is not None and measured < planned:
        said.append(
            f"{count(measured)} of {count(planned)} planned users are"
            " measured: this is one look of many."
        )
    reasons = [
        f"{within(metric(row))} ({words(row['reason_code'])})"
        for row in heads
        if row not in drawn
    ]
    if reasons:
        said.append(f"Not drawn: {listed(reasons)}.")
    return " ".join(said)


def _is_plain(row: Row) -> bool:
    """Tell whether a row is a headline, or the same test by other means."""
    return bool(row["is_headline"]) or (
        row["method"] in METHODS
        and row["adjustment"] == "none"
        and row["policy"] == "first_assignment"
        and row["cap_value"] is None
    )


def _table(
    health: Row, results: list[Row], guards: dict[Key, Row], name: Naming
) -> Table:
    """Table comparisons with both arms, intervals, p and beliefs."""
    beliefs = {
        (key(row), row["method"]): row["probability_better"]
        for row in results
        if row["probability_better"] is not None
    }
    lines = [
        [
            f"{name(row)} ({row['role']})",
            *_line(row, guards.get(key(row)), beliefs),
        ]
        for row in by_role(row for row in results if _is_plain(row))
    ]
    return Table(
        caption=f"{health['experiment_name']}: results",
        columns=[
            "Metric",
            "Test",
            "Arms",
            "Control mean",
            "Treatment mean",
            "Difference",
            "Relative",
            "p",
            "Probability of better",
            "Grade",
        ],
        rows=lines,
        source=RESULTS,
        text_columns=3,
    )


def _line(
    row: Row,
    guard: Row | None,
    beliefs: dict[tuple[Key, str], float | None],
) -> list[str | Cell]:
    """Write one comparison but for its name."""
    remarks = [] if guard is None else [_harm(guard)]
    if row["cap_value"] is not None:
        remarks.append(f"capped at {Scale(decimals=0).text(row['cap_value'])}")
    if row["reason_code"] is not None:
        remarks.append(words(row["reason_code"]))
    head: list[str | Cell] = [
        Cell(
            METHODS.get(row["method"], words(row["method"])),
            "\n".join(remarks),
        ),
        f"{row['control_variant']} → {row['treatment_variant']}",
    ]
    if row["estimate"] is None:
        return [*head, *[MISSING] * 7]
    means, change = mean_scales(row)
    adjusted = row["adjusted_p_value"]
    is_family = adjusted is not None and row["family_size"] > 1
    narrow = beliefs.get((key(row), "bayes_normal"))
    wide = beliefs.get((key(row), "bayes_normal_wide"))
    return [
        *head,
        _mean(row, means, "control"),
        _mean(row, means, "treatment"),
        change_cell(row, change),
        relative_cell(row),
        Cell(
            p_value(row["p_value"]),
            f"{words(row['multiplicity_method'])} {p_value(adjusted)}"
            if is_family
            else "",
        ),
        Cell(
            _belief(narrow),
            "" if wide is None else f"wide prior {_belief(wide)}",
        ),
        row["causal_grade"] or MISSING,
    ]


def _belief(value: float | None) -> str:
    """Write a probability in percent; the surest are bounded."""
    if value is None:
        return MISSING
    least = 1e-3
    if value > 1 - least:
        return f"> {percent(1 - least)}"
    return f"< {percent(least)}" if value < least else percent(value)


def _mean(row: Row, scale: Scale, arm: str) -> Cell:
    """Write an arm's mean, its interval and its number of users."""
    span = scale.span(row[f"{arm}_ci_low"], row[f"{arm}_ci_high"])
    users = count(row[f"{arm}_units"])
    return Cell(scale.text(row[f"{arm}_mean"]), f"{span}\nn {users}")
