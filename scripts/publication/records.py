"""What every published version was, kept in the schema `runs`.

The tables are declared in ``models/runs.yml`` and made here; every new version
begins with the rows of the one before.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import yaml

from raw.checks import read_facts
from raw.files import (
    MANIFEST,
    TABLES,
    file_facts,
    read_manifest,
    typed_files,
)

Row = Mapping[str, Any]
PROJECT = Path(__file__).resolve().parents[2]
DEFINITION = PROJECT / "models" / "runs.yml"

# Headline values: a name, and a query of one number.
FIGURES = {
    "event_count": "select event_count from marts.fct_observation",
    "session_count": "select session_count from marts.fct_observation",
    "play_count": "select play_count from marts.fct_observation",
    "user_count": "select user_count from marts.fct_observation",
    "rejected_row_count": "select sum(malformed_rows + rejected_rows)"
    " from marts.fct_reconciliation",
    **{
        f"retention_day_{day}": "select rate from marts.fct_retention_summary"
        " where dimension = 'all' and retention_type = 'on_day'"
        f" and day_mode = 'calendar' and from_day_number = {day}"
        for day in (1, 7, 30)
    },
}


@dataclass(frozen=True)
class Build:
    """What dbt says of a build, as its last macro writes it."""

    is_whole: bool
    # Relation, as schema and name, to the fingerprint of its compiled SQL.
    definitions: Mapping[str, str]
    passed_test_count: int = 0
    warned_test_count: int = 0
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class Inputs:
    """The raw files of a log, as they were when a run began."""

    folder: Path
    facts: Mapping[str, Mapping[str, int | str]]  # by file name
    stamps: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)

    def changed(self) -> list[str]:
        """Name the files that were replaced or written to since."""
        now = _stamps(self.folder)
        return sorted(
            name
            for name in self.stamps.keys() | now.keys()
            if self.stamps.get(name) != now.get(name)
        )


def read_inputs(folder: Path, cache: Path | None = None) -> Inputs:
    """Note the raw files of a log, their sizes and their digests.

    The cache is that of `raw.checks`: what it knows is not read again.
    """
    stamps = _stamps(folder)
    facts: dict[str, Mapping[str, int | str]] = {}
    if all((folder / f"{table}.csv").is_file() for table in TABLES):
        facts |= {
            str(path.relative_to(folder)): {
                "bytes": one.bytes,
                "sha256": one.sha256,
            }
            for path, one in read_facts(folder, cache).items()
        }
    for name in stamps.keys() - facts.keys():
        facts[name] = file_facts(folder / name)
    return Inputs(folder, facts, stamps)


def fallen(
    connection: duckdb.DuckDBPyConnection, inputs: Inputs, limit: float
) -> list[str]:
    """Name raw files with fewer rows than in the run before.

    Fewer by more than a share of them, in [0, 1]. One line for each, with its
    remedy.
    """
    number = next_number(connection)
    before = {
        row["file_name"]: row["row_count"]
        for row in _table(connection, "run_inputs", number - 1)
    }
    return [
        f"{inputs.folder / row['file_name']} has {row['row_count']:,} rows, and"
        f" had {before[row['file_name']]:,} in run {number - 1}; if the export"
        " is complete, raise volume_fall_limit or set volume_check to ignore"
        for row in _input_rows(connection, number, inputs)
        if row["row_count"] is not None
        and row["row_count"] < (1 - limit) * (before.get(row["file_name"]) or 0)
    ]


def next_number(connection: duckdb.DuckDBPyConnection) -> int:
    """Give the number of the next run."""
    if not _has(connection, "runs", "runs"):
        return 1
    found = connection.execute("select max(run_number) from runs.runs")
    return (found.fetchall()[0][0] or 0) + 1


def record(
    connection: duckdb.DuckDBPyConnection,
    inputs: Inputs,
    build: Build | None,
    *,
    command: str,
    started_at: datetime,
    warnings: Sequence[str] = (),
) -> int:
    """Write down a run in the file that is about to be published.

    Without a build the marts are those of the run before. Returns the run's
    number.
    """
    _create_tables(connection)
    number = next_number(connection)
    before = _relations(connection, number - 1)
    relations = _relation_rows(connection, number, build, before)
    inputs_before = _table(connection, "run_inputs", number - 1)
    files = (
        _input_rows(connection, number, inputs)
        if build
        else [{**row, "run_number": number} for row in inputs_before]
    )
    figures = _figure_rows(connection, number)
    manifest = read_manifest(inputs.folder)
    variables = inputs.folder / "vars.yml"
    parts = [
        *(
            f"{row['relation_name']} {row['definition_hash']}"
            for row in relations
        ),
        variables.read_text(encoding="utf-8") if variables.is_file() else "",
        json.dumps(manifest.get("mapping"), sort_keys=True),
    ]
    earlier = {row["file_name"]: row["sha256"] for row in inputs_before}
    run = {
        "run_number": number,
        "started_at": started_at,
        "finished_at": _now(),
        "command": command,
        "is_whole": build.is_whole if build else None,
        "model_count": len(build.definitions) if build else 0,
        "passed_test_count": build.passed_test_count if build else 0,
        "warned_test_count": build.warned_test_count if build else 0,
        "has_results": _count(connection, "results", "analysis_runs") > 0,
        "log_name": manifest.get("log_name") or inputs.folder.resolve().name,
        "project_version": project_version(),
        "code_version": code_version(),
        "engine_version": duckdb.__version__,
        "definition_hash": hashlib.md5(
            "\n".join(parts).encode(), usedforsecurity=False
        ).hexdigest(),
        "changed_models": _joined(
            row["relation_name"]
            for row in relations
            if before
            and row["definition_hash"]
            != before.get(row["relation_name"], {}).get("definition_hash")
        ),
        "changed_inputs": _joined(
            row["file_name"]
            for row in files
            if earlier and row["sha256"] != earlier.get(row["file_name"])
        ),
    }
    connection.begin()
    for table, rows in {
        "runs": [run],
        "run_inputs": files,
        "run_relations": relations,
        "run_figures": figures,
        "run_warnings": [
            {"run_number": number, "warning": warning}
            for warning in [*warnings, *(build.warnings if build else ())]
        ],
    }.items():
        _insert(connection, table, rows)
    connection.commit()
    return number


def summary(connection: duckdb.DuckDBPyConnection, number: int) -> list[str]:
    """Say what a run is, and what changed against the one before."""
    [run] = _table(connection, "runs", number)
    lines = [
        f"Run {number}: {run['model_count']} models,"
        f" {run['passed_test_count']} tests passed,"
        f" {run['warned_test_count']} warned"
        if run["model_count"]
        else f"Run {number}: results of the marts of the run before"
    ]
    lines += _reconciled(connection)
    names = {"changed_inputs": "raw files", "changed_models": "definitions"}
    for column, name in names.items():
        changed = (run[column] or "").split(", ")
        if run[column]:
            shown = ", ".join(changed[:3]) + (", ..." if changed[3:] else "")
            lines.append(f"  changed {name} ({len(changed)}): {shown}")
    for row in _table(connection, "run_figures", number):
        value, before = row["value"], row["value_before"]
        if value is not None and before is not None and value != before:
            lines.append(
                f"  {row['figure_name']}: {value:,.6g}"
                f" ({value - before:+,.6g} against run {number - 1})"
            )
    warnings = _table(connection, "run_warnings", number)
    return lines + [f"Warning: {row['warning']}" for row in warnings]


def _reconciled(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Say where the lines of each raw file went, if any was set apart."""
    if not _has(connection, "marts", "fct_reconciliation"):
        return []
    found = connection.execute(
        "select table_name, raw_rows, canonical_rows, duplicate_rows,"
        " rejected_rows, malformed_rows from marts.fct_reconciliation"
        " where raw_rows > canonical_rows order by raw_rows desc"
    ).fetchall()
    return [
        f"  {name}: {lines:,} lines = {canonical:,} canonical"
        f" + {duplicate:,} duplicate + {rejected:,} rejected"
        f" + {malformed:,} malformed"
        for name, lines, canonical, duplicate, rejected, malformed in found
    ]


def project_version() -> str:
    """Read the project's version."""
    text = (PROJECT / "dbt_project.yml").read_text(encoding="utf-8")
    return str(yaml.safe_load(text)["version"])


def code_version() -> str | None:
    """Name the commit of the project, if it is a checkout and git is there."""
    git = shutil.which("git")
    if not git or not (PROJECT / ".git").exists():
        return None
    done = subprocess.run(  # noqa: S603
        [git, "-C", str(PROJECT), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or None


def _create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the declared tables, or add the columns that they lack."""
    text = DEFINITION.read_text(encoding="utf-8")
    [source] = yaml.safe_load(text)["sources"]
    connection.execute("create schema if not exists runs")
    for table in source["tables"]:
        name = f"runs.{table['name']}"
        columns = [
            f"{column['name']} {column['data_type']}"
            for column in table["columns"]
        ]
        connection.execute(
            f"create table if not exists {name} ({', '.join(columns)})"
        )
        for column in columns:
            connection.execute(
                f"alter table {name} add column if not exists {column}"
            )


def _input_rows(
    connection: duckdb.DuckDBPyConnection, number: int, inputs: Inputs
) -> list[dict[str, Any]]:
    malformed = {}
    if _has(connection, "raw", "malformed_rows"):
        malformed = dict(
            connection.execute(
                "select table_name, count(*) from raw.malformed_rows group by 1"
            ).fetchall()
        )
    rows = []
    for name, facts in sorted(inputs.facts.items()):
        table = Path(name).stem
        is_table = name.endswith(".csv") and _has(connection, "raw", table)
        rows.append(
            {
                "run_number": number,
                "file_name": name,
                "byte_count": facts["bytes"],
                "sha256": facts["sha256"],
                "row_count": _count(connection, "raw", table)
                + malformed.get(table, 0)
                if is_table
                else None,
            }
        )
    return rows


def _relation_rows(
    connection: duckdb.DuckDBPyConnection,
    number: int,
    build: Build | None,
    before: Mapping[str, Row],
) -> list[dict[str, Any]]:
    found = connection.execute(
        "select schema_name || '.' || table_name, true from duckdb_tables()"
        " where database_name = current_database() and schema_name <> 'runs'"
        " union all"
        " select schema_name || '.' || view_name, false from duckdb_views()"
        " where database_name = current_database() and not internal"
        " order by 1"
    ).fetchall()
    definitions = build.definitions if build else {}
    rows = []
    for name, is_table in found:
        earlier = before.get(name, {})
        rows.append(
            {
                "run_number": number,
                "relation_name": name,
                "definition_hash": definitions.get(name)
                or earlier.get("definition_hash"),
                "row_count": _count(connection, *name.split("."))
                if is_table
                else None,
                "row_count_before": earlier.get("row_count"),
            }
        )
    return rows


def _figure_rows(
    connection: duckdb.DuckDBPyConnection, number: int
) -> list[dict[str, Any]]:
    values: dict[str, float | None] = {}
    for name, query in FIGURES.items():
        try:
            rows = connection.execute(query).fetchall()
        except duckdb.CatalogException:  # not built yet
            continue
        values[name] = rows[0][0] if rows else None
    if _has(connection, "results", "headlines"):
        values |= dict(
            connection.execute(
                "select headline_name, found from results.headlines"
                " order by position"
            ).fetchall()
        )
    before = {
        row["figure_name"]: row["value"]
        for row in _table(connection, "run_figures", number - 1)
    }
    return [
        {
            "run_number": number,
            "figure_name": name,
            "value": value,
            "value_before": before.get(name),
        }
        for name, value in values.items()
    ]


def _relations(
    connection: duckdb.DuckDBPyConnection, number: int
) -> dict[str, Row]:
    return {
        row["relation_name"]: row
        for row in _table(connection, "run_relations", number)
    }


def _table(
    connection: duckdb.DuckDBPyConnection, table: str, number: int
) -> list[dict[str, Any]]:
    """Read the rows of a run, in the order in which they were written."""
    if not _has(connection, "runs", table):
        return []
    found = connection.execute(
        f"select * from runs.{table} where run_number = ? order by rowid",
        [number],
    )
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Row]
) -> None:
    if not rows:
        return
    names, marks = ", ".join(rows[0]), ", ".join("?" for _ in rows[0])
    connection.executemany(
        f"insert into runs.{table} ({names}) values ({marks})",
        [list(row.values()) for row in rows],
    )


def _has(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str
) -> bool:
    found = connection.execute(
        "select count(*) from duckdb_tables() where schema_name = ?"
        " and table_name = ? and database_name = current_database()",
        [schema, table],
    ).fetchall()
    return bool(found[0][0])


def _count(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str
) -> int:
    if not _has(connection, schema, table):
        return 0
    found = connection.execute(f'select count(*) from {schema}."{table}"')
    return int(found.fetchall()[0][0])


def _stamps(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Tell files apart without reading them: inode, size, time of writing."""
    names = [
        *(path.name for path in sorted(folder.glob("*.csv"))),
        *(
            str(path.relative_to(folder))
            for table in TABLES
            for path in typed_files(folder, table)
        ),
        *(name for name in ("vars.yml", MANIFEST) if (folder / name).is_file()),
    ]
    found = {}
    for name in names:
        status = (folder / name).stat()
        found[name] = (status.st_ino, status.st_size, status.st_mtime_ns)
    return found


def _joined(names: Iterable[str]) -> str | None:
    return ", ".join(names) or None


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
