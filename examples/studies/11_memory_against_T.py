"""Peak memory of training against the number of steps: constant for OTTT and SLTT, growing for BPTT.

784-800-10, batches of 128. The online rules take their input step by step from a generator; back-propagation through
time needs it as one array. Each number is the peak of a process of its own, less what the process needs before
training.

    python examples/studies/11_memory_against_T.py
"""

import argparse
import contextlib
import multiprocessing
import re
import resource
import sys
from pathlib import Path

import numpy as np

import nbsnn
from nbsnn.neurons import LI, LIF

RULES = {"OTTT": nbsnn.OTTT, "SLTT": nbsnn.SLTT, "BPTT": nbsnn.BPTT}


def forget_peak() -> None:
    """Begin a new measurement of the peak, where the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> float:
    """Of this process, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.findall(r"VmHWM:\s*(\d+) kB", status.read_text())[0]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def train(rule: str, steps: int, units: int, batch: int) -> tuple[float, float]:
    """Peak memory of one training step, in MB: all of the process, and what training added."""
    net = nbsnn.Sequential(nbsnn.Dense(784, units), LIF(tau=2.0), nbsnn.Dense(units, 10), LI(tau=2.0), seed=0)
    learner = RULES[rule](net, nbsnn.losses.StepCrossEntropy(reduction="sum"))
    draws = np.random.default_rng(0)
    labels = draws.integers(0, 10, batch)
    image = draws.random((batch, 784), np.float32)
    learner.step(np.zeros((1, 1, 784), np.float32), labels[:1])  # what compiling needs is no part of training
    learner.tape.clear()
    forget_peak()
    before = peak_memory()
    stream = ((draws.random(image.shape, np.float32) < 0.3 * image).astype(np.float32) for _ in range(steps))
    learner.step(np.stack(list(stream)) if rule == "BPTT" else stream, labels)
    return peak_memory(), peak_memory() - before


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, nargs="+", default=[25, 50, 100, 200, 400])
    parser.add_argument("--units", type=int, default=800)
    parser.add_argument("--batch", type=int, default=128)
    arguments = parser.parse_args()
    print("peak memory (MB), in brackets what training added to the process")
    print("steps" + "".join(rule.rjust(18) for rule in RULES))
    for steps in arguments.steps:
        cells = []
        for rule in RULES:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                whole, added = pool.apply(train, (rule, steps, arguments.units, arguments.batch))
            cells.append(f"{whole:.0f} ({added:.0f})".rjust(18))
        print(f"{steps:5d}" + "".join(cells), flush=True)
