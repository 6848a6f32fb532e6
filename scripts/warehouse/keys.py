"""The key of a relation, as the project's YAML declares it by a test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

JOINED = re.compile(r"concat_ws\(\s*'[^']*'\s*,(.+)\)", re.DOTALL)
Node = Mapping[str, Any]


def key_of(node: Node) -> tuple[str, ...]:
    """Return the columns of the key that a node of dbt's YAML declares.

    The node is a model, seed, snapshot or source table; empty if none is
    declared.
    """
    return next(filter(None, _declared(node)), ())


def _declared(node: Node) -> Iterator[tuple[str, ...]]:
    """Read the keys of a model or table; what holds of all of it comes first.

    Of use are tests of the whole relation: `unique_together` of columns, or
    `unique` of a column or of columns joined by `concat_ws`; then primary
    keys, then columns that are `unique` by themselves. A test of some rows
    only declares no key.
    """
    for name, arguments in _tests(node):
        if name == "unique_together":
            yield tuple(arguments["columns"])
        elif name == "unique":
            yield _columns_of(arguments["column_name"])
    columns = node.get("columns") or ()
    for constraint in node.get("constraints") or ():
        if constraint["type"] == "primary_key":
            yield tuple(constraint["columns"])
    for column in columns:
        kinds = {each["type"] for each in column.get("constraints") or ()}
        if "primary_key" in kinds:
            yield (column["name"],)
    for column in columns:
        if "unique" in dict(_tests(column)):
            yield (column["name"],)


def _tests(node: Node) -> Iterator[tuple[str, Node]]:
    """Name the tests of a node that hold of every row, with arguments."""
    for test in (*node.get("data_tests", ()), *node.get("tests", ())):
        if isinstance(test, str):
            yield test, {}
        else:
            [(name, body)] = test.items()
            if not (body or {}).get("config", {}).get("where"):
                yield (
                    name,
                    {**(body or {}), **(body or {}).get("arguments", {})},
                )


def _columns_of(expression: str) -> tuple[str, ...]:
    """Split the columns that a test joins into one; none if it does more."""
    joined = JOINED.fullmatch(expression.strip())
    names = (joined[1] if joined else expression).split(",")
    columns = tuple(name.strip() for name in names)
    return columns if all(map(str.isidentifier, columns)) else ()
