"""Whether stated error rates hold, by simulation with a known truth."""
