"""Base of the optimisers: names, checks, slots and the loop; a subclass adds its equation and its options.

An optimiser walks over two dicts of arrays with equal names, the parameters and their gradients, and changes the
parameters in place. What it remembers lies in ``state``, a dict of arrays too, so that ``np.savez`` saves it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np

from ..device import gpu
from ..device.buffers import Array
from ..files.pickling import ByName
from ..validate import FLOATS, check_options, count, finite, fraction, function, number
from ..validate.as_made import AsMade
from . import on_cpu, on_gpu
from .move import Move
from .past import Past
from .saved import difference, read
from .schedules import Constant, Schedule
from .watching import Watching

FAR = {np.dtype(np.float32): 1e30, np.dtype(np.float64): 1e290}
"""Numbers below this, added to a number, do not make it overflow: next to the end of the range they are rounded off."""


class Optimizer(ByName, AsMade):
    """A rule that moves parameters along their gradients.

    A subclass names its ``slots`` (arrays that it keeps for each parameter) and its ``options``, and says in ``hyper``
    what its ``rule(p, g, *slots, *hyper) -> (p, *slots)`` reads beside them. If it also says how far a step can
    ``reach``, steps are tried on copies only where they may leave the range of floats, else always.

    Parameters
    ----------
    lr : float or schedule
        Learning rate, or a function of the iteration number, such as those in ``optim.schedules``.

    Attributes
    ----------
    iteration : int
        How many steps have been made.
    frozen : sequence of str
        Groups of parameters that stay as they are.
    state : dict of arrays
        ``"slot/parameter"`` -> array of that parameter's shape, for instance ``"m/dense1/weight"``. The arrays are the
        memory itself, not copies. ``"skipped/parameter"`` counts the steps that left a parameter out.

    Examples
    --------
    An optimiser of your own is an equation for one number, and what it reads:

    >>> import numpy as np, nbsnn
    >>> class SignDescent(nbsnn.optim.Optimizer):
    ...     @staticmethod
    ...     def rule(p, g, lr):
    ...         return (p - lr * np.sign(g),)
    ...     def hyper(self, lr, k):
    ...         return (lr,)
    >>> params = {"w": np.ones(2)}
    >>> SignDescent(0.25).step(params, {"w": np.array([3.0, -0.1])})
    >>> params["w"].tolist()
    [0.75, 1.25]
    """

    INSTEAD = "; lr can be set, and optimizer.replace(...) makes another"
    rule: Callable[..., tuple]
    slots: tuple[str, ...] = ()
    frozen: Sequence[str] = ()
    options: ClassVar[tuple[str, ...]] = ()

    def __init__(self, lr: float | Schedule):
        self.schedule = lr
        self.past = Past()
        self.state: dict[str, np.ndarray] = {}
        self.most_decay = 0.0  # of momenta
        self._skipped: dict[str, int] = {}  # parameter -> how many steps it was left out of
        self._memory: dict[str, np.ndarray] = {}  # parameter -> its slots [K, size]; state holds views of the rows

    @property
    def iteration(self) -> int:
        """How many steps have been made."""
        return self.past.iteration

    def hyper(self, lr: float, k: int) -> tuple[float, ...]:
        """Constants that the rule reads in step ``k = 1, 2, ...``, float64."""
        raise NotImplementedError

    def decay_now(self, name: str, decay: Schedule) -> float:
        """A decay in [0, 1) in this iteration, of a schedule; ``most_decay`` is the largest so far."""
        now = fraction(f"{name} in iteration {self.iteration}", decay(self.iteration))
        self.most_decay = max(self.most_decay, now)
        return now

    def reach(self, lr: float, gradient: float, parameter: float) -> float:
        """What no number in a step exceeds, as long as no gradient (with its weight decay) has exceeded ``gradient``,
        and no parameter exceeds ``parameter``; by default infinite, which stands for not known."""
        return math.inf

    def gradient_of(self, slot: str, largest: float) -> float:
        """How large gradients have been if ``largest`` is the largest number of a slot."""
        return largest

    @property
    def schedule(self) -> Schedule:
        """The learning rate as a function of the iteration number; may be set to a number."""
        return self._schedule

    @schedule.setter
    def schedule(self, lr: float | Schedule) -> None:
        if isinstance(lr, (dict, list, tuple)):  # parameters, as other libraries want them
            raise TypeError(
                f"lr must be a number or a schedule, not a {type(lr).__name__}: a learner knows the parameters"
            )
        self._schedule = function("lr", lr, "a number or a schedule", takes=1) if callable(lr) else Constant(lr)
        self._lr = None if callable(lr) else float(lr)  # where it is a number, which has been checked

    @property
    def lr(self) -> float:
        """The learning rate of the next step; may be set to a number or a schedule."""
        if self._lr is not None:
            return self._lr
        return number(f"the learning rate in iteration {self.iteration}", self.schedule(self.iteration), least=0.0)

    @lr.setter
    def lr(self, lr: float | Schedule) -> None:
        self.schedule = lr

    def step(
        self, params: Mapping[str, np.ndarray], grads: Mapping[str, np.ndarray | None], *, largest: float | None = None
    ) -> None:
        """Change ``params`` in place, one step.

        Everything is checked before anything is changed. The first step (or ``load``) settles the names of the
        parameters and, for a rule with slots, their shapes and dtypes.

        Parameters
        ----------
        params : dict of C-contiguous float arrays
            All of NumPy, or all on a GPU, where the memory then is, too.
        grads : dict of arrays of the same names, shapes and dtypes
            None leaves a parameter and its slots as they are.
        largest : float, optional
            What no gradient exceeds in absolute value, for arrays on a GPU, if it is known: else it is looked up there,
            which waits for the GPU. Learners know.

        Raises
        ------
        TypeError
            Something is no array, or a dtype differs.
        ValueError
            Names or shapes differ, a parameter cannot be changed in place, a gradient holds NaN or infinity, or the
            step would make a parameter or a slot NaN or infinite.
        """
        self.prepared(params, grads, largest)()

    def prepared(
        self, params: Mapping[str, Array], grads: Mapping[str, Array | None], largest: float | None = None
    ) -> Callable[[], None]:
        """A step that has been checked: the function returned makes it, and cannot fail."""
        self._check_names(params, grads)
        given = {name: g for name, g in grads.items() if g is not None}
        moved = {name: p for name, p in params.items() if name in given}
        there = not all(isinstance(p, np.ndarray) for p in moved.values()) and gpu.some_on_gpu(moved.values())
        if there:
            on_gpu.check(moved, given)
            most = on_gpu.largest(given) if largest is None else largest
        else:
            most = self._check(moved, given)
        lr, decay, weight = self.lr, getattr(self, "weight_decay", 0.0), 0.0
        if decay and not there:
            weight = max((_largest(p) for p in moved.values()), default=0.0)
        most = max(most + decay * weight, self.past.largest)
        counts = {name: self.iteration + 1 - self._skipped.get(name, 0) for name in moved}
        hypers = {k: self.hyper(lr, k) for k in sorted({*counts.values()} or {self.iteration + 1})}
        reach = self.reach(lr, most, weight)
        for dtype in {p.dtype for p in moved.values()}:
            with np.errstate(over="ignore"):
                fits = all(np.isfinite(np.array(hyper, dtype)).all() for hyper in hypers.values())
            if not fits:
                raise ValueError(f"{self!r} with a learning rate of {lr:g} is beyond {dtype}: smaller numbers, please")
        slots = {name: self._slots_of(name, p, there) for name, p in params.items()}
        update = partial((on_gpu if there else on_cpu).update, self.rule, len(self.slots))
        moves = {name: Move(p, given[name], slots[name], hypers[counts[name]]) for name, p in moved.items()}
        tried: dict[str, Move] | None = None
        if not reach < min((FAR[p.dtype] for p in moved.values()), default=math.inf):
            tried = {name: move.copied() for name, move in moves.items()}
            update(tried.values())
            most = self._check_moved(tried)
            most = most if len(moved) == len(params) else max(most, self.past.largest)

        def make() -> None:
            if tried is None:
                update(moves.values())
            else:
                for name, move in moves.items():
                    gpu.assign(move.p, tried[name].p)
                    gpu.assign(move.memory, tried[name].memory)
            for name, p in params.items():
                if self._memory.get(name) is not slots[name]:
                    self._remember(name, slots[name].reshape(len(self.slots), *p.shape))
                if name not in moved:
                    self._skip(name, self._skipped.get(name, 0) + 1)
            self.past.iteration, self.past.largest = self.past.iteration + 1, most

        return make

    def replace(self, **options: object) -> Self:
        """An optimiser of this kind with other options, which has made no step.

        Parameters
        ----------
        **options
            Those that change, by name: ``lr`` and what stands in ``options``.

        Examples
        --------
        >>> from nbsnn.optim import AdamW
        >>> AdamW(0.5, weight_decay=0.1).replace(weight_decay=0.0)
        AdamW(lr=0.5, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0, amsgrad=False)
        """
        check_options(f"{type(self).__name__}.replace", options, ("lr", *self.options))
        now = {"lr": self.schedule.lr if isinstance(self.schedule, Constant) else self.schedule}
        given: dict[str, Any] = {**now, **{name: getattr(self, name) for name in self.options}, **options}
        return type(self)(**given)

    def check_parameters(self, names: Iterable[str]) -> None:
        """Raise unless the optimiser can move a network with these parameters."""

    def held(self, grads: Mapping[str, Array]) -> dict[str, Array]:
        """Those of the parameters that stay as they are."""
        return {}

    @property
    def watching(self) -> list[Watching]:
        """Schedules that want to be told how training goes, such as ``Plateau``."""
        return [self.schedule] if isinstance(self.schedule, Watching) else []

    def _slots_of(self, name: str, p: Array, there: bool) -> Array:
        """Slots of a parameter, [K, size], on its device; zeros if there are none yet."""
        memory = self._memory.get(name)
        if memory is None:
            return (gpu.zeros if there else np.zeros)((len(self.slots), p.size), p.dtype)
        return gpu.put(memory) if there and not gpu.on_gpu(memory) else memory  # as loaded

    def _check_moved(self, moves: Mapping[str, Move]) -> float:
        """Raise unless parameters and slots are finite after a step; returns the largest gradient."""
        most = 0.0
        for name, (p, _, memory, _) in moves.items():
            for what, numbers in zip(("the parameter", *self.slots), (gpu.get(p), *gpu.get(memory)), strict=True):
                if what in self.slots:
                    most = max(most, self.gradient_of(what, _largest(numbers)))
                bad = int(np.size(numbers) - np.isfinite(numbers).sum())
                if bad:
                    raise ValueError(
                        f"a step of {self!r} would make {bad} numbers of {what} of {name!r} infinite or NaN in "
                        f"{p.dtype}: nothing is changed. Clip the gradient (clip=1.0), or lower the learning rate"
                    )
        return most

    def load(self, state: Mapping[str, np.ndarray], iteration: int) -> None:
        """Continue where another optimiser of this kind stood when its ``state`` and ``iteration`` were saved.

        Parameters
        ----------
        state : mapping of arrays
            As ``Optimizer.state``, for instance an opened ``.npz`` file. It is copied.
        iteration : int
            As ``Optimizer.iteration``.

        Raises
        ------
        TypeError, ValueError
            Unknown or missing slots, unequal shapes or dtypes, NaN or infinity; then nothing is changed.
        """
        iteration = count("iteration", iteration, least=0)
        found, skipped = read(self, state, iteration)
        self.state, self._memory, self._skipped = {}, {}, {}
        most = (self.gradient_of(name.partition("/")[0], _largest(array)) for name, array in found.items())
        self.past = Past(iteration, max(most, default=0.0))
        for name in dict.fromkeys(name.partition("/")[2] for name in found):
            self._remember(name, np.stack([found[f"{slot}/{name}"] for slot in self.slots]))
        for name, n in skipped.items():
            self._skip(name, n)

    def _skip(self, name: str, count: int) -> None:
        """Note that a parameter has been left out ``count`` times."""
        self._skipped[name] = count
        self.state[f"skipped/{name}"] = np.array(count)

    def _remember(self, name: str, slots: np.ndarray) -> None:
        """Keep ``slots`` [K, *shape of the parameter] as memory [K, size], with a view of each in ``state``."""
        shape = slots.shape[1:]
        self._memory[name] = memory = slots.reshape(len(slots), math.prod(shape))
        self.state.update({f"{slot}/{name}": memory[k].reshape(shape) for k, slot in enumerate(self.slots)})

    def _check_names(self, params: Mapping[str, Any], grads: Mapping[str, Any]) -> None:
        for name, given in (("params", params), ("grads", grads)):
            if not isinstance(given, Mapping):
                raise TypeError(f"{name} must be a mapping from names to arrays, not {given!r}")
        if params.keys() != grads.keys():
            raise ValueError(f"params and grads must have the same names: {difference(params, grads)}")
        if self._memory and params.keys() != self._memory.keys():
            raise ValueError(f"params must have the names of the first step: {difference(self._memory, params)}")

    def _check(self, params: Mapping[str, np.ndarray], grads: Mapping[str, np.ndarray]) -> float:
        """Raise unless parameters and gradients fit; returns the largest absolute value of a gradient."""
        largest = 0.0
        for name, p in params.items():
            g = grads[name]
            for what, array in ("params", p), ("grads", g):
                if not isinstance(array, np.ndarray):
                    raise TypeError(f"{what}[{name!r}] must be a NumPy array, not a {type(array).__name__}")
                if array.dtype not in FLOATS or array.dtype != p.dtype:
                    raise TypeError(f"{what}[{name!r}] must be float32 or float64, as its parameter, not {array.dtype}")
            if g.shape != p.shape:
                raise ValueError(f"grads[{name!r}] has shape {list(g.shape)}, its parameter {list(p.shape)}")
            if not (p.flags.c_contiguous and p.flags.writeable and p.flags.aligned):
                raise ValueError(f"params[{name!r}] must be a C-contiguous, writable array to be changed in place")
            slot = self.state.get(f"{self.slots[0]}/{name}") if self.slots else None
            if slot is not None and (slot.shape != p.shape or slot.dtype != p.dtype):
                raise ValueError(
                    f"params[{name!r}] is {p.dtype} {list(p.shape)}, but the state belongs to {slot.dtype} "
                    f"{list(slot.shape)}"
                )
            most = _largest(g)
            if not math.isfinite(most):
                finite(f"grads[{name!r}]", g)
            largest = max(largest, most)
        return largest

    def __repr__(self) -> str:
        lr = self.schedule.lr if isinstance(self.schedule, Constant) else self.schedule
        shown = "".join(f", {option}={getattr(self, option)!r}" for option in self.options)
        return f"{type(self).__name__}(lr={lr!r}{shown})"


def _largest(array: np.ndarray) -> float:
    """The largest absolute value; NaN if there is one."""
    return max(float(array.max()), -float(array.min())) if array.size else 0.0
