"""What the documents say is there: tests, files, numbers of models."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LINK = re.compile(r"\[([^\]]+(?:\[[^\]]*\])?`?)\]\(([^)\s]+)\)")
NAMES_TESTS = (DOCS / "cases.md", DOCS / "features.md")


def links(path):
    """Names and targets of the links of a document."""
    return LINK.findall(path.read_text(encoding="utf-8"))


def tables(path):
    """Rows of a document's tables, without their headers."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if set(cells[0]) == {"-"}:
                rows.pop()
            else:
                rows.append(cells)
    return rows


def named_in(node):
    """Names of the unit tests, and of the data tests at any depth."""
    names = set()
    if isinstance(node, dict):
        names |= {test["name"] for test in node.get("unit_tests", ())}
        for test in node.get("data_tests", ()):
            if isinstance(test, dict):
                names |= {each.get("name") for each in test.values()}
        for value in node.values():
            names |= named_in(value)
    elif isinstance(node, list):
        for value in node:
            names |= named_in(value)
    return names


def named_tests(path):
    """Names of the tests of a file: pytest, dbt's YAML, or a singular test."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return set(re.findall(r"^def (test_\w+)", text, re.MULTILINE))
    if path.suffix == ".yml":
        return named_in(yaml.safe_load(text))
    return {path.stem}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_links_lead_to_files(path):
    for _, target in links(path):
        if not re.match(r"https?:|#", target):
            assert (path.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("path", NAMES_TESTS, ids=lambda path: path.stem)
def test_named_tests_are_in_their_files(path):
    named = [
        (name.strip("`"), path.parent / target)
        for name, target in links(path)
        if name.startswith("`")
    ]
    assert len(named) > 20
    for name, file in named:
        test, _, case = name.rstrip("]").partition("[")
        assert test in named_tests(file), f"{name} in {file.name}"
        assert f'"{case}"' in file.read_text() or not case, name


def test_every_case_has_a_report_a_behaviour_and_a_proof():
    rows = tables(DOCS / "cases.md")
    assert len(rows) > 20
    for report, *texts, proof in rows:
        assert report.count("](https://github.com/") >= 1, report
        assert len(texts) == 2
        assert all(texts), report
        assert proof.startswith("[`"), report


def test_features_are_the_same_in_both_tables_and_proven():
    rows = tables(DOCS / "features.md")
    here = [row for row in rows if len(row) == 5]
    elsewhere = [row for row in rows if len(row) == 19]
    assert len(here) + len(elsewhere) == len(rows)
    assert [row[:2] for row in here] == [row[:2] for row in elsewhere]
    for feature, mark, where, proof, remarks in here:
        if mark in ("●", "◐"):
            assert where, feature
            assert proof, feature
        if mark != "●":
            assert remarks or mark == "○", feature


def test_features_name_what_the_project_has():
    """A word in code is a model, a column, a variable or a macro."""
    known = {path.stem for path in (ROOT / "models").rglob("*.sql")}
    known |= {path.stem for path in (ROOT / "macros").rglob("*.sql")}
    known |= set(yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"])
    known |= {"exposures.yml", "macros/dialect"}
    for path in (ROOT / "models").rglob("*.yml"):
        known |= set(re.findall(r"- name: (\w+)", path.read_text()))
    for row in tables(DOCS / "features.md"):
        if len(row) == 5:
            for word in re.findall(r"`([^`]+)`", row[2]):
                assert word in known, word


def test_readme_counts_the_models():
    models = list((ROOT / "models").rglob("*.sql"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"(\d+) models, contracts", readme) == [str(len(models))]


def test_readme_names_marts_that_there_are():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:fct|dim)_\w+)`", readme))
    assert named <= {
        path.stem for path in (ROOT / "models/marts").rglob("*.sql")
    }


def places(path):
    """What the last column of a document's tables names in backticks."""
    for row in tables(path):
        yield from re.findall(r"`([^`]+)`", row[-1])


def test_the_glossary_names_places_that_are_there():
    known = {path.stem for path in (ROOT / "models").rglob("*.sql")}
    known |= {path.stem for path in (ROOT / "macros").rglob("*.sql")}
    named = set(places(DOCS / "glossary.md"))
    assert len(named) > 30
    missing = {
        name
        for name in named
        if name not in known and not (ROOT / name).is_file()
    }
    assert not missing


def test_the_glossary_has_each_term_once():
    terms = [row[0] for row in tables(DOCS / "glossary.md")]
    assert len(terms) == len(set(terms))


def test_the_glossary_says_what_no_relation_is_called_any_more():
    renamed = yaml.safe_load((DOCS / "renames.yml").read_text())
    relations = {path.stem for path in (ROOT / "models").rglob("*.sql")}
    for old, new in renamed["relations"].items():
        assert old.split(".")[1] not in relations
        schema, name = new.split(".")
        assert schema == "results" or name in relations
