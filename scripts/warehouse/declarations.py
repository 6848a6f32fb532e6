"""Columns and types of marts and results, from the YAML that declares them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from warehouse.port import WarehouseError

MODELS = Path(__file__).resolve().parents[2] / "models"
DEFINITION = MODELS / "results.yml"


def declared_types(schema: str, relation: str) -> dict[str, str]:
    """Read the columns and data types of a mart or a result table.

    Raises
    ------
    WarehouseError
        If the project declares no such relation.
    """
    if schema == "results":
        found = result_columns().get(relation)
    else:
        found = _contract(relation)
    if found is None:
        raise WarehouseError(f"the project declares no {schema}.{relation}")
    return found


def result_columns(definition: Path = DEFINITION) -> dict[str, dict[str, str]]:
    """Read the result tables' columns and data types from their definition.

    Parameters
    ----------
    definition : Path
        A dbt properties file with the source `results`.

    Returns
    -------
    dict of str to dict of str to str
        Table to column to data type, in the file's order.
    """
    sources = _loaded(definition)["sources"]
    tables = next(s["tables"] for s in sources if s["name"] == "results")
    return {table["name"]: _typed(table["columns"]) for table in tables}


@cache
def _contract(mart: str) -> dict[str, str] | None:
    """Read a mart's contract from the file that is named like it."""
    for path in (MODELS / "marts").rglob(f"{mart}.yml"):
        [model] = _loaded(path)["models"]
        return _typed(model["columns"])
    return None


def _typed(columns: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {column["name"]: column["data_type"] for column in columns}


def _loaded(path: Path) -> Any:  # noqa: ANN401 (what YAML holds)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
