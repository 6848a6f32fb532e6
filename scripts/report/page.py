"""Put the parts of the page together: one HTML text that needs nothing else.

Pure functions: sections in, text out. Only files of this package are read.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import claims.page
import data_quality.page
import engagement.page
import experiments.page
import funnels.page
import genres.page
import playback.page
import retention.page
import scenarios.page
from display import charts
from display.formats import NO_BREAK
from display.parts import Controls, Figure, Row, Section, Tables
from report import overview

# The sections in reading order: modules with a function `section`, and the
# marts that it reads.
SECTIONS = (
    claims.page,
    retention.page.returns,
    retention.page.lifetimes,
    engagement.page,
    playback.page,
    funnels.page,
    genres.page,
    experiments.page,
    scenarios.page,
)
MARTS = sorted(
    {
        mart
        for module in (overview, data_quality.page, *SECTIONS)
        for mart in module.MARTS
    }
)

TEMPLATES = Path(__file__).parent / "templates"
# What labels and titles of an axis take, and what a legend does [px].
AXIS_HEIGHT = 50
LEGEND_HEIGHT = 26
RAMP_HEIGHT = 57
# d3's words for the page's number format: "12 %", a true minus, euros.
LOCALE = {
    "decimal": ".",
    "thousands": ",",
    "grouping": [3],
    "currency": ["€", ""],
    "percent": f"{NO_BREAK}%",
    "minus": "\u2212",
}
# What must not stand in a script element, and how JSON writes it instead.
UNSAFE = {
    ord(character): f"\\u{ord(character):04x}"
    for character in "<>&\u2028\u2029"
}


def script_json(value: Any) -> str:  # noqa: ANN401
    r"""Write JSON that cannot end the script element it stands in.

    Examples
    --------
    >>> script_json("</script>")
    '"\\u003c/script\\u003e"'
    """
    text = json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.translate(UNSAFE)


def script_hash(script: str) -> str:
    """Name a script for the page's content security policy."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def sections_of(tables: Tables) -> list[Section]:
    """Build the sections in reading order."""
    return [module.section(tables) for module in SECTIONS]


def figures_of(sections: list[Section]) -> list[Figure]:
    """List every chart of the page, in order."""
    parts = (part for section in sections for part in section.parts)
    return [part for part in parts if isinstance(part, Figure)]


def reserved_height(spec: Row) -> int:
    """Keep a chart's place until it is drawn, so that links land right."""
    text = json.dumps(spec)
    height = int(spec["height"]) + AXIS_HEIGHT
    if "gradientLength" in text:
        return height + RAMP_HEIGHT
    if '"legend": {' in text or '"shape": {"field"' in text:
        return height + LEGEND_HEIGHT
    return height


def render(tables: Tables, bundle: str) -> str:
    """Write the whole page.

    Tables are rows of marts and results by name, their nulls None; the bundle
    is the JavaScript of Vega, Vega-Lite and vega-embed. The HTML opens from a
    file and fetches nothing.
    """
    sections = sections_of(tables)
    # Chart ids are numbers of the page: names come from data.
    figures = {
        f"chart-{number}": figure
        for number, figure in enumerate(figures_of(sections), start=1)
    }
    specs = {number: figure.spec for number, figure in figures.items()}
    numbers = {figure.name: number for number, figure in figures.items()}
    changing = {
        part.name: {
            "sliders": [
                {"name": one.name, "stated": one.stated, "scale": one.scale}
                for one in part.sliders
            ],
            "outputs": [one.model for one in part.outputs],
        }
        for section in sections
        for part in section.parts
        if isinstance(part, Controls)
    }
    own = [
        (TEMPLATES / name).read_text(encoding="utf-8")
        for name, is_needed in (
            ("page.js", specs),
            ("controls.js", changing),
        )
        if is_needed
    ]
    scripts = [bundle, *own] if specs else own
    for script in scripts:
        if "</script" in script.lower() or "<!--" in script:
            raise ValueError("a script holds text that would end its element")
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html.j2").render(
        log_name=tables["analysis_runs"][0]["log_name"],
        run_number=tables["analysis_runs"][0]["run_number"],
        input_version=tables["analysis_runs"][0]["input_version"],
        facts=overview.facts(tables),
        definitions=overview.definitions(tables),
        methods=overview.methods(tables),
        quality=data_quality.page.quality(tables),
        reconciliation=data_quality.page.reconciliation(tables),
        rejected_rows=data_quality.page.rejected_rows(tables),
        sections=sections,
        sources=overview.sources(sections),
        chart_ids=numbers,
        heights={
            number: reserved_height(spec) for number, spec in specs.items()
        },
        style=(TEMPLATES / "page.css").read_text(encoding="utf-8"),
        scripts=scripts,
        hashes=" ".join(script_hash(script) for script in scripts),
        charts=script_json(
            {
                "config": charts.CONFIG,
                "locale": LOCALE,
                "specs": specs,
                "controls": changing,
            }
        ),
    )
