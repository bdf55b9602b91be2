"""A sweep that notes each call: of processes, or of ranks, mpiexec -n 3 python -m mpi4py.futures -m tests.mpi.sweeping.

python -m tests.mpi.sweeping STORE
"""

import sys
import time

import nbsnn


def point(a, store):
    """A result, in a while."""
    with open(f"{store}.calls", "a") as file:
        file.write(f"{a}\n")
    time.sleep(0.5)
    return a * a


def main():
    store, grid = sys.argv[1], {"a": range(8), "store": sys.argv[1:2]}
    pool = None
    if "mpi4py.futures" in sys.modules:
        from mpi4py.futures import MPIPoolExecutor

        pool = MPIPoolExecutor()
    print(sorted(result for _, result in nbsnn.sweep(point, grid, store=store, executor=pool)), flush=True)


if __name__ == "__main__":
    main()
