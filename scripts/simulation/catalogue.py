"""The titles of the service and how users pick one.

Pure functions of a generator: nothing read or written.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.config import GENRES, SimulationConfig

LANGUAGES = ("en", "es", "fr", "de", "hi", "pt", "ja", "ko")
LANGUAGE_SHARES = (0.46, 0.12, 0.09, 0.09, 0.08, 0.06, 0.05, 0.05)

# Popularity and typical running time in minutes, in the order of GENRES.
GENRE_WEIGHTS = np.array(
    [0.17, 0.16, 0.12, 0.07, 0.11, 0.07, 0.07, 0.09, 0.05, 0.03, 0.03, 0.03]
)
GENRE_MINUTES = np.array([52, 26, 48, 50, 95, 90, 55, 47, 22, 88, 35, 60])

FIRST_WORDS = """
    Amber Ancient Autumn Bitter Blue Borrowed Broken Burning Careful Cold
    Crimson Crooked Distant Early Electric Empty Endless Fallen Final Golden
    Gentle Hidden Hollow Iron Last Little Lost Lucky Midnight Narrow New
    Northern Open Paper Patient Quiet Restless Second Secret Silent Silver
    Slow Southern Stolen Summer Velvet Wild Winter
"""
SECOND_WORDS = """
    Archive Avenue Bridge Canyon Circle City Coast Company Corner Country
    Crossing Daughter Door Empire Engine Family Field Forest Frontier Garden
    Guest Harbour Horizon House Island Journey Kitchen Lake Letter Light
    Machine Market Mirror Morning Mountain Neighbour Ocean Orchard Promise
    River Room Signal Station Storm Street Tower Valley Window
"""


@dataclass(frozen=True)
class Catalogue:
    """Titles as columns; position i is content id number i + 1."""

    names: list[str]  # titles, unique
    genres: NDArray[np.int64]  # (n_titles,): position in GENRES, ascending
    languages: NDArray[np.int64]  # (n_titles,): position in LANGUAGES
    # (n_titles,): Running time in seconds, 600 to 9,000.
    durations: NDArray[np.int64]
    # (n_titles,): Release in days relative to day 0, negative.
    release_days: NDArray[np.int64]
    # (n_titles,): Genre number plus cumulative popularity within the genre.
    cumulative: NDArray[np.float64]

    def pick(
        self, genres: NDArray[np.int64], luck: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Pick a title of each genre by popularity; `luck` is in [0, 1)."""
        found = np.searchsorted(self.cumulative, genres + luck, side="right")
        return np.minimum(found, len(self.cumulative) - 1)


def draw_catalogue(
    config: SimulationConfig, rng: np.random.Generator
) -> Catalogue:
    """Draw `config.titles` titles; every genre has at least one.

    Raises
    ------
    ValueError
        If there are not enough names for so many titles.
    """
    firsts, seconds = FIRST_WORDS.split(), SECOND_WORDS.split()
    most = len(firsts) * len(seconds)
    if not len(GENRES) <= config.titles <= most:
        raise ValueError(
            f"titles must be between {len(GENRES)} and {most}, "
            f"got {config.titles}"
        )
    names = [f"{first} {second}" for first in firsts for second in seconds]
    order = rng.permutation(most)[: config.titles]

    genres = np.sort(
        np.concatenate(
            [
                np.arange(len(GENRES)),
                rng.choice(
                    len(GENRES),
                    config.titles - len(GENRES),
                    p=GENRE_WEIGHTS / GENRE_WEIGHTS.sum(),
                ),
            ]
        )
    )
    minutes = GENRE_MINUTES[genres] * rng.lognormal(0, 0.2, config.titles)
    cumulative = np.empty(config.titles)
    for genre in range(len(GENRES)):
        members = np.flatnonzero(genres == genre)
        weights = np.arange(1.0, len(members) + 1) ** (
            -config.popularity_exponent
        )
        rng.shuffle(weights)
        cumulative[members] = genre + np.cumsum(weights) / weights.sum()
        # The last title must catch every number below the next genre.
        cumulative[members[-1]] = genre + 1

    return Catalogue(
        names=[names[position] for position in order],
        genres=genres,
        languages=rng.choice(len(LANGUAGES), config.titles, p=LANGUAGE_SHARES),
        durations=np.clip(minutes * 60, 600, 9_000).astype(np.int64),
        release_days=-rng.integers(1, 6_000, config.titles),
        cumulative=cumulative,
    )


def draw_genre_orders(
    users: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Order all genres for each user, popular ones rather early.

    Each row is a permutation of the positions in GENRES.
    """
    arrivals = rng.exponential(size=(users, len(GENRES))) / GENRE_WEIGHTS
    return np.argsort(arrivals, axis=1)
