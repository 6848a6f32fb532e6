"""What changes retention: genres, experiments and scenarios.

Pure functions: rows of marts and results in, parts of the page out. Nothing
observational is called an effect without its causal grade.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

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
from report.returning import RATE_COLUMNS, rate_cells, rate_label

SCENARIO_ORDER = ["explorers", "push_rollout", "engineer_roi"]
VERSION_ORDER = ["naive", "causal", "randomised"]
# A heading cannot hold more effects than this; the chart can.
MOST_TOLD = 3
NUMBER_WORDS = ["no", "one", "two", "three", "four", "five", "six"]
ESTIMANDS = {
    "naive_difference": "Plain gap",
    "stratified_ate": "Adjusted, all users",
    "stratified_atu": "Adjusted, others",
}
# The test that suits the kind of metric; the other one is tabled beside it.
MAIN_METHOD = {"mean": "welch_t", "proportion": "two_proportion_z"}
METHODS = {
    "welch_t": "Welch's t-test",
    "two_proportion_z": "two-proportion z-test",
}


def genres(tables: Tables) -> Section:
    """Tell what goes with exploring genres, plainly and adjusted."""
    rows = sorted(
        (
            row
            for row in tables["fct_retention_by_genres"]
            if row["dimension"] == "all" and row["rate"] is not None
        ),
        key=_genre_count,
    )
    name, title = "genres", "Genres explored and coming back"
    if not any(_genre_count(row) for row in rows):
        return Section(
            name,
            title,
            "This log has no genres, so there is nothing to compare.",
        )
    parts: list[Part | None] = [
        _by_genres(rows),
        _genre_effects(tables["diversity_effects"], _genre_words(rows[-1])),
    ]
    return Section(
        name,
        title,
        "Genres explored in the first days are associated with coming back."
        " The gap alone does not say that genres cause it: busy users do more"
        " of both.",
        [part for part in parts if part is not None],
    )


def _by_genres(rows: list[Row]) -> Figure:
    """Draw D7 by genres explored."""
    first = next(row for row in rows if _genre_count(row))
    last, day = rows[-1], rows[0]["day_number"]
    title = f"D{day} is {_rate(last)}"
    title += f" after {_genre_words(last)}"
    if first is not last:
        title += f", {_rate(first)} after {_number_words(first)}"
    bars = [
        {
            "category": _explored(row),
            "rate": row["rate"],
            "low": row["ci_low"],
            "high": row["ci_high"],
            "label": f"{_genre_words(row)}: {rate_label(row)}",
            "short": _rate(row),
        }
        for row in rows
    ]
    return Figure(
        "genres-explored",
        title,
        f"D{day} retention by distinct genres with a valid play in the first"
        " days; lines are Wilson intervals.",
        charts.bars(
            bars,
            f"Bar chart. {title}.",
            "Genres explored in the first days",
            f"D{day} retention",
        ),
        Table(
            caption=f"D{day} retention by genres explored",
            columns=["Genres explored", *RATE_COLUMNS],
            rows=[[_explored(row), *rate_cells(row)] for row in rows],
            source="marts.fct_retention_by_genres",
        ),
    )


def _explored(row: Row) -> str:
    return str(row["genres_explored"])


def _genre_count(row: Row) -> int:
    """Read the number out of `3` or `4+`."""
    return int(_explored(row).rstrip("+"))


def _number_words(row: Row) -> str:
    number = _genre_count(row)
    small = number < len(NUMBER_WORDS)
    text = NUMBER_WORDS[number] if small else str(number)
    return f"{text} or more" if _explored(row).endswith("+") else text


def _genre_words(row: Row) -> str:
    single = _explored(row) == "1"
    return f"{_number_words(row)} {'genre' if single else 'genres'}"


def _rate(row: Row) -> str:
    return percent(row["rate"], row["ci_low"], row["ci_high"])


def _genre_effects(rows: list[Row], many: str) -> Figure | Note | None:
    """Draw the plain gap beside the adjusted estimates."""
    known = sorted(
        (row for row in rows if row["estimate"] is not None),
        key=lambda row: _place(row["estimand"], list(ESTIMANDS)),
    )
    if not known:
        reasons = sorted({words(row["reason_code"]) for row in rows})
        return (
            Note(f"The gap could not be adjusted: {', '.join(reasons)}.")
            if reasons
            else None
        )
    scale = _finest(
        fit_scale("points", row["estimate"], row["ci_low"], row["ci_high"])
        for row in known
    )
    by_name = {row["estimand"]: row for row in known}
    plain, adjusted = (
        by_name.get("naive_difference"),
        by_name.get("stratified_ate"),
    )
    title = f"Users of {many} against those of fewer"
    if plain and adjusted:
        title = (
            f"Of a plain gap of {scale.text(plain['estimate'])},"
            f" {scale.text(adjusted['estimate'])} remain among equally busy"
            " users"
        )
    marks = [
        {
            "category": _estimand(row),
            "value": row["estimate"] * scale.factor,
            "low": row["ci_low"] * scale.factor,
            "high": row["ci_high"] * scale.factor,
            "label": f"{_estimand(row)}: {scale.text(row['estimate'])}"
            f" ({scale.span(row['ci_low'], row['ci_high'])}),"
            f" grade {row['causal_grade']}",
            "short": scale.bare(row["estimate"]),
        }
        for row in known
    ]
    lost = max(row["units_without_overlap"] or 0 for row in known)
    left_out = ""
    if lost:
        left_out = (
            f" {count(lost)} users with nobody to be compared with are left"
            " out."
        )
    return Figure(
        "genre-effects",
        title,
        f"Difference in retention between {many} and fewer. The plain"
        " gap is an association (grade D); the adjusted estimates"
        " compare users with the same number of valid plays on the same"
        " platform (grade C), and still rest on having no other difference."
        + left_out,
        charts.dots(
            marks,
            f"Dot chart with intervals. {title}.",
            "Difference in retention, points",
            axis_format=charts.NUMBER_AXIS,
            reference=0.0,
        ),
        Table(
            caption=f"Difference in retention, {many} against fewer",
            columns=[
                "Estimate of",
                "Difference",
                "Interval",
                "p",
                "Explorers",
                "Others",
                "Strata",
                "Left out",
                "Grade",
            ],
            rows=[
                [
                    _estimand(row),
                    scale.text(row["estimate"]),
                    scale.span(row["ci_low"], row["ci_high"]),
                    p_value(row["p_value"]),
                    count(row["explorer_units"]),
                    count(row["other_units"]),
                    count(row["strata_used"]),
                    count(row["units_without_overlap"]),
                    row["causal_grade"] or MISSING,
                ]
                for row in known
            ],
            source="results.diversity_effects",
        ),
    )


def _estimand(row: Row) -> str:
    return ESTIMANDS.get(row["estimand"], words(row["estimand"]))


def _place(name: str, order: list[str]) -> tuple[int, str]:
    """Sort known names as told, others after them by name."""
    return (order.index(name) if name in order else len(order), name)


def _telling_order(row: Row) -> tuple[object, ...]:
    return (
        _place(row["scenario_name"], SCENARIO_ORDER),
        row["probability_target"] is None,
        row["outcome"],
        _place(row["version"], VERSION_ORDER),
    )


def experiments(tables: Tables) -> Section:
    """Read out each experiment, or say why it must not be read."""
    name, title = "experiments", "Experiments"
    health = [
        row for row in tables["experiment_health"] if row["assigned_users"]
    ]
    if not health:
        return Section(name, title, "This log has no experiments.")
    blocked = {
        row["experiment_id"] for row in health if row["decision"] == "blocked"
    }
    results = [
        row
        for row in tables["experiment_results"]
        if row["experiment_id"] not in blocked
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
        if row["experiment_id"] in known
    ]
    if arms:
        parts.append(_arms_table(arms))
    return Section(name, title, lead, parts)


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


def _main_rows(results: list[Row]) -> list[Row]:
    """Keep one test per comparison: the one that suits the metric."""
    return [
        row
        for row in results
        if row["method"] == MAIN_METHOD.get(row["kind"], row["method"])
    ]


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
            Cell("✗ blocked", words(row["reason_code"]), "bad")
            if row["decision"] == "blocked"
            else Cell("✓ readable", tone="good")
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
            "Readout",
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
    if health["decision"] == "blocked":
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


def scenarios(tables: Tables) -> Section:
    """Show each scenario's outcomes with their ranges and grades."""
    rows = [
        row
        for row in tables["scenario_results"]
        if row["point_estimate"] is not None
    ]
    name, title = "scenarios", "What if"
    if not rows:
        return Section(
            name, title, "No scenario could be computed from this log."
        )
    rows = sorted(rows, key=_telling_order)
    parts: list[Part | None] = [
        _scenario(list(group))
        for _, group in groupby(
            rows, key=lambda row: (row["scenario_name"], row["outcome"])
        )
    ]
    parts.append(
        _assumed(
            tables["dim_scenario_terms"],
            {row["scenario_name"] for row in rows},
        )
    )
    return Section(
        name,
        title,
        "Each scenario multiplies an effect found here by stated assumptions."
        " Thick bars hold 80 % of the draws, thin lines 95 %, dots mark the"
        " median, letters are causal grades. Where an effect is only an"
        " association, the naive and the causal version stand side by side.",
        [part for part in parts if part is not None],
    )


def _finest(scales: Iterable[Scale]) -> Scale:
    """Choose the scale with the most digits, the coarsest unit first."""
    return min(scales, key=lambda scale: (scale.factor, -scale.decimals))


def _scenario(rows: list[Row]) -> Figure:
    """Draw one outcome, a line per version."""
    scale = _finest(
        fit_scale(row["unit"], row["median"], row["ci80_low"], row["ci80_high"])
        for row in rows
    )
    target = next(
        (
            row["probability_target"]
            for row in rows
            if row["probability_target"] is not None
        ),
        None,
    )
    first = rows[0]
    name = _sentence(first["scenario_name"])
    outcome = words(first["outcome"]).removesuffix(" EUR")
    axis_title = _sentence(scale.axis())
    if not scale.words:
        axis_title = f"{_sentence(outcome)}, {scale.axis()}"
    # "Extra users: 955" need not be told its unit again.
    write = scale.brief if scale.words.strip() in outcome else scale.text
    said = " or ".join(
        write(row["point_estimate"])
        + (f" ({words(row['version'])})" if len(rows) > 1 else "")
        for row in rows
    )
    # "Engineer ROI" need not be told its outcome.
    subject = name if outcome in name else f"{name}, {outcome}"
    title = f"{subject}: {said}"
    bases = {row["base_description"] for row in rows}
    base = "; ".join(
        f"{words(row['version'])}, {row['base_description']}" for row in rows
    )
    if len(bases) == 1:
        base = first["base_description"]
    caption = f"Base: {base}."
    if target is not None:
        caption += f" P(ROI > 1) = {percent(target)}."
    marks = [
        {
            "category": f"{words(row['version'])} ({row['causal_grade']})",
            "median": row["median"] * scale.factor,
            "low80": row["ci80_low"] * scale.factor,
            "high80": row["ci80_high"] * scale.factor,
            "low95": row["ci95_low"] * scale.factor,
            "high95": row["ci95_high"] * scale.factor,
            "label": f"{_sentence(row['version'])}, grade"
            f" {row['causal_grade']}: median {scale.text(row['median'])}, 95 %"
            f" {scale.span(row['ci95_low'], row['ci95_high'])}",
        }
        for row in rows
    ]
    columns = [
        "Version",
        "Grade",
        "Point estimate",
        "Median",
        "80 % interval",
        "95 % interval",
        "P(> 0)",
        "P(ROI > 1)",
        "Draws",
    ]
    lines: list[list[str | Cell]] = [
        [
            words(row["version"]),
            row["causal_grade"] or MISSING,
            scale.text(row["point_estimate"]),
            scale.text(row["median"]),
            Cell(scale.span(row["ci80_low"], row["ci80_high"])),
            Cell(scale.span(row["ci95_low"], row["ci95_high"])),
            percent(row["probability_positive"]),
            percent(row["probability_target"]),
            count(row["draw_count"]),
        ]
        for row in rows
    ]
    return Figure(
        f"scenario-{first['scenario_name']}-{first['outcome']}",
        title,
        caption,
        charts.ranges(
            marks,
            f"Interval chart. {title}.",
            axis_title,
            0.0 if target is None else 1.0,
        ),
        Table(
            caption=subject,
            columns=columns,
            rows=lines,
            source="results.scenario_results",
            text_columns=2,
        ),
    )


def _assumed(terms: list[Row], names: set[str]) -> Table | None:
    """Table what the scenarios take for granted."""
    rows = [row for row in terms if row["scenario_name"] in names]
    if not rows:
        return None
    lines: list[list[str | Cell]] = []
    for row in rows:
        scale = fit_scale("count", row["value"], row["low"], row["high"])
        is_fixed = row["low"] == row["high"]
        lines.append(
            [
                _sentence(row["scenario_name"]),
                words(row["term"]),
                str(row["source"] or MISSING),
                scale.text(row["value"]),
                Cell(
                    "fixed" if is_fixed else scale.span(row["low"], row["high"])
                ),
                words(row["unit"]),
                words(row["distribution"]),
                row["causal_grade"] or MISSING,
            ]
        )
    return Table(
        caption="What the scenarios assume",
        columns=[
            "Scenario",
            "Term",
            "Why this number",
            "Value",
            "Range",
            "Unit",
            "Distribution",
            "Grade",
        ],
        rows=lines,
        source="marts.dim_scenario_terms",
        text_columns=3,
        wide_columns=(2,),
    )


def _sentence(name: str) -> str:
    text = words(name)
    return text[:1].upper() + text[1:]
