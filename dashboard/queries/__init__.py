"""Questions to the published file, one file a page. SQL lives here alone."""
