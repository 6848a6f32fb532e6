"""The funnel macro against an evaluator that knows nothing but definitions.

`judged` tries every order that simultaneous events may stand in and every
choice of events as steps; it shares no code and no idea with the macro. dbt
compiles every combination of arguments once, and DuckDB runs them on random
streams that are full of ties, repeats and exclusions.
"""

import random
import re
from collections import Counter
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from itertools import chain, groupby, permutations, product
from math import inf
from typing import NamedTuple

import duckdb
import jinja2
import pandas as pd
import pytest
from builds import ROOT

ORDERS = ("this_order", "strict", "any")
TIES = ("ordered", "apart", "together")
WINDOWS = (None, 4)
EXCLUSIONS = ("", "x")
STEPS = ("ab", "abc", "aba", "aab", "bcab")
UNITS = ("user", "session")
END = datetime(2026, 1, 6)  # of the watermark's day, 2026-01-05


class Event(NamedTuple):
    """`at` counts seconds from the end of the watermark's day."""

    at: float
    id: str
    name: str


class Funnel(NamedTuple):
    order: str = "this_order"
    ties: str = "ordered"
    window: float | None = None
    exclusions: str = ""
    steps: str = "ab"
    unit: str = "user"


FUNNELS = [
    Funnel(*arguments)
    for arguments in product(ORDERS, TIES, WINDOWS, EXCLUSIONS, STEPS, UNITS)
]
OF_USERS = [funnel for funnel in FUNNELS if funnel.unit == "user"]


# --- the definitions ----------------------------------------------------------


@cache
def places_of(stream, ties):
    """The place of each event, in every order that the stream may stand in."""
    tied = [tuple(each) for _, each in groupby(stream, lambda event: event.at)]
    return [
        {event: place for place, event in enumerate(chain(*order))}
        for order in product(
            *(
                [each] if ties == "ordered" else permutations(each)
                for each in tied
            )
        )
    ]


def choices(stream, funnel, entry):
    """Every choice of distinct events as steps in which the entry is one.

    In any order each step may be left out, otherwise only the last ones.
    """

    def choose(chosen):
        if len(chosen) == len(funnel.steps):
            yield chosen
            return
        if funnel.order == "any" or chosen:
            yield from choose((*chosen, None))
        if chosen[-1:] == (None,) and funnel.order != "any":
            return
        for event in stream if funnel.order == "any" or chosen else [entry]:
            if event.name == funnel.steps[len(chosen)] and event not in chosen:
                yield from choose((*chosen, event))

    return (chosen for chosen in choose(()) if entry in chosen)


def is_attempt(chosen, funnel, entry, place):
    """Whether the choice is an attempt when events stand in these places."""
    places = [place[event] for event in chosen if event]
    if funnel.order == "any":
        follows = min(places) == place[entry]
    elif funnel.order == "strict":
        follows = places == list(range(places[0], places[0] + len(places)))
    else:
        follows = places == sorted(places)
    return follows and not any(
        place[entry] < place[event] < max(places)
        for event in place
        if event.name in funnel.exclusions
    )


def attempts(stream, funnel, entry):
    """The choices that are attempts: in some order of simultaneous events
    under `together`, in every order under `apart`."""
    holds = any if funnel.ties == "together" else all
    return (
        chosen
        for chosen in choices(stream, funnel, entry)
        if holds(
            is_attempt(chosen, funnel, entry, place)
            for place in places_of(stream, funnel.ties)
        )
    )


def may_convert(stream, funnel, entry):
    """Whether events to come could complete the attempt, had they the time."""
    return any(
        None not in chosen
        for first in range(len(funnel.steps))
        for chosen in attempts(
            stream
            + tuple(
                Event(at, "to come", name)
                for at, name in enumerate(funnel.steps[first:])
            ),
            funnel,
            entry,
        )
    )


def judged(stream, funnel, *, is_closed=False):
    """The row of a unit; None when it never entered."""
    stream = tuple(sorted({event for event in stream if event.at < 0}))
    entry_names = funnel.steps if funnel.order == "any" else funnel.steps[0]
    entries = [event for event in stream if event.name in entry_names]
    if not entries:
        return None
    window = inf if funnel.window is None else funnel.window
    timely = [
        entry for entry in entries if entry.at + window >= 0 and not is_closed
    ]
    missed, _, times = min(
        (
            sum(event is None for event in chosen),
            entry[:2],
            [event.at if event else inf for event in chosen],
        )
        for entry in entries
        for chosen in attempts(stream, funnel, entry)
        if all(event.at - entry.at <= window for event in chosen if event)
    )
    if missed == 0:
        state = "converted"
    elif any(may_convert(stream, funnel, entry) for entry in timely):
        state = "pending"
    else:
        state = "dropped"
    return (
        state,
        not timely,
        len(funnel.steps) - missed,
        *(None if at == inf else at for at in times),
    )


# --- the macro ----------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory, log_of):
    """A log without rows: enough for dbt to read the project."""
    return log_of(tmp_path_factory.mktemp("funnels"))


@pytest.fixture(scope="module")
def queries(dbt, folder):
    """The SQL of every funnel, compiled by dbt in one call."""
    calls = "".join(
        f"{{{{ funnel('{funnel.unit}_events', 'bounds', {list(funnel.steps)},"
        f" '{funnel.order}', '{funnel.ties}', {str(funnel.window).lower()},"
        f" {list(funnel.exclusions)},"
        f" {'none' if funnel.unit == 'user' else repr('closed')}) }}}}\n;"
        for funnel in FUNNELS
    )
    done = dbt(folder, folder, "--quiet", "compile", "--inline", calls)
    assert done.returncode == 0, done.stdout[-2000:]
    return dict(zip(FUNNELS, done.stdout.split(";")[:-1], strict=True))


@contextmanager
def loaded(streams, closed=(), rows="from given"):
    """A connection to what the queries read; `rows` says how to read it.

    `closed` are the sessions known to be over.
    """
    given = pd.DataFrame(
        [
            (unit, event.name, END + timedelta(seconds=event.at), event.id)
            for unit, stream in streams.items()
            for event in stream
        ],
        columns=["unit_id", "event_name", "event_at", "event_id"],
    )
    over = pd.DataFrame({"unit_id": pd.Series(list(closed), dtype=str)})
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("given", given)
        connection.register("closed", over)
        connection.execute(
            "create table bounds as"
            " select date '2026-01-05' as watermark_date;"
            f"create table user_events as {rows};"
            "create table session_events as from user_events"
        )
        yield connection


@pytest.fixture(scope="module")
def run(queries):
    """The rows by unit of each funnel, over the same streams by unit."""

    def run(funnels, streams, *arguments):
        with loaded(streams, *arguments) as connection:
            return {
                funnel: {
                    unit: tuple(map(in_seconds, row))
                    for unit, *row in connection.execute(
                        queries[funnel]
                    ).fetchall()
                }
                for funnel in funnels
            }

    return run


def in_seconds(value):
    if isinstance(value, datetime):
        return (value - END).total_seconds()
    return value


# --- every combination --------------------------------------------------------


@pytest.fixture(scope="module")
def streams():
    """Streams of up to nine events on few instants, some past the watermark."""
    draw = random.Random(20260106)  # noqa: S311
    drawn = {}
    for number in range(400):
        names = draw.choice(("abxn", "abcx", "aab", "aabbccxn"))
        earliest = -draw.randint(1, 9)
        drawn[f"unit {number}"] = [
            Event(
                draw.randint(earliest, 1),
                f"{draw.randrange(10**6):06d}",
                draw.choice(names),
            )
            for _ in range(draw.randint(1, 9))
        ]
    return drawn


@pytest.fixture(scope="module")
def closed(streams):
    return set(random.Random(1).sample(sorted(streams), 120))  # noqa: S311


@pytest.fixture(scope="module")
def found(run, streams, closed):
    return run(FUNNELS, streams, closed)


def test_every_combination_agrees_with_the_definitions(found, streams, closed):
    met = Counter()
    for funnel in FUNNELS:
        expected = {
            unit: judged(
                stream,
                funnel,
                is_closed=funnel.unit == "session" and unit in closed,
            )
            for unit, stream in streams.items()
        }
        assert found[funnel] == {
            unit: row for unit, row in expected.items() if row
        }, funnel
        met.update((*funnel[:2], row[0]) for row in found[funnel].values())
    # The proof is of something: every mode meets every state often.
    assert len(met) == 3 * 3 * 3
    assert min(met.values()) > 100, met


def test_order_and_copies_of_rows_mean_nothing(run, found, streams, closed):
    shuffled = (
        "select * from (from given union all from given)"
        " order by md5(event_id || event_name)"
    )
    again = run(OF_USERS, streams, closed, shuffled)
    assert again == {funnel: found[funnel] for funnel in again}


def test_events_after_the_watermark_mean_nothing(run, found, streams, closed):
    loaded = {
        unit: [event for event in stream if event.at < 0]
        for unit, stream in streams.items()
    }
    again = run(OF_USERS, loaded, closed)
    assert again == {funnel: found[funnel] for funnel in again}


def test_every_step_is_found_by_equality(queries, streams):
    """Else a unit of many events would be compared with itself, all by all."""
    with loaded(streams) as connection:
        for funnel in OF_USERS:
            ((_, plan),) = connection.execute(
                f"explain (format json) {queries[funnel]}"
            ).fetchall()
            joins = Counter(re.findall(r'"(\w+_(?:JOIN|PRODUCT))\b', plan))
            assert joins["HASH_JOIN"] >= len(funnel.steps) - 1
            # The one row of the watermark is the only other.
            assert joins.total() == joins["HASH_JOIN"] + 1, (funnel, joins)


# --- what people report -------------------------------------------------------


@pytest.fixture(scope="module")
def row_of(run):
    """The row of one unit, from events written as name, instant and id."""

    def row_of(events, **arguments):
        stream = [
            Event(at, identifier or f"{number:02d}", name)
            for number, (name, at, identifier) in enumerate(
                (*event, None)[:3] for event in events
            )
        ]
        funnel = Funnel(**arguments)
        return run([funnel], {"unit": stream})[funnel].get("unit")

    return row_of


def state_of(row):
    state, _, reached, *_ = row
    return state, reached


def test_two_steps_in_one_second_convert_as_the_tie_rule_says(row_of):
    """rybbit-io/rybbit#1133: under strict ordering they never did."""
    by_id = [("a", -100, "1"), ("b", -100, "2")]
    against_id = [("a", -100, "2"), ("b", -100, "1")]
    for order in ("this_order", "strict"):
        for ties, events, reached in (
            ("ordered", by_id, 2),
            ("ordered", against_id, 1),
            ("together", by_id, 2),
            ("together", against_id, 2),
            ("apart", by_id, 1),
            ("apart", against_id, 1),
        ):
            row = row_of(events, order=order, ties=ties, window=4)
            assert state_of(row) == (
                "converted" if reached == 2 else "dropped",
                reached,
            )


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("ties", TIES)
def test_one_event_advances_one_step(row_of, order, ties):
    """ClickHouse/ClickHouse#21835, #34986: a repeated step took it twice."""
    arguments = {"order": order, "ties": ties, "steps": "aab", "window": 4}
    once = row_of([("a", -100), ("b", -99)], **arguments)
    twice = row_of([("a", -100), ("a", -99), ("b", -98)], **arguments)
    written_twice = row_of(
        [("a", -100, "1"), ("a", -100, "1"), ("b", -98, "2")], **arguments
    )
    assert state_of(once) == ("dropped", 2 if order == "any" else 1)
    assert state_of(twice) == ("converted", 3)
    assert state_of(written_twice) == state_of(once)


def test_recent_entrants_are_pending_not_dropped(row_of):
    """PostHog/posthog#33605."""
    assert row_of([("a", -3)], window=4) == ("pending", False, 1, -3, None)
    assert row_of([("a", -5)], window=4) == ("dropped", True, 1, -5, None)


def test_a_unit_converts_once_however_often_it_tries(row_of):
    """dbt-labs/metricflow#2068: more converted than had entered."""
    often = [(name, at) for at in range(-100, -90) for name in "ab"]
    assert row_of(often, window=4) == ("converted", True, 2, -100, -100)


# --- boundaries ---------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
def test_the_window_holds_its_last_instant(row_of, order):
    for late, reached in ((0, 2), (1e-6, 1)):
        row = row_of([("a", -100), ("b", -96 + late)], order=order, window=4)
        assert row[2] == reached


def test_a_window_closes_when_its_last_instant_is_loaded(row_of):
    assert row_of([("a", -4)], window=4)[:2] == ("pending", False)
    assert row_of([("a", -4 - 1e-6)], window=4)[:2] == ("dropped", True)


def test_the_first_instant_after_the_watermark_is_not_read(row_of):
    assert row_of([("a", -1), ("b", -1e-6)])[2] == 2
    assert row_of([("a", -1), ("b", 0)])[2] == 1
    assert row_of([("a", 0)]) is None


def test_without_a_window_only_an_exclusion_or_an_end_drops(run, row_of):
    long_ago = -(10**8)
    assert row_of([("a", long_ago)]) == ("pending", False, 1, long_ago, None)
    assert row_of(
        [("a", long_ago), ("x", -100), ("b", -99)], exclusions="x"
    ) == ("dropped", False, 1, long_ago, None)
    funnel = Funnel(unit="session")
    rows = run([funnel], {"over": [Event(-9, "1", "a")]}, {"over"})[funnel]
    assert rows == {"over": ("dropped", True, 1, -9, None)}


def test_an_exclusion_counts_between_entry_and_conversion_only(row_of):
    for events, reached in (
        ("xab", 2),
        ("axb", 1),
        ("abx", 2),
        ("axab", 2),
    ):
        row = row_of(
            [(name, at - 100) for at, name in enumerate(events)],
            exclusions="x",
            window=4,
        )
        assert row[2] == reached


def test_strict_order_is_broken_by_any_other_event(row_of):
    events = [("a", -100), ("n", -99), ("b", -98)]
    assert state_of(row_of(events)) == ("converted", 2)
    assert state_of(row_of(events, order="strict")) == ("dropped", 1)
    assert state_of(row_of(events[:1], order="strict")) == ("pending", 1)


def test_the_furthest_attempt_counts_and_of_equals_the_earliest(row_of):
    arguments = {"steps": "abc", "window": 4}
    assert row_of(
        [("a", -90), ("a", -80), ("b", -79), ("a", -70), ("b", -67)],
        **arguments,
    ) == ("dropped", True, 2, -80, -79, None)


# --- refusals -----------------------------------------------------------------

REFUSALS = {
    "steps is ['a']. Write a list of 2 to 10": "['a']",
    "steps is ab. Write a list of 2 to 10": "'ab'",
    "Write a list of 2 to 10 event names": "'abcdefghijk' | list",
    "steps has 'it's'. Names hold no quotes": "['it\\'s', 'b']",
    "order is 'loose'. Write one of: this_order, strict, any": (
        "['a', 'b'], order='loose'"
    ),
    "ties is 'random'. Write one of: ordered, apart, together": (
        "['a', 'b'], ties='random'"
    ),
    "window_seconds is 0. Write a number above 0": (
        "['a', 'b'], window_seconds=0"
    ),
    "window_seconds is -1. Write a number above 0": (
        "['a', 'b'], window_seconds=-1"
    ),
    "window_seconds is 1 day. Write a number above 0": (
        "['a', 'b'], window_seconds='1 day'"
    ),
    "exclusions is x. Write a list": "['a', 'b'], exclusions='x'",
    "exclusions has 'b', which is a step": (
        "['a', 'b'], exclusions=['x', 'b']"
    ),
}


@pytest.mark.parametrize(("message", "arguments"), REFUSALS.items())
def test_impossible_funnels_are_refused(message, arguments):
    class Exceptions:
        def raise_compiler_error(self, text):
            raise ValueError(text)

    macros = "".join(
        path.read_text() for path in (ROOT / "macros/funnels").glob("*.sql")
    )
    environment = jinja2.Environment(  # noqa: S701
        extensions=["jinja2.ext.do"]
    )
    template = environment.from_string(
        f"{macros}{{{{ funnel('events', 'bounds', {arguments}) }}}}",
        {"exceptions": Exceptions()},
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        template.render()


def test_dbt_tells_the_refusal(dbt, folder):
    call = "{{ funnel('events', 'bounds', ['a'], order='loose') }}"
    done = dbt(folder, folder, "compile", "--inline", call)
    assert done.returncode != 0
    for message in ("steps is ['a']", "order is 'loose'"):
        assert message in done.stdout
