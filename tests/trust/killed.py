"""Work that is killed: a program that forks a child for each order, and kills it after the time that the order says.

    python -m tests.trust.killed WORK DATA

Orders are lines of JSON, [folder, seconds or null]; the answer is [exit status or -9, seconds]. Kernels are
interpreted, so a child costs a fork and what it does.
"""

import contextlib
import io
import json
import os
import signal
import sys
import tempfile
import time
import traceback
import warnings
from functools import partial
from pathlib import Path

import nbsnn
from nbsnn import optim
from nbsnn.cli import main as command
from nbsnn.files.spikes import SpikeWriter
from nbsnn.files.variables import VariableWriter
from nbsnn.network import State
from nbsnn.neurons import LI, LIF
from nbsnn.random import Draws


def digits(folder: str, data: str) -> int:
    few = ["--epochs", "6", "--samples", "12", "--batch-size", "4", "--hidden", "4", "--steps", "2", "--threads", "1"]
    return command(["train", "digits", *few, "--out", folder, "--resume"])


def diehl_cook(folder: str, data: str) -> int:
    few = ["--neurons", "4", "--epochs", "2", "--every", "2", "--steps", "3", "--labelled", "4"]
    return command(["train", "diehl-cook", "--data", data, *few, "--out", folder, "--resume"])


def cuba(folder: str, data: str) -> int:
    few = ["--scale", "0.02", "--duration", "20", "--settle", "0", "--threads", "1", "--seed", "3"]
    return command(["simulate", "cuba", *few, "--out", folder, "--force"])


def state(folder: str, data: str) -> int:
    """A simulation whose state is saved piece by piece, and both of its files go on from it."""
    place = Path(folder)
    place.mkdir(exist_ok=True)
    saved, spikes, variables = (place / name for name in ("state.npz", "run.spikes", "run.variables"))
    net = nbsnn.Network(dt=0.1, seed=1, device="python")
    source = net.poisson(6, rate=300.0, name="in")
    cells = net.population(LIF(tau=20.0, v_threshold=2.0, refractory=2.0), 3, name="cells")
    rule = nbsnn.plasticity.PairSTDP(a_post=0.01, a_pre=0.011)
    plastic = net.connect(source, cells, nbsnn.AllToAll(), weight=0.8, delay=1.3, plasticity=rule)
    run = partial(net.run, 2.0, record={source: "spikes", cells: ["spikes", "v"], plastic: "weight"}, every=0.5)
    if saved.exists():
        kept = State.load(saved)
        net.restore(kept)
    else:
        for path in (spikes, variables):
            path.unlink(missing_ok=True)
        run(to=spikes, variables_to=variables)
        net.state().save(saved)
        kept = net.state()
    with (
        SpikeWriter.resume(spikes, step=kept.step + 1) as to,
        VariableWriter.resume(variables, step=kept.step) as rows,
    ):
        while net.time < 20.0 - 1e-6:
            run(to=to, variables_to=rows)
            net.state().save(saved)
    return 0


def fit(folder: str, data: str) -> int:
    """A training with all that is random or remembered: held back, augmented, weighted, accumulated, normalised."""
    place = Path(folder)
    place.mkdir(exist_ok=True)
    x = Draws(0, "x").normal((24, 3, 4))
    labels = (x.sum((1, 2)) > 0).astype(int)
    hidden = nbsnn.Dense(4, 5), nbsnn.BatchNorm(), LIF(), nbsnn.Dropout(0.2)
    net = nbsnn.Sequential(*hidden, nbsnn.Dense(5, 2), LI(), seed=0, device="python")
    rate = optim.Plateau(0.05, monitor="validation_loss", patience=0)
    optimizer = optim.Groups(
        optim.AdamW(rate), {"*/bias": {"weight_decay": 0.0}, "dense1": optim.SGD(0.1, momentum=0.9)}
    )
    nbsnn.fit(
        net, (x, labels, Draws(0, "weight").uniform(24)), (x, labels), epochs=8, batch_size=4, validation=0.25,
        learner=nbsnn.BPTT(net, "rate_cross_entropy", optimizer, compact=False), class_weight="balanced", accumulate=2,
        augment=[nbsnn.augment.noise(0.3), nbsnn.augment.drop(0.1)], log=place / "log.csv", patience=6, progress=False,
        checkpoint=place / "checkpoint.npz", resume=True,
    )  # fmt: skip
    nbsnn.save(net, place / "best.npz")
    return 0


WORK = {"fit": fit, "digits": digits, "diehl-cook": diehl_cook, "cuba": cuba, "state": state}


def child(work, folder: str, data: str, log: str) -> None:
    status = 1
    try:
        with open(log, "w") as out, contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                status = work(folder, data)
            except BaseException:
                traceback.print_exc()
    finally:
        os._exit(status)


def main(name: str, data: str) -> None:
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        WORK[name](folder, data)  # what is imported here, no child needs to import
    for line in sys.stdin:
        folder, seconds = json.loads(line)
        begin = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            child(WORK[name], folder, data, f"{folder}.log")
        if seconds is not None:
            time.sleep(seconds)
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        print(json.dumps([os.waitstatus_to_exitcode(status), time.perf_counter() - begin]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
