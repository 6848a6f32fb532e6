"""Tables of the warehouse without a build, as their contracts declare them."""

import warehouse


def create(connection, *marts):
    """Create marts, empty."""
    connection.execute("create schema if not exists marts")
    for mart in marts:
        connection.execute(warehouse.stand_in(f"marts.{mart}", {}, "limit 0"))


def insert(connection, mart, rows):
    """Insert rows, mappings of column to value; what a row lacks is null."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if columns:
        connection.executemany(
            f"insert into marts.{mart} ({', '.join(columns)})"
            f" values ({', '.join('?' * len(columns))})",
            [[row.get(name) for name in columns] for row in rows],
        )
