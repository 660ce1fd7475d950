"""What is stored, and how: table definitions, the lake, the register and the published file."""
