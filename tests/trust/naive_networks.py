"""Training networks, written from the documented equations as loops over time in float64, and random ones to try."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import nbsnn
from nbsnn.random import Draws

from .naive_gradient import Value, derivatives, joined, of, padded, product, still
from .naive_neurons import NaiveNeuron, Spikes, draw_neuron, draw_readout

Array = np.ndarray
Shape = tuple[int, ...]


class Oracle:
    """A network's run.

    Parameters
    ----------
    row : Row
        The layers.
    params : dict
        Name of a learned parameter -> float64 array.
    dt, dtype
        As the network's: constants are rounded to ``dtype``.
    smooth : bool
        Whether spikes are the surrogate's smooth step.
    cut : int, optional
        No gradient flows over the border of so many steps.
    training : bool
        Whether units are dropped.
    rule : {"BPTT", "OTTT", "e-prop"}
        OTTT: connections see traces of spikes. e-prop: what is fed back is a constant.
    """

    def __init__(
        self, row: Row, params: dict[str, Array], *, dt: float = 1.0, dtype: Any = np.float64, smooth: bool = False,
        cut: int | None = None, training: bool = False, rule: str = "BPTT", feedback: Array | None = None,
    ):  # fmt: skip
        self.row, self.params = row, {name: Value(array) for name, array in params.items()}
        self.dt, self.dtype, self.cut, self.training, self.rule = dt, dtype, cut, training, rule
        self.feedback, self.spikes = feedback, Spikes(smooth)
        self.state: dict[str, Any] = {}
        self.records: dict[str, list[Array]] = {}
        self.traces: dict[str, Array] = {}

    def run(self, x: Array) -> Value:
        """The output [T, B, ...] of ``x``."""
        outputs = []
        for t, now in enumerate(np.asarray(x, self.dtype).astype(np.float64)):
            if self.cut and t and t % self.cut == 0:
                self.state = still(self.state)
            self.trace: Any = now
            y = self.row(self, "", Value(now))
            outputs.append(y.reshape(1, *y.shape))
        return joined(outputs, 0)

    def gradients(self, x: Array, g: Array) -> dict[str, Array]:
        """The derivatives of sum(g output) by all parameters."""
        return derivatives(self.run(x), g, self.params)

    def of(self, name: str, options: dict[str, Any]) -> Callable[[str, Any], Any]:
        """Parameters of the neurons called so: learned ones, or the options' numbers as the network holds them."""

        def value(key: str, default: Any) -> Any:
            given = self.params.get(f"{name}/{key}", options.get(key, default))
            return given if isinstance(given, Value) or given is None else np.asarray(given, self.dtype).astype(float)

        return value


@dataclass
class Dense:
    n_pre: int
    n_post: int
    bias: bool = True
    path: str = "auto"
    label = "dense"

    def library(self) -> Any:
        return nbsnn.Dense(self.n_pre, self.n_post, bias=self.bias, path=self.path)

    def shape(self, shape: Shape) -> Shape:
        return (self.n_post,)

    def __call__(self, o: Oracle, name: str, x: Value) -> Value:
        w = o.params[f"{name}/weight"]
        w_seen = w.value if o.feedback is None or name != "dense2" else o.feedback
        y = product(x, w, w_seen, o.trace if o.rule == "OTTT" else x.value)
        y = y + o.params[f"{name}/bias"] if self.bias else y
        o.trace = y.value
        return y


@dataclass
class Conv2d:
    c_pre: int
    c_post: int
    size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    bias: bool
    path: str
    label = "conv2d"

    def library(self) -> Any:
        place = {"stride": self.stride, "padding": self.padding, "bias": self.bias, "path": self.path}
        return nbsnn.Conv2d(self.c_pre, self.c_post, self.size, **place)

    def shape(self, shape: Shape) -> Shape:
        return (self.c_post, *places(shape, self.size, self.stride, self.padding))

    def __call__(self, o: Oracle, name: str, x: Value) -> Value:
        w = o.params[f"{name}/weight"].reshape(-1, self.c_post)
        seen = windows(padded(x, *self.padding), self.size, self.stride)
        outputs = [(window.reshape(x.shape[0], -1) @ w).reshape(x.shape[0], self.c_post, 1) for window in seen]
        y = joined(outputs, 2).reshape(x.shape[0], *self.shape(x.shape[1:]))
        return y + o.params[f"{name}/bias"].reshape(-1, 1, 1) if self.bias else y


@dataclass
class Pool2d:
    kind: str
    size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]

    @property
    def label(self) -> str:
        return self.kind.lower()

    def library(self) -> Any:
        return getattr(nbsnn, self.kind)(self.size, self.stride, self.padding)

    def shape(self, shape: Shape) -> Shape:
        return (shape[0], *places(shape, self.size, self.stride, self.padding))

    def __call__(self, o: Oracle, name: str, x: Value) -> Value:
        outside = -np.inf if self.kind == "MaxPool2d" else 0.0
        outputs = []
        for window in windows(padded(x, *self.padding, outside), self.size, self.stride):
            flat = window.reshape(-1, self.size[0] * self.size[1])
            if self.kind == "MaxPool2d":
                two = np.sort(flat.value, axis=1)[:, -2:]
                gap = np.diff(two)
                o.spikes.near(gap[gap > 0.0])
                y = flat[np.arange(len(flat.value)), flat.value.argmax(1)]
            else:
                y = flat @ Value(np.full((flat.shape[1], 1), 1.0 if self.kind == "SumPool2d" else 1 / flat.shape[1]))
            outputs.append(y.reshape(*x.shape[:2], 1))
        return joined(outputs, 2).reshape(x.shape[0], *self.shape(x.shape[1:]))


@dataclass
class Flatten:
    label = "flatten"

    def library(self) -> Any:
        return nbsnn.Flatten()

    def shape(self, shape: Shape) -> Shape:
        return (int(np.prod(shape)),)

    def __call__(self, o: Oracle, name: str, x: Value) -> Value:
        return x.reshape(x.shape[0], -1)


@dataclass
class Dropout:
    p: float
    label = "dropout"

    def library(self) -> Any:
        return nbsnn.Dropout(self.p)

    def shape(self, shape: Shape) -> Shape:
        return shape

    def __call__(self, o: Oracle, name: str, x: Value) -> Value:
        if not o.training:
            return x
        keep = Draws(0, "training", 0, *name.split("/")).uniform(x.shape) >= self.p
        return x * (keep / (1.0 - self.p))


@dataclass
class Delay:
    steps: int
    label = "delay"

    def library(self) -> Any:
        return nbsnn.Delay(self.steps)

    def shape(self, shape: Shape) -> Shape:
        return shape

    def __call__(self, o: Oracle, name: str, x: Value) -> Value:
        queue = o.state.setdefault(name, [Value(np.zeros(x.shape))] * self.steps)
        o.state[name] = [*queue[1:], x]
        return queue[0]


@dataclass
class TemporalConv:
    n_pre: int
    n_post: int
    size: int
    bias: bool
    label = "temporalconv"

    def library(self) -> Any:
        return nbsnn.TemporalConv(self.n_pre, self.n_post, self.size, bias=self.bias)

    def shape(self, shape: Shape) -> Shape:
        return (self.n_post,)

    def __call__(self, o: Oracle, name: str, x: Value) -> Value:
        past = o.state.setdefault(name, [Value(np.zeros(x.shape))] * (self.size - 1))
        seen = [*past, x]
        o.state[name] = seen[1:]
        y = of(0.0)
        for k in range(self.size):  # weight k sees the input of k steps ago
            y = y + seen[-1 - k] @ o.params[f"{name}/weight"][k]
        return y + o.params[f"{name}/bias"] if self.bias else y


@dataclass
class Neurons:
    model: NaiveNeuron

    @property
    def label(self) -> str:
        return self.model.label

    def library(self) -> Any:
        return self.model.library()

    def shape(self, shape: Shape) -> Shape:
        return shape

    def first(self, o: Oracle, name: str, shape: Shape) -> Value:
        """The output before the first step."""
        return self.model.start(o.of(name, self.model.options), shape, o.spikes)["first"]

    def __call__(self, o: Oracle, name: str, x: Value) -> Value:
        p = o.of(name, self.model.options)
        if name not in o.state:
            o.state[name] = self.model.start(p, x.shape, o.spikes)
        o.state[name] = dict(o.state[name])
        y = self.model.advance(x, o.state[name], p, o.dt, o.spikes)
        for variable, value in o.state[name].items():
            if variable != "first":
                o.records.setdefault(f"{name}/{variable}", []).append(value.value)
        if o.rule == "OTTT":
            o.trace = y.value
            if self.model.kind != "LI":
                leak = self.model.leak(p, o.dt)
                o.trace = o.traces[name] = y.value + leak * o.traces.get(name, 0.0)
        return y


@dataclass
class Row:
    """Layers in a row, named by kind and number: a ``Sequential``."""

    layers: list[Any]
    label = "sequential"

    def named(self) -> Sequence[tuple[str, Any]]:
        numbers: Counter[str] = Counter()
        for layer in self.layers:
            numbers[layer.label] += 1
            yield f"{layer.label}{numbers[layer.label]}", layer

    def library(self, **setting: Any) -> Any:
        return nbsnn.Sequential(*(layer.library() for layer in self.layers), **setting)

    def shape(self, shape: Shape) -> Shape:
        for layer in self.layers:
            shape = layer.shape(shape)
        return shape

    def first(self, o: Oracle, name: str, shape: Shape) -> Value:
        *_, (last, layer) = self.named()
        return layer.first(o, f"{name}/{last}", shape) if hasattr(layer, "first") else Value(np.zeros(shape))

    def __call__(self, o: Oracle, name: str, x: Value) -> Value:
        for own, layer in self.named():
            x = layer(o, f"{name}/{own}" if name else own, x)
        return x


@dataclass
class Residual:
    branch: Row
    shortcut: Any = None
    label = "residual"

    def library(self) -> Any:
        shortcut = None if self.shortcut is None else self.shortcut.library()
        return nbsnn.Residual(*(layer.library() for layer in self.branch.layers), shortcut=shortcut)

    def shape(self, shape: Shape) -> Shape:
        return self.branch.shape(shape)

    def __call__(self, o: Oracle, name: str, x: Value) -> Value:
        skip = x if self.shortcut is None else self.shortcut(o, f"{name}/shortcut", x)
        return self.branch(o, f"{name}/branch", x) + skip


@dataclass
class Parallel:
    branches: list[Row]
    join: str
    label = "parallel"

    def library(self) -> Any:
        return nbsnn.Parallel(*(branch.library() for branch in self.branches), join=self.join)

    def shape(self, shape: Shape) -> Shape:
        shapes = [branch.shape(shape) for branch in self.branches]
        return shapes[0] if self.join == "sum" else (sum(s[0] for s in shapes), *shapes[0][1:])

    def __call__(self, o: Oracle, name: str, x: Value) -> Value:
        parts = [branch(o, f"{name}/sequential{k + 1}", x) for k, branch in enumerate(self.branches)]
        return sum(parts[1:], parts[0]) if self.join == "sum" else joined(parts, 1)


@dataclass
class Recurrent:
    """A loop around ``inner``; its feedback is by default dense, or with concatenation the output as it is."""

    inner: Any
    feedback: Any = None
    join: str = "sum"
    label = "recurrent"

    def library(self) -> Any:
        feedback = None if self.feedback is None else self.feedback.library()
        return nbsnn.Recurrent(self.inner.library(), feedback, join=self.join)

    def shape(self, shape: Shape) -> Shape:
        return self.inner.shape(shape)

    def __call__(self, o: Oracle, name: str, x: Value) -> Value:
        inner = f"{name}/{'neurons' if isinstance(self.inner, Neurons) else 'inner'}"
        if name not in o.state:
            entry = x.shape[1:] if self.join == "sum" else (self.inner.layers[0].n_pre,)
            o.state[name] = self.inner.first(o, inner, (x.shape[0], *self.inner.shape(entry)))
        before, trace = o.state[name], o.trace
        if o.rule != "BPTT":
            before, o.trace = still(before), o.traces.get(inner, np.zeros(before.shape))
        back = before
        if self.feedback is not None:
            back = self.feedback(o, f"{name}/feedback", before)
        elif self.join == "sum":
            back = Dense(0, 0, bias=False)(o, f"{name}/feedback", before)
        o.trace = trace
        y = self.inner(o, inner, x + back if self.join == "sum" else joined([x, back], 1))
        o.state[name] = y
        return y


def places(shape: Shape, size: Shape, stride: Shape, padding: Shape) -> Shape:
    """Rows and columns that a window has on an image."""
    return tuple((n + 2 * p - k) // s + 1 for n, k, s, p in zip(shape[-2:], size, stride, padding, strict=True))


def windows(x: Value, size: Shape, stride: Shape) -> list[Value]:
    """All windows of images, row by row."""
    rows, columns = places(x.shape, size, stride, (0, 0))
    return [
        x[:, :, h * stride[0] : h * stride[0] + size[0], w * stride[1] : w * stride[1] + size[1]]
        for h in range(rows)
        for w in range(columns)
    ]


@dataclass
class Drawing:
    """Random networks: numbers from ``rng``, what shapes kernels from ``kinds``.

    Attributes
    ----------
    small : bool
        Whether they will be interpreted.
    """

    rng: np.random.Generator
    small: bool
    kinds: Callable[[], np.random.Generator] = field(default=lambda: np.random.default_rng())

    def size(self) -> int:
        odd = [1, 2, 3, 5, 7, 12, 17] if self.small and self.rng.random() < 0.85 else [1, 31, 63, 64, 65, 100, 129]
        return int(self.rng.choice(odd))

    def neurons(self, shape: Shape) -> Neurons:
        return Neurons(draw_neuron(self.rng, shape, self.kinds()))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def pair(self, low: int, high: int) -> tuple[int, int]:
        if self.chance(0.7):
            return (int(self.rng.integers(low, high)),) * 2
        return int(self.rng.integers(low, high)), int(self.rng.integers(low, high))

    def of_images(self, shape: Shape) -> list[Any]:
        """A convolution or a pooling."""
        size = tuple(min(k, n) for k, n in zip(self.pair(1, 4), shape[1:], strict=True))
        padding = tuple(int(self.rng.integers(0, k // 2 + 1)) for k in size)
        if self.chance(0.6):
            out = int(self.rng.integers(1, 4))
            stride = (1, 1) if self.chance(0.4) else self.pair(1, 3)
            path = "events" if stride == (1, 1) and self.chance(0.7) else "auto"
            return [Conv2d(shape[0], out, size, stride, padding, self.chance(0.7), path)]
        kind = str(self.rng.choice(["SumPool2d", "AvgPool2d", "MaxPool2d"]))
        if self.chance(0.4):  # side by side
            return [Pool2d(kind, size, size, (0, 0))]
        return [Pool2d(kind, size, self.pair(1, 3), padding)]

    def of_units(self, n: int) -> list[Any]:
        """Something that takes ``n`` units."""
        kind, m = self.rng.random(), self.size()
        path = str(self.rng.choice(["auto", "dense", "events"], p=[0.6, 0.2, 0.2]))
        if kind < 0.42:
            return [Dense(n, m, self.chance(0.7), path)]
        if kind < 0.48:
            return [TemporalConv(n, m, int(self.rng.integers(1, 4)), self.chance(0.7))]
        if kind < 0.54:
            return [Delay(int(self.rng.integers(1, 5)))]
        if kind < 0.60:
            return [Dropout(float(self.rng.choice([0.0, 0.2, 0.5])))]
        if kind < 0.68:
            return [Residual(Row([Dense(n, m), self.neurons((m,)), Dense(m, n, False)]))]
        if kind < 0.73:
            return [Residual(Row([Dense(n, m)]), Dense(n, m, False))]
        if kind < 0.82:
            join = str(self.rng.choice(["concatenate", "sum"]))
            other = m if join == "sum" else self.size()
            first = Row([Dense(n, m), *([self.neurons((m,))] if self.chance(0.5) else [])])
            return [Parallel([first, Row([Dense(n, other, False), Delay(int(self.rng.integers(1, 3)))])], join)]
        if kind < 0.94:
            back = None if self.chance(0.7) else Dense(m, m, True, path)
            return [Dense(n, m), Recurrent(self.neurons((m,)), back)]
        if self.chance(0.5):
            inner = Row([Dense(n + m, 4), self.neurons((4,)), Dense(4, m), self.neurons((m,))])
            return [Recurrent(inner, join="concatenate")]
        back = Row([Delay(1), Dense(m, n, False)])
        return [Recurrent(Row([Dense(n, m), self.neurons((m,))]), back)]

    def network(self) -> tuple[Row, Shape]:
        """Layers and the shape of their input."""
        rng = self.rng
        images = self.chance(0.25)
        shape: Shape = (int(rng.integers(1, 4)), *map(int, rng.integers(3, 8, 2))) if images else (self.size(),)
        first, layers = shape, list[Any]()
        for _ in range(int(rng.integers(1, 4))):
            if len(shape) == 3 and self.chance(0.3):
                layers.append(Flatten())
                shape = layers[-1].shape(shape)
            made = self.of_images(shape) if len(shape) == 3 else self.of_units(shape[0])
            for layer in made:
                layers.append(layer)
                shape = layer.shape(shape)
            if self.chance(0.8) and not isinstance(made[-1], Recurrent):
                layers.append(self.neurons(shape))
        if self.chance(0.5):
            if len(shape) == 3:
                layers.append(Flatten())
                shape = layers[-1].shape(shape)
            n = int(rng.integers(1, 12))
            layers += [Dense(shape[0], n), Neurons(draw_readout(rng, self.kinds()))]
        return Row(layers), first

    def input(self, shape: Shape) -> tuple[str, Array]:
        """A random input, and of which kind: spikes, numbers, other dtypes, odd memory layouts, one repeated step."""
        rng = self.rng
        steps = int(rng.integers(1, 9 if self.small else 26))
        batch = 1 if self.chance(0.2) else int(rng.integers(1, 4 if self.small else 9))
        full = (steps, batch, *shape)
        spikes, numbers = rng.random(full) < rng.choice([0.05, 0.3]), rng.normal(0.4, 0.7, full)
        kinds: dict[str, Callable[[], Any]] = {
            "spikes": lambda: spikes.astype(np.float32),
            "numbers": lambda: numbers,
            "bool": lambda: spikes,
            "counts": lambda: rng.integers(0, 3, full).astype(np.uint8),
            "negative integers": lambda: rng.integers(-2, 3, full),
            "half precision": lambda: numbers.astype(np.float16),
            "other byte order": lambda: numbers.astype(">f8"),
            "column order": lambda: np.asfortranarray(numbers),
            "reversed": lambda: numbers[::-1, ..., ::-1],
            "strided": lambda: rng.normal(0.4, 0.7, (2 * steps, 3 * batch, *shape)).astype(np.float32)[::2, ::3],
            "constant": lambda: np.broadcast_to(numbers[:1].astype(np.float32), full),
            "nothing": lambda: np.zeros(full, np.float32),
        }
        kind = str(rng.choice(list(kinds), p=[0.3, 0.15, *[0.05] * 8, 0.1, 0.05]))
        return kind, kinds[kind]()
