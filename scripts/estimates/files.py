"""Queries as a log's folder holds them: what each says, and what it reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from raw.files import ESTIMATES

SCHEMAS = ("marts", "results")

# What names no relation: comments and texts.
SILENT = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
# What follows `from` or `join`: a name, or several with commas between.
READ = re.compile(
    r"(?<!distinct )\b(?:from|join)\s+"
    r"([\w.']+(?:(?:\s+(?:as\s+)?\w+)?\s*,\s*[\w.']+)*)"
)
NAMED_QUERY = re.compile(r"\b(\w+)\s+as\s*\(")
RELATION = re.compile(rf"(?<![\w.])({'|'.join(SCHEMAS)})\.(\w+)")


class Estimate(NamedTuple):
    """A query that finds one number."""

    name: str  # its file's name, without the ending
    description: str  # its first comment: what it estimates
    sql: str  # the file's text

    @property
    def place(self) -> str:
        """Name the file, for refusals and sources."""
        return f"{ESTIMATES}/{self.name}.sql"


def read_estimates(folder: Path) -> dict[str, Estimate]:
    """Read the estimates of a log.

    They are in the folder `estimates` of the raw data; without it, there are
    none.

    Raises
    ------
    ValueError
        If a file does not begin with a comment.
    """
    found = {}
    for path in sorted((folder / ESTIMATES).glob("*.sql")):
        sql = path.read_text(encoding="utf-8-sig")
        one = Estimate(path.stem, described(sql), sql)
        if not one.description:
            raise ValueError(
                f"{one.place}: begin with a comment, -- and what is estimated"
            )
        found[one.name] = one
    return found


def described(sql: str) -> str:
    r"""Join the comment lines at the top of a query.

    Examples
    --------
    >>> described("-- Users of\n-- the log.\nselect 1 as value -- one")
    'Users of the log.'
    """
    words = []
    for line in sql.strip().splitlines():
        if not line.startswith("--"):
            break
        words.append(line.removeprefix("--").strip())
    return " ".join(filter(None, words))


def chosen(
    estimates: Mapping[str, Estimate], name: str, where: str
) -> Estimate:
    """Return the estimate that a row names.

    Raises
    ------
    ValueError
        Naming the row and the file to write, if there is none.
    """
    if name not in estimates:
        others = f", or use one of {', '.join(estimates)}" if estimates else ""
        raise ValueError(
            f"{where}: no estimate {name!r}; write {ESTIMATES}/{name}.sql "
            f"beside the raw data{others}"
        )
    return estimates[name]


def relations_of(estimate: Estimate) -> dict[str, set[str]]:
    """Find the tables that a query reads.

    Gives for each schema of `SCHEMAS` the names read there.

    Raises
    ------
    ValueError
        If it reads anything else.

    Examples
    --------
    >>> sql = "select a from marts.fct_plays cross join results.headlines"
    >>> relations_of(Estimate("plays", "", sql))
    {'marts': {'fct_plays'}, 'results': {'headlines'}}
    """
    text = SILENT.sub("''", estimate.sql).lower()
    text = re.sub(r"\s*\.\s*", ".", re.sub(r'["`]', "", text))
    found: dict[str, set[str]] = {schema: set() for schema in SCHEMAS}
    for schema, name in RELATION.findall(text):
        found[schema].add(name)
    own = set(NAMED_QUERY.findall(text))
    for listed in READ.findall(text):
        for item in listed.split(","):
            name = item.split()[0]
            if name not in own and not RELATION.fullmatch(name):
                raise ValueError(
                    f"{estimate.place}: it reads {name}; an estimate reads "
                    "marts.<mart>, results.<table> and its own named queries"
                )
    return found
