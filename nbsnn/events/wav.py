"""WAV: sound as uncompressed samples.

"RIFF", size u32, "WAVE"; then chunks: name, size u32, content (and a byte if the size is odd); all little-endian
fmt     format u16, channels u16, samples per second u32, bytes per second u32, bytes per frame u16, bits u16
data    frames, channel by channel
"""

from __future__ import annotations

import struct
from os import PathLike

import numpy as np

from ..files.npz import reading
from .bytes_of import bytes_of, called

PLAIN, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
KINDS = {(PLAIN, 8): "u1", (PLAIN, 16): "<i2", (PLAIN, 24): "u1", (PLAIN, 32): "<i4", (FLOAT, 32): "<f4"}


def read_wav(path: str | PathLike[str], member: str | None = None) -> tuple[np.ndarray, int]:
    """The sound of a ``.wav`` file.

    Parameters
    ----------
    path : str or path
        The file, or a zip archive.
    member : str, optional
        Name of the file in the archive.

    Returns
    -------
    sound : float32 array [samples], or [samples, channels] if there are several
        From -1 to 1.
    rate : int
        Samples per second.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is compressed, of another kind, or damaged.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> head = b"RIFF" + struct.pack("<I", 40) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "a.wav")
    ...     _ = file.write_bytes(head + b"data" + struct.pack("<Ihh", 4, 16384, -16384))
    ...     read_wav(file)
    (array([ 0.5, -0.5], dtype=float32), 8000)
    """
    content, where = bytes_of(path, member), called(path, member)
    with reading(where):
        return parsed(content)


def parsed(content: bytes) -> tuple[np.ndarray, int]:
    """The sound and its rate, of the bytes of a file."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE" or len(content) < 12:
        raise ValueError(f"it begins with {content[:12]!r}, not as a WAV file does")
    said = struct.unpack_from("<I", content, 4)[0] + 8
    if said > len(content):
        raise ValueError(f"it has {len(content)} bytes, less than the {said} that it says")
    chunks = _chunks(content, said)
    if len(chunks.get(b"fmt ", b"")) < 16 or b"data" not in chunks:
        raise ValueError(f"it lacks a format or samples; it has {sorted(chunks)}")
    kind, channels, rate, per_second, frame, bits = struct.unpack_from("<HHIIHH", chunks[b"fmt "])
    if kind == EXTENSIBLE and len(chunks[b"fmt "]) >= 26:
        kind = struct.unpack_from("<H", chunks[b"fmt "], 24)[0]
    if (kind, bits) not in KINDS:
        raise ValueError(
            f"it has format {kind} of {bits} bits; plain samples of 8, 16, 24, 32 bits or float32 can be read"
        )
    data = chunks[b"data"]
    if not 1 <= channels <= 64 or not 1 <= rate <= 10**7 or frame != channels * bits // 8 or per_second != rate * frame:
        raise ValueError(
            f"it has {channels} channels, {frame} bytes per frame, {rate} frames and {per_second} bytes per s"
        )
    if len(data) % frame:
        raise ValueError(f"{len(data)} bytes are not a whole number of frames of {frame}")
    raw = np.frombuffer(data, KINDS[kind, bits])
    if kind == FLOAT:
        if not np.isfinite(raw).all():
            raise ValueError("it has samples that are not finite")
        sound = raw.astype(np.float32)
    elif bits == 8:
        sound = (raw.astype(np.float32) - 128.0) / np.float32(128.0)
    elif bits == 24:
        wide = raw.reshape(-1, 3).astype(np.int32)
        sound = ((wide[:, 0] << 8 | wide[:, 1] << 16 | wide[:, 2] << 24) / np.float64(2**31)).astype(np.float32)
    else:
        sound = (raw / np.float64(2 ** (bits - 1))).astype(np.float32)
    return sound.reshape(-1, channels) if channels > 1 else sound, rate


def _chunks(content: bytes, end: int) -> dict[bytes, bytes]:
    """The chunks of a file, by name."""
    place, chunks = 12, {}
    while place + 8 <= end:
        name, size = struct.unpack_from("<4sI", content, place)
        place += 8
        if place + size > end:
            raise ValueError(f"its part {name!r} needs {size} bytes, but {end - place} are left")
        if name in chunks and name in (b"fmt ", b"data"):
            raise ValueError(f"it has two parts {name!r}")
        chunks[name] = content[place : place + size]
        place += size + size % 2
    return chunks
