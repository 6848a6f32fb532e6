"""Write the report: one page of charts and tables that opens offline.

Reads the schemas `marts` and `results` of the warehouse, and what `make
coverage` left beside it, and writes ``target/report/index.html``. Run after
the build and the analysis:

    python scripts/build_report.py [--warehouse ADDRESS] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import vl_convert

import warehouse
from coverage_check import record
from display.parts import Row, Tables
from report.page import MARTS, render


class ReadTables(Tables):
    """Tables of the warehouse; one that nobody asked for is named."""

    def __missing__(self, name: str) -> list[Row]:
        """Refuse a table that was not read."""
        raise warehouse.WarehouseError(
            f"a page shows {name} and does not declare it in its MARTS"
        )


def read_tables(address: str | Path) -> Tables:
    """Read all that the page shows.

    Raises
    ------
    WarehouseError
        If the warehouse, a table or the results are missing.
    """
    with warehouse.connect(address) as connection:
        tables = ReadTables(
            (name, warehouse.rows_of(frame))
            for name, frame in warehouse.read_marts(connection, MARTS).items()
        )
        try:
            for name, frame in warehouse.read_results(connection).items():
                tables[name] = warehouse.rows_of(frame)
        except warehouse.WarehouseError as error:
            raise warehouse.WarehouseError(
                f"{address} has no complete results ({error}); run `make"
                " analyze`"
            ) from None
        if not tables["analysis_runs"]:
            raise warehouse.WarehouseError(
                f"{address} has no results yet; run `make analyze`"
            )
        [run] = tables["analysis_runs"]
        version, counted = (
            warehouse.version_of(warehouse.read_marts(connection, marts))
            for marts in (run["input_marts"].split(", "), record.MARTS)
        )
    if run["input_version"] != version:
        raise warehouse.WarehouseError(
            f"the results in {address} belong to an earlier build; run"
            " `make analyze`"
        )
    if not tables["fct_observation"]:
        raise warehouse.WarehouseError(
            f"{address} has no events: marts.fct_observation is empty; check"
            " the raw files and run `make build`"
        )
    tables["coverage"] = read_coverage(address, counted)
    return tables


def read_coverage(address: str | Path, version: str) -> list[Row]:
    """Read what `make coverage` left beside the DuckDB file, if it is current.

    Raises
    ------
    WarehouseError
        If the file is not one that `make coverage` wrote.
    """
    file = Path(address)
    if not warehouse.is_file(str(address)):
        file = warehouse.default_file()
    path = file.with_name(record.FILE)
    try:
        rows, is_current = record.read(path, version)
    except ValueError as error:
        raise warehouse.WarehouseError(str(error)) from None
    if not is_current:
        print(
            f"build_report: {path} is of other experiments and left out; run"
            " `make coverage` to renew it",
            file=sys.stderr,
        )
    return rows


def javascript() -> str:
    """Take Vega-Lite's JavaScript from the installed vl-convert."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


def write(text: str, target: Path) -> None:
    """Write a file whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def main() -> int:
    """Read the warehouse and write the page."""
    parser = argparse.ArgumentParser(
        description="Write the report, one page that opens offline.",
    )
    parser.add_argument(
        "--warehouse",
        default=warehouse.default_address(),
        help="DuckDB file to read, or target:NAME of profiles.yml"
        " (default: %(default)s)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("target/report"),
        help="folder of index.html (default: %(default)s)",
    )
    options = parser.parse_args()
    target = options.out / "index.html"
    try:
        tables = read_tables(options.warehouse)
        page = render(tables, javascript())
        write(page, target)
    except (warehouse.WarehouseError, OSError) as error:
        print(f"build_report: {error}", file=sys.stderr)
        return 1
    print(f"{target.name}: {len(page.encode()) / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
