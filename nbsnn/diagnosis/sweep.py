"""One function at many points, in many processes, each point once: also after a kill."""

from __future__ import annotations

import hashlib
import itertools
import json
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from .. import validate
from ..device.threads import set_threads, threads
from ..version import __version__

Point = dict[str, object]


def sweep(
    function: Callable[..., object],
    grid: Mapping[str, Iterable[object]] | Iterable[Mapping[str, object]],
    store: str | PathLike[str] = "sweep.jsonl",
    executor: Executor | None = None,
) -> Iterator[tuple[Point, object]]:
    """Call a function at every point of a grid, and yield points and results as they come.

    Results are appended to ``store``, a line of JSON each, and found there when the sweep is started again: what is in
    the file already comes first, and is not worked out again, whenever the sweep was killed.

    Parameters
    ----------
    function : callable
        ``function(**point)``, at the top of a module, as it runs in other processes; its results are numbers, texts,
        lists and dictionaries of these. Another function, by its name, and another version of nbsnn begin anew.
    grid : mapping or iterable of mappings
        {name: values}, whose combinations are the points, or the points themselves; of what JSON can hold.
    store : path
        The file; it is made if need be. One sweep at a time writes to it.
    executor : concurrent.futures.Executor, optional
        Anything with ``submit`` whose futures are those of ``concurrent.futures``: ``mpi4py.futures.MPIPoolExecutor``
        under ``mpiexec -n 4 python -m mpi4py.futures``, Dask's ``Client.get_executor()``, loky's. By default a process
        for each processor, with one thread.

    Returns
    -------
    iterator of (point, result)
        Stored results first, then in the order of completion; all as JSON returns them.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, a point or a result is nothing that JSON can hold, or the file is not the
        store of a sweep.
    Exception
        That of the function, with a note that names the point; other points that are done are in the store.

    Examples
    --------
    >>> import nbsnn, tempfile
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> def area(a, b):
    ...     return a * b
    >>> with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as threads:
    ...     found = nbsnn.sweep(area, {"a": [1, 2], "b": [3]}, store=folder + "/areas.jsonl", executor=threads)
    ...     print(sorted(result for point, result in found))
    [3, 6]
    """
    if not callable(function) or isinstance(function, type):
        raise TypeError(f"function must be a function of a point's values, not {function!r}")
    if executor is not None and not hasattr(executor, "submit"):
        raise TypeError(f"executor must have submit(), as those of concurrent.futures do, not {executor!r}")
    file = Path(validate.path("store", store))
    name = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', repr(function))}"
    points = {_key(name, point): point for point in _points(grid)}
    return _results(function, points, _stored(file), file, executor)


def _results(
    function: Callable[..., object], points: dict[str, Point], known: dict[str, object], file: Path,
    executor: Executor | None,
) -> Iterator[tuple[Point, object]]:  # fmt: skip
    for key, point in points.items():
        if key in known:
            yield point, known[key]
    missing = {key: point for key, point in points.items() if key not in known}
    if not missing:
        return
    workers = min(threads(), len(missing))
    own = executor is None
    with _processes(workers) if own else nullcontext(executor) as pool, file.open("ab") as out:
        futures: dict[Future, str] = {pool.submit(function, **point): key for key, point in missing.items()}
        try:
            for future in as_completed(futures):
                key = futures[future]
                try:
                    result = _append(out, key, missing[key], future.result())
                except Exception as error:
                    error.add_note(f"at the point {missing[key]}")
                    raise
                yield missing[key], result
        finally:
            for future in futures:
                future.cancel()


def _processes(workers: int) -> ProcessPoolExecutor:
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=spawn, initializer=set_threads, initargs=(1,))


def _points(grid: object) -> list[Point]:
    """The points of a grid."""
    if isinstance(grid, Mapping):
        for name, values in grid.items():
            if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
                raise TypeError(f"grid: {name!r} must have several values, not {values!r}")
        return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    if isinstance(grid, (str, bytes)) or not isinstance(grid, Iterable) or getattr(grid, "ndim", 1) == 0:
        raise TypeError(f"grid must be {{name: values}}, or points, not {grid!r}")
    points = list(grid)
    for point in points:
        if not isinstance(point, Mapping):
            raise TypeError(f"grid: a point must be {{name: value}}, not {point!r}")
    return [dict(point) for point in points]


def _key(name: str, point: Point) -> str:
    """What tells a point of a function from others."""
    if not all(isinstance(key, str) for key in point):
        raise TypeError(f"grid: names of a point must be texts, not {list(point)}")
    try:
        text = json.dumps([name, __version__, point], sort_keys=True)
    except (TypeError, ValueError) as error:
        raise TypeError(f"grid: {point} is nothing that JSON can hold: {error}") from None
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _stored(file: Path) -> dict[str, object]:
    """Results that are in the file; a last line that a kill has cut off is removed from it."""
    if not file.exists():
        return {}
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    found = {}
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            row = json.loads(line)
            found[row["key"]] = row["result"]
        except (ValueError, TypeError, KeyError):
            raise ValueError(f"{file} is not the store of a sweep: line {number} is none of its results") from None
    if len(whole) < len(content):
        if not content[len(whole) :].startswith(b'{"key": '[: len(content) - len(whole)]):
            raise ValueError(f"{file} is not the store of a sweep: its last line is none of its results")
        os.truncate(file, len(whole))
    return found


def _append(out: BinaryIO, key: str, point: Point, result: object) -> object:
    """Write a result, for good; returns it as it will be read."""
    try:
        line = json.dumps({"key": key, "point": point, "result": result})
    except (TypeError, ValueError) as error:
        raise TypeError(f"a result must be what JSON can hold, not {result!r}: {error}") from None
    out.write(line.encode() + b"\n")
    out.flush()
    os.fsync(out.fileno())
    return json.loads(line)["result"]
