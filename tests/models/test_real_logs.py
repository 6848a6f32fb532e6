"""Two real logs, MovieTweetings and Outriders, from raw files to the report.

The published answers were computed once from the raw files, apart from this
project; everything else is computed here from the same files, by definition.
The logs are not part of the project: the proofs run where they lie in
``../shared/data`` and are skipped elsewhere.
"""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from by_local_day import (
    ACTIVE_USERS,
    FREQUENCY,
    GRAINS,
    GROWTH,
    Calendar,
    Expected,
    Rules,
    told,
)

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared/data"
LOGS = ("movietweetings", "outriders")
# Retained and eligible users by day number.
RETENTION = {
    "movietweetings": {
        1: (991, 16_122),
        7: (768, 15_450),
        14: (641, 15_042),
        30: (403, 14_253),
    },
    "outriders": {
        1: (1_410, 2_014),
        7: (1_148, 2_014),
        14: (965, 2_014),
        30: (652, 2_014),
    },
}
SESSIONS = {"movietweetings": 80_977, "outriders": 94_388}
SESSIONS_BY_STARTS = 124_287
NEW_YORK_DAY_7 = (752, 15_464)
# Of the project's own variables.
WINDOWS = (
    *(("on_day", day, day) for day in (1, 7, 14, 30)),
    *(("bracket", first, last) for first, last in ((1, 7), (8, 14), (15, 30))),
    *(("on_or_after", day, 30) for day in (1, 7, 14)),
)


def only(name):
    """Run a test on one of the logs."""
    return pytest.mark.parametrize("name", [name], indirect=True)


@pytest.fixture(scope="module", params=LOGS)
def name(request):
    if not (DATA / request.param).is_dir():
        pytest.skip(f"no log in {DATA / request.param}")
    return request.param


@pytest.fixture(scope="module")
def folder(name, tmp_path_factory):
    return tmp_path_factory.mktemp(name)


@pytest.fixture(scope="module")
def load(script):
    """Load a log as its mapping says; return the folder of raw files."""

    def run(name, folder, mapping):
        done = script(
            "load_logs.py",
            folder,
            folder,
            *(mapping, "--input", DATA / name, "--out", folder / "log"),
        )
        assert done.returncode == 0, done.stderr
        return folder / "log"

    return run


@pytest.fixture(scope="module")
def log(name, folder, load):
    return load(name, folder, ROOT / f"docs/mappings/{name}.yml")


def variables_of(log):
    return yaml.safe_load((log / "vars.yml").read_text())


@pytest.fixture(scope="module")
def warehouse(build, log, folder):
    connection = build(log, folder, variables_of(log), with_tests=True)
    yield connection
    connection.close()


def read_movietweetings(folder):
    frame = pd.read_csv(
        folder / "ratings_100K.dat.gz",
        sep="::",
        engine="python",
        names=["user_id", "item", "rating", "rated_at"],
        dtype=str,
    )
    return frame.assign(
        event_at=pd.to_datetime(frame["rated_at"].astype(int), unit="s"),
        ended_at=pd.Series(pd.NaT, frame.index, "datetime64[s]"),
    )


def read_outriders(folder):
    frame = pd.read_csv(folder / "telemetry-outriders.csv.gz")
    start, end = (
        pd.to_datetime(frame[column]).dt.tz_localize(None)
        for column in ("session_start", "session_end")
    )
    return frame.rename(columns={"pid": "user_id"}).assign(
        event_at=start, ended_at=end
    )


@pytest.fixture(scope="module")
def plays(name):
    """The raw file, read with pandas alone; every row is a play."""
    read = {
        "movietweetings": read_movietweetings,
        "outriders": read_outriders,
    }
    return read[name](DATA / name)


def expected_of(plays, zone="UTC"):
    """Neither log has sign-ups, and every row makes its user active."""
    return Expected(
        Calendar(zone, "monday"),
        Rules(windows=WINDOWS),
        dict.fromkeys(plays["user_id"]),
        [
            (user, "play", at.to_pydatetime())
            for user, at in zip(
                plays["user_id"], plays["event_at"], strict=True
            )
        ],
    )


@pytest.fixture(scope="module")
def expected(plays):
    return expected_of(plays)


def on_day(connection):
    return told(
        connection,
        "select from_day_number, retained_users, eligible_users"
        " from marts.fct_retention_summary where dimension = 'all'"
        " and retention_type = 'on_day' and day_mode = 'calendar'",
    )


def triangle(connection, grain):
    return told(
        connection,
        "select cohort_date, period_number, cohort_size, eligible_users,"
        " retained_users, is_mature, is_cohort_complete"
        f" from marts.fct_retention_triangle where cohort_grain = '{grain}'",
        2,
    )


def count(connection, mart):
    return connection.execute(f"select count(*) from marts.{mart}").fetchone()


# Published answers ------------------------------------------------------------


def test_retention_to_the_last_user(warehouse, name):
    found = on_day(warehouse)
    assert {number: found[number] for number in RETENTION[name]} == RETENTION[
        name
    ]


def test_sessions_to_the_last_one(warehouse, name):
    assert count(warehouse, "fct_sessions") == (SESSIONS[name],)


@pytest.mark.slow
@only("outriders")
def test_without_ends_silence_runs_from_starts(build, load, name, tmp_path):
    mapping = tmp_path / "starts.yml"
    lines = (ROOT / f"docs/mappings/{name}.yml").read_text().splitlines()
    mapping.write_text(
        "\n".join(line for line in lines if "ended_at:" not in line)
    )
    log = load(name, tmp_path, mapping)
    warehouse = build(
        log,
        tmp_path,
        variables_of(log),
        select="+fct_sessions +fct_retention_summary",
    )
    assert count(warehouse, "fct_sessions") == (SESSIONS_BY_STARTS,)
    assert on_day(warehouse)[7] == RETENTION[name][7]
    warehouse.close()


@pytest.fixture
def new_york(build, log, tmp_path):
    connection = build(
        log,
        tmp_path,
        variables_of(log) | {"time_zone": "America/New_York"},
        select="+fct_retention_triangle +fct_retention_summary",
    )
    yield connection
    connection.close()


@pytest.mark.slow
@only("movietweetings")
def test_new_york_days_across_a_clock_change(new_york, plays):
    local = plays["event_at"].dt.tz_localize("UTC")
    local = local.dt.tz_convert("America/New_York")
    assert local.map(lambda at: at.utcoffset()).nunique() == 2
    assert on_day(new_york)[7] == NEW_YORK_DAY_7
    expected = expected_of(plays, "America/New_York")
    assert triangle(new_york, "day") == expected.triangle("day")


# Nothing is lost --------------------------------------------------------------


@only("movietweetings")
def test_totals_of_movietweetings(warehouse):
    assert warehouse.execute(
        "select user_count, established_user_count, event_count, session_count,"
        " title_count, untagged_title_count from marts.fct_observation"
    ).fetchone() == (16554, 0, 100000, 80977, 10506, 66)
    assert warehouse.execute(
        "select count(distinct genre_name) from intermediate.int_titles_tagged"
    ).fetchone() == (25,)


def test_every_row_is_an_event(warehouse, plays):
    assert warehouse.execute(
        "select raw_rows, canonical_rows, is_reconciled"
        " from marts.fct_reconciliation where table_name = 'events'"
    ).fetchone() == (len(plays), len(plays), True)


# Retention --------------------------------------------------------------------


def test_retention_in_calendar_and_elapsed_days(warehouse, expected):
    found = told(
        warehouse,
        "select dimension, dimension_value, retention_type, day_mode,"
        " from_day_number, to_day_number, cohort_size, eligible_users,"
        " retained_users from marts.fct_retention_summary"
        " where dimension in ('all', 'cohort')",
        6,
    )
    assert found == expected.summary()


@pytest.mark.parametrize("grain", GRAINS)
def test_triangle_of_cohorts(warehouse, expected, grain):
    assert triangle(warehouse, grain) == expected.triangle(grain)


# Engagement -------------------------------------------------------------------


def test_active_users_of_every_day_week_and_month(warehouse, expected):
    query = (
        f"select calendar_date, {ACTIVE_USERS} from marts.fct_active_users"
        " where dimension = 'all'"
    )
    assert told(warehouse, query) == expected.active_users()


def test_days_active_of_every_week_and_month(warehouse, expected):
    query = (
        f"select window_days, window_end_date, active_day_count, {FREQUENCY}"
        " from marts.fct_activity_frequency"
    )
    assert told(warehouse, query, 3) == expected.frequency()


@pytest.mark.parametrize("grain", GRAINS)
def test_growth_accounts_for_every_user(warehouse, expected, grain):
    query = (
        f"select period_start_date, {GROWTH} from marts.fct_growth_accounting"
        f" where dimension = 'all' and period_grain = '{grain}'"
    )
    assert told(warehouse, query) == expected.growth(grain)


def sessions(plays, gap=1800):
    """Give plays, in order, the session that they are in.

    One begins after more than `gap` seconds of silence since the latest end, or
    start, so far. An end that is missing or before the start is unknown.
    """
    rows = plays.sort_values(["user_id", "event_at"], kind="stable")
    start = rows["event_at"]
    end = rows["ended_at"].where(rows["ended_at"] >= start)
    latest = end.fillna(start).groupby(rows["user_id"]).cummax()
    silence = start - latest.groupby(rows["user_id"]).shift()
    opens = silence.isna() | (silence > pd.Timedelta(seconds=gap))
    return rows.assign(ended_at=end, session=opens.cumsum())


def watched(rows):
    """Sum the seconds of plays and, user by user, those with any play.

    A play whose end is unknown lasts until the next one of its session; the
    last one of a session lasted for nobody knows how long.
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


def test_seconds_played_and_seconds_of_players(warehouse, name, plays):
    expected = watched(sessions(plays))
    # In Outriders sessions overlap; a rating ends with the next one.
    assert (expected[1] < expected[0]) == (name == "outriders")
    for mart in ("fct_plays", "fct_user_days"):
        assert (
            warehouse.execute(
                "select sum(watched_seconds), sum(net_watched_seconds)"
                f" from marts.{mart}"
            ).fetchone()
            == expected
        )


# To the report ----------------------------------------------------------------


def test_post_step_and_report_run_without_experiments(
    warehouse, name, log, tmp_path, script
):
    assert warehouse
    shutil.copy(log.parent / "warehouse.duckdb", tmp_path)
    database = ("--warehouse", tmp_path / "warehouse.duckdb")
    analysed = script("analyze.py", log, tmp_path, *database, "--seeds", log)
    assert analysed.returncode == 0, analysed.stderr
    assert "Experiments: none in this log." in analysed.stdout

    reported = script(
        "build_report.py", log, tmp_path, *database, "--out", tmp_path / "page"
    )
    assert reported.returncode == 0, reported.stderr
    page = (tmp_path / "page/index.html").read_text(encoding="utf-8")
    assert name in page.lower()
    assert "no experiment" in page.lower()
