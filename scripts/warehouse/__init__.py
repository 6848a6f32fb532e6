"""The only way in and out of the warehouse for the steps after dbt.

Of an engine five things are asked (`port.Warehouse`): its name and version,
to read a relation in a total order with its declared types, to run a query,
and to replace the result tables. `duckdb_file` and `spark_server` are the
engines there are.
"""

from warehouse.declarations import (
    DEFINITION,
    declared,
    result_tables,
    stand_in,
)
from warehouse.frames import rows_of, version_of
from warehouse.opening import connect, default_address, default_file, is_file
from warehouse.port import Row, Warehouse, WarehouseError
from warehouse.tables import (
    read_mart,
    read_marts,
    read_results,
    replace_results,
    replacing_results,
)

__all__ = [
    "DEFINITION",
    "Row",
    "Warehouse",
    "WarehouseError",
    "connect",
    "declared",
    "default_address",
    "default_file",
    "is_file",
    "read_mart",
    "read_marts",
    "read_results",
    "replace_results",
    "replacing_results",
    "result_tables",
    "rows_of",
    "stand_in",
    "version_of",
]
