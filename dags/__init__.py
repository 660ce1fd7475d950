"""When things run: the DAGs, and the same steps by hand."""
