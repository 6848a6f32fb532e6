"""Effects over time: by date so far, by day since assignment, and their change.

Three named series, never one. ``cumulative_by_date`` is what was known at the
end of each date, of all users whose window had closed; it is judged at looks.
``by_day_since_assignment`` follows the same users from their first day on, and
``novelty`` tests whether that effect changes. Pure functions of frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments import methods
from experiments.assignments import Assignment
from experiments.families import blanked
from experiments.pairs import (
    EXPERIMENT,
    METRIC,
    TEST,
    column,
    is_kind,
    paired,
)
from stats.arms.novelty import Change, DailyArm, novelty
from stats.designs.boundaries import spending_boundaries
from stats.designs.monitoring import monitored, sequence_quantile
from stats.intervals import MINIMUM_UNITS, Floats, normal_quantile

# Users at which a confidence sequence without a plan is tightest. It must not
# be chosen by what is seen, so it is a constant.
UNPLANNED_USERS = 5_000
# A look needs users enough for a z-test in each arm.
MINIMUM_LOOK_UNITS = 30

LOOK_KEYS = (EXPERIMENT, METRIC, "look_date")
KEYS = (*TEST, "series", "method", "look_date", "day_number")
COMPARED = (
    *("estimate", "standard_error", "ci_low", "ci_high"),
    *("degrees_of_freedom", "p_value"),
)
NUMBERS = (
    *COMPARED,
    *("cumulative_estimate", "cumulative_standard_error"),
    *("sequential_quantile", "sequential_ci_low", "sequential_ci_high"),
)
COLUMNS = (
    *KEYS,
    *("control_variant", "role", "control_units", "treatment_units"),
    *NUMBERS,
    *("information_fraction", "planned_units"),
    *("spent_alpha", "sequential_alpha"),
    *("is_crossed", "first_crossing_date", "reason_code"),
)


class Schedule(NamedTuple):
    """When the looks of one metric test, and how wide their intervals are."""

    # (n_dates,): nan on a date that is no look.
    information: Floats
    spent_alpha: Floats
    quantile: Floats


def series_frame(
    looks: pd.DataFrame,
    days: pd.DataFrame,
    *,
    metrics: pd.DataFrame,
    assigned: Mapping[str, Assignment],
    blocked: Mapping[str, str],
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Follow every effect over time.

    Takes rows of ``fct_experiment_looks`` and
    ``fct_experiment_day_statistics``, metrics with ``experiment_id``,
    ``metric_name``, ``role`` and ``primary_tests``, experiments with their
    plans, and broken experiments with the reason. `alpha` is the two-sided
    significance level, in (0, 1); at looks, primary tests share it equally,
    every other metric is monitored at it. Gives the rows of
    ``experiment_time_series`` but for the input version; a reason is "" where
    there is none.
    """
    parts = [_by_date(looks, metrics, assigned, alpha)]
    if len(days):
        parts.append(_by_day(days, metrics, alpha))
    found = pd.concat(
        [part.reindex(columns=list(COLUMNS)) for part in parts if len(part)]
        or [pd.DataFrame(columns=list(COLUMNS))],
        ignore_index=True,
    )
    found = blanked(found, NUMBERS, blocked)
    is_blocked = found[EXPERIMENT].isin(list(blocked))
    found["is_crossed"] = found["is_crossed"].eq(True) & ~is_blocked
    found.loc[is_blocked, "first_crossing_date"] = pd.NaT
    found["alpha"] = alpha
    return found.sort_values(list(KEYS), kind="stable", ignore_index=True)


def scheduled(
    units: Floats,
    plan: Assignment,
    alpha: float,
) -> Schedule:
    """Set the looks of one metric on its dates.

    With a planned size and days between looks, looks are group-sequential:
    every so many days from the first date with a measured user on, until the
    planned users are measured. Otherwise every date is a look of a confidence
    sequence.

    The units, of shape (n_dates,), are users of all variants whose window has
    closed; `alpha` is the level of all looks together, in (0, 1).
    """
    planned, every = plan.planned_users, plan.look_days
    enough = units >= 2 * MINIMUM_LOOK_UNITS
    information = units / (planned or UNPLANNED_USERS)
    if planned is None or every is None:
        quantile = np.full(units.shape, np.nan)
        if enough.any():
            quantile[enough] = sequence_quantile(
                units[enough], planned or UNPLANNED_USERS, alpha
            )
        return Schedule(information, np.full(units.shape, np.nan), quantile)
    is_due = (np.arange(units.size) + 1) % every == 0
    is_full = information >= 1
    is_due |= is_full & (np.cumsum(is_full) == 1)
    # The look that reaches the plan is the last one.
    is_due &= np.cumsum(is_full) <= 1
    places = np.flatnonzero(is_due & enough)
    rises = np.diff(units[places], prepend=0.0) > 0
    places = places[rises]
    spent, quantile = (np.full(units.shape, np.nan) for _ in range(2))
    if places.size:
        times = np.minimum(information[places], 1.0)
        found = spending_boundaries(times, alpha)
        spent[places] = found.spent_alpha
        quantile[places] = found.quantile
    return Schedule(information, spent, quantile)


def _by_date(
    looks: pd.DataFrame,
    metrics: pd.DataFrame,
    assigned: Mapping[str, Assignment],
    alpha: float,
) -> pd.DataFrame:
    """Judge what was known at the end of each date."""
    # Their looks are of the mean, which such a metric is not about.
    looks = looks[~is_kind(looks, "has_ranks")]
    pairs = paired(looks, LOOK_KEYS, ("kind",))
    totals = looks.groupby(list(LOOK_KEYS))["unit_count"].sum().rename("users")
    pairs = pairs.join(totals, on=list(LOOK_KEYS)).merge(
        metrics, on=[EXPERIMENT, METRIC], how="left"
    )
    numbers = methods.effects(pairs, alpha)
    found = pairs[
        [*LOOK_KEYS, "treatment_variant", "control_variant", "role"]
    ].assign(
        series="cumulative_by_date",
        control_units=column(pairs, "control", "unit_count"),
        treatment_units=column(pairs, "treatment", "unit_count"),
    )
    for name in (*COMPARED, "reason_code"):
        found[name] = numbers[name]
    is_primary = pairs["role"] == "primary"
    tests = pairs["primary_tests"].where(is_primary).fillna(1.0)
    found["sequential_alpha"] = alpha / tests
    # Absent for an experiment that nobody was assigned to.
    plans = {name: one for name, one in assigned.items() if not one.arms.empty}
    parts = [
        _monitored(own, pairs.loc[own.index, "users"], plans[str(key[0])])
        for key, own in found.groupby(list(TEST))
        if str(key[0]) in plans
    ]
    return pd.concat(parts) if parts else found[:0]


def _monitored(
    own: pd.DataFrame, users: pd.Series, plan: Assignment
) -> pd.DataFrame:
    """Judge the looks of one effect, in order of date."""
    own = own.sort_values("look_date").copy()
    level = float(own["sequential_alpha"].iloc[0])
    when = scheduled(users.loc[own.index].to_numpy(float), plan, level)
    is_planned = plan.planned_users is not None and plan.look_days is not None
    own["method"] = "group_sequential" if is_planned else "confidence_sequence"
    own["information_fraction"] = when.information
    own["planned_units"] = float(plan.planned_users or UNPLANNED_USERS)
    own["spent_alpha"] = when.spent_alpha
    own["sequential_quantile"] = when.quantile
    least = own[["control_units", "treatment_units"]].min(axis=1)
    is_look = (
        np.isfinite(when.quantile)
        & (own["standard_error"] > 0).to_numpy()
        & (least >= MINIMUM_UNITS).to_numpy()
    )
    own["is_crossed"] = False
    if is_look.any():
        judged = monitored(
            own.loc[is_look, "estimate"],
            own.loc[is_look, "standard_error"],
            when.quantile[is_look],
        )
        own.loc[is_look, "sequential_ci_low"] = judged.ci_low
        own.loc[is_look, "sequential_ci_high"] = judged.ci_high
        own.loc[is_look, "is_crossed"] = judged.is_crossed
    first = own.loc[own["is_crossed"], "look_date"].min()
    own["first_crossing_date"] = first
    own.loc[~(own["look_date"] >= first), "first_crossing_date"] = pd.NaT
    own["sequential_quantile"] = own["sequential_quantile"].replace(
        np.inf, np.nan
    )
    return own


def _by_day(
    days: pd.DataFrame, metrics: pd.DataFrame, alpha: float
) -> pd.DataFrame:
    """Follow the same users from their first day on."""
    rows: list[dict[str, object]] = []
    variants = days[[*TEST[:2], "variant", "is_control"]].drop_duplicates()
    is_control = variants["is_control"].astype(bool)
    controls = variants[is_control].drop_duplicates(TEST[:2], keep=False)
    tests = variants[~is_control].merge(
        controls[[*TEST[:2], "variant"]],
        on=list(TEST[:2]),
        suffixes=("", "_of_control"),
    )
    by_arm = dict(iter(days.groupby([*TEST[:2], "variant"])))
    for test in tests.itertuples(index=False):
        experiment, metric, variant, _, control = test
        numbers, before = _daily(by_arm[experiment, metric, control])
        own_numbers, after = _daily(by_arm[experiment, metric, variant])
        if not np.array_equal(numbers, own_numbers):
            continue
        known = {
            EXPERIMENT: experiment,
            METRIC: metric,
            "treatment_variant": variant,
            "control_variant": control,
            "control_units": float(np.min(before.units)),
            "treatment_units": float(np.min(after.units)),
        }
        rows += [known | row for row in _changes(before, after, numbers, alpha)]
    found = pd.DataFrame(rows, columns=None if rows else list(TEST[:2]))
    return found.merge(
        metrics[[*TEST[:2], "role"]], on=list(TEST[:2]), how="left"
    )


def _daily(rows: pd.DataFrame) -> tuple[NDArray[np.int64], DailyArm]:
    """Arrange the days of one arm: numbers, users, means, covariances."""
    numbers, i = np.unique(rows["day_number"], return_inverse=True)
    j = np.searchsorted(numbers, rows["other_day_number"])
    covariance = np.full((numbers.size, numbers.size), np.nan)
    covariance[i, j] = covariance[j, i] = rows["covariance"].to_numpy(float)
    own = rows[i == j].sort_values("day_number")
    arm = DailyArm(
        own["unit_count"].to_numpy(float),
        own["value_mean"].to_numpy(float),
        covariance,
    )
    return numbers.astype(np.int64), arm


def _changes(
    control: DailyArm,
    treatment: DailyArm,
    numbers: NDArray[np.int64],
    alpha: float,
) -> list[dict[str, object]]:
    """Give the effect on every day, and the two tests of its change."""
    found = novelty(control, treatment, numbers, alpha=alpha)
    reach = normal_quantile(alpha) * found.standard_error
    rows: list[dict[str, object]] = [
        {
            "series": "by_day_since_assignment",
            "method": "z_test",
            "day_number": float(number),
            "estimate": found.effect[day],
            "standard_error": found.standard_error[day],
            "ci_low": found.effect[day] - reach[day],
            "ci_high": found.effect[day] + reach[day],
            "p_value": found.p_value[day],
            "cumulative_estimate": found.cumulative_effect[day],
            "cumulative_standard_error": found.cumulative_error[day],
            "reason_code": reason,
        }
        for day, (number, reason) in enumerate(
            zip(numbers.tolist(), found.reasons, strict=True)
        )
    ]
    return [
        *rows,
        _tested("trend", found.trend),
        _tested("contrast", found.contrast),
    ]


def _tested(method: str, change: Change) -> dict[str, object]:
    """Write one test of a change as a row."""
    is_tested = np.isfinite(change.estimate)
    return {
        "series": "novelty",
        "method": method,
        **change._asdict(),
        "reason_code": "" if is_tested else "too_few_days",
    }
