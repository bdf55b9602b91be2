"""The same seed, network and data give the same result bit for bit, whatever the number of threads."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nbsnn
from nbsnn.device.blas import openblas
from nbsnn.device.products import matmul

TOOL = Path(__file__).parent / "tools" / "same_bits.py"
FAMILIES = ("dense", "recurrent", "convolutional")


def trained(*arguments, threads, blas=1, **environment):
    """What the tool prints on that many threads."""
    given = {"NBSNN_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(blas), "MKL_NUM_THREADS": str(blas)}
    command = [sys.executable, str(TOOL), *arguments]
    environment = {**os.environ, **given, **environment}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_a_dense_network_is_the_same_on_one_thread_and_on_three():
    assert trained("dense", threads=1) == trained("dense", threads=3) != ""


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_networks_are_the_same_on_any_number_of_threads_and_with_a_cold_cache(family, tmp_path):
    first = trained(family, threads=1)
    assert all(trained(family, threads=count) == first for count in (2, 3))
    assert trained(family, threads=2, NUMBA_CACHE_DIR=str(tmp_path)) == first


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_networks_are_the_same_on_any_number_of_threads_of_blas(family):
    mode = [] if openblas() else ["deterministic"]
    first = trained(family, *mode, threads=1)
    for threads, blas in ((1, 2), (2, 1), (3, 2)):
        assert trained(family, *mode, threads=threads, blas=blas) == first


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_deterministic_products_without_openblas_are_products(dtype, monkeypatch):
    monkeypatch.setattr("nbsnn.device.blas.openblas", lambda: None)
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(2, 31, 19)).astype(dtype), rng.normal(size=(23, 19)).astype(dtype).T
    out = np.zeros((2, 31, 40), dtype)[:, :, :23]
    with nbsnn.deterministic():
        assert matmul(x, weight, out) is out
        np.testing.assert_array_equal(matmul(x[1], weight), out[1])  # rows do not depend on each other
        with nbsnn.deterministic(False):
            assert matmul(x[1], weight).tobytes() == (x[1] @ weight).tobytes()
    np.testing.assert_allclose(out, x @ weight, rtol=1e-4 if dtype is np.float32 else 1e-12, atol=1e-5)
    assert matmul(x[:0], weight).shape == (0, 31, 23)
    with nbsnn.deterministic():
        stacked = matmul(x, np.stack([weight, weight]))
    assert stacked.tobytes() == out.tobytes()


def test_a_wrong_switch_is_refused():
    with pytest.raises(TypeError, match="on must be"), nbsnn.deterministic("yes"):
        pass
