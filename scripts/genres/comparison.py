"""The users compared by genres explored, ready to be estimated from.

Pure functions: rows of ``fct_genre_cells`` in, cells and models out. What
makes users alike, and what must not, is decided in
docs/decisions/0009-genres-and-retention.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from stats.observed.causal import Models, fitted_models
from stats.observed.cells import Cells, cells_of
from stats.observed.trends import Trend, permuted
from stats.reasons import first_reason

VOLUME = (
    "valid_play_band",
    "active_day_count",
    "session_band",
    "watched_band_seconds",
)
SEGMENTS = (
    "platform_group",
    "country_group",
    "channel_group",
    "cohort_span_number",
    "is_weekend_start",
)
ALIKE = (*VOLUME, *SEGMENTS)

# What a model of each group needs to be worth fitting.
MINIMUM_GROUP = 30  # users
MINIMUM_OUTCOMES = 5  # users with the outcome, and without it


class Study(NamedTuple):
    """Cells of one question and the models fitted on them.

    Attributes
    ----------
    cells : Cells
        Users by kind, fold and level.
    crossed, whole : Models
        Models that have not learnt from those they judge, and models of
        everybody; empty when there is a reason.
    reason : str or None
        Why nothing can be estimated.
    """

    cells: Cells
    crossed: Models
    whole: Models
    reason: str | None


NO_MODELS = Models(np.empty((0, 0, 0)), np.empty((0, 0, 0)))


def exploration_rows(frame: pd.DataFrame, exploration: str) -> pd.DataFrame:
    """Choose the rows of one exploration."""
    return frame[frame["exploration_name"] == exploration]


def explorer_edge(frame: pd.DataFrame) -> int:
    """Find how many genres make an explorer; more than any if none is one."""
    explorers = frame.loc[frame["is_explorer"].astype(bool), "genre_level"]
    if explorers.empty:
        return int(frame["genre_level"].max()) + 1 if len(frame) else 1
    return int(explorers.min())


def studied(
    frame: pd.DataFrame,
    covariates: Sequence[str] = ALIKE,
    edges: Sequence[int] | None = None,
    *,
    is_whole_needed: bool = False,
) -> Study:
    """Gather cells and fit their models.

    Parameters
    ----------
    frame : DataFrame
        Rows of ``fct_genre_cells`` of one exploration.
    covariates : sequence of str, default ALIKE
        What makes users alike.
    edges : sequence of int, optional
        As in `cells_of`; explorers against others by default.
    is_whole_needed : bool, default False
        Whether to fit the models of everybody too.

    Returns
    -------
    Study
    """
    cells = cells_of(
        frame,
        covariates,
        [explorer_edge(frame)] if edges is None else edges,
        [name for name in covariates if name in VOLUME],
    )
    return fitted(cells, is_whole_needed=is_whole_needed)


def fitted(cells: Cells, *, is_whole_needed: bool = False) -> Study:
    """Fit the models of cells, or say why not; see `studied`."""
    reason = obstacle(cells)
    if reason:
        return Study(cells, NO_MODELS, NO_MODELS, reason)
    whole = NO_MODELS
    if is_whole_needed:
        whole = fitted_models(cells, is_cross_fitted=False)
    return Study(cells, fitted_models(cells, is_cross_fitted=True), whole, None)


def comparison(frame: pd.DataFrame) -> Study:
    """Study the question itself: genres, users alike in all covariates.

    Parameters
    ----------
    frame : DataFrame
        All rows of ``fct_genre_cells``.

    Returns
    -------
    Study
    """
    return studied(exploration_rows(frame, "genres"), is_whole_needed=True)


def obstacle(cells: Cells) -> str | None:
    """Say what stands against fitting models to cells, if anything does."""
    levels = np.eye(cells.level_count)[cells.level]
    units, successes = cells.units @ levels, cells.successes @ levels
    whole = cells.totals(cells.units).sum(axis=0)
    reason = first_reason(
        {
            "no_users": not units.sum(),
            "no_explorers": not units[-1],
            "no_others": not units[:-1].any(),
            "zero_variance": not 0 < successes.sum() < units.sum(),
            "too_few_units": units.min() < MINIMUM_GROUP,
            "too_few_outcomes": min(successes.min(), (units - successes).min())
            < MINIMUM_OUTCOMES,
            # Some users are judged by models of the others alone.
            "too_few_folds": (whole.sum(axis=0) == whole).any(),
        }
    )
    return str(reason) or None


def shuffled_within(cells: Cells) -> Trend:
    """Shuffle who explores among users with the same plays and days."""
    keys = list(VOLUME[:2])
    stratum = cells.covariates.groupby(keys).ngroup().to_numpy()[cells.kind]
    counts = [
        np.bincount(stratum, numbers * (cells.level == level))
        for level in (1, 0)
        for numbers in (cells.successes, cells.units)
    ]
    return permuted(*counts)


def by_activity(cells: Cells) -> dict[str, Cells]:
    """Cut users into a light, a middle and a busy third by valid plays.

    Whole bands are kept together, so that the thirds are only about equal; a
    log of few bands may have fewer.

    Examples
    --------
    >>> frame = pd.DataFrame(
    ...     {
    ...         "valid_play_band": [4, 5, 6, 7],
    ...         "fold_number": 0,
    ...         "genre_level": 1,
    ...         "eligible_users": [30, 30, 20, 10],
    ...         "retained_users": 1,
    ...     }
    ... )
    >>> thirds = by_activity(cells_of(frame, ["valid_play_band"], [4]))
    >>> {name: int(part.units.sum()) for name, part in thirds.items()}
    {'light': 30, 'middle': 30, 'busy': 30}
    """
    band = cells.covariates["valid_play_band"].to_numpy()
    users = np.bincount(cells.kind, cells.units, len(band))
    bands = np.unique(band)
    by_band = np.array([users[band == each].sum() for each in bands])
    # A band belongs to the third that its middle user is in.
    middle = (np.cumsum(by_band) - by_band / 2) / max(users.sum(), 1)
    third = np.minimum((3 * middle).astype(int), 2)
    return {
        name: cells.only(np.isin(band, bands[third == number]))
        for number, name in enumerate(("light", "middle", "busy"))
        if (third == number).any()
    }
