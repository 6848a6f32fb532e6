"""Scenarios of this warehouse: effects and bases found, terms assumed.

Pure functions: result rows and frames in, result rows out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from inference.assumptions import Assumption
from inference.distributions import Term, estimated
from inference.scenarios import SCENARIOS, Outlook, delta_error, outlook

Row = Mapping[str, Any]

TARGET_ROI = 1.0  # one euro back per euro spent


class Effect(NamedTuple):
    """Where a scenario's effect comes from.

    Attributes
    ----------
    version : str
        naive, causal or randomised.
    name : str
        Names the effect's stream of draws.
    table : str
        ``diversity_effects`` or ``experiment_results``.
    keys : dict of str to str
        Columns and values that pick the row there.
    """

    version: str
    name: str
    table: str
    keys: dict[str, str]


class Projection(NamedTuple):
    """One row of ``scenario_results``, and what was measured of its error.

    Attributes
    ----------
    row : dict
        Without ``input_version``.
    measured_error : float or None
        Standard error from the effect alone, all assumed terms as stated
        [row's unit].
    """

    row: dict[str, Any]
    measured_error: float | None


# The rows of `experiment_results` that quote what was measured, as it was.
UNADJUSTED = {
    "outcome_version": "raw",
    "policy": "first_exposure",
    "adjustment": "none",
}
EFFECTS = {
    "explorers": [
        Effect(
            version,
            f"diversity.{estimand}",
            "diversity_effects",
            {"estimand": estimand},
        )
        for version, estimand in (
            ("naive", "naive_difference"),
            ("causal", "stratified_atu"),
        )
    ],
    "push_rollout": [
        Effect(
            "randomised",
            "push_reminders.sessions_per_user",
            "experiment_results",
            {
                "experiment_id": "push_reminders",
                "metric_name": "sessions_per_user",
                "method": "welch_t",
                **UNADJUSTED,
            },
        )
    ],
    "engineer_roi": [
        Effect(
            "randomised",
            "onboarding_personalisation.d1_retention",
            "experiment_results",
            {
                "experiment_id": "onboarding_personalisation",
                "metric_name": "d1_retention",
                "method": "two_proportion_z",
                **UNADJUSTED,
            },
        )
    ],
}


def pick(rows: Sequence[Row], keys: Mapping[str, str]) -> Row | None:
    """Return the first row with these values, or None."""
    for row in rows:
        if all(row[name] == value for name, value in keys.items()):
            return row
    return None


def projections(
    assumed: Mapping[str, Mapping[str, Assumption]],
    results: Mapping[str, Sequence[Row]],
    baselines: pd.DataFrame,
    draw_count: int,
    seed: int,
) -> list[Projection]:
    """Project every scenario that has assumptions.

    Parameters
    ----------
    assumed : mapping of str to mapping of str to Assumption
        Scenario to term to assumption.
    results : mapping of str to sequence of mapping
        ``diversity_effects`` and ``experiment_results``.
    baselines : DataFrame
        Rows of ``fct_scenario_baselines``.
    draw_count, seed : int
        Monte Carlo draws and their seed.

    Returns
    -------
    list of Projection
        Scenario by scenario; an outcome without an effect or a base carries a
        reason code.

    Raises
    ------
    ValueError
        If there are too few draws, or a divisor may reach 0.
    """
    known = baselines.dropna(subset=["value"])
    values = dict(
        zip(
            known["baseline_name"].tolist(),
            known["value"].tolist(),
            strict=True,
        )
    )
    found = []
    for scenario, assumptions in assumed.items():
        for effect in EFFECTS[scenario]:
            source = pick(results[effect.table], effect.keys)
            found += _outcomes(
                scenario,
                effect,
                source,
                assumptions=assumptions,
                baselines=values,
                draw_count=draw_count,
                seed=seed,
            )
    return found


def _outcomes(
    scenario: str,
    effect: Effect,
    source: Row | None,
    *,
    assumptions: Mapping[str, Assumption],
    baselines: Mapping[str, float],
    draw_count: int,
    seed: int,
) -> list[Projection]:
    """Project every outcome of one scenario with one effect."""
    terms = {name: one.term for name, one in assumptions.items()}
    users = _users(scenario, terms, baselines)
    reason = None
    if source is None:
        reason = "no_effect"
    elif source["estimate"] is None:
        reason = source["reason_code"]
    elif users is None:
        reason = "no_base"
    elif not source["standard_error"] > 0:
        reason = "zero_variance"
    grades = [one.causal_grade for one in assumptions.values()]
    if source is not None:
        grades.append(source["causal_grade"])
    found = []
    for outcome in SCENARIOS[scenario]:
        row: dict[str, Any] = {
            "scenario_name": scenario,
            "version": effect.version,
            "outcome": outcome.name,
            "unit": outcome.unit,
            **_base(scenario, outcome.unit, users, source, baselines),
            **dict.fromkeys(Outlook._fields[:-1]),
            "probability_target": None,
            "draw_count": draw_count,
            "draw_seed": seed,
            "causal_grade": max(grades, default=None),
            "reason_code": reason,
        }
        measured_error = None
        if source is not None and users is not None and reason is None:
            measured = {
                "effect": estimated(
                    effect.name, source["estimate"], source["standard_error"]
                )
            }
            known = {"base_users": Term("base_users", users)}
            summary = outlook(
                outcome.equation, terms | known | measured, draw_count, seed
            )._asdict()
            draws = summary.pop("draws")
            row |= summary
            if outcome.name == "roi":
                row["probability_target"] = float((draws > TARGET_ROI).mean())
            stated = {name: Term(name, t.value) for name, t in terms.items()}
            measured_error = delta_error(
                outcome.equation, stated | known | measured
            )
        found.append(Projection(row, measured_error))
    return found


def _users(
    scenario: str, terms: Mapping[str, Term], baselines: Mapping[str, float]
) -> float | None:
    """Return the users whom the scenario is about."""
    if scenario == "push_rollout":
        return terms["population_users"].value
    if scenario == "engineer_roi":
        return terms["new_users_per_year"].value
    return baselines.get("low_explorers")


def _base(
    scenario: str,
    unit: str,
    users: float | None,
    source: Row | None,
    baselines: Mapping[str, float],
) -> dict[str, Any]:
    """Name the population and the baseline that the outcome refers to."""
    if users is None:
        return {"base_description": "no base", "base_value": None}
    control = None if source is None else source.get("control_mean")
    value: float | None = users
    if scenario == "push_rollout":
        text = f"{users:,.0f} users (assumed)"
        if control is not None:
            text += f" at {control:.1f} sessions per user and week in control"
            value = users * control
    elif scenario == "engineer_roi":
        text = f"{users:,.0f} new users per year (assumed)"
        if control is not None:
            text += f" at a D1 retention of {100 * control:.1f} % in control"
    else:
        text = (
            f"{users:,.0f} new users under four genres whose day 7 is observed"
        )
        rate = baselines.get("d7_rate_low_explorers")
        if rate is not None:
            text += f", at a D7 retention of {100 * rate:.1f} %"
            value = rate if unit == "rate difference" else users
        if source is not None and source["strata_used"]:
            text += f"; effect found on {source['other_units']:,} of them"
    return {"base_description": text, "base_value": value}
