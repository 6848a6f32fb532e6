"""Treatment rows beside the rows of their control, as arrays.

Every table of experiments is computed from such pairs. An arm without a row
has no users there: it counts as 0 and never vanishes. Pure functions of
frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stats.arms.comparisons import Sample
from stats.arms.moments import Moments
from stats.arms.ratio_metrics import ratio_sample
from stats.intervals import Floats
from stats.kinds import having
from stats.reasons import Reasons, combined

EXPERIMENT, METRIC = "experiment_id", "metric_name"
CONTROL, TREATMENT = "control", "treatment"
TEST = (EXPERIMENT, METRIC, "treatment_variant")
STATISTICS_KEYS = (
    EXPERIMENT,
    METRIC,
    "outcome_version",
    "policy",
    "dimension",
    "dimension_value",
)
STATISTICS_ATTRIBUTES = (
    "kind",
    "role",
    "direction",
    "margin",
    "cap",
    "cap_value",
)
# Variables of 0 and 1, of which the mart holds the share alone.
SHARES = ("history", "reached")


class Arms(NamedTuple):
    """Both arms as means per user, whatever the kind of metric."""

    # Ratios are linearised; nan where they cannot be.
    control: Sample
    treatment: Sample
    reason: Reasons  # empty, or why there is no mean


def paired(
    statistics: pd.DataFrame,
    keys: Sequence[str] = STATISTICS_KEYS,
    attributes: Sequence[str] = STATISTICS_ATTRIBUTES,
) -> pd.DataFrame:
    """Set every treatment beside its control.

    Takes rows of a mart with ``variant``, ``is_control``, ``unit_count`` and
    measures, one per key and variant; keys and attributes are columns that both
    arms share, the first key the experiment. Gives one row per key and
    treatment: keys, attributes, ``treatment_variant``, ``control_variant``
    (null unless there is exactly one), and each measure twice, after
    ``control_`` and ``treatment_``.

    Examples
    --------
    >>> rows = pd.DataFrame(
    ...     [("push", "A", True, 9, 5.0), ("push", "B", False, 8, 6.0)],
    ...     columns=["experiment_id", "variant", "is_control", "unit_count",
    ...              "value_mean"],
    ... )
    >>> paired(rows, ["experiment_id"], []).iloc[0].to_dict()
    {'experiment_id': 'push', 'treatment_variant': 'B', 'control_variant': \
'A', 'control_unit_count': 9.0, 'control_value_mean': 5.0, \
'treatment_unit_count': 8.0, 'treatment_value_mean': 6.0}
    """
    keys, attributes = list(keys), list(attributes)
    variants = statistics[[EXPERIMENT, "variant", "is_control"]]
    variants = variants.drop_duplicates()
    is_control = variants["is_control"].astype(bool)
    controls = variants[is_control].drop_duplicates(EXPERIMENT, keep=False)
    found = statistics[keys + attributes].drop_duplicates(keys)
    for role, own in (
        (TREATMENT, variants[~is_control]),
        (CONTROL, controls),
    ):
        names = own[[EXPERIMENT, "variant"]]
        found = found.merge(
            names.rename(columns={"variant": f"{role}_variant"}),
            on=EXPERIMENT,
            how="inner" if role == TREATMENT else "left",
        )
    measures = [
        str(name)
        for name in statistics.columns
        if name not in {*keys, *attributes, "variant", "is_control"}
    ]
    for role in (CONTROL, TREATMENT):
        arms = statistics[[*keys, "variant", *measures]].astype(
            dict.fromkeys(measures, float)
        )
        found = found.merge(
            arms.rename(
                columns={
                    name: f"{role}_{name}" for name in ["variant", *measures]
                }
            ),
            on=[*keys, f"{role}_variant"],
            how="left",
        )
        users = f"{role}_unit_count"
        found[users] = found[users].fillna(0.0)
    order = [*keys, "treatment_variant"]
    return found.sort_values(order, kind="stable", ignore_index=True)


def column(pairs: pd.DataFrame, role: str, name: str) -> Floats:
    """Return one measure of one arm, row by row."""
    return pairs[f"{role}_{name}"].to_numpy(float)


def is_kind(pairs: pd.DataFrame, attribute: str) -> NDArray[np.bool_]:
    """Tell which rows are of a kind with this property of `Kind`."""
    return having(pairs["kind"], attribute)


def sample(pairs: pd.DataFrame, role: str) -> Sample:
    """Return the value of one arm."""
    return Sample(
        column(pairs, role, "unit_count"),
        column(pairs, role, "value_mean"),
        column(pairs, role, "value_variance"),
    )


def moments(
    pairs: pd.DataFrame, role: str, variables: Sequence[str]
) -> Moments:
    """Arrange the means and covariances of some variables of one arm.

    Variables are such as ``("value", "covariate", "history")``, in the order in
    which the mart names their covariances.
    """
    units = column(pairs, role, "unit_count")
    size = len(variables)
    means = np.empty((len(pairs), size))
    covariances = np.empty((len(pairs), size, size))
    for i, name in enumerate(variables):
        if name in SHARES:
            share = column(pairs, role, f"{name}_rate")
            means[:, i] = share
            with np.errstate(divide="ignore", invalid="ignore"):
                spread = share * (1 - share) * units / (units - 1)
            covariances[:, i, i] = np.where(units > 1, spread, np.nan)
        else:
            means[:, i] = column(pairs, role, f"{name}_mean")
            covariances[:, i, i] = column(pairs, role, f"{name}_variance")
        for j in range(i):
            together = column(pairs, role, f"{variables[j]}_{name}_covariance")
            covariances[:, i, j] = covariances[:, j, i] = together
    return Moments(units, means, covariances)


def arms(pairs: pd.DataFrame) -> Arms:
    """Return both arms as means per user; a ratio by the delta method."""
    is_ratio = is_kind(pairs, "has_denominator")
    found, reasons = [], []
    for role in (CONTROL, TREATMENT):
        own = sample(pairs, role)
        reason: Reasons = np.full(len(pairs), "")
        if is_ratio.any():
            ratio = ratio_sample(moments(pairs, role, ("value", "denominator")))
            own = Sample(
                own.units,
                np.where(is_ratio, ratio.sample.mean, own.mean),
                np.where(is_ratio, ratio.sample.variance, own.variance),
            )
            reason = np.where(is_ratio, ratio.reason, "")
        found.append(own)
        reasons.append(reason)
    reason = combined(obstacles(pairs), combined(*reasons))
    return Arms(found[0], found[1], reason)


def obstacles(pairs: pd.DataFrame) -> Reasons:
    """Say why a pair is none: there is no control, or several."""
    return np.where(pairs["control_variant"].isna(), "no_single_control", "")
