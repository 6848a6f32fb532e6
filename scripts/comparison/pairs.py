"""Which relation and column stands for which, and what may have changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from comparison.families import family
from comparison.sources import Kinds, Relation
from warehouse import WarehouseError


@dataclass(frozen=True)
class Column:
    """A column that both sides have, maybe under two names."""

    # In the new and in the old relation.
    name: str
    old_name: str
    # Declared types, new and old.
    kind: str
    old_kind: str

    @property
    def is_comparable(self) -> bool:
        """Whether both types may hold equal values."""
        return family(self.kind) == family(self.old_kind)

    @property
    def is_floating(self) -> bool:
        """Whether the values are equal within a tolerance."""
        return family(self.kind) == "floating number"


@dataclass(frozen=True)
class Pair:
    """A relation of both sides, or one that only one of them has."""

    # Schema and name on either side.
    old: Relation | None
    new: Relation | None
    columns: Sequence[Column] = ()  # those that both have, in the new order
    # Columns that only the new or only the old one has, but for those that are
    # declared as such.
    added: Sequence[str] = ()
    removed: Sequence[str] = ()

    @property
    def name(self) -> str:
        """Schema and name, those of the new side if it has the relation."""
        return ".".join(self.new or self.old or ())


@dataclass(frozen=True)
class Renames:
    """What is declared to differ."""

    # Old to new ``schema.name``.
    relations: Mapping[str, str] = field(default_factory=dict)
    # New ``schema.name`` to old to new column.
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # ``schema.name`` to columns that only one side has; none for a relation
    # that only one side has. A removed relation goes by its old name,
    # everything else by the new.
    added: Mapping[str, Collection[str]] = field(default_factory=dict)
    removed: Mapping[str, Collection[str]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many relations and columns are declared to differ."""
        parts = (self.columns, self.added, self.removed)
        return len(self.relations) + sum(
            len(columns) or 1 for part in parts for columns in part.values()
        )


def read_renames(path: Path) -> Renames:
    """Read what is declared to differ from a YAML file.

    Raises
    ------
    WarehouseError
        If it is not laid out as `Renames` is; ``all`` may stand for no
        columns.
    """
    try:
        file = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise WarehouseError(
            f"cannot read {path}: {' '.join(str(error).split())}"
        ) from None
    shapes = {"relations": str, "columns": dict, "added": list, "removed": list}
    wanted = {str: "a name", dict: "a mapping", list: "a list, or all"}
    _require(isinstance(file, dict), f"{path} must be a mapping")
    for part, entries in file.items():
        known = f"{path}: {part} must be one of {', '.join(shapes)}"
        _require(part in shapes, known)
        _require(isinstance(entries, dict), f"{path}: {part} must be a mapping")
        for name, entry in entries.items():
            shape = shapes[part]
            if shape is list and entry == "all":
                entries[name] = []
            elif not isinstance(entry, shape):
                raise WarehouseError(
                    f"{path}: {part}: {name} must be {wanted[shape]}"
                )
    return Renames(**file)


def paired(
    old: Mapping[Relation, Kinds],
    new: Mapping[Relation, Kinds],
    renames: Renames,
) -> list[Pair]:
    """Put together what is to be compared.

    In the order of their names; relations that are declared as added or removed
    are not among them.

    Raises
    ------
    WarehouseError
        If an entry of `renames` does not apply.
    """
    sides = {
        "OLD": {".".join(relation): relation for relation in old},
        "NEW": {".".join(relation): relation for relation in new},
    }
    for before, after in renames.relations.items():
        entry = f"{before} to {after}"
        is_so = before in sides["OLD"] and after in sides["NEW"]
        _applies("relations", entry, is_so)
    matches, removed = _matched(sides["OLD"], sides["NEW"], renames.relations)
    pairs = [Pair(sides["OLD"][name], None) for name in removed]
    for name, relation in sides["NEW"].items():
        if name in matches:
            match = sides["OLD"][matches[name]]
            kinds = old[match], new[relation]
            pairs.append(_pair(match, relation, *kinds, renames))
        else:
            pairs.append(Pair(None, relation))
    pairs.sort(key=lambda pair: pair.name)
    return _undeclared(pairs, renames)


def without(
    pairs: Sequence[Pair], patterns: Collection[str]
) -> tuple[list[Pair], dict[str, int]]:
    """Leave columns out of the comparison.

    A pattern is of ``schema.relation.column``, new names, as `fnmatch` reads
    it. Gives the pairs without the columns and without the relations of which
    none remains, and how many columns each pattern matches.

    Raises
    ------
    WarehouseError
        If a pattern matches no column of a relation of both sides.
    """
    counts = dict.fromkeys(patterns, 0)
    kept = []
    for pair in pairs:
        names = {*(c.name for c in pair.columns), *pair.added, *pair.removed}
        out = set()
        for pattern in counts:
            found = {
                n for n in names if fnmatchcase(f"{pair.name}.{n}", pattern)
            }
            counts[pattern] += len(found)
            out |= found
        if not out or out < names:
            kept.append(
                replace(
                    pair,
                    columns=[c for c in pair.columns if c.name not in out],
                    added=_less(pair.added, out),
                    removed=_less(pair.removed, out),
                )
            )
    for pattern, count in counts.items():
        if not count:
            raise WarehouseError(
                f"--except {pattern} matches no column of a relation that both"
                " sides have; write schema.relation.column"
            )
    return kept, counts


def _pair(
    old: Relation,
    new: Relation,
    old_kinds: Kinds,
    new_kinds: Kinds,
    renames: Renames,
) -> Pair:
    """Match the columns of two relations."""
    matches, removed = _matched(
        old_kinds, new_kinds, renames.columns.get(".".join(new), {})
    )
    return Pair(
        old,
        new,
        [
            Column(name, matches[name], kind, old_kinds[matches[name]])
            for name, kind in new_kinds.items()
            if name in matches
        ],
        [name for name in new_kinds if name not in matches],
        removed,
    )


def _matched(
    old: Collection[str], new: Collection[str], renamed: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Map new names to old ones, and list the old ones that are left."""
    taken = set(renamed.values())
    targets = {
        renamed.get(name, name): name
        for name in old
        if name in renamed or name not in taken
    }
    matches = {name: targets[name] for name in new if name in targets}
    return matches, [name for name in old if name not in matches.values()]


def _undeclared(pairs: Sequence[Pair], renames: Renames) -> list[Pair]:
    """Take away what is declared, and refuse what does not apply."""
    both = {pair.name: pair for pair in pairs if pair.old and pair.new}
    single = {
        "added": {pair.name for pair in pairs if not pair.old},
        "removed": {pair.name for pair in pairs if not pair.new},
    }
    for name, columns in renames.columns.items():
        found = both[name].columns if name in both else ()
        known = {(column.old_name, column.name) for column in found}
        for change in columns.items():
            place = f"{name}: {' to '.join(map(str, change))}"
            _applies("columns", place, change in known)
    for part, names in single.items():
        for name, columns in getattr(renames, part).items():
            if not columns:
                _applies(part, name, name in names)
            found_names = getattr(both.get(name), part, ())
            for column in columns:
                place = f"{name}: {column}"
                _applies(part, place, column in found_names)
    return [
        replace(
            pair,
            added=_less(pair.added, renames.added.get(pair.name, ())),
            removed=_less(pair.removed, renames.removed.get(pair.name, ())),
        )
        for pair in pairs
        if (pair.old or pair.name not in renames.added)
        and (pair.new or pair.name not in renames.removed)
    ]


def _less(names: Sequence[str], declared: Collection[str]) -> list[str]:
    return [name for name in names if name not in declared]


def _applies(part: str, entry: str, is_so: bool) -> None:
    """Refuse an entry that is not so."""
    if not is_so:
        raise WarehouseError(
            f"--renamed has {part}: {entry}, which is not so in the schemas"
            " compared; take the entry out, or correct it"
        )


def _require(is_so: bool, otherwise: str) -> None:
    """Refuse a file that is laid out otherwise."""
    if not is_so:
        raise WarehouseError(otherwise)
