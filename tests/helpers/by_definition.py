"""What the marts should say, from their definitions by another road than SQL.

Who was active when is a matrix of users and days; sessions and watched time
are read off the plays in order. Neither log has established users, and days
are those of UTC.
"""

from functools import cached_property

import numpy as np
import pandas as pd

DAY = np.timedelta64(1, "D")
PERCENTILES = {
    "p25_seconds": 25,
    "median_seconds": 50,
    "p75_seconds": 75,
    "p90_seconds": 90,
    "p95_seconds": 95,
    "longest_seconds": 100,
}


class Activity:
    """Who was active on which day of a log.

    Parameters
    ----------
    plays : DataFrame
        user_id, event_at (naive UTC); every row makes its user active.
    """

    def __init__(self, plays):
        day = plays["event_at"].to_numpy().astype("datetime64[D]")
        self.user, self.users = pd.factorize(plays["user_id"])
        self.seconds = plays["event_at"].to_numpy().astype("datetime64[s]")
        self.days = np.arange(day.min(), day.max() + DAY)
        self.active = np.zeros((len(self.users), len(self.days)), bool)
        self.active[self.user, (day - day.min()).astype(int)] = True
        # The last day is not loaded whole.
        self.last = len(self.days) - 2

    @cached_property
    def first(self):
        """Position of each user's first active day."""
        return self.active.argmax(axis=1)

    def returned(self, first, last):
        """Count who came back on day numbers `first` to `last`, and of whom."""
        eligible = self.first + last <= self.last
        came = np.zeros(len(self.users), bool)
        for number in range(first, last + 1):
            came |= self.active[
                np.arange(len(self.users)),
                np.minimum(self.first + number, len(self.days) - 1),
            ]
        return int((came & eligible).sum()), int(eligible.sum())

    def returned_in_elapsed_days(self, first, last):
        """Count the same, of days that are 24 hours from the first play."""
        start = pd.Series(self.seconds).groupby(self.user).min().to_numpy()
        number = (self.seconds - start[self.user]) // DAY
        came = np.zeros(len(self.users), bool)
        came[self.user[(number >= first) & (number <= last)]] = True
        end = start + (last + 1) * DAY
        eligible = end <= self.days[self.last] + DAY
        return int((came & eligible).sum()), int(eligible.sum())

    def periods(self, grain):
        """Number the days' periods; say when each starts and ends."""
        unit = {"day": "D", "week": "W", "month": "M"}[grain]
        starts = (
            pd.DatetimeIndex(self.days).to_period(unit).start_time.to_numpy()
        ).astype("datetime64[D]")
        number, starts = pd.factorize(starts)
        ends = pd.DatetimeIndex(starts).to_period(unit).end_time.to_numpy()
        return number, starts, ends.astype("datetime64[D]")

    def active_in(self, grain):
        """Tell who was active in each period."""
        number, starts, _ = self.periods(grain)
        return np.stack(
            [
                self.active[:, number == period].any(axis=1)
                for period in range(len(starts))
            ],
            axis=1,
        )

    def triangle(self, grain):
        """Map (cohort, period number) to size, eligible and retained."""
        _, starts, ends = self.periods(grain)
        active = self.active_in(grain)
        first = active.argmax(axis=1)
        cells = {}
        for cohort in np.unique(first):
            members = active[first == cohort]
            for period in range(cohort, len(starts)):
                size = len(members)
                is_mature = ends[period] <= self.days[self.last]
                cells[starts[cohort].item(), period - cohort] = (
                    (size, size, int(members[:, period].sum()))
                    if is_mature
                    else (size, 0, 0)
                )
        return cells

    def active_users(self, month=28):
        """Map each day to its active users of a day, week and month."""
        found = {}
        for place, day in enumerate(self.days):
            counts = [
                int(self.active[:, place + 1 - width : place + 1].any(1).sum())
                if place + 1 >= width
                else None
                for width in (1, 7, month)
            ]
            trailing = self.active[:, place + 1 - month : place + 1]
            mean = trailing.sum() / month if place + 1 >= month else None
            found[day.item()] = (*counts, mean)
        return found

    def days_active(self, width):
        """Count, for the last whole day, users by their trailing active days.

        Returns
        -------
        list of int
            Users active on exactly 1, 2, ... `width` of the days.
        """
        window = self.active[:, self.last + 1 - width : self.last + 1]
        return np.bincount(window.sum(axis=1), minlength=width + 1)[1:].tolist()

    def growth(self, grain):
        """Map each period to what became of its users, by sets of users.

        Values are active, previously active, new, kept, resurrected, churned
        and dormant users.
        """
        _, starts, _ = self.periods(grain)
        active = self.active_in(grain)
        sets = [set(np.flatnonzero(column)) for column in active.T]
        found, seen = {}, set()
        for period, start in enumerate(starts):
            now = sets[period]
            row = [len(now), None, len(now - seen), *[None] * 4]
            if period:
                before = sets[period - 1]
                row = [
                    len(now),
                    len(before),
                    len(now - seen),
                    len(now & before),
                    len((now & seen) - before),
                    len(before - now),
                    len(seen - before - now),
                ]
            found[start.item()] = tuple(row)
            seen |= now
        return found


def sessions(plays, gap=1800):
    """Number the sessions of plays.

    Parameters
    ----------
    plays : DataFrame
        user_id, event_at and ended_at; an end that is missing or before the
        start is unknown.

    Returns
    -------
    DataFrame
        The plays in order, with their session: it begins after more than `gap`
        seconds of silence since the latest end, or start, so far.
    """
    rows = plays.sort_values(["user_id", "event_at"], kind="stable")
    start = rows["event_at"]
    end = rows["ended_at"].where(rows["ended_at"] >= start)
    latest = end.fillna(start).groupby(rows["user_id"]).cummax()
    silence = start - latest.groupby(rows["user_id"]).shift()
    opens = silence.isna() | (silence > pd.Timedelta(seconds=gap))
    return rows.assign(ended_at=end, session=opens.cumsum())


def session_lengths(rows):
    """Describe some sessions: count, users, mean and percentiles [s].

    A session lasts from its first start to its latest end, or start. A
    percentile is the smallest length that so many per cent do not exceed.
    """
    known = rows.assign(ended_at=rows["ended_at"].fillna(rows["event_at"]))
    found = known.groupby("session").agg(
        started_at=("event_at", "min"), ended_at=("ended_at", "max")
    )
    lasted = found["ended_at"] - found["started_at"]
    seconds = lasted.dt.total_seconds().to_numpy()
    return {
        "session_count": len(found),
        "user_count": rows["user_id"].nunique(),
        "mean_seconds": seconds.mean(),
    } | {
        name: np.percentile(seconds, percent, method="inverted_cdf")
        for name, percent in PERCENTILES.items()
    }


def watched(rows):
    """Sum the seconds of plays, and the seconds with any play.

    A play whose end is unknown lasts until the next one of its session; the
    last one of a session lasted for nobody knows how long.

    Returns
    -------
    total, net : int
        Every play's seconds; and, user by user, seconds in at least one play.
    """
    following = rows.groupby("session")["event_at"].shift(-1)
    end = rows["ended_at"].fillna(following).fillna(rows["event_at"])
    total = (end - rows["event_at"]).dt.total_seconds().sum()
    net = 0
    for _, played in rows.assign(ended_at=end).groupby("user_id"):
        # Sweep: +1 where a play starts, -1 where one ends.
        at = np.concatenate([played["event_at"], played["ended_at"]])
        step = np.repeat([1, -1], len(played))
        order = np.argsort(at, kind="stable")
        playing = step[order].cumsum()[:-1] > 0
        spans = np.diff(at[order]) / np.timedelta64(1, "s")
        net += spans[playing].sum()
    return int(total), int(net)
