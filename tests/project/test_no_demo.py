"""Nothing in scripts/ knows the demo: what it asks stands in its folder."""

import csv
import io
import re
import tokenize
from pathlib import Path

import pytest
import yaml
from cases import listed

from simulation.config import GENRES

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "seeds"
NAMES = {
    "experiments": ("experiment_id", "variant"),
    "experiment_metrics": ("experiment_id", "metric_name"),
    "scenarios": ("scenario_name", "outcome", "effect_term"),
    "scenario_estimates": ("scenario_name", "version", "term", "estimate"),
    "scenario_assumptions": ("scenario_name", "version", "term"),
    "lifetimes": ("lifetime_name",),
    "headline_claims": ("headline_name",),
}
# Words of English and of statistics, which the code needs for what they mean.
# `ramp_weeks` is an argument of a function that formulas have, `action` one of
# argparse's; `roi` is written in capitals wherever it stands.
ORDINARY = {
    *("action", "baseline", "causal", "control_rate", "effect", "explorers"),
    *("naive", "ramp_weeks", "randomised", "roi", "shrunk"),
}
SPOKEN = {
    tokenize.NAME,
    tokenize.STRING,
    getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING),
}


def columns():
    """Names of the columns of marts, which scripts read by their names."""
    for path in (ROOT / "models" / "marts").rglob("*.yml"):
        for model in yaml.safe_load(path.read_text())["models"]:
            yield from (column["name"] for column in model["columns"])


def demo_names():
    """What the demo declares; a variant's single letter could be anything."""
    found = {path.stem for path in (SEEDS / "estimates").glob("*.sql")}
    found.update(GENRES)
    for name, kept in NAMES.items():
        with (SEEDS / f"{name}.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                found.update(row[column] for column in kept)
    return {
        name
        for name in found - ORDINARY - set(columns())
        if name and len(name) > 1
    }


PATTERN = re.compile(
    rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(demo_names())))})(?!\w)"
)


def named(text):
    """Names of the demo in the identifiers and texts of a module."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {
        name
        for token in tokens
        if token.type in SPOKEN
        for name in PATTERN.findall(token.string)
    }


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted((ROOT / "scripts").rglob("*.py"))
        if "simulation" not in path.parts
    ],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_script_names_what_the_demo_declares(path):
    assert not named(path.read_text(encoding="utf-8"))


def test_names_of_every_kind_are_found():
    kinds = listed(
        "push_reminders watched_seconds_per_user engineer_roi aggressive"
        " persistence d7_gap low_explorers per_returner drama"
    )
    assert kinds <= demo_names()
    for name in kinds:
        assert named(f"{name} = 1\n") == {name}
        assert named(f'rows = table["{name}"]\n') == {name}
        assert named(f'def f():\n    """Read `{name}`."""\n') == {name}
        assert named(f'said = f"the {{x}} of {name}"\n') == {name}
        assert not named(f"my_{name}_too = 1\n")


def test_every_exception_is_needed():
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "scripts").rglob("*.py")
    )
    assert all(re.search(rf"(?<!\w){word}(?!\w)", text) for word in ORDINARY)
