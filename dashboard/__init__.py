"""What people see: thin pages over the published file."""
