"""The command ``nbsnn``: train on real data, and say what is installed."""

from .main import main as main
