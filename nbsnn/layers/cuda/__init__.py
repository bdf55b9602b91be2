"""What computes on a GPU: array operations (``arrays``), and for layers with kernels of their own an object with the
methods that they have for the CPU. A layer calls the one or the other as ``self.ops``.

Arrays that go between layers, tapes, states and gradients lie on the GPU, contiguous; parameters do, too. Nothing here
waits for the GPU, except where parameters of neurons are learned: their values per step are worked out by NumPy.
"""
