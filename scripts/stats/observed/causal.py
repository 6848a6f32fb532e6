"""Mean outcomes if everybody were at one level of an exposure, and contrasts.

Four estimators of the same quantities from counts of alike users: outcome
regression, inverse probability weighting, and both together (AIPW), in which
the models that judge a user have not learnt from the user (cross-fitting).
They are causal only if users who are alike differ in nothing else that moves
exposure and outcome. Each estimator returns its means with the covariance of
their influence functions.

Pure functions: arrays in, arrays out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from stats.intervals import Floats, normal_quantile
from stats.observed.cells import Cells
from stats.observed.logistic import (
    LogisticFit,
    fit_logistic,
    gram,
    log_odds,
)

Bools = NDArray[np.bool_]

# Users for whom a level is less likely than this are compared with too few
# others, and are left out: no weight exceeds its inverse.
SMALLEST_PROPENSITY = 0.025
# A prior of variance 10 on each log-odds: nothing to a value that many users
# share, and what keeps the value that few share finite.
RIDGE = 0.1


class Models(NamedTuple):
    """What is expected of users of each kind, by fold and level."""

    propensity: Floats  # (n_kinds, n_folds, n_levels): probability of the level
    # (n_kinds, n_folds, n_levels): Probability of the outcome at the level.
    outcome: Floats


class Means(NamedTuple):
    """Mean outcomes by level in one population."""

    estimate: Floats  # (n_levels,): means; nan when nobody is left
    covariance: Floats  # (n_levels, n_levels): of the estimates
    units: Floats  # (n_levels,): users used, by their own level
    trimmed_rate: float  # share of users left out for want of others like them
    # Equally weighted users who would tell as much; nan without weights.
    effective_units: float
    # Largest weight, 1 being that of a level as likely as among all.
    maximum_weight: float


class Contrast(NamedTuple):
    """One mean against another, as difference and as ratio."""

    # Difference of means.
    estimate: float
    standard_error: float
    ci_low: float
    ci_high: float
    p_value: float  # two-sided, of no difference
    # Ratio of means, its interval on the log scale; nan unless both means are
    # positive.
    ratio: float
    ratio_ci_low: float
    ratio_ci_high: float


def contrast(
    means: Means, level: int = 1, reference: int = 0, alpha: float = 0.05
) -> Contrast:
    """Compare the means of two levels.

    One of two levels or more against another; `alpha` is the two-sided
    significance level, in (0, 1).

    Examples
    --------
    >>> means = Means(
    ...     np.array([0.1, 0.12]), np.eye(2) * 1e-4, np.ones(2), 0.0, 2.0, 1.0
    ... )
    >>> found = contrast(means)
    >>> round(found.estimate, 3), round(found.standard_error, 4)
    (0.02, 0.0141)
    """
    quantile = normal_quantile(alpha)
    pair = [level, reference]
    one, other = means.estimate[pair]
    spread = means.covariance[np.ix_(pair, pair)]
    step = np.array([1.0, -1.0])
    # A variance of nothing may come out as less than nothing by rounding.
    error = float(np.sqrt(max(step @ spread @ step, 0.0)))
    difference = float(one - other)
    statistic = difference / error if error > 0 else np.nan
    ratio = low = high = np.nan
    if one > 0 and other > 0:
        slopes = np.array([1 / one, -1 / other])
        reach = quantile * np.sqrt(max(slopes @ spread @ slopes, 0.0))
        ratio = one / other
        low, high = ratio * np.exp(-reach), ratio * np.exp(reach)
    return Contrast(
        estimate=difference,
        standard_error=error,
        ci_low=difference - quantile * error,
        ci_high=difference + quantile * error,
        p_value=float(2 * ndtr(-abs(statistic))),
        ratio=float(ratio),
        ratio_ci_low=float(low),
        ratio_ci_high=float(high),
    )


def as_they_are(cells: Cells) -> Means:
    """Average users of each level as they are: nothing is held equal.

    Every level is occupied.
    """
    own = np.eye(cells.level_count)[cells.level]
    units, successes = cells.units @ own, cells.successes @ own
    rate = successes / units
    return Means(
        rate,
        np.diag(rate * (1 - rate) / units),
        units,
        0.0,
        float(units.sum()),
        1.0,
    )


def fitted_models(
    cells: Cells, *, is_cross_fitted: bool, ridge: float = RIDGE
) -> Models:
    """Fit who is at which level, and what becomes of them there.

    There are at least two levels, each of them occupied. Cross-fitted, users of
    a fold are judged by models of the other folds; else models are the same in
    every fold. The ridge is that of `fit_logistic`.
    """
    units, successes = cells.totals(cells.units), cells.totals(cells.successes)
    shape = units.shape
    propensity, outcome = np.empty(shape), np.empty(shape)
    levels = range(1, shape[2]) if shape[2] == 2 else range(shape[2])  # noqa: PLR2004
    whole, won = units.sum(axis=1), successes.sum(axis=1)
    design = cells.design

    def refitted(
        first: LogisticFit, hits: Floats, trials: Floats
    ) -> LogisticFit:
        if not is_cross_fitted:
            return first
        return fit_logistic(design, hits, trials, ridge, first.coefficients)

    first = {
        level: (
            fit_logistic(design, whole[:, level], whole.sum(axis=1), ridge)
            if level in levels
            else None,
            fit_logistic(design, won[:, level], whole[:, level], ridge),
        )
        for level in range(shape[2])
    }
    for fold in range(shape[1]):
        n = whole - units[:, fold] if is_cross_fitted else whole
        x = won - successes[:, fold] if is_cross_fitted else won
        for level, (placing, returning) in first.items():
            if placing is not None:
                own = refitted(placing, n[:, level], n.sum(axis=1))
                propensity[:, fold, level] = own.predict(design)
            own = refitted(returning, x[:, level], n[:, level])
            outcome[:, fold, level] = own.predict(design)
    if shape[2] == 2:  # noqa: PLR2004
        propensity[:, :, 0] = 1 - propensity[:, :, 1]
    else:
        propensity /= propensity.sum(axis=2, keepdims=True)
    return Models(propensity, outcome)


def has_overlap(propensity: Floats) -> Bools:
    """Tell for whom every level is likely enough."""
    return np.asarray((propensity >= SMALLEST_PROPENSITY).all(axis=-1))


class _Rows(NamedTuple):
    """The rows of users with overlap, and what is expected of them."""

    used: Bools
    level: NDArray[np.int64]
    own: Floats
    units: Floats
    successes: Floats
    propensity: Floats
    outcome: Floats
    trimmed_rate: float


def _rows(cells: Cells, models: Models) -> _Rows:
    e = models.propensity[cells.kind, cells.fold]
    used = has_overlap(e)
    total = cells.units.sum()
    return _Rows(
        used,
        cells.level[used],
        np.eye(cells.level_count)[cells.level[used]],
        cells.units[used],
        cells.successes[used],
        e[used],
        models.outcome[cells.kind, cells.fold][used],
        float(cells.units[~used].sum() / total) if total else 0.0,
    )


def _means(rows: _Rows, estimate: Floats, covariance: Floats) -> Means:
    """Put means together, with what the weights are worth."""
    by_level = rows.own.T @ rows.units
    weight = rows.own @ (by_level / rows.units.sum())
    weight = weight / (rows.propensity * rows.own).sum(axis=1)
    mass = rows.own.T @ (rows.units * weight)
    square = rows.own.T @ (rows.units * weight**2)
    return Means(
        estimate,
        covariance,
        by_level,
        rows.trimmed_rate,
        float((mass**2 / square).sum()),
        float(weight.max()),
    )


def _covariance(rows: _Rows | Cells, won: Floats, lost: Floats) -> Floats:
    """Sum the squares of what each user, with outcome or without, adds."""
    return gram(won, rows.successes) + gram(lost, rows.units - rows.successes)


def _nothing(cells: Cells, trimmed_rate: float) -> Means:
    size = cells.level_count
    return Means(
        np.full(size, np.nan),
        np.full((size, size), np.nan),
        np.zeros(size),
        trimmed_rate,
        np.nan,
        np.nan,
    )


def _is_comparable(rows: _Rows) -> bool:
    return bool((rows.own.T @ rows.units > 0).all())


def doubly_robust(cells: Cells, models: Models) -> Means:
    """Average both models' answers over users with overlap (AIPW).

    Models are best cross-fitted; see `fitted_models`. The means are of users
    for whom no level is less likely than `SMALLEST_PROPENSITY`; which these are
    is taken as given.

    References
    ----------
    .. [1] J. M. Robins, A. Rotnitzky, L. P. Zhao (1994), "Estimation of
       regression coefficients when some regressors are not always observed",
       JASA 89(427), 846-866.
    .. [2] V. Chernozhukov et al. (2018), "Double/debiased machine learning
       for treatment and structural parameters", Econometrics Journal 21(1),
       C1-C68.
    .. [3] R. K. Crump, V. J. Hotz, G. W. Imbens, O. A. Mitnik (2009), "Dealing
       with limited overlap in estimation of average treatment effects",
       Biometrika 96(1), 187-199.
    """
    rows = _rows(cells, models)
    if not _is_comparable(rows):
        return _nothing(cells, rows.trimmed_rate)
    m, weight = rows.outcome, rows.own / rows.propensity
    x, n = rows.successes[:, None], rows.units[:, None]
    total = rows.units.sum()
    estimate = (n * m + weight * (x - n * m)).sum(axis=0) / total
    covariance = _covariance(
        rows,
        (m + weight * (1 - m) - estimate) / total,
        (m - weight * m - estimate) / total,
    )
    return _means(rows, estimate, covariance)


def doubly_robust_among(cells: Cells, models: Models, level: int) -> Means:
    """Average both models' answers over users who are at one level.

    With two levels this is the effect on those at `level` (ATT), or on those
    who are not (ATU).

    Models are best cross-fitted; see `fitted_models`. The mean at `level`,
    whose users are asked about, is that of these users themselves.

    References
    ----------
    .. [1] J. Hahn (1998), "On the role of the propensity score in efficient
       semiparametric estimation of average treatment effects", Econometrica
       66(2), 315-331.
    """
    rows = _rows(cells, models)
    if not _is_comparable(rows):
        return _nothing(cells, rows.trimmed_rate)
    target = rows.own[:, [level]]
    weight = rows.own * rows.propensity[:, [level]] / rows.propensity
    # At their own level the model is not needed: their outcomes are known.
    m = np.where(np.arange(cells.level_count) == level, 0.0, rows.outcome)
    x, n = rows.successes[:, None], rows.units[:, None]
    total = float(rows.units @ target[:, 0])
    estimate = (n * target * m + weight * (x - n * m)).sum(axis=0) / total
    covariance = _covariance(
        rows,
        (target * (m - estimate) + weight * (1 - m)) / total,
        (target * (m - estimate) - weight * m) / total,
    )
    return _means(rows, estimate, covariance)


def outcome_regression(
    cells: Cells, models: Models, ridge: float = RIDGE
) -> Means:
    """Average the outcome model's answers over users with overlap.

    Also called g-computation, or standardisation by a model. The error counts
    the sampling of users and of the model's coefficients.

    Models are not cross-fitted, and the ridge is the one that they were fitted
    with.

    References
    ----------
    .. [1] J. M. Robins (1986), "A new approach to causal inference in
       mortality studies with a sustained exposure period", Mathematical
       Modelling 7(9-12), 1393-1512.
    """
    rows = _rows(cells, models)
    if not _is_comparable(rows):
        return _nothing(cells, rows.trimmed_rate)
    total = rows.units.sum()
    estimate = rows.units @ rows.outcome / total
    # Users without overlap are not averaged over, but shaped the model.
    m = models.outcome[cells.kind, cells.fold]
    design, at_level = cells.design[cells.kind], np.eye(cells.level_count)
    told = np.where(rows.used[:, None], m - estimate, 0.0)
    lever = np.empty_like(told)
    for level in range(cells.level_count):
        own = at_level[cells.level, level]
        spread = m[:, level] * (1 - m[:, level])
        heard = gram(design, cells.units * own * spread)
        heard[np.diag_indices_from(heard)] += ridge
        asked = np.einsum("i,ij->j", cells.units * rows.used * spread, design)
        lever[:, level] = own * log_odds(design, np.linalg.solve(heard, asked))
    covariance = _covariance(
        cells, (told + lever * (1 - m)) / total, (told - lever * m) / total
    )
    return _means(rows, estimate, covariance)._replace(
        effective_units=np.nan, maximum_weight=np.nan
    )


def weighting(cells: Cells, models: Models, ridge: float = RIDGE) -> Means:
    """Weight users of each level to look like all users with overlap.

    Weights are stabilised and normalised (Hajek). The error counts that the
    propensity was estimated, which makes it smaller.

    Models are not cross-fitted, and the ridge is the one that they were fitted
    with.

    Raises
    ------
    ValueError
        If there are more than two levels.

    References
    ----------
    .. [1] J. K. Lunceford, M. Davidian (2004), "Stratification and weighting
       via the propensity score in estimation of causal treatment effects",
       Statistics in Medicine 23(19), 2937-2960.
    """
    if cells.level_count != 2:  # noqa: PLR2004
        raise ValueError(f"two levels are needed, got {cells.level_count}")
    rows = _rows(cells, models)
    if not _is_comparable(rows):
        return _nothing(cells, rows.trimmed_rate)
    used = rows.used[:, None]
    share = models.propensity[cells.kind, cells.fold]
    own = np.eye(cells.level_count)[cells.level]
    weight = np.where(used, own / np.where(used, share, 1.0), 0.0)
    mass = cells.units @ weight
    estimate = cells.successes @ weight / mass
    # What the propensity model's coefficients add.
    design = cells.design[cells.kind]
    heard = gram(design, cells.units * share[:, 0] * share[:, 1])
    heard[np.diag_indices_from(heard)] += ridge
    off = cells.successes[:, None] - cells.units[:, None] * estimate
    pull = off * weight * (share[:, ::-1] * np.array([1, -1]))
    asked = np.einsum("ij,il->jl", design, pull)
    drift = np.einsum("ij,jl->il", design, np.linalg.solve(heard, asked))
    drift *= (own - share)[:, [1]]
    covariance = _covariance(
        cells,
        (weight * (1 - estimate) + drift) / mass,
        (drift - weight * estimate) / mass,
    )
    return _means(rows, estimate, covariance)
