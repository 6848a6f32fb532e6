"""The report: every number from the warehouse, nothing from elsewhere."""

import itertools
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest
from pages import keeps_its_place, plain
from report_log import make_warehouse, stamp

import build_report
import count_coverage
import warehouse
from coverage_check import record
from display.charts import theme
from display.formats import fit_scale
from report import page

SCRIPT = Path(build_report.__file__)
# Of which the JavaScript of the charts is 0.9 MB.
HEAVIEST = 1.7e6
HOSTILE = "</script><script>alert(1)</script><!--\u2028&\"'"


@pytest.fixture(scope="session")
def bundle():
    return build_report.javascript()


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("warehouse")
    return make_warehouse(folder / "demo.duckdb")


@pytest.fixture(scope="session")
def demo_page(demo, bundle):
    return page.render(build_report.read_tables(demo), bundle)


def build(path, bundle):
    return page.render(build_report.read_tables(path), bundle)


def run(*arguments):
    """Run the verb as a user does."""
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


class Reader(HTMLParser):
    """Collect what a browser would fetch, run and show."""

    def __init__(self):
        super().__init__()
        self.fetched, self.scripts, self.cells = [], [], []
        self.tags, self.text, self.open = [], [], []
        self.ids = []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.open.append(tag)
        for name, value in attributes:
            if name in {"src", "href", "srcset", "data", "poster", "action"}:
                self.fetched.append(value)
            if name == "id":
                self.ids.append(value)
        if tag == "script":
            self.scripts.append([dict(attributes), ""])
        if tag in {"td", "th"}:
            self.cells.append("")

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if "script" in self.open:
            self.scripts[-1][1] += data
        elif "style" not in self.open:
            self.text.append(data)
            if self.cells and {"td", "th"} & set(self.open):
                self.cells[-1] += data


def read(text):
    reader = Reader()
    reader.feed(text)
    reader.cells = [plain(cell) for cell in reader.cells]
    reader.words = plain(" ".join(reader.text))
    return reader


def specs_of(text):
    data = next(
        body
        for attributes, body in read(text).scripts
        if attributes.get("type") == "application/json"
    )
    return json.loads(data)["specs"]


def heat_cells(text):
    """Return the rows behind the heat map of days."""
    spec = next(
        spec
        for spec in specs_of(text).values()
        if "Cohorts by day" in spec["description"]
    )
    return next(
        rows for rows in spec["datasets"].values() if "period" in rows[0]
    )


def test_fetches_nothing(demo_page, bundle):
    reader = read(demo_page)
    assert all(
        target.startswith("#") or target == "data:,"
        for target in reader.fetched
    )
    own = demo_page.replace(bundle, "")
    urls = set(re.findall(r"https?://[^\s\"'`<\\]+", own))
    assert urls <= {
        "https://vega.github.io/schema/vega-lite/"
        + theme.alt.SCHEMA_VERSION
        + ".json"
    }
    assert "default-src 'none'" in own
    assert "url(" not in own
    assert "@import" not in own


def test_bundle_names_no_address_that_it_fetches(bundle):
    """Namespaces, schemas, an error's text, and the editor of a menu that
    is switched off."""
    known = (
        "http://www.w3.org/",
        "https://vega.github.io/schema/",
        "https://vega.github.io/editor/",
        "https://github.com/vega/vega-lite/issues/",
    )
    urls = re.findall(r"https?://[^\s\"'`<\\]+", bundle)
    assert all(url.startswith(known) for url in urls)
    starter = (page.TEMPLATES / "page.js").read_text()
    assert "actions: false" in starter


def test_runs_only_its_own_scripts(demo_page):
    scripts = [
        body
        for attributes, body in read(demo_page).scripts
        if attributes.get("type") != "application/json"
    ]
    assert len(scripts) == 3
    for script in scripts:
        assert page.script_hash(script) in demo_page


@pytest.mark.parametrize("place", ["country", "genre", "variant", "log_name"])
def test_data_cannot_become_code(tmp_path, bundle, place):
    path = make_warehouse(tmp_path / "hostile.duckdb", **{place: HOSTILE})
    text = build(path, bundle)
    own = text.replace(bundle, "")
    assert "<script>alert" not in own
    assert "<!--" not in own
    reader = read(text)
    assert len(reader.scripts) == 4
    assert "alert(1)" in reader.words
    (data,) = [
        body
        for attributes, body in reader.scripts
        if attributes.get("type") == "application/json"
    ]
    assert not set(data) & set("<>&\u2028\u2029")
    if place in {"country", "genre"}:
        assert HOSTILE in json.dumps(
            json.loads(data), ensure_ascii=False
        ).replace('\\"', '"')


def test_numbers_are_those_of_the_tables(demo, demo_page):
    reader = read(demo_page)
    with duckdb.connect(str(demo), read_only=True) as connection:
        genres = connection.execute(
            "select eligible_users, retained_users, rate"
            " from marts.fct_retention_by_genres"
        ).fetchall()
        raw = connection.execute(
            "select raw_rows, malformed_rows, rejected_rows, duplicate_rows"
            " from marts.fct_reconciliation"
        ).fetchall()
        facts = connection.execute(
            "select user_count, event_count, session_count, play_count"
            " from marts.fct_observation"
        ).fetchone()
        found = connection.execute(
            "select found from results.headlines where unit = 'rate'"
        ).fetchall()
        platforms = connection.execute(
            "select rate, ci_low, ci_high from marts.fct_retention_summary"
            " where dimension in ('platform', 'country', 'cohort')"
            " and retention_type = 'on_day' and day_mode = 'calendar'"
            " and from_day_number = 7"
        ).fetchall()
    for eligible, retained, rate in genres:
        assert f"{eligible:,}" in reader.cells
        assert f"{retained:,}" in reader.cells
        assert f"{rate:.1%}".replace("%", " %") in reader.cells
    for row in raw:
        for value in row:
            assert any(
                f"{value:,}" == cell.lstrip("=+") for cell in reader.cells
            )
    for value in facts:
        assert f"{value:,}" in reader.words
    for (value,) in found:
        assert f"{100 * value:.1f} %" in reader.cells
    for rate, low, high in platforms:
        scale = fit_scale("rate", rate, low, high)
        shown = plain(scale.text(rate))
        assert shown in reader.cells
        span = plain(scale.span(low, high))
        assert span in reader.cells


def test_charts_draw_the_rates_of_the_tables(demo, demo_page):
    drawn = json.dumps(specs_of(demo_page))
    with duckdb.connect(str(demo), read_only=True) as connection:
        rates = connection.execute(
            "select rate from marts.fct_retention_by_genres union all"
            " select rate from marts.fct_retention_summary"
            " where dimension = 'platform' and retention_type = 'on_day'"
            " and day_mode = 'calendar' and from_day_number in (1, 7, 30)"
        ).fetchall()
        cells = connection.execute(
            "select rate from marts.fct_retention_triangle"
            " where cohort_grain = 'day' and is_mature and period_number >= 1"
        ).fetchall()
    assert all(json.dumps(rate) in drawn for (rate,) in rates)
    assert sorted(cell["rate"] for cell in heat_cells(demo_page)) == sorted(
        round(rate, 4) for (rate,) in cells
    )


def test_blocked_experiment_shows_no_result(demo_page):
    reader = read(demo_page)
    assert "Readout blocked: sample ratio mismatch" in reader.words
    assert not any("77.77" in cell or "77.8" in cell for cell in reader.cells)


def test_verdicts_are_words_not_colours_alone(demo_page):
    cells = read(demo_page).cells
    assert "✓ within error" in cells
    assert "✗ outside error" in cells
    assert "no claim" in cells


def test_without_claims_shows_only_what_was_found(tmp_path, bundle):
    path = make_warehouse(tmp_path / "w.duckdb", has_claims=False)
    cells = read(build(path, bundle)).cells
    assert "Expected" not in cells
    assert "Found" in cells
    assert "6.4 %" in cells


def test_log_without_events_says_so(tmp_path, bundle):
    path = make_warehouse(tmp_path / "w.duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "update marts.fct_observation set observed_from_date = null,"
            " watermark_date = null, last_event_at = null"
        )
        stamp(connection)
    words = read(build(path, bundle)).words
    assert "no events, only what was measured of users" in words
    assert "None" not in words


def test_long_log_stays_light(tmp_path, bundle):
    """Two years of cohorts, a thousand countries: the page says what it
    leaves to the marts."""
    path = make_warehouse(tmp_path / "w.duckdb")
    rates = (
        "100 as cohort_size, 100 as eligible_users, 9 as retained_users,"
        " 0.09 as rate, 0.05 as ci_low, 0.16 as ci_high, true as is_mature,"
        " false as is_small_cell"
    )
    d7 = (
        "'on_day' as retention_type, 'calendar' as day_mode,"
        " 7 as from_day_number, 7 as to_day_number"
    )
    date = "date '2023-01-01' + cast(i as integer)"
    additions = {
        "fct_retention_triangle": f"""
            'day' as cohort_grain, {date} as cohort_date, d as period_number,
            true as is_cohort_complete, {rates}
            from range(730) as a (i), range(121) as b (d)""",
        "fct_retention_summary": f"""
            'cohort' as dimension, cast({date} as varchar) as dimension_value,
            {d7}, {rates} from range(730) as a (i)
            union all by name
            select 'country' as dimension, 'C' || i as dimension_value, {d7},
            {rates} from range(1000) as a (i)""",
        "fct_active_users": f"""
            'all' as dimension, 'all' as dimension_value,
            {date} as calendar_date, true as is_complete,
            900 as daily_active_users, 2000 as weekly_active_users,
            3000 as monthly_active_users, 900.5 as mean_daily_active_users,
            0.3 as stickiness_rate from range(730) as a (i)""",
        "fct_growth_accounting": """
            'all' as dimension, 'all' as dimension_value,
            'week' as period_grain,
            date '2023-01-02' + cast(7 * i as integer) as period_start_date,
            true as is_complete, false as is_first_period,
            2000 as active_users, 2000 as previous_active_users,
            100 as new_users, 1850 as retained_users, 50 as resurrected_users,
            150 as churned_users, 1.0 as quick_ratio
            from range(104) as a (i)""",
        "fct_genre_transitions": """
            'genre ' || i as from_genre_name, 'genre ' || j as to_genre_name,
            100 + i as transition_count, 50 as user_count,
            0.01 as transition_rate
            from range(100) as a (i), range(100) as b (j)""",
        "fct_session_lengths": """
            'genre' as dimension, 'genre ' || i as dimension_value,
            1000 + i as session_count, 500 as user_count,
            2.0 as sessions_per_user, 900.0 as mean_seconds,
            100 as p25_seconds, 600 as median_seconds, 1200 as p75_seconds,
            2000 as p90_seconds, 3000 as p95_seconds, 9000 as longest_seconds
            from range(100) as a (i)""",
    }
    with duckdb.connect(str(path)) as connection:
        for mart, rows in additions.items():
            connection.execute(
                f"insert into marts.{mart} by name select {rows}"
            )
        stamp(connection)
    text = build(path, bundle)
    assert len(text.encode()) < 1.2 * HEAVIEST
    words = read(text).words
    assert "The latest 60 of 742" in words
    assert "The 15 largest of 1005" in words
    assert "The 12 largest of 105" in words


def test_same_warehouse_gives_same_bytes(demo, demo_page, tmp_path):
    """Also from another process, with another hash seed and zone."""
    finished = subprocess.run(
        [sys.executable, SCRIPT, "--warehouse", demo, "--out", tmp_path],
        env=os.environ | {"PYTHONHASHSEED": "7", "TZ": "Pacific/Kiritimati"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "index.html" in finished.stdout
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == demo_page
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_page_is_light(demo_page):
    assert len(demo_page.encode()) < HEAVIEST


def test_page_can_be_read_without_sight(demo_page):
    reader = read(demo_page)
    tags = [tag for tag, _ in reader.tags]
    assert ("html", {"lang": "en"}) in reader.tags
    assert tags.count("h1") == 1
    assert tags.count("table") == tags.count("caption")
    assert all(
        "scope" in attributes for tag, attributes in reader.tags if tag == "th"
    )
    assert len(reader.ids) == len(set(reader.ids))
    links = {target[1:] for target in reader.fetched if target[0] == "#"}
    assert links <= set(reader.ids)
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h\d", tag)]
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    for spec in specs_of(demo_page).values():
        assert len(spec["description"]) > 20
        assert spec["width"] == "container"


def test_text_stands_out_from_paper():
    """WCAG 2.2 contrast, 1.4.3."""

    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in parts
        ]
        return sum(
            w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True)
        )

    style = (page.TEMPLATES / "page.css").read_text()
    colours = dict(re.findall(r"--(\w+): (#\w{6})", style))
    inks = [colours[name] for name in ("ink", "muted", "blue", "good", "bad")]
    inks += [theme.INK, theme.MUTED]
    for ink in inks:
        for paper in ("#ffffff", colours["tint"]):
            contrast = (light(paper) + 0.05) / (light(ink) + 0.05)
            assert contrast >= 4.5, (ink, paper)


def test_bars_start_at_zero(demo_page):
    for spec in specs_of(demo_page).values():
        for layer in spec.get("layer", []):
            if layer["mark"]["type"] == "bar":
                lengths = [
                    axis
                    for axis in map(layer["encoding"].get, "xy")
                    if axis["type"] == "quantitative"
                ]
                assert [axis["scale"]["zero"] for axis in lengths] == [True]


def test_charts_compile(demo):
    sections = page.sections_of(build_report.read_tables(demo))
    figures = list(page.figures_of(sections))
    assert len({figure.name for figure in figures}) == len(figures)
    for figure in figures:
        assert keeps_its_place(figure, width=700), figure.name


def test_missing_warehouse_names_the_remedy(tmp_path):
    finished = run("--warehouse", tmp_path / "none.duckdb", "--out", tmp_path)
    assert finished.returncode == 1
    assert "make build" in finished.stderr
    assert finished.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_missing_results_name_the_remedy(tmp_path):
    path = make_warehouse(tmp_path / "w.duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute("delete from results.analysis_runs")
    with pytest.raises(warehouse.WarehouseError, match="make analyze"):
        build_report.read_tables(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("drop schema results cascade")
    with pytest.raises(warehouse.WarehouseError, match="make analyze"):
        build_report.read_tables(path)


def test_a_mart_that_no_page_declares_is_named(demo):
    tables = build_report.read_tables(demo)
    with pytest.raises(warehouse.WarehouseError, match="shows fct_plays and"):
        tables["fct_plays"]


def test_results_of_an_earlier_build_are_not_shown(tmp_path):
    path = make_warehouse(tmp_path / "w.duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "update marts.fct_retention_by_genres"
            " set retained_users = retained_users + 1"
        )
    with pytest.raises(warehouse.WarehouseError, match="earlier build"):
        build_report.read_tables(path)


def test_a_count_lasts_as_long_as_its_experiments(tmp_path, capsys):
    path = make_warehouse(tmp_path / "demo.duckdb")
    row = dict.fromkeys(record.FIELDS)
    found = {"input_version": count_coverage.input_version(path), "rows": [row]}
    (tmp_path / record.FILE).write_text(json.dumps(found))

    def coverage(change):
        with duckdb.connect(path) as connection:
            connection.execute(change)
            stamp(connection)
        return build_report.read_tables(path)["coverage"]

    assumed = "update marts.dim_scenario_terms set value = value + 1"
    assert coverage(assumed) == [row]
    counted = (
        "insert into marts.fct_experiment_statistics (unit_count) values (1)"
    )
    assert coverage(counted) == []
    assert "make coverage" in capsys.readouterr().err


def test_locked_warehouse_names_the_holder(tmp_path):
    path = make_warehouse(tmp_path / "w.duckdb")
    with duckdb.connect(str(path)):
        finished = run("--warehouse", path, "--out", tmp_path / "out")
    assert finished.returncode == 1
    assert "in use" in finished.stderr
    assert finished.stderr.count("\n") == 1


def test_failed_build_leaves_the_old_page(tmp_path):
    target = tmp_path / "index.html"
    target.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        build_report.write("\ud800", target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
