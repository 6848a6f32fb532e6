"""Sessions and watched time, read off plays in order by pandas."""

import numpy as np
import pandas as pd

PERCENTILES = {
    "p25_seconds": 25,
    "median_seconds": 50,
    "p75_seconds": 75,
    "p90_seconds": 90,
    "p95_seconds": 95,
    "longest_seconds": 100,
}


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
