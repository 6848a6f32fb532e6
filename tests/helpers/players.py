"""Players that tell anything in any order, and what is watched on them.

The events are random; the evaluation walks through them one after the other,
as the definitions read, and shares nothing with the models but those.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import floor, inf

OPTIONAL = (
    *("player_id", "position_seconds", "playback_rate"),
    *("ended_at", "received_at", "sequence_number"),
)
KINDS = (
    *("play", "play", "play", "pause", "skip", "stop", "seek"),
    *("heartbeat", "heartbeat"),
)
SECOND = timedelta(seconds=1)


def player_events(draw, titles, users=150, days=50):
    """Events of every type, many at one instant, many about another title.

    Some have positions, speeds, logged ends, receipts and ordinals; ids follow
    no order of time.

    Returns
    -------
    list of dict
        As the columns of the events file.
    """
    events = []
    for number in range(users):
        for _ in range(draw.randint(1, 6)):
            at = datetime(2026, 1, 5) + draw.randint(0, days * 86_400) * SECOND
            chosen = draw.sample(titles, 2)
            for _ in range(draw.randint(1, 25)):
                at += SECOND * (
                    draw.choice([0, 0, 0.2, 1, 30, 60, 1800, 1801])
                    if draw.random() < 0.6
                    else draw.randint(0, 4000)
                )
                events.append(
                    player_event(draw, at, chosen)
                    | {
                        "event_id": f"{draw.random():.16f}",
                        "user_id": f"player{number:03}",
                    }
                )
    return events


def player_event(draw, at, titles):
    kind = draw.choice(KINDS)
    moves = kind in ("play", "seek") and draw.random() < 0.4
    received = at + draw.randint(0, 2) * SECOND
    has_end = kind == "play" and draw.random() < 0.1
    return {
        "content_id": draw.choice([titles[0], *titles]),
        "event_type": kind,
        "event_at": at,
        "device_type": draw.choice(["tv", "phone"]),
        "player_id": draw.choice(["", "", "one"]),
        "position_seconds": draw.randint(-5, 9000) if moves else "",
        "playback_rate": draw.choice(["", "", "", 0.75, 2]),
        "ended_at": at + draw.randint(-60, 4000) * SECOND if has_end else "",
        "received_at": draw.choice(["", received]),
        "sequence_number": draw.choice(["", draw.randint(1, 3)]),
    }


def place(event):
    """By instant, receipt, the source's number and id; unknown ones last."""
    return (
        event["event_at"],
        event["received_at"] or datetime.max,
        event["sequence_number"] or inf,
        event["event_id"],
    )


@dataclass
class Stretch:
    """From one event of a play to what ends it; lengths in seconds."""

    event: dict
    is_running: bool
    is_shown: bool
    closing: tuple | None  # type, instant
    bound: float = 0.0
    reason: str = ""
    runs: float = 0.0


@dataclass
class Play:
    id: str
    content: str
    stretches: list = field(default_factory=list)
    kinds: list = field(default_factory=list)


@dataclass(frozen=True)
class Rules:
    gap: float = 1800
    longest: float = 14_400
    grace: float = 60
    valid: float = 30
    complete: float = 0.9


def seconds(start, end):
    return (end - start) / SECOND


def told(player, rules):
    """Put the events of one player to plays, and see what ends each stretch."""
    plays, kept, states = [], [], []
    last_told, running = None, False
    for event in player:
        kind, previous = event["event_type"], kept[-1] if kept else None
        silence = (
            seconds(previous["event_at"], event["event_at"])
            if previous
            else inf
        )
        if kind == "play":
            is_resumed = (
                last_told == "pause"
                and plays[-1].content == event["content_id"]
                and silence <= rules.gap
            )
            if not is_resumed:
                plays.append(Play(event["event_id"], event["content_id"]))
        elif not plays or plays[-1].content != event["content_id"]:
            continue  # a stray
        if kind in ("seek", "heartbeat"):
            if kind == "heartbeat" and silence > rules.gap:
                running = False
        else:
            last_told, running = kind, kind == "play"
        is_timed = (
            kind == "play"
            and event["ended_at"] != ""
            and event["ended_at"] >= event["event_at"]
        )
        states.append((plays[-1], running, is_timed))
        running = running and not is_timed
        kept.append(event)
    for number, (play, is_running, is_timed) in enumerate(states):
        event = kept[number]
        after = kept[number + 1] if number + 1 < len(kept) else None
        is_shown = is_timed or (
            after is not None
            and after["event_type"] != "play"
            and not (
                after["event_type"] == "heartbeat"
                and seconds(event["event_at"], after["event_at"]) > rules.gap
            )
        )
        closing = None
        if is_timed:
            closing = ("ended", event["ended_at"])
        elif after:
            closing = (
                after["event_type"] if is_shown else "next_play",
                after["event_at"],
            )
        play.kinds.append(event["event_type"])
        play.stretches.append(Stretch(event, is_running, is_shown, closing))
    return plays


def grace_of(stretch, rules):
    is_beat = stretch.event["event_type"] == "heartbeat" or (
        stretch.is_shown and stretch.closing[0] == "heartbeat"
    )
    return rules.grace if is_beat else inf


def runs_of(events, stretches, lengths, rules):
    """Visits of a user: the place of the first event, and the end, of each."""
    silent_from, starts, ends = None, [], []
    for place, event in enumerate(events):
        at = event["event_at"]
        if silent_from is None or seconds(silent_from, at) > rules.gap:
            starts.append(place)
            ends.append(at)
        until = at
        stretch = stretches.get(event["event_id"])
        if stretch and stretch.is_running and stretch.is_shown:
            length = lengths[event["content_id"]]
            until += SECOND * min(
                seconds(at, stretch.closing[1]),
                inf if length is None else length,
                rules.longest,
                grace_of(stretch, rules),
            )
        silent_from = max(silent_from or until, until)
        ends[-1] = max(ends[-1], until)
    return starts, ends


def bound(stretch, length, next_play, next_run, rules):
    """How long the title may have run, and what ended it."""
    at = stretch.event["event_at"]
    grace = grace_of(stretch, rules)
    away = play = inf
    if not stretch.is_shown:
        away = seconds(at, next_run) if next_run else inf
        play = seconds(at, next_play) if next_play else inf
        if length is None and grace == inf and not play < away:
            return 0.0, "unknown"
    # Of equals the first.
    ends = [("session_end", away), ("heartbeat", grace), ("next_play", play)]
    if stretch.closing:
        kind, instant = stretch.closing
        ends.insert(1, (kind, seconds(at, instant)))
    reason, end = min(ends, key=lambda each: each[1])
    return (rules.longest, "maximum") if end > rules.longest else (end, reason)


def watch(play, length, rules):
    """Let the stretches of a play run; return the seconds of the title."""
    position, speed, left, seen = 0.0, 1.0, rules.longest, []
    for stretch in play.stretches:
        event = stretch.event
        if event["position_seconds"] != "":
            position = max(event["position_seconds"], 0)
            position = min(position, inf if length is None else length)
        speed = event["playback_rate"] or speed
        if not stretch.is_running:
            continue
        rest = inf if length is None else (length - position) / speed
        stretch.runs = round(min(stretch.bound, left, rest), 6)
        if stretch.runs < stretch.bound and stretch.reason != "unknown":
            stretch.reason = "title_end" if rest <= left else "maximum"
        left -= stretch.runs
        seen.append((position, position + stretch.runs * speed))
        position = seen[-1][1]
    return seen


def union(intervals):
    total, until = 0.0, -inf
    for start, end in sorted(intervals):
        total += max(end - max(start, until), 0)
        until = max(until, end)
    return total


def played(events, lengths, rules=None):
    """What is watched in every play, and when its user was there.

    Parameters
    ----------
    events : list of dict
        As from `player_events`.
    lengths : dict
        Seconds by title; None where unknown.
    rules : Rules, optional

    Returns
    -------
    plays : dict
        By play: whole seconds watched, unique and net, why it ended, when,
        whether it is valid, completed and skipped, and how many pauses.
    visits : dict
        By first event: user and end.
    """
    rules = rules or Rules()
    found, visits = {}, {}
    for theirs in grouped(events, "user_id"):
        players = grouped(theirs, "player_id", "device_type")
        plays = [play for player in players for play in told(player, rules)]
        stretches = {
            stretch.event["event_id"]: stretch
            for play in plays
            for stretch in play.stretches
        }
        starts, ends = runs_of(theirs, stretches, lengths, rules)
        for start, end in zip(starts, ends, strict=True):
            event = theirs[start]
            visits[event["event_id"]] = (event["user_id"], end)
        places = {each["event_id"]: place for place, each in enumerate(theirs)}
        openings = sorted(places[play.id] for play in plays)
        for play in plays:
            for stretch in play.stretches:
                here = places[stretch.event["event_id"]]
                next_play, next_run = (
                    next((at for at in later if at > here), None)
                    for later in (openings, starts)
                )
                stretch.bound, stretch.reason = bound(
                    stretch,
                    lengths[play.content],
                    next_play and theirs[next_play]["event_at"],
                    next_run and theirs[next_run]["event_at"],
                    rules,
                )
        found |= summed(plays, lengths, rules)
    return found, visits


def grouped(events, *names):
    """Groups by the first of the columns that is not empty, each in order."""
    groups = defaultdict(list)
    for event in events:
        groups[next(event[name] for name in names if event[name])].append(event)
    return [sorted(group, key=place) for group in groups.values()]


def summed(plays, lengths, rules):
    """Add up the plays of one user, whose clock runs once."""
    found, spans = {}, []
    for play in plays:
        length = lengths[play.content]
        seen = watch(play, length, rules)
        running = [each for each in play.stretches if each.is_running]
        spans += [(each, play.id) for each in running]
        watched = round(sum(each.runs for each in running), 6)
        unique = round(union(seen), 6)
        is_completed = bool(length) and unique / length >= rules.complete
        found[play.id] = {
            "watched_seconds": floor(watched),
            "unique_seconds": floor(unique),
            "net_watched_seconds": 0.0,
            "close_reason_code": running[-1].reason,
            "ended_at": max(
                each.event["event_at"] + each.runs * SECOND for each in running
            ),
            "is_valid_play": watched >= rules.valid,
            "is_completed": is_completed,
            "is_skipped": "skip" in play.kinds and not is_completed,
            "pause_count": play.kinds.count("pause"),
        }
    until = datetime.min
    spans.sort(key=lambda span: place(span[0].event))
    for stretch, play_id in spans:
        start = stretch.event["event_at"]
        end = start + stretch.runs * SECOND
        found[play_id]["net_watched_seconds"] += max(
            seconds(max(start, until), end), 0
        )
        until = max(until, end)
    for row in found.values():
        row["net_watched_seconds"] = floor(round(row["net_watched_seconds"], 6))
    return found
