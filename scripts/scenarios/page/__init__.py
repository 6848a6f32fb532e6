"""Scenarios on the page, with numbers that a reader may change."""

from scenarios.page.section import section

__all__ = ["section"]
