"""Data sets: the digits that ship, idx files good and bad, and batches."""

import gzip
import struct
import time
from pathlib import Path

import numpy as np
import pytest

import nbsnn.data
from nbsnn.data import batches, digits, fashion_mnist, mnist, read_idx
from nbsnn.random import Draws

# Class counts of the UCI test file, as its documentation lists them.
COUNTS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_digits_are_complete_and_split_evenly():
    data = digits()
    assert data.x_train.shape == (1437, 64) and data.x_test.shape == (360, 64)
    assert data.x_train.dtype == data.x_test.dtype == np.float32
    assert data.y_train.dtype == data.y_test.dtype == np.int64
    train, test = np.bincount(data.y_train), np.bincount(data.y_test)
    assert (train + test).tolist() == COUNTS
    assert abs(test - np.array(COUNTS) / 5).max() < 1
    x = np.concatenate([data.x_train, data.x_test])
    assert x.min() == 0.0 and x.max() == 1.0 and (x * 16 == np.rint(x * 16)).all()
    assert len(np.unique(x, axis=0)) == 1797  # no sample is in both parts


def test_digits_never_change():
    data = digits()
    assert data.y_test[:12].tolist() == [1, 5, 8, 1, 2, 8, 3, 5, 5, 9, 8, 7]
    assert float((data.x_train * 16).sum()) == 448870.0
    assert int(np.arange(360) @ data.y_test) == 288900


def test_digits_as_images():
    flat, image = digits(), digits(flat=False)
    assert image.x_test.shape == (360, 1, 8, 8) and (image.x_test.reshape(360, 64) == flat.x_test).all()
    assert (image.y_test == flat.y_test).all()


def test_digits_are_learnable_and_their_labels_fit():
    data = digits()
    centres = np.stack([data.x_train[data.y_train == c].mean(0) for c in range(10)])
    distance = ((data.x_test[:, None] - centres) ** 2).sum(2)
    assert (distance.argmin(1) == data.y_test).mean() > 0.85


def test_the_licence_ships_with_the_digits():
    folder = Path(nbsnn.data.__file__).parent
    text = (folder / "LICENSES.md").read_text()
    assert "CC BY 4.0" in text and "10.24432/C50P49" in text and "Alpaydin" in text
    assert {file.name for file in folder.glob("*.npz")} == {"digits.npz"}


TYPES = {
    0x08: ("u1", "B"),
    0x09: ("i1", "b"),
    0x0B: ("i2", "h"),
    0x0C: ("i4", "i"),
    0x0D: ("f4", "f"),
    0x0E: ("f8", "d"),
}


def idx_bytes(array, code=0x08):
    """An idx file written element by element with struct."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + struct.pack(f">{array.size}{TYPES[code][1]}", *array.reshape(-1).tolist())


@pytest.mark.parametrize("code", TYPES)
@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4), (0, 3)])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_files_of_all_types(tmp_path, code, shape, pack):
    array = (np.arange(np.prod(shape)) * 3 % 100 + (code > 8) * -50).reshape(shape).astype(TYPES[code][0])
    file = tmp_path / "some.name"
    file.write_bytes(pack(idx_bytes(array, code)))
    result = read_idx(str(file))
    assert result.dtype == array.dtype and result.dtype.isnative and result.shape == shape
    assert (result == array).all() and result.flags.writeable and result.flags.c_contiguous


GOOD = idx_bytes(np.arange(6, dtype=np.uint8).reshape(2, 3))  # 12 bytes of header, 6 of elements

BAD = {
    "empty": (b"", "not an idx file"),
    "short magic": (GOOD[:3], "not an idx file"),
    "text": (b"<html>not found</html>", "not an idx file"),
    "wrong type": (b"\0\0\x0a\x01" + GOOD[4:], "not an idx file"),
    "no dimensions": (b"\0\0\x08\0\x07", "not an idx file"),
    "half a header": (GOOD[:9], "expected 12 bytes, found 9"),
    "one byte missing": (GOOD[:-1], "needs 18 bytes, found 17"),
    "one byte more": (GOOD + b"\0", "needs 18 bytes, found 19"),
    "enormous": (b"\0\0\x08\x03" + b"\xff" * 12, r"found 16"),
    "truncated gzip": (gzip.compress(GOOD * 50)[:-9], "gzip"),
    "damaged gzip": (gzip.compress(GOOD)[:12] + b"\xff\xff\xff\xff" + gzip.compress(GOOD)[16:], "gzip"),
    "gzip of truncated": (gzip.compress(GOOD[:-2]), "needs 18 bytes, found 16"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_idx_files_say_which_and_why(tmp_path, name):
    content, message = BAD[name]
    file = tmp_path / "bad-file"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read_idx(file)
    assert str(file) in str(error.value)


IMAGES = np.arange(5 * 3 * 4, dtype=np.uint8).reshape(5, 3, 4) * 4
LABELS = np.array([3, 1, 4, 1, 9], np.uint8)


def write(folder, pattern="{part}-{what}-idx{ndim}-ubyte", pack=bytes, images=IMAGES, labels=LABELS, parts=None):
    for part, n in (parts or {"train": 5, "t10k": 2}).items():
        for what, array in (("images", images[:n]), ("labels", labels[:n])):
            name = pattern.format(part=part, what=what, ndim=3 if what == "images" else 1)
            (folder / name).write_bytes(pack(idx_bytes(array)))


@pytest.mark.parametrize("read", [mnist, fashion_mnist])
@pytest.mark.parametrize(
    ("pattern", "pack"),
    [
        ("{part}-{what}-idx{ndim}-ubyte", bytes),
        ("{part}-{what}-idx{ndim}-ubyte.gz", gzip.compress),
        ("{part}-{what}.idx{ndim}-ubyte", bytes),
        ("{part}-{what}.idx{ndim}-ubyte.gz", gzip.compress),
    ],
)
def test_mnist_files_are_found_under_all_their_names(tmp_path, read, pattern, pack):
    write(tmp_path, pattern, pack)
    data = read(tmp_path)
    assert data.x_train.shape == (5, 12) and data.x_test.shape == (2, 12)
    assert data.x_train.dtype == np.float32 and data.y_train.dtype == np.int64
    assert (data.x_train == IMAGES.reshape(5, 12).astype(np.float32) / np.float32(255)).all()
    assert data.y_test.tolist() == [3, 1]
    assert read(str(tmp_path), flat=False).x_train.shape == (5, 1, 3, 4)


def test_mnist_says_what_it_looked_for(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        mnist(tmp_path / "nowhere")
    write(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError) as error:
        mnist(tmp_path)
    for name in ("t10k-labels-idx1-ubyte", "t10k-labels-idx1-ubyte.gz", "t10k-labels.idx1-ubyte", str(tmp_path)):
        assert name in str(error.value)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES, LABELS[:4], r"labels must be uint8 \[5\]"),
        (IMAGES, LABELS + 7, "labels must be from 0 to 9, but one is 16"),
        (IMAGES[:, 0], LABELS, r"images must be uint8 \[n, rows, columns\]"),
        (IMAGES[:0], LABELS[:0], "images must be"),
    ],
)
def test_images_and_labels_must_fit(tmp_path, images, labels, message):
    write(tmp_path, images=images, labels=labels)
    with pytest.raises(ValueError, match=message):
        mnist(tmp_path)


def test_training_and_test_images_must_have_one_size(tmp_path):
    write(tmp_path, parts={"train": 5})
    write(tmp_path, parts={"t10k": 5}, images=IMAGES[:, :2])
    with pytest.raises(ValueError, match="differ in size"):
        mnist(tmp_path)


@pytest.mark.parametrize(("n", "size"), [(10, 3), (9, 3), (2, 5), (1, 1)])
def test_batches_visit_every_sample_once(n, size):
    lists = list(batches(n, size, Draws(0), 4))
    assert all(len(b) == size for b in lists[:-1]) and 1 <= len(lists[-1]) <= size
    assert sorted(np.concatenate(lists)) == list(range(n))
    if n >= size:
        full = list(batches(n, size, Draws(0), 4, drop_last=True))
        assert len(full) == n // size and all((a == b).all() for a, b in zip(full, lists, strict=False))


def test_batches_are_a_function_of_draws_and_epoch():
    def order(*arguments):
        return np.concatenate(list(batches(50, 7, *arguments))).tolist()

    assert order(Draws(0), 1) == order(Draws(0), 1)
    assert len({tuple(order(Draws(seed), epoch)) for seed in range(3) for epoch in range(3)}) == 9
    assert order() == list(range(50))


def test_batches_refuse_nonsense_at_once():
    with pytest.raises(ValueError, match="samples"):
        batches(0, 3)
    with pytest.raises(ValueError, match="batch_size"):
        batches(3, 0)
    with pytest.raises(ValueError, match="drop_last"):
        batches(3, 4, drop_last=True)
    with pytest.raises(TypeError, match="Draws"):
        batches(3, 1, 0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="epoch"):
        batches(3, 1, Draws(0), -1)


def test_a_gzip_file_is_unpacked_only_as_far_as_its_header_says(tmp_path):
    path = tmp_path / "bomb.gz"
    zeros = gzip.compress(bytes(100_000_000), 1)
    for head in (b"", GOOD, b"\0\0\x08\x01\x3b\x9a\xca\0"):  # the last one says 10^9 bytes
        path.write_bytes(gzip.compress(head) + zeros)
        start = time.process_time()
        with pytest.raises(ValueError, match=r"bomb\.gz"):
            read_idx(path)
        assert time.process_time() - start < 0.1
    path.write_bytes(b"\0\0\x08\x02" + bytes(4) + b"\xff" * 4)  # no element, for all that
    assert read_idx(path).shape == (0, 2**32 - 1)
