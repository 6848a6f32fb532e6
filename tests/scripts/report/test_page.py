"""The page whole: logs that lack much, and what holds of every part."""

import copy
import random

import pytest
from pages import drawing, figure, lose, plain, texts
from report_log import day, make_tables

import engagement.page
import funnels.page
import playback.page
from display.parts import Figure
from report import page
from retention.page import lifetimes, returns

RATES = ("rate", "ci_low", "ci_high", "cohort_ci_low", "cohort_ci_high")
ROOMS = (returns, lifetimes, engagement.page, playback.page, funnels.page)
# Marts that may be empty, and whose rows stand in any order.
MARTS = sorted(
    {mart for room in ROOMS for mart in room.MARTS}
    - {"fct_observation", "dim_dimensions"}
)


def only_platform(tables, keep):
    """Leave one platform, or none, in every mart."""
    for name in MARTS:
        tables[name] = [
            row
            for row in tables[name]
            if row.get("dimension") != "platform"
            or row["dimension_value"] == keep
        ]
    return tables


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (returns.section, "by-platform"),
        (lifetimes.section, "survival-by-platform"),
        (playback.page.section, "session-lengths-platform"),
        (funnels.page.section, "step-by-platform"),
    ],
)
def test_a_single_platform_is_a_sentence_not_a_chart(tables, build, name):
    tables["dim_dimensions"] = [
        row
        for row in tables["dim_dimensions"]
        if row["dimension"] == "platform"
    ]
    assert figure(build(tables), name)
    assert "Not broken down" not in texts(build(tables))
    for kept, words in (
        ("tv", "the only platform is tv"),
        (None, "no platform is known"),
    ):
        only_platform(tables, kept)
        assert figure(build(tables), name) is None
        assert words in texts(build(tables))


@pytest.mark.parametrize("mart", MARTS)
def test_each_mart_may_be_empty(tables, mart):
    tables[mart] = []
    assert page.render(tables, "")


def test_a_page_of_empty_marts_says_what_is_lacking():
    tables = make_tables(has_genres=False, has_experiments=False)
    for mart in MARTS:
        tables[mart] = []
    tables["fct_observation"][0]["title_count"] = 0
    said = " ".join(texts(section) for section in page.sections_of(tables))
    for words in (
        "No new user of this log is old enough",
        "too short to tell how long users stay",
        "Nobody is active in this log",
        "This log has no sessions",
        "names no titles",
        "No sign-up on an observed day",
        "has no genres",
        "has no experiments.",
        "No scenario could be computed",
    ):
        assert words in said
    assert not [
        part
        for section in page.sections_of(tables)
        for part in section.parts
        if isinstance(part, Figure)
        and part.name != "genres-explored"
        and not part.name.startswith("scenario")
    ]


def one_day(tables):
    """Leave what the marts have of a log of a single day."""
    young = {"eligible_users": 0, "retained_users": 0, "is_mature": False}
    for row in tables["fct_retention_summary"]:
        lose(row, *RATES, "design_effect")
        row.update(young)
    tables["fct_retention_summary"] = [
        row
        for row in tables["fct_retention_summary"]
        if row["dimension"] != "cohort" or row["dimension_value"] == str(day(0))
    ]
    tables["fct_retention_triangle"] = [
        row
        if row["period_number"] == 0
        else row | young | dict.fromkeys(("rate", "ci_low", "ci_high"))
        for row in tables["fct_retention_triangle"]
        if row["cohort_date"] == day(0)
    ]
    tables["fct_retention_curve"] = [
        row
        for row in tables["fct_retention_curve"]
        if row["day_number"] == 0 and row["cohort_set"] == "eligible"
    ]
    tables["fct_survival"] = []
    tables["fct_tenure"] = [
        row | {"is_complete": False}
        for row in tables["fct_tenure"]
        if row["week_start_date"] == day(0)
    ]
    tables["fct_active_users"] = tables["fct_active_users"][:1]
    tables["fct_activity_frequency"] = []
    tables["fct_growth_accounting"] = [
        row for row in tables["fct_growth_accounting"] if row["is_first_period"]
    ]
    return tables


def test_a_log_of_one_day_builds_a_page(tables):
    text = plain(page.render(one_day(tables), ""))
    assert "No new user of this log is old enough" in text
    assert "Daily active users on 5 Jan: 2,000" in text
    assert "this log has one week" in text
    assert "need a whole month" in text


def test_the_order_of_rows_changes_nothing(tables):
    text = page.render(copy.deepcopy(tables), "")
    for seed in range(3):
        for mart in MARTS:
            random.Random(seed).shuffle(tables[mart])  # noqa: S311
        assert page.render(tables, "") == text


def test_every_figure_has_its_numbers_and_a_place_in_the_warehouse(tables):
    for section in page.sections_of(tables):
        assert section.link
    for part in page.figures_of(page.sections_of(tables)):
        assert part.table.rows
        assert part.table.source.startswith(("marts.", "results."))
        widths = {len(row) for row in part.table.rows}
        assert widths == {len(part.table.columns)}


def test_charts_of_one_point_compile(tables):
    """Where there is least to draw, no axis and no band is undefined."""
    one_day(tables)
    for part in page.figures_of(page.sections_of(tables)):
        drawing(part, width=340)
