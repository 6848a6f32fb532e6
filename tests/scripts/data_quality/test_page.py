"""What the page says of raw rows."""

from data_quality import page


def test_rows_that_are_not_accounted_for_are_said(tables):
    assert page.quality(tables).startswith("Every raw row is accounted for")
    tables["fct_reconciliation"][1]["is_reconciled"] = False
    assert "does not hold for events" in page.quality(tables)
    assert not page.reconciliation(tables)[1]["is_reconciled"]
