"""A filter bank: from sound to the energy in bands of frequencies over time, as a cochlea passes it on.

Bands are equally wide in mel, m = 2595 log10(1 + f / 700); each is a Butterworth band-pass of fourth order.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import ArrayLike

from ..validate import count, finite, number, real


def filter_bank(
    sound: ArrayLike, rate: float, *, bands: int = 32, low: float = 100.0, high: float | None = None, dt: float = 10.0,
    depth: float = 60.0,
) -> np.ndarray:  # fmt: skip
    """Levels of a sound in bands of frequencies.

    Parameters
    ----------
    sound : array [samples]
        As from ``read_wav``; it is not changed.
    rate : float
        Samples per second.
    bands : int, default 32
        Number of bands.
    low, high : float, Hz
        From where to where; ``high`` is 0.45 of the rate by default.
    dt : float, default 10
        Length of a step in ms.
    depth : float, default 60
        Range in dB below the loudest step and band; what lies deeper is 0.

    Returns
    -------
    float32 array [T, bands]
        From 0 to 1, linear in dB: 1 is the loudest. The last step may be shorter, and is kept. All zeros if the sound
        is silent.

    Raises
    ------
    TypeError, ValueError
        If the sound is empty or not finite, or bands do not lie below half the rate.

    Examples
    --------
    >>> t = np.arange(4000) / 8000
    >>> levels = filter_bank(np.sin(2 * np.pi * 1000 * t), 8000, bands=8)
    >>> levels.shape, int(levels.mean(0).argmax())
    ((50, 8), 3)
    """
    from scipy.signal import sosfilt

    sound = finite("sound", real("sound", sound))
    if sound.ndim != 1 or not sound.size:
        raise ValueError(f"sound must be an array [samples] of one channel, not {list(sound.shape)}")
    rate, low = number("rate", rate, above=0.0), number("low", low, above=0.0)
    top = 0.45 * rate if high is None else number("high", high, above=low)
    if not low < top < 0.5 * rate:
        raise ValueError(f"bands must lie below half the rate, {0.5 * rate:g} Hz, not from {low:g} to {top:g}")
    number("depth", depth, above=0.0)
    width = number("dt", dt, above=0.0) * rate / 1000.0
    if width < 1.0:
        raise ValueError(f"dt must be at least one sample, {1000.0 / rate:g} ms, not {dt:g}")
    edges = _hertz(np.linspace(_mel(low), _mel(top), count("bands", bands, most=4096) + 1))
    steps = max(1, int(-(-len(sound) // width)))
    first = np.floor(np.arange(steps) * width).astype(np.int64)
    lengths = np.diff(np.append(first, len(sound)))
    energy, wide = np.empty((steps, bands)), sound.astype(np.float64)
    for k in range(bands):
        part = np.asarray(sosfilt(_band(edges[k], edges[k + 1], rate), wide))
        energy[:, k] = np.add.reduceat(part * part, first) / lengths
    loudest = energy.max()
    if loudest <= 0.0:
        return np.zeros((steps, bands), np.float32)
    level = 10.0 * np.log10(np.maximum(energy / loudest, 1e-30))
    return np.clip(1.0 + level / depth, 0.0, 1.0).astype(np.float32)


@functools.lru_cache(1024)
def _band(low: float, high: float, rate: float) -> np.ndarray:
    """The filter of one band; making it takes as long as filtering a second of sound."""
    from scipy.signal import butter

    return np.asarray(butter(2, (low, high), "bandpass", fs=rate, output="sos"))


def _mel(f: ArrayLike) -> np.ndarray:
    return 2595.0 * np.log10(1.0 + np.asarray(f) / 700.0)


def _hertz(mel: ArrayLike) -> np.ndarray:
    return 700.0 * (10.0 ** (np.asarray(mel) / 2595.0) - 1.0)
