"""Layers in a row that train as one."""
