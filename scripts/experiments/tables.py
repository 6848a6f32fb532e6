"""All tables of experiments from all their marts.

Pure functions: frames in, result rows out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from experiments.assignments import assignments
from experiments.families import FIRST_ASSIGNMENT
from experiments.grids import declared_pairs
from experiments.health import health_rows
from experiments.pairs import EXPERIMENT, METRIC, TEST, paired
from experiments.plans import power_frame
from experiments.results import result_frame
from experiments.segments import segment_frame
from experiments.series import series_frame

MARTS = (
    "dim_dimensions",
    "fct_experiment_arms",
    "fct_experiment_day_statistics",
    "fct_experiment_looks",
    "fct_experiment_quantiles",
    "fct_experiment_statistics",
)

Row = dict[str, Any]

# Counts, which a column with nulls would hold as floats.
WHOLE = (
    *("control_units", "treatment_units", "planned_units", "planned_users"),
    *("family_size", "primary_tests", "look_count"),
    *("q_degrees_of_freedom", "day_number"),
)


def experiment_tables(
    marts: Mapping[str, pd.DataFrame], alpha: float = 0.05
) -> dict[str, list[Row]]:
    """Compute every result table of experiments.

    Reads `MARTS` and gives each table's rows without ``input_version``; `alpha`
    is the two-sided significance level, in (0, 1).

    Raises
    ------
    ValueError
        Naming the experiment, if its planned shares are impossible.
    """
    statistics = marts["fct_experiment_statistics"]
    quantiles = marts["fct_experiment_quantiles"]
    assigned = assignments(marts["fct_experiment_arms"])
    blocked = {
        name: one.broken[0] for name, one in assigned.items() if one.broken
    }
    pairs = paired(statistics)
    results = result_frame(
        pairs,
        quantiles,
        blocked,
        alpha,
        preferred_strata=declared_pairs(marts["dim_dimensions"]),
    )
    heads = results[results["is_headline"]]
    series = series_frame(
        marts["fct_experiment_looks"],
        marts["fct_experiment_day_statistics"],
        metrics=_metrics(heads),
        assigned=assigned,
        blocked=blocked,
        alpha=alpha,
    )
    whole = pairs[pairs["dimension"] == "all"]
    keys = [*TEST, "outcome_version", "policy"]
    power = power_frame(
        heads,
        heads[keys].merge(whole, on=keys, how="left"),
        quantiles,
        assigned=assigned,
        variance_ratios=_variance_ratios(results),
        alpha=alpha,
    )
    names = {
        name: one.arms["experiment_name"].iloc[0]
        for name, one in assigned.items()
    }
    results.insert(1, "experiment_name", results[EXPERIMENT].map(names))
    return {
        "experiment_results": as_rows(
            results.drop(columns=["direction", "cap"])
        ),
        "experiment_health": health_rows(
            assigned, statistics, results, series, alpha
        ),
        "experiment_segments": as_rows(segment_frame(pairs, blocked, alpha)),
        "experiment_time_series": as_rows(series),
        "experiment_power": as_rows(power),
    }


def as_rows(frame: pd.DataFrame) -> list[Row]:
    """Turn a frame into rows: every kind of null and an empty reason is None.

    Examples
    --------
    >>> as_rows(pd.DataFrame({"family_size": [2.0, None], "reason_code": ""}))
    [{'family_size': 2, 'reason_code': None}, \
{'family_size': None, 'reason_code': None}]
    """
    found = frame.copy()
    for name in found:
        if str(name).endswith("_date"):
            found[name] = pd.to_datetime(found[name]).dt.date
        elif name in WHOLE:
            found[name] = found[name].astype("Int64")
        elif name == "reason_code":
            found[name] = found[name].where(found[name] != "")
    plain = found.astype(object).where(found.notna(), None)
    names = [str(name) for name in plain]
    return [
        dict(zip(names, line, strict=True))
        for line in plain.to_numpy().tolist()
    ]


def _metrics(heads: pd.DataFrame) -> pd.DataFrame:
    """Give each metric its role, and its experiment's primary tests."""
    primary = heads[heads["role"] == "primary"]
    tests = primary.groupby(EXPERIMENT).size().rename("primary_tests")
    metrics = heads[[EXPERIMENT, METRIC, "role"]].drop_duplicates()
    return metrics.join(tests, on=EXPERIMENT)


def _variance_ratios(
    results: pd.DataFrame,
) -> dict[tuple[str, str, str], float]:
    """Give the variance that CUPED left of each test's headline."""
    own = results[
        (results["adjustment"] == "cuped")
        & (results["policy"] == FIRST_ASSIGNMENT)
        & results["variance_ratio"].notna()
    ]
    # Capped rows, where there are any, come last and win.
    own = own.sort_values("outcome_version", ascending=False, kind="stable")
    return {
        (str(line[0]), str(line[1]), str(line[2])): float(line[3])
        for line in own[[*TEST, "variance_ratio"]].itertuples(index=False)
    }
