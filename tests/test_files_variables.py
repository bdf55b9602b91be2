"""Files of variables: what a run writes is what it would have kept, also after a kill; foreign files are refused."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import nbsnn
from nbsnn.files.spikes import SpikeFile, SpikeWriter
from nbsnn.files.variables import HEADER, Description, VariableFile, VariableWriter
from nbsnn.network import loop
from nbsnn.neurons import LIF
from nbsnn.plasticity import PairSTDP


def network(dtype=np.float32):
    net = nbsnn.Network(dt=0.5, seed=3, device="python", dtype=dtype)
    source, cells = net.poisson(10, 80.0, name="source"), net.population(LIF(tau=10.0), 6, name="cells")
    weight = nbsnn.values.Uniform(0.2, 0.6)
    return net, net.connect(source, cells, nbsnn.AllToAll(), weight=weight, plasticity=PairSTDP(), name="learns")


def wanted(net, made, weights=True):
    return {"cells": {"v": None, "spikes": None}, "source": "spikes"} | ({made: "weight"} if weights else {})


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("weights", "every"), [(True, 2.0), (False, 2.0), (False, None)])
def test_a_file_holds_what_would_have_been_kept(tmp_path, dtype, weights, every, monkeypatch):
    net, made = network(dtype)
    kept = net.run(40.0, record=wanted(net, made, weights), every=every)
    monkeypatch.setattr(loop, "NUMBERS", 20)  # so that rows come in several blocks
    other, again = network(dtype)
    run = other.run(
        40.0, record=wanted(other, again, weights), every=every, to=tmp_path / "s", variables_to=tmp_path / "v"
    )
    file, cells = VariableFile(tmp_path / "v"), other.group("cells")
    v = kept[net.group("cells"), "v"]
    for found in (run[cells, "v"], file["cells", "v"]):
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, v)
    if weights:
        np.testing.assert_array_equal(run[again, "weight"], kept[made, "weight"])
        np.testing.assert_array_equal(file["learns", "weight"], kept[made, "weight"])
    np.testing.assert_array_equal(run.times, kept.times)
    np.testing.assert_allclose(file.times, kept.times)
    assert file.names == [("cells", "v")] + [("learns", "weight")] * weights and len(file) == len(v) > 0
    assert len(kept.spikes()[0]) > 50
    for a, b in zip(kept.spikes("cells"), run.spikes("cells"), strict=True):  # read from their file
        np.testing.assert_array_equal(a, b)
        assert type(b) is np.ndarray and a.dtype == b.dtype
    assert kept.rate("cells") == run.rate("cells") > 0.0


def test_units_are_named_and_a_callback_breaks_no_row(tmp_path):
    net, made = network()
    run = net.run(
        10.0, record={"cells": {"v": [4, 1]}, made: "weight"}, every=1.5, variables_to=tmp_path / "v",
        callback=lambda n: None, callback_every=2.0,
    )  # fmt: skip
    file = VariableFile(tmp_path / "v")
    assert file.units("cells", "v").tolist() == [4, 1] and file.units("learns", "weight").tolist() == [*range(60)]
    np.testing.assert_allclose(file.times, [1.5, 3.0, 4.5, 6.0, 7.5, 9.0])
    np.testing.assert_array_equal(run[made, "weight"], file["learns", "weight"])
    with pytest.raises(KeyError, match=r"\('cells', 'u'\) is not in this file, which holds \[\('cells', 'v'\)"):
        file["cells", "u"]


def test_runs_go_on_in_one_file_also_from_a_state(tmp_path):
    def record(net, made):
        return {"record": wanted(net, made), "every": 2.0}

    net, made = network()
    whole = net.run(30.0, **record(net, made))
    net, made = network()
    net.run(11.0, **record(net, made), to=tmp_path / "s", variables_to=tmp_path / "v")
    state = net.state()
    with (
        SpikeWriter.resume(tmp_path / "s") as spikes,
        VariableWriter.resume(tmp_path / "v") as variables,
    ):
        net.run(7.0, **record(net, made), to=spikes, variables_to=variables)
        net.run(1.0, **record(net, made), to=spikes, variables_to=variables)  # without a row
        net.run(3.0, **record(net, made), to=spikes, variables_to=variables)
    net.restore(state)
    with (
        SpikeWriter.resume(tmp_path / "s", step=net.step + 1) as spikes,
        VariableWriter.resume(tmp_path / "v", step=net.step) as variables,
    ):
        assert variables.rows == 5
        run = net.run(19.0, **record(net, made), to=spikes, variables_to=variables)
    file = VariableFile(tmp_path / "v")
    np.testing.assert_array_equal(file["cells", "v"], whole["cells", "v"])
    np.testing.assert_array_equal(file["learns", "weight"], whole[whole.network.connections[0], "weight"])
    np.testing.assert_array_equal(run["cells", "v"], whole["cells", "v"][5:])
    np.testing.assert_array_equal(SpikeFile(tmp_path / "s").spikes()[1], whole.spikes()[1])
    np.testing.assert_array_equal(run.spikes()[1], whole.spikes()[1][whole.spikes()[0] > 11.0])


def test_a_file_that_does_not_fit_is_refused_and_nothing_is_made(tmp_path):
    net, made = network()
    record = wanted(net, made)
    net.run(4.0, record=record, every=2.0, to=tmp_path / "s", variables_to=tmp_path / "v")
    before = {p: p.read_bytes() for p in tmp_path.iterdir()}

    def refused(error, message, **options):
        step = net.step
        with pytest.raises(error, match=message):
            net.run(2.0, **{"record": record, "every": 2.0, **options})
        assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before and net.step == step

    refused(FileExistsError, "v exists: VariableWriter.resume continues it", variables_to=tmp_path / "v")
    refused(FileExistsError, "s exists: SpikeWriter.resume", to=tmp_path / "s", variables_to=tmp_path / "new")
    none = {"record": {"cells": "spikes"}, "variables_to": tmp_path / "new"}
    refused(ValueError, "needs variables or weights", **none, every=None)
    refused(ValueError, "variables and weights; none are recorded", **none)
    with VariableWriter.resume(tmp_path / "v") as writer:
        refused(ValueError, "begun with every = 4, which this run cannot go on: 2", every=1.0, variables_to=writer)
        refused(ValueError, "begun with columns =", record={"cells": "v"}, variables_to=writer)
    net.run(2.0)
    with VariableWriter.resume(tmp_path / "v") as writer:
        refused(ValueError, "the next row of .* is that after 12 steps, that of this run after 16", variables_to=writer)
    other = nbsnn.Network(dt=0.5, device="python")
    other.poisson(3, 10.0)
    with SpikeWriter.resume(tmp_path / "s") as writer, pytest.raises(ValueError, match="begun with 16 units"):
        other.run(1.0, to=writer)
    net.reset()
    with SpikeWriter.resume(tmp_path / "s") as writer:
        refused(ValueError, "holds spikes up to step", to=writer)


def test_rows_survive_a_kill(tmp_path):
    path = tmp_path / "v"
    code = (
        "import sys, os, signal\nsys.path.insert(0, sys.argv[1])\nfrom tests.test_files_variables import network\n"
        "net, made = network()\n"
        "def stop(net):\n    if net.step == 30:\n        os.kill(os.getpid(), signal.SIGKILL)\n"
        "net.run(1e6, record={'cells': 'v', made: 'weight'}, every=1.0, variables_to=sys.argv[2], callback=stop)"
    )
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    done = subprocess.run([sys.executable, "-c", code, root, str(path)], cwd=root)
    assert done.returncode == -signal.SIGKILL
    net, made = network()
    kept = net.run(15.0, record={"cells": "v", made: "weight"}, every=1.0)
    file = VariableFile(path)
    assert 14 <= len(file) <= 15
    np.testing.assert_array_equal(file["cells", "v"], kept["cells", "v"][: len(file)])
    np.testing.assert_array_equal(file["learns", "weight"], kept[made, "weight"][: len(file)])


ABOUT = Description(0.1, 10, 20, "<f4", (("cells", "v", 2, (0, 3)), ("cells", "u", 1, None)))


@pytest.mark.parametrize("cut", [1, 5, 11])
def test_a_row_cut_short_is_ignored_and_then_removed(tmp_path, cut):
    path = tmp_path / "v"
    with VariableWriter(path, ABOUT) as writer:
        writer.write(np.arange(9.0).reshape(3, 3))
        assert (writer.next, len(VariableFile(path))) == (50, 3)
    os.truncate(path, path.stat().st_size - cut)
    assert VariableFile(path).rows.tolist() == [[0, 1, 2], [3, 4, 5]]
    with VariableWriter.resume(path) as writer:
        assert writer.next == 40
        writer.write([[7, 8, 9]])
    file = VariableFile(path)
    assert file.description == ABOUT and file.rows[-1].tolist() == [7, 8, 9]
    assert file["cells", "u"].ravel().tolist() == [2, 5, 9] and file.times.tolist() == [2.0, 3.0, 4.0]
    for step, rows in ((45, 3), (30, 2), (29, 1), (5, 0)):
        VariableWriter.resume(path, step=step).close()
        assert len(VariableFile(path)) == rows
    with pytest.raises(ValueError, match="is closed"):
        writer.write([[1, 2, 3]])


def test_foreign_and_damaged_files(tmp_path):
    path = tmp_path / "v"
    with VariableWriter(path, ABOUT) as writer, pytest.raises(ValueError, match=r"shape \[rows, 3\], not \[1, 2\]"):
        writer.write([[1, 2]])
    head = path.read_bytes()
    text = head[HEADER.size :]
    for content, message in (
        (b"PNG 1234", "not a file of variables: it begins with b'PNG 1234'"),
        (head[:12], "ends within its header, after 12 of 24 bytes"),
        (head[:30], "ends within its description"),
        (HEADER.pack(b"NBSNNVAR", 2, 0x01020304, len(text)) + text, "version 2 of the format"),
        (HEADER.pack(b"NBSNNVAR", 1, 0x04030201, len(text)) + text, "order mark is 0x04030201"),
        (head.replace(b"<f4", b"<i4"), "damaged description: dtype must be '<f4' or '<f8'"),
        (head.replace(b'"every": 10', b'"every": -1'), "damaged description: every must be at least 1"),
        (head.replace(b"{", b"[", 1), "damaged description"),
    ):
        path.write_bytes(content)
        for opener in (VariableFile, VariableWriter.resume):
            with pytest.raises(ValueError, match=message):
                opener(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"dt": 0.5', '"dt": 0.7'), ('"dt": 0.5', '"dt": 1e999'), ('"dt": 0.5', '"dt": true'), ('"v"', '5'),
        ("[4, 7]", "[4, -7]"), ("[4, 7]", "[4, 4]"), ("[4, 7]", '[4, "x"]'), ("[4, 7]", "[4, 7.5]"),
        ("[4, 7]", "[4, NaN]"),
        ('"in", "w"', '"cells", "v"'), ('"every": 10', '"every": 9007199254740993'), ('"first": 5', '"unknown": 5'),
        ('"first": 5', '"first": 5, "more": 5'), ('"columns": [', '"columns": [[], '),
        ('"columns": [', '"columns": ["abcd", '),
    ],
)  # fmt: skip
def test_a_description_that_cannot_be_is_refused_with_the_path(old, new, tmp_path):
    path = tmp_path / "v"
    columns = (("cells", "v", 3, None), ("in", "w", 2, (4, 7)))
    VariableWriter(path, Description(0.5, 10, 5, "<f4", columns)).close()
    text = path.read_bytes()[HEADER.size :].decode()
    assert old in text
    changed = text.replace(old, new).encode()
    path.write_bytes(HEADER.pack(b"NBSNNVAR", 1, 0x01020304, len(changed)) + changed)
    with pytest.raises(ValueError, match="damaged description") as error:
        VariableFile(path)
    assert str(path) in str(error.value)


def test_files_without_a_checksum_are_read(tmp_path):
    path = tmp_path / "v"
    with VariableWriter(path, ABOUT) as writer:
        writer.write([[1, 2, 3]])
    content = path.read_bytes()
    at = content.index(b', "check"')
    end = content.index(b"}", at)
    path.write_bytes(content[:at] + b"}" + b" " * (end - at) + content[end + 1 :])
    assert VariableFile(path).rows.tolist() == [[1, 2, 3]]
