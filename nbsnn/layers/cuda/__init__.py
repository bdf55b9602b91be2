"""What layers do on a GPU: for each kind a counterpart, which takes over its methods (``Layer.settle``).

Arrays that go between layers, tapes, states and gradients lie on the GPU, contiguous; parameters do, too. Nothing here
waits for the GPU, except where parameters of neurons are learned: their values per step are worked out by NumPy.
"""
