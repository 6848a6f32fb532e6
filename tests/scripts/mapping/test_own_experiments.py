"""Experiments that were measured elsewhere: loaded, classified, declared."""

import json
import random
import re
import shutil

import pytest
from cases import cases
from loading import ROOT, csv_of, events, loader

from load_logs import summary
from mapping.language import UNTIMED, MappingError
from raw.files import REFERENCES

MAPPINGS = ROOT / "docs/mappings"
COOKIES = "userid,version,sum_gamerounds,retention_1,retention_7\n"
CUSTOMERS = (
    "recency,history_segment,history,mens,womens,zip_code,newbie,channel,"
    "segment,visit,conversion,spend\n"
)
MEASURES = """
name: log
experiment_assignments:
  files: users.csv
  columns: { experiment_id: { value: test }, user_id: id, variant: arm }
user_measures:
  files: users.csv
  columns: { experiment_id: { value: test }, user_id: id }
  measures: { spend: spend }
"""
USERS = "id,arm,spend\n1,a,0.5\n2,b,3\n3,a,0\n"
VARIANTS = "test,Test,a,true,0.5,,\ntest,Test,b,false,0.5,,\n"
METRIC = "test,m,mean,spend,,,,,,increase,primary,,\n"
HEADER_OF_METRICS = REFERENCES["experiment_metrics"] + "\n"


@pytest.fixture
def load(tmp_path):
    return loader(tmp_path)


@pytest.fixture
def worked(load, tmp_path):
    """Load a file as a mapping of the documents says."""

    def run(name, **files):
        for folder in MAPPINGS.glob(f"{name}/"):
            shutil.copytree(folder, tmp_path / name)
        return load((MAPPINGS / f"{name}.yml").read_text(), **files)

    return run


def lines(log, table):
    return [tuple(row.values()) for row in log.rows(table)]


# One row per user -------------------------------------------------------------


def test_a_row_per_player_becomes_measures_without_events(worked):
    log = worked(
        "cookie_cats",
        cookie_cats__csv=COOKIES
        + "116,gate_30,3,FALSE,TRUE\n007,gate_40,0,false,True\n",
    )
    assert lines(log, "experiment_assignments") == [
        ("first_gate", "116", "gate_30", UNTIMED, ""),
        ("first_gate", "007", "gate_40", UNTIMED, ""),
    ]
    assert lines(log, "user_measures") == [
        ("first_gate", "116", "rounds", "3.0", ""),
        ("first_gate", "116", "retention_1", "0.0", ""),
        ("first_gate", "116", "retention_7", "1.0", ""),
        ("first_gate", "007", "rounds", "0.0", ""),
        ("first_gate", "007", "retention_1", "0.0", ""),
        ("first_gate", "007", "retention_7", "1.0", ""),
    ]
    assert log.values("users", "user_id") == ["007", "116"]
    assert log.rows("events") == log.rows("content") == []
    assert log.counts["user_measures"]["read"] == 2
    assert log.counts["user_measures"]["lines"] == 6
    assert log.manifest["files"]["user_measures.csv"]["rows"] == 6
    assert len(log.rows("experiment_metrics")) == 3


def test_rows_without_an_id_are_the_same_users_in_every_table(worked):
    draw = random.Random(20260107)  # noqa: S311
    rows = [
        (
            str(draw.randint(1, 12)),
            f"{number}) of seven",
            f"{draw.uniform(30, 3000):.2f}",
            "1",
            "0",
            draw.choice(["Rural", "Urban"]),
            draw.choice("01"),
            "Phone",
            draw.choice(["No E-Mail", "Mens E-Mail", "Womens E-Mail"]),
            draw.choice("01"),
            "0",
            f"{number}.5",
        )
        for number in range(500)
    ]
    content = [",".join(row) for row in rows]
    # A row that cannot be read is nobody, and shifts nobody.
    content.insert(100, "too,few")
    log = worked(
        "hillstrom", hillstrom__csv=CUSTOMERS + "\n".join(content) + "\n"
    )
    users = [f"hillstrom.csv:{number}" for number in range(1, 501)]
    assert sorted(log.values("users", "user_id")) == sorted(users)
    arms = dict(zip(users, (row[8] for row in rows), strict=True))
    assert {
        row["user_id"]: row["variant"]
        for row in log.rows("experiment_assignments")
    } == arms
    assert {
        row["user_id"]: (float(row["value"]), float(row["value_before"]))
        for row in log.rows("user_measures")
        if row["measure"] == "spend"
    } == {
        user: (float(row[11]), float(row[2]))
        for user, row in zip(users, rows, strict=True)
    }
    yes_or_no = {"0": "no", "1": "yes"}
    assert {
        row["user_id"]: row["dimension_value"]
        for row in log.rows("user_segments")
        if row["dimension"] == "newcomer"
    } == {
        user: yes_or_no[row[6]] for user, row in zip(users, rows, strict=True)
    }
    assert len(log.rows("user_measures")) == 1_500
    assert len(log.rows("user_segments")) == 2_000


def test_rows_are_not_numbered_in_two_ways(load):
    mapping = MEASURES.replace("user_id: id", "user_id: row_number")
    other = mapping.replace("user_measures:\n", 'user_measures:\n  quote: ""\n')
    assert load(mapping, users__csv=USERS).values(
        "experiment_assignments", "user_id"
    ) == [f"users.csv:{number}" for number in (1, 2, 3)]
    with pytest.raises(MappingError, match=r"rows of users.csv are counted"):
        load(other, users__csv=USERS)


def test_values_that_are_no_numbers_are_kept_apart_and_empty_ones_written(load):
    log = load(
        MEASURES,
        users__csv=USERS + "4,b,yes\n5,b,nan\n6,a,inf\n7,a,\n8,b,1e3\n",
    )
    assert [
        (row["line"], row["detail"]) for row in log.rows("rejected_rows")
    ] == [
        ("5", "measures.spend: yes"),
        ("6", "measures.spend: nan"),
        ("7", "measures.spend: inf"),
    ]
    assert lines(log, "user_measures")[-2:] == [
        ("test", "7", "spend", "", ""),
        ("test", "8", "spend", "1000.0", ""),
    ]
    # Whoever has no value was assigned all the same.
    assert len(log.rows("users")) == 8


def test_a_measure_has_a_map_a_default_and_a_before(load):
    cell = (
        "{ column: spend, map: { none: '0' }, default: '-1',"
        " before: { sql: 'length(arm)' } }"
    )
    log = load(
        MEASURES.replace("spend: spend", f"spend: {cell}"),
        users__csv=USERS + "4,b,none\n5,b,\n",
    )
    assert lines(log, "user_measures")[-2:] == [
        ("test", "4", "spend", "0.0", "1.0"),
        ("test", "5", "spend", "-1.0", "1.0"),
    ]


def test_blocks_may_measure_different_things_of_different_files(load):
    mapping = (
        MEASURES.partition("user_measures:")[0]
        + """
user_measures:
  - files: users.csv
    columns: { experiment_id: { value: test }, user_id: id }
    measures: { spend: spend }
  - files: visits.csv
    columns: { experiment_id: { value: test }, user_id: who }
    measures: { visits: n }
"""
    )
    log = load(mapping, users__csv=USERS, visits__csv="who,n\n3,9\n")
    assert [row[1:4] for row in lines(log, "user_measures")] == [
        ("1", "spend", "0.5"),
        ("2", "spend", "3.0"),
        ("3", "spend", "0.0"),
        ("3", "visits", "9.0"),
    ]


def test_the_summary_counts_rows_and_lines(load):
    log = load(MEASURES, users__csv=USERS)
    text = summary(log.manifest, log.folder)
    assert "user_measures: 3 rows read = 3 written + 0 rejected, as 3" in text
    assert "users: 0 rows read + 3 from other tables = 3 written" in text
    assert (
        f"declare the experiments in {log.folder / 'experiments.csv'}" in text
    )


WRONG = cases(r"""
measures: { | measure: { | did you mean measures?
  measures: { spend: spend }\n |  | measures: missing; give
spend: spend | spend: spent | 'spent'.*did you mean spend?
spend: spend | spend: {} | measures.spend: say one of column
spend: spend | spend: { column: spend, unit: hours } | 'unit' is none of
variant: arm | arm: arm | 'arm' is none of experiment_id
spend: spend | spend: arm | none of 3 rows can be read
user_id: id, variant | user_id: { md5: id }, variant | md5: only for event_id
experiment_assignments: | users: | both experiment_assignments and user_measures
""")


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        *WRONG,
        (
            "variant: arm",
            "variant: { row_number: x }",
            "row_number: only for event_id, and for user_id",
        ),
        (
            "name: log",
            "name: log\ncontent: { columns: { title: x } }",
            "content.files: missing; there are no events",
        ),
        (
            "  columns",
            "  where: { arm: [c, d] }\n  columns",
            r"where: no row is as it asks; found: a, b",
        ),
        (
            "  columns",
            "  where: { group: c }\n  columns",
            r"where.group: users.csv has no column 'group'",
        ),
    ],
)
def test_refuses_a_wrong_mapping_of_measures(load, right, wrong, message):
    assert right in MEASURES
    with pytest.raises(MappingError, match=message):
        load(MEASURES.replace(right, wrong, 1), users__csv=USERS)


# Exposures in a log of events -------------------------------------------------


def track(number, user, event, at, **properties):
    return json.dumps(
        {
            "messageId": f"m{number}",
            "userId": user,
            "event": event,
            "timestamp": f"2024-05-01T20:{at}:00Z",
            "properties": properties,
        }
    )


def test_exposures_are_taken_out_of_track_calls(worked):
    first, second = (
        {"experiment_id": "big_covers", "variation_id": arm} for arm in (0, 1)
    )
    played = {"content_asset_id": "v9", "title": "M", "genre": "Crime"}
    log = worked(
        "track_calls",
        tracks__jsonl="\n".join(
            [
                track(1, "u1", "experiment_viewed", 10, **second),
                track(2, "u1", "Video Playback Started", 11, **played),
                track(3, "u1", "experiment_viewed", 12, **second),
                track(4, "u2", "experiment_viewed", 13, **first),
                track(5, "u2", "Signed Out", 14),
            ]
        ),
    )
    assert [row[:4] for row in lines(log, "experiment_assignments")] == [
        ("big_covers", "u1", "1", "2024-05-01 20:10:00"),
        ("big_covers", "u1", "1", "2024-05-01 20:12:00"),
        ("big_covers", "u2", "0", "2024-05-01 20:13:00"),
    ]
    assert log.counts["experiment_assignments"]["left_out"] == {
        "Signed Out": 1,
        "Video Playback Started": 1,
    }
    assert log.counts["events"]["left_out"]["experiment_viewed"] == 3
    assert log.values("events", "event_id") == ["m2"]
    # Who saw the experiment and did nothing is a user all the same.
    assert log.values("users", "user_id") == ["u1", "u2"]


def test_where_takes_one_of_several_texts_and_all_conditions(load):
    mapping = events().replace(
        "  columns:",
        "  where: { item: [film, show], user: ['1', '2'] }\n  columns:",
        1,
    )
    rows = csv_of("2024-01-01", "2024-01-02", "2024-01-03")
    log = load(mapping, log__csv=rows + "1,radio,2024-01-04\n1,,never\n")
    assert log.times == ["2024-01-02 00:00:00", "2024-01-03 00:00:00"]
    assert log.counts["events"]["left_out"] == {
        "(empty)": 1,
        "0": 1,
        "radio": 1,
    }


def test_assignments_beside_events_need_their_time(load):
    mapping = events() + MEASURES.partition("user_measures")[0].replace(
        "\nname: log", ""
    )
    with pytest.raises(MappingError, match=r"assigned_at: missing"):
        load(mapping, log__csv=csv_of("2024-01-01"), users__csv=USERS)


# Declarations -----------------------------------------------------------------

# A line of either file, the mistake in it, and what is said.
SLIPS = cases(r"""
test,Test,b,false | test,Test,b,true | has 2 controls; write true
a,true,0.5 | a,false,0.5 | has 0 controls
test,Test,b | test,Toast,b | has 2 names
b,false,0.5 | b,false,0.4 | has shares that sum to 0\.9
b,false,0.5 | b,false, | has shares that sum to 0.5
a,true,0.5,, | a,true,0.5,100, | has different planned_users
0.5,,\n | 0.5,0,\n | planned_users below 1
0.5,,\n | 0.5,100,0\n | look_days below 1
0.5,,\n | 0.5,,7\n | look_days and no planned_users; say for how
test,Test,b,false,0.5,,\n |  | has 1 variant
test,m | toast,m | toast, m: the experiment is not declared
,mean, | ,meen, | kind meen is unknown; write one of mean, prop
,mean, | ,, | kind empty is unknown
,primary | ,prime | role prime is unknown; write primary, sec
,increase | ,up | direction up is unknown; write increase or
,mean,spend | ,mean, | has no measure
spend,,, | spent,,,elapsed | measure spent is none of the events'
,mean, | ,ratio, | is a ratio without denominator_measure
spend,, | spend,spend, | has a denominator_measure and is a
mean,spend,, | ratio,spend,plays, | or the other way round
mean,spend,, | ratio,spend,visit, | measure visit is none of the
,mean, | ,quantile, | without a level in \(0, 1\); write it
mean,spend,, | quantile,spend,,1 | without a level in
spend,, | spend,,0.5 | has a quantile and is a
,mean, | ,proportion, | proportion, and 2 values of spend are
primary,, | primary,,99.9 | a cap that is not in \(0, 1\)
primary,, | guardrail,, | guardrail without a margin in \[0, 1
primary,, | guardrail,1, | guardrail without a margin in \[0, 1
primary,, | primary,-0.1, | a margin that is not in \[0, 1
spend,,, | spend,,,elapsed | has a day_mode or a window; leave
mean,spend,,,,, | mean,plays,,,,0,7 | no day_mode of elapsed or
""")
SLIPS += [
    (METRIC, METRIC * 2, "has 2 lines; keep one of them"),
    (
        "mean,spend,,,,,",
        "mean,plays,,,elapsed,7,7",
        "its window is missing, or closes before it opens",
    ),
    (
        "mean,spend,,,,,",
        "mean,plays,,,elapsed,,",
        "its window is missing, or closes before it opens",
    ),
]


@pytest.fixture(scope="module")
def declared(tmp_path_factory):
    """Load the log again and again under other declarations."""
    folder = tmp_path_factory.mktemp("declared")
    load = loader(folder)

    def run(variants=VARIANTS, metrics=METRIC):
        return load(
            MEASURES + "references: { experiments: e.csv,"
            " experiment_metrics: m.csv }\n",
            users__csv=USERS,
            e__csv=REFERENCES["experiments"] + "\n" + variants,
            m__csv=HEADER_OF_METRICS + metrics,
        )

    return run


@pytest.mark.parametrize(("right", "wrong", "message"), SLIPS)
def test_the_loader_refuses_a_wrong_declaration(
    declared, right, wrong, message
):
    assert right in VARIANTS + METRIC
    with pytest.raises(MappingError, match=message):
        declared(VARIANTS.replace(right, wrong), METRIC.replace(right, wrong))


def test_sound_declarations_of_every_kind_are_taken(declared):
    log = declared(
        VARIANTS.replace(",,\n", ",1000,7\n"),
        METRIC
        + "test,q,quantile,Spend,,0.9,,,,decrease,secondary,,\n"
        + "test,r,ratio,spend,spend,,,,,increase,guardrail,0,0.99\n"
        + "test,p,proportion,active,,,calendar,1,2,increase,secondary,,\n",
    )
    assert len(log.rows("experiment_metrics")) == 4


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        (VARIANTS.replace("b,false", "B,false"), "'B'; write it as .*: b"),
        (VARIANTS + "test,Test\n", "experiments.csv, line 4: it has another"),
        (VARIANTS.replace("true", "perhaps"), "experiments.csv, line 2: .*"),
    ],
)
def test_the_loader_refuses_variants_that_nobody_has(
    declared, variants, message
):
    with pytest.raises(MappingError, match=message):
        declared(variants)


def test_plans_and_denominators_may_be_left_out_but_not_misspelt(load):
    short = "experiment_id,experiment_name,variant,is_control,expected_share"
    mapping = MEASURES + "references: { experiments: e.csv }\n"
    text = short + "\n" + VARIANTS.replace(",,\n", "\n")
    log = load(mapping, users__csv=USERS, e__csv=text)
    assert len(log.rows("experiments")) == 2
    with pytest.raises(MappingError, match="did you mean planned_users"):
        load(mapping, e__csv=text.replace("share", "share,planed_users", 1))


# The warehouse ----------------------------------------------------------------


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A loaded log whose declarations are sound."""
    log = loader(tmp_path_factory.mktemp("own"))(
        MEASURES
        + "user_segments:\n  files: users.csv\n  columns: { user_id: id }\n"
        + "  dimensions: { arm_letter: arm }\n",
        users__csv=USERS,
    )
    (log.folder / "experiments.csv").write_text(
        REFERENCES["experiments"] + "\n" + VARIANTS
    )
    (log.folder / "experiment_metrics.csv").write_text(
        HEADER_OF_METRICS + METRIC
    )
    return log.folder


def header_of(folder, name):
    return (folder / f"{name}.csv").read_text().splitlines()[0]


def own_lines(folder, name):
    lines = (folder / f"{name}.csv").read_text().splitlines()
    return "\n".join(line for line in lines if line.startswith("test,"))


def test_the_build_says_each_mistake_of_the_declarations_and_its_remedy(
    dbt, sound, tmp_path
):
    """All slips at once, each in an experiment of its own."""
    seeds = tmp_path / "log"
    shutil.copytree(sound, seeds)
    files = {
        "experiments": VARIANTS,
        "experiment_metrics": METRIC,
        "user_measures": own_lines(seeds, "user_measures"),
        "experiment_assignments": own_lines(seeds, "experiment_assignments"),
    }
    written = {name: [header_of(seeds, name)] for name in files}
    for number, (right, wrong, _) in enumerate(SLIPS):
        for name, text in files.items():
            slip = (right, wrong) if name in REFERENCES else ("", "")
            changed = text.replace(*slip).replace("test,", f"t{number},")
            written[name] += changed.splitlines()
    written["experiment_metrics"].append("t0,m2,mean,spend,,x,,,,up,primary,,")
    for name, rows in written.items():
        (seeds / f"{name}.csv").write_text("\n".join(rows) + "\n")
    done = dbt(
        seeds,
        tmp_path,
        "build",
        "--select",
        "+stg_reference__metrics +int_measures_classified"
        " stg_reader__malformed_rows",
        "--exclude-resource-type",
        "unit_test",
    )
    assert done.returncode == 1
    said = done.stdout
    assert "experiment_metrics.csv, line" in said
    for number, (_, _, message) in enumerate(SLIPS):
        if message.startswith("toast"):
            continue
        pattern = rf"t{number}(, m)?: [^;]*{message.partition(';')[0]}"
        assert re.search(pattern, said), message
