"""Threads and child processes: a fork at any moment, all ways to start a process, a number of threads that changes.

Each test is a program with a limit of time, as what fails here hangs.
"""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

import nbsnn

PROGRAM = '''
import multiprocessing, os, sys, threading, warnings
warnings.simplefilter("ignore")
import numpy as np
import nbsnn
from nbsnn.compile import fill as compile
from nbsnn.device import cuda_setup, threads as device
from nbsnn.neurons import LIF

device.SERIAL = 0
X = np.full((9, 4, 6), 0.4, np.float32)

def work(_=None):
    return nbsnn.Population(LIF(tau=5.0), 6).run(X)["spikes"].tobytes()

def child(action):
    """Fork; whether the child did it, within a minute."""
    pid = os.fork()
    if not pid:
        import signal
        signal.alarm(60)
        os._exit(0 if action() else 1)
    return os.waitpid(pid, 0)[1] == 0

def main():
'''


def ran(tmp_path, text):
    """Run a program, whose text is the body of ``main``; what it printed."""
    file = tmp_path / "program.py"
    body = "".join(f"    {line}\n" for line in text.strip().splitlines())
    file.write_text(f"{PROGRAM}{body}\nif __name__ == '__main__':\n    main()\n")
    environment = {**os.environ, "PYTHONPATH": str(Path(nbsnn.__file__).parents[1])}
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, timeout=200, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


@needs_fork
def test_a_forked_child_works_after_its_parent_has_used_threads(tmp_path):
    text = """
nbsnn.set_threads(2)
here, found = work(), []
print(child(lambda: work() == here))
thread = threading.Thread(target=lambda: found.append(child(lambda: work() == here and child(lambda: work() == here))))
thread.start(); thread.join()
print(*found)
nbsnn.set_threads(3)
print(child(lambda: (nbsnn.set_threads(2), work() == here)[1]), work() == here)
"""
    assert ran(tmp_path, text) == ["True"] * 4


@needs_fork
def test_a_forked_child_works_though_a_thread_of_its_parent_held_a_lock(tmp_path):
    text = """
nbsnn.set_threads(2)
here = work()
thread = threading.Thread(target=device._lock.acquire)
thread.start(); thread.join()
print(child(lambda: work() == here))
"""
    assert ran(tmp_path, text) == ["True"]


@needs_fork
def test_a_fork_waits_for_compilers_which_the_child_could_not_end(tmp_path):
    text = """
from numba.core.compiler_lock import global_compiler_lock
nbsnn.set_threads(2)
held, go_on, forked = threading.Event(), threading.Event(), []
def compiles():
    with global_compiler_lock:
        held.set()
        go_on.wait()
        print("compiled", flush=True)
compiler = threading.Thread(target=compiles)
compiler.start(); held.wait()
other = threading.Thread(target=lambda: forked.append(child(work)))
other.start(); other.join(0.2)
go_on.set()
other.join(); print(*forked)
print(child(work), bool(work()))
"""
    assert ran(tmp_path, text) == ["compiled", "True", "True", "True"]


@pytest.mark.parametrize("way", ["fork", "spawn", "forkserver"])
def test_processes_can_be_started_in_every_way(tmp_path, way):
    if way not in multiprocessing.get_all_start_methods():
        pytest.skip(f"there is no {way} here")
    text = f"""
nbsnn.set_threads(2)
here = work()
with multiprocessing.get_context("{way}").Pool(2) as pool:
    print(*(there == here for there in pool.map_async(work, range(4)).get(150)))
"""
    assert ran(tmp_path, text) == ["True"] * 4


def test_threads_work_while_their_number_changes(tmp_path):
    text = """
here, wrong = work(), []
def much():
    for _ in range(60):
        try:
            if work() != here:
                wrong.append("other spikes")
        except BaseException as error:
            wrong.append(repr(error))
those = [threading.Thread(target=much) for _ in range(4)]
for thread in those:
    thread.start()
n = 0
while any(thread.is_alive() for thread in those):
    n += 1
    nbsnn.set_threads(1 + n % 4)
for thread in those:
    thread.join()
print(len(wrong), *set(wrong))
"""
    assert ran(tmp_path, text) == ["0"]


@needs_fork
def test_a_forked_child_says_that_it_cannot_use_its_parents_gpu(tmp_path):
    text = """
found = dict(_simulated=False, _package="1", _driver="13.0", _devices=["a GPU"], _toolkit="13.0", _compile=None)
for name, answer in found.items():
    setattr(cuda_setup, name, lambda answer=answer: answer)
def refused():
    try:
        cuda_setup.require()
    except cuda_setup.NoGPU as error:
        return "spawn" in str(error) and device.resolve("auto") == "cpu"
print(child(cuda_setup.usable), cuda_setup.usable(), child(refused), child(lambda: child(refused)))
"""
    assert ran(tmp_path, text) == ["True"] * 4
