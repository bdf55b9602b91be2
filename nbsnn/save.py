"""Networks in files: one ``.npz`` that NumPy alone can read.

The entries are the parameters under their names ("param/dense1/weight") and one JSON text, "nbsnn", with the
architecture and every convention: decay, reset, comparison, input gain, dt. Files are written beside their place and
renamed, so that a reader never meets half a file.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from . import validate
from .describe import describe, rebuild
from .device import DEVICES
from .gpu import assign, get
from .layers.layer import Layer
from .validate import choice, finite, instance
from .version import __version__

FORMAT = 1


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
    setting = {"dt": net.setting.dt, "dtype": str(net.setting.dtype)}
    story = {"format": FORMAT, "version": __version__, "setting": setting, "in_shape": list(net.in_shape)}
    story["net"] = describe(net, arrays)
    for name, array in net.parameters().items():
        arrays[f"param/{name}"] = get(array)
    for name, array in instance("extra", {} if extra is None else extra, Mapping, "a mapping from names").items():
        if name.startswith(("param/", "value/")) or name == "nbsnn":
            raise ValueError(f"extra must not use the name {name!r}: it belongs to the network")
        arrays[name] = np.asarray(array)
    write_npz(path, {"nbsnn": np.array(json.dumps(story)), **arrays})


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
    """
    path = validate.path("path", path)
    if net is not None:
        instance("net", net, Layer, "a network")
    choice("device", device, (*DEVICES, "auto"))
    found = restore(read_npz(path), path, net)
    return found if net is not None or device == "cpu" else found.twin(device=device)


def restore(arrays: Mapping[str, np.ndarray], path: Any, net: Layer | None = None) -> Layer:
    """The network in the arrays of a file."""
    story = json.loads(str(arrays["nbsnn"]))
    if story.get("format") != FORMAT:
        raise ValueError(f"{path} has checkpoint format {story.get('format')!r}; this version reads {FORMAT}")
    if net is None:
        net = rebuild(story["net"], story["setting"], tuple(story["in_shape"]), arrays)
    parameters = net.parameters()
    given = {name.removeprefix("param/") for name in arrays if name.startswith("param/")}
    if given != parameters.keys():
        raise ValueError(f"{path} holds the parameters {sorted(given)}, but the network has {sorted(parameters)}")
    for name, parameter in parameters.items():
        array = finite(f"{path}: {name}", arrays[f"param/{name}"])
        if array.shape != tuple(parameter.shape):
            raise ValueError(f"{path}: {name} is {list(array.shape)}, but the network's is {list(parameter.shape)}")
    for name, parameter in parameters.items():
        assign(parameter, arrays[f"param/{name}"])
    return net


def write_npz(path: str | PathLike[str], arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to ``path`` in one go: whoever opens it finds the old file or the new one, never a part."""
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_npz(path: str | PathLike[str]) -> dict[str, np.ndarray]:
    """All arrays of a checkpoint; raises ``ValueError`` if it is none, or is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, AttributeError) as error:
        raise ValueError(f"{path} is not a readable .npz file: it is damaged, or of another kind ({error})") from None
    if "nbsnn" not in arrays:
        raise ValueError(f"{path} was not written by nbsnn: it has no entry 'nbsnn', only {sorted(arrays)[:5]}")
    return arrays
