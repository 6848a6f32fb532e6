"""What the post-step prints: each answer as plain text."""
