"""The command ``nbsnn``: train on real data, simulate published networks, and say what is installed."""

from .main import main as main
