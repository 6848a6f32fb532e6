"""No function, class or constant of scripts/ stands there unused."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = {
    path: path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "scripts").rglob("*.py"))
}
# A name in a comment counts too: the test is to find what was forgotten.
WORDS = Counter(
    word for text in FILES.values() for word in re.findall(r"\w+", text)
)


def defined(text):
    """Names of a module that other lines could use."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id


@pytest.mark.parametrize(
    "path", FILES, ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_name_is_used(path):
    idle = {name for name in defined(FILES[path]) if WORDS[name] < 2}
    # dbt-duckdb looks for the class by its name.
    assert idle <= {"__all__", "Plugin"}


def test_an_unused_name_is_found():
    text = "def drawn_nowhere():\n    return 1\n\n\nUNREAD = 2\n"
    assert set(defined(text)) == {"drawn_nowhere", "UNREAD"}
    assert WORDS["drawn_nowhere"] == WORDS["UNREAD"] == 0
