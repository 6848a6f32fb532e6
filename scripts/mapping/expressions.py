"""DuckDB expressions that turn their values into ours.

Pure functions: names and texts in, SQL out. Nothing is read or run here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mapping.language import DURATION_UNITS, EPOCH_DIGITS, Column
from mapping.zones import Shift

# An ISO text that says its own offset, which then wins over any zone.
OFFSET = r"[T ]\d{1,2}:.*\d *(Z|z|UTC|[+-]\d{2}(:?\d{2})?)$"
NUMBERS = {"duration", "number", "integer", "measure"}
EARLIEST = "timestamp '0001-01-01 00:00:00'"
LATEST = "timestamp '9999-12-31 23:59:59'"
# Ten thousand years [us], which no time between those two is away from another.
LONGEST = 320_000_000_000_000_000


class Step(NamedTuple):
    """One key of a path; `in_list` looks it up in a list of key and value."""

    key: str
    in_list: bool = False


def quoted(text: str) -> str:
    """Write a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Write a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def steps(path: str) -> list[Step]:
    """Split a path into its keys.

    Examples
    --------
    >>> [step.key for step in steps('properties."my.key"')]
    ['properties', 'my.key']
    >>> steps("event_params[video_id]")[1]
    Step(key='video_id', in_list=True)
    """
    found = re.findall(r'"([^"]+)"|\[([^\]]+)\]|([^.\[\]"]+)', path)
    return [
        Step(quote or listed or plain, bool(listed))
        for quote, listed, plain in found
    ]


def json_path(keys: Sequence[Step]) -> str:
    """Write plain keys as a JSON path.

    Examples
    --------
    >>> json_path(steps("properties.$insert_id"))
    '$."properties"."$insert_id"'
    """
    names = (step.key.replace('"', '\\"') for step in keys)
    return "".join(["$", *(f'."{name}"' for name in names)])


def json_text(json: str, keys: Sequence[Step]) -> str:
    """Read the text at some keys of a JSON value.

    A key of a list is looked up as in GA4's parameters: in the element whose
    `key` it is, the `value`, or its first typed value that is not null.
    """
    for number, step in enumerate(keys):
        if step.in_list:
            items = json
            if number:
                items = (
                    f"json_extract({json}, {quoted(json_path(keys[:number]))})"
                )
            found = (
                f"list_filter(from_json({items}, '[\"json\"]'), lambda item: "
                f"json_extract_string(item, '$.key') = {quoted(step.key)})[1]"
            )
            value = f"json_extract({found}, '$.value')"
            if keys[number + 1 :]:
                return json_text(value, keys[number + 1 :])
            typed = ", ".join(
                f"json_extract_string({value}, '$.{kind}_value')"
                for kind in ("string", "int", "float", "double")
            )
            return (
                f"coalesce({typed}, case json_type({value}) "
                "when 'OBJECT' then null when 'NULL' then null "
                f"else json_extract_string({value}, '$') end)"
            )
    return f"json_extract_string({json}, {quoted(json_path(keys))})"


def filled(text: str, nulls: Sequence[str]) -> str:
    """Turn the empty text, and every text that means empty, into null."""
    empty = ", ".join(quoted(item) for item in ("", *nulls))
    return f"case when {text} not in ({empty}) then {text} end"


def renamed(text: str, column: Column) -> str:
    """Apply a column's `map` and `default`.

    Values outside the map stay as they are, but for event types, which
    become null: their rows are left out.
    """
    if column.renamed:
        cases = " ".join(
            f"when {quoted(theirs)} then {quoted(ours)}"
            for theirs, ours in column.renamed.items()
        )
        other = "null" if column.name == "event_type" else text
        text = f"case {text} {cases} else {other} end"
    if column.default is not None:
        text = f"coalesce({text}, {quoted(column.default)})"
    return text


def parsed(text: str, column: Column) -> str:
    """Read a text as far as its row alone allows; null if it cannot be read.

    A local time stays local, a number since 1970 or since another time becomes
    microseconds, genres become a list. `value` does the rest, from a column
    that holds this.
    """
    if column.anchor is not None or column.kind in NUMBERS:
        return _read_number(text, column)
    if column.kind in {"time", "date"}:
        return _read_instant(text, column)
    if column.kind == "genre":
        return _genres(text, column.separator)
    return text


def value(
    found: str,
    text: str,
    column: Column,
    shifts: Sequence[Shift],
    anchor: str = "",
) -> str:
    """Finish what `parsed` found as the value that our column holds.

    Takes the SQL of the parsed value and of the text it was read from, the
    changes of the column's zone, in order (none for UTC), and the SQL of the
    time that its duration is counted from.
    """
    if column.anchor is not None:
        return _bounded(
            f"{anchor} {'-' if column.is_before else '+'} to_microseconds(case "
            f"when abs({found}) <= {LONGEST} then cast({found} as bigint) end)"
        )
    if column.kind in {"time", "date"}:
        return _instant(found, text, column, shifts)
    if column.kind in NUMBERS - {"integer"}:
        return f"case when isfinite({found}) then {found} end"
    if column.kind == "genre":
        # Each genre once, where it comes first.
        each = (
            f"list_filter({found}, lambda genre, place: "
            f"genre <> '' and list_position({found}, genre) = place)"
        )
        return f"nullif(array_to_string({each}, '|'), '')"
    return found


def clock_note(
    found: str, text: str, column: Column, shifts: Sequence[Shift]
) -> str:
    """Say whether a local time was `skipped` or `repeated` by the clocks."""
    cases = " ".join(
        f"when {found} < timestamp {quoted(shift.closes)} then "
        f"case when {found} >= timestamp {quoted(shift.opens)} "
        f"then '{'skipped' if shift.after > shift.before else 'repeated'}' end"
        for shift in shifts
    )
    if not shifts:
        return "cast(null as varchar)"
    return _unless_offset(text, column, f"case {cases} end", otherwise="null")


def digest(texts: Iterable[str]) -> str:
    """Digest some texts into one id; null and empty are the same."""
    # The unit separator keeps ('a', 'bc') and ('ab', 'c') apart.
    parts = " || chr(31) || ".join(f"coalesce({text}, '')" for text in texts)
    return f"md5({parts})"


def _read_number(text: str, column: Column) -> str:
    if column.kind == "integer":
        # The engine would round a fraction.
        return (
            f"case when regexp_full_match({text}, '[+-]?\\d+(\\.0+)?') "
            f"then try_cast({text} as bigint) end"
        )
    number = f"try_cast({text} as double)"
    if column.kind == "number":
        return number
    if column.kind == "measure":
        return (
            f"case lower({text}) when 'true' then 1 when 'false' then 0 "
            f"else {number} end"
        )
    factor = DURATION_UNITS[column.unit or "seconds"]
    if column.anchor is not None:
        return f"round({number} * {factor * 1_000_000})"
    return f"round({number} * {factor}, 3)"


def _read_instant(text: str, column: Column) -> str:
    if column.unit == "nanoseconds":
        return f"try_cast({text} as bigint) // 1000"
    if column.unit:
        digits = EPOCH_DIGITS[column.unit]
        # 18 digits reach past the year 9999. Whole numbers are read as such:
        # the decimals that a fraction needs are ten times slower.
        number = f"try_cast({text} as decimal(18, {digits}))"
        return (
            f"case when regexp_full_match({text}, '-?\\d{{1,{18 - digits}}}') "
            f"then try_cast({text} as bigint) * {10**digits} "
            f"else cast(cast({number} as decimal(38, {digits})) "
            f"* {10**digits} as bigint) end"
        )
    if column.formats:
        forms = ", ".join(quoted(form) for form in column.formats)
        # An offset in the text makes it an instant; the session is in UTC.
        return f"cast(try_strptime({text}, [{forms}]) as timestamp)"
    naive = f"try_cast({text} as timestamp)"
    if column.kind == "date":
        return naive
    # That cast ignores an offset; the other one lets a zone's name in one row
    # shift the rows after it, so it is given offsets alone.
    return (
        f"case when regexp_matches({text}, {quoted(OFFSET)}) "
        f"then cast(try_cast({text} as timestamptz) as timestamp) "
        f"else {naive} end"
    )


def _instant(
    found: str, text: str, column: Column, shifts: Sequence[Shift]
) -> str:
    """Keep the years 1 to 9999, which a raw file can write; apply the zone."""
    if column.kind == "time" and column.unit:
        return (
            f"make_timestamp(case when {found} >= -62135596800000000 "
            f"and {found} < 253402300800000000 "
            f"then {found} end)"
        )
    bounded = _bounded(found)
    if column.kind == "date":
        return f"cast({bounded} as date)"
    if not shifts:
        return bounded
    instant = f"{bounded} - to_seconds({_offset(found, shifts)})"
    return _unless_offset(text, column, instant, otherwise=bounded)


def _bounded(instant: str) -> str:
    return (
        f"case when {instant} between {EARLIEST} and {LATEST} "
        f"then {instant} end"
    )


def _unless_offset(
    text: str, column: Column, local: str, otherwise: str
) -> str:
    if column.formats:
        return local
    has_offset = f"regexp_matches({text}, {quoted(OFFSET)})"
    return f"case when {has_offset} then {otherwise} else {local} end"


def _offset(local: str, shifts: Sequence[Shift]) -> str:
    """Search the offset of a local time by halves.

    Up to the end of a change the offset before it holds: that moves a skipped
    time forward by the gap, and takes the first of a repeated one.
    """
    middle = len(shifts) // 2
    closes = f"timestamp {quoted(shifts[middle].closes)}"
    if middle == 0:
        before, after = str(shifts[0].before), str(shifts[0].after)
    else:
        before = _offset(local, shifts[:middle])
        after = _offset(local, shifts[middle:])
    return f"case when {local} < {closes} then {before} else {after} end"


def _genres(text: str, separator: str | None) -> str:
    listed = f"split({text}, {quoted(separator or '|')})"
    if separator is None:
        listed = (
            f"case when {text} like '[%' and json_valid({text}) "
            f"then from_json({text}, '[\"varchar\"]') else {listed} end"
        )
    return (
        f"list_transform({listed}, lambda genre: "
        "trim(replace(genre, '|', '/')))"
    )
