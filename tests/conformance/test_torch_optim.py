"""PyTorch's optimisers, schedules, accumulation of gradients and cross-entropy, in float64 and in float32."""

from typing import Any

import numpy as np
import pytest

import nbsnn
from nbsnn import losses, optim
from nbsnn.learning.accumulate import Accumulator

from .golden import Case, close, exact, golden

FILE = "torch_optim.npz"
DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32])
OPTIMIZERS = {"SGD": optim.SGD, "Adam": optim.Adam, "AdamW": optim.AdamW}
UNLIKE = ("params", "maximize")
"""Options of a group that are none here: gradients are negated by whoever wants to go up."""


def of_kind(kind: str, **wanted: Any) -> Any:
    return golden(FILE, where=lambda c: c.params["kind"] == kind and all(c.params[k] == v for k, v in wanted.items()))


def of_scheduler(*names: str) -> Any:
    return golden(FILE, where=lambda case: case.params.get("scheduler") in names)


def options(group: dict[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in group.items() if name not in UNLIKE and value is not None}
    return {**found, "betas": tuple(found["betas"])} if "betas" in found else found


@of_kind("trajectory")
@DTYPES
def test_trajectories(case: Case, dtype: type) -> None:
    p, rates = case.params, case["lr"]
    make = OPTIMIZERS[p["optimizer"]]
    parts = [make(**{**options(g), "lr": lambda k, i=i: float(rates[k, i])}) for i, g in enumerate(p["groups"])]
    owner = {name: i for i, g in enumerate(p["groups"]) for name in g["params"]}
    optimizer = optim.Groups(parts[0], {f"{i}/*": part for i, part in enumerate(parts) if i})
    prefix = {name: f"{i}/{name}" for name, i in owner.items()}
    params = {prefix[name]: case[f"start/{name}"].astype(dtype) for name in owner}
    for k in range(len(rates)):
        grads: dict[str, Any] = {}
        for name, i in owner.items():
            sign = -1.0 if p["groups"][i].get("maximize") else 1.0
            present = f"grad_present/{name}" not in case or case[f"grad_present/{name}"][k]
            grads[prefix[name]] = (sign * case[f"grads/{name}"][k]).astype(dtype) if present else None
        optimizer.step(params, grads)
        for name in owner:
            close(params[prefix[name]], case[f"after/{name}"][k], dtype, what=f"{name} after step {k}")


@of_scheduler("OneCycleLR")
def test_one_cycle(case: Case) -> None:
    o = case.params["options"]
    n = o.get("total_steps") or o["epochs"] * o["steps_per_epoch"]
    shape = {
        "iterations": n, "rise": o["pct_start"], "strategy": o["anneal_strategy"], "three_phase": o["three_phase"],
    }  # fmt: skip
    largest = np.atleast_1d(o["max_lr"])
    least, most = (np.broadcast_to(o[name], largest.shape) for name in ("base_momentum", "max_momentum"))
    given = case.params["optimizer_options"]
    for group, lr in enumerate(largest):
        schedule = optim.OneCycle(float(lr), div=o["div_factor"], final_div=o["final_div_factor"], **shape)
        momentum = optim.OneCycleMomentum(least=float(least[group]), most=float(most[group]), **shape)
        close([schedule(k) for k in range(len(case["lr"]))], case["lr"][:, group], what="lr")
        constant = given.get("momentum", given.get("betas", [0.9])[0])
        found = [momentum(k) if o["cycle_momentum"] else constant for k in range(len(case["lr"]))]
        close(found, case["momentum"][:, group], what="momentum")


@of_scheduler("ReduceLROnPlateau")
def test_plateau(case: Case) -> None:
    o, metric = case.params["options"], case["metric"]
    for group, lr in enumerate(case.params["initial_lr"]):
        schedule = optim.Plateau(
            lr, "metric", o["mode"], o["factor"], o["patience"], o["threshold"], o["threshold_mode"] == "rel",
            o["cooldown"], float(np.broadcast_to(o["min_lr"], len(case.params["initial_lr"]))[group]), o["eps"],
        )  # fmt: skip
        close(schedule(0), case["lr"][0, group])
        for k, value in enumerate(metric):
            schedule.observe({"metric": float(value)})
            close(schedule(k), case["lr"][k + 1, group], what=f"lr after metric {k}")
            exact(schedule.bad_epochs, case["bad_epochs"][k], what=f"bad_epochs {k}")
            exact(schedule.cooling, case["cooldown"][k], what=f"cooldown {k}")
            close(schedule.best, case["best"][k], what=f"best {k}")


@of_scheduler("CosineAnnealingWarmRestarts", "CosineAnnealingLR")
def test_cosines(case: Case) -> None:
    o = case.params["options"]
    per_epoch = case.params["fraction"] or 1
    for group, lr in enumerate(case.params["initial_lr"]):
        if "T_max" in o:
            schedule: Any = optim.Cosine(lr, o["T_max"] * per_epoch, o["eta_min"], stays=False)
        else:
            schedule = optim.WarmRestarts(lr, o["T_0"] * per_epoch, o["T_mult"], o["eta_min"])
        close([schedule(k) for k in range(len(case["lr"]))], case["lr"][:, group])


@of_kind("accumulation")
@DTYPES
def test_accumulation(case: Case, dtype: type) -> None:
    p, weight = case.params, case["start/weight"]
    net = nbsnn.Sequential(nbsnn.Dense(*weight.shape[::-1]), dtype=dtype, device="python")
    net["dense1"].params["weight"], net["dense1"].params["bias"] = weight.T, case["start/bias"]
    loss = losses.step_mse if p["loss"] == "mse" else losses.rate_cross_entropy
    learner = nbsnn.BPTT(net, loss, OPTIMIZERS[p["optimizer"]](**options(p["optimizer_options"])))
    accumulator, micro = Accumulator(learner), p["micro_batches"]
    share = 1.0 / micro if p["divide_by_micro_batches"] else 1.0
    ends = np.cumsum(case["batch_sizes"])
    for k, (end, size) in enumerate(zip(ends, case["batch_sizes"], strict=True)):
        now = slice(end - size, end)
        value = accumulator.add(case["x"][None, now].astype(dtype), case["target"][now], share)
        close(value, case["loss"][k], dtype, what="loss")
        close(accumulator.grads["dense1/weight"].T, case["grad_running/weight"][k], dtype)
        close(accumulator.grads["dense1/bias"], case["grad_running/bias"][k], dtype)
        if k % micro == micro - 1:
            update, whole = k // micro, slice(ends[k] - sum(case["batch_sizes"][k - micro + 1 : k + 1]), ends[k])
            value, grads = learner.gradients(case["x"][None, whole].astype(dtype), case["target"][whole])
            close(value, case["loss_whole"][update], dtype)
            close(grads["dense1/weight"].T, case["grad_whole/weight"][update], dtype)
            accumulator.step()
            close(net["dense1"].params["weight"].T, case["after/weight"][update], dtype)
            close(net["dense1"].params["bias"], case["after/bias"][update], dtype)


@of_kind("cross_entropy")
@DTYPES
def test_cross_entropy(case: Case, dtype: type) -> None:
    p = case.params
    given: dict[str, Any] = {"label_smoothing": p["label_smoothing"], "ignore": p["ignore_index"]}
    given["class_weight"] = case["class_weight"] if p["weighted"] else None
    if p["reduction"] == "mean":
        steps = p["T"] is not None
        loss = (losses.StepCrossEntropy if steps else losses.RateCrossEntropy)(**given)
        logits = case["logits"].astype(dtype)
        value, gradient = loss(logits if steps else logits[None], case["target"])
        gradient = gradient if steps else gradient[0]
    else:
        value, gradient = losses.softmax_cross_entropy(case["logits"], case["target"], **given)
        value = value.sum() if p["reduction"] == "sum" else value
        gradient = gradient * case["cot"][..., None] if "cot" in case else gradient
    close(value, case["loss"], dtype, what="loss")
    close(gradient, case["grad_logits"], dtype, what="grad_logits")
