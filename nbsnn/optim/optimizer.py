"""Base of the optimisers: names, checks, slots and the loop; a subclass adds its equation and its options.

An optimiser walks over two dicts of arrays with equal names, the parameters and their gradients, and changes the
parameters in place. What it remembers lies in ``state``, a dict of arrays too, so that ``np.savez`` saves it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from typing import Any, ClassVar, TypeVar

import numpy as np

from ..compile.fill import kernel
from ..compile.unroll import row, store
from ..device import gpu
from ..device.buffers import Array
from ..device.threads import run_threaded
from ..files.pickling import ByName
from ..kernels.arrays import optim as template
from ..validate import FLOATS, count, finite, function, number, shown
from . import on_gpu
from .schedules import Constant, Schedule

T = TypeVar("T")

FAR = {np.dtype(np.float32): 1e30, np.dtype(np.float64): 1e290}
"""Numbers below this, added to a number, do not make it overflow: next to the end of the range they are rounded off."""


class Optimizer(ByName):
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
    state : dict of arrays
        ``"slot/parameter"`` -> array of that parameter's shape, for instance ``"m/dense1/weight"``. The arrays are the
        memory itself, not copies.
    """

    rule: Callable[..., tuple]
    slots: tuple[str, ...] = ()
    options: ClassVar[tuple[str, ...]] = ()

    def __init__(self, lr: float | Schedule):
        self.schedule = lr
        self.iteration = 0
        self.state: dict[str, np.ndarray] = {}
        self._largest = 0.0  # of all gradients so far, as far as slots remember them
        self._memory: dict[str, np.ndarray] = {}  # parameter -> its slots [K, size]; state holds views of the rows

    def hyper(self, lr: float, k: int) -> tuple[float, ...]:
        """Constants that the rule reads in step ``k = 1, 2, ...``, float64."""
        raise NotImplementedError

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
        self._schedule = function("lr", lr, "a number or a schedule", takes=1) if callable(lr) else Constant(lr)

    @property
    def lr(self) -> float:
        """The learning rate of the next step; may be set to a number or a schedule."""
        return number(f"the learning rate in iteration {self.iteration}", self.schedule(self.iteration), least=0.0)

    @lr.setter
    def lr(self, lr: float | Schedule) -> None:
        self.schedule = lr

    def step(
        self, params: Mapping[str, np.ndarray], grads: Mapping[str, np.ndarray], *, largest: float | None = None
    ) -> None:
        """Change ``params`` in place, one step.

        Everything is checked before anything is changed. The first step (or ``load``) settles the names of the
        parameters and, for a rule with slots, their shapes and dtypes.

        Parameters
        ----------
        params : dict of C-contiguous float arrays
            All of NumPy, or all on a GPU, where the memory then is, too.
        grads : dict of arrays of the same names, shapes and dtypes
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
        self._check_names(params, grads)
        there = any(map(gpu.on_gpu, params.values()))
        if there:
            on_gpu.check(params, grads)
            most = on_gpu.largest(grads) if largest is None else largest
        else:
            most = self._check(params, grads)
        lr = self.lr
        hyper, decay, weight = self.hyper(lr, self.iteration + 1), getattr(self, "weight_decay", 0.0), 0.0
        if decay and not there:
            weight = max((_largest(p) for p in params.values()), default=0.0)
        most = max(most + decay * weight, self._largest)
        for p in params.values():
            with np.errstate(over="ignore"):
                fits = np.isfinite(np.array(hyper, p.dtype)).all()
            if not fits:
                raise ValueError(
                    f"{self!r} with a learning rate of {lr:g} is beyond {p.dtype}: smaller numbers, please"
                )
        update = partial(self._update_on_gpu if there else self._update, hyper=hyper)
        slots = {name: self._slots_of(name, p) for name, p in params.items()}
        if not self.reach(lr, most, weight) < min((FAR[p.dtype] for p in params.values()), default=math.inf):
            most = self._try(params, grads, slots, update)
        else:
            for name, p in params.items():
                update(p, grads[name], slots[name])
        for name, p in params.items():
            if self._memory.get(name) is not slots[name]:
                self._remember(name, slots[name].reshape(len(self.slots), *p.shape))
        self.iteration, self._largest = self.iteration + 1, most

    def _update(self, p: np.ndarray, g: np.ndarray, memory: np.ndarray, hyper: tuple[float, ...]) -> None:
        compiled = _compiled(self.rule, len(self.slots), len(hyper), p.dtype)
        gradient = np.require(g, requirements=["C", "A", "W"]).reshape(-1)
        arrays = p.reshape(-1), gradient, memory, np.array(hyper, p.dtype).reshape(-1, 1)
        run_threaded(partial(_window, compiled, arrays), p.size, p.size)

    def _update_on_gpu(self, p: Array, g: Array, memory: Array, hyper: tuple[float, ...]) -> None:
        on_gpu.update(self.rule, len(self.slots), p, g, memory, hyper)

    def _slots_of(self, name: str, p: Array) -> Array:
        """Slots of a parameter, [K, size], on its device; zeros if there are none yet."""
        memory, there = self._memory.get(name), gpu.on_gpu(p)
        if memory is None:
            return (gpu.zeros if there else np.zeros)((len(self.slots), p.size), p.dtype)
        return gpu.put(memory) if there and not gpu.on_gpu(memory) else memory  # as loaded

    def _try(
        self, params: Mapping[str, Array], grads: Mapping[str, Array], slots: Mapping[str, Array], update: Callable
    ) -> float:
        """Make the step on copies, and take them over if all their numbers are finite; returns ``_largest``."""
        made, most = {}, 0.0
        for name, p in params.items():
            made[name] = new, memory = _copy(p), _copy(slots[name])
            update(new, grads[name], memory)
            for what, numbers in zip(("the parameter", *self.slots), (gpu.get(new), *gpu.get(memory)), strict=True):
                if what in self.slots:
                    most = max(most, self.gradient_of(what, _largest(numbers)))
                bad = int(np.size(numbers) - np.isfinite(numbers).sum())
                if bad:
                    raise ValueError(
                        f"a step of {self!r} would make {bad} numbers of {what} of {name!r} infinite or NaN in "
                        f"{p.dtype}: nothing is changed. Clip the gradient (clip=1.0), or lower the learning rate"
                    )
        for name, (new, memory) in made.items():
            gpu.assign(params[name], new)
            gpu.assign(slots[name], memory)
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
        found = {name: np.array(state[name]) for name in state}
        names = dict.fromkeys(name.partition("/")[2] for name in found)
        wanted = [f"{slot}/{name}" for name in names for slot in self.slots]
        if set(found) != set(wanted):
            raise ValueError(f"state does not fit {self!r}: {_difference(wanted, found)}")
        if self.slots and iteration and not found:
            raise ValueError(f"{self!r} keeps slots, but the state saved after iteration {iteration} is empty")
        for name, array in found.items():
            like = found[f"{self.slots[0]}/{name.partition('/')[2]}"]
            if array.dtype not in FLOATS or array.dtype != like.dtype:
                raise TypeError(f"state[{name!r}] must be float32 or float64 like its other slots, not {array.dtype}")
            if array.shape != like.shape:
                raise ValueError(f"state[{name!r}] has shape {list(array.shape)}, another slot {list(like.shape)}")
            finite(f"state[{name!r}]", array)
        self.state, self._memory, self.iteration = {}, {}, iteration
        most = (self.gradient_of(name.partition("/")[0], _largest(array)) for name, array in found.items())
        self._largest = max(most, default=0.0)
        for name in names:
            self._remember(name, np.stack([found[f"{slot}/{name}"] for slot in self.slots]))

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
            raise ValueError(f"params and grads must have the same names: {_difference(params, grads)}")
        if self._memory and params.keys() != self._memory.keys():
            raise ValueError(f"params must have the names of the first step: {_difference(self._memory, params)}")

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


def fraction(name: str, value: float) -> float:
    """A number in [0, 1), such as the decay of a running mean."""
    if number(name, value, least=0.0) >= 1.0:
        raise ValueError(f"{name} must be less than 1, not {value!r}")
    return float(value)


def _largest(array: np.ndarray) -> float:
    """The largest absolute value; NaN if there is one."""
    return max(float(array.max()), -float(array.min())) if array.size else 0.0


def _copy(array: Array) -> Array:
    """Copy on the same device."""
    return gpu.put(gpu.get(array)) if gpu.on_gpu(array) else array.copy()


def _window(update: Callable, arrays: tuple[np.ndarray, ...], lo: int, hi: int) -> None:
    update(np.uintp(lo), np.uintp(hi), *arrays)


@cache
def _compiled(rule: Callable, slots: int, constants: int, dtype: np.dtype) -> Callable:
    return kernel(
        template.update,
        dtype=dtype,
        rule=rule,
        slots=row(slots, "i"),
        constants=row(constants, "i"),
        keep=store(tuple(range(1, slots + 1)), "i"),
    )


def _difference(wanted: Iterable[str], given: Iterable[str]) -> str:
    """Missing and unknown names, as text."""
    missing, unknown = sorted(set(wanted) - set(given)), sorted(set(given) - set(wanted))
    parts = [f"{word} {', '.join(map(repr, names))}" for word, names in (("missing", missing), ("unknown", unknown))]
    return "; ".join(part for part, names in zip(parts, (missing, unknown), strict=True) if names)


def check_optimizer(optimizer: T) -> T:
    """Raise unless ``optimizer`` is one."""
    if isinstance(optimizer, type) or not hasattr(optimizer, "load") or not hasattr(optimizer, "step"):
        raise TypeError(f"optimizer must be one of nbsnn.optim, Adam(1e-3) say, not {shown(optimizer)}")
    return optimizer
