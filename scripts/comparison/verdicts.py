"""What is said of each pair of relations, and of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from comparison.differences import RowChanges
from comparison.families import family
from comparison.pairs import Pair


@dataclass(frozen=True)
class Verdict:
    """A pair of relations, and how their rows differ."""

    pair: Pair
    rows: RowChanges | None = None  # None if only one side has the relation

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs but what is declared."""
        rows = self.rows
        return bool(
            rows
            and not (rows.added or rows.removed or rows.changed)
            and not (self.pair.added or self.pair.removed)
            and self.pair.columns
            and all(column.is_comparable for column in self.pair.columns)
        )

    @property
    def is_empty(self) -> bool:
        """Whether both sides have the relation, and neither a row."""
        rows = self.rows
        return bool(rows and not rows.old_count and not rows.new_count)

    def lines(self) -> list[str]:
        """Say what differs, the relation first."""
        if not self.rows:
            side = "NEW" if self.pair.new else "OLD"
            return [f"{self.pair.name}: only {side} has it"]
        words = [
            f"  column {name}: only NEW has it" for name in self.pair.added
        ]
        words += [f"  column {n}: only OLD has it" for n in self.pair.removed]
        words += [
            f"  column {column.name}: {column.old_kind}"
            f" ({family(column.old_kind)}) in OLD, {column.kind}"
            f" ({family(column.kind)}) in NEW; values not compared"
            for column in self.pair.columns
            if not column.is_comparable
        ]
        if not self.pair.columns:
            words.append("  no column of the two is the same")
        return [self._heading(self.rows), *words, *_row_lines(self.rows)]

    def _heading(self, rows: RowChanges) -> str:
        counts = f"{rows.old_count:,} rows in OLD, {rows.new_count:,} in NEW"
        changes = (
            f"{rows.added:,} added, {rows.removed:,} removed,"
            f" {rows.changed:,} changed"
        )
        how = (
            f"; compared as a multiset, as {rows.unkeyed}"
            if rows.unkeyed
            else f"; matched by {', '.join(rows.key)}"
            if rows.key
            else ""
        )
        return f"{self.pair.name}: {counts}; {changes}{how}"

    def as_record(self) -> dict[str, Any]:
        """Return everything, with what follows from it, for a JSON file."""
        return {
            "name": self.pair.name,
            "is_equal": self.is_equal,
            "pair": asdict(self.pair),
            "rows": asdict(self.rows) if self.rows else None,
        }


@dataclass(frozen=True)
class Summary:
    """All verdicts of a comparison."""

    # Paths of the sides.
    old: str
    new: str
    verdicts: Sequence[Verdict]  # at least one
    left_out: Mapping[str, int]  # pattern to columns that it leaves out
    declared_count: int  # changes that are declared

    @property
    def is_equal(self) -> bool:
        """Whether every relation is equal."""
        return all(verdict.is_equal for verdict in self.verdicts)

    @property
    def row_count(self) -> int:
        """Rows of the new side in the relations of both."""
        return sum(v.rows.new_count for v in self.verdicts if v.rows)

    def as_record(self) -> dict[str, Any]:
        """Return everything as plain values for a JSON file."""
        compared = [v for v in self.verdicts if v.rows]
        return {
            "old": self.old,
            "new": self.new,
            "is_equal": self.is_equal,
            "is_same_path": Path(self.old).resolve()
            == Path(self.new).resolve(),
            "relations_equal": sum(v.is_equal for v in self.verdicts),
            "relations": len(self.verdicts),
            "columns_compared": sum(
                column.is_comparable
                for verdict in compared
                for column in verdict.pair.columns
            ),
            "rows": self.row_count,
            "largest_relative_difference": max(
                (v.rows.largest for v in self.verdicts if v.rows), default=0.0
            ),
            "empty": [v.pair.name for v in self.verdicts if v.is_empty],
            "left_out": dict(self.left_out),
            "declared": self.declared_count,
            "verdicts": [verdict.as_record() for verdict in self.verdicts],
        }

    def lines(self) -> list[str]:
        """Say what was compared, and what proves nothing."""
        record = self.as_record()
        words = [
            f"{record['relations_equal']} of {record['relations']} relations"
            f" equal, {record['columns_compared']:,} columns compared,"
            f" {record['rows']:,} rows, largest relative difference"
            f" {record['largest_relative_difference']:.2g}"
        ]
        if empty := record["empty"]:
            words.append(
                f"{len(empty)} relations are empty on both sides:"
                f" {', '.join(empty)}"
            )
        words += [
            f"{count} columns are left out by {pattern}"
            for pattern, count in self.left_out.items()
        ]
        if self.declared_count:
            words.append(f"{self.declared_count} changes are declared")
        if record["is_same_path"]:
            words.append("OLD and NEW are the same path: this proves nothing")
        return words


def _row_lines(rows: RowChanges) -> list[str]:
    """Say which rows differ, and in what."""
    words = [f"  added: {_row(rows.key, each)}" for each in rows.added_keys]
    words += [f"  removed: {_row(rows.key, k)}" for k in rows.removed_keys]
    for change in rows.columns:
        largest = (
            ""
            if change.largest is None
            else f", largest relative difference {change.largest:.2g}"
        )
        words.append(
            f"  {change.name}: {change.row_count:,} rows differ{largest}"
        )
        words += [
            f"    {_row(rows.key, values)}: {old} -> {new}"
            for *values, old, new in change.examples
        ]
    return words


def _row(key: Sequence[str], values: Sequence[str]) -> str:
    """Name a row by its key."""
    pairs = zip(key, values, strict=True)
    return ", ".join(" = ".join(pair) for pair in pairs) or "a row"
