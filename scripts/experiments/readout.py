"""Experiments as text: what to do, why, and what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from display.text import Row, aligned, p_value_text, shown, span
from stats.kinds import KINDS

Tables = Mapping[str, Sequence[Row]]

HEADER = (
    *("", "adjusted by", "control", "treatment"),
    *("estimate", "interval", "p", "relative", "reason"),
)
TEST = ("metric_name", "treatment_variant", "outcome_version", "policy")
DECIDING = ("primary", "guardrail")
MOST_SEGMENTS = 3  # of a dimension, those furthest from its mean effect


def experiments(tables: Tables) -> str:
    """Write each experiment: decision, health, effects, looks and power."""
    health = tables["experiment_health"]
    if not health:
        return "Experiments: none in this log."
    lines = ["Experiments, treatment against control by assignment"]
    for row in health:
        name = row["experiment_id"]
        own = {
            table: [r for r in tables[table] if r["experiment_id"] == name]
            for table in (
                "experiment_results",
                "experiment_segments",
                "experiment_time_series",
                "experiment_power",
            )
        }
        lines.append(_health(row))
        lines += _effects(own["experiment_results"])
        if row["decision"] != "broken":
            lines += _guardrails(own["experiment_results"])
            lines += _segments(own["experiment_segments"])
            lines += _looks(own["experiment_time_series"])
            lines += _novelty(own["experiment_time_series"])
            lines += _power(own["experiment_power"])
    return "\n".join(lines)


def _health(row: Row) -> str:
    """Write the decision with its reasons, and the state of assignment."""
    decision = row["decision"].replace("_", " ").upper()
    lines = [
        f"  {row['experiment_name']}: {decision} ({row['decision_reasons']})"
    ]
    facts = [
        f"{row['assigned_users']:,} users",
        f"shares {row['observed_shares'] or '-'}",
        f"sample-ratio p {p_value_text(row['p_value'])}",
    ]
    if row["srm_dimension"] is not None:
        facts.append(
            f"least in {row['srm_dimension']} {row['srm_dimension_value']} "
            f"{p_value_text(row['srm_dimension_p_value'])}"
        )
    if row["srm_first_alarm_date"] is not None:
        facts.append(f"first alarm {row['srm_first_alarm_date']}")
    mixed = f"mixed {row['mixed_users']:,}"
    facts.append(mixed + (" (WARNING)" if row["is_mixed_warning"] else ""))
    if row["immature_rate"]:
        facts.append(f"window open {shown(row['immature_rate'], 'rate')}")
    if row["reached_rates"] is not None:
        facts.append(f"reached {row['reached_rates']}")
    if row["pre_period_p_value"] is not None:
        facts.append(f"before p {p_value_text(row['pre_period_p_value'])}")
    return "\n".join([*lines, f"    {', '.join(facts)}"])


def _units(row: Row) -> tuple[str, str]:
    """Choose how means and their difference are written."""
    is_rate = KINDS[row["kind"]].is_share
    return ("rate", "rate difference") if is_rate else ("", "")


def _test(row: Row) -> str:
    """Name a test."""
    return f"{row['metric_name']} {row['treatment_variant']}"


def _effects(results: Sequence[Row]) -> list[str]:
    """Table the headlines, each with its adjusted rows below."""
    cells = []
    for head in (row for row in results if row["is_headline"]):
        beside = [
            row
            for row in results
            if row["adjustment"] != "none"
            and row["estimate"] is not None
            and all(row[name] == head[name] for name in TEST)
        ]
        for row in (head, *beside):
            unit, gap = _units(row)
            p_value = p_value_text(row["p_value"])
            if row["adjusted_p_value"] is not None and row["family_size"] > 1:
                p_value += f" ({p_value_text(row['adjusted_p_value'])})"
            is_head = row is head
            cells.append(
                [
                    f"{_test(row)} {row['role']}" if is_head else "",
                    "-" if is_head else row["adjustment"],
                    shown(row["control_mean"], unit),
                    shown(row["treatment_mean"], unit),
                    shown(row["estimate"], gap),
                    span(row["ci_low"], row["ci_high"], gap),
                    p_value,
                    span(
                        row["relative_ci_low"], row["relative_ci_high"], "rate"
                    ),
                    row["reason_code"] or "",
                ]
            )
    return [aligned(HEADER, cells)] if cells else []


def _guardrails(results: Sequence[Row]) -> list[str]:
    """Say of each guardrail whether harm is ruled out."""
    lines = []
    heads = {_test(row): row for row in results if row["is_headline"]}
    for row in results:
        head = heads.get(_test(row), {})
        if row["method"] == "non_inferiority" and all(
            row[name] == head.get(name) for name in TEST
        ):
            is_harmless = (
                row["p_value"] is not None and row["p_value"] <= row["alpha"]
            )
            verdict = "ruled out" if is_harmless else "not ruled out"
            lines.append(
                f"    guardrail {_test(row)}: harm beyond "
                f"{shown(row['margin'], 'rate')} {verdict}, "
                f"one-sided p {p_value_text(row['p_value'])}"
            )
    return lines


def _segments(segments: Sequence[Row]) -> list[str]:
    """Tell the segments of those dimensions whose effects differ."""
    lines = []
    raw = [row for row in segments if row["adjustment"] == "none"]
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in raw:
        if (
            row["q_adjusted_p_value"] is not None
            and row["q_adjusted_p_value"] <= row["alpha"]
            and row["estimate"] is not None
        ):
            groups.setdefault((_test(row), row["dimension"]), []).append(row)
    for (test, dimension), rows in groups.items():
        centre = sum(row["estimate"] for row in rows) / len(rows)
        distances = [
            abs(row["estimate"] - centre) / row["standard_error"]
            for row in rows
        ]
        furthest = sorted(
            zip(distances, range(len(rows)), strict=True), reverse=True
        )
        said = [
            f"{rows[i]['dimension_value']} "
            f"{shown(rows[i]['estimate'], _units(rows[i])[1])}"
            for _, i in furthest[:MOST_SEGMENTS]
        ]
        lines.append(
            f"    {test} differs by {dimension}, p "
            f"{p_value_text(rows[0]['q_adjusted_p_value'])}: {', '.join(said)}"
        )
    return lines


def _looks(series: Sequence[Row]) -> list[str]:
    """Say of what decides whether a boundary has been crossed at a look."""
    deciding = [
        row
        for row in series
        if row["series"] == "cumulative_by_date" and row["role"] in DECIDING
    ]
    lines = []
    # The last row of each test, as they come in order of date.
    for test, row in {_test(row): row for row in deciding}.items():
        method = row["method"].replace("_", "-")
        state = f"not crossed by {row['look_date']}"
        if row["first_crossing_date"] is not None:
            state = f"crossed on {row['first_crossing_date']}"
        lines.append(
            f"    looks {test}: {method} boundary {state}, "
            f"{shown(row['information_fraction'], 'rate')} of "
            f"{row['planned_units']:,} users"
        )
    return lines


def _novelty(series: Sequence[Row]) -> list[str]:
    """Say which effects change with the days since assignment."""
    return [
        f"    novelty {_test(row)}: {row['method']} "
        f"{shown(row['estimate'])}, p {p_value_text(row['p_value'])}"
        for row in series
        if row["series"] == "novelty"
        and row["method"] == "trend"
        and row["p_value"] is not None
        and row["p_value"] <= row["alpha"]
    ]


def _power(rows: Sequence[Row]) -> list[str]:
    """Say what primary tests can find, and what finding 5 % takes."""
    tests: dict[str, list[str]] = {}
    for row in rows:
        found, users = (
            row["detectable_relative_effect"],
            row["required_users_5_percent"],
        )
        if row["role"] != "primary" or found is None or users is None:
            continue
        days = row["required_days_5_percent"]
        took = "" if days is None else f" (days: {days:,.0f})"
        tests.setdefault(_test(row), []).append(
            f"{row['design']} finds {shown(found, 'rate')} now, 5 % takes "
            f"{users:,.0f} users{took}"
        )
    return [
        f"    power {test}: {'; '.join(said)}" for test, said in tests.items()
    ]
