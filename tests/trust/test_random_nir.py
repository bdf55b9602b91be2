"""Random networks written as NIR compute, read by a loop over nodes and edges in plain NumPy, what they compute here.

The loop knows NIR's text alone: forward Euler, ">", start at 0, and a step of delay on the edge that closes a loop.
"""

import warnings

import numpy as np
import pytest

import nbsnn
from nbsnn import Dense, Identity, Parallel, Recurrent, Residual, Scale, Sequential
from nbsnn.neurons import IF, LI, LIF, PLIF, CubaLI, CubaLIF, Discontinuous, Integrator

h5py = pytest.importorskip("h5py", reason='NIR files need h5py: pip install "nbsnn[nir]"')
pytest.importorskip("pyfive", reason='NIR files need pyfive: pip install "nbsnn[nir]"')

DT = 1e-4
STEPS = 25


def load(path):
    """Nodes and edges, by h5py."""
    with h5py.File(path) as file:
        nodes = {
            name: {k: v[()] for k, v in group.items() if isinstance(v, h5py.Dataset)}
            for name, group in file["node/nodes"].items()
        }
        return nodes, [(a.decode(), b.decode()) for a, b in file["node/edges"][()]]


def in_order(nodes, edges):
    """Names so that each comes after what feeds it, and the edges that close a loop, depth first from the input."""
    done, path, back = [], [], set()

    def visit(name):
        path.append(name)
        for a, b in edges:
            if a == name and b in path:
                back.add((a, b))
            elif a == name and b not in done:
                visit(b)
        path.remove(name)
        done.append(name)

    visit("input")
    assert len(done) == len(nodes)
    return done[::-1], back


def node(kind, n, x, state):
    """Output of a node for one step; least distance to a threshold is kept in ``state``."""
    if kind in ("Input", "Output"):
        return x
    if kind in ("Affine", "Linear"):
        return n["weight"] @ x + n.get("bias", 0.0)
    if kind == "Scale":
        return n["scale"] * x
    if kind == "Threshold":
        state["near"] = min(state.get("near", 1.0), np.abs(x - n["threshold"]).min())
        return (x > n["threshold"]).astype(float)
    v = state.get("v", np.zeros_like(x))
    if kind.startswith("Cuba"):
        i = state.get("i", np.zeros_like(x))
        state["i"] = x = i + DT / n["tau_syn"] * (n["w_in"] * x - i)
    tau = n.get("tau", n.get("tau_mem"))
    v = v + DT * n["r"] * x if tau is None else v + DT / tau * (n["v_leak"] - v + n["r"] * x)
    if "v_threshold" not in n:
        state["v"] = v
        return v
    state["near"] = min(state.get("near", 1.0), np.abs(v - n["v_threshold"]).min())
    spikes = v > n["v_threshold"]
    state["v"] = np.where(spikes, n["v_reset"], v)
    return spikes.astype(float)


def interpreted(path, x):
    """Output [T, N] of a file for x [T, N], and how near a membrane came to its threshold."""
    nodes, edges = load(path)
    names, back = in_order(nodes, edges)
    states, last, outputs = {name: {} for name in names}, {}, []
    for now in x:
        found = {}
        for name in names:
            given = [last.get(a, 0.0) if (a, b) in back else found[a] for a, b in edges if b == name]
            total = now if name == "input" else np.asarray(sum(given), float)
            found[name] = node(nodes[name]["type"].decode(), nodes[name], total, states[name])
        last = found
        outputs.append(found["output"])
    return np.array(outputs), min([1.0, *(state["near"] for state in states.values() if "near" in state)])


class Draw:
    """A random network of what NIR says in full."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def pick(self, *options):
        return options[self.rng.integers(len(options))]

    def dense(self, n, m):
        return Dense(n, m, bias=bool(self.rng.random() < 0.6), weight=nbsnn.init.uniform(-0.4, 0.9))

    def neuron(self, n):
        tau = self.pick(float(self.rng.uniform(1.5, 6.0)), self.rng.uniform(1.5, 6.0, n))
        threshold = self.pick(0.7, self.rng.uniform(0.4, 1.2, n))
        how = {"decay": self.pick("exp", "euler"), "decay_input": bool(self.rng.random() < 0.5)}
        fires = {"v_threshold": threshold, "v_reset": self.pick(0.0, 0.1)}
        return self.pick(
            lambda: LIF(tau, **fires, **how), lambda: LIF(tau, **fires, **how), lambda: IF(**fires),
            lambda: PLIF(float(np.mean(tau)), **fires), lambda: CubaLIF(tau, 2.0, **fires, **how),
            lambda: Discontinuous(threshold), lambda: LI(tau, **how), lambda: CubaLI(tau, 3.0, **how), Integrator,
        )()  # fmt: skip

    def part(self, n, depth):
        """Layers from n units to as many as they say."""
        m = int(self.rng.integers(2, 5))
        way = self.rng.integers(0, 9 if depth else 5)
        if way < 3:
            return [self.dense(n, m), self.neuron(m)], m
        if way == 3:
            return [self.neuron(n)], n
        if way == 4:
            return [self.pick(Scale(float(self.rng.uniform(0.5, 1.5))), self.dense(n, n))], n
        if way == 5:
            sides = [Sequential(*self.row(n, depth - 1, m)) for _ in range(int(self.rng.integers(2, 4)))]
            return [Parallel(*sides, join="sum")], m
        if way == 6:
            return [Residual(*self.row(n, depth - 1, n))], n
        spiking = LIF(float(self.rng.uniform(1.5, 5.0)), 0.7)
        if way == 7:
            feedback = self.pick(Dense(m, m, bias=False), Dense(m, m), Identity())
            return [self.dense(n, m), Recurrent(spiking, feedback)], m
        inner = Sequential(*self.row(n, depth - 1, m))
        return [self.dense(n, n), Recurrent(inner, Sequential(*self.row(m, depth - 1, n)), waits="feedback")], m

    def row(self, n, depth, end):
        """Layers from n to ``end`` units, the first of them one that weights something."""
        parts, m = self.part(n, depth)
        return [self.dense(n, n), *parts, self.dense(m, end)]


@pytest.mark.trust(share=0.5)
def test_a_random_network_computes_the_same_as_its_nir_file_by_hand(trials, tmp_path):
    compared = spikes = 0
    for seed in trials("random networks as NIR files", least=25):
        draw = Draw(seed)
        n = int(draw.rng.integers(2, 5))
        layers, width = [], n
        for _ in range(int(draw.rng.integers(1, 4))):
            more, width = draw.part(width, 2)
            layers += more
        net = Sequential(*layers, input_shape=n, seed=seed, dtype=np.float64, device="python")
        path, x = tmp_path / "net.nir", draw.rng.random((STEPS, n)) * 1.5
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                nbsnn.nir.write(net, path)
            except ValueError as error:  # a bias that finds no place, or the same added twice
                assert "feedback" in str(error) or "twice" in str(error)  # noqa: PT017
                continue
        own = net.run(x[:, None]).output[:, 0]
        found, near = interpreted(path, x)
        if near < 1e-9:  # rounding decides
            continue
        again = nbsnn.nir.read(path, device="python").run(x[:, None]).output[:, 0]
        stated = nbsnn.nir.read(path, dt=DT, reset="hard", device="python").run(x[:, None]).output[:, 0]
        for what, other in (("by hand", found), ("with metadata", again), ("without", stated)):
            bound = 1e-8 * max(1.0, np.abs(own).max())
            np.testing.assert_allclose(other, own, rtol=0, atol=bound, err_msg=f"seed {seed} {what}")
        compared, spikes = compared + 1, spikes + bool(own.any())
    assert compared >= 15 and spikes >= 10
