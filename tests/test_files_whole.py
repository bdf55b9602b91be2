"""Files that are there whole or not at all, and what is left beside them."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import nbsnn
from nbsnn.checkpoint.save import write_npz
from nbsnn.files.spikes import SpikeWriter
from nbsnn.files.variables import Description, VariableWriter
from nbsnn.files.whole import beside, writing
from nbsnn.network import State
from nbsnn.progress.history import History


def network():
    return nbsnn.Sequential(nbsnn.Dense(3, 2), nbsnn.neurons.LIF(), seed=0)


WRITERS = {
    "net.npz": lambda path: nbsnn.save(network(), path),
    "state.npz": lambda path: State(0).save(path),
    "history.json": History([{"epoch": 1}]).save,
    "history.csv": History([{"epoch": 1}]).save,
    "run.spikes": lambda path: SpikeWriter(path, 3, 0.1).close(),
    "run.variables": lambda path: VariableWriter(path, Description(0.1, 1, 1, "<f4", (("a", "v", 1, None),))).close(),
}


@pytest.mark.parametrize("name", WRITERS)
def test_messages_name_the_path_that_was_given(name, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / name).mkdir(parents=True)
    for folder in ("missing", "file", "folder"):
        path = tmp_path / folder / name
        with pytest.raises(OSError) as error:
            WRITERS[name](path)
        assert str(path) in str(error.value) and ".part" not in str(error.value)
    assert list((tmp_path / "folder").iterdir()) == [tmp_path / "folder" / name]


@pytest.mark.parametrize("name", WRITERS)
def test_what_dead_processes_have_left_goes_with_the_next_write(name, tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    gone = [f".{name}.{dead.pid}.part", f".{name}.{dead.pid}-1.part"]
    kept = [f".{name}.{os.getppid()}.part", f".other.{dead.pid}.part", f".{name}.x.part", f"{name}.{dead.pid}.part"]
    for file in gone + kept:
        (tmp_path / file).write_text("a part")
    WRITERS[name](tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == {name, *kept}


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_a_full_disk_leaves_the_earlier_history(suffix, tmp_path, monkeypatch):
    path = tmp_path / f"history.{suffix}"
    History([{"epoch": 1}]).save(path)
    before = path.read_text()

    def full(self, text, **options):
        self.write_bytes(text[:5].encode())
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left on device") as error:
        History([{"epoch": 1}] * 99).save(path)
    assert error.value.errno == 28 and str(path) in str(error.value)
    monkeypatch.undo()
    assert path.read_text() == before and list(tmp_path.iterdir()) == [path]


def test_an_exception_in_the_block_leaves_what_was_there(tmp_path):
    path = tmp_path / "file"
    path.write_text("before")
    for block in (writing, beside):
        with pytest.raises(KeyError), block(path):
            raise KeyError("x")
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_threads_may_write_one_file(tmp_path):
    arrays = {"a": np.arange(20_000)}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: write_npz(tmp_path / "x.npz", arrays), range(20)))
    with np.load(tmp_path / "x.npz") as file:
        np.testing.assert_array_equal(file["a"], arrays["a"])
    assert len(list(tmp_path.iterdir())) == 1


def test_what_could_not_be_read_is_not_written(tmp_path):
    for name, array in (("x", np.array([None])), ("file", np.zeros(1)), ("allow_pickle", np.zeros(1))):
        with pytest.raises(ValueError, match=f"cannot hold '{name}'"):
            nbsnn.save(network(), tmp_path / "net.npz", {name: array})
    assert not list(tmp_path.iterdir())
