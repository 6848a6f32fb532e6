"""Read somebody else's log as this project's raw files."""
