"""Building blocks of scalar code."""
