"""A run that one rank ends in some way, or that continues after that, and the state at its end as one number.

mpiexec -n 3 python -m tests.mpi.failing STATE --rank 1 --kind kill --moment run --turn 7 --mpi
mpiexec -n 2 python -m tests.mpi.failing STATE --mpi
"""

import argparse
import functools
import itertools
import os
from pathlib import Path

from nbsnn.checkpoint import save
from nbsnn.network.drawn import Drawn
from nbsnn.network.loop import Loop
from nbsnn.network.state import State
from nbsnn.ranks import Ranks

from .zoo import digest, end, network, world

MOMENTS = {"build": 4, "run": 24, "write": 4}  # and how often each comes before 25 ms
TIMEOUT = 15.0  # s, in which ranks also have started, on a machine that is busy


def ending(call, turn, path, kind):
    """A function that ends its process when it is called for so many times; what it writes then is cut off."""
    count = itertools.count(1)

    @functools.wraps(call)
    def called(*arguments, **more):
        if next(count) == turn:
            if call is save.write_entries:
                arguments[0].write(b"a part")
            Path(f"{path}.end").touch()
            end(kind)
        return call(*arguments, **more)

    return called


def main():
    p = argparse.ArgumentParser()
    p.add_argument("path", type=Path)
    p.add_argument("--mpi", action="store_true")
    p.add_argument("--rank", type=int)
    p.add_argument("--kind")
    p.add_argument("--moment", choices=MOMENTS)
    p.add_argument("--turn", type=int)
    a = p.parse_args()
    ranks = Ranks(world(), timeout=TIMEOUT if a.kind == "hang" else 600.0) if a.mpi else None
    Path(f"{a.path}.{os.getpid()}.pid").touch()
    if ranks and ranks.rank == a.rank:
        writes = (save, "write_entries") if a.rank == 0 else (Ranks, "gathered")
        owner, name = {"build": (Drawn, "build"), "run": (Loop, "advance"), "write": writes}[a.moment]
        turn = a.turn * 5 if name == "gathered" else a.turn  # which comes several times in a write
        setattr(owner, name, ending(getattr(owner, name), turn, a.path, a.kind))
    net = network(ranks, small=True)
    if a.path.exists():
        net.restore(a.path)
    net.run(30.0 - net.time, checkpoint=a.path, checkpoint_every=5.0, callback=lambda net: None, callback_every=1.0)
    if net.ranks.rank == 0:
        print(digest(*State.load(a.path).arrays.values()), flush=True)


if __name__ == "__main__":
    main()
