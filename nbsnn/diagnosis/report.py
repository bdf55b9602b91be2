"""Report on a network: activity and gradients of one batch, layer by layer, and what to change.

A spiking layer fails in few ways. It is silent, so that nothing reaches the layers after it; saturated, so that its
spikes say nothing; or its membranes are so far from the threshold that the surrogate's slope lets no gradient through.
All show in one batch before training.
"""

from __future__ import annotations

import warnings
from typing import Any

from ..device.constant_input import fetched
from ..layers import Layer, Run
from ..layers.layer import Nested, flatten
from ..losses.checks import checked_result
from ..losses.named import as_loss
from ..progress.history import History
from ..validate import instance, number
from .advice import advise, advise_course, advise_gradients, advise_input
from .measure import measure, measure_gradient, populations
from .rows import GradientReport as GradientReport
from .rows import LayerReport as LayerReport
from .rows import Report as Report
from .target_rate import feeders


class SilentNetworkWarning(UserWarning):
    """Warning of ``fit``: in a batch of training, no population of the network spiked.

    Examples
    --------
    >>> import warnings, nbsnn
    >>> warnings.simplefilter("error", nbsnn.SilentNetworkWarning)  # stop a training in which nothing spikes
    >>> warnings.resetwarnings()
    """


def report(
    net: Layer,
    x: Any,
    target: Any = None,
    loss: Any = None,
    *,
    rate: float = 0.1,
    history: History | None = None,
) -> Report:
    """Run one batch and report each population's activity, each parameter's gradient, and what to change.

    Nothing is changed. Runs start from the initial state, and dropout does not drop. A network on a GPU is reported by
    its twin on the CPU.

    Parameters
    ----------
    net : Layer
        The network.
    x : array [T, B, ...]
        A batch like those of training.
    target, loss : optional
        As ``BPTT`` takes them; without ``loss`` there are no gradients.
    rate : float, default 0.1
        Spikes per unit and step that the advice aims at.
    history : History, optional
        What ``fit`` returned: losses that hardly fall are a reason to look closer.

    Returns
    -------
    Report
        ``layers``, ``gradients``, and ``advice``, which is empty for a healthy network.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(20, 30), nbsnn.neurons.LIF(v_threshold=50.0), seed=0)
    >>> print(nbsnn.report(net, np.ones((25, 8, 20))))
    layer  rate  silent  saturated  distance   dead
    lif1      0   100 %        0 %      1.01  100 %
    <BLANKLINE>
    - lif1: 100 % of its units never spike. Scale weight and bias of dense1 by 59.97, or divide v_threshold by as much.
    """
    number("rate", rate, above=0.0)
    instance("net", net, Layer, "a network")
    if history is not None:
        instance("history", history, History, "the History that fit returned")
    if loss is not None:
        loss = as_loss(loss)
    if loss is None and target is not None:
        raise ValueError("a target is given without a loss")
    net = net.unfused().on_host()  # nothing here is worth a kernel
    x = net.check_input(fetched(x))
    tape: Nested = {}
    y, _ = net.forward(x, net.initial(x.shape[1]), tape)
    value, gradients = None, []
    if loss is not None:
        value, gy = checked_result("loss", loss(y, target), y, numbers=False)
        grads = net.zeros()
        net.backward(gy, tape, grads, wanted=False)
        gradients = [measure_gradient(name, net.parameters()[name], g) for name, g in flatten(grads).items()]
    found = list(populations(net, tape))
    layers = [measure(name, population, inner) for name, population, inner in found]
    driven = feeders(net)
    advice: list[str] = []
    for row, (name, population, inner) in zip(layers, found, strict=True):
        advice += advise(row, driven.get(name, ""), population, inner, rate)
    advice += advise_gradients(gradients, driven.values())
    course = [] if history is None else list(advise_course(history["loss"], target, loss, y.shape[-1]))
    return Report(layers, gradients, [*course, *(advise_input(x) if advice or course else []), *advice], value)


def warn_if_silent(run: Run, stacklevel: int = 2) -> list[str]:
    """Warn of the populations that never spiked in ``run``; returns their names.

    Parameters
    ----------
    run : Run
        Of a network, or of a learner: ``Run(learner.net, learner.output, {}, learner.tape)``.
    stacklevel : int, default 2
        As of ``warnings.warn``: 2 blames the caller.

    Returns
    -------
    list of str

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(2, 3), nbsnn.neurons.LIF(), seed=0)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warn_if_silent(net.run(np.zeros((5, 1, 2))))
    ['lif1']
    """
    net: Layer = run._layer
    found = [name for name, layer in {"": net, **net.layers()}.items() if layer.recorded()[:1] == ["spikes"]]
    silent = [name or net.kind for name in found if not (run[name]["spikes"] if name else run["spikes"]).any()]
    if silent:
        who = "the network never spikes" if len(silent) == len(found) else f"{', '.join(silent)} never spiked"
        text = f"{who} in this batch: nbsnn.report(net, x) says by how much to scale weights, nbsnn.target_rate does it"
        warnings.warn(text, SilentNetworkWarning, stacklevel=stacklevel)
    return silent
