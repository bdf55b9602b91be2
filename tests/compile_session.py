"""Run as a script by ``test_compile``: edits a neuron of a user's, time after time, and says what was compiled.

Arguments: a folder for the user's files, and what to do. The answer is one line of JSON.
"""

import importlib
import json
import sys
import warnings
from pathlib import Path

import numpy as np

from nbsnn import Population
from nbsnn.compile import cache
from nbsnn.compile import fill as compile
from nbsnn.neurons import LIF

MODEL = '''
from nbsnn import Neuron, spike
from elsewhere import bend

GAIN = 1.0

def tilt(u):
    return u * 1.0

def make(leak):
    def step(x, v, v_threshold):
        """Text."""
        u = leak * v + GAIN * tilt(x)
        s = spike(u - v_threshold)
        return s, bend(u) - s * v_threshold

    return Neuron(step, state={"v": 0.0}, params={"v_threshold": 1.0})

neuron = make(0.5)
'''

ELSEWHERE = "def bend(u):\n    return u * 1.0\n"

# Name -> what is replaced in the neuron's file, in the other file, and what else is changed.
EDITS = {
    "first": {},
    "step": {"model": ("u = leak * v +", "u = leak * v + 0.125 +")},
    "same signature": {"model": ("- s * v_threshold", "+ s * v_threshold")},
    "helper": {"model": ("return u * 1.0", "return u * 1.125")},
    "helper elsewhere": {"elsewhere": ("u * 1.0", "u * 0.875")},
    "module constant": {"model": ("GAIN = 1.0", "GAIN = 1.25")},
    "closure constant": {"model": ("make(0.5)", "make(0.75)")},
    "option": {"options": {"error_model": "python"}},
    "dtype": {"dtype": "float64"},
    "docstring": {"model": ('"""Text."""', '"""Another text, and a comment."""  # why')},
    "line numbers": {"model": ("GAIN = 1.0", "# a comment\n\nGAIN = 1.0")},
}

X = np.random.default_rng(0).uniform(-0.5, 1.5, (20, 2, 3)).astype(np.float32)
OPTIONS = dict(compile.CPU_OPTIONS)


def edit(folder: Path, change: dict) -> object:
    """Write the user's files with one change, and import them as a new process would."""
    for name, text in (("model", MODEL), ("elsewhere", ELSEWHERE)):
        old, new = change.get(name, ("", ""))
        assert old in text
        (folder / f"{name}.py").write_text(text.replace(old, new) if old else text)
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    compile.CPU_OPTIONS.clear()
    compile.CPU_OPTIONS.update(OPTIONS | change.get("options", {}))
    return importlib.import_module("model")


def edits(folder: Path) -> dict:
    answer = {}
    for name, change in EDITS.items():
        neuron, dtype = edit(folder, change).neuron, change.get("dtype", "float32")
        seen = len(compile.log)
        population = Population(neuron, 3, dtype=dtype)
        run, plain = population.run(X), Population(neuron, 3, dtype=dtype, device="python").run(X)
        answer[name] = {
            "cached": [entry.cached for entry in compile.log[seen:]],
            "v": run["v"].ravel().tolist(),
            "right": bool(np.array_equal(run["v"], plain["v"]) and np.array_equal(run["spikes"], plain["spikes"])),
        }
    return answer


def widths(folder: Path) -> dict:
    """Which float types appear in the machine code of float32 and float64 kernels."""
    answer = {}
    for dtype in ("float32", "float64"):
        population, tape = Population(LIF(2.0, learn="tau"), 3, dtype=dtype), {}
        x = population.check_input(X)
        population.forward(x, population.initial(2), tape)
        if dtype == "float32":
            population.backward(np.ones_like(x), tape, population.zeros())
        for name, kernel in population.kernels.items():
            (code,) = kernel.inspect_llvm().values()
            answer[f"{name} {dtype}"] = sorted({"float", "double"} & set(code.replace(",", " ").split()))
    return answer


def many(folder: Path) -> dict:
    """Twelve versions of one tiny template, with room for five."""
    cache.LIMIT = 5
    results, left = [], []
    for k in range(12):
        (folder / "tiny.py").write_text(f"def loop(y):\n    y[0] = {k}.0\n")
        sys.modules.pop("tiny", None)
        importlib.invalidate_caches()
        y = np.zeros(1, np.float32)
        kernel = compile.kernel(importlib.import_module("tiny").loop)
        kernel(y)
        results.append(float(y[0]))
        path = Path(kernel.stats.cache_path)
        left.append([len(list(path.glob(f"tiny.loop_*.{ending}"))) for ending in ("nbi", "nbc")])
    return {"results": results, "left": left}


def nowhere(folder: Path) -> dict:
    """No folder may be written to, or one that could be no longer can."""
    from numba.core import caching

    def fill(y):
        y[0] = 3.0

    def fill_again(y):
        y[0] = 4.0

    y = np.zeros(2, np.float32)
    kernel = compile.kernel(fill_again)
    ensure = caching._CacheLocator.ensure_cache_path
    caching._CacheLocator.ensure_cache_path = refuse
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        kernel(y[1:])
    compile.kernel(fill)(y)
    caching._CacheLocator.ensure_cache_path = ensure
    said = [str(warning.message) for warning in warned]
    return {"y": y.tolist(), "cached": [entry.cached for entry in compile.log], "said": said}


def refuse(*_: object) -> None:
    raise PermissionError("read-only")


def imported(folder: Path) -> list:
    """What Numba imports to compile, and to run cached kernels nobody needs."""
    return [name for name in ("numba.np.linalg", "scipy.linalg", "numpy.f2py") if name in sys.modules]


def run(folder: Path) -> dict:
    """The first version of the neuron, whatever the cache."""
    return {"v": Population(edit(folder, {}).neuron, 3).run(X)["v"].ravel().tolist()}


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.path.insert(0, sys.argv[1])
    print(json.dumps({task: globals()[task](Path(sys.argv[1])) for task in sys.argv[2:]}))
