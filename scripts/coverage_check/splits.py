"""Users of a finished experiment, split anew, through the SQL of the marts.

The units of a real experiment are dealt to two arms again and again by a hash;
whatever they did, no arm has an effect on it, unless one is planted here. The
compiled SQL of the warehouse's own models turns each deal into statistics.

Reads the warehouse and dbt's compiled models, writes in memory only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from engine.connections import open_duckdb
from experiments.grids import declared_pairs
from warehouse import WarehouseError, stand_in

MODELS = (
    "fct_experiment_caps",
    "fct_experiment_versions",
    "fct_experiment_statistics",
    "fct_experiment_quantiles",
    "fct_experiment_looks",
)
UNITS, EXPOSURES = "fct_experiment_outcomes", "fct_experiment_assignments"
# Users per experiment: enough for a test, few enough for thousands of deals.
USERS = 4_000
# Replicates whose users are in memory at once.
CHUNK = 100
REACHED_SHARE = 0.85


class World(NamedTuple):
    """What arm B does to its users."""

    name: str  # tells its replicates from those of other worlds
    # Metric to the SQL of the outcome in arm B; all others are as they were.
    outcomes: Mapping[str, str]


class Splits:
    """The users of one experiment, and the models that sum them up.

    Attributes
    ----------
    preferred_strata : list of str
        See `experiments.grids.strata`.
    """

    def __init__(
        self, warehouse: Path, compiled: Path, experiment: str, users: int
    ) -> None:
        """Copy the users into memory; see `opened`."""
        self.connection = open_duckdb()
        # Folders named like a file hold what tests of it compiled to.
        found = {
            path.stem: path
            for path in compiled.rglob("*.sql")
            if not path.parent.suffix
        }
        missing = [name for name in MODELS if name not in found]
        if missing:
            raise WarehouseError(
                f"{compiled} has no {missing[0]}.sql; run `make build`"
            )
        self.sql = {
            name: found[name].read_text(encoding="utf-8") for name in MODELS
        }
        named = re.search(r'"(\w+)"\."marts"', self.sql[MODELS[0]])
        if named is None:
            raise WarehouseError(f"{found[MODELS[0]]} reads no mart")
        self.catalog = named[1]
        # Views name the warehouse by this name, and no other.
        self.connection.execute(
            f"attach '{warehouse}' as {self.catalog} (read_only)"
        )
        dimensions = self.connection.execute(
            f"from {self.catalog}.marts.dim_dimensions"
        ).df()
        self.preferred_strata = declared_pairs(dimensions)
        for name, query in {
            "units": "select outcomes.* exclude (experiment_id, variant,"
            " is_control, cell_number), exposures.segment_number"
            f" from {self.catalog}.marts.{UNITS} as outcomes"
            f" inner join {self.catalog}.marts.{EXPOSURES} as exposures"
            " using (experiment_id, user_id)"
            " where experiment_id = $1 and is_mature qualify"
            f" dense_rank() over (order by md5(user_id), user_id) <= {users}",
            "metrics": "select * exclude (experiment_id) from"
            f" {self.catalog}.staging.stg_reference__metrics"
            " where experiment_id = $1",
            "segments": "select * exclude (experiment_id) from"
            f" {self.catalog}.intermediate.int_segments_described"
            " where experiment_id = $1 and (dimension = 'all' or dimension in"
            # One dimension and one pair are enough.
            " (select min_by(dimension, dimension_number)"
            f" from {self.catalog}.marts.dim_dimensions"
            " where is_settled group by is_pair))",
        }.items():
            self.connection.execute(
                f"create table {name} as {query}", [experiment]
            )
        self.connection.execute(f"detach {self.catalog}")
        self.connection.execute(f"attach ':memory:' as {self.catalog}")
        for schema in ("marts", "staging", "intermediate"):
            self.connection.execute(f"create schema {self.catalog}.{schema}")

    @property
    def metrics(self) -> pd.DataFrame:
        """Kind, role, margin and, over all users, mean and variance."""
        return self.connection.execute(
            "select metric_name, kind, role, margin, quantile,"
            " count(*) as users, avg(outcome_value) as value_mean,"
            " var_samp(outcome_value) as value_variance,"
            " avg(denominator_value) as denominator_mean"
            " from units inner join metrics using (metric_name)"
            " group by all order by all"
        ).df()

    def truth(self, metric: str, outcome: str) -> float:
        """Return the mean over all users that an outcome would have."""
        [[found]] = self.connection.execute(
            f"select avg({outcome}) from units where metric_name = $1",
            [metric],
        ).fetchall()
        return float(found)

    def dealt(self, world: World, replicates: range) -> dict[str, pd.DataFrame]:
        """Deal the users anew and sum them up, once per replicate.

        Each number is an experiment of its own. Gives the rows of `MODELS`.
        """
        run = self.connection.execute
        name = f"'{world.name} ' || lpad(cast(number as varchar), 6, '0')"
        cases = " ".join(
            f"when metric_name = '{metric}' then {outcome}"
            for metric, outcome in world.outcomes.items()
        )
        planted = (
            f"case {cases} else outcome_value end" if cases else "outcome_value"
        )
        run(
            "create or replace temp table deals as select number,"
            f" {name} as experiment_id from range({replicates.start},"
            f" {replicates.stop}) as deals (number)"
        )
        for place, query in {
            "marts.dealt": "with diced as (select deals.experiment_id,"
            " deals.number, units.*,"
            " hash(hash(units.user_id, deals.number)) as dice"
            " from deals cross join units), marked as (select *,"
            " dice % 2 = 1 as is_b, dice % 2 = 1 and (dice // 2) % 1000"
            f" < {1000 * REACHED_SHARE} as is_reached from diced)"
            " select * exclude (dice, number)"
            f" replace (case when is_b then {planted} else outcome_value end"
            # Whatever is planted may be a fraction.
            f" as outcome_value, is_whole and {not cases} as is_whole),"
            " case when is_b then 'B' else 'A' end as variant,"
            " ((segment_number * 4 + 2 * cast(is_b as bigint)"
            f" + cast(is_reached as bigint)) * {replicates.stop} + number)"
            " as arm_cell_number from marked",
            f"marts.{UNITS}": "select * exclude (arm_cell_number),"
            " not is_b as is_control, 4 * arm_cell_number"
            " + 2 * cast(has_history as bigint) + 1 as cell_number"
            f" from {self.catalog}.marts.dealt",
            "staging.stg_reference__metrics": "select deals.experiment_id,"
            " metrics.* from deals cross join metrics",
            "intermediate.int_segments_described": "select"
            " deals.experiment_id, segments.* from deals cross join segments",
        }.items():
            run(f"create or replace table {self.catalog}.{place} as {query}")
        cell = "experiment_id variant segment_number is_reached arm_cell_number"
        run(
            stand_in(
                f"{self.catalog}.marts.{EXPOSURES}",
                {name: name for name in cell.split()}
                | {"is_mixed": "false", "is_switched": "false"},
                f"from (select distinct {', '.join(cell.split())}"
                f" from {self.catalog}.marts.dealt)",
            )
        )
        run(
            stand_in(
                f"{self.catalog}.staging.stg_reference__variants",
                {
                    "experiment_id": "experiment_id",
                    "variant": "variant",
                    "is_control": "variant = 'A'",
                },
                "from deals cross join (values ('A'), ('B')) as v (variant)",
            )
        )
        found = {}
        for model in MODELS:
            run(
                f"create or replace table {self.catalog}.marts.{model} as"
                f" {self.sql[model]}"
            )
            found[model] = run(
                f"from {self.catalog}.marts.{model} order by all"
            ).df()
        return found


@contextmanager
def opened(
    warehouse: Path, compiled: Path, experiment: str, users: int = USERS
) -> Iterator[Splits]:
    """Open the users of one experiment.

    Takes a DuckDB file that dbt built, the folder of its compiled models, and
    how many users of the experiment at most.

    Raises
    ------
    WarehouseError
        If a compiled model is missing.
    """
    splits = Splits(warehouse, compiled, experiment, users)
    with closing(splits.connection):
        yield splits
