"""Users who are alike, as counts: what the adjusted estimates compute with.

Pure functions: frames and arrays in, arrays out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stats.intervals import Floats

Integers = NDArray[np.int64]

FOLD, LEVEL = "fold_number", "genre_level"
COUNTS = ["eligible_users", "retained_users"]


class Cells(NamedTuple):
    """Counts of users by kind, fold and level of the exposure.

    A kind is a combination of covariates; a row is a kind, fold and level that
    occurs.
    """

    covariates: pd.DataFrame  # n_kinds rows: what makes users of a kind alike
    # (n_kinds, n_columns): Intercept and indicators of the covariates' values,
    # for models.
    design: Floats
    # (n_rows,): Positions: a row of `design`, a fold, a level from 0.
    kind: Integers
    fold: Integers
    level: Integers
    # (n_rows,): Users, and those of them with the outcome.
    units: Floats
    successes: Floats
    # How many levels and folds there are.
    level_count: int
    fold_count: int

    def totals(self, counts: Floats) -> Floats:
        """Sum counts of rows to an array by kind, fold and level."""
        shape = (len(self.design), self.fold_count, self.level_count)
        place = np.ravel_multi_index((self.kind, self.fold, self.level), shape)
        summed = np.bincount(place, counts, int(np.prod(shape)))
        return np.asarray(summed, float).reshape(shape)

    def only(self, is_kept: NDArray[np.bool_]) -> Cells:
        """Keep some of the kinds."""
        rows = is_kept[self.kind]
        number = np.cumsum(is_kept) - 1
        return self._replace(
            covariates=self.covariates[is_kept].reset_index(drop=True),
            design=self.design[is_kept],
            kind=number[self.kind[rows]],
            fold=self.fold[rows],
            level=self.level[rows],
            units=self.units[rows],
            successes=self.successes[rows],
        )


def cells_of(
    frame: pd.DataFrame,
    covariates: Sequence[str],
    edges: Sequence[int],
    smooth: Sequence[str] = (),
) -> Cells:
    """Gather a frame of counts into kinds of users who are alike.

    Parameters
    ----------
    frame : DataFrame
        `covariates`, ``fold_number``, ``genre_level``, ``eligible_users`` and
        ``retained_users``; several rows of one kind, fold and level are added.
    covariates : sequence of str
        Columns that make users alike.
    edges : sequence of int
        The lowest ``genre_level`` of every level but the first, ascending:
        ``[4]`` sets four and more against fewer.
    smooth : sequence of str, optional
        Covariates that are numbers: besides its indicators each gives the
        design its logarithm, so that a ridge draws bands of few users to a
        line instead of to the most frequent band.

    Examples
    --------
    >>> frame = pd.DataFrame(
    ...     {
    ...         "plays": [4, 4, 5],
    ...         "fold_number": [0, 0, 1],
    ...         "genre_level": [1, 4, 2],
    ...         "eligible_users": [10, 5, 3],
    ...         "retained_users": [1, 2, 0],
    ...     }
    ... )
    >>> cells = cells_of(frame, ["plays"], [4])
    >>> cells.design.tolist(), cells.level.tolist()
    ([[1.0, 0.0], [1.0, 1.0]], [0, 1, 0])
    """
    names = list(covariates)
    level = np.searchsorted(list(edges), frame[LEVEL], side="right")
    summed = (
        frame.assign(**{LEVEL: level})
        .groupby([*names, FOLD, LEVEL], sort=True)[COUNTS]
        .sum()
        .reset_index()
    )
    if names:
        grouped = summed.groupby(names, sort=True)
        kind = np.asarray(grouped.ngroup(), np.int64)
        kinds = grouped[COUNTS[0]].sum().reset_index()
    else:
        kind = np.zeros(len(summed), np.int64)
        kinds = summed[COUNTS].sum().to_frame().T
    return Cells(
        covariates=kinds[names],
        design=_design(kinds[names], kinds[COUNTS[0]], smooth),
        kind=kind,
        fold=summed[FOLD].to_numpy(np.int64),
        level=summed[LEVEL].to_numpy(np.int64),
        units=summed[COUNTS[0]].to_numpy(float),
        successes=summed[COUNTS[1]].to_numpy(float),
        level_count=len(edges) + 1,
        fold_count=int(summed[FOLD].max()) + 1 if len(summed) else 0,
    )


def _design(
    covariates: pd.DataFrame, units: pd.Series, smooth: Sequence[str]
) -> Floats:
    """Give every value but the most frequent of a covariate a column."""
    columns = [np.ones(len(covariates))]
    for name in covariates:
        values = covariates[name]
        users = units.groupby(values).sum()
        columns += [
            (values == value).to_numpy(float)
            for value in users.index
            if value != users.idxmax()
        ]
        if name in smooth and len(users) > 1:
            line = np.log1p(values.to_numpy(float))
            centre = np.average(line, weights=units)
            spread = np.average((line - centre) ** 2, weights=units) ** 0.5
            columns.append((line - centre) / spread)
    return np.column_stack(columns)
