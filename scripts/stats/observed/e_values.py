"""How strong an unmeasured difference would have to be to explain an effect.

Pure functions: numbers in, numbers out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class EValue(NamedTuple):
    """Strength of confounding that would explain a ratio away."""

    estimate: float  # for the ratio itself
    # For the bound of its interval nearest to 1; 1 when the interval contains
    # 1: nothing is needed to explain what may not be there.
    limit: float


def e_value(ratio: float, ci_low: float, ci_high: float) -> EValue:
    """Find the E-value of a risk ratio and of its interval.

    An unmeasured confounder that is associated with both the exposure and the
    outcome by a risk ratio of this size each, beyond what was adjusted for,
    could explain the ratio away; a weaker one could not.

    Parameters
    ----------
    ratio, ci_low, ci_high : float
        Ratio of risks and the bounds of its interval, positive; nan gives nan.

    Raises
    ------
    ValueError
        If a number is not positive, or the bounds do not hold the ratio.

    References
    ----------
    .. [1] T. J. VanderWeele, P. Ding (2017), "Sensitivity analysis in
       observational research: introducing the E-value", Annals of Internal
       Medicine 167(4), 268-274.

    Examples
    --------
    >>> found = e_value(3.9, 1.8, 8.7)
    >>> round(found.estimate, 2), round(found.limit, 2)
    (7.26, 3.0)
    """
    if np.isnan(ratio + ci_low + ci_high):
        return EValue(np.nan, np.nan)
    if not 0 < ci_low <= ratio <= ci_high:
        raise ValueError(
            "ratios must be positive and their bounds hold them, got "
            f"{ratio} in {ci_low} to {ci_high}"
        )
    nearest = ci_low if ratio >= 1 else ci_high
    crosses = ci_low <= 1 <= ci_high
    return EValue(_strength(ratio), 1.0 if crosses else _strength(nearest))


def _strength(ratio: float) -> float:
    size = max(ratio, 1 / ratio)
    return float(size + np.sqrt(size * (size - 1)))
