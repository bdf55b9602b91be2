"""Products by OpenBLAS on our own threads: its setting is restored, and bits depend on no number of threads."""

import os
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

import nbsnn
from nbsnn.device import blas, products

SHAPES = [(5, 3, 4), (300, 70, 40), (40, 70, 300), (1, 700, 900), (900, 700, 1), (129, 1, 90), (3, 2000, 100)]

with_openblas = pytest.mark.skipif(blas.openblas() is None, reason="NumPy has another BLAS")


@pytest.fixture(autouse=True)
def shared(monkeypatch):
    """Small products are shared by threads too."""
    monkeypatch.setattr("nbsnn.device.threads.SERIAL", 0)
    yield
    nbsnn.set_threads(None)


def factors(shape, dtype=np.float32):
    rng = np.random.default_rng(0)
    return rng.normal(size=shape[:2]).astype(dtype), rng.normal(size=shape[1:]).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_product_is_the_same_on_any_number_of_threads(shape, dtype):
    (x, weight), found = factors(shape, dtype), set()
    for count in (1, 2, 5):
        nbsnn.set_threads(count)
        out = np.full((shape[0], shape[2] + 7), np.nan, dtype)
        assert products.matmul(x, weight, out[:, : shape[2]]) is not None
        np.testing.assert_allclose(out[:, : shape[2]], x.astype(float) @ weight, rtol=0.0, atol=1e-3)
        assert np.isnan(out[:, shape[2] :]).all()
        flipped = products.matmul(np.asfortranarray(x), np.asfortranarray(weight))
        np.testing.assert_allclose(flipped, out[:, : shape[2]], rtol=0.0, atol=1e-3)
        found.add(out.tobytes() + flipped.tobytes())
    assert len(found) == 1


def test_a_stack_is_a_product_of_each():
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(3, 70, 20)), rng.normal(size=(3, 20, 80))
    np.testing.assert_allclose(products.matmul(x, weight), x @ weight)
    np.testing.assert_allclose(products.matmul(x, weight[0], np.empty((3, 70, 80))), x @ weight[0])


@with_openblas
def test_the_setting_of_openblas_is_restored_by_the_last_of_several_products():
    library = blas.openblas()
    library.change(3)
    try:
        with blas.on_one_thread(library):
            assert library.count() == 1
            with pytest.raises(ValueError), blas.on_one_thread(library):
                raise ValueError
            assert library.count() == 1
        assert library.count() == 3
        pairs = [factors((200, 300, 200)) for _ in range(4)]
        threads = [threading.Thread(target=lambda x=x: [products.matmul(*x) for _ in range(50)]) for x in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert library.count() == 3
    finally:
        library.change(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())


@with_openblas
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_that_is_forked_during_a_product_has_the_setting_restored():
    code = """
import os, nbsnn
from nbsnn.device import blas
library = blas.openblas()
library.change(2)
with blas.on_one_thread(library):
    child = os.fork()
    if child == 0:
        inside = library.count()
        with blas.on_one_thread(library):
            pass
        os._exit(10 * inside + library.count())
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), library.count())
print(library.count())
"""
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["22", "1", "2"]


@with_openblas
def test_the_search_finds_what_numpy_says_it_was_built_with():
    library = blas.openblas()
    before = library.count()
    with blas.on_one_thread(library):
        pass
    assert library.count() == before >= 1
    assert "openblas" in np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]


@pytest.mark.parametrize("fixed", [False, True])
def test_another_blas_is_left_alone(fixed, monkeypatch):
    monkeypatch.setattr(blas, "openblas", lambda: None)
    monkeypatch.setattr(blas, "on_one_thread", None)
    x, weight = factors((300, 70, 40), np.float64)
    with nbsnn.deterministic(fixed):
        np.testing.assert_allclose(products.matmul(x, weight), x @ weight, rtol=1e-10)
        part = products.matmul(x[100:], weight)
        assert not fixed or part.tobytes() == products.matmul(x, weight)[100:].tobytes()


@pytest.mark.parametrize("kind", ["nothing", "openmp"])
def test_a_library_without_threads_of_its_own_to_set_is_not_used(kind, monkeypatch):
    class OpenMp:
        @staticmethod
        def openblas_get_parallel():
            return blas.OPENMP

        openblas_get_num_threads = openblas_set_num_threads = type("F", (), {})

    monkeypatch.setattr(blas, "_libraries", lambda: [object()] if kind == "nothing" else [object(), OpenMp()])
    assert blas.openblas.__wrapped__() is None


@pytest.mark.parametrize("how", ["ignore", "warn", "raise"])
def test_all_threads_treat_overflow_as_the_caller_does(how):
    nbsnn.set_threads(4)
    x, weight = np.full((256, 40), 1e30, np.float32), np.full((40, 64), 1e30, np.float32)
    x[:-1] = 0.0  # the last block alone
    with np.errstate(over=how), warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        if how == "raise":
            with pytest.raises(FloatingPointError):
                products.matmul(x, weight)
        else:
            assert np.isinf(products.matmul(x, weight)[-1]).all()
    assert bool(seen) == (how == "warn")
