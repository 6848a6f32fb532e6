"""Where the rows of two relations differ, found by DuckDB.

Exact values are equal or not, and so are nested ones. Floating numbers are
equal within `TOLERANCE`, relative to the larger of the two; nan equals nan,
null equals null only.

Rows that are the same to the last bit are recognised by a hash of 64 bits and
drop out in pairs; two rows that differ have the same with a chance of 5e-20.
What is left is matched:

- By the declared key, if its columns are compared and it is unique on both
  sides. Nulls in a key match nulls; floating numbers in it match if they agree
  in about seven digits, and are then compared like any other.
- Else as a multiset: rows of the same exact values are matched in the order
  of their floating numbers. Relations that are called equal are so, as the
  match proves. With one floating column no match is better; with several,
  rows that agree within the tolerance are reported only if two numbers that
  differ in the last digits fall on different sides of a rounding.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from comparison.families import family, reading
from comparison.pairs import Column

TOLERANCE = 1e-9
# A sum of terms that cancel, as in a variance of equal values, is 0 in one
# order and a few rounding errors in another.
CANCELLED = 1e-12

# Rows of values, written out.
Texts = Sequence[Sequence[str]]

MACROS = f"""
    create temp macro is_cancelled(a, b) as
        (a = 0 or b = 0) and abs(a - b) <= {CANCELLED!r};
    create temp macro relative(a, b) as case
        when a = b then 0.0
        when isfinite(a) and isfinite(b) and not is_cancelled(a, b)
            then least(abs(a - b) / greatest(abs(a), abs(b)), 2.0)
    end;
    create temp macro is_changed(a, b) as
        a is distinct from b
        and not coalesce(is_cancelled(a, b), false)
        and not coalesce(relative(a, b) <= {TOLERANCE!r}, false);
    -- The factor keeps numbers that people choose off the edges of rounding.
    create temp macro rounded(a) as try_cast(a * pi() as float);
"""


@dataclass(frozen=True)
class ColumnChange:
    """How the values of a column differ in rows that are matched."""

    name: str  # new name
    row_count: int  # rows in which it differs
    # Largest relative difference among them, at most 2; none if the column is
    # exact, or only null, infinite or nan stands against a number.
    largest: float | None
    # The first in the order of the key: the key's values, then old, new.
    examples: Texts


@dataclass(frozen=True)
class RowChanges:
    """How the rows of two relations differ."""

    # Rows.
    old_count: int
    new_count: int
    key: Sequence[str] = ()  # columns that rows are matched by
    unkeyed: str = ""  # why that is not the declared key; empty if it is
    # Rows that only the new or the old one has, and that differ.
    added: int = 0
    removed: int = 0
    changed: int = 0
    # The first of them in order.
    added_keys: Texts = ()
    removed_keys: Texts = ()
    columns: Sequence[ColumnChange] = ()  # columns that differ
    # Largest relative difference of all matched floating numbers, those within
    # the tolerance included, those that `CANCELLED` excuses not.
    largest: float = 0.0


def compare_rows(
    connection: duckdb.DuckDBPyConnection,
    old: str,
    new: str,
    columns: Sequence[Column],
    key: Sequence[str],
    *,
    show: int = 3,
) -> RowChanges:
    """Compare two relations by the columns given.

    The working connection was not used for another comparison. All columns are
    comparable; without any, only rows are counted. The key's columns go by
    their new names and may be none; `show` examples are kept of each
    difference.
    """
    connection.execute(MACROS)
    fields = {f"c{number}": column for number, column in enumerate(columns)}
    old_rows = {
        name: reading(column.old_name, column.old_kind, column.kind)
        for name, column in fields.items()
    }
    new_rows = {
        name: reading(column.name, column.kind, column.old_kind)
        for name, column in fields.items()
    }
    old_count, old_sum = _read(connection, "old", old, old_rows)
    new_count, new_sum = _read(connection, "new", new, new_rows)
    if (old_count, old_sum) == (new_count, new_sum):
        return RowChanges(old_count, new_count)
    _keep_unequal(connection)

    floating = [name for name in fields if fields[name].is_floating]
    exact = [name for name in fields if name not in floating]
    names = {column.name: name for name, column in fields.items()}
    matching = [names[column] for column in key if column in names]
    unkeyed = _why_unkeyed(connection, key, _rounded(matching, floating))
    if unkeyed:
        order = [*_rounded(floating, floating), *floating, "one"]
        rank = (
            f"row_number() over (partition by {', '.join(['one', *exact])}"
            f" order by {', '.join(order)})"
        )
        matching, matches = exact, [*exact, rank]
    else:
        matches = _rounded(matching, floating)
    compared = [n for n in fields if n in floating or n not in matching]
    found = _match(
        connection,
        matches,
        key=matching,
        compared=compared,
        floating=floating,
        show=show,
    )
    keys = [fields[name] for name in matching]
    return RowChanges(
        old_count,
        new_count,
        key=[column.name for column in keys],
        unkeyed=unkeyed,
        added=found["added"],
        added_keys=_shown(found["added_first"], keys),
        removed=found["removed"],
        removed_keys=_shown(found["removed_first"], keys),
        changed=found["changed"],
        columns=[
            ColumnChange(
                fields[name].name,
                found[name],
                found.get(f"{name}_largest"),
                _shown(found[f"{name}_first"], [*keys, *[fields[name]] * 2]),
            )
            for name in compared
            if found[name]
        ],
        largest=max((found[f"{n}_any"] or 0.0 for n in floating), default=0.0),
    )


def _read(
    connection: duckdb.DuckDBPyConnection,
    side: str,
    text: str,
    readings: Mapping[str, str],
) -> tuple[int, int]:
    """Make a view of a side; return its rows and their checksum.

    The sum is of hashes of hashes: hashes of rows are combined from those of
    their columns, and a sum of these could miss an exchange of values.
    """
    selected = ", ".join(
        ["1 as one", *(f"{sql} as {name}" for name, sql in readings.items())]
    )
    connection.execute(
        f"create temp view {side}_rows as"
        f" select *, hash({', '.join(['one', *readings])}) as mark"
        f" from (select {selected} from {text})"
    )
    [(count, total)] = connection.execute(
        f"select count(*), coalesce(sum(hash(mark)), 0) from {side}_rows"
    ).fetchall()
    return count, total


def _keep_unequal(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep the rows of which one side has more than the other."""
    connection.execute(
        """
        create temp table surplus as
        select
            mark,
            coalesce(old.copies, 0) as old_copies,
            coalesce(new.copies, 0) as new_copies
        from (
            select mark, count(*) as copies from old_rows group by mark
        ) as old
        full join (
            select mark, count(*) as copies from new_rows group by mark
        ) as new using (mark)
        where old.copies is distinct from new.copies
        """
    )
    for side, other in (("old", "new"), ("new", "old")):
        connection.execute(
            f"""
            create temp table {side}_rest as
            select {side}_rows.*
            from {side}_rows inner join surplus using (mark)
            where {other}_copies = 0
            union all by name
            select * exclude (copy, excess) from (
                select
                    {side}_rows.*,
                    {side}_copies - {other}_copies as excess,
                    row_number() over (partition by mark) as copy
                from {side}_rows inner join surplus using (mark)
                where {other}_copies > 0 and {side}_copies > {other}_copies
            )
            where copy <= excess
            """
        )


def _why_unkeyed(
    connection: duckdb.DuckDBPyConnection,
    key: Sequence[str],
    matches: Sequence[str],
) -> str:
    """Say why rows cannot be matched by their key; nothing if they can."""
    if not key:
        return "no key is declared"
    named = f"its key ({', '.join(key)})"
    if len(matches) < len(key):
        return f"{named} is not compared on both sides"
    for side in ("old", "new"):
        columns = ", ".join(matches)
        if connection.execute(
            f"select 1 from {side}_rows group by {columns}"
            " having count(*) > 1 limit 1"
        ).fetchall():
            return f"{named} is not unique in {side.upper()}"
    return ""


def _match(
    connection: duckdb.DuckDBPyConnection,
    matches: Sequence[str],
    *,
    key: Sequence[str],
    compared: Sequence[str],
    floating: Collection[str],
    show: int,
) -> dict[str, Any]:
    """Match the rows that are kept, and measure how they differ.

    Takes expressions that rows are matched by, and the columns that tell rows
    apart, that are compared, that are doubles. Gives the rows ``added``,
    ``removed``, ``changed``, and changed in each column; with ``…_first`` their
    first keys and, for a column, values; with ``…_largest`` and ``…_any`` the
    largest relative difference of a double where it differs, and at all.
    """
    numbered = [f"{sql} as m{number}" for number, sql in enumerate(matches)]
    for side in ("old", "new"):
        connection.execute(
            f"create temp view {side}_matched as"
            f" select *, {', '.join(numbered)} from {side}_rest"
        )
    of_old, of_new = ([f"{s}.{name}" for name in key] for s in ("old", "new"))
    both = "old.one = new.one"
    tests = {
        name: f"is_changed(old.{name}, new.{name})"
        if name in floating
        else f"old.{name} is distinct from new.{name}"
        for name in compared
    }
    is_any = " or ".join(tests.values()) or "false"
    measures = {
        **_counted("added", "old.one is null", of_new, show),
        **_counted("removed", "new.one is null", of_old, show),
        "changed": f"count(*) filter ({both} and ({is_any}))",
    }
    for name, test in tests.items():
        values = [*of_old, f"old.{name}", f"new.{name}"]
        measures |= _counted(name, f"{both} and {test}", values, show)
        if name in floating:
            largest = f"max(relative(old.{name}, new.{name}))"
            measures[f"{name}_any"] = largest
            measures[f"{name}_largest"] = f"{largest} filter ({test})"
    conditions = (
        f"old.m{number} is not distinct from new.m{number}"
        for number in range(len(matches))
    )
    [row] = connection.execute(
        f"select {', '.join(measures.values())}"
        " from old_matched as old full join new_matched as new"
        f" on {' and '.join(conditions)}"
    ).fetchall()
    return dict(zip(measures, row, strict=True))


def _counted(
    name: str, test: str, values: Sequence[str], show: int
) -> dict[str, str]:
    """Write the SQL that counts rows and keeps the first values as text."""
    first = "null"
    if values:
        texts = ", ".join(f"v{n} varchar" for n in range(len(values)))
        first = (
            f"cast(min(row({', '.join(values)}), {show}) filter ({test})"
            f" as struct({texts})[])"
        )
    return {name: f"count(*) filter ({test})", f"{name}_first": first}


def _rounded(names: Sequence[str], floating: Collection[str]) -> list[str]:
    """Write columns as rows are matched by them."""
    return [f"rounded({n})" if n in floating else n for n in names]


def _shown(
    rows: Sequence[Mapping[str, str | None]] | None, columns: Sequence[Column]
) -> list[list[str]]:
    """Write values so that null, text and numbers look different."""
    return [
        [
            "null"
            if value is None
            else repr(value)
            if family(column.kind) == "text"
            else value
            for value, column in zip(row.values(), columns, strict=True)
        ]
        for row in rows or ()
    ]
