"""Kinds of metric: SQL and Python know the same, and nobody else lists them."""

import re
from pathlib import Path
from typing import get_type_hints

import pytest
from rendering import render

from stats.kinds import KINDS, Kind, having

ROOT = Path(__file__).parents[3]
PROPERTIES = [name for name, of in get_type_hints(Kind).items() if of is bool]
COMPARED = re.compile(
    r"\bkinds?\b\W*(?:==|!=|=|<>|in|not in|isin)\W+[\"'](?:"
    + "|".join(KINDS)
    + r")\b"
)


def kinds_with(name):
    return set(
        re.findall(r"'(\w+)'", render(f"{{{{ kinds_with('{name}') }}}}"))
    )


@pytest.mark.parametrize("name", PROPERTIES)
def test_sql_and_python_agree(name):
    own = {kind for kind in KINDS if having([kind], name)[0]}
    assert kinds_with(name) == own


def test_every_kind_is_known_to_sql():
    assert kinds_with("any") == KINDS.keys()


def test_sql_knows_the_same_properties_and_refuses_others():
    words = ", ".join(sorted(["any", *PROPERTIES]))
    with pytest.raises(ValueError, match=f"no kind has loged; .* of {words}$"):
        kinds_with("loged")


@pytest.mark.parametrize("name", PROPERTIES)
def test_a_model_asks_for_every_property(name):
    texts = [path.read_text() for path in (ROOT / "models").rglob("*.sql")]
    assert f"kinds_with('{name}')" in "".join(texts), "fct_experiment_outcomes"


def test_the_docs_explain_every_kind():
    text = (ROOT / "docs/experiments.md").read_text()
    assert [kind for kind in KINDS if f"`{kind}`" not in text] == []


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match=r"kind log_mean is not in scripts/"):
        having(["mean", "log_mean"], "is_share")


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
