"""Damage to files: formats, mutants of them, and what a reader makes of each. Run as a program, it reads numbers of
mutants from its input and answers each with a line of JSON: a reader that kills its process is then seen from outside.

    python -m tests.trust.damage FORMAT FOLDER
"""

import functools
import gzip
import io
import json
import os
import resource
import struct
import sys
import time
import warnings
import zipfile
import zlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import nbsnn
from nbsnn import losses, optim
from nbsnn.data import read_idx
from nbsnn.files.spikes import HEADER, SpikeFile, SpikeWriter
from nbsnn.files.variables import Description, VariableFile, VariableWriter
from nbsnn.learning.resume import load_training, save_training
from nbsnn.network import State
from nbsnn.neurons import LI, LIF
from nbsnn.progress.history import History
from nbsnn.unsupervised import diehl_cook, learn

from . import damaged_events as events

SECONDS, MEMORY = 2.0, 2**30
RNG = np.random.Generator


# Formats: a file, and a reader that returns arrays.


def write_nir(path):
    """One that snnTorch wrote: its arrays are packed and in chunks."""
    files = Path(__file__).parents[1] / "nir" / "files.zip"
    Path(path).write_bytes(zipfile.ZipFile(files).read("snntorch_recurrent_diag_11.nir"))


def read_nir(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", nbsnn.nir.NirWarning)
        net = nbsnn.nir.read(path, "snntorch")
    return [*(np.array(p) for p in net.parameters().values()), np.array(repr(net))]


def network():
    return nbsnn.Sequential(
        nbsnn.Dense(4, 6), LIF(tau=np.linspace(2, 9, 6), learn="v_threshold"), nbsnn.Residual(nbsnn.Dense(6, 6), LIF()),
        nbsnn.Dense(6, 3), LI(), seed=0,
    )  # fmt: skip


def trainer():
    net = network()
    return net, nbsnn.BPTT(net, losses.rate_cross_entropy, optim.Adam(1e-2), compact=False)


def write_checkpoint(path):
    nbsnn.save(network(), path)


def read_checkpoint(path):
    net = nbsnn.load(path)
    return [*(np.array(p) for p in net.parameters().values()), np.array(repr(net)), net["lif1"].values["tau"]]


def write_training(path):
    net, learner = trainer()
    learner.step(np.ones((3, 2, 4), np.float32), np.array([0, 1]))
    row = {"epoch": 1, "loss": 0.5, "train_accuracy": 0.5, "rate/lif1": 0.25, "seconds": 1.0}
    save_training(net, learner, History([row, {**row, "epoch": 2}]), path)


def read_training(path):
    net, learner = trainer()
    before = {**{k: p.copy() for k, p in net.parameters().items()}, **learner.state()}
    try:
        rows = load_training(net, learner, path).rows
    except Exception:
        after = {**net.parameters(), **learner.state()}
        if before.keys() != after.keys() or not all(np.array_equal(before[k], after[k]) for k in before):
            raise RuntimeError("network or learner were changed before the error") from None
        raise
    after = {**net.parameters(), **learner.state()}
    return [*map(np.array, after.values()), np.array(json.dumps(rows))]


def course(path, resume=True):
    layer, history = diehl_cook(4, 3, norm=1.5, device="python"), History()
    x, encoder = np.eye(4), nbsnn.encode.poisson(T=2, gain=0.5)
    state = learn(layer, x, encoder, progress=False, checkpoint=path, resume=resume, every=4, history=history)
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in history.rows]
    arrays = [*layer.parameters().values(), state["neurons"]["theta"], state["neurons"]["theta_low"]]
    return [*map(np.array, arrays), np.array(json.dumps(rows))]


def write_learning(path):
    course(path, resume=False)


def simulation():
    net = nbsnn.Network(dt=0.1, seed=3, device="python")
    source = net.spikes(np.arange(1, 40) * 0.1, np.arange(39) % 3, 3, name="in")
    cells = net.population(LIF(tau=20.0, v_threshold=0.5), 2, name="cells")
    net.connect(source, cells, nbsnn.AllToAll(), weight=0.2, delay=0.3, plasticity=nbsnn.plasticity.PairSTDP())
    net.connect(source, cells, nbsnn.AllToAll(), weight=0.2, synapse=nbsnn.synapses.Exponential(5.0))
    return net


def write_state(path):
    net = simulation()
    net.run(2.0)
    net.state().save(path)


def read_state(path):
    state = State.load(path)
    parts = [part for pair in state.history for part in pair]
    return [np.array(state.step), *state.arrays.values(), *parts]


def write_spikes(path):
    draws = np.random.default_rng(0)
    with SpikeWriter(path, 10, 0.1) as writer:
        writer.write(np.sort(draws.integers(0, 1000, 100)), draws.integers(0, 10, 100))


def read_spikes(path):
    file = SpikeFile(path)
    arrays = [*file.spikes(), *file.spikes(10.0, 50.0), np.array([file.n, file.dt])]
    SpikeWriter.resume(path, step=500).close()
    return [*arrays, *SpikeFile(path).spikes()]


def write_variables(path):
    columns = (("cells", "v", 3, None), ("in", "w", 2, (4, 7)))
    with VariableWriter(path, Description(0.1, 10, 10, "<f4", columns)) as writer:
        writer.write(np.random.default_rng(0).normal(size=(20, 5)))


def read_variables(path):
    file = VariableFile(path)
    arrays = [file.times, *(np.array(file[name]) for name in file.names), *(file.units(*name) for name in file.names)]
    VariableWriter.resume(path, step=100).close()
    return [*arrays, np.array(VariableFile(path).rows)]


IDX = bytes([0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 4]) + bytes(range(100, 180))


def write_idx(path):
    path.write_bytes(IDX)


def write_packed(path):
    path.write_bytes(gzip.compress(IDX, mtime=0))


def read_images(path):
    return [read_idx(path)]


TEXT = {"cells": (np.arange(1, 30) * 0.7, np.arange(29) % 4), "in": (np.arange(5) * 1.5, np.arange(5))}


def write_text(path):
    nbsnn.files.write_csv(path, TEXT)


def read_text(path):
    return list(nbsnn.files.read_csv(path, "cells"))


def integers():
    parts = nbsnn.QuantDense(4, 6), nbsnn.neurons.QuantLIF(), nbsnn.QuantDense(6, 3), nbsnn.neurons.QuantLI()
    return nbsnn.to_integer(nbsnn.Sequential(*parts, seed=0))


def write_integers(path):
    integers().save(path)


def read_integers(path):
    net = nbsnn.IntegerNetwork.load(path)
    x = np.ones((3, 2, *net.layers[0]["shape"]), np.int64)
    return [net.run(x).integers, *net.arrays.values(), np.array(json.dumps(net.layers))]


# What can be seen to be wrong in data that differ.


def odd_spikes(found):
    times, units, _, _, (n, dt), *_ = found
    return (units < 0).any() or (units >= n).any() or (np.diff(times) < 0).any() or (times < 0).any() or not dt > 0


def odd_text(found):
    return not np.isfinite(found[0]).all() or (found[1] < 0).any()


def odd_variables(found):
    times, units = found[0], np.concatenate(found[len(found) // 2 : -1])
    return (units < 0).any() or (np.diff(times) <= 0).any() or not np.isfinite(times).all()


def odd_arrays(found):
    return not all(np.isfinite(a).all() for a in found if a.dtype.kind == "f" and a.size < 10**6)


def odd_state(found):
    return found[0] < 0


def never(found):
    return False


# Mutants.


def npy(array):
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asanyarray(array))
    return out.getvalue()


def head_of_npy(text, body=b"", version=(1, 0)):
    text = text.encode("latin1") + b"\n"
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version == (1, 0) else "<I", len(text)) + text + body


def bent(rng: RNG, data: bytes) -> bytes:
    """Bytes changed, lost or added."""
    out, at, n = bytearray(data), int(rng.integers(0, len(data))), int(rng.integers(1, 40))
    way = int(rng.integers(0, 10))
    if way == 0:
        del out[at:]
    elif way in (1, 2):
        for place in rng.integers(0, len(out), rng.integers(1, 5)):
            out[place] ^= int(rng.integers(1, 256))
    elif way == 3:
        out[at % 64] ^= 1 << int(rng.integers(0, 8))
    elif way == 4:
        out += rng.bytes(n * 8)
    elif way == 5:
        out[at : at + n] = bytes(len(out[at : at + n]))
    elif way == 6:
        out[at:at] = rng.bytes(n)
    elif way == 7:
        del out[at : at + n]
    elif way == 8:
        out[at:at] = out[at : at + n * 4]
    else:
        out[at : at + 4] = struct.pack("<I", int(rng.choice([0, 1, 2**31 - 1, 2**31, 2**32 - 1])))
    return bytes(out)


JUNK = [
    None, True, False, -1, 0, 1, 3, 2.5, -0.5, 1e308, 1e-300, 10**12, 10**30, 10**400, float("nan"), float("inf"),
    "x", "", "1", "__class__", "../../x", "nan", [], {}, [1, 2], [[[]]], [None], {"a": 1}, {"array": "nbsnn"},
    {"own": "x"}, {"surrogate": "os", "options": {}}, "Container", "Layer", "Population", "Plastic", "LIF", 2**53,
]  # fmt: skip
TEXTS = ["", "null", "[]", "3", '"x"', "{", "{}", "[" * 100_000, '{"a":' * 30_000, "[[]," * 1000, "\ud800", "NaN"]


def places(found, path=()):
    yield path
    items = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for name, value in items:
        yield from places(value, (*path, name))


def retold(rng: RNG, text: str) -> str:
    """A JSON text that says something else."""
    found, way, junk = json.loads(text), int(rng.integers(0, 12)), JUNK[int(rng.integers(0, len(JUNK)))]
    spots = list(places(found))
    *path, last = spots[int(rng.integers(1, len(spots)))]
    at = found
    for name in path:
        at = at[name]
    if way == 0:
        return TEXTS[int(rng.integers(0, len(TEXTS)))]
    if way == 1:
        return text[: int(rng.integers(0, len(text)))]
    if way == 2 and isinstance(at, dict):  # a name twice
        at[f"{last}?"] = junk if rng.integers(0, 2) else at[last]
        return json.dumps(found).replace(f'"{last}?"', f'"{last}"')
    if way == 3:
        del at[last]
    elif way == 4 and isinstance(at, dict):
        at["unknown"] = junk
    elif way == 5 and isinstance(at, dict):
        at[f"{last}x"] = at.pop(last)
    elif way == 6 and isinstance(at, list):
        at.append(at[-1])
    elif way == 7:  # a number slightly off
        at[last] = at[last] + 1 if type(at[last]) in (int, float) else [at[last]]
    else:
        at[last] = junk
    return json.dumps(found)


def other_array(rng: RNG, a: np.ndarray) -> bytes:
    """The bytes of an entry that holds something else than ``a``."""
    way, text = int(rng.integers(0, 14)), a.dtype.kind == "U"
    name = "<f4" if text else a.dtype.str
    if way == 0:
        return (
            npy(a.astype(rng.choice(["f2", "f8", "i8", "u1", "c8", "?", "S4", "U3", "i4", "f4"]))) if not text else b""
        )
    if way == 1:
        return npy(rng.choice([0, 1]) * a.reshape(-1)[:1].astype("f4") if not text else np.zeros(3))
    if way == 2:
        shapes = [a.reshape(-1), a[None], np.zeros(0, a.dtype), np.zeros((1,) * 20, a.dtype), np.tile(a.reshape(-1), 2)]
        return npy(shapes[int(rng.integers(0, 5))])
    if way == 3 and not text:
        b = a.astype("f8" if a.dtype.kind != "f" else a.dtype).reshape(-1)
        b[int(rng.integers(0, max(1, b.size))) :][:1] = rng.choice([np.nan, np.inf, -np.inf])
        return npy(b.reshape(a.shape))
    if way == 4:
        return npy(np.full(a.shape, "seven" if rng.integers(0, 2) else 2**62))
    if way == 5:
        return npy(np.zeros(3, [("a", "f4"), ("b", "i4")]) if rng.integers(0, 2) else np.zeros(3, "M8[s]"))
    if way == 6:
        n = int(rng.choice([10**9, 10**12, 2**40, 2**62, 2**63]))
        return head_of_npy(f"{{'descr': '{name}', 'fortran_order': False, 'shape': ({n},), }}", bytes(64))
    if way == 7:
        shape = ["(-3, -2)", "(-1,)", "(2.0,)", "7", "(True,)", "(0, 99999999999999999999)", "(1,) * 3", "None"]
        said = f"{{'descr': '{name}', 'fortran_order': False, 'shape': {shape[int(rng.integers(0, 8))]}, }}"
        return head_of_npy(said, bytes(24))
    if way == 8:
        said = [
            "{'descr': '<f4', 'shape': (2,)}", "__import__('os').abort()", "(" * 3000, "-" * 8000 + "1", "", "{",
            "{'descr': 'O', 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '<f99', 'fortran_order': False, 'shape': ()}",
            "{'descr': [('a', '<f4', (3, 3))], 'fortran_order': False, 'shape': (1,)}", "\xff" * 10, "1" * 9000,
            "{'descr': '<U0', 'fortran_order': False, 'shape': ()}",
            "{'descr': '<f4', 'fortran_order': 3, 'shape': (2,)}",
        ]  # fmt: skip
        version = (2, 0) if rng.integers(0, 4) == 0 else (1, 0)
        return head_of_npy(said[int(rng.integers(0, len(said)))], bytes(16), version)
    if way == 9:
        return [b"", b"hello", b"\x93NUMPY", b"\x93NUMPY\x03\x00\x00\x00\x00\x00", npy(a)[:-1], npy(a) + b"x"][
            int(rng.integers(0, 6))
        ]
    if way == 10:
        return npy(np.asfortranarray(a)) if a.ndim > 1 else npy(a.astype(a.dtype.newbyteorder(">")))
    if way == 11:
        return npy((-np.abs(a) - 1).astype(a.dtype) if a.dtype.kind in "if" else np.array(5.0))
    if way == 12:
        return npy(np.zeros((0, 5), a.dtype))
    return bent(rng, npy(a))


def zipped(entries, method=zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duplicate names
        with zipfile.ZipFile(out, "w", method, compresslevel=1) as file:
            for name, content in entries:
                file.writestr(name, content)
    return out.getvalue()


ZEROS = 300_000_000


def rezipped(rng: RNG, data: bytes, number: int) -> bytes:
    """An .npz with right checksums, and something wrong in it."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        entries = [(name, file.read(name)) for name in file.namelist()]
    k = int(rng.integers(0, len(entries)))
    name, content = entries[k]
    array = np.load(io.BytesIO(content))
    stories = [
        i for i, (_, c) in enumerate(entries) if c[:200].find(b"'<U") > 0 and str(np.load(io.BytesIO(c)))[:1] in "[{"
    ]
    way = int(rng.integers(0, 24))
    if number % 400 == 399:  # what unpacks to very much, wanted or not
        head = head_of_npy(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({ZEROS // 4},), }}")
        bomb = (name if rng.integers(0, 2) else "surplus.npy", head + bytes(ZEROS))
        return zipped([bomb, *(e for e in entries if e[0] != bomb[0])], zipfile.ZIP_DEFLATED)
    if way < 9 and stories:
        i = stories[int(rng.integers(0, len(stories)))]
        text = retold(rng, str(np.load(io.BytesIO(entries[i][1]))))
        entries[i] = (entries[i][0], npy(np.array(text)))
    elif way < 16:
        entries[k] = (name, other_array(rng, array))
    elif way == 16:
        del entries[k]
    elif way == 17:
        entries[k] = (name.replace(".npy", rng.choice(["x.npy", "", ".NPY", "/.npy"])), content)
    elif way == 18:
        entries.append((name, npy(np.zeros_like(array)) if rng.integers(0, 2) else content))
    elif way == 19:
        entries += [(f"x{i}.npy", npy(np.zeros(1))) for i in range(300)]
    elif way == 20:
        more = [("readme.txt", b"hello"), ("../../x.npy", npy(np.zeros(3))), ("param/x.npy", content), ("a/.npy", b"")]
        entries.append(more[int(rng.integers(0, 4))])
    elif way == 21:
        return zipped(entries, int(rng.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])))
    else:  # fields of the zip's own records
        out = bytearray(zipped(entries))
        marks = [at for mark in (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06") for at in found_at(out, mark)]
        at = marks[int(rng.integers(0, len(marks)))] + int(rng.integers(4, 46))
        out[at : at + 2] = struct.pack("<H", int(rng.choice([0, 1, 8, 12, 14, 99, 255, 65535])))
        return bytes(out)
    return zipped(entries)


def found_at(data, mark):
    at = data.find(mark)
    while at >= 0:
        yield at
        at = data.find(mark, at + 1)


VALUES = {
    "<d": [0.0, -1.0, np.nan, np.inf, 1e-300, 1e300, 0.2], "<q": [0, -1, 2**63 - 1, 2**31, 2**31 + 1, 1, 9, 11],
    "<i": [-1, -(2**31), 2**31 - 1, 10, 0, 500], "<I": [0, 1, 2, 4, 8, 2**16, 2**31, 2**32 - 1],
    "<Q": [0, 1, 8, 10**9, 2**32, 2**63, 2**64 - 1], ">I": [0, 1, 5, 2**16, 2**31, 2**32 - 1],
    "<B": [0, 1, 2, 4, 8, 9, 11, 13, 14, 33, 64, 255],
}  # fmt: skip


def overwritten(rng: RNG, data: bytes, fields) -> bytes:
    at, form = fields[int(rng.integers(0, len(fields)))]
    out = bytearray(data)
    value = VALUES[form][int(rng.integers(0, len(VALUES[form])))]
    out[at : at + struct.calcsize(form)] = struct.pack(form, value)
    return bytes(out)


def mutate_npz(rng, data, number):
    return bent(rng, data) if number % 3 == 0 else rezipped(rng, data, number)


def mutate_spikes(rng, data, number):
    if number % 3 == 0:
        return bent(rng, data)
    header = [(8, "<I"), (12, "<I"), (16, "<I"), (20, "<I"), (24, "<d"), (32, "<q")]
    records = [(HEADER.size + 4 * int(k), "<i") for k in rng.integers(0, 200, 6)]
    out = bytearray(overwritten(rng, data, header + records))
    if rng.integers(0, 2):  # with a right checksum, or none as in earlier files
        out[20:24] = bytes(4)
        out[20:24] = struct.pack("<I", zlib.crc32(out[:40])) if rng.integers(0, 2) else bytes(4)
    return bytes(out)


def mutate_variables(rng, data, number):
    if number % 4 == 0:
        return bent(rng, data)
    if number % 4 == 1:
        return overwritten(rng, data, [(8, "<I"), (12, "<I"), (16, "<Q"), (16, "<I"), (20, "<I")])
    size = struct.unpack_from("<Q", data, 16)[0]
    told = json.loads(data[24 : 24 + size])
    if rng.integers(0, 2):
        del told["check"]
    text = retold(rng, json.dumps(told)).encode("utf8", "replace")
    text += b" " * (-len(text) % 8)
    return data[:16] + struct.pack("<Q", len(text)) + text + data[24 + size :]


@functools.cache
def zeros():
    """Very many zeros as a gzip file."""
    return gzip.compress(bytes(ZEROS), 1)


IDX_FIELDS = [(0, "<B"), (2, "<B"), (3, "<B"), (4, ">I"), (8, ">I"), (12, ">I")]


def mutate_idx(rng, data, number):
    return bent(rng, data) if number % 2 else overwritten(rng, data, IDX_FIELDS)


def mutate_packed(rng, data, number):
    way = int(rng.integers(0, 9))
    if number % 400 == 399:  # 3 GB, with the header of an image or without
        head = b"\0\0\x08\x01" + struct.pack(">I", 10 * ZEROS) if rng.integers(0, 2) else b""
        return gzip.compress(head) + 10 * zeros()
    if way < 3:
        return bent(rng, data)
    if way < 5:
        return gzip.compress(overwritten(rng, IDX, IDX_FIELDS))
    if way == 5:
        cut = int(rng.integers(0, len(IDX)))
        return gzip.compress(IDX[:cut]) + gzip.compress(IDX[cut:])
    if way == 6:
        return gzip.compress(bent(rng, IDX))
    if way == 7:
        return data + rng.bytes(int(rng.integers(1, 20)))
    return gzip.compress(gzip.compress(IDX))


def mutate_nir(rng, data, number):
    """Most of such a file are zeros that nobody reads."""
    if number % 4 == 0:
        return bent(rng, data)
    out = bytearray(data)
    places = rng.choice(np.flatnonzero(np.frombuffer(data, np.uint8)), int(rng.choice([1, 1, 2, 5])))
    for place in places:
        if number % 4 == 3:  # a piece of the file in another place
            size, source = int(rng.choice([4, 8, 16, 64])), int(rng.integers(0, len(data) - 64))
            out[place : place + size] = data[source : source + size][: len(out) - place]
        else:
            out[place] ^= 1 << int(rng.integers(0, 8))
    return bytes(out)


def fields_or_bent(fields):
    return lambda rng, data, number: bent(rng, data) if number % 2 else overwritten(rng, data, fields)


def mutate_zip(rng, data, number):
    if number % 3:
        return bent(rng, data) if number % 3 == 1 else overwritten(rng, data, events.ZIP_FIELDS)
    return events.packed_anew(rng, data, bent, zipped)


def mutate_npy(rng, data, number):
    array = np.load(io.BytesIO(data))
    return bent(rng, data) if number % 2 else other_array(rng, array["t"] if array.dtype.names else array)


def mutate_hdf5(rng, data, number):
    if number % 2:
        return bent(rng, data)
    fields = [(int(k), form) for k in rng.integers(0, len(data) - 8, 6) for form in ("<I", "<Q", "<B")]
    return overwritten(rng, data, fields)


FORMATS = {
    "checkpoint": (write_checkpoint, read_checkpoint, mutate_npz, odd_arrays),
    "training": (write_training, read_training, mutate_npz, odd_arrays),
    "learning": (write_learning, course, mutate_npz, odd_arrays),
    "state": (write_state, read_state, mutate_npz, odd_state),
    "spikes": (write_spikes, read_spikes, mutate_spikes, odd_spikes),
    "integers": (write_integers, read_integers, mutate_npz, never),
    "csv": (write_text, read_text, lambda rng, data, number: bent(rng, data), odd_text),
    "variables": (write_variables, read_variables, mutate_variables, odd_variables),
    "idx": (write_idx, read_images, mutate_idx, never),
    "idx.gz": (write_packed, read_images, mutate_packed, never),
    **({"nir": (write_nir, read_nir, mutate_nir, odd_arrays)} if find_spec("pyfive") else {}),
    "nmnist": (events.write_nmnist, events.read_bin, fields_or_bent([(k, "<B") for k in range(50)]), never),
    "nmnist.zip": (events.write_zip, events.read_zip, mutate_zip, never),
    "aedat": (events.write_aedat, events.read_packets, fields_or_bent(events.AEDAT_FIELDS), never),
    "columns.npy": (events.write_columns, events.read_gesture, mutate_npy, odd_arrays),
    "events.npy": (events.write_structured, events.read_gesture, mutate_npy, odd_arrays),
    "wav": (events.write_wav, events.read_sound, fields_or_bent(events.WAV_FIELDS), never),
    "shd": (events.write_shd, events.read_hdf5, mutate_hdf5, never),
}


def same(a, b):
    pairs = zip(a, b, strict=False)
    return len(a) == len(b) and all(x.dtype == y.dtype and np.array_equal(x, y, equal_nan=False) for x, y in pairs)


def chain(error):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def outcome(read, odd, truth, path: Path) -> tuple[str, str]:
    """What a reader makes of the file at ``path``: "right", "named" or "other" data are as it should be."""
    begin = time.process_time()
    try:
        found = read(path)
        kind = "right" if same(found, truth) else "seen" if odd(found) else "other"
        said = ""
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        good = type(error) in (ValueError, OSError) and str(path) in str(error) and ".part" not in str(error)
        kind = "named" if good else "raw"
        if any(isinstance(e, MemoryError) for e in chain(error)):
            kind = "large"
    seconds = time.process_time() - begin
    return ("slow", f"{seconds:.1f} s, {kind}, {said}") if seconds > SECONDS else (kind, said[:300])


def main(name: str, folder: str) -> None:
    warnings.simplefilter("ignore")
    write, read, mutate, odd = FORMATS[name]
    whole, path = Path(folder, "whole"), Path(folder, "mutant.npz")
    write(whole)
    data = whole.read_bytes()
    truth = read(whole)
    whole.write_bytes(data)
    here = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    print(json.dumps(["ready", ""]), flush=True)
    for line in sys.stdin:
        number = int(line)
        mutant = mutate(np.random.default_rng([number, len(name)]), data, number)
        path.write_bytes(mutant)
        del mutant
        resource.setrlimit(resource.RLIMIT_AS, (here + MEMORY, resource.RLIM_INFINITY))
        answer = outcome(read, odd, truth, path)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("NBSNN_THREADS", "1")
    main(*sys.argv[1:])
