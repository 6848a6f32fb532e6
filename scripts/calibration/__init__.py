"""How often estimates hold what was planted, over many simulated worlds."""
