"""The event simulator: populations, and sparse, delayed, plastic synapses between them."""

# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike, DTypeLike

from ..neuron import Neuron
from ..plasticity import Normalize, PostPreInt, Scaling
from ..plasticity.rule import Rule
from ..sparse import Rule as Pattern
from ..synapses import Delta, Synapse, TsodyksMarkram
from ..validate import number_in, shown
from . import off_grid as off
from .connection import Connection
from .group import Group, Section
from .parameters import options_of
from .rules import check_homeostasis, check_rule
from .stimulation import Stimulation


def check_name(name: object) -> None:
    """Raise ``TypeError`` unless a name is a text or None."""
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name must be a text, not {name!r}")


def _once(initial: Mapping[str, Any] | None, values: dict[str, Any]) -> dict[str, Any]:
    """Values by name, each given once."""
    if initial is not None and not isinstance(initial, Mapping):
        raise TypeError(f'initial must be a mapping from names to values, {{"n": 0.3}} say, not {initial!r}')
    for name in values.keys() & (initial or {}).keys():
        raise ValueError(f"{name} is given twice, by name and in initial")
    return {**values, **(initial or {})}


class Network(Stimulation):
    """Populations of neurons, their inputs, and the synapses between them, simulated in steps of ``dt``.

    A network is described first, by ``population``, ``poisson``, ``spikes``, ``connect``, ``drive`` and ``inject``; the
    first ``run`` builds it. It holds its state: ``run`` continues from it, ``reset`` returns to the start, ``state``
    gives a copy and ``restore`` puts one back. Results do not depend on the number of threads, nor on how a run is cut
    into pieces. Input and parameters can be changed between runs and in a callback: what ``inject`` and ``drive``
    return has ``set`` and ``remove``, a population ``group["tau"] = ...``, Poisson units ``group.rate = ...``, a list
    of spikes ``group.set_spikes``; they are no part of the state.

    Parameters
    ----------
    dt : float, ms
        Time step.
    seed : int
        All random numbers, of synapses, initial values and noise, are functions of this, of names and of places.
    noise : int, optional
        Seed of what is drawn in each step: of noise, Poisson units and drives, and the rounding of integer weights;
        ``seed`` by default. It can be set at any time, ``network.noise = 7``.
    dtype : {float32, float64}
        Precision of variables and weights; float32 by default, off the grid float64.
    device : {"cpu", "cuda", "python"}
        Compiled for the CPU or for a GPU, or interpreted for debuggers. On a GPU the arrays stay there from run to run,
        and ``group["v"]`` and ``connection.weight`` are copies; what arrives at a unit in one step is added up in any
        order, so that last digits may differ from run to run. Random numbers are the same on all devices.
    comm : mpi4py communicator or Ranks, optional
        Ranks that share the work: each holds the synapses onto its own units, and all have the same recordings, the
        same as without. All must make the same calls in the same order; a connection's ``pre``, ``post`` and
        ``weight`` are those of a rank, ``gather()`` gives all.
    off_grid : bool
        Let spikes have times inside the steps, as NEST's precise models do: of ``LIF`` with a refractory period of one
        step or more, Poisson units and lists of spikes, through delta and current synapses whose weights stay. Between
        events they are solved exactly, so that membranes and times of spikes do not depend on ``dt``.

    Notes
    -----
    A step from t to t + dt has this order:

    1. Arrival: a spike that was fired at s arrives at s + delay. A jump, of ``Delta``, belongs to the step that ends
       then; the course of any other synapse begins there, and acts from the next step on.
    2. Update: each neuron integrates its equations over the step, with synapses and currents; then jumps are added.
    3. Threshold: the membrane at t + dt is compared with the threshold.
    4. Reset: where it spikes, the membrane is reset.
    5. Plasticity: spikes that have arrived meet those that have been fired. A new weight is that of later arrivals.

    The time of a spike, and of a recorded variable, is the end of its step, t + dt, and variables are as after the
    reset; this is NEST's convention (Brian 2's is the beginning of the step). After a spike at s a membrane is held for
    refractory / dt steps, rounded: what arrives from s + dt to s + refractory, both included, is lost (synapses with a
    course in time continue), and the earliest next spike is at s + refractory + dt. Neurons that reset inside a step
    (AdEx, EIF, QIF, Izhikevich) are held from there on, and for no whole number of steps.

    ``>=`` and ``>`` compare floating-point numbers, without tolerance: fifty inputs of 0.02 add up to 0.9999996 in
    float32 and do not reach a threshold of 1. Where a spike hangs on equality, use weights that are sums of powers
    of 2.

    Examples
    --------
    >>> import nbsnn
    >>> from nbsnn.neurons import LIF
    >>> net = nbsnn.Network(dt=0.1, seed=1)
    >>> cells = LIF(tau=20.0, v_rest=-49.0, v_threshold=-50.0, v_reset=-60.0, refractory=5.0)
    >>> exc = net.population(cells, 80, name="exc", v=nbsnn.values.Uniform(-60.0, -50.0))
    >>> inh = net.population(cells, 20, name="inh", v=nbsnn.values.Uniform(-60.0, -50.0))
    >>> fast, slow = nbsnn.synapses.Exponential(5.0), nbsnn.synapses.Exponential(10.0)
    >>> for target in (exc, inh):
    ...     _ = net.connect(exc, target, nbsnn.Sparse(probability=0.1), weight=1.6, synapse=fast)
    ...     _ = net.connect(inh, target, nbsnn.Sparse(probability=0.1), weight=-9.0, synapse=slow)
    >>> recording = net.run(100.0)
    >>> times, units = recording.spikes(exc)
    """

    def __init__(
        self, dt: float = 0.1, seed: int = 0, *, noise: int | None = None, dtype: DTypeLike | None = None,
        device: str = "cpu", comm: object = None, off_grid: bool = False,
    ):  # fmt: skip
        super().__init__(dt, seed, noise=noise, dtype=dtype, device=device, comm=comm, off_grid=off_grid)
        self.seal(Network)

    def __repr__(self) -> str:
        lines = [f"Network(dt={self.dt:g} ms, seed={self.seed})", *map(repr, self.groups), *map(repr, self.connections)]
        return "\n  ".join(lines)

    def population(
        self, neuron: Neuron, n: int, *, name: str | None = None, positions: ArrayLike | None = None,
        initial: Mapping[str, Any] | None = None, **values: Any,
    ) -> Group:  # fmt: skip
        """Add units of one model.

        Parameters
        ----------
        neuron : Neuron
            The model, from ``nbsnn.neurons`` or custom.
        n : int
            Number of units.
        name : str, optional
            "population1", "population2", ... by default.
        positions : array [n, dimensions] or [n], optional
            Where units are: ``nbsnn.sparse.grid((40, 25))``, say. See ``Group.positions``.
        initial : mapping, optional
            As ``values``, for names that are arguments: ``initial={"n": 0.3}`` is the gate n of Hodgkin-Huxley.
        **values : number, array [n] or distribution
            Where variables of the model start, instead of at its own values: ``v=nbsnn.values.Uniform(-60, -50)``.
            Parameters too, as in ``Group.parameters``: ``tau_w=nbsnn.values.Normal(144, 20, low=50)``.

        Returns
        -------
        Group

        Raises
        ------
        ValueError, TypeError
            If a variable is unknown or given twice, values do not fit, or the network has been built.
        """
        if not isinstance(neuron, Neuron):
            raise TypeError(f"neuron: a population is made of a Neuron, not of {shown(neuron)}")
        group = self._add(neuron, n, name, "population")
        try:
            if self.off_grid:
                off.check_neuron(group.name, neuron, n, self.dt)
            given = _once(initial, values)
            known = [key for key in given if key not in neuron.state and key in options_of(neuron)]
            if known:
                group.parameters(**{key: given.pop(key) for key in known})
            group.start(**given)
            group.positions = positions
        except (TypeError, ValueError):
            self.groups.pop()
            raise
        return group

    def connect(
        self, source: Group | Section | str, target: Group | Section | str, pattern: Pattern, *, weight: Any = None,
        delay: Any = None, synapse: Synapse | None = None, plasticity: Rule | PostPreInt | None = None,
        short_term: TsodyksMarkram | None = None, coordinates: Any = None, name: str | None = None,
        homeostasis: Scaling | Normalize | None = None,
    ) -> Connection:  # fmt: skip
        """Connect two populations, or one with itself, also between runs and in a callback: later spikes travel there.

        Parameters
        ----------
        source, target : Group, section of one (``group[:800]``), or name
        pattern : rule
            Who is connected to whom: ``Sparse``, ``AllToAll``, ``OneToOne``, ``Distance``, ``Explicit``,
            ``from_scipy``; and with several synapses in the place of one ``Multiple``.
        weight : number, array [synapses] or distribution
            In the unit of the synapse: mV for ``Delta``, which lets the membrane jump by the weight. For currents, mV
            for a membrane of ``LIF`` (1 mV holds it 1 mV above rest), pA for neurons with a capacitance. For
            conductances nS, or for ``LIF`` and others that take a current alone multiples of the leak; these are
            solved together with the leak, exactly where they are constant during a step. 1 by default, or what the
            pattern brings. Arrays are copied, and are in the order of ``connection.pairs``: that of the pairs given
            to ``Explicit``, else by source, then by target.
        delay : number, array [synapses] or distribution, ms
            From the end of the step in which a spike is fired to its arrival, at least one step: that by default.
            Plastic synapses too may have delays of their own, those of PostPreInt and on a GPU share one.
        synapse : Synapse
            What arriving spikes do; ``synapses.Delta()`` by default.
        plasticity : rule of nbsnn.plasticity, optional
            How weights change. The source's spikes count in the step at whose end they arrive, through any synapse,
            and travel with the weight from before that step. Arrivals and the target's spikes of one step are seen
            together; ``order=`` of a rule says which comes first ("brian": the arrival). With ``clip="all"``, and for
            PostPreInt, weights are brought within their bounds when a run begins. Rewarded rules (MSTDP, MSTDPET) take
            the ``reward`` of the connection, and normalise at the end of each run alone.

            A ``MembraneRule``, such as ``Clopath``, reads variables of the neurons as they are after a step; where
            weights drift, it visits in that step all synapses onto a unit.

            Work is done at spikes alone, but for traces, a loop over units in each step. MetaNearestSTDP has another
            over targets, as have rules that normalise in every step: these visit all synapses onto a unit when it
            fires and, with ``clip="all"``, in steps in which a bound may cut off a weight onto it; where weights lie at
            their bound these are most steps, and ``clip="changed"`` is faster. PostPreInt visits all synapses onto a
            unit while the unit's variable "thresh", if it has one, exceeds ``max_threshold``. For PostPreInt weights
            are whole numbers; distributions are rounded.
        short_term : TsodyksMarkram, optional
            How the effect of a spike depends on the spikes before it.
        coordinates : pair of arrays, or array
            Positions of units, for ``Distance``; by default those that the populations have.
        name : str, optional
        homeostasis : Scaling or Normalize, optional
            What is done to all weights onto a unit at intervals: synaptic scaling, or ``Normalize(total, every=ms)``.

        Returns
        -------
        Connection

        Raises
        ------
        ValueError, TypeError, KeyError
            If a population is unknown, an argument of another kind, a rule changes weights between spikes, the source
            (or with a rule the target) is a readout, which emits no spikes, or the target has no membrane that could
            jump, or take a conductance.
        """
        source, target = self.section(source, "source"), self.section(target, "target")
        if not isinstance(pattern, Pattern):
            if getattr(pattern, "ndim", 0) == 2:
                raise TypeError(
                    "a connection needs a pattern; nbsnn.from_scipy makes one of a sparse matrix [pre, post]"
                )
            raise TypeError(f"a connection needs a pattern, Sparse(probability=0.1) say, not {shown(pattern)}")
        if coordinates is not None and not pattern.spatial:
            raise ValueError(f"coordinates are for Distance: {pattern!r} does not ask for them")
        if coordinates is None and pattern.spatial:
            sides = [side.group.positions for side in (source, target)]
            if all(side is not None for side in sides):
                coordinates = tuple(s[side.units] for s, side in zip(sides, (source, target), strict=True))
                coordinates = coordinates[0] if source == target else coordinates
        for what, given, wanted, say in (
            ("synapse", synapse, Synapse, "nbsnn.synapses.Exponential(tau=5.0)"),
            ("plasticity", plasticity, Rule, "nbsnn.plasticity.PairSTDP()"),
            ("short_term", short_term, TsodyksMarkram, "nbsnn.synapses.TsodyksMarkram(...)"),
        ):
            if given is not None and not isinstance(given, (wanted, PostPreInt) if wanted is Rule else wanted):
                raise TypeError(f"{what} must be a {wanted.__name__}, {say} say, not {shown(given)}")
        synapse = Delta() if synapse is None else synapse
        if not source.group.spiking and not (synapse.gate and synapse.gate.reads):
            raise ValueError(f"{source.group!r} is a readout: it emits no spikes, so nothing can be connected from it")
        if not target.group.spiking and (plasticity is not None or isinstance(homeostasis, Scaling)):
            raise ValueError(f"{target.group!r} is a readout: it emits no spikes that a rule could learn from")
        for extra in (short_term, homeostasis) if self.off_grid else ():
            if extra is not None:
                off.refuse(f"{extra!r}", "its synapses keep their weights")
        if plasticity is not None:
            check_rule(plasticity, self.dtype, self.dt)
            self.backend.check(plasticity)
        check_homeostasis(homeostasis, plasticity, self.dtype, self.dt)
        if isinstance(weight, (int, float)):
            number_in(self.dtype, "weight", weight)
        check_name(name)
        name = name or f"{source.name} to {target.name}"
        alike = sum(c.name == name or c.name.startswith(f"{name} ") for c in self.connections)
        with self.rewiring("a connection"):
            made = Connection(
                self, f"{name} {alike + 1}" if alike else name, source, target, pattern, weight, delay, synapse,
                plasticity, short_term, coordinates, homeostasis,
            )  # fmt: skip
            self.connections.append(made)
        return made
