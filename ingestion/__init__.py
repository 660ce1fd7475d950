"""Getting facts in: sources, grants, landing, and the simulator they are tried on."""
