"""The state of a network, as a run is given it: checked against the one that it would begin from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..device.buffers import Nested
from ..device.host import Host
from ..validate import finite
from ..validate.kinds import is_dict, is_mapping


class Start(dict[str, Any]):
    """The state that ``initial`` returns: where a run starts that is given none.

    Trained initial values get their gradient from a run that starts from it, and only from such a run. A state that
    somebody made or changed is an ordinary dict; so where initial values are trained, these arrays cannot be changed.
    """


def checked_state(given: object, model: Mapping[str, Any], where: str, batch: int) -> dict[str, Any]:
    """``given``, nested by layer, if its names, shapes and dtypes are those of ``model`` and its numbers are finite."""
    if not is_mapping(given):
        raise TypeError(f"{where} must be a dict of arrays, not {type(given).__name__}")
    if given.keys() != model.keys():
        raise ValueError(f"{where} has the entries {sorted(given)}, but this network's has {sorted(model)}")
    result: dict[str, Any] = {}
    for name, wanted in model.items():
        value = given[name]
        if is_mapping(wanted):
            result[name] = checked_state(value, wanted, f"{where}[{name!r}]", batch)
            continue
        value = np.asarray(value)
        if value.shape != wanted.shape:
            raise ValueError(
                f"{where}[{name!r}] has shape {list(value.shape)}, but this network with a batch of {batch} needs "
                f"{list(wanted.shape)}"
            )
        if value.dtype != wanted.dtype:
            raise TypeError(f"{where}[{name!r}] is {value.dtype}, but this network computes in {wanted.dtype}")
        result[name] = finite(f"{where}[{name!r}]", value)
    return result


def placed(nested: Nested, arrays: Host) -> Nested:
    """A state with its arrays where a network computes."""
    return {k: placed(v, arrays) if is_dict(v) else arrays.put(v) for k, v in nested.items()}
