"""From plain scalar functions to compiled kernels."""
