"""What can be compared, a `Source`: DuckDB files and folders of Parquet.

Both are opened for reading only; Spark has a module of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol
from uuid import uuid4

import duckdb

from engine.connections import open_duckdb
from warehouse import WarehouseError
from warehouse.duckdb_file import opened

# Schema and name, as the warehouse spells them.
Relation = tuple[str, str]
# Column to the type it is declared with, in DuckDB's words.
Kinds = Mapping[str, str]

COLUMNS = """
    select schema_name, table_name, column_name, data_type
    from duckdb_columns()
    where database_name = current_database() and not internal
    order by schema_name, table_name, column_index
"""
VIEWS = """
    select schema_name, view_name from duckdb_views()
    where database_name = current_database() and not internal
"""
LAYOUT = (
    "<schema>/<relation>.parquet, <schema>/<relation>/*.parquet or "
    "<schema>.db/<relation>/*.parquet"
)


class Source(Protocol):
    """A side of the comparison."""

    def schemas(self) -> set[str]:
        """Name the schemas that hold a relation."""

    def relations(self, schemas: Collection[str]) -> dict[Relation, Kinds]:
        """Describe the tables and views of some schemas.

        Schemas that the source lacks are passed over. Types are as declared, in
        DuckDB's words.

        Raises
        ------
        WarehouseError
            If a relation cannot be described.
        """

    def bring(
        self, connection: duckdb.DuckDBPyConnection, schema: str, name: str
    ) -> str:
        """Make a relation readable in a working connection.

        What is put into the connection goes with it. Gives what to write after
        ``from``; its columns have the declared types.

        Raises
        ------
        WarehouseError
            If the relation cannot be read.
        """


def quote_identifier(name: str) -> str:
    """Write any name as an SQL identifier.

    Examples
    --------
    >>> print(quote_identifier('a "b" c'))
    "a ""b"" c"
    """
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Write any text as an SQL literal.

    Examples
    --------
    >>> print(quote_text("it's"))
    'it''s'
    """
    return "'" + text.replace("'", "''") + "'"


def first_line(error: Exception) -> str:
    """Cut what DuckDB says to the line that names the cause."""
    return str(error).split("\n", maxsplit=1)[0]


@contextmanager
def working_connection(memory: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an empty database that spills to a folder of its own.

    Memory is as DuckDB writes it, for example ``2GB``. The folder, its
    ``temp_directory``, is removed afterwards.
    """
    with (
        TemporaryDirectory(prefix="comparison_") as folder,
        open_duckdb() as connection,
    ):
        connection.execute(f"set memory_limit = {quote_text(memory)}")
        connection.execute(f"set temp_directory = {quote_text(folder)}")
        connection.execute("set preserve_insertion_order = false")
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        yield connection


class DuckDBSource:
    """Tables and views of a DuckDB file.

    Raises
    ------
    WarehouseError
        If the file is no DuckDB file, or another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kinds: dict[Relation, dict[str, str]] = {}
        with opened(path) as file:
            for *relation, column, kind in file.connection.execute(
                COLUMNS
            ).fetchall():
                schema, name = relation
                self._kinds.setdefault((schema, name), {})[column] = kind
            self._views = set(file.connection.execute(VIEWS).fetchall())

    def schemas(self) -> set[str]:
        """See `Source`."""
        return {schema for schema, _ in self._kinds}

    def relations(self, schemas: Collection[str]) -> dict[Relation, Kinds]:
        """See `Source`."""
        return {
            relation: kinds
            for relation, kinds in self._kinds.items()
            if relation[0] in schemas
        }

    def bring(
        self, connection: duckdb.DuckDBPyConnection, schema: str, name: str
    ) -> str:
        """See `Source`; a table is read where it is, a view is copied."""
        alias = f"file_{uuid4().hex}"
        rows = f"{quote_identifier(schema)}.{quote_identifier(name)}"
        if (schema, name) not in self._views:
            self._attach(connection, alias)
            return f"{alias}.{rows}"
        [(folder, memory)] = connection.execute(
            "select current_setting('temp_directory'),"
            " current_setting('memory_limit')"
        ).fetchall()
        copy = quote_text(str(Path(folder) / f"{alias}.duckdb"))
        with working_connection(memory) as private:
            private.execute(f"attach {copy} as {alias}")
            self._attach(private, "original")
            self._copy(private, f"original.{rows}", f"{alias}.main.copied")
        connection.execute(f"attach {copy} as {alias} (read_only)")
        return f"{alias}.main.copied"

    def _attach(
        self, connection: duckdb.DuckDBPyConnection, alias: str
    ) -> None:
        connection.execute(
            f"attach {quote_text(str(self._path))}"
            f" as {quote_identifier(alias)} (read_only)"
        )

    def _copy(
        self, connection: duckdb.DuckDBPyConnection, view: str, table: str
    ) -> None:
        """Fill a table from a view, whatever the file was called before.

        A view names the catalog that it was made in, which is the stem of the
        file's name at that time; the file is attached under that name too.
        """
        while True:
            try:
                connection.execute(f"create table {table} as from {view}")
            except duckdb.BinderException as error:
                absent = re.search(r'Catalog "(.+)" does not exist', str(error))
                if not absent:
                    raise
                self._attach(connection, absent[1])
            else:
                return


class ParquetSource:
    """Relations of a folder, each a Parquet file or a folder of parts.

    Folders ``key=value`` among the parts give a column, as Hive and Spark
    write them; a column that only some parts have is null in the others.

    Raises
    ------
    WarehouseError
        If there is no Parquet where a relation should be, or one is there
        twice.
    """

    def __init__(self, path: Path) -> None:
        self._files: dict[Relation, list[Path]] = {}
        for schema in _shown(path):
            for entry in _shown(schema):
                if files := parts_of(entry):
                    relation = (
                        schema.name.removesuffix(".db"),
                        entry.name.removesuffix(".parquet"),
                    )
                    if relation in self._files:
                        raise WarehouseError(
                            f"{path} holds {'.'.join(relation)} twice, at"
                            f" {self._files[relation][0]} and {files[0]};"
                            " remove one"
                        )
                    self._files[relation] = files
        if not self._files:
            raise WarehouseError(
                f"{path} holds no Parquet; name a folder laid out as {LAYOUT}"
            )

    def schemas(self) -> set[str]:
        """See `Source`."""
        return {schema for schema, _ in self._files}

    def relations(self, schemas: Collection[str]) -> dict[Relation, Kinds]:
        """See `Source`."""
        with open_duckdb() as connection:
            return {
                relation: self._described(connection, relation)
                for relation in self._files
                if relation[0] in schemas
            }

    def bring(
        self,
        connection: duckdb.DuckDBPyConnection,  # noqa: ARG002
        schema: str,
        name: str,
    ) -> str:
        """See `Source`; the files are read where they are."""
        return read_parquet(self._files[schema, name])

    def _described(
        self, connection: duckdb.DuckDBPyConnection, relation: Relation
    ) -> dict[str, str]:
        try:
            rows = connection.execute(
                f"describe from {self.bring(connection, *relation)}"
            ).fetchall()
        except duckdb.Error as error:
            raise WarehouseError(
                f"cannot read {'.'.join(relation)} at"
                f" {self._files[relation][0]}: {first_line(error)}"
            ) from None
        return {column: kind for column, kind, *_ in rows}


def read_parquet(files: Sequence[Path]) -> str:
    """Write what reads files of one relation, by the names of their columns."""
    listed = ", ".join(quote_text(str(file)) for file in files)
    return f"read_parquet([{listed}], union_by_name = true)"


def _shown(folder: Path) -> list[Path]:
    """List what is in a folder but for what engines keep for themselves."""
    if not folder.is_dir():
        return []
    return sorted(
        entry for entry in folder.iterdir() if entry.name[0] not in "_."
    )


def parts_of(entry: Path) -> list[Path]:
    """List the Parquet files at or below an entry."""
    if entry.is_dir():
        return [part for inner in _shown(entry) for part in parts_of(inner)]
    return [entry] if entry.suffix == ".parquet" else []
