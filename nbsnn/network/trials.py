"""Trials: copies of a network that run at once, each on a thread, with the same synapses and other noise."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from ..device.threads import threads
from ..progress.bar import Progress
from ..validate import count, function
from ..validate.kinds import is_tuple
from ..validate.sealed import Sealed
from .given import seed_of
from .home import Home, Whole
from .recording import Recording
from .running import HELD, RUNNING, at_rest


def twin(network: Home) -> Any:
    """A copy of a network, which shares with it what no run changes: the wiring, and the models."""
    layout = network.layout
    shared = [layout.index, layout.start_resources, *layout.learning.columns]
    for c in network.connections:
        shared += [c.start, c.senders, c._pair, c.pattern, c.coordinates, c._weight, c._delay]
        shared += [c.rule, c.integer, c.plasticity]
    shared += [group.neuron for group in network.groups]
    made = copy.deepcopy(network, {id(item): item for item in shared})
    made.layout.share_models(layout)
    return made


MOST = 2**24
"""Trials of one call: their recordings are kept in memory."""


class Trials(Sealed):
    """What ``Simulation`` does about trials."""

    def trials(
        self, n: int, duration: float, *, prepare: Callable[..., Any] | None = None,
        noise: int | Sequence[int] | None = None, record: Mapping[Any, Any] | None = None,
        every: float | Mapping[Any, float] | None = None,
        callback: Callable[..., Any] | Mapping[Callable[..., Any], float] | None = None,
        callback_every: float | None = None, progress: Progress | bool = False,
    ) -> list[Recording]:  # fmt: skip
        """Simulate ``duration`` ms from the present state on, n times at once on threads, and leave the network there.

        Each trial is a copy of the network that is not built again: it has the same synapses, and noise of its own.

        Parameters
        ----------
        n : int
        duration : float, ms
        prepare : callable, optional
            ``prepare(network, k)`` is called with the copy of trial k before it runs, and may set its parameters,
            inputs, weights and state: a sweep. ``network.group("cells")``, or ``network.counterpart(cells)``, is its
            population.
        noise : int or sequence of n int, optional
            Seeds of noise, or one for all; that of the network plus k by default, so that trial 0 is what ``run``
            gives.
        record, every, callback, callback_every
            As in ``run``; a callback is called with the copy of its trial, in its thread.
        progress : bool or Progress
            Show how many are done.

        Returns
        -------
        list of Recording
            In the order of k. Their populations are those of this network.

        Raises
        ------
        ValueError, TypeError, KeyError
            As in ``run``; what a trial raises ends all.

        Examples
        --------
        >>> import nbsnn
        >>> net = nbsnn.Network(dt=0.5, device="python")
        >>> cells = net.population(nbsnn.neurons.LIF(tau=10.0), 20, name="cells")
        >>> current = net.inject(cells, 1.5)
        >>> def slower(net, k):
        ...     net.group("cells")["tau"] = [5.0, 10.0, 20.0][k]
        >>> [run.rate(cells) for run in net.trials(3, 100.0, prepare=slower)]
        [180.0, 90.0, 40.0]
        """
        home = cast(Home, self)
        at_rest(home, "trials")
        n = count("n", n, most=MOST)
        if home.ranks.size > 1:
            raise NotImplementedError("trials are copies in one process; this network runs on ranks")
        if prepare is not None:
            function("prepare", prepare, "a function of a network and the number of a trial", 2)
        if (isinstance(noise, Sequence) and not isinstance(noise, str)) or getattr(noise, "ndim", 0):
            seeds = [seed_of("noise", seed) for seed in cast(Sequence[int], noise)]
        else:
            seeds = [home.noise + k if noise is None else seed_of("noise", noise) for k in range(n)]
        if len(seeds) != n:
            raise ValueError(f"noise must be a seed, or {n} of them, one for each trial, not {len(seeds)}")
        loop = home.build().loop()
        workers = 1 if loop.interpreted or home.backend.threads(loop) is None else min(n, threads())
        show, running, done = Progress.of(progress), list[Whole](), list[int]()

        def trial(k: int) -> Recording:
            net = twin(home)
            net.noise, net._threads = seeds[k], 1 if workers > 1 else None
            running.append(net)
            if prepare is not None:
                prepare(net, k)
            of = net.counterpart
            there = {of(owner): names for owner, names in record.items()} if isinstance(record, Mapping) else record
            intervals = every
            if isinstance(every, Mapping):
                intervals = {(of(k[0]), k[1]) if is_tuple(k) else of(k): value for k, value in every.items()}
            how: dict[str, Any] = {"callback": callback, "callback_every": callback_every}
            made = net.run(duration, record=there, every=intervals, **how)
            running.remove(net)
            done.append(k)
            show.bar("trials", len(done), n)
            return made.at_home(home)

        RUNNING[id(self)] = HELD
        try:
            first = [trial(k) for k in range(n if workers == 1 else 1)]  # which compiles
            with ThreadPoolExecutor(workers) as pool:
                futures = [pool.submit(trial, k) for k in range(len(first), n)]
                try:
                    return first + [future.result() for future in futures]
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    for net in list(running):
                        net.present.halted = True
                    raise
        finally:
            RUNNING.pop(id(self), None)
