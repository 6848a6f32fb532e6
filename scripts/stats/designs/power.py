"""Planning a test: how many users, what effect, with what power.

An adjustment by covariates, several primary metrics and several looks each
enter as one number of the `Plan`. Pure functions, vectorised: every argument
but the plan may be an array.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import elementwise
from scipy.special import nctdtr, ndtri, stdtrit

from stats.intervals import MINIMUM_UNITS, Floats, normal_quantile


class Plan(NamedTuple):
    """What every calculation of one test shares."""

    # Two-sided significance level of all primary metrics together, in (0, 1).
    alpha: float = 0.05
    # Probability to find the effect of one metric, in (alpha, 1).
    power: float = 0.8
    ratio: float = 1.0  # treatment users per control user; positive
    # Metrics that share `alpha` by Bonferroni; at least 1.
    primary_metrics: int = 1
    # Variance that is left after adjustment by covariates, over the raw one;
    # positive. For one covariate it is 1 minus the squared correlation.
    variance_ratio: float = 1.0
    # Of the users by looking at the running test, from `sequential_inflation`
    # with ``alpha / primary_metrics``; at least 1. It is exact at `power`.
    inflation: float = 1.0

    @property
    def level(self) -> float:
        """Two-sided significance level of one metric."""
        return self.alpha / self.primary_metrics


DEFAULT_PLAN = Plan()


class Size(NamedTuple):
    """Users that a test needs."""

    control: Floats  # control users, with fractions of users
    total: Floats  # both arms, each rounded up to whole users


def check_plan(plan: Plan) -> None:
    """Refuse an impossible plan by name and value.

    Raises
    ------
    ValueError
        If a number of the plan is out of its range.
    """
    if not 0 < plan.alpha < 1:
        raise ValueError(f"alpha must be in (0, 1), got {plan.alpha}")
    if not plan.alpha < plan.power < 1:
        raise ValueError(f"power must be in (alpha, 1), got {plan.power}")
    for name in ("ratio", "variance_ratio"):
        if not 0 < (number := getattr(plan, name)) < np.inf:
            raise ValueError(f"{name} must be positive, got {number}")
    for name in ("primary_metrics", "inflation"):
        if not 1 <= (number := getattr(plan, name)) < np.inf:
            raise ValueError(f"{name} must be at least 1, got {number}")


def mean_units(
    effect: ArrayLike, variance: ArrayLike, plan: Plan = DEFAULT_PLAN
) -> Size:
    """Give the users that a t-test of two means needs.

    The power is that of the noncentral t distribution, with the degrees of
    freedom of Welch's test.

    Parameters
    ----------
    effect : array_like
        Absolute difference of the means to find; not 0.
    variance : array_like
        Of the metric between users, before any adjustment; positive.

    Raises
    ------
    ValueError
        If an effect is 0 or not finite, a variance is not positive, or the
        plan is impossible.

    References
    ----------
    .. [1] J. Cohen (1988), "Statistical Power Analysis for the Behavioral
       Sciences", 2nd edition, chapter 2.

    Examples
    --------
    >>> size = mean_units(0.5, 1.0)
    >>> round(float(size.control), 2), int(size.total)
    (63.77, 128)
    """
    check_plan(plan)
    delta = _checked_effect(effect)
    unit = np.asarray(_left(variance, plan) * _per_control(plan) / delta**2)
    least = MINIMUM_UNITS / min(1, plan.ratio)

    def missing(log_units: Floats, unit: Floats) -> Floats:
        n = np.exp(log_units)
        return _power(np.sqrt(n / unit), n, plan) - plan.power

    # A t-test needs a few users more than a z-test, per arm.
    of_z = unit * _shift(plan) ** 2
    low = np.full(unit.shape, np.log(least))
    high = np.log(4 * of_z + 100 * least)
    is_enough = missing(low, unit) >= 0
    found = elementwise.find_root(missing, (low, high), args=(unit,))
    return _size(np.where(is_enough, least, np.exp(found.x)), plan)


def detectable_mean_effect(
    variance: ArrayLike, control_units: ArrayLike, plan: Plan = DEFAULT_PLAN
) -> Floats:
    """Give the smallest difference of means that a t-test finds.

    Parameters
    ----------
    variance, plan
        As for `mean_units`.
    control_units : array_like
        Control users; each arm at least 2.

    Returns
    -------
    ndarray
        Minimum detectable effect, in the unit of the mean.

    Raises
    ------
    ValueError
        If an arm has fewer than 2 users, a variance is not positive, or the
        plan is impossible.

    Examples
    --------
    >>> round(float(detectable_mean_effect(1.0, 64)), 4)
    0.4991
    """
    check_plan(plan)
    left = _left(variance, plan)
    units = _checked_units(control_units, plan)

    def missing(shift: Floats, units: Floats) -> Floats:
        return _power(shift, units, plan) - plan.power

    high = 40 - 8 * stdtrit(_degrees(units, plan), plan.level / 2)
    found = elementwise.find_root(
        missing, (np.zeros(units.shape), high), args=(units,)
    )
    return np.asarray(
        found.x * np.sqrt(left * _per_control(plan) / units), float
    )


def proportion_units(
    control_rate: ArrayLike,
    treatment_rate: ArrayLike,
    plan: Plan = DEFAULT_PLAN,
) -> Size:
    """Give the users that a z-test of two proportions needs.

    Parameters
    ----------
    control_rate, treatment_rate : array_like
        Rates to tell apart, in (0, 1).

    Raises
    ------
    ValueError
        If a rate is not in (0, 1), the rates are equal, or the plan is
        impossible.

    References
    ----------
    .. [1] J. L. Fleiss, B. Levin and M. C. Paik (2003), "Statistical Methods
       for Rates and Proportions", 3rd edition, chapter 4.

    Examples
    --------
    >>> size = proportion_units(0.19, 0.1995)
    >>> round(float(size.control), 1), int(size.total)
    (27273.2, 54548)
    """
    check_plan(plan)
    p0, p1 = _checked_rates(control_rate, treatment_rate)
    delta = _checked_effect(p1 - p0)
    shift = _shift(plan) * _spread(p0, p1, plan)
    return _size((shift / delta) ** 2, plan)


def detectable_proportion_effect(
    control_rate: ArrayLike,
    control_units: ArrayLike,
    plan: Plan = DEFAULT_PLAN,
    *,
    is_decrease: bool = False,
) -> Floats:
    """Give the smallest change of a proportion that a z-test finds.

    Parameters
    ----------
    control_rate : array_like
        Rate without effect, in (0, 1).
    control_units : array_like
        Control users; each arm at least 2.
    is_decrease : bool, default False
        Whether the rate is to fall. The two differ, since the variance does.

    Returns
    -------
    ndarray
        Minimum detectable effect, as an absolute difference of rates, never
        negative; nan where no rate in (0, 1) is far enough.

    Raises
    ------
    ValueError
        If a rate is not in (0, 1), an arm has fewer than 2 users, or the plan
        is impossible.

    Examples
    --------
    >>> round(float(detectable_proportion_effect(0.19, 27_274)), 4)
    0.0095
    """
    check_plan(plan)
    rate, _ = _checked_rates(control_rate, 0.5)
    rate, units = np.broadcast_arrays(rate, _checked_units(control_units, plan))
    # A fall of the rate is a rise of its complement.
    start = 1 - rate if is_decrease else rate

    def missing(effect: Floats, start: Floats, units: Floats) -> Floats:
        reach = _shift(plan) * _spread(start, start + effect, plan)
        return np.asarray(effect * np.sqrt(units) - reach, float)

    room = 1 - start
    is_found = missing(room, start, units) > 0
    found = elementwise.find_root(
        missing, (np.zeros(start.shape), room), args=(start, units)
    )
    return np.where(is_found, found.x, np.nan)


def _checked_units(control_units: ArrayLike, plan: Plan) -> Floats:
    """Return the users as those of a test with one look, or refuse them."""
    units = np.asarray(control_units, float) / plan.inflation
    smaller = units * min(1, plan.ratio)
    if not (smaller >= MINIMUM_UNITS * (1 - 1e-12)).all():
        raise ValueError(
            f"each arm needs at least {MINIMUM_UNITS} users, got "
            f"{smaller.min():g}"
        )
    return units


def _checked_effect(effect: ArrayLike) -> Floats:
    """Return the effect as an array, or refuse it."""
    delta = np.asarray(effect, float)
    if not ((delta != 0) & np.isfinite(delta)).all():
        raise ValueError("effect must be finite and not 0: no test finds none")
    return delta


def _checked_rates(
    control_rate: ArrayLike, treatment_rate: ArrayLike
) -> tuple[Floats, Floats]:
    """Return the rates as arrays, or refuse them by name and value."""
    p0, p1 = np.asarray(control_rate, float), np.asarray(treatment_rate, float)
    for name, rate in (("control_rate", p0), ("treatment_rate", p1)):
        if not ((rate > 0) & (rate < 1)).all():
            raise ValueError(f"{name} must be in (0, 1), got {rate}")
    return p0, p1


def _left(variance: ArrayLike, plan: Plan) -> Floats:
    """Return the variance that adjustment leaves, or refuse it."""
    raw = np.asarray(variance, float)
    if not ((raw > 0) & np.isfinite(raw)).all():
        raise ValueError(
            f"variance must be positive and finite, got {raw.min()}"
        )
    return np.asarray(raw * plan.variance_ratio, float)


def _per_control(plan: Plan) -> float:
    """Return the variances of both arms per control user."""
    return 1 + 1 / plan.ratio


def _shift(plan: Plan) -> float:
    """Return the expected z that gives the power."""
    return normal_quantile(plan.level) + float(ndtri(plan.power))


def _degrees(units: Floats, plan: Plan) -> Floats:
    """Return Welch's degrees of freedom for arms of equal variance."""
    n0, n1 = units, units * plan.ratio
    square = (1 / n0 + 1 / n1) ** 2
    degrees = square / (1 / (n0**2 * (n0 - 1)) + 1 / (n1**2 * (n1 - 1)))
    return np.asarray(degrees, float)


def _power(shift: Floats, units: Floats, plan: Plan) -> Floats:
    """Give the two-sided power of a t-test at an expected z."""
    degrees = _degrees(units, plan)
    critical = -stdtrit(degrees, plan.level / 2)
    above = nctdtr(degrees, shift, critical)
    below = nctdtr(degrees, shift, -critical)
    # Far in a tail, below 1e-13, it may give nan.
    return np.asarray(1 - np.nan_to_num(above) + np.nan_to_num(below), float)


def _spread(p0: Floats, p1: Floats, plan: Plan) -> Floats:
    """Give the standard deviation of the difference, per control user."""
    both = p0 * (1 - p0) + p1 * (1 - p1) / plan.ratio
    return np.asarray(np.sqrt(plan.variance_ratio * both), float)


def _size(units: Floats, plan: Plan) -> Size:
    """Count both arms, inflated for the looks."""
    control = np.asarray(units * plan.inflation, float)
    # What rounding put above a whole number is no user.
    whole = [np.ceil(n * (1 - 1e-12)) for n in (control, control * plan.ratio)]
    return Size(control, np.asarray(sum(whole), float))
