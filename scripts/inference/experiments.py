"""Readout of experiments: sufficient statistics in, result rows out.

Every comparison is by assignment. What cannot be computed carries a reason
code instead of a number. Pure functions of frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from inference.allocations import share_test
from inference.comparisons import (
    Counts,
    Sample,
    proportion_difference,
    welch_difference,
)
from inference.intervals import MINIMUM_UNITS, mean_interval, wilson_interval
from inference.ratios import relative_difference

Row = dict[str, Any]

METHODS = {
    "mean": ("welch_t",),
    "proportion": ("two_proportion_z", "welch_t"),
}
COMPARED = (
    "estimate",
    "standard_error",
    "ci_low",
    "ci_high",
    "statistic",
    "degrees_of_freedom",
    "p_value",
    "relative_estimate",
    "relative_ci_low",
    "relative_ci_high",
)

BOUNDS = ("ci_low", "ci_high")


@dataclass(frozen=True)
class Arm:
    """One variant of one metric."""

    variant: str
    kind: str
    role: str
    units: int
    mean: float
    variance: float

    @property
    def successes(self) -> int | None:
        """Users with the outcome; None when the mean is no proportion."""
        total = self.mean * self.units
        whole = round(total)
        is_whole = abs(total - whole) <= 1e-6 + 1e-12 * abs(total)
        return whole if is_whole and 0 <= whole <= self.units else None


def health_rows(arms: pd.DataFrame, statistics: pd.DataFrame) -> list[Row]:
    """Judge whether each experiment may be read.

    Parameters
    ----------
    arms : DataFrame
        Rows of ``fct_experiment_arms``.
    statistics : DataFrame
        Rows of ``fct_experiment_statistics``.

    Returns
    -------
    list of dict
        Rows of ``experiment_health``.

    Raises
    ------
    ValueError
        If planned shares are not positive or do not sum to 1.
    """
    rows = []
    for (experiment, name), own in arms.groupby(
        ["experiment_id", "experiment_name"]
    ):
        users, shares = own["assigned_users"], own["expected_share"]
        assigned, mixed = int(users.sum()), int(own["mixed_users"].sum())
        treated = own[~own["is_control"].astype(bool)]
        reached = treated["reached_users"].sum()
        row: Row = {
            "experiment_id": experiment,
            "experiment_name": name,
            "assigned_users": assigned,
            "expected_shares": _as_text(own["variant"], shares),
            "observed_shares": _as_text(own["variant"], users / assigned)
            if assigned
            else "",
            "chi_square": None,
            "degrees_of_freedom": None,
            "p_value": None,
            "is_srm_alarm": None,
            "mixed_users": mixed,
            "mixed_rate": mixed / assigned if assigned else None,
            "immature_rate": _immature_rate(
                statistics[statistics["experiment_id"] == experiment]
            ),
            # Nobody reached at all means the treatment is not delivered.
            "reached_rate": reached / treated["assigned_users"].sum()
            if reached
            else None,
            "decision": "blocked",
            "reason_code": None,
        }
        if not assigned:
            row["reason_code"] = "no_units"
        elif len(own) == 1:
            row["reason_code"] = "one_variant"
        else:
            try:
                test = share_test(users, shares)
            except ValueError as error:
                raise ValueError(
                    f"experiment {experiment}: {error}; correct expected_share "
                    "in experiments.csv"
                ) from None
            row |= {
                "chi_square": test.chi_square,
                "degrees_of_freedom": test.degrees_of_freedom,
                "p_value": test.p_value,
                "is_srm_alarm": test.is_alarm,
            }
            if test.is_alarm:
                row["reason_code"] = "sample_ratio_mismatch"
            else:
                row["decision"] = "readable"
        rows.append(row)
    return rows


def result_rows(
    statistics: pd.DataFrame, health: list[Row], alpha: float = 0.05
) -> list[Row]:
    """Compare every treatment with its control, metric by metric.

    A blocked experiment shows its arms and no comparison.

    Parameters
    ----------
    statistics : DataFrame
        Rows of ``fct_experiment_statistics``.
    health : list of dict
        Rows of ``experiment_health``.
    alpha : float, default 0.05
        Two-sided significance level, in (0, 1).

    Returns
    -------
    list of dict
        Rows of ``experiment_results``, without ``input_version``.
    """
    checked = {row["experiment_id"]: row for row in health}
    rows = []
    for (experiment, metric), own in statistics.groupby(
        ["experiment_id", "metric_name"]
    ):
        is_control = own["is_control"].astype(bool)
        controls = _arms(own[is_control])
        control = controls[0] if len(controls) == 1 else None
        judged = checked.get(experiment, {})
        for arm in _arms(own[~is_control]):
            for method in METHODS.get(arm.kind, ("welch_t",)):
                reason = _obstacle(control, arm, method)
                row: Row = {
                    "experiment_id": experiment,
                    "experiment_name": judged.get(
                        "experiment_name", experiment
                    ),
                    "metric_name": metric,
                    "kind": arm.kind,
                    "role": arm.role,
                    "control_variant": control and control.variant,
                    "treatment_variant": arm.variant,
                    "method": method,
                    **_described("control", control, alpha),
                    **_described("treatment", arm, alpha),
                    **dict.fromkeys(COMPARED),
                    "alpha": alpha,
                    "causal_grade": "A",
                    "reason_code": reason or judged.get("reason_code"),
                }
                if control is not None and row["reason_code"] is None:
                    row |= _compared(control, arm, method, alpha)
                rows.append(row)
    return rows


def _arms(statistics: pd.DataFrame) -> list[Arm]:
    """Return one arm per row."""
    columns = (
        "variant",
        "kind",
        "role",
        "unit_count",
        "value_mean",
        "value_variance",
    )
    return [
        Arm(*values)
        for values in zip(
            *(statistics[name].tolist() for name in columns), strict=True
        )
    ]


def _as_text(variants: pd.Series, shares: pd.Series) -> str:
    """Write shares as text, such as ``A 0.5, B 0.5``."""
    pairs = zip(variants, shares, strict=True)
    return ", ".join(f"{variant} {share:.4g}" for variant, share in pairs)


def _immature_rate(statistics: pd.DataFrame) -> float | None:
    """Return the largest share of users whose window is still open."""
    sums = statistics.groupby("metric_name")[
        ["unit_count", "immature_count"]
    ].sum()
    totals = sums.sum(axis=1)
    rates = (sums["immature_count"] / totals)[totals > 0]
    return float(rates.max()) if len(rates) else None


def _described(role: str, arm: Arm | None, alpha: float) -> Row:
    """Describe one arm: units, mean, and the mean's interval."""
    row = dict.fromkeys([f"{role}_{name}" for name in ("mean", *BOUNDS)])
    if arm is None or not arm.units:
        return {f"{role}_units": 0, **row}
    bounds = None
    if arm.kind == "proportion" and arm.successes is not None:
        bounds = wilson_interval([arm.successes], [arm.units], alpha)
    elif arm.kind == "mean" and arm.units >= MINIMUM_UNITS:
        bounds = mean_interval([arm.units], [arm.mean], [arm.variance], alpha)
    low, high = (None, None) if bounds is None else bounds[0]
    values = (arm.units, arm.mean, low, high)
    names = ("units", "mean", *BOUNDS)
    return {f"{role}_{n}": v for n, v in zip(names, values, strict=True)}


def _obstacle(control: Arm | None, arm: Arm, method: str) -> str | None:
    """Return the reason why this comparison has no number, if any."""
    reason = None
    if arm.kind not in METHODS:
        reason = "unsupported_kind"
    elif control is None:
        reason = "no_single_control"
    elif not (control.units and arm.units):
        reason = "empty_arm"
    elif method == "two_proportion_z":
        if control.successes is None or arm.successes is None:
            reason = "not_a_proportion"
        elif control.mean == arm.mean and arm.mean in (0, 1):
            reason = "zero_variance"
    elif min(control.units, arm.units) < MINIMUM_UNITS:
        reason = "too_few_units"
    elif not control.variance + arm.variance > 0:
        reason = "zero_variance"
    return reason


def _compared(control: Arm, arm: Arm, method: str, alpha: float) -> Row:
    """Compare two arms that nothing stands against."""
    if method == "two_proportion_z":
        found = proportion_difference(
            Counts(control.successes or 0, control.units),
            Counts(arm.successes or 0, arm.units),
            alpha,
        )
        # The z-test's variance of a proportion has the divisor n.
        before, after = (
            Sample(one.units, one.mean, one.mean * (1 - one.mean))
            for one in (control, arm)
        )
    else:
        before, after = (
            Sample(one.units, one.mean, one.variance) for one in (control, arm)
        )
        found = welch_difference(before, after, alpha)
    relative = relative_difference(before, after, found.quantile)
    reason = None
    if np.isnan(relative.estimate):
        reason = "relative_zero_baseline"
    elif np.isnan(relative.ci_low):
        reason = "relative_unbounded"
    degrees = float(found.degrees_of_freedom)
    return {
        "estimate": float(found.estimate),
        "standard_error": float(found.standard_error),
        "ci_low": float(found.ci_low),
        "ci_high": float(found.ci_high),
        "statistic": float(found.statistic),
        "degrees_of_freedom": degrees if np.isfinite(degrees) else None,
        "p_value": float(found.p_value),
        "relative_estimate": float(relative.estimate),
        "relative_ci_low": float(relative.ci_low),
        "relative_ci_high": float(relative.ci_high),
        "reason_code": reason,
    }
