"""Group-sequential boundaries: how large z must be at each look.

Alpha is spent as the power family ``alpha * t ** rho`` of the information t,
half of it in each direction. What a look may spend depends only on the
information so far, so looks need not be planned one by one: one may be added,
moved or left out, and the boundaries before it do not change. The level holds
as long as nobody times a look by the effect seen so far.

Pure functions: arrays in, arrays out, nothing read or written.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr, ndtri

from stats.intervals import Floats, check_alpha, normal_quantile

RHO = 2.0  # between Pocock (1) and O'Brien-Fleming (3)
MINIMUM_STEP = 1e-3  # of the planned information; less is no look of its own

_LAST_STEP = 1e-6  # the last look is resolved down to this
_LEAST = 1e-300  # alpha below it is none
_FAR = 38.0  # beyond it the normal tail is 0 in floating point
_WIDEST = 12.0  # no path in 1e32 is further out
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_PANEL = 3.0  # standard deviations of a step that 16 points resolve to 1e-12


class Boundaries(NamedTuple):
    """Two-sided boundaries, one element per look."""

    information: Floats  # (n_looks,): share of the planned information
    spent_alpha: Floats  # (n_looks,): alpha spent up to and with the look
    # (n_looks,): Size of z at which the look rejects; infinite where it does
    # not test. ``estimate ± quantile * standard_error`` is its repeated
    # confidence interval.
    quantile: Floats
    # (n_looks,): False where the look adds less than `MINIMUM_STEP` to the last
    # one that tested, unless it spends the rest, and where nothing is left.
    # What it might have spent is left to the next.
    is_tested: NDArray[np.bool_]


class _Paths(NamedTuple):
    """Paths of ``z * sqrt(time)`` without effect, none beyond a boundary."""

    time: float
    places: Floats
    masses: Floats


class _Step(NamedTuple):
    """From the last look that tests to the look at `time`."""

    paths: _Paths
    time: float

    @property
    def deviation(self) -> float:
        """Standard deviation of the step."""
        return _deviation(self.time - self.paths.time)


_START = _Paths(0.0, np.zeros(1), np.ones(1))


def spending_boundaries(
    information: ArrayLike,
    alpha: float = 0.05,
    rho: float = RHO,
) -> Boundaries:
    """Find the boundary of every look so far.

    Parameters
    ----------
    information : array_like of shape (n_looks,)
        Share of the planned information at each look, such as users so far
        over users planned; rising. The first look that reaches 1 spends all
        that is left, and looks after it do not test.
    alpha : float, default 0.05
        Two-sided significance level of all looks together, in (0, 1).
    rho : float, default 2
        Power of the spending function; positive. The larger, the less is
        spent early.

    Raises
    ------
    ValueError
        If there is no look, information is not positive and rising, `rho` is
        not positive, or `alpha` is not in (0, 1).

    References
    ----------
    .. [1] K. K. G. Lan and D. L. DeMets (1983), "Discrete sequential
       boundaries for clinical trials", Biometrika 70(3), 659-663.
    .. [2] K. Kim and D. L. DeMets (1987), "Design and analysis of group
       sequential tests based on the type I error spending rate function",
       Biometrika 74(1), 149-154.
    .. [3] C. Jennison and B. W. Turnbull (2000), "Group Sequential Methods
       with Applications to Clinical Trials", sections 7.2 and 19.2.

    Examples
    --------
    >>> spending_boundaries([0.2, 0.4, 0.6, 0.8, 1.0]).quantile.round(3)
    array([3.09 , 2.714, 2.473, 2.28 , 2.114])
    """
    check_alpha(alpha)
    times = _checked_information(information)
    if not 0 < rho < np.inf:
        raise ValueError(f"rho must be positive, got {rho}")

    allowed = alpha * np.minimum(times, 1) ** rho
    is_tested = _is_tested(times, allowed, alpha)
    looks = np.flatnonzero(is_tested)
    before = np.append(0.0, allowed[looks[:-1]])
    quantile = np.full(times.shape, np.inf)
    paths = _START
    for position, look in enumerate(looks.tolist()):
        step = _Step(paths, times[look])
        quantile[look] = _quantile(step, allowed[look] - before[position])
        if position + 1 < looks.size:
            paths = _inside(step, quantile[look], times[looks[position + 1]])
    spent = np.maximum.accumulate(np.where(is_tested, allowed, 0.0))
    return Boundaries(times, spent, quantile, is_tested)


def sequential_inflation(
    information: ArrayLike,
    power: float = 0.8,
    alpha: float = 0.05,
    rho: float = RHO,
) -> float:
    """Say how much more information looking costs.

    Parameters
    ----------
    information : array_like of shape (n_looks,)
        Share of the planned information at each look; rising, the last at 1.
    power : float, default 0.8
        Probability to reject in the right direction at any look, in
        (alpha, 1).
    alpha, rho : float
        As for `spending_boundaries`.

    Returns
    -------
    float
        Planned information over that of a test with one look and the same
        power; multiply required users by it.

    Raises
    ------
    ValueError
        If the last information is not 1, `power` is not in (alpha, 1), or as
        `spending_boundaries`.

    References
    ----------
    .. [1] C. Jennison and B. W. Turnbull (2000), "Group Sequential Methods
       with Applications to Clinical Trials", section 7.2.

    Examples
    --------
    >>> round(sequential_inflation([0.2, 0.4, 0.6, 0.8, 1.0]), 3)
    1.063
    """
    found = spending_boundaries(information, alpha, rho)
    if not np.isclose(found.information[-1], 1, rtol=0, atol=1e-9):
        raise ValueError(
            f"the last information must be 1, got {found.information[-1]}"
        )
    if not alpha < power < 1:
        raise ValueError(f"power must be in (alpha, 1), got {power}")
    arrivals = _arrivals(found.information, found.quantile)
    fixed = normal_quantile(alpha) + float(ndtri(power))

    def excess(drift: float) -> float:
        return _crossing(found.quantile, arrivals, drift) - power

    drift = brentq(excess, 0, 3 * fixed + 1, xtol=1e-12)
    return float(drift / fixed) ** 2


def _checked_information(information: ArrayLike) -> Floats:
    """Return the information as an array, or refuse it."""
    times = np.asarray(information, float)
    if times.ndim != 1 or not times.size:
        raise ValueError("information must have one number per look")
    if not (np.isfinite(times).all() and (np.diff(times, prepend=0) > 0).all()):
        raise ValueError(
            "information must be positive and rise from look to look, got "
            f"{times.tolist()}"
        )
    return times


def _is_tested(
    times: Floats, allowed: Floats, alpha: float
) -> NDArray[np.bool_]:
    """Tell which looks have information of their own and alpha to spend."""
    found = np.zeros(times.shape, bool)
    time = spent = 0.0
    for look in range(times.size):
        # The look that spends the rest must test, however little is new.
        is_due = times[look] - time >= MINIMUM_STEP or allowed[look] >= alpha
        if is_due and allowed[look] - spent > _LEAST:
            found[look] = True
            time, spent = times[look], allowed[look]
    return found


def _arrivals(times: Floats, bounds: Floats) -> dict[int, _Step]:
    """Give the step to each look that tests."""
    looks = np.flatnonzero(np.isfinite(bounds)).tolist()
    found: dict[int, _Step] = {}
    paths = _START
    for look, after in zip(looks, [*looks[1:], None], strict=True):
        step = _Step(paths, times[look])
        found[look] = step
        if after is not None:
            paths = _inside(step, bounds[look], times[after])
    return found


def _crossing(
    bounds: Floats, arrivals: dict[int, _Step], drift: float
) -> float:
    """Give the probability to cross above at any look.

    Paths without effect are weighed by their likelihood ratio.
    """
    total = 0.0
    for look, step in arrivals.items():
        paths = step.paths
        ratio = np.exp(drift * paths.places - drift**2 * paths.time / 2)
        ahead = paths.places + drift * (step.time - paths.time)
        bound = bounds[look] * np.sqrt(step.time)
        above = ndtr((ahead - bound) / step.deviation)
        total += float((ratio * above) @ paths.masses)
    return total


def _quantile(step: _Step, budget: float) -> float:
    """Find the boundary that is crossed with probability `budget`."""
    places, masses = step.paths.places, step.paths.masses
    scale = np.sqrt(step.time)

    def excess(quantile: float) -> float:
        # By symmetry, twice the upper side. In logs: no underflow far out.
        tails = log_ndtr((places - quantile * scale) / step.deviation)
        top = tails.max()
        return float(top + log(2 * (np.exp(tails - top) @ masses) / budget))

    return float(brentq(excess, 0, _FAR, xtol=1e-12))


def _inside(step: _Step, quantile: float, after: float) -> _Paths:
    """Follow the paths that stay inside, to be read at time `after`.

    Gauss-Legendre points in panels as narrow as the densities can change: by
    the step that led here, and by the one that leads on.
    """
    edge = min(quantile, _WIDEST) * np.sqrt(step.time)
    finest = min(step.deviation, _deviation(after - step.time))
    panels = int(np.ceil(2 * edge / (_PANEL * finest)))
    half = edge / panels
    centres = np.linspace(half - edge, edge - half, panels)
    places = (centres[:, np.newaxis] + half * _POINTS).ravel()
    weights = np.tile(half * _WEIGHTS, panels)
    kernel = (places[:, np.newaxis] - step.paths.places) / step.deviation
    kernel *= kernel
    kernel *= -0.5
    density = np.exp(kernel, out=kernel) @ step.paths.masses
    density /= step.deviation * np.sqrt(2 * np.pi)
    return _Paths(step.time, places, weights * density)


def _deviation(gap: float) -> float:
    """Return the standard deviation of the path over a gap of information."""
    return float(np.sqrt(max(gap, _LAST_STEP)))
