"""Networks in files: what they are made of, and their arrays."""
