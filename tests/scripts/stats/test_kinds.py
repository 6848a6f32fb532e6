"""Kinds of metric: SQL and Python know the same, and nobody else lists them."""

import re
from pathlib import Path

import jinja2
import pytest

from stats.kinds import KINDS, having

ROOT = Path(__file__).parents[3]
MACRO = (ROOT / "macros/experiments/kinds_with.sql").read_text()
PROPERTIES = ("is_share", "has_denominator", "adds_up", "has_ranks")
COMPARED = re.compile(
    r"\bkinds?\b\W*(?:==|!=|=|<>|in|not in|isin)\W+[\"'](?:"
    + "|".join(KINDS)
    + r")\b"
)


def kinds_with(name):
    module = jinja2.Environment().from_string(MACRO).module  # noqa: S701
    return set(re.findall(r"'(\w+)'", module.kinds_with(name)))


@pytest.mark.parametrize("name", PROPERTIES)
def test_sql_and_python_agree(name):
    own = {kind for kind in KINDS if having([kind], name)[0]}
    assert kinds_with(name) == own


def test_every_kind_is_known_to_sql():
    assert kinds_with("any") == KINDS.keys()


def test_a_kind_is_estimated_from_moments_or_from_ranks():
    for kind in KINDS.values():
        assert kind.has_ranks != bool(kind.mean_method)
        assert kind.method


def test_nothing_else_compares_kinds_by_name():
    found = {
        str(path.relative_to(ROOT))
        for folder in ("models", "macros", "scripts", "tests/singular")
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in {".py", ".sql"}
        and path.stem != "kinds_with"
        and COMPARED.search(path.read_text(encoding="utf-8"))
    }
    assert not found


def test_the_search_would_find_them():
    for text in (
        "kind = 'ratio'",
        'row["kind"] == "proportion"',
        "kind in ('mean', 'ratio')",
        "metrics.kind <> 'quantile'",
        'kinds.isin(["mean"])',
    ):
        assert COMPARED.search(text), text
