"""Keys of relations by name, from the project's YAML."""

from __future__ import annotations

from pathlib import Path

import yaml

from comparison.sources import Relation
from warehouse.keys import Node, key_of

MODELS = Path(__file__).resolve().parents[2] / "models"


class Keys:
    """Keys of models by name, and of source tables by schema and name."""

    def __init__(self, models: Path = MODELS) -> None:
        self._keys: dict[str | Relation, tuple[str, ...]] = {}
        for path in sorted(models.rglob("*.yml")):
            file = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
            for kind in ("models", "seeds", "snapshots"):
                for node in file.get(kind) or ():
                    self._add(node["name"], node)
            for source in file.get("sources") or ():
                schema = source.get("schema", source["name"])
                for node in source["tables"]:
                    name = node.get("identifier", node["name"])
                    self._add((schema, name), node)

    def of(self, relation: Relation) -> tuple[str, ...]:
        """Return the columns of a relation's key; none if none is declared."""
        return self._keys.get(relation) or self._keys.get(relation[1]) or ()

    def _add(self, name: str | Relation, node: Node) -> None:
        if found := key_of(node):
            self._keys[name] = found
