"""Estimate effects, intervals and scenarios from the marts.

Reads the marts, and from the log's folder its name and seed
(``manifest.json``) and its own queries (``estimates/*.sql``). Replaces all
tables of the schema ``results``, in one transaction where the engine knows
any, then prints the answers. Run after ``dbt build``:

    python scripts/analyze.py
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

import claims.readout
import experiments.readout
import experiments.tables
import genres.readout
import genres.tables
import retention.lifetimes
import scenarios.readout
from claims.headlines import headline_rows, in_order, place
from estimates.files import Estimate, chosen, read_estimates, relations_of
from estimates.numbers import Number, number_of
from publication import runs
from publication.locks import LockedError, this_command
from scenarios.assumptions import as_date
from scenarios.declarations import Scenario, declared, estimates_of
from scenarios.outlooks import MINIMUM_DRAWS
from scenarios.projections import projections
from warehouse import (
    Warehouse,
    WarehouseError,
    connect,
    default_address,
    is_file,
    read_marts,
    replacing_results,
    rows_of,
    version_of,
)

Row = Mapping[str, Any]
Results = dict[str, list[dict[str, Any]]]

# What declares the scenarios, in the order in which it is read.
DECLARATIONS = (
    "dim_scenarios",
    "dim_scenario_terms",
    "dim_scenario_estimates",
)
# What is read for any log; its own queries may add to it.
MARTS = sorted(
    {
        *experiments.tables.MARTS,
        *genres.tables.MARTS,
        *retention.lifetimes.MARTS,
        *DECLARATIONS,
        "dim_headline_claims",
        "fct_observation",
    }
)


class Declared(NamedTuple):
    """What a log asks for."""

    scenarios: list[Scenario]
    claims: list[Row]  # rows of ``dim_headline_claims``, in order
    estimates: dict[str, Estimate]  # those that a scenario or a claim names


def read_declared(
    marts: Mapping[str, pd.DataFrame], estimates: Mapping[str, Estimate]
) -> Declared:
    """Read the scenarios and claims of a log, with the queries they name.

    Raises
    ------
    ValueError
        Naming file, row and remedy, if one cannot be used.
    """
    files = [rows_of(marts[name]) for name in DECLARATIONS]
    asked = declared(*files)
    claimed = in_order(rows_of(marts["dim_headline_claims"]))
    named = {
        **{row["headline_name"]: place(row) for row in claimed},
        **{one.name: one.where for one in estimates_of(asked)},
    }
    return Declared(
        asked,
        claimed,
        {name: chosen(estimates, name, where) for name, where in named.items()},
    )


def marts_of(estimates: Iterable[Estimate]) -> list[str]:
    """List every mart that an analysis reads."""
    return sorted(
        set(MARTS).union(*(relations_of(one)["marts"] for one in estimates))
    )


def projected(
    marts: Mapping[str, pd.DataFrame],
    asked: Declared,
    numbers: Mapping[str, Number],
    draw_count: int,
    draw_seed: int,
) -> Results:
    """Project the declared scenarios."""
    days = marts["fct_observation"]["watermark_date"].dropna()
    queries = pd.DataFrame(
        [one._asdict() for one in asked.estimates.values()],
        columns=list(Estimate._fields),
    )
    return projections(
        asked.scenarios,
        numbers,
        observed=as_date(days.iloc[0]) if len(days) else None,
        draw_count=draw_count,
        seed=draw_seed,
        assumption_version=version_of(
            {name: marts[name] for name in DECLARATIONS}
            | {"estimates": queries.sort_values("name")}
        ),
    )


def analyse(
    opened: Warehouse,
    estimates: Mapping[str, Estimate],
    run_row: Row,
    *,
    alpha: float,
    draw_count: int,
    draw_seed: int,
) -> Results:
    """Compute and replace every result table.

    The warehouse is open for writing, `run_row` is what `read_manifest` says of
    the log, and `alpha` is the two-sided significance level, in (0, 1). Gives
    the rows of each table.

    Raises
    ------
    ValueError, WarehouseError
        Naming file or row and the remedy, if a declaration, an estimate or a
        mart cannot be used; nothing is changed then.
    """
    marts = read_marts(opened, MARTS)
    asked = read_declared(marts, estimates)
    names = marts_of(asked.estimates.values())
    others = [name for name in names if name not in marts]
    version = version_of(marts | read_marts(opened, others))
    results: Results = {}

    with replacing_results(opened) as write:

        def add(tables: Results) -> None:
            for rows in tables.values():
                for row in rows:
                    row["input_version"] = version
            write(tables)
            results.update(tables)

        def found(names: Iterable[str]) -> dict[str, Number]:
            return {
                name: number_of(asked.estimates[name], opened.query, results)
                for name in names
            }

        add(experiments.tables.experiment_tables(marts, alpha))
        add(genres.tables.genre_tables(marts, alpha))
        add({"expected_lifetimes": retention.lifetimes.lifetime_rows(marts)})
        terms = found({one.name for one in estimates_of(asked.scenarios)})
        add(projected(marts, asked, terms, draw_count, draw_seed))
        shown = found(row["headline_name"] for row in asked.claims)
        last = {
            "headlines": headline_rows(asked.claims, shown, alpha),
            "analysis_runs": [
                {
                    **run_row,
                    "input_version": version,
                    "input_marts": ", ".join(names),
                    "alpha": alpha,
                    "draw_count": draw_count,
                    "draw_seed": draw_seed,
                    "engine_name": opened.engine_name,
                    "engine_version": opened.engine_version,
                }
            ],
        }
        write(last)
    return results | last


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the log's name, source and seed; the folder's name if unnamed.

    Raises
    ------
    WarehouseError
        If the manifest is no JSON object.
    """
    path = folder / "manifest.json"
    manifest: Any = {}
    if path.is_file():
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            manifest = None
        if not isinstance(manifest, dict):
            raise WarehouseError(
                f"{path} is not a JSON object; load the log again"
            )
    return {
        "log_name": manifest.get("log_name") or folder.resolve().name,
        "source": manifest.get("source"),
        "data_seed": manifest.get("seed"),
        "run_number": runs.number_inside(),
    }


def run(options: argparse.Namespace) -> Results:
    """Read, compute and replace the results; return what was written.

    A published file is copied, and the copy published.
    """
    if not is_file(options.warehouse) or runs.is_inside():
        return analyse_at(options.warehouse, options)
    published = Path(options.warehouse)
    if not published.is_file():
        raise WarehouseError(f"no warehouse at {published}; run `make build`")
    started = runs.start(published, options.seeds, this_command(), anew=False)
    os.environ |= started.environment()
    results = analyse_at(str(started.version.file), options)
    started.record(None)
    started.publish()
    return results


def analyse_at(address: str, options: argparse.Namespace) -> Results:
    """Read a warehouse, and replace its results."""
    with connect(address, read_only=False) as opened:
        return analyse(
            opened,
            read_estimates(options.seeds),
            read_manifest(options.seeds),
            alpha=options.alpha,
            draw_count=options.draws,
            draw_seed=options.draw_seed,
        )


def summary(results: Results) -> str:
    """Write the answers as plain text."""
    [run_row] = results["analysis_runs"]
    parts = [
        f"{run_row['log_name']}: results of input {run_row['input_version']}",
        claims.readout.headlines(results["headlines"]),
        experiments.readout.experiments(results),
        genres.readout.diversity(
            results["genre_effects"], results["genre_checks"]
        ),
        scenarios.readout.scenarios(
            results["scenario_results"],
            results["scenario_sensitivity"],
            results["scenario_breakeven"],
        ),
    ]
    return "\n\n".join(parts)


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description="Estimate effects, intervals and scenarios from the marts "
        "and write them to the schema results. Run after dbt build.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--warehouse",
        default=default_address(),
        help="DuckDB file that dbt built, or target:NAME of profiles.yml",
    )
    parser.add_argument(
        "--seeds",
        type=Path,
        default=Path(os.environ.get("STREAMING_SEEDS") or "seeds"),
        help="folder of the log's manifest.json and estimates/",
    )
    parser.add_argument(
        "--draws",
        type=int,
        default=100_000,
        help="Monte Carlo draws per scenario",
    )
    parser.add_argument(
        "--draw-seed", type=int, default=1, help="seed of the draws"
    )
    parser.add_argument(
        "--alpha",
        type=float,
        default=0.05,
        help="two-sided significance level of intervals and tests",
    )
    options = parser.parse_args(arguments)
    if not 0 < options.alpha < 1:
        parser.error(f"--alpha must be in (0, 1), got {options.alpha}")
    if options.draws < MINIMUM_DRAWS:
        parser.error(
            f"--draws must be at least {MINIMUM_DRAWS}, got {options.draws}"
        )
    if options.draw_seed < 0:
        parser.error(
            f"--draw-seed must not be negative, got {options.draw_seed}"
        )
    return options


def main() -> None:
    """Estimate, write, and print."""
    try:
        print(summary(run(parsed())))
    except (WarehouseError, LockedError, ValueError) as error:
        sys.exit(f"analyze: {error}")


if __name__ == "__main__":
    main()
