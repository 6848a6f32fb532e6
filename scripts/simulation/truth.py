"""What was planted: parameters, effects, expectations and exact counts.

Only tests read it; no number of the report comes from here. Pure functions:
nothing read or written.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

from simulation.calibration import (
    FOUR_GENRES,
    expectations,
    onboarding_lift,
)
from simulation.config import SimulationConfig
from simulation.faults import REASONS
from simulation.tally import GENRE_LABELS, Tally


def nest(tally: Tally) -> dict[str, Any]:
    """Turn keys with slashes into nested mappings.

    Examples
    --------
    >>> nest({"events": 3, "push/A/users": 2})
    {'events': 3, 'push': {'A': {'users': 2}}}
    """
    nested: dict[str, Any] = {}
    for key, count in tally.items():
        *path, last = key.split("/")
        place = nested
        for name in path:
            place = place.setdefault(name, {})
        place[last] = count
    return nested


def _expected(config: SimulationConfig) -> dict[str, Any]:
    """Headline values that the marts must show within sampling error."""
    found = expectations(config)
    players = 1 - config.never_play_share
    half = config.onboarding_effect / 2
    return {
        "genre_shares": dict(
            zip(GENRE_LABELS, found.genre_shares.tolist(), strict=True)
        ),
        "d7_by_genres": dict(
            zip(GENRE_LABELS, found.d7_by_genres.tolist(), strict=True)
        ),
        "d7_under_4_genres": found.d7_under_4,
        "d7_gap": float(found.d7_by_genres[FOUR_GENRES]) - found.d7_under_4,
        "d1": found.d1,
        "d7": found.d7,
        "d14": found.d14,
        "d30": found.d30,
        "d30_per_d1": found.d30 / found.d1,
        "onboarding_d1_a": players * found.d1 - half,
        "onboarding_d1_b": players * found.d1 + half,
        "push_sessions_a": config.sessions_per_week,
        "push_sessions_b": config.push_sessions_per_week,
    }


def _reconciliation(
    canonical: int, set_aside: dict[str, int]
) -> dict[str, Any]:
    """Rows of a file as the warehouse must account for them."""
    return {
        "raw_rows": canonical + sum(set_aside.values()),
        "canonical_rows": canonical,
        "set_aside": dict(sorted(set_aside.items())),
    }


def planted_truth(config: SimulationConfig, tally: Tally) -> dict[str, Any]:
    """Gather the truth of one simulated log from the counts of all chunks.

    Gives ``parameters``; ``effects`` (planted causal effects); ``expected``
    (headline values); ``counts`` (exact, of the canonical log);
    ``planted_event_faults`` (rows by fault); ``reconciliation`` (rows by file
    and by the warehouse's reason).
    """
    counts = nest(tally)
    planted = counts.pop("faults")
    assignments = counts.pop("assignments")
    mixed = assignments.pop("mixed")
    repeated_users = counts.pop("repeated_users")
    users = config.new_users + config.panel_members
    never_active = users - counts.pop("active_users")
    expected = _expected(config)

    reasons: dict[str, int] = {}
    for name, rows in planted.items():
        if name in REASONS:
            reasons[REASONS[name]] = reasons.get(REASONS[name], 0) + rows
    return {
        "parameters": asdict(config),
        "effects": {
            "exploration_d7": config.exploration_effect,
            "exploration_d7_confounding": expected["d7_gap"]
            - config.exploration_effect,
            "onboarding_d1": config.onboarding_effect,
            "onboarding_d1_among_players": onboarding_lift(config),
            "push_sessions": config.push_sessions_per_week
            - config.sessions_per_week,
            "push_rate_lift_when_reached": config.reminder_lift,
        },
        "expected": expected,
        "counts": {
            "users": users,
            "titles": config.titles,
            "first_date": config.first_day,
            "watermark_date": str(
                (config.start + dt.timedelta(config.watermark_day)).date()
            ),
            "never_active_users": never_active,
            "never_active_established_users": never_active
            - counts["never_active_new_users"],
            "late_events": planted.pop("late"),
            "offline_events": planted.pop("offline"),
            "mixed_users": mixed,
            **counts,
        },
        "planted_event_faults": planted,
        "reconciliation": {
            "events": _reconciliation(counts["events"], reasons),
            "users": _reconciliation(users, {"duplicate": repeated_users}),
            "content": _reconciliation(config.titles, {"malformed": 1}),
            "experiment_assignments": _reconciliation(
                users + sum(mixed.values()), assignments
            ),
        },
    }
