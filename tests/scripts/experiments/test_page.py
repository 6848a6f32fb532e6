"""What the report says of experiments whose numbers the test has chosen."""

import datetime

import pages
import pytest
from pages import drawn, keeps_its_place, plain
from report_log import day, make_tables

import build_report
import experiments.page
import warehouse
from coverage_check import record
from display import charts
from display.parts import Figure, Note
from experiments.page import wording
from report import page
from stats import kinds

ID = "push"
METRIC = {
    "experiment_id": ID,
    "metric_name": "sessions_per_user",
    "role": "primary",
    "kind": "mean",
    "control_variant": "A",
    "treatment_variant": "B",
    "alpha": 0.05,
    "reason_code": None,
}


def effect(estimate, half, **others):
    """Make the numbers of an effect from its interval's half width."""
    return {
        "estimate": estimate,
        "standard_error": half / 2,
        "ci_low": estimate - half,
        "ci_high": estimate + half,
        "p_value": 0.001,
        "control_units": 2_003,
        "treatment_units": 1_997,
    } | others


def segment(dimension, value, estimate, q_p_value, adjusted):
    return (
        METRIC
        | effect(estimate, 2.0)
        | {
            "dimension": dimension,
            "dimension_value": value,
            "adjustment": "none",
            "q_p_value": q_p_value,
            "q_adjusted_p_value": adjusted,
            "i_squared": 0.4,
            "adjusted_p_value": 0.002,
        }
    )


def looks():
    rows = []
    for number in range(6):
        wide = 12.0 / (number + 1)
        rows.append(
            METRIC
            | effect(5.0 + number / 5, wide / 2)
            | {
                "series": "cumulative_by_date",
                "method": "group_sequential",
                "look_date": day(number),
                "day_number": None,
                "control_units": 300 * (number + 1),
                "treatment_units": 300 * (number + 1),
                "information_fraction": 0.15 * (number + 1),
                "spent_alpha": 0.008 * (number + 1),
                "sequential_alpha": 0.05,
                "sequential_ci_low": 5.0 - wide,
                "sequential_ci_high": 5.0 + wide,
                "is_crossed": wide < 5,
                "first_crossing_date": day(2) if number >= 2 else None,
            }
        )
    return rows


def days():
    rows = [
        METRIC
        | effect(1.5 - 0.1 * number, 0.3)
        | {
            "series": "by_day_since_assignment",
            "method": "z_test",
            "look_date": None,
            "day_number": number,
            "cumulative_estimate": 1.5 * (number + 1),
            "cumulative_standard_error": 0.2,
        }
        for number in range(7)
    ]
    tests = [
        METRIC
        | effect(estimate, 0.05)
        | {"series": "novelty", "method": method, "day_number": None}
        for method, estimate in (("trend", -0.1), ("contrast", -0.3))
    ]
    return rows + tests


def power(design, found):
    return (
        METRIC
        | {
            "design": design,
            "power": 0.8,
            "detectable_relative_effect": found,
            "planned_detectable_relative_effect": found,
        }
        | {f"required_users_{n}_percent": 40_000 // n**2 for n in (1, 2, 5, 10)}
        | {f"required_days_{n}_percent": 60 // n for n in (1, 2, 5, 10)}
    )


@pytest.fixture
def tables(monkeypatch):
    """The log, with charts that keep their rows and are not made."""
    for name in ("dots", "looks", "day_effects"):
        monkeypatch.setattr(
            charts, name, lambda rows, *_, **__: {"datasets": {"": rows}}
        )
    return whole_log()


def whole_log():
    """Return a log with all that a page can show of one experiment."""
    tables = make_tables()
    results = tables["experiment_results"]
    head = results[0]
    half = head["ci_high"] - head["estimate"]
    results += [
        head
        | effect(9.9, half / 2)
        | {
            "adjustment": "cuped",
            "is_headline": False,
            "variance_ratio": 0.25,
            "relative_estimate": 0.199,
            "relative_ci_low": 0.18,
            "relative_ci_high": 0.22,
            "covariate_p_value": 0.5,
            "adjusted_p_value": None,
        },
        *(
            head | {"policy": policy, "is_headline": False}
            for policy in ("exclude_mixed", "drop_mismatch")
        ),
    ]
    guard = {
        "metric_name": "plays_per_session",
        "role": "guardrail",
        "margin": 0.05,
        "adjusted_p_value": None,
        "relative_estimate": -0.01,
        "relative_ci_low": -0.02,
        "relative_ci_high": 0.0,
    }
    results += [
        head | guard,
        head
        | guard
        | {
            "method": "non_inferiority",
            "is_headline": False,
            "relative_ci_high": None,
            "p_value": 0.0001,
            "alpha": 0.025,
        },
    ]
    tables["experiment_segments"] = [
        segment("country", "DE", 12.0, 0.001, 0.004),
        segment("country", "US", 6.0, 0.001, 0.004),
        segment("platform", "ios", 9.0, 0.6, 0.6),
        segment("platform", "tv", 9.5, 0.6, 0.6),
    ]
    tables["experiment_time_series"] = looks() + days()
    tables["experiment_power"] = [power("cuped", 0.011), power("raw", 0.03)]
    return tables


def figure(tables, name):
    section = experiments.page.section(tables)
    return pages.figure(section, f"experiment-{ID}-{name}")


def table(tables, words):
    return pages.table(experiments.page.section(tables), words)


def note(tables, title):
    return next(
        part
        for part in experiments.page.section(tables).parts
        if isinstance(part, Note) and part.title == title
    )


def test_the_decision_comes_with_its_reasons(tables):
    said = note(tables, "Push reminders")
    assert plain(said.text).startswith("✓ Ship: sessions per user is better.")
    assert said.tone == "good"
    assert "1 blocked" in experiments.page.section(tables).lead


def test_a_blocked_experiment_shows_arms_and_no_effect(tables):
    tables["experiment_health"] = tables["experiment_health"][2:]
    parts = experiments.page.section(tables).parts
    assert not [part for part in parts if isinstance(part, Figure)]
    assert table(tables, "users by arm").rows
    assert not [part for part in parts if "results" in str(part)[:30]]
    assert "77.8" not in str(parts)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "passes all 4 checks"),
        ({"srm_first_alarm_date": datetime.date(2026, 1, 9)}, "fails 1 of 4"),
        ({"srm_dimension_p_value": 0.0001}, "fails 1 of 4"),
        ({"mixed_rate": 0.02, "is_mixed_warning": True}, "fails 1 of 4"),
        (
            {
                "pre_period_p_value": 0.0001,
                "pre_period_metric_name": "sessions_per_user",
            },
            "fails 1 of 5",
        ),
    ],
)
def test_every_alarm_is_counted(tables, changes, said):
    tables["experiment_health"][0].update(changes)
    assert said in table(tables, "Push reminders: health").title


def test_the_forest_marks_the_margin_on_the_side_of_harm(tables):
    marks = drawn(figure(tables, "effects"), "series")
    assert [mark["series"] for mark in marks] == ["primary", "guardrail"]
    assert [mark.get("margin") for mark in marks] == [None, -0.05]
    guard = tables["experiment_results"][-1]
    guard |= {"relative_ci_low": None, "relative_ci_high": 0.01}
    marks = drawn(figure(tables, "effects"), "series")
    assert [mark.get("margin") for mark in marks] == [None, 0.05]


@pytest.mark.parametrize(
    ("p_value", "words"), [(0.025, "ruled out"), (0.026, "not ruled out")]
)
def test_harm_is_ruled_out_at_the_level_of_its_test(tables, p_value, words):
    tables["experiment_results"][-1]["p_value"] = p_value
    label = drawn(figure(tables, "effects"), "series")[1]["label"]
    assert f"harm of 5.0 % {words} (" in plain(label)


def test_effects_around_zero_are_not_called_clear(tables):
    assert "2 of 2" not in figure(tables, "effects").title
    for row in tables["experiment_results"]:
        row |= {"relative_ci_low": -0.1, "relative_ci_high": 0.1}
    assert "no effect is clear" in figure(tables, "effects").title


def test_an_adjustment_is_told_by_its_width_and_its_worth(tables):
    part = figure(tables, "adjusted")
    assert plain(part.title) == (
        "CUPED narrows the interval of sessions per user by 50.0 %, as 4.0"
        " times the users would"
    )
    tables["experiment_results"][4] |= effect(9.9, 1.974)
    assert "hardly changes" in figure(tables, "adjusted").title


def test_the_look_that_crossed_is_named(tables):
    part = figure(tables, "sessions_per_user-B")
    assert plain(part.title) == (
        "Sessions per user: the group-sequential band left zero on 7 Jan, look"
        " 3 of 6, with 1,800 of 4,000 planned users"
    )
    marks = drawn(part, "is_crossing")
    assert [mark["is_crossing"] for mark in marks].index(True) == 2


def test_no_look_has_crossed(tables):
    for row in tables["experiment_time_series"]:
        row |= {"first_crossing_date": None, "is_crossed": False}
    part = figure(tables, "sessions_per_user-B")
    assert "by 10 Jan the group-sequential band has not" in plain(part.title)


@pytest.mark.parametrize(
    ("trend", "contrast", "words"),
    [
        ((-0.1, 0.01), (-0.3, 0.01), "fades"),
        ((0.1, 0.01), (0.3, 0.01), "grows"),
        ((0.1, 0.05), (0.3, 0.05), "grows"),
        ((0.1, 0.05), (None, None), "grows"),
        ((0.1, 0.051), (0.3, 0.01), "does not change clearly"),
        ((0.1, 0.01), (0.3, 0.051), "differs between days"),
        ((0.1, 0.01), (-0.3, 0.01), "differs between days"),
    ],
)
def test_novelty_is_told_by_its_tests(tables, trend, contrast, words):
    rows = tables["experiment_time_series"][-2:]
    for row, found in zip(rows, (trend, contrast), strict=True):
        row |= dict(zip(("estimate", "p_value"), found, strict=True))
    assert f"the effect {words}" in figure(tables, "days").title


def test_the_dimension_that_differs_most_is_drawn(tables):
    part = figure(tables, "segments")
    assert "the effect differs by country" in part.title
    marks = drawn(part, "category")
    assert [mark["category"] for mark in marks] == ["DE", "US"]
    for row in tables["experiment_segments"]:
        row["q_adjusted_p_value"] = 0.051
    assert "does not differ clearly" in figure(tables, "segments").title


def test_policies_that_disagree_are_named(tables):
    assert "changes no conclusion" in table(tables, "seen in two").title
    tables["experiment_results"][5] |= effect(0.5, 1.0)
    assert "matters for sessions per user" in table(tables, "seen in two").title


def test_power_names_the_next_smaller_size(tables):
    part = table(tables, "power")
    assert plain(part.title) == (
        "As it stands, a change of 3.0 % in sessions per user is found; 2 %"
        " takes 10,000 users and 30 days"
    )
    assert [row[1] for row in part.rows] == ["unadjusted", "CUPED"]


def claim(name, found, *, is_met):
    return {
        "subject": "push",
        "name": name,
        "nominal": 0.05,
        "found": found,
        "low": found - 0.01,
        "high": found + 0.01,
        "replicates": 2_000,
        "is_met": is_met,
    }


def test_coverage_counts_the_claims_that_have_one(tables):
    assert "make coverage" in note(tables, "Coverage").text
    tables["coverage"] = [
        claim("false positives: a", 0.049, is_met=True),
        claim("false positives: b", 0.08, is_met=False),
        claim("unprotected: a", 0.2, is_met=None),
    ]
    said = note(tables, "Coverage")
    assert said.text.startswith("1 of 2 claims are met")
    assert said.tone == "bad"
    (off,) = table(tables, "Claims that are off").rows
    assert off[0] == "false positives: b"
    kinds = table(tables, "Claims by kind").rows
    assert plain(kinds[0][1].text) == "✗ 1 of 2"
    assert plain(kinds[0][3]) == "4.9 % to 8.0 %"
    assert kinds[1][1] == "no claim"
    assert len(table(tables, "Every claim").rows) == 3


def test_a_count_is_read_beside_the_warehouse(tmp_path):
    built = tmp_path / "any.duckdb"
    assert build_report.read_coverage(built, "now") == []
    rows = [claim("a: b", 0.05, is_met=True)]
    record.write(tmp_path / record.FILE, "now", rows)
    assert build_report.read_coverage(built, "now") == rows


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[1]",
        "7",
        '{"rows": []}',
        '{"input_version": "now", "rows": [{"name": "a"}]}',
    ],
)
def test_a_file_that_is_no_count_names_the_remedy(tmp_path, text):
    (tmp_path / record.FILE).write_text(text)
    with pytest.raises(warehouse.WarehouseError, match="make coverage"):
        build_report.read_coverage(tmp_path / "any.duckdb", "now")


def test_charts_of_an_experiment_compile():
    figures = list(page.figures_of([experiments.page.section(whole_log())]))
    assert len({part.name for part in figures}) == len(figures) >= 6
    for part in figures:
        assert keeps_its_place(part, width=340), part.name
        widths = {len(row) for row in part.table.rows}
        assert widths == {len(part.table.columns)}


def test_every_test_of_a_kind_has_a_name():
    assert wording.METHODS.keys() >= kinds.METHODS


def test_differences_are_written_to_two_digits_of_their_interval():
    scale = wording.change_scale("mean", 0.09, -0.016, 0.2)
    assert scale.span(-0.016, 0.2) == "\u22120.02 to +0.20"
    scale = wording.change_scale("mean", 21_685.0, 18_939.0, 24_431.0)
    assert scale.text(21_685.0) == "+21,685"
