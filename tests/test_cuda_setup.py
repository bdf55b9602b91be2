"""What is said where a GPU is absent, and who is asked: the parts of CUDA are played by functions that answer."""

import subprocess
import sys

import numpy as np
import pytest

import nbsnn
from nbsnn.cli import main
from nbsnn.cli.info import cuda_rows
from nbsnn.device import cuda_setup
from nbsnn.device.threads import resolve
from nbsnn.layers.layer import Setting
from nbsnn.neurons import LIF

PARTS = {
    "_simulated": False, "_package": "0.30.4", "_driver": "13.0", "_devices": ["Fast 9000, compute capability 9.0"],
    "_toolkit": "13.5", "_compile": None, "_memory": ["70.0 of 80.0 GiB free"],
}  # fmt: skip
ABSENT = {
    "package": ({"_package": ""}, 'numba-cuda is not installed (pip install "nbsnn[cuda]")'),
    "driver": ({"_driver": OSError("Error:\n\nlibcuda.so not found.\nMore")}, "(libcuda.so not found): install one"),
    "device": ({"_devices": []}, "the driver sees no GPU: is CUDA_VISIBLE_DEVICES set?"),
    "broken device": ({"_devices": OSError("out of order")}, "the driver sees no GPU (out of order)"),
    "toolkit": ({"_toolkit": ImportError("no libnvvm")}, 'does not run (no libnvvm): pip install "nbsnn[cuda]"'),
    "versions that go together": (
        {"_compile": AttributeError("module 'numpy' has no attribute 'row_stack'")},
        f"numba-cuda 0.30.4 compiles no kernel with NumPy {np.__version__} (module 'numpy' has no attribute "
        "'row_stack'): pip install \"nbsnn[cuda]\" brings versions that go together",
    ),
    "old driver": ({"_driver": "12.4"}, 'supports CUDA 12.4, but the compiler is of 13.5: pip install "nbsnn[cuda12]"'),
}


@pytest.fixture
def machine(monkeypatch):
    """Make a machine on which the parts of CUDA answer as given."""

    def make(**changes):
        for name, answer in {**PARTS, **changes}.items():

            def probe(answer=answer):
                if isinstance(answer, Exception):
                    raise answer
                return answer

            monkeypatch.setattr(cuda_setup, name, probe)
        cuda_setup.find.cache_clear()
        return cuda_setup.find()

    yield make
    monkeypatch.undo()
    cuda_setup.find.cache_clear()


def test_a_gpu_is_found_and_auto_takes_it(machine, monkeypatch):
    found = machine()
    assert str(found) == "Fast 9000, compute capability 9.0" and not found.missing
    assert cuda_setup.usable() and cuda_setup.require() is None
    assert resolve("auto") == resolve("cuda") == Setting(device="auto").device == "cuda"
    assert resolve("auto", ("cpu", "python")) == "cpu"
    assert cuda_rows(found) == {
        "cuda": 'ready: device="cuda"', "  driver": "supports CUDA 13.0", "  toolkit": "compiler of CUDA 13.5",
        "  device 0": "Fast 9000, compute capability 9.0, 70.0 of 80.0 GiB free",
    }  # fmt: skip
    monkeypatch.setattr(cuda_setup, "_memory", lambda: 1 / 0)
    assert cuda_rows(found)["  device 0"] == "Fast 9000, compute capability 9.0"


@pytest.mark.parametrize("part", ABSENT)
def test_what_is_missing_is_said_where_a_network_is_made(machine, part, capsys):
    changes, message = ABSENT[part]
    found = machine(**changes)
    assert len(found.missing) == 1 and message in found.missing[0]
    rows = cuda_rows(found)
    assert rows["cuda"] == "no GPU can be used" and rows["  missing"] == found.missing[0]
    assert ("  driver" in rows) == (part != "package")
    for make in (
        lambda: nbsnn.Population(LIF(), 3, device="cuda"),
        lambda: nbsnn.Sequential(nbsnn.Dense(2, 3), LIF(), device="cuda"),
        lambda: nbsnn.Network(device="cuda"),
    ):
        with pytest.raises(RuntimeError) as stop:
            make()
        assert message in str(stop.value) and 'device="cpu"' in str(stop.value)
    assert main(["train", "digits", "--device", "cuda"]) == 2
    assert message in capsys.readouterr().err


def test_several_things_can_be_missing(machine):
    found = machine(_driver=OSError("none"), _toolkit=OSError("nor this"))
    assert [name for name in cuda_rows(found) if "missing" in name] == ["  missing 1", "  missing 2"]


def test_without_a_gpu_auto_is_the_cpu_and_no_network_stores_auto(machine):
    machine(_driver=OSError("none"))
    net = nbsnn.Sequential(nbsnn.Dense(2, 3), LIF(), device="auto")
    rule = nbsnn.plasticity.PairSTDP()
    plastic = nbsnn.plasticity.Plastic(nbsnn.Dense(2, 3, bias=False), LIF(), rule, device="auto")
    for layer in (net, nbsnn.Population(LIF(), 3, device="auto"), plastic):
        assert layer.setting.device == "cpu"
    assert nbsnn.Network(device="auto").device == "cpu"
    assert net.run(np.ones((2, 1, 2), np.float32)).output.shape == (2, 1, 3)


def test_auto_never_takes_the_simulator(machine):
    found = machine(_simulated=True)
    assert "simulated" in str(found) and cuda_rows(found) == {"cuda": str(found)}
    assert not cuda_setup.usable() and resolve("auto") == "cpu" and resolve("cuda") == "cuda"


@pytest.mark.parametrize("device", ["gpu", "cuda:0", None, 0, "CPU"])
def test_unknown_devices(device):
    with pytest.raises(ValueError, match="device must be one of 'cpu', 'cuda', 'python', 'auto', not"):
        nbsnn.Sequential(nbsnn.Dense(2, 3), LIF(), device=device)


def test_the_cpu_asks_nothing_of_cuda():
    code = (
        "import sys, numpy as np, nbsnn; from nbsnn.neurons import LIF\n"
        "nbsnn.Sequential(nbsnn.Dense(2, 3), LIF(), device='cpu'); nbsnn.Network()\n"
        "print([m for m in sys.modules if m.startswith('numba.cuda') or m == 'numba_cuda'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_this_machine_says_something(capsys):
    cuda_setup.find.cache_clear()
    assert main(["info"]) == 0
    assert "cuda  " in capsys.readouterr().out
