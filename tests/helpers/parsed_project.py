"""dbt, imported and parsed once for many invocations.

Importing and parsing take most of a small build's time. This process does both
when it starts; every invocation that a line of its input asks for is a fork of
it, with an environment and raw files of its own. Run by `builds.Dbt`:

    python tests/helpers/parsed_project.py

A line is JSON: words, environment, and the files for what dbt says and for its
exit code, of which the second is a pipe that somebody reads.
"""

import gc
import json
import os
import signal
import sys
import time
from pathlib import Path

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner


def raw_files(environment):
    """Name the raw files of a log: a parsed project knows them."""
    return sorted(
        path.stem for path in Path(environment["STREAMING_SEEDS"]).glob("*.csv")
    )


def invoke(manifest, words, environment, said):
    """Run dbt on another log; return what its command would return."""
    # The parsed project is large, and its process ends soon.
    gc.disable()
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    folder = Path(environment["STREAMING_SEEDS"])
    for node in manifest.nodes.values():
        if node.resource_type == "seed":
            node.original_file_path = str(folder / node.path)
        # A seventh of the time; `make run` keeps the docs, and a test looks.
        node.config.persist_docs = {}
    with Path(said).open("w", buffering=1, encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        done = dbtRunner(manifest=manifest).invoke(words)
        # As when a command ends: what is in the log goes into the file.
        DuckDBConnectionManager.close_all_connections()
        gc.collect()
        if done.exception:
            print(done.exception, flush=True)
    return 2 if done.exception else int(not done.success)


def main():
    """Parse the log of the environment, then serve until the input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    parsed = dbtRunner().invoke(["--quiet", "parse"])
    if not parsed.success:
        sys.exit(str(parsed.exception))
    known = raw_files(os.environ)
    for line in sys.stdin:
        request = json.loads(line)
        if os.fork():
            continue
        code = 2
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            assert raw_files(request["environment"]) == known
            code = invoke(
                parsed.result,
                request["words"],
                request["environment"],
                request["said"],
            )
        finally:
            # Whoever reads the pipe reads to its end, which is the end of this
            # process: the warehouse's file is free by then.
            pipe = os.open(request["code"], os.O_WRONLY)
            os.write(pipe, str(code).encode())
            os._exit(code)


if __name__ == "__main__":
    main()
