"""A mapping reads below its input folder and writes the log, nothing else."""

import duckdb
import pytest
from loading import csv_of, events, loader

from mapping import loads
from mapping.language import MappingError
from raw.files import REFERENCES

LOG = csv_of("2024-01-01")
HEADER = REFERENCES["experiments"] + "\n"


@pytest.fixture
def folder(tmp_path):
    """An input folder beside files that no mapping may reach."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "log.csv").write_text(LOG)
    (tmp_path / "outside" / "experiments.csv").write_text(HEADER)
    (tmp_path / "outside" / "own.sql").write_text("-- mine")
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def load(folder, mapping=None, **files):
    return loader(folder)(mapping or events(), **files)


@pytest.mark.parametrize(
    "pattern",
    ["../outside/log.csv", "../outside/*.csv", "**/../../outside/log.csv"],
)
def test_files_outside_of_the_input_are_refused(folder, pattern):
    (folder / "sub").mkdir()
    with pytest.raises(
        MappingError,
        match=r"events\.files: .*outside/\w+\.csv, out of .*copy the file",
    ):
        load(folder, events(files=f"'{pattern}'"))


def test_an_absolute_path_outside_of_the_input_is_refused(folder):
    path = folder.parent / "outside" / "log.csv"
    with pytest.raises(MappingError, match=r"events\.files: .*, out of"):
        load(folder, events(files=path))


@pytest.mark.parametrize("is_of_folder", [True, False])
def test_a_link_out_of_the_input_is_refused(folder, is_of_folder):
    outside = folder.parent / "outside"
    if is_of_folder:
        (folder / "sub").symlink_to(outside)
    else:
        (folder / "sub").mkdir()
        (folder / "sub" / "log.csv").symlink_to(outside / "log.csv")
    for pattern in ("sub/log.csv", "sub/*.csv"):
        with pytest.raises(MappingError, match=r"leads to .*outside/\w+\.csv"):
            load(folder, events(files=pattern))


def test_links_within_the_input_and_to_it_are_followed(folder):
    (folder / "sub").mkdir()
    (folder / "log.csv").write_text(LOG)
    (folder / "link.csv").symlink_to(folder / "log.csv")
    via = folder.parent / "via"
    via.symlink_to(folder)
    log = load(via, events(files="[log.csv, link.csv, sub/../link.csv]"))
    assert log.counts["events"]["written"] == 3
    assert [found["name"] for found in log.manifest["inputs"]] == [
        "log.csv",
        "link.csv",
        "sub/../link.csv",
    ]


@pytest.mark.parametrize("name", ["log[1].csv", "log*.csv", "log?.csv"])
def test_a_name_is_no_pattern_where_the_file_is_there(folder, name):
    (folder / "log1.csv").write_text(csv_of("2024-02-02", "2024-02-03"))
    (folder / name).write_text(LOG)
    log = load(folder, events(files=f"'{name}'"))
    assert log.times == ["2024-01-01 00:00:00"]


@pytest.mark.parametrize(
    "reference",
    [
        "{ experiments: ../outside/experiments.csv }",
        "{ experiments: link.csv }",
        "{ estimates: ../outside }",
        "{ estimates: queries }",
    ],
)
def test_reference_files_outside_of_the_input_are_refused(folder, reference):
    outside = folder.parent / "outside"
    (folder / "link.csv").symlink_to(outside / "experiments.csv")
    (folder / "queries").mkdir()
    (folder / "queries" / "own.sql").symlink_to(outside / "own.sql")
    mapping = events() + f"references: {reference}\n"
    with pytest.raises(MappingError, match=r"references\..*outside.*, out of"):
        load(folder, mapping, log__csv=LOG)


def test_compressed_files_records_and_parquet_are_read_behind_the_lock(folder):
    rows = "(select '1' as user, 'film' as item, date '2024-01-01' as at)"
    for name, form in (
        ("a.csv.gz", "format csv, compression gzip"),
        ("b.csv.zst", "format csv, compression zstd"),
        ("c.jsonl.gz", "format json, compression gzip"),
        ("d.json", "format json, array true"),
        ("e.parquet", "format parquet"),
    ):
        duckdb.sql(f"copy {rows} to '{folder / name}' ({form})")
    names = "[a.csv.gz, b.csv.zst, c.jsonl.gz, d.json, e.parquet]"
    log = load(folder, events(files=names))
    assert log.times == ["2024-01-01 00:00:00"] * 5


@pytest.mark.parametrize(
    "attack",
    [
        "copy (select 1) to '{outside}/new.csv'",
        "copy (select 1) to '{inside}/new.csv'",
        "from read_text('{outside}/log.csv')",
        "from read_text('{inside}/../outside/log.csv')",
        "from read_csv('{inside}/other.csv')",
        "from glob('{outside}/*')",
        "attach '{outside}/new.duckdb'",
        "install httpfs",
        "load httpfs",
        "install h3 from community",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "select getenv('HOME')",
    ],
)
def test_the_scratch_database_reaches_the_log_alone(
    folder, monkeypatch, attack
):
    """What the lock holds back even if an expression were more than one."""
    (folder / "other.csv").write_text(LOG)
    outside = folder.parent / "outside"
    before = sorted(folder.parent.rglob("*"))
    tried = []

    def stage(load_, table, shifts):
        with pytest.raises(duckdb.Error):
            load_.rows(attack.format(inside=folder, outside=outside))
        tried.append(table)
        return staged(load_, table, shifts)

    staged = loads.stage_table
    monkeypatch.setattr(loads, "stage_table", stage)
    load(folder, log__csv=LOG)
    assert "events" in tried
    after = set(folder.parent.rglob("*")) - set(before)
    assert {path.name for path in after if "logs" not in path.parts} == {
        "log.csv",
        "mapping.yml",
    }
