"""After a build, tests say what a log lacks: rows, recent events, a day."""

import shutil
from datetime import UTC, datetime, timedelta

import duckdb
import pandas as pd
import pytest

DAY = timedelta(days=1)
FIRST = datetime(2026, 1, 5, 12)
# Four weeks before the last complete day, and the day that is not loaded whole.
DAYS = 30
PER_DAY = 10
LAST = FIRST + (DAYS - 2) * DAY
TESTS = (
    "assert_few_rows_are_rejected",
    "assert_the_last_event_is_recent",
    "assert_the_last_day_is_as_busy_as_its_weekday",
)
VARIABLES = {"volume_least_events": PER_DAY}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("inputs")


@pytest.fixture(scope="module")
def log(log_of, folder):
    moments = [
        FIRST + day * DAY + number * timedelta(minutes=1)
        for day in range(DAYS)
        for number in range(PER_DAY)
    ]
    return log_of(
        folder / "log",
        users=pd.DataFrame({"user_id": ["u"]}),
        content=pd.DataFrame({"content_id": ["c"]}),
        events=pd.DataFrame(
            {
                "event_id": range(len(moments)),
                "user_id": "u",
                "content_id": "c",
                "event_type": "play",
                "event_at": moments,
            }
        ),
    )


@pytest.fixture(scope="module")
def built(build, log, folder):
    build(
        log,
        folder,
        select="+fct_user_days +fct_reconciliation +fct_observation +dim_dates",
    ).close()
    return folder


@pytest.fixture
def said(dbt, log, built, tmp_path):
    """Change the marts, run the tests, return what dbt says of them."""

    def run(*changes, returncode=0, variables=None, **extra):
        shutil.copy(built / "warehouse.duckdb", tmp_path)
        with duckdb.connect(tmp_path / "warehouse.duckdb") as connection:
            for change in changes:
                assert connection.execute(change).fetchone()[0] > 0
        done = dbt(
            log,
            tmp_path,
            *("test", "--select", *TESTS),
            variables=VARIABLES | (variables or {}),
            **extra,
        )
        assert done.returncode == returncode, done.stdout
        return done.stdout

    return run


def events_on_the_last_day(count):
    return (
        f"update marts.fct_user_days set event_count = {count}"
        f" where activity_date = date '{LAST.date()}'"
    )


def lost_rows(rejected, malformed):
    return (
        "update marts.fct_reconciliation set raw_rows = 100,"
        f" rejected_rows = {rejected}, malformed_rows = {malformed}"
        " where table_name = 'users'"
    )


def test_a_sound_log_is_sound(said):
    assert "PASS=6 WARN=0 ERROR=0" in said()


def test_a_day_with_less_than_half_of_its_events_is_named(said):
    assert "WARN=0" in said(events_on_the_last_day(5))
    found = said(events_on_the_last_day(4))
    assert "WARN=1" in found
    assert (
        f"{LAST.date()} has 4 events, and its weekday had 10 in the median of"
        " four weeks; see whether the export is complete" in found
    )


def test_a_day_without_an_event_is_named(said):
    found = said(
        f"delete from marts.fct_user_days"
        f" where activity_date = date '{LAST.date()}'"
    )
    assert f"{LAST.date()} has 0 events" in found


def test_the_median_of_four_weeks_is_what_is_usual(said):
    """Two days of four that were empty make it 5."""
    empty = ", ".join(
        f"date '{(LAST - days * DAY).date()}'" for days in (7, 14)
    )
    change = (
        "update marts.fct_user_days set event_count = 0"
        f" where activity_date in ({empty})"
    )
    few = {"volume_least_events": 5}
    assert "WARN=0" in said(change, events_on_the_last_day(3), variables=few)
    found = said(change, events_on_the_last_day(2), variables=few)
    assert "its weekday had 5 in the median" in found


def test_days_are_compared_only_where_there_are_enough(said):
    fall = events_on_the_last_day(1)
    early = f"delete from marts.dim_dates where calendar_date <= '{FIRST}'"
    assert "WARN=0" in said(fall, early)
    more = {"volume_least_events": PER_DAY + 1}
    assert "WARN=0" in said(fall, variables=more)


def test_many_rejected_rows_are_named(said):
    assert "WARN=0" in said(lost_rows(3, 2))
    found = said(lost_rows(3, 3))
    assert "WARN=1" in found
    assert "users.csv: 6 of 100 rows are rejected or malformed" in found
    assert "raise rejected_share_limit" in found


def test_an_old_last_event_is_named_where_somebody_asks(said):
    found = said(variables={"freshness_days": 7})
    assert "WARN=1" in found
    assert "the last event is of 2026-02-03 12:09:00, " in found
    now = datetime.now(UTC).replace(tzinfo=None) - 6 * DAY
    recent = f"update marts.fct_observation set last_event_at = '{now}'"
    assert "WARN=0" in said(recent, variables={"freshness_days": 7})


def test_a_variable_says_what_a_finding_does(said):
    found = said(
        lost_rows(50, 0),
        events_on_the_last_day(1),
        variables={"rejected_share_check": "error", "volume_check": "ignore"},
        returncode=1,
        # Severities are read when the project is parsed.
        DBT_PARTIAL_PARSE="false",
    )
    assert "50 of 100 rows" in found
    assert "ERROR=1" in found
    assert "in the median of four weeks" not in found
