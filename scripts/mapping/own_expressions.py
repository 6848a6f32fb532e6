"""What `sql` in a mapping may be: one expression over the columns of a file.

The engine parses it; what is not on the lists here is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from mapping.language import Column, MappingError

REMEDY = (
    "write one expression over the columns of the file, such as "
    "upper(left(country, 2))"
)
# Classes of nodes that read the row at hand, and windows over the file's rows.
ALLOWED = {
    "BETWEEN",
    "CASE",
    "CAST",
    "COLLATE",
    "COLUMN_REF",
    "COMPARISON",
    "CONJUNCTION",
    "CONSTANT",
    "FUNCTION",
    "LAMBDA",
    "OPERATOR",
    "WINDOW",
}
# Functions that the engine's own table does not tell apart from the others:
# these make several rows of one, or tell of the machine.
REFUSED = {
    "unnest": "makes several rows of one",
    "unlist": "makes several rows of one",
    "current_setting": "tells of the machine, not of the row",
    "getvariable": "tells of the machine, not of the row",
}
# Per name of a function: whether it is one of tables, whether it aggregates,
# whether its answer may differ from load to load, how a macro is defined.
FUNCTIONS = """
    select
        function_name,
        bool_and(function_type in ('table', 'table_macro', 'pragma')),
        bool_or(function_type = 'aggregate'),
        bool_or(function_type = 'scalar' and stability <> 'CONSISTENT'),
        any_value(macro_definition) filter (where function_type = 'macro')
    from duckdb_functions()
    where function_name in (select unnest($names))
    group by function_name
    order by function_name
"""


def check_expression(
    connection: duckdb.DuckDBPyConnection, column: Column
) -> None:
    """Refuse the `sql` of a column that is not one expression over its row.

    Raises
    ------
    MappingError
        With the key, what else it is, and a remedy.
    """
    assert column.sql is not None
    key = f"{column.key}.sql"
    try:
        mistakes = [
            *_mistakes(connection, _parsed(connection, column.sql, key))
        ]
    except RecursionError:
        mistakes = ["it is nested too deeply"]
    if mistakes:
        raise MappingError(f"{key}: {mistakes[0]}; {REMEDY}")


def enclosed(sql: str) -> str:
    """Enclose an expression; a comment at its end does not reach further."""
    return f"(\n{sql}\n)"


def _parsed(
    connection: duckdb.DuckDBPyConnection, sql: str, key: str
) -> dict[str, Any]:
    """Parse an expression; alone and enclosed it must be the same."""
    trees = []
    for text in (sql, enclosed(sql)):
        [(answer,)] = connection.execute(
            "select json_serialize_sql(cast($query as varchar))",
            {"query": f"select {text}"},
        ).fetchall()
        trees.append(_unplaced(json.loads(answer)))
    alone, inside = trees
    if alone["error"] and alone.get("error_type") == "parser":
        message = str(alone["error_message"]).splitlines()[0]
        raise MappingError(f"{key}: {message}; {REMEDY}")
    if alone["error"] or alone != inside:
        raise MappingError(f"{key}: it is more than an expression; {REMEDY}")
    [statement] = alone["statements"]
    [tree] = statement["node"]["select_list"]
    assert statement["node"]["from_table"]["type"] == "EMPTY"
    assert isinstance(tree, dict)
    return tree


def _unplaced(tree: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Leave out where in the text each node stands."""
    if isinstance(tree, list):
        return [_unplaced(item) for item in tree]
    if isinstance(tree, dict):
        return {
            name: _unplaced(item)
            for name, item in tree.items()
            if name != "query_location"
        }
    return tree


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    """List the nodes of a parse tree, from the root."""
    if isinstance(tree, dict):
        if "class" in tree:
            yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for item in tree:
            yield from _nodes(item)


def _mistakes(
    connection: duckdb.DuckDBPyConnection, tree: dict[str, Any]
) -> Iterator[str]:
    """Say what an expression does that a value of one row does not need."""
    nodes = list(_nodes(tree))
    for node in nodes:
        if node["class"] not in ALLOWED:
            name = node["class"].lower().replace("_", " ")
            yield f"it has a {name}"
    names = {
        node["function_name"].lower()
        for node in nodes
        if node["class"] == "FUNCTION"
    }
    for name in sorted(names & REFUSED.keys()):
        yield f"{name} {REFUSED[name]}"
    for (
        name,
        is_of_tables,
        aggregates,
        varies,
        definition,
    ) in connection.execute(FUNCTIONS, {"names": sorted(names)}).fetchall():
        if is_of_tables:
            yield f"{name} reads files or tables"
        if aggregates:
            yield f"{name} makes one row of several"
        if varies:
            yield f"{name} may answer another thing at the next load"
        if definition and definition.lstrip("(").lower().startswith(
            ("select", "unnest")
        ):
            yield f"{name} reads more than the row, or makes several of one"
