"""Whether each experiment can be trusted, and what to do with it.

Pure functions of frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from experiments.assignments import Assignment
from experiments.decisions import Evidence, decided
from experiments.pairs import EXPERIMENT, METRIC, TEST
from stats.multiplicity import bonferroni

Row = dict[str, Any]


def health_rows(
    assigned: Mapping[str, Assignment],
    statistics: pd.DataFrame,
    results: pd.DataFrame,
    series: pd.DataFrame,
    alpha: float = 0.05,
) -> list[Row]:
    """Judge every experiment.

    Takes `assignments`, rows of ``fct_experiment_statistics``,
    ``experiment_results`` and ``experiment_time_series``, and the two-sided
    significance level, in (0, 1). Gives the rows of ``experiment_health`` but
    for the input version.
    """
    users = measured_users(statistics)
    return [
        _row(
            experiment,
            one,
            users=users[users[EXPERIMENT] == experiment],
            results=results[results[EXPERIMENT] == experiment],
            series=series[series[EXPERIMENT] == experiment],
            alpha=alpha,
        )
        for experiment, one in assigned.items()
    ]


def measured_users(statistics: pd.DataFrame) -> pd.DataFrame:
    """Count the users of each metric, by whether their window has closed.

    All variants together, by first assignment: ``experiment_id``,
    ``metric_name``, ``unit_count`` and ``immature_count``.
    """
    whole = statistics[
        (statistics["dimension"] == "all")
        & (statistics["policy"] == "first_assignment")
        & (statistics["outcome_version"] == "raw")
    ]
    counts = ["unit_count", "immature_count"]
    return whole.groupby([EXPERIMENT, METRIC])[counts].sum().reset_index()


def _row(
    experiment: str,
    one: Assignment,
    *,
    users: pd.DataFrame,
    results: pd.DataFrame,
    series: pd.DataFrame,
    alpha: float,
) -> Row:
    """Judge one experiment."""
    treated = one.arms[~one.arms["is_control"].astype(bool)]
    reached = treated["reached_users"].sum()
    shares = one.arms["assigned_users"] / max(one.assigned_users, 1)
    reach = one.arms["reached_users"] / one.arms["assigned_users"].clip(lower=1)
    metric, least = _pre_period(results)
    found = decided(
        one.broken,
        evidence(results, series, users),
        one.planned_users,
        alpha,
    )
    totals = users[["unit_count", "immature_count"]].sum(axis=1)
    immature = (users["immature_count"] / totals)[totals > 0]
    return {
        EXPERIMENT: experiment,
        "experiment_name": one.arms["experiment_name"].iloc[0],
        "assigned_users": one.assigned_users,
        "planned_users": one.planned_users,
        "expected_shares": _as_text(one.arms, one.arms["expected_share"]),
        "observed_shares": _as_text(one.arms, shares)
        if one.assigned_users
        else "",
        "chi_square": one.shares and one.shares.chi_square,
        "degrees_of_freedom": one.shares and one.shares.degrees_of_freedom,
        "p_value": one.shares and one.shares.p_value,
        "is_srm_alarm": one.shares and one.shares.is_alarm,
        "srm_dimension": one.group and one.group.dimension,
        "srm_dimension_value": one.group and one.group.dimension_value,
        "srm_dimension_p_value": one.group and one.group.p_value,
        "srm_first_alarm_date": one.first_alarm_date,
        "mixed_users": int(one.arms["mixed_users"].sum()),
        "mixed_rate": one.mixed_rate,
        "is_mixed_warning": one.is_mixed_warning,
        "switched_users": int(one.arms["switched_users"].sum()),
        "immature_rate": float(immature.max()) if len(immature) else None,
        # Nobody reached at all means the treatment is not delivered.
        "reached_rate": reached / treated["assigned_users"].sum()
        if reached
        else None,
        "reached_rates": _as_text(one.arms, reach) if reached else None,
        "pre_period_metric_name": metric,
        "pre_period_p_value": least,
        "decision": found.decision,
        "decision_reasons": "; ".join(found.reasons),
        "reason_code": one.broken[0] if one.broken else None,
    }


def _as_text(arms: pd.DataFrame, shares: pd.Series) -> str:
    """Write shares as text, such as ``A 0.5, B 0.5``."""
    pairs = zip(arms["variant"], shares, strict=True)
    return ", ".join(f"{variant} {share:.4g}" for variant, share in pairs)


def _pre_period(results: pd.DataFrame) -> tuple[str | None, float | None]:
    """Find the metric that differed most before, by Bonferroni over all."""
    own = results[
        (results["adjustment"] == "cuped")
        & (results["policy"] == "first_assignment")
        & (results["outcome_version"] == "raw")
        & results["covariate_p_value"].notna()
    ]
    if own.empty:
        return None, None
    adjusted = bonferroni(own["covariate_p_value"].to_numpy(float)).p_value
    place = int(np.argmin(adjusted))
    return str(own[METRIC].iloc[place]), float(adjusted[place])


def evidence(
    results: pd.DataFrame,
    series: pd.DataFrame,
    users: pd.DataFrame,
) -> dict[str, list[Evidence]]:
    """Collect what the primary metrics and guardrails say of each treatment.

    By treatment, from rows of one experiment and its `measured_users`.
    """
    measured = dict(zip(users[METRIC], users["unit_count"], strict=True))
    harms = results[results["method"] == "non_inferiority"]
    harms = harms[harms["policy"] == "first_assignment"]
    harm_of = harms.set_index([*TEST, "outcome_version"])["p_value"].to_dict()
    crossings = _crossings(series)
    found: dict[str, list[Evidence]] = {}
    heads = results[
        results["is_headline"] & results["role"].isin(["primary", "guardrail"])
    ]
    for line in heads.to_dict("records"):
        test = tuple(line[name] for name in TEST)
        sign = -1 if line["direction"] == "decrease" else 1
        estimate = line["estimate"]
        benefit = 0 if np.isnan(estimate) else int(np.sign(estimate)) * sign
        is_primary = line["role"] == "primary"
        has_margin = not is_primary and not np.isnan(line["margin"])
        crossed, has_looks = crossings.get(test, (0, False))
        harm = harm_of.get((*test, line["outcome_version"]))
        found.setdefault(str(line["treatment_variant"]), []).append(
            Evidence(
                metric_name=str(line[METRIC]),
                role=str(line["role"]),
                benefit=benefit,
                p_value=line["adjusted_p_value" if is_primary else "p_value"],
                # Without a test, harm is not ruled out.
                harm_p_value=_or_one(harm) if has_margin else None,
                crossed=crossed * sign,
                has_planned_looks=has_looks,
                units=int(measured.get(line[METRIC], 0)),
            )
        )
    return found


def _crossings(
    series: pd.DataFrame,
) -> dict[tuple[Any, ...], tuple[int, bool]]:
    """Give each test the sign at its first crossing, and whether by plan."""
    own = series[series["series"] == "cumulative_by_date"]
    found = {}
    for test, looks in own.groupby(list(TEST)):
        beyond = looks[looks["is_crossed"]].sort_values("look_date")
        sign = 0 if beyond.empty else int(np.sign(beyond["estimate"].iloc[0]))
        method = looks["method"].iloc[0]
        found[tuple(test)] = sign, method == "group_sequential"
    return found


def _or_one(p_value: float | None) -> float:
    """Read a p-value; what was not tested is not ruled out."""
    return 1.0 if p_value is None or np.isnan(p_value) else float(p_value)
