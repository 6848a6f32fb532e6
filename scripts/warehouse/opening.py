"""Where the warehouse is, and which engine opens it."""

from __future__ import annotations

import os
from argparse import Namespace
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from warehouse import duckdb_file, spark_server
from warehouse.port import Warehouse, WarehouseError

DEFAULT_FILE = "target/streaming_engagement.duckdb"
DEFAULT_TARGET = "duckdb"
ROOT = Path(__file__).resolve().parents[2]

# How an address names a target of profiles.yml instead of a file.
TARGET = "target:"


def default_file() -> Path:
    """Return the file that dbt builds: STREAMING_WAREHOUSE or target/."""
    return Path(os.environ.get("STREAMING_WAREHOUSE") or DEFAULT_FILE)


def default_address() -> str:
    """Return where dbt builds: the file, or the target STREAMING_TARGET."""
    target = os.environ.get("STREAMING_TARGET") or DEFAULT_TARGET
    if target == DEFAULT_TARGET:
        return str(default_file())
    return f"{TARGET}{target}"


def is_file(address: str) -> bool:
    """Say whether an address is that of a file."""
    return not address.startswith(TARGET)


def connect(
    address: str | Path, *, read_only: bool = True
) -> AbstractContextManager[Warehouse]:
    """Open a warehouse, to be closed again at the end of a `with`.

    The address is that of a DuckDB file, or `target:NAME` for a target of
    profiles.yml. Read-only, other readers may stay connected, where that
    matters.

    Raises
    ------
    WarehouseError
        If there is no such warehouse, or it cannot be reached.
    """
    if is_file(str(address)):
        return duckdb_file.opened(Path(address), read_only=read_only)
    name = str(address).removeprefix(TARGET)
    credentials = target_credentials(name)
    if credentials.type == "duckdb":
        return duckdb_file.opened(Path(credentials.path), read_only=read_only)
    if credentials.type == "spark":
        return spark_server.opened(credentials)
    raise WarehouseError(
        f"target {name} is of type {credentials.type}; the steps after"
        " dbt know duckdb and spark"
    )


def target_credentials(name: str) -> Any:  # noqa: ANN401 (dbt's, by engine)
    """Read a target as dbt does, with its profile and its environment.

    Raises
    ------
    WarehouseError
        If there is no such target, or its adapter is not installed.
    """
    # dbt is imported here alone: it takes longer than a small analysis.
    from dbt.config.runtime import load_profile  # noqa: PLC0415
    from dbt.flags import set_from_args  # noqa: PLC0415
    from dbt_common.context import (  # noqa: PLC0415
        set_invocation_context,
    )

    folder = os.environ.get("DBT_PROFILES_DIR") or str(ROOT)
    set_invocation_context(os.environ)
    set_from_args(Namespace(PROFILES_DIR=folder, PROJECT_DIR=str(ROOT)), None)
    try:
        return load_profile(str(ROOT), {}, target_override=name).credentials
    except Exception as error:  # dbt's errors share no base
        text = " ".join(str(error).split())
        remedy = "; run `make setup-spark`" if "dbt-spark" in text else ""
        raise WarehouseError(
            f"cannot use target {name} of profiles.yml: {text}{remedy}"
        ) from None
