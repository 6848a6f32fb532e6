"""Planted worlds in which the effect of exploring genres is known.

In a world, latent activity decides how much a user plays and whether the user
comes back; taste, which has nothing to do with activity, decides how many
genres those plays reach. So explorers come back more often even where exploring
does nothing. Users are drawn all at once and summed to the rows of
``fct_genre_cells``.

Pure functions of a seed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from coverage_check.shares import share_row
from genres.comparison import exploration_rows, shuffled_within, studied
from stats.observed.causal import (
    Contrast,
    as_they_are,
    contrast,
    doubly_robust,
    outcome_regression,
    weighting,
)

Integers = NDArray[np.int64]

USERS = 12_000
EXPLORER_GENRES = 4
LEAST_PLAYS = 4
FOLDS = 5
BANDS = np.array([*range(1, 13), 14, 17, 20, 30, 50])
# Chance that the next play opens a genre, by genres known; narrow and broad.
OPENINGS = np.array([[0.25, 0.12, 0.06], [0.5, 0.3, 0.2]])
BROAD_SHARE = 0.3


class Answers(NamedTuple):
    """Explorers against others in one world."""

    naive: Contrast  # as they are
    headline: Contrast  # by the estimator that is quoted


class Replicate(NamedTuple):
    """All that is estimated in one world."""

    # Explorers against others, by three estimators.
    regression: Contrast
    weights: Contrast
    headline: Contrast
    shuffled: Contrast  # the headline's estimator on the negative control
    # Of exploring shuffled within strata of plays and days.
    permutation_p: float


def world(seed: int, ratio: float = 1.0, users: int = USERS) -> pd.DataFrame:
    """Draw a world and sum it to the rows of ``fct_genre_cells``.

    Exploring multiplies everybody's chance of coming back by the ratio, the
    planted effect. Users with fewer than `LEAST_PLAYS` plays are not compared.
    """
    rng = np.random.default_rng(seed)
    platform = rng.choice(["ios", "tv"], users, p=[0.7, 0.3])
    channel = rng.choice(["organic", "paid"], users, p=[0.6, 0.4])
    activity = rng.gamma(1.5, 1 / 1.5, users)
    activity *= np.where(platform == "tv", 1.2, 1.0)
    activity *= np.where(channel == "paid", 0.8, 1.0)
    habit = 0.7 * -np.expm1(-0.7 * activity)
    days = 1 + rng.binomial(2, habit)
    plays = days + rng.poisson(3.5 * activity * days)
    taste = (rng.random(users) < BROAD_SHARE).astype(int)
    # Other genres open as the first three did; no more than eight matter.
    known = np.minimum(np.arange(8), 2)
    opened = np.cumsum(rng.geometric(OPENINGS[taste][:, known]), axis=1)
    genres = 1 + (opened < plays[:, None]).sum(axis=1)
    chance = 0.35 * habit * np.where(genres >= EXPLORER_GENRES, ratio, 1.0)
    is_back = rng.random(users) < chance
    # Days 3 to 6 as habit has it, and the outcome day as it came out.
    later_days = rng.binomial(4, 0.5 * habit) + is_back
    later = later_days + rng.poisson(3.5 * activity * later_days)
    everywhere = 1 + (opened < (plays + later)[:, None]).sum(axis=1)
    # A shuffled map opens genres by chance, whatever the taste.
    chances = np.cumsum(rng.geometric(0.2, (users, 8)), axis=1)
    shuffled = 1 + (chances < plays[:, None]).sum(axis=1)
    base = pd.DataFrame(
        {
            "valid_play_band": _banded(plays),
            "active_day_count": days,
            "session_band": 0,
            "watched_band_seconds": 0,
            "platform_group": platform,
            "country_group": "other",
            "channel_group": channel,
            "cohort_span_number": 1,
            "is_weekend_start": False,
            "fold_number": rng.integers(0, FOLDS, users),
            "eligible_users": 1,
            "retained_users": is_back.astype(int),
        }
    )[plays >= LEAST_PLAYS]
    counts = {
        "genres": genres,
        "shuffled_genres": shuffled,
        "overlapping_genres": everywhere,
    }
    frames = [
        base.assign(
            exploration_name=name,
            genre_level=np.minimum(count, EXPLORER_GENRES)[base.index],
        )
        for name, count in counts.items()
    ]
    frame = pd.concat(frames, ignore_index=True)
    keys = [name for name in frame if not str(name).endswith("_users")]
    summed = frame.groupby(keys, sort=True).sum().reset_index()
    return summed.assign(is_explorer=summed["genre_level"] >= EXPLORER_GENRES)


def _banded(plays: Integers) -> Integers:
    return BANDS[np.searchsorted(BANDS, plays, side="right") - 1]


def answers(frame: pd.DataFrame, exploration: str = "genres") -> Answers:
    """Answer a world's question plainly and by the headline's estimator."""
    study = studied(exploration_rows(frame, exploration))
    return Answers(
        contrast(as_they_are(study.cells)),
        contrast(doubly_robust(study.cells, study.crossed)),
    )


def replicate(seed: int, ratio: float = 1.0) -> Replicate:
    """Estimate everything in one world; see `world` for the arguments."""
    frame = world(seed, ratio)
    study = studied(exploration_rows(frame, "genres"), is_whole_needed=True)
    return Replicate(
        regression=contrast(outcome_regression(study.cells, study.whole)),
        weights=contrast(weighting(study.cells, study.whole)),
        headline=contrast(doubly_robust(study.cells, study.crossed)),
        shuffled=answers(frame, "shuffled_genres").headline,
        permutation_p=shuffled_within(study.cells).p_value,
    )


def coverage_rows(seeds: int) -> list[dict[str, Any]]:
    """Find how often intervals hold what was planted.

    Worlds of each kind are seeded from 0. Rows are those of `share_row`.

    Raises
    ------
    ValueError
        If there are no seeds.
    """
    if seeds < 1:
        raise ValueError(f"seeds must be at least 1, got {seeds}")
    nothing = [replicate(seed) for seed in range(seeds)]
    planted = [replicate(seed, ratio=1.2) for seed in range(seeds)]
    alarms = [one.permutation_p < 0.05 for one in nothing]  # noqa: PLR2004
    held = [holds_ratio(one.headline, 1.2) for one in planted]

    def zero_row(name: str, estimator: str) -> dict[str, Any]:
        found = [holds_zero(getattr(one, estimator)) for one in nothing]
        return share_row(f"genres_{name}_interval_holds_zero", 0.95, found)

    return [
        zero_row("null_aipw", "headline"),
        zero_row("null_regression", "regression"),
        zero_row("null_weighting", "weights"),
        share_row("genres_null_permutation_alarm", 0.05, alarms),
        zero_row("shuffled_map", "shuffled"),
        share_row("genres_planted_ratio_in_aipw_interval", 0.95, held),
    ]


def holds_zero(found: Contrast) -> bool:
    """Tell whether the interval of the difference holds zero."""
    return found.ci_low <= 0 <= found.ci_high


def holds_ratio(found: Contrast, ratio: float) -> bool:
    """Tell whether the interval of the ratio holds a ratio."""
    return found.ratio_ci_low <= ratio <= found.ratio_ci_high
