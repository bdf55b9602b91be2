"""What the rows of a table become over time; a random encoder draws by the row and not by its place."""

from __future__ import annotations

import hashlib

import numpy as np

from .. import encode
from ..encode import Encoder
from ..random import Draws
from ..validate import count

ENCODERS = {"constant": encode.constant, "latency": encode.latency, "phase": encode.phase, "poisson": encode.poisson}


def encoder_of(encoder: str | Encoder, steps: int) -> Encoder:
    """An encoder by name, or the one that is given."""
    if isinstance(encoder, Encoder):
        return encoder
    if not isinstance(encoder, str) or encoder not in ENCODERS:
        raise ValueError(
            f"encoder must be one of {', '.join(map(repr, ENCODERS))}, or an encoder of nbsnn.encode, not {encoder!r}"
        )
    return ENCODERS[encoder](T=count("steps", steps), dtype=np.float64)


def encoded(encoder: Encoder, x: np.ndarray, draws: Draws) -> np.ndarray:
    """Input over time [T, B, N] of rows [B, N]; equal rows have equal spikes, whatever stands beside them."""
    if not encoder.random:
        return encoder(x)
    rows = [encoder(row[None], draws.fold(_key(row))) for row in np.ascontiguousarray(x)]
    return np.concatenate(rows, axis=1)


def _key(row: np.ndarray) -> int:
    """A number that the values of a row make; 0 and -0 are one value."""
    return int.from_bytes(hashlib.blake2b((row + 0.0).tobytes(), digest_size=8).digest(), "little")
