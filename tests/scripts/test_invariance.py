"""What must not change a result, and what must survive: order, copies, time.

A small simulated log is built once and compared, mart by mart and column by
column, with builds of the same log in other clothes.
"""

import csv
import random
import re
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).parents[2]
SMALL = ("--users", "2000", "--panel", "200")
FILES = ("users", "content", "events", "experiment_assignments")
# These count raw lines, so they see a copy; nothing else may.
LINE_COUNTS = ("fct_reconciliation", "fct_rejected_rows")
ZONES = (
    "Etc/GMT+8",
    "Asia/Kolkata",
    "Pacific/Kiritimati",
    "America/New_York",
)


@pytest.fixture(scope="module")
def log(tmp_path_factory, simulate):
    return simulate(tmp_path_factory.mktemp("small") / "log", *SMALL)


@pytest.fixture(scope="module")
def base(tmp_path_factory, build, log):
    """The folder of a fresh build with all its data tests."""
    folder = tmp_path_factory.mktemp("base")
    build(log, folder, with_tests=True).close()
    return folder


def copied(log, folder):
    return shutil.copytree(log, folder / "log")


# --- the shape of the files ---------------------------------------------------


def test_order_of_rows_and_columns_means_nothing(
    build, log, base, tmp_path, differing_marts
):
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
    build(seeds, tmp_path).close()
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


# --- the machine --------------------------------------------------------------


def test_one_thread_and_another_hash_seed_find_the_same(
    build, log, base, tmp_path, differing_marts
):
    profiles = (ROOT / "profiles.yml").read_text()
    (tmp_path / "profiles.yml").write_text(
        re.sub(r"threads: \d+", "threads: 1", profiles).replace(
            "settings:\n", "settings:\n        threads: 1\n"
        )
    )
    build(
        log,
        tmp_path,
        DBT_PROFILES_DIR=str(tmp_path),
        PYTHONHASHSEED="1",
        TZ="Asia/Tokyo",
    ).close()
    assert differing_marts(base, tmp_path) == []


def test_building_again_changes_nothing(
    build, log, base, tmp_path, differing_marts
):
    shutil.copy(base / "warehouse.duckdb", tmp_path)
    build(log, tmp_path).close()
    assert differing_marts(base, tmp_path) == []


# --- events that come later ---------------------------------------------------


@pytest.fixture(scope="module")
def longer_log(tmp_path_factory, log, base):
    """The log and further plays, all after the watermark's day.

    Every user plays at the very end of the log's last, partial day and on the
    two days after, also those who had never played.
    """
    seeds = copied(log, tmp_path_factory.mktemp("longer"))
    with duckdb.connect(
        base / "warehouse.duckdb", read_only=True
    ) as connection:
        connection.execute(
            f"""
            copy (
                select
                    'later-' || day_offset || '-' || user_id,
                    user_id,
                    (select min(content_id) from marts.dim_content),
                    'play',
                    strftime(
                        watermark_date + interval '47:59:59'
                        + to_days(cast(day_offset as integer)),
                        '%Y-%m-%d %H:%M:%S'
                    ),
                    'phone'
                from marts.dim_users
                cross join marts.fct_observation
                cross join range(3) as offsets (day_offset)
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


def test_later_events_change_no_mature_cell(base, longer, triangle_of):
    triangles, watermarks = [], []
    for folder in (base, longer):
        with duckdb.connect(
            folder / "warehouse.duckdb", read_only=True
        ) as connection:
            triangles.append(triangle_of(connection))
            watermarks.append(
                connection.execute(
                    "select watermark_date from marts.fct_observation"
                ).fetchone()[0]
            )
    assert watermarks[1] == watermarks[0] + timedelta(days=2)
    mature = {
        (cohort, number): counts
        for (cohort, number), counts in triangles[0].items()
        if cohort + timedelta(days=number) <= watermarks[0]
    }
    assert len(mature) > 1000
    assert mature == {cell: triangles[1][cell] for cell in mature}
    # The plays arrived, and more users than before are known by now.
    assert max(cohort for cohort, _ in triangles[1]) > watermarks[0]


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


def test_a_killed_build_leaves_whole_marts_and_the_next_one_completes(
    build, killed, base, longer, differing_marts
):
    for moment in MOMENTS:
        folder = killed(moment)
        neither = set(differing_marts(base, folder))
        neither &= set(differing_marts(longer, folder))
        # A table in the making stays behind under a name that nobody reads.
        assert {name for name in neither if "__dbt_" not in name} == set()
    build(longer / "log", folder).close()
    assert differing_marts(longer, folder) == []


# --- whose days are counted ---------------------------------------------------


@pytest.fixture(scope="module")
def spring_log(tmp_path_factory, log, base):
    """The canonical log moved on by 30 days, across a change of clocks."""
    seeds = copied(log, tmp_path_factory.mktemp("spring"))
    with duckdb.connect(
        base / "warehouse.duckdb", read_only=True
    ) as connection:
        for name, query in {
            "users": "select * replace (signed_up_at + interval 30 days as"
            " signed_up_at) from raw.users",
            "events": "select event_id, user_id, content_id, event_type,"
            " event_at + interval 30 days as event_at, device_type"
            " from marts.fct_streaming_activity",
        }.items():
            connection.execute(f"copy ({query}) to '{seeds}/{name}.csv'")
    return seeds


@pytest.fixture(scope="module")
def zone_folders(spring_log, build):
    """One build per zone, two at a time."""

    def built(zone):
        folder = spring_log.parent / zone.replace("/", "-")
        build(
            spring_log,
            folder,
            {"time_zone": zone},
            select="+fct_retention_triangle +fct_retention_summary",
        ).close()
        return folder

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(ZONES, pool.map(built, ZONES), strict=True))


@pytest.fixture(params=ZONES)
def zoned(request, zone_folders):
    path = zone_folders[request.param] / "warehouse.duckdb"
    with duckdb.connect(path, read_only=True) as connection:
        yield request.param, connection


def test_days_are_those_of_the_zone(zoned, triangle_of, triangle_by_definition):
    zone, connection = zoned
    events = connection.execute(
        "select user_id, event_type, event_at from raw.events"
    ).df()
    users = connection.execute(
        "select user_id, min(signed_up_at) as signed_up_at from raw.users"
        " group by user_id"
    ).df()
    expected = triangle_by_definition(
        events, users.set_index("user_id")["signed_up_at"], zone
    )
    assert triangle_of(connection) == expected
    # New York's clocks change among the cohorts' days.
    cohorts = {cohort for cohort, _ in expected}
    assert min(cohorts) < date(2026, 3, 8) < max(cohorts) + timedelta(days=7)

    for number in (1, 7):
        cells = [
            counts for (_, day), counts in expected.items() if day == number
        ]
        assert connection.execute(
            "select eligible_users, retained_users"
            " from marts.fct_retention_summary"
            " where dimension = 'all' and from_day_number = ?"
            " and retention_type = 'on_day' and day_mode = 'calendar'",
            [number],
        ).fetchone() == (
            sum(eligible for _, eligible, _ in cells),
            sum(retained for _, _, retained in cells),
        )
