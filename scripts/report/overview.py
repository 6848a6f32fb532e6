"""The head and the foot of the page: what was read, how, and where it lies.

Pure functions: rows of marts and results in, parts of the page out.
"""

from __future__ import annotations

import data_quality.page
from display.formats import (
    count,
    fit_scale,
    percent,
    words,
)
from display.parts import Cards, Cell, Figure, Row, Section, Table, Tables

MARTS = ("dim_event_types", "fct_observation")


def facts(tables: Tables) -> list[tuple[str, str]]:
    """List what the log is and how much of it was read."""
    seen, run = tables["fct_observation"][0], tables["analysis_runs"][0]
    seed = run["data_seed"]
    return [
        *observed(seen),
        ("Time zone of a day", str(seen["time_zone"])),
        (
            "Users",
            f"{count(seen['user_count'])},"
            f" {count(seen['never_active_user_count'])} of them never active",
        ),
        (
            "In cohorts, and established before",
            f"{count(seen['new_user_count'])} new,"
            f" {count(seen['established_user_count'])} established",
        ),
        (
            "Events",
            f"{count(seen['event_count'])},"
            f" {count(seen['play_count'])} of them plays",
        ),
        ("Sessions", count(seen["session_count"])),
        (
            "Titles",
            f"{count(seen['title_count'])},"
            f" {count(seen['untagged_title_count'])} without a genre",
        ),
        (
            "Source",
            words(run["source"])
            + ("; no seed" if seed is None else f"; seed {seed}"),
        ),
    ]


def observed(seen: Row) -> list[tuple[str, str]]:
    """Say which days the events cover, if there are any."""
    if seen["last_event_at"] is None:
        return [("Observed", "no events, only what was measured of users")]
    return [
        (
            "Observed",
            f"{seen['observed_from_date']} to"
            f" {seen['last_event_at']:%Y-%m-%d %H:%M}",
        ),
        ("Complete through", f"{seen['watermark_date']}"),
    ]


def definitions(tables: Tables) -> list[tuple[str, str]]:
    """Say in one line each what the words of the page mean."""
    seen = tables["fct_observation"][0]
    gap = seen["session_gap_seconds"]
    minutes = fit_scale("minutes", gap / 60).text(gap / 60).replace(".0", "")
    zone = seen["time_zone"]
    active = sorted(
        row["label"].lower()
        for row in tables["dim_event_types"]
        if row["is_active"]
    )
    return [
        (
            "Active",
            f"at least one {' or '.join(active)} event on the calendar day"
            f" ({zone}).",
        ),
        (
            "New user",
            "first active inside the observed days and not signed up before"
            " them; established users are in no cohort.",
        ),
        ("Cohort", "all new users first active on the same day."),
        (
            "D1, D7, D30",
            "active on exactly day 1, 7 or 30 after first activity, among"
            " users old enough for that day; empty, never zero, when none is.",
        ),
        (
            "Complete through",
            f"the last fully observed day, {seen['watermark_date'] or 'none'};"
            " later days are not used for retention.",
        ),
        (
            "Session",
            f"events of a user with no silence longer than {minutes} between"
            " them; a title that still plays is not silence.",
        ),
        (
            "Valid play",
            f"watched for at least {count(seen['valid_play_seconds'])}"
            " seconds.",
        ),
        (
            "Genres explored",
            "distinct genres of the valid plays on a user's first days (three,"
            " unless the variable genre_window_days says otherwise).",
        ),
    ]


def methods(tables: Tables) -> list[tuple[str, str]]:
    """Say how the numbers were computed."""
    run = tables["analysis_runs"][0]
    coverage = percent(1 - run["alpha"]).replace(".0", "")
    return [
        (
            "Retention",
            "returned users over eligible users; several cohorts together are"
            " the sum over the sum. Wilson's intervals take users as"
            " independent; those between cohorts take cohorts as the sample.",
        ),
        (
            "Length of stay",
            "Kaplan and Meier's estimate, which counts users for as long as"
            " they could be followed, with Greenwood's interval.",
        ),
        (
            "Differences",
            "a title calls values different only where their intervals, widened"
            " for the number of values compared, do not meet.",
        ),
        (
            "Experiments",
            "by first assignment, users without events count as zero, only"
            f" closed windows. {coverage} intervals: Welch's t for means,"
            " Wilson's for proportions, Fieller's for relative changes.",
        ),
        (
            "Genres",
            "the adjusted estimates compare users within strata of early"
            f" activity and platform; {coverage} intervals.",
        ),
        (
            "Scenarios",
            f"{count(run['draw_count'])} draws of all uncertain terms, from"
            f" seed {run['draw_seed']}.",
        ),
        (
            "Causal grade",
            "A randomised here, B quasi-experiment, C adjusted observation,"
            " D association, E assumption; a result has its weakest input's.",
        ),
    ]


def sources(sections: list[Section]) -> Table:
    """Table where in the warehouse each part of the page can be read."""
    places: list[list[str | Cell]] = [
        ["Raw rows and where they went", data_quality.page.SOURCE]
    ]
    for section in sections:
        for part in section.parts:
            match part:
                case Figure(title=title, table=table):
                    places.append([title, table.source])
                case Table(caption=caption, title=title, source=source):
                    places.append([title or caption, source])
                case Cards(caption=caption, source=source):
                    places.append([caption, source])
                case _:
                    pass
    return Table(
        caption="Where to look: the table behind each figure",
        columns=["Figure or table", "In the warehouse"],
        rows=places,
        source="",
        text_columns=2,
    )
