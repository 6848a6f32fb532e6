"""Raw files are checked before a build replaces anything."""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from raw import checks
from raw.checks import Facts, find_problems, first_other_end, read_facts
from raw.files import (
    MANIFEST,
    OPTIONAL_REFERENCE_COLUMNS,
    REFERENCES,
    TABLES,
    file_facts,
    json_text,
)

ROOT = Path(__file__).parents[3]
ROWS = {
    "users": b"u1,2026-01-05 08:00:00,ios,de,free,search\n",
    "content": b"c1,Title,Drama,en,1800,2020-01-01\n",
    "events": b"e1,u1,c1,play,2026-01-05 10:00:00,phone\n"
    b"e2,u1,c1,pause,2026-01-05 10:10:00,phone\n",
    "experiment_assignments": b"",
    "user_measures": b"",
    "user_segments": b"",
}


@pytest.fixture
def log(tmp_path):
    """A sound log with a manifest, as the loader would write it."""
    folder = tmp_path / "log"
    folder.mkdir()
    for name, rows in ROWS.items():
        header = ",".join(TABLES[name]).encode()
        (folder / f"{name}.csv").write_bytes(header + b"\n" + rows)
    for name in REFERENCES:
        shutil.copy(ROOT / "seeds" / f"{name}.csv", folder)
    describe(folder)
    return folder


def describe(folder):
    """Write the manifest of the files as they are."""
    files = {
        path.name: file_facts(path) for path in sorted(folder.glob("*.csv"))
    }
    (folder / MANIFEST).write_text(json_text({"files": files}))


def put(log, name, old, new):
    """Replace bytes of a file."""
    path = log / f"{name}.csv"
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))


def found(log, severity="error"):
    return [
        str(each) for each in find_problems(log) if each.severity == severity
    ]


def the_one(log, severity="error"):
    (line,) = found(log, severity)
    return line


def test_a_sound_log_is_sound(log):
    assert find_problems(log) == []


def test_a_log_without_a_manifest_has_nothing_to_be_compared_with(log):
    (log / MANIFEST).unlink()
    put(log, "events", b"play", b"stop")
    assert find_problems(log) == []


# --- bytes and digests --------------------------------------------------------


def test_half_of_a_file_is_not_the_file(log):
    path = log / "events.csv"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    line = the_one(log)
    assert "events.csv is not the file that manifest.json describes" in line
    assert f"{len(content) // 2} bytes instead of {len(content)}" in line
    assert "make load" in line


def test_other_bytes_of_the_same_number_are_not_the_file(log):
    put(log, "users", b"ios", b"web")
    assert "users.csv is not the file" in the_one(log)


@pytest.mark.parametrize("name", REFERENCES)
def test_people_may_change_what_people_write(log, name):
    with (log / f"{name}.csv").open("a") as file:
        file.write("\n")
    assert find_problems(log) == []


def test_a_log_says_itself_what_a_finding_does(log):
    put(log, "users", b"ios", b"web")
    (log / "vars.yml").write_text("digest_check: warn\n")
    assert found(log) == []
    assert "users.csv" in the_one(log, "warn")
    (log / "vars.yml").write_text("digest_check: ignore\n")
    assert find_problems(log) == []
    (log / "vars.yml").write_text("digest_check: off\n")
    assert "digest_check is False: write error, warn or ignore" in the_one(log)


@pytest.mark.parametrize(
    "manifest", ["{", "[]", '{"files": 3}', '{"files": {"users.csv": 3}}']
)
def test_a_manifest_that_cannot_be_read_describes_nothing(log, manifest):
    (log / MANIFEST).write_text(manifest)
    assert find_problems(log) == []


def test_a_file_that_has_not_changed_is_read_once(log, tmp_path, monkeypatch):
    cache = tmp_path / "new" / "facts.json"
    read = []
    plain = checks.file_pass

    def watched(path, count):
        read.append(path.stem)
        return plain(path, count)

    monkeypatch.setattr(checks, "file_pass", watched)
    first = read_facts(log, cache)
    assert sorted(read) == sorted(TABLES)
    assert read_facts(log, cache) == first
    assert len(read) == len(TABLES)
    put(log, "users", b"ios", b"web")
    os.utime(log / "users.csv", ns=(1, 1))
    assert read_facts(log, cache) != first
    assert read[len(TABLES) :] == ["users"]
    cache.write_text("[3")
    assert read_facts(log, cache)[log / "content.csv"]


def test_one_pass_sees_size_digest_and_line_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "CHUNK_BYTES", 3)
    path = tmp_path / "file"
    path.write_bytes(b"a\r\nb\nc\r\n")
    facts = file_facts(path)
    told = []
    assert checks.file_pass(path, told.append) == Facts(
        facts["bytes"], facts["sha256"], 3, 2
    )
    assert sum(told) == 8


def test_progress_ends_at_all_bytes(log):
    told = []
    find_problems(log, progress=lambda done, total: told.append((done, total)))
    total = sum((log / f"{name}.csv").stat().st_size for name in TABLES)
    assert told[-1] == (total, total)


# --- rows ---------------------------------------------------------------------


def empty(log, *names):
    for name in names:
        header = ",".join(TABLES[name])
        (log / f"{name}.csv").write_text(f"{header}\n\n")
    describe(log)


@pytest.mark.parametrize(
    ("names", "named"),
    [
        (["events"], "events"),
        (["users"], "users"),
        (["events", "users"], "events"),
    ],
)
def test_no_events_or_no_users_are_no_log(log, names, named):
    empty(log, *names)
    line = the_one(log)
    assert f"{named}.csv holds no row" in line
    assert "make data" in line
    (log / "vars.yml").write_text("empty_check: ignore\n")
    assert find_problems(log) == []


def test_an_experiment_that_was_measured_elsewhere_needs_no_events(log):
    empty(log, "events")
    for name, row in [
        ("experiment_assignments", b"x,u1,A,2026-01-05 08:00:00,\n"),
        ("user_measures", b"x,u1,spend,1,\n"),
    ]:
        with (log / f"{name}.csv").open("ab") as file:
            file.write(row)
    describe(log)
    assert find_problems(log) == []
    empty(log, "users")
    assert "users.csv holds no row" in the_one(log)


def test_other_line_ends_are_rows_too(log):
    for name in TABLES:
        put(log, name, b"\n", b"\r")
    describe(log)
    assert find_problems(log) == []


# --- bytes that are no text ---------------------------------------------------


@pytest.mark.parametrize("name", ["content", "events", "scenarios"])
def test_a_latin_1_byte_is_named_with_its_place(log, name):
    with (log / f"{name}.csv").open("ab") as file:
        file.write("\nAm\u00e9lie".encode("latin-1"))
    lines = (log / f"{name}.csv").read_bytes().count(b"\n") + 1
    line = the_one(log)
    assert f"{name}.csv, line {lines}, byte 3: the byte 0xe9" in line
    assert "iconv -f latin1 -t utf-8" in line


def test_what_is_no_table_is_text_too(log):
    (log / "vars.yml").write_bytes(b"time_zone: \xff\n")
    (log / "estimates").mkdir()
    (log / "estimates" / "own.sql").write_bytes(b"select '\xff'")
    assert [line.split(",")[0] for line in found(log)] == [
        f"{log}/estimates/own.sql",
        f"{log}/vars.yml",
    ]


def test_utf_16_is_called_so(log):
    path = log / "users.csv"
    path.write_text(path.read_text(), encoding="utf-16")
    assert "iconv -f utf-16" in the_one(log)


def test_large_files_are_left_to_the_reader(log):
    with (log / "events.csv").open("ab") as file:
        file.write(ROWS["events"] * 20_000 + b"\xff\n")
    describe(log)
    assert find_problems(log) == []


# --- headers ------------------------------------------------------------------


def test_a_missing_column_is_named_before_anything_starts(log):
    put(log, "events", b"event_at", b"happened_at")
    line = the_one(log)
    assert "events.csv has no column event_at; its header reads" in line
    assert "happened_at" in line


def test_capital_letters_are_told_from_a_missing_column(log):
    put(log, "users", b"user_id,", b"User_ID,")
    assert "write User_ID in small letters" in the_one(log)


def test_a_file_without_a_byte_has_no_header(log):
    (log / "users.csv").write_bytes(b"")
    assert "users.csv has no header: write user_id," in the_one(log)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"user_id,", b"\xef\xbb\xbfuser_id,"),
        (b"user_id,", b'"user_id",'),
        (b"user_id,", b" user_id ,"),
        (b"acquisition_channel\n", b"acquisition_channel\r\n"),
        (b"acquisition_channel", b"acquisition_channel,own_column"),
    ],
)
def test_headers_that_the_reader_reads_are_sound(log, old, new):
    put(log, "users", old, new)
    assert checks.find_wrong_headers(log) == []


def test_the_columns_that_are_needed_are_those_of_the_yaml():
    """The seed reader refuses by the YAML, the check by the module."""
    needed = {}
    for path in (ROOT / "models" / "staging").rglob("_*__seeds.yml"):
        for seed in yaml.safe_load(path.read_text())["seeds"]:
            needed[seed["name"]] = {
                column["name"]
                for column in seed["columns"]
                if not column.get("config", {}).get("meta", {}).get("optional")
            }
    assert needed == {
        name: set(columns) for name, columns in TABLES.items()
    } | {
        name: set(header.split(","))
        - set(OPTIONAL_REFERENCE_COLUMNS.get(name, ()))
        for name, header in REFERENCES.items()
    }


# --- line ends ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"a,b\n1,2\n", None),
        (b"a,b\r\n1,2\r\n", None),
        (b"a,b\r\n1,2", None),
        (b"a,b\r\n1,2\n", 2),
        (b"a,b\n1,2\r\n", 2),
        (b"a,b\n1,2\r3,4\n", 2),
        (b'a,b\n"1\r\n2",3\n', None),
        (b'a,b\n"1\r2",3\n', None),
        (b'a,b\r\n"1\n2",3\r\n', None),
        (b'a,b\n"1 ""x""\r\n2",3\r\n', 3),
    ],
)
def test_a_line_that_ends_otherwise_is_found_outside_quotes(
    tmp_path, content, line
):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    assert first_other_end(path) == line


def test_mixed_line_ends_stop_with_their_place(log):
    put(log, "events", b"10:00:00,phone\n", b"10:00:00,phone\r\n")
    describe(log)
    line = the_one(log)
    assert "events.csv, line 2: the line ends otherwise" in line
    assert "sed -i" in line


# --- rights -------------------------------------------------------------------


@contextmanager
def as_somebody():
    """Whoever runs the tests as root may read everything: be nobody."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.fixture
def open_log(log):
    """The log where everybody may go."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(shutil.copytree(log, Path(folder) / "log"))


def test_a_file_that_may_not_be_read_is_called_so(open_log):
    (open_log / "events.csv").chmod(0)
    with as_somebody():
        line = the_one(open_log)
    assert "events.csv may not be read: run `chmod u+r" in line


def test_a_folder_that_may_not_be_read_is_called_so(open_log):
    open_log.chmod(0)
    with as_somebody():
        line = str(checks.find_unreadable(open_log)[0])
    open_log.chmod(0o755)
    assert "log/ may not be read: run `chmod u+rx" in line


def test_a_folder_that_may_not_be_written_to_is_called_so(open_log):
    open_log.chmod(0o555)
    with as_somebody():
        here = checks.find_unwritable(open_log)
        below = checks.find_unwritable(open_log / "new")
    open_log.chmod(0o755)
    assert "log/ may not be written to: run `chmod u+rwx" in str(here[0])
    assert "may not be written to" in str(below[0])
    assert checks.find_unwritable(open_log / "new") == []


# --- the command --------------------------------------------------------------


def run_check(log, folder):
    return subprocess.run(
        [
            sys.executable,
            "scripts/check_workplace.py",
            *("--seeds", log),
            *("--warehouse", folder / "warehouse.duckdb"),
        ],
        cwd=ROOT,
        env=os.environ | {"DBT_TARGET_PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_stops_at_errors_and_says_warnings(log, tmp_path):
    done = run_check(log, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    put(log, "users", b"ios", b"web")
    done = run_check(log, tmp_path)
    assert done.returncode == 1
    assert "users.csv is not the file" in done.stderr
    (log / "vars.yml").write_text("digest_check: warn\n")
    done = run_check(log, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "users.csv is not the file" in done.stdout
