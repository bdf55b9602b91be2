"""A small valid call of every public callable, for whoever wants to spoil its arguments one by one."""

import importlib
import inspect
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.sparse import csr_array

import nbsnn
from nbsnn import encode, losses, neurons, nir, optim, plasticity, presets, sparse, surrogates, synapses, tempotron
from nbsnn.device.threads import resolve
from nbsnn.files.spikes import SpikeFile, SpikeWriter
from nbsnn.files.variables import Description, VariableFile, VariableWriter
from nbsnn.network.connection import Connection as WIRING
from nbsnn.optim import Optimizer
from nbsnn.progress.history import History
from nbsnn.random import Draws

NIR = ("pyfive", "h5py") if find_spec("pyfive") and find_spec("h5py") else ()
BOKEH, TENSORBOARD = (find_spec(name) is not None for name in ("bokeh", "tensorboardX"))
MODULES = (
    """
    data encode init layers learning losses models neurons optim plasticity plot presets.bindsnet presets.rnnbuilder
    presets.spaic presets.spikingjelly presets.spikingjelly_tempotron random sparse sparse.values statistics
    surrogates synapses tempotron unsupervised voting files device.threads progress.history
"""
    + " nir" * bool(NIR)
)

PROTOCOL = """
    accumulate advance apply as_given backward backward_within before begin begin_reverse blocks build bytes bytes_each
    change checked clear clipped codes columns drawn driven due end_reverse estimate factor fetch filling final
    finish first
    first_reverse fits follow forward header hyper increment initial keep_traces layers line load loop numbers
    of_current offer on_gpu options output padded parameters passes patches place planes pool port pull raw record
    recorded responses retreat reverse rule run_loop settle spread store summed sync take tape_of
    thresholds times trace traces transposed turned twin unbuilt variable way window zeros append draw group section
    start check_input check_state load_state of all_buffers check_parameters confine owner reach rest seal
    source tape_bytes decay_now held group_of prepared
    check_path dropped fold over_samples refresh retreat_within step_parameters traced factors single_pair
    convolve lags arrange within check_layers fused_parts gradient_of on_host unfused run_steps changed
    go_on rewrite given stepped said gate delays_to present rewiring affordable rewired
    settling variables wanted add_gradients constants
"""
"""Methods with which parts of the library speak to each other, after the call a user makes has been checked."""

REASONS = {  # why a name has no valid call here; methods of these classes are not looked for either
    "abstract, or a protocol": """
        Layer Stateless Container Learner Online Optimizer Encoder ByValue Profile Distribution tempotron.Rule
        Initializer Rule losses.CrossEntropy
    """,
    "a result, or made by other calls": """
        Setting Run Credit RuleResult Response Recording Stored Dataset tempotron.Events Record Description
        Synapse Surrogate GradientError SilentNetworkWarning NirWarning
    """,
    "scalar code, for kernels": """
        spike dspike surrogates.above surrogates.at_or_above random.squares32 random.counter random.splitmix64
        random.lasting spaic_stdp.mixed spaic.mixed
        Decay.function Disc.function Gaussian.function tempotron.psp tempotron.dpsp
    """,
    "for other parts of the library": """
        device.threads.run_threaded device.threads.launch device.threads.run_kernel device.threads.windows
        device.threads.run_each device.threads.tiles device.threads.shares device.threads.balanced
        device.threads.shares_lines device.threads.clear device.threads.Pool device.threads.Task Task.run BPTT.result
        Population.shared_initial
    """,
    "no argument": """
        Accumulator.step Network.stop plot.pyplot profile state reset generator check indegree outdegree Rows.pre close
        plain standardized
    """,
    "a part of others that are called": """
        spikingjelly.conventions spikingjelly.start_of Tempotron.v_vjp Tempotron.vjp Stack.vjp Gradient.learn
        CustomSynapse.conductance synapses.Graded LowPass.steps
        SpikeFile.find sparse.values.named Classic.learn shown_order tempotron.shared_directions encode.delta
    """,
    "not installed": ("" if BOKEH else "page ") + ("" if TENSORBOARD else "TensorBoard"),
}
WITHOUT = {name for names in REASONS.values() for name in names.split()}

RULE = {
    "bounds": "hard", "w_min": 0.0, "w_max": 1.0, "mu": 1.0, "clip": "changed", "coincidence": "count", "sign": 1.0,
    "batch": "sum", "normalize": None,
}  # fmt: skip
REST = {
    "v_rest": 0.0, "refractory": 0.0, "reset": None, "decay_input": False, "detach_reset": False, "compare": ">=",
    "surrogate": None, "first": 0.0, "learn": (),
}  # fmt: skip
ONLINE = {"update": "sample", "clip": None, "seed": 0, "window": None}

MORE = {  # what options lead to: callable -> further arguments
    "plasticity.Clopath": RULE,
    "plasticity.DiehlCook": RULE, "plasticity.MSTDP": {**RULE, "bounds": "none"}, "plasticity.NearestSTDP": RULE,
    "plasticity.MSTDPET": {"a_plus": 1.0, "tau_plus": 20.0, "order": "decay add use", "w_max": 1.0, "clip": "all"},
    "plasticity.PairSTDP": RULE, "plasticity.TripletSTDP": RULE, "plasticity.VogelsSTDP": RULE, "neurons.PLIF": REST,
    "models.microcircuit": {"scale": 0.01},
    "models.wang": {"scale": 0.02},
    "OTTT": ONLINE, "bindsnet.MSTDP": {"batch": "sum", "clip": "all"}, "bindsnet.MSTDPET": {"a_plus": 1.0, "wmax": 1.0},
    "bindsnet.PostPre": {"batch": "sum"}, "bindsnet.WeightDependentPostPre": {"tc_trace": 20.0, "wmax": 1.0},
    "statistics.correlation": {"start": 0.0, "width": 5.0, "sample": 200, "seed": 0},
    "plasticity.figure": {"delta_t": None, "w": None, "dt": 1.0, "samples": 40},
    "unsupervised.diehl_cook": {"dt": 1.0, "dtype": np.float32, "device": "cpu"},
    "Tempotron.fit": {"batch_size": 2, "test": None, "encode": None, "by": None, "seed": 0, "progress": False},
    "unsupervised.name_units": {"stream": "a", "seed": 0, "keep": ("theta", "theta_low"), "progress": False},
    "Neuron.replace": {"compare": ">", "learn": (), "leak": "decay", "first": 0.0, "surrogate": surrogates.atan()},
    "Rule.replace": RULE, "Network.population": {"v": 0.0},
    "Upsample": {"size": 2}, "Rule.run": {},
    "Network.steps": {"record": {"b": "v"}, "every": 0.1},
}  # fmt: skip


def net() -> nbsnn.Sequential:
    return nbsnn.Sequential(nbsnn.Dense(4, 3), neurons.LIF(), seed=0)


def learner(of: Any = None) -> nbsnn.BPTT:
    return nbsnn.BPTT(of or net(), losses.rate_cross_entropy, optim.SGD(0.1))


def brain() -> tuple[nbsnn.Network, Any, Any]:
    n = nbsnn.Network(dt=0.1, seed=0)
    return n, n.poisson(4, 100.0, name="a"), n.population(neurons.LIF(tau=20.0), 3, name="b")


def pair_step(x, v, decay):
    return x, decay * v


def set_noise(noise):
    brain()[0].noise = noise


def ignore(network):
    pass


def change(w, pre, post, x, rate):
    return rate * post * x, 0.0


X = np.ones((4, 2, 4), np.float32)
Y = np.array([0, 1])
SPIKES = (np.arange(24).reshape(4, 2, 3) % 3 == 0).astype(np.float32)
TIMES = np.sort(np.random.default_rng(0).uniform(0.0, 100.0, 40))
UNITS = np.random.default_rng(1).integers(0, 4, 40)
ROWS = sparse.AllToAll().build(3, 4)
FOLDER = tempfile.mkdtemp()


def new_path(ending: str = "") -> str:
    return os.path.join(tempfile.mkdtemp(dir=FOLDER), f"file{ending}")


def nir_file() -> str:
    nir.write(net(), path := new_path(".nir"))
    return path


def saved() -> str:
    path = new_path(".npz")
    nbsnn.save(net(), path)
    return path


def quantised() -> nbsnn.Sequential:
    return nbsnn.quantize(net(), X)


def saved_integers() -> str:
    path = new_path(".npz")
    nbsnn.to_integer(quantised()).save(path)
    return path


def cook_state() -> Any:
    return cook().initial(1)


def cook() -> Any:
    return nbsnn.unsupervised.diehl_cook(4, 3)


ARGUMENTS: dict[str, Callable[[], Any]] = {  # a valid value by the argument's name
    name: (lambda value: lambda: value)(value)
    for name, value in {
        "n_pre": 4, "n_post": 3, "c_pre": 1, "c_post": 2, "kernel_size": 2, "steps": 2, "p": 0.3, "tau": 5.0,
        "tau_rise": 1.0, "tau_decay": 5.0, "reversal": -80.0, "neuron": neurons.LIF(), "inner": neurons.LIF(),
        "n_inputs": 4, "times": TIMES, "units": UNITS, "n": 4, "stop": 100.0, "T": 5, "mean": 1.0, "std": 0.5,
        "mu": 0.1, "sigma": 0.5, "low": 0.1, "high": 1.0, "pre": [0, 1], "post": [1, 2], "peak": 0.5, "length": 2.0,
        "profile": sparse.Gaussian(0.5, 1.0), "radius": 1.0, "target": Y, "total": 3.0, "rate": 5.0, "batch_size": 2,
        "labels": Y, "lr": 0.1, "nu": (1e-3, 1e-2), "delay": 1.0, "dt": 0.1, "shape": (2, 2), "seed": 0, "epochs": 2,
        "iterations": 10, "every": 5, "milestones": (2, 3), "period": 4,
        "strength": 1.0, "matrix": csr_array(np.eye(4)), "decay": 0.5, "gain": 1.0,
        "states": np.random.default_rng(2).random((5, 3)), "count": 1, "schedule": 0.1, "progress": False,
        "counts": np.array([[3, 0], [0, 2]]), "synapses": 3, "spec": 0.5, "limit": 1.0, "output_size": 2, "groups": 1,
    }.items()
}  # fmt: skip
ARGUMENTS |= {"path": new_path, "net": net, "draws": lambda: Draws(0), "x": lambda: X}


@dataclass
class Call:
    """A callable and how to get its valid arguments anew."""

    name: str
    function: Callable
    arguments: Callable[[], dict[str, Any]]
    optional: frozenset[str]  # arguments for which None stands for "not given"
    path: tuple[str, ...] = ()


def with_brain(call: Callable, **valid: Any) -> tuple[Callable, dict]:
    return lambda **given: call(*brain(), **given), valid


def methods() -> dict[str, tuple[Callable, Any, dict[str, Any]]]:
    """Name -> the public function, how to call it, valid arguments (a callable without name is called for each)."""
    n, plastic = nbsnn.Network, plasticity
    record = {"b": ["spikes", "v"]}
    event = np.array([(100, 1, 0)], [("t", "i8"), ("x", "i4"), ("y", "i4")])

    def network(method: Callable, run: bool = True, **valid: Any) -> tuple:
        def call(**given: Any) -> Any:
            sim, _, _ = brain()
            found = getattr(sim, method.__name__)(**given)
            return (lambda: sim.run(0.3)) if run else found

        return method, call, valid

    def of(make: Callable[[], Any], method: Callable, **valid: Any) -> tuple:
        return method, lambda **given: getattr(make(), method.__name__)(**given), valid

    def own() -> nbsnn.Neuron:
        return nbsnn.Neuron(pair_step, state={"v": 0.0}, params={"decay": 0.9})

    def rows(**given: Any) -> Any:
        return sparse.Sparse(probability=0.5).build(**given)

    def connection(**given: Any) -> Any:
        sim, a, b = brain()
        c = sim.connect(a, b, nbsnn.AllToAll(), weight=np.ones(12), plasticity=plastic.MSTDP())
        for name, value in given.items():
            setattr(c, name, value)
        return lambda: sim.run(0.3)

    def wired(what: str, **given: Any) -> Any:
        sim, a, b = brain()
        getattr(sim.connect(a, b, nbsnn.AllToAll(), weight=np.ones(12)), what)(**given)
        return lambda: sim.run(0.3)

    def set_v(v: Any) -> Any:
        sim, _, b = brain()
        b["v"] = v
        return lambda: sim.run(0.1)

    def spikes_file() -> SpikeFile:
        path = new_path()
        with SpikeWriter(path, 3, 0.1) as writer:
            writer.write([1, 2], [0, 1])
        return SpikeFile(path)

    def csv_file() -> str:
        nbsnn.files.write_csv(path := new_path(".csv"), {"a": (np.array([1.0]), np.array([0]))})
        return path

    def state_file() -> str:
        state_of(brain()[0]).save(path := new_path(".npz"))
        return path

    def description() -> Description:
        return Description(0.1, 1, 1, "<f4", (("a", "v", 3, None),))

    def variables_path() -> str:
        path = new_path()
        with VariableWriter(path, description()) as writer:
            writer.write(np.ones((3, 3)))
        return path

    def plastic_layer() -> Any:
        return plastic.Plastic(nbsnn.Dense(4, 3, bias=False), neurons.LIF(tau=5.0), plastic.NearestSTDP())

    def a_fit(**given: Any) -> Any:
        return nbsnn.fit(given.pop("net"), **given)

    def state_of(sim: Any) -> Any:
        return sim.state()

    def applied(make: Any) -> Any:
        return lambda **options: make(**options)(np.ones((2, 16), "f4"), Draws(0))

    train = (X[0], Y)
    w, pre, post = np.full((4, 3), 0.5), np.ones((3, 1, 4)), np.ones((3, 1, 3))
    cook_x = (X[0] > 0).astype(np.float32)
    return {
        "Network.population": network(n.population, neuron=neurons.LIF(), n=3, name="q"),
        "Network.poisson": network(n.poisson, n=3, rate=5.0, name="q"),
        "Network.spikes": network(n.spikes, times=[1.0, 2.0], units=[0, 1], n=3, name="q"),
        "Network.events": network(n.events, events=event, shape=(2, 2), name="q"),
        "Network.connect": network(
            n.connect, source="a", target="b", pattern=nbsnn.AllToAll(), weight=0.5, delay=0.1,
            synapse=synapses.Delta(), plasticity=plastic.PairSTDP(), short_term=None, coordinates=None, name="c",
            homeostasis=None,
        ),
        "Network.connect(coordinates)": (
            None, lambda **g: brain()[0].connect("a", "b", nbsnn.Distance(sparse.Disc(0.5, 1.0)), **g),
            {"coordinates": (np.zeros((4, 2)), np.ones((3, 2)))},
        ),
        "Network.drive": network(n.drive, target="b", rate=10.0, weight=0.1, synapse=synapses.Delta()),
        "Network.inject": network(n.inject, target="b", current=np.ones((2, 3)), every=0.2, start=0.1),
        "Network.run": network(
            n.run, run=False, duration=0.3, record=record, every=0.1, to=None, variables_to=None, progress=False,
            callback=lambda: ignore, callback_every=0.1,
        ),
        "Network.trials": network(
            n.trials, run=False, n=2, duration=0.3, prepare=None, noise=3, record={"b": "v"}, every=0.1,
            callback=lambda: ignore, callback_every=0.1, progress=False,
        ),
        "Network.counterpart": (n.counterpart, lambda **g: brain()[0].counterpart(**g), {"of": "a"}),
        "Recording.times_of": (
            None, lambda **g: brain()[0].run(0.3, record={"b": "v"}).times_of(**g), {"owner": "b", "name": "v"},
        ),
        "Network.noise=": (None, set_noise, {"noise": 3}),
        "Network.steps": (n.steps, lambda **g: list(brain()[0].steps(**g)), {"duration": 0.3}),
        "Network.restore": network(n.restore, state=lambda: state_of(brain()[0])),
        "Connection.weight=": (None, lambda weight: connection(weight=weight), {"weight": 0.5}),
        "Connection.reward=": (None, lambda reward: connection(reward=reward), {"reward": 0.5}),
        "Connection.learning=": (None, lambda learning: connection(learning=learning), {"learning": True}),
        "Connection.delay=": (None, lambda delay: wired("delays_to", delay=delay), {"delay": 0.2}),
        "Connection.targets_of": (WIRING.targets_of, lambda **g: wired("targets_of", **g), {"unit": 1}),
        "Connection.sources_of": (WIRING.sources_of, lambda **g: wired("sources_of", **g), {"unit": 1}),
        "Group.positions=": (
            None, lambda positions: setattr(brain()[2], "positions", positions), {"positions": np.ones((3, 2))},
        ),
        "Connection.add": (
            WIRING.add, lambda **g: wired("add", **g), {"pre": [0, 1], "post": [1, 2], "weight": 0.5, "delay": 0.2},
        ),
        "Connection.disconnect": (None, lambda **g: wired("disconnect", **g), {"pre": [0, 1], "post": [1, 2]}),
        "Connection.disconnect(synapses)": (
            WIRING.disconnect, lambda **g: wired("disconnect", **g), {"synapses": [0, 5]},
        ),
        "Group.v=": (None, set_v, {"v": 0.5}),
        "Group.start": (None, lambda **g: brain()[2].start(**g), {"synapse": None, "v": 0.5}),
        "Group[units]": (None, lambda units: brain()[2][units], {"units": [0, 2]}),
        "Section.named": (None, lambda **g: brain()[2][1:].named(**g), {"name": "q"}),
        "Recording.spikes": (None, lambda **g: brain()[0].run(0.3).spikes(**g), {"group": "a"}),
        "Recording.rate": (None, lambda **g: brain()[0].run(0.3).rate(**g), {"group": "a"}),
        "Recording.cv": (None, lambda **g: brain()[0].run(0.3).cv(**g), {"group": "a", "start": 0.1}),
        "Recording.plot": (None, lambda **g: brain()[0].run(0.3).plot(**g), {"path": lambda: new_path(".png")}),
        "Recording[group, name]": (
            None, lambda group, name: brain()[0].run(0.3, record=record)[group, name], {"group": "b", "name": "v"}
        ),
        "State.save": (None, lambda path: state_of(brain()[0]).save(path), {"path": lambda: new_path(".npz")}),
        "State.load": (None, nbsnn.network.State.load, {"path": state_file}),
        "files.write_csv": (
            nbsnn.files.write_csv, nbsnn.files.write_csv,
            {"path": lambda: new_path(".csv"), "spikes": lambda: {"a": (np.array([1.0]), np.array([0]))}},
        ),
        "files.read_csv": (nbsnn.files.read_csv, nbsnn.files.read_csv, {"path": csv_file, "population": "a"}),
        "files.read_neo": (
            nbsnn.files.read_neo, nbsnn.files.read_neo, {"source": lambda: [neo_train()], "population": "a"},
        ),
        "statistics.cross_correlogram": (
            nbsnn.statistics.cross_correlogram, nbsnn.statistics.cross_correlogram,
            {"first": np.array([1.0, 2.0]), "second": np.array([1.5]), "width": 1.0, "longest": 5.0},
        ),
        "SpikeFile": (SpikeFile, SpikeFile, {"path": lambda: spikes_file().path}),
        "SpikeWriter.resume": (
            None, lambda **g: SpikeWriter.resume(**g).close(), {"path": lambda: spikes_file().path, "step": 2}
        ),
        "VariableWriter": (
            VariableWriter, lambda **g: VariableWriter(**g).close(), {"path": new_path, "description": description}
        ),
        "VariableWriter.resume": (
            None, lambda **g: VariableWriter.resume(**g).close(), {"path": variables_path, "step": 2}
        ),
        "VariableWriter.write": (
            VariableWriter.write, lambda rows: VariableWriter(new_path(), description()).write(rows),
            {"rows": np.ones((2, 3))},
        ),
        "VariableFile": (VariableFile, VariableFile, {"path": variables_path}),
        "VariableFile.units": (
            VariableFile.units, lambda **g: VariableFile(variables_path()).units(**g), {"owner": "a", "name": "v"}
        ),
        "VariableFile[owner, name]": (
            None, lambda owner, name: VariableFile(variables_path())[owner, name], {"owner": "a", "name": "v"}
        ),
        "Sequential[name]": (None, lambda name: net()[name], {"name": "dense1"}),
        "Optimizer.lr=": (None, lambda lr: setattr(optim.Adam(), "lr", lr), {"lr": 0.1}),
        "Optimizer.schedule=": (None, lambda schedule: setattr(optim.Adam(), "schedule", schedule), {"schedule": 0.1}),
        "History[name]": (None, lambda name: History([{"loss": 1.0}])[name], {"name": "loss"}),
        "Events[indices]": (
            None, lambda indices: tempotron.Tempotron(4, T=50.0).events(TIMES[:16].reshape(4, 4) / 2.0)[indices],
            {"indices": np.array([0, 2])},
        ),
        "Layer.run": of(net, nbsnn.Layer.run, x=X, state=None),
        "Dense.weight=": (None, lambda weight: setattr(net()["dense1"], "weight", weight), {"weight": np.ones((4, 3))}),
        "BPTT.step": of(learner, nbsnn.BPTT.step, x=X, target=Y),
        "BPTT.gradients": of(learner, nbsnn.BPTT.gradients, x=X, target=Y),
        "BPTT.plan": of(learner, nbsnn.BPTT.plan, steps=3, batch=2),
        "OTTT.step": (nbsnn.OTTT.step, lambda **g: nbsnn.OTTT(net()).step(**g), {"x": X, "target": Y}),
        "SLTT.gradients": (nbsnn.SLTT.gradients, lambda **g: nbsnn.SLTT(net()).gradients(**g), {"x": X, "target": Y}),
        "Accumulator": (nbsnn.Accumulator, nbsnn.Accumulator, {"learner": learner}),
        "Accumulator.add": (
            nbsnn.Accumulator.add, lambda **g: nbsnn.Accumulator(learner()).add(**g),
            {"x": X, "target": Y, "weight": 0.5},
        ),
        "fit": (
            nbsnn.fit, a_fit,
            {"net": net, "train": train, "test": train, "encoder": encode.constant(T=3), "learner": lambda: None,
             "epochs": 1, "batch_size": 2, "seed": 0, "augment": None, "checkpoint": None, "resume": False,
             "progress": False, "validation": None, "monitor": None, "patience": None, "class_weight": None,
             "accumulate": 1, "callback": None, "log": None},
        ),
        "save": (nbsnn.save, nbsnn.save, {"net": net, "path": new_path, "extra": lambda: {"a": np.ones(2)}}),
        "load": (nbsnn.load, nbsnn.load, {"path": saved, "net": None, "device": "cpu"}),
        **({} if not NIR else {"nir.write": (nir.write, nir.write, {"net": net, "path": new_path, "dialect": "nir"}),
        "nir.read": (
            nir.read, nir.read,
            {"path": nir_file, "convention": "nir", "dt": 1e-4, "reset": None, "decay_input": None, "dtype": None,
             "device": "cpu"},
        )}),
        "check": (
            nbsnn.check, nbsnn.check,
            {"subject": neurons.LIF(), "x": None, "tolerance": 1e-6, "trials": 1, "seed": 0, "ranges": None},
        ),
        "report": (
            nbsnn.report, nbsnn.report,
            {"net": net, "x": X, "target": Y, "loss": losses.rate_cross_entropy, "rate": 0.1,
             "history": None},
        ),
        "WSDense": (nbsnn.WSDense, nbsnn.WSDense, {"n_pre": 4, "n_post": 3, "bias": True, "gain": True, "eps": 0.1}),
        **({"TensorBoard": (nbsnn.TensorBoard, nbsnn.TensorBoard, {"folder": "runs"})} if TENSORBOARD else {}),
        "load_torch": (
            nbsnn.load_torch, nbsnn.load_torch,
            {"net": net, "state": {"a.weight": np.ones((3, 4)), "a.bias": np.ones(3)}, "ignore": ()},
        ),
        "from_torch": (
            nbsnn.from_torch, nbsnn.from_torch,
            {"module": [{"layer": "Linear", "in_features": 4, "out_features": 3}], "state": None, "input_shape": 4,
             "dtype": "f4", "device": "python"},
        ),
        "to_spiking": (
            nbsnn.to_spiking, nbsnn.to_spiking,
            {"net": lambda: nbsnn.Sequential(nbsnn.Dense(4, 3), nbsnn.ReLU(), seed=0), "x": X[0], "scale": "max",
             "per_channel": False, "eps": 1e-6, "momentum": 0.1, "v_start": 0.0, "pool_first": False},
        ),
        "quantize": (
            nbsnn.quantize, nbsnn.quantize,
            {"net": net, "x": X, "weight_bits": 4, "state_bits": 8, "decay_bits": 6, "input_bits": 6},
        ),
        "to_integer": (nbsnn.to_integer, nbsnn.to_integer, {"net": quantised}),
        "IntegerNetwork": (
            nbsnn.IntegerNetwork, nbsnn.IntegerNetwork,
            {"layers": lambda: nbsnn.to_integer(quantised()).layers,
             "arrays": lambda: nbsnn.to_integer(quantised()).arrays},
        ),
        "IntegerNetwork.run": (
            nbsnn.IntegerNetwork.run, lambda **g: nbsnn.to_integer(quantised()).run(**g), {"x": np.rint(X)}
        ),
        "IntegerNetwork.save": (
            nbsnn.IntegerNetwork.save, lambda **g: nbsnn.to_integer(quantised()).save(**g), {"path": new_path}
        ),
        "IntegerNetwork.load": (nbsnn.IntegerNetwork.load, nbsnn.IntegerNetwork.load, {"path": saved_integers}),
        "QuantConv2d.integers": (
            nbsnn.QuantConv2d.integers, lambda **g: quantised()["dense1"].integers(**g), {"name": "weight"}
        ),
        "LearnedDelays": (
            nbsnn.LearnedDelays, lambda **g: nbsnn.Sequential(nbsnn.LearnedDelays(**g)),
            {"n_pre": 4, "n_post": 3, "max_delay": 3, "sigma": 1.0, "bias": True, "weight": nbsnn.init.normal(),
             "delay": nbsnn.init.uniform(0.0, 3.0), "bias_init": nbsnn.init.constant(0.0)},
        ),
        "fold_batch_norm": (nbsnn.fold_batch_norm, nbsnn.fold_batch_norm, {"net": net}),
        "summary": (nbsnn.summary, nbsnn.summary, {"net": net, "x": X}),
        "sweep": (nbsnn.sweep, nbsnn.sweep, {"function": divmod, "grid": {"x": [1]}, "store": "none.jsonl"}),
        "target_rate": (
            nbsnn.target_rate, nbsnn.target_rate, {"net": net, "x": X, "rate": 0.3, "tolerance": 0.3}
        ),
        "compare_credit": (
            nbsnn.compare_credit, nbsnn.compare_credit,
            {"net": net, "x": X, "target": Y, "loss": None, "chunk": 2, "steps": True, "input_decay": 0.0, "seed": 0},
        ),
        "set_threads": (nbsnn.set_threads, nbsnn.set_threads, {"count": 1}),
        "device.resolve": (resolve, resolve, {"device": "cpu", "allowed": ("cpu", "python")}),
        "Sequential": (
            nbsnn.Sequential, lambda **g: nbsnn.Sequential(nbsnn.Flatten(), **g),
            {"input_shape": 4, "seed": 0, "dt": 1.0, "dtype": np.float32, "device": "cpu"},
        ),
        "Sequential(layer)": (
            None, lambda layer: nbsnn.Sequential(layer, seed=0), {"layer": lambda: nbsnn.Dense(4, 3)}
        ),
        "Sequential.steps": (nbsnn.Sequential.steps, lambda **g: list(net().steps(**g)), {"x": X, "state": None}),
        "Parallel": (
            nbsnn.Parallel, lambda **g: nbsnn.Parallel(nbsnn.Dense(4, 3), nbsnn.Dense(4, 3), **g),
            {"join": "concatenate"},
        ),
        "Parallel(layer)": (None, lambda layer: nbsnn.Parallel(layer), {"layer": lambda: nbsnn.Dense(4, 3)}),
        "Residual": (
            nbsnn.Residual, lambda **g: nbsnn.Residual(nbsnn.Dense(4, 4), **g), {"shortcut": None, "join": "iand"}
        ),
        "Residual(layer)": (None, lambda layer: nbsnn.Residual(layer), {"layer": lambda: nbsnn.Dense(4, 4)}),
        "Recurrent": (
            nbsnn.Recurrent, nbsnn.Recurrent,
            {"inner": neurons.LIF(), "feedback": lambda: nbsnn.Dense(4, 4), "join": "sum", "waits": "output"},
        ),
        "Sparse": (nbsnn.Sparse, nbsnn.Sparse, {"probability": 0.5, "autapses": True, "multapses": False}),
        "Multiple": (nbsnn.Multiple, nbsnn.Multiple, {"rule": lambda: nbsnn.OneToOne(), "n": 2}),
        "Sparse(indegree)": (None, nbsnn.Sparse, {"indegree": 2, "autapses": True, "multapses": True}),
        "Sparse(outdegree)": (None, nbsnn.Sparse, {"outdegree": 2}),
        "Sparse(total)": (None, nbsnn.Sparse, {"total": 7}),
        "Sparse.build": (
            sparse.Rule.build, rows,
            {"n_pre": 4, "n_post": 4, "seed": 0, "stream": (), "same": False, "own": None, "coordinates": None},
        ),
        "Sparse.count": (
            sparse.Rule.count, sparse.Sparse(probability=0.5).count,
            {"n_pre": 4, "n_post": 4, "same": False, "own": None, "coordinates": None},
        ),
        "Distance.build": (
            None, sparse.Distance(sparse.Gaussian(0.5, 1.0)).build,
            {"n_pre": 4, "n_post": 4, "seed": 0, "coordinates": np.zeros((4, 2))},
        ),
        "Explicit": (
            nbsnn.Explicit, nbsnn.Explicit, {"pre": [0, 1], "post": [1, 2], "weight": [1.0, 2.0], "delay": [1.0, 2.0]}
        ),
        "sparse.Rows": (
            sparse.Rows, sparse.Rows,
            {"start": ROWS.start, "post": ROWS.post, "n_post": 4, "weight": None, "delay": None},
        ),
        "Rows.to_scipy": (sparse.Rows.to_scipy, ROWS.to_scipy, {"weight": None}),
        "sparse.values.of": (
            sparse.values.of, sparse.values.of, {"spec": 0.5, "synapses": 3, "seed": 0, "stream": (), "dtype": "f4"}
        ),
        "plasticity.Rule": (
            plastic.Rule, plastic.Rule,
            {"change": change, "pre": lambda: {"x": plastic.Trace()}, "post": dict, "params": lambda: {"rate": 0.1},
             **RULE},
        ),
        "plasticity.MembraneRule": (
            plastic.MembraneRule, plastic.MembraneRule,
            {"change": change, "pre": lambda: {"x": plastic.Trace()}, "post": dict, "params": lambda: {"rate": 0.1},
             **RULE, "drift": None, "active": None},
        ),
        "Rule.run": of(
            plastic.PairSTDP, plastic.Rule.run, weights=lambda: w.copy(), pre=pre, post=post, state=None, dt=1.0,
            device="cpu", in_place=True, record=(),
        ),
        "Rule.replace": (plastic.Rule.replace, lambda **g: plastic.PairSTDP().replace(**g), {}),
        "PostPreInt.run": (
            plastic.PostPreInt.run, plastic.PostPreInt().run,
            {"weights": lambda: np.full((4, 3), 5, np.int32), "pre": pre, "post": post, "state": None, "dt": 1.0,
             "device": "cpu", "in_place": True, "record": (), "thresh": None, "draws": lambda: Draws(0)},
        ),
        "Normalize.apply": (plastic.Normalize.apply, plastic.Normalize(2.0).apply, {"weights": lambda: w.copy()}),
        "Scaling.apply": (
            plastic.Scaling.apply, plastic.Scaling(5.0).apply, {"weights": lambda: w.copy(), "rates": np.ones(3)}
        ),
        "plasticity.Plastic": (
            plastic.Plastic, plastic.Plastic,
            {"connection": lambda: nbsnn.Dense(4, 3, bias=False), "neurons": neurons.LIF(tau=5.0),
             "rule": plastic.NearestSTDP(), "lateral": None, "delay": 0, "lag": None, "defer": False, "dt": 1.0,
             "dtype": np.float32, "device": "cpu", "seed": 0},
        ),
        "Plastic.learn": of(
            plastic_layer, plastic.Plastic.learn, x=(X > 0).astype(np.float32)[:, :1], state=None, every=None
        ),
        "Plastic.present": of(
            plastic_layer, plastic.Plastic.present, x=cook_x, encoder=encode.poisson(T=3), draws=lambda: Draws(0),
            state=None, keep=(), learn=True, first=0, batch=1, every=None,
        ),
        "plasticity.window": (
            plastic.window, plastic.window, {"rule": plastic.PairSTDP(), "delta_t": None, "w": None, "dt": 1.0,
                                             "samples": 40},
        ),
        "plasticity.figure": (
            plastic.figure, plastic.figure, {"rule": plastic.PairSTDP(), "ax": None, "title": ""}
        ),
        "Optimizer.step": (
            optim.Adam.step, optim.Adam(0.1).step,
            {"params": lambda: {"w": np.ones(3)}, "grads": lambda: {"w": np.ones(3)}},
        ),
        "optim.Groups": (
            optim.Groups, optim.Groups, {"optimizer": lambda: optim.SGD(0.1), "groups": lambda: {"w": {"lr": 0.2}}}
        ),
        "Optimizer.replace": (Optimizer.replace, lambda lr: optim.SGD(0.1).replace(lr=lr), {"lr": 0.1}),
        "Plateau.observe": (optim.Plateau.observe, lambda row: optim.Plateau(0.1).observe(row), {
            "row": lambda: {"loss": 1.0}}),
        "losses.Weighted": (losses.Weighted, losses.Weighted, {"target": Y, "weight": np.ones(len(Y))}),
        "optim.clip_by_norm": (
            optim.clip_by_norm, optim.clip_by_norm, {"grads": lambda: {"w": np.ones(3)}, "limit": 1.0}
        ),
        "optim.clip_by_value": (
            optim.clip_by_value, optim.clip_by_value, {"grads": lambda: {"w": np.ones(3)}, "limit": 1.0}
        ),
        "SpikeWriter": (SpikeWriter, SpikeWriter, {"path": new_path, "n": 3, "dt": 0.1, "long": False}),
        "SpikeWriter.write": (
            SpikeWriter.write, lambda **g: SpikeWriter(new_path(), 3, 0.1).write(**g), {"steps": [1], "units": [0]}
        ),
        "SpikeFile.spikes": (SpikeFile.spikes, lambda **g: spikes_file().spikes(**g), {"start": 0.0, "stop": 0.3}),
        "Neuron": (
            nbsnn.Neuron, nbsnn.Neuron,
            {"step": pair_step, "vjp": None, "state": lambda: {"v": 0.0}, "params": lambda: {"decay": 0.9},
             "learn": (), "per_step": dict, "surrogate": surrogates.atan(), "compare": ">=", "output": "spikes",
             "first": 0.0, "leak": "", "holes": dict, "inputs": ("current",), "kind": "", "options": dict},
        ),
        "CustomSynapse": (
            synapses.CustomSynapse, synapses.CustomSynapse,
            {"step": pair_step, "state": {"y": 0.0}, "params": {"tau": 5.0}, "per_step": {"tau": "exp"},
             "reads": (), "output": "current", "reversal": None, "gate": None, "name": "own"},
        ),
        "Gate": (
            synapses.Gate, synapses.Gate,
            {"step": pair_step, "state": {"y": 0.0}, "params": {"tau": 5.0}, "per_step": {"tau": "exp"}, "reads": (),
             "outputs": 1},
        ),
        "Neuron.replace": (nbsnn.Neuron.replace, lambda **g: own().replace(**g), {}),
        "Synapse.conductance": (
            synapses.Synapse.conductance, synapses.Exponential(5.0).conductance, {"reversal": -80.0}
        ),
        "random.Draws": (Draws, lambda **g: Draws(**g), {"seed": 0}),
        "Draws(stream)": (None, lambda item: Draws(0, item), {"item": "a"}),
        "Draws.fold": (Draws.fold, lambda item: Draws(0).fold(item), {"item": "a"}),
        "random.key": (nbsnn.random.key, lambda **g: nbsnn.random.key(**g), {"seed": 0}),
        "Draws.bits": of(lambda: Draws(0), Draws.bits, shape=(2, 3), step=0, start=0),
        "Draws.uniform": of(lambda: Draws(0), Draws.uniform, shape=3, low=0.0, high=1.0, dtype="f4", step=0, start=0),
        "Draws.normal": of(lambda: Draws(0), Draws.normal, shape=3, mean=0.0, std=1.0, dtype="f4", step=0, start=0),
        "Draws.integers": of(lambda: Draws(0), Draws.integers, low=0, high=9, shape=3, step=0, start=0),
        "Draws.permutation": of(lambda: Draws(0), Draws.permutation, n=4),
        "poisson.window": (None, encode.poisson(T=5).window, {"x": X[0], "draws": lambda: Draws(0), "start": 0,
                                                              "stop": 3}),
        "encode(x)": (None, lambda **g: encode.poisson(T=3)(**g), {"x": X[0], "draws": lambda: Draws(0)}),
        "latency(x)": (None, lambda **g: encode.latency(T=9)(**g), {"x": X[0]}),
        "latency.times": (encode.latency.times, encode.latency(T=9).times, {"x": X[0]}),
        "encode.delta(T)": (None, later(encode.delta), {"T": 4, "threshold": 0.1, "form": "crossing", "dtype": "f4"}),
        "delta(x)": (None, lambda **g: encode.delta(T=4)(**g), {"x": X}),
        "loss(y)": (None, lambda **g: losses.rate_cross_entropy(**g), {"y": SPIKES, "target": Y}),
        "losses.softmax_cross_entropy": (
            losses.softmax_cross_entropy, losses.softmax_cross_entropy,
            {"logits": np.ones((2, 3)), "labels": Y, "label_smoothing": 0.0,
             "class_weight": None, "ignore": None},
        ),
        "losses.van_rossum": (losses.van_rossum, losses.van_rossum, {"y": SPIKES, "target": SPIKES}),
        "losses.step_mse": (losses.step_mse, losses.step_mse, {"y": SPIKES, "target": SPIKES}),
        "data.shift": (
            nbsnn.data.shift, nbsnn.data.shift, {"x": np.ones((2, 16), "f4"), "draws": lambda: Draws(0), "pixels": 1,
                                                 "side": 4},
        ),
        **{f"augment.{name}": (make, applied(make), options) for name, make, options in (
            ("shift", nbsnn.augment.shift, {"pixels": 1, "side": 4}),
            ("flip", nbsnn.augment.flip, {"probability": 0.5, "axis": "width", "side": 4}),
            ("crop", nbsnn.augment.crop, {"height": 3, "width": 2, "side": 4}),
            ("drop", nbsnn.augment.drop, {"share": 0.5}), ("noise", nbsnn.augment.noise, {"std": 0.5}),
        )},
        "augment.jitter": (nbsnn.augment.jitter, nbsnn.augment.jitter, {"time": 0.5, "space": 1.0}),
        "data.mnist": (nbsnn.data.mnist, lambda **g: _missing(nbsnn.data.mnist, **g), {"flat": True}),
        "data.fashion_mnist": (nbsnn.data.fashion_mnist, lambda **g: _missing(nbsnn.data.fashion_mnist, **g),
                               {"flat": True}),
        "data.braille": (nbsnn.data.braille, lambda **g: _absent(nbsnn.data.braille, **g), {"folder": FOLDER}),
        "data.read_idx": (nbsnn.data.read_idx, nbsnn.data.read_idx, {"path": idx}),
        "sparse.delay_steps": (
            sparse.delay_steps, sparse.delay_steps, {"delay": 1.5, "dt": 0.1, "cut": False}
        ),
        "losses.accuracy": (losses.accuracy, losses.accuracy, {"y": SPIKES, "labels": Y, "decision": "count"}),
        "losses.predict": (losses.predict, losses.predict, {"y": SPIKES, "decision": "count"}),
        "losses.first_spike_time": (losses.first_spike_time, losses.first_spike_time, {"y": SPIKES}),
        **{f"losses.{name}": (f, f, {"y": SPIKES, "target": Y}) for name, f in vars(losses).items()
           if name.islower() and hasattr(f, "decision") and getattr(f, "target_axes", 0) < 3},
        "losses.Rate": (losses.Rate, losses.Rate, {"target": 0.1, "strength": 1.0}),
        "learning.STBP": (nbsnn.STBP, nbsnn.STBP, {"net": net, "loss": losses.rate_cross_entropy, "optimizer": None}),
        "BPTT": (
            nbsnn.BPTT, nbsnn.BPTT,
            {"net": net, "loss": losses.rate_cross_entropy, "optimizer": lambda: optim.SGD(0.1), "chunk": None,
             "clip": None, "regularizers": None, "seed": 0, "max_bytes": None, "compact": True},
        ),
        "EProp": (
            nbsnn.EProp, nbsnn.EProp,
            {"net": lambda: nbsnn.Sequential(nbsnn.Dense(4, 3), neurons.LIF(), nbsnn.Dense(3, 2), neurons.LI()),
             "loss": None, "optimizer": None, "feedback": "symmetric", "feedback_decay": 0.0, "update": "sample",
             "clip": None, "seed": 0},
        ),
        "bindsnet.MSTDP": (presets.bindsnet.MSTDP, presets.bindsnet.MSTDP, {
            "nu": 0.01, "a_plus": 1.0, "a_minus": -1.0, "tc_plus": 20.0, "tc_minus": 20.0, "wmin": 0.0, "wmax": 1.0,
            "tc_e_trace": None}),
        "bindsnet.MSTDPET": (presets.bindsnet.MSTDPET, presets.bindsnet.MSTDPET, {"nu": 0.01, "tc_e_trace": 25.0}),
        **({} if not BOKEH else {"page": (
            nbsnn.page, nbsnn.page,
            {"shown": History([{"epoch": 1, "loss": 1.0}]), "path": lambda: new_path(".html"), "net": net, "x": X,
             "target": Y, "loss": losses.rate_cross_entropy, "snapshots": lambda: nbsnn.Snapshots(net()),
             "sample": 0, "spikes": 100, "membranes": 5, "points": 100, "title": ""},
        )}),
        "plot.raster": (nbsnn.plot.raster, nbsnn.plot.raster, {"spikes": SPIKES[:, 0], "ax": None, "title": ""}),
        "plot.activity": (
            nbsnn.plot.activity, nbsnn.plot.activity,
            {"spikes": lambda: (TIMES, UNITS, 4), "stop": 100.0, "start": 0.0, "width": 5.0, "smooth": 0.0,
             "most": 1000, "axes": None, "title": ""},
        ),
        "plot.partners": (
            nbsnn.plot.partners, nbsnn.plot.partners,
            {"positions": np.ones((4, 2)), "units": [1, 2], "of": [0.5, 0.5], "ax": None, "title": ""},
        ),
        "plot.cv_histogram": (
            nbsnn.plot.cv_histogram, nbsnn.plot.cv_histogram,
            {"cv": np.array([0.5, 1.0]), "bins": 30, "ax": None, "title": ""},
        ),
        "plot.rate_histogram": (
            nbsnn.plot.rate_histogram, nbsnn.plot.rate_histogram,
            {"rates": np.array([0.5, 1.0]), "bins": 30, "ax": None, "title": ""},
        ),
        "plot.receptive_fields": (
            nbsnn.plot.receptive_fields, nbsnn.plot.receptive_fields,
            {"weight": np.ones((4, 3)), "shape": (2, 2), "columns": None, "ax": None, "title": ""},
        ),
        "plot.save": (nbsnn.plot.save, nbsnn.plot.save, {"figure": figure, "path": lambda: new_path(".png"),
                                                         "dpi": 20.0}),
        "plot.traces": (
            nbsnn.plot.traces, nbsnn.plot.traces,
            {"times": np.arange(5.0), "states": np.ones((5, 3)), "spikes": None, "labels": None, "axes": None,
             "title": ""},
        ),
        "plot.confusion": (
            nbsnn.plot.confusion, nbsnn.plot.confusion, {"labels": Y, "predicted": Y, "ax": None, "title": ""}
        ),
        "plot.training": (
            nbsnn.plot.training, nbsnn.plot.training,
            {"history": History([{"epoch": 1, "loss": 1.0, "train": 0.5}]), "run": lambda: net().run(X),
             "path": lambda: new_path(".png"), "sample": 0, "labels": None, "decision": "count"},
        ),
        "plot.weight_matrix": (
            nbsnn.plot.weight_matrix, nbsnn.plot.weight_matrix,
            {"weight": np.ones((4, 3)), "rows": None, "ax": None, "title": ""},
        ),
        "plot.weights_over_time": (
            nbsnn.plot.weights_over_time, nbsnn.plot.weights_over_time,
            {"times": np.arange(5.0), "weights": np.ones((5, 3)), "ax": None, "title": ""},
        ),
        "Tempotron.fit": (
            tempotron.Tempotron.fit, lambda **g: tempotron.Tempotron(4, T=50.0).fit(**g),
            {"x": TIMES[:16].reshape(4, 4) / 2.0, "labels": np.arange(4) % 2, "rule": None, "epochs": 2},
        ),
        "Tempotron.run": (
            tempotron.Tempotron.run, tempotron.Tempotron(4, T=50.0).run,
            {"x": TIMES[:16].reshape(4, 4) / 2.0, "spike_times": True},
        ),
        "Tempotron.predict": (
            tempotron.Tempotron.predict, tempotron.Tempotron(4, T=50.0).predict, {"x": TIMES[:16].reshape(4, 4) / 2.0}
        ),
        "Tempotron.events": (
            tempotron.Tempotron.events, tempotron.Tempotron(4, T=50.0).events, {"x": TIMES[:16].reshape(4, 4) / 2.0}
        ),
        "Tempotron.v": (
            tempotron.Tempotron.v, tempotron.Tempotron(4, T=50.0).v,
            {"x": TIMES[:16].reshape(4, 4) / 2.0, "at": None},
        ),
        "Tempotron.step": (
            tempotron.Tempotron.step, lambda **g: tempotron.Tempotron(4, T=50.0).step(**g),
            {"x": TIMES[:16].reshape(4, 4) / 2.0, "labels": np.arange(4) % 2, "rule": tempotron.Classic()},
        ),
        "tempotron.fit": (
            tempotron.fit, tempotron.fit,
            {"t": lambda: tempotron.Tempotron(4, T=50.0), "x": TIMES[:16].reshape(4, 4) / 2.0,
             "labels": np.arange(4) % 2, "rule": None, "epochs": 1, "batch_size": 2, "test": None, "encode": None,
             "by": None, "seed": 0, "progress": False},
        ),
        "tempotron.accuracy": (
            tempotron.accuracy, tempotron.accuracy,
            {"t": lambda: tempotron.Tempotron(4, T=50.0), "x": TIMES[:16].reshape(4, 4) / 2.0,
             "labels": np.arange(4) % 2, "encode": None, "by": None, "size": 500},
        ),
        "tempotron.Tempotron": (
            tempotron.Tempotron, tempotron.Tempotron,
            {"n_inputs": 4, "n_outputs": 1, "tau": 15.0, "tau_s": 3.75, "v_threshold": 1.0, "T": 500.0, "seed": 0,
             "weight": None, "dtype": "f4", "device": "cpu"},
        ),
        "tempotron.Stack": (
            tempotron.Stack, lambda **g: tempotron.Stack(tempotron.Tempotron(4), **g), {"sharpness": None, "step": 1.0}
        ),
        "Stack(layer)": (None, lambda layer: tempotron.Stack(layer), {"layer": lambda: tempotron.Tempotron(4)}),
        "Stack.run": (
            tempotron.Stack.run, tempotron.Stack(tempotron.Tempotron(4)).run, {"x": TIMES[:16].reshape(4, 4)}
        ),
        "Stack.step": (
            tempotron.Stack.step, tempotron.Stack(tempotron.Tempotron(4, 2), step=0.1).step,
            {"x": TIMES[:16].reshape(4, 4), "labels": np.arange(4) % 2, "loss": tempotron.MaxCrossEntropy(),
             "optimizer": lambda: optim.SGD(0.1)},
        ),
        "tempotron.from_events": (
            tempotron.from_events, tempotron.from_events,
            {"time": [1.0, 2.0], "pre": [0, 1], "sample": [0, 0], "n_inputs": 4, "T": 50.0, "batch": None,
             "dtype": "f4"},
        ),
        "tempotron.from_spikes": (
            tempotron.from_spikes, tempotron.from_spikes, {"spikes": SPIKES, "dt": 1.0, "T": None, "dtype": "f4"}
        ),
        "tempotron.from_times": (
            tempotron.from_times, tempotron.from_times,
            {"times": TIMES[:16].reshape(4, 4) / 2.0, "T": 50.0, "dtype": "f4"},
        ),
        "tempotron.soft_time": (
            tempotron.soft_time, tempotron.soft_time,
            {"v": np.ones((2, 3, 1)), "at": np.arange(2.0), "sharpness": 1.0},
        ),
        **{f"tempotron.{name}": (f := getattr(tempotron, name), f, {"tau": 15.0, "tau_s": 3.75})
           for name in ("normaliser", "peak_time")},
        "spikingjelly_tempotron.Tempotron": (
            (j := importlib.import_module("nbsnn.presets.spikingjelly_tempotron")).Tempotron, j.Tempotron,
            {"in_features": 4, "out_features": 2, "T": 50, "tau": 15.0, "tau_s": 3.75, "v_threshold": 1.0,
             "weight": None, "seed": 0, "dtype": "f4"},
        ),
        "spikingjelly_tempotron.GaussianTuning": (
            j.GaussianTuning, j.GaussianTuning, {"n": 2, "m": 3, "x_min": [0.0, 0.0], "x_max": [1.0, 1.0]}
        ),
        "GaussianTuning.encode": (
            j.GaussianTuning.encode, j.GaussianTuning(2, 3, [0.0, 0.0], [1.0, 1.0]).encode,
            {"x": np.full((1, 2, 4), 0.5), "max_spike_time": 50},
        ),
        "Tempotron.forward": (None, j.Tempotron(4, 2, 50).forward, {
            "in_spikes": np.full((3, 4), 5.0), "ret_type": "v_max"}),
        "spikingjelly_tempotron.mse_loss": (
            j.mse_loss, j.mse_loss, {"v_max": np.ones((3, 2)), "v_threshold": 1.0, "label": np.array([0, 1, 0])}
        ),
        "unsupervised.diehl_cook": (
            nbsnn.unsupervised.diehl_cook, nbsnn.unsupervised.diehl_cook,
            {"inputs": 4, "units": 3, "theta_plus": None, "nu": (0.0001, 0.01), "norm": 78.4, "inhibition": 120.0,
             "seed": 0},
        ),
        "unsupervised.learn": (
            nbsnn.unsupervised.learn, nbsnn.unsupervised.learn,
            {"layer": cook, "x": cook_x, "encoder": encode.poisson(T=3), "epochs": 1, "seed": 0, "labels": None,
             "keep": ("theta", "theta_low"), "checkpoint": None, "resume": False, "every": 2000, "progress": False,
             "history": None},
        ),
        "unsupervised.respond": (
            nbsnn.unsupervised.respond, nbsnn.unsupervised.respond,
            {"layer": cook, "x": cook_x, "encoder": encode.poisson(T=3), "state": cook_state, "stream": "a", "seed": 0,
             "keep": ("theta",), "progress": False},
        ),
        "unsupervised.name_units": (
            nbsnn.unsupervised.name_units, nbsnn.unsupervised.name_units,
            {"layer": cook, "x": cook_x, "labels": Y, "encoder": encode.poisson(T=3), "state": cook_state},
        ),
        "unsupervised.accuracies": (
            nbsnn.unsupervised.accuracies, nbsnn.unsupervised.accuracies,
            {"found": nbsnn.voting.assign_labels([[3, 0], [0, 2]], Y), "counts": np.array([[3, 0], [0, 2]]),
             "labels": Y},
        ),
        "voting.Assignment": (
            nbsnn.voting.Assignment, nbsnn.voting.Assignment, {"labels": Y, "response": np.eye(2)}
        ),
        "Assignment.predict": (
            nbsnn.voting.Assignment.predict, nbsnn.voting.assign_labels([[3, 0], [0, 2]], Y).predict,
            {"counts": [[3, 0], [0, 2]], "vote": "all"},
        ),
        "voting.assign_labels": (
            nbsnn.voting.assign_labels, nbsnn.voting.assign_labels,
            {"counts": [[3, 0], [0, 2]], "labels": Y, "classes": None},
        ),
        "History": (History, History, {"rows": None}),
        "History.save": (
            History.save, lambda **g: History([{"epoch": 1}]).save(**g), {"path": lambda: new_path(".csv")}
        ),
    }  # fmt: skip


def _missing(read: Callable, **given: Any) -> Any:
    """A data set whose folder lacks its files: with right options this is said."""
    return _absent(partial(read, FOLDER), **given)


def _absent(read: Callable, **given: Any) -> Any:
    """As ``_missing``, for a folder that is an argument like others."""
    try:
        return read(**given)
    except FileNotFoundError:
        return None


def later(make: Callable) -> Callable:
    """The encoder first, and what it makes of time series when it is used."""

    def call(**given: Any) -> Any:
        encoder = make(**given)
        return lambda: encoder(X)

    return call


def figure() -> Any:
    return nbsnn.plot.raster(SPIKES[:, 0]).figure


def idx() -> str:
    path = new_path()
    with open(path, "wb") as file:
        file.write(bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 6]))
    return path


def fresh(arguments: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Arguments made anew: values that are functions of this file are called."""
    made = {id(neurons.LIF)}

    def make() -> dict[str, Any]:
        found = {}
        for name, value in arguments.items():
            own = inspect.isfunction(value) and value.__module__ == __name__ and value not in (pair_step, change)
            found[name] = value() if id(value) not in made and (own or value is dict) else value
        if "learner" in found and found["learner"] is None:
            found["learner"] = learner(found["net"])
        return found

    return make


def public() -> Iterator[tuple[str, Callable]]:
    """All public callables: of the package, of its public modules, and methods of their classes."""
    seen: set[int] = set()
    modules = [("", nbsnn), *((name, importlib.import_module(f"nbsnn.{name}")) for name in MODULES.split())]
    for place, module in modules:
        for name in sorted(dir(module) if not place else vars(module)):
            value = getattr(module, name)
            if (
                name.startswith("_")
                or not callable(value)
                or not str(getattr(value, "__module__", "")).startswith("nbsnn")
            ):
                continue
            here = not place or hasattr(module, "__path__") or value.__module__ == module.__name__
            if not here or id(value) in seen:
                continue
            seen.add(id(value))
            prefix = f"{place.removeprefix('presets.')}." if place else ""
            yield f"{prefix}{name}", value
            for key in sorted(dir(value)) if inspect.isclass(value) else ():
                method = getattr(value, key)
                ours = inspect.isfunction(method) and method.__module__.startswith("nbsnn")
                if not key.startswith("_") and key not in PROTOCOL.split() and ours and id(method) not in seen:
                    seen.add(id(method))
                    yield f"{name}.{key}", method


def neo_train() -> SimpleNamespace:
    """What is read of a spike train of Neo, which need not be installed."""
    spikes = SimpleNamespace(magnitude=np.array([1.0]))
    return SimpleNamespace(annotations={"population": "a", "unit": 0}, t_stop=2.0, rescale=lambda unit: spikes)


def calls() -> tuple[dict[str, Call], list[str]]:
    """Name -> valid call of every public callable, and which have neither a call nor a reason to have none."""
    found, missing, listed = {}, [], methods()
    covered = {id(function) for function, _, _ in listed.values() if function is not None}
    for name, (function, call, arguments) in listed.items():
        arguments = {**arguments, **MORE.get(name, {})}
        found[name] = Call(name, call, fresh(arguments), _optional(function, arguments))
    for name, function in public():
        if id(function) in covered or _left_out(name, function):
            continue
        arguments = {}
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            continue
        if not [p for p in parameters if p.name not in ("self",)] and inspect.isclass(function):
            continue
        for p in parameters:
            if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
                continue
            if p.default is not p.empty:
                arguments[p.name] = p.default
            elif p.name in ARGUMENTS:
                arguments[p.name] = ARGUMENTS[p.name]
            elif p.annotation in ("float", "int"):
                arguments[p.name] = {"float": 0.5, "int": 2}[p.annotation]
            else:
                missing.append(f"{name}({p.name}): a value for ARGUMENTS, or a method for PROTOCOL?")
        if not arguments:
            continue
        arguments |= MORE.get(name, {})
        found[name] = Call(name, function, fresh(arguments), _optional(function, arguments))
    return found, missing


def _left_out(name: str, function: Any) -> bool:
    words = name.split(".")
    return name in WITHOUT or words[0] in WITHOUT or (words[-1] in WITHOUT and (len(words) > 1 or name == "profile"))


def _optional(function: Any, arguments: dict[str, Any]) -> frozenset[str]:
    """Which arguments may be None: those whose default or annotation says so."""
    optional = {name for name, value in arguments.items() if value is None}
    if function is not None:
        for name, p in inspect.signature(function).parameters.items():
            if p.default is None or "None" in str(p.annotation):
                optional.add(name)
    return frozenset(optional)
