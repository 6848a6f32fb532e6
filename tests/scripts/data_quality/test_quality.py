"""What the page says of rows and values that are not shown as they came."""

import report_log

from data_quality.page import quality


def test_values_that_share_a_name_are_counted():
    tables = report_log.make_tables()
    assert "together" not in quality(tables)
    country = next(
        row for row in tables["dim_dimensions"] if row["label"] == "Country"
    )
    country |= {"folded_value_count": 13, "folded_user_count": 1_450}
    assert quality(tables).endswith(
        "By country, 13 values of 1,450 users, once for each, are shown"
        " together as other."
    )
