"""Say in one line why the environment cannot be made here, before it is.

Reads the Python that runs it and the free disk; writes nothing. It uses no
package and no recent syntax, because it runs before anything is installed:

    python3 scripts/check_python.py
"""

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
