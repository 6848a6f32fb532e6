"""What the page says of exploring genres."""

import pytest
from pages import cell, drawn, figure, table, texts, titled

from genres.page import effects


def test_the_gap_is_told_beside_what_remains_of_it(tables):
    section = effects.section(tables)
    assert titled(section, "genre-effects") == (
        "Of a plain gap of +4.2 points, +2.0 points remain among equally"
        " active users"
    )
    marks = drawn(figure(section, "genre-effects"), "series")
    assert [mark["series"] for mark in marks].count("association") == 3
    assert "Test of a trend" in texts(section)


def test_a_remainder_that_chance_could_give_is_called_so(tables):
    for row in tables["genre_effects"]:
        if row["is_headline"]:
            row["ci_low"] = -0.001
    section = effects.section(tables)
    assert "which chance alone could give" in titled(section, "genre-effects")


def test_doses_are_told_as_a_difference_with_its_interval(tables):
    section = effects.section(tables)
    assert titled(section, "genre-doses") == (
        "Among equally active users, four or more genres go with +2.5 points"
        " of D7 against one (+1.5 to +3.5 points)"
    )


@pytest.mark.parametrize(
    ("p_value", "words"),
    [(0.71, "does not differ clearly"), (0.001, "effect differs between")],
)
def test_thirds_differ_only_where_a_test_says_so(tables, p_value, words):
    for row in tables["genre_checks"]:
        if row["check_name"] == "activity_thirds":
            row["p_value"] = p_value
    section = effects.section(tables)
    assert words in titled(section, "genre-thirds")


def test_balance_names_the_largest_difference_of_all(tables):
    section = effects.section(tables)
    assert "alike: the largest difference goes from 0.229 to 0.004" in titled(
        section, "genre-balance"
    )
    tables["genre_balance"][0]["difference_after"] = 0.3
    section = effects.section(tables)
    assert "others unlike" in titled(section, "genre-balance")


def test_overlap_counts_who_is_left_out(tables):
    section = effects.section(tables)
    assert titled(section, "genre-overlap").startswith("99.9 %")


def test_a_limit_of_one_needs_nothing_to_be_explained(tables):
    part = table(effects.section(tables), "E-values")
    assert "for its interval 1." in part.title
    for row in tables["genre_effects"]:
        if row["is_headline"]:
            row["e_value_limit"] = 1.0
    part = table(effects.section(tables), "E-values")
    assert "its interval needs none" in part.title


def test_controls_that_find_something_are_named_first(tables):
    name = "Checks of the adjusted effect"
    part = table(effects.section(tables), name)
    assert part.title == "All 2 controls that must find nothing find nothing"
    tables["genre_checks"][0]["verdict"] = "failed"
    part = table(effects.section(tables), name)
    assert part.title.startswith("1 of 2 controls")


def test_the_landmark_counts_everybody(tables):
    part = table(effects.section(tables), "New users at the end of the window")
    assert part.title == "16,000 of 24,000 new users can be compared on D7"
    assert cell(part.rows[0][2]) == "66.7 %"


def test_each_table_on_exploring_may_be_empty(tables):
    names = [name for name in tables if name.startswith("genre_")]
    for name in [*names, "fct_genre_landmark"]:
        assert effects.section(tables | {name: []}).parts
