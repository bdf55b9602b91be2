"""Files of spikes: what goes in comes out, also after a kill, and foreign files are refused."""

import contextlib
import os
import signal
import struct
import subprocess
import sys

import numpy as np
import pytest

from nbsnn.files.spikes import HEADER, SpikeFile, SpikeWriter


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.spikes"


def written(path, chunks=5, long=False):
    rng = np.random.default_rng(0)
    steps = np.sort(rng.integers(0, 10_000, 1000))
    units = rng.integers(0, 50, 1000)
    with SpikeWriter(path, 50, 0.1, long=long) as writer:
        for s, u in zip(np.array_split(steps, chunks), np.array_split(units, chunks), strict=True):
            writer.write(s, u)
    return steps, units


@pytest.mark.parametrize("long", [False, True])
def test_round_trip(path, long):
    steps, units = written(path, long=long)
    file = SpikeFile(path)
    times, found = file.spikes()
    assert (file.n, file.dt, len(file)) == (50, 0.1, 1000)
    np.testing.assert_array_equal(times, steps * 0.1)
    np.testing.assert_array_equal(found, units)
    assert times.dtype == np.float64 and found.dtype == np.int32
    assert path.stat().st_size == HEADER.size + 1000 * (12 if long else 8)
    for start, stop in ((100.0, 300.0), (0.3, 0.7), (123.4, 123.5), (2000.0, 3000.0), (5.0, 5.0)):
        inside = (steps >= round(start / 0.1)) & (steps < round(stop / 0.1))
        np.testing.assert_array_equal(file.spikes(start, stop)[1], units[inside])


def test_the_layout_is_the_documented_one(path):
    with SpikeWriter(path, 7, 0.5) as writer:
        writer.write([1, 258], [2, 6])
    raw = path.read_bytes()
    assert raw[:8] == b"NBSNNSPK" and raw[16:20] == b"\x04\x03\x02\x01"
    assert raw[HEADER.size :] == bytes([1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 0, 0, 6, 0, 0, 0])


def test_one_step_for_all_and_empty_chunks(path):
    with SpikeWriter(path, 7, 0.5) as writer:
        assert len(SpikeFile(path)) == 0 and len(SpikeFile(path).spikes()[0]) == 0
        writer.write(3, [1, 2])
        writer.write([], [])
        writer.write(3, [])
        writer.write(3, [0])
        assert SpikeFile(path).records["unit"].tolist() == [1, 2, 0]  # seen while the writer is open


@pytest.mark.parametrize("cut", range(1, 8))
def test_a_record_cut_short_is_ignored_and_then_removed(path, cut):
    steps, units = written(path)
    os.truncate(path, path.stat().st_size - cut)
    np.testing.assert_array_equal(SpikeFile(path).spikes()[1], units[:-1])
    with SpikeWriter.resume(path) as writer:
        writer.write(20_000, [49])
    file = SpikeFile(path)
    assert file.records["step"].tolist() == [*steps[:-1], 20_000] and file.records["unit"][-1] == 49


def test_resume_from_an_earlier_step(path):
    steps, _ = written(path)
    with SpikeWriter.resume(path, step=5000) as writer:
        assert writer.last == steps[steps < 5000][-1]
        writer.write([5000, 5001], [0, 1])
    assert SpikeFile(path).records["step"].tolist() == [*steps[steps < 5000], 5000, 5001]
    with SpikeWriter.resume(path, step=0) as writer:
        writer.write(0, [3])
    assert len(SpikeFile(path)) == 1


def test_chunks_survive_a_kill(path):
    code = (
        "import sys, time\nfrom nbsnn.files.spikes import SpikeWriter\n"
        f"writer = SpikeWriter({str(path)!r}, 10, 0.1)\nwriter.write([1, 2, 3], [4, 5, 6])\n"
        "print('written', flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "written\n"
        process.send_signal(signal.SIGKILL)
    np.testing.assert_array_equal(SpikeFile(path).spikes()[1], [4, 5, 6])


def test_a_failed_write_leaves_what_was_there(path):
    steps, _ = written(path)

    class Full:
        """A disk that takes five bytes and then no more."""

        closed = False

        def __init__(self, handle):
            self.handle, self.room = handle, 5

        def write(self, data):
            if not self.room:
                raise OSError(28, "No space left on device")
            taken, self.room = self.handle.write(data[: self.room]), 0
            return taken

        def __getattr__(self, name):
            return getattr(self.handle, name)

    writer = SpikeWriter.resume(path)
    handle, writer.handle = writer.handle, Full(writer.handle)
    with pytest.raises(OSError, match="No space"):
        writer.write(20_000, [1, 2])
    writer.handle = handle
    assert len(path.read_bytes()) == HEADER.size + 8 * len(steps)
    writer.write(20_000, [7])  # and it can go on
    writer.close()
    assert SpikeFile(path).records["unit"][-1] == 7 and len(SpikeFile(path)) == len(steps) + 1


def damaged(path, **changes):
    fields = {"magic": b"NBSNNSPK", "version": 1, "step": 4, "mark": 0x01020304, "zero": 0, "dt": 0.1, "n": 5}
    path.write_bytes(HEADER.pack(*{**fields, **changes}.values()))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"magic": b"PNG 1234"}, "not a file of spikes: it begins with b'PNG 1234'"),
        ({"version": 2}, "version 2 of the format"),
        ({"mark": 0x04030201}, "order mark is 0x04030201"),
        ({"step": 3}, "3 bytes per step"),
        ({"dt": 0.0}, "dt = 0 ms"),
        ({"dt": float("nan")}, "damaged header"),
        ({"n": -1}, "-1 units"),
    ],
)
def test_foreign_and_damaged_headers(path, changes, message):
    damaged(path, **changes)
    for opener in (SpikeFile, SpikeWriter.resume):
        with pytest.raises(ValueError, match=message):
            opener(path)


@pytest.mark.parametrize("length", [0, 5, 8, HEADER.size - 1])
def test_truncated_headers(path, length):
    damaged(path)
    os.truncate(path, length)
    with pytest.raises(ValueError, match="not a file of spikes" if not length else "ends within its header"):
        SpikeFile(path)


@pytest.mark.parametrize(
    ("steps", "units", "message"),
    [
        ([4], [0], "steps must ascend from the last one written, 5"),
        ([7, 6], [0, 0], "must ascend"),
        ([6, 7], [0], "one length"),
        ([6], [[0]], "one length"),
        ([6], [50], "units must be from 0 to 49, but span 50 to 50"),
        ([6], [-1], "units must be from 0"),
        ([6.0], [1], "must be integers, not float64"),
        ([2**31], [1], "long=True"),
    ],
)
def test_wrong_spikes_leave_the_file_as_it_was(path, steps, units, message):
    with SpikeWriter(path, 50, 0.1) as writer:
        writer.write(5, [1])
        before = path.read_bytes()
        with pytest.raises((ValueError, TypeError), match=message):
            writer.write(steps, units)
        assert path.read_bytes() == before


def test_other_errors(path):
    with SpikeWriter(path, 50, 0.1) as writer:
        pass
    with pytest.raises(ValueError, match="is closed"):
        writer.write(1, [1])
    with pytest.raises(FileExistsError, match="resume continues it"):
        SpikeWriter(path, 50, 0.1)
    with pytest.raises(FileNotFoundError):
        SpikeFile(path.with_name("none"))
    with pytest.raises(ValueError, match="dt must be greater than 0"):
        SpikeWriter(path.with_name("other"), 50, 0.0)
    with pytest.raises(ValueError, match="start must not exceed stop"):
        SpikeFile(path).spikes(2.0, 1.0)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (44, 99, "record 0 is step 5, unit 99"), (44, -3, "record 0 is step 5, unit -3"),
        (40, -7, "record 0 is step -7"), (56, 5, "record 2 is step 5, unit 3, after step 6"),
        (64, 2**31 - 1, None),
    ],
)  # fmt: skip
def test_records_that_cannot_be_are_named(path, place, value, message):
    with SpikeWriter(path, 10, 0.1) as writer:
        writer.write([5, 6, 7, 8], [1, 2, 3, 4])
    content = bytearray(path.read_bytes())
    content[place : place + 4] = struct.pack("<i", value)
    path.write_bytes(content)
    if message is None:
        assert len(SpikeFile(path).spikes()[0]) == 4  # a last step that is late can be
        return
    with pytest.raises(ValueError, match=message) as error:
        SpikeFile(path).spikes()
    assert str(path) in str(error.value)


def test_a_damaged_step_does_not_mislead_the_search(path):
    steps = np.arange(0, 2000, 2)
    with SpikeWriter(path, 10, 1.0) as writer:
        writer.write(steps, steps % 10)
    whole = path.read_bytes()
    for record in range(0, 1000, 37):
        for value in (-5, 2**30):
            place = HEADER.size + 8 * record
            path.write_bytes(whole[:place] + struct.pack("<i", value) + whole[place + 4 :])
            with contextlib.suppress(ValueError):  # named, which is as good as right
                times, _ = SpikeFile(path).spikes(501.0, 1203.0)
                np.testing.assert_array_equal(times, np.arange(502.0, 1203.0, 2.0))


def test_the_header_has_a_checksum_and_files_without_are_read(path):
    with SpikeWriter(path, 10, 0.1) as writer:
        writer.write([5, 6, 7, 8], [1, 2, 3, 4])
    content = bytearray(path.read_bytes())
    content[12] = 8
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged header: 8 bytes per step"):
        SpikeFile(path)
    content[12], content[20:24] = 4, bytes(4)
    path.write_bytes(content)
    assert SpikeFile(path).spikes()[1].tolist() == [1, 2, 3, 4]
