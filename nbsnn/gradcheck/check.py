"""Is a hand-written derivative right? Gradients against finite differences, in float64 and plain Python.

A spike has no useful finite difference, but its smooth stand-in has (``Surrogate.smooth``), and both share all other
code. So it is the smooth twin that is checked.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..layers import Container, Layer
from ..neuron import Neuron
from ..random import Draws
from ..surrogates import Surrogate
from ..validate import count, number, pair_of, shown
from ..validate.kinds import mapping
from .compare import Checked as Checked
from .compare import GradientError as GradientError
from .compare import Row
from .layer import layer_rows, populations
from .neuron import Ranges, neuron_rows
from .surrogate import surrogate_rows


def check(
    subject: Neuron | Layer | Surrogate,
    x: Any = None,
    *,
    tolerance: float = 1e-6,
    trials: int | None = None,
    seed: int = 0,
    ranges: Ranges | None = None,
) -> Checked:
    """Compare the gradients of a neuron, a layer or network, or a surrogate with finite differences.

    ``subject`` is not changed.

    * Neuron: ``vjp`` against differences of ``step`` by every argument at random points, two thirds of them near the
      threshold. A detached reset is a constant to the gradient; so the hole ``through`` is filled with
      ``s0 + dthrough(s - s0)``, where ``s0`` is its value at the unperturbed point. State variables and parameters
      that count (``refractory``) have no derivative: theirs may be 0.0. Both functions must return floats only.
    * Layer: ``backward`` of its smooth twin by every parameter, the input and the initial state, of a function of
      the output, all recorded variables and the final state. Detached resets are attached in the twin; detaching is
      checked in the neurons, all of which follow. Dropout drops.
    * Surrogate: ``slope`` against differences of ``smooth``.

    Parameters
    ----------
    subject : Neuron, Layer or Surrogate
        What to check.
    x : array [T, B, ...], optional
        Input of a layer; by default 4 steps of 2 samples, normally distributed. Loops are interpreted: keep it small.
    tolerance : float, default 1e-6
        Largest relative error.
    trials : int, optional
        Number of random points: 30, or 2 for a layer.
    seed : int, default 0
        Seed of the random points.
    ranges : mapping, optional
        Argument of ``step`` -> (low, high): where to draw it. By default near the neuron's own values.

    Returns
    -------
    Checked
        The table of errors.

    Raises
    ------
    GradientError
        A derivative is wrong; the message names the worst.
    ValueError
        A neuron has no ``vjp``, a layer is not built, or no smooth point was found.
    TypeError
        ``subject`` is nothing of the above.

    Examples
    --------
    >>> import nbsnn
    >>> nbsnn.check(nbsnn.neurons.LI(tau=5.0))
    gradients of LI(tau=5.0, ...), tolerance 1e-06
      what                            analytic         numeric     error
      input x ...
    """
    if not isinstance(subject, (Neuron, Layer, Surrogate)):
        raise TypeError(f"subject: check takes a Neuron, a Layer or a Surrogate, not {shown(subject)}")
    number("tolerance", tolerance, above=0.0)
    count("seed", seed, least=0)
    for name, pair in mapping("ranges", {} if ranges is None else ranges).items():
        pair_of(f"ranges[{name!r}]", pair)
    trials = count("trials", (2 if isinstance(subject, Layer) else 30) if trials is None else trials, most=100_000)
    rng = np.random.default_rng(seed)
    if x is not None and not isinstance(subject, Layer):
        raise TypeError(f"x is the input of a layer; {type(subject).__name__} takes none (see ranges)")
    if isinstance(subject, Neuron):
        rows = neuron_rows(subject, ranges or {}, trials, rng, tolerance)
    elif isinstance(subject, Surrogate):
        rows = surrogate_rows(subject, trials, rng, tolerance)
    else:
        rows = layer_rows(subject, x, trials, rng, tolerance, Draws(seed, "check"))
        neurons = {id(p.neuron): (name, p.neuron) for name, p in populations(subject).items()}
        for name, neuron in neurons.values():
            prefix = f"{name}: " if name else ""
            inner = neuron_rows(neuron, ranges or {}, 30, rng, tolerance)
            rows += [Row(f"{prefix}neuron's {r.what}", r.analytic, r.numeric, r.error) for r in inner]
    result = Checked(
        type(subject).__name__ if isinstance(subject, Container) else repr(subject), tuple(rows), tolerance
    )
    worst = max(rows, key=lambda row: row.error)
    if worst.error > tolerance:
        raise GradientError(
            f"the gradient with respect to {worst.what} is {worst.analytic:.7g}, but finite differences give "
            f"{worst.numeric:.7g} (relative error {worst.error:.1e})\n{result!r}"
        )
    return result
