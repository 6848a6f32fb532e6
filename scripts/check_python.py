"""Say in one line why the environment cannot be made here, before it is.

Reads the Python that runs it, the free disk, and what `.venv` is, which will be
emptied; writes nothing. It uses no package and no recent syntax, because it
runs before anything is installed:

    python3 scripts/check_python.py
"""

import os
import shutil
import sys

NEEDED_BYTES = 3e9

if sys.version_info < (3, 11):  # noqa: UP036 (runs on any Python)
    sys.exit(
        "Python "
        + sys.version.split()[0]
        + " is too old: 3.11 or newer is needed. Name one: make run"
        " PYTHON=/path/to/python3.11"
    )
if shutil.disk_usage(".").free < NEEDED_BYTES:
    sys.exit(
        "Less than 3 GB of disk are free here: the environment, the data and"
        " the warehouse need about 2.5 GB."
    )
# Paths of `os`, for the reason above.
if os.path.islink(".venv"):  # noqa: PTH114
    sys.exit(
        ".venv is a link, and what it leads to would be emptied: remove the"
        " link (rm .venv) and run again."
    )
if os.path.lexists(".venv") and not (
    os.path.isfile(".venv/pyvenv.cfg")  # noqa: PTH113
    or (os.path.isdir(".venv") and not os.listdir(".venv"))  # noqa: PTH112, PTH208
):
    sys.exit(
        ".venv is no virtual environment and would be emptied: move it away"
        " and run again."
    )
