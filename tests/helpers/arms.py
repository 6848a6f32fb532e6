"""Rows of users, the aggregates of them, and other people's answers."""

import numpy as np
import tea_tasting as tt
from tea_tasting.aggr import Aggregates

from stats.arms.comparisons import Sample
from stats.arms.moments import Moments


def sample_of(values):
    return Sample(len(values), values.mean(), values.var(ddof=1))


def moments_of(rows):
    """Aggregates of rows of shape (n_users, n_variables)."""
    return Moments(
        len(rows), rows.mean(axis=0), np.atleast_2d(np.cov(rows, rowvar=False))
    )


def stacked(groups):
    """Groups, one below the other, for one vectorised call."""
    return Moments(*(np.stack(part) for part in zip(*groups, strict=True)))


def aggregates_of(moments, names):
    """The same aggregates, in the words of tea-tasting."""
    units, means, covariances = moments
    pairs = [(i, j) for i in range(len(names)) for j in range(i)]
    return Aggregates(
        count_=int(units),
        mean_={name: float(means[i]) for i, name in enumerate(names)},
        var_={name: float(covariances[i, i]) for i, name in enumerate(names)},
        cov_={
            tuple(sorted((names[i], names[j]))): float(covariances[i, j])
            for i, j in pairs
        },
    )


def answer_of_tea_tasting(metric, control, treatment, names):
    arms = {
        0: aggregates_of(control, names),
        1: aggregates_of(treatment, names),
    }
    with np.errstate(all="ignore"):
        return tt.Experiment(value=metric).analyze(arms, control=0)["value"]


def numbers_of(found):
    """What tea-tasting says of a difference, too."""
    return (
        found.estimate,
        found.ci_low,
        found.ci_high,
        found.statistic,
        found.p_value,
    )


def numbers_of_tea_tasting(expected):
    return (
        expected.effect_size,
        expected.effect_size_ci_lower,
        expected.effect_size_ci_upper,
        expected.statistic,
        expected.pvalue,
    )


def row(result, i):
    """One comparison out of many, of nested named tuples."""
    if hasattr(result, "_fields"):
        return type(result)(*(row(part, i) for part in result))
    return np.asarray(result)[i]


def first_ranks(units, permilles):
    """Ranks, from 1, at which so many thousandths of the units are reached."""
    return np.maximum(-(-units * np.asarray(permilles) // 1000), 1)
