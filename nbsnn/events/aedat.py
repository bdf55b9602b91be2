"""AEDAT 3.1, the format of cameras of iniVation: a head in text, and packets of events of one type.

    packet   type i16, source i16, bytes per event i32, place of time i32, overflows of the clock i32, capacity i32,
             number of events i32, of which valid i32; then the events
    event    bit 0 valid, bit 1 polarity, bits 2 to 16 y, bits 17 to 31 x; time i32, in microseconds

All is little-endian. A packet has as many events as its number says. The clock counts to 2^31 and then overflows.
"""

from __future__ import annotations

import re
import struct
from os import PathLike
from pathlib import Path

import numpy as np

from .. import validate
from .fields import EVENT
from .recordings import Recording

HEADER = struct.Struct("<hhiiiiii")
TYPES = (
    "special", "polarity", "frame", "IMU6", "IMU9", "sample", "ear", "config", "point1D", "point2D", "point3D",
    "point4D", "spike", "matrix",
)  # fmt: skip
SENSORS = {
    "DVS128": (128, 128), "DAVIS128": (128, 128), "DAVIS208": (192, 208), "DAVIS240": (180, 240),
    "DAVIS346": (260, 346), "DAVIS640": (480, 640), "DAVISHet640": (480, 640), "DAVISRGB": (480, 640),
}  # fmt: skip
"""Height and width by the beginning of a source's name."""

POLARITY = 1


def read_aedat(path: str | PathLike[str]) -> Recording:
    """The valid polarity events of an AEDAT 3.1 file, as DVS128 Gesture comes in.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Recording
        In microseconds, with overflows of the clock added up. ``left_out`` counts invalid events and those of other
        types (special, frame, IMU6, ...).

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is of another kind or version, compressed, or damaged: a packet that is cut, counts that do not agree with
        its events, an event outside the sensor, time that goes backwards; or if it has events of several cameras.

    References
    ----------
    iniVation, file formats, AEDAT 3.1.

    Examples
    --------
    >>> read_aedat("/no/such/file.aedat")
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] No such file or directory: '/no/such/file.aedat'
    """
    path = Path(validate.path("path", path))
    content = path.read_bytes()
    place, shape = _head(path, content)
    view, parts, sources, left_out = memoryview(content), list[np.ndarray](), dict[int, None](), dict[str, int]()
    while place < len(content):
        at = f"{path} is damaged: the packet at byte {place}"
        if len(content) - place < HEADER.size:
            raise ValueError(f"{at} has {len(content) - place} bytes, less than its header")
        kind, source, size, ts_place, overflows, capacity, number, valid = HEADER.unpack_from(content, place)
        if not 0 <= kind < len(TYPES) or size <= 0 or overflows < 0 or not 0 <= valid <= number <= capacity:
            raise ValueError(
                f"{at} has type {kind}, {size} bytes per event, {overflows} overflows of the clock, {number} events of "
                f"which {valid} are valid, room for {capacity}"
            )
        place += HEADER.size
        if number * size > len(content) - place:
            raise ValueError(f"{at} needs {number * size} bytes, but {len(content) - place} are left")
        if kind == POLARITY:
            if size != 8 or ts_place != 4:
                raise ValueError(f"{at} has polarity events of {size} bytes with the time at {ts_place}, not 8 and 4")
            events, invalid = _polarity(
                np.frombuffer(view[place : place + 8 * number], "<u4").reshape(-1, 2), overflows
            )
            if len(events) != valid:
                raise ValueError(f"{at} has {len(events)} valid events, not {valid}")
            sources[source] = None
            parts.append(events)
            left_out["invalid events"] = left_out.get("invalid events", 0) + invalid
        elif number:
            left_out[f"{TYPES[kind]} events"] = left_out.get(f"{TYPES[kind]} events", 0) + number
        place += number * size
    if len(sources) > 1:
        raise ValueError(
            f"{path} has events of {len(sources)} cameras, {list(sources)}, whose pixels would be mixed up"
        )
    events = np.concatenate(parts) if parts else np.empty(0, EVENT)
    _check(path, events, shape)
    return Recording(events, "us", shape, {kind: n for kind, n in left_out.items() if n})


def _head(path: Path, content: bytes) -> tuple[int, tuple[int, ...]]:
    """Where packets begin, and the sensor's shape if it is known."""
    if not content.startswith(b"#!AER-DAT"):
        raise ValueError(f"{path} is no AEDAT file: it begins with {content[:9]!r}")
    if not re.match(rb"#!AER-DAT3\.1\r?\n", content):
        raise ValueError(f"{path} is of version {content[9:12].decode('ascii', 'replace')!r} of AEDAT; 3.1 can be read")
    end = re.search(rb"^#!END-HEADER\r?\n", content[: 2**20], re.MULTILINE)
    if end is None:
        raise ValueError(f"{path} is damaged: its head does not end")
    head = content[: end.end()].decode("latin1")
    found = re.search(r"^#Format: *(\S+)", head, re.MULTILINE)
    if found is None or found[1] != "RAW":
        raise ValueError(f"{path} has the format {found[1] if found else '(none)'}; RAW can be read")
    named = re.findall(r"^#Source \d+: *(\S+)", head, re.MULTILINE)
    known = [shape for name, shape in SENSORS.items() if named and named[0].startswith(name)]
    return end.end(), (2, *known[0]) if known else ()


def _polarity(words: np.ndarray, overflows: int) -> tuple[np.ndarray, int]:
    """The valid events among ``words`` [events, 2], and how many are not valid."""
    good = (words[:, 0] & 1).astype(bool)
    data, t = words[good, 0], words[good, 1].astype(np.int64)
    events = np.empty(len(data), EVENT)
    events["t"], events["p"] = t + (overflows << 31), data >> 1 & 1
    events["x"], events["y"] = data >> 17, data >> 2 & 0x7FFF
    return events, int((~good).sum())


def _check(path: Path, events: np.ndarray, shape: tuple[int, ...]) -> None:
    """Raise unless events lie on the sensor, in the order of time."""
    for name, size in zip(("y", "x"), shape[1:], strict=False):
        if len(events) and events[name].max() >= size:
            k = int(np.argmax(events[name] >= size))
            raise ValueError(f"{path} is damaged: event {k} has {name} = {events[name][k]}, and the sensor {size}")
    t = events["t"]
    if (t[1:] < t[:-1]).any():
        k = int(np.argmax(t[1:] < t[:-1]))
        raise ValueError(f"{path} is damaged: time goes backwards at event {k + 1}, from {t[k]} to {t[k + 1]}")
