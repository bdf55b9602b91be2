"""Compilation of plain scalar functions into kernels."""
