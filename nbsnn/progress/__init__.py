"""What is shown and kept of a training run."""
