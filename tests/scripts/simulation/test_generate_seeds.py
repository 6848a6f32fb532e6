"""The files of the simulator, recounted in plain SQL from the definitions."""

import hashlib
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

import generate_seeds
from raw.files import TABLES
from simulation import faults, files
from simulation.config import SimulationConfig

SCRIPT = Path(generate_seeds.__file__)
SMALL = ["--users", "2000", "--panel", "200"]
CSV_FILES = tuple(f"{table}.csv" for table in TABLES)
ALL_FILES = (*CSV_FILES, "manifest.json", "planted_truth.json")

COLUMNS = {
    "users": {
        "user_id": "varchar",
        "signed_up_at": "timestamp",
        "platform": "varchar",
        "country_code": "varchar",
        "subscription_status": "varchar",
        "acquisition_channel": "varchar",
    },
    "content": {
        "content_id": "varchar",
        "title": "varchar",
        "genre": "varchar",
        "language": "varchar",
        "duration_seconds": "bigint",
        "released_on": "date",
    },
    "events": {
        "event_id": "varchar",
        "user_id": "varchar",
        "content_id": "varchar",
        "event_type": "varchar",
        "event_at": "timestamp",
        "device_type": "varchar",
    },
    "experiment_assignments": {
        "experiment_id": "varchar",
        "user_id": "varchar",
        "variant": "varchar",
        "assigned_at": "timestamp",
        "reached_at": "timestamp",
    },
    "user_measures": {
        "experiment_id": "varchar",
        "user_id": "varchar",
        "measure": "varchar",
        "value": "double",
        "value_before": "double",
    },
    "user_segments": {
        "user_id": "varchar",
        "dimension": "varchar",
        "dimension_value": "varchar",
    },
}

# The definitions, written without looking at the simulator.
DERIVED = """
create table raw_users as select distinct on (user_id) * from users;

create table classified as
select
    events.*,
    case
        when
            event_id is null or events.user_id is null
            or content_id is null or event_at is null
            then 'missing_key'
        when event_type not in ('play', 'pause', 'skip')
            then 'unknown_event_type'
        when
            event_at < timestamp '2000-01-01'
            or event_at >= timestamp '2100-01-01'
            then 'impossible_time'
        when raw_users.user_id is null then 'unknown_user'
        when content_id not in (select content_id from content)
            then 'unknown_content'
        when event_at < signed_up_at then 'before_sign_up'
    end as reason
from events
left join raw_users on events.user_id = raw_users.user_id;

create table ranked as
select
    *,
    row_number() over (
        partition by event_id
        order by event_at, user_id, content_id, event_type, device_type
    ) as copy_number
from classified
where reason is null;

create table canonical as
select
    ranked.* exclude (reason, copy_number),
    genre,
    duration_seconds,
    lead(event_at) over by_user as next_at,
    lead(event_type) over by_user as next_type,
    epoch(event_at - lag(event_at) over by_user) as silence
from ranked
inner join content on ranked.content_id = content.content_id
where copy_number = 1
window by_user as (
    partition by ranked.user_id order by event_at, event_id
);

create table plays as
select *, cast(event_at as date) as day
from canonical
where event_type = 'play';

-- A play after its own pause, in the same session, goes on.
create table attempts as
select
    user_id,
    arg_min(genre, event_at) as genre,
    cast(min(event_at) as date) as day,
    count(distinct device_type) as devices,
    sum(least(
        coalesce(epoch(next_at - event_at), 14400), duration_seconds, 14400
    )) filter (where event_type = 'play') >= 30 as is_valid
from (
    select
        *,
        count(*) filter (
            where event_type = 'play' and not coalesce(
                last_type = 'pause' and last_title = content_id
                and silence <= 1800, false
            )
        ) over (
            partition by user_id order by event_at, event_id
        ) as attempt_number
    from (
        select
            *,
            lag(event_type) over by_user as last_type,
            lag(content_id) over by_user as last_title
        from canonical
        window by_user as (
            partition by user_id order by event_at, event_id
        )
    )
)
group by user_id, attempt_number;

create table new_users as
select raw_users.user_id, min(day) as first_day
from raw_users
inner join plays on raw_users.user_id = plays.user_id
where
    cast(signed_up_at as date)
    >= (select min(cast(event_at as date)) from canonical)
group by raw_users.user_id;

create table explored as
select
    new_users.user_id,
    first_day,
    count(*) filter (where is_valid) as valid_plays,
    least(count(distinct genre) filter (where is_valid), 4) as genres
from new_users
inner join attempts
    on new_users.user_id = attempts.user_id and day < first_day + 3
group by new_users.user_id, first_day;

create table assigned as
select experiment_id, user_id, variant, assigned_at, reached_at
from (
    select distinct * from experiment_assignments
    where
        user_id in (select user_id from raw_users)
        and experiment_id <> 'retired_banner'
)
qualify row_number() over (
    partition by experiment_id, user_id order by assigned_at, variant
) = 1;
"""


def load(folder):
    """Read the files as a warehouse does: typed, bad lines kept apart."""
    connection = duckdb.connect()
    for name, columns in COLUMNS.items():
        connection.execute(
            f"create table {name} as select * from read_csv("
            f"'{folder / name}.csv', columns = {columns}, header = true, "
            "auto_detect = false, delim = ',', quote = '\"', "
            "store_rejects = true, rejects_limit = 0, "
            f"rejects_table = 'bad_{name}', rejects_scan = 'scan_{name}')"
        )
    connection.execute(DERIVED)
    return connection


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


@pytest.fixture(scope="module")
def warehouse(seeds):
    with load(seeds) as connection:
        yield connection


def one(connection, query):
    return connection.execute(query).fetchone()


def planted_rows(truth, table, *names):
    return [
        (label, *(counts[name] for name in names))
        for label, counts in truth["counts"][table].items()
    ]


def pairs(connection, query):
    return dict(connection.execute(query).fetchall())


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
        assert header == ",".join(COLUMNS[name.removesuffix(".csv")])


@pytest.mark.parametrize("table", ["user_measures", "user_segments"])
def test_what_the_demo_does_not_measure_is_a_header(seeds, table):
    assert (seeds / f"{table}.csv").read_bytes().count(b"\n") == 1


@pytest.mark.parametrize(
    "table", ["users", "content", "events", "experiment_assignments"]
)
def test_every_raw_line_is_accounted_for(warehouse, seeds, truth, table):
    planted = truth["reconciliation"][table]
    lines = (seeds / f"{table}.csv").read_bytes().count(b"\n") - 1
    malformed = one(warehouse, f"select count(distinct line) from bad_{table}")[
        0
    ]
    parsed = one(warehouse, f"select count(*) from {table}")[0]
    assert lines == planted["raw_rows"] == malformed + parsed
    assert malformed == planted["set_aside"].get("malformed", 0)
    assert lines == planted["canonical_rows"] + sum(
        planted["set_aside"].values()
    )


def test_faulty_events_are_found_by_reason(warehouse, truth):
    found = pairs(
        warehouse,
        """
        select reason, count(*) from classified
        where reason is not null group by all
        union all
        select 'duplicate', count(*) from ranked where copy_number > 1
        union all
        select 'malformed', count(distinct line) from bad_events
        """,
    )
    assert found == truth["reconciliation"]["events"]["set_aside"]
    canonical = one(warehouse, "select count(*) from canonical")[0]
    assert canonical == truth["counts"]["events"]


def test_every_kind_of_fault_is_planted(truth):
    assert min(truth["planted_event_faults"].values()) >= 1
    assert set(truth["planted_event_faults"]) == set(faults.REASONS)


def test_doubtful_assignments_are_found(warehouse, truth):
    planted = truth["reconciliation"]["experiment_assignments"]
    known = "user_id in (select user_id from raw_users)"
    found = one(
        warehouse,
        f"""
        select
            count(*) filter (where user_id is null),
            count(*) filter (
                where user_id is not null
                and experiment_id = 'retired_banner'
            ),
            count(*) filter (
                where experiment_id <> 'retired_banner'
                and user_id is not null and not {known}
            )
        from experiment_assignments
        """,
    )
    names = ("missing_key", "unknown_experiment", "unknown_user")
    assert found == tuple(planted["set_aside"][name] for name in names)
    good = f"""
        from experiment_assignments
        where {known} and experiment_id <> 'retired_banner'
    """
    distinct = one(
        warehouse, f"select count(*) from (select distinct * {good})"
    )[0]
    assert distinct == planted["canonical_rows"]
    repeated = one(warehouse, f"select count(*) - {distinct} {good}")[0]
    assert repeated == planted["set_aside"]["duplicate"]
    mixed = pairs(
        warehouse,
        f"""
        select experiment_id, count(*) from (
            select experiment_id, user_id {good}
            group by all having count(distinct variant) > 1
        ) group by all
        """,
    )
    assert mixed == truth["counts"]["mixed_users"]


def test_event_counts(warehouse, truth):
    counts = truth["counts"]
    found = one(
        warehouse,
        """
        select
            (select count(*) from attempts),
            count(*) filter (
                where event_type = 'play'
                and coalesce(next_type, 'play') = 'play'
            ),
            count(*) filter (where silence is null or silence > 1800)
        from canonical
        """,
    )
    assert found == (
        counts["plays"],
        counts["missing_stops"],
        counts["sessions"],
    )
    valid = one(warehouse, "select count(*) from attempts where is_valid")[0]
    assert valid == counts["valid_plays"]
    assert not one(
        warehouse, "select count(*) from attempts where devices > 1"
    )[0]


def test_silences_keep_clear_of_the_session_gap(warehouse):
    """No silence is so near 30 minutes that a definition could tip."""
    close = one(
        warehouse,
        "select count(*) from canonical where silence between 1760 and 1819",
    )[0]
    assert close == 0


def test_user_counts(warehouse, truth):
    counts = truth["counts"]
    users, established = one(
        warehouse,
        """
        select
            count(*),
            count(*) filter (
                where cast(signed_up_at as date)
                < (select min(cast(event_at as date)) from canonical)
            )
        from raw_users
        """,
    )
    active = one(warehouse, "select count(distinct user_id) from plays")[0]
    new_active = one(warehouse, "select count(*) from new_users")[0]
    assert users == counts["users"]
    assert established == counts["established_users"]
    assert users - active == counts["never_active_users"]
    assert new_active == (
        counts["new_users"] - counts["never_active_new_users"]
    )


def test_first_and_last_day(warehouse, truth):
    first, last = one(
        warehouse,
        """
        select
            cast(min(cast(event_at as date)) as varchar),
            cast(max(cast(event_at as date)) - 1 as varchar)
        from canonical
        """,
    )
    assert first == truth["counts"]["first_date"]
    assert last == truth["counts"]["watermark_date"]


@pytest.mark.parametrize("day", [1, 7, 14, 30])
def test_retention_to_the_last_user(warehouse, truth, day):
    found = one(
        warehouse,
        f"""
        select
            count(*),
            count(*) filter (where (user_id, first_day + {day}) in (
                select user_id, day from plays
            ))
        from new_users
        where first_day + {day} <= (
            select max(cast(event_at as date)) - 1 from canonical
        )
        """,
    )
    planted = truth["counts"]["retention"][str(day)]
    assert found == (planted["eligible"], planted["retained"])


def test_cohorts_to_the_last_user(warehouse, truth):
    found = warehouse.execute(
        """
        select
            cast(first_day - min(first_day) over () as varchar) as cohort,
            count(*),
            count(*) filter (where (user_id, first_day + 7) in (
                select user_id, day from plays
            ))
        from new_users group by first_day order by first_day
        """
    ).fetchall()
    assert found == planted_rows(truth, "cohorts", "users", "retained_d7")


def test_genres_explored_to_the_last_user(warehouse, truth):
    found = warehouse.execute(
        """
        select
            if(genres = 4, '4+', cast(genres as varchar)) as label,
            count(*),
            count(*) filter (where (user_id, first_day + 7) in (
                select user_id, day from plays
            ))
        from explored group by genres order by 1
        """
    ).fetchall()
    assert found == planted_rows(truth, "genres", "users", "retained_d7")


def test_onboarding_to_the_last_user(warehouse, truth):
    found = warehouse.execute(
        """
        select
            variant,
            count(*),
            count(*) filter (
                where (user_id, cast(assigned_at as date) + 1) in (
                    select user_id, day from plays
                )
            )
        from assigned
        where experiment_id = 'onboarding_personalisation'
        group by variant order by variant
        """
    ).fetchall()
    assert found == planted_rows(truth, "onboarding", "users", "active_d1")


def test_push_to_the_last_session(warehouse, truth):
    found = warehouse.execute(
        """
        with windows as (
            select
                assigned.user_id,
                variant,
                any_value(reached_at) as reached_at,
                count(event_at) as sessions
            from assigned
            left join canonical
                on
                    assigned.user_id = canonical.user_id
                    and (silence is null or silence > 1800)
                    and event_at >= assigned_at
                    and event_at < assigned_at + interval 7 days
            where experiment_id = 'push_reminders'
            group by assigned.user_id, variant
        )
        select
            variant, count(*), count(reached_at), sum(sessions),
            sum(sessions * sessions)
        from windows group by variant order by variant
        """
    ).fetchall()
    assert found == planted_rows(
        truth, "push", "users", "reached", "sessions", "sessions_squared"
    )


def test_facts_refer_to_what_exists(warehouse):
    assert one(
        warehouse,
        """
        select
            count(*) filter (where assigned_at < signed_up_at),
            count(*) filter (
                where experiment_id = 'onboarding_personalisation'
                and (assigned_at <> signed_up_at or reached_at is not null)
            ),
            count(*) filter (where reached_at < assigned_at),
            count(*) filter (where reached_at is not null and variant = 'A')
        from assigned
        inner join raw_users on assigned.user_id = raw_users.user_id
        """,
    ) == (0, 0, 0, 0)
    too_early = one(
        warehouse,
        """
        select count(*) from canonical
        inner join content on canonical.content_id = content.content_id
        where event_at < released_on
        """,
    )[0]
    assert too_early == 0
    per_user = one(
        warehouse,
        "select count(*) - count(distinct (user_id, event_at)) from canonical",
    )[0]
    assert per_user == 0


def test_stops_follow_their_play(warehouse):
    """Each pause or skip belongs to the same title's play before it."""
    orphans = one(
        warehouse,
        """
        select count(*) from (
            select
                event_type,
                content_id,
                lag(event_type) over by_user as previous_type,
                lag(content_id) over by_user as previous_id
            from canonical
            window by_user as (
                partition by user_id order by event_at, event_id
            )
        )
        where event_type <> 'play' and (
            previous_type is distinct from 'play'
            or previous_id is distinct from content_id
        )
        """,
    )[0]
    assert orphans == 0


def test_late_events_stand_at_the_end(seeds, truth):
    lines = (seeds / "events.csv").read_text().splitlines()[1:]
    late = truth["counts"]["late_events"]
    stamp = re.compile(r"2026-[0-9]{2}-[0-9]{2} [0-9:]{8}")
    days = [stamp.search(line).group()[:10] for line in lines[-late:]]
    assert late > 100
    assert len(set(days)) > 40
    before = [stamp.search(line) for line in lines[-late - 50 : -late]]
    watermark = truth["counts"]["watermark_date"]
    assert all(hit.group()[:10] > watermark for hit in before if hit)


def test_same_seed_same_bytes(seeds, tmp_path):
    run(*SMALL, "--out", str(tmp_path), PYTHONHASHSEED="7", OMP_NUM_THREADS="1")
    assert digests(tmp_path) == digests(seeds)


def test_bytes_do_not_depend_on_threads(seeds, tmp_path, monkeypatch):
    connect = duckdb.connect

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

    monkeypatch.setattr(generate_seeds.duckdb, "connect", Threaded)
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


def test_the_smallest_service_passes_every_data_test(simulate, build, tmp_path):
    log = simulate(tmp_path / "log", "--users", "500")
    with build(log, tmp_path / "built", with_tests=True) as connection:
        users = connection.sql("select count(*) from marts.dim_users")
        assert users.fetchone() == (550,)


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
        (["--users", "0"], "--users must be between 500 and 50000000, got 0"),
        (["--panel", "-3"], "--panel must be between 50"),
        (["--days", "41"], "--days must be between 42 and 365, got 41"),
        (["--seed", "-1"], "--seed must be between 0"),
        (["--scale", "0"], "--scale must be above 0 and at most 1000, got 0"),
        (
            ["--scale", "nan"],
            "--scale must be above 0 and at most 1000, got nan",
        ),
        (
            ["--scale", "0.001"],
            "--users must be between 500 and 50000000, got 60 after "
            "--scale 0.001",
        ),
        (
            ["--panel", "60", "--scale", "0.5"],
            "--panel must be between 50 and 5000000, got 30 after --scale 0.5",
        ),
    ],
)
def test_refuses_impossible_options(tmp_path, capsys, options, message):
    out = tmp_path / "seeds"
    assert generate_seeds.main([*options, "--out", str(out)]) == 2
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


def test_chunks_of_odd_sizes(tmp_path):
    """No chunk is too small for its faults."""
    options = ["--users", "6001", "--panel", "401", "--out", str(tmp_path)]
    assert generate_seeds.main(options) == 0
    truth = json.loads((tmp_path / "planted_truth.json").read_text())
    with load(tmp_path) as connection:
        test_user_counts(connection, truth)
        test_faulty_events_are_found_by_reason(connection, truth)
        test_doubtful_assignments_are_found(connection, truth)


def test_other_lengths_of_the_log(tmp_path):
    options = ["--users", "600", "--panel", "60", "--days", "45"]
    assert generate_seeds.main([*options, "--out", str(tmp_path)]) == 0
    truth = json.loads((tmp_path / "planted_truth.json").read_text())
    with load(tmp_path) as connection:
        test_first_and_last_day(connection, truth)
        test_event_counts(connection, truth)
        for day in (1, 7, 14, 30):
            test_retention_to_the_last_user(connection, truth, day)
    counts = truth["counts"]["retention"]
    assert counts["30"]["eligible"] < counts["7"]["eligible"]


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
