"""What marts and results are declared to be, from the YAML that dbt reads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from warehouse.keys import key_of
from warehouse.port import Types, WarehouseError

MODELS = Path(__file__).resolve().parents[2] / "models"
DEFINITION = MODELS / "results.yml"


class Declared(NamedTuple):
    """A relation as it is declared."""

    # Column to data type: the key's first, then the others as written.
    types: Types
    required: frozenset[str]  # columns that are never null


def declared(schema: str, relation: str) -> Declared:
    """Read what a model or a result table is declared to be.

    Raises
    ------
    WarehouseError
        If the project declares no such relation.
    """
    if schema == "results":
        found = result_tables().get(relation)
    else:
        found = _contract(relation)
    if found is None:
        raise WarehouseError(f"the project declares no {schema}.{relation}")
    return found


def stand_in(relation: str, values: Mapping[str, str], source: str) -> str:
    """Write the SQL of a table that stands in for a model or a result table.

    It has the columns and types that the relation is declared with, whatever
    they are by now.

    A relation is schema and name, after a catalog if there is one. Values are
    expressions over the source, which is what follows the select list, such as
    ``from units``; the other columns are null.

    Raises
    ------
    WarehouseError
        If the project declares no such relation, or no such column there.
    """
    *_, schema, name = relation.split(".")
    types = declared(schema, name).types
    if unknown := [column for column in values if column not in types]:
        raise WarehouseError(f"{relation} is declared without {unknown[0]}")
    columns = ",\n    ".join(
        f"cast({values.get(column, 'null')} as {kind}) as {column}"
        for column, kind in types.items()
    )
    return (
        f"create or replace table {relation} as select\n    {columns}\n{source}"
    )


@cache
def result_tables(definition: Path = DEFINITION) -> dict[str, Declared]:
    """Read all result tables.

    In the order of a dbt properties file with the source `results`.
    """
    sources = _loaded(definition)["sources"]
    tables = next(s["tables"] for s in sources if s["name"] == "results")
    return {table["name"]: _read(table) for table in tables}


@cache
def _contract(model: str) -> Declared | None:
    """Read a model's columns from the file that is named like it."""
    for path in MODELS.rglob(f"{model}.yml"):
        [node] = _loaded(path)["models"]
        return _read(node)
    return None


def _read(node: Mapping[str, Any]) -> Declared:
    types = {each["name"]: each["data_type"] for each in node["columns"]}
    order = dict.fromkeys((*key_of(node), *types))
    return Declared(
        {name: types[name] for name in order},
        frozenset(
            column["name"]
            for column in node["columns"]
            for constraint in column.get("constraints", ())
            if constraint["type"] == "not_null"
        ),
    )


def _loaded(path: Path) -> Any:  # noqa: ANN401 (what YAML holds)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
