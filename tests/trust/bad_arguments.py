"""Spoils the arguments of all public callables and says how they answer: ``python -m tests.trust.bad_arguments``.

Run in a process of its own, with a limit of memory and a time limit for each call, since some answers may be neither
an error nor a result. Prints one line of JSON for each call that is not answered as it should be, and a tally at last.
"""

import argparse
import ast
import collections
import functools
import json
import os
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import nbsnn
from nbsnn import encode, neurons, optim, plasticity, sparse, surrogates, synapses
from nbsnn.random import Draws

from .valid_calls import FOLDER, Call, X, Y, brain, calls

NAN, INF = float("nan"), float("inf")
HUGE = 10**30

BAD: dict[str, Any] = {
    "None": None, "'x'": "x", "nan": NAN, "inf": INF, "-inf": -INF, "-1": -1, "0": 0, "10**30": HUGE,
    "-10**30": -HUGE, "1e300": 1e300, "2.5": 2.5, "-2.5": -2.5, "True": True, "[]": [], "''": "", "()": (), "{}": {},
    "[nan]": np.array([NAN]), "zeros(2, 3)": np.zeros((2, 3)), "ones(7)": np.ones(7), "1j": 1j, "b'x'": b"x",
    "object()": object(), "2**31": 2**31, "-2**63": -(2**63), "2**62": 2**62, "1e-320": 1e-320, "[None]": [None],
    "['x']": ["x"], "[[1], [1, 2]]": [[1], [1, 2]], "a class": nbsnn.Dense, "a function": surrogates.atan,
    "a lambda": lambda: 1.0, "a layer": nbsnn.Dense(4, 3), "float32 nan": np.float32(NAN), "array('x')": np.array("x"),
    "a date": np.datetime64("2020-01-01"), "set()": set(), "object array": np.array([None, 1], object),
    "(1, 2, 3, 4)": (1, 2, 3, 4), "a range": range(3), "type": int, "1e30": 1e30, "np.True_": np.True_,
    "a neuron": neurons.LIF(),
}  # fmt: skip
FEW = ("None", "'x'", "nan")
"""What the fast tests try."""

NUMBERS = {"-1", "0", "10**30", "-10**30", "1e300", "2.5", "-2.5", "True", "2**31", "-2**63", "2**62", "1e-320", "1e30",
           "np.True_"}  # fmt: skip
WHOLE = {"-1", "0", "10**30", "-10**30", "2**31", "-2**63", "2**62"}
ARRAYS = {"[]", "()", "zeros(2, 3)", "ones(7)", "(1, 2, 3, 4)", "a range", "[nan]"}

NAMES_OF_OTHERS = [
    ("CustomSynapse", "output"), ("CustomSynapse", "reads"), ("Gate", "reads"), ("plasticity.LowPass", "variable"),
    ("plasticity.Clopath", "variable"),
]  # fmt: skip
"""Arguments that name what a neuron has, with which a network brings them together."""

LATE = NUMBERS | ARRAYS | {"a function", "a lambda", "a layer", "a neuron"}
"""What may be refused when it is used: shapes and ranges depend on what comes, functions on what they return."""

GIVEN = (
    r"Layer\.run|Sequential\.steps|(BPTT|OTTT|SLTT|Accumulator)\..*|report|summary|page|target_rate|"
    r"compare_credit|Plastic\.learn|quantize"
)
LOSSES = rf"losses\..*|loss\(y\)|{GIVEN}"
CHANNELS = re.compile("1d|adaptive|global|upsample|norm")  # kinds of layers whose input has an axis behind its channels
PARTS = r"Sequential\(layer\)|Parallel\(layer\)|Residual.*|Recurrent"

ALIASES: list[tuple[str, str, str]] = [
    (GIVEN, "x", "input"),
    (LOSSES, "target", "labels"),
    ("losses.softmax_cross_entropy", "logits", "labels must have shape"),
    (PARTS, "layer|shortcut|inner|feedback", "layers and neurons"),
    ("check|report|summary|page|target_rate", "net|subject", "this dense is not built yet"),
    ("EProp", "net", "a network of the form"),
    ("fit", "net", "another network"),
    ("from_torch", "input_shape", "needs an input of"),
    ("fit", "train|test|validation", "alpha of atan"),  # a function of draws, but another's
    ("load", "net", "the network has the parameters"),
    ("plasticity.Plastic", "neurons", "Dense(4, 3) needs"),
    ("plasticity.Plastic", "lateral", "weight"),
    ("unsupervised.diehl_cook", "inhibition", "weight"),
    ("device.resolve", "allowed", "device must be one of"),
    (r"(Tempotron|Stack|tempotron)\..*", "x", "times"),
    (r"Draws.*|random.key", "item", "stream"),
    ("sparse.delays", "spec", "delay"),
    ("Optimizer.schedule=", "schedule", "lr"),
    (r"Recording\[.*", "group|name", "was not recorded"),
    (r"Recording.times_of", "owner|name", "was not recorded"),
    (r"Recording.times_of", "owner", "no population"),
    (r"VariableFile.*", "owner|name", "is not in this file"),
    (r"History\[.*", "name", "no column"),
    (r"Sequential\[.*", "name", "no layer"),
    (".*", "path", "x is not"),
    (".*", "path", "x:"),
    (".*", "callback|encode|first|lr|momentum|schedule", "alpha of atan"),
    ("Plateau.observe", "row", "an epoch has only"),
    ("Adaptive(Avg|Max)Pool", "output_size", "needs an input with"),
    (r"GaussianTuning|spikingjelly_tempotron\..*", "n", "x_min must have shape"),
    (r"spikingjelly_tempotron\..*", "v_max", "label"),
    ("voting.Assignment", "labels", "response"),
    (r"Recording\[.*", "group|name", "is a recorded variable"),
    (r"[Tt]empotron\.fit", "test", "times"),
    ("data.shift", "x", "images"),
    ("plasticity.(Membrane)?Rule", "params", "change must take"),
    ("plasticity.Clopath", "dendrite", "delay"),
    ("plasticity.Clopath", "tau_plus|tau_minus|tau_mean", "tau of a low pass"),
    ("check", "tolerance", "no smooth point"),
    ("unsupervised.diehl_cook", "dt", "refractory of"),
    (r"bindsnet\..*", "tc_.*", "tau"),
    ("spikingjelly.*", "v_reset", "v_start"),
    ("neurons.*", "v_start", "initial_v"),
    (r"nir\..*", "path", "x is damaged"),
    ("Group.*", "name|units", "has no variable"),
    ("Gate|CustomSynapse", "params", "per_step names"),
    ("Rule.run", "weights", "pre spikes"),
    ("Distance.build", "n_pre", "coordinates of sources"),
    ("Distance.build", "n_post", "coordinates of targets"),
    ("neurons.*", "v_rest|e_leak", "v_reset"),
    ("spaic.(lif|clif)", "tau_m", "tau"),
    (r"[Tt]empotron\.(fit|accuracy)", "x", "labels must have shape"),
    ("encode.*", "low|high|gain", "x must be from"),
    ("statistics.synchrony", "times|units", "no unit changes"),
    ("tempotron.from_events", "time", "pre must have shape"),
    ("tempotron.from_.*", "T", "lie in"),
    ("models.brunel", "eta", "rate"),
    ("statistics.(cv|cv2|lv)", "least", "spikes between start and stop"),
    ("statistics.synchrony_of", "states", "no unit changes"),
]
"""Callable, argument (patterns): another word by which its messages call the argument."""

NUMBER = "|".join(map(re.escape, NUMBERS))
LISTS = r"\[\]|\(\)|zeros.*|ones.*|\(1, 2.*|a range"

ACCEPTED: list[tuple[str, str, str, str]] = [  # callable, argument, bad values (patterns); why they are right
    (r"neurons\..*|Neuron.*|spaic\..*|rnnbuilder\..*|spikingjelly\..*", ".*", "a range|ones.*|zeros.*", "one per unit"),
    ("plot.*|plasticity.figure", "title", "''", "no title"),
    (".*", "path|to|variables_to|checkpoint", "'x'", "a file of this name"),
    (".*", "callback|encode|augment|schedule", "a function", "fails when it is called, in words of its own"),
    (r"sparse\.values\..*", "low|high", f"{NUMBER}|inf|-inf", "bounds, or none"),
    (r"synapses\..*", "reversal", NUMBER, "a conductance"),
    ("neurons.*|spikingjelly.*", "v_reset|v_start|u_start|v0", NUMBER, "a membrane"),
    ("BPTT|EProp|OTTT|SLTT", "clip", NUMBER, "a limit"),
    ("Distance", "cutoff|period", NUMBER, "a length"),
    ("Gate|CustomSynapse", "reads", r"set\(\)", "no variables"),
    ("Network", "noise", "|".join(map(re.escape, WHOLE)), "a seed"),
    (r"Connection\.disconnect", "pre|post", "None", "all units"),
    ("sweep", "function", "a function|a lambda", "called where results are asked for"),
    ("sweep", "grid", r"\[\]|\(\)|\{\}|set\(\)", "no points"),
    ("tempotron.Stack", "sharpness", NUMBER, "a number"),
    ("spaic.lif", "v_reset", LISTS, "ignored, as in the original"),
    ("neurons.LateReset", "tau_syn", NUMBER, "a time constant, of a synapse that is there only if it is given"),
    ("nir.read", "reset", NUMBER, "a membrane"),
    (r"losses\..*", "ignore", NUMBER, "a label"),
    (r"losses\..*|fit", "class_weight", "a range", "an array"),
    ("load_torch", "ignore", r"set\(\)", "none, as by default"),
    ("AvgPool[12]d", "divisor_override", NUMBER, "a number of places"),
    ("optim.Groups", "groups", r"\{\}", "none"),
    ("optim.Plateau", "monitor", "''", "a text"),
    ("tempotron.Gradient", "damp", "zeros.*", "directions"),
    (r"Tempotron\.v", "at", f"{NUMBER}|{LISTS}", "times"),
    ("tempotron.from_spikes", "T", NUMBER, "a length"),
    ("losses.FirstSpikeMSE", "wrong", NUMBER, "a time"),
    (r"Sparse\.(build|count)", "own", "-1|0", "a place"),
    (r"Sparse\.(build|count)", "coordinates", LISTS, "positions, for which this rule does not ask"),
    (r"Rows\.to_scipy", "weight", NUMBER, "one for all"),
    (r"plasticity\.(window|figure)", "delta_t|w", f"{NUMBER}|{LISTS}", "a weight, differences"),
    ("plasticity.Plastic", "lateral", NUMBER, "a weight"),
    (r"Plastic\.(learn|present)", "every", NUMBER, "steps"),
    (r"plasticity\.MSTDP|bindsnet.MSTDP", "tau_e|tc_e_trace", NUMBER, "a time constant"),
    (r"plasticity\.Normalize", "every", NUMBER, "an interval"),
    (r"plasticity\.Clopath", "u_ref", NUMBER, "a membrane"),
    ("bindsnet.*", "norm", NUMBER, "a sum"),
    ("unsupervised.diehl_cook", "theta_plus", f"{NUMBER}|{LISTS}", "what a spike adds"),
    (r"SpikeWriter\.resume|VariableWriter\.resume", "step", "None", "at the end"),
    (r"Recording\.(spikes|rate|cv)", "group", "None", "the whole network"),
    (r"Recording\.plot", "path", "None", "no file"),
    (r"Group\.positions=", "positions", "None", "nowhere"),
    ("Network.steps", "record|every", "None", "nothing is recorded"),
    ("BPTT", "chunk|max_bytes", NUMBER, "a limit"),
    ("OTTT|SLTT", "window", NUMBER, "steps"),
    (r"Optimizer\.lr=|optim.*", "lr", "a function", "a schedule, which fails when it is called"),
    ("History", "rows", r"\(\)|\[\]", "no rows"),
    (".*", "learn|record|keep|labels", r"set\(\)|\[\]|\(\)|\['x'\]|'x'", "names, or none"),
    (".*", "params|grads|extra|ranges|regularizers|state|options|holes|per_step|pre|post|spikes", r"\{\}", "none"),
    (".*", "stream|item|name|kind|output|leak|title", "''|'x'", "a text"),
    ("random.key|Draws.*", "seed|item", "'x'|''", "a part of a stream"),
    (".*", "stop", "inf", "no end"),
    ("SpikeFile.spikes", "start", "-inf", "from the beginning"),
    (r"Sparse.*", "multapses", "None", "by default"),
    (".*", "batch_size|every", "None", "all at once, each step"),
    (".*", "x|times|pre|post|spikes|states|y|counts|rates|cv", "a range", "an array"),
    ("LogNormal|.*values.*|.*delays", "spec|weight|delay", "a range|ones.*", "one per synapse"),
    ("unsupervised.*", "history", "None", "a new one"),
    ("neurons.Cooldown", "sign", "-1|True|np.True_", "a sign"),
    (
        ".*",
        "net|layer|inner|feedback|neuron|neurons|connection|subject|shortcut",
        "a layer|a neuron",
        "one of another kind",
    ),
    (".*", "stream|item", "-1|0|-?10.*|-?2.*", "a part of a stream"),
    (".*rates|Group.*|Network.*|.*poisson|.*PoissonNeuron", "rate|v|rates", "a range", "one per unit"),
    (".*", "shape|input_shape", r"\[\]|\(\)|\(1.*", "a shape"),
    ("sparse.delay_steps", "delay", r".*ones.*|\[\]|\(.*", "one per synapse"),
    ("losses.SpikeCount", "upper|power", "inf|True|np.True_", "no upper bound; 1"),
    ("plasticity.Normalize", "when", "-?[12].*|0|True|np.True_", "a step"),
    ("sweep", "function", "a layer|a neuron", "what can be called"),
    ("Network.poisson", "rate", r"zeros\(2, 3\)", "rows of a time step each"),
    ("rnnbuilder.*", "tau|tau_thr|threshold|gamma", NUMBER, "a float, whose default is written as an int"),
]
"""What is accepted besides what ``may`` allows."""

NAN_IS_RIGHT = r"statistics\.(cv|lv|fano|synchrony).*|Recording\.cv|surrogates\.triangular|compare_credit"
"""Callables whose results may hold NaN: of units with too few spikes, of an integral that does not converge, of
a gradient that is zero."""


LATER = (
    "of shape .* does not fit units|must be a number or have shape|needs an input of|a sum needs equal ones|"
    "too few digits|must be a time constant|must be finite as float|have left the range of numbers|"
    "at the end of the run"
)
"""What is said of values that can be judged only where they are used, though not by the name of the argument."""


LONG = r"Network\.(run|steps) duration 2\*\*31"
"""Bad values that are none: so many steps take long."""


class Late(BaseException):
    """A call took too long."""


def _alarm(*_: Any) -> None:
    raise Late


@functools.cache
def _raises(file: str) -> list[tuple[int, int]]:
    """The lines of a file's ``raise`` statements."""
    tree = ast.parse(Path(file).read_text())
    return [(n.lineno, n.end_lineno or n.lineno) for n in ast.walk(tree) if isinstance(n, ast.Raise)]


HOME = str(Path(nbsnn.__file__).parent)


def own(error: BaseException) -> bool:
    """Whether the package itself raised an error, by a statement of its own."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    if isinstance(error, TypeError) and "keyword argument" in str(error) and "tests" in frame.filename:
        return True  # Python's answer to an unknown keyword
    return frame.filename.startswith(HOME) and any(a <= (frame.lineno or 0) <= b for a, b in _raises(frame.filename))


def says(error: BaseException, call: str, names: tuple[str, ...]) -> bool:
    """Whether the message names one of the arguments."""
    others = [word for c, a, word in ALIASES if re.fullmatch(c, call) and any(re.fullmatch(a, name) for name in names)]
    words = "|".join(map(re.escape, [*names, *(name.replace("_", " ") for name in names), *others]))
    return re.search(rf"(?<![A-Za-z0-9])({words})(?![a-z0-9])", str(error)) is not None


def use(o: Any) -> Any:
    """What shows an argument that is looked at late: a short run of what was made, and its result."""
    if type(o).__name__ == "function" and o.__module__.endswith("valid_calls"):
        return o()
    elif isinstance(o, nbsnn.Neuron):
        if o.inputs == ("current",):
            nbsnn.Population(o, 3, dt=0.5).run(np.ones((2, 1, 3), np.float32))
        n = nbsnn.Network(dt=0.5, seed=0)
        n.population(o, 3)
        n.run(1.0)
        return n.state().arrays["states"]
    elif isinstance(o, nbsnn.surrogates.Surrogate):
        if not np.isfinite([o.slope(0.3), o.smooth(0.3), o.slope(0.0), o.smooth(-0.2)]).all():
            raise ArithmeticError("a surrogate that is not finite")
    elif isinstance(o, (synapses.Synapse, synapses.TsodyksMarkram)):
        n, a, b = brain()
        short = isinstance(o, synapses.TsodyksMarkram)
        n.connect(a, b, nbsnn.AllToAll(), weight=0.1, **({"short_term": o} if short else {"synapse": o}))
        n.run(0.3)
        return n.state().arrays["states"]
    elif isinstance(o, nbsnn.Network):
        if not o.groups:
            o.population(neurons.LIF(tau=20.0), 2)
        if o.units < 200:
            o.run(o.dt)
            return o.state().arrays["states"]
    elif isinstance(o, plasticity.Plastic):
        return o.run(np.ones((2, 1, o.in_shape[0]), np.float32))
    elif isinstance(o, nbsnn.Layer):
        if not o.built:
            shape = o.in_shape or ((1, 4, 4) if "2d" in o.kind else (1, 4) if CHANNELS.search(o.kind) else (4,))
            o = nbsnn.Sequential(o, input_shape=shape, seed=0)
        return o.run(np.ones((2, 1, *o.in_shape), np.float32))
    elif isinstance(o, plasticity.MembraneRule):
        n, a, b = brain()
        n.connect(a, b, nbsnn.AllToAll(), weight=0.1, plasticity=o)
        n.run(0.3)
        return n.state().arrays["weights"]
    elif isinstance(o, plasticity.LowPass):
        return use(plasticity.MembraneRule(lambda w, pre, post, u: (0.0, pre * u), post={"u": o}))
    elif isinstance(o, plasticity.Rule):
        signals = {"reward": 1.0} if hasattr(o, "tau_e") else {}
        w = np.full((4, 3), 0.5, np.float32)
        return o.run(w, np.ones((2, 1, 4), np.float32), np.ones((2, 1, 3), np.float32), **signals)
    elif isinstance(o, plasticity.Trace):
        return use(plasticity.Rule(lambda w, pre, post, x: (0.01 * x, 0.0), {"x": o}))
    elif isinstance(o, sparse.values.Distribution):
        return o.draw(np.empty(5), Draws(0))
    elif isinstance(o, nbsnn.Explicit):
        return o.build(4, 4, seed=0)
    elif isinstance(o, sparse.Rule):
        return o.build(4, 4, seed=0, coordinates=(np.zeros((4, 2)), np.ones((4, 2))))
    elif isinstance(o, encode.Encoder):
        shape = (2, o.T, 4) if isinstance(o, encode.series) else (2, 4)
        return o(np.full(shape, 0.5, np.float32), Draws(0))
    elif isinstance(o, optim.SGD.__mro__[1]):
        o.step(weights := {"w": np.ones(3, np.float32)}, {"w": np.ones(3, np.float32)})
        return weights
    elif isinstance(o, nbsnn.learning.Learner):
        return o.step(X, Y)
    elif type(o).__module__.startswith("nbsnn.losses") and callable(o):
        spikes = (np.arange(24).reshape(4, 2, 3) % 3 == 0).astype(np.float32)
        if type(o).__name__ in ("Rate", "SpikeCount"):
            return o(spikes)
        return o(spikes, spikes if type(o).__name__ in ("VanRossum", "StepMSE") else Y)
    elif type(o).__module__.endswith("schedules"):
        return o(0), o(7)
    elif type(o).__module__ == "nbsnn.init":
        return nbsnn.Sequential(nbsnn.Dense(4, 3, weight=o), seed=0).params
    return None


def unknown(o: Any, depth: int = 4) -> bool:
    """Whether there is a NaN in a result, or within it."""
    if isinstance(o, (float, np.floating, np.ndarray)):
        return np.asarray(o).dtype.kind == "f" and bool(np.isnan(o).any())
    if isinstance(o, Mapping):
        o = list(o.values())
    elif type(o).__module__.startswith("nbsnn") and hasattr(o, "__dict__"):
        o = list(vars(o).values())
    return isinstance(o, (list, tuple)) and depth > 0 and any(unknown(part, depth - 1) for part in o)


def timed(action: Any, limit: float) -> Any:
    signal.signal(signal.SIGALRM, _alarm)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        return action()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def answer(call: Call, spoilt: dict[str, str], limit: float) -> tuple[str, str]:
    """How a call with some bad arguments ends: its kind ("named", "accepted", "late", "raw", "endless") and words."""
    arguments = call.arguments() | {name: BAD[label] for name, label in spoilt.items()}
    names, stage = tuple(spoilt), "call"
    try:
        made = timed(lambda: call.function(**arguments), limit)
        stage = "use"
        used = timed(lambda: use(made), limit)
    except Late:
        return "endless", stage
    except (ValueError, TypeError, KeyError, OSError, NotImplementedError, IndexError) as error:
        text = f"{type(error).__name__}: {error}"
        told = says(error, call.name, names) or isinstance(error, OSError)  # which tells the path
        told = told or (stage == "use" and re.search(LATER, text) is not None)
        right = (own(error) or isinstance(error, OSError)) and told
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f" @ {os.path.relpath(frame.filename, HOME)}:{frame.lineno}"
        if isinstance(error, IndexError):
            right = right and call.name.endswith("]")
        return ("named" if stage == "call" else "late") if right else f"raw {stage}", text[:200] + where
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        kind = "memory" if isinstance(error, MemoryError) and own(error) else f"raw {stage}"
        return (
            kind,
            f"{type(error).__name__}: {str(error)[:200]} @ {os.path.relpath(frame.filename, HOME)}:{frame.lineno}",
        )
    if (unknown(made) or unknown(used)) and not re.fullmatch(NAN_IS_RIGHT, call.name):
        return "nan", "accepted, and the result holds NaN"
    return "accepted", ""


def may(call: Call, name: str, label: str, valid: Any) -> bool:
    """Whether a bad value may be accepted for an argument, going by its valid one."""
    if label == "None" and name in call.optional:
        return True
    if any(re.fullmatch(a, call.name) and re.fullmatch(b, name) and re.fullmatch(c, label) for a, b, c, _ in ACCEPTED):
        return True
    if label == "None":
        return False
    if isinstance(valid, (bool, np.bool_)):
        return label in ("True", "np.True_")
    if isinstance(valid, (int, np.integer)):
        return label in WHOLE
    if isinstance(valid, float):
        return label in NUMBERS
    if isinstance(valid, str):
        return label == "'x'"
    if isinstance(valid, (list, tuple, np.ndarray)):
        return label in NUMBERS | ARRAYS
    return False


def trials(found: dict[str, Call], labels: list[str], seed: int | None, few: bool = False) -> Any:
    """Which arguments to spoil by what: each alone, by one of the labels if they shall be few, or pairs without end."""
    if seed is None:
        for name, call in found.items():
            for argument in call.arguments():
                mine = zlib.crc32(f"{name} {argument}".encode()) % len(labels)
                for label in labels[mine : mine + 1] if few else labels:
                    yield name, {argument: label}
        return
    rng, names = np.random.default_rng(seed), list(found)
    while True:
        name = names[rng.integers(len(names))]
        arguments = list(found[name].arguments())
        chosen = rng.permutation(arguments)[:2]
        yield name, {str(a): labels[rng.integers(len(labels))] for a in chosen}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="a pattern of names")
    parser.add_argument("--labels", default="", help="bad values, or nothing for all")
    parser.add_argument("--few", action="store_true")
    parser.add_argument("--seed", type=int, default=None, help="pairs at random, from this seed on")
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--calls", type=int, default=10**9)
    parser.add_argument("--part", type=int, default=None, help="which of --parts of the single bad values")
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--current", default=os.devnull, help="a file that holds the call that is being made")
    parser.add_argument("--limit", type=float, default=10.0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    os.chdir(tempfile.mkdtemp(dir=FOLDER))
    np.seterr(all="ignore")
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (pages * 4096 + 2**30,) * 2)
    found, missing = calls()
    found = {name: call for name, call in found.items() if re.search(options.only, name)}
    say = functools.partial(print, flush=True, file=sys.stdout)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (what calls themselves say)
    if missing and not options.only:
        say(json.dumps({"kind": "missing in tests/trust/valid_calls.py", "words": missing}))
    usable = {}
    for name, call in found.items():
        try:
            use(call.function(**call.arguments()))
            usable[name] = call
        except Exception as error:
            say(json.dumps({"kind": "invalid", "call": name, "words": f"{type(error).__name__}: {error}"}))
    labels = [label for label in BAD if re.search(options.labels, label)] if options.labels else list(BAD)
    labels = list(FEW) if options.few else labels
    tally, start = collections.Counter(callables=len(usable)), time.perf_counter()
    current = open(options.current, "w")  # noqa: SIM115 (open to the end)
    for k, (name, spoilt) in enumerate(trials(usable, labels, options.seed, options.few)):
        if time.perf_counter() - start > options.seconds or tally["calls"] >= options.calls:
            break
        if options.part is not None and k % options.parts != options.part:
            continue
        call = usable[name]
        valid = call.arguments()
        spoilt = {a: label for a, label in spoilt.items() if BAD[label] is not valid[a]}
        if not spoilt or any(re.fullmatch(LONG, f"{name} {a} {label}") for a, label in spoilt.items()):
            continue
        current.seek(0)
        current.write(f"{name} {spoilt}\n")
        current.flush()
        kind, text = answer(call, spoilt, options.limit)
        if kind == "endless":  # or the machine is busy
            kind, text = answer(call, spoilt, 10.0 * options.limit)
        tally[kind] += 1
        tally["calls"] += 1
        if kind == "accepted":
            wrong = not all(may(call, a, label, valid[a]) for a, label in spoilt.items())
        elif kind == "late":
            wrong = len(spoilt) == 1 and not all(label in LATE for label in spoilt.values())
            wrong = wrong and (name, *spoilt) not in NAMES_OF_OTHERS
        else:
            wrong = kind not in ("named", "memory")
        if wrong:
            tally["wrong"] += 1
            say(json.dumps({"kind": kind, "call": name, "spoilt": spoilt, "words": text}))
    say(json.dumps({"kind": "tally", **tally}))


if __name__ == "__main__":
    sys.exit(main())
