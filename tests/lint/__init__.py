"""What dbt gives to Jinja and sqlfluff does not, so that SQL can be linted.

sqlfluff renders the models by itself, without dbt and without a warehouse.
These names stand in for dbt's: `var` reads the project's own variables, and a
dispatched macro renders as a call with its arguments.
"""

from datetime import UTC, datetime
from pathlib import Path

import yaml

VARS = yaml.safe_load(Path("dbt_project.yml").read_text())["vars"]

# Macros that do not stand where a function call may stand.
STAND_INS = {
    "data_type": "{0}",
    "exact_integer": "hugeint",
    "integers": "select cast(range as integer) as {0} from range({1})",
    "split_to_rows": "split_to_rows({0}, '{1}')",
}


def var(name, default=None):
    return VARS.get(name, default)


class Adapter:
    def dispatch(self, name, _package):
        def call(*arguments):
            if name in STAND_INS:
                return STAND_INS[name].format(*arguments)
            return f"{name}({', '.join(map(str, arguments))})"

        return call


adapter = Adapter()
run_started_at = datetime(2026, 3, 6, tzinfo=UTC)
