"""Which types may hold equal values, and how such are read to be compared."""

from __future__ import annotations

import re

from comparison.sources import quote_identifier

INTEGERS = {
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
}
INSTANTS = {
    *("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"),
    "TIMESTAMP WITH TIME ZONE",
}
FAMILIES = {
    **dict.fromkeys({*INTEGERS, "UHUGEINT", "DECIMAL"}, "exact number"),
    **dict.fromkeys(INSTANTS, "instant"),
    **dict.fromkeys(("VARCHAR", "ENUM", "JSON"), "text"),
    **dict.fromkeys(("DOUBLE", "FLOAT"), "floating number"),
}


def family(kind: str) -> str:
    """Name what types that may hold equal values have in common.

    The type is as DuckDB declares it; one that stands alone is its own family,
    in lower case, so nested types must be the same.

    Examples
    --------
    >>> family("DECIMAL(38,0)"), family("BIGINT"), family("DATE")
    ('exact number', 'exact number', 'date')
    >>> family("DECIMAL(38,0)[]")
    'decimal(38,0)[]'
    """
    if kind.endswith("]"):
        return kind.lower()
    return FAMILIES.get(kind.split("(", maxsplit=1)[0], kind.lower())


def reading(column: str, kind: str, other: str) -> str:
    """Write the SQL that reads a column for a comparison.

    Takes its type and that of the column it is compared with, of one family.
    What is read is of equal type and value for both columns if their values are
    equal. Floating numbers become doubles. Where exact types differ, integers
    become hugeints, anything else text without insignificant zeros.
    """
    name = quote_identifier(column)
    if family(kind) == "floating number":
        return f"cast({name} as double)"
    if kind == other:
        return name
    if {kind, other} <= INTEGERS:
        return f"cast({name} as hugeint)"
    if scale := re.fullmatch(r"DECIMAL\(\d+,(\d+)\)", kind):
        text = f"cast(cast({name} as decimal(38, {scale[1]})) as varchar)"
        return (
            f"case when contains({text}, '.')"
            f" then rtrim(rtrim({text}, '0'), '.') else {text} end"
        )
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"cast(timezone('UTC', {name}) as varchar)"
    return f"cast({name} as varchar)"
