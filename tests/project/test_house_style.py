"""The rules of CONTRIBUTING.md that no linter knows."""

import ast
import re
from pathlib import Path

import pytest
import yaml

import analyze
import warehouse
from estimates.files import read_estimates
from report import page

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
    config = r"^\{\{ config\(.*?\) \}\}\n\n"
    text = re.sub(config, "", model, flags=re.DOTALL)
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


def test_every_broken_down_mart_says_its_unit_and_what_adds_up():
    """Or a dimension that it forgets would fail nothing."""
    broken_down = {}
    for path in (ROOT / "models/marts").rglob("fct_*.yml"):
        for mart in yaml.safe_load(path.read_text())["models"]:
            columns = {column["name"] for column in mart["columns"]}
            if {"dimension", "dimension_value"} <= columns:
                broken_down[mart["name"]] = [
                    test["breaks_down"]["arguments"]
                    for test in mart["data_tests"]
                    if "breaks_down" in test
                ]
    assert len(broken_down) > 10
    for name, (arguments,) in broken_down.items():
        assert arguments["counts"], name


def test_no_model_names_a_dimension():
    """They are declared once, in dbt_project.yml."""
    declared = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]
    names = "|".join(each["name"] for each in declared["dimensions"])
    naming = {
        path.stem
        for path in MODELS
        if re.search(rf"'({names})'", path.read_text())
    }
    # What makes users alike is chosen with care, not declared.
    assert naming == {"fct_genre_cells"}


@pytest.mark.parametrize("engine", ["duckdb", "spark", "postgres"])
def test_every_dialect_macro_is_spelt_for_every_engine(engine):
    for path in (ROOT / "macros/dialect").glob("*.sql"):
        assert f"{{% macro {engine}__{path.stem}(" in path.read_text(), path


@pytest.mark.parametrize(
    "path", sorted((ROOT / "models").rglob("*.yml")), ids=lambda path: path.stem
)
def test_every_column_has_a_type_and_a_description(path):
    file = yaml.safe_load(path.read_text()) or {}
    listed = [*file.get("models", ()), *file.get("seeds", ())]
    for source in file.get("sources", ()):
        listed += source["tables"]
    for table in listed:
        for column in table.get("columns", ()):
            assert {"data_type", "description"} <= column.keys(), column
            # A Hive metastore keeps no more, and tries ten times to.
            assert len(column["description"]) <= 256, column["name"]


def test_shared_descriptions_fit_a_metastore():
    blocks = re.findall(
        r"(?s){% docs (\w+) %}\n(.*?)\n{% enddocs %}",
        (ROOT / "models/_columns.md").read_text(),
    )
    assert len(blocks) > 100
    assert [name for name, text in blocks if len(text) > 256] == []


def test_exposures_name_what_the_scripts_read():
    exposures = yaml.safe_load((ROOT / "models/exposures.yml").read_text())
    declared = {
        exposure["name"]: {
            re.findall(r"'(\w+)'\)", parent)[0]
            for parent in exposure["depends_on"]
        }
        for exposure in exposures["exposures"]
    }
    results = set(warehouse.result_tables())
    estimates = read_estimates(ROOT / "seeds")
    read = {
        "post_step": set(analyze.marts_of(estimates.values())),
        "report": results | set(page.MARTS),
    }
    assert declared.keys() == read.keys()
    for name, parents in declared.items():
        unlike = parents ^ read[name]
        assert not unlike, f"{name} of exposures.yml"


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "scripts").glob("*/**/*.py")),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_module_declares_the_marts_that_it_reads(path):
    text = path.read_text(encoding="utf-8")
    marts = {model.stem for model in MODELS if "marts" in model.parts}
    read = marts & set(re.findall(r'\["(\w+)"\]', text))
    declared = set()
    for node in ast.parse(text).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else node
        name = getattr(getattr(target, "target", target), "id", "")
        if name == "MARTS" and isinstance(node.value, ast.Tuple):
            declared = set(ast.literal_eval(node.value))
    if "coverage_check" not in path.parts:
        assert read == declared
