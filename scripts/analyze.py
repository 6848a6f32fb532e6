"""Estimate effects, intervals and scenarios from the marts.

Reads the marts, and the log's name and seed from its ``manifest.json``.
Replaces all tables of the schema ``results`` in one transaction, then prints
the answers. Run after ``dbt build``:

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

import duckdb
import pandas as pd

from inference.assumptions import assumed_terms
from inference.diversity import effect_rows
from inference.experiments import health_rows, result_rows
from inference.headlines import headline_rows
from inference.inputs import MARTS
from inference.projections import projections
from inference.scenarios import ASSUMED_TERMS, MINIMUM_DRAWS
from warehouse import (
    WarehouseError,
    connect,
    default_file,
    read_marts,
    replace_results,
    version_of,
)

Row = Mapping[str, Any]
Results = dict[str, list[dict[str, Any]]]


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
    statistics = marts["fct_experiment_statistics"]
    health = health_rows(marts["fct_experiment_arms"], statistics)
    estimated: Results = {
        "experiment_results": result_rows(statistics, health, alpha),
        "diversity_effects": effect_rows(marts["fct_diversity_strata"], alpha),
    }
    projected = projections(
        assumed_terms(records(marts["dim_scenario_terms"]), ASSUMED_TERMS),
        estimated,
        marts["fct_scenario_baselines"],
        draw_count,
        draw_seed,
    )
    headlines = headline_rows(
        records(marts["dim_headline_claims"]),
        summary=marts["fct_retention_summary"],
        genres=marts["fct_retention_by_genres"],
        statistics=statistics,
        results=estimated,
        projected=projected,
        alpha=alpha,
    )
    estimated["scenario_results"] = [one.row for one in projected]
    version = version_of(marts)
    for rows in estimated.values():
        for row in rows:
            row["input_version"] = version
    return {**estimated, "experiment_health": health, "headlines": headlines}


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
    with connect(options.warehouse, read_only=False) as connection:
        marts = read_marts(connection, MARTS)
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
                "duckdb_version": duckdb.__version__,
            }
        ]
        replace_results(connection, results)
    return results


def shown(value: float | None, unit: str = "") -> str:
    """Write a number in its unit: rates as percent, gaps as points.

    Examples
    --------
    >>> shown(0.0821, "rate"), shown(0.0421, "rate difference")
    ('8.21 %', '+4.21 points')
    >>> shown(98_765_432.1, "sessions per week"), shown(None)
    ('98,765,432', '-')
    """
    if value is None:
        return "-"
    if unit == "rate":
        return f"{value:.2%}".replace("%", " %")
    if unit == "rate difference":
        return f"{100 * value:+.2f} points"
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:,.2f}"  # noqa: PLR2004


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out cells in columns: the first on the left, the others right.

    Examples
    --------
    >>> print(aligned(["arm", "mean"], [["A", "49.90"], ["B", "5.00"]]))
      arm   mean
      A    49.90
      B     5.00
    """
    table = [list(header), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for row in table:
        first, *others = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(c.rjust(w) for c, w in others)]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def summary(results: Results) -> str:
    """Write the answers as plain text."""
    [run_row] = results["analysis_runs"]
    parts = [
        f"{run_row['log_name']}: results of input {run_row['input_version']}",
        _headlines(results["headlines"]),
        _experiments(
            results["experiment_results"], results["experiment_health"]
        ),
        _diversity(results["diversity_effects"]),
        _scenarios(results["scenario_results"]),
    ]
    return "\n\n".join(parts)


def _range(low: float | None, high: float | None, unit: str) -> str:
    """Write an interval; a number that is missing is a dash."""
    if low is None or high is None:
        return "-"
    return f"{shown(low, unit)} to {shown(high, unit)}"


def _p_value(p_value: float | None) -> str:
    if p_value is None:
        return "-"
    return f"{p_value:.3f}" if p_value >= 0.001 else f"{p_value:.1e}"  # noqa: PLR2004


def _headlines(rows: Sequence[Row]) -> str:
    if not rows:
        return "Headlines: none; the marts hold no retention."
    verdicts = {True: "within error", False: "OFF", None: "-"}
    cells = [
        [
            row["headline_name"],
            shown(row["expected"], row["unit"]),
            shown(row["found"], row["unit"]),
            _range(row["ci_low"], row["ci_high"], row["unit"]),
            "-" if row["z_score"] is None else f"{row['z_score']:+z.2f}",
            row["reason_code"] or verdicts[row["is_within_error"]],
        ]
        for row in rows
    ]
    header = ("", "expected", "found", "interval", "z", "verdict")
    title = "Headlines, expected and found"
    if all(row["expected"] is None for row in rows):
        title = "Headlines found; nothing is claimed for this log"
    return f"{title}\n{aligned(header, cells)}"


def _experiments(rows: Sequence[Row], health: Sequence[Row]) -> str:
    if not health:
        return "Experiments: none in this log."
    lines = ["Experiments, treatment against control by assignment"]
    for row in health:
        state = row["decision"]
        if row["reason_code"]:
            state = f"BLOCKED ({row['reason_code']})"
        lines.append(
            f"  {row['experiment_name']}: {state}; "
            f"{row['assigned_users']:,} users, shares "
            f"{row['observed_shares'] or '-'}, sample-ratio p "
            f"{_p_value(row['p_value'])}, mixed {row['mixed_users']:,}"
        )
    cells = []
    for row in rows:
        is_rate = row["kind"] == "proportion"
        unit, gap = ("rate", "rate difference") if is_rate else ("", "")
        cells.append(
            [
                f"{row['metric_name']} {row['treatment_variant']}",
                row["method"],
                shown(row["control_mean"], unit),
                shown(row["treatment_mean"], unit),
                shown(row["estimate"], gap),
                _range(row["ci_low"], row["ci_high"], gap),
                _p_value(row["p_value"]),
                _range(row["relative_ci_low"], row["relative_ci_high"], "rate"),
                row["reason_code"] or "",
            ]
        )
    header = (
        "",
        "method",
        "control",
        "treatment",
        "estimate",
        "interval",
        "p",
        "relative",
        "reason",
    )
    if cells:
        lines.append(aligned(header, cells))
    return "\n".join(lines)


def _diversity(rows: Sequence[Row]) -> str:
    if not rows:
        return "Genres and D7 retention: no user of this log has genres."
    unit = "rate difference"
    cells = [
        [
            row["estimand"],
            row["causal_grade"],
            shown(row["estimate"], unit),
            _range(row["ci_low"], row["ci_high"], unit),
            _p_value(row["p_value"]),
            f"{row['units_without_overlap']:,}",
            row["reason_code"] or "",
        ]
        for row in rows
    ]
    header = ("", "grade", "estimate", "interval", "p", "left out", "reason")
    title = "D7 retention, four or more genres against fewer"
    return f"{title}\n{aligned(header, cells)}"


def _scenarios(rows: Sequence[Row]) -> str:
    if not rows:
        return "Scenarios: no assumptions are given for this log."
    cells = []
    for row in rows:
        unit, chance = row["unit"], row["probability_positive"]
        cells.append(
            [
                f"{row['scenario_name']} {row['outcome']}",
                row["version"],
                row["causal_grade"] or "-",
                shown(row["point_estimate"], unit),
                _range(row["ci95_low"], row["ci95_high"], unit),
                "-" if chance is None else f"{chance:.3f}",
                "-"
                if row["probability_target"] is None
                else f"{row['probability_target']:.3f}",
                row["reason_code"] or "",
            ]
        )
    header = (
        "",
        "effect",
        "grade",
        "as stated",
        "95 % interval",
        "P(> 0)",
        "P(ROI > 1)",
        "reason",
    )
    title = "Scenarios, every uncertain term drawn"
    return f"{title}\n{aligned(header, cells)}"


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description="Estimate effects, intervals and scenarios from the marts "
        "and write them to the schema results. Run after dbt build.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--warehouse",
        type=Path,
        default=default_file(),
        help="DuckDB file that dbt built",
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
