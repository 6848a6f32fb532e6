"""A file that cannot be read is said with its name, place and remedy."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from loading import csv_of, events, loader

import load_logs
from mapping.language import MappingError
from raw.files import REFERENCES

LOG = csv_of("2024-01-01")
RECORD = '{"user": "1", "item": "%s", "at": "2024-01-01"}'


@pytest.fixture
def load(tmp_path):
    return loader(tmp_path)


def latin(text):
    return text.encode("latin-1")


def parquet(tmp_path, item, letters):
    """A Parquet file whose letters are then no UTF-8."""
    path = tmp_path / "made.parquet"
    select = f"'1' as user, {item} as item, date '2024-01-01' as at"
    duckdb.sql(f"copy (select {select}) to '{path}' (format parquet)")
    return path.read_bytes().replace(letters, b"\xe9" * len(letters))


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    "content",
    [latin("user,item,at,é\n1,x,2024-01-01,2\n"), LOG.encode("utf-16")],
)
def test_a_header_of_another_encoding(load, content, zipped):
    name = "log.csv.gz" if zipped else "log.csv"
    with pytest.raises(
        MappingError,
        match=rf"{name} line 1: the header is no UTF-8; say its `encoding`",
    ):
        load(
            events(files=name),
            **{name: gzip.compress(content) if zipped else content},
        )


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz"])
def test_rows_of_another_encoding_are_kept_with_line_and_remedy(load, name):
    content = LOG.encode() + latin("2,é,2024-01-01\n")
    if name.endswith(".gz"):
        content = gzip.compress(content)
    log = load(events(files=name), **{name: content})
    [row] = log.rows("rejected_rows")
    assert (row["file"], row["line"], row["reason"]) == (name, "3", "malformed")
    assert row["detail"].startswith("not UTF-8; say its `encoding`")


def test_the_remedy_is_one(load):
    content = latin("user,item,at\n1,é,2024-01-01\n")
    mapping = events(files="log.csv\n  encoding: latin-1")
    log = load(mapping, **{"log.csv": content})
    assert log.values("events", "content_id") == ["é"]


def test_records_of_another_encoding_are_kept_with_line_and_remedy(load):
    lines = RECORD % "x" + "\n" + RECORD % "é"
    log = load(events(files="log.jsonl"), **{"log.jsonl": latin(lines)})
    [row] = log.rows("rejected_rows")
    assert (row["line"], row["detail"]) == ("2", "not UTF-8; write it as UTF-8")


def test_an_array_of_another_encoding(load):
    content = latin("[" + RECORD % "x" + ",\n" + RECORD % "é" + "]")
    with pytest.raises(
        MappingError, match=r"log\.json: .* UTF-8 .*; write it as UTF-8"
    ):
        load(events(files="log.json"), **{"log.json": content})


@pytest.mark.parametrize("item", ["'LETTERS'", "'LETTERS'::blob"])
def test_parquet_of_another_encoding(load, tmp_path, item):
    content = parquet(tmp_path, item, b"LETTERS")
    with pytest.raises(
        MappingError, match=r"log\.parquet: .*; write its texts as UTF-8"
    ):
        load(events(files="log.parquet"), **{"log.parquet": content})


def test_names_of_parquet_of_another_encoding(load, tmp_path):
    content = parquet(tmp_path, "1 as LETTERS, 'x'", b"LETTERS")
    with pytest.raises(
        MappingError, match=r"log\.parquet: .*; write its texts as UTF-8"
    ):
        load(events(files="log.parquet"), **{"log.parquet": content})


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("latin-1", b"2,\x80,2024-01-01\n"),
        ("utf-16", "2,x".encode("utf-16-le") + b"\x00\xd8" + b"e\x00\n\x00"),
    ],
)
def test_bytes_that_the_said_encoding_does_not_have(load, encoding, content):
    good = LOG.encode(encoding)
    mapping = events(files=f"log.csv\n  encoding: {encoding}")
    with pytest.raises(
        MappingError, match=rf"log\.csv: .*not {encoding}.*; say its `encoding`"
    ):
        load(mapping, **{"log.csv": good + content})


@pytest.mark.parametrize("name", ["log.csv.gz", "log.csv.zst"])
def test_a_file_that_is_not_compressed_as_its_name_says(load, name):
    with pytest.raises(
        MappingError, match=rf"{name}: it is not compressed .*correct its name"
    ):
        load(events(files=name), **{name: LOG})


def test_a_line_too_long_for_a_header(load):
    with pytest.raises(MappingError, match=r"log\.csv line 1: as a header"):
        load(events(), **{"log.csv": "x" * 200_000})


@pytest.mark.parametrize("name", ["experiments", "event_types"])
def test_a_reference_file_of_another_encoding(load, name):
    mapping = events() + f"references: {{ {name}: given.csv }}\n"
    with pytest.raises(
        MappingError,
        match=rf"references\.{name}: .*given\.csv, line 2: the byte 0xe9 is no",
    ):
        load(
            mapping,
            **{"log.csv": LOG, "given.csv": latin(REFERENCES[name] + "\né\n")},
        )


def test_a_mapping_of_another_encoding(tmp_path):
    path = tmp_path / "mapping.yml"
    path.write_bytes(latin("name: log\nsource: é\n"))
    with pytest.raises(
        MappingError, match=r"mapping\.yml: line 2: the byte 0xe9 is no UTF-8"
    ):
        load_logs.load_log(path, None, tmp_path / "out", force=False)


def test_a_file_that_must_not_be_read(load, tmp_path, monkeypatch):
    opened = Path.open

    def refuse(path, *arguments, **options):
        if path.name == "log.csv" and arguments == ("rb",):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    (tmp_path / "log.csv").write_text(LOG)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(
        MappingError,
        match=r"events\.files: /.*/log\.csv: permission denied; give yourself",
    ):
        load(events())


def test_a_name_that_is_no_text(load, tmp_path):
    (tmp_path / os.fsdecode(b"\xe9.csv")).write_text(LOG)
    with pytest.raises(MappingError, match=r"'\\udce9\.csv' is no UTF-8; ren"):
        load(events(files='"*.csv"'))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.yml"], "none.yml: no such file or directory; correct the path"),
        (["."], ".: is a directory; name a file in it"),
        (
            ["log.yml", "--out", "log.csv/out"],
            "log.csv/.out.lock: not a directory; correct the path",
        ),
    ],
)
def test_what_the_system_refuses_is_named(tmp_path, arguments, message):
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "log.yml").write_text(events())
    done = subprocess.run(
        [sys.executable, load_logs.__file__, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == f"load_logs: {message}\n"


def test_a_text_that_no_file_can_hold_is_said_with_the_mapping(tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "log.yml").write_text(events('"\\ud800"'))
    done = subprocess.run(
        [sys.executable, load_logs.__file__, tmp_path / "log.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.startswith(f"load_logs: {tmp_path}/log.yml: ")
    assert done.stderr.count("\n") == 1
