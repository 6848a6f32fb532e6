"""A warehouse that another program holds."""

import subprocess
import sys
from contextlib import contextmanager

HOLDER = (
    "import duckdb, sys; held = duckdb.connect(sys.argv[1]);"
    "print('held', flush=True); sys.stdin.read()"
)


@contextmanager
def held(path):
    """Let a process of its own hold a DuckDB file; yields the process."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        try:
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.stdin.close()
