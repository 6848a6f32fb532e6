"""What each test can find, and what it would take to find less.

From the control arm alone, so it says nothing of the effect that was found:
the power to find an observed effect is its p-value once more. Pure functions
of frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from experiments.assignments import Assignment
from experiments.grids import quantile_grid, quantile_levels
from experiments.pairs import (
    CONTROL,
    EXPERIMENT,
    METRIC,
    TEST,
    arms,
    is_kind,
)
from stats.arms.quantiles import quantile_estimate
from stats.designs.boundaries import sequential_inflation
from stats.designs.power import (
    Plan,
    detectable_mean_effect,
    detectable_proportion_effect,
    mean_units,
    proportion_units,
)
from stats.intervals import MINIMUM_UNITS
from stats.kinds import KINDS

POWER = 0.8
# Relative effects, in percent, whose users and days are said.
PERCENTS = (1, 2, 5, 10)
SIZES = tuple(
    f"required_{what}_{percent}_percent"
    for what in ("users", "days")
    for percent in PERCENTS
)
DETECTABLE = (
    "detectable_effect",
    "detectable_relative_effect",
    "planned_detectable_effect",
    "planned_detectable_relative_effect",
)
LOOKS_RESOLVED = 30  # more looks cost hardly more users


class Baseline(NamedTuple):
    """What a test starts from."""

    # Of the metric.
    kind: str
    direction: str
    # Of the control arm, per user.
    mean: float
    variance: float
    # Planned shares of the two arms among all users.
    control_share: float
    treatment_share: float


def power_frame(
    headlines: pd.DataFrame,
    whole: pd.DataFrame,
    quantiles: pd.DataFrame,
    *,
    assigned: Mapping[str, Assignment],
    variance_ratios: Mapping[tuple[str, str, str], float],
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Plan every test anew, raw and adjusted.

    Takes the headline rows of ``experiment_results``, the pairs that they
    compare, row by row, the rows of ``fct_experiment_quantiles``, the
    experiments with shares, plans and arrivals, and, by experiment, metric and
    treatment, the variance that CUPED leaves; `alpha` is the two-sided
    significance level, in (0, 1). Gives the rows of ``experiment_power`` but
    for the input version; a reason is "" where there is none. Users are of all
    variants together.
    """
    control = arms(whole).control
    mean, variance = np.array(control.mean, float), np.array(control.variance)
    is_quantile = is_kind(whole, "has_ranks")
    own = whole[is_quantile]
    found = quantile_estimate(
        quantile_grid(own, quantiles, CONTROL), quantile_levels(own, quantiles)
    )
    mean[is_quantile] = found.value
    # The variance per user that leads to the quantile's standard error.
    variance[is_quantile] = (
        found.standard_error**2 * np.asarray(control.units)[is_quantile]
    )
    rows = []
    for place, line in enumerate(headlines.to_dict("records")):
        experiment = str(line[EXPERIMENT])
        plan = assigned[experiment]
        shares = plan.arms.set_index("variant")["expected_share"]
        base = Baseline(
            str(line["kind"]),
            str(line["direction"]),
            float(mean[place]),
            float(variance[place]),
            float(shares.get(line["control_variant"], np.nan)),
            float(shares.get(line["treatment_variant"], np.nan)),
        )
        is_primary = line["role"] == "primary"
        tests = int(line["family_size"]) if is_primary else 1
        known = {name: line[name] for name in (*TEST, "role", "kind")}
        key = (experiment, str(line[METRIC]), str(line["treatment_variant"]))
        designs = {"raw": 1.0}
        if key in variance_ratios:
            designs["cuped"] = variance_ratios[key]
        rows += [
            known
            | {"design": design}
            | _planned(
                base,
                line["control_units"],
                plan,
                tests=max(tests, 1),
                variance_ratio=ratio,
                alpha=alpha,
            )
            for design, ratio in designs.items()
        ]
    return pd.DataFrame(rows)


def planned_looks(plan: Assignment) -> int:
    """Give the number of looks that the plan comes to; 1 without looks."""
    planned, every = plan.planned_users, plan.look_days
    rate = plan.arrivals_per_day
    if planned is None or every is None or rate is None:
        return 1
    return int(min(max(np.ceil(planned / rate / every), 1), LOOKS_RESOLVED))


@cache
def inflation(looks: int, alpha: float) -> float:
    """Say how many more users evenly spaced looks cost.

    Examples
    --------
    >>> inflation(1, 0.05), round(inflation(5, 0.05), 3)
    (1.0, 1.063)
    """
    if looks == 1:
        return 1.0
    information = np.arange(1, looks + 1) / looks
    return sequential_inflation(information, POWER, alpha)


def _planned(
    base: Baseline,
    units: float,
    assigned: Assignment,
    *,
    tests: int,
    variance_ratio: float,
    alpha: float,
) -> dict[str, object]:
    """Plan one test by one design."""
    looks = planned_looks(assigned)
    plan = Plan(
        alpha,
        POWER,
        base.treatment_share / base.control_share,
        tests,
        variance_ratio,
        inflation(looks, alpha / tests),
    )
    row: dict[str, object] = {
        "baseline_mean": base.mean,
        "baseline_deviation": float(np.sqrt(base.variance)),
        "control_units": units,
        "planned_users": assigned.planned_users,
        "variance_ratio": variance_ratio,
        "allocation_ratio": plan.ratio,
        "primary_tests": tests,
        "look_count": looks,
        "inflation": plan.inflation,
        "arrivals_per_day": assigned.arrivals_per_day,
        **dict.fromkeys((*DETECTABLE, *SIZES)),
        "power": POWER,
        "alpha": alpha,
        "reason_code": _obstacle(base, assigned),
    }
    if row["reason_code"] not in ("", "one_assignment_day"):
        return row
    sizes = {
        "detectable": units,
        "planned_detectable": (assigned.planned_users or 0)
        * base.control_share,
    }
    for name, size in sizes.items():
        found = _detectable(base, size, plan)
        if found is not None:
            row[f"{name}_effect"] = found
            row[f"{name}_relative_effect"] = (
                found / abs(base.mean) if base.mean else None
            )
    for percent in PERCENTS:
        users = _required(base, percent / 100, plan)
        if users is None:
            continue
        row[f"required_users_{percent}_percent"] = users
        if assigned.arrivals_per_day:
            row[f"required_days_{percent}_percent"] = float(
                np.ceil(users / assigned.arrivals_per_day)
            )
    return row


def _obstacle(base: Baseline, assigned: Assignment) -> str:
    """Return the reason why there is no plan, or not all of it."""
    if not np.isfinite(base.control_share + base.treatment_share):
        return "no_single_control"
    if not np.isfinite(base.mean + base.variance):
        return "too_few_units"
    if not base.variance > 0:
        return "zero_variance"
    return "" if assigned.arrivals_per_day else "one_assignment_day"


def _detectable(base: Baseline, units: float, plan: Plan) -> float | None:
    """Give the smallest effect that is found with so many control users."""
    if not units / plan.inflation * min(1, plan.ratio) >= MINIMUM_UNITS:
        return None
    if KINDS[base.kind].is_share and 0 < base.mean < 1:
        found = detectable_proportion_effect(
            base.mean, units, plan, is_decrease=base.direction == "decrease"
        )
    else:
        found = detectable_mean_effect(base.variance, units, plan)
    return float(found) if np.isfinite(found) else None


def _required(base: Baseline, effect: float, plan: Plan) -> float | None:
    """Give the users of all variants that a relative effect needs."""
    sign = -1 if base.direction == "decrease" else 1
    moved = base.mean * (1 + sign * effect)
    if base.mean == 0:
        return None
    if KINDS[base.kind].is_share and 0 < base.mean < 1:
        if not 0 < moved < 1:
            return None
        size = proportion_units(base.mean, moved, plan)
    else:
        size = mean_units(moved - base.mean, base.variance, plan)
    # The experiment assigns to every variant while these two fill.
    return float(np.ceil(size.control / base.control_share * (1 - 1e-12)))
