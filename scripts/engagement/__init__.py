"""How many are active, and how often."""
