"""What became of every raw row."""
