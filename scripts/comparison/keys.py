"""Keys of relations, as the project's YAML declares them by a test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from comparison.sources import Relation

MODELS = Path(__file__).resolve().parents[2] / "models"
JOINED = re.compile(r"concat_ws\(\s*'[^']*'\s*,(.+)\)", re.DOTALL)
Node = Mapping[str, Any]


class Keys:
    """Keys of models by name, and of source tables by schema and name.

    Parameters
    ----------
    models : Path
        Folder of dbt's properties files.
    """

    def __init__(self, models: Path = MODELS) -> None:
        self._keys: dict[str | Relation, tuple[str, ...]] = {}
        for path in sorted(models.rglob("*.yml")):
            file = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
            for kind in ("models", "seeds", "snapshots"):
                for node in file.get(kind) or ():
                    self._add(node["name"], node)
            for source in file.get("sources") or ():
                schema = source.get("schema", source["name"])
                for node in source["tables"]:
                    name = node.get("identifier", node["name"])
                    self._add((schema, name), node)

    def of(self, relation: Relation) -> tuple[str, ...]:
        """Return the columns of a relation's key; none if none is declared."""
        return self._keys.get(relation) or self._keys.get(relation[1]) or ()

    def _add(self, name: str | Relation, node: Node) -> None:
        if found := next(filter(None, _declared(node)), ()):
            self._keys[name] = found


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
