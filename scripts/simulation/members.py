"""Established members, who carry the experiment with push reminders.

A day has 20 slots of 72 minutes with at most one session each; the last one
reaches over midnight. A member's
rate is constant; a slot's chance also follows the time of day and the
weekday, both with mean 1, so that any seven days hold the same expectation.

Pure functions of a generator: nothing read or written.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.calibration import segment_activity
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
    Events,
    Habits,
    Integers,
    continue_titles,
    lay_out,
    position_in_run,
)

SLOTS = 20
SLOT_SECONDS = DAY_SECONDS // SLOTS
# A session starts within SLOT_JITTER seconds of its slot and lasts SLOT_ROOM
# at most: 4,320 - 800 - 1,700 = 1,820 s of silence, more than 30 minutes.
SLOT_JITTER = 800
SLOT_ROOM = 1_700
# The first slot of a day begins so many seconds after midnight.
SLOT_SHIFT = 3_000
DAY_PROFILE = 1 + 0.3 * np.cos(2 * np.pi * (np.arange(SLOTS) - 17) / SLOTS)
WEEK_PROFILE = np.array([0.97, 0.96, 0.97, 0.98, 1.01, 1.07, 1.04])
SECOND_PLAY_SHARE = 0.10
NEVER = np.iinfo(np.int64).max
HABITS = Habits(
    sampled_share=0.03,
    paused_share=0.28,
    skipped_share=0.07,
    watched_median=500,
)


@dataclass(frozen=True)
class Members:
    """Panel members of one chunk; every array has one row per member."""

    signed_up_at: Integers  # seconds since the start of day 0, negative
    # Positions in PLATFORMS, COUNTRIES, CHANNELS.
    platform: Integers
    country: Integers
    channel: Integers
    rate: NDArray[np.float64]  # mean sessions per slot; 0 for dormant members
    variant: Integers  # variant of the push experiment, 0 = A, 1 = B
    # Seconds since the start; `reached_at` is NEVER without a reminder.
    assigned_at: Integers
    reached_at: Integers


@dataclass(frozen=True)
class Sessions:
    """Sessions in order of member and time."""

    member: Integers  # position of the member in the chunk
    start: Integers  # seconds since the start of day 0


def draw_members(
    config: SimulationConfig, members: int, rng: np.random.Generator
) -> Members:
    """Draw panel members by sign-up, 30 to 730 days before day 0."""
    signed_up_at = np.sort(
        -rng.integers(30 * DAY_SECONDS, 730 * DAY_SECONDS, members)
    )
    platform, country, channel = (
        rng.choice(len(segments), members, p=segment_activity(segments)[0])
        for segments in (PLATFORMS, COUNTRIES, CHANNELS)
    )
    mean = config.sessions_per_week / (7 * SLOTS * (1 - config.dormant_share))
    shape = config.slot_rate_low + config.slot_rate_width * rng.beta(
        2, 2, members
    )
    rate = shape * mean / (config.slot_rate_low + config.slot_rate_width / 2)
    rate[rng.random(members) < config.dormant_share] = 0

    variant = rng.integers(0, 2, members)
    assigned_at = DAY_SECONDS * config.push_first_day + rng.integers(
        0, DAY_SECONDS * config.push_days, members
    )
    reached_at = assigned_at + rng.integers(
        0, config.push_delay_seconds + 1, members
    )
    is_reached = (rng.random(members) < config.push_reached_share) & (
        variant == 1
    )
    return Members(
        signed_up_at=signed_up_at,
        platform=platform,
        country=country,
        channel=channel,
        rate=rate,
        variant=variant,
        assigned_at=assigned_at,
        reached_at=np.where(is_reached, reached_at, NEVER),
    )


def draw_sessions(
    config: SimulationConfig, members: Members, rng: np.random.Generator
) -> Sessions:
    """Draw the sessions of panel members that start before the cut.

    Raises
    ------
    ValueError
        If the parameters ask for more than one session per slot.
    """
    days = np.arange(config.days + 1)
    week = WEEK_PROFILE[(days + config.start.weekday()) % 7]
    profile = np.outer(week, DAY_PROFILE).ravel()
    luck = rng.random((len(members.rate), len(profile)))
    chance = members.rate[:, None] * profile
    most = 1 + max(config.reminder_lift, 0.0)
    highest = chance.max() * most
    if highest > 1:
        raise ValueError(
            f"a slot's chance of a session reaches {highest:.3f}: "
            "lower sessions_per_week or slot_rate_width"
        )

    member, slot = np.nonzero(luck < chance * most)
    start = (
        SLOT_SHIFT
        + slot * SLOT_SECONDS
        + rng.integers(0, SLOT_JITTER, len(slot))
    )
    # The reminder's effect is whole for a week and then fades.
    after = start - members.assigned_at[member] - 7 * DAY_SECONDS
    fading = 0.5 ** (
        np.maximum(after, 0) / DAY_SECONDS / config.push_half_life_days
    )
    lift = config.reminder_lift * fading * (start >= members.reached_at[member])
    kept = (luck[member, slot] < chance[member, slot] * (1 + lift)) & (
        start < config.cut
    )
    return Sessions(member=member[kept], start=start[kept])


def draw_member_events(
    config: SimulationConfig,
    catalogue: Catalogue,
    sessions: Sessions,
    rng: np.random.Generator,
) -> Events:
    """Play out sessions as events by member and time, before the cut."""
    count = 1 + (rng.random(len(sessions.member)) < SECOND_PLAY_SHARE)
    session = np.repeat(np.arange(len(count)), count)
    member = sessions.member[session]
    position = position_in_run(member)
    resumes = (rng.random(len(member)) < config.resume_share) & (position > 0)

    orders = draw_genre_orders(int(member.max(initial=0)) + 1, rng)
    rank = (len(GENRES) * rng.random(len(member)) ** 2.5).astype(np.int64)
    title = continue_titles(
        catalogue.pick(orders[member, rank], rng.random(len(member))), resumes
    )
    return lay_out(
        HABITS,
        catalogue,
        rng,
        user=member,
        session=session,
        start=sessions.start[session],
        room=np.full(len(member), SLOT_ROOM),
        title=title,
        resumes=resumes,
        is_first=position == 0,
    ).before(config.cut)
