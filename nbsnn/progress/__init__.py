"""Progress bar and history of a training run."""
