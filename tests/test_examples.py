"""Every lesson and every study runs, studies at toy size where they are long."""

import runpy
import sys
from pathlib import Path

import pytest

from .idx_files import tiny_mnist
from .test_event_files import write_braille

FOLDER = Path(__file__).parent.parent / "examples"
EXAMPLES = sorted([*FOLDER.glob("[0-9]*.py"), *FOLDER.glob("studies/[0-9]*.py")])
LESSONS = {path.name for path in FOLDER.glob("[0-9]*.py")}
TOY = {
    "05_mnist_snntorch_tutorial5.py": ["--samples", "150"],
    "06_fashion_latency.py": ["--samples", "100", "--epochs", "1"],
    "07_mnist_convolution.py": ["--samples", "60", "--epochs", "1", "--steps", "2"],
    "08_tempotron_mnist.py": ["--samples", "100", "--epochs", "1"],
    "09_tempotron_capacity.py": ["--inputs", "40", "--loads", "1", "2", "--seeds", "2", "--epochs", "50"],
    "11_memory_against_T.py": ["--steps", "5", "--units", "20", "--batch", "4"],
    "12_online_mnist.py": ["--samples", "100", "--epochs", "1", "--steps", "3"],
    "13_long_memory.py": ["--delay", "4", "--iterations", "1", "--seeds", "2", "--samples", "8"],
    "14_stdp_mnist.py": ["--neurons", "9", "--samples", "20", "--labelled", "20", "--steps", "20"],
    "16_large_network.py": ["--neurons", "200", "--synapses", "50", "--duration", "20"],
    "17_sparse_plasticity.py": ["--seconds", "0.5", "--synapses", "400"],
    "18_braille.py": ["--epochs", "1", "--seeds", "1"],
    "22_fashion_csnn.py": ["--samples", "80", "--epochs", "1", "--channels", "4"],
    "20_brian_examples.py": ["network_operation_stop"],
    "21_nest_examples.py": ["one_neuron", "precise_spiking"],
}


SLOW = {  # to compile
    "05_mnist_snntorch_tutorial5.py", "06_fashion_latency.py", "11_memory_against_T.py", "15_firing_patterns.py",
    "08_tempotron_mnist.py", "10_credit.py", "13_long_memory.py", "14_stdp_mnist.py",
    "16_large_network.py", "17_sparse_plasticity.py", "18_braille.py", "19_structural_plasticity.py",
    "22_fashion_csnn.py",
    *(name for name in LESSONS if not name.startswith(("01", "02", "03"))),
}  # fmt: skip


@pytest.mark.parametrize(
    "path", [pytest.param(p, marks=pytest.mark.long if p.name in SLOW else ()) for p in EXAMPLES], ids=lambda p: p.name
)
def test_example(path, tmp_path, monkeypatch, capsys):
    options = TOY.get(path.name, [])
    if "--data" in path.read_text():
        folder = tmp_path if "braille" in path.name else tiny_mnist(tmp_path)
        options = ["--data", str(folder), *options]
    if "braille" in path.name:
        write_braille(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [path.name, *options])
    if path.name in LESSONS:
        pytest.importorskip("matplotlib")
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out.strip()
    assert path.name not in LESSONS or (tmp_path / f"{path.stem}.png").stat().st_size > 5000
