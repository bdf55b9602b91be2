"""What the peers' scripts share: the way to ``workloads``, one line for an absent peer, a training step in torch.

Networks are the same in all: decay 0.9 per step, threshold 1, hard reset to 0 that is not differentiated, arctan
surrogate where the peer has it, cross-entropy of spike counts.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import math
import sys
import types
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))

import workloads

Step = Callable[[int], Any]


def require(*modules: str) -> None:
    """End with one line if one of ``modules`` is not installed."""
    absent = [m for m in modules if importlib.util.find_spec(m) is None]
    if absent:
        sys.exit(f"{', '.join(absent)} not installed in {sys.executable}; python tests/benchmarks/compare.py --help")


def version(distribution: str) -> str:
    """Of an installed distribution."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "?"


def torch_with(threads: int, seed: int) -> Any:
    """torch, on ``threads`` threads."""
    import torch

    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    torch.manual_seed(seed)
    return torch


def spike(torch: Any) -> Any:
    """The spike with the arctan surrogate, as a function."""

    class Spike(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, u: Any) -> Any:
            ctx.save_for_backward(u)
            return (u >= 0).to(u.dtype)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g / (1.0 + (math.pi * ctx.saved_tensors[0]).square())

    return Spike.apply


def without_torchvision() -> None:
    """Let a peer import that names torchvision but needs nothing of it here."""
    if importlib.util.find_spec("torchvision") is not None:
        return

    class Anything(types.ModuleType):
        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {})

    top = sys.modules["torchvision"] = types.ModuleType("torchvision")
    for name in ("datasets", "models", "transforms", "utils"):
        sys.modules[f"torchvision.{name}"] = Anything(f"torchvision.{name}")
        setattr(top, name, sys.modules[f"torchvision.{name}"])


def train(p: ArgumentParser, peer: str, build: Callable[..., tuple[list[Any], Callable, Callable[[], None]]]) -> None:
    """Measure a training step of W1 or W2 and print it; ``--device cuda`` on torch's GPU.

    ``build(torch, a, weights)`` returns the parameters, ``forward(x [T, B, N]) -> (spikes of the hidden layer
    [T, B, H] or their number at each step, spike counts of the output [B, C])``, and what resets the network's state.
    """
    p.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    a = p.parse_args()
    workloads.pin_threads(a.threads)
    torch = torch_with(a.threads, a.seed)
    if a.device == "cuda" and not torch.cuda.is_available():
        sys.exit(f"torch {torch.__version__} finds no GPU")
    weights = [torch.from_numpy(w).to(a.device) for w in workloads.network_weights(a)]
    xs, ys = ([torch.from_numpy(array).to(a.device) for array in arrays] for arrays in workloads.network_batches(a))
    params, forward, reset = build(torch, a, weights)
    optimizer = (torch.optim.SGD if a.opt == "sgd" else torch.optim.Adam)(params, lr=1e-6 if a.opt == "sgd" else 1e-7)
    out: dict[str, Any] = {}

    def gradients(x: Any, y: Any) -> Any:
        hidden, counts = forward(x)
        loss = torch.nn.functional.cross_entropy(counts, y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        reset()
        return hidden, counts, loss

    def step(k: int) -> None:
        gradients(xs[k % 2], ys[k % 2])
        optimizer.step()
        if a.device == "cuda":
            torch.cuda.synchronize()

    gradients(xs[0][:1], ys[0])  # one step loads all code: what comes after is training's own memory
    before = workloads.now_mb()
    hidden, counts, loss = gradients(xs[0], ys[0])
    out["grad_norms"] = [round(float(q.grad.norm()), 6) for q in params]
    out["loss"] = round(float(loss.detach()), 6)
    out["hidden_spikes"], out["out_spikes"] = float(hidden.detach().sum()), float(counts.detach().sum())
    del hidden, counts, loss
    times = workloads.timed(step, a.warmup, a.repeat)
    workloads.emit(
        {
            "peer": peer, "version": version(peer), "torch": torch.__version__, "workload": a.workload, "T": a.T,
            "batch": a.batch, "rate": a.rate, "threads": a.threads, "opt": a.opt, "sizes": list(workloads.sizes(a)),
            "variant": getattr(a, "variant", getattr(a, "backend", "")), "device": a.device,
            **times, "rss_before_mb": round(before, 1), **out,
            "in_spikes": float(xs[0].sum()),
        }
    )  # fmt: skip
