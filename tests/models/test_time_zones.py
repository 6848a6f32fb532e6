"""Days, weeks and windows in any zone, and on whichever machine.

Small logs with events around the midnights of every zone of the suite and
around the instants at which clocks change: days of 23 and 25 hours, a day
without its midnight, one with two, one whose last hour comes twice. Each build
runs under another zone of the machine, which must mean nothing.
"""

import random
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from itertools import cycle
from math import isclose

import duckdb
import pandas as pd
import pytest
from by_local_day import (
    ACTIVE_USERS,
    DAY,
    FREQUENCY,
    GRAINS,
    GROWTH,
    Calendar,
    Expected,
    Rules,
    told,
)

# Log and calendar. Clocks change in New York and Havana on 2026-03-08 and
# 2026-11-01 and in Beirut on 2026-10-25: New York at two in the morning, Havana
# forward at midnight and back at one, Beirut back at midnight.
SPRING, AUTUMN = datetime(2026, 2, 18), datetime(2026, 10, 14)
DAYS = 36
CASES = (
    (SPRING, Calendar("UTC", "sunday")),
    (AUTUMN, Calendar("Etc/GMT+8", "monday")),
    (SPRING, Calendar("Asia/Kolkata", "wednesday")),
    (AUTUMN, Calendar("Pacific/Kiritimati", "sunday")),
    (SPRING, Calendar("America/New_York", "sunday")),
    (AUTUMN, Calendar("America/New_York", "monday")),
    (SPRING, Calendar("America/Havana", "monday")),
    (AUTUMN, Calendar("America/Havana", "sunday")),
    (AUTUMN, Calendar("Asia/Beirut", "monday")),
)
MACHINES = ("Pacific/Auckland", "America/Los_Angeles", "Asia/Kathmandu")
RULES = Rules(
    windows=(
        *(("on_day", day, day) for day in (1, 2, 7)),
        *(("bracket", 1, 3), ("bracket", 4, 9)),
        *(("on_or_after", day, 10) for day in (1, 2, 7)),
    ),
    horizon=30,
    fixed=10,
    churn_after=4,
    tenure_bands=(3, 9),
    active_window=14,
    onboarding_window=3,
)
VARIABLES = {
    "retention_days": [1, 2, 7],
    "retention_brackets": [[1, 3], [4, 9]],
    "retention_fixed_days": RULES.fixed,
    "retention_horizon_days": RULES.horizon,
    "genre_outcome_day": 7,
    "genre_window_days": 3,
    "churn_after_days": RULES.churn_after,
    "tenure_band_days": list(RULES.tenure_bands),
    "active_window_days": RULES.active_window,
    "onboarding_window_days": RULES.onboarding_window,
    "late_allowance_days": 0,
    "session_midnight": "split",
}
METRICS = {
    # Name: kind, measure, day mode, first day, day after the last.
    "day_1": ("proportion", "active", "calendar", 1, 2),
    "own_day": ("mean", "plays", "calendar", 0, 1),
    "week": ("mean", "sessions", "calendar", 1, 8),
    "elapsed_week": ("mean", "plays", "elapsed", 0, 7),
}
TITLES = {"c": "Crime", "d": "Drama", "b": "Crime|Drama", "none": None}


# --- logs around midnight -----------------------------------------------------


@dataclass(frozen=True)
class Log:
    users: dict  # to the instant of sign-up, or None
    events: list  # user, title, type, instant
    assignments: dict  # user to instant


def changes(start):
    """The instants at which the suite's clocks change during a log."""
    zones = {calendar for _, calendar in CASES}
    found = []
    for calendar in zones:
        for number in range(DAYS):
            day = start.date() + number * DAY
            begins = calendar.begins(day)
            if calendar.begins(day + DAY) - begins != DAY:
                found += [begins + timedelta(hours=hour) for hour in range(26)]
    return found


def log_from(start):
    draw = random.Random(start.toordinal())  # noqa: S311
    calendars = [calendar for _, calendar in CASES]
    moments = changes(start)

    def instant(day):
        """An instant near a midnight of the day, or a change of clocks."""
        if draw.random() < 0.15:
            at = draw.choice(moments)
        else:
            at = draw.choice(calendars).begins(day)
        return at + timedelta(
            seconds=draw.choice(
                [-1, 0, 0, 1, -1800, 3599, draw.randint(-14_000, 14_000)]
            )
        )

    users, events, assignments = {}, [], {}
    for number in range(70):
        user = f"u{number:02}"
        first = draw.randrange(DAYS)
        share = draw.choice([0.1, 0.3, 0.6, 0.9])
        theirs = sorted(
            instant(start.date() + day * DAY)
            for day in range(first, DAYS)
            for _ in range(draw.choice([1, 1, 2, 4]))
            if day == first or draw.random() < share
        )
        for at in theirs:
            title = draw.choice(list(TITLES))
            kind = draw.choice(["play"] * 5 + ["pause", "skip"])
            events.append((user, title, kind, at))
            if draw.random() < 0.5:
                later = at + timedelta(seconds=draw.choice([29, 30, 900]))
                events.append(
                    (user, title, draw.choice(["pause", "stop"]), later)
                )
        users[user] = draw.choice(
            [
                None,
                theirs[0],
                theirs[0] - timedelta(seconds=draw.randint(0, 90_000)),
                start - timedelta(hours=draw.randint(-14, 40)),
            ]
        )
        if users[user] and users[user] > theirs[0]:
            users[user] = theirs[0]
        if draw.random() < 0.7:
            assignments[user] = instant(
                start.date() + draw.randrange(DAYS) * DAY
            )
    users["nobody"] = start + 3 * DAY
    return Log(users, events, assignments)


LOGS = {start: log_from(start) for start in (SPRING, AUTUMN)}


def test_the_logs_meet_every_kind_of_day():
    lengths = Counter()
    for start, calendar in CASES:
        for number in range(DAYS):
            day = start.date() + number * DAY
            length = calendar.begins(day + DAY) - calendar.begins(day)
            lengths[length // timedelta(hours=1)] += 1
    assert lengths.keys() == {23, 24, 25}
    havana = Calendar("America/Havana", "monday")
    # 01:00 in summer time; 00:00 in summer time, an hour before the other.
    assert havana.begins(date(2026, 3, 8)) == datetime(2026, 3, 8, 5)
    assert havana.begins(date(2026, 11, 1)) == datetime(2026, 11, 1, 4)
    for start, log in LOGS.items():
        near = {at for *_, at in log.events} & set(changes(start))
        assert len(near) > 5
        assert len(log.events) > 1000


# --- builds -------------------------------------------------------------------


@pytest.fixture(scope="module")
def raw_logs(tmp_path_factory, log_of):
    folders = {}
    for start, log in LOGS.items():
        folder = tmp_path_factory.mktemp("zones")
        log_of(
            folder,
            users=pd.DataFrame(
                {
                    "user_id": list(log.users),
                    "signed_up_at": list(log.users.values()),
                }
            ),
            content=pd.DataFrame(
                {
                    "content_id": list(TITLES),
                    "genre": list(TITLES.values()),
                    "duration_seconds": 1200,
                }
            ),
            events=pd.DataFrame(
                [
                    (f"e{number:05}", *event)
                    for number, event in enumerate(log.events)
                ],
                columns=[
                    *("event_id", "user_id", "content_id"),
                    *("event_type", "event_at"),
                ],
            ),
            experiment_assignments=pd.DataFrame(
                {
                    "experiment_id": "nights",
                    "user_id": list(log.assignments),
                    "variant": "A",
                    "assigned_at": list(log.assignments.values()),
                }
            ),
        )
        (folder / "experiments.csv").write_text(
            "experiment_id,experiment_name,variant,is_control,expected_share\n"
            "nights,Nights,A,true,0.5\nnights,Nights,B,false,0.5\n"
        )
        (folder / "experiment_metrics.csv").write_text(
            "experiment_id,metric_name,kind,measure,day_mode,window_start_day,"
            "window_end_day,direction,role,margin,cap\n"
            + "".join(
                f"nights,{name},{','.join(map(str, row))},increase,primary,,\n"
                for name, row in METRICS.items()
            )
        )
        folders[start] = folder
    return folders


@pytest.fixture(scope="module")
def built(raw_logs, build, tmp_path_factory):
    """The folder of each case, built two at a time."""
    folder = tmp_path_factory.mktemp("built")

    def run(case, machine):
        start, calendar = case
        name = f"{calendar.zone}-{start:%B}".replace("/", "-")
        build(
            raw_logs[start],
            folder / name,
            VARIABLES
            | {
                "time_zone": calendar.zone,
                "week_start_day": calendar.week_start,
            },
            # Facts between models hold under these variables too.
            with_tests=case == CASES[4],
            TZ=machine,
            # Once by the command itself, whose process never had another zone.
            **({"PYTHONHASHSEED": "1"} if case == CASES[4] else {}),
        ).close()
        return folder / name

    with ThreadPoolExecutor(2) as pool:
        return dict(
            zip(CASES, pool.map(run, CASES, cycle(MACHINES)), strict=False)
        )


@pytest.fixture(
    scope="module",
    params=CASES,
    ids=[f"{calendar.zone}-{start:%B}" for start, calendar in CASES],
)
def case(request, built):
    start, calendar = request.param
    log = LOGS[start]
    expected = Expected(
        calendar,
        RULES,
        log.users,
        [(user, kind, at) for user, _, kind, at in log.events],
    )
    path = built[request.param] / "warehouse.duckdb"
    with duckdb.connect(path, read_only=True) as connection:
        yield expected, connection, log


@pytest.fixture(scope="module")
def expected(case):
    return case[0]


@pytest.fixture(scope="module")
def found(case):
    """Read a query as {first columns: others}."""

    return partial(told, case[1])


# --- the log ------------------------------------------------------------------


def test_days_of_the_log(expected, found):
    assert found(
        "select time_zone, observed_from_date, watermark_date"
        " from marts.fct_observation",
        1,
    ) == {expected.calendar.zone: (expected.first_day, expected.watermark)}
    calendar = expected.calendar
    assert found(
        "select calendar_date, is_complete, week_start_date, month_start_date"
        " from marts.dim_dates",
        1,
    ) == {
        day: (
            day <= expected.watermark,
            calendar.start(day, "week"),
            calendar.start(day, "month"),
        )
        for day in expected.days
    }


def test_days_of_users(expected, found):
    assert (
        found(
            "select user_id, activity_date, is_active, is_new, day_number,"
            " event_count from marts.fct_user_days",
            2,
        )
        == expected.user_days()
    )
    assert found(
        "select user_id, is_established, is_new, cohort_date"
        " from marts.dim_users",
        1,
    ) == {
        user: (
            user in expected.established,
            user in expected.cohort,
            expected.cohort.get(user),
        )
        for user in expected.users
    }


@pytest.mark.parametrize(
    "columns",
    [
        ("event_id", "event_at", "event_date", "fct_streaming_activity"),
        ("play_id", "started_at", "play_date", "fct_plays"),
        ("session_id", "started_at", "session_date", "fct_sessions"),
    ],
)
def test_days_of_instants(expected, found, columns):
    rows = found("select {}, {}, {} from marts.{}".format(*columns), 1)
    for at, day in rows.values():
        assert day == expected.calendar.day(at), at


def test_sessions_split_at_midnight_hold_events_of_one_day(expected, found):
    days = defaultdict(set)
    for session, at in found(
        "select event_id, session_id, event_at"
        " from marts.fct_streaming_activity",
        1,
    ).values():
        days[session].add(expected.calendar.day(at))
    assert {len(each) for each in days.values()} == {1}
    runs = found(
        "select session_id, parent_session_id from marts.fct_sessions", 1
    )
    assert any(session != run for session, run in runs.items())


# --- retention ----------------------------------------------------------------


def test_returns_in_calendar_and_elapsed_days(expected, found):
    rows = found(
        "select user_id, retention_type, day_mode, from_day_number,"
        " to_day_number, is_eligible, is_retained, cohort_date, due_date"
        " from marts.fct_user_returns",
        5,
    )
    assert rows == expected.returns()
    modes = defaultdict(list)
    for (_, _, mode, *_), row in rows.items():
        modes[mode].append(row)
    assert modes["calendar"] != modes["elapsed"]


def test_summary(expected, found):
    assert (
        found(
            "select dimension, dimension_value, retention_type, day_mode,"
            " from_day_number, to_day_number, cohort_size, eligible_users,"
            " retained_users from marts.fct_retention_summary"
            " where dimension in ('all', 'cohort')",
            6,
        )
        == expected.summary()
    )


@pytest.mark.parametrize("grain", GRAINS)
def test_triangle(expected, found, grain):
    assert found(
        "select cohort_date, period_number, cohort_size, eligible_users,"
        " retained_users, is_mature, is_cohort_complete"
        f" from marts.fct_retention_triangle where cohort_grain = '{grain}'",
        2,
    ) == expected.triangle(grain)


@pytest.fixture(scope="module")
def play_days(expected, found):
    """How many plays begin on a day, by user and day."""
    return Counter(
        (user, expected.calendar.day(at))
        for user, at in found(
            "select play_id, user_id, started_at from marts.fct_plays", 1
        ).values()
    )


def test_curve(expected, found, play_days):
    rows = found(
        "select cohort_set, day_number, eligible_users, retained_users,"
        " cumulative_plays_mean * eligible_users"
        " from marts.fct_retention_curve where dimension = 'all'",
        2,
    )
    assert {
        key: (*counts, round(plays, 6))
        for key, (*counts, plays) in rows.items()
    } == expected.curve(play_days)


def test_lifetimes_and_survival(expected, found):
    assert (
        found(
            "select user_id, is_churned, lifetime_days, cohort_date"
            " from marts.fct_user_lifetimes",
            1,
        )
        == expected.lifetimes()
    )
    rows = found(
        "select day_number, at_risk_users, churned_users, censored_users,"
        " survival_rate from marts.fct_survival where dimension = 'all'",
        1,
    )
    survival = expected.survival()
    assert rows.keys() == survival.keys()
    for day, (*counts, rate) in survival.items():
        assert rows[day][:3] == tuple(counts)
        assert isclose(rows[day][3], rate, rel_tol=1e-12, abs_tol=1e-15)


def test_streaks(expected, found):
    assert (
        found(
            "select user_id, streak_number, active_day_count, started_date,"
            " ended_date, is_open from marts.fct_user_streaks",
            2,
        )
        == expected.streaks()
    )


def test_tenure(expected, found):
    assert (
        found(
            "select week_start_date, band_number, is_complete, active_users"
            " from marts.fct_tenure",
            2,
        )
        == expected.tenure()
    )


# --- engagement ---------------------------------------------------------------


def test_active_users(expected, found):
    query = (
        f"select calendar_date, {ACTIVE_USERS} from marts.fct_active_users"
        " where dimension = 'all'"
    )
    assert found(query) == expected.active_users()


def test_activity_frequency(expected, found):
    query = (
        f"select window_days, window_end_date, active_day_count, {FREQUENCY}"
        " from marts.fct_activity_frequency"
    )
    assert found(query, 3) == expected.frequency()


@pytest.mark.parametrize("grain", GRAINS)
def test_growth_accounting(expected, found, grain):
    query = (
        f"select period_start_date, {GROWTH} from marts.fct_growth_accounting"
        f" where dimension = 'all' and period_grain = '{grain}'"
    )
    assert found(query) == expected.growth(grain)


# --- experiments, genres and the funnel ---------------------------------------


@pytest.fixture(scope="module")
def measured(case, found):
    """The instants of what the metrics count, by measure and user."""
    _, _, log = case
    instants = defaultdict(list)
    for user, _, kind, at in log.events:
        if kind == "play":
            instants["active", user].append(at)
    for mart, measure, key in (
        ("fct_plays", "plays", "play_id"),
        ("fct_sessions", "sessions", "session_id"),
    ):
        for user, at in found(
            f"select {key}, user_id, started_at from marts.{mart}", 1
        ).values():
            instants[measure, user].append(at)
    return instants


def test_windows_of_experiments(case, found, measured):
    expected, _, log = case
    calendar = expected.calendar
    outcomes = {}
    for user, at in log.assignments.items():
        for name, (kind, measure, mode, first, last) in METRICS.items():
            if mode == "calendar":
                opens, closes = (
                    calendar.begins(calendar.day(at) + number * DAY)
                    for number in (first, last)
                )
            else:
                opens, closes = at + first * DAY, at + last * DAY
            amount = sum(
                opens <= instant < closes for instant in measured[measure, user]
            )
            outcomes[user, name] = (
                opens,
                closes,
                closes <= expected.end_of_log,
                min(amount, 1) if kind == "proportion" else amount,
            )
    assert (
        found(
            "select user_id, metric_name, window_starts_at, window_ends_at,"
            " is_mature, outcome_value from marts.fct_experiment_outcomes",
            2,
        )
        == outcomes
    )
    assert {row[2] for row in outcomes.values()} == {True, False}


@dataclass
class Milestones:
    """What a user's plays come to: all of their starts, and two firsts."""

    starts: list = field(default_factory=list)
    first_valid_play: datetime | None = None
    second_genre: datetime | None = None
    early_genres: set = field(default_factory=set)


@pytest.fixture(scope="module")
def milestones(expected, found):
    reached = defaultdict(Milestones)
    genres = defaultdict(set)
    for user, title, is_valid, at in sorted(
        found(
            "select play_id, user_id, content_id, is_valid_play, started_at"
            " from marts.fct_plays",
            1,
        ).values(),
        key=lambda play: play[3],
    ):
        each = reached[user]
        each.starts.append(at)
        if is_valid:
            each.first_valid_play = each.first_valid_play or at
            genres[user] |= set((TITLES[title] or "").split("|")) - {""}
            if len(genres[user]) > 1:
                each.second_genre = each.second_genre or at
            cohort = expected.cohort.get(user)
            if cohort and expected.calendar.day(at) < cohort + 3 * DAY:
                each.early_genres = set(genres[user])
    return reached


def test_genres_of_the_first_days(expected, found, milestones):
    assert found(
        "select user_id, genre_count, is_eligible, is_retained"
        " from marts.fct_user_genres",
        1,
    ) == {
        user: (len(milestones[user].early_genres), is_eligible, is_retained)
        for (user, *window), (is_eligible, is_retained, *_) in (
            expected.returns().items()
        )
        if window == ["on_day", "calendar", 7, 7]
    }


def test_onboarding_to_the_return_of_the_next_day(expected, found, milestones):
    attempts = expected.onboarding(milestones)
    assert (
        found(
            "select user_id, state_name, is_mature, step_1_at, step_2_at,"
            " step_3_at, step_4_at from marts.fct_onboarding_attempts",
            1,
        )
        == attempts
    )
    assert {state for state, *_ in attempts.values()} > {"converted"}
