"""The half of ``read_shd`` that opens the file, in a process of its own: damaged files can crash or hang h5py.

    python shd_child.py PATH SECONDS BYTES

It imports nothing of the package, so that it starts quickly. What it finds goes to its output: counts of events,
times, units, labels, and speakers if there are such, each as NumPy writes an array. What is wrong goes to its errors,
as one line.
"""

import os
import sys
from typing import Any


def arrays(path):
    """The arrays of a file."""
    import h5py
    import numpy as np

    file: Any
    with h5py.File(path, "r") as file:
        parts, labels = [file["spikes/times"], file["spikes/units"]], file["labels"]
        for name, part, kind in (("spikes/times", parts[0], "f"), ("spikes/units", parts[1], "iu")):
            base = h5py.check_vlen_dtype(part.dtype)
            if part.ndim != 1 or base is None or base.kind not in kind or len(part) != len(parts[0]):
                raise ValueError(f"{name} is no list of {'times' if kind == 'f' else 'integers'} for each sample")
        n = len(parts[0])
        if labels.shape != (n,) or labels.dtype.kind not in "iu":
            raise ValueError(f"labels are {labels.dtype} {list(labels.shape)}, not one integer for each of {n} samples")
        found = [labels[()].astype(np.int64)]
        extra = file.get("extra")
        speakers = extra.get("speaker") if isinstance(extra, h5py.Group) else None
        if isinstance(speakers, h5py.Dataset):
            if speakers.shape != (n,) or speakers.dtype.kind not in "iu":
                raise ValueError(f"extra/speaker is {speakers.dtype} {list(speakers.shape)}")
            found.append(speakers[()].astype(np.int64))
        lists = [[np.asarray(values) for values in part[()]] for part in parts]
    counts = np.array([len(t) for t in lists[0]], np.int64)
    for k, (t, u) in enumerate(zip(*lists, strict=True)):
        if t.ndim != 1 or t.shape != u.shape:
            raise ValueError(f"sample {k} has {t.size} times and {u.size} units")
    times, units = (np.concatenate([*values, values[0][:0]]) if n else np.zeros(0) for values in lists)
    return [counts, times.astype(np.float64), units.astype(np.int64), *found]


def main(path, seconds, size):
    """Write the arrays; the system ends the process if that takes too long or too much memory."""
    import h5py  # noqa: F401, first: what it costs to start is not counted
    import numpy as np

    try:
        import resource
        import signal

        with open("/proc/self/statm") as file:
            here = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (here + size, here + size))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.setitimer(signal.ITIMER_PROF, seconds)
    except (ImportError, OSError, ValueError, AttributeError):  # the caller's clock still runs
        pass
    try:
        found = arrays(path)
    except Exception as error:
        text = "not enough memory for what it says that it holds" if isinstance(error, MemoryError) else str(error)
        sys.stderr.write(text.replace("\n", " ")[:400] or type(error).__name__)
        sys.stderr.flush()
        os._exit(3)
    for array in found:
        np.lib.format.write_array(sys.stdout.buffer, array, allow_pickle=False)
    sys.stdout.buffer.flush()
    os._exit(0)  # closing a damaged file may crash, too


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
