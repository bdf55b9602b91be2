"""Networks in files: one ``.npz`` that NumPy alone can read.

The entries are the parameters under their names ("param/dense1/weight") and one JSON text, "nbsnn", with the
architecture and every convention: decay, reset, comparison, input gain, dt. Files are written beside their place and
renamed, so that a reader never meets half a file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any

import numpy as np

from .. import validate
from ..device.buffers import Array
from ..device.gpu import assign, get
from ..device.threads import DEVICES
from ..files.json_fields import fields, listed
from ..files.npz import Entries, Stream, reading, write_entries
from ..files.whole import writing
from ..layers.kept import check_kept
from ..layers.layer import Layer
from ..validate import choice, finite, instance
from ..validate.kinds import is_dict, mapping
from ..version import __version__
from .describe import OwnPart, describe, rebuild

FORMAT = 1
PREFIXES = {"param/": "parameters", "buffer/": "buffers"}


def save(net: Layer, path: str | PathLike[str], extra: Mapping[str, np.ndarray] | None = None) -> None:
    """Write a network to ``path``.

    Parameters
    ----------
    net : Layer
        A network, built.
    path : str or path
        The file, by custom ``.npz``.
    extra : mapping, optional
        Further arrays to keep in the file, under names of their own.

    Raises
    ------
    TypeError, ValueError
        If an option of a layer or neuron is a function, or an array holds objects. Nothing is written then.
    OSError
        If the file cannot be written. An earlier one then is as it was.

    Examples
    --------
    >>> import os, tempfile, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 2), nbsnn.neurons.LIF(), seed=0)
    >>> path = os.path.join(tempfile.mkdtemp(), "net.npz")
    >>> nbsnn.save(net, path)
    >>> bool((nbsnn.load(path)["dense1"].params["weight"] == net["dense1"].params["weight"]).all())
    True
    """
    instance("net", net, Layer, "a network")
    path = validate.path("path", path)
    arrays: dict[str, np.ndarray] = {}
    setting = {"dt": float(net.setting.dt), "dtype": str(net.setting.dtype)}
    shape = [int(n) for n in net.in_shape]
    description = {"format": FORMAT, "version": __version__, "setting": setting, "in_shape": shape}
    description["net"] = describe(net, arrays)
    for name, array in net.parameters().items():
        arrays[f"param/{name}"] = get(array)
    check_kept(net)
    for name, array in net.all_buffers().items():
        arrays[f"buffer/{name}"] = get(array)
    for name, array in mapping("extra", {} if extra is None else extra).items():
        if name.startswith(("param/", "value/", "buffer/")) or name == "nbsnn":
            raise ValueError(f"extra must not use the name {name!r}: it belongs to the network")
        arrays[name] = np.asarray(array)
    write_npz(path, {"nbsnn": np.array(json.dumps(description)), **arrays})


def load(path: str | PathLike[str], net: Layer | None = None, *, device: str = "cpu") -> Layer:
    """Read a network that ``save`` wrote.

    Parameters
    ----------
    path : str or path
        The file.
    net : Layer, optional
        A network of the same architecture to read the parameters into: needed when it has neurons or layers of
        your own, which a file cannot hold.
    device : str, default "cpu"
        Where the network shall compute, unless ``net`` is given: files know nothing of devices.

    Returns
    -------
    Layer
        The network (``net``, if given).

    Raises
    ------
    ValueError
        If the file is not a checkpoint of nbsnn, is damaged, or does not fit ``net``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(3, 2), nbsnn.neurons.LIF(), seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nbsnn.save(net, Path(folder) / "net.npz")
    ...     again = nbsnn.load(Path(folder) / "net.npz")
    >>> np.array_equal(net["dense1"].params["weight"], again["dense1"].params["weight"])
    True
    """
    path = validate.path("path", path)
    if net is not None:
        instance("net", net, Layer, "a network")
    choice("device", device, (*DEVICES, "auto"))
    found = restore(read_npz(path), path, net)
    return found if net is not None or device == "cpu" else found.twin(device=device)


def restore(arrays: Entries, path: str | PathLike[str], net: Layer | None = None) -> Layer:
    """The network in the arrays of a file."""
    net, found = fitting(arrays, path, net)
    fill(net, found)
    return net


def fitting(
    arrays: Entries, path: str | PathLike[str], net: Layer | None = None
) -> tuple[Layer, dict[str, np.ndarray]]:
    """The network in the arrays of a file, or ``net``, still unchanged, and what it is given, all of it checked."""
    with reading(path):
        description = arrays.description("nbsnn")
        if not is_dict(description) or not {"format", "net", "setting", "in_shape"} <= description.keys():
            raise ValueError("its entry 'nbsnn' describes no network")
        if description["format"] != FORMAT:
            raise ValueError(f"{path} has checkpoint format {description['format']!r}; this version reads {FORMAT}")
        shapes = {name: arrays.shape(name) for name in arrays if name.startswith(tuple(PREFIXES))}
        if net is None:
            net = _built(description, path, arrays, sum(map(math.prod, shapes.values())))
        wanted = arrays_of(net)
        buffers = [name for name in wanted if name.startswith("buffer/")]
        declared = any(layer.buffers for layer in (net, *net.layers().values()))
        if not declared and not any(name in shapes for name in buffers):  # a file from before there were buffers
            wanted = {name: array for name, array in wanted.items() if name not in buffers}
        if shapes.keys() != wanted.keys():
            raise ValueError(f"{path} holds {_listed(shapes)}, but the network has {_listed(wanted)}")
        for name, array in wanted.items():
            if shapes[name] != tuple(array.shape):
                short, here = name.partition("/")[2], list(array.shape)
                raise ValueError(f"{path}: {short} is {list(shapes[name])}, but the network's is {here}")
        return net, {name: checked(arrays, path, name, like) for name, like in wanted.items()}


def fill(net: Layer, found: Mapping[str, np.ndarray]) -> None:
    """Give ``net`` the parameters and buffers that ``fitting`` found."""
    own = arrays_of(net)
    for name, array in found.items():
        assign(own[name], array)


def arrays_of(net: Layer) -> dict[str, Array]:
    """The parameters and buffers of a network under their names in a file."""
    found = {f"param/{name}": array for name, array in net.parameters().items()}
    return found | {f"buffer/{name}": array for name, array in net.all_buffers().items()}


def _listed(names: Iterable[str]) -> str:
    """Names in a file, in words."""
    kinds = {what: sorted(n.removeprefix(p) for n in names if n.startswith(p)) for p, what in PREFIXES.items()}
    return " and ".join(f"the {what} {found}" for what, found in kinds.items() if found or what == "parameters")


def _built(description: dict[str, Any], path: str | PathLike[str], arrays: Entries, count: int) -> Layer:
    known: dict[str, Any] = {"format": int, "version": str, "setting": dict, "in_shape": list, "net": dict}
    fields("its description", description, known)
    shape = tuple(listed("in_shape", description["in_shape"], int, least=1))
    try:
        return rebuild(description["net"], description["setting"], shape, arrays, count)
    except OwnPart as error:
        raise ValueError(f"{path}: {error}") from None


def checked(arrays: Entries, path: str | PathLike[str], name: str, like: Array) -> np.ndarray:
    """An entry that takes the place of ``like``: of its kind and shape, and finite."""
    kinds, short = "iu" if like.dtype.kind in "iu" else like.dtype.kind, name.partition("/")[2]
    found = arrays.array(name, kinds, tuple(like.shape))
    if like.dtype.kind != "f" and found.dtype != like.dtype:
        raise ValueError(f"{path}: {short} holds {found.dtype}, but the network's is {like.dtype}")
    with np.errstate(over="ignore"):
        array = finite(f"{path}: {short}", found).astype(like.dtype, copy=False)
    return finite(f"{path}: {short}, as {like.dtype},", array)


def write_npz(path: str | PathLike[str], arrays: Mapping[str, np.ndarray | Stream]) -> None:
    """Write arrays to ``path`` in one go: whoever opens it finds the old file or the new one, never a part."""
    path = validate.path("path", path)
    for name, array in arrays.items():
        dtype = array.dtype if isinstance(array, Stream) else np.asarray(array).dtype
        if name in ("file", "allow_pickle") or dtype.kind not in "fiubU":
            raise ValueError(f"{path} cannot hold {name!r} of {dtype}: numbers and texts alone, and other names")
    with writing(path) as file:
        write_entries(file, arrays)


def read_npz(path: str | PathLike[str]) -> Entries:
    """The arrays of a checkpoint, read as they are asked for; raises ``ValueError`` if it is none, or is damaged."""
    arrays = Entries(path)
    if "nbsnn" not in arrays:
        raise ValueError(f"{path} was not written by nbsnn: it has no entry 'nbsnn', only {sorted(arrays)[:5]}")
    return arrays
