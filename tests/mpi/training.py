"""A short training whose batches ranks share: what it leaves, as one number.

mpiexec -n 3 python -m tests.mpi.training --mpi
"""

import argparse

import numpy as np

import nbsnn
from nbsnn.neurons import LI, LIF

from .zoo import digest, world


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--mpi", action="store_true")
    p.add_argument("--micro", type=int, default=5)
    p.add_argument("--checkpoint")
    p.add_argument("--epochs", type=int, default=2)
    a = p.parse_args()
    comm = world() if a.mpi else None
    rng = np.random.default_rng(0)
    x, y = rng.random((26, 6)).astype(np.float32), rng.integers(0, 3, 26)
    layers = nbsnn.Dense(6, 8), LIF(v_threshold=0.2), nbsnn.Dropout(0.2), nbsnn.Dense(8, 3), LI()
    net = nbsnn.Sequential(*layers, seed=0, device="python")
    learner = nbsnn.BPTT(net, loss=nbsnn.losses.rate_cross_entropy, optimizer=nbsnn.optim.Adam(0.02), clip=1.0)
    history = nbsnn.fit(
        net, (x, y), (x[:9], y[:9]), learner=learner, encoder=nbsnn.encode.poisson(T=4), epochs=a.epochs, batch_size=8,
        comm=comm, micro=a.micro, checkpoint=a.checkpoint, resume=bool(a.checkpoint), progress=False,
        class_weight=[1.0, 2.0, 0.5], augment=lambda x, draws: x * draws.uniform(x.shape, 0.5, 1.0),
    )  # fmt: skip
    rows = [[v for k, v in row.items() if k != "seconds"] for row in history.rows]
    if comm is None or comm.rank == 0:
        print(digest(*net.parameters().values()), digest(np.array(rows)), flush=True)


if __name__ == "__main__":
    main()
