"""The benchmarks: scripts print what they promise, inputs are what they say, and comparisons are worked out right."""

import importlib
import importlib.util
import json
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import nbsnn

from .idx_files import tiny_mnist
from .test_event_files import write_nmnist

HERE = Path(__file__).parent / "benchmarks"
PEERS = sorted(path for path in (HERE / "peers").glob("*.py") if path.stem not in ("brian", "harness"))
TOY = ["--T", "4", "--batch", "6", "--hidden", "40", "--repeat", "1", "--warmup", "1", "--threads", "1"]


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    """Scripts find their neighbours, and leave nothing behind in the environment."""
    monkeypatch.syspath_prepend(str(HERE / "peers"))
    monkeypatch.syspath_prepend(str(HERE))
    for name in ("OMP", "MKL", "OPENBLAS", "NUMBA"):
        monkeypatch.setenv(f"{name}_NUM_THREADS", "1")
    monkeypatch.setenv("NBSNN_THREADS", "1")
    monkeypatch.delenv("NBSNN_PEERS", raising=False)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a script; returns the JSON that it prints."""

    def call(name: str, *options: str) -> dict:
        monkeypatch.setattr(sys, "argv", [name, *options])
        runpy.run_path(str(HERE / name), run_name="__main__")
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 1
        return json.loads(lines[0])

    return call


@pytest.mark.parametrize("task", ["fashion", pytest.param("nmnist", marks=pytest.mark.long)])
def test_whole(run, task, tmp_path):
    (tmp_path / "nmnist").mkdir()
    (tmp_path / "fashion_mnist").mkdir()
    write_nmnist(tmp_path / "nmnist")
    tiny_mnist(tmp_path / "fashion_mnist")
    options = ["--task", task, "--data", str(tmp_path), "--epochs", "1", "--seeds", "4", "--threads", "1"]
    result = run("whole.py", *options, "--samples", "40", "--batch", "8", "--T", "3", "--channels", "2")
    assert {"run_s", "test_error", "rss_peak_mb"} <= set(result) and result["T"] == 3
    assert 0.0 <= result["test_accuracy"] == pytest.approx(1.0 - result["test_error"])
    workloads = module("workloads")
    if task == "fashion":
        x, y, x_test, y_test = workloads.fashion(tmp_path, 40)
        assert x.shape == (40, 1, 28, 28) and len(y) == 40 and len(x_test) == len(y_test) == 20 and x.max() == 1.0
    else:
        found, labels = workloads.recordings(tmp_path, "test", 40)
        data = nbsnn.events.nmnist(tmp_path / "nmnist").x_test
        for k, (t, unit) in enumerate(found):
            np.testing.assert_array_equal([t, unit], data.events(k))
        np.testing.assert_array_equal(labels, np.arange(1, 7) % 2)


def module(name: str):
    return importlib.import_module(name)


def spikes_by_hand(x, weight, recurrent=None):
    """LIF with decay 0.9, threshold 1 and a hard reset, step by step in float64."""
    v = s = np.zeros((x.shape[1], len(weight)))
    spikes = []
    for now in x.astype(float):
        u = 0.9 * v + now @ weight.T.astype(float)
        u += 0.0 if recurrent is None else s @ recurrent.T.astype(float)
        s = (u >= 1.0) * 1.0
        v = u * (1.0 - s)
        spikes.append(s)
    return np.stack(spikes)


@pytest.mark.parametrize("workload", ["w1", pytest.param("w2", marks=pytest.mark.long)])
def test_train(run, workload):
    result = run("train.py", "--workload", workload, *TOY)
    assert {"step_s", "first_step_s", "compile_s", "rss_peak_mb", "memory_mb", "loss", "threads"} <= set(result)
    assert result["threads"] == 1 and 0.0 < result["step_s"]["min"] < 10.0
    workloads = module("workloads")
    p = workloads.training_arguments("")
    a = p.parse_args(["--workload", workload, *TOY])
    w, (xs, ys) = workloads.network_weights(a), workloads.network_batches(a)
    hidden = spikes_by_hand(xs[0], w[0], w[1] if workload == "w2" else None)
    counts = spikes_by_hand(hidden, w[-1]).sum(axis=0)
    assert hidden.sum() > 0 and result["hidden_spikes"] == hidden.sum()
    assert result["out_spikes"] == counts.sum() and result["in_spikes"] == xs[0].sum()
    p = np.exp(counts) / np.exp(counts).sum(axis=1, keepdims=True)
    assert result["loss"] == pytest.approx(-np.log(p[range(6), ys[0]]).mean(), abs=1e-5)


def test_conv(run):
    result = run("conv.py", "--T", "3", "--batch", "2", "--threads", "1", "--repeat", "1", "--warmup", "1")
    assert {"step_s", "first_step_s", "compile_s", "memory_mb", "loss", "threads", "rate", "size"} <= set(result)
    assert result["workload"] == "w8" and result["loss"] == pytest.approx(np.log(10.0), abs=0.3)


@pytest.mark.parametrize("variant", ["ottt", "sltt", "bptt"])
def test_online(run, variant):
    result = run("online.py", "--variant", variant, *TOY)
    assert {"step_s", "memory_mb", "rss_peak_mb", "compile_s"} <= set(result)
    workloads = module("workloads")
    a = workloads.training_arguments("").parse_args(TOY)
    w, x = workloads.network_weights(a), workloads.network_batches(a)[0][0]
    out = spikes_by_hand(spikes_by_hand(x, w[0]), w[1])
    labels = workloads.labels(a.seed, a.batch, 10)
    each = np.log(np.exp(out).sum(axis=2)) - out[:, range(6), labels]
    assert result["out_spikes"] == out.sum()
    assert result["loss"] == pytest.approx(each.mean(), abs=1e-5)


def test_online_rules_differ_in_their_gradients_only(run):
    results = [run("online.py", "--variant", variant, *TOY) for variant in ("ottt", "sltt")]
    assert results[0]["loss"] == results[1]["loss"]
    assert results[0]["grad_norms"] != results[1]["grad_norms"]


@pytest.mark.parametrize("sorting", [pytest.param([], marks=pytest.mark.long), ["--sorted"]], ids=["raw", "sorted"])
def test_tempotron(run, sorting):
    result = run("tempotron.py", "--batch", "3", "--active", "0.2", "--repeat", "1", "--threads", "1", *sorting)
    assert {"step_s", "memory_mb", "compile_s", "fired", "vmax_sum"} <= set(result)
    workloads = module("workloads")
    p = workloads.arguments("")
    for name, value in (("--batch", 3), ("--T", 100), ("--active", 0.2)):
        p.add_argument(name, type=type(value), default=value)
    active, times, _, weight = workloads.latencies(p.parse_args([]))
    assert result["events"] == active.sum()
    # The largest membranes on a grid are a little below the exact ones.
    since = np.linspace(0.0, 100.0, 2001)[:, None, None] - times
    peak = 5.0 * np.log(4.0)
    scale = 1.0 / (np.exp(-peak / 15.0) - np.exp(-peak / 3.75))
    past = np.maximum(since, 0.0)
    response = np.where((since > 0) & active, scale * (np.exp(-past / 15.0) - np.exp(-past / 3.75)), 0.0)
    v_max = (response @ weight.T).max(axis=0)
    assert result["vmax_sum"] == pytest.approx(np.maximum(v_max, 0.0).sum(), rel=1e-3)
    assert result["fired"] == (v_max >= 1.0).sum()


def test_startup(run):
    result = run("startup.py", "--repeat", "1", "--warmup", "0", "--module", "json", "--program", "network")
    assert result["bare"]["wall_s"]["min"] < result["import_s"]["min"] + 0.1 < result["first_s"]["min"] + 0.2
    assert result["spikes"] > 0 and result["rss_peak_mb"] > 20.0


@pytest.mark.parametrize(
    "program",
    [
        "network",
        "simulator",
        *(pytest.param(n, marks=pytest.mark.long) for n in ("training", "cuba", "stdp", "neuron")),
    ],
)
def test_first_programs_spike(monkeypatch, capsys, program):
    monkeypatch.setattr(sys, "argv", ["first.py", program])
    runpy.run_path(str(HERE / "first.py"), run_name="__main__")
    assert int(re.fullmatch(r"spikes (\d+)\n", capsys.readouterr().out)[1]) > 100


def test_floors_are_bytes_over_the_bandwidth_and_operations_over_their_rate(monkeypatch):
    from nbsnn.device.profile import Part, Profile

    rates = {"unit": "", "0.25": {"read": 100.0}, "64": {"read": 10.0}}
    monkeypatch.setattr(module("limits").Bench, "bandwidth", lambda self: rates)
    monkeypatch.setattr(module("limits").Bench, "blas", lambda self: {"unit": "", "a": 6.0, "b": 40.0})
    parts = {"a": Part(seconds=0.5, bytes=1e9), "b": Part(seconds=1.0, bytes=1e9, ops=4e9), "c": Part(seconds=1.0)}
    _, *lines = module("train").floors(Profile(parts), 1).splitlines()
    assert [line.split() for line in lines] == [["a", "50.0", "5.0"], ["b", "100.0", "10.0", "5.0"]]


def test_limits(run):
    options = ["--repeat", "1", "--threads", "2", "--mib", "0.1", "--rows", "200"]
    result = run("limits.py", "--only", "bandwidth", *options)
    assert result["bandwidth"]["0.1"]["read"] > 0.1


def test_floor_of_a_simulation():
    found = module("limits").against_floor(10.0, 2e6, 3e7, 1e6, bandwidth=10.0, each=1.0, addition=0.5)
    wanted = {"bytes": 3.0, "equations": 2.0, "additions": 0.5, "floor": 3.5, "took": 10.0, "times the floor": 2.86}
    assert found == wanted


def test_floor_of_a_step():
    limits, parts = module("limits"), {"a": [1.0, 3e9, 2e9], "b": [1.0, 1e9, 4e9], "loss": [2.0, 0.0, 0.0]}
    assert limits.floor_of(parts, 10.0, 8.0) == pytest.approx(0.3 + 0.5)
    assert limits.distance(4.0, 0.8) == {"floor": 0.8, "took": 4.0, "times the floor": 5.0}


def test_every_row_has_a_floor():
    limits = module("limits")
    assert set(limits.STEPS) == {
        *(f"W1 {rate}%" for rate in (1, 2, 5, 20)), "W2 100", "W2 250", "W3 ottt", "W3 sltt"
    }  # fmt: skip
    assert set(limits.NEURONS) == {"cuba", "coba", "cobahh", "brunel"}


@pytest.mark.long
def test_distances_of_training_and_starts(run):
    options = ["--training", "W2 100", "W3 ottt", "--options=--T 5 --batch 4 --hidden 32 --repeat 1 --warmup 0"]
    found = run("limits.py", "--only", "training", "starting", *options, "--programs", "network", "--repeat", "1")
    steps = [found["training"][name] for name in ("W2 100", "W3 ottt")]
    starts = [found["starting"][name] for name in ("network, warm", "network, cold")]
    assert all(row["took"] > row["floor"] > 0.0 for row in (*steps, *starts))


@pytest.mark.long
def test_distances_of_simulations(run):
    options = ["--repeat", "1", "--n", "512", "--steps", "40", "--scale", "0.02", "--sim-ms", "20", "--threads", "1"]
    result = run("limits.py", "--only", "simulator", "--models", "cuba", "cobahh", *options)["simulator"]
    assert set(result) == {"unit", "cuba", "cobahh"}
    for found in (result["cuba"], result["cobahh"]):
        floor = max(found["bytes"], found["equations"]) + found["additions"]
        assert found["floor"] == pytest.approx(floor, abs=0.002) and found["floor"] > 0.0 and found["took"] > 0.0


@pytest.mark.long
def test_the_other_limits(run):
    options = ["--repeat", "1", "--rows", "200", "--n", "512", "--steps", "40"]
    result = run("limits.py", "--only", "blas", "gather", "update", *options)
    assert result["blas"]["square"] > 0.1
    assert result["gather"]["4 at once, 400 columns"] > 0.01
    assert all(value > 0.0 for key, value in result["update"].items() if key != "unit")


@pytest.mark.long
def test_the_ceilings_compute_what_they_say():
    ceilings = module("ceilings")
    x = np.linspace(-80.0, 80.0, 2001, dtype=np.float32)
    found = np.array([ceilings.polynomial_exp(value) for value in x], float)
    np.testing.assert_allclose(found, np.exp(x.astype(float)), rtol=1e-5)
    cells = [np.full(300, value, np.float32) for value in (-60.0, 0.1, 0.3, 0.6, 1.0, 1.0)]
    other = [array.copy() for array in cells]
    ceilings.hodgkin_huxley(ceilings.polynomial_exp)(*cells, 30)
    ceilings.hodgkin_huxley(ceilings.libm_exp)(*other, 30)
    for a, b in zip(cells, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3)
    sums = np.zeros(5, np.float32)
    ceilings.scatter(np.array([[0, 1, 1], [1, 4, 4]], np.uint32), np.float32(0.5), sums)
    assert sums.tolist() == [0.5, 1.5, 0.0, 0.0, 1.0]


def test_images_are_like_handwritten_digits():
    pictures = module("workloads").pictures(1, 20)
    assert pictures.shape == (20, 784) and pictures.dtype == np.float32
    assert (np.count_nonzero(pictures, axis=1) == 149).all() and pictures.min() >= 0.0 and pictures.max() <= 1.0
    assert pictures[pictures > 0].mean() == pytest.approx(0.68, abs=0.03)


def test_images_of_a_file(tmp_path):
    file = tmp_path / "idx3"
    file.write_bytes(bytes(16) + bytes([255] * 784) + bytes([51] * 784))
    pictures = module("workloads").pictures(1, 2, str(file))
    np.testing.assert_allclose(pictures.mean(axis=1), [1.0, 0.2], rtol=1e-6)


def test_activity():
    # unit 0: intervals 0.1, 0.2, 0.1 s after the first tenth; unit 3 has too few spikes
    unit, seconds = [0, 0, 0, 0, 0, 3], [0.05, 0.2, 0.3, 0.5, 0.6, 0.3]
    found = module("workloads").activity(unit, seconds, 4, 2, 1.0)
    intervals = np.array([0.1, 0.2, 0.1])
    assert found["spikes"] == 6 and found["rate_hz"] == 1.5 and found["rate_exc_hz"] == 2.5
    assert found["rate_after_100ms_hz"] == round(5 / 4 / 0.9, 3)
    assert found["cv_isi"] == pytest.approx(intervals.std() / intervals.mean(), abs=1e-4)
    assert module("workloads").activity([], [], 4, 2, 0.1)["cv_isi"] is None


def test_microcircuit():
    m = module("microcircuit")
    net = m.scaled(0.1)
    assert net["neurons"].sum() == 7717
    assert net["synapses"].sum() == pytest.approx(3.0e6, rel=0.01)
    assert (np.sign(net["weight"]) == np.where(np.arange(8) % 2 == 0, 1, -1)).all()
    full = m.scaled(1.0)
    assert full["neurons"].sum() == 77169 and not full["current"].any()
    assert full["synapses"].sum() == pytest.approx(0.3e9, rel=0.01)
    # The mean of the input stays: weights grow by 1/sqrt(s), in-degrees shrink by s, the current makes up.
    degrees = net["synapses"] / net["neurons"][:, None]
    whole = full["synapses"] / full["neurons"][:, None]
    inputs = [
        0.001 * m.TAU_SYN * ((n["weight"] * d * m.RATES).sum(axis=1) + n["external_weight"] * n["external_rate"])
        + n["current"]
        for n, d in ((net, degrees), (full, whole))
    ]
    np.testing.assert_allclose(*inputs, rtol=1e-3, atol=0.3)
    assert m.population_rates([0, 0, 3], [1, 4], 2.0) == [1.0, 0.12]


def test_a_child_is_measured_and_its_failure_told():
    workloads = module("workloads")
    wall, used, peak, text = workloads.child([sys.executable, "-c", "x = b'x' * 50_000_000; print(sum(range(10**6)))"])
    assert 0.0 < used < 10.0 and wall > 0.0 and peak > 40.0 and text == "499999500000\n"
    with pytest.raises(SystemExit, match="no such luck"):
        workloads.child([sys.executable, "-c", "raise ValueError('no such luck')"])


# ------------------------------------------------------------------------------------------------ the comparison


def commands():
    rows = module("rows")
    return rows.Command("nbsnn", "", "mine.py"), [rows.Command(n, n, f"{n}.py") for n in ("slow", "quick")]


def row(**change):
    rows = module("rows")
    mine, peers = commands()
    options = {"target": 3.0, "same": {"spikes": 0.01}, **change}
    return rows.Row("group", "W0", "work", "best", (mine,), tuple(peers), **options)


def test_the_last_json_line_counts():
    parse = module("processes").parse
    assert parse('banner\n{"a": 1}\n{"a": 2}\n{broken\nbye') == {"a": 2}
    assert "error" in parse("nothing\n")


def test_values_medians_and_ratios():
    c = module("compare")
    assert c.value_of({"x": {"min": 1.0, "med": 2.0}}, "x") == 1.0
    assert c.value_of({"x": 3.0}, "x") == 3.0 and c.value_of({}, "x") is None
    runs = [{"x": 3.0}, {"x": 1.0}, {"x": {"min": 8.0}}]
    assert c.median_of(runs, "x") == 3.0
    assert c.median_of([*runs, {"error": "no"}], "x") is None and c.median_of([], "x") is None
    assert c.ratios(runs, [{"x": 2.0}, {"x": 1.0}, {"x": 4.0}], "x") == [1.5, 1.0, 2.0]
    assert c.ratios([{"x": 1.0}], [{"x": 0.0}], "x") == []


def test_a_row_is_judged_by_the_best_peer_round_by_round(tmp_path, monkeypatch):
    c = module("compare")
    mine, (slow, quick) = commands()
    results = {
        mine: [{"step_s": 1.0, "spikes": 100}, {"step_s": 2.0, "spikes": 100}, {"step_s": 1.0, "spikes": 100}],
        slow: [{"step_s": {"min": 3.0}, "spikes": 100}] * 3,
        quick: [{"step_s": 4.0, "spikes": 100.5}, {"step_s": 4.0}, {"step_s": 5.0}],
    }
    peers = {"slow": ("", "1"), "quick": ("", "2")}
    results[slow][0]["spikes"] = 90  # not the same work, and so not the best, however quick
    monkeypatch.setattr(c, "HERE", tmp_path)
    (tmp_path / "mine.py").touch()
    verdict = c.judge(row(), results, peers, 1)
    assert verdict["peer_by"] == "quick" and verdict["ratio"] == 4.0 and verdict["spread"] == [2.0, 5.0]
    assert verdict["equal"] and verdict["done"] == "spikes 100.5 / 100" and not verdict["notes"]
    assert "| **4** (2 to 5) | 3 |" in c.markdown([verdict])
    assert c.judge(row(same={"spikes": 0.2}), results, peers, 1)["peer_by"] == "slow"
    verdict = c.judge(row(same={"spikes": 0.001}), results, peers, 1)
    assert not verdict["equal"] and "not the same" in c.markdown([verdict])
    assert "| 4 (2 to 5) | 5 |" in c.markdown([c.judge(row(target=5.0), results, peers, 1)])
    for runs in results.values():
        for run in runs:
            run["other_cores"] = 99.0
    assert "| 4 (2 to 5) | 3 | spikes 100.5 / 100; disturbed" in c.markdown([c.judge(row(), results, peers, 1)])


def test_a_row_says_what_is_absent_and_what_failed():
    c = module("compare")
    mine, (slow, quick) = commands()
    results = {mine: [{"step_s": 1.0}], slow: [{"step_s": 2.0}], quick: [{"error": "out of luck"}]}
    verdict = c.judge(row(), results, {"slow": ("", "1")}, 1)
    assert verdict["ratio"] == 2.0 and verdict["done"] == "not told"
    assert verdict["notes"][:2] == ["quick is not installed", "quick failed: out of luck"]
    assert "ours has no mine.py yet" in verdict["notes"]
    nothing = c.judge(row(), {}, {}, 1)
    assert nothing["ratio"] is None and "slow is not installed" in c.markdown([nothing])


def test_numbers_are_shown_with_their_unit():
    shown = module("compare").shown
    assert shown(0.01234, "step_s") == "12.3 ms" and shown(2.5, "sim_s") == "2.5 s"
    assert shown(31.26, "memory_mb") == "31.3 MB" and shown(None, "step_s") == ""


@pytest.mark.parametrize(
    ("code", "timeout", "error"),
    [
        ("print('hello'); print('{\"step_s\": 1}')", 60.0, None),
        ("import sys; sys.exit('not installed')", 60.0, "not installed"),
        ("import time; time.sleep(60)", 0.3, "took longer than 0.3 s"),
        ("pass", 60.0, "printed no result"),
    ],
    ids=["good", "fails", "hangs", "silent"],
)
def test_execute(code, timeout, error):
    result = module("processes").execute([sys.executable, "-c", code], timeout)
    assert result.get("error") == error
    if error is None:
        assert result["step_s"] == 1 and result["other_cores"] >= 0.0


def test_execute_without_an_interpreter(tmp_path):
    assert "error" in module("processes").execute([str(tmp_path / "python"), "-c", ""], 1.0)


def test_peers_are_found_in_the_first_interpreter_that_has_them(monkeypatch, capsys):
    processes = module("processes")
    monkeypatch.setattr(processes, "DISTRIBUTIONS", {"numpy": "numpy", "json": "no-such-name", "no_such": "x"})
    found = processes.find_peers(["/no/such/python", sys.executable])
    assert found == {"numpy": (sys.executable, np.__version__), "json": (sys.executable, "?")}
    assert "/no/such/python does not run" in capsys.readouterr().err


def test_arguments_are_filled_in(tmp_path):
    processes, rows = module("processes"), module("rows")
    command = rows.Command("a", "m", "startup.py", "--python {python} --peer x", 1)
    assert processes.argv_of(command, "/p", 2, tmp_path)[0] == sys.executable
    assert processes.argv_of(command, "/p", 2, tmp_path)[2:] == ["--python", "/p", "--peer", "x", "--threads", "1"]
    command = rows.Command("a", "m", "peers/x.py", "--work-dir {folder}")
    python, script, _, folder, *threads = processes.argv_of(command, "/p", 2, tmp_path)
    assert python == "/p" and script == str(HERE / "peers/x.py") and threads == ["--threads", "2"]
    assert Path(folder).parent == tmp_path


def test_sides_run_in_turn_and_a_failing_peer_is_not_tried_again(tmp_path, monkeypatch, capsys):
    c = module("compare")
    log = tmp_path / "log"
    script = tmp_path / "script.py"
    script.write_text(
        "import json, pathlib, sys\n"
        f"with open({str(log)!r}, 'a') as f: f.write(sys.argv[1])\n"
        "if sys.argv[1] == 'C': sys.exit('broken')\n"
        "assert sys.argv[2:] == ['--threads', '2', '--repeat', '5']\n"
        "print(json.dumps({'step_s': {'A': 0.5, 'B': 2.0}[sys.argv[1]], 'spikes': 7}))\n"
    )
    rows = module("rows")
    mine = rows.Command("nbsnn", "", str(script), "A")
    peers = tuple(rows.Command(n, "fake", str(script), n) for n in ("B", "C"))
    both = [("g", "W0"), ("h", "W0 once more")]  # groups that share commands
    made = [rows.Row(g, name, "work", "best", (mine,), peers, 3.0, same={"spikes": 0.0}) for g, name in both]
    monkeypatch.setattr(c, "ROWS", made)
    monkeypatch.setattr(c, "spare", lambda threads: 1e9)  # whoever else uses the machine
    monkeypatch.setattr(c, "find_peers", lambda interpreters: {"fake": (sys.executable, "1.0")})
    file = tmp_path / "out.json"
    assert c.main(["--repeat", "2", "--steps", "5", "--json", str(file), "--rows", "w0"]) == 0
    assert log.read_text() == 2 * "AABCAB"  # one of ours before the clock counts
    out = capsys.readouterr().out
    assert "**4** (4 to 4)" in out and "C failed: broken" in out and "--repeat 2" in out and "fake 1.0" in out
    report = json.loads(file.read_text())
    assert report["rows"][0]["ratio"] == 4.0 and len(report["runs"]) == 6 and report["versions"]["fake"] == "1.0"


def test_without_peers_nothing_runs_and_every_row_says_so(tmp_path, monkeypatch, capsys):
    c = module("compare")
    monkeypatch.setattr(c, "find_peers", lambda interpreters: {})
    monkeypatch.setattr(c, "execute", lambda *_: pytest.fail("nothing is to run"))
    assert c.main(["--json", str(tmp_path / "out.json")]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| W")]
    assert len(lines) == len(c.ROWS) and all("is not installed" in line for line in lines)
    assert {line.split()[1] for line in lines} == {f"W{k}" for k in range(1, 10)}


def test_rows_can_be_listed_and_wrong_ones_are_refused(monkeypatch, capsys):
    c = module("compare")
    monkeypatch.setattr(c, "find_peers", lambda interpreters: {})
    assert c.main(["--list", "--rows", "W4"]) == 0
    assert len([line for line in capsys.readouterr().out.splitlines() if line.startswith("W4")]) == 2
    for wrong in (["--rows", "W99"], ["--repeat", "0"], ["--steps", "-1"]):
        with pytest.raises(SystemExit):
            c.main(wrong)


def test_rows_have_names_of_their_own_and_scripts_that_exist():
    rows = module("rows").ROWS
    assert len({r.name for r in rows}) == len(rows)
    for command in (c for r in rows for c in r.peers):
        assert (HERE / command.script).exists() and command.module in module("processes").DISTRIBUTIONS
    used = {Path(c.script).name for r in rows for c in r.peers}
    assert used == {path.name for path in PEERS} - {"first_peer.py"} | {"startup.py"}


@pytest.mark.parametrize("path", PEERS, ids=lambda path: path.stem)
def test_an_absent_peer_is_told_in_one_line(path, tmp_path, monkeypatch):
    source = path.read_text() + (HERE / "peers" / "brian.py").read_text() * ("import brian\n" in path.read_text())
    needed = re.findall(r'"(\w+)"', re.search(r"require\((.*)\)", source)[1])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    options = ["--work-dir", str(tmp_path)] if '"--work-dir"' in source else []
    options = ["nest"] if path.stem == "first_peer" else options
    monkeypatch.setattr(sys, "argv", [path.name, *options])
    with pytest.raises(SystemExit, match=f"{needed[-1] if options != ['nest'] else 'nest'} not installed") as stop:
        runpy.run_path(str(path), run_name="__main__")
    assert "\n" not in str(stop.value)


@pytest.mark.filterwarnings("ignore:overflow")
def test_kernels_on_a_gpu(tmp_path, monkeypatch, capsys):
    script, file = module("on_gpu"), tmp_path / "gpu.json"
    assert script.main(["--tiny", "--only", "kernels", "--json", str(file)]) == 0
    report = json.loads(file.read_text())
    seen = report["kernels"]["kernels"]
    assert {"encode.bernoulli", "encode.first_spikes", "encode.digits", "encode.rows"} <= set(seen)
    assert all(row["times_floor"] is None or row["times_floor"] > 0.0 for row in seen.values())
    assert report["kernels"]["best"]["operations/s"] > 0.0
    assert "| encode.bernoulli | 1 |" in capsys.readouterr().out
    from nbsnn.device import cuda_setup

    monkeypatch.setattr(cuda_setup, "find", lambda: cuda_setup.Cuda(missing=("the driver is on leave",)))
    assert script.main([]) == 2 and "the driver is on leave" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:overflow")
def test_steps_and_simulations_on_a_gpu(tmp_path, capsys):
    script, file = module("on_gpu"), tmp_path / "gpu.json"
    assert script.main(["--tiny", "--only", "training", "recurrent", "simulation", "--json", str(file)]) == 0
    report = json.loads(file.read_text())
    for section in ("training", "recurrent", "simulation"):
        errors = [row["error"] for row in report[section].values() if "error" in row]
        assert all(error.startswith("NotImplementedError") for error in errors)
    assert "| cuda, samples there |" in capsys.readouterr().out


def test_what_a_launch_has_to_move():
    launches = module("launches")
    from nbsnn.device import gpu

    x, y = gpu.zeros((4, 3), np.float32), gpu.zeros((2, 3), np.float32)
    assert launches.work("fill.copy", {"lo": 0, "hi": 6, "x": x, "y": (y, 5)}) == (4.0 * 18, 0.0)
    assert launches.work("encode.rows", {"lo": 0, "hi": 6, "index": y, "x": x, "y": y}) == (2.0 * 6 * 4, 0.0)
    assert launches.work("products.tiles", {"rows": 2, "depth": 3, "columns": 4, "a": x})[1] == 48.0
    assert launches.work("network.simulate", {"lanes": 1}) == (0.0, 0.0)
    with launches.watched() as seen:
        gpu.fill(x, 0.0)
        gpu.fill(x, 1.0)
    assert seen.rows["fill.fill"]["launches"] == 2 and seen.rows["fill.fill"]["bytes"] == 2.0 * 48
    assert seen.rows["fill.fill"]["s"] > 0.0
    gpu.fill(x, 2.0)
    assert seen.rows["fill.fill"]["launches"] == 2
    table = seen.table({"bytes/s": 96.0, "operations/s": 1.0})
    assert table["fill.fill"]["floor_s"] == 1.0


def test_the_peers_of_a_gpu_exist():
    for title, (name, script, options) in module("on_gpu").PEERS.items():
        source = (HERE / "peers" / script).read_text()
        assert name in module("processes").DISTRIBUTIONS and f'"{options.split()[1]}"' in source, title


@pytest.mark.long
def test_ranks_are_measured(run):
    """On one, which needs no MPI."""
    [row] = run("mpi.py", "--ranks", "1", "--scale", "0.01", "--settle", "1", "--duration", "20")["tables"].popitem()[1]
    assert row["neurons"] == 125 and row["exchanges"] == row["received_bytes"] == 0
    assert row["spikes"] > 0 and row["run_s"] > 0.0 and row["bytes"] > 0


def test_the_model_of_many_ranks(run):
    one, weak, large = run("mpi.py", "--model")["tables"].values()
    assert one[0]["update"] == pytest.approx(77_169 * 10_000 * 5e-9) and one[0]["exchange"] == one[0]["wait"] == 0.0
    events = 77_169 * 3875 * 3.5
    assert one[0]["deliver"] == pytest.approx(events * 1.5e-9 + 77_169 * 3.5 * 8 * 60e-9)
    assert one[0]["times_real"] == pytest.approx(5.6, abs=0.1) and one[-1]["times_real"] == pytest.approx(
        0.33, abs=0.02
    )
    dense = {row["ranks"]: row for row in weak if row["rows"] == "dense"}
    assert dense[10_000]["gb"] == pytest.approx(19, abs=0.5) and dense[10_000]["limit"] == "memory"
    assert {row["limit"] for row in weak} == {"update", "deliver", "memory"}
    assert [round(row["times_real"]) for row in large] == [70, 59, 37, 31, 12, 10]


def test_slopes_of_growth():
    growth = importlib.import_module("growth")
    assert growth.slope([1, 2, 4], [3.0, 6.0, 12.0]) == pytest.approx(1.0)
    assert growth.slope([1, 10], [5.0, 5.0]) == pytest.approx(0.0)
    for what, lines in growth.LINES.items():
        assert set(lines) <= set(growth.CALLS[what][2])
    assert growth.peak(lambda: np.zeros(10**6)) == pytest.approx(8e6, rel=0.01)


def test_tables_of_readme_and_documentation_are_those_of_the_stored_figures(tmp_path, monkeypatch):
    t = module("tables")
    store = json.loads(t.STORE.read_text())
    names = {row.name for row in module("rows").ROWS}
    assert {row["name"] for row in store} <= names
    speed, grown = "examples/docs/speed.md", t.growth(json.loads(t.GROWTH.read_text()))
    texts = ("README.md", "speed", t.summary(store)), (speed, "speed", t.everything(store)), (speed, "growth", grown)
    for page, mark, text in texts:
        written = (t.ROOT / page).read_text()
        assert t.filled(written, text, mark) == written, "python tests/benchmarks/tables.py"
    with pytest.raises(ValueError, match="no marks"):
        t.filled("a page", "text")


def test_only_results_of_a_report_are_kept_and_take_the_place_of_those_of_the_same_machine(tmp_path, monkeypatch):
    t = module("tables")
    setting = {"date": "2026-01-02", "machine": "new", "versions": {"nbsnn": "1"}, "threads": 2, "repeat": 3}
    row = {"work": "w", "value": "step_s", "peer_by": "torch", "peer": 3.0, "ours": 0.5, "ratio": 6.0}
    old = [{**row, "name": name, "setting": {**setting, "machine": m}} for name, m in (("A", "old"), ("A", "new"))]
    rows = [
        {**row, "name": "A", "ratio": 7.0},
        {**row, "name": "B", "disturbed": True},
        {**row, "name": "C", "ratio": None},
    ]
    found = t.add(old, {**setting, "rows": [*rows, {**row, "name": "D", "equal": False}]})
    assert [(r["name"], r["setting"]["machine"], r["ratio"]) for r in found] == [("A", "old", 6.0), ("A", "new", 7.0)]
    assert "| w | 3 s (torch) | 500 ms | 7 |" in t.everything(found)
    for page in ("README.md", "speed.md"):
        (tmp_path / page).write_text("<!-- speed -->\nbefore\n<!-- end of speed -->\n")
    (tmp_path / "examples" / "docs").mkdir(parents=True)
    (tmp_path / "speed.md").rename(page := tmp_path / "examples" / "docs" / "speed.md")
    page.write_text(page.read_text() + "<!-- growth -->\n\n<!-- end of growth -->\n")
    line = {"what": "train", "against": "T", "points": [1, 2], "seconds": [0.5, 1.0], "bytes": [1e6, 3e6]}
    grown = {"machine": "new", "date": "2026-01-02", "lines": [{**line, "slope": 1.0, "memory_slope": 1.58}]}
    (tmp_path / "grown.json").write_text(json.dumps(grown))
    (tmp_path / "report.json").write_text(json.dumps({**setting, "rows": [{**row, "name": "W7 NEST"}]}))
    monkeypatch.setattr(t, "ROOT", tmp_path)
    monkeypatch.setattr(t, "STORE", tmp_path / "speed.json")
    monkeypatch.setattr(t, "GROWTH", tmp_path / "growth.json")
    assert t.main([str(tmp_path / "report.json"), "--growth", str(tmp_path / "grown.json")]) == 0
    assert "| T | 1: 500, 2: 1000 | 1.00 | 1: 1, 2: 3 | 1.58 |" in page.read_text()
    assert json.loads((tmp_path / "growth.json").read_text()) == grown
    assert "| w | 3 s (torch) | 500 ms | 6 | new |" in (tmp_path / "README.md").read_text()
    assert len(json.loads((tmp_path / "speed.json").read_text())) == 1
