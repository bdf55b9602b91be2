"""Products of rows x that are mostly zero on a GPU: only what is not zero is looked at.

Which elements of a row, or of a column, are not zero, bits say; so a thread adds up few rows of the other factor, in
the order of their numbers. What is not zero need not be one.
"""

# pyright: reportCallIssue=false, reportArgumentType=false, reportOptionalSubscript=false, reportOperatorIssue=false

import numpy as np
from numba import cuda, uint32

WORD = 32


def gather(first: int, x: np.ndarray, weight: np.ndarray, bias: np.ndarray, y: np.ndarray) -> None:
    """y = x W + bias, of x [R, K] and W [K, M]. A block has a row; its bits stand behind ``first`` words of numbers."""
    r, thread, threads = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x
    numbers, bits = cuda.shared.array(0, x.dtype), cuda.shared.array(0, uint32)
    words = (x.shape[1] + WORD - 1) // WORD
    for w in range(thread, words, threads):
        bits[first + w] = 0
    cuda.syncthreads()
    for i in range(thread, x.shape[1], threads):
        value = x[r, i]
        numbers[i] = value
        if value != 0.0:
            cuda.atomic.or_(bits, first + i // WORD, np.uint32(1 << (i % WORD)))
    cuda.syncthreads()
    for c in range(thread, y.shape[1], threads):
        s = bias[c]
        for w in range(words):
            left = np.int64(bits[first + w])
            while left != 0:
                i = w * WORD + cuda.ffs(left) - 1
                left &= left - 1
                s += numbers[i] * weight[i, c]
        y[r, c] = s


def pack(lo: int, hi: int, x: np.ndarray, words: np.ndarray) -> None:
    """words [R / 32, K]: which of 32 rows of x [R, K] are not zero in a column; a thread for each word."""
    e = lo + cuda.grid(1)
    if e < hi:
        w, i = e // x.shape[1], e % x.shape[1]
        bits = 0
        for r in range(w * WORD, min((w + 1) * WORD, x.shape[0])):
            if x[r, i] != 0.0:
                bits |= 1 << (r - w * WORD)
        words[w, i] = np.uint32(bits)


def scatter(words: np.ndarray, x: np.ndarray, g: np.ndarray, total: np.ndarray) -> None:
    """total [K, M] += x^T g, of g [R, M]. A block has a row of ``total``."""
    i, thread, threads = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x
    for c in range(thread, g.shape[1], threads):
        s = 0.0
        for w in range(words.shape[0]):
            left = np.int64(words[w, i])
            while left != 0:
                r = w * WORD + cuda.ffs(left) - 1
                left &= left - 1
                s += x[r, i] * g[r, c]
        total[i, c] += s
