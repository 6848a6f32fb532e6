"""The rules of CONTRIBUTING.md that no linter knows."""

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MODELS = sorted((ROOT / "models").rglob("*.sql"))
IMPORT = re.compile(r"\w+ as \(select \* from \{\{ (ref|source)\(.+\) \}\}\),?")
SPEAKS_OF_OTHERS = re.compile(r"target\.type|adapter\.type\(\)")


@pytest.fixture(params=MODELS, ids=lambda path: path.stem)
def model(request):
    return request.param.read_text()


def test_there_are_models():
    assert len(MODELS) > 30


def test_opens_with_its_grain(model):
    text = re.sub(r"^\{\{ config\(.*?\) \}\}\n\n", "", model)
    assert re.match(r"\{#-\s+Grain: one row per ", text)


def test_reads_its_parents_only_in_one_line_imports(model):
    reads = [
        line
        for line in model.splitlines()
        if re.search(r"\b(ref|source)\(", line)
    ]
    assert reads
    assert all(IMPORT.fullmatch(line) for line in reads)


def test_spends_blank_lines_only_between_ctes_and_column_groups(model):
    assert not re.search(r"\(\n\n|\n\n\)|\n\n +(from|where|group by)\b", model)


def test_ends_on_its_last_cte(model):
    *_, last = re.findall(r"^(\w+) as \(", model, flags=re.MULTILINE)
    assert model.endswith(f"\n)\n\nselect * from {last}\n")


def test_leaves_windows_that_reach_to_the_end_to_next_known(model):
    """Spark begins them anew at every row: quadratic in a user's events."""
    assert "current row and unbounded following" not in model
    for name in re.findall(r"(\w+) as \([^()]*unbounded following", model):
        assert not re.search(rf"over {name}\b", model)


def test_knows_no_engine(model):
    assert not SPEAKS_OF_OTHERS.search(model)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "macros").rglob("*.sql")), ids=lambda path: path.stem
)
def test_no_macro_holds_a_ref(path):
    text = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
    assert not re.search(r"\bref\(|\bsource\(", text)


def test_every_macro_is_described_with_its_arguments():
    described = {
        macro["name"]: [argument["name"] for argument in macro["arguments"]]
        if "arguments" in macro
        else []
        for macro in yaml.safe_load((ROOT / "macros/_macros.yml").read_text())[
            "macros"
        ]
    }
    written = {}
    for path in (ROOT / "macros").rglob("*.sql"):
        for name, arguments in re.findall(
            r"\{% macro (\w+)\((.*?)\)", path.read_text(), re.DOTALL
        ):
            if "__" not in name:
                written[name] = [
                    argument.split("=")[0].strip()
                    for argument in arguments.split(",")
                    if argument.strip()
                ]
    assert written == described


@pytest.mark.parametrize("engine", ["duckdb", "spark", "postgres"])
def test_every_dialect_macro_is_spelt_for_every_engine(engine):
    for path in (ROOT / "macros/dialect").glob("*.sql"):
        assert f"{{% macro {engine}__{path.stem}(" in path.read_text(), path


def test_exposures_name_what_the_scripts_read():
    exposures = yaml.safe_load((ROOT / "models/exposures.yml").read_text())
    declared = {
        exposure["name"]: {
            re.findall(r"'(\w+)'\)", parent)[0]
            for parent in exposure["depends_on"]
        }
        for exposure in exposures["exposures"]
    }
    read = {
        "post_step": words_of("analyze"),
        # Its rows are compared with the post-step's, whose marts it names.
        "report": words_of("build_report", without="warehouse"),
    }
    relations = {path.stem for path in MODELS if "marts" in path.parts}
    relations |= {
        table["name"]
        for source in yaml.safe_load((ROOT / "models/results.yml").read_text())[
            "sources"
        ]
        for table in source["tables"]
    }
    written = {"post_step": results_tables()}
    for name, words in read.items():
        used = (words & relations) - written.get(name, set())
        assert used == declared[name], name


def results_tables():
    source = yaml.safe_load((ROOT / "models/results.yml").read_text())
    return {
        table["name"] for each in source["sources"] for table in each["tables"]
    }


def words_of(verb, without=None):
    """Every word in the Python of a verb and of all that it imports."""
    scripts = ROOT / "scripts"
    words, pending, seen = set(), [verb], set()
    while pending:
        name = pending.pop()
        if name in seen or name.split(".")[0] == without:
            continue
        seen.add(name)
        path = scripts / name.replace(".", "/")
        file = path.with_suffix(".py")
        file = file if file.is_file() else path / "__init__.py"
        if not file.is_file():
            continue
        text = file.read_text()
        words |= set(re.findall(r"\w+", text))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                pending += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                pending += [node.module]
                pending += [f"{node.module}.{a.name}" for a in node.names]
    return words
