"""Estimate effects, intervals and scenarios from the marts.

Reads the marts, and the log's name and seed from its ``manifest.json``.
Replaces all tables of the schema ``results``, in one transaction where the
engine knows any, then prints the answers. Run after ``dbt build``:

    python scripts/analyze.py
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

import claims.readout
import experiments.readout
import experiments.tables
import genres.readout
import genres.tables
import scenarios.readout
from claims.headlines import headline_rows
from scenarios.assumptions import as_date
from scenarios.declarations import declared
from scenarios.outlooks import MINIMUM_DRAWS
from scenarios.projections import Projected, projections
from warehouse import (
    WarehouseError,
    connect,
    default_address,
    read_marts,
    replace_results,
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
# What every estimate is computed from.
MARTS = sorted(
    {
        *experiments.tables.MARTS,
        *genres.tables.MARTS,
        *DECLARATIONS,
        "dim_headline_claims",
        "fct_observation",
        "fct_retention_summary",
        "fct_scenario_baselines",
        "fct_survival",
    }
)


def analysed(
    marts: Mapping[str, pd.DataFrame],
    *,
    alpha: float,
    draw_count: int,
    draw_seed: int,
) -> Results:
    """Compute every result table but `analysis_runs` from frames.

    Parameters
    ----------
    marts : mapping of str to DataFrame
        The marts of `MARTS`.
    alpha : float
        Two-sided significance level, in (0, 1).
    draw_count, draw_seed : int
        Monte Carlo draws and their seed.

    Returns
    -------
    dict of str to list of dict
        Table to rows; the tables that quote it carry ``input_version``.

    Raises
    ------
    ValueError
        Naming the row and the remedy, if an assumption or a claim cannot be
        used.
    """
    estimated: Results = {
        **experiments.tables.experiment_tables(marts, alpha),
        **genres.tables.genre_tables(marts, alpha),
    }
    projected = projected_scenarios(marts, estimated, draw_count, draw_seed)
    compared = headline_rows(
        records(marts["dim_headline_claims"]),
        summary=marts["fct_retention_summary"],
        genres=marts["fct_retention_by_genres"],
        statistics=marts["fct_experiment_statistics"],
        results=estimated,
        projected=projected,
        alpha=alpha,
    )
    estimated |= projected.tables
    version = version_of(marts)
    for rows in estimated.values():
        for row in rows:
            row["input_version"] = version
    return {**estimated, "headlines": compared}


def projected_scenarios(
    marts: Mapping[str, pd.DataFrame],
    estimated: Results,
    draw_count: int,
    draw_seed: int,
) -> Projected:
    """Read the declared scenarios and project them."""
    files = {name: marts[name] for name in DECLARATIONS}
    days = marts["fct_observation"]["watermark_date"].dropna()
    return projections(
        declared(*(records(frame) for frame in files.values())),
        {
            **estimated,
            "fct_scenario_baselines": records(marts["fct_scenario_baselines"]),
            "fct_survival": records(marts["fct_survival"]),
        },
        observed=as_date(days.iloc[0]) if len(days) else None,
        draw_count=draw_count,
        seed=draw_seed,
        assumption_version=version_of(files),
    )


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn a frame into rows; every kind of null is None."""
    return [
        {
            str(name): None if pd.isna(value) else value
            for name, value in row.items()
        }
        for row in frame.to_dict("records")
    ]


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
    }


def run(options: argparse.Namespace) -> Results:
    """Read, compute and replace the results; return what was written."""
    run_row = read_manifest(options.seeds)
    with connect(options.warehouse, read_only=False) as opened:
        marts = read_marts(opened, MARTS)
        results = analysed(
            marts,
            alpha=options.alpha,
            draw_count=options.draws,
            draw_seed=options.draw_seed,
        )
        results["analysis_runs"] = [
            run_row
            | {
                "input_version": version_of(marts),
                "alpha": options.alpha,
                "draw_count": options.draws,
                "draw_seed": options.draw_seed,
                "engine_name": opened.engine_name,
                "engine_version": opened.engine_version,
            }
        ]
        replace_results(opened, results)
    return results


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
        help="folder of the log's manifest.json",
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
    except (WarehouseError, ValueError) as error:
        sys.exit(f"analyze: {error}")


if __name__ == "__main__":
    main()
