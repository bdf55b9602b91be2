"""Run small programs on a GPU that only compiles (``dry_gpu``), and print what became of their kernels, as JSON.

    NUMBA_ENABLE_CUDASIM=0 python -m tests.ptx_report [WORD ...]

runs those programs whose names contain a WORD, for the compute capability that DRY_CAPABILITY names;
DRY_PART=k/n runs every n-th of them from k on. A program is a call of the public API with ``device="cuda"``: to have a
kernel compiled with the types that it gets in earnest, add a program to ``PROGRAMS`` that launches it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

import nbsnn
from nbsnn import dspike, encode, losses, neurons, optim, plasticity, spike, surrogates, synapses, tempotron
from nbsnn.device import gpu
from nbsnn.neurons import LI, LIF
from nbsnn.presets.spaic_stdp_neurons import diehlAndCook
from nbsnn.random import Draws

from . import dry_gpu

T, B, IN, OUT, WIDE = 3, 2, 6, 3, 1024
X, LABELS = np.ones((T, B, IN), np.float32), np.array([0, 2])
IMAGE = np.ones((T, B, 1, 6, 6), np.float32)
PROGRAMS: dict[str, Callable[[], Any]] = {}


def program(name: str, *variants: Any) -> Callable[[Callable], Callable]:
    """Add a program, or one for each of its variants."""

    def add(function: Callable) -> Callable:
        for variant in variants:
            PROGRAMS[f"{name} {variant}"] = partial(function, variant)
        if not variants:
            PROGRAMS[name] = function
        return function

    return add


@program("arrays")
def arrays() -> None:
    gpu.copy(gpu.zeros((2, 3), np.float32), gpu.empty(6, np.float32))
    y = gpu.zeros((2, 3), np.float32)  # only with a library of products is a bias added by itself
    gpu.launch("arrays.elementwise_cuda", "add_rows", y.dtype, y.size, gpu.zeros(3, np.float32), gpu.flat(y))


@program("control", "double", "scalar", "quotient", "local", "shared", "type", "travel", "element")
def control(flaw: str) -> None:
    """What must be found, to know that it would be."""
    from numba import cuda

    def scalar(x: Any, a: Any) -> None:
        i = cuda.grid(1)
        x[i] *= a

    def double(x: Any, a: Any) -> None:
        i = cuda.grid(1)
        x[i] = x[i] * 0.1

    def quotient(x: Any, a: Any) -> None:
        i = cuda.grid(1)
        x[i] = i / a

    def local(x: Any, a: Any) -> None:
        own = cuda.local.array(64, np.float32)
        for k in range(64):
            own[k] = x[k]
        for k in range(a):
            own[(k * 7 + a) % 64] += own[(k * a) % 64]
        x[0] = own[a % 64]

    def shared(x: Any, a: Any) -> None:
        ours = cuda.shared.array((16, 65), np.float32)
        i = cuda.threadIdx.x
        ours[i % 16, i % 65] = x[i]
        cuda.syncthreads()
        x[i] = ours[(i + 1) % 16, (i * 7) % 65]

    def wrong(x: Any, a: Any) -> None:
        x[0] = a.missing

    array = gpu.empty(8, np.float32)
    if flaw == "element":
        array[0]
    kernel = {"type": wrong, "travel": scalar}.get(flaw) or locals()[flaw]
    cuda.jit(kernel)[1, 8](X[0] if flaw == "travel" else array, 0.5 if flaw == "scalar" else 3)


@program("encoders", "float32", "float64")
def encoders(dtype: str) -> None:
    for made in (
        encode.constant(T=T, dtype=dtype), encode.poisson(T=T, dtype=dtype), encode.latency(T=T, dtype=dtype),
        encode.population(T=T, code="time", dtype=dtype), encode.phase(T=T, dtype=dtype),
    ):  # fmt: skip
        made.store(X[0])([0, 1, 0], Draws(0))
    encode.delta(T=T, dtype=dtype).on_gpu(X, Draws(0))


RANDOM = {"uniform", "normal"}  # neurons that ask for such numbers live in networks of sparse synapses only
NEURONS = [name for name in dir(neurons) if name[0].isupper()]
LAYERED = [name for name in NEURONS if not RANDOM & set(getattr(neurons, name)().inputs)]
DTYPES = ("float32", "float64")


@program("neuron", *LAYERED)
def neuron(name: str) -> None:
    made = getattr(neurons, name)()
    population = nbsnn.Population(made, IN, dt=0.1 if made.vjp is None else 1.0, device="cuda")
    tape, grads = {}, population.zeros()
    population.forward(population.check_input(X), population.initial(B), tape)
    if made.vjp:
        g = gpu.put(X) if gpu.on_gpu(population.record(tape, made.output)) else X.copy()
        population.backward(g, tape, grads)


def step(
    learner: Any, loss: Any, *layers: Any, x: Any = X, target: Any = LABELS, optimizer: Any = None, **options: Any
) -> None:
    """Two training steps and a run."""
    net = nbsnn.Sequential(*layers, input_shape=x.shape[2:], device="cuda")
    made = learner(net, loss=loss, optimizer=optimizer or optim.SGD(1e-3), **options)
    for _ in range(2):
        made.step(x, target)
    net.run(x).output  # noqa: B018


def row(path: str = "auto", **options: Any) -> tuple[Any, ...]:
    """Layers of a small classifier."""
    return nbsnn.Dense(IN, 5, path=path), LIF(2.0, **options), nbsnn.Dense(5, OUT, path=path), LI(2.0)


@program("BPTT", "auto", "dense", "events")
def bptt(path: str) -> None:
    step(nbsnn.BPTT, losses.rate_cross_entropy, *row(path), optimizer=optim.Adam(1e-3))


LOSSES = [name for name, made in vars(losses).items() if type(made).__module__.startswith("nbsnn.losses.")]


@program("loss", *LOSSES)
def loss(name: str) -> None:
    dense = name in ("step_mse", "van_rossum")
    step(nbsnn.BPTT, getattr(losses, name), *row(), target=np.zeros((T, B, OUT)) if dense else LABELS)


@program("loss of activity", "unit", "population", "rate")
def penalty(kind: str) -> None:
    made = losses.Rate(0.1) if kind == "rate" else losses.SpikeCount(0.1, over=kind)
    step(partial(nbsnn.BPTT, regularizers={"lif1": made}), losses.rate_cross_entropy, *row())


@program("optimiser", "SGD", "Adam", "AdamW", "Adamax", "clipped")
def optimiser(name: str) -> None:
    if name == "clipped":
        step(partial(nbsnn.BPTT, clip=1.0), losses.rate_cross_entropy, *row())
        return
    more = {"momentum": 0.9} if name == "SGD" else {}
    step(nbsnn.BPTT, losses.rate_cross_entropy, *row(), optimizer=getattr(optim, name)(1e-3, **more))


@program("online", "OTTT", "OTTT units", "OTTT dropout", "SLTT", "EProp")
def online(names: str) -> None:
    name, _, kind = names.partition(" ")
    cells = LIF(np.linspace(2.0, 3.0, 5) if kind == "units" else 2.0)
    hidden = nbsnn.Recurrent(cells, nbsnn.Dense(5, 5, bias=False)) if name == "EProp" else cells
    between = (nbsnn.Dropout(0.2),) if kind == "dropout" else ()
    layers = nbsnn.Dense(IN, 5), hidden, *between, nbsnn.Dense(5, OUT), LI(2.0)
    step(getattr(nbsnn, name), losses.rate_cross_entropy, *layers)


@program(
    "layers", "recurrent", "conv", "largest", "temporal", "dropout", "learned", "parallel", "residual", "joined",
    "scaled", "delay",
)  # fmt: skip
def layers(kind: str) -> None:
    value = losses.rate_cross_entropy
    end = nbsnn.Dense(5, OUT), LI(2.0)
    if kind in ("conv", "largest"):
        pools = (nbsnn.MaxPool2d(4),) if kind == "largest" else (nbsnn.SumPool2d(2), nbsnn.AvgPool2d(2))
        image = nbsnn.Conv2d(1, 2, 3), LIF(2.0), *pools, nbsnn.Flatten()
        step(nbsnn.BPTT, value, *image, nbsnn.Dense(2, OUT), LI(2.0), x=IMAGE)
        return
    hidden: Any = {
        "recurrent": lambda: (nbsnn.Dense(IN, 5), nbsnn.Recurrent(LIF(2.0), nbsnn.Dense(5, 5, bias=False))),
        "temporal": lambda: (nbsnn.TemporalConv(IN, 5, 2), LIF(2.0)),
        "dropout": lambda: (nbsnn.Dropout(0.2), nbsnn.Dense(IN, 5), LIF(2.0)),
        "learned": lambda: (nbsnn.Dense(IN, 5), LIF(2.0, learn=("tau", "v_threshold"))),
        "parallel": lambda: (nbsnn.Parallel(nbsnn.Dense(IN, 2), nbsnn.Dense(IN, 3)), LIF(2.0)),
        "residual": lambda: (nbsnn.Dense(IN, 5), LIF(2.0), nbsnn.Residual(nbsnn.Dense(5, 5), LIF(2.0))),
        "joined": lambda: (nbsnn.Dense(IN, 5), LIF(2.0), nbsnn.Residual(nbsnn.Dense(5, 5), LIF(2.0), join="and")),
        "scaled": lambda: (nbsnn.Scale(), nbsnn.Dense(IN, 5), nbsnn.ReLU(), LIF(2.0)),
        "delay": lambda: (nbsnn.Delay(1), nbsnn.Dense(IN, 5), LIF(2.0)),
    }[kind]()
    step(nbsnn.BPTT, value, *hidden, *end)


def wide(cells: Any, dtype: Any, steps: int = T) -> None:
    """A recurrent population that fills a block: a training step, or a run where there is no derivative."""
    layers = nbsnn.Dense(IN, WIDE), nbsnn.Recurrent(cells), nbsnn.Dense(WIDE, OUT)
    net = nbsnn.Sequential(*layers, input_shape=IN, dtype=dtype, device="cuda")
    if cells.vjp is None:
        net.run(X[:steps].astype(dtype))
    else:
        nbsnn.BPTT(net, losses.rate_cross_entropy, optim.SGD(1e-3)).gradients(X[:steps].astype(dtype), LABELS)


@program("wide", *(f"{name} {dtype}" for name in LAYERED for dtype in DTYPES))
def wide_neuron(names: str) -> None:
    name, dtype = names.split()
    wide(getattr(neurons, name)(), dtype)


LEARNED = {
    "LIF": ("tau", "v_threshold"), "CubaLIF": ("tau", "tau_syn", "v_threshold"),
    "ALIF": ("tau", "initial_v", "v_threshold", "beta", "tau_adapt"),
}  # fmt: skip
PARTS = {"Surrogate", "above", "at_or_above", "dspike", "spike"}
SURROGATES = [name for name, made in vars(surrogates).items() if callable(made) and name not in PARTS]


@program("wide learned", *(f"{name} {dtype} {s}" for name in LEARNED for dtype in DTYPES for s in SURROGATES))
def wide_learned(names: str) -> None:
    name, dtype, surrogate = names.split()
    made = getattr(neurons, name)(learn=LEARNED[name], surrogate=getattr(surrogates, surrogate)())
    wide(made, dtype)


def many_states(count: int) -> nbsnn.Neuron:
    """A neuron whose v[0] spikes and whose v[k] goes over into v[k + 1]."""
    v, gv = ([f"{name}{k}" for k in range(count)] for name in ("v", "g"))
    after = ", ".join(["decay * v0 + x - s", *(f"decay * {b} + v0 * {a}" for a, b in pairwise(v))])
    g0 = " + ".join(["decay * g0", "gd", *(f"{g} * {a}" for a, g in zip(v, gv[1:], strict=False))])
    back = ", ".join([g0, *(f"decay * {a} + v0 * {b}" for a, b in pairwise(gv[1:])), f"decay * {gv[-1]}"])
    text = f"""
def step(x, {", ".join(v)}, decay):
    s = spike(v0 - 1.0)
    return s, {after}

def vjp(x, {", ".join(v)}, decay, gs, {", ".join(gv)}):
    gd = (gs - g0) * dspike(v0 - 1.0)
    return g0, {back}, 0.0
"""
    made: dict[str, Any] = {"spike": spike, "dspike": dspike}
    exec(text, made)
    return nbsnn.Neuron(made["step"], made["vjp"], state=dict.fromkeys(v, 0.0), params={"decay": 0.9})


@program("wide own", *(f"{states} {dtype}" for states in (3, 20) for dtype in DTYPES))
def wide_own(names: str) -> None:
    """A neuron of many states, which do not fit into its share of a block's registers."""
    states, dtype = names.split()
    wide(many_states(int(states)), dtype)


@program("network", "cuba", "coba", "cobahh", "brunel", "microcircuit")
def network(name: str) -> None:
    scale = 0.005 if name in ("brunel", "microcircuit") else 0.02
    getattr(nbsnn.models, name)(scale=scale, device="cuda").run(0.5)


@program("network of", *NEURONS)
def network_of(name: str) -> None:
    net = nbsnn.Network(dt=0.1, seed=1, device="cuda")
    made = getattr(neurons, name)()
    inputs, cells = net.poisson(5, rate=15.0), net.population(made, 3)
    net.drive(cells, 1000.0, 0.15, synapses.Exponential(1.0) if name.startswith("Quant") else None)
    net.connect(inputs, cells, nbsnn.AllToAll(), weight=0.5, delay=1.0, synapse=synapses.Alpha(2.0))
    net.run(0.5, record={cells: "spikes" if made.output == "spikes" else next(iter(made.state))})


RULES = ("PairSTDP", "NearestSTDP", "TripletSTDP", "DiehlCook", "MetaNearestSTDP", "MSTDP", "MSTDPET")


@program("network with", *(name for name in RULES if not name.startswith("Meta")))
def network_with(name: str) -> None:
    net = nbsnn.Network(dt=0.1, seed=1, device="cuda")
    inputs, cells = net.poisson(5, rate=15.0), net.population(LIF(20.0), 3)
    rule = getattr(plasticity, name)()
    learned = net.connect(inputs, cells, nbsnn.AllToAll(), weight=0.5, delay=1.0, plasticity=rule)
    learned.weight  # noqa: B018 (some wait for a reward)
    net.run(0.5)


def integer_neuron() -> Any:
    names = "Vrest Vreset decay shift_voltage weight_sum_min weight_sum_max weight_sum_coef shift_weight_sum_coef"
    return diehlAndCook(
        **dict.fromkeys(names.split(), 1), thresh_plus=9, max_threshold=90, reset_refrac=2, lbound=-32767
    )


@program("plastic", *RULES, "PostPreInt", "normalised")
def plastic(name: str) -> None:
    normalize = plasticity.Normalize(1.0, when="end") if name == "normalised" else None
    rule, weight = plasticity.PairSTDP(normalize=normalize) if normalize else getattr(plasticity, name)(), None
    cells, signals = LIF(2.0), {"reward": np.ones(T)} if name.startswith("MSTDP") else {}
    if name == "PostPreInt":
        cells, signals = integer_neuron(), {"draws": Draws(0)}
        weight = lambda shape, **_: np.ones(shape, np.int32)  # noqa: E731
    layer = plasticity.Plastic(nbsnn.Dense(IN, OUT, bias=False, weight=weight), cells, rule, device="cuda")
    if normalize is None:
        layer.learn(X[:, :1], **signals)
    else:
        layer.present(X[0], encode.poisson(T=T), Draws(0))


@program("tempotron", "classic", "gradient", "membrane")
def one_spike(kind: str) -> None:
    x = np.linspace(1.0, 39.0, B * IN).reshape(B, IN, 1)
    made = tempotron.Tempotron(IN, OUT, weight=np.ones((IN, OUT)), T=40.0, device="cuda")
    if kind == "classic":
        made.step(x, LABELS, tempotron.Classic(0.05, 0.7))
    elif kind == "gradient":
        made.step(x, LABELS, tempotron.Gradient(tempotron.MaxCrossEntropy(), optim.SGD(0.2)))
    else:
        at = np.array([5.0, 20.0])
        made.v_vjp(x, np.ones((2, B, OUT)), at, times=True)
        made.v(x, at)
        answer = made.run(x)
        made.vjp(answer, np.ones((B, OUT)), times=True)


def main(words: list[str]) -> None:
    absent = dry_gpu.missing()
    if absent:
        print(json.dumps({"missing": absent}))
        return
    dry_gpu.install()
    report = {}
    first, of = map(int, os.environ.get("DRY_PART", "0/1").split("/"))
    chosen = [name for name in PROGRAMS if not words or any(word in name for word in words)]
    for name in chosen[first::of]:
        call = PROGRAMS[name]
        before, error = set(dry_gpu.found), ""
        dry_gpu.begin()
        try:
            call()
        except dry_gpu.Enough:
            pass  # it waits for a result, which never comes
        except Exception as stopped:
            error = f"{type(stopped).__name__}: {stopped}"
        report[name] = {"error": error, "kernels": {k: v for k, v in dry_gpu.found.items() if k not in before}}
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1:])
