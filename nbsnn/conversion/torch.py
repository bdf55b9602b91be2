"""Weights of PyTorch: arrays by name, in its order of axes, put into networks of nbsnn; torch is not needed.

``Linear`` [out, in] is transposed. Convolutions [out, in / groups, k ...] become [in / groups, k ..., out], transposed
convolutions [in, out / groups, k ...] become [in, k ..., out / groups]. Normalisations are as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

import numpy as np
from numpy.typing import DTypeLike

from ..checkpoint.save import arrays_of
from ..device.gpu import assign
from ..layers import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool1d,
    AvgPool2d,
    BatchNorm,
    Container,
    Conv1d,
    Conv2d,
    ConvTranspose1d,
    ConvTranspose2d,
    Dense,
    Dropout,
    Flatten,
    GroupNorm,
    Identity,
    Layer,
    MaxPool1d,
    MaxPool2d,
    Population,
    ReLU,
    Sequential,
)
from ..layers.layer import Array
from ..validate import arguments as arguments_of
from ..validate import finite, instance, names, real

T = TypeVar("T", bound=Layer)

Description = Mapping[str, object]

CONVOLUTION = ("stride", "padding", "dilation", "groups", "padding_mode")
TRANSPOSED = ("stride", "padding", "output_padding", "dilation", "groups")
SIZES: dict[str, tuple[Callable[..., Layer], tuple[str, ...], tuple[str, ...]]] = {
    "Linear": (Dense, ("in_features", "out_features"), ()),
    "Conv1d": (Conv1d, ("in_channels", "out_channels", "kernel_size"), CONVOLUTION),
    "Conv2d": (Conv2d, ("in_channels", "out_channels", "kernel_size"), CONVOLUTION),
    "ConvTranspose1d": (ConvTranspose1d, ("in_channels", "out_channels", "kernel_size"), TRANSPOSED),
    "ConvTranspose2d": (ConvTranspose2d, ("in_channels", "out_channels", "kernel_size"), TRANSPOSED),
    "MaxPool1d": (MaxPool1d, ("kernel_size",), ("stride", "padding", "dilation", "ceil_mode")),
    "MaxPool2d": (MaxPool2d, ("kernel_size",), ("stride", "padding", "dilation", "ceil_mode")),
    "AvgPool1d": (AvgPool1d, ("kernel_size",), ("stride", "padding", "ceil_mode", "count_include_pad")),
    "AvgPool2d": (
        AvgPool2d, ("kernel_size",), ("stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")
    ),
    "AdaptiveAvgPool1d": (AdaptiveAvgPool, ("output_size",), ()),
    "AdaptiveAvgPool2d": (AdaptiveAvgPool, ("output_size",), ()),
    "AdaptiveMaxPool1d": (AdaptiveMaxPool, ("output_size",), ()),
    "AdaptiveMaxPool2d": (AdaptiveMaxPool, ("output_size",), ()),
    "GroupNorm": (GroupNorm, ("num_groups",), ("eps", "affine")),
    "BatchNorm1d": (BatchNorm, (), ("momentum", "eps", "affine")),
    "BatchNorm2d": (BatchNorm, (), ("momentum", "eps", "affine")),
    "Dropout": (Dropout, ("p",), ()),
    "ReLU": (ReLU, (), ()),
    "Flatten": (Flatten, (), ()),
    "Identity": (Identity, (), ()),
}  # fmt: skip
"""PyTorch's class -> ours, which of its attributes are its first arguments, which are options."""

ALSO = "num_features", "num_channels", "start_dim", "end_dim", "inplace", "track_running_stats"
"""Options of descriptions that say nothing that a network of nbsnn would not know."""


def load_torch(net: T, state: Mapping[str, object], *, ignore: str | Sequence[str] = ()) -> T:
    """Put the weights of a PyTorch module into a network of the same layers.

    Modules that have parameters and layers that have some belong together in their order; names may differ.

    Parameters
    ----------
    net : Layer
        The network; all of its parameters are given, or none if an error is raised.
    state : mapping
        What ``module.state_dict()`` returns: names as "0.weight" or "fc1.bias", with arrays or tensors.
    ignore : str or sequence of str, optional
        Patterns of names to leave out, "lif*" for neurons' parameters, whose conventions differ: give those to the
        neurons of ``net``.

    Returns
    -------
    Layer
        ``net``.

    Raises
    ------
    TypeError, ValueError
        If numbers, names or shapes do not fit.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(3, 2), nbsnn.neurons.LIF(), seed=0)
    >>> state = {"fc1.weight": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "fc1.bias": [0.0, 1.0]}
    >>> nbsnn.load_torch(net, state)["dense1"].weight
    array([[1., 4.],
           [2., 5.],
           [3., 6.]], dtype=float32)
    """
    instance("net", net, Layer, "a network")
    if not net.built:
        raise ValueError("net has no shape yet: give the first layer one, or Sequential(..., input_shape=...)")
    patterns = names("ignore", tuple(ignore) if isinstance(ignore, list) else ignore)
    modules: dict[str, dict[str, np.ndarray]] = {}
    instance("state", state, Mapping, "a state dict, names with arrays")
    for pattern in patterns:
        if not any(isinstance(name, str) and fnmatchcase(name, pattern) for name in state):
            raise ValueError(f"ignore: {pattern!r} fits no name in state: {', '.join(map(str, state))}")
    for name, value in state.items():
        instance("a name in state", name, str, "text")
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            continue
        module, _, entry = name.rpartition(".")
        if entry != "num_batches_tracked":
            modules.setdefault(module, {})[entry] = finite(f"state[{name!r}]", _array(f"state[{name!r}]", value))
    wanted: dict[str, dict[str, Array]] = {}
    for name, array in arrays_of(net).items():
        layer, _, entry = name.partition("/")[2].rpartition("/")
        if entry != "batches":
            wanted.setdefault(layer, {})[entry] = array
    if len(modules) != len(wanted):
        raise ValueError(f"state has parameters of {_said(modules)}, but net of {_said(wanted)}")
    found: list[tuple[Array, np.ndarray]] = []
    for (module, given), (layer, own) in zip(modules.items(), wanted.items(), strict=True):
        of = net[layer] if layer and isinstance(net, Container) else net
        if isinstance(of, Population):
            raise ValueError(f"{layer} trains {', '.join(own)}, which PyTorch has no common form of: set them by hand")
        if given.keys() != own.keys():
            raise ValueError(f"{module} has {', '.join(given)}, but {layer or of.kind} has {', '.join(own)}")
        for entry, array in own.items():
            value = _ours(of, entry, given[entry])
            if value.shape != tuple(array.shape):
                shape, theirs = list(given[entry].shape), list(_theirs(of, entry, np.empty(array.shape)).shape)
                raise ValueError(f"{module}.{entry} has shape {shape}, but for {layer or of.kind} it must be {theirs}")
            with np.errstate(over="ignore"):
                found.append((array, finite(f"{module}.{entry}, as {array.dtype},", value.astype(array.dtype))))
    for array, value in found:
        assign(array, np.ascontiguousarray(value))
    return net


def from_torch(
    module: object,
    state: Mapping[str, object] | None = None,
    *,
    input_shape: int | tuple[int, ...] | None = None,
    dtype: DTypeLike = np.float32,
    device: str = "cpu",
) -> Sequential:
    """Make a network of a PyTorch module, layer by layer, with its weights.

    Parameters
    ----------
    module : torch.nn.Sequential, or sequence of mappings
        Of ``Linear``, ``Conv1d``, ``Conv2d``, ``ConvTranspose1d``, ``ConvTranspose2d``, ``BatchNorm``, ``GroupNorm``,
        ``MaxPool``, ``AvgPool``, adaptive pooling, ``Flatten``, ``Dropout``, ``ReLU``, ``Identity``. Or their
        description, ``[{"layer": "Linear", "in_features": 4, "out_features": 2, "bias": True}, {"layer": "ReLU"}]``,
        with PyTorch's names of options.
    state : mapping, optional
        Its ``state_dict()``, which a module has itself; without it weights are drawn.
    input_shape : int or tuple of int, optional
        Of one sample, where the first layer does not know it: (channels, height, width).
    dtype, device
        As of ``Sequential``.

    Returns
    -------
    Sequential
        ``nbsnn.to_spiking`` makes a spiking one of it.

    Raises
    ------
    TypeError, ValueError
        If there is a layer or option that has no counterpart, or the weights do not fit.

    Examples
    --------
    >>> import nbsnn
    >>> layers = [{"layer": "Linear", "in_features": 2, "out_features": 1, "bias": False}, {"layer": "ReLU"}]
    >>> net = nbsnn.from_torch(layers, {"0.weight": [[1.0, -2.0]]})
    >>> net.run(np.array([[[3.0, 1.0]]])).output.item()
    1.0
    """
    nested = callable(getattr(module, "children", None))
    if nested and not _in_order(module):
        raise TypeError(
            f"module must be a torch.nn.Sequential, not a {type(module).__name__}, whose forward may do anything with "
            "its layers: give those that run one after the other, torch.nn.Sequential(module.conv, module.fc) say"
        )
    if isinstance(module, (str, Mapping, Layer)) or not (nested or np.iterable(module)):
        raise TypeError(f"module must be a torch.nn.Sequential, or a list of descriptions, not {module!r}")
    if nested:
        parts: list[object] = list(module.children())  # type: ignore[attr-defined]
        state = module.state_dict() if state is None and hasattr(module, "state_dict") else state  # type: ignore[attr-defined]
    else:
        parts = list(module)  # type: ignore[call-overload]
    if not parts:
        raise ValueError("module must have at least one layer")
    layers = [_layer(k, part) for k, part in enumerate(parts)]
    net = Sequential(*layers, input_shape=input_shape, dtype=dtype, device=device)
    if not net.built:
        raise ValueError("input_shape must be given: the first layer does not know its input")
    return net if state is None else load_torch(net, state)


def _in_order(module: object) -> bool:
    """True of a ``torch.nn.Sequential``, and of a class derived from it that runs in the same way."""
    kinds = type(module).__mro__
    base = next((kind for kind in kinds if kind.__name__ == "Sequential"), None)
    return base is not None and getattr(kinds[0], "forward", None) is getattr(base, "forward", None)


def _layer(k: int, part: object) -> Layer:
    """Our layer for one of PyTorch's, or for a description of one."""
    if not isinstance(part, Mapping) and not hasattr(part, "__dict__"):
        raise TypeError(f"module: layer {k} must be one of PyTorch's or a description of one, not {part!r}")
    options = dict(part) if isinstance(part, Mapping) else {**vars(part), "layer": type(part).__name__}
    kind = options.pop("layer", None)
    if not isinstance(kind, str) or kind not in SIZES:
        raise ValueError(f"layer {k}, {kind!r}, has no counterpart: known are {', '.join(SIZES)}")
    make, first, known = SIZES[kind]
    if not isinstance(part, Mapping):  # parameters are kept apart from other attributes
        options |= {name: getattr(part, name) for name in (*first, *known, "bias") if hasattr(part, name)}
    elif extra := options.keys() - {"bias", *ALSO, *first, *known}:
        raise ValueError(f"layer {k}, a {kind}, has an option that has no counterpart: {', '.join(sorted(extra))}")
    if options.get("start_dim", 1) != 1 or options.get("end_dim", -1) != -1:
        raise ValueError(f"layer {k}, a {kind}, must keep the axis of samples and no other: start_dim=1, end_dim=-1")
    if lacking := [name for name in first if options.get(name) is None]:
        raise ValueError(f"layer {k}, a {kind}, lacks {', '.join(lacking)}")
    given = {n: tuple(v) if isinstance(v, list) else v for n, v in options.items() if n in (*first, *known)}
    if kind.endswith("1d"):  # lengths along one axis
        given = {n: v[0] if isinstance(v, tuple) and len(v) == 1 else v for n, v in given.items()}
    if kind.startswith("BatchNorm"):
        given["running"] = options.get("track_running_stats", True)
        if not given["running"]:
            given.pop("momentum", None)
    elif "bias" in arguments_of(make) and kind != "GroupNorm":
        given["bias"] = options.get("bias", True) is not None and options.get("bias") is not False
    sizes = [given.pop(name) for name in first]
    return make(*sizes, **given)


def _array(name: str, value: object) -> np.ndarray:
    """A tensor or array as numbers."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()  # type: ignore[attr-defined]
    return real(name, value)


def _ours(layer: Layer, entry: str, value: np.ndarray) -> np.ndarray:
    """A parameter of PyTorch in our order of axes."""
    if entry == "gain":
        return value.ravel()  # [out, 1 ...]
    if entry != "weight" or value.ndim < 2:
        return value
    if isinstance(layer, Dense):
        return value.T
    if isinstance(layer, ConvTranspose2d):
        return np.moveaxis(value, 1, -1)
    return np.moveaxis(value, 0, -1) if isinstance(layer, Conv2d) else value


def _theirs(layer: Layer, entry: str, value: np.ndarray) -> np.ndarray:
    """The reverse of ``_ours``."""
    if entry != "weight" or value.ndim < 2:
        return value
    if isinstance(layer, Dense):
        return value.T
    if isinstance(layer, ConvTranspose2d):
        return np.moveaxis(value, -1, 1)
    return np.moveaxis(value, -1, 0) if isinstance(layer, Conv2d) else value


def _said(modules: Mapping[str, Mapping[str, object]]) -> str:
    """Names of modules and of their parameters."""
    return "; ".join(f"{name or 'itself'}: {', '.join(own)}" for name, own in modules.items()) or "nothing"
