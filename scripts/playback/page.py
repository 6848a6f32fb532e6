"""What a visit looks like: lengths of sessions, genres and what follows them.

Pure functions: rows of marts in, parts of the page out.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

from display import charts
from display.dimensions import (
    Dimension,
    broken_down,
    dimensions,
    largest,
    not_broken_down,
)
from display.findings import contrast, estimate
from display.formats import (
    MISSING,
    NO_BREAK,
    count,
    duration,
    fit_number,
    fit_scale,
    percent,
    time_unit,
)
from display.parts import (
    Cell,
    Figure,
    Note,
    Part,
    Row,
    Section,
    Table,
    Tables,
    table_of,
)

MARTS = (
    "dim_dimensions",
    "fct_genre_performance",
    "fct_genre_transitions",
    "fct_observation",
    "fct_session_length_bands",
    "fct_session_lengths",
)

LENGTHS = "marts.fct_session_lengths"
BANDS = "marts.fct_session_length_bands"
GENRES = "marts.fct_genre_performance"
TRANSITIONS = "marts.fct_genre_transitions"
QUANTILES = ("p25", "median", "p75", "p90", "p95")
COMPLETION = ("completer_rate", "completer_ci_low", "completer_ci_high")
# What still fits a page: the others are in the marts.
MOST_VALUES = 12
MOST_GENRES = 25
MOST_NEXT = 14
HOUR = 3600


def section(tables: Tables) -> Section:
    """Tell how long sessions last and which genres are watched."""
    name, title, link = "watching", "What a visit looks like", "Watching"
    lengths = [
        row for row in tables["fct_session_lengths"] if row["session_count"]
    ]
    seen = tables["fct_observation"][0]
    compared = dimensions(tables["dim_dimensions"], "user")
    held = dimensions(tables["dim_dimensions"], "play", "title")
    parts: list[Part | None] = [
        _bands(tables["fct_session_length_bands"], lengths),
        *broken_down(compared, partial(_lengths, lengths), LENGTHS),
        not_broken_down(lengths, compared),
        *broken_down(held, partial(_lengths, lengths, is_held=True), LENGTHS),
        _genres(tables["fct_genre_performance"]),
        _next(tables["fct_genre_transitions"]),
    ]
    whole = next((row for row in lengths if row["dimension"] == "all"), None)
    lead = "This log has no sessions."
    if whole:
        lead = (
            f"{count(whole['session_count'])} sessions of"
            f" {count(whole['user_count'])} users,"
            f" {fit_number(whole['sessions_per_user'])} each."
        )
    if not seen["title_count"]:
        lead += (
            " It names no titles, so nothing is known of lengths, genres or"
            " what is watched to the end."
            if whole is None
            else " The log names no titles, so nothing is known of genres or of"
            " what is watched to the end."
        )
    elif not tables["fct_genre_performance"]:
        lead += " Its titles have no genres, so none are compared."
    return Section(
        name,
        title,
        lead,
        [part for part in parts if part is not None],
        link,
    )


def _bands(rows: list[Row], lengths: list[Row]) -> Figure | None:
    """Draw how sessions spread over bands of length."""
    bands = sorted(
        (
            row
            for row in rows
            if row["dimension"] == "all" and row["session_rate"] is not None
        ),
        key=lambda row: row["band_number"],
    )
    whole = next((row for row in lengths if row["dimension"] == "all"), None)
    if not bands or whole is None:
        return None
    title = _lengths_title(whole)
    return Figure(
        "session-bands",
        title,
        "Sessions by length, from the first event to the last sign of"
        f" activity. Mean {duration(whole['mean_seconds'])}, longest"
        f" {duration(whole['longest_seconds'])};"
        f" n{NO_BREAK}={NO_BREAK}{count(whole['session_count'])} sessions.",
        charts.horizontal_bars(
            [
                {
                    "category": row["band_name"],
                    "value": round(row["session_rate"], 6),
                    "short": percent(row["session_rate"]),
                    "label": f"{row['band_name']}:"
                    f" {count(row['session_count'])} sessions,"
                    f" {percent(row['session_rate'])}",
                }
                for row in bands
            ],
            f"Bar chart. {title}.",
            "Share of sessions",
        ),
        table_of(
            "Sessions by length",
            bands,
            {
                "Length": lambda row: row["band_name"],
                "Sessions": lambda row: count(row["session_count"]),
                "Share": lambda row: percent(row["session_rate"]),
            },
            source=BANDS,
        ),
    )


def _lengths_title(whole: Row) -> str:
    """Say how long sessions are; those of one event have no length."""
    half, tenth = whole["median_seconds"], whole["p90_seconds"]
    if not tenth:
        return "At least nine in ten sessions have no length, only a moment"
    long = f"one in ten lasts {duration(tenth)} or more"
    if not half:
        return f"At least half of the sessions are only a moment, {long}"
    return f"Half of the sessions last {duration(half)} or less, {long}"


def _lengths(
    lengths: list[Row], dimension: Dimension, *, is_held: bool = False
) -> Figure | None:
    """Draw the quantiles of session length by one dimension.

    With `is_held`, one of the plays in a session, which holds several values.
    """
    every = [
        row
        for row in lengths
        if row["dimension"] == dimension.name
        and row["median_seconds"] is not None
    ]
    # Moments have no length to compare.
    has_lengths = any(row["median_seconds"] for row in every)
    if len(every) < 2 or not has_lengths:  # noqa: PLR2004
        return None
    rows = largest(
        largest(every, "session_count", MOST_VALUES),
        "median_seconds",
        MOST_VALUES,
    )
    size, unit = time_unit(max(row["median_seconds"] for row in rows))
    longest, shortest = rows[0], rows[-1]
    most, least = (
        duration(row["median_seconds"]) for row in (longest, shortest)
    )
    title = f"The median session lasts {most}, whatever the {dimension.word}"
    if most != least:
        title = (
            f"Median session by {dimension.word}: {least}"
            f" ({shortest['dimension_value']}) to {most}"
            f" ({longest['dimension_value']})"
        )
    caption = (
        "Dots are medians, thick bars the middle half of the sessions, thin"
        " lines reach to the 95th percentile, ticks mark the 90th; in brackets"
        " the number of sessions."
    )
    if is_held:
        caption += f" A session counts for each {dimension.word} played in it."
    if len(rows) < len(every):
        caption += f" The {len(rows)} largest of {len(every)}."
    return Figure(
        f"session-lengths-{dimension.name}",
        title,
        caption,
        charts.quantiles(
            [
                {
                    "category": f"{row['dimension_value']}"
                    f" ({count(row['session_count'])})",
                    "label": f"{row['dimension_value']}: median"
                    f" {duration(row['median_seconds'])}, middle half"
                    f" {duration(row['p25_seconds'])} to"
                    f" {duration(row['p75_seconds'])}",
                    "short": duration(row["median_seconds"]),
                }
                | {
                    name: round(row[f"{name}_seconds"] / size, 4)
                    for name in QUANTILES
                }
                for row in rows
            ],
            f"Interval chart. {title}.",
            f"Length of a session, {unit}",
        ),
        table_of(
            f"Length of a session by {dimension.word}",
            rows,
            {
                dimension.heading: lambda row: str(row["dimension_value"]),
                "Sessions": lambda row: count(row["session_count"]),
                "Users": lambda row: count(row["user_count"]),
                "Sessions per user": lambda row: fit_number(
                    row["sessions_per_user"]
                ),
                "Mean": lambda row: duration(row["mean_seconds"]),
                "25 %": lambda row: duration(row["p25_seconds"]),
                "Median": lambda row: duration(row["median_seconds"]),
                "75 %": lambda row: duration(row["p75_seconds"]),
                "90 %": lambda row: duration(row["p90_seconds"]),
                "95 %": lambda row: duration(row["p95_seconds"]),
            },
            source=LENGTHS,
        ),
    )


def _genres(every: list[Row]) -> Table | None:
    """Table who starts a genre and who sees it through."""
    rows = sorted(
        (row for row in every if row["starter_users"]),
        key=lambda row: (-row["starter_users"], row["genre_name"]),
    )[:MOST_GENRES]
    if not rows:
        return None
    # Without the lengths of titles nobody is known to complete one.
    is_known = any(row["completer_users"] for row in rows)
    known = [
        row for row in rows if is_known and row["completer_rate"] is not None
    ]
    title = "Genres by the number of users who start them"
    if len(known) > 1:
        title = contrast(
            "Seeing a title through",
            "genre",
            [
                (str(row["genre_name"]), estimate(row, *COMPLETION))
                for row in known
            ],
        )
    note = (
        "Starters have a valid play of the genre, completers one that reached"
        " its end; below their share its Wilson interval. A title of several"
        " genres counts for each."
    )
    has_skips = any(row["skip_rate"] for row in rows)
    if not has_skips:
        note += " The log knows no skips."
    if not known:
        note += " No play reached its end, or no title's length is known."
    if len(rows) < len(every):
        note += f" The {len(rows)} most started of {len(every)} genres."
    return table_of(
        "Genres",
        rows,
        {
            "Genre": lambda row: str(row["genre_name"]),
            "Titles": lambda row: count(row["title_count"]),
            "Plays": lambda row: count(row["play_count"]),
            "Starters": lambda row: count(row["starter_users"]),
            "Completers": lambda row: (
                count(row["completer_users"]) if is_known else MISSING
            ),
            "Complete": lambda row: _completion(row) if is_known else MISSING,
            "Skip rate": lambda row: (
                percent(row["skip_rate"]) if has_skips else MISSING
            ),
            "Hours watched": lambda row: count(row["watched_seconds"] / HOUR),
        },
        source=GENRES,
        title=title,
        note=note,
    )


def _completion(row: Row) -> str | Cell:
    """Write who sees a genre through, over its interval."""
    rate, low, high = (row[name] for name in COMPLETION)
    if rate is None:
        return MISSING
    scale = fit_scale("rate", rate, low, high)
    return Cell(scale.text(rate), scale.span(low, high))


def _transition(row: Row | None, size: int, name: str) -> Row:
    """Write how often one genre follows another, of so many times."""
    if row is None:
        return {"rate": 0.0, "short": "0", "label": f"{name}: never"}
    share = percent(row["transition_rate"])
    return {
        "rate": round(row["transition_rate"], 6),
        "short": share.split(NO_BREAK)[0],
        "label": f"{name}: {share} of {count(size)},"
        f" {count(row['user_count'])} users",
    }


def _next(every: list[Row]) -> Figure | Note | None:
    """Draw which genre follows which."""
    sizes: Counter[str] = Counter()
    for row in every:
        sizes[row["from_genre_name"]] += row["transition_count"]
        sizes[row["to_genre_name"]] += 0
    if len(sizes) < 2:  # noqa: PLR2004
        return None
    names = sorted(sizes, key=lambda name: (-sizes[name], name))[:MOST_NEXT]
    found = {
        (row["from_genre_name"], row["to_genre_name"]): row for row in every
    }
    # From a genre that was left, a genre never taken up is a known zero.
    cells = [
        (one, other, found.get((one, other)))
        for one in names
        if sizes[one]
        for other in names
    ]
    known = [row for _, _, row in cells if row is not None]
    onward = [
        row for row in known if row["from_genre_name"] != row["to_genre_name"]
    ]
    title = "Which genre follows which"
    if onward:
        most = max(
            onward,
            key=lambda row: (
                row["transition_count"],
                row["from_genre_name"],
                row["to_genre_name"],
            ),
        )
        title = (
            f"After {most['from_genre_name']} the genre changes most often to"
            f" {most['to_genre_name']}: {percent(most['transition_rate'])} of"
            f" {count(sizes[most['from_genre_name']])} times"
        )
    caption = (
        "Rows are genres, columns those of the next valid play of the session;"
        " each row adds up to 100 %. A title of several genres counts for each."
    )
    if len(names) < len(sizes):
        caption += f" The {len(names)} most watched of {len(sizes)} genres."
    return Figure(
        "genre-transitions",
        title,
        caption,
        charts.matrix(
            [
                {
                    "row": one,
                    "column": other,
                }
                | _transition(row, sizes[one], f"{one} to {other}")
                for one, other, row in cells
            ],
            names,
            f"Heat map of {len(names)} genres. {title}.",
            x_title="Watched next",
            y_title="Watched",
            legend_title="Share of what followed",
        ),
        table_of(
            "What is watched next",
            sorted(
                known,
                key=lambda row: (
                    -row["transition_count"],
                    row["from_genre_name"],
                    row["to_genre_name"],
                ),
            )[:MOST_GENRES],
            {
                "Watched": lambda row: row["from_genre_name"],
                "Next": lambda row: row["to_genre_name"],
                "Times": lambda row: count(row["transition_count"]),
                "Users": lambda row: count(row["user_count"]),
                "Share": lambda row: percent(row["transition_rate"]),
            },
            source=TRANSITIONS,
            text_columns=2,
        ),
    )
