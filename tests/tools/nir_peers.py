"""Make tests/nir/ours.npz: files of the networks in ``tests/nir_nets.READ`` as other libraries read and run them.

    python -m tests.tools.nir_peers write DIR    writes the files, with nbsnn
    python tests/tools/nir_peers.py run DIR      reads and runs them, in an environment with torch, nir, nirtorch,
                                                 snntorch, norse, spikingjelly and sinabs
    python -m tests.tools.nir_peers pack DIR     puts inputs, outputs and the files' numbers into ours.npz

Output of other libraries that differs is printed by ``run``; nothing is written where an importer fails.
"""

import sys
import warnings
from pathlib import Path

import numpy as np

READERS = {"nir": ("snntorch", "spikingjelly"), "norse": ("norse",), "sinabs": ("sinabs",)}
ONLY_SPIKINGJELLY = ("if", "loop", "loop_bias")


def write(folder: Path) -> None:
    """Files, inputs and what nbsnn computes."""
    import nbsnn

    from ..nir_nets import READ, net

    for name, (dialect, layers) in READ.items():
        given = net(layers, name)
        nbsnn.nir.write(given, folder / f"{name}.nir", dialect)
        x = (np.random.default_rng(7).random((40, *given.in_shape)) < 0.35).astype(np.uint8)
        output = given.run(x[:, None].astype(np.float32)).output[:, 0]
        readers = ("spikingjelly",) if name in ONLY_SPIKINGJELLY else READERS[dialect]
        np.savez(folder / f"{name}.npz", x=x, nbsnn=output, readers=readers)


def run(folder: Path) -> None:
    """What the other libraries compute."""
    import nir  # type: ignore[import-not-found]
    import torch  # type: ignore[import-not-found]

    for path in sorted(folder.glob("*.npz")):
        data = dict(np.load(path))
        for reader in data["readers"]:
            graph = nir.read(path.with_suffix(".nir"), type_check="conv" not in path.stem)
            flat = reader in ("snntorch", "norse") and data["x"].ndim > 2  # they flatten the batch, too
            x = torch.tensor(data["x"], dtype=torch.float32)
            found = _run(str(reader), graph, x if flat else x[:, None]).reshape(data["nbsnn"].shape)
            print(path.stem, reader, "differs by", np.abs(found - data["nbsnn"]).max())
            data[str(reader)] = found
        np.savez(path, **data)


def _run(reader, graph, x):
    """Outputs of the library's module, step by step."""
    if reader == "snntorch":
        from snntorch.import_nir import import_from_nir  # type: ignore[import-not-found]

        net, keeps = import_from_nir(graph), True
    elif reader == "norse":
        import norse.torch  # type: ignore[import-not-found]

        net, keeps = norse.torch.from_nir(graph, dt=1e-6), True
    elif reader == "spikingjelly":
        from spikingjelly.activation_based import functional, nir_exchange  # type: ignore[import-not-found]

        net, keeps = nir_exchange.import_from_nir(graph, dt=1e-4), True
        functional.set_step_mode(net, "s")
    else:
        from sinabs.nir import from_nir  # type: ignore[import-not-found]

        net, keeps = from_nir(graph, batch_size=1), False
    outputs, state = [], None
    for now in x:
        found = net(now, state) if keeps and state is not None else net(now)
        y, state = found if isinstance(found, tuple) else (found, None)
        outputs.append((y[0] if isinstance(y, tuple) else y).detach().numpy())
    return np.array(outputs)


def pack(folder: Path) -> None:
    """All of it in one file."""
    from nbsnn.nir.file import load

    out = {}
    for path in sorted(folder.glob("*.npz")):
        data, name = dict(np.load(path)), path.stem
        out[f"{name}/x"], out[f"{name}/shape"] = np.packbits(data["x"]), np.array(data["x"].shape)
        for reader in data["readers"]:
            y = data[str(reader)]
            out[f"{name}/{reader}"] = y.astype(np.uint8 if (y == np.round(y)).all() else np.float32)
        for node, fields in load(str(path.with_suffix(".nir"))).nodes.items():
            for field, value in fields.items():
                if isinstance(value, np.ndarray) and value.dtype.kind == "f":
                    one = field not in ("weight", "bias") and (value == value.flat[0]).all()
                    out[f"{name}/node/{node}/{field}"] = value.reshape(-1)[:1] if one else value
    np.savez_compressed(Path(__file__).parents[1] / "nir" / "ours.npz", **out)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    {"write": write, "run": run, "pack": pack}[sys.argv[1]](Path(sys.argv[2]))
