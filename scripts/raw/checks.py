"""What is wrong with a folder of raw files, before anything reads them.

Looks at what can be known from the files and their manifest alone: whether they
can be opened, are the files that were written, hold rows and have the columns
that are needed. Rows themselves are judged by the seed reader and the models.
Nothing is printed, and nothing written but digests, to `cache`, so that a file
that has not changed is not read again.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from raw.files import (
    OPTIONAL_REFERENCE_COLUMNS,
    REFERENCES,
    ROOT,
    TABLES,
    read_manifest,
    reference_files,
    typed_files,
)

Severity = Literal["error", "warn", "ignore"]
SEVERITIES: tuple[Severity, ...] = ("error", "warn", "ignore")
# The variables of dbt_project.yml that say what a finding does to a build.
CHECKS = (
    "digest_check",
    "empty_check",
    "rejected_share_check",
    "freshness_check",
    "volume_check",
)
# dbt reads a seed of up to this size as text, to notice changes [bytes].
TEXT_BYTES = 1024 * 1024
CHUNK_BYTES = 1024 * 1024
# A header longer than this is none [bytes].
HEADER_BYTES = 1024 * 1024
# Reads so far and in all [bytes].
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Finding:
    """Something wrong with the inputs of a build."""

    problem: str
    remedy: str
    severity: Severity = "error"

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.problem}: {self.remedy}."


@dataclass(frozen=True)
class Facts:
    """What one pass over a file's bytes shows.

    Its size and digest, and how many line feeds and carriage returns it has.
    """

    bytes: int
    sha256: str
    line_feeds: int
    carriage_returns: int


def severities(folder: Path) -> dict[str, Severity]:
    """Read what a finding of each check does to a build of a log.

    The project's variables, and those of the log's own `vars.yml` before them.

    Raises
    ------
    ValueError
        If a variable is none of error, warn and ignore.
    """
    found = settings(folder)
    for name in CHECKS:
        if found[name] not in SEVERITIES:
            raise ValueError(
                f"the variable {name} is {found[name]}: write"
                f" {', '.join(SEVERITIES[:-1])} or {SEVERITIES[-1]}"
            )
    return {name: found[name] for name in CHECKS}


def settings(folder: Path) -> dict[str, Any]:
    """Read the project's variables, and before them those of a log."""
    text = (ROOT / "dbt_project.yml").read_text(encoding="utf-8")
    own = folder / "vars.yml"
    found: dict[str, Any] = yaml.safe_load(text)["vars"]
    if own.is_file():
        found |= yaml.safe_load(own.read_text(encoding="utf-8")) or {}
    return found


def find_problems(
    folder: Path, cache: Path | None = None, progress: Progress | None = None
) -> list[Finding]:
    """Find what is wrong with a complete folder of raw files, worst first.

    What would stop dbt itself is an error; what else is found has the severity
    of its variable. The cache is a file that need not exist. Progress is told
    of bytes read, and only where files must be read whole.
    """
    for find in (find_unreadable, find_other_encodings, find_wrong_headers):
        if found := find(folder):
            return found
    try:
        checks = severities(folder)
    except (ValueError, AttributeError, yaml.YAMLError) as error:
        return [Finding(f"{folder}/vars.yml", " ".join(str(error).split()))]
    findings = [
        *find_empty(folder, checks["empty_check"]),
        *find_other_sizes(folder, checks["digest_check"]),
    ]
    if not any(finding.severity == "error" for finding in findings):
        facts = read_facts(folder, cache, progress)
        findings += find_other_digests(folder, facts, checks["digest_check"])
        findings += find_mixed_line_ends(folder, facts)
    return sorted(findings, key=lambda each: SEVERITIES.index(each.severity))


def find_other_files(folder: Path, cache: Path | None = None) -> list[Finding]:
    """Find raw files that are not those which the manifest describes."""
    severity = severities(folder)["digest_check"]
    return find_other_sizes(folder, severity) or find_other_digests(
        folder, read_facts(folder, cache), severity
    )


def table_files(folder: Path) -> list[Path]:
    """List the files of the raw tables."""
    return [
        path
        for table in TABLES
        for path in (folder / f"{table}.csv", *typed_files(folder, table))
    ]


def raw_files(folder: Path) -> list[Path]:
    """List every file of a log that a build reads."""
    own = folder / "vars.yml"
    return [
        *table_files(folder),
        *(folder / path for path in reference_files(folder)),
        *([own] if own.is_file() else []),
    ]


def find_unreadable(folder: Path) -> list[Finding]:
    """Name files that may not be read, or the folder."""
    try:
        list(folder.iterdir())
        paths = raw_files(folder)
    except PermissionError:
        return [Finding(f"{folder}/ may not be read", _right("u+rx", folder))]
    return [
        Finding(f"{path} may not be read", _right("u+r", path))
        for path in paths
        if _is_closed(path)
    ]


def _is_closed(path: Path) -> bool:
    """Whether a file is there that this user may not open."""
    try:
        with path.open("rb"):
            return False
    except FileNotFoundError:
        return False
    except PermissionError:
        return True


def _right(right: str, path: Path) -> str:
    """Say how to be allowed to."""
    return f"run `chmod {right} {path}`, or ask its owner to"


def find_unwritable(folder: Path) -> list[Finding]:
    """Name a folder in which nothing may be written, or its parent.

    The folder is made if there is none.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return []
    except PermissionError:
        return [
            Finding(
                f"{folder}/ may not be written to",
                f"run `chmod u+rwx {folder}`, ask its owner to, or set"
                " STREAMING_WAREHOUSE and DBT_TARGET_PATH to another folder",
            )
        ]


def find_other_encodings(folder: Path) -> list[Finding]:
    """Name the first byte that is not UTF-8 of each file read as text.

    In a larger raw file the seed reader sets such a line apart.
    """
    findings = []
    for path in raw_files(folder):
        is_text = path.suffix != ".parquet"
        if not is_text or path.stat().st_size > TEXT_BYTES:
            continue
        content = path.read_bytes()
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            column = error.start - content.rfind(b"\n", 0, error.start)
            encoding = (
                "utf-16"
                if content.startswith((b"\xff\xfe", b"\xfe\xff"))
                else "latin1"
            )
            findings.append(
                Finding(
                    f"{path}, line {line}, byte {column}: the byte"
                    f" 0x{content[error.start]:02x} is not UTF-8",
                    f"convert the file, perhaps by `iconv -f {encoding} -t"
                    f" utf-8 {path} > converted.csv`",
                )
            )
    return findings


def read_header(path: Path) -> list[str]:
    """Read the names of a CSV file's columns, as the seed reader does."""
    with path.open("rb") as file:
        lines = file.readline(HEADER_BYTES).splitlines()
    line = lines[0].decode("utf-8-sig", errors="replace") if lines else ""
    return [name.strip().strip('"') for name in line.split(",")]


def find_wrong_headers(folder: Path) -> list[Finding]:
    """Name the raw and the reference files that lack a column."""
    needed = {name: list(columns) for name, columns in TABLES.items()} | {
        name: [
            column
            for column in header.split(",")
            if column not in OPTIONAL_REFERENCE_COLUMNS.get(name, ())
        ]
        for name, header in REFERENCES.items()
    }
    findings = []
    for name, columns in needed.items():
        path = folder / f"{name}.csv"
        header = read_header(path)
        missing = [column for column in columns if column not in header]
        alike = [each for each in header if each.lower() in missing]
        if missing and header == [""]:
            findings.append(
                Finding(f"{path} has no header", f"write {','.join(columns)}")
            )
        elif missing:
            findings.append(
                Finding(
                    f"{path} has no column {', '.join(missing)}; its header"
                    f" reads {', '.join(header)}",
                    f"write {', '.join(alike)} in small letters"
                    if alike
                    else "add the column (its values may be empty) or correct"
                    " its name in the first line",
                )
            )
    return findings


def has_rows(path: Path) -> bool:
    """Whether anything but empty lines follows a CSV file's header."""
    with path.open("rb") as file:
        if b"\r" in file.readline(HEADER_BYTES).rstrip(b"\r\n"):
            return True  # Lines that end in carriage returns alone.
        while chunk := file.read(CHUNK_BYTES):
            if not chunk.isspace():
                return True
    return False


def find_empty(folder: Path, severity: Severity) -> list[Finding]:
    """Find that a log has no events, or no users for those it has.

    An experiment that the service measured itself needs no events: users,
    assignments and measures are a log.
    """
    filled = {
        name
        for name in TABLES
        if has_rows(folder / f"{name}.csv") or typed_files(folder, name)
    }
    is_measured = {"experiment_assignments", "user_measures"} <= filled
    if "events" not in filled and not is_measured:
        empty, lost = "events", "the report would show nothing but zeros"
    elif "users" not in filled:
        empty, lost = "users", "every row of users it does not know is rejected"
    else:
        return []
    if severity == "ignore":
        return []
    return [
        Finding(
            f"{folder / empty}.csv holds no row, and {lost}",
            "write it anew (`make data` or `make load`), or set empty_check to"
            " ignore if there are none",
            severity,
        )
    ]


def described_files(folder: Path) -> Iterator[tuple[Path, int, str]]:
    """List the raw files that a manifest describes: path, bytes, digest.

    Files that people write by hand are left out: they are meant to change.
    """
    files = read_manifest(folder).get("files")
    if not isinstance(files, dict):
        return
    for name, entry in files.items():
        path = folder / name
        table = path.stem if path.parent == folder else path.parent.name
        if (
            table in TABLES
            and isinstance(entry, dict)
            and {"bytes", "sha256"} <= entry.keys()
        ):
            yield path, int(entry["bytes"]), str(entry["sha256"])


def _changed(path: Path, how: str, severity: Severity) -> Finding:
    """Say that a file is not the one that was written."""
    return Finding(
        f"{path} is not the file that manifest.json describes: {how}",
        "write it anew (`make data` or `make load`), or set digest_check to"
        " warn if it was changed on purpose",
        severity,
    )


def find_other_sizes(folder: Path, severity: Severity) -> list[Finding]:
    """Find raw files of another size than their manifest says."""
    if severity == "ignore":
        return []
    described = {path: size for path, size, _ in described_files(folder)}
    found = []
    for path, size in described.items():
        if not path.is_file():
            found.append(_changed(path, "it is gone", severity))
        elif path.stat().st_size != size:
            bytes_now = path.stat().st_size
            how = f"{bytes_now} bytes instead of {size}"
            found.append(_changed(path, how, severity))
    unknown = [
        path
        for table in TABLES
        for path in typed_files(folder, table)
        if described and path not in described
    ]
    return found + [
        _changed(path, "it describes none of that name", severity)
        for path in unknown
    ]


def find_other_digests(
    folder: Path, facts: dict[Path, Facts], severity: Severity
) -> list[Finding]:
    """Find raw files of the manifest's size that hold other bytes."""
    if severity == "ignore":
        return []
    return [
        _changed(path, "other content of the same size", severity)
        for path, size, digest in described_files(folder)
        if facts[path].bytes == size and facts[path].sha256 != digest
    ]


def find_mixed_line_ends(
    folder: Path, facts: dict[Path, Facts]
) -> list[Finding]:
    """Find raw files whose lines end in several ways, which no reader takes.

    Within quotes anything is allowed.
    """
    findings = []
    for table in TABLES:
        path = folder / f"{table}.csv"
        returns = facts[path].carriage_returns
        feeds = facts[path].line_feeds
        is_odd = returns > 0 and feeds not in (0, returns)
        line = first_other_end(path) if is_odd else None
        if line:
            findings.append(
                Finding(
                    f"{path}, line {line}: the line ends otherwise than those"
                    " before it",
                    f"let all end alike, by `sed -i 's/\\r$//' {path}`",
                )
            )
    return findings


def first_other_end(path: Path) -> int | None:
    """Find the first line that ends otherwise than the first does.

    Within quotes, which may span lines, every character is text.
    """
    is_quoted, first = False, None
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            body = line.removesuffix(b"\n")
            end = body.endswith(b"\r") and body != line
            parts = body.removesuffix(b"\r" if end else b"").split(b'"')
            if any(b"\r" in part for part in parts[is_quoted::2]):
                return number
            is_quoted ^= len(parts) % 2 == 0
            if is_quoted or body == line:
                continue
            if first is None:
                first = end
            elif end != first:
                return number
    return None


def read_facts(
    folder: Path, cache: Path | None, progress: Progress | None = None
) -> dict[Path, Facts]:
    """Read the raw files whole, several at a time.

    One whose size and time of change the cache knows is not read again.
    """
    paths = table_files(folder)
    known = _read_cache(cache)
    stamps = {path: _stamp(path) for path in paths}
    facts = {
        path: known[stamp] for path, stamp in stamps.items() if stamp in known
    }
    unread = [path for path in paths if path not in facts]
    count = _Counter(sum(path.stat().st_size for path in unread), progress)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        read = pool.map(lambda path: file_pass(path, count.add), unread)
        facts |= dict(zip(unread, read, strict=True))
    if cache is not None and unread:
        _write_cache(cache, {stamps[path]: facts[path] for path in paths})
    return facts


class _Counter:
    """Add up the bytes that several threads read."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.done, self.total, self.progress = 0, total, progress
        self.lock = threading.Lock()

    def add(self, count: int) -> None:
        """Count some more bytes."""
        with self.lock:
            self.done += count
            if self.progress:
                self.progress(self.done, self.total)


def file_pass(path: Path, count: Callable[[int], None]) -> Facts:
    """Read a file once, from the first byte to the last."""
    digest = hashlib.sha256()
    size = feeds = returns = 0
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            feeds += chunk.count(b"\n")
            returns += chunk.count(b"\r")
            size += len(chunk)
            count(len(chunk))
    return Facts(size, digest.hexdigest(), feeds, returns)


def _stamp(path: Path) -> str:
    """Return what a file is known by: path, size, time of change [ns]."""
    stat = path.stat()
    return f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"


def _read_cache(cache: Path | None) -> dict[str, Facts]:
    """Read what was found before; nothing where it cannot be read."""
    try:
        content = json.loads(cache.read_text(encoding="utf-8")) if cache else {}
        return {stamp: Facts(**facts) for stamp, facts in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write_cache(cache: Path, facts: dict[str, Facts]) -> None:
    """Write what was found, whole or not at all."""
    cache.parent.mkdir(parents=True, exist_ok=True)
    fresh = cache.with_name(f".{cache.name}.{os.getpid()}")
    content = {stamp: asdict(found) for stamp, found in facts.items()}
    fresh.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    fresh.replace(cache)


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that stop a build."""
    return [finding for finding in findings if finding.severity == "error"]
