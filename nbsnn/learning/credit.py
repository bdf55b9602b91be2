"""Credit assignment by the learning rules: their gradients side by side, for one network and batch.

Back-propagation through time is exact (up to the surrogate), so the others are measured against it: do they point the
same way, and are they as long?

    cosine = <g, g_BPTT> / (|g| |g_BPTT|),    ratio = |g| / |g_BPTT|

for each parameter and for all together; and not only for the loss of the whole sequence, but for that of each step by
itself, which shows how the rules differ as history grows. The rules' gradients for step t are those that they find
at step t.
"""
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from typing import Any, cast

import numpy as np

from ..device.constant_input import fetched
from ..layers.layer import Array, Layer
from ..losses import StepCrossEntropy
from ..losses.checks import Target, checked_result
from ..validate import array_of, switch
from .bptt import BPTT
from .eprop import EProp
from .learner import Loss, check_net
from .ottt import OTTT
from .sltt import SLTT
from .windows import is_moving

Grads = dict[str, Array]


@dataclass(frozen=True, eq=False)
class Credit:
    """Result of ``compare_credit``: R rules, P parameters, T steps.

    Attributes
    ----------
    rules : list of str
        The rules; the first is "BPTT", to which the others are compared.
    names : list of str
        The parameters, and "all" for all of them as one vector.
    value : float
        The loss.
    gradients : dict
        Rule -> parameter -> gradient of the loss of all steps.
    cosine, ratio : array [R, P + 1]
        Of these gradients. Where a gradient is zero the cosine is NaN, as is the ratio if BPTT's is.
    step_cosine, step_ratio : array [R, T, P + 1]
        Of the gradients of each step's loss alone; T is 0 if they were not asked for.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 8), nbsnn.neurons.LIF(), nbsnn.Dense(8, 2), nbsnn.neurons.LI(), seed=0)
    >>> credit = nbsnn.compare_credit(net, np.ones((8, 3, 4), np.float32), np.array([0, 1, 0]))
    >>> credit.names[-1], credit.cosine.shape == (len(credit.rules), len(credit.names))
    ('all', True)
    """

    rules: list[str]
    names: list[str]
    value: float
    gradients: dict[str, Grads]
    cosine: Array
    ratio: Array
    step_cosine: Array
    step_ratio: Array

    def __str__(self) -> str:
        tables = [("all steps", self.cosine, self.ratio)]
        if self.step_cosine.size:
            tables.append(("each step alone: median", _median(self.step_cosine), _median(self.step_ratio)))
        width = max(len("each step alone: median"), *map(len, self.rules)) + 2
        columns = [max(14, len(name) + 2) for name in self.names]
        lines = list[str]()
        for title, cosine, ratio in tables:
            heads = "".join(name.rjust(w) for name, w in zip(self.names, columns, strict=True))
            lines.append(title.ljust(width) + heads)
            for rule, row_c, row_r in zip(self.rules, cosine, ratio, strict=True):
                cells = zip(row_c, row_r, columns, strict=True)
                lines.append(rule.ljust(width) + "".join(f"{c:.3f} {r:.3f}".rjust(w) for c, r, w in cells))
        return "\n".join([f"cosine and norm ratio to {self.rules[0]}", *lines])

    def plot(self, path: str | PathLike[str]) -> None:
        """Write a figure to ``path``: by parameter, and by step."""
        try:
            from matplotlib.figure import Figure
        except ImportError:
            raise ImportError('figures need matplotlib, which is not installed: pip install "nbsnn[plot]"') from None
        figure = Figure(figsize=(10, 6), layout="constrained")
        axes = figure.subplots(2, 2, sharex="col")
        pairs = (("cosine to BPTT", self.cosine, self.step_cosine), ("norm / BPTT's norm", self.ratio, self.step_ratio))
        for (by_name, by_step), (label, whole, steps) in zip(axes, pairs, strict=True):
            for rule, mean, course in zip(self.rules, whole, steps, strict=True):
                by_name.plot(self.names, mean, "o", label=rule)
                by_step.plot(course[:, -1], label=rule)
            by_name.set(ylabel=label)
            for ax in (by_name, by_step):
                ax.axhline(1.0, color="0.8", zorder=0)
        axes[0, 0].set(title="loss of all steps")
        axes[0, 1].set(title="loss of one step, all parameters")
        axes[0, 0].legend()
        axes[1, 0].tick_params(axis="x", rotation=30)
        axes[1, 1].set(xlabel="step")
        figure.savefig(path, dpi=120)


def compare_credit(
    net: Layer,
    x: Any,
    target: Target,
    loss: Loss | None = None,
    *,
    chunk: int | None = None,
    steps: bool = True,
    input_decay: float = 0.0,
    seed: int = 0,
) -> Credit:
    """Gradients of BPTT, truncated BPTT, SLTT, OTTT and, where the network has its form, e-prop, side by side.

    Parameters
    ----------
    net : Layer
        The network; it is not changed. One on a GPU is compared by its twin on the CPU.
    x : array [T, B, ...]
        Input.
    target : array
        As the loss wants it, for all steps or for each.
    loss : callable, optional
        A loss that adds up over steps; ``StepCrossEntropy(reduction="sum")`` by default.
    chunk : int, optional
        Of truncated BPTT; a quarter of the steps by default.
    steps : bool, default True
        Whether to compare the loss of each step by itself, too. Costs as much as T / 2 gradients of BPTT.
    input_decay : float, default 0.0
        As in ``OTTT``.
    seed : int
        Seed of dropout, which is the same for all rules.

    Returns
    -------
    Credit

    Raises
    ------
    ValueError
        The loss of all steps is not the sum of the steps' losses; wrong input, target or chunk.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 8), nbsnn.neurons.LIF(), nbsnn.Dense(8, 2), nbsnn.neurons.LI(), seed=0)
    >>> credit = nbsnn.compare_credit(net, np.ones((8, 3, 4), np.float32), np.array([0, 1, 0]), chunk=2)
    >>> credit.rules
    ['BPTT', 'BPTT chunk=2', 'SLTT', 'OTTT', 'e-prop']
    """
    switch("steps", steps)
    loss = StepCrossEntropy(reduction="sum") if loss is None else loss
    net, x = check_net(net).on_host(), fetched(x)  # many small gradients, compared by NumPy
    whole = BPTT(net, loss, seed=seed)
    x, target = net.check_input(x), array_of("target", target)
    chunk = max(1, len(x) // 4) if chunk is None else chunk
    through_time = {"BPTT": whole, f"BPTT chunk={chunk}": BPTT(net, loss, chunk=chunk, seed=seed)}
    online: dict[str, SLTT | OTTT | EProp] = {
        "SLTT": SLTT(net, loss, seed=seed),
        "OTTT": OTTT(net, loss, input_decay=input_decay, seed=seed),
    }
    if EProp.fits(net):
        online["e-prop"] = EProp(net, loss, seed=seed)
    value, gradients = 0.0, dict[str, Grads]()
    for rule, learner in (*through_time.items(), *online.items()):
        found, grads = learner.gradients(x, target)
        if learner is whole:
            value = found
            _check_sum(loss, whole.output, target)
        gradients[rule] = {name: array.copy() for name, array in grads.items()}
    cosine, ratio = _compare(list(gradients.values()))
    courses = [_by_step(learner, loss, x, target) for learner in through_time.values()]
    courses += [(grads for _, grads in learner.passes(x, target, accumulate=False)) for learner in online.values()]
    table = [_compare(list(grads)) for grads in zip(*courses, strict=True)] if steps else []
    by_step = np.array(table).reshape(len(table), 2, *cosine.shape).transpose(1, 2, 0, 3)
    return Credit([*gradients], [*net.parameters(), "all"], value, gradients, cosine, ratio, *by_step)


def _by_step(learner: BPTT, loss: Loss, x: Array, target: Array) -> Iterator[Grads]:
    """The gradient of each step's loss alone."""

    def last(y: Array, wanted: Any) -> tuple[float, Array]:
        value, gy = checked_result("loss", loss(y[-1:], wanted), y[-1:])
        return value, np.concatenate([np.zeros_like(y[:-1]), gy])

    alone = BPTT(learner.net, last, chunk=learner.chunk, seed=learner.seed)
    for t in range(len(x)):
        yield alone.gradients(x[: t + 1], _at(target, t))[1]


def _at(target: Array, t: int) -> Array:
    """The target of step ``t``: one for each step, or the same for all."""
    return target[t : t + 1] if is_moving(target) else target


def _check_sum(loss: Loss, y: Array, target: Array) -> None:
    """Raise unless the loss of ``y`` is the sum of its steps' losses."""
    _, gy = checked_result("loss", loss(y, target), y)
    steps = (y[t : t + 1] for t in range(len(y)))
    alone = np.concatenate(
        [checked_result("loss", loss(step, _at(target, t)), step)[1] for t, step in enumerate(steps)]
    )
    if not np.allclose(gy, alone, rtol=1e-4, atol=1e-5 * float(np.abs(gy).max(initial=0.0))):
        raise ValueError(
            f"the loss {loss!r} of {len(y)} steps is not the sum of the steps' losses, so rules that see one step at a "
            'time cannot follow it; StepCrossEntropy(reduction="sum") and StepMSE("sum") are such sums'
        )


def _compare(gradients: list[Grads]) -> tuple[Array, Array]:
    """Cosine and norm ratio of each to the first, [R, P + 1]."""
    vectors = [[array.ravel().astype(np.float64) for array in grads.values()] for grads in gradients]
    dots = np.array([[np.dot(a, b) for a, b in zip(of, vectors[0], strict=True)] for of in vectors])
    squares = np.array([[np.dot(a, a) for a in of] for of in vectors])
    dots, squares = (np.hstack([table, table.sum(1, keepdims=True)]) for table in (dots, squares))
    with np.errstate(divide="ignore", invalid="ignore"):
        return dots / np.sqrt(squares * squares[0]), np.sqrt(squares / squares[0])


def _median(course: Array) -> Array:
    """Over the steps, without those that have no value."""
    known = np.ma.masked_invalid(course)
    return cast(Array, np.ma.median(known, axis=1).filled(np.nan))
