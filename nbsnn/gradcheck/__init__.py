"""Hand-written derivatives against finite differences."""
