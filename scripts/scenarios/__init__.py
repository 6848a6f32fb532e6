"""Scenarios: from declared terms to outcomes, sensitivity and the page."""
