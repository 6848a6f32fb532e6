"""The files of the simulator: what they say, and how they are written."""

import hashlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest
from planted import COUNTS, NOT_IN_THE_WAREHOUSE, counted, reconciliation

import generate_seeds
from publication.locks import locked
from raw.files import TABLES
from simulation import faults, files
from simulation.config import SimulationConfig

SCRIPT = Path(generate_seeds.__file__)
SMALL = ["--users", "2000", "--panel", "200"]
CSV_FILES = tuple(f"{table}.csv" for table in TABLES)
ALL_FILES = (*CSV_FILES, "manifest.json", "planted_truth.json")
SERVICES = {
    "smallest": ["--users", "500"],
    # No chunk is too small for its faults, and no day 30 for all cohorts.
    "odd": ["--users", "6001", "--panel", "401", "--days", "45"],
}


def run(*options, **environment):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *options],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


def digests(folder):
    return {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ALL_FILES
    }


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    assert generate_seeds.main([*SMALL, "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def truth(seeds):
    return json.loads((seeds / "planted_truth.json").read_text())


def test_writes_all_files_and_a_manifest_that_describes_them(seeds):
    assert {path.name for path in seeds.iterdir()} == set(ALL_FILES)
    manifest = json.loads((seeds / "manifest.json").read_text())
    assert manifest["seed"] == SimulationConfig().seed
    assert manifest["source"] == "simulated"
    for name, entry in manifest["files"].items():
        content = (seeds / name).read_bytes()
        assert entry["bytes"] == len(content)
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        if name in CSV_FILES:
            assert entry["rows"] == content.count(b"\n") - 1


def test_files_are_plain_text(seeds):
    for name in CSV_FILES:
        content = (seeds / name).read_bytes()
        assert content.endswith(b"\n")
        assert b"\r" not in content
        assert b'"' not in content
        assert content.isascii()
        header = content.split(b"\n", 1)[0].decode()
        assert header == ",".join(TABLES[name.removesuffix(".csv")])


@pytest.mark.parametrize("table", ["user_measures", "user_segments"])
def test_what_the_demo_does_not_measure_is_a_header(seeds, table):
    assert (seeds / f"{table}.csv").read_bytes().count(b"\n") == 1


def test_every_kind_of_fault_is_planted(truth):
    assert min(truth["planted_event_faults"].values()) >= 1
    assert set(truth["planted_event_faults"]) == set(faults.REASONS)


def test_late_events_stand_after_later_ones(seeds, truth):
    lines = (seeds / "events.csv").read_text().splitlines()[1:]
    found = (
        re.search(r"2026-[0-9]{2}-[0-9]{2} [0-9:]{8}", one) for one in lines
    )
    times = [hit.group() for hit in found if hit]
    so_far = list(itertools.accumulate(times, max))
    behind = sum(at < latest for at, latest in zip(times, so_far, strict=True))
    assert truth["counts"]["late_events"] > 100
    assert behind >= truth["counts"]["late_events"]


# What the files hold, as the warehouse counts it -----------------------------


@pytest.fixture(scope="module", params=SERVICES)
def service(request, simulate, build, tmp_path_factory):
    """A service's planted truth and its warehouse."""
    folder = tmp_path_factory.mktemp(request.param)
    log = simulate(folder / "log", *SERVICES[request.param])
    planted = json.loads((log / "planted_truth.json").read_text())
    is_smallest = request.param == "smallest"
    with build(log, folder, with_tests=is_smallest) as connection:
        yield planted, connection


def test_every_planted_count_is_what_the_marts_count(service):
    planted, connection = service
    found = {name: counted(connection, name) for name in COUNTS}
    assert found.keys() | NOT_IN_THE_WAREHOUSE == planted["counts"].keys()
    assert found == {name: planted["counts"][name] for name in COUNTS}
    found = reconciliation(connection)
    planted_tables = planted["reconciliation"]
    assert planted_tables == {name: found[name] for name in planted_tables}


# Each counts what must not be.
ABSENT = {
    "a silence that a definition of the session gap could tip": """
        select count(*) from events where silence between 1760 and 1819
    """,
    "two events of a user at one instant": """
        select count(*) - count(distinct (user_id, event_at)) from events
    """,
    "a pause or skip without its play before it": """
        select count(*) from events
        where event_type <> 'play' and (
            previous_type is distinct from 'play'
            or previous_id is distinct from content_id
        )
    """,
    "an attempt on two devices": """
        select count(*) from (
            select play_id from events group by play_id
            having count(distinct device_type) > 1
        )
    """,
    "an event of a title before its release": """
        select count(*) from events
        inner join marts.dim_content using (content_id)
        where event_at < release_date
    """,
    "an assignment before the sign-up, or of newcomers after it": """
        select count(*) from assigned
        where assigned_at < signed_up_at or (
            experiment_id = 'onboarding_personalisation'
            and (assigned_at <> signed_up_at or reached_at is not null)
        )
    """,
    "a reminder before the assignment, or to a user who gets none": """
        select count(*) from assigned
        where reached_at < assigned_at
        or (reached_at is not null and variant = 'A')
    """,
}
FACTS = """
    with events as (
        select
            *,
            epoch(event_at - lag(event_at) over by_user) as silence,
            lag(event_type) over by_user as previous_type,
            lag(content_id) over by_user as previous_id
        from marts.fct_streaming_activity
        window by_user as (partition by user_id order by event_at, event_id)
    ),

    assigned as (
        select assignments.*, signed_up_at
        from marts.fct_experiment_assignments as assignments
        inner join marts.dim_users using (user_id)
    )
"""


@pytest.mark.parametrize("fact", ABSENT)
def test_no_service_has(service, fact):
    _, connection = service
    assert connection.execute(FACTS + ABSENT[fact]).fetchone() == (0,)


# How they are written ---------------------------------------------------------


def test_same_seed_same_bytes(seeds, tmp_path):
    run(*SMALL, "--out", str(tmp_path), PYTHONHASHSEED="7", OMP_NUM_THREADS="1")
    assert digests(tmp_path) == digests(seeds)


def test_bytes_do_not_depend_on_threads(seeds, tmp_path, monkeypatch):
    connect = generate_seeds.open_duckdb

    class Threaded:
        def __init__(self):
            self.connection = connect()

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.connection.close()

        def execute(self, query):
            return self.connection.execute(
                query.replace("threads = 1", "threads = 4")
            )

        def __getattr__(self, name):
            return getattr(self.connection, name)

    monkeypatch.setattr(generate_seeds, "open_duckdb", Threaded)
    assert generate_seeds.main([*SMALL, "--out", str(tmp_path)]) == 0
    assert digests(tmp_path) == digests(seeds)


def test_other_seed_other_bytes(seeds, tmp_path):
    options = [*SMALL, "--seed", "7", "--out", str(tmp_path)]
    assert generate_seeds.main(options) == 0
    old, new = digests(seeds), digests(tmp_path)
    same = {name for name in ALL_FILES if old[name] == new[name]}
    assert same == {"user_measures.csv", "user_segments.csv"}


def test_slices_of_time_change_nothing(seeds, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "SLICE_ROWS", 30_000)
    assert generate_seeds.main([*SMALL, "--out", str(tmp_path)]) == 0
    assert digests(tmp_path) == digests(seeds)


def test_second_run_does_nothing(seeds, capsys):
    before = {path: path.stat().st_mtime_ns for path in seeds.iterdir()}
    assert generate_seeds.main([*SMALL, "--out", str(seeds)]) == 0
    assert capsys.readouterr().out == f"{seeds}: up to date (seed 20260105)\n"
    assert before == {path: path.stat().st_mtime_ns for path in seeds.iterdir()}


def test_damaged_or_forced_files_are_written_again(tmp_path, capsys):
    options = ["--users", "500", "--panel", "50", "--out", str(tmp_path)]
    generate_seeds.main(options)
    whole = digests(tmp_path)
    (tmp_path / "users.csv").write_text("user_id\n")
    assert generate_seeds.main(options) == 0
    assert digests(tmp_path) == whole
    (tmp_path / "manifest.json").write_text("[]")
    assert generate_seeds.main(options) == 0
    capsys.readouterr()
    assert generate_seeds.main([*options, "--force"]) == 0
    assert "up to date" not in capsys.readouterr().out
    assert digests(tmp_path) == whole


def test_leaves_other_files_alone_in_a_folder_of_any_name(tmp_path):
    out = tmp_path / "it's a folder"
    out.mkdir()
    (out / "experiments.csv").write_text("kept\n")
    options = ["--users", "500", "--panel", "50", "--out", str(out)]
    assert generate_seeds.main(options) == 0
    assert (out / "experiments.csv").read_text() == "kept\n"


@pytest.mark.parametrize(
    ("options", "new_users", "members"),
    [
        ([], 60_000, 4_000),
        (["--scale", "10"], 600_000, 40_000),
        (["--users", "3000"], 3_000, 200),
        (["--users", "500"], 500, 50),
        (["--users", "3000", "--panel", "70"], 3_000, 70),
        (["--users", "30000", "--panel", "700", "--scale", "0.1"], 3_000, 70),
    ],
)
def test_the_panel_follows_the_users_unless_it_is_said(
    options, new_users, members
):
    config = generate_seeds.configured(generate_seeds.parsed(options))
    assert (config.new_users, config.panel_members) == (new_users, members)


def test_says_what_it_will_write_before_it_starts(tmp_path, capsys):
    assert generate_seeds.main(["--users", "750", "--out", str(tmp_path)]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith(
        f"{tmp_path}: writing 750 new users and 50 established members over "
        "60 days, up to "
    )
    most, written = (
        int(re.search(r"([\d,]+) event rows", line)[1].replace(",", ""))
        for line in (first, last)
    )
    assert 0.7 * most < written < most


def test_two_runs_do_not_write_one_folder(tmp_path, capsys):
    with locked(tmp_path, "make run"):
        assert generate_seeds.main(["--out", str(tmp_path), *SMALL]) == 2
    assert "in use by process" in capsys.readouterr().err


@pytest.mark.parametrize("earlier", [False, True])
def test_killed_run_leaves_no_half_file(tmp_path, earlier):
    options = ["--users", "2000", "--panel", "200", "--out", str(tmp_path)]
    if earlier:
        generate_seeds.main(options)
    before = {path.name for path in tmp_path.iterdir()}
    whole = digests(tmp_path) if earlier else None
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), *options, "--users", "30000", "--force"],
        stderr=subprocess.DEVNULL,
    )
    workspace = tmp_path / generate_seeds.WORKSPACE
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (workspace / "slice_0").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()

    assert workspace.exists()
    assert {path.name for path in tmp_path.iterdir()} == before | {
        workspace.name
    }
    assert not list(workspace.glob("*.csv"))
    if earlier:
        assert digests(tmp_path) == whole
    assert generate_seeds.main([*options, "--force"]) == 0
    assert not workspace.exists()
    assert {path.name for path in tmp_path.iterdir()} == set(ALL_FILES)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--users 0", "--users must be between 500 and 50000000, got 0"),
        ("--panel -3", "--panel must be between 50"),
        ("--days 41", "--days must be between 42 and 365, got 41"),
        ("--seed -1", "--seed must be between 0"),
        ("--scale 0", "--scale must be above 0 and at most 1000, got 0"),
        ("--scale nan", "--scale must be above 0 and at most 1000, got nan"),
        (
            "--scale 0.001",
            "--users must be between 500 and 50000000, got 60 after "
            "--scale 0.001",
        ),
        (
            "--panel 60 --scale 0.5",
            "--panel must be between 50 and 5000000, got 30 after --scale 0.5",
        ),
    ],
)
def test_refuses_impossible_options(tmp_path, capsys, options, message):
    out = tmp_path / "seeds"
    assert generate_seeds.main([*options.split(), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"generate_seeds.py: {message}")
    assert error.count("\n") == 1
    assert not out.exists()


def test_refuses_a_full_disk(tmp_path, capsys, monkeypatch):
    usage = type("usage", (), {"free": 10**6})
    monkeypatch.setattr(generate_seeds.shutil, "disk_usage", lambda _: usage)
    assert generate_seeds.main(["--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "0.0 GB free" in error
    assert "--scale" in error
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_file_as_folder(tmp_path, capsys):
    (tmp_path / "seeds").write_text("")
    options = [*SMALL, "--out", str(tmp_path / "seeds")]
    assert generate_seeds.main(options) == 2
    assert capsys.readouterr().err.startswith("generate_seeds.py: ")


def test_help_and_progress(tmp_path):
    shown = run("--help").stdout
    for option in ("--users", "--panel", "--days", "--seed", "--scale"):
        assert option in shown
    done = run("--users", "500", "--panel", "50", "--out", str(tmp_path))
    assert "100 % events" in done.stderr
    assert "550 users" in done.stdout


@pytest.mark.slow
def test_memory_does_not_grow_with_scale(tmp_path):
    """Three times the users, less than a quarter more memory."""
    peaks = []
    for scale in ("1", "3"):
        code = (
            "import resource, generate_seeds as g\n"
            f"g.main(['--users', '24000', '--panel', '1600', '--scale', "
            f"'{scale}', '--out', {str(tmp_path)!r}])\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SCRIPT.parent)},
            check=True,
        )
        peaks.append(int(done.stdout.split()[-1]))
    assert peaks[1] < 1.25 * peaks[0]


# --- Parquet ------------------------------------------------------------------


def rows_of(folder, table="events"):
    """Typed rows of a raw table, from its CSV file and from Parquet."""
    columns = TABLES[table]
    types = {
        name: "timestamp" if kind == "time" else "varchar"
        for name, kind in columns.items()
    }
    query = (
        f"select * from read_csv('{folder}/{table}.csv', columns = {types},"
        " header = true, auto_detect = false, delim = ',', quote = '\"',"
        " nullstr = '', ignore_errors = true)"
    )
    files = f"{folder}/{table}/*.parquet"
    if list(folder.glob(f"{table}/*.parquet")):
        query += f" union all by name select * from read_parquet('{files}')"
    with duckdb.connect() as connection:
        return connection.sql(
            f"select * from ({query}) order by all"
        ).fetchall()


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parquet")
    options = [*SMALL, "--out", str(folder), "--format", "parquet"]
    assert generate_seeds.main(options) == 0
    return folder


def test_parquet_holds_the_rows_of_csv(seeds, parquet):
    assert rows_of(parquet) == rows_of(seeds)
    for name in CSV_FILES:
        if name != "events.csv":
            assert (parquet / name).read_bytes() == (seeds / name).read_bytes()


def test_malformed_lines_stay_text(seeds, parquet):
    """Of these the reader makes the same that it makes of theirs in CSV."""
    lines = (parquet / "events.csv").read_text().splitlines()
    counts = json.loads((seeds / "planted_truth.json").read_text())
    apart = counts["reconciliation"]["events"]["set_aside"]
    assert len(lines) - 1 == apart["malformed"]
    assert set(lines) <= set((seeds / "events.csv").read_text().splitlines())


def test_the_manifest_describes_parquet(parquet):
    files = json.loads((parquet / "manifest.json").read_text())["files"]
    [(name, facts)] = [
        entry for entry in files.items() if entry[0].endswith(".parquet")
    ]
    content = (parquet / name).read_bytes()
    assert facts["sha256"] == hashlib.sha256(content).hexdigest()
    assert facts["rows"] == len(rows_of(parquet))
    lines = (parquet / "events.csv").read_text().splitlines()
    assert files["events.csv"]["rows"] == len(lines) - 1


def test_parquet_is_cut_into_files(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "FILE_ROWS", 50_000)
    monkeypatch.setattr(files, "SLICE_ROWS", 40_000)
    options = [*SMALL, "--out", str(tmp_path), "--format", "parquet"]
    assert generate_seeds.main(options) == 0
    names = [path.name for path in sorted((tmp_path / "events").iterdir())]
    assert names[:2] == ["00001.parquet", "00002.parquet"]
    assert len(names) > 2


def test_another_format_replaces_the_first(tmp_path, capsys):
    options = [*SMALL, "--out", str(tmp_path)]
    assert generate_seeds.main([*options, "--format", "parquet"]) == 0
    assert generate_seeds.main([*options, "--format", "parquet"]) == 0
    assert "up to date" in capsys.readouterr().out
    assert generate_seeds.main([*options, "--format", "csv"]) == 0
    assert not (tmp_path / "events").exists()
    assert {path.name for path in tmp_path.iterdir()} == set(ALL_FILES)


def test_large_logs_are_parquet_by_themselves(tmp_path, monkeypatch):
    monkeypatch.setattr(generate_seeds, "PARQUET_ROWS", 1000)
    assert generate_seeds.main([*SMALL, "--out", str(tmp_path)]) == 0
    assert list((tmp_path / "events").glob("*.parquet"))
