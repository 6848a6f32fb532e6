"""A real log, MovieTweetings, from its raw files to the report.

The figures below were computed once from the raw files, apart from this
project. The log is not part of the project: the proofs run where it lies in
``../shared/data/movietweetings`` and are skipped elsewhere.
"""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared/data/movietweetings"
MAPPING = ROOT / "docs/mappings/movietweetings.yml"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"no MovieTweetings log in {DATA}"
)


@pytest.fixture(scope="module")
def log(tmp_path_factory, script):
    folder = tmp_path_factory.mktemp("movietweetings")
    seeds = folder / "log"
    done = script(
        "load_logs.py", seeds, folder, MAPPING, "--input", DATA, "--out", seeds
    )
    assert done.returncode == 0, done.stderr
    return seeds


@pytest.fixture(scope="module")
def variables(log):
    return yaml.safe_load((log / "vars.yml").read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("real")


@pytest.fixture(scope="module")
def warehouse(build, log, variables, folder):
    connection = build(log, folder, variables, with_tests=True)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def ratings():
    """The raw file, read with pandas alone; every rating is a play."""
    frame = pd.read_csv(
        DATA / "ratings_100K.dat.gz",
        sep="::",
        engine="python",
        header=None,
        names=["user_id", "item", "rating", "rated_at"],
        dtype={"user_id": str, "item": str},
    )
    return frame.assign(
        event_type="play",
        event_at=pd.to_datetime(frame["rated_at"], unit="s"),
    )


def retention(connection):
    return {
        number: (retained, eligible)
        for number, retained, eligible in connection.execute(
            "select from_day_number, retained_users, eligible_users"
            " from marts.fct_retention_summary where dimension = 'all'"
            " and retention_type = 'on_day' and day_mode = 'calendar'"
        ).fetchall()
    }


def test_retention_to_the_last_user(warehouse):
    assert retention(warehouse) == {
        1: (991, 16122),
        7: (768, 15450),
        14: (641, 15042),
        30: (403, 14253),
    }


def test_totals(warehouse):
    assert warehouse.execute(
        "select user_count, established_user_count, event_count, session_count,"
        " title_count, untagged_title_count from marts.fct_observation"
    ).fetchone() == (16554, 0, 100000, 80977, 10506, 66)


def test_genres(warehouse):
    assert warehouse.execute(
        "select count(distinct genre_name) from intermediate.int_titles_tagged"
    ).fetchone() == (25,)


def test_nothing_is_lost(warehouse):
    assert warehouse.execute(
        "select raw_rows, canonical_rows, is_reconciled"
        " from marts.fct_reconciliation where table_name = 'events'"
    ).fetchone() == (100000, 100000, True)


def test_whole_triangle_against_pandas(
    warehouse, ratings, triangle_of, triangle_by_definition
):
    signed_up_at = pd.Series(dtype="datetime64[us]")
    assert triangle_of(warehouse) == triangle_by_definition(
        ratings, signed_up_at
    )


def test_sessions_against_pandas(warehouse, ratings):
    ordered = ratings.sort_values(["user_id", "event_at"])
    silence = ordered.groupby("user_id")["event_at"].diff().dt.total_seconds()
    assert (
        int((silence.isna() | (silence > 1800)).sum())
        == warehouse.execute(
            "select count(*) from marts.fct_sessions"
        ).fetchone()[0]
    )


@pytest.fixture
def new_york(build, log, variables, tmp_path):
    connection = build(
        log,
        tmp_path,
        variables | {"time_zone": "America/New_York"},
        select="+fct_retention_triangle +fct_retention_summary",
    )
    yield connection
    connection.close()


def test_new_york_days_across_a_clock_change(
    new_york, ratings, triangle_of, triangle_by_definition
):
    zone = "America/New_York"
    offsets = ratings["event_at"].dt.tz_localize("UTC").dt.tz_convert(zone)
    assert offsets.map(lambda at: at.utcoffset()).nunique() == 2
    assert retention(new_york)[7] == (752, 15464)
    assert triangle_of(new_york) == triangle_by_definition(
        ratings, pd.Series(dtype="datetime64[us]"), zone
    )


def test_post_step_and_report_run_without_experiments(
    warehouse, folder, log, tmp_path, script
):
    assert warehouse
    shutil.copy(folder / "warehouse.duckdb", tmp_path)
    database = ("--warehouse", tmp_path / "warehouse.duckdb")
    analysed = script("analyze.py", log, tmp_path, *database, "--seeds", log)
    assert analysed.returncode == 0, analysed.stderr
    assert "Experiments: none in this log." in analysed.stdout

    reported = script(
        "build_report.py", log, tmp_path, *database, "--out", tmp_path / "page"
    )
    assert reported.returncode == 0, reported.stderr
    page = (tmp_path / "page/index.html").read_text(encoding="utf-8")
    assert "MovieTweetings" in page
    assert "no experiment" in page.lower()
