"""Simulate users chunk by chunk, with everything that they add to the files.

Pure functions: every chunk draws from a stream of randomness of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulation import faults, lines, tally
from simulation.catalogue import Catalogue
from simulation.config import (
    DAY_SECONDS,
    ONBOARDING,
    PUSH,
    SimulationConfig,
)
from simulation.members import (
    NEVER,
    Members,
    draw_member_events,
    draw_members,
    draw_sessions,
)
from simulation.newcomers import (
    Newcomers,
    draw_newcomer_events,
    draw_newcomers,
)
from simulation.plays import Events, position_in_run

NEWCOMER_CHUNK = 6_000
MEMBER_CHUNK = 400


@dataclass
class Chunk:
    """Everything that one chunk of users adds to the files."""

    users: pd.DataFrame
    assignments: pd.DataFrame
    rows: NDArray[np.void]
    counts: tally.Tally


def generator(config: SimulationConfig, *key: int) -> np.random.Generator:
    """Independent stream of randomness for one part of the simulation."""
    return np.random.default_rng(
        np.random.SeedSequence(config.seed, spawn_key=key)
    )


def spans(total: int, size: int) -> list[tuple[int, int]]:
    """First row and length of each chunk, as even as possible.

    Examples
    --------
    >>> spans(5, 2)
    [(0, 1), (1, 2), (3, 2)]
    """
    chunks = -(-total // size)
    bounds = [total * number // chunks for number in range(chunks + 1)]
    return [(low, high - low) for low, high in pairwise(bounds)]


def chunk_count(config: SimulationConfig) -> int:
    """Count the chunks that `draw_chunks` yields."""
    return len(spans(config.panel_members, MEMBER_CHUNK)) + len(
        spans(config.new_users, NEWCOMER_CHUNK)
    )


def draw_chunks(config: SimulationConfig, titles: Catalogue) -> Iterator[Chunk]:
    """Simulate the panel, then the new users, chunk by chunk."""
    panel = enumerate(spans(config.panel_members, MEMBER_CHUNK))
    for number, (first, size) in panel:
        rng = generator(config, 1, number)
        members = draw_members(config, size, rng)
        sessions = draw_sessions(config, members, rng)
        events = draw_member_events(config, titles, sessions, rng)
        counts = tally.count_members(members, sessions)
        counts |= tally.count_events(events, titles)
        yield _finished(config, rng, members, events, counts, earlier=first)
    intake = enumerate(spans(config.new_users, NEWCOMER_CHUNK))
    for number, (first, size) in intake:
        rng = generator(config, 2, number)
        users = draw_newcomers(config, size, rng)
        events = draw_newcomer_events(config, titles, users, rng)
        counts = tally.count_newcomers(config, users)
        counts |= tally.count_events(events, titles)
        earlier = config.panel_members + first
        yield _finished(config, rng, users, events, counts, earlier=earlier)


def _finished(
    config: SimulationConfig,
    rng: np.random.Generator,
    people: Newcomers | Members,
    events: Events,
    counts: tally.Tally,
    *,
    earlier: int,
) -> Chunk:
    """Add devices, faults, repeated users and doubtful assignments."""
    size = len(people.signed_up_at)
    users, assignments = _described(config, rng, people, earlier + 1)

    def sample(frame: pd.DataFrame, count: int) -> pd.DataFrame:
        chosen = rng.choice(len(frame), count, replace=False)
        return frame.iloc[np.sort(chosen)].copy()

    mixed = sample(assignments, faults.planted_count(config.mixed_share, size))
    mixed["variant"] = 1 - mixed["variant"]
    mixed["assigned_at"] += rng.integers(
        DAY_SECONDS, 5 * DAY_SECONDS, len(mixed)
    )
    mixed["reached_at"] = NEVER
    repeated = sample(
        assignments,
        faults.planted_count(config.repeated_assignment_share, size),
    )
    rejected = sample(assignments, 4)
    unknown = [lines.UNKNOWN_USER] * 2
    rejected["kind"] = [*unknown, lines.MISSING_USER, lines.UNKNOWN_EXPERIMENT]
    repeated_users = sample(
        users, faults.planted_count(config.repeated_user_share, size)
    )

    rows = faults.to_rows(
        events, people.platform, position_in_run(events.user), rng
    )
    faulty, planted = faults.plant_faults(
        config, rows, people.signed_up_at, rng
    )
    rows = np.concatenate([rows, faulty])
    for name in ("user", "sender"):
        rows[name] += earlier + 1

    counts |= {f"faults/{name}": count for name, count in planted.items()}
    counts |= {
        "repeated_users": len(repeated_users),
        f"assignments/mixed/{assignments['experiment'].iloc[0]}": len(mixed),
        "assignments/duplicate": len(repeated),
        "assignments/unknown_user": 2,
        "assignments/missing_key": 1,
        "assignments/unknown_experiment": 1,
    }
    return Chunk(
        users=pd.concat([users, repeated_users]),
        assignments=pd.concat([assignments, mixed, repeated, rejected]),
        rows=rows,
        counts=counts,
    )


def _described(
    config: SimulationConfig,
    rng: np.random.Generator,
    people: Newcomers | Members,
    first_user: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List the users of a chunk, and their assignments."""
    size = len(people.signed_up_at)
    if isinstance(people, Members):
        experiment, status, share = PUSH, "premium", config.premium_share
        assigned_at, reached_at = people.assigned_at, people.reached_at
    else:
        experiment, status, share = ONBOARDING, "trial", config.trial_share
        assigned_at = people.signed_up_at
        reached_at = np.full(size, NEVER)
    users = pd.DataFrame(
        {
            "user": first_user + np.arange(size),
            "signed_up_at": people.signed_up_at,
            "platform": people.platform,
            "country": people.country,
            "channel": people.channel,
            "status": np.where(
                rng.random(size) < share, lines.STATUSES.index(status), 0
            ),
        }
    )
    assignments = pd.DataFrame(
        {
            "experiment": experiment,
            "user": users["user"],
            "variant": people.variant,
            "assigned_at": assigned_at,
            "reached_at": reached_at,
            "kind": lines.PLAIN,
        }
    )
    return users, assignments
