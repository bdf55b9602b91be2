"""Devices: where arrays are and what computes, threads of the CPU or a GPU."""
