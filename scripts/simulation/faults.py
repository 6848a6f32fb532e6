"""Faulty rows in known numbers, added beside the canonical events.

Every faulty row is extra: the canonical rows stay as they are, so that a
warehouse that sets the faulty rows apart finds exactly the simulated service.
Pure functions of a generator: nothing read or written.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
from numpy.typing import NDArray

from simulation.config import DAY_SECONDS, EVENT_TYPES, SimulationConfig
from simulation.plays import Events, Integers, is_session_start

# Rows on their way into events.csv. `arrival` orders the file; `at` and
# `arrival` are seconds since the start of day 0.
ROW = np.dtype(
    [
        ("arrival", np.int64),
        ("at", np.int64),
        # Whose the event is, and as whose it is sent.
        ("user", np.int32),
        ("sender", np.int32),
        ("sequence", np.int32),
        ("title", np.int16),
        ("kind", np.int8),
        ("device", np.int8),
        ("fault", np.int8),
    ]
)
# How the warehouse names them; the same words as in fct_rejected_rows.
REASONS = {
    "duplicate_exact": "duplicate",
    "duplicate_conflict": "duplicate",
    "duplicate_moved": "duplicate",
    "missing_event_id": "missing_key",
    "missing_user_id": "missing_key",
    "missing_content_id": "missing_key",
    "missing_event_at": "missing_key",
    "unknown_event_type": "unknown_event_type",
    "clock_reset": "impossible_time",
    "clock_overflow": "impossible_time",
    "unknown_user": "unknown_user",
    "unknown_content": "unknown_content",
    "before_sign_up": "before_sign_up",
    "bad_timestamp": "malformed",
    "too_few_columns": "malformed",
    "too_many_columns": "malformed",
}
FAULTS = ("canonical", *REASONS)
UNIX_EPOCH = dt.datetime(1970, 1, 1)
UNIX_OVERFLOW = 2**32  # seconds: 2106-02-07 06:28:16
FIRST_FAULT_SEQUENCE = 50_000
# Spread of the logarithm of delays: one in forty is twenty times the median.
LATE_SPREAD = 1.5
MAIN_DEVICE_SHARE = 0.85
# Devices seen first on ios, android, web and tv, as positions in DEVICES.
MAIN_DEVICES = np.array([0, 0, 2, 3])


def planted_count(share: float, rows: int) -> int:
    """How many rows to plant among `rows`: the rounded share, at least 1.

    Examples
    --------
    >>> planted_count(0.002, 10_000), planted_count(0.002, 10)
    (20, 1)
    """
    return max(1, round(share * rows))


def to_rows(
    events: Events,
    platform: Integers,
    sequence: Integers,
    rng: np.random.Generator,
) -> NDArray[np.void]:
    """Turn events into canonical rows, which arrive when they happen.

    Events come by user and time. The platform, a position in PLATFORMS for each
    user, decides the main device; the sequence numbers each event within its
    user, from 0.
    """
    if sequence.max(initial=0) >= FIRST_FAULT_SEQUENCE:
        raise ValueError(
            f"a user has more than {FIRST_FAULT_SEQUENCE} events: "
            "fewer days are needed"
        )
    rows = np.zeros(len(events.at), dtype=ROW)
    rows["arrival"] = rows["at"] = events.at
    rows["user"] = rows["sender"] = events.user
    rows["sequence"] = sequence
    rows["title"] = events.title
    rows["kind"] = events.kind
    # A session stays on one device.
    session = np.cumsum(is_session_start(events)) - 1
    sessions = session.max(initial=-1) + 1
    rows["device"] = np.where(
        (rng.random(sessions) < MAIN_DEVICE_SHARE)[session],
        MAIN_DEVICES[platform[events.user]],
        rng.integers(0, 2, sessions)[session],
    )
    return rows


def plant_faults(
    config: SimulationConfig,
    rows: NDArray[np.void],
    signed_up_at: Integers,
    rng: np.random.Generator,
) -> tuple[NDArray[np.void], dict[str, int]]:
    """Add faulty rows and let some canonical rows arrive late.

    Of the canonical rows the arrival may change in place, nothing else.

    Gives copies of canonical rows, of dtype ROW, with one fault each, and how
    many there are of each fault, with those of `delay`.
    """
    counts = {
        name: planted_count(share, len(rows))
        for name, share in config.fault_shares
    }
    fault = np.repeat(
        [FAULTS.index(name) for name in counts], list(counts.values())
    )
    original = rng.integers(0, len(rows), len(fault))
    faulty = rows[original]
    faulty["fault"] = fault

    def of(name: str) -> NDArray[np.bool_]:
        return np.asarray(fault == FAULTS.index(name))

    size = len(fault)
    is_moved = of("duplicate_moved")
    is_copy = of("duplicate_exact") | of("duplicate_conflict") | is_moved
    # A copy arrives up to an hour after its original.
    faulty["arrival"] += np.where(is_copy, rng.integers(1, 3600, size), 0)
    faulty["at"] += np.where(
        of("duplicate_conflict") | is_moved, rng.integers(1, 600, size), 0
    )
    # As two accounts are merged; whoever signed up first had one long before.
    faulty["sender"] = np.where(
        is_moved, np.argmin(signed_up_at), faulty["sender"]
    )
    # All others are events of their own, with an id of their own.
    faulty["sequence"] = np.where(
        is_copy, faulty["sequence"], FIRST_FAULT_SEQUENCE + np.arange(size)
    )
    faulty["kind"] = np.where(
        of("unknown_event_type"), len(EVENT_TYPES), faulty["kind"]
    )
    unix_start = int((config.start - UNIX_EPOCH).total_seconds())
    faulty["at"] = np.where(
        of("clock_reset"),
        rng.integers(0, DAY_SECONDS, size) - unix_start,
        faulty["at"],
    )
    faulty["at"] = np.where(
        of("clock_overflow"), UNIX_OVERFLOW - unix_start, faulty["at"]
    )
    faulty["at"] = np.where(
        of("before_sign_up"),
        signed_up_at[faulty["user"]]
        - rng.integers(3600, 3 * DAY_SECONDS, size),
        faulty["at"],
    )

    # The account that an event moves to may be heard of before its owner.
    return faulty, {**counts, **delay(config, rows, original[is_moved], rng)}


def delay(
    config: SimulationConfig,
    rows: NDArray[np.void],
    chosen: Integers,
    rng: np.random.Generator,
) -> dict[str, int]:
    """Let some canonical rows arrive late, in place; count them by cause.

    Devices are off-line for days and send all at the end; single rows, by
    chance and those chosen, are delayed by hours to weeks. Nothing arrives
    after the log was cut.
    """
    user, at = rows["user"], rows["at"]
    users = int(user.max(initial=0)) + 1
    begins = rng.integers(0, config.cut, users)
    lasts = rng.integers(1, config.offline_most_days * DAY_SECONDS, users)
    begins[rng.random(users) >= config.offline_share] = config.cut
    ends = (begins + lasts)[user]
    is_offline = (at >= begins[user]) & (at < ends)
    arrival = np.where(is_offline, ends, rows["arrival"])

    late = np.union1d(
        rng.choice(
            len(rows),
            planted_count(config.late_share, len(rows)),
            replace=False,
        ),
        chosen,
    )
    waits = config.late_median_seconds * rng.lognormal(
        0, LATE_SPREAD, len(late)
    )
    arrival[late] += np.clip(waits, 1, config.late_most_seconds).astype(
        np.int64
    )
    rows["arrival"] = np.minimum(arrival, config.cut - 1)
    return {"late": len(late), "offline": int(is_offline.sum())}
