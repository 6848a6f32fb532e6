"""Render the project's SQL without dbt, and say what stands in it."""

import re
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path

import jinja2
import sqlglot
import yaml
from sqlglot import exp
from sqlglot.tokens import TokenType

ROOT = Path(__file__).parents[2]

# A dispatched macro renders as a call, but for these. A type renders as a name
# that no engine has, so that a type written out is told apart from it.
STAND_INS = {
    "data_type": "portable_{0}",
    "exact_integer": "portable_integer",
    "integers": "select greatest(0, {1}) as {0}",
    "split_to_rows": "split_to_rows({0}, '{1}')",
}
# Settings under which SQL appears that is not rendered by default.
OTHER_SETTINGS = {
    "time_zone": "America/New_York",
    "week_start_day": "sunday",
    "session_midnight": "split",
    "maximum_session_seconds": 0,
}
FUNNEL = (
    "{{{{ funnel('events', 'bounds', ['a', 'b', 'a'], order='{}', ties='{}',"
    " window_seconds=60, exclusions={}, closed_units='closed') }}}}"
)
GENERIC_TEST_ARGUMENTS = {
    "model": "tested",
    "column_name": "play_count",
    "of": "counted",
    "of_column": "play_count",
    "columns": ["user_id", "cohort_date"],
    "claim": "play_count > 0",
    "unit": "session",
    "counts": ["play_count"],
    "within": ["calendar_date"],
    "is_bounded": False,
    "is_single": False,
}

# The table that generic tests are rendered for, as dbt's graph has it.
TESTED = {
    "relation_name": "tested",
    "columns": {
        "play_count": {
            "name": "play_count",
            "constraints": [{"type": "not_null"}],
        }
    },
}


class Dbt:
    """What is asked of `adapter`, `exceptions` and `dbt`."""

    def dispatch(self, name, _package=None):
        def call(*arguments):
            if name in STAND_INS:
                return STAND_INS[name].format(*arguments)
            return f"{name}({', '.join(map(str, arguments))})"

        return call

    def raise_compiler_error(self, message):
        raise ValueError(message)

    def type_string(self):
        return "portable_text"

    def type_timestamp(self):
        return "portable_timestamp"


@cache
def environment(is_other):
    """Jinja with the project's macros, under one of two sets of settings."""
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    settings = project["vars"] | (OTHER_SETTINGS if is_other else {})
    made = jinja2.Environment(  # noqa: S701 - SQL, not HTML
        extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined
    )
    made.globals |= GENERIC_TEST_ARGUMENTS | {
        "adapter": Dbt(),
        "config": lambda **_: "",
        "dbt": Dbt(),
        "exceptions": Dbt(),
        "execute": False,
        "flags": {"EMPTY": False},
        "graph": {"sources": {"tested": TESTED}},
        "ref": lambda *names: names[-1],
        "run_started_at": datetime(2026, 3, 6, tzinfo=UTC),
        "return": lambda value: value,
        "source": lambda source, table: f"{source}.{table}",
        "var": settings.get,
    }
    paths = sorted((ROOT / "macros").rglob("*.sql"))
    macros = "\n".join(
        path.read_text()
        for path in paths
        if "materializations" not in path.parts
    )
    made.globals |= {
        name: macro
        for name, macro in vars(made.from_string(macros).module).items()
        if not name.startswith("_")
    }
    made.globals["data_type"] = Dbt().dispatch("data_type")
    return made


def render(text, is_other=False):
    """The SQL of a model, test or analysis; dialect macros stay calls."""
    text = re.sub(r"{% (test \w+\((?s:.*?)\)|endtest) %}", "", text)
    return environment(is_other).from_string(text).render()


def rendered(path, is_other=False):
    return render(path.read_text(), is_other)


def queries():
    """The text of every query of the project, by where it stands."""
    found = {}
    for folder in (
        "models",
        "seeds/estimates",
        "tests/singular",
        "tests/generic",
        "analyses",
    ):
        for path in sorted((ROOT / folder).rglob("*.sql")):
            found[str(path.relative_to(ROOT))] = path.read_text()
    for path in sorted((ROOT / "models").rglob("*.yml")):
        content = yaml.safe_load(path.read_text()) or {}
        for test in content.get("unit_tests", []):
            for part in [*test.get("given", []), test["expect"]]:
                if part.get("format") == "sql":
                    place = f"{path.relative_to(ROOT)} {test['name']}"
                    found[f"{place} {part.get('input', 'expect')}"] = part[
                        "rows"
                    ]
    for order in ("this_order", "strict", "any"):
        for ties in ("ordered", "apart", "together"):
            for exclusions in ([], ["x"]):
                found[f"funnel {order} {ties} {exclusions}"] = FUNNEL.format(
                    order, ties, exclusions
                )
    return found


class Query:
    """A query's tokens and tree, and what its columns are."""

    def __init__(self, sql):
        self.tokens = sqlglot.tokenize(sql, dialect="duckdb")
        self.words = [
            "''" if token.token_type is TokenType.STRING else token.text.lower()
            for token in self.tokens
        ]
        self.tree = sqlglot.parse_one(sql, dialect="duckdb")
        self.ctes = {cte.alias: cte.this for cte in self.find("CTE")}
        self.parents = {table.name for table in self.find("Table")}
        self.parents -= set(self.ctes)
        self.known_outputs = {}

    def find(self, names):
        """The nodes of the classes named."""
        names = set(names.split())
        return [
            node for node in self.tree.walk() if type(node).__name__ in names
        ]

    @cached_property
    def meanings(self):
        """What each alias of the file stands for, wherever it is given."""
        found = {}
        for alias in self.find("Alias"):
            found.setdefault(alias.alias, []).append(alias.this)
        return found

    def inputs(self, select):
        """The columns of what a select reads, by alias; None if unknown."""
        while isinstance(select, exp.SetOperation):
            select = select.left
        parts = [select.args.get("from_"), *select.args.get("joins", [])]
        found = {}
        for source in [part.this for part in parts if part]:
            columns = None
            if isinstance(source, exp.Table) and source.name in self.ctes:
                columns = self.outputs(self.ctes[source.name])
            elif isinstance(source, exp.Table):
                columns = set(declared().get(source.name, ())) or None
            found[source.alias_or_name] = columns
        return found

    def outputs(self, query):
        """The columns of a query; None if unknown, or made of themselves."""
        if id(query) in self.known_outputs:
            return self.known_outputs[id(query)]
        self.known_outputs[id(query)] = None
        names = {each.alias_or_name for each in query.selects} - {"*"}
        for star in [each for each in query.selects if each.is_star]:
            for alias, columns in self.inputs(query).items():
                if isinstance(star, exp.Star) or star.table == alias:
                    if columns is None:
                        return None
                    names |= columns
        self.known_outputs[id(query)] = names
        return names


@cache
def declared():
    """The columns that YAML describes and their types, by table."""
    tables = {}
    for path in (ROOT / "models").rglob("*.yml"):
        content = yaml.safe_load(path.read_text()) or {}
        listed = content.get("models", []) + content.get("seeds", [])
        for source in content.get("sources", []):
            listed = listed + source.get("tables", [])
        for table in listed:
            tables[table["name"]] = {
                column["name"]: column.get("data_type", "").upper()
                for column in table.get("columns", [])
            }
    return tables


@cache
def query_of(name):
    paths = list((ROOT / "models").rglob(f"{name}.sql"))
    return Query(rendered(paths[0])) if paths else None
