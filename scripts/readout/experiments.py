"""Experiments as text."""

from __future__ import annotations

from collections.abc import Sequence

from readout.text import Row, aligned, p_value_text, shown, span


def experiments(rows: Sequence[Row], health: Sequence[Row]) -> str:
    """Write whether experiments may be read, and what they found."""
    if not health:
        return "Experiments: none in this log."
    lines = ["Experiments, treatment against control by assignment"]
    for row in health:
        state = row["decision"]
        if row["reason_code"]:
            state = f"BLOCKED ({row['reason_code']})"
        lines.append(
            f"  {row['experiment_name']}: {state}; "
            f"{row['assigned_users']:,} users, shares "
            f"{row['observed_shares'] or '-'}, sample-ratio p "
            f"{p_value_text(row['p_value'])}, mixed {row['mixed_users']:,}"
        )
    cells = []
    for row in rows:
        is_rate = row["kind"] == "proportion"
        unit, gap = ("rate", "rate difference") if is_rate else ("", "")
        cells.append(
            [
                f"{row['metric_name']} {row['treatment_variant']}",
                row["method"],
                shown(row["control_mean"], unit),
                shown(row["treatment_mean"], unit),
                shown(row["estimate"], gap),
                span(row["ci_low"], row["ci_high"], gap),
                p_value_text(row["p_value"]),
                span(row["relative_ci_low"], row["relative_ci_high"], "rate"),
                row["reason_code"] or "",
            ]
        )
    header = (
        "",
        "method",
        "control",
        "treatment",
        "estimate",
        "interval",
        "p",
        "relative",
        "reason",
    )
    if cells:
        lines.append(aligned(header, cells))
    return "\n".join(lines)
