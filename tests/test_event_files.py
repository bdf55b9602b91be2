"""Readers of event files and of sound: real files, files made by hand, and named errors for what is damaged."""

import importlib.util
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

import nbsnn
from nbsnn import cli
from nbsnn.events import (
    Recordings,
    filter_bank,
    nmnist,
    read_aedat,
    read_nmnist,
    read_npy,
    read_shd,
    read_wav,
    spoken_digits,
)  # fmt: skip

FILES = Path(__file__).parent / "event_files"
HEADER = struct.Struct("<hhiiiiii")
HEAD = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n"
needs_h5py = pytest.mark.skipif(importlib.util.find_spec("h5py") is None, reason="needs h5py: pip install nbsnn[hdf5]")


def test_a_recorded_aedat_file_has_its_283_valid_events_of_300():
    found = read_aedat(FILES / "hand_aedat31.aedat")
    with np.load(FILES / "hand_aedat31.npz") as wanted:
        for name in "txyp":
            np.testing.assert_array_equal(found[name], wanted[name])
    assert (len(found), found.unit, found.shape) == (283, "us", (2, 128, 128))
    assert found.left_out == {"invalid events": 17, "special events": 1}


def event(x, y, p, t, valid=1):
    return struct.pack("<Ii", valid | p << 1 | y << 2 | x << 17, t)


def packet(*events, kind=1, overflow=0, capacity=None, number=None, valid=None, size=8, source=1):
    n = len(events) if number is None else number
    valid = sum(e[0] & 1 for e in events) if valid is None else valid
    return HEADER.pack(kind, source, size, 4, overflow, n if capacity is None else capacity, n, valid) + b"".join(
        events
    )


def test_a_packet_has_as_many_events_as_its_number_says_and_its_clock_overflows(tmp_path):
    path = tmp_path / "a.aedat"
    first = packet(event(127, 3, 1, 2**31 - 1), capacity=1000)
    later = packet(event(5, 127, 0, 7), event(6, 6, 1, 9, valid=0), overflow=1)
    path.write_bytes(HEAD + first + packet(bytes(36), kind=3, size=36, valid=1) + later)
    found = read_aedat(path)
    assert found.events.tolist() == [(2**31 - 1, 127, 3, 1), (2**31 + 7, 5, 127, 0)]
    assert found.left_out == {"invalid events": 1, "IMU6 events": 1}


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "is no AEDAT file"), (b"#!AER-DAT2.0\r\n", "version '2.0'"), (HEAD[:-20], "head does not end"),
        (HEAD.replace(b"RAW", b"PNG"), "format PNG"), (HEAD + bytes(27), "less than its header"),
        (HEAD + packet(event(1, 1, 1, 5))[:-1], "needs 8 bytes, but 7"),
        (HEAD + packet(event(1, 1, 1, 5), number=2**31 - 1, valid=0), "bytes are|left"),
        (HEAD + packet(event(1, 1, 1, 5), valid=0), "1 valid events, not 0"),
        (HEAD + packet(event(1, 1, 1, 5), capacity=0), "room for 0"),
        (HEAD + packet(event(128, 1, 1, 5)), "x = 128"), (HEAD + packet(event(1, 200, 1, 5)), "y = 200"),
        (HEAD + packet(event(1, 1, 1, 5), event(1, 1, 1, 4)), "time goes backwards at event 1, from 5 to 4"),
        (HEAD + packet(event(1, 1, 1, 5), kind=77), "type 77"),
        (HEAD + packet(event(1, 1, 1, 5)) + packet(event(1, 1, 1, 6), source=2), "2 cameras"),
    ],
)  # fmt: skip
def test_an_aedat_file_that_cannot_be_is_named(content, match, tmp_path):
    path = tmp_path / "a.aedat"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=match) as error:
        read_aedat(path)
    assert str(path) in str(error.value)


def test_n_mnist_files_are_read_alone_and_in_an_archive(tmp_path):
    path, archive = FILES / "hand_nmnist.bin", tmp_path / "train.zip"
    found = read_nmnist(path)
    raw = path.read_bytes()
    for k, (t, x, y, p) in enumerate(found.events.tolist()):
        five = raw[5 * k : 5 * k + 5]
        word = int.from_bytes(five[2:], "big")
        assert (x, y, p, t) == (five[0], five[1], word >> 23, word & (2**23 - 1))
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("Train/3/00001.bin", raw)
    np.testing.assert_array_equal(read_nmnist(archive, "Train/3/00001.bin").events, found.events)
    with pytest.raises(ValueError, match="no file 'Train/4/1"):
        read_nmnist(archive, "Train/4/1.bin")


def five(x, y, p, t):
    return bytes([x, y]) + (p << 23 | t).to_bytes(3, "big")


def test_a_mark_of_overflow_adds_to_all_later_times_and_is_counted(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(five(1, 2, 0, 8000) + five(0, 240, 0, 8100) + five(3, 4, 1, 5))
    found = read_nmnist(path)
    assert found.events.tolist() == [(8000, 1, 2, 0), (8197, 3, 4, 1)]
    assert found.left_out == {"overflow marks": 1}
    path.write_bytes(five(1, 240, 0, 8000))
    assert read_nmnist(path, shape=(256, 256)).events.tolist() == [(8000, 1, 240, 0)]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (five(1, 2, 0, 5)[:-1], "whole number of events"), (five(34, 2, 0, 5), "x = 34"), (five(1, 34, 0, 5), "y = 34"),
        (five(1, 2, 0, 5) + five(1, 2, 0, 4), "backwards at event 1"),
    ],
)  # fmt: skip
def test_an_n_mnist_file_that_cannot_be_is_named(content, match, tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=match) as error:
        read_nmnist(path)
    assert str(path) in str(error.value)


def test_columns_and_fields_in_npy_files_are_events(tmp_path):
    path = tmp_path / "0.npy"
    for dtype in (np.float64, np.float32, np.int64, np.uint32):
        np.save(path, np.array([[3, 9, 1, 5], [127, 0, 0, 6]], dtype))
        assert [tuple(map(float, e)) for e in read_npy(path, unit="ms").events.tolist()] == [
            (5, 3, 9, 1),
            (6, 127, 0, 0),
        ]
    np.save(path, np.asfortranarray(np.array([[3, 9, 1, 5], [127, 0, 0, 6]])))
    assert read_npy(path, unit="ms")["x"].tolist() == [3, 127]
    events = np.array([(True, 5, 3, 9)], [("p", "?"), ("t", ">u4"), ("x", "u1"), ("y", "u1")])
    np.save(path, events)
    assert read_npy(path, unit="us").events.tolist() == events.tolist()
    assert len(Recordings(read_npy(path, unit="us")).t) == 1
    with pytest.raises(TypeError, match="unit"):
        read_npy(path)
    for wrong in (np.ones((2, 5)), np.array([[1.5, 0, 0, 0]]), np.array([[128, 0, 0, 0]]), np.array([[1, 1, 2, 0]]),
                  np.array([[1, 1, 1, 5], [1, 1, 1, 4]]), np.array([{"a": 1}]), np.array([[1, 1, 1, np.nan]]),
                  ):  # fmt: skip
        np.save(path, wrong)
        with pytest.raises(ValueError, match=str(path)):
            read_npy(path, unit="ms")


@needs_h5py
def test_an_shd_file_has_its_samples(tmp_path):
    h5py = pytest.importorskip("h5py")
    found = read_shd(FILES / "layout_shd.h5")
    with h5py.File(FILES / "layout_shd.h5") as file:
        for k in range(3):
            t, x = found.x.events(k)
            np.testing.assert_array_equal(t, file["spikes/times"][k])
            np.testing.assert_array_equal(x, file["spikes/units"][k])
        np.testing.assert_array_equal(found.labels, file["labels"])
        np.testing.assert_array_equal(found.speakers, file["extra/speaker"])
    assert (found.x.unit, found.x.shape) == ("s", (700,))


@needs_h5py
def test_a_file_that_hangs_hdf5_is_named_soon(tmp_path):
    with pytest.raises(ValueError, match="did not end within"):
        read_shd(FILES / "hangs_h5py_3.16.0.h5")
    with pytest.raises(FileNotFoundError):
        read_shd(tmp_path / "no.h5")
    path = tmp_path / "a.h5"
    for content in (b"", b"\x89HDF\r\n\x1a\n" + bytes(100), (FILES / "layout_shd.h5").read_bytes()[:5000]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=str(path)):
            read_shd(path)


def wav(data, kind=1, channels=1, rate=8000, bits=16, more=b""):
    frame = channels * bits // 8
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, kind, channels, rate, rate * frame, frame, bits)
    body = b"WAVE" + fmt + more + struct.pack("<4sI", b"data", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    ("kind", "bits", "data"),
    [
        (1, 8, bytes([128, 192, 0])), (1, 16, struct.pack("<hhh", 0, 2**14, -(2**15))),
        (1, 24, b"\0\0\0\0\0\x40\0\0\x80"), (1, 32, struct.pack("<iii", 0, 2**30, -(2**31))),
        (3, 32, struct.pack("<fff", 0.0, 0.5, -1.0)),
    ],
)  # fmt: skip
def test_sound_of_every_width_is_from_minus_one_to_one(kind, bits, data, tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(wav(data, kind=kind, bits=bits, more=b"LIST\x03\0\0\0abc\0"))
    sound, rate = read_wav(path)
    np.testing.assert_array_equal(sound, np.float32([0.0, 0.5, -1.0]))
    assert (rate, sound.dtype) == (8000, np.float32)


def test_sound_that_cannot_be_is_named(tmp_path):
    path = tmp_path / "a.wav"
    right = wav(bytes(8))
    for content in (b"", right[:-1], right.replace(b"WAVE", b"AVI "), wav(bytes(8), kind=85), wav(bytes(7)),
                    wav(b"\0\0\xc0\x7f", kind=3, bits=32), right.replace(b"data", b"dada"), wav(bytes(8), rate=0),
                    ):  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(ValueError, match=str(path)):
            read_wav(path)
    path.write_bytes(wav(bytes(8), channels=2))
    assert read_wav(path)[0].shape == (2, 2)


def test_a_filter_bank_puts_a_tone_into_its_band_and_keeps_the_last_step():
    t = np.arange(4123) / 8000.0
    for f in (150.0, 1000.0, 3000.0):
        sound = np.sin(2.0 * np.pi * f * t)
        before = sound.copy()
        levels = filter_bank(sound, 8000, bands=16)
        assert levels.shape == (52, 16) and levels.max() == 1.0 and levels.min() >= 0.0
        mel = 2595.0 * np.log10(1.0 + np.array([100.0, f, 3600.0]) / 700.0)
        assert int(levels[5:].mean(axis=0).argmax()) == int((mel[1] - mel[0]) / (mel[2] - mel[0]) * 16)
        np.testing.assert_array_equal(sound, before)
    louder = filter_bank(3.0 * np.sin(2.0 * np.pi * 500.0 * t), 8000, bands=16)
    np.testing.assert_allclose(louder, filter_bank(np.sin(2.0 * np.pi * 500.0 * t), 8000, bands=16), atol=1e-6)
    assert not filter_bank(np.zeros(100), 8000).any()
    assert len(filter_bank(np.ones(662), 44100, dt=5.0)) == 4  # steps of 220.5 samples; the last has half a one
    for wrong in ({"low": 5000.0}, {"high": 4000.0}, {"bands": 0}, {"dt": 0.01}, {"depth": 0.0}):
        with pytest.raises(ValueError):
            filter_bank(np.ones(100), 8000, **wrong)


def write_nmnist(folder):
    """Two classes: left and right."""
    rng = np.random.default_rng(0)
    for part, first, n in (("Train", 1, 16), ("Test", 1, 6)):
        with zipfile.ZipFile(folder / f"{part}.zip", "w") as file:
            for k in range(first, n + 1):
                t = np.sort(rng.integers(0, 300_000, 400))
                x = rng.integers(0, 17, 400) + 17 * (k % 2)
                content = b"".join(five(int(a), int(rng.integers(0, 34)), 1, int(s)) for a, s in zip(x, t, strict=True))
                file.writestr(f"{part}/{k % 2}/{k:05d}.bin", content)


def write_braille(folder):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 10).astype(np.uint8)
    taxels = np.full((30, 77, 12), 255, np.uint8)
    for k, label in enumerate(labels):
        taxels[k, 20 * label + 5 : 20 * label + 20, [1, 2, 6, 10]] = rng.integers(0, 60, (4, 15))
    repetition = np.tile(np.arange(10), 3).astype(np.uint8)
    np.savez(folder / "braille_letters.npz", taxels=taxels, labels=labels, repetition=repetition)


def write_speech(folder):
    t = np.arange(4000) / 8000.0
    with zipfile.ZipFile(folder / "recordings.zip", "w") as file:
        for digit, f in enumerate((300.0, 1500.0)):
            for index in range(12):
                sound = 9000.0 * np.sin(2.0 * np.pi * (f + 10.0 * index) * t)
                file.writestr(f"recordings/{digit}_ann_{index}.wav", wav(sound.astype("<i2").tobytes()))


def test_data_sets_are_read_in_their_order_with_their_split(tmp_path):
    write_nmnist(tmp_path)
    found = nmnist(tmp_path)
    np.testing.assert_array_equal(found.y_train, np.arange(1, 17) % 2)
    assert (len(found.x_train), len(found.x_test), found.x_train.shape) == (16, 6, (2, 34, 34))
    assert len(nmnist(tmp_path, samples=3).y_train) == 3
    with zipfile.ZipFile(tmp_path / "Train.zip") as file:
        file.extractall(tmp_path / "files")
    (tmp_path / "Train.zip").unlink()
    (tmp_path / "files" / "Train").rename(tmp_path / "Train")
    np.testing.assert_array_equal(nmnist(tmp_path).x_train.t, found.x_train.t)
    write_braille(tmp_path)
    x_train, y_train, x_test, y_test = nbsnn.data.braille(tmp_path)
    assert (x_train.shape, x_test.shape) == ((24, 76, 4), (6, 76, 4))
    assert np.bincount(y_test).tolist() == [2, 2, 2] and np.bincount(y_train).tolist() == [8, 8, 8]
    assert 0.0 == x_train.min() < x_train.max() <= 1.0
    even = nbsnn.data.braille(tmp_path).standardized()
    mean, deviation = x_train.mean((0, 1)), x_train.std((0, 1))  # of the training set
    np.testing.assert_allclose(even.x_train, (x_train - mean) / deviation, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(even.x_test, (x_test - mean) / deviation, rtol=1e-4, atol=1e-5)
    assert even.x_test.dtype == np.float32 and even.y_test is not y_test and (even.y_test == y_test).all()
    write_speech(tmp_path)
    assert spoken_digits(tmp_path, T=20).cut == 24
    x_train, y_train, x_test, y_test, cut = spoken_digits(tmp_path, T=60)
    assert cut == 0
    assert (x_train.shape, x_test.shape) == ((14, 60, 32), (10, 60, 32))
    assert y_test.tolist() == [0] * 5 + [1] * 5
    assert not x_train[:, 51:].any() and x_train[:, :50].any(axis=(1, 2)).all()


@pytest.mark.parametrize(
    ("task", "write", "options"),
    [
        ("nmnist", write_nmnist, ["--batch-size", "4", "--epochs", "4", "--step", "20", "--lr", "0.02"]),
        ("braille", write_braille, ["--batch-size", "4", "--epochs", "12", "--lr", "0.02"]),
        ("speech", write_speech, ["--batch-size", "3", "--epochs", "8", "--lr", "0.02"]),
    ],
)  # fmt: skip
def test_the_command_line_trains_on_what_lies_in_time(task, write, options, tmp_path, capsys):
    write(tmp_path)
    command = ["train", task, "--data", str(tmp_path), "--out", str(tmp_path / "run"), "--hidden", "16", *options]
    assert cli.main(command) == 0
    said = capsys.readouterr()
    last = said.out.strip().splitlines()[-1]
    assert last.startswith("test accuracy: ") and float(last.split()[2]) > 80.0
    assert (tmp_path / "run" / "checkpoint.npz").is_file()


def test_the_command_line_compares_with_arrays(tmp_path, capsys):
    write_nmnist(tmp_path)
    found = []
    for more in ([], ["--dense"]):
        out = tmp_path / f"run{len(more)}"
        command = ["train", "nmnist", "--data", str(tmp_path), "--hidden", "8", "--epochs", "1", "--step", "20"]
        assert cli.main([*command, "--out", str(out), *more]) == 0
        found.append(nbsnn.load(out / "checkpoint.npz").parameters())
    assert all(np.allclose(found[0][k], found[1][k], atol=1e-5) for k in found[0])
