"""What must not change a result, and what must survive: order, copies, time.

A small log is built once, simulated accounts and the events of players that
tell all there is to tell, and compared, mart by mart and column by column, with
builds of the same log in other clothes.
"""

import csv
import random
import re
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from builds import two_warehouses
from complete_log import complete_log

ROOT = Path(__file__).parents[2]
FILES = (
    *("users", "content", "events", "experiment_assignments"),
    *("user_measures", "user_segments"),
)
# These count raw lines, so they see a copy; nothing else may.
LINE_COUNTS = ("fct_reconciliation", "fct_rejected_rows")


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return complete_log(tmp_path_factory.mktemp("small") / "log", whole=True)


@pytest.fixture(scope="module")
def base(tmp_path_factory, build, log):
    """The folder of a fresh build with all its data tests."""
    folder = tmp_path_factory.mktemp("base")
    build(log, folder, with_tests=True).close()
    return folder


def test_the_log_holds_every_kind_of_event(base):
    with duckdb.connect(
        base / "warehouse.duckdb", read_only=True
    ) as connection:
        types, reasons = connection.execute(
            "select count(distinct event_type), count(distinct"
            " close_reason_code) from marts.fct_streaming_activity"
            " left join marts.fct_plays using (play_id)"
        ).fetchone()
    assert types == 6
    assert reasons >= 8


def copied(log, folder):
    return shutil.copytree(log, folder / "log")


# --- files and machines -------------------------------------------------------


def test_order_and_machine_and_earlier_builds_mean_nothing(
    build, log, base, tmp_path, differing_marts
):
    """Rows shuffled, columns reversed, one thread, another hash seed and zone
    of the machine, users in groups, into the warehouse of an earlier build: all
    at once.
    """
    seeds = copied(log, tmp_path)
    draw = random.Random(20260105)  # noqa: S311
    for name in FILES:
        path = seeds / f"{name}.csv"
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        draw.shuffle(rows)
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(
                row[::-1] for row in [header, *rows]
            )
    profiles = (ROOT / "profiles.yml").read_text()
    (tmp_path / "profiles.yml").write_text(
        re.sub(r"threads: \d+", "threads: 1", profiles).replace(
            "settings:\n", "settings:\n        threads: 1\n"
        )
    )
    shutil.copy(base / "warehouse.duckdb", tmp_path)
    build(
        seeds,
        tmp_path,
        variables={"user_group_count": 7},
        DBT_PROFILES_DIR=str(tmp_path),
        PYTHONHASHSEED="1",
        TZ="Asia/Tokyo",
    ).close()
    assert differing_marts(base, tmp_path) == []


def test_every_line_twice_changes_only_the_counts_of_lines(
    build, log, base, tmp_path, differing_marts
):
    seeds = copied(log, tmp_path)
    for name in FILES:
        path = seeds / f"{name}.csv"
        header, _, rows = path.read_text().partition("\n")
        path.write_text(f"{header}\n{rows}{rows}")
    with build(seeds, tmp_path) as connection:
        assert connection.execute(
            "select bool_and(is_reconciled) from marts.fct_reconciliation"
        ).fetchone() == (True,)
    assert differing_marts(base, tmp_path, without=LINE_COUNTS) == []
    assert differing_marts(base, tmp_path) == sorted(LINE_COUNTS)


# --- the same behaviour at another time ---------------------------------------

WEEKS = 364  # days: another year, the same weekdays, other months
HOURS = 8  # of the zone Etc/GMT+8, which lies behind UTC
INSTANTS = {
    "users": ("signed_up_at",),
    "events": ("event_at", "ended_at", "received_at"),
    "experiment_assignments": ("assigned_at", "reached_at"),
}


def moved(log, folder, by):
    """The log with every instant moved; what cannot be read stays."""

    def later(text):
        try:
            return str(datetime.fromisoformat(text) + by)
        except (ValueError, OverflowError):
            return text

    seeds = copied(log, folder)
    for name, columns in INSTANTS.items():
        path = seeds / f"{name}.csv"
        header, *lines = path.read_text().splitlines()
        places = [header.split(",").index(column) for column in columns]
        for number, line in enumerate(lines):
            fields = line.split(",")
            for place in places:
                if place < len(fields):
                    fields[place] = later(fields[place])
            lines[number] = ",".join(fields)
        path.write_text("\n".join([header, *lines, ""]))
    return seeds


# Days that no log moves: of a title's release, and of a statement.
UNMOVED = ("release_date", "stated_date")


@pytest.fixture(scope="module")
def moved_builds(tmp_path_factory, build, log):
    """The folders of the log a year later, and in another zone."""

    def run(by, variables):
        folder = tmp_path_factory.mktemp("moved")
        seeds = moved(log, folder, by)
        build(seeds, folder, variables).close()
        return folder

    with ThreadPoolExecutor(2) as pool:
        return list(
            pool.map(
                run,
                (timedelta(days=WEEKS), timedelta(hours=HOURS)),
                (None, {"time_zone": f"Etc/GMT+{HOURS}"}),
            )
        )


def test_whole_weeks_later_everything_is_whole_weeks_later(
    moved_builds, base, differing_marts
):
    """Months are of other lengths then; what the log does not tell stays."""

    def earlier(name, kind):
        if name == "dimension_value":
            return (
                "coalesce(cast(cast(try_cast(dimension_value as date)"
                f" - interval {WEEKS} days as date) as varchar),"
                " dimension_value)"
            )
        if kind in ("DATE", "TIMESTAMP") and name not in UNMOVED:
            return f"cast({name} - interval {WEEKS} days as {kind})"
        return name

    def without_months(mart, columns, as_read=lambda name, _kind: name):
        kept = [
            f"{as_read(name, kind)} as {name}"
            for name, kind in columns
            if name != "month_start_date"
        ]
        grains = [
            f"{mart}.{name} <> 'month'"
            for name, _ in columns
            if name in ("cohort_grain", "period_grain")
        ]
        return f"select {', '.join(kept)} from {mart} where " + " and ".join(
            [*grains, "true"]
        )

    def moved_back(mart, columns):
        return without_months(mart, columns, earlier)

    later, _ = moved_builds
    assert (
        differing_marts(base, later, view=moved_back, own_view=without_months)
        == []
    )


def test_behind_utc_the_same_clock_times_are_the_same_days(
    moved_builds, base, differing_marts
):
    def moved_back(mart, columns):
        back = [
            f"{name} - interval {HOURS} hours as {name}"
            for name, kind in columns
            if kind == "TIMESTAMP"
        ]
        back += [
            "'UTC' as time_zone" for name, _ in columns if name == "time_zone"
        ]
        return f"select * replace ({', '.join(back)}) from {mart}".replace(
            " replace ()", ""
        )

    _, behind = moved_builds
    assert differing_marts(base, behind, view=moved_back) == []


# --- events that come later ---------------------------------------------------

MONTH = 28  # days, so that weekly and monthly windows end on the same days


@pytest.fixture(scope="module")
def longer_log(tmp_path_factory, log, base):
    """The log and further plays, all after the watermark's day.

    Every user plays at the very end of the log's last, partial day, on the day
    after and 28 days later, also those who had never played.
    """
    seeds = copied(log, tmp_path_factory.mktemp("longer"))
    with duckdb.connect(
        base / "warehouse.duckdb", read_only=True
    ) as connection:
        connection.execute(
            f"""
            copy (
                select
                    'later-' || days || '-' || user_id,
                    user_id,
                    (select min(content_id) from marts.dim_content),
                    'play',
                    strftime(
                        watermark_date + interval '47:59:59' + to_days(days),
                        '%Y-%m-%d %H:%M:%S'
                    ),
                    'phone',
                    null, null, null, null, null, null
                from marts.dim_users
                cross join marts.fct_observation
                cross join (values (0), (1), ({MONTH})) as offsets (days)
                order by all
            ) to '{seeds}/later.csv' (header false)
            """
        )
    later = seeds / "later.csv"
    with (seeds / "events.csv").open("a") as file:
        file.write(later.read_text())
    later.unlink()
    return seeds


@pytest.fixture(scope="module")
def longer(build, longer_log):
    """The folder of a fresh build of the longer log."""
    folder = longer_log.parent
    build(longer_log, folder).close()
    return folder


# What is known of the past, by mart: the rows that were told for good, and the
# columns that are not about them. Whoever plays for the first time is new from
# then on; the days before, with a pause perhaps, are then numbered below 0.
TOLD = {
    "fct_retention_summary": "dimension = 'cohort' and is_mature",
    "fct_retention_triangle": "is_mature",
    "fct_user_returns": "is_eligible",
    "fct_user_lifetimes": "is_churned",
    "fct_user_streaks": "not is_open",
    "fct_tenure": "is_complete",
    "fct_active_users": "is_complete",
    "fct_activity_frequency": "true",
    "fct_growth_accounting": "is_complete",
    "fct_user_genres": "is_eligible",
    "fct_onboarding_attempts": "is_mature",
    "fct_experiment_arms": "true",
    "fct_experiment_assignments": "true",
    "fct_experiment_outcomes": "is_mature",
    "fct_user_days": "activity_date <= watermark_date",
    "fct_plays": "play_date <= watermark_date",
    "fct_sessions": "session_date <= watermark_date",
    "fct_streaming_activity": "event_date <= watermark_date",
}
CHANGING = {
    "fct_onboarding_attempts": ("cohort_date",),
    # Numbers of segments and cells follow the users of the whole log.
    "fct_experiment_assignments": ("segment_number", "arm_cell_number"),
    "fct_experiment_outcomes": ("cell_number",),
    "fct_user_days": ("is_new", "day_number"),
    "fct_sessions": ("is_new",),
    "fct_streaming_activity": ("is_new", "day_number"),
}


def test_later_events_change_nothing_that_was_told(base, longer):
    with two_warehouses(base, longer) as connection:
        watermarks = connection.execute(
            "select two.watermark_date - one.watermark_date,"
            " one.watermark_date from one.marts.fct_observation as one"
            " cross join two.marts.fct_observation as two"
        ).fetchone()
        assert watermarks[0] == MONTH
        for mart, is_told in TOLD.items():
            but = CHANGING.get(mart)
            columns = f"* exclude ({', '.join(but)})" if but else "*"
            told = (
                f"select {columns} from one.marts.{mart} where "
                + is_told.replace("watermark_date", f"'{watermarks[1]}'")
            )
            lost = connection.execute(
                f"select count(*) from ({told} except all"
                f" select {columns} from two.marts.{mart})"
            ).fetchone()
            assert lost == (0,), mart
            assert (
                connection.execute(
                    f"select count(*) > 10 from ({told})"
                ).fetchone()
                == (True,)
                or mart == "fct_experiment_arms"
            ), mart
        # Nobody's lifetime ends sooner, and no pending attempt is taken back.
        assert (
            connection.execute(
                "select count(*) filter (where later.lifetime_days"
                " < earlier.lifetime_days), count(*)"
                " from one.marts.fct_user_lifetimes as earlier left join"
                " two.marts.fct_user_lifetimes as later using (user_id)"
            ).fetchone()[0]
            == 0
        )
        assert connection.execute(
            "select count(*) from one.marts.fct_onboarding_attempts as earlier"
            " inner join two.marts.fct_onboarding_attempts as later"
            " using (user_id) where later.reached_step_count"
            " < earlier.reached_step_count"
        ).fetchone() == (0,)


# The pooled numbers, were the watermark to stay where it was: what counts
# everybody who ever played, the late ones among them, is set aside.
POOLED = {
    "fct_retention_summary": ("cohort_size", "is_mature"),
    "fct_retention_by_genres": ("cohort_size", "is_mature"),
    "fct_retention_curve": (),
    "fct_survival": (),
    "fct_user_lifetimes": (),
    "fct_user_streaks": (),
    "fct_activity_frequency": (),
    "fct_genre_strata": (),
    "fct_genre_cells": (),
    "fct_genre_doses": (),
    "fct_experiment_caps": (),
    "fct_experiment_day_statistics": (),
    "fct_experiment_quantiles": (),
    "fct_experiment_statistics": (),
    "fct_scenario_baselines": (),
}


def test_what_lies_after_the_watermark_is_in_no_pooled_number(
    build, longer_log, base, tmp_path, differing_marts
):
    """The later plays all arrive within the allowance for late events."""
    build(longer_log, tmp_path, {"late_allowance_days": MONTH}).close()

    def view(mart, columns):
        name = mart.rpartition(".")[2]
        if name not in POOLED:
            return None
        kept = [column for column, _ in columns if column not in POOLED[name]]
        query = f"select {', '.join(kept)} from {mart}"
        if {"cohort_size", "is_mature"} & set(POOLED[name]):
            query += " where eligible_users > 0"
        if name == "fct_scenario_baselines":
            query += " where baseline_name <> 'new_users'"
        return query

    assert differing_marts(base, tmp_path, view=view, own_view=view) == []


# --- a build that is killed ---------------------------------------------------

MOMENTS = (
    "OK loaded seed file raw.users",
    "OK created sql table model marts.fct_user_days",
    "OK created sql table model marts.fct_retention_triangle",
)


@pytest.fixture
def killed(start_dbt, base, longer, tmp_path):
    """Build the longer log over the old warehouse; kill it at a moment."""
    shutil.copy(base / "warehouse.duckdb", tmp_path)

    def run(moment):
        words = ("build", "--exclude-resource-type", "unit_test", "test")
        with start_dbt(longer / "log", tmp_path, *words) as process:
            said = next((line for line in process.stdout if moment in line), "")
            process.send_signal(signal.SIGKILL)
        assert said, f"the build never said: {moment}"
        assert process.returncode == -signal.SIGKILL
        return tmp_path

    return run


@pytest.mark.slow
def test_a_killed_build_leaves_readers_their_version_and_the_next_completes(
    build, killed, base, longer, differing_marts
):
    """At every stage; test_publication.py kills one run of a small log."""
    for moment in MOMENTS:
        folder = killed(moment)
        assert differing_marts(base, folder) == []
    build(longer / "log", folder).close()
    assert differing_marts(longer, folder) == []
