"""Lay valid plays out in time as play, pause and skip events.

Sessions are kept apart by construction: inside a session no two events are
more than 30 minutes apart; the callers keep sessions further apart than that.
Pure functions of a generator: nothing read or written.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.catalogue import Catalogue

Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]
PLAY, PAUSE, SKIP = range(3)

# Seconds. A valid play lasts at least VALID, one second above the 30 that
# the definition asks for; a sampled title at most SAMPLED_MOST.
VALID = 31
SESSION_GAP = 1_800
WATCHED_MOST = 1_500
SAMPLED_LEAST, SAMPLED_MOST = 3, 25
CHOOSING_MOST = 6
PAUSED_MOST = 240


@dataclass(frozen=True)
class Habits:
    """How a group of users handles the player; shares in [0, 1]."""

    # Plays preceded by a title that is skipped within 25 seconds.
    sampled_share: float
    # Plays ended by a pause and by a late skip; the rest has no stop event.
    paused_share: float
    skipped_share: float
    watched_median: float  # median seconds from a play to its stop or successor


@dataclass(frozen=True)
class Events:
    """Events in order of user and time; all arrays have the same length."""

    user: Integers  # position of the user in the chunk
    title: Integers  # position of the title in the catalogue
    kind: Integers  # position in EVENT_TYPES
    at: Integers  # seconds since the start of day 0

    def before(self, cut: int) -> Events:
        """Keep the events before `cut`, in seconds since the start."""
        kept = self.at < cut
        return Events(
            self.user[kept], self.title[kept], self.kind[kept], self.at[kept]
        )


def is_session_start(events: Events) -> Bools:
    """Tell which events follow more than 30 minutes of their user's silence.

    Examples
    --------
    >>> at = np.array([0, 1_800, 3_601, 3_602])
    >>> zeros = np.zeros(4, dtype=int)
    >>> is_session_start(Events(zeros, zeros, zeros, at)).tolist()
    [True, False, True, False]
    """
    is_start = np.ones(len(events.at), dtype=bool)
    is_start[1:] = (events.user[1:] != events.user[:-1]) | (
        np.diff(events.at) > SESSION_GAP
    )
    return is_start


def runs(keys: Integers) -> tuple[Integers, Integers]:
    """Find the start of each run of equal keys and each row's run number.

    Examples
    --------
    >>> starts, number = runs(np.array([7, 7, 4, 4, 4]))
    >>> starts.tolist(), number.tolist()
    ([0, 2], [0, 0, 1, 1, 1])
    """
    is_start = np.ones(len(keys), dtype=bool)
    is_start[1:] = keys[1:] != keys[:-1]
    return np.flatnonzero(is_start), np.cumsum(is_start) - 1


def position_in_run(keys: Integers) -> Integers:
    """Count the rows of each run of equal keys from 0.

    Examples
    --------
    >>> position_in_run(np.array([7, 7, 4, 4, 4])).tolist()
    [0, 1, 0, 1, 2]
    """
    starts, number = runs(keys)
    return np.arange(len(keys)) - starts[number]


def continue_titles(title: Integers, resumes: Bools) -> Integers:
    """Replace the title of each resumed play by that of the play before.

    Examples
    --------
    >>> resumes = np.array([False, True, True, False])
    >>> continue_titles(np.array([5, 6, 7, 8]), resumes).tolist()
    [5, 5, 5, 8]
    """
    origin = np.where(resumes, 0, np.arange(len(title)))
    return title[np.maximum.accumulate(origin)]


def lay_out(
    habits: Habits,
    catalogue: Catalogue,
    rng: np.random.Generator,
    *,
    user: Integers,
    session: Integers,
    start: Integers,
    room: Integers,
    title: Integers,
    resumes: Bools,
    is_first: Bools,
) -> Events:
    """Turn valid plays into events.

    Each play takes a block: perhaps a sampled title (play, skip), then the
    play, then perhaps its stop, then a pause before the next block. Whatever
    exceeds the minimum is shrunk when a session's blocks exceed its room.

    All arrays have one element per play. Equal numbers of a session are
    contiguous; `start` is the first second of the session and `room` the most
    seconds from its first to its last event. A play resumes the play before;
    nothing precedes a user's first. Gives two to four events per play, ordered
    as the plays are.
    """
    plays = len(user)
    opens, number = runs(session)
    continues = np.zeros(plays, dtype=bool)
    continues[:-1] = resumes[1:] & (number[1:] == number[:-1])
    starts_session = np.zeros(plays, dtype=bool)
    starts_session[opens] = True

    # A play that goes on in the same session was paused; one that continues
    # has no sampled title in between.
    luck = rng.random(plays)
    is_paused = continues | (luck < habits.paused_share)
    is_skipped = ~is_paused & (
        luck < habits.paused_share + habits.skipped_share
    )
    has_stop = is_paused | is_skipped
    sampled = (
        (rng.random(plays) < habits.sampled_share)
        & ~is_first
        & ~(resumes & ~starts_session)
    )

    longest = np.minimum(WATCHED_MOST, catalogue.durations[title] - 1)
    watched = np.clip(
        habits.watched_median * rng.lognormal(0, 0.8, plays), VALID, longest
    )
    sampling = sampled * rng.integers(SAMPLED_LEAST, SAMPLED_MOST + 1, plays)
    choosing = sampled * rng.integers(1, CHOOSING_MOST + 1, plays)
    waiting = np.where(
        is_paused,
        rng.integers(5, PAUSED_MOST + 1, plays),
        rng.integers(1, CHOOSING_MOST + 1, plays),
    )
    # Whole seconds: a part that must be and a part that may shrink.
    must_wait = waiting.clip(max=CHOOSING_MOST)
    fixed = np.add.reduceat(VALID + must_wait + sampling + choosing, opens)
    wish = np.add.reduceat(watched - VALID + waiting - must_wait, opens)
    shrink = np.minimum(1, (room[opens] - fixed) / np.maximum(wish, 1))[number]
    playing_time = VALID + ((watched - VALID) * shrink).astype(np.int64)
    waiting_time = must_wait + ((waiting - must_wait) * shrink).astype(np.int64)

    block = sampling + choosing + playing_time + waiting_time
    ends = np.cumsum(block)
    begins = ends - block
    begins = start + begins - begins[opens][number]
    playing = begins + sampling + choosing

    other = rng.integers(0, len(catalogue.durations), plays)
    at = np.stack(
        [begins, begins + sampling, playing, playing + playing_time], axis=1
    )
    kind = np.stack(
        [
            np.full(plays, PLAY),
            np.full(plays, SKIP),
            np.full(plays, PLAY),
            np.where(is_paused, PAUSE, SKIP),
        ],
        axis=1,
    )
    titles = np.stack([other, other, title, title], axis=1)
    exists = np.stack(
        [sampled, sampled, np.ones(plays, dtype=bool), has_stop], axis=1
    )
    return Events(
        user=np.repeat(user, 4).reshape(plays, 4)[exists],
        title=titles[exists],
        kind=kind[exists],
        at=at[exists],
    )
