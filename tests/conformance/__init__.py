"""Conformance: numbers recorded from other systems, reproduced. ``golden.py`` says how such a test is written."""
