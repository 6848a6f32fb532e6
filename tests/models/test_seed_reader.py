"""How raw files are read: what is kept, set apart, refused, left alone."""

import random
import re

import duckdb
import pytest
from builds import RAW_COLUMNS

ROWS = {
    "users": [
        "007,2026-01-05 08:00:00,ios,de,free,search",
        "7,2026-01-05 09:00:00,web,,paid,",
    ],
    "content": ["00c,Title,Drama|Crime,en,1800,2020-01-01"],
    "events": [
        "e1,007,00c,play,2026-01-05 10:00:00,phone",
        "e2,007,00c,pause,2026-01-05 10:10:00,phone",
        "e3,7,00c,play,2026-01-07 10:00:00,web",
    ],
    "experiment_assignments": [
        "push_reminders,007,A,2026-01-05 08:00:00,",
    ],
}
HEADERS = {name: RAW_COLUMNS[name].replace(" ", ",") for name in ROWS}
RAW = "event_id, user_id, content_id, event_type, event_at, device_type"


@pytest.fixture(scope="module")
def write_log(add_references):
    """Write a small log; a file that is not given is the sound one."""

    def write(folder, **files):
        folder.mkdir()
        for name, header in HEADERS.items():
            sound = "\n".join([header, *ROWS[name]]) + "\n"
            content = files.get(name, sound)
            if isinstance(content, str):
                content = content.encode()
            (folder / f"{name}.csv").write_bytes(content)
        return add_references(folder)

    return write


def malformed(connection, table):
    return connection.execute(
        "select line_number, reason_name, line_text from raw.malformed_rows"
        " where table_name = ? order by line_number",
        [table],
    ).fetchall()


def reconciliation(connection, table):
    return connection.execute(
        "select raw_rows, malformed_rows, rejected_rows, duplicate_rows,"
        " canonical_rows, is_reconciled from marts.fct_reconciliation"
        " where table_name = ?",
        [table],
    ).fetchone()


# --- lines that cannot be read -----------------------------------------------

FAULTY = {
    3: ("e4,007,00c,play,yesterday,phone", "cast"),
    5: ("e5,007,00c", "missing columns"),
    6: (
        "e6,007,00c,play,2026-01-05 11:00:00,phone,and,more",
        "too many columns",
    ),
    7: ("e8,007,00c,play,2026-02-30 11:00:00,phone", "cast"),
    # Two faults in one line are one line.
    8: ("e9,007,00c,play,never,phone,more", "cast"),
}
PADDING = 30_000


@pytest.fixture(scope="module")
def faulty(write_log, build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("faulty")
    sound = iter(ROWS["events"])
    lines = [HEADERS["events"]]
    lines += [
        FAULTY[number][0] if number in FAULTY else next(sound)
        for number in range(2, 10)
    ]
    invalid = b"e10,\xff\xfe,00c,play,2026-01-05 11:00:00,phone"
    # dbt itself reads files below 1 MB as text, to notice changes.
    padding = [
        f"p{number},7,00c,play,2026-01-06 11:00:00,phone".encode()
        for number in range(PADDING)
    ]
    lines = [*(line.encode() for line in lines), invalid, *padding, b""]
    seeds = write_log(
        folder / "log",
        events=b"\n".join(lines),
        users="\n".join([HEADERS["users"], *ROWS["users"], "8,late"]) + "\n",
    )
    connection = build(seeds, folder)
    yield connection
    connection.close()


def test_each_unreadable_line_is_kept_with_its_number_and_reason(faulty):
    *found, (line, reason, _) = malformed(faulty, "events")
    assert found == [
        (number, reason, text) for number, (text, reason) in FAULTY.items()
    ]
    assert (line, reason) == (10, "invalid encoding")


def test_unreadable_lines_name_their_file(faulty):
    files = faulty.execute(
        "select distinct table_name, file_name from raw.malformed_rows"
        " order by table_name"
    ).fetchall()
    assert [table for table, _ in files] == ["events", "users"]
    assert [name.split("/")[-1] for _, name in files] == [
        "events.csv",
        "users.csv",
    ]


def test_unreadable_lines_say_why(faulty):
    [text] = faulty.execute(
        "select reason_text from raw.malformed_rows where line_number = 3"
        " and table_name = 'events'"
    ).fetchone()
    assert "event_at" in text
    assert "yesterday" in text


def test_unreadable_lines_are_counted_and_the_others_stand(faulty):
    assert reconciliation(faulty, "events") == (
        9 + PADDING,
        6,
        0,
        0,
        3 + PADDING,
        True,
    )
    assert reconciliation(faulty, "users") == (3, 1, 0, 0, 2, True)
    assert reconciliation(faulty, "content") == (1, 0, 0, 0, 1, True)
    assert faulty.execute(
        "select table_name, row_count from marts.fct_rejected_rows"
        " where reason = 'malformed' order by table_name"
    ).fetchall() == [("events", 6), ("users", 1)]


def loaded(folder):
    """Lines of events.csv that were read, and lines that were set apart."""
    with duckdb.connect(
        folder / "warehouse.duckdb", read_only=True
    ) as connection:
        return (
            connection.execute("select count(*) from raw.events").fetchone()[0],
            malformed(connection, "events"),
        )


def test_text_after_a_closing_quote_is_set_apart(write_log, dbt, tmp_path):
    line = 'e7,"007"x,00c,play,2026-01-05 11:00:00,phone'
    events = "\n".join([HEADERS["events"], line, *ROWS["events"], ""])
    seeds = write_log(tmp_path / "log", events=events)
    done = dbt(seeds, tmp_path, "seed", "--select", "events")
    assert done.returncode == 0, done.stdout
    assert loaded(tmp_path) == (3, [(2, "unquoted value", line)])


@pytest.mark.parametrize("place", [0, PADDING - 10])
def test_a_quote_left_open_never_hides_lines(write_log, dbt, tmp_path, place):
    """What follows it is one field to a CSV reader, up to the file's end."""
    lines = [
        f"e{number},007,00c,play,2026-01-05 11:00:00,phone"
        for number in range(PADDING)
    ]
    lines[place] = '"' + lines[place]
    events = "\n".join([HEADERS["events"], *lines, ""])
    seeds = write_log(tmp_path / "log", events=events)
    done = dbt(seeds, tmp_path, "seed", "--select", "events")
    if done.returncode == 0:
        read, set_apart = loaded(tmp_path)
        assert read + len(set_apart) == PADDING
    else:
        assert f"line {place + 2}" in done.stdout
        assert "quot" in done.stdout


def test_windows_and_unix_line_ends_in_one_file_are_read_or_refused(
    write_log, dbt, tmp_path
):
    first, *others = ROWS["events"]
    events = f"{HEADERS['events']}\r\n{first}\r\n" + "\n".join([*others, ""])
    seeds = write_log(tmp_path / "log", events=events)
    done = dbt(seeds, tmp_path, "seed", "--select", "events")
    if done.returncode == 0:
        assert loaded(tmp_path) == (3, [])
    else:
        assert "events.csv" in done.stdout


def instants(folder):
    """The instants of events.csv that were read, in UTC."""
    with duckdb.connect(
        folder / "warehouse.duckdb", read_only=True
    ) as connection:
        return connection.execute(
            "select cast(event_at as varchar), typeof(event_at)"
            " from raw.events order by event_id"
        ).fetchall()


def test_an_offset_is_never_dropped_from_an_instant(write_log, dbt, tmp_path):
    """Each is converted to UTC, whatever the line beside it has."""
    texts = [
        ("2026-01-05 01:00:00", "2026-01-05 01:00:00"),
        ("2026-01-05T01:00:00Z", "2026-01-05 01:00:00"),
        ("2026-01-05T01:00:00+02:00", "2026-01-04 23:00:00"),
        ("2026-01-05 01:00:00.25-05:30", "2026-01-05 06:30:00.25"),
        ("2026-01-05 01:00:00-05", "2026-01-05 06:00:00"),
        ("2026-01-05 01:00:00+0030", "2026-01-05 00:30:00"),
        ("2026-01-05", "2026-01-05 00:00:00"),
    ]
    lines = [
        f"e{number},007,00c,play,{text},phone"
        for number, (text, _) in enumerate(texts)
    ]
    # What cannot be read stays so: nothing is nulled.
    lines.append("e8,007,00c,play,2026-01-05 01:00-05:00,phone")
    lines.append("e9,007,00c,play,2026-01-05 01:00:00 +02:00,phone")
    events = "\n".join([HEADERS["events"], *lines, ""])
    seeds = write_log(tmp_path / "log", events=events)
    done = dbt(seeds, tmp_path, "seed", "--select", "events")
    assert done.returncode == 0, done.stdout
    assert instants(tmp_path) == [(utc, "TIMESTAMP") for _, utc in texts]
    assert [row[:2] for row in loaded(tmp_path)[1]] == [
        (len(texts) + 2, "cast"),
        (len(texts) + 3, "cast"),
    ]


def test_an_instant_without_an_offset_is_read_once(write_log, dbt, tmp_path):
    """Z and +00:00 are none: nothing is to be converted."""
    texts = ["2026-01-05T01:00:00.5Z", "2026-01-05 01:00:00.5+00:00"]
    lines = [f"e{text},007,00c,play,{text},phone" for text in texts]
    events = "\n".join([HEADERS["events"], *lines, ""])
    seeds = write_log(tmp_path / "log", events=events)
    done = dbt(seeds, tmp_path, "--debug", "seed", "--select", "events")
    assert instants(tmp_path) == [("2026-01-05 01:00:00.5", "TIMESTAMP")] * 2
    assert "timestamptz" not in done.stdout


@pytest.mark.parametrize("place", ["middle", "end"])
def test_a_line_of_any_length_is_counted(write_log, dbt, tmp_path, place):
    """Threads that share a file lose one longer than their buffers."""
    lines = [
        f"e{number},007,00c,play,2026-01-05 11:00:00,phone"
        for number in range(PADDING)
    ]
    number = PADDING // 2 if place == "middle" else PADDING
    lines.insert(number, f"e,{'x' * 40_000_000},00c,play,2026-01-05,phone")
    events = "\n".join([HEADERS["events"], *lines])
    seeds = write_log(tmp_path / "log", events=events)
    done = dbt(seeds, tmp_path, "seed", "--select", "events")
    assert done.returncode == 0, done.stdout
    read, [(line, reason, _)] = loaded(tmp_path)
    assert (read, line) == (PADDING, number + 2)
    assert reason == "line size over maximum"


def test_lines_within_quotes_are_counted_with_their_row(
    write_log, dbt, tmp_path
):
    lines = [
        '"e1\n\nand\r\nmore",007,00c,play,2026-01-05 11:00:00,phone',
        'e2,"0\n07",00c,play,never,phone',
        "",
        "e3,007,00c,play,2026-01-05 11:00:00,phone",
    ]
    events = "\n".join([HEADERS["events"], *lines, "", ""])
    seeds = write_log(tmp_path / "log", events=events)
    done = dbt(seeds, tmp_path, "seed", "--select", "events")
    assert done.returncode == 0, done.stdout
    read, [(_, reason, text)] = loaded(tmp_path)
    assert (read, reason, text) == (2, "cast", lines[1])
    assert "3 line(s) continue a value in quotation marks" in done.stdout


def test_no_line_is_lost_to_any_bytes(write_log, dbt, tmp_path):
    """Loaded, set apart, or the file is refused by name."""
    draw = random.Random(20260105)  # noqa: S311
    sound = b"e,007,00c,play,2026-01-05 11:00:00,phone\n"
    odd = [
        b'"', b"\xff", b"\x00", b",", b'""', "é".encode(), b"\x01", b"+02:00",
    ]  # fmt: skip
    kept = 0
    for number in range(12):
        lines = [sound] * 60
        for place in draw.sample(range(60), 4):
            at = draw.randrange(len(sound) - 1)
            lines[place] = sound[:at] + draw.choice(odd) + sound[at:]
        events = f"{HEADERS['events']}\n".encode() + b"".join(lines)
        # dbt itself reads files below 1 MB as text.
        events += sound * PADDING
        folder = tmp_path / str(number)
        folder.mkdir()
        seeds = write_log(folder / "log", events=events)
        done = dbt(seeds, folder, "seed", "--select", "events")
        if done.returncode:
            assert "events.csv" in done.stdout
            continue
        read, set_apart = loaded(folder)
        inside = re.findall(r"(\d+) line\(s\) continue", done.stdout)
        assert read + len(set_apart) + int(*inside or [0]) == 60 + PADDING
        kept += 1
    assert kept > 3


# --- lines that can ----------------------------------------------------------


@pytest.fixture(scope="module")
def unusual_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("unusual")


@pytest.fixture(scope="module")
def unusual_log(write_log, unusual_folder):
    reordered = (
        "device_type,event_at,note,event_type,content_id,user_id,event_id\r\n"
        "phone,2026-01-05 10:00:00,first,play,00c,007,e1\r\n"
        'phone,2026-01-05 10:10:00.250,"a, ""b""",pause,00c,007,e2\r\n'
        ",2026-01-07 10:00:00,,play,00c,7,e3\r\n"
    )
    return write_log(
        unusual_folder / "log",
        events=reordered,
        content=(
            f"{HEADERS['content']}\n"
            '00c,"Amélie, ""le film"" 東京","Drama|Crime",fr,,\n'
        ),
        users=(
            f"\ufeff{HEADERS['users']}\n"
            "007,,ios,de,free,search\n"
            '7,2026-01-05 09:00:00,web,"",paid,'
        ),
    )


@pytest.fixture(scope="module")
def original(unusual_log):
    return {path.name: path.read_bytes() for path in unusual_log.glob("*.*")}


@pytest.fixture(scope="module")
def unusual(build, unusual_log, unusual_folder, original):
    assert original
    connection = build(unusual_log, unusual_folder, with_tests=True)
    yield connection
    connection.close()


def test_columns_are_found_by_name_in_a_file_with_windows_line_ends(unusual):
    assert [
        tuple(map(str, row))
        for row in unusual.execute(
            f"select {RAW} from raw.events order by event_id"
        ).fetchall()
    ] == [
        ("e1", "007", "00c", "play", "2026-01-05 10:00:00", "phone"),
        ("e2", "007", "00c", "pause", "2026-01-05 10:10:00.250000", "phone"),
        ("e3", "7", "00c", "play", "2026-01-07 10:00:00", "None"),
    ]
    assert malformed(unusual, "events") == []


def test_an_unknown_column_is_kept_as_text(unusual):
    assert unusual.execute(
        "select note, typeof(note) from raw.events order by event_id"
    ).fetchall() == [
        ("first", "VARCHAR"),
        ('a, "b"', "VARCHAR"),
        (None, "VARCHAR"),
    ]


def test_empty_text_is_null_quoted_or_not(unusual):
    assert unusual.execute(
        "select country_code, acquisition_channel from raw.users"
        " where user_id = '7'"
    ).fetchone() == (None, None)
    assert unusual.execute(
        "select duration_seconds, released_on from raw.content"
    ).fetchone() == (None, None)


def test_leading_zeros_make_another_user(unusual):
    assert unusual.execute(
        "select user_id from marts.dim_users order by user_id"
    ).fetchall() == [("007",), ("7",)]


def test_quotes_commas_and_other_alphabets_survive(unusual):
    assert unusual.execute(
        "select title from marts.dim_content"
    ).fetchone() == ('Amélie, "le film" 東京',)


def test_raw_files_are_never_written_to(unusual, unusual_log, original):
    assert unusual
    assert unusual_log.is_absolute()
    assert {
        path.name: path.read_bytes() for path in unusual_log.glob("*.*")
    } == original


EVENT = "e1,007,00c,play,2026-01-05 10:00:00,phone\n"
NAMES = HEADERS["events"]
AT = "2026-01-05 10:00:00"


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (f"{NAMES}\n{EVENT}".replace("\n", "\r"), ("e1", "007", AT)),
        (f"{NAMES}\r\n{EVENT}".replace("e\n", "e\r\n"), ("e1", "007", AT)),
        (
            ",".join(f'"{name}"' for name in NAMES.split(",")) + f"\n{EVENT}",
            ("e1", "007", AT),
        ),
        (NAMES.replace(",", " , ") + f"\n{EVENT}", ("e1", "007", AT)),
        (
            f"{NAMES}\n{EVENT}".replace(",007,", ", 007 ,"),
            ("e1", " 007 ", AT),
        ),
        (f"{NAMES}\n{EVENT}".replace(AT, f" {AT} "), ("e1", "007", AT)),
        (f"{NAMES}\n{EVENT}".replace("e1", "e\0"), ("e\0", "007", AT)),
        (f"{NAMES}\n\n{EVENT}\n\n", ("e1", "007", AT)),
    ],
    ids=[
        "carriage returns",
        "windows",
        "quoted header",
        "blanks in the header",
        "blanks around an id",
        "blanks around an instant",
        "nul",
        "empty lines",
    ],
)
def test_what_is_unusual_has_its_fate(write_log, dbt, tmp_path, content, read):
    seeds = write_log(tmp_path / "log", events=content)
    done = dbt(seeds, tmp_path, "seed", "--select", "events")
    assert done.returncode == 0, done.stdout
    assert loaded(tmp_path) == (1, [])
    with duckdb.connect(tmp_path / "warehouse.duckdb") as connection:
        assert connection.execute(
            "select event_id, user_id, cast(event_at as varchar)"
            " from raw.events"
        ).fetchall() == [read]


# --- loading again -----------------------------------------------------------


def test_loading_again_replaces_and_declared_tables_follow_their_yaml(
    write_log, build, dbt, tmp_path, columns_of
):
    seeds = write_log(
        tmp_path / "log",
        events=f"{HEADERS['events']}\n{ROWS['events'][0]}\ne2,broken\n",
    )
    with build(seeds, tmp_path) as connection:
        assert reconciliation(connection, "events")[:2] == (2, 1)
        declared = columns_of(connection, "results")
    with duckdb.connect(tmp_path / "warehouse.duckdb") as connection:
        connection.execute(
            "alter table results.headlines drop column z_score;"
            "alter table results.analysis_runs add column old integer"
        )
    # By itself, so that nothing after it ends its transaction.
    done = dbt(
        seeds,
        tmp_path,
        "run-operation",
        "create_declared_tables",
        STREAMING_RUN="1",
    )
    assert done.returncode == 0, done.stdout
    with duckdb.connect(tmp_path / "warehouse.duckdb") as connection:
        assert columns_of(connection, "results") == declared

    (seeds / "events.csv").write_text(
        "\n".join([HEADERS["events"], *ROWS["events"]])
    )
    with build(seeds, tmp_path) as connection:
        assert reconciliation(connection, "events") == (3, 0, 0, 0, 3, True)
        assert malformed(connection, "events") == []
        assert columns_of(connection, "results") == declared


def test_a_log_without_a_single_event_builds(write_log, build, tmp_path):
    empty = {name: f"{header}\n" for name, header in HEADERS.items()}
    seeds = write_log(tmp_path / "log", **empty)
    with build(seeds, tmp_path, with_tests=True) as connection:
        tables = connection.execute(
            "select table_name from information_schema.tables"
            " where table_schema = 'marts'"
        ).fetchall()
        assert len(tables) > 15
        assert connection.execute(
            "select event_count, user_count, watermark_date"
            " from marts.fct_observation"
        ).fetchone() == (0, 0, None)
        for name in HEADERS:
            assert reconciliation(connection, name) == (0, 0, 0, 0, 0, True)


# --- what is refused ---------------------------------------------------------


def test_a_missing_column_stops_the_build_and_says_what_to_do(
    write_log, dbt, tmp_path
):
    seeds = write_log(
        tmp_path / "log", users="user_id,platform,Country_Code\n1,ios,DE\n"
    )
    done = dbt(seeds, tmp_path, "seed", "--select", "users")
    assert done.returncode == 1
    said = " ".join(done.stdout.split())
    assert "users.csv has no column signed_up_at, country_code," in said
    assert "Its header reads: user_id, platform, Country_Code" in said
    assert "Add the column (its values may be empty) or correct" in said
    assert "Traceback" not in done.stdout + done.stderr


# --- Parquet beside the CSV file ----------------------------------------------


def write_parquet(seeds, rows):
    """Put events with types beside the CSV file."""
    (seeds / "events").mkdir(exist_ok=True)
    names = HEADERS["events"].split(",")
    columns = ", ".join(f"{name}" for name in names)
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * from (values {', '.join(map(str, rows))})"
            f" as rows ({columns})) to '{seeds}/events/1.parquet'"
        )


def test_rows_with_types_are_loaded_beside_those_of_text(
    write_log, build, tmp_path
):
    seeds = write_log(
        tmp_path / "log",
        events=f"{HEADERS['events']}\n{ROWS['events'][0]}\ne2,broken\n",
    )
    [first, second, third] = [tuple(row.split(",")) for row in ROWS["events"]]
    bad = (third[0], *third[1:4], "no instant", *third[5:])
    write_parquet(seeds, [second, bad])
    with build(seeds, tmp_path) as connection:
        assert reconciliation(connection, "events")[:2] == (4, 2)
        found = connection.execute(
            "select file_name, line_number, reason_name, line_text"
            " from raw.malformed_rows where reason_name = 'cast'"
        ).fetchall()
        assert len(found) == 1
        name, line, _, text = found[0]
        assert name.endswith("events/1.parquet")
        assert line == 2
        assert "no instant" in text
        ids = connection.execute(
            "select event_id from raw.events order by 1"
        ).fetchall()
        assert ids == [(first[0],), (second[0],)]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("'a' as event_id", "has no column user_id"),
        ("'a' as event_id, 1 as mood", "has a column mood that"),
    ],
)
def test_other_columns_of_parquet_are_named(
    write_log, dbt, tmp_path, columns, said
):
    seeds = write_log(tmp_path / "log")
    (seeds / "events").mkdir()
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select {columns}) to '{seeds}/events/1.parquet'"
        )
    done = dbt(seeds, tmp_path, "seed", "--select", "events")
    assert done.returncode == 1
    assert said in " ".join(done.stdout.split())
