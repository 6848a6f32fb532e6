"""Numbers that a reader changes: as stated they are the table's own."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import declared
import numpy as np
import pytest
from cases import listed
from report_log import make_tables

import scenarios.page
from display.formats import NO_BREAK, Scale, percent
from display.parts import Cell, Controls, Section
from report import page
from scenarios.formulas import parse
from scenarios.page import controls

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def tables():
    return make_tables() | declared.demo()


@pytest.fixture(scope="module")
def parts(tables):
    found = scenarios.page.section(tables).parts
    return {part.name: part for part in found if isinstance(part, Controls)}


def moved(model, factors):
    """Compute an outcome from what is published, as the page does."""
    factor = 1.0
    for name, power in model["powers"].items():
        factor *= factors.get(name, 1.0) ** power
    low, high = model["bounds"] or (-np.inf, np.inf)
    chance = model["chance"]
    if model["threshold"] is not None and factor != 1:
        known = sorted(
            [*model["grid"], [1 - chance, model["threshold"]]],
            key=lambda pair: (pair[1], pair[0]),
        )
        shares, places = zip(*known, strict=True)
        below = np.interp(
            model["threshold"] / factor, places, shares, left=0.0, right=1.0
        )
        chance = 1 - float(below)
    least = model["breakEven"]
    return {
        "point": float(np.clip(model["point"] * factor, low, high)),
        "intervals": [
            float(np.clip(value * factor, low, high))
            for value in model["intervals"]
        ],
        "chance": chance,
        "break_even": least if least is None else least / factor,
    }


def scale_of(data):
    words = dict(data)
    return Scale(is_signed=words.pop("signed"), **words)


def texts(model, factors, width):
    """Write an outcome as the page does."""
    found, scale = moved(model, factors), scale_of(model["scale"])
    low80, high80, low95, high95 = found["intervals"]
    return [
        scale.brief(found["point"]),
        scale.span(low80, high80),
        scale.span(low95, high95),
        percent(found["chance"]),
        scale_of(model["effectScale"]).text(found["break_even"]),
    ][:width]


def test_each_scenario_has_its_sliders(parts):
    found = {
        name.removeprefix("controls-"): {one.name for one in part.sliders}
        for name, part in parts.items()
    }
    assert found == {
        "explorers": {"share_moved", "base_users"},
        "push_rollout": {"population_users", "effect_carried_over"},
        "engineer_roi": listed(
            "new_users_per_year persistence value_per_retained_user_eur"
            " engineer_cost_eur days_per_returner value_per_day_eur"
        ),
        "retention_ladder": {
            "new_users_per_year",
            "days_per_user",
            "value_per_day_eur",
        },
    }


def test_as_stated_the_page_shows_the_numbers_of_the_table(parts, tables):
    rows = {
        (row["scenario_name"], row["point_estimate"], row["ci95_low"]): row
        for row in tables["scenario_results"]
        if row["effect_share"] == 1
    }
    for name, part in parts.items():
        for output in part.outputs:
            model = output.model
            found = moved(model, {})
            row = rows[
                name.removeprefix("controls-"),
                found["point"],
                found["intervals"][2],
            ]
            assert found["intervals"] == [
                row[bound]
                for bound in ("ci80_low", "ci80_high", "ci95_low", "ci95_high")
            ]
            assert found["chance"] == row["probability_target"]
            shown = [
                cell.text if isinstance(cell, Cell) else cell
                for cell in output.cells[2:]
            ]
            assert shown == texts(model, {}, len(shown))
            # The intervals stand among the published quantiles as well.
            values = dict(model["grid"])
            assert model["intervals"] == [
                values[share] for share in (0.1, 0.9, 0.025, 0.975)
            ]


def test_moving_a_slider_is_computing_the_scenario_anew(parts, tables):
    """Factors published for a term are those of the formula itself."""
    terms = {
        term["term"]: term["value"]
        for term in tables["scenario_terms"]
        if (term["scenario_name"], term["version"])
        == ("engineer_roi", "randomised")
    }
    part = parts["controls-engineer_roi"]
    factors = {"persistence": 0.5, "engineer_cost_eur": 2.0}
    formula = parse(
        "new_users_per_year * effect * persistence"
        " * value_per_retained_user_eur / engineer_cost_eur"
    )
    found = moved(part.outputs[0].model, factors)
    changed = terms | {
        name: terms[name] * factor for name, factor in factors.items()
    }
    assert found["point"] == pytest.approx(formula(changed))
    assert found["break_even"] == pytest.approx(
        terms["effect"] / formula(changed)
    )
    whole = moved(part.outputs[0].model, {})
    assert found["chance"] < whole["chance"]
    assert found["intervals"] == pytest.approx(
        [value / 4 for value in whole["intervals"]]
    )


def test_a_chance_grows_with_what_pays(parts):
    model = parts["controls-engineer_roi"].outputs[0].model
    chances = [
        moved(model, {"persistence": factor})["chance"]
        for factor in np.linspace(0.1, 3, 59)
    ]
    assert (np.diff(chances) >= 0).all()
    assert 0 <= chances[0] < chances[-1] <= 1


def test_a_change_of_a_rate_stays_within_the_rate(parts):
    model = parts["controls-explorers"].outputs[0].model
    assert moved(model, {"share_moved": 1e6})["point"] == 1 - 0.082


def test_what_is_not_proportional_has_no_slider():
    values = {"a": 2.0, "b": 3.0, "c": 0.0}
    for text, expected in (
        ("a * b", 1),
        ("b / a", -1),
        ("a + b", None),
        ("a * a", None),
        ("min(1, a) * b", None),
        ("a * c", None),
    ):
        assert controls.degree(parse(text), values, "a") == expected


class Cells(HTMLParser):
    """Collect the text of cells and outputs inside the controls."""

    def __init__(self, text):
        super().__init__()
        self.found, self.depth, self.is_open = [], 0, False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "div" and (self.depth or "data-controls" in dict(attributes)):
            self.depth += 1
        if self.depth and tag in {"td", "output"}:
            self.found.append("")
            self.is_open = True

    def handle_endtag(self, tag):
        if self.depth and tag == "div":
            self.depth -= 1
        if tag in {"td", "output"}:
            self.is_open = False

    def handle_data(self, data):
        if self.is_open:
            self.found[-1] += data


def drawn(text, folder, script=""):
    """Open a page in a browser; return what then stands in the controls."""
    text = re.sub(r"<meta http-equiv[^>]*>", "", text)
    text = text.replace("</body>", f"<script>{script}</script></body>")
    path = folder / "page.html"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={folder}/profile",
            "--virtual-time-budget=3000",
            "--dump-dom",
            path.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Cells(done.stdout).found


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")
def test_a_browser_shows_the_same_numbers(tables, parts, tmp_path, monkeypatch):
    only = Section("scenarios", "What if", "", list(parts.values()))
    monkeypatch.setattr(page, "sections_of", lambda _: [only])
    text = page.render(tables, "")
    stated = [" ".join(cell.split()) for cell in Cells(text).found]
    assert len(stated) > 50
    shown = [" ".join(cell.split()) for cell in drawn(text, tmp_path)]
    assert shown == stated

    script = """
    const name = "controls-engineer_roi";
    const page = JSON.parse(document.getElementById("charts").textContent);
    const names = page.controls[name].sliders.map((one) => one.name);
    const place = document.querySelector(`[data-controls="${name}"]`);
    const inputs = place.querySelectorAll("input");
    const changes = { persistence: 50, engineer_cost_eur: 200 };
    for (const [term, value] of Object.entries(changes)) {
      const input = inputs[names.indexOf(term)];
      input.value = value;
      input.dispatchEvent(new Event("input"));
    }
    """
    moved_to = drawn(text, tmp_path, script)
    expected = texts(
        parts["controls-engineer_roi"].outputs[0].model,
        {"persistence": 0.5, "engineer_cost_eur": 2.0},
        5,
    )
    assert json.dumps(expected)[1:-1] in json.dumps(moved_to)
    assert f"10.0{NO_BREAK}%" in moved_to
