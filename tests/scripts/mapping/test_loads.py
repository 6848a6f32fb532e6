"""Any split of a log's files into loads gives the rows of loading them all."""

import csv
import json
import random

import duckdb
import pytest
from loading import loader

from mapping.language import MappingError
from mapping.loads import Wish
from raw.files import LOAD_NUMBER, TABLES

MAPPING = """
name: log
events:
  files: "day*.csv"
  columns:
    user_id: user
    content_id: item
    event_type: { column: kind, map: { p: play, s: skip } }
    event_at: at
users:
  columns:
    platform: plat
    country_code: land
content:
  files: "titles*.csv"
  columns: { content_id: id, title: name }
experiment_assignments:
  files: "arms*.csv"
  columns:
    experiment_id: { value: test }
    user_id: user
    variant: arm
    assigned_at: at
user_measures:
  files: "arms*.csv"
  columns: { experiment_id: { value: test }, user_id: user }
  measures: { spend: spend, visits: visits }
"""
NUMBERED = MAPPING.replace(
    "    user_id: user\n    content_id",
    """\
    event_id: row_number
    user_id: user
    content_id""",
)
APPEND = Wish()


@pytest.fixture
def load(tmp_path):
    return loader(tmp_path)


def drawn(seed):
    return random.Random(seed)  # noqa: S311


def day(draw, rows):
    """A day of events: users and titles of any load, and faulty rows."""
    lines = ["user,item,kind,at,plat,land"]
    for _ in range(rows):
        at = (
            "nonsense"
            if draw.random() < 0.1
            else f"2026-01-{draw.randint(1, 28):02}"
            f" {draw.randint(0, 23):02}:00:00"
        )
        lines.append(
            ",".join(
                [
                    draw.choice(["u1", "u2", "u3", "u4", "u5", ""]),
                    draw.choice(["t1", "t2", "t3", "t4"]),
                    draw.choice("pppsx"),
                    at,
                    draw.choice(["ios", "tv", ""]),
                    draw.choice(["DE", "FR", ""]),
                ]
            )
        )
    return "\n".join(lines) + "\n"


def files_of(draw):
    files = {f"day{number}.csv": day(draw, 12) for number in range(1, 6)}
    files["titles1.csv"] = "id,name\nt1,One\nt2,Two\n"
    files["titles2.csv"] = "id,name\nt3,Three\n"
    files["arms1.csv"] = (
        "user,arm,at,spend,visits\nu1,A,2026-01-01,1.5,2\nu8,B,2026-01-02,x,1\n"
    )
    files["arms2.csv"] = "user,arm,at,spend,visits\nu9,B,2026-01-03,,7\n"
    return files


def rows_of(folder, table):
    """All rows of a raw table, of the CSV file and of Parquet files, sorted."""
    with (folder / f"{table}.csv").open(newline="") as file:
        header, *lines = csv.reader(file)
    found = [tuple(line) for line in lines]
    if any((folder / table).glob("*.parquet")):
        columns = ", ".join(f"cast({name} as varchar)" for name in header)
        found += [
            tuple(value or "" for value in row)
            for row in duckdb.execute(
                f"select {columns} from read_parquet(?)",
                [str(folder / table / "*.parquet")],
            ).fetchall()
        ]
    return header, sorted(found)


def content_of(log):
    """Rows of every table, the rejected ones, and the counts."""
    rejected = (log.folder / "rejected_rows.csv").read_text()
    counts = json.loads((log.folder / "manifest.json").read_text())["tables"]
    return {table: rows_of(log.folder, table) for table in TABLES} | {
        "rejected": rejected,
        "counts": counts,
    }


@pytest.mark.parametrize("mapping", [MAPPING, NUMBERED], ids=["md5", "number"])
@pytest.mark.parametrize("seed", range(4))
def test_any_split_into_loads_gives_the_same_rows(load, seed, mapping):
    draw = drawn(seed)
    files = files_of(draw)
    names = sorted(files)
    draw.shuffle(names)
    # The first load needs a file of each block.
    first = {"day1.csv", "titles1.csv", "arms1.csv"}
    names = sorted(first) + [name for name in names if name not in first]
    cuts = sorted({3, len(names), *draw.choices(range(3, len(names)), k=2)})
    given = {}
    for cut in cuts:
        given |= {name: files[name] for name in names[:cut]}
        appended = load(mapping, wish=APPEND, **keyed(given))
        # Again, with nothing new.
        again = load(mapping, wish=APPEND)
        assert again.manifest == appended.manifest
    content = content_of(appended)
    whole = content_of(load(mapping, wish=None))
    assert content == whole
    assert whole["counts"]["events"]["rejected"]
    assert whole["counts"]["events"]["left_out"]


def keyed(files):
    return {name.replace(".", "__"): text for name, text in files.items()}


def test_each_row_knows_its_load(load):
    files = files_of(drawn(1))
    second = files.pop("day5.csv")
    load(MAPPING, wish=APPEND, **keyed(files))
    log = load(MAPPING, wish=APPEND, day5__csv=second)
    counts = dict(
        duckdb.execute(
            f"select {LOAD_NUMBER}, count(*) from read_parquet(?) group by 1",
            [str(log.folder / "events/*.parquet")],
        ).fetchall()
    )
    by_load = {
        one["load_number"]: one["tables"]["events"]["written"]
        for one in log.manifest["loads"]
    }
    assert counts == by_load
    assert set(counts) == {1, 2}
    last = log.manifest["inputs"][-1]
    assert (last["name"], last["load_number"]) == ("day5.csv", 2)
    assert last["rows"] == 12
    assert last["columns"] == ["user", "item", "kind", "at", "plat", "land"]
    assert "load 2: 1 file(s)" in " ".join(log.notes)


def test_a_file_that_changed_is_refused_or_replaced(load):
    files = files_of(drawn(2))
    load(MAPPING, wish=APPEND, **keyed(files))
    changed = day(drawn(99), 7)
    with pytest.raises(
        MappingError, match=r"day3.csv has changed since load 1"
    ):
        load(MAPPING, wish=APPEND, day3__csv=changed)
    log = load(MAPPING, wish=Wish(replace=True))
    content = content_of(log)
    assert content == content_of(load(MAPPING))
    assert content["counts"]["events"]["read"] == 4 * 12 + 7


def test_a_later_load_is_replaced_alone(load):
    files = files_of(drawn(3))
    later = {name: files.pop(name) for name in ("day4.csv", "day5.csv")}
    load(MAPPING, wish=APPEND, **keyed(files))
    before = load(MAPPING, wish=APPEND, **keyed(later))
    first = before.folder / "events/00001.parquet"
    stamp = first.stat().st_mtime_ns
    log = load(MAPPING, wish=Wish(replace=True), day5__csv=day(drawn(98), 3))
    assert first.stat().st_mtime_ns == stamp
    assert [one["load_number"] for one in log.manifest["loads"]] == [1, 2]
    assert content_of(log) == content_of(load(MAPPING))


def test_a_file_under_another_name_is_not_loaded_twice(load):
    files = files_of(drawn(4))
    first = load(NUMBERED, wish=APPEND, **keyed(files))
    log = load(NUMBERED, wish=APPEND, day9__csv=files["day1.csv"])
    assert "day9.csv is day1.csv of load 1" in " ".join(log.notes)
    assert log.manifest["tables"] == first.manifest["tables"]


def test_columns_that_come_and_go_are_said(load):
    files = files_of(drawn(5))
    load(MAPPING, wish=APPEND, **keyed(files))
    log = load(
        MAPPING,
        wish=APPEND,
        titles3__csv="id,name,year\nt9,Nine,1999\n",
    )
    assert "titles3.csv has the new column year" in " ".join(log.notes)


def test_one_mapping_reads_all_rows(load):
    files = files_of(drawn(6))
    load(MAPPING, wish=APPEND, **keyed(files))
    other = MAPPING.replace("s: skip", "s: pause")
    with pytest.raises(MappingError, match=r"has changed since load 1.*--anew"):
        load(other, wish=APPEND)
    log = load(other, wish=Wish(anew=True))
    assert [one["load_number"] for one in log.manifest["loads"]] == [1]
    assert content_of(log) == content_of(load(other))


def test_loads_are_not_lost_to_a_load_of_what_is_here(load):
    files = files_of(drawn(7))
    load(MAPPING, wish=APPEND, **keyed(files))
    with pytest.raises(MappingError, match="add to it with --append"):
        load(MAPPING, force=False)


def test_a_log_that_was_loaded_whole_is_loaded_anew_first(load):
    files = files_of(drawn(8))
    load(MAPPING, **keyed(files))
    with pytest.raises(MappingError, match="--append --anew"):
        load(MAPPING, wish=APPEND)
    log = load(MAPPING, wish=Wish(anew=True))
    assert content_of(log) == content_of(load(MAPPING))


def test_a_load_of_which_nothing_can_be_read_is_refused(load):
    files = files_of(drawn(9))
    load(MAPPING, wish=APPEND, **keyed(files))
    with pytest.raises(MappingError, match="none of 2 rows can be read"):
        load(
            MAPPING,
            wish=APPEND,
            day6__csv="user,item,kind,at,plat,land\n"
            "u1,t1,p,1768471200,,\nu2,t1,p,1768471300,,\n",
        )


def test_a_load_may_hold_no_rows_and_unreadable_values(load):
    files = files_of(drawn(10))
    load(MAPPING, wish=APPEND, **keyed(files))
    log = load(
        MAPPING,
        wish=APPEND,
        day6__csv="user,item,kind,at,plat,land\n",
        arms3__csv="user,arm,at,spend,visits\nu7,A,2026-01-01,x,1\n"
        "u7,A,2026-01-01,,1\n",
    )
    assert log.manifest["inputs"][-1]["load_number"] == 2
