"""The static report: formats, charts, sections and the page around them."""
