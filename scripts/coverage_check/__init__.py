"""How often what the post-step says holds, where the truth is known."""
