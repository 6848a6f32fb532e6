"""Every method of comparison, from pairs of arms to columns of numbers.

One function per method; each takes pairs, rows of `experiments.pairs.paired`,
and a two-sided significance level `alpha` in (0, 1), and gives one array per
column of the result tables: `COMPARED`, `RELATIVE` and ``reason_code``, one
element per row, and what it names besides. A row that cannot be compared is nan
and carries a reason.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.pairs import (
    CONTROL,
    TREATMENT,
    arms,
    column,
    is_kind,
    moments,
    obstacles,
)
from stats.arms.adjustment import Adjusted, adjusted_means, adjusted_ratios
from stats.arms.bayes import lift, posterior
from stats.arms.comparisons import Counts, Sample, proportion_difference
from stats.arms.compliance import complier_effect
from stats.arms.effects import Effect, assembled, mean_effect
from stats.arms.margins import noninferiority
from stats.arms.quantiles import Grid, quantile_effect, quantile_estimate
from stats.arms.ratios import relative_difference
from stats.arms.stratification import Cells, stratified_effect
from stats.intervals import Floats
from stats.reasons import combined, first_reason

Numbers = dict[str, NDArray[Any]]

COMPARED = (
    "estimate",
    "standard_error",
    "ci_low",
    "ci_high",
    "statistic",
    "degrees_of_freedom",
    "p_value",
)
RELATIVE = ("relative_estimate", "relative_ci_low", "relative_ci_high")
MEANS = ("control_mean", "treatment_mean")

MEAN_VARIABLES = ("value", "covariate", "history")
RATIO_VARIABLES = (
    "value",
    "denominator",
    "covariate",
    "covariate_denominator",
)


def effects(pairs: pd.DataFrame, alpha: float) -> Numbers:
    """Compare means, proportions and ratios by Welch's test."""
    control, treatment, reason = arms(pairs)
    return _numbers(mean_effect(control, treatment, alpha, reason))


def proportions(pairs: pd.DataFrame, alpha: float) -> Numbers:
    """Compare proportions by the pooled z-test, with Newcombe's interval."""
    counted = [_counts(pairs, role) for role in (CONTROL, TREATMENT)]
    (x0, n0), (x1, n1) = counted
    obstacle = combined(
        obstacles(pairs),
        first_reason(
            {
                "empty_arm": np.minimum(n0, n1) < 1,
                "not_a_proportion": np.isnan(x0 + x1),
                "zero_variance": (x0 + x1 == 0) | (x0 + x1 == n0 + n1),
            }
        ),
    )
    is_blocked = obstacle != ""
    # A stand-in where nothing can be computed, blanked again at the end.
    before, after = (
        Counts(np.where(is_blocked, 1.0, x), np.where(is_blocked, 2.0, n))
        for x, n in counted
    )
    absolute = proportion_difference(before, after, alpha)
    # The z-test's variance of a proportion has the divisor n.
    control, treatment = (
        Sample(n, np.divide(x, n), np.divide(x, n) * (1 - np.divide(x, n)))
        for x, n in (before, after)
    )
    relative = relative_difference(control, treatment, absolute.quantile)
    return _numbers(assembled(absolute, relative, obstacle))


def adjusted(pairs: pd.DataFrame, alpha: float) -> Numbers:
    """Compare after adjustment for what was measured before (CUPED).

    Means are adjusted for the value before and for having any history; ratios
    for the same ratio before. Where no covariate can be used there is no
    number: a raw one must not pass as adjusted.

    Gives besides: `MEANS` after adjustment, ``variance_ratio``, and
    ``covariate_p_value`` of no difference between the arms before the
    experiment.
    """
    besides = (*MEANS, "variance_ratio", "covariate_p_value")
    found = _nothing(len(pairs), *besides)
    found["reason_code"] = np.full(len(pairs), "", object)
    is_ratio = is_kind(pairs, "has_denominator")
    for is_mine, variables, adjust in (
        (~is_ratio, MEAN_VARIABLES, adjusted_means),
        (is_ratio, RATIO_VARIABLES, adjusted_ratios),
    ):
        if is_mine.any():
            own = pairs[is_mine]
            both = [
                moments(own, role, variables) for role in (CONTROL, TREATMENT)
            ]
            part = _after_adjustment(own, adjust(*both), alpha)
            for name, values in part.items():
                found[name][is_mine] = values
    return found


def stratified(
    cells: tuple[Cells, Cells], pairs: pd.DataFrame, alpha: float
) -> Numbers:
    """Compare over the same mixture of users in both arms.

    Cells are of control and treatment, one row per pair. Gives besides: `MEANS`
    over the mixture and ``variance_ratio``.
    """
    found = stratified_effect(*cells, alpha)
    effect = Effect(found.absolute, found.relative, found.reason)
    why = obstacles(pairs)
    return _numbers(effect._replace(reason=combined(why, effect.reason))) | {
        "control_mean": found.control_mean,
        "treatment_mean": found.treatment_mean,
        "variance_ratio": found.variance_ratio,
    }


def guarded(pairs: pd.DataFrame, alpha: float) -> Numbers:
    """Test guardrails against their margins, one-sided at ``alpha / 2``.

    The interval is one-sided too, so that it ends where the two-sided one of
    `effects` does; its harmless side is open.
    """
    control, treatment, reason = arms(pairs)
    is_higher_better = (pairs["direction"] != "decrease").to_numpy(bool)
    harm = noninferiority(
        control,
        treatment,
        pairs["margin"].to_numpy(float),
        is_higher_better=is_higher_better,
        alpha=alpha / 2,
        reason=reason,
    )
    plain = _numbers(mean_effect(control, treatment, alpha, reason))
    plain["ci_low"] = np.where(is_higher_better, plain["ci_low"], np.nan)
    plain["ci_high"] = np.where(is_higher_better, np.nan, plain["ci_high"])
    return plain | {
        "statistic": harm.statistic,
        "p_value": harm.p_value,
        "relative_ci_low": _finite(harm.ci_low),
        "relative_ci_high": _finite(harm.ci_high),
        "reason_code": combined(obstacles(pairs), harm.reason),
        "alpha": np.full(len(pairs), alpha / 2),
    }


def compliers(pairs: pd.DataFrame, alpha: float) -> Numbers:
    """Give the effect per user whom the treatment reached."""
    control, treatment = (
        moments(pairs, role, ("value", "reached"))
        for role in (CONTROL, TREATMENT)
    )
    found = complier_effect(control, treatment, alpha)
    numbers = _nothing(len(pairs))
    for name in ("estimate", "standard_error", "ci_low", "ci_high", "p_value"):
        numbers[name] = getattr(found, name)
    numbers["reason_code"] = combined(obstacles(pairs), found.reason)
    return numbers


def beliefs(
    pairs: pd.DataFrame, alpha: float, prior_deviation: float
) -> Numbers:
    """Combine each relative effect with a normal prior around none.

    `RELATIVE` holds the posterior mean and its interval; ``probability_better``
    and ``expected_loss``, given besides, follow the direction of the metric.
    """
    plain = effects(pairs, alpha)
    is_known = np.isfinite(plain["relative_estimate"])
    numbers = _nothing(len(pairs), "probability_better", "expected_loss")
    numbers["reason_code"] = np.where(is_known, "", plain["reason_code"])
    if not is_known.any():
        return numbers
    control, treatment = (
        Sample(*(np.asarray(part, float)[is_known] for part in arm))
        for arm in arms(pairs)[:2]
    )
    belief = posterior(lift(control, treatment), prior_deviation, alpha=alpha)
    is_rise = (pairs["direction"] != "decrease").to_numpy(bool)[is_known]
    above = belief.probability_positive
    for name, values in {
        "relative_estimate": belief.mean,
        "relative_ci_low": belief.ci_low,
        "relative_ci_high": belief.ci_high,
        "probability_better": np.where(is_rise, above, 1 - above),
        "expected_loss": np.where(
            is_rise, belief.loss_if_chosen, belief.loss_if_rejected
        ),
    }.items():
        numbers[name][is_known] = values
    return numbers


def quantiles(
    grids: tuple[Grid, Grid], levels: Floats, pairs: pd.DataFrame, alpha: float
) -> Numbers:
    """Compare quantiles by the ranks around them.

    Grids are of control and treatment, one row per pair, and each row has its
    level. Gives besides: `MEANS`, which are the quantiles.
    """
    found = quantile_effect(*grids, levels, alpha)
    why = obstacles(pairs)
    numbers = _numbers(found._replace(reason=combined(why, found.reason)))
    for name, grid in zip(MEANS, grids, strict=True):
        numbers[name] = quantile_estimate(grid, levels).value
    return numbers


def successes(units: Floats, mean: Floats) -> Floats:
    """Give the users with the outcome; nan where the mean is no share.

    Examples
    --------
    >>> successes(np.array([10.0, 10.0]), np.array([0.3, 0.35]))
    array([ 3., nan])
    """
    total = mean * units
    whole = np.round(total)
    is_whole = (
        (np.abs(total - whole) <= 1e-6 + 1e-12 * np.abs(total))
        & (whole >= 0)
        & (whole <= units)
    )
    return np.where(is_whole, whole, np.nan)


def _numbers(effect: Effect) -> Numbers:
    """Name the parts of an effect as the columns are."""
    parts = (*effect.absolute[: len(COMPARED)], *effect.relative)
    return dict(zip((*COMPARED, *RELATIVE), parts, strict=True)) | {
        "reason_code": effect.reason
    }


def _nothing(size: int, *besides: str) -> Numbers:
    """Give every column of `effects`, and those besides, without a number."""
    names = (*COMPARED, *RELATIVE, *besides)
    return {name: np.full(size, np.nan) for name in names}


def _finite(values: Floats) -> Floats:
    """Blank the end that is open."""
    return np.where(np.isfinite(values), values, np.nan)


def _counts(pairs: pd.DataFrame, role: str) -> tuple[Floats, Floats]:
    """Give users with the outcome, nan if the mean is no share, and users."""
    units = column(pairs, role, "unit_count")
    return successes(units, column(pairs, role, "value_mean")), units


def _after_adjustment(
    pairs: pd.DataFrame, found: Adjusted, alpha: float
) -> Numbers:
    """Compare adjusted arms where there was something to adjust for."""
    is_used = found.is_used.any(axis=-1)
    # What ails the arms themselves is found again, and told more closely.
    is_said = ~is_used & ~np.isin(found.reason, ("too_few_units", ""))
    why = combined(obstacles(pairs), np.where(is_said, found.reason, ""))
    effect = mean_effect(found.control, found.treatment, alpha, why)
    numbers = _numbers(effect) | {
        "control_mean": np.asarray(found.control.mean, float),
        "treatment_mean": np.asarray(found.treatment.mean, float),
        "variance_ratio": found.variance_ratio,
    }
    for name, values in numbers.items():
        if name != "reason_code":
            numbers[name] = np.where(is_used, values, np.nan)
    numbers["covariate_p_value"] = found.covariate_p_value[..., 0]
    return numbers
