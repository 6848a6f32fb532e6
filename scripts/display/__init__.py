"""What pages and printed answers share: formats, charts and their parts."""
