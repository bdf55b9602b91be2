"""Spikes and variables of a recording as text, as data frames and as objects of Neo, and back."""

import sys

import numpy as np
import pytest

import nbsnn
from nbsnn.files import read_csv, read_neo, write_csv
from nbsnn.neurons import LIF


def recorded(record=None):
    net = nbsnn.Network(dt=0.1, seed=2, device="python")
    noise = net.poisson(4, 200.0, name="noise")
    cells = net.population(LIF(tau=10.0), 3, name="cells")
    net.connect(noise, cells, nbsnn.AllToAll(), weight=0.6)
    net.run(3.0)
    return net, noise, cells, net.run(60.0, record=record)


def test_spikes_that_are_written_as_text_are_read_as_inputs(tmp_path):
    _, noise, cells, run = recorded()
    run.to_csv(tmp_path / "run.csv")
    lines = (tmp_path / "run.csv").read_text().splitlines()
    assert lines[0] == "time_ms,population,unit" and len(lines) == 1 + len(run.spikes()[0])
    assert [float(line.split(",")[0]) for line in lines[1:]] == sorted(float(line.split(",")[0]) for line in lines[1:])
    for group in (noise, cells):
        times, units = read_csv(tmp_path / "run.csv", group.name)
        again = nbsnn.Network(dt=0.1, device="python")
        source = again.spikes(times, units, group.n)
        replay = again.run(63.0).spikes(source)
        np.testing.assert_allclose(replay[0], run.spikes(group)[0])
        np.testing.assert_array_equal(replay[1], run.spikes(group)[1])
    run.to_csv(tmp_path / "part.csv", cells[1:])
    times, units = read_csv(tmp_path / "part.csv")
    np.testing.assert_array_equal(units, run.spikes(cells[1:])[1])


def test_text_that_holds_no_spikes_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    write_csv(path, {"a": (np.array([1.0]), np.array([0])), "b": (np.array([0.5]), np.array([3]))})
    with pytest.raises(ValueError, match=r"has spikes of \['a', 'b'\]: name the population"):
        read_csv(path)
    with pytest.raises(ValueError, match="no spikes of 'c'"):
        read_csv(path, "c")
    for text, message in (
        ("time,unit\n1,2\n", "no column 'time_ms'"), ("time_ms,unit\n1.0,x\n", "line 2: no spike"),
        ("unit,time_ms\n1\n", "line 2: no spike"), ("", "no column 'time_ms'"),
        ("unit,time_ms\n1,nan\n", "line 2: no spike"), ("unit,time_ms\n1,1e999\n", "line 2: no spike"),
        ("unit,time_ms\n-1,2\n", "line 2: no spike"), (f"unit,time_ms\n{2**63},2\n", "line 2: no spike"),
        ("unit,time_ms\n1,\xff\n", "x.csv is not a text of spikes: 'utf-8'"),
        (f"unit,time_ms\n1,2\n{'1' * 200_000},1\n", "x.csv is not a text of spikes: field larger"),
    ):  # fmt: skip
        path.write_text(text, encoding="latin1")
        with pytest.raises(ValueError, match=message):
            read_csv(path)
    path.write_text("unit,time_ms,more\n1,2.5,a\n")
    assert [part.tolist() for part in read_csv(path)] == [[2.5], [1]]


def test_recordings_become_data_frames():
    pandas = pytest.importorskip("pandas")
    _, _, cells, run = recorded({"cells": {"spikes": None, "v": [0, 2]}, "noise": "spikes"})
    frame = run.to_pandas()
    assert list(frame.columns) == ["time_ms", "population", "unit"] and frame.time_ms.is_monotonic_increasing
    mine = frame[frame.population == "cells"]
    np.testing.assert_array_equal(mine.time_ms, run.spikes(cells)[0])
    np.testing.assert_array_equal(mine.unit, run.spikes(cells)[1])
    v = run.to_pandas(cells, "v")
    assert isinstance(v, pandas.DataFrame) and list(v.columns) == [0, 2]
    np.testing.assert_array_equal(v.to_numpy(), run[cells, "v"])
    np.testing.assert_allclose(v.index, run.times)
    with pytest.raises(ValueError, match="of which group"):
        run.to_pandas(variable="v")


def test_frames_have_the_times_of_their_variable_and_synapses_are_numbered():
    pytest.importorskip("pandas")
    net = nbsnn.Network(dt=0.1, device="python")
    cells, noise = net.population(LIF(tau=10.0), 3, name="cells"), net.poisson(4, 200.0)
    synapse = net.connect(noise, cells, nbsnn.AllToAll(), weight=np.linspace(0.1, 0.6, 12), name="synapse")
    run = net.run(5.0, record={cells: "v", synapse: "weight"}, every={cells: 0.5, synapse: 2.5})
    for owner, name, kind, rows in (("cells", "v", "unit", 10), (synapse, "weight", "synapse", 2)):
        frame = run.to_pandas(owner, name)
        assert len(frame) == rows and list(frame.columns) == list(range(frame.shape[1])) and frame.columns.name == kind
        np.testing.assert_array_equal(frame.index, run.times_of(owner, name))
        np.testing.assert_array_equal(frame.to_numpy(), run[owner, name])


def test_without_pandas_its_name_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="to_pandas needs pandas: pip install pandas"):
        recorded()[-1].to_pandas()


def test_recordings_become_blocks_of_neo_and_their_spikes_inputs():
    neo = pytest.importorskip("neo")
    _, noise, cells, run = recorded({"cells": {"spikes": None, "v": [0, 2]}, "noise": "spikes"})
    segment = run.to_neo(units={"v": "mV"}).segments[0]
    assert len(segment.spiketrains) == noise.n + cells.n
    for train in segment.spiketrains:
        times, units = run.spikes(train.annotations["population"])
        assert str(train.units.dimensionality) == "ms" and (train.t_start, train.t_stop) == (3.0, 63.0)
        np.testing.assert_array_equal(train.magnitude, times[units == train.annotations["unit"]])
    (v,) = segment.analogsignals
    assert str(v.units.dimensionality) == "mV" and v.array_annotations["unit"].tolist() == [0, 2]
    assert (v.annotations["population"], v.annotations["variable"]) == ("cells", "v")
    np.testing.assert_array_equal(v.magnitude, run[cells, "v"])
    np.testing.assert_allclose(v.times.rescale("ms").magnitude, run.times)
    for source in (run.to_neo(), segment, segment.spiketrains):
        for group in (noise, cells):
            for found, wanted in zip(read_neo(source, group.name), run.spikes(group), strict=True):
                np.testing.assert_array_equal(found, wanted)
    only = run.to_neo(cells[1:])
    assert not only.segments[0].analogsignals
    np.testing.assert_array_equal(read_neo(only)[1], run.spikes(cells[1:])[1])
    plain = [neo.SpikeTrain([0.002, 0.004], units="s", t_stop=1.0), neo.SpikeTrain([3.0], units="ms", t_stop=9.0)]
    assert [part.tolist() for part in read_neo(plain)] == [[2.0, 3.0, 4.0], [0, 1, 0]]


def test_variables_that_were_recorded_once_and_weights_become_signals_of_neo():
    pytest.importorskip("neo")
    net = nbsnn.Network(dt=0.1, device="python")
    cells, noise = net.population(LIF(tau=10.0), 3), net.poisson(4, 200.0)
    synapse = net.connect(noise, cells, nbsnn.AllToAll(), weight=np.linspace(0.1, 0.6, 12))
    run = net.run(5.0, record={cells: "v", synapse: "weight"}, every={cells: 0.5, synapse: 5.0})
    segment = run.to_neo().segments[0]
    (v,), (w,) = segment.analogsignals, segment.irregularlysampledsignals
    assert v.shape == (10, 3) and float(v.sampling_period.rescale("ms")) == pytest.approx(0.5)
    assert w.annotations["connection"] == synapse.name and w.array_annotations["synapse"].tolist() == list(range(12))
    np.testing.assert_array_equal(w.magnitude, run[synapse, "weight"])
    assert v.units.dimensionality.string == "dimensionless"


def test_what_neo_cannot_give_is_refused():
    neo = pytest.importorskip("neo")
    run = recorded()[-1]
    with pytest.raises(ValueError, match="units: 'v' was not recorded"):
        run.to_neo(units={"v": "mV"})
    block = run.to_neo()
    with pytest.raises(ValueError, match=r"of \['cells', 'noise'\]: name the population"):
        read_neo(block)
    with pytest.raises(ValueError, match="no train is of 'other'"):
        read_neo(block, "other")
    block.segments.append(neo.Segment())
    with pytest.raises(ValueError, match="2 segments"):
        read_neo(block, "cells")
    with pytest.raises(ValueError, match="no spike trains"):
        read_neo(neo.Segment())
    for unit in (-1, 1.5, 0, True):
        trains = [neo.SpikeTrain([1.0], units="ms", t_stop=2.0, unit=k) for k in (0, unit)]
        with pytest.raises(ValueError, match='annotations "unit" must be different'):
            read_neo(trains)
    with pytest.raises(ValueError, match="train 0 of source contains 1 NaN"):
        read_neo([neo.SpikeTrain([1.0, np.nan], units="ms", t_stop=2.0)])
    run = recorded({"cells": "v"})[-1]
    for unit in ("foo", "1", 3, None):
        with pytest.raises(ValueError, match=f"units: that of 'v' must be one that Neo knows, .* not {unit!r}"):
            run.to_neo(units={"v": unit})
    for source in (3, [1.0], "run.nwb"):
        with pytest.raises(TypeError, match="source must be a Block, a Segment or SpikeTrains"):
            read_neo(source)


def test_without_neo_what_installs_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "neo", None)
    with pytest.raises(ImportError, match=r'to_neo needs Neo: pip install "nbsnn\[neo\]"'):
        recorded()[-1].to_neo()
