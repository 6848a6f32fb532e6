"""New users: who they are, when they return, and what they play.

Latent activity decides how often a user returns, how long they stay and how
much they play; breadth of taste, independent of activity, decides how many
genres those plays reach. So users who explore return more often for two
reasons: they are more active (confounding), and exploring itself adds
`exploration_effect` (the planted causal effect). Given the number of valid
plays, genres depend on taste alone: stratifying on plays identifies the
effect.

Pure functions of a generator: nothing read or written.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.calibration import (
    exploration_lift,
    leaving_power,
    onboarding_lift,
    opening_odds,
    segment_activity,
    visit_rate,
)
from simulation.catalogue import Catalogue, draw_genre_orders
from simulation.config import (
    CHANNELS,
    COUNTRIES,
    DAY_SECONDS,
    GENRES,
    PLATFORMS,
    SimulationConfig,
)
from simulation.plays import (
    Bools,
    Events,
    Habits,
    Integers,
    continue_titles,
    lay_out,
    position_in_run,
)

EXPLORATION_DAYS = 3
EXPLORER_GENRES = 4
HABITS = Habits(
    sampled_share=0.11,
    paused_share=0.36,
    skipped_share=0.12,
    watched_median=420,
)

# Monday to Sunday, and by hour of the day; relative sign-ups.
SIGN_UP_WEEK = np.array([0.92, 0.88, 0.90, 0.94, 1.02, 1.20, 1.14])
SIGN_UP_HOURS = 1 - 0.6 * np.cos(2 * np.pi * (np.arange(24) - 7) / 24)
LAST_SIGN_UP_SECOND = 23 * 3600 + 1_800
FIRST_PLAY_DELAY = (20, 600)

# Later days have six slots of four hours. A session starts 35 to 95 minutes
# into its slot and ends inside it, so that sessions never touch.
SLOT_SECONDS = 4 * 3600
SLOT_WEIGHTS = np.array([0.3, 0.5, 1.0, 1.2, 1.6, 1.9])
SLOT_LEAD = 2_100
SLOT_JITTER = 3_600
SLOT_ROOM = SLOT_SECONDS - SLOT_LEAD - SLOT_JITTER - 10
MOST_SESSIONS = 4
SPLIT_SHARE = 0.25


@dataclass(frozen=True)
class Newcomers:
    """New users of one chunk; every array has one row per user."""

    signed_up_at: Integers  # seconds since the start of day 0, ascending
    # Positions in PLATFORMS, COUNTRIES, CHANNELS.
    platform: Integers
    country: Integers
    channel: Integers
    variant: Integers  # onboarding variant, 0 = A, 1 = B
    is_player: Bools  # whether the user ever plays
    # (n_users, n_days): Valid plays by days since sign-up; 0 = no visit.
    plays: Integers
    valid_plays: Integers  # valid plays in days 0 to 2
    genres_explored: Integers  # distinct genres of these plays
    # (n_users, n_early): Which of these plays continue the play before.
    resumes_early: Bools
    # (n_users, n_genres - 1): After how many further titles each further genre
    # opens.
    opening_titles: Integers

    @property
    def sign_up_day(self) -> Integers:
        """Day of sign-up and, for players, of the first play."""
        return self.signed_up_at // DAY_SECONDS


def _draw_segment(
    segments: dict[str, tuple[float, float]],
    users: int,
    rng: np.random.Generator,
) -> tuple[Integers, NDArray[np.float64]]:
    """Draw each user's segment and its factor of activity."""
    shares, factors = segment_activity(segments)
    chosen = rng.choice(len(shares), users, p=shares)
    return chosen, factors[chosen]


def _draw_sign_ups(
    config: SimulationConfig, users: int, rng: np.random.Generator
) -> Integers:
    """Draw sign-up instants with a weekly and a daily rhythm, sorted."""
    days = np.arange(config.acquisition_days)
    weights = SIGN_UP_WEEK[(days + config.start.weekday()) % 7]
    day = rng.choice(days, users, p=weights / weights.sum())
    hours = SIGN_UP_HOURS / SIGN_UP_HOURS.sum()
    second = rng.choice(24, users, p=hours) * 3600 + rng.integers(
        0, 3600, users
    )
    # The last half hour of a day would leave no room for a first session.
    second = np.where(second >= LAST_SIGN_UP_SECOND, second - 2 * 3600, second)
    return np.sort(day * DAY_SECONDS + second)


def draw_newcomers(
    config: SimulationConfig, users: int, rng: np.random.Generator
) -> Newcomers:
    """Draw new users, by sign-up, up to their valid plays per day."""
    signed_up_at = _draw_sign_ups(config, users, rng)
    platform, by_platform = _draw_segment(PLATFORMS, users, rng)
    country, by_country = _draw_segment(COUNTRIES, users, rng)
    channel, by_channel = _draw_segment(CHANNELS, users, rng)
    activity = (
        rng.gamma(config.activity_shape, 1 / config.activity_shape, users)
        * by_platform
        * by_country
        * by_channel
    )
    variant = rng.integers(0, 2, users)
    is_player = rng.random(users) >= config.never_play_share

    rate = visit_rate(config, activity)[:, None]
    # The inverse of `calibration.staying`.
    lifetime = 1 + config.leaving_days * (
        (1 - rng.random(users)) ** (-1 / leaving_power(config, activity)) - 1
    )
    days = np.arange(config.days + 1)
    chance = rate * (lifetime[:, None] >= days)
    chance[:, 0] = 1
    chance[:, 1] += onboarding_lift(config) * variant

    extra = np.minimum(
        rng.poisson(
            config.plays_per_activity * activity[:, None],
            (users, len(days)),
        ),
        config.most_extra_plays,
    )
    luck = rng.random((users, len(days)))
    early = slice(0, EXPLORATION_DAYS)
    early_plays = np.where(luck < chance, extra + 1, 0)[:, early]
    valid_plays = early_plays.sum(axis=1)

    # Genres: after how many titles, not counting resumed ones, each opens.
    is_broad = (rng.random(users) < config.broad_share).astype(np.int64)
    known = np.minimum(np.arange(len(GENRES) - 1), 2)
    openings = np.cumsum(
        rng.geometric(opening_odds(config)[is_broad][:, known]), axis=1
    )
    most = EXPLORATION_DAYS * (config.most_extra_plays + 1)
    resumes = rng.random((users, most)) < config.resume_share
    resumes[:, 0] = False
    counted = np.arange(most) < valid_plays[:, None]
    titles = (counted & ~resumes).sum(axis=1)
    genres = 1 + (openings < titles[:, None]).sum(axis=1)

    # One uniform number decides habit and discovery together, so that the
    # planted effect adds to the probability of a visit for everybody alike.
    explores = genres >= EXPLORER_GENRES
    for day in days[EXPLORATION_DAYS:]:
        chance[:, day] += exploration_lift(config, int(day)) * explores
    observed = signed_up_at[:, None] // DAY_SECONDS + days <= config.days
    visits = (luck < chance) & observed & is_player[:, None]

    return Newcomers(
        signed_up_at=signed_up_at,
        platform=platform,
        country=country,
        channel=channel,
        variant=variant,
        is_player=is_player,
        plays=np.where(visits, extra + 1, 0),
        valid_plays=valid_plays * is_player,
        genres_explored=genres * is_player,
        resumes_early=resumes,
        opening_titles=openings,
    )


def _draw_slots(sessions: Integers, rng: np.random.Generator) -> Integers:
    """Choose distinct slots of the day for the sessions of each visit.

    The first `sessions` of a row are the chosen ones, ascending.
    """
    keys = rng.exponential(size=(len(sessions), len(SLOT_WEIGHTS)))
    ranks = np.argsort(np.argsort(keys / SLOT_WEIGHTS, axis=1), axis=1)
    slots = np.arange(len(SLOT_WEIGHTS))
    unused = len(slots)
    return np.sort(np.where(ranks < sessions[:, None], slots, unused), axis=1)


def draw_newcomer_events(
    config: SimulationConfig,
    catalogue: Catalogue,
    users: Newcomers,
    rng: np.random.Generator,
) -> Events:
    """Play out valid plays as events by user and time, before the cut."""
    visitor, day = np.nonzero(users.plays)
    count = users.plays[visitor, day]
    visit = np.repeat(np.arange(len(visitor)), count)
    user = visitor[visit]

    # Sessions: one on the first day, one to four on later days.
    sessions = 1 + rng.binomial(
        np.minimum(count - 1, MOST_SESSIONS - 1), SPLIT_SHARE
    )
    sessions = np.where(day == 0, 1, sessions)
    ordinal = position_in_run(visit) * sessions[visit] // count[visit]
    slot = _draw_slots(sessions, rng)[visit, ordinal]
    jitter = rng.integers(0, SLOT_JITTER, (len(visitor), MOST_SESSIONS))
    today = (users.sign_up_day[visitor] + day) * DAY_SECONDS
    delay = rng.integers(*FIRST_PLAY_DELAY, len(visitor))
    start = np.where(
        day[visit] == 0,
        (users.signed_up_at[visitor] + delay)[visit],
        today[visit] + slot * SLOT_SECONDS + SLOT_LEAD + jitter[visit, ordinal],
    )
    # A first session ends on its own day.
    room = np.minimum(SLOT_ROOM, today[visit] + DAY_SECONDS - 1 - start)

    # Titles: what the user's taste opened by then.
    position = position_in_run(user)
    most = users.resumes_early.shape[1]
    resumes = np.where(
        position < users.valid_plays[user],
        users.resumes_early[user, np.minimum(position, most - 1)],
        rng.random(len(user)) < config.resume_share,
    )
    title_number = np.cumsum(~resumes)
    first = np.flatnonzero(position == 0)
    title_number -= (title_number[first] - 1)[np.cumsum(position == 0) - 1]
    openings = users.opening_titles[user]
    known = 1 + (openings < title_number[:, None]).sum(axis=1)
    opens = (position == 0) | (openings == title_number[:, None] - 1).any(
        axis=1
    )
    favourite = (known * rng.random(len(user)) ** 1.5).astype(np.int64)
    orders = draw_genre_orders(len(users.signed_up_at), rng)
    genre = orders[user, np.where(opens, known - 1, favourite)]
    title = continue_titles(
        catalogue.pick(genre, rng.random(len(user))), resumes
    )

    return lay_out(
        HABITS,
        catalogue,
        rng,
        user=user,
        session=visit * MOST_SESSIONS + ordinal,
        start=start,
        room=room,
        title=title,
        resumes=resumes,
        is_first=position == 0,
    ).before(config.cut)
