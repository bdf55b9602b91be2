"""CPU and GPU have the same loops: modules, functions, signatures, holes and constants, but for what is listed here.

A module of ``kernels/cuda`` mirrors the one of ``kernels/cpu`` with its name. A function may have the range that its
threads share, (lo, hi), before the arguments of its counterpart. Any other difference has its reason below.
"""

import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

import nbsnn

KERNELS = Path(nbsnn.__file__).parent / "kernels"

CPU_ONLY = {
    "balanced": "a rule that normalises after every step runs on sparse synapses on the CPU only",
    "sparse_integer": "the integer rule on sparse synapses runs on the CPU only",
    "bits": "spikes are packed to fit a budget of bytes and caches, and a GPU keeps its record as it is",
    "checks": "sums.large: a flag on the GPU that is read with the loss",
    "connect": "synapses are drawn once, when a network is built, on the CPU",
    "distance": "as connect",
    "events": "counting spikes would mean to wait for the GPU: kernels find them as they go",
    "homeostasis": "adapt calls its functions of one synapse",
    "patches": "a convolution's product looks its factors up in the image: no patches are stored",
    "rows": "as events",
    "settle": "plasticity: what happens to all weights in a step is part of the same launch",
    "spike_times": "spikes are sorted once, when they are handed over, on the CPU",
    "stack": "a connection and its population in one pass saves the CPU's cache; a GPU makes two launches",
    "wide": "about vector registers",
    "stack_reverse": "a connection and its population in one pass saves the CPU's cache; a GPU makes two launches",
    "tables": "the columns of tables: the GPU's loops read this very file",
    "values": "as connect",
}
"""Modules without a counterpart for GPUs."""

CUDA_ONLY = {
    "arrays": "NumPy on the CPU",
    "convolution": "patches on the CPU",
    "dropout": "NumPy on the CPU",
    "fill": "NumPy on the CPU",
    "losses": "the CPU runs the equations of nbsnn.losses on arrays",
    "record": "NumPy on the CPU",
    "recurrent": "a loop over steps in Python on the CPU, with the kernels of neurons",
    "spikes": "rows and events on the CPU",
    "sums": "NumPy on the CPU",
}
"""Modules that only GPUs need."""

UNIT = "a thread has a unit, where the CPU has a loop over a block of them"
SYNAPSE = "threads share the synapses of a row, where the CPU has a loop over them"

DIFFERENT: dict[str, tuple[str, str]] = {
    "adapt": (
        SYNAPSE,
        "adapt change change_all tend follow_source follow_target arrival travel bring_rows column_change row_change "
        "side stretch TENDED WAITS"
        " change_integers decay_integers steer balance",
    ),
    "deliver": (SYNAPSE, "connection same own late_same late_own"),
    "encode": ("NumPy on the CPU; PIECE is the number of steps of a thread", "first_spikes digits rows PIECE"),
    "eligible": (
        "threads bring a synapse each when it is visited; the loop over all is the CPU's",
        "AHEAD COINCIDENCE SIGN bring bring_column bring_range bring_rows column_change later no_column no_rows real "
        "row_change waiting",
    ),
    "steered": (
        "a rule on sparse synapses runs on the CPU only; a plastic layer's weights are steered on a GPU",
        "AHEAD COINCIDENCE LEAST MOST SIGN aim arrive column_change no_steer plain_arrive real row_change steady steer "
        "store_column trace_of",
    ),
    "low_pass": ("each unit has a leak of its own: a population of LI on the CPU", "leaky"),
    "network": (
        f"{UNIT}, and all threads meet in the grid",
        "simulate update release sample adapt block change_all full listed meet note no_change no_release no_traces "
        "share deliver fire forget unit BLOCK PLASTIC SHORT TENDED"
        " arrive",
    ),
    "neurons": ("states and sums stay in registers from step to step", "carried learned more END"),
    "plastic": (
        f"{UNIT}, and all threads meet in the grid",
        "live follow_pre follow_post back_up change_weights draw find product arrive came fire gather keep param "
        "settle state step synapses told units CHUNK",
    ),
    "plasticity": (
        SYNAPSE,
        "follow integer visit advance change clip constants counted_draws given_draws into_increments into_weights "
        "put spiked traces_post traces_pre visit_one weigh faded follow_integer no_settle normalize reward settle "
        "wanted BEFORE_CLIP BOUNDED CLIP_ALL GUARD WHOLE"
        " normalize_all top_bits",
    ),
    "pool": (
        "a thread has a window, where the CPU has a loop over planes; sizes are constants, to divide without division",
        "largest largest_reverse total total_reverse PH PW",
    ),
    "products": (
        "tiles in shared memory, where BLAS does the work on the CPU",
        "add_product at_column at_row finish left none outer put put_biased put_more right some tiles DEEP EACH "
        "LEFT_DOWN RIGHT_DOWN ROOM SIDE SPAN WIDE",
    ),
    "short_term": (UNIT, "release"),
    "sparse_plasticity": (
        "a thread has a synapse, where the CPU has a loop over a row",
        "column_change row_change follow_post follow_pre follow_source follow_target mark at_once constants counts "
        "follow in_time increment traces_post traces_pre AHEAD",
    ),
    "tempotron": (
        "a thread has an output of a sample, and needs no room for its sums",
        "crossings forward membrane membrane_reverse reverse scatter sweep advance rise rises slope_of stationary "
        "turns",
    ),
    "tempotron_classic": ("as tempotron", "learn psp"),
    "units": (UNIT, "collect inject poisson clear listed real GROUP"),
}
"""Module -> why its loops are not those of the CPU, and which functions and constants are elsewhere or take other
arguments. All others are the same."""


def modules(device: str) -> set[str]:
    return {file.stem for file in (KERNELS / device).glob("*.py")} - {"__init__"}


def test_every_module_has_a_counterpart_or_a_reason():
    cpu, cuda = modules("cpu"), modules("cuda")
    assert cpu - cuda <= set(CPU_ONLY), "no counterpart for GPUs, and no reason why"
    assert cuda - cpu <= set(CUDA_ONLY), "a module without a counterpart for CPUs, and no reason why"
    assert set(CPU_ONLY) | set(DIFFERENT) <= cpu, "a reason for a module that does not exist"


@pytest.mark.parametrize("name", sorted(modules("cpu") & modules("cuda")))
def test_counterparts_have_the_same_functions(name):
    cpu, cuda = (importlib.import_module(f"nbsnn.kernels.{device}.{name}") for device in ("cpu", "cuda"))
    unlisted = differences(cpu, cuda).keys() - set(DIFFERENT.get(name, ("", ""))[1].split())
    assert not unlisted, {key: differences(cpu, cuda)[key] for key in unlisted}


def differences(cpu, cuda) -> dict[str, str]:
    """What two modules do not have in common, in words."""
    ours, theirs = functions(cpu), functions(cuda)
    found = {name: "on the CPU only" for name in ours.keys() - theirs.keys()}
    found |= {name: "on the GPU only" for name in theirs.keys() - ours.keys()}
    for name in ours.keys() & theirs.keys():
        (here, hole), (there, other) = ours[name], theirs[name]
        if hole != other:
            found[name] = "a hole on one side only"
        elif there not in (here, ["lo", "hi", *here]):
            found[name] = f"({', '.join(here)}) on the CPU, ({', '.join(there)}) on the GPU"
    numbers, others = constants(cpu), constants(cuda)
    changed = {name for name in numbers.keys() | others.keys() if numbers.get(name) != others.get(name)}
    return found | {name: f"{numbers.get(name)} on the CPU, {others.get(name)} on the GPU" for name in changed}


def functions(module) -> dict[str, tuple[list[str], bool]]:
    """Name -> arguments and whether it is a hole, of all functions of a module, its own or its counterpart's."""
    own = {module.__name__, module.__name__.replace(".cuda.", ".cpu.")}
    return {
        name: ([str(p).split(":")[0] for p in inspect.signature(f).parameters.values()], getattr(f, "hole", False))
        for name, f in inspect.getmembers(module, inspect.isfunction)
        if f.__module__ in own
    }


def constants(module) -> dict[str, object]:
    return {name: value for name, value in vars(module).items() if name.isupper()}


def test_differences_are_seen():
    here, there = ModuleType("here"), ModuleType("there")
    exec("A, B = 1, 2\ndef f(x): 0\ndef g(x): 0\ndef h(x): 0\ndef i(lo, hi, x): 0", vars(here))
    exec("A, C = 3, 4\ndef f(lo, hi, x): 0\ndef g(x): 0\ndef i(x): 0\ng.hole = True", vars(there))
    assert differences(here, there) == {
        "h": "on the CPU only", "g": "a hole on one side only", "i": "(lo, hi, x) on the CPU, (x) on the GPU",
        "A": "1 on the CPU, 3 on the GPU", "B": "2 on the CPU, None on the GPU", "C": "None on the CPU, 4 on the GPU",
    }  # fmt: skip
    assert not differences(here, here)
