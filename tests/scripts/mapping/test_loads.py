"""Any split of a log's files into loads gives the rows of loading them all."""

import csv
import json
import random

import duckdb
import pytest
from loading import loader

from mapping import loads
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


def test_a_file_that_was_renamed_is_not_loaded_twice(load, tmp_path):
    files = files_of(drawn(4))
    first = load(NUMBERED, wish=APPEND, **keyed(files))
    (tmp_path / "day1.csv").rename(tmp_path / "day9.csv")
    log = load(NUMBERED, wish=APPEND)
    assert "day9.csv is day1.csv of load 1, renamed" in " ".join(log.notes)
    assert log.manifest["tables"] == first.manifest["tables"]


def test_two_files_may_hold_the_same(load):
    """With ids by row they are different events, in one load or in two."""
    files = files_of(drawn(11))
    load(NUMBERED, wish=APPEND, **keyed(files))
    log = load(NUMBERED, wish=APPEND, day9__csv=files["day1.csv"])
    assert len(log.manifest["loads"]) == 2
    assert content_of(log) == content_of(load(NUMBERED))


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


def test_a_log_that_was_loaded_whole_is_loaded_anew_first(load, tmp_path):
    files = files_of(drawn(8))
    load(MAPPING, **keyed(files))
    with pytest.raises(MappingError, match="--append --anew"):
        load(MAPPING, wish=APPEND)
    (tmp_path / "day4.csv").rename(tmp_path / "elsewhere")
    with pytest.raises(MappingError, match="would be lost"):
        load(MAPPING, wish=Wish(anew=True))
    (tmp_path / "elsewhere").rename(tmp_path / "day4.csv")
    log = load(MAPPING, wish=Wish(anew=True))
    assert content_of(log) == content_of(load(MAPPING))


def test_a_load_of_which_nothing_can_be_read_is_refused(load):
    files = files_of(drawn(9))
    load(MAPPING, wish=APPEND, **keyed(files))
    epoch = "u1,t1,p,1768471200,,\n"
    with pytest.raises(MappingError, match="none of 100 rows can be read"):
        load(
            MAPPING,
            wish=APPEND,
            day6__csv="user,item,kind,at,plat,land\n" + 100 * epoch,
        )


def test_a_few_rows_that_cannot_be_read_are_rejected_as_ever(load):
    files = files_of(drawn(10))
    load(MAPPING, wish=APPEND, **keyed(files))
    log = load(
        MAPPING,
        wish=APPEND,
        day6__csv="user,item,kind,at,plat,land\n",
        day7__csv="user,item,kind,at,plat,land\nu1,t1,p,yesterday,,\n",
        arms3__csv="user,arm,at,spend,visits\nu7,A,2026-01-01,x,1\n"
        "u7,A,2026-01-01,,1\n",
    )
    assert log.manifest["inputs"][-1]["load_number"] == 2
    assert content_of(log) == content_of(load(MAPPING))


def test_a_file_that_is_written_to_while_it_is_read_is_refused(
    load, tmp_path, monkeypatch
):
    files = files_of(drawn(12))
    load(MAPPING, wish=APPEND, **keyed(files))
    staged = loads.stage_table

    def stage(load_, table, shifts):
        staged(load_, table, shifts)
        if table == "events":
            with (tmp_path / "day6.csv").open("a") as file:
                file.write("u1,t1,p,2026-01-09 10:00:00,,\n")

    monkeypatch.setattr(loads, "stage_table", stage)
    with pytest.raises(MappingError, match=r"day6.csv was written to while"):
        load(MAPPING, wish=APPEND, day6__csv=files["day5.csv"])
    monkeypatch.undo()
    assert content_of(load(MAPPING, wish=APPEND)) == content_of(load(MAPPING))


def test_files_that_are_gone_stay_loaded(load, tmp_path):
    files = files_of(drawn(13))
    load(MAPPING, wish=APPEND, **keyed(files))
    for path in (*tmp_path.glob("titles*.csv"), tmp_path / "day1.csv"):
        path.unlink()
    later = day(drawn(14), 9)
    log = load(MAPPING, wish=APPEND, day6__csv=later)
    assert "no file 'titles*.csv'" in " ".join(log.notes)
    assert log.counts["events"]["read"] == 5 * 12 + 9
    assert (
        len(log.rows("content"))
        + len(duckdb.sql(f"from '{log.folder}/content/*.parquet'").fetchall())
        == 4
    )


def test_loading_anew_does_not_lose_files_that_are_gone(load, tmp_path):
    files = files_of(drawn(15))
    load(MAPPING, wish=APPEND, **keyed(files))
    (tmp_path / "day2.csv").unlink()
    with pytest.raises(MappingError, match=r"1 file\(s\).*such as day2.csv"):
        load(MAPPING, wish=Wish(anew=True))
    log = load(MAPPING, wish=Wish(anew=True, force=True))
    assert log.counts["events"]["read"] == 4 * 12


def test_a_log_without_its_manifest_is_not_replaced(load):
    files = files_of(drawn(16))
    log = load(MAPPING, wish=APPEND, **keyed(files))
    (log.folder / "manifest.json").write_text("")
    with pytest.raises(MappingError, match="without a readable manifest"):
        load(MAPPING, wish=APPEND)


def test_another_log_is_not_replaced(load):
    files = files_of(drawn(17))
    load(MAPPING, wish=APPEND, **keyed(files))
    other = MAPPING.replace("name: log", "name: other")
    with pytest.raises(MappingError, match="holds the log 'log'"):
        load(other, wish=Wish(anew=True), force=False)


def test_the_first_load_needs_events(load, tmp_path):
    (tmp_path / "titles1.csv").write_text("id,name\nt1,One\n")
    with pytest.raises(MappingError, match=r"no file 'day\*.csv'"):
        load(MAPPING, wish=APPEND)
    assert not (tmp_path / "logs" / "log").exists()


def test_a_very_long_row_is_rejected_once_and_stops_nothing(load):
    files = files_of(drawn(18))
    long = "user,item,kind,at,plat,land\nu1,t1,p,2026-01-09," + 150_000 * "x"
    load(MAPPING, wish=APPEND, **keyed(files), day6__csv=f"{long},DE,1,2\n")
    log = load(MAPPING, wish=APPEND, day7__csv=files["day1.csv"])
    assert content_of(log) == content_of(load(MAPPING))


def test_a_value_mapped_to_nothing_is_empty(load):
    mapping = MAPPING.replace(
        "platform: plat", "platform: { column: plat, map: { tv: '' } }"
    ).replace(
        "event_at: at",
        "event_at: at\n    device_type: { column: plat, map: { tv: '' } }",
    )
    log = load(mapping, wish=APPEND, **keyed(files_of(drawn(19))))
    empty = duckdb.sql(
        f"select count(*) from '{log.folder}/events/*.parquet'"
        " where device_type = ''"
    ).fetchall()
    assert empty == [(0,)]
    assert content_of(log) == content_of(load(mapping))
