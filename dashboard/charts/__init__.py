"""Charts: Vega-Lite specifications as plain dicts, one file a page."""
