"""What a visit looks like, and what is watched."""
