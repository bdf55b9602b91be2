"""A program with one small compiled kernel: what it computes, whether it came from the cache, and what was warned."""

import json
import warnings

import numpy as np

from nbsnn.compile import fill
from nbsnn.compile.fill import kernel


def polynomial(x, y):
    for k in range(len(x)):
        y[k] = 3.0 * x[k] * x[k] - 2.0 * x[k] + 0.5


def run():
    compiled = kernel(polynomial)
    for dtype in (np.float32, np.float64):  # two files
        y = np.zeros(4, dtype)
        compiled(np.arange(4, dtype=dtype), y)
    compiled(np.arange(4, dtype=np.float32), np.zeros(4, np.float32))
    return y.tolist()


if __name__ == "__main__":
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = run()
    hits = kernel(polynomial).stats.cache_hits
    said = [str(w.message) for w in told]
    print(json.dumps({"y": found, "hits": sum(hits.values()), "warned": said, "log": len(fill.log)}))
