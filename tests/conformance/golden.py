"""Golden data: numbers that another system computed, and how to compare with them.

A file ``<topic>.npz`` in the folder ``--golden-dir`` (default ``tests/golden``) holds cases. Each has settings
(``case.params``, a dict) and arrays (``case["x"]``). A test names the file and gets one run per case found in it:

    @golden("sj_lif.npz", where=lambda case: case.params["dtype"] == "float64")
    def test_membrane(case):
        v = ...  # made from case.params and case["x"], never from the case's name or from numbers written here
        close(v, case["v"])
        exact(spikes, case["spikes"])

so that another folder with other shapes, values and cases runs the same tests. If the file is not there, the test is
skipped and says so. If ``where`` chooses no case, the test is skipped too, except that in the default folder, where
that can only be a mistake, collection fails.
"""

import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, DTypeLike

DEFAULT_FOLDER = Path(__file__).parent.parent / "golden"

TOLERANCE = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-5}
"""How far a result may be from the recorded one, as a share of the largest recorded magnitude."""


@dataclass(frozen=True, eq=False)
class Case:
    """One case of a golden file: ``case.params["tau"]``, ``case["x"]``, ``"v_init" in case``, ``list(case)``."""

    name: str
    params: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def __getitem__(self, key: str) -> np.ndarray:
        return self.arrays[key].copy()  # tests share a case: what one does to an array must not reach another

    def __contains__(self, key: str) -> bool:
        return key in self.arrays

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def group(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays whose keys begin with ``prefix``, without it: ``case.group("param/")["0.weight"]``."""
        return {key.removeprefix(prefix): self[key] for key in self if key.startswith(prefix)}

    @property
    def dtype(self) -> np.dtype:
        """The precision that the case was computed in."""
        return np.dtype(self.params["dtype"])


def golden(file: str, where: Callable[[Case], bool] | None = None) -> pytest.MarkDecorator:
    """Run the test once for each case of ``file`` for which ``where`` is true, passed as the argument ``case``."""
    return pytest.mark.golden(file=file, where=where)


@functools.cache
def load(path: Path) -> tuple[Case, ...]:
    """All cases of a file, which is read once."""
    with np.load(path, allow_pickle=False) as stored:
        everything = {key: stored[key] for key in stored.files}
    cases = []
    for name in map(str, everything["cases"]):
        arrays = {key.removeprefix(f"{name}/"): a for key, a in everything.items() if key.startswith(f"{name}/")}
        cases.append(Case(name, json.loads(str(arrays.pop("params"))), arrays))
    return tuple(cases)


def close(actual: ArrayLike, expected: ArrayLike, dtype: DTypeLike | None = None, *, what: str = "") -> None:
    """Fail unless shapes agree and no element differs by more than the precision's share of the array's scale.

    The scale is the largest finite magnitude in ``expected``. NaN and infinity must stand in the same places. For an
    integer ``dtype`` equality is exact.

    Parameters
    ----------
    actual, expected : array
        What was computed, and what was recorded.
    dtype : dtype, optional
        float64: 1e-10; float32: 1e-5; integers: exact. By default that of ``expected``.
    what : str
        What is compared, for the message.
    """
    actual, expected = np.asarray(actual), np.asarray(expected)
    dtype = np.dtype(expected.dtype if dtype is None else dtype)
    if dtype not in TOLERANCE:
        return exact(actual, expected, what=what)
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, recorded {expected.shape}"
    scale = float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)) or 1.0
    np.testing.assert_allclose(actual, expected, rtol=0.0, atol=TOLERANCE[dtype] * scale, err_msg=what)


def exact(actual: ArrayLike, expected: ArrayLike, *, what: str = "") -> None:
    """Fail unless shapes and all values are equal: for spikes and integers, of whatever dtype."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, recorded {expected.shape}"
    np.testing.assert_array_equal(actual, expected, err_msg=what)
