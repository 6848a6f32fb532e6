"""The rooms of scripts/: what each may read, and that tests mirror them."""

import ast
from pathlib import Path

import pytest
from cases import listed

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"
BASE = {"stats", "display"}
SUBJECTS = listed(
    "retention engagement playback funnels genres experiments scenarios"
    " claims data_quality"
)
# A room reads itself and the rooms named here, all of them further up.
MAY_READ = {
    "engine": set(),
    "raw": set(),
    "warehouse": {"engine"},
    "stats": set(),
    "display": set(),
    "estimates": {"raw", "warehouse", "stats"},
    "simulation": {"raw"},
    "mapping": {"engine", "raw"},
    "publication": {"engine", "raw"},
    "comparison": {"engine", "warehouse"},
    "retention": BASE,
    "engagement": BASE,
    "playback": BASE,
    "funnels": BASE,
    "genres": BASE,
    "experiments": BASE,
    "scenarios": BASE | {"estimates"},
    "claims": BASE | {"estimates"},
    "data_quality": BASE,
    "coverage_check": BASE
    | {"engine", "warehouse", "genres", "experiments", "scenarios"},
    "benchmarks": {
        "engine",
        "raw",
        "warehouse",
        "publication",
        "stats",
        "experiments",
    },
    "report": BASE | SUBJECTS,
}
# Numbers only: nothing there knows a table of the warehouse.
KNOW_NO_TABLE = ("stats", "display")


def imported(path):
    """Names of the modules that a file imports, at any depth of it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules(folder):
    return [path for path in folder.rglob("*.py") if path.is_file()]


def test_every_room_says_what_it_may_read():
    rooms = {path.parent.name for path in SCRIPTS.glob("*/__init__.py")}
    assert rooms == MAY_READ.keys()
    earlier = set()
    for room, others in MAY_READ.items():
        assert others <= earlier, f"{room} reads a room that comes later"
        earlier.add(room)


@pytest.mark.parametrize("room", MAY_READ)
def test_a_room_reads_only_what_it_may(room):
    verbs = {path.stem for path in SCRIPTS.glob("*.py")}
    forbidden = (MAY_READ.keys() - MAY_READ[room] - {room}) | verbs
    found = {
        f"{path.relative_to(SCRIPTS)} imports {name}"
        for path in modules(SCRIPTS / room)
        for name in imported(path)
        if name.split(".")[0] in forbidden
    }
    assert not found


def test_no_module_imports_itself_by_way_of_others():
    own = {
        ".".join(path.relative_to(SCRIPTS).with_suffix("").parts): path
        for path in modules(SCRIPTS)
        if path.name != "__init__.py"
    }
    reads = {
        name: {other for other in imported(path) if other in own}
        for name, path in own.items()
    }
    settled = set()
    while open_ := reads.keys() - settled:
        free = {name for name in open_ if reads[name] <= settled}
        assert free, f"in a circle: {', '.join(sorted(open_))}"
        settled |= free


@pytest.mark.parametrize("room", KNOW_NO_TABLE)
def test_rooms_of_numbers_know_no_table(room):
    marts = {path.stem for path in (ROOT / "models").rglob("*.sql")}
    found = {
        f"{path.relative_to(SCRIPTS)} names {mart}"
        for path in modules(SCRIPTS / room)
        for mart in marts
        if mart in path.read_text(encoding="utf-8")
    }
    assert not found


def test_tests_lie_where_what_they_test_lies():
    tests = ROOT / "tests" / "scripts"
    places = {path.parent.relative_to(tests) for path in modules(tests)}
    strange = {place for place in places if not (SCRIPTS / place).is_dir()}
    assert not strange
    # The claims are tested with the verbs.
    untested = {
        room
        for room in MAY_READ
        if not any(path.parts[:1] == (room,) for path in places)
    }
    assert untested <= {"claims"}
