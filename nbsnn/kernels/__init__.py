"""Loops over time, units and synapses, with holes where the model goes: the same names in ``cpu`` and ``cuda``."""
