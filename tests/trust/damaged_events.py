"""Formats of event files and of sound, for ``damage``: a small file of each, what reads it, and mutants."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np

from nbsnn.events import filter_bank, read_aedat, read_nmnist, read_npy, read_shd, read_wav

FILES = Path(__file__).parents[1] / "event_files"
MEMBER = "Train/5/00001.bin"


def recorded(recording):
    return [*(np.array(recording[name]) for name in recording.events.dtype.names)]


def write_nmnist(path):
    path.write_bytes((FILES / "hand_nmnist.bin").read_bytes())


def read_bin(path):
    return recorded(read_nmnist(path))


def write_zip(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(zipfile.ZipInfo("Train/0/00002.bin"), b"")
        file.writestr(zipfile.ZipInfo(MEMBER), (FILES / "hand_nmnist.bin").read_bytes(), zipfile.ZIP_DEFLATED)


def read_zip(path):
    return recorded(read_nmnist(path, MEMBER))


def write_aedat(path):
    path.write_bytes((FILES / "hand_aedat31.aedat").read_bytes())


def read_packets(path):
    found = read_aedat(path)
    return [*recorded(found), np.array(sorted(found.left_out.values()))]


def write_columns(path):
    rng, out = np.random.default_rng(0), io.BytesIO()
    t = np.sort(rng.integers(0, 10**6, 50)) / 1000.0
    np.save(out, np.stack([rng.integers(0, 128, 50), rng.integers(0, 128, 50), rng.integers(0, 2, 50), t], axis=1))
    path.write_bytes(out.getvalue())


def write_structured(path):
    out, events = io.BytesIO(), np.zeros(50, [("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "?")])
    events["t"], events["x"] = np.arange(50), np.arange(50)
    np.save(out, events)
    path.write_bytes(out.getvalue())


def read_gesture(path):
    return recorded(read_npy(path, unit="ms"))


def write_wav(path):
    samples = np.rint(9000.0 * np.sin(np.arange(400) * 0.3)).astype("<i2").tobytes()
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    path.write_bytes(head + struct.pack("<4sI", b"data", len(samples)) + samples)


def read_sound(path):
    sound, rate = read_wav(path)
    if len(sound) and rate == 8000 and sound.ndim == 1:
        filter_bank(sound, rate, bands=4)
    return [sound, np.array(rate)]


def write_shd(path):
    path.write_bytes((FILES / "layout_shd.h5").read_bytes())


def read_hdf5(path):
    found = read_shd(path)
    return [found.x.t, found.x.index, found.x.start, found.labels, np.asarray(found.speakers)]


PACKETS = [111, 1739, 1775]
AEDAT_FIELDS = [
    *((at + k, "<i") for at in PACKETS for k in (4, 8, 12, 16, 20, 24)),
    *((at, "<B") for at in PACKETS), (10, "<B"), (22, "<B"), (139 + 80, "<i"), (143 + 80, "<i"),
]  # fmt: skip
WAV_FIELDS = [(4, "<I"), (16, "<I"), (40, "<I"), (20, "<B"), (22, "<B"), (24, "<I"), (28, "<I"), (32, "<B"), (34, "<B")]
ZIP_FIELDS = [(k, form) for k in range(0, 60, 2) for form in ("<I", "<B")]


def packed_anew(rng, data, bent, zipped):
    """An archive with right checksums that holds something else."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        entries = [(name, file.read(name)) for name in file.namelist()]
    way = int(rng.integers(0, 5))
    if way == 0:
        entries[1] = (MEMBER, bent(rng, entries[1][1]))
    elif way == 1:
        entries.append((MEMBER, entries[1][1]))
    elif way == 2:
        entries[1] = (MEMBER + "x", entries[1][1])
    elif way == 3:
        entries[1] = (MEMBER, bytes(200_000_000 if rng.integers(0, 40) == 0 else 5000))
        return zipped(entries, zipfile.ZIP_DEFLATED)
    return zipped(entries, int(rng.choice([zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED])))
