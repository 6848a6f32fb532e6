"""What tests of every room's page read."""

import pytest
from report_log import make_tables


@pytest.fixture
def tables():
    return make_tables()
