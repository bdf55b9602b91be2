"""Array operations: the same methods on both devices."""

import inspect

from nbsnn.device.gpu_arrays import Gpu
from nbsnn.device.host import Host


def test_a_gpu_has_operations_of_its_own_for_all_of_the_cpu():
    def operations(kind):
        return {name for name in vars(kind) if not name.startswith("_")}

    assert operations(Host) == operations(Gpu)
    for name in operations(Host) - {"numpy"}:
        own, other = (list(inspect.signature(getattr(kind(), name)).parameters) for kind in (Host, Gpu))
        assert len(own) == len(other), name
