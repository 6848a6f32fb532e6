"""Exploring genres and retention: effects, their checks, and the page."""
