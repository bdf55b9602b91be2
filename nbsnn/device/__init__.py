"""Where arrays lie and who computes: threads of the CPU, or a GPU."""
