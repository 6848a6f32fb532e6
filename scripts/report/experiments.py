"""What experiments found, or why they must not be read.

Pure functions: rows of marts and results in, parts of the page out.
"""

from __future__ import annotations

from dataclasses import replace

from report import charts
from report.formats import (
    MISSING,
    NO_BREAK,
    Scale,
    count,
    fit_scale,
    p_value,
    percent,
    words,
)
from report.parts import (
    Cell,
    Figure,
    Note,
    Part,
    Row,
    Section,
    Table,
    Tables,
)

# A heading cannot hold more effects than this; the chart can.
MOST_TOLD = 3
METHODS = {
    "welch_t": "Welch's t-test",
    "two_proportion_z": "two-proportion z-test",
    "ratio_delta": "Welch's t-test, ratio by the delta method",
    "quantile_outer": "z-test of a quantile",
}


def section(tables: Tables) -> Section:
    """Read out each experiment, or say why it must not be read."""
    name, title = "experiments", "Experiments"
    health = [
        row for row in tables["experiment_health"] if row["assigned_users"]
    ]
    if not health:
        return Section(name, title, "This log has no experiments.", link=title)
    blocked = {
        row["experiment_id"] for row in health if row["decision"] == "broken"
    }
    results = [
        row
        for row in tables["experiment_results"]
        if row["experiment_id"] not in blocked and _is_plain(row)
    ]
    readable = len(health) - len(blocked)
    lead = (
        f"{readable} of {len(health)} experiments can be read. Users are"
        " compared by the variant they were assigned, reached or not."
    )
    parts: list[Part] = []
    forest = _forest(results)
    if forest:
        parts.append(forest)
    for row in health:
        mine = [
            result
            for result in results
            if result["experiment_id"] == row["experiment_id"]
        ]
        parts.append(_verdict(row, mine))
        if mine:
            parts.append(
                _results_table(mine, f"{row['experiment_name']}: results")
            )
    parts.append(_health_table(health))
    known = {row["experiment_id"] for row in health}
    arms = [
        row
        for row in tables["fct_experiment_arms"]
        if row["experiment_id"] in known and row["dimension"] == "all"
    ]
    if arms:
        parts.append(_arms_table(arms))
    return Section(name, title, lead, parts, title)


def _scales(row: Row) -> tuple[Scale, Scale]:
    """Choose how arm means and their difference are written."""
    around = [row["estimate"], row["ci_low"], row["ci_high"]]
    if row["kind"] == "proportion":
        scale = fit_scale("points", *around)
        rate = fit_scale("rate", row["control_mean"])
        return replace(rate, decimals=scale.decimals), scale
    means = fit_scale(
        "z",
        row["control_mean"],
        row["control_ci_low"],
        row["control_ci_high"],
    )
    decimals = max(means.decimals, fit_scale("z", *around).decimals)
    means = replace(means, decimals=decimals)
    return means, replace(means, is_signed=True)


def _is_plain(row: Row) -> bool:
    """Tell whether a row is a headline, or the same test by other means."""
    return bool(row["is_headline"]) or (
        row["method"] in METHODS
        and row["adjustment"] == "none"
        and row["policy"] == "first_exposure"
        and row["cap_value"] is None
    )


def _main_rows(results: list[Row]) -> list[Row]:
    """Keep one row per comparison: its headline."""
    return [row for row in results if row["is_headline"]]


def _forest(results: list[Row]) -> Figure | None:
    """Draw relative effects of all readable comparisons on one axis."""
    rows = [
        row
        for row in _main_rows(results)
        if row["relative_ci_low"] is not None
        and row["relative_ci_high"] is not None
    ]
    if not rows:
        return None
    said, marks = [], []
    for row in rows:
        scale = fit_scale(
            "rate",
            row["relative_estimate"],
            row["relative_ci_low"],
            row["relative_ci_high"],
        )
        scale = replace(scale, is_signed=True)
        estimate = scale.text(row["relative_estimate"])
        said.append(f"{row['experiment_name']} {estimate}")
        marks.append(
            {
                "category": row["experiment_name"],
                "short": estimate,
                "value": row["relative_estimate"],
                "low": row["relative_ci_low"],
                "high": row["relative_ci_high"],
                "label": f"{row['experiment_name']},"
                f" {words(row['metric_name'])}: {estimate} ("
                + scale.span(row["relative_ci_low"], row["relative_ci_high"])
                + ")",
            }
        )
    # Equal names would fall onto one line.
    if len({mark["category"] for mark in marks}) < len(marks):
        for mark, row in zip(marks, rows, strict=True):
            mark["category"] += (
                f", {words(row['metric_name'])}, {row['treatment_variant']}"
            )
    title = f"Change against control: {'; '.join(said)}"
    if len(said) > MOST_TOLD:
        title = f"Change against control in {len(said)} comparisons"
    return Figure(
        "experiment-effects",
        title,
        "Each treatment's change relative to its control's mean, with Fieller"
        " intervals; right of the line is more.",
        charts.dots(
            marks,
            f"Dot chart with intervals. {title}.",
            "Change relative to control",
            reference=0.0,
        ),
        _results_table(rows, "Change relative to control"),
    )


def _health_table(rows: list[Row]) -> Table:
    """Table whether each assignment can be trusted."""
    lines: list[list[str | Cell]] = []
    for row in rows:
        ratio = Cell("not tested")
        if row["is_srm_alarm"] is not None:
            p = f"p{NO_BREAK}{_compared(row['p_value'])}"
            ratio = (
                Cell("✗ alarm", p, "bad")
                if row["is_srm_alarm"]
                else Cell("✓ fits", p, "good")
            )
        decision = (
            Cell("✗ broken", words(row["reason_code"]), "bad")
            if row["decision"] == "broken"
            else Cell(words(row["decision"]), row["decision_reasons"])
        )
        lines.append(
            [
                row["experiment_name"],
                row["expected_shares"] or MISSING,
                row["observed_shares"] or MISSING,
                ratio,
                decision,
                count(row["assigned_users"]),
                Cell(count(row["mixed_users"]), percent(row["mixed_rate"])),
                percent(row["reached_rate"]),
                percent(row["immature_rate"]),
            ]
        )
    return Table(
        caption="Health of the assignments",
        columns=[
            "Experiment",
            "Planned shares",
            "Observed shares",
            "Sample ratio",
            "Decision",
            "Assigned",
            "In both variants",
            "Reached",
            "Window open",
        ],
        rows=lines,
        source="results.experiment_health",
        text_columns=5,
    )


def _arms_table(rows: list[Row]) -> Table:
    """Table the users of each arm."""
    return Table(
        caption="Users by arm",
        columns=[
            "Experiment",
            "Variant",
            "Role",
            "Planned share",
            "Assigned",
            "Reached",
            "In both variants",
        ],
        rows=[
            [
                row["experiment_name"],
                row["variant"],
                "control" if row["is_control"] else "treatment",
                percent(row["expected_share"]),
                count(row["assigned_users"]),
                count(row["reached_users"]),
                count(row["mixed_users"]),
            ]
            for row in rows
        ],
        source="marts.fct_experiment_arms",
        text_columns=3,
    )


def _verdict(health: Row, results: list[Row]) -> Note:
    """Say in one sentence what the experiment found."""
    title = str(health["experiment_name"])
    if health["decision"] == "broken":
        why = words(health["reason_code"])
        if health["is_srm_alarm"]:
            why += (
                ". The shares observed do not fit the plan"
                f" (p{NO_BREAK}{_compared(health['p_value'])})"
            )
        return Note(
            f"✗ Readout blocked: {why}. No result is shown.", title, "bad"
        )
    said = []
    for row in _main_rows(results):
        if row["estimate"] is None:
            said.append(
                f"{words(row['metric_name'])}: no number"
                f" ({words(row['reason_code'])})"
            )
            continue
        means, change = _scales(row)
        said.append(
            f"{words(row['metric_name'])} goes from"
            f" {means.text(row['control_mean'])} to"
            f" {means.text(row['treatment_mean'])} in"
            f" {row['treatment_variant']}: {change.text(row['estimate'])}"
            f" ({change.span(row['ci_low'], row['ci_high'])}),"
            f" p{NO_BREAK}{_compared(row['p_value'])}"
        )
    text = "; ".join(said) if said else "no metric has a result yet"
    return Note(f"{text[:1].upper()}{text[1:]}.", title)


def _compared(value: float | None) -> str:
    """Write a p-value with its relation."""
    text = p_value(value)
    return text if text[0] in "<>" else f"={NO_BREAK}{text}"


def _results_table(rows: list[Row], caption: str) -> Table:
    """Table comparisons with both arms, intervals and p."""
    lines: list[list[str | Cell]] = []
    for row in rows:
        arms = f"{row['control_variant']} → {row['treatment_variant']}"
        remark = "" if row["reason_code"] is None else words(row["reason_code"])
        head: list[str | Cell] = [
            f"{words(row['metric_name'])} ({words(row['role'])})",
            Cell(METHODS.get(row["method"], words(row["method"])), remark),
            arms,
        ]
        if row["estimate"] is None:
            lines.append([*head, *[MISSING] * 6])
            continue
        means, change = _scales(row)
        relative = replace(
            fit_scale(
                "rate",
                row["relative_estimate"],
                row["relative_ci_low"],
                row["relative_ci_high"],
            ),
            is_signed=True,
        )
        lines.append(
            [
                *head,
                _mean(row, means, "control"),
                _mean(row, means, "treatment"),
                Cell(
                    change.text(row["estimate"]),
                    change.span(row["ci_low"], row["ci_high"]),
                ),
                Cell(
                    relative.text(row["relative_estimate"]),
                    relative.span(
                        row["relative_ci_low"], row["relative_ci_high"]
                    ),
                ),
                Cell(p_value(row["p_value"])),
                row["causal_grade"] or MISSING,
            ]
        )
    return Table(
        caption=caption,
        columns=[
            "Metric",
            "Test",
            "Arms",
            "Control mean",
            "Treatment mean",
            "Difference",
            "Relative",
            "p",
            "Grade",
        ],
        rows=lines,
        source="results.experiment_results",
        text_columns=3,
    )


def _mean(row: Row, scale: Scale, arm: str) -> Cell:
    """Write an arm's mean, its interval and its number of users."""
    span = scale.span(row[f"{arm}_ci_low"], row[f"{arm}_ci_high"])
    users = count(row[f"{arm}_units"])
    return Cell(scale.text(row[f"{arm}_mean"]), f"{span}\nn {users}")
