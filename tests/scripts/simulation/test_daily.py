"""The service day by day: all of it, as it would have arrived."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest
from planted import COUNTS, counted

import generate_seeds
from load_logs import load_log
from mapping.loads import Wish

ROOT = Path(__file__).parents[3]
MAPPING = ROOT / "docs/mappings/daily.yml"
SIZES = ["--users", "600", "--panel", "60", "--days", "42"]
# In how many loads the days come.
CUTS = (20, 35)


@pytest.fixture(scope="module")
def daily(tmp_path_factory):
    folder = tmp_path_factory.mktemp("daily")
    words = [*SIZES, "--format", "daily", "--out", str(folder)]
    assert generate_seeds.main(words) == 0
    return folder


@pytest.fixture(scope="module")
def truth(daily):
    return json.loads((daily / "planted_truth.json").read_text())


@pytest.fixture(scope="module")
def loaded(daily, tmp_path_factory):
    """The log after three loads, of some days each, and its manifest."""
    folder = tmp_path_factory.mktemp("arrived")
    for path in daily.glob("*.csv"):
        shutil.copy(path, folder)
    shutil.copytree(daily / "estimates", folder / "estimates")
    days = sorted(path for path in daily.glob("2026-*"))
    for low, high in zip((0, *CUTS), (*CUTS, len(days)), strict=True):
        for day in days[low:high]:
            shutil.copytree(day, folder / day.name)
        manifest, out, _ = load_log(
            MAPPING, folder, folder / "log", force=False, wish=Wish()
        )
    return manifest, out


@pytest.fixture(scope="module")
def ask(daily):
    """Query the rows of all days, with the file of each."""
    with duckdb.connect() as connection:
        for table in ("events", "users", "content"):
            connection.execute(
                f"create view {table} as from read_csv("
                f"'{daily}/*/{table}.csv', all_varchar = true,"
                " filename = true, ignore_errors = true)"
            )
        yield lambda query: connection.execute(query).fetchall()


def test_every_day_has_its_folder_and_the_rows_received_on_it(daily, ask):
    days = {path.name for path in daily.glob("2026-*")}
    assert len(days) == 42 + 1
    found = ask(
        "select distinct split_part(filename, '/', -2), received_at[:10]"
        " from events"
    )
    assert {folder for folder, _ in found} == days
    assert all(folder == received for folder, received in found)


def test_events_arrive_late_and_devices_are_off_line(ask, truth):
    late = truth["counts"]["late_events"]
    [(least, waiting, for_days)] = ask(
        """
        with waited as (
            select date_diff(
                'second',
                cast(event_at as timestamp),
                cast(received_at as timestamp)
            ) as seconds
            from events
            where event_at between '2026' and '2027'
                and event_at <> '2026-02-30 25:61:00'
        )
        select
            min(seconds),
            count(*) filter (where seconds > 0),
            count(*) filter (where seconds > 86400)
        from waited
        """
    )
    # The clock of a copy may run ahead by ten minutes.
    assert least > -600
    assert waiting >= late
    assert for_days > late / 10
    assert truth["counts"]["offline_events"] > 0


def test_users_and_titles_appear_after_their_events(ask):
    for table, key in (("users", "user_id"), ("content", "content_id")):
        [(early,)] = ask(
            f"select count(*) from events inner join {table} using ({key})"
            f" where split_part(events.filename, '/', -2)"
            f" < split_part({table}.filename, '/', -2)"
        )
        assert early > 0


def test_copies_move_between_users_and_arrive_before_the_original(ask):
    [(moved, before)] = ask(
        """
        select
            count(*),
            count(*) filter (where copy.received_at < original.received_at)
        from events as original
        inner join events as copy using (event_id)
        where original.user_id <> copy.user_id
            and original.event_at < copy.event_at
        """
    )
    assert moved > 0
    assert before > moved / 2


@pytest.fixture(scope="module")
def marts(loaded, build, tmp_path_factory):
    with build(loaded[1], tmp_path_factory.mktemp("built")) as connection:
        yield connection


def test_the_marts_find_what_was_planted(loaded, truth, marts):
    manifest, _ = loaded
    read = manifest["tables"]["events"]["read"]
    assert read == truth["reconciliation"]["events"]["raw_rows"]
    assert len(manifest["loads"]) == len(CUTS) + 1
    found = {name: counted(marts, name) for name in COUNTS}
    assert found == {name: truth["counts"][name] for name in COUNTS}


def test_sessions_reach_over_midnight(marts):
    found = marts.sql(
        "select count(*) from marts.fct_sessions"
        " where cast(started_at as date) < cast(ended_at as date)"
    ).fetchone()[0]
    assert found > 20


# How they are replaced --------------------------------------------------------

SMALLEST = ["--users", "500", "--panel", "50", "--days", "42"]


def write(folder, *words):
    return generate_seeds.main([*SMALLEST, "--out", str(folder), *words])


def test_days_of_another_service_never_stay(tmp_path):
    """Also where a run was killed, between its manifest and its folders."""
    assert write(tmp_path, "--format", "daily") == 0
    manifest = (tmp_path / "manifest.json").read_bytes()
    stale = tmp_path / "2027-01-01"
    stale.mkdir()
    (stale / "events.csv").write_text("event_id\n")
    assert write(tmp_path, "--format", "daily") == 0
    assert not stale.exists()
    assert (tmp_path / "manifest.json").read_bytes() == manifest


def test_parquet_of_another_service_never_stays(tmp_path):
    assert write(tmp_path, "--format", "parquet") == 0
    (tmp_path / "manifest.json").unlink()
    assert write(tmp_path, "--format", "csv") == 0
    assert not (tmp_path / "events").exists()


def test_what_people_wrote_is_kept(tmp_path):
    own = {"estimates/mine.sql": "select 1", "experiments.csv": "mine"}
    for name, text in own.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    for form in ("daily", "daily"):
        assert write(tmp_path, "--format", form, "--force") == 0
    assert {name: (tmp_path / name).read_text() for name in own} == own
    assert (tmp_path / "scenarios.csv").exists()


def test_daily_files_do_not_lie_beside_raw_files(tmp_path, capsys):
    assert write(tmp_path) == 0
    assert write(tmp_path, "--format", "daily") == 2
    assert "holds raw files; choose another --out" in capsys.readouterr().err


def test_a_log_of_somebody_is_not_replaced(tmp_path, capsys):
    (tmp_path / "events").mkdir()
    part = tmp_path / "events/00001.parquet"
    part.write_text("rows")
    (tmp_path / "manifest.json").write_text(
        '{"log_name": "mine", "source": "Our player"}'
    )
    assert write(tmp_path, "--force") == 2
    assert "holds the log 'mine'" in capsys.readouterr().err
    assert part.read_text() == "rows"
