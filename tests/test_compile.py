"""The cache contract in fresh processes, and what a kernel is made of.

``compile_session.py`` is the script that runs in those processes: a cold one, in which every edit must compile, and a
warm one, in which everything must come from the cache.
"""

import gc
import json
import math
import os
import subprocess
import sys
import types
import typing
from pathlib import Path

import numpy as np
import pytest

import nbsnn
from nbsnn import neurons
from nbsnn.compile import fill as compile
from nbsnn.compile.collector import uncollected
from nbsnn.compile.fill import kernel
from nbsnn.compile.reference import Placed
from nbsnn.compile.references import makes_arrays
from nbsnn.compile.unroll import row, row_sum, store
from nbsnn.kernels.arrays.pieces import lines_at, numbers_at, samples_at, steps_at
from nbsnn.kernels.network.arrays import laid_out
from nbsnn.scalar.hole import hole

SCRIPT = Path(__file__).parent / "compile_session.py"
NO_JIT = pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="nothing is compiled")
CHECKED = pytest.mark.skipif(compile.checked(), reason="what checks indices may raise, and counts references")
HARMLESS = {"docstring", "line numbers"}  # edits after which the first kernel is used again


def session(folder, *tasks, cache=None):
    """The answer of one process with a cache of its own."""
    (folder / "user").mkdir(exist_ok=True)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache or folder / "cache"), "NUMBA_ENABLE_CUDASIM": "0"}
    command = [sys.executable, str(SCRIPT), str(folder / "user"), *tasks]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("compile")


@pytest.fixture(scope="module")
def cold(folder):
    return session(folder, "edits", "imported", "widths", "many", "nowhere")


@NO_JIT
def test_every_edit_that_matters_compiles_anew(cold):
    for name, answer in cold["edits"].items():
        assert answer["cached"] == ([] if name in HARMLESS else [False]), name
        assert answer["right"], f"{name}: not what plain Python computes"


@NO_JIT
def test_edits_change_results(cold):
    first = cold["edits"]["first"]["v"]
    for name, answer in cold["edits"].items():
        unchanged = name in HARMLESS | {"first", "option"}
        assert (answer["v"] == first) is unchanged, name


@NO_JIT
def test_a_second_process_finds_everything_in_the_cache(cold, folder):
    warm = session(folder, "edits", "imported")
    for name, answer in warm["edits"].items():
        assert answer["cached"] == ([] if name in HARMLESS else [True]), name
        assert answer["v"] == cold["edits"][name]["v"], name
        assert answer["right"], name
    assert cold["imported"]
    assert not warm["imported"], "a process that compiles nothing imports the compiler's libraries"


@NO_JIT
def test_float32_kernels_hold_no_float64(cold):
    assert cold["widths"] == {
        "forward float32": ["float"],
        "backward None False float32": ["float"],
        "forward float64": ["double"],
    }


@NO_JIT
def test_old_kernels_are_deleted(cold):
    assert cold["many"]["results"] == list(range(12))
    assert cold["many"]["left"] == [[min(k, 5)] * 2 for k in range(1, 13)]


@NO_JIT
def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(cold):
    assert cold["nowhere"]["y"] == [3.0, 4.0]
    assert cold["nowhere"]["said"] == ["kernel fill_again is not kept for the next start: read-only"]


@NO_JIT
def test_a_cache_folder_that_cannot_be_made_is_no_reason_to_fail(cold, folder):
    (folder / "file").write_text("not a folder")
    answer = session(folder, "run", cache=folder / "file" / "cache")
    assert answer["run"]["v"] == cold["edits"]["first"]["v"]


# Filling holes needs no compiler.


@hole
def rule(u):
    return u


FACTOR = 3.0
COUNT = 1
LIST = [1.0]
ARRAY = np.ones(2)
NARROW = np.float32(0.5)


def template(x):
    return rule(x) * FACTOR, COUNT


def double(u):
    return u + u


def scaled(k):
    def scale(u):
        return u * k

    return scale


def test_holes_and_numbers_are_filled_and_the_original_is_untouched():
    filled = kernel(template, device="python", rule=double, FACTOR=0.5, COUNT=7)
    assert filled(4.0) == (4.0, 7)
    assert template(4.0) == (12.0, 1)


def test_holes_of_what_fills_a_hole_are_filled():
    @hole
    def inner(u):
        raise NotImplementedError

    def outer(u):
        return inner(u) + 1.0

    assert kernel(template, device="python", rule=outer, inner=scaled(10.0), dtype=np.float64)(2.0) == (63.0, 1)


def test_literals_constants_and_closures_are_narrowed():
    def third(u):
        return 0.1 + u

    result = kernel(template, device="python", rule=third, dtype=np.float32)(np.float32(0.0))[0]
    assert result.dtype == np.float32
    assert result == np.float32(0.1) * np.float32(3.0)
    closure = kernel(template, device="python", rule=scaled(0.1), dtype=np.float32)(np.float32(1.0))[0]
    assert closure.dtype == np.float32


@pytest.mark.parametrize("name", ["LIST", "ARRAY"])
def test_globals_that_no_kernel_can_hold_raise(name):
    bad = eval(f"lambda u: u + {name}[0]", globals())
    with pytest.raises(TypeError, match=f"refers to '{name}', a (list|ndarray); scalar code may use numbers"):
        kernel(template, device="python", rule=bad)


def test_what_is_no_function_raises():
    with pytest.raises(TypeError, match="plain Python functions"):
        kernel(max, device="python")
    with pytest.raises(ValueError, match="device must be 'cpu', 'cuda' or 'python'"):
        kernel(template, device="gpu")


def fill(y):
    y[0] = rule(y[0])


def twice(u):
    return 2.0 * u


def thrice(u):
    return 3.0 * u


def test_equal_fillings_are_one_kernel_and_others_are_not():
    kernels = [kernel(fill, rule=twice), kernel(fill, rule=twice), kernel(fill, rule=thrice)]
    kernels += [
        kernel(fill, rule=twice, dtype=np.float64),
        kernel(fill, rule=scaled(2.0)),
        kernel(fill, rule=scaled(4.0)),
    ]
    if not os.environ.get("NUMBA_DISABLE_JIT"):
        assert kernels[0] is kernels[1]
        assert len({id(k) for k in kernels}) == 5


def called(u):
    return 3.0 * u


def calls(u):
    return called(u) + called(u)


@NO_JIT
def test_only_kernels_are_machine_code():
    whole = kernel(calls, dtype=np.float64)
    assert whole(2.0) == 12.0
    part = whole.py_func.__globals__["called"]
    part.compile("(float64,)")  # done already, unless the kernel came from the cache
    for function, made in ((whole, True), (part, False)):
        (compiled,) = function.overloads.values()
        assert bool(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)) is made


def added(x, k):
    return x + k


def adds(u):
    return added(u, 1) + added(u, 2) + added(u, len("three"))


@NO_JIT
@pytest.mark.parametrize("whole", [False, True])
def test_a_part_is_compiled_once_for_all_constants(whole):
    made = kernel(adds, dtype=np.float64, whole=whole)
    assert made(1.0) == 11.0
    part = made.py_func.__globals__["added"]
    part.compile("(float64, int64)")
    assert len(part.overloads) == 1


def cut_out(flat, first, count, n, y):
    for array in numbers_at(flat, first, n), numbers_at(flat, first + n, 1):
        for k in range(array.shape[0]):
            y[k] += array[k]
    a, b, c = lines_at(flat, first, count, n), steps_at(flat, first, count, n), samples_at(flat, first, count, n)
    for k in range(count):
        for j in range(n):
            y[k * n + j] += a[k, j] * b[k, 0, j] + c[k, 0, 0, j]
    a[count - 1, n - 1] = -1.0  # what is written lies in the flat array
    y[0] += len(a) + 10 * b.shape[1] + 100 * c.shape[1] + 1000 * c.shape[2] + 10_000 * c.shape[3]


@NO_JIT
@pytest.mark.parametrize("checks", ["0", "1"])
def test_pieces_of_flat_arrays_are_views_of_them(monkeypatch, checks):
    monkeypatch.setenv("NBSNN_CHECK", checks)
    results = []
    for device in "python", "cpu":
        flat, y = np.arange(20, dtype=np.float32), np.zeros(6, np.float32)
        kernel(cut_out, device=device)(flat, 5, 2, 3, y)
        results.append((flat, y))
    for interpreted, compiled in zip(*results, strict=True):
        np.testing.assert_array_equal(interpreted, compiled)
    assert np.flatnonzero(results[0][0] == -1.0).tolist() == [10]
    five_on = np.arange(5.0, 11.0)
    wanted = five_on * five_on + five_on + [5, 6, 7, 0, 0, 0]
    wanted[0] += 8 + 2 + 10 + 100 + 1000 + 30_000
    np.testing.assert_array_equal(results[0][1], wanted)


class Inner(typing.NamedTuple):
    weights: np.ndarray
    share: float
    due: bool


class Outer(typing.NamedTuple):
    first: int
    inner: Inner
    rate: float


def total(c):
    return c.first + c.rate + (c.inner.share * c.inner.weights[1, 0] if c.inner.due else 0.0)


def lays_out(weights, first, rate, share, due):
    return total(laid_out(Outer(first, Inner(weights, share, due), rate)))


@pytest.mark.parametrize("device", ["python", "cpu"])
@pytest.mark.parametrize("due", [False, True])
def test_numbers_of_every_kind_are_handed_on_by_their_place(device, due):
    from nbsnn.compile import reference

    filling = reference.filling() if device == "cpu" and compile.compiles() else {}
    call = kernel(lays_out, device=device, dtype=np.float64, whole=True, **filling)
    weights = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    assert call(weights, 1 << 40, 0.5, np.float32(0.25), due) == (1 << 40) + 0.5 + 0.75 * due


def beyond(y):
    y[len(y)] = 1.0


def calls_beyond(y):
    beyond(y)


@pytest.mark.parametrize("template", [beyond, calls_beyond])
def test_a_switch_compiles_kernels_that_check_indices(monkeypatch, template):
    y = np.zeros(4, np.float32)[:3]
    monkeypatch.setenv("NBSNN_CHECK", "0")
    unchecked = kernel(template)
    monkeypatch.setenv("NBSNN_CHECK", "1")
    assert compile.checked() and kernel(template) is not unchecked
    if not os.environ.get("NUMBA_DISABLE_JIT"):
        assert kernel(template).py_func.__qualname__ != unchecked.py_func.__qualname__
    with pytest.raises(IndexError, match="out of bounds"):
        kernel(template)(y)
    assert kernel(template, device="python").__name__ == template.__name__ and not np.any(y.base)


class Grid(typing.NamedTuple):
    values: np.ndarray


class Grids(typing.NamedTuple):
    n: int
    inner: Grid


def set_one(grids, i, j):
    grids.inner.values[i, j] = grids.n


@pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="interpreted code takes no places in memory")
def test_the_switch_checks_indices_of_arrays_that_are_handed_over_by_their_place(monkeypatch):
    monkeypatch.setenv("NBSNN_CHECK", "1")
    values = np.zeros((3, 4))[:2]
    placed, check = Placed(Grids(7, Grid(values))), kernel(set_one)
    check(placed, 1, 3)
    for i, j in ((2, 0), (0, 4), (-3, 0)):
        with pytest.raises(IndexError, match="out of bounds"):
            check(placed, i, j)
    assert values[1, 3] == values.base.sum() == 7.0


def doubled(pair, y):
    x, _ = pair
    for i in range(x.shape[0]):
        y[i] = read_doubled(x, i)


def read_doubled(x, i):
    return 2.0 * x[i]


def reversed_by(pair, y):
    turned = turn(pair[0])
    for i in range(y.shape[0]):
        y[i] = turned[i]


def turn(x):
    other = np.empty(x.shape[0], x.dtype)
    for i in range(x.shape[0]):
        other[i] = x[x.shape[0] - 1 - i]
    return other


@NO_JIT
@CHECKED
@pytest.mark.parametrize(("template", "counts"), [(doubled, False), (reversed_by, True)])
def test_references_are_counted_only_where_arrays_are_made(template, counts):
    made: typing.Any = kernel(template, dtype=np.float64)
    x, y = np.arange(4.0), np.empty(4)
    made((x, x), y)
    np.testing.assert_array_equal(y, x[::-1] if counts else 2 * x)
    assert made.targetoptions["_nrt"] is counts


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_rests_and_is_left_as_it_was(enabled):
    try:
        (gc.enable if enabled else gc.disable)()
        with uncollected():
            with uncollected():
                pass
            assert not gc.isenabled()
        assert gc.isenabled() is enabled
        with pytest.raises(KeyError), uncollected():
            raise KeyError
        assert gc.isenabled() is enabled
    finally:
        gc.enable()


def test_functions_that_are_compiled_already_are_taken_as_their_source():
    numba = pytest.importorskip("numba")
    y = np.full(1, 0.1, np.float32)
    before = len(compile.log)
    kernel(fill, rule=numba.njit(twice))(y)
    assert y[0] == np.float32(0.1) * np.float32(2.0)
    kernel(fill, rule=twice)(y)
    assert len(compile.log) - before <= 1  # the same kernel


def test_rows_and_stores():
    array = np.arange(12.0).reshape(3, 4)
    assert row(3, "i")(array, 1) == (1.0, 5.0, 9.0)
    assert row(0, "i")(array, 1) == ()
    assert row_sum(2, "i", "i + 1", "i")(array, array, 0) == (1.0, 9.0)
    assert row_sum(2, "i", None, "i")(array, None, 0) == (0.0, 4.0)
    store((2, 0), "i")(array, (10.0, 20.0, 30.0), 3)
    np.testing.assert_array_equal(array[:, 3], [30.0, 10.0, 11.0])
    store((0,), "i", add=True)(array, (0.5,), 3)
    assert array[0, 3] == 30.5
    store((), "i")(array, (), 0)


def test_a_neurons_file_is_plain_python():
    # Holes have bodies of their own: a model runs without anything being filled.
    s, v = neurons.lif.step(2.0, 0.0, 0.5, 1.0, 0.0, 0.0)
    assert (s, v) == (1.0, 1.0)


def test_damaged_files_of_the_cache_are_deleted_and_named_and_never_unpickled(tmp_path):
    from nbsnn.compile.sealed_cache import SealedFiles

    cache = SealedFiles(cache_path=str(tmp_path), filename_base="f-1.py311s", source_stamp=(1.0, 2))
    kept = {"one": b"code" * 99, "two": [1, 2, 3]}
    for key, data in kept.items():
        cache.save(key, data)
    assert {key: cache.load(key) for key in kept} == kept and cache.load("three") is None
    files = sorted(tmp_path.iterdir())
    assert [file.suffix for file in files] == [".nbc", ".nbc", ".nbi"]
    for file in files:
        whole = file.read_bytes()
        other = files[0].read_bytes() if file != files[0] else files[1].read_bytes()
        flipped = whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]
        for content in (b"", whole[:20], whole[:-1], whole + b"x", bytes(len(whole)), flipped, other):
            file.write_bytes(content)
            with pytest.warns(RuntimeWarning, match="was damaged and is gone: its kernel is compiled anew") as told:
                found = [cache.load(key) for key in kept]
            assert len(told) == 1 and str(file) in str(told[0].message) and not file.exists()
            assert all(data in (None, was) for data, was in zip(found, kept.values(), strict=True)) and None in found
            for key, data in kept.items():
                cache.save(key, data)
            assert {key: cache.load(key) for key in kept} == kept


def test_an_entry_that_names_a_module_that_is_gone_is_compiled_anew(tmp_path, monkeypatch):
    from nbsnn.compile.sealed_cache import SealedFiles

    cache = SealedFiles(cache_path=str(tmp_path), filename_base="f-1.py311s", source_stamp=(1.0, 2))
    module = types.ModuleType("nbsnn_of_old")
    module.Made = type("Made", (), {"__module__": module.__name__})
    monkeypatch.setitem(sys.modules, module.__name__, module)
    cache.save("one", module.Made())
    assert type(cache.load("one")) is module.Made
    monkeypatch.delitem(sys.modules, module.__name__)
    assert cache.load("one") is None


@pytest.mark.long
def test_functions_of_ones_own_may_make_arrays():
    """Kernels that make none count no references, and could not free one: what a user's function calls is looked at."""

    def step(x, v, rate):
        table = np.eye(3)
        v = v + rate * (x * table[0, 0] + table[0, 1:].sum() - v)
        s = 1.0 if v > 1.0 else 0.0
        return s, v * (1.0 - s)

    def fires(device):
        net = nbsnn.Network(dt=1.0, device=device)
        cells = net.population(nbsnn.Neuron(step, state={"v": 0.0}, params={"rate": 0.5}), 3)
        net.inject(cells, 3.0)
        return net.run(20.0).spikes(cells)

    compiled, plain = fires("cpu"), fires("python")
    assert len(plain[0]) and all((a == b).all() for a, b in zip(compiled, plain, strict=True))


@NO_JIT
@CHECKED
@pytest.mark.parametrize("rule", [None, nbsnn.plasticity.PairSTDP()])
@pytest.mark.parametrize("delay", [1.0, [1.0, 2.0]])
def test_loops_of_networks_count_no_references(rule, delay):
    """Two thirds of their time, where they do."""
    net = nbsnn.Network(dt=1.0)
    cells = net.population(neurons.LIF(tau=20.0), 2)
    net.connect(cells, cells, nbsnn.OneToOne(), weight=0.5, delay=delay, synapse=nbsnn.synapses.Exponential(5.0))
    net.connect(cells, cells, nbsnn.OneToOne(), weight=0.5, delay=delay, plasticity=rule)
    assert net.loop().call.targetoptions["_nrt"] is False


@NO_JIT
def test_equations_of_ones_own_count_none_either():
    def step(x, v, rate):
        v = max(v + rate * (x - math.sqrt(abs(v))), -1.0)
        s = nbsnn.spike(v - 1.0)
        return s, v * (1.0 - s)

    assert not makes_arrays(step, {})


@NO_JIT
def test_functions_of_ones_own_may_hold_tables():
    def step(x, v):
        table = {1.0: 0.5}
        return 0.0, v * table[1.0] + x

    assert kernel(step, dtype=np.float64)(1.0, 2.0) == (0.0, 2.0)


@NO_JIT
def test_an_equation_that_cannot_be_compiled_is_named_with_its_line():
    def step(x, v):
        return math.fsum((x, v))

    with pytest.raises(TypeError, match=r"test_compile.py, line \d+, cannot be compiled: .*fsum.*device=.python."):
        kernel(step, dtype=np.float64)(1.0, 2.0)
