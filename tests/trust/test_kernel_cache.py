"""Damaged files of the kernel cache are noticed before anything in them is run, and several processes may share it."""

import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from nbsnn.compile.sealed_cache import SealedFiles

from . import damage

ROOT = Path(__file__).parents[2]
RIGHT = [0.5, 1.5, 8.5, 21.5]
WAYS = ("cut", "half", "empty", "zeros", "garbage", "bits", "code", "swapped", "longer", "other kernel", "missing")


def start(cache):
    env = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT), "NUMBA_DISABLE_JIT": "0"}
    command = [sys.executable, "-m", "tests.trust.cached"]
    return subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def answer(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, f"exit {process.returncode}\n{err}"
    return json.loads(out)


def files(cache):
    return sorted(cache.rglob("*.nb[ic]"))


def damaged(rng, data, way, others):
    """The bytes of a file that is damaged in one of ``WAYS``; None if it is gone."""
    out = bytearray(data)
    if way == "bits":
        for place in rng.integers(0, len(out), rng.integers(1, 20)):
            out[place] ^= 1 << int(rng.integers(0, 8))
    elif way == "code":
        begin = max(out.find(b"\x7fELF") + 64, 64)
        for place in rng.integers(begin, min(begin + 2000, len(out)), 60):
            out[place] ^= int(rng.integers(1, 256))
    return {
        "cut": out[: int(rng.integers(0, len(out)))], "half": out[: len(out) // 2], "empty": b"",
        "zeros": bytes(len(out)), "garbage": rng.bytes(len(out)), "longer": out + b"x", "missing": None,
        "swapped": others[0], "other kernel": others[-1],
    }.get(way, out)  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    first = answer(start(cache))
    assert first == {"y": RIGHT, "hits": 0, "warned": [], "log": 2} and len(files(cache)) == 3
    assert answer(start(cache)) == {"y": RIGHT, "hits": 2, "warned": [], "log": 2}
    return cache


@pytest.mark.trust(share=0.5)
def test_a_process_meets_a_damaged_file_with_one_warning_and_compiles_anew(base, trials, tmp_path):
    for number in trials("damaged kernel caches met by processes", least=3):
        rng, cache = np.random.default_rng(number), tmp_path / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        shutil.copytree(base, cache)
        way, found = WAYS[number % len(WAYS)], files(cache)
        file = found[int(rng.integers(0, 3))]
        content = damaged(rng, file.read_bytes(), way, [f.read_bytes() for f in found if f != file])
        file.unlink() if content is None else file.write_bytes(content)
        said = answer(start(cache))
        assert said["y"] == RIGHT, way
        if way == "missing":
            assert not said["warned"]
        else:
            assert len(said["warned"]) == 1 and str(file) in said["warned"][0], (way, said)
        assert answer(start(cache)) == {"y": RIGHT, "hits": 2, "warned": [], "log": 2}, way


@pytest.mark.trust(share=0.3)
def test_processes_that_share_a_cache_are_right_whatever_happens_to_it(base, trials, tmp_path):
    for number in trials("races for a kernel cache", least=1):
        rng, cache = np.random.default_rng(number), tmp_path / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        if number % 3:  # else an empty one
            shutil.copytree(base, cache)
            for file in files(cache):
                file.write_bytes(damaged(rng, file.read_bytes(), "bits", [b""]))
        processes = [start(cache) for _ in range(3)]
        while number % 3 == 2 and any(p.poll() is None for p in processes):
            shutil.rmtree(cache, ignore_errors=True)
        for process in processes:
            assert answer(process)["y"] == RIGHT
        assert answer(start(cache))["y"] == RIGHT


@pytest.mark.trust(share=0.05)
def test_no_damaged_file_of_the_cache_is_unpickled(trials, tmp_path):
    whole = SealedFiles(cache_path=str(tmp_path), filename_base="f-1.py311s", source_stamp=(1.0, 2))
    whole.save("one", {"code": bytes(range(256)) * 4})
    whole.save("two", [1, 2, 3])
    kept = {file: file.read_bytes() for file in tmp_path.iterdir()}
    for number in trials("damaged files of the kernel cache", least=200):
        rng = np.random.default_rng(number)
        for file, data in kept.items():
            file.write_bytes(data)
        file = sorted(kept)[number % 3]
        data = damage.bent(rng, kept[file])
        file.write_bytes(data)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            one, two = whole.load("one"), whole.load("two")
        assert one in (None, {"code": bytes(range(256)) * 4}) and two in (None, [1, 2, 3])
        assert (one is None or two is None) == (data != kept[file]), number
        assert [str(file) in str(w.message) for w in told] == [True] * (data != kept[file]), number
