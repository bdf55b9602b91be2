"""Spikes as data: bits, positions, and sums of rows."""
