"""Statistics and scenarios: pure functions of sufficient statistics."""
