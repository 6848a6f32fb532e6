"""Check what is declared of events and experiments while a log is loaded.

The rules are the warehouse's own tests, run on the files before a build.
"""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
from jinja2 import Environment, FileSystemLoader

from engine.connections import lock, open_duckdb
from mapping.expressions import quoted
from mapping.language import MappingError, did_you_mean
from raw.files import REFERENCES

ROOT = Path(__file__).parents[2]
TYPE_RULE = "tests/singular/assert_event_types_are_declared_soundly.sql"
RULES = (
    "tests/singular/assert_experiments_are_declared_soundly.sql",
    "tests/singular/assert_own_measures_are_as_declared.sql",
)
MODELS = (
    "staging/reference/stg_reference__event_types",
    "staging/reference/stg_reference__variants",
    "staging/reference/stg_reference__metrics",
    "intermediate/experiments/int_measures_declared",
)
# Every file that a rule reads, with what its columns are but text.
TYPES = {
    "event_types": {"is_active": "boolean"},
    "experiments": {
        "is_control": "boolean",
        "expected_share": "double",
        "planned_users": "integer",
        "look_days": "integer",
    },
    "experiment_metrics": {
        "quantile": "double",
        "window_start_day": "integer",
        "window_end_day": "integer",
        "margin": "double",
        "cap": "double",
    },
}
MEASURES = """
    select experiment_id, lower(measure) as measure, value,
        'canonical' as row_verdict
    from read_csv({path}, header = true, all_varchar = true)
"""


def check_declarations(folder: Path) -> None:
    """Refuse types of events and experiments that mean nothing.

    Raises
    ------
    MappingError
        With the first mistake, its remedy, and how many more there are.
    """
    with open_duckdb() as connection:
        lock(connection, folders=[folder])
        for name in TYPES:
            read_declarations(connection, folder, name)
        path = quoted(str(folder / "user_measures.csv"))
        connection.execute(
            "create view int_measures_classified as "
            "select * replace (cast(value as double) as value) "
            f"from ({MEASURES.format(path=path)})"
        )
        for name in MODELS:
            query = rendered(f"models/{name}.sql")
            connection.execute(f"create view {Path(name).name} as {query}")
        for problem, remedy in connection.execute(
            f"select * from ({rendered(TYPE_RULE)}) order by all"
        ).fetchall():
            raise MappingError(f"{problem}; {remedy}")
        mistakes = [
            f"{', '.join(filter(None, row[:2]))}: {row[2]}; {row[3]}"
            for rule in RULES
            for row in connection.execute(
                f"select * from ({rendered(rule)}) order by all nulls first"
            ).fetchall()
        ]
        mistakes += strangers(connection, folder)
    if mistakes:
        more = f" (and {len(mistakes) - 1} more)" if mistakes[1:] else ""
        raise MappingError(f"declared experiments: {mistakes[0]}{more}")


def read_declarations(
    connection: duckdb.DuckDBPyConnection, folder: Path, name: str
) -> None:
    """Read a reference file as the warehouse does; lacking columns are null."""
    columns = {
        column: TYPES[name].get(column, "varchar")
        for column in REFERENCES[name].split(",")
    }
    fields = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    connection.execute(f"create table {name} ({fields})")
    values = ", ".join("?" * len(columns))
    with (folder / f"{name}.csv").open(
        encoding="utf-8-sig", newline=""
    ) as file:
        reader = csv.DictReader(file)
        for row in reader:
            place = f"{name}.csv, line {reader.line_num}"
            if None in row or None in row.values():
                raise MappingError(
                    f"{place}: it has another number of values than the header "
                    "has columns"
                )
            try:
                connection.execute(
                    f"insert into {name} values ({values})",
                    [row.get(column) or None for column in columns],
                )
            except duckdb.Error as error:
                message = str(error).splitlines()[0]
                raise MappingError(f"{place}: {message}") from None


def strangers(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[str]:
    """Find declared variants that nobody has where somebody has another."""
    path = quoted(str(folder / "experiment_assignments.csv"))
    rows = connection.execute(
        f"""
        with

        assigned as (
            select distinct experiment_id, variant
            from read_csv({path}, header = true, all_varchar = true)
        ),

        others as (
            select
                assigned.experiment_id,
                list(assigned.variant order by assigned.variant) as names
            from assigned
            anti join experiments using (experiment_id, variant)
            where assigned.variant is not null
            group by assigned.experiment_id
        )

        select experiments.experiment_id, experiments.variant, others.names
        from experiments
        inner join others using (experiment_id)
        anti join assigned
            on experiments.experiment_id = assigned.experiment_id
            and experiments.variant = assigned.variant
        order by all
        """
    ).fetchall()
    return [
        f"{experiment}: nobody was assigned to variant '{variant}'; write it "
        f"as the assignments do: {', '.join(names)}"
        f"{did_you_mean(variant, tuple(names))}"
        for experiment, variant, names in rows
    ]


def rendered(path: str) -> str:
    """Render SQL of the warehouse over tables named like its models."""
    environment = Environment(  # noqa: S701 - SQL, not HTML
        loader=FileSystemLoader(ROOT)
    )
    environment.globals |= {"ref": lambda name: name, "flags": {}}
    for name, file, macro in (
        ("data_type", "dialect/data_type", "duckdb__data_type"),
        ("event_measures", "experiments/event_measures", "event_measures"),
        ("kinds_with", "experiments/kinds_with", "kinds_with"),
    ):
        module = environment.get_template(f"macros/{file}.sql").module
        environment.globals[name] = vars(module)[macro]
    return environment.get_template(path).render()
