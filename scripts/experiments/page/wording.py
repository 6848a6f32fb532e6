"""Names of tests and scales of their numbers, the same all over the section.

Pure functions: rows of results in, text out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from math import ceil, log10

from display.formats import (
    MISSING,
    MOST_DECIMALS,
    NO_BREAK,
    Scale,
    fit_scale,
    p_value,
    percent,
    place,
    sentence,
    words,
)
from display.parts import Cell, Row
from stats.kinds import KINDS

# What decides comes first.
ROLES = ["primary", "secondary", "guardrail"]
METHODS = {
    "welch_t": "Welch's t-test",
    "two_proportion_z": "two-proportion z-test",
    "ratio_delta": "Welch's t-test, ratio by the delta method",
    "quantile_outer": "z-test of a quantile",
}
ADJUSTMENTS = {
    "none": "unadjusted",
    "cuped": "CUPED",
    "post_stratified": "post-stratified",
}
POLICIES = {
    "first_assignment": "by first variant",
    "exclude_mixed": "left out",
    "drop_mismatch": "left out if the last differs",
}
# What makes two rows speak of the same test.
TEST = ("metric_name", "treatment_variant", "outcome_version", "policy")

Key = tuple[str, ...]
Naming = Callable[[Row], str]


def key(row: Row, names: Iterable[str] = TEST) -> Key:
    """Name what a row speaks of."""
    return tuple(str(row[name]) for name in names)


def by_role(rows: Iterable[Row]) -> list[Row]:
    """Order rows by role, metric and treatment."""
    return sorted(
        rows,
        key=lambda row: (
            place(row["role"], ROLES),
            row["metric_name"],
            row["treatment_variant"],
        ),
    )


def metric(row: Row, *, of_many: bool = False) -> str:
    """Name a metric, and its treatment where there are several.

    Examples
    --------
    >>> row = {"metric_name": "d3_return", "treatment_variant": "B"}
    >>> metric(row), metric(row, of_many=True)
    ('D3 return', 'D3 return in B')
    """
    name = sentence(row["metric_name"])
    return f"{name} in {row['treatment_variant']}" if of_many else name


def within(name: str) -> str:
    """Write a name inside a sentence.

    Examples
    --------
    >>> within("Sessions per user"), within("D1 retention")
    ('sessions per user', 'D1 retention')
    """
    is_word = name[1:2].islower() or name[1:2] == " "
    return name[:1].lower() + name[1:] if is_word else name


def naming(rows: Iterable[Row]) -> Naming:
    """Name the metrics of rows, with treatments only where there are several.

    Examples
    --------
    >>> rows = [
    ...     {"metric_name": "d3_return", "treatment_variant": name}
    ...     for name in ("B", "C")
    ... ]
    >>> naming(rows)(rows[0]), naming(rows[:1])(rows[0])
    ('D3 return in B', 'D3 return')
    """
    of_many = len({row["treatment_variant"] for row in rows}) > 1
    return partial(metric, of_many=of_many)


def difference_axis(name: str, kind: str | None) -> str:
    """Name the axis of an effect in the metric's unit.

    Examples
    --------
    >>> difference_axis("D1 retention", "proportion")
    'Difference in D1 retention, points'
    """
    unit = KINDS[kind].difference_unit if kind else ""
    return ", ".join((f"Difference in {within(name)}", *filter(None, [unit])))


def change_scale(kind: str | None, *values: float | None) -> Scale:
    """Choose how differences of a metric are written.

    The range of the values is seen to two digits. A metric of unknown kind is
    written as a plain number.

    Examples
    --------
    >>> change_scale("mean", 0.09, -0.016, 0.2).text(0.09)
    '+0.09'
    """
    unit = (KINDS[kind].difference_unit if kind else "") or "z"
    scale = replace(fit_scale(unit, *values), is_signed=True)
    known = [value for value in values if value is not None]
    width = (max(known) - min(known)) * scale.factor if known else 0.0
    if not width:
        return scale
    wanted = min(MOST_DECIMALS, ceil(1 - log10(width)))
    return replace(scale, decimals=max(scale.decimals, wanted))


def whole_percent(value: float) -> str:
    """Write a round fraction in percent.

    Examples
    --------
    >>> whole_percent(0.95).replace(NO_BREAK, " ")
    '95 %'
    """
    return percent(value).replace(".0", "")


def mean_scales(row: Row) -> tuple[Scale, Scale]:
    """Choose how arm means and their difference are written."""
    scale = effect_scale(row["kind"], row)
    if KINDS[row["kind"]].is_share:
        rate = fit_scale("rate", row["control_mean"])
        return replace(rate, decimals=scale.decimals), scale
    around = ("control_mean", "control_ci_low", "control_ci_high")
    means = fit_scale("z", *(row[name] for name in around))
    decimals = max(means.decimals, scale.decimals)
    means = replace(means, decimals=decimals)
    return means, replace(means, is_signed=True)


def effect_scale(kind: str | None, row: Row) -> Scale:
    """Choose how one effect and its interval are written."""
    return change_scale(kind, row["estimate"], row["ci_low"], row["ci_high"])


def change_cell(row: Row, scale: Scale) -> Cell:
    """Write an effect in the metric's unit over its interval."""
    if row["estimate"] is None:
        return Cell(MISSING, words(row["reason_code"] or ""))
    return Cell(
        scale.text(row["estimate"]),
        scale.span(row["ci_low"], row["ci_high"]),
    )


def relative_cell(row: Row) -> Cell:
    """Write an effect relative to the control mean over its interval."""
    value, low, high = (
        row[f"relative_{name}"] for name in ("estimate", "ci_low", "ci_high")
    )
    scale = replace(fit_scale("rate", value, low, high), is_signed=True)
    return Cell(scale.text(value), scale.span(low, high))


def relative_mark(row: Row, name: str, series: str, of: str) -> Row:
    """Draw a relative effect of a metric; `of` tells it from the others."""
    told = relative_cell(row)
    return {
        "category": name,
        "series": series,
        "value": row["relative_estimate"],
        "low": row["relative_ci_low"],
        "high": row["relative_ci_high"],
        "short": told.text,
        "label": f"{name}{of}: {told.text} ({told.note})",
    }


def compared(value: float | None) -> str:
    """Write a p-value with its relation.

    Examples
    --------
    >>> compared(0.0312).replace(NO_BREAK, " "), compared(None)
    ('p = 0.031', 'no p-value')
    """
    if value is None:
        return "no p-value"
    text = p_value(value)
    return f"p{NO_BREAK}" + (text if text[0] in "<>" else f"={NO_BREAK}{text}")


def is_beyond_zero(low: float | None, high: float | None) -> bool:
    """Tell whether an interval is known and leaves zero out."""
    return low is not None and high is not None and (low > 0 or high < 0)
