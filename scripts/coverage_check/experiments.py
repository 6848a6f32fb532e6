"""Whether tests keep their level, intervals their coverage, plans their power.

Users of a finished experiment are split anew, so that nothing differs between
the arms but what is planted; the marts' own SQL sums them up and the post-step
judges them. Shares are counted over the splits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kstest

from coverage_check.shares import ceiling_row, share_row
from coverage_check.splits import CHUNK, Splits, World
from experiments.assignments import Assignment
from experiments.pairs import paired
from experiments.results import result_frame
from experiments.segments import segment_frame
from experiments.series import series_frame
from stats.arms.allocations import share_test
from stats.designs.power import Plan, detectable_mean_effect
from stats.intervals import Floats
from stats.kinds import KINDS, METHODS

Row = dict[str, Any]

ALPHA, POWER, COVERAGE = 0.05, 0.8, 0.95
# What a design may be off, and a discrete or a skewed distribution move.
LEVEL_MARGIN, POWER_MARGIN = 0.01, 0.03
# p-values of a true null are uniform; the test of that is made once per kind.
UNIFORM_P_VALUE = 0.001
RATIO_LIFT = 0.05
SWITCHED_ON = 0.03
# Methods whose p-value is two-sided.
TWO_SIDED = METHODS | {"complier_effect"}


def coverage_rows(
    splits: Splits,
    replicates: int,
    announce: Callable[[str, int], None] = lambda *_: None,
) -> list[Row]:
    """Count how often the statements of the post-step hold.

    Splits of every world are at least 20; `announce` is told the world and the
    splits done. Rows are as those of `share_row`.

    Raises
    ------
    ValueError
        If there are too few replicates.
    """
    if replicates < 20:  # noqa: PLR2004
        raise ValueError(f"replicates must be at least 20, got {replicates}")
    metrics = splits.metrics
    planted, truths = _planted(splits, metrics)
    worlds = [World("null", {}), World("planted", planted)]
    guarded = metrics[
        (metrics["role"] == "guardrail") & (metrics["margin"] > 0)
    ]
    if len(guarded):
        margins = guarded.set_index("metric_name")["margin"]
        harmed = {
            str(metric): f"(1 - {margin}) * outcome_value"
            for metric, margin in margins.items()
        }
        worlds.append(World("margin", harmed))
    rows: list[Row] = []
    for world in worlds:
        found: dict[str, list[pd.DataFrame]] = {}
        for frames in _judged(splits, world, replicates, announce):
            for name, frame in frames.items():
                found.setdefault(name, []).append(frame)
        tables = {name: pd.concat(parts) for name, parts in found.items()}
        if world.name == "null":
            rows += _null_rows(tables, replicates)
        elif world.name == "planted":
            rows += _planted_rows(tables["results"], truths)
        else:
            rows += _margin_rows(tables["results"], world)
    return rows


def _planted(
    splits: Splits, metrics: pd.DataFrame
) -> tuple[dict[str, str], pd.DataFrame]:
    """Plant an effect in each metric; say what it is, absolute and relative.

    Means are moved by what the plan can find, and so are quantiles; shares by
    users who are switched on; ratios by their numerator.
    """
    outcomes, truths = {}, {}
    for line in metrics.to_dict("records"):
        name, kind = str(line["metric_name"]), str(line["kind"])
        step = float(
            detectable_mean_effect(
                float(line["value_variance"]),
                float(line["users"]) / 2,
                Plan(ALPHA, POWER),
            )
        )
        base = float(line["value_mean"])
        if KINDS[kind].is_share:
            outcome = (
                "greatest(outcome_value, case when hash(user_id, 'on') % 1000"
                f" < {1000 * SWITCHED_ON} then 1 else 0 end)"
            )
            effect = splits.truth(name, outcome) - base
        elif KINDS[kind].has_denominator:
            outcome = f"{1 + RATIO_LIFT} * outcome_value"
            base /= float(line["denominator_mean"])
            effect = RATIO_LIFT * base
        else:
            outcome, effect = f"outcome_value + {step!r}", step
        outcomes[name] = outcome
        relative = np.nan if KINDS[kind].has_ranks else effect / base
        truths[name] = (effect, relative)
    frame = pd.DataFrame.from_dict(
        truths, orient="index", columns=["truth", "relative_truth"]
    )
    return outcomes, frame


def _judged(
    splits: Splits,
    world: World,
    replicates: int,
    announce: Callable[[str, int], None],
) -> Iterator[dict[str, pd.DataFrame]]:
    """Judge the splits of a world, some at a time."""
    for start in range(0, replicates, CHUNK):
        stop = min(start + CHUNK, replicates)
        marts = splits.dealt(world, range(start, stop))
        pairs = paired(marts["fct_experiment_statistics"])
        found = {
            "results": result_frame(
                pairs,
                marts["fct_experiment_quantiles"],
                {},
                ALPHA,
                preferred_strata=splits.preferred_strata,
            )
        }
        if world.name == "null":
            found["segments"] = segment_frame(pairs, {}, ALPHA)
            arms = _arms(marts["fct_experiment_statistics"])
            found |= {"arms": arms, "series": _series(marts, arms)}
        announce(world.name, stop)
        yield found


def _arms(statistics: pd.DataFrame) -> pd.DataFrame:
    """Count the users of every split."""
    own = statistics[
        (statistics["dimension"] == "all")
        & (statistics["policy"] == "first_assignment")
        & (statistics["outcome_version"] == "raw")
    ].drop_duplicates(["experiment_id", "variant"])
    return own[["experiment_id", "variant", "is_control", "unit_count"]]


def _series(marts: dict[str, pd.DataFrame], arms: pd.DataFrame) -> pd.DataFrame:
    """Monitor the primary metrics of every split, as planned: day by day."""
    statistics = marts["fct_experiment_statistics"]
    primary = statistics.loc[
        statistics["role"] == "primary", ["experiment_id", "metric_name"]
    ].drop_duplicates()
    assigned = {
        str(name): Assignment(
            arms=own.assign(
                planned_users=own["unit_count"].sum(),
                look_days=1,
                assigned_users=own["unit_count"],
            )
        )
        for name, own in arms.groupby("experiment_id")
    }
    found = series_frame(
        marts["fct_experiment_looks"].merge(primary),
        pd.DataFrame(),
        metrics=primary.assign(role="primary", primary_tests=1),
        assigned=assigned,
        blocked={},
        alpha=ALPHA,
    )
    return found[found["series"] == "cumulative_by_date"]


def _is_plain_mean(kind: str) -> bool:
    return KINDS[kind].adds_up and not KINDS[kind].is_share


def _null_rows(tables: dict[str, pd.DataFrame], replicates: int) -> list[Row]:
    """Count false alarms where nothing differs."""
    rows = []
    results = tables["results"]
    own = _tested(results, TWO_SIDED)
    for keys, test in own.groupby(_names(own)):
        p_values = test["p_value"].to_numpy(float)
        rows.append(_level_row(f"false positives: {keys}", p_values))
        # Shares take few values: their p-values have steps.
        is_smooth = _is_plain_mean(test["kind"].iloc[0])
        if is_smooth and len(test) > 100:  # noqa: PLR2004
            rows.append(_uniform(f"p-values uniform: {keys}", p_values))
    segments = tables["segments"]
    own = segments[segments["adjustment"] == "none"]
    differ = own.drop_duplicates(["experiment_id", "metric_name", "dimension"])
    for keys, test in differ.groupby(_joined(differ)):
        known = test["q_p_value"].dropna().to_numpy(float)
        if known.size:
            name = f"false alarms that segments differ: {keys}"
            rows.append(_level_row(name, known))
    cells = own.assign(is_hit=own["adjusted_p_value"] < ALPHA)
    for keys, test in cells.groupby(_joined(cells)):
        hits = test.groupby("experiment_id")["is_hit"].any()
        name = f"any segment called different: {keys}"
        rows.append(ceiling_row(name, ALPHA, hits))
    series = tables["series"].assign(is_hit=tables["series"]["p_value"] < ALPHA)
    for metric, test in series.groupby("metric_name"):
        looks = test.groupby("experiment_id")
        crossed, peeked = looks["is_crossed"].any(), looks["is_hit"].any()
        name = f"any look crosses its boundary: {metric}"
        rows.append(ceiling_row(name, ALPHA, crossed))
        name = f"any look has p < 0.05, unprotected: {metric}"
        rows.append(share_row(name, ALPHA, peeked) | {"is_met": None})
    users = tables["arms"].pivot_table(
        index="experiment_id", columns="variant", values="unit_count"
    )
    p_values = np.array(
        [share_test(row, (0.5, 0.5)).p_value for row in users.to_numpy()]
    )
    rows.append(_level_row("sample ratio p < 0.05 of fair splits", p_values))
    assert len(p_values) == replicates
    return rows


def _level_row(name: str, p_values: Floats) -> Row:
    """Count how often a test of nothing finds something."""
    return share_row(name, ALPHA, p_values < ALPHA, LEVEL_MARGIN)


def _tested(results: pd.DataFrame, methods: set[str]) -> pd.DataFrame:
    """Take the tests of some methods by first assignment."""
    return results[
        (results["policy"] == "first_assignment")
        & results["method"].isin(methods)
        & results["p_value"].notna()
    ]


def _joined(rows: pd.DataFrame) -> pd.Series:
    """Name the metric of each row and how it is broken down."""
    return rows["metric_name"] + " by " + rows["dimension"]


def _names(rows: pd.DataFrame) -> pd.Series:
    """Name the test of each row."""
    names = rows["metric_name"] + ", " + rows["method"]
    for column, plain in (("adjustment", "none"), ("outcome_version", "raw")):
        names = names.where(
            rows[column] == plain, names + " " + rows[column].astype(str)
        )
    return names


def _uniform(name: str, p_values: Floats) -> Row:
    """Test whether p-values are uniform."""
    found = float(kstest(p_values, "uniform").pvalue)
    return {
        "name": name,
        "nominal": UNIFORM_P_VALUE,
        "found": found,
        "low": None,
        "high": None,
        "replicates": len(p_values),
        "is_met": found > UNIFORM_P_VALUE,
    }


def _planted_rows(results: pd.DataFrame, truths: pd.DataFrame) -> list[Row]:
    """Count how often intervals hold what was planted, and tests find it."""
    rows = []
    own = _tested(results, METHODS)
    own = own[own["outcome_version"] == "raw"].join(truths, on="metric_name")
    for keys, test in own.groupby(_names(own)):
        is_held = test["truth"].between(test["ci_low"], test["ci_high"])
        rows.append(
            share_row(f"coverage: {keys}", COVERAGE, is_held, LEVEL_MARGIN)
        )
        known = test[test["relative_ci_low"].notna()]
        if len(known) and known["relative_truth"].notna().all():
            is_held = known["relative_truth"].between(
                known["relative_ci_low"], known["relative_ci_high"]
            )
            name = f"relative coverage: {keys}"
            rows.append(share_row(name, COVERAGE, is_held, LEVEL_MARGIN))
        if (
            _is_plain_mean(test["kind"].iloc[0])
            and test["adjustment"].iloc[0] == "none"
        ):
            is_found, name = (
                test["p_value"] < ALPHA,
                f"power as planned: {keys}",
            )
            rows.append(share_row(name, POWER, is_found, POWER_MARGIN))
    return rows


def _margin_rows(results: pd.DataFrame, world: World) -> list[Row]:
    """Count how often harm as large as the margin is called harmless."""
    own = _tested(results, {"non_inferiority"})
    own = own[
        (own["outcome_version"] == "raw")
        & own["metric_name"].isin(list(world.outcomes))
    ]
    return [
        _level_row(
            f"harm at the margin passes: {keys}",
            test["p_value"].to_numpy(float),
        )
        for keys, test in own.groupby(_names(own))
    ]
