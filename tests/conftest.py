"""What holds for every test: quick compilation, CUDA in the simulator, an option for the folder of golden data."""

import gc
import os
import signal
import sys

# Most of the time of tests is compiling: LLVM optimises less here and vectorises no loops, which takes half of its time
# off. NUMBA_OPT=3 pytest tests what users run; the bits are the same.
if "NUMBA_OPT" not in os.environ:
    os.environ |= {"NUMBA_OPT": "1", "NUMBA_LOOP_VECTORIZE": "0"}

# CUDA kernels run in Numba's simulator on every test run, so that a machine without a GPU tests them too. Numba reads
# the variable once, when it is imported: it must be set before anything here imports nbsnn or numba. Whoever wants
# the real device sets it to 0.
os.environ.setdefault("NUMBA_ENABLE_CUDASIM", "1")

from importlib.util import find_spec
from pathlib import Path

import hypothesis
import pytest

# Examples take as long as a busy machine, and the compiler, let them.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")

# What a shell starts in the background ignores Ctrl-C, and so would these tests and the processes they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The simulator, like NumPy, counts negative indices from the end; in a kernel of nbsnn they are faults. Blocks are
# small, so that there are threads beyond the last that has work.
if os.environ["NUMBA_ENABLE_CUDASIM"] == "1":
    from numba.cuda.simulator.cudadrv.devicearray import FakeWithinKernelCUDAArray as InKernel

    def inside(method):
        def checked(array, index, *value):
            for k in index if type(index) is tuple else (index,):
                if type(k) is not slice and k < 0:
                    raise IndexError(f"index {index} of an array of shape {array.shape}")
            return method(array, index, *value)

        return checked

    from nbsnn.device import gpu

    gpu.start.__kwdefaults__["block"] = gpu.run.__kwdefaults__["block"] = 3
    InKernel.__getitem__, InKernel.__setitem__ = map(inside, (InKernel.__getitem__, InKernel.__setitem__))

# In the simulator a thread that others wait for gets its turn when Python switches: by default too rarely.
sys.setswitchinterval(2e-5)

# The compiler makes millions of objects that die by themselves; looking for cycles among all others takes a twentieth.
gc.set_threshold(50_000, 20, 50)

collect_ignore_glob = ["benchmarks/*"]  # scripts, two of which may have one name; tests/test_benchmarks.py runs them


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--golden-dir",
        type=Path,
        metavar="DIR",
        help="folder with the golden .npz files that tests/conformance compares with (default: tests/golden)",
    )
    parser.addoption(
        "--nir-dir",
        type=Path,
        metavar="DIR",
        help="folder with .nir files and the .npz of what their writers compute (default: those in tests/nir)",
    )
    parser.addoption(
        "--budget",
        type=float,
        default=0.0,
        metavar="MINUTES",
        help="how long the random trials of tests/trust take together (with -m trust; default: a few of each)",
    )
    parser.addoption("--first", type=int, default=0, metavar="NUMBER", help="the first random trial (default: 0)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Examples in docstrings of ``nbsnn.nir`` need its extra, as its tests do."""
    if all(find_spec(name) for name in ("pyfive", "h5py")):
        return
    for item in items:
        if item.nodeid.startswith("nbsnn/nir/"):
            item.add_marker(pytest.mark.skip(reason='NIR files need an extra: pip install "nbsnn[nir]"'))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what tests/trust tried."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for what, done, seconds in (value for name, value in report.user_properties if name == "trials"):
                terminalreporter.write_line(f"trust: {done} {what} in {seconds:.0f} s, {outcome}")
