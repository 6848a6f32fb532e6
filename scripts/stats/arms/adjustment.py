"""Adjusting outcomes for what was measured before the experiment (CUPED).

What a user did before assignment cannot be an effect of it, but predicts what
follows; taking the prediction off leaves the effect and removes noise. Pure
functions of sufficient statistics, vectorised: one comparison per row.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stats.arms.comparisons import Sample, welch_p_value
from stats.arms.moments import (
    ROUNDING,
    Moments,
    broadcast_moments,
    checked_moments,
    linearised_ratios,
    pooled_moments,
    remainder,
)
from stats.intervals import MINIMUM_UNITS, Floats
from stats.reasons import Reasons, combined, first_reason

# A covariate of which the others leave less than this share of its variance
# is their combination; a coefficient of its own would be rounding.
MINIMUM_SHARE = 1e-8
RATIO_VARIABLES = 4  # numerator, denominator, and both of the covariate

Flags = NDArray[np.bool_]


class Adjusted(NamedTuple):
    """Two arms after adjustment, and how far to trust it."""

    # Adjusted means and variances per user; the raw ones where no covariate
    # could be used.
    control: Sample
    treatment: Sample
    # (..., n_covariates): Outcome per unit of covariate; 0 where it is not
    # used.
    coefficients: Floats
    is_used: Flags  # (..., n_covariates): whether the covariate took part
    # Variance of the adjusted difference over that of the raw one; 1 where
    # nothing was adjusted.
    variance_ratio: Floats
    # (..., n_covariates): Of no difference before the experiment, by Welch's
    # test: a small one speaks against the assignment. Nan where there is no
    # test.
    covariate_p_value: Floats
    # Empty where every covariate is used, or the gravest reason why not.
    reason: Reasons


def adjusted_means(control: Moments, treatment: Moments) -> Adjusted:
    """Adjust means for covariates.

    The coefficients are those of the least-squares plane through both arms
    together, and the adjusted means are taken at the mean covariates of both
    arms, so that they stay on the scale of the outcome.

    Parameters
    ----------
    control, treatment : Moments
        Outcome first, then its covariates; broadcast against each other.
        Moments of a covariate may be nan where it was not measured.

    Returns
    -------
    Adjusted
        Reasons: ``too_few_units``, ``zero_variance`` (of the outcome),
        ``missing_covariate``, ``constant_covariate`` (the same for all users
        of an arm, in both arms), ``collinear_covariates`` (a combination of
        those before it, or more of them than the users can tell apart).

    Raises
    ------
    ValueError
        If there is no covariate, shapes do not match, or no users can have
        such variances and covariances.

    Notes
    -----
    The coefficients are treated as known. That is harmless at any size at
    which experiments are read, and flatters arms of a few dozen users.

    References
    ----------
    .. [1] A. Deng, Y. Xu, R. Kohavi, T. Walker (2013), "Improving the
       sensitivity of online controlled experiments by utilizing
       pre-experiment data", WSDM 2013, 123-132.

    Examples
    --------
    >>> from stats.arms.moments import pair_moments
    >>> found = adjusted_means(
    ...     pair_moments(Sample(1000, 10.0, 16.0), 8.0, 9.0, 9.0),
    ...     pair_moments(Sample(1000, 11.0, 16.0), 8.5, 9.0, 9.0),
    ... )
    >>> [float(arm.mean.round(3)) for arm in (found.control, found.treatment)]
    [10.252, 10.748]
    >>> float(found.variance_ratio.round(4))
    0.4375
    """
    before, after, variables = _checked(control, treatment)
    if variables <= 1:
        raise ValueError("an adjustment needs at least one covariate")
    return _adjusted(before, after, pooled_moments(before, after), np.array(""))


def adjusted_ratios(control: Moments, treatment: Moments) -> Adjusted:
    """Adjust ratio metrics for the same ratio before the experiment.

    Both ratios are linearised by the delta method: within each arm for its
    mean and variance, in both arms together for the coefficient.

    Parameters
    ----------
    control, treatment : Moments
        Four variables: numerator, denominator, and the two of the covariate;
        broadcast against each other. The covariate's moments may be nan where
        it was not measured.

    Returns
    -------
    Adjusted
        With one covariate. Reasons: ``denominator_not_positive`` (of the
        metric: no number at all), ``covariate_denominator_not_positive``, and
        those of `adjusted_means`.

    Raises
    ------
    ValueError
        If there are not four variables, shapes do not match, or no users can
        have such variances and covariances.

    References
    ----------
    As `linearised_ratios`.

    Examples
    --------
    >>> arm = Moments(
    ...     1000,
    ...     [6.0, 2.0, 5.0, 2.0],
    ...     [
    ...         [9.0, 1.5, 6.0, 1.0],
    ...         [1.5, 1.0, 1.0, 0.5],
    ...         [6.0, 1.0, 9.0, 1.5],
    ...         [1.0, 0.5, 1.5, 1.0],
    ...     ],
    ... )
    >>> found = adjusted_ratios(arm, arm)
    >>> float(found.control.mean), float(found.variance_ratio.round(4))
    (3.0, 0.741)
    """
    before, after, variables = _checked(control, treatment)
    if variables != RATIO_VARIABLES:
        raise ValueError(
            f"a ratio and its covariate are {RATIO_VARIABLES} variables, got "
            f"{variables}"
        )
    least = np.minimum(before.means, after.means)
    return _adjusted(
        linearised_ratios(before),
        linearised_ratios(after),
        linearised_ratios(pooled_moments(before, after)),
        first_reason(
            {
                "denominator_not_positive": least[..., 1] <= 0,
                "covariate_denominator_not_positive": least[..., 3] <= 0,
            }
        ),
    )


def _checked(
    control: Moments, treatment: Moments
) -> tuple[Moments, Moments, int]:
    """Return the arms and their number of variables, or refuse them."""
    before = checked_moments("control", control)
    after = checked_moments("treatment", treatment)
    sizes = [np.shape(arm.means)[-1] for arm in (before, after)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            "control and treatment must have the same variables, got "
            f"{sizes[0]} and {sizes[1]}"
        )
    before, after = broadcast_moments(before, after)
    return before, after, sizes[0]


def _adjusted(
    control: Moments, treatment: Moments, pooled: Moments, reason: Reasons
) -> Adjusted:
    """Adjust the first variable for the others."""
    n0, y0, v0, x0, c0, s0 = _parts(control)
    n1, y1, v1, x1, c1, s1 = _parts(treatment)
    _, _, _, centre, c, s = _parts(pooled)
    w0, w1 = (np.diagonal(part, axis1=-2, axis2=-1) for part in (s0, s1))

    is_missing = np.isnan(x0 + x1 + w0 + w1 + c0 + c1)
    # A covariate that varies only between the arms tells nothing of users.
    size = np.maximum(np.abs(x0), np.abs(x1))
    is_constant = np.maximum(w0, w1) <= (ROUNDING * size) ** 2
    obstacle = combined(
        first_reason(
            {
                "too_few_units": np.minimum(n0, n1) < MINIMUM_UNITS,
                "zero_variance": (v0 == 0) & (v1 == 0),
            }
        ),
        reason,
    )
    is_usable = (
        ~(is_missing | is_constant)
        & (np.diagonal(s, axis1=-2, axis2=-1) > 0)
        & (obstacle == "")[..., None]
    )

    scatter = (n0 - 1)[..., None, None] * s0 + (n1 - 1)[..., None, None] * s1
    # Independent within the arms, and still where arms lie far apart.
    is_used, degrees = is_usable, n0 + n1 - MINIMUM_UNITS
    for squares in (scatter, s):
        scale = np.sqrt(np.diagonal(squares, axis1=-2, axis2=-1))
        scale = np.where(is_used, scale, np.nan)
        correlations = squares / scale[..., :, None] / scale[..., None, :]
        is_used = _independent(correlations, is_used, degrees)
    theta = _coefficients(correlations, c / scale, is_used)
    theta = np.where(is_used, theta / scale, 0.0)

    found = [
        _moved(Sample(n, y, v), x - centre, cross, squares, theta)
        for n, y, v, x, cross, squares in (
            (n0, y0, v0, x0, c0, s0),
            (n1, y1, v1, x1, c1, s1),
        )
    ]
    is_adjusted = is_used.any(axis=-1)
    parts = np.stack([v0, v1, *(arm.variance for arm in found)])
    units = np.where(is_adjusted, [n0, n1], np.nan)
    raw0, raw1, new0, new1 = parts / np.concatenate([units, units])
    return Adjusted(
        control=found[0],
        treatment=found[1],
        coefficients=theta,
        is_used=is_used,
        variance_ratio=np.where(
            is_adjusted, (new0 + new1) / (raw0 + raw1), 1.0
        ),
        covariate_p_value=_p_values((n0, x0, w0), (n1, x1, w1), ~is_constant),
        reason=combined(
            obstacle,
            first_reason(
                {
                    "missing_covariate": is_missing.any(axis=-1),
                    "constant_covariate": is_constant.any(axis=-1),
                    "collinear_covariates": ~is_used.all(axis=-1),
                }
            ),
        ),
    )


def _parts(
    moments: Moments,
) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
    """Split into units; mean and variance of y; means of x; xy and xx."""
    n, m, s = (np.asarray(part, float) for part in moments)
    return (
        n,
        m[..., 0],
        s[..., 0, 0],
        m[..., 1:],
        s[..., 0, 1:],
        s[..., 1:, 1:],
    )


def _independent(
    correlations: Floats, is_usable: Flags, degrees: Floats
) -> Flags:
    """Find the covariates that are no combination of those before them.

    They are swept out one after the other; what remains of the next one's
    variance is what it adds. One degree of freedom stays for the outcome.
    """
    rest, is_used = correlations, np.zeros_like(is_usable)
    for j in range(is_usable.shape[-1]):
        pivot = rest[..., j, j]
        is_next = (
            is_usable[..., j]
            & (pivot > MINIMUM_SHARE)
            & (is_used.sum(axis=-1) + 1 < degrees)
        )
        # A covariate left out sweeps nothing, be it nan.
        column, line = (
            np.where(is_next[..., None], part, 0.0)
            for part in (rest[..., :, j], rest[..., j, :])
        )
        divisor = np.where(is_next, pivot, 1.0)[..., None]
        rest = rest - (column / divisor)[..., :, None] * line[..., None, :]
        is_used[..., j] = is_next
    return is_used


def _coefficients(
    squares: Floats, covariances: Floats, is_used: Flags
) -> Floats:
    """Solve the normal equations of the covariates that are used."""
    is_inside = is_used[..., :, None] & is_used[..., None, :]
    solved = np.linalg.solve(
        np.where(is_inside, squares, np.eye(is_used.shape[-1])),
        np.where(is_used, covariances, 0.0)[..., None],
    )
    return np.asarray(solved[..., 0], float)


def _moved(
    arm: Sample, shift: Floats, cross: Floats, squares: Floats, theta: Floats
) -> Sample:
    """Take the prediction of the covariates off one arm."""
    is_used = theta != 0
    both = theta[..., :, None] * theta[..., None, :]
    predicted = np.where(is_used, theta * shift, 0).sum(axis=-1)
    explained = np.where(is_used, 2 * theta * cross, 0).sum(axis=-1)
    added = np.where(both != 0, both * squares, 0).sum(axis=(-2, -1))
    return Sample(
        arm.units,
        arm.mean - predicted,
        remainder(arm.variance + added, explained),
    )


def _p_values(
    control: tuple[Floats, Floats, Floats],
    treatment: tuple[Floats, Floats, Floats],
    is_tested: Flags,
) -> Floats:
    """Test the covariates' differences where there is a test."""
    (n0, m0, v0), (n1, m1, v1) = control, treatment
    is_many = (np.minimum(n0, n1) >= MINIMUM_UNITS)[..., None]
    is_known = is_tested & is_many & np.isfinite(m0 + m1 + v0 + v1)
    before, after = (
        Sample(
            *(np.where(is_known, part, 2.0) for part in (n[..., None], m, v))
        )
        for n, m, v in (control, treatment)
    )
    return np.where(is_known, welch_p_value(before, after), np.nan)
