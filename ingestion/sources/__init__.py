"""One file a vendor or format."""
