"""Effect of an exposure, standardised over strata of its confounders.

Within a stratum, exposed and other users are compared as they are; strata are
then weighted by the population that the question is about. The result is
causal only if, within strata, exposure is as good as random.

Pure functions: arrays in, arrays out, nothing read or written.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from stats.intervals import MINIMUM_UNITS, Floats, normal_quantile


class StandardisedEffect(NamedTuple):
    """Weighted difference of rates, exposed minus others."""

    # Difference of rates; nan when no stratum has overlap.
    estimate: float
    standard_error: float
    ci_low: float
    ci_high: float
    p_value: float  # two-sided, of no effect
    # Users in the strata used.
    exposed_units: int
    other_units: int
    strata_used: int  # strata with at least `MINIMUM_UNITS` of each kind
    units_without_overlap: int  # users left out with the other strata
    # The standardised rates; their difference is the estimate.
    exposed_rate: float
    other_rate: float
    # Their ratio, its interval on the log scale; nan unless both are positive.
    ratio: float
    ratio_ci_low: float
    ratio_ci_high: float


def standardised_effect(
    exposed_successes: ArrayLike,
    exposed_units: ArrayLike,
    other_successes: ArrayLike,
    other_units: ArrayLike,
    *,
    on_others: bool,
    alpha: float = 0.05,
) -> StandardisedEffect:
    """Standardise the difference of rates over strata.

    The variance is the plug-in of the estimator's influence function: sampling
    of the outcomes within strata plus sampling of the strata's weights.

    Parameters
    ----------
    exposed_successes, exposed_units : array_like of shape (n_strata,)
        Exposed users with the outcome, and all exposed users.
    other_successes, other_units : array_like of shape (n_strata,)
        The same for the others.
    on_others : bool
        Whether to weight by the others (effect on the untreated) instead of
        by everyone (average effect), within strata with overlap.
    alpha : float, default 0.05
        Two-sided significance level, in (0, 1).

    Raises
    ------
    ValueError
        If successes are negative or exceed units, shapes differ, or `alpha`
        is not in (0, 1).

    References
    ----------
    .. [1] J. Hahn (1998), "On the role of the propensity score in efficient
       semiparametric estimation of average treatment effects", Econometrica
       66(2), 315-331.

    Examples
    --------
    >>> found = standardised_effect(
    ...     [30, 20], [100, 50], [40, 60], [200, 200], on_others=False
    ... )
    >>> round(found.estimate, 4), found.strata_used
    (0.1, 2)
    """
    quantile = normal_quantile(alpha)
    x1, n1 = _checked("exposed", exposed_successes, exposed_units)
    x0, n0 = _checked("other", other_successes, other_units)
    if n1.shape != n0.shape:
        raise ValueError("every argument needs one number per stratum")

    is_used = (n1 >= MINIMUM_UNITS) & (n0 >= MINIMUM_UNITS)
    left_out = int((n1 + n0)[~is_used].sum())
    x1, n1, x0, n0 = (part[is_used] for part in (x1, n1, x0, n0))
    if not n1.size:
        nan = float("nan")
        return StandardisedEffect(
            nan, nan, nan, nan, nan, 0, 0, 0, left_out, nan, nan, nan, nan, nan
        )

    p1, p0 = x1 / n1, x0 / n0
    effects = p1 - p0
    targets = n0 if on_others else n0 + n1
    weights = targets / targets.sum()
    estimate = float(weights @ effects)
    # Sample variances (divisor n - 1), so small strata are not flattered.
    v1, v0 = p1 * (1 - p1) / (n1 - 1), p0 * (1 - p0) / (n0 - 1)
    spread = weights @ (effects - estimate) ** 2 / targets.sum()
    error = float(np.sqrt(weights**2 @ (v1 + v0) + spread))
    one, other = float(weights @ p1), float(weights @ p0)
    ratio = low = high = float("nan")
    if one > 0 and other > 0:
        ratio = one / other
        logs = p1 / one - p0 / other
        spread = weights @ logs**2 / targets.sum()
        reach = quantile * np.sqrt(
            weights**2 @ (v1 / one**2 + v0 / other**2) + spread
        )
        low, high = ratio * np.exp(-reach), ratio * np.exp(reach)
    # No variation at all leaves nothing to judge the estimate against.
    statistic = estimate / error if error > 0 else float("nan")
    return StandardisedEffect(
        estimate=estimate,
        standard_error=error,
        ci_low=estimate - quantile * error,
        ci_high=estimate + quantile * error,
        p_value=float(2 * ndtr(-abs(statistic))),
        exposed_units=int(n1.sum()),
        other_units=int(n0.sum()),
        strata_used=int(is_used.sum()),
        units_without_overlap=left_out,
        exposed_rate=one,
        other_rate=other,
        ratio=ratio,
        ratio_ci_low=float(low),
        ratio_ci_high=float(high),
    )


def _checked(
    name: str, successes: ArrayLike, units: ArrayLike
) -> tuple[Floats, Floats]:
    """Return the counts as arrays, or refuse them by name."""
    x, n = np.asarray(successes, float), np.asarray(units, float)
    if x.shape != n.shape:
        raise ValueError("every argument needs one number per stratum")
    if not ((x >= 0) & (x <= n)).all():
        raise ValueError(f"{name} successes must lie in [0, {name} units]")
    return x, n
