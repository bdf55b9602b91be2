"""Random trials against independent oracles, as many as a budget of time allows."""
