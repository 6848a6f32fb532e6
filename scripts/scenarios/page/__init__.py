"""Scenarios on the page, with numbers that a reader may change."""

from scenarios.page.section import MARTS, section

__all__ = ["MARTS", "section"]
