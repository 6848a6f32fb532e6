"""Prove that two warehouses hold the same, or show where they do not.

Reads DuckDB files, folders of Parquet or targets on Spark; writes nothing but
the record that ``--json`` asks for. Run after building both:

    python scripts/compare_warehouses.py old.duckdb new.duckdb

Every relation is compared in every column, whatever the order of rows and
columns: exactly, but for floating numbers, which may differ by 1e-9 of
themselves. Rows are matched by the key that the project's YAML declares. The
exit code is 0 if all is equal, 1 if something differs, 2 if it cannot be told.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb

from comparison.differences import compare_rows
from comparison.keys import MODELS, Keys
from comparison.pairs import Pair, Renames, paired, read_renames, without
from comparison.sources import (
    DuckDBSource,
    ParquetSource,
    Source,
    first_line,
    working_connection,
)
from comparison.spark import SparkSource
from comparison.verdicts import Summary, Verdict
from warehouse import WarehouseError
from warehouse.opening import TARGET, target_credentials

SCHEMAS = "staging,intermediate,marts,results"
EQUAL, DIFFERENT, UNTOLD = 0, 1, 2
QUIET_SECONDS = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the arguments, compare, and print what differs."""
    options = _options(arguments)
    try:
        renames = read_renames(options.renamed) if options.renamed else None
        return _compare(options, renames or Renames())
    except (WarehouseError, OSError) as error:
        print(f"compare_warehouses: {error}", file=sys.stderr)
    except duckdb.Error as error:
        print(f"compare_warehouses: {first_line(error)}", file=sys.stderr)
    return UNTOLD


def _compare(options: argparse.Namespace, renames: Renames) -> int:
    """Compare what the options name; return the exit code."""
    if not options.models.is_dir():
        raise WarehouseError(f"there is no folder {options.models} of models")
    old, new = open_source(options.old), open_source(options.new)
    schemas = [schema.strip() for schema in options.schemas.split(",")]
    pairs, left_out = without(
        _pairs(old, new, schemas, renames), options.excepted
    )
    if not pairs:
        raise WarehouseError("nothing is left to compare; leave out less")
    keys, announce = Keys(options.models), _announcer(len(pairs))
    verdicts = []
    for pair in pairs:
        announce(pair.name)
        verdicts.append(_judge(pair, old, new, keys, options))
        if not verdicts[-1].is_equal:
            print("\n".join(verdicts[-1].lines()), flush=True)
    summary = Summary(
        options.old, options.new, verdicts, left_out, renames.count
    )
    if summary.is_equal and not summary.row_count:
        raise WarehouseError("nothing was compared: no relation has a row")
    if options.json:
        text = json.dumps(summary.as_record(), indent=2, allow_nan=False)
        options.json.write_text(text + "\n", encoding="utf-8")
    print("\n".join(summary.lines()))
    return EQUAL if summary.is_equal else DIFFERENT


def open_source(text: str) -> Source:
    """Open what the command line names.

    A path of a DuckDB file or of a folder of Parquet, or `target:NAME`.

    Raises
    ------
    WarehouseError
        If there is no such path, or it is neither.
    """
    if text.startswith(TARGET):
        name = text.removeprefix(TARGET)
        credentials = target_credentials(name)
        if credentials.type == "spark":
            return SparkSource(name)
        text = str(getattr(credentials, "path", text))
    path = Path(text)
    if path.is_dir():
        return ParquetSource(path)
    if path.is_file():
        return DuckDBSource(path)
    raise WarehouseError(
        f"there is no {text}; name a DuckDB file, a folder of Parquet or"
        " target:NAME of profiles.yml"
    )


def _pairs(
    old: Source, new: Source, schemas: Sequence[str], renames: Renames
) -> list[Pair]:
    """Put together the relations of the schemas, which must be there."""
    there = old.schemas() | new.schemas()
    if absent := [schema for schema in schemas if schema not in there]:
        raise WarehouseError(
            f"neither side has {', '.join(absent)}; there are"
            f" {', '.join(sorted(there)) or 'none'}: name some with --schemas"
        )
    return paired(old.relations(schemas), new.relations(schemas), renames)


def _judge(
    pair: Pair,
    old: Source,
    new: Source,
    keys: Keys,
    options: argparse.Namespace,
) -> Verdict:
    """Compare the rows of a pair in a database of its own."""
    if not pair.old or not pair.new:
        return Verdict(pair)
    columns = [column for column in pair.columns if column.is_comparable]
    try:
        with working_connection(options.memory) as connection:
            rows = compare_rows(
                connection,
                old.bring(connection, *pair.old),
                new.bring(connection, *pair.new),
                columns,
                keys.of(pair.new),
                show=options.show,
            )
    except duckdb.Error as error:
        raise WarehouseError(f"{pair.name}: {first_line(error)}") from None
    return Verdict(pair, rows)


def _announcer(total: int) -> Callable[[str], None]:
    """Make what tells of the relations begun, on a log now and then only."""
    started = told = time.monotonic()
    number = 0

    def announce(name: str) -> None:
        nonlocal number, told
        number += 1
        now = time.monotonic()
        if sys.stderr.isatty() or now - told >= QUIET_SECONDS:
            told = now
            print(
                f"{number} of {total}, {now - started:.0f} s: {name}",
                file=sys.stderr,
                flush=True,
            )

    return announce


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Compare two warehouses in every row and column."
    )
    side = "a DuckDB file, a folder of Parquet, or target:NAME on Spark"
    parser.add_argument("old", help=side)
    parser.add_argument("new", help=side)
    parser.add_argument(
        "--schemas", default=SCHEMAS, help="default: %(default)s"
    )
    parser.add_argument(
        "--renamed",
        type=Path,
        help="YAML of what may differ: relations (old to new name), columns"
        " (new relation to old to new name), added and removed (relation to"
        " columns, or all)",
    )
    parser.add_argument(
        "--except",
        dest="excepted",
        action="append",
        default=[],
        metavar="PATTERN",
        help="leave out columns, as schema.relation.column with wildcards",
    )
    parser.add_argument(
        "--show",
        type=int,
        default=3,
        help="examples of each difference (default: %(default)s)",
    )
    parser.add_argument("--json", type=Path, help="file for the full record")
    parser.add_argument(
        "--memory",
        default="2GB",
        help="what the database may take before it spills"
        " (default: %(default)s)",
    )
    parser.add_argument(
        "--models",
        type=Path,
        default=MODELS,
        help="folder of YAML with the keys (default: the project's)",
    )
    options = parser.parse_args(arguments)
    if options.show < 1:
        parser.error(f"--show must be at least 1, got {options.show}")
    return options


if __name__ == "__main__":
    sys.exit(main())
