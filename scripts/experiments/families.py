"""Which row speaks for a test, and which tests are judged together.

Pure functions of frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from experiments.pairs import EXPERIMENT
from stats.kinds import KINDS, having
from stats.multiplicity import Adjustment, benjamini_hochberg, holm

HEADLINE_METHODS = {name: kind.method for name, kind in KINDS.items()}
FIRST_ASSIGNMENT = "first_assignment"
# Guardrails stand outside: each is asked whether it rules out harm.
FAMILIES: dict[str, Callable[..., Adjustment]] = {
    "primary": holm,
    "secondary": benjamini_hochberg,
}


def headline_version(rows: pd.DataFrame) -> pd.Series:
    """Name the version of the outcome that speaks for each row's metric.

    Capped if the metric declares a cap, else raw; ranks are never capped.
    """
    is_capped = rows["cap"].notna() & ~having(rows["kind"], "has_ranks")
    return pd.Series(np.where(is_capped, "capped", "raw"), index=rows.index)


def is_headline(rows: pd.DataFrame) -> pd.Series:
    """Pick the one row of each test that speaks for it.

    Of the rows of ``experiment_results``: by first assignment, unadjusted, by
    the method for the kind of metric, of the version of `headline_version`.
    """
    return (
        (rows["policy"] == FIRST_ASSIGNMENT)
        & (rows["adjustment"] == "none")
        & (rows["outcome_version"] == headline_version(rows))
        & (rows["method"] == rows["kind"].map(HEADLINE_METHODS))
    )


def blanked(
    rows: pd.DataFrame, numbers: Sequence[str], blocked: Mapping[str, str]
) -> pd.DataFrame:
    """Take every comparison of a broken experiment away.

    Rows have ``experiment_id`` and ``reason_code``; the reason of a blocked
    experiment stands in the place of the numbers.
    """
    why = rows[EXPERIMENT].map(blocked)
    is_blocked = why.notna()
    found = rows.copy()
    found.loc[is_blocked, list(numbers)] = np.nan
    found["reason_code"] = found["reason_code"].where(~is_blocked, why)
    return found


def judged(
    rows: pd.DataFrame,
    families: pd.Series,
    adjust: Callable[..., Adjustment],
    alpha: float,
) -> pd.DataFrame:
    """Judge tests together with their family.

    Rows have ``p_value``, null where nothing was tested; a family is null for a
    row that belongs to none. `adjust`, `holm` or `benjamini_hochberg`, names
    the method in the table; `alpha` is the level of each family, in (0, 1).
    Gives ``family_id``, ``family_size``, ``multiplicity_method``,
    ``adjusted_p_value`` and ``adjusted_alpha``, all null without a family.
    """
    is_in = families.notna()
    found = adjust(
        rows["p_value"].where(is_in).to_numpy(float),
        families.fillna("").astype(str).to_numpy(str),
        alpha,
    )
    sizes = pd.Series(found.family_size, rows.index, dtype=float)
    # A test without a p-value is still of its family.
    largest = sizes.groupby(families).transform("max")
    return pd.DataFrame(
        {
            "family_id": families,
            "family_size": largest.where(is_in),
            "multiplicity_method": families.where(~is_in, adjust.__name__),
            "adjusted_p_value": found.p_value,
            "adjusted_alpha": found.alpha,
        },
        index=rows.index,
    )


def headline_families(rows: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Judge the headlines: Holm over primary tests, B.-H. over secondary.

    A family is all headlines of one role in an experiment: metrics times
    arms. Every other row is a second look at one of these tests and carries
    nulls, so that it neither costs nor earns level.

    Takes rows of ``experiment_results`` with ``is_headline`` and the level of
    each family; gives columns as `judged` does.
    """
    found = []
    for role, adjust in FAMILIES.items():
        is_mine = rows["is_headline"] & (rows["role"] == role)
        families = (rows[EXPERIMENT] + ":" + role).where(is_mine)
        found.append(judged(rows, families, adjust, alpha))
    first, second = found
    return first.where(first["family_id"].notna(), second)
