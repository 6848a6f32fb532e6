"""A build is seen once all of it has passed, and until then by nobody."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import duckdb
import numpy as np
import pandas as pd
import pytest
from builds import ROOT, environment

from publication.locks import locked

WORDS = ("build", "--exclude-resource-type", "unit_test", "test")


def runs_of(folder):
    with duckdb.connect(
        folder / "warehouse.duckdb", read_only=True
    ) as connection:
        return connection.sql("from runs.runs order by run_number").df()


@pytest.fixture(scope="module")
def log(log_of, tmp_path_factory):
    """Two users, of whom one comes back."""
    return log_of(
        tmp_path_factory.mktemp("publication") / "log",
        users=pd.DataFrame(
            {
                "user_id": ["a", "b"],
                "signed_up_at": "2026-01-05 10:00:00",
                "platform": "ios",
            }
        ),
        content=pd.DataFrame(
            {"content_id": ["c"], "genre": "drama", "duration_seconds": 1000}
        ),
        events=pd.DataFrame(
            {
                "event_id": ["1", "2", "3"],
                "user_id": ["a", "a", "b"],
                "content_id": "c",
                "event_type": "play",
                "event_at": [
                    "2026-01-05 10:00:00",
                    "2026-01-06 10:00:00",
                    "2026-01-05 12:00:00",
                ],
            }
        ),
    )


@pytest.fixture(scope="module")
def published(build, log, tmp_path_factory):
    """A first published version."""
    folder = tmp_path_factory.mktemp("published")
    build(log, folder).close()
    return folder


@pytest.fixture
def copied(published, log, tmp_path):
    """The published version and its log, to be changed."""
    shutil.copytree(published, tmp_path / "built")
    shutil.copytree(log, tmp_path / "log")
    return tmp_path / "built", tmp_path / "log"


def add_event(log):
    with (log / "events.csv").open("a") as file:
        file.write("4,b,c,play,2026-01-12 10:00:00,\n")


def events_of(folder):
    with duckdb.connect(
        folder / "warehouse.duckdb", read_only=True
    ) as connection:
        query = "select event_count from marts.fct_observation"
        return connection.sql(query).fetchall()[0][0]


def test_a_run_knows_what_it_was_made_of(published, log):
    [run] = runs_of(published).to_dict("records")
    assert run["run_number"] == 1
    assert run["is_whole"]
    assert run["log_name"] == "log"
    assert run["finished_at"] >= run["started_at"]
    assert not run["has_results"]
    with duckdb.connect(published / "warehouse.duckdb") as connection:
        inputs = connection.sql("from runs.run_inputs").df()
        relations = connection.sql("from runs.run_relations").df()
        figures = dict(
            connection.sql(
                "select figure_name, value from runs.run_figures"
            ).fetchall()
        )
        tables = connection.sql(
            "select schema_name || '.' || table_name from duckdb_tables()"
            " where schema_name <> 'runs'"
        ).fetchall()
    assert set(inputs["file_name"]) == {path.name for path in log.glob("*.csv")}
    events = inputs.set_index("file_name").loc["events.csv"]
    assert events["row_count"] == 3
    assert events["byte_count"] == (log / "events.csv").stat().st_size
    assert set(relations.dropna(subset="row_count")["relation_name"]) == {
        name for (name,) in tables
    }
    models = relations[relations["relation_name"].str.startswith("marts.")]
    assert models["definition_hash"].notna().all()
    assert figures["event_count"] == 3
    assert figures["user_count"] == 2
    assert "retention_day_1" in figures


def test_the_next_run_says_what_changed(copied, dbt):
    folder, log = copied
    add_event(log)
    said = dbt(log, folder, *WORDS, variables={"valid_play_seconds": 10}).stdout
    assert "Published run 2" in said
    assert "changed raw files (1): events.csv" in said
    assert "event_count: 4 (+1 against run 1)" in said
    first, second = runs_of(folder).to_dict("records")
    assert pd.isna(first["changed_inputs"])
    assert second["changed_inputs"] == "events.csv"
    assert "intermediate.int_plays_measured" in second["changed_models"]
    assert "marts.dim_dates" not in second["changed_models"]
    assert first["definition_hash"] != second["definition_hash"]


def test_a_failed_test_leaves_readers_their_version(copied, dbt):
    folder, log = copied
    add_event(log)
    # An experiment that is declared twice is refused by a test.
    path = log / "experiments.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[1]]) + "\n")
    done = dbt(log, folder, "build", "--exclude-resource-type", "unit_test")
    assert done.returncode == 1
    assert "Not published: " in done.stdout
    assert "readers keep the version before" in done.stdout
    assert events_of(folder) == 3
    assert len(runs_of(folder)) == 1
    left = folder / "warehouse.duckdb.building/warehouse.duckdb"
    assert str(left) in done.stdout
    with duckdb.connect(left, read_only=True) as connection:
        query = "select event_count from marts.fct_observation"
        assert connection.sql(query).fetchall() in ([(4,)], [])


def test_raw_files_that_are_replaced_during_a_build_stop_it(copied, start_dbt):
    folder, log = copied
    with start_dbt(log, folder, *WORDS) as process:
        for line in process.stdout:
            if "OK loaded seed file raw.events" in line:
                add_event(log)
                break
        said = process.stdout.read()
    assert process.returncode != 0
    assert "events.csv was replaced or written to during the build" in said
    assert len(runs_of(folder)) == 1


def test_some_models_are_built_into_the_version_that_readers_have(
    copied, build
):
    folder, log = copied
    before = (folder / "warehouse.duckdb").stat().st_ino
    build(log, folder, select="dim_dates").close()
    assert (folder / "warehouse.duckdb").stat().st_ino != before
    assert events_of(folder) == 3
    assert list(runs_of(folder)["is_whole"]) == [True, False]


def test_who_only_reads_opens_the_published_version_beside_readers(copied, dbt):
    folder, log = copied
    with duckdb.connect(folder / "warehouse.duckdb", read_only=True):
        done = dbt(log, folder, "test", "--select", "dim_dates")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "Published" not in done.stdout
    assert len(runs_of(folder)) == 1
    assert not (folder / "warehouse.duckdb.building").exists()


def test_a_second_build_is_refused_by_name(copied, dbt):
    folder, log = copied
    with locked(folder / "warehouse.duckdb", "make run"):
        done = dbt(log, folder, *WORDS)
    assert done.returncode != 0
    assert f"in use by process {os.getpid()} (make run" in done.stdout


def test_a_build_waits_for_nobody_who_writes_the_log(copied, dbt):
    folder, log = copied
    with locked(log, "make load"):
        done = dbt(log, folder, *WORDS)
    assert done.returncode != 0
    assert f"{log} is in use by process {os.getpid()} (make load" in done.stdout


@pytest.fixture(scope="module")
def read_throughout(published, log, start_dbt, tmp_path_factory):
    """A later log, built while somebody reads: its folder, what was seen, and
    how long it took [s].
    """
    folder = tmp_path_factory.mktemp("read")
    shutil.copytree(published, folder / "built")
    shutil.copytree(log, folder / "log")
    add_event(folder / "log")
    query = """
        select
            (select event_count from marts.fct_observation),
            (select count(*) from marts.fct_streaming_activity),
            (select max(run_number) from runs.runs)
    """
    seen, began = [], time.monotonic()
    with start_dbt(folder / "log", folder / "built", *WORDS) as process:
        while process.poll() is None:
            with duckdb.connect(
                folder / "built/warehouse.duckdb", read_only=True
            ) as connection:
                seen += connection.execute(query).fetchall()
            time.sleep(0.05)
        said = process.stdout.read()
    assert process.returncode == 0, said
    return folder / "built", seen, time.monotonic() - began


def test_readers_are_never_refused_and_never_see_a_mix(read_throughout):
    """Marts of one version, at every moment of a build."""
    folder, seen, _ = read_throughout
    assert len(seen) > 20
    assert set(seen) <= {(3, 3, 1), (4, 4, 2)}
    assert events_of(folder) == 4


# --- all of a run -------------------------------------------------------------


def start_run(log, folder, *words):
    """Start the run of `make run`; it dies with its processes."""
    return subprocess.Popen(
        [sys.executable, "scripts/run.py", *words],
        cwd=ROOT,
        env=environment(log, folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def kill(process):
    """Kill a run and all that work for it."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def content_of(folder):
    """What readers have: rows of every relation but the record of runs."""
    with duckdb.connect(
        folder / "warehouse.duckdb", read_only=True
    ) as connection:
        names = connection.sql(
            "select schema_name || '.' || table_name from duckdb_tables()"
            " where schema_name not in ('runs', 'results')"
            " union all select schema_name || '.' || view_name"
            " from duckdb_views() where not internal order by 1"
        ).fetchall()
        return {
            name: sorted(map(str, connection.sql(f"from {name}").fetchall()))
            for (name,) in names
        }


def test_a_step_that_fails_publishes_nothing(copied):
    folder, log = copied
    (log / "scenarios.csv").write_text(
        (log / "scenarios.csv").read_text().replace("\n", ",\n", 1)
    )
    process = start_run(log, folder)
    said, _ = process.communicate()
    assert process.returncode == 1
    assert "Not published: build failed; readers keep the version" in said
    assert len(runs_of(folder)) == 1


@pytest.mark.parametrize(
    "moments", [1, pytest.param(50, marks=pytest.mark.slow)]
)
def test_a_run_that_is_killed_at_any_moment_leaves_the_last_version(
    copied, read_throughout, moments
):
    """Each kill leaves what readers had; the next run is like any other, and
    publishes once, with its report.
    """
    folder, log = copied
    add_event(log)
    whole, _, seconds = read_throughout
    before, after = content_of(folder), content_of(whole)
    draw = np.random.default_rng(20261130)
    published_runs = 0
    for _ in range(moments):
        process = start_run(log, folder)
        # A run takes half as long again as its build.
        time.sleep(draw.uniform(0, 1.5 * seconds))
        kill(process)
        runs = len(runs_of(folder))
        assert runs in (1 + published_runs, 2 + published_runs)
        published_runs = runs - 1
        assert content_of(folder) == (after if published_runs else before)
    done = start_run(log, folder)
    said, _ = done.communicate()
    assert done.returncode == 0, said
    assert content_of(folder) == after
    assert not (folder / "warehouse.duckdb.building").exists()

    assert said.count("Published run") == 1
    number = published_runs + 2
    assert runs_of(folder).iloc[-1]["has_results"]
    page = (folder / "report/index.html").read_text(encoding="utf-8")
    assert f"Run {number} of the warehouse" in page
    with duckdb.connect(
        folder / "warehouse.duckdb", read_only=True
    ) as connection:
        query = "select run_number from results.analysis_runs"
        assert connection.sql(query).fetchall() == [(number,)]


def test_a_full_disk_leaves_the_last_version(copied):
    """No file may grow beyond 4 MB, as on a disk that is full."""
    folder, log = copied
    limit = (4_000_000, 4_000_000)
    done = subprocess.run(
        [sys.executable, "scripts/run.py"],
        cwd=ROOT,
        env=environment(log, folder),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )
    assert done.returncode != 0
    assert "Not published" in done.stdout + done.stderr
    assert events_of(folder) == 3
    assert len(runs_of(folder)) == 1
