"""Effects by segment, and whether they differ between segments.

Pure functions of frames.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments import methods
from experiments.families import (
    FIRST_ASSIGNMENT,
    blanked,
    headline_version,
    judged,
)
from experiments.pairs import (
    CONTROL,
    TEST,
    TREATMENT,
    arms,
    is_kind,
)
from experiments.results import MEAN_METHODS
from stats.arms.heterogeneity import heterogeneity
from stats.arms.stratification import MINIMUM_CELL_UNITS
from stats.multiplicity import benjamini_hochberg

SHOWN = (
    *TEST,
    "control_variant",
    "kind",
    "role",
    "outcome_version",
    "dimension",
    "dimension_value",
)
NUMBERS = (*methods.COMPARED, *methods.RELATIVE, "variance_ratio")
GROUP = (*TEST, "dimension", "adjustment")


def segment_frame(
    pairs: pd.DataFrame, blocked: Mapping[str, str], alpha: float = 0.05
) -> pd.DataFrame:
    """Compare within every segment, raw and adjusted.

    The cells of a dimension are one family of tests (Benjamini-Hochberg);
    the dimensions of a test are another, of the tests that their effects
    differ. Cells with fewer than `MINIMUM_CELL_UNITS` users in an arm have no
    number and take no part.

    Takes `paired` rows of ``fct_experiment_statistics`` and broken experiments
    with the reason; `alpha` is the two-sided significance level, in (0, 1).
    Gives the rows of ``experiment_segments`` but for the input version; a
    reason is "" where there is none.
    """
    cells = pairs[
        (pairs["dimension"] != "all")
        & (pairs["policy"] == FIRST_ASSIGNMENT)
        & ~is_kind(pairs, "has_ranks")
        & (pairs["outcome_version"] == headline_version(pairs))
    ].reset_index(drop=True)
    means = arms(cells)
    least = np.minimum(means.control.units, means.treatment.units)
    is_small = (least < MINIMUM_CELL_UNITS) & (least > 0)
    parts = []
    for adjustment, compare in (
        ("none", methods.effects),
        ("cuped", methods.adjusted),
    ):
        numbers = compare(cells, alpha)
        part = {
            name: np.where(is_small, np.nan, numbers.get(name, np.nan))
            for name in NUMBERS
        }
        for role, arm in (
            (CONTROL, means.control),
            (TREATMENT, means.treatment),
        ):
            part[f"{role}_units"] = np.asarray(arm.units)
            mean = np.asarray(arm.mean)
            part[f"{role}_mean"] = numbers.get(f"{role}_mean", mean)
        part["reason_code"] = np.where(
            is_small, "too_few_units", numbers["reason_code"]
        )
        parts.append(
            cells[list(SHOWN)].assign(
                method=cells["kind"].map(MEAN_METHODS),
                adjustment=adjustment,
                **part,
            )
        )
    found = pd.concat(parts, ignore_index=True)
    found = blanked(found, NUMBERS, blocked)
    found = found.sort_values(
        [*GROUP, "dimension_value"], kind="stable", ignore_index=True
    )
    found["alpha"] = alpha
    families = _joined(found, GROUP)
    found = found.join(judged(found, families, benjamini_hochberg, alpha))
    return found.merge(_totals(found, alpha), on=list(GROUP), how="left")


def _joined(rows: pd.DataFrame, names: tuple[str, ...]) -> pd.Series:
    """Name the group of each row."""
    joined = rows[names[0]].astype(str)
    for name in names[1:]:
        joined = joined + ":" + rows[name].astype(str)
    return joined


def _totals(cells: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Test for every dimension whether its cells have one effect."""
    groups = cells[list(GROUP)].drop_duplicates().reset_index(drop=True)
    number = cells[list(GROUP)].merge(groups.reset_index(), how="left")["index"]
    found = heterogeneity(
        cells["estimate"].to_numpy(float),
        cells["standard_error"].to_numpy(float),
        number.to_numpy(int),
    )
    is_tested = found.reason == ""
    groups["q_statistic"] = found.statistic
    groups["q_degrees_of_freedom"] = np.where(
        is_tested, found.degrees_of_freedom, np.nan
    )
    groups["q_p_value"] = found.p_value
    groups["i_squared"] = found.i_squared
    groups["q_adjusted_p_value"] = benjamini_hochberg(
        found.p_value,
        _joined(groups, (*TEST, "adjustment")).to_numpy(str),
        alpha,
    ).p_value
    return groups
