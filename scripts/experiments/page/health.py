"""What to do with an experiment, and whether its assignment can be trusted.

Pure functions: rows of marts and results in, parts of the page out.
"""

from __future__ import annotations

from display.effects import effect_text
from display.formats import (
    MISSING,
    count,
    day,
    percent,
    words,
)
from display.parts import Cell, Note, Row, Table, table_of
from experiments.assignments import MIXED_FAILURE, MIXED_WARNING
from experiments.page.wording import (
    by_role,
    compared,
    mean_scales,
    naming,
    whole_percent,
)
from stats.arms.allocations import ALARM_P_VALUE

HEALTH = "results.experiment_health"
# How decisions are said: as advice, and counted.
ADVICE = {
    "ship": ("✓ Ship", "good"),
    "do_not_ship": ("✗ Do not ship", "bad"),
    "keep_running": ("Keep running", ""),
}
COUNTED = {
    "ship": "to ship",
    "do_not_ship": "not to ship",
    "keep_running": "to keep running",
    "broken": "blocked",
}
Line = list[str | Cell]


def verdict(health: Row, results: list[Row]) -> Note:
    """Say what to do, why, and what was found in what decides."""
    title = str(health["experiment_name"])
    if health["decision"] == "broken":
        why = words(health["decision_reasons"])
        if health["is_srm_alarm"]:
            why += (
                ". The shares observed do not fit the plan"
                f" ({compared(health['p_value'])})"
            )
        return Note(
            f"✗ Readout blocked: {why}. No result is shown.",
            title,
            "bad",
            is_subject=True,
        )
    advice, tone = ADVICE[health["decision"]]
    heads = by_role(row for row in results if row["is_headline"])
    name = naming(heads)
    said = [_found(row, name(row)) for row in heads if row["role"] == "primary"]
    return Note(
        " ".join(
            [f"{advice}: {words(health['decision_reasons'])}.", *said]
            if heads
            else [f"{advice}: no metric has a result yet."]
        ),
        title,
        tone,
        is_subject=True,
    )


def _found(row: Row, name: str) -> str:
    """Say in one sentence how a metric differs between the arms."""
    if row["estimate"] is None:
        return f"{name}: no number ({words(row['reason_code'])})."
    means, change = mean_scales(row)
    return (
        f"{name}: from {means.text(row['control_mean'])} to"
        f" {means.text(row['treatment_mean'])}, {effect_text(row, change)},"
        f" {compared(row['p_value'])}."
    )


def checks(row: Row) -> Table:
    """Table what was checked before anything was compared."""
    checked = (_shares, _group, _days, _mixed, _before, _open, _reached)
    lines = [line for check in checked if (line := check(row)) is not None]
    judged = [line[1] for line in lines if isinstance(line[1], Cell)]
    alarms = sum(cell.tone == "bad" for cell in judged)
    title = f"The assignment passes all {len(judged)} checks"
    if alarms:
        title = (
            f"The assignment fails {alarms} of {len(judged)} checks"
            if len(judged) > 1
            else "The assignment fails its check"
        )
    return Table(
        caption=f"{row['experiment_name']}: health",
        columns=["Check", "Verdict", "Found", "Rule"],
        rows=lines,
        source=HEALTH,
        text_columns=4,
        wide_columns=(3,),
        title=title,
    )


def _judged(*, is_good: bool, good: str, bad: str) -> Cell:
    return (
        Cell(f"✓ {good}", tone="good")
        if is_good
        else Cell(f"✗ {bad}", tone="bad")
    )


def _alarm() -> str:
    return f"alarm below p {ALARM_P_VALUE:g}"


def _shares(row: Row) -> Line:
    name = "Shares of users, all together"
    if row["is_srm_alarm"] is None:
        return [name, "not tested", MISSING, _alarm()]
    return [
        name,
        _judged(is_good=not row["is_srm_alarm"], good="fit", bad="alarm"),
        Cell(
            compared(row["p_value"]),
            f"planned {row['expected_shares']}\n"
            f"observed {row['observed_shares']}",
        ),
        f"chi-square against the plan; {_alarm()}",
    ]


def _group(row: Row) -> Line | None:
    if row["srm_dimension_p_value"] is None:
        return None
    value = row["srm_dimension_p_value"]
    return [
        "Shares of users, group by group",
        _judged(is_good=value >= ALARM_P_VALUE, good="fit", bad="alarm"),
        Cell(
            compared(value),
            f"furthest off: {words(row['srm_dimension'])}"
            f" {words(row['srm_dimension_value'])}",
        ),
        f"the group furthest off, by Bonferroni over all groups; {_alarm()}",
    ]


def _days(row: Row) -> Line | None:
    """Judge the shares as they came in, where they were tested at all."""
    if row["is_srm_alarm"] is None:
        return None
    first = row["srm_first_alarm_date"]
    return [
        "Shares of users, day by day",
        _judged(is_good=first is None, good="fit", bad="alarm"),
        "never off" if first is None else f"first off on {day(first)}",
        f"all users assigned so far, at each day's end; {_alarm()}",
    ]


def _mixed(row: Row) -> Line:
    rate = row["mixed_rate"]
    found = Cell(
        percent(rate),
        f"{count(row['mixed_users'])} of {count(row['assigned_users'])} users",
    )
    rule = (
        f"warning from {whole_percent(MIXED_WARNING)} on, broken from"
        f" {whole_percent(MIXED_FAILURE)} on"
    )
    if rate is None:
        return ["Users seen in two variants", "not tested", found, rule]
    verdict_cell = _judged(
        is_good=not row["is_mixed_warning"],
        good="few",
        bad="too many" if rate >= MIXED_FAILURE else "warning",
    )
    return ["Users seen in two variants", verdict_cell, found, rule]


def _before(row: Row) -> Line | None:
    value = row["pre_period_p_value"]
    if value is None:
        return None
    return [
        "Arms before the assignment",
        _judged(is_good=value >= ALARM_P_VALUE, good="alike", bad="differ"),
        Cell(
            compared(value),
            f"most in {words(row['pre_period_metric_name'])}",
        ),
        "the same metric over the time before, by Bonferroni over metrics"
        f" and arms; {_alarm()}",
    ]


def _open(row: Row) -> Line:
    return [
        "Users whose window is still open",
        "not judged",
        percent(row["immature_rate"]),
        "the metric with most of them; they are not counted",
    ]


def _reached(row: Row) -> Line | None:
    if row["reached_rates"] is None:
        return None
    return [
        "Users reached by the treatment",
        "not judged",
        f"{percent(row['reached_rate'])} of the treated",
        "effects are of all who were assigned, reached or not",
    ]


def arms(health: Row, rows: list[Row]) -> Table:
    """Table the users of each arm."""
    return table_of(
        f"{health['experiment_name']}: users by arm",
        rows,
        {
            "Variant": lambda row: row["variant"],
            "Role": lambda row: "control" if row["is_control"] else "treatment",
            "Planned share": lambda row: percent(row["expected_share"]),
            "Assigned": lambda row: count(row["assigned_users"]),
            "Reached": lambda row: (
                MISSING
                if health["reached_rates"] is None
                else count(row["reached_users"])
            ),
            "In two variants": lambda row: count(row["mixed_users"]),
        },
        source="marts.fct_experiment_arms",
        text_columns=2,
    )
