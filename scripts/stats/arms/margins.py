"""Guardrails: whether the treatment does harm beyond a margin.

No significant difference is no proof of no harm; a guardrail passes only when
harm beyond the margin is ruled out. Pure functions, vectorised.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr

from stats.arms.comparisons import Sample
from stats.arms.effects import mean_effect
from stats.intervals import Floats
from stats.reasons import Reasons

HALF = 0.5  # a one-sided level beyond it accepts what is more likely false


class NonInferiority(NamedTuple):
    """One-sided test against a margin."""

    estimate: Floats  # relative effect, as a fraction of the control's size
    # One-sided interval of the relative effect: the side that is harmless is
    # infinite. It excludes the margin exactly where `p_value` is below `alpha`.
    # Nan where no bounded interval exists.
    ci_low: Floats
    ci_high: Floats
    # t; positive where the effect lies on the harmless side of the margin.
    statistic: Floats
    degrees_of_freedom: Floats  # Welch-Satterthwaite, of the plain difference
    p_value: Floats  # one-sided, of harm as large as the margin or larger
    reason: Reasons  # empty, or why a number is missing


def noninferiority(
    control: Sample,
    treatment: Sample,
    margin: ArrayLike,
    *,
    is_higher_better: ArrayLike,
    alpha: ArrayLike = 0.05,
    reason: ArrayLike = "",
) -> NonInferiority:
    """Test whether harm stays within a margin of the control mean.

    The margin is a share of the control mean as it is measured, so the noise
    of the control takes part. At a margin of 0 it is the one-sided Welch test.

    Parameters
    ----------
    control, treatment : Sample
        Arms, broadcast against each other.
    margin : array_like
        Harm that would still be accepted, as a fraction of the control's size
        (0.02 = 2 % worse); in [0, 1).
    is_higher_better : array_like of bool
        Whether a decrease is the harm; otherwise an increase is.
    alpha : array_like, default 0.05
        One-sided significance level, in (0, 0.5). At 0.025 the interval ends
        where the two-sided one of 95 % does.
    reason : array_like of str, default ""
        As in `mean_effect`.

    Returns
    -------
    NonInferiority
        Reasons: those of `mean_effect`; there is no test against a share of
        a control mean of 0.

    Raises
    ------
    ValueError
        If a margin is not in [0, 1), `alpha` is not in (0, 0.5), or as
        `mean_effect`.

    References
    ----------
    .. [1] D. Hauschke, M. Kieser, E. Diletti, M. Burke (1999), "Sample size
       determination for proving equivalence based on the ratio of two means
       for normally distributed data", Statistics in Medicine 18(1), 93-105.

    Examples
    --------
    >>> found = noninferiority(
    ...     Sample(1000, 50.0, 400.0),
    ...     Sample(1000, 49.8, 400.0),
    ...     margin=0.05,
    ...     is_higher_better=True,
    ... )
    >>> float(found.p_value.round(4)), float(found.ci_low.round(4))
    (0.0042, -0.033)
    """
    width, level = np.asarray(margin, float), np.asarray(alpha, float)
    if not ((width >= 0) & (width < 1)).all():
        raise ValueError(f"margin must be in [0, 1), got {width}")
    if not ((level > 0) & (level < HALF)).all():
        raise ValueError(f"alpha must be in (0, 0.5), got {level}")
    # Two-sided at twice the level: its bounds are the one-sided ones.
    effect = mean_effect(control, treatment, 2 * level, reason)
    degrees, relative = effect.absolute.degrees_of_freedom, effect.relative
    is_tested = np.isfinite(relative.estimate)

    n0, m0, v0, n1, m1, v1 = (
        np.where(is_tested, np.asarray(part, float), 1.0)
        for part in (*control, *treatment)
    )
    is_decrease_harm = np.asarray(is_higher_better, bool)
    benefit = np.where(is_decrease_harm, 1.0, -1.0)
    # The share of the control mean beyond which the treatment must stay.
    share = 1 - benefit * np.sign(m0) * width
    error = np.sqrt(v1 / n1 + share**2 * v0 / n0)
    statistic = np.where(is_tested, benefit * (m1 - share * m0) / error, np.nan)
    open_end = np.where(np.isfinite(relative.ci_low), np.inf, np.nan)
    return NonInferiority(
        estimate=relative.estimate,
        ci_low=np.where(is_decrease_harm, relative.ci_low, -open_end),
        ci_high=np.where(is_decrease_harm, open_end, relative.ci_high),
        statistic=statistic,
        degrees_of_freedom=degrees,
        p_value=stdtr(degrees, -statistic),
        reason=effect.reason,
    )
