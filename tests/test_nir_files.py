"""Files that snnTorch, Norse, SpikingJelly and Sinabs wrote compute here what they compute there.

Of every NAME.npz, NAME.nir is read in the convention of its writer and run on the same input: outputs must be equal,
and membranes to 1e-10. ``--nir-dir DIR`` takes another folder with files of the same naming and keys:

    WRITER_KIND_SEED.npz        x, y, of each neuron NODE:out, NODE:v and NODE:i; info: writer, convention, lossy, multi
    made_KIND_SEED.euler.npz    the same, of forward Euler in steps of dt
    made_KIND_SEED.LIBRARY.npz  y alone, as that library's importer computes it by the ``rule`` in info
"""

import json
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

import nbsnn
from nbsnn.layers import Population

pytest.importorskip("pyfive", reason='reading NIR files needs the extra "nir": pip install "nbsnn[nir]"')

SMALL = Path(__file__).parent / "nir" / "files.zip"

# What the importers' rules are here; of the others there is no convention, as they do not compute what the file says.
RULES = {
    "euler >": {"convention": "nir"},
    "euler > (no neuron)": {"convention": "nir"},
    "euler > start=reset": {"convention": "spikingjelly"},
    "euler > v_reset 0": {"convention": "nir", "reset": 0.0},
    "exp soft multi": {"convention": "sinabs"},
}


def pytest_generate_tests(metafunc):
    folder = metafunc.config.getoption("--nir-dir")
    if folder is None:
        names = [Path(name) for name in zipfile.ZipFile(SMALL).namelist()]
    else:
        names = sorted(folder.glob("*.npz"))
        assert names, f"there are no .npz files in {folder}"
    metafunc.parametrize("name", [path.name for path in names if path.suffix == ".npz"])


@pytest.fixture(scope="module")
def folder(request, tmp_path_factory):
    given = request.config.getoption("--nir-dir")
    if given is not None:
        return given
    place = tmp_path_factory.mktemp("nir")
    zipfile.ZipFile(SMALL).extractall(place)
    return place


def options_for(info):
    """How to read a file of a library, and what of it no option says."""
    how, unsaid = info["convention"], ""
    given = {"convention": info["writer"], "dt": how["dt"]}
    if info["lossy"]:
        if how.get("late") == "subtract":
            given["reset"] = "late"
        elif how.get("late") or how.get("doubt") or how.get("floor") is not None or how.get("syn"):
            unsaid = info["lossy"]
        elif how["reset"] == "none":
            given["reset"] = "none"
        elif "v_reset" in how:
            given["reset"] = how["v_reset"]
        elif how["reset"] == "value":
            given["reset"] = "hard"
        elif how.get("gain") == "one-a":
            given["decay_input"] = True
        else:
            unsaid = info["lossy"]
    return given, unsaid


def node_of(path):
    """The node that a layer was made of."""
    *above, last = path.split("/")
    return above[-1] if last == "neurons" else last


def test_a_file_computes_what_its_writer_computes(name, folder):
    with np.load(folder / name) as file:
        data = dict(file)
    info = json.loads(str(data["info"]))
    if "writer" in info:
        options, unsaid = options_for(info)
        file = folder / f"{name.removesuffix('.npz')}.nir"
    else:
        file = folder / f"{name.split('.')[0]}.nir"
        if info["rule"] not in RULES:
            pytest.skip(f"{info['reader']} reads this file as {info['rule']}, which it does not say")
        options, unsaid = {**RULES[info["rule"]], "dt": info["dt"]}, ""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        net = nbsnn.nir.read(file, dtype=np.float64, device="python", **options)
    loses = options["convention"] in ("snntorch", "norse", "sinabs") and "reset" not in options
    spikes = any(layer.kind in ("lif", "if", "cubalif", "multispike") for layer in net.layers().values())
    said = [str(w.message) for w in told if w.category is nbsnn.nir.NirWarning]
    assert len(said) == (loses and spikes)
    if unsaid:  # no option says it, but the warning does, or the reset is refused by name
        if options["convention"] == "sinabs":
            assert ("min_v_mem" if "floor" in info["convention"] else "tau_syn") in said[0]
            return
        with pytest.raises(ValueError, match=r'reset="soft" is not what snnTorch computes'):
            nbsnn.nir.read(file, **{**options, "reset": "soft"})
        return
    run = net.run(data["x"].astype(np.float64)[:, None])
    assert_same(run.output[:, 0], data["y"], exact="writer" in info)
    populations = {node_of(path): path for path, layer in net.layers().items() if isinstance(layer, Population)}
    for key in data:
        node, _, what = key.partition(":")
        if what in ("out", "v", "i"):
            found = run[populations[node]]
            if what == "i" and info.get("writer") == "norse":  # where the current decays after it has charged
                tau = net[populations[node]].values["tau_syn"]
                assert_same(found["i"][:, 0] * (1.0 - net.setting.dt / tau), data[key])
            else:
                assert_same(found[net[populations[node]].neuron.output if what == "out" else what][:, 0], data[key])


def assert_same(found, wanted, exact=True):
    assert found.shape == wanted.shape
    if wanted.dtype.kind in "iub":
        np.testing.assert_array_equal(found, wanted)
    else:
        np.testing.assert_allclose(found, wanted, rtol=0.0, atol=1e-10 if exact else 1e-5)
