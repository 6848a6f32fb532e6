"""Treatment against control, from sufficient statistics."""
