"""Count what was simulated, for the planted truth.

Counts are exact by construction or follow from the canonical events alone;
they add up over chunks. Pure functions: nothing read or written.
"""

from __future__ import annotations

import numpy as np

from simulation.catalogue import Catalogue
from simulation.config import DAY_SECONDS, VARIANTS, SimulationConfig
from simulation.members import NEVER, Members, Sessions
from simulation.newcomers import EXPLORER_GENRES, Newcomers
from simulation.plays import PAUSE, PLAY, Events, is_session_start

VALID_PLAY = 30
LONGEST_PLAY = 4 * 3600
RETENTION_DAYS = (1, 7, 14, 30)
GENRE_LABELS = ("1", "2", "3", "4+")

Tally = dict[str, int]


def add(total: Tally, part: Tally) -> None:
    """Add the counts of one chunk to the total, in place."""
    for name, count in part.items():
        total[name] = total.get(name, 0) + count


def count_events(events: Events, catalogue: Catalogue) -> Tally:
    """Count events, sessions and plays by the definitions of the warehouse."""
    if not len(events.at):
        return dict.fromkeys(
            (
                *("events", "plays", "valid_plays", "missing_stops"),
                *("sessions", "active_users"),
            ),
            0,
        )
    same_user = events.user[1:] == events.user[:-1]
    is_play = events.kind == PLAY
    has_stop = np.zeros(len(events.at), dtype=bool)
    has_stop[:-1] = same_user & (events.kind[1:] != PLAY)
    open_for = np.full(len(events.at), LONGEST_PLAY)
    open_for[:-1] = np.where(same_user, np.diff(events.at), LONGEST_PLAY)

    # A play after its own pause, in the same session, goes on.
    starts_session = is_session_start(events)
    opens = is_play.copy()
    opens[1:] &= (
        starts_session[1:]
        | (events.kind[:-1] != PAUSE)
        | (events.title[1:] != events.title[:-1])
    )
    opening = np.flatnonzero(opens)
    longest = np.minimum(LONGEST_PLAY, catalogue.durations[events.title])
    watched = np.where(is_play, np.minimum(open_for, longest), 0)
    return {
        "events": len(events.at),
        "plays": len(opening),
        "valid_plays": int(
            (np.add.reduceat(watched, opening) >= VALID_PLAY).sum()
        ),
        "missing_stops": int((is_play & ~has_stop).sum()),
        "sessions": int(starts_session.sum()),
        "active_users": len(np.unique(events.user)),
    }


def count_newcomers(config: SimulationConfig, users: Newcomers) -> Tally:
    """Count cohorts, retention by day and genres, and onboarding.

    Keys are such as ``retention/7/retained`` or ``genres/4+/users``.
    """
    day = users.sign_up_day
    genres = np.minimum(users.genres_explored, EXPLORER_GENRES)
    tally = {
        "new_users": len(day),
        "never_active_new_users": int((~users.is_player).sum()),
    }
    for cohort in range(config.acquisition_days):
        tally[f"cohorts/{cohort}/users"] = int(
            (users.is_player & (day == cohort)).sum()
        )
    for offset in RETENTION_DAYS:
        eligible = users.is_player & (day + offset <= config.watermark_day)
        retained = eligible & (users.plays[:, offset] > 0)
        tally[f"retention/{offset}/eligible"] = int(eligible.sum())
        tally[f"retention/{offset}/retained"] = int(retained.sum())
        for cohort in range(config.acquisition_days):
            tally[f"cohorts/{cohort}/retained_d{offset}"] = int(
                (retained & (day == cohort)).sum()
            )
    eligible = users.is_player & (day + 7 <= config.watermark_day)
    retained = eligible & (users.plays[:, 7] > 0)
    for number, label in enumerate(GENRE_LABELS, 1):
        group = genres == number
        tally[f"genres/{label}/users"] = int(group.sum())
        tally[f"genres/{label}/eligible_d7"] = int((group & eligible).sum())
        tally[f"genres/{label}/retained_d7"] = int((group & retained).sum())
    for code, variant in enumerate(VARIANTS):
        arm = users.variant == code
        tally[f"onboarding/{variant}/users"] = int(arm.sum())
        tally[f"onboarding/{variant}/active_d1"] = int(
            (arm & (users.plays[:, 1] > 0)).sum()
        )
    return tally


def count_members(members: Members, sessions: Sessions) -> Tally:
    """Count the panel's arms and their sessions in the 7-day window.

    Keys are such as ``push/B/sessions``; ``sessions_squared`` is the sum of
    squares over users.
    """
    since = sessions.start - members.assigned_at[sessions.member]
    inside = (since >= 0) & (since < 7 * DAY_SECONDS)
    count = np.bincount(sessions.member[inside], minlength=len(members.variant))
    tally = {
        "established_users": len(members.variant),
        "dormant_members": int((members.rate == 0).sum()),
    }
    for code, variant in enumerate(VARIANTS):
        arm = members.variant == code
        tally[f"push/{variant}/users"] = int(arm.sum())
        tally[f"push/{variant}/reached"] = int(
            (arm & (members.reached_at < NEVER)).sum()
        )
        tally[f"push/{variant}/sessions"] = int(count[arm].sum())
        tally[f"push/{variant}/sessions_squared"] = int((count[arm] ** 2).sum())
    return tally
