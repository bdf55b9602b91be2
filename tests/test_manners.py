"""What people write who come from other libraries: names for objects, classes for instances, ``net(x)``."""

import copy
import io
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import nbsnn
from nbsnn import losses, optim, surrogates
from nbsnn.compile.sealed_cache import SealedCache
from nbsnn.neurons import LI, LIF

X = np.ones((5, 2, 4), np.float32)


def net(**options):
    return nbsnn.Sequential(nbsnn.Dense(4, 3), LIF(**options), nbsnn.Dense(3, 2), LI(), seed=0, device="python")


def test_names_stand_for_surrogates_losses_and_optimisers():
    named = nbsnn.BPTT(net(surrogate="Erf"), "rate_cross_entropy", "adamw")
    made = nbsnn.BPTT(net(surrogate=surrogates.erf()), losses.rate_cross_entropy, optim.AdamW())
    assert named.step(X, [0, 1]) == made.step(X, [0, 1])
    for name, array in made.net.parameters().items():
        np.testing.assert_array_equal(named.net.parameters()[name], array)
    assert "surrogate=erf(" in repr(LIF(surrogate="erf"))
    assert nbsnn.OTTT(net(), "step_cross_entropy").loss is losses.step_cross_entropy


def test_a_neuron_with_a_named_surrogate_is_saved_and_pickled(tmp_path):
    one = net(surrogate="superspike")
    nbsnn.save(one, tmp_path / "net.npz")
    again = nbsnn.load(tmp_path / "net.npz")
    assert (
        repr(again["lif1"].neuron) == repr(one["lif1"].neuron) == repr(pickle.loads(pickle.dumps(one))["lif1"].neuron)
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: LIF(surrogate="fast_sigmoid"), r"which presets\.snntorch\.SURROGATES\['fast_sigmoid'\] makes"),
        (lambda: LIF(surrogate="atn"), r"surrogate must be one of .*atan.*, not 'atn'; did you mean .*'atan'"),
        (lambda: LIF(surrogate=surrogates.atan), r"atan itself: atan\(\), with parentheses, makes one"),
        (lambda: nbsnn.BPTT(net(), "cross_entropy"), r"loss must be one of .*did you mean .*'rate_cross_entropy'"),
        (lambda: nbsnn.BPTT(net(), losses.RateCrossEntropy), r"RateCrossEntropy itself: RateCrossEntropy\(\), with"),
        (lambda: nbsnn.BPTT(net(), net()), "loss must be callable, loss"),
        (lambda: nbsnn.BPTT(net(), losses.rate_mse, "adamm"), "optimizer must be one of .*did you mean 'Adam'"),
        (lambda: nbsnn.BPTT(net(), losses.rate_mse, "sgd"), r"no learning rate of its own: nbsnn.optim.SGD\(0.1\)"),
        (lambda: nbsnn.BPTT(net(), losses.rate_mse, optim.Adam), r"Adam itself: Adam\(\), with parentheses, makes one"),
    ],
)
def test_what_is_meant_is_said_at_once(make, words):
    with pytest.raises((TypeError, ValueError), match=words):
        make()


def test_every_surrogate_and_loss_that_is_ready_has_its_name():
    for name in ("atan", "sigmoid", "superspike", "erf", "gaussian", "triangular", "rect"):
        assert LIF(surrogate=name).surrogate.name == getattr(surrogates, name)().name
    for name in ("rate_mse", "step_mse", "van_rossum", "max_cross_entropy", "first_spike_cross_entropy"):
        assert nbsnn.BPTT(net(), name).loss is getattr(losses, name)


def test_a_network_can_be_called():
    one = net()
    np.testing.assert_array_equal(one(X).output, one.run(X).output)
    first = one(X[:2])
    np.testing.assert_array_equal(one(X[2:], first.state).output, one.run(X).output[2:])
    assert one["lif1"](np.ones((1, 1, 3))).output.shape == (1, 1, 3)


CONNECTIONS = [
    (lambda: nbsnn.Dense(4, 3), 4),
    (lambda: nbsnn.Conv2d(1, 2, 3), (1, 5, 5)),
    (lambda: nbsnn.TemporalConv(4, 3, 2), 4),
    (lambda: nbsnn.ConvTranspose2d(1, 2, 3), (1, 5, 5)),
    (lambda: nbsnn.Conv1d(1, 2, 3), (1, 5)),
]


@pytest.mark.parametrize(("make", "shape"), CONNECTIONS)
def test_the_weight_is_an_attribute(make, shape):
    layer = make()
    with pytest.raises(AttributeError, match="has no weight yet"):
        layer.weight  # noqa: B018
    one = nbsnn.Sequential(layer, input_shape=shape, seed=0, device="python")
    assert layer.weight is layer.params["weight"]
    held = layer.weight
    layer.weight = np.full(layer.weight.shape, 0.5)
    assert layer.weight is held and (held == 0.5).all()
    with pytest.raises(ValueError, match="parameter 'weight' has shape"):
        layer.weight = np.ones(7)
    for other in (copy.deepcopy(one), pickle.loads(pickle.dumps(one)), one.twin(dtype=np.float64)):
        assert (next(iter(other.children.values())).weight == 0.5).all()


def test_compiling_is_said_once_and_only_on_a_terminal(monkeypatch):
    from numba.core.registry import cpu_target

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    def run_forward(x):
        return x

    cache = SealedCache(run_forward)
    for stream, said in ((Terminal(), "compiling run_forward ..., once\n"), (io.StringIO(), "")):
        monkeypatch.setattr("sys.stderr", stream)
        monkeypatch.setattr("numba.core.caching.FunctionCache._load_overload", lambda *given: None)
        assert cache.load_overload((), cpu_target.target_context) is None
        monkeypatch.setattr("numba.core.caching.FunctionCache._load_overload", lambda *given: "kept")
        assert cache.load_overload((), cpu_target.target_context) == "kept"
        assert stream.getvalue() == said


def test_what_training_is_made_of_survives_spawn(tmp_path):
    text = """
        import multiprocessing, numpy as np, nbsnn
        from nbsnn.neurons import LI, LIF
        from nbsnn import optim

        def trained(learner):
            x = np.ones((5, 2, 4), np.float32)
            for _ in range(3):
                learner.step(x, [0, 1])
            return [array.tobytes() for array in learner.net.parameters().values()]

        if __name__ == "__main__":
            net = nbsnn.Sequential(nbsnn.Dense(4, 3), LIF(surrogate="atan"), nbsnn.Dense(3, 2), LI(), seed=0)
            groups = {"*/bias": {"lr": optim.Plateau(0.1)}, "dense1/weight": None}
            loss = nbsnn.losses.RateCrossEntropy(class_weight=(1.0, 2.0))
            learner = nbsnn.BPTT(net, loss, optim.Groups(optim.Adam(optim.OneCycle(0.1, 9)), groups))
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(trained, [learner])[0] == trained(learner))
    """
    file = tmp_path / "spawned.py"
    file.write_text(textwrap.dedent(text))
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, timeout=200)
    assert done.stdout.strip() == "True", done.stderr
