"""What each library means by the numbers that it writes into a NIR file.

NIR states differential equations; a file has no time step and no word on how a step is made. With w = dt/tau, every
writer's own networks are

    u = v + w (v_leak - v + r x)          CubaLIF: i = i + dt/tau_syn (w_in x - i), then u from r i
    s = u > v_threshold,  v = v_reset where there is a spike

but for what this table says, found by running each library's networks beside its files:

=============  =========  =======  ==========  ===============================================================
convention     dt         compare  starts at   apart from that
=============  =========  =======  ==========  ===============================================================
nir            to give    >        0           IF and I: u = v + r dt x
snntorch       1e-4       >        0           the bias of a recurrent map is there at the first step, too
spikingjelly   1e-4       >=       v_reset     IF: u = v + r dt x, with r = 1/dt
norse          1e-6       >        v_leak      IF: u = v + x; CubaLIF: i = i + x, u from i, i = i (1 - dt/tau_syn)
sinabs         1 (steps)  >=       0           u = exp(-1/tau) v + x, IF: u = v + x; several spikes a step
=============  =========  =======  ==========  ===============================================================

Each spike of Sinabs subtracts the threshold: s = floor(u / v_threshold) for u > 0, v = u - s v_threshold.

Norse divides by its step of a millisecond before it writes (``to_nir(dt=0.001)``), so that a file's tau is a thousandth
of seconds and the step in its unit 1e-6; of a file written with ``dt=1`` it is 1e-3.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..validate import choice


class NirWarning(UserWarning):
    """Warning of ``read`` and ``write``: a file does not say something, or cannot.

    The message says what, and what is assumed.

    Examples
    --------
    >>> import warnings, nbsnn
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", nbsnn.nir.NirWarning)  # refuse files that leave something open
    """


@dataclass(frozen=True)
class Convention:
    """How the numbers of a file become a step.

    Attributes
    ----------
    name : str
    dt : float or None
        The step in the unit of the file's time constants, unless told otherwise.
    compare : {">=", ">"}
    start : {"zero", "v_leak", "v_reset"}
        Membrane at which a run starts.
    decay : {"euler", "exp"}
    several : bool
        Whether a unit spikes several times in a step, each spike subtracting the threshold, whatever v_reset is.
    whole_input : bool
        Whether the input of LIF and LI is added as it is, whatever r and tau are.
    whole_if : bool
        The same of IF and I.
    jump : bool
        Whether the current of a CubaLIF jumps by its input.
    first_bias : bool
        Whether a recurrent map's bias comes back at the first step.
    unsaid : str
        What the writer's networks may have that its files do not say.
    """

    name: str
    dt: float | None = None
    compare: str = ">"
    start: str = "zero"
    decay: str = "euler"
    several: bool = False
    whole_input: bool = False
    whole_if: bool = False
    jump: bool = False
    first_bias: bool = False
    unsaid: str = ""


CONVENTIONS = {
    each.name: each
    for each in (
        Convention("nir"),
        Convention(
            "snntorch",
            1e-4,
            first_bias=True,
            unsaid="files of snnTorch do not say how neurons reset: they are read as reset to v_reset in the step of "
            'the spike (reset_mechanism="zero", reset_delay=False). Its default is a subtraction one step later: '
            'reset="late"',
        ),
        Convention("spikingjelly", 1e-4, compare=">=", start="v_reset"),
        Convention(
            "norse",
            1e-6,
            start="v_leak",
            whole_if=True,
            jump=True,
            unsaid="files of Norse hold a v_reset of 0 whatever the network's is: give another as reset=-0.3, say",
        ),
        Convention(
            "sinabs",
            1.0,
            compare=">=",
            decay="exp",
            several=True,
            whole_input=True,
            whole_if=True,
            unsaid="files of Sinabs do not say norm_input (give decay_input=True for LIF's default), min_v_mem and "
            "tau_syn (here none), nor how neurons reset (here each of several spikes subtracts the threshold)",
        ),
    )
}


def convention_of(name: str) -> Convention:
    """The convention of a name; ``ValueError`` if there is none."""
    return CONVENTIONS[choice("convention", name, tuple(CONVENTIONS))]
