"""Retention against a known truth.

A world in which the chance of every return can be worked out by hand: members
of a few kinds leave for good with one chance a day and, while they stay, play
on a day with another. Daily cohorts begin over 60 days and are watched to the
sixtieth, so that most windows are still open for many. Common estimators miss
the truth; ours, computed by the models themselves, must hold it.
"""

from datetime import date, timedelta
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

FIRST_DAY = date(2026, 1, 5)
DAYS = 60  # cohorts, and days that are loaded whole
WINDOWS = {
    ("on_day", 1, 1),
    ("on_day", 7, 7),
    ("on_day", 14, 14),
    ("on_day", 30, 30),
    ("bracket", 1, 7),
    ("bracket", 8, 14),
    ("bracket", 15, 30),
    ("on_or_after", 1, 30),
    ("on_or_after", 7, 30),
    ("on_or_after", 14, 30),
}
VARIABLES = {
    "time_zone": "UTC",
    "week_start_day": "wednesday",
    "late_allowance_days": 0,
    "retention_days": [1, 7, 14, 30],
    "retention_brackets": [[1, 7], [8, 14], [15, 30]],
    "retention_fixed_days": 30,
    "retention_horizon_days": 60,
    "genre_outcome_day": 7,
    "minimum_cell_users": 30,
    "churn_after_days": 14,
}


class Kind(NamedTuple):
    """Members of one kind: their share, and their chances of a day."""

    share: float
    leaving: float
    playing: float


KINDS = (Kind(0.6, 0.08, 0.3), Kind(0.4, 0.01, 0.15))
ALIKE = (1.0,)  # what multiplies a cohort's chance of playing
UNLIKE = (0.4, 1.6)


# --- the truth ----------------------------------------------------------------


def returning(first, last, playing, leaving):
    """Chance of a play on one of the days `first` to `last`."""
    unseen, seen = (1 - leaving) ** (first - 1), 0.0
    for _ in range(first, last + 1):
        seen += unseen * (1 - leaving) * playing
        unseen *= (1 - leaving) * (1 - playing)
    return seen


def retained(first, last, factors=ALIKE):
    """The share of members who return, the mean over kinds and cohorts."""
    return float(
        np.mean(
            [
                sum(
                    kind.share
                    * returning(
                        first, last, factor * kind.playing, kind.leaving
                    )
                    for kind in KINDS
                )
                for factor in factors
            ]
        )
    )


def surviving(last, churn_after=14):
    """Share of members with a lifetime above 0, 1, ... `last` days."""
    churned = np.zeros(last + churn_after + 1)
    for kind in KINDS:
        # Shares by days of silence so far: still there, and gone.
        here, gone = np.zeros(churn_after), np.zeros(churn_after)
        here[0] = kind.share
        for day in range(1, last + churn_after):
            gone = gone + kind.leaving * here
            here = (1 - kind.leaving) * here
            playing = kind.playing * here.sum()
            here = (1 - kind.playing) * here
            # The silence began `churn_after` - 1 days before it was enough.
            churned[day - churn_after + 1] += here[-1] + gone[-1]
            here = np.concatenate([[playing], here[:-1]])
            gone = np.concatenate([[0.0], gone[:-1]])
    return 1 - np.cumsum(churned)[: last + 1]


def test_the_truth_is_that_of_a_hand_and_of_a_crowd():
    assert returning(1, 1, 0.5, 0.1) == pytest.approx(0.45)
    assert returning(2, 2, 0.5, 0.1) == pytest.approx(0.405)
    assert returning(1, 2, 0.5, 0.1) == pytest.approx(0.45 + 0.45 * 0.45)
    draw = np.random.default_rng(3)
    active = lives(draw, np.ones(200_000), days=60)
    for first, last in ((7, 7), (8, 14), (14, 30)):
        share = active[:, first : last + 1].any(axis=1).mean()
        assert share == pytest.approx(retained(first, last), abs=0.004)
    silent = ~active
    for day in (1, 7, 20):
        is_over = np.any(
            [
                silent[:, start : start + 14].all(axis=1)
                for start in range(1, day + 1)
            ],
            axis=0,
        )
        assert 1 - is_over.mean() == pytest.approx(
            surviving(30)[day], abs=0.004
        )


# --- the world ----------------------------------------------------------------


def lives(draw, factors, days):
    """Whether each member plays on days 0 to `days`; day 0 always."""
    kind = draw.choice(
        len(KINDS), size=len(factors), p=[kind.share for kind in KINDS]
    )
    leaving = np.array([kind.leaving for kind in KINDS])[kind]
    playing = np.array([kind.playing for kind in KINDS])[kind] * factors
    last = draw.geometric(leaving)[:, None]  # the first day that is missed
    day = np.arange(days + 1)
    active = (draw.random((len(factors), days + 1)) < playing[:, None]) & (
        day < last
    )
    active[:, 0] = True
    return active


class World(NamedTuple):
    """Members, and one row for each of their active days."""

    members: pd.DataFrame  # user_id, group, cohort, factor, first_second
    plays: pd.DataFrame  # user_id, group, cohort, day, second


def world(seed, groups, smallest, largest):
    """Draw members; `groups` are names with the factors of their cohorts."""
    draw = np.random.default_rng(seed)
    members = []
    for name, factors in groups.items():
        sizes = draw.integers(smallest, largest + 1, DAYS)
        cohort = np.repeat(np.arange(DAYS), sizes)
        factor = np.repeat(draw.choice(factors, size=DAYS), sizes)
        members.append(
            pd.DataFrame({"group": name, "cohort": cohort, "factor": factor})
        )
    frame = pd.concat(members, ignore_index=True)
    frame["user_id"] = [f"u{number:07}" for number in range(len(frame))]
    # Later plays begin within five minutes of the clock time of the first, so
    # that elapsed days and calendar days are the same ones.
    frame["first_second"] = draw.integers(0, 86_400 - 300, len(frame))
    active = lives(draw, frame["factor"].to_numpy(), DAYS)
    rows, days = np.nonzero(active)
    plays = frame.loc[rows, ["user_id", "group", "cohort", "first_second"]]
    plays = plays.assign(day=days).reset_index(drop=True)
    later = draw.integers(0, 300, len(plays)) * (plays["day"] > 0)
    plays["second"] = plays["first_second"] + later
    at = plays["cohort"] + plays["day"]
    # The log ends at noon of the day after the last whole one.
    is_seen = (at < DAYS) | ((at == DAYS) & (plays["second"] < 43_200))
    return World(frame, plays[is_seen].reset_index(drop=True))


def instants(days, seconds):
    return (
        pd.Timestamp(FIRST_DAY)
        + pd.to_timedelta(days, unit="D")
        + pd.to_timedelta(seconds, unit="s")
    ).astype("datetime64[us]")


# --- through the whole warehouse ----------------------------------------------

LEVEL = 0.999  # of the intervals: there are dozens, and all must hold
REACH = float(norm.isf((1 - LEVEL) / 2))


@pytest.fixture(scope="module")
def small_world():
    return world(
        20260105, {"alike": ALIKE, "unlike": UNLIKE}, smallest=50, largest=100
    )


@pytest.fixture(scope="module")
def warehouse(build, log_of, small_world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    members, plays = small_world
    signed_up = instants(members["cohort"], members["first_second"])
    log_of(
        folder / "log",
        users=pd.DataFrame(
            {
                "user_id": members["user_id"],
                "signed_up_at": signed_up,
                "platform": members["group"],
            }
        ),
        content=pd.DataFrame(
            {"content_id": ["c1"], "title": ["One"], "duration_seconds": [600]}
        ),
        events=pd.DataFrame(
            {
                "event_id": [f"e{number}" for number in range(len(plays))],
                "user_id": plays["user_id"],
                "content_id": "c1",
                "event_type": "play",
                "event_at": instants(
                    plays["cohort"] + plays["day"], plays["second"]
                ),
            }
        ),
    )
    connection = build(
        folder / "log",
        folder,
        VARIABLES | {"interval_z": REACH},
        select="+fct_retention_summary +fct_retention_curve +fct_survival"
        " +fct_retention_triangle +fct_user_streaks +fct_tenure",
        with_tests=True,
        extra_args=("--indirect-selection", "cautious"),
    )
    yield connection
    connection.close()


def summary(connection, group):
    frame = connection.execute(
        "select * from marts.fct_retention_summary"
        " where dimension = 'platform' and dimension_value = ?",
        [group],
    ).df()
    keys = ["retention_type", "from_day_number", "to_day_number"]
    assert set(frame[keys].itertuples(index=False, name=None)) == WINDOWS
    assert len(frame) == 2 * len(WINDOWS)
    return frame


def truths(frame, factors=ALIKE):
    return np.array(
        [
            retained(first, last, factors)
            for first, last in zip(
                frame["from_day_number"], frame["to_day_number"], strict=True
            )
        ]
    )


def test_every_window_holds_the_truth_in_both_day_modes(warehouse):
    frame = summary(warehouse, "alike")
    truth = truths(frame)
    misses = frame[(frame["ci_low"] > truth) | (frame["ci_high"] < truth)]
    assert misses.empty, misses
    misses = frame[
        (frame["cohort_ci_low"] > truth) | (frame["cohort_ci_high"] < truth)
    ]
    assert misses.empty, misses
    assert (frame["ci_high"] - frame["ci_low"] < 0.15).all()


def test_cohorts_that_differ_are_held_by_the_interval_of_cohorts(
    warehouse, small_world
):
    """Wilson's holds the rate of these cohorts; the other that of cohorts."""
    frame = summary(warehouse, "unlike")
    long_run = truths(frame, UNLIKE)
    assert (frame["design_effect"] > 1.2).all()
    assert (
        (frame["cohort_ci_low"] <= long_run)
        & (long_run <= frame["cohort_ci_high"])
    ).all()
    members = small_world.members.query("group == 'unlike'")
    for row in frame.itertuples():
        last_cohort = DAYS - 1 - row.to_day_number
        if row.day_mode == "elapsed":
            last_cohort -= 1
        eligible = members[members["cohort"] <= last_cohort]
        assert row.eligible_users in (
            len(eligible),
            # An elapsed day may end at midnight itself.
            len(eligible)
            + (
                (members["cohort"] == last_cohort + 1)
                & (members["first_second"] == 0)
            ).sum(),
        )
        mix = eligible["factor"].value_counts(normalize=True)
        given = sum(
            share * retained(row.from_day_number, row.to_day_number, (factor,))
            for factor, share in mix.items()
        )
        assert row.ci_low <= given <= row.ci_high, row


def naive(connection, first, last):
    """(retained, eligible, everybody) as told by the days alone."""
    return connection.execute(
        "with seen as (select user_id, max(day_number) filter (where"
        " day_number between $first and $last) is not null as is_back"
        " from marts.fct_user_days where platform = 'alike' and is_active"
        " and activity_date <= (select watermark_date"
        " from intermediate.int_log_bounded) group by user_id)"
        " select count(*) filter (where is_back),"
        " count(*) filter (where is_back and is_old),"
        " count(*) filter (where is_old), count(*)"
        " from (select *, cohort_date + $first <= watermark_date as is_old"
        " from intermediate.int_users_started"
        " cross join intermediate.int_log_bounded"
        " where platform = 'alike') left join seen using (user_id)",
        {"first": first, "last": last},
    ).fetchone()


def errors_off(part, whole, truth):
    rate = part / whole
    return (rate - truth) / np.sqrt(rate * (1 - rate) / whole)


EVER = 10_000  # a last day that nobody lives to see


@pytest.mark.parametrize("day", [14, 30])
def test_counting_who_is_too_young_as_lost_misses_the_truth(warehouse, day):
    returned, _, _, everybody = naive(warehouse, day, day)
    assert errors_off(returned, everybody, retained(day, day)) < -6


@pytest.mark.parametrize("day", [7, 14, 30])
def test_waiting_as_long_as_each_was_watched_misses_the_truth(warehouse, day):
    """Eligible users alone do not mend 'on or after' without a last day."""
    returned, of_eligible, eligible, everybody = naive(warehouse, day, EVER)
    truth = retained(day, EVER)
    assert errors_off(returned, everybody, truth) < -10
    assert errors_off(of_eligible, eligible, truth) < -4


# --- survival -----------------------------------------------------------------


def survival(connection, group):
    return (
        connection.execute(
            "select * from marts.fct_survival"
            " where dimension = 'platform' and dimension_value = ?"
            " order by day_number",
            [group],
        )
        .df()
        .set_index("day_number")
    )


def test_survival_holds_the_truth_where_shares_of_all_users_miss_it(warehouse):
    found = survival(warehouse, "alike")
    truth = surviving(45)
    assert found.index.tolist() == list(range(47))
    for day in (1, 3, 7, 14, 21, 30, 40):
        assert found["ci_low"][day] <= truth[day] <= found["ci_high"][day], day
    churned, followed = warehouse.execute(
        "select count(*) filter (where lifetime_days > 30), count(*)"
        " from marts.fct_user_lifetimes where platform = 'alike'"
    ).fetchone()
    assert errors_off(churned, followed, truth[30]) < -10
    # Leaving out who was not followed for 30 days keeps those who churned
    # early but not those who were still there.
    kept, known = warehouse.execute(
        "select count(*) filter (where lifetime_days > 30), count(*)"
        " from marts.fct_user_lifetimes"
        " where platform = 'alike' and (is_churned or lifetime_days > 30)"
    ).fetchone()
    assert errors_off(kept, known, truth[30]) < -10


# --- over many worlds ---------------------------------------------------------

MODELS = (
    "fct_user_returns",
    "fct_retention_summary",
    "fct_user_lifetimes",
    "fct_survival",
)


@pytest.fixture(scope="module")
def estimated(compiled):
    """Estimate many worlds at once, each a value of one dimension."""
    sql = compiled(*MODELS, variables=VARIABLES)

    def run(seed, groups, **sizes):
        members, plays = world(seed, groups, **sizes)
        members["cohort_date"] = instants(members["cohort"], 0)
        members["first_active_at"] = instants(
            members["cohort"], members["first_second"]
        )
        plays["activity_date"] = instants(plays["cohort"] + plays["day"], 0)
        plays["event_at"] = instants(
            plays["cohort"] + plays["day"], plays["second"]
        )
        bounds = pd.DataFrame(
            {"watermark": [FIRST_DAY + timedelta(days=DAYS - 1)]}
        )
        with duckdb.connect() as connection:
            for name, frame in (
                ("members", members),
                ("plays", plays),
                ("bounds", bounds),
            ):
                connection.register(name, frame)
            connection.execute(
                """
                attach ':memory:' as warehouse;
                create schema warehouse.intermediate;
                create schema warehouse.marts;
                use warehouse.intermediate;
                create table int_log_bounded as
                select cast(watermark as date) as watermark_date from bounds;
                create table int_users_started as
                select user_id, row_number() over (order by user_id)
                        as user_key,
                    true as is_new, "group" as platform,
                    'DE' as country_code, 'organic' as acquisition_channel,
                    cast(cohort_date as date) as cohort_date, first_active_at
                from members;
                create table int_users_dimensioned as
                select user_id, 'platform' as dimension,
                    "group" as dimension_value
                from members;
                create table int_events_bounded as
                select user_key, true as is_active, event_at
                from plays inner join int_users_started using (user_id);
                create table warehouse.marts.fct_user_days as
                select user_id, true as is_new, true as is_active,
                    cast(day as integer) as day_number,
                    cast(activity_date as date) as activity_date
                from plays;
                """
            )
            for name in MODELS:
                connection.execute(
                    f"create table warehouse.marts.{name} as {sql[name]}"
                )
            return (
                connection.execute(
                    "from warehouse.marts.fct_retention_summary"
                ).df(),
                connection.execute("from warehouse.marts.fct_survival").df(),
            )

    return run


def coverage(frame, truth, low="ci_low", high="ci_high"):
    """How often the interval holds the truth, by window and day mode."""
    held = (frame[low] <= truth) & (truth <= frame[high])
    keys = ["retention_type", "from_day_number", "to_day_number", "day_mode"]
    return held.groupby([frame[key] for key in keys]).mean()


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say(estimated):
    """400 worlds of each sort, in batches that fit into memory."""
    batches = [
        estimated(
            seed,
            {
                f"{name}{number}": factors
                for name, factors in (("alike", ALIKE), ("unlike", UNLIKE))
                for number in range(10)
            },
            smallest=20,
            largest=60,
        )
        for seed in range(1, 41)
    ]
    rates = pd.concat([rates for rates, _ in batches], ignore_index=True)
    is_alike = rates["dimension_value"].str.startswith("alike")
    alike, unlike = rates[is_alike], rates[~is_alike]
    worlds = 400
    tolerated = 3.5 * np.sqrt(0.95 * 0.05 / worlds)

    wilson = coverage(alike, truths(alike))
    assert len(wilson) == 2 * len(WINDOWS)
    assert wilson.min() > 0.95 - tolerated, wilson
    assert wilson.mean() < 0.97

    for frame, factors in ((alike, ALIKE), (unlike, UNLIKE)):
        cohorts = coverage(
            frame,
            truths(frame, factors),
            "cohort_ci_low",
            "cohort_ci_high",
        )
        assert cohorts.min() > 0.95 - tolerated, cohorts
        assert cohorts.mean() < 0.99
    # What the second interval is for: users are not the sample here.
    fooled = coverage(unlike, truths(unlike, UNLIKE))
    assert fooled.max() < 0.9, fooled

    days = pd.concat([days for _, days in batches], ignore_index=True)
    days = days[days["dimension_value"].str.startswith("alike")]
    days = days[days["day_number"].isin((1, 3, 7, 14, 21, 30, 40))]
    truth = surviving(45)[days["day_number"]]
    held = (days["ci_low"] <= truth) & (truth <= days["ci_high"])
    by_day = held.groupby(days["day_number"]).mean()
    assert by_day.min() > 0.95 - tolerated, by_day
    assert by_day.mean() < 0.97
