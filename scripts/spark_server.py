"""Start and stop a Spark SQL server on this machine, for trying the models.

Runs the Thrift server from the jars of the installed pyspark, on loopback
only, with its catalogue, tables and scratch files under one folder. It needs
Java 17 and the packages of `make setup-spark`. A cluster of your own needs none
of this: name it in profiles.yml (docs/spark.md).

    python scripts/spark_server.py start
    python scripts/spark_server.py stop
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

HOST = "127.0.0.1"
DEFAULT_FOLDER = Path("target/spark")
SERVER_CLASS = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"
NEEDED_JAVA = 17
START_SECONDS = 180
STOP_SECONDS = 30


class ServerError(Exception):
    """What a user must know: one line that names the cause and the remedy."""


@dataclass(frozen=True)
class Settings:
    """How the server runs."""

    # Holds catalogue, tables, scratch files, log and the server's state.
    folder: Path
    port: int  # of loopback; 0 for any that is free
    # Where Spark computes: `local[2]` in this process with two threads,
    # `local-cluster[2,1,1024]` in two further processes of one core and 1,024
    # MB each.
    master: str
    memory: str  # heap of the server, as Java writes it

    @property
    def state_file(self) -> Path:
        """Where a running server is recorded."""
        return self.folder / "server.json"

    @property
    def log_file(self) -> Path:
        """What the server prints."""
        return self.folder / "server.log"


def java() -> str:
    """Find a Java that Spark 4 runs on.

    Raises
    ------
    ServerError
        If there is none, or an older one.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    remedy = (
        f"install Java {NEEDED_JAVA} (Debian, Ubuntu: apt-get install"
        " openjdk-17-jre-headless), or set JAVA_HOME"
    )
    if found is None:
        raise ServerError(f"no java found; {remedy}")
    told = subprocess.run(  # noqa: S603 (the java of this machine)
        [found, "-version"], capture_output=True, text=True, check=False
    ).stderr
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) < NEEDED_JAVA:
        raise ServerError(
            f"{found} is not Java {NEEDED_JAVA} or newer; {remedy}"
        )
    return found


def spark_home() -> Path:
    """Find the installed pyspark.

    Raises
    ------
    ServerError
        If it is not installed.
    """
    found = find_spec("pyspark")
    if found is None or found.origin is None:
        raise ServerError("no pyspark found; run `make setup-spark`")
    return Path(found.origin).parent


def command(settings: Settings, port: int) -> list[str]:
    """Compose what starts the server."""
    folder = settings.folder.resolve()
    options = " ".join(
        (
            f"-Dderby.system.home={folder}",
            "-Duser.timezone=UTC",
            "-XX:+UseSerialGC",
            # The quick compiler alone, with room: by default its code is
            # thrown away and made again, for a third of all time.
            "-XX:TieredStopAtLevel=1",
            "-XX:ReservedCodeCacheSize=256m",
        )
    )
    conf = {
        "spark.driver.host": HOST,
        "spark.driver.bindAddress": HOST,
        "spark.driver.memory": settings.memory,
        "spark.driver.extraJavaOptions": options,
        "spark.ui.enabled": "false",
        "spark.local.dir": f"{folder}/scratch",
        "spark.sql.warehouse.dir": f"{folder}/warehouse",
        "spark.sql.session.timeZone": "UTC",
        # For data that fits one machine: few tasks, and no code that is
        # compiled for every query (docs/spark.md has a cluster's values).
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
        "spark.hadoop.javax.jdo.option.ConnectionURL": (
            f"jdbc:derby:;databaseName={folder}/catalogue;create=true"
        ),
    }
    return [
        str(spark_home() / "bin" / "spark-submit"),
        *("--class", SERVER_CLASS),
        *("--master", settings.master),
        *(
            part
            for name, value in conf.items()
            for part in ("--conf", f"{name}={value}")
        ),
        "spark-internal",
        *("--hiveconf", f"hive.server2.thrift.bind.host={HOST}"),
        *("--hiveconf", f"hive.server2.thrift.port={port}"),
    ]


def start(settings: Settings) -> int:
    """Start the server and wait until it answers; return its port.

    Raises
    ------
    ServerError
        If one runs already, the port is taken, something is not installed or
        the server ends or does not answer in time; nothing runs then.
    """
    running = state(settings)
    if running:
        raise ServerError(
            f"a server runs already, process {running['pid']}, port"
            f" {running['port']}; stop it with `make spark-server STOP=1`"
        )
    port = settings.port or free_port()
    if answers(port):
        raise ServerError(
            f"port {port} of {HOST} is taken by another program; set"
            " SPARK_PORT to a free one"
        )
    environment = os.environ | {
        "JAVA_HOME": str(Path(java()).resolve().parents[1]),
        "SPARK_HOME": str(spark_home()),
        "SPARK_LOCAL_IP": HOST,
    }
    words = command(settings, port)
    # What a killed server was writing: Spark makes no table where files lie.
    for begun in settings.folder.glob("warehouse/*/*/_temporary"):
        shutil.rmtree(begun)
    settings.folder.mkdir(parents=True, exist_ok=True)
    with settings.log_file.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(  # noqa: S603 (composed above)
            words,
            env=environment,
            cwd=settings.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    record = {"pid": process.pid, "port": port, "master": settings.master}
    settings.state_file.write_text(json.dumps(record) + "\n", encoding="utf-8")
    began = time.monotonic()
    while not answers(port):
        is_late = time.monotonic() - began > START_SECONDS
        if process.poll() is not None or is_late:
            stop(settings)
            raise ServerError(
                "the server "
                + ("does not answer" if is_late else "ended while it started")
                + f"; its last words are in {settings.log_file}"
            )
        time.sleep(0.5)
    return port


def stop(settings: Settings) -> bool:
    """Stop the server, if one runs; return whether one did."""
    running = state(settings)
    if running:
        pid = int(running["pid"])
        os.killpg(pid, signal.SIGTERM)
        began = time.monotonic()
        while is_alive(pid):
            if time.monotonic() - began > STOP_SECONDS:
                os.killpg(pid, signal.SIGKILL)
                break
            time.sleep(0.2)
    settings.state_file.unlink(missing_ok=True)
    return running is not None


def state(settings: Settings) -> dict[str, int | str] | None:
    """Read what is recorded of a server that still runs."""
    try:
        found = json.loads(settings.state_file.read_text(encoding="utf-8"))
        return found if is_alive(int(found["pid"])) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_alive(pid: int) -> bool:
    """Say whether a process runs: one that has ended is not waited for."""
    try:
        ended, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        ended = 0
    if ended:
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def answers(port: int) -> bool:
    """Say whether something listens on a port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def free_port() -> int:
    """Let the system name a port of loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description="Start, stop or check a Spark SQL server here.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "verb",
        choices=("start", "stop", "check"),
        help="check says whether Java and pyspark are there",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=DEFAULT_FOLDER,
        help="of catalogue, tables, scratch files and log",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=int(os.environ.get("SPARK_PORT") or 10_000),
        help="on loopback; 0 for any that is free",
    )
    add_sizes(parser)
    return parser.parse_args(arguments)


def add_sizes(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how large a server is started."""
    parser.add_argument(
        "--master",
        default=os.environ.get("SPARK_MASTER") or "local[2]",
        help="where Spark computes; local-cluster[2,1,1024] has two processes",
    )
    parser.add_argument(
        "--memory",
        default=os.environ.get("SPARK_MEMORY") or "2g",
        help="heap of the Spark server",
    )


def main() -> None:
    """Start, stop or check, and say so."""
    options = parsed()
    settings = Settings(
        options.folder, options.port, options.master, options.memory
    )
    try:
        if options.verb == "check":
            java()
            spark_home()
        elif options.verb == "stop":
            word = "stopped" if stop(settings) else "does not run"
            print(f"Spark {word}")
        else:
            print(f"Spark starts on {settings.master} ...", flush=True)
            port = start(settings)
            print(f"Spark answers on {HOST}:{port}; log {settings.log_file}")
    except ServerError as error:
        sys.exit(f"spark_server: {error}")


if __name__ == "__main__":
    main()
