"""The table of comparisons: every method, version and policy, row by row.

Pure functions of frames; `alpha` is the two-sided significance level, in (0,
1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments import methods
from experiments.families import (
    FIRST_ASSIGNMENT,
    HEADLINE_METHODS,
    blanked,
    headline_families,
    is_headline,
)
from experiments.grids import (
    CELL_KEYS,
    cell_arrays,
    quantile_grid,
    quantile_levels,
    strata,
)
from experiments.methods import MEANS, Numbers, successes
from experiments.pairs import (
    CONTROL,
    STATISTICS_ATTRIBUTES,
    TEST,
    TREATMENT,
    arms,
    column,
    is_kind,
)
from stats.arms.bayes import PRIOR_DEVIATION, WIDE_PRIOR_DEVIATION
from stats.arms.quantiles import quantile_estimate
from stats.intervals import (
    MINIMUM_UNITS,
    mean_interval,
    normal_quantile,
    wilson_interval,
)
from stats.kinds import KINDS

MEAN_METHODS = {name: kind.mean_method for name, kind in KINDS.items()}
PRIORS = {
    "bayes_normal": PRIOR_DEVIATION,
    "bayes_normal_wide": WIDE_PRIOR_DEVIATION,
}
KEYS = (*TEST, "outcome_version", "policy", "adjustment", "method")
NUMBERS = (
    *methods.COMPARED,
    *methods.RELATIVE,
    "variance_ratio",
    "covariate_p_value",
    "probability_better",
    "expected_loss",
)
SHOWN = (
    *TEST,
    "outcome_version",
    "policy",
    "control_variant",
    *STATISTICS_ATTRIBUTES,
)


class Part(NamedTuple):
    """Rows of one method."""

    pairs: pd.DataFrame  # what was compared; keeps the index of all pairs
    method: str | NDArray[Any]  # one for all, or one for each
    numbers: Numbers  # one element per row of `pairs`
    adjustment: str = "none"  # as in the table


def result_frame(
    pairs: pd.DataFrame,
    quantiles: pd.DataFrame,
    blocked: Mapping[str, str],
    alpha: float = 0.05,
    *,
    preferred_strata: Sequence[str] = (),
) -> pd.DataFrame:
    """Compare every treatment with its control, by every method that applies.

    Takes `paired` rows of ``fct_experiment_statistics`` of all dimensions, rows
    of ``fct_experiment_quantiles``, broken experiments with the reason (their
    arms are shown and nothing is compared), and what `grids.strata` prefers.
    Gives the rows of ``experiment_results`` but for the experiment's name and
    the input version; a reason is "" where there is none.
    """
    whole = pairs[pairs["dimension"] == "all"].reset_index(drop=True)
    described = _described(whole, alpha)
    parts = [
        *_of_means(whole, alpha),
        *_of_shares_of_users(whole, alpha),
        _stratified(pairs, whole, preferred_strata, alpha),
        _quantiles(whole, quantiles, alpha),
    ]
    found = pd.concat(
        [_rows(part, described, alpha) for part in parts], ignore_index=True
    )
    found = found.sort_values(list(KEYS), kind="stable", ignore_index=True)
    found = blanked(found, NUMBERS, blocked)
    found["is_headline"] = is_headline(found)
    return found.join(headline_families(found, alpha))


def _described(whole: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Describe both arms of every comparison: users, mean, its interval."""
    described = whole[list(SHOWN)].copy()
    found = arms(whole)
    is_share = is_kind(whole, "is_share")
    for role, arm in ((CONTROL, found.control), (TREATMENT, found.treatment)):
        units, mean, variance = (np.asarray(part, float) for part in arm)
        bounds = np.full((len(whole), 2), np.nan)
        total = successes(units, mean)
        is_counted = is_share & (units >= 1) & np.isfinite(total)
        bounds[is_counted] = wilson_interval(
            total[is_counted], units[is_counted], alpha
        )
        is_mean = ~is_share & (units >= MINIMUM_UNITS)
        is_mean &= np.isfinite(mean + variance)
        bounds[is_mean] = mean_interval(
            units[is_mean], mean[is_mean], variance[is_mean], alpha
        )
        described[f"{role}_units"] = units
        described[f"{role}_mean"] = mean
        described[f"{role}_ci_low"] = bounds[:, 0]
        described[f"{role}_ci_high"] = bounds[:, 1]
    return described


def _rows(part: Part, described: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Put the numbers of one method beside what was compared."""
    numbers = part.numbers
    own = described.loc[part.pairs.index]
    found: dict[str, Any] = {str(name): own[name].array for name in own}
    if MEANS[0] in numbers:
        for role in (CONTROL, TREATMENT):
            for name in ("mean", "ci_low", "ci_high"):
                # An adjusted mean has no interval of its own.
                found[f"{role}_{name}"] = numbers.get(f"{role}_{name}", np.nan)
    found |= {name: numbers.get(name, np.nan) for name in NUMBERS}
    # A normal distribution has no degrees of freedom.
    degrees = np.asarray(found["degrees_of_freedom"], float)
    found["degrees_of_freedom"] = np.where(degrees < np.inf, degrees, np.nan)
    is_first = (own["policy"] == FIRST_ASSIGNMENT).to_numpy(bool)
    is_randomised = is_first & (part.method != "complier_effect")
    return pd.DataFrame(
        found
        | {
            "method": part.method,
            "adjustment": part.adjustment,
            "alpha": numbers.get("alpha", alpha),
            "causal_grade": np.where(is_randomised, "A", "B"),
            "reason_code": numbers["reason_code"],
        },
        index=range(len(own)),
    )


def _of_means(whole: pd.DataFrame, alpha: float) -> list[Part]:
    """Compare means, proportions and ratios, raw, adjusted and believed."""
    own = whole[~is_kind(whole, "has_ranks")]
    method = own["kind"].map(MEAN_METHODS).to_numpy()
    is_guarded = (own["role"] == "guardrail") & own["margin"].notna()
    guarded = own[is_guarded]
    first = own[own["policy"] == FIRST_ASSIGNMENT]
    return [
        Part(own, method, methods.effects(own, alpha)),
        Part(own, method, methods.adjusted(own, alpha), "cuped"),
        Part(guarded, "non_inferiority", methods.guarded(guarded, alpha)),
        *(
            Part(first, name, methods.beliefs(first, alpha, deviation))
            for name, deviation in PRIORS.items()
        ),
    ]


def _of_shares_of_users(whole: pd.DataFrame, alpha: float) -> list[Part]:
    """Compare proportions as such, and what reaching users did to them."""
    shares = whole[is_kind(whole, "is_share")]
    reach = column(whole, TREATMENT, "reached_rate") - column(
        whole, CONTROL, "reached_rate"
    )
    reached = whole[
        is_kind(whole, "adds_up")
        & (whole["policy"] == FIRST_ASSIGNMENT)
        & np.isfinite(reach)
        & (reach != 0)
    ]
    return [
        Part(
            shares,
            shares["kind"].map(HEADLINE_METHODS).to_numpy(),
            methods.proportions(shares, alpha),
        ),
        Part(reached, "complier_effect", methods.compliers(reached, alpha)),
    ]


def _stratified(
    pairs: pd.DataFrame,
    whole: pd.DataFrame,
    preferred: Sequence[str],
    alpha: float,
) -> Part:
    """Compare over the cells of one dimension, where the log has any.

    Means and proportions only: a mean of the cells' ratios is no ratio.
    """

    def chosen(rows: pd.DataFrame) -> pd.DataFrame:
        is_first = rows["policy"] == FIRST_ASSIGNMENT
        return rows[is_first & is_kind(rows, "adds_up")]

    cells = strata(chosen(pairs), preferred)
    own = chosen(whole)
    has_cells = pd.MultiIndex.from_frame(own[CELL_KEYS]).isin(
        pd.MultiIndex.from_frame(cells[CELL_KEYS])
    )
    own = own[has_cells]
    numbers = methods.stratified(cell_arrays(own, cells), own, alpha)
    return Part(own, "welch_t", numbers, "post_stratified")


def _quantiles(
    whole: pd.DataFrame, quantiles: pd.DataFrame, alpha: float
) -> Part:
    """Compare quantiles, by the values around them."""
    own = whole[
        is_kind(whole, "has_ranks")
        & (whole["policy"] == FIRST_ASSIGNMENT)
        & (whole["outcome_version"] == "raw")
    ]
    levels = quantile_levels(own, quantiles)
    both = [
        quantile_grid(own, quantiles, role) for role in (CONTROL, TREATMENT)
    ]
    numbers = methods.quantiles((both[0], both[1]), levels, own, alpha)
    reach = normal_quantile(alpha)
    for role, grid in zip((CONTROL, TREATMENT), both, strict=True):
        value, error, _ = quantile_estimate(grid, levels)
        numbers[f"{role}_ci_low"] = value - reach * error
        numbers[f"{role}_ci_high"] = value + reach * error
    return Part(own, own["kind"].map(HEADLINE_METHODS).to_numpy(), numbers)
