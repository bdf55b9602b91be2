"""Networks from elsewhere: weights of PyTorch put in place, ReLU networks made spiking."""

import numpy as np
import pytest

import nbsnn
from nbsnn.neurons import IF, LIF

RNG = np.random.default_rng(0)


class Module:
    """A module of PyTorch: attributes, children, a state."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Tensor:
    """A tensor that is not yet an array."""

    def __init__(self, array):
        self.array = array

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        return self.array


def named(name, **attributes):
    return type(name, (Module,), {})(**attributes)


class Sequential(Module):
    def forward(self):
        """One after the other."""


def backwards():
    """A module that runs its layers in another order."""
    return type("Backwards", (Sequential,), {"forward": lambda self: None})(children=lambda: iter([]))


CONV = {
    "in_channels": 2, "out_channels": 4, "kernel_size": (3, 3), "stride": (1, 1), "padding": (1, 1), "dilation": (1, 1),
    "groups": 2, "padding_mode": "zeros",
}  # fmt: skip
STATE = {
    "0.weight": RNG.normal(0.0, 1.0, (4, 1, 3, 3)), "0.bias": RNG.normal(0.0, 1.0, 4),
    "1.weight": RNG.uniform(0.5, 1.5, 4), "1.bias": RNG.normal(0.0, 1.0, 4),
    "1.running_mean": RNG.normal(0.0, 1.0, 4), "1.running_var": RNG.uniform(0.5, 1.5, 4),
    "1.num_batches_tracked": np.array(7),
    "5.weight": RNG.normal(0.0, 1.0, (3, 16)),
}  # fmt: skip


def by_hand(x):
    """Output of the network of ``STATE`` for images [n, 2, 4, 4]."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    y = np.zeros((len(x), 4, 4, 4))
    for o in range(4):
        for a in range(3):
            for b in range(3):
                y[:, o] += STATE["0.weight"][o, 0, a, b] * padded[:, o // 2, a : a + 4, b : b + 4]
        y[:, o] += STATE["0.bias"][o]
    shape = (1, 4, 1, 1)
    y = (y - STATE["1.running_mean"].reshape(shape)) / np.sqrt(STATE["1.running_var"].reshape(shape) + 1e-5)
    y = np.maximum(y * STATE["1.weight"].reshape(shape) + STATE["1.bias"].reshape(shape), 0.0)
    y = y.reshape(len(x), 4, 2, 2, 2, 2).max((3, 5))
    return y.reshape(len(x), 16) @ STATE["5.weight"].T


def torch_module():
    parts = [
        named("Conv2d", **CONV, bias=Tensor(STATE["0.bias"])),
        named("BatchNorm2d", momentum=0.1, eps=1e-5, affine=True, track_running_stats=True),
        named("ReLU", inplace=True),
        named("MaxPool2d", kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False),
        named("Flatten", start_dim=1, end_dim=-1),
        named("Linear", in_features=16, out_features=3, bias=None),
    ]
    state = {name: Tensor(array) for name, array in STATE.items()}
    return Sequential(children=lambda: iter(parts), state_dict=lambda: state)


DESCRIPTION = [
    {"layer": "Conv2d", **CONV}, {"layer": "BatchNorm2d", "num_features": 4}, {"layer": "ReLU"},
    {"layer": "MaxPool2d", "kernel_size": [2, 2]}, {"layer": "Flatten"},
    {"layer": "Linear", "in_features": 16, "out_features": 3, "bias": False},
]  # fmt: skip


@pytest.mark.parametrize("source", ["module", "description"])
def test_a_network_of_pytorch_computes_the_same(source):
    options = {"input_shape": (2, 4, 4), "dtype": "f8", "device": "python"}
    if source == "module":
        net = nbsnn.from_torch(torch_module(), **options)
    else:
        net = nbsnn.from_torch(DESCRIPTION, STATE, **options)
    x = RNG.normal(0.0, 1.0, (5, 2, 4, 4))
    np.testing.assert_allclose(net.run(x[None]).output[0], by_hand(x), rtol=1e-12)
    assert list(net.children) == ["conv2d1", "batchnorm1", "relu1", "maxpool2d1", "flatten1", "dense1"]


def test_weights_go_into_a_network_of_ones_own_by_order():
    net = nbsnn.Sequential(
        nbsnn.Conv2d(2, 4, 3, padding=1, groups=2), nbsnn.BatchNorm(), LIF(), nbsnn.MaxPool2d(2), nbsnn.Flatten(),
        nbsnn.Dense(16, 3, bias=False), LIF(), input_shape=(2, 4, 4), device="python",
    )  # fmt: skip
    lif = {"lif1.beta": np.array(0.9), "lif1.threshold": np.array(1.0)}
    names = {"0": "features.conv", "1": "features.norm", "5": "head"}
    state = {f"{names[n.split('.')[0]]}.{n.split('.')[1]}": v for n, v in STATE.items()} | lif
    with pytest.raises(ValueError, match=r"lif1: beta, threshold"):
        nbsnn.load_torch(net, state)
    assert nbsnn.load_torch(net, state, ignore="lif*") is net
    np.testing.assert_array_equal(net["dense1"].weight, STATE["5.weight"].T.astype("f4"))
    np.testing.assert_array_equal(np.moveaxis(net["conv2d1"].weight, -1, 0), STATE["0.weight"].astype("f4"))
    np.testing.assert_array_equal(net["batchnorm1"].buffers["running_var"], STATE["1.running_var"].astype("f4"))
    assert net.run(RNG.random((3, 2, 2, 4, 4))).output.shape == (3, 2, 3)


def test_pooling_and_normalisation_of_pytorch_have_counterparts():
    layers = [
        {"layer": "GroupNorm", "num_groups": 2, "num_channels": 4},
        {"layer": "AdaptiveAvgPool2d", "output_size": [2, 1]},
        {"layer": "AvgPool2d", "kernel_size": [2, 1], "count_include_pad": False}, {"layer": "Identity"},
        {"layer": "Dropout", "p": 0.5},
    ]  # fmt: skip
    weight, bias = RNG.normal(0.0, 1.0, (2, 4))
    net = nbsnn.from_torch(
        layers, {"0.weight": weight, "0.bias": bias}, input_shape=(4, 6, 3), dtype="f8", device="python"
    )
    x = RNG.normal(0.0, 1.0, (2, 4, 6, 3))
    grouped = x.reshape(2, 2, -1)
    y = (grouped - grouped.mean(2, keepdims=True)) / np.sqrt(grouped.var(2, keepdims=True) + 1e-5)
    y = y.reshape(x.shape) * weight[:, None, None] + bias[:, None, None]
    np.testing.assert_allclose(net.run(x[None]).output[0].ravel(), y.mean((2, 3)).ravel(), rtol=1e-10)


def test_a_channel_that_never_activates_has_the_least_scale():
    net = nbsnn.Sequential(nbsnn.Dense(2, 2, bias=False), nbsnn.ReLU(), seed=0, device="python", dtype="f8")
    net["dense1"].weight = np.array([[1.0, -1.0], [1.0, -1.0]])
    made = nbsnn.to_spiking(net, np.ones((3, 2)), per_channel=True, eps=0.5)
    np.testing.assert_array_equal(made["output"].params["scale"], [2.0, 0.5])
    with pytest.raises(ValueError, match="eps must be greater than 0"):
        nbsnn.to_spiking(net, np.ones((3, 2)), eps=0.0)


def test_transposed_and_one_dimensional_convolutions_are_turned():
    weight = RNG.normal(0.0, 1.0, (2, 3, 4))  # [in, out, k]
    layers = [{"layer": "ConvTranspose1d", "in_channels": 2, "out_channels": 3, "kernel_size": [4], "stride": [2]}]
    net = nbsnn.from_torch(
        layers, {"0.weight": weight, "0.bias": np.zeros(3)}, input_shape=(2, 5), dtype="f8", device="python"
    )
    x = RNG.normal(0.0, 1.0, (2, 5))
    y = np.zeros((3, 12))
    for i in range(5):
        y[:, 2 * i : 2 * i + 4] += np.einsum("c,cok->ok", x[:, i], weight)
    np.testing.assert_allclose(net.run(x[None, None]).output[0, 0], y, rtol=1e-12)
    weight = RNG.normal(0.0, 1.0, (3, 2, 4))
    layers = [{"layer": "Conv1d", "in_channels": 2, "out_channels": 3, "kernel_size": [4], "bias": False}]
    net = nbsnn.from_torch(layers, {"0.weight": weight}, input_shape=(2, 5), dtype="f8", device="python")
    y = np.stack([np.einsum("ck,ock->o", x[:, i : i + 4], weight) for i in range(2)], axis=1)
    np.testing.assert_allclose(net.run(x[None, None]).output[0, 0], y, rtol=1e-12)


BAD = [
    (lambda net: nbsnn.load_torch(net, {"0.weight": np.ones((3, 2))}), r"0 has weight, but dense1 has weight, bias"),
    (lambda net: nbsnn.load_torch(net, {"a.weight": np.ones((2, 3)), "a.bias": np.ones(3)}),
     r"a.weight has shape \[2, 3\], but for dense1 it must be \[3, 2\]"),
    (lambda net: nbsnn.load_torch(net, {}), "state has parameters of nothing, but net of dense1: weight, bias"),
    (lambda net: nbsnn.load_torch(net, {"a.weight": np.full((3, 2), np.nan), "a.bias": np.ones(3)}), "contains 6 NaN"),
    (lambda net: nbsnn.load_torch(net, {"a.weight": np.full((3, 2), 1e200), "a.bias": np.ones(3)}), "as float32"),
    (lambda net: nbsnn.load_torch(net, {"a.weight": "x"}), r"state\['a.weight'\] must be numbers"),
    (lambda net: nbsnn.load_torch(net, 3), "state must be a state dict"),
    (lambda net: nbsnn.load_torch(3, {}), "net must be a network"),
    (lambda net: nbsnn.from_torch([{"layer": "LSTM"}]), "layer 0, 'LSTM', has no counterpart"),
    (lambda net: nbsnn.from_torch([{"layer": "Linear", "in_features": 3}]), "layer 0, a Linear, lacks out_features"),
    (lambda net: nbsnn.from_torch([{"layer": "ReLU", "slope": 3}]), "option that has no counterpart: slope"),
    (lambda net: nbsnn.from_torch([{"layer": "Flatten", "start_dim": 2}]), "start_dim=1, end_dim=-1"),
    (lambda net: nbsnn.from_torch([{"layer": "ReLU"}]), "input_shape must be given"),
    (lambda net: nbsnn.from_torch([]), "at least one layer"),
    (lambda net: nbsnn.from_torch("x"), "module must be a torch.nn.Sequential"),
    (lambda net: nbsnn.from_torch(named("Net", children=lambda: iter([]))), "not a Net, whose forward may do anything"),
    (lambda net: nbsnn.from_torch(backwards()), "not a Backwards, whose forward may do anything"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), BAD)
def test_what_does_not_fit_is_named_and_changes_nothing(call, message):
    net = nbsnn.Sequential(nbsnn.Dense(2, 3), LIF(), seed=0, device="python")
    before = net["dense1"].weight.copy()
    with pytest.raises((TypeError, ValueError), match=message):
        call(net)
    np.testing.assert_array_equal(net["dense1"].weight, before)


def trained():
    data = nbsnn.data.digits()
    net = nbsnn.Sequential(nbsnn.Dense(64, 40), nbsnn.ReLU(), nbsnn.Dense(40, 10), seed=0)
    learner = nbsnn.BPTT(net, "rate_cross_entropy", nbsnn.optim.Adam(5e-3))
    nbsnn.fit(
        net, (data.x_train, data.y_train), encoder=nbsnn.encode.constant(T=1), learner=learner, epochs=8, progress=False
    )
    return net, data


def test_a_relu_network_is_trained_and_its_spiking_one_comes_close_with_time():
    net, data = trained()
    before = {name: p.copy() for name, p in net.parameters().items()}
    numbers = net.run(data.x_test[None]).output[0]
    aim = (numbers.argmax(1) == data.y_test).mean()
    assert aim > 0.9
    for options in ({}, {"scale": "99.9%", "per_channel": True}, {"scale": 0.9, "v_start": 0.5}):
        spiking = nbsnn.to_spiking(net, data.x_train, **options)
        out = spiking.run(np.broadcast_to(data.x_test, (128, *data.x_test.shape))).output
        right = {t: (out[:t].mean(0).argmax(1) == data.y_test).mean() for t in (4, 128)}
        assert right[128] > aim - 0.02 and right[4] <= right[128] + 0.01, options
        assert np.abs(out.mean(0) - numbers).max() < 0.1 * np.abs(numbers).max()
        assert isinstance(spiking["relu1"], nbsnn.Population)
    for name, parameter in net.parameters().items():
        np.testing.assert_array_equal(parameter, before[name])


def test_a_converted_network_can_be_saved_and_an_output_of_relus_is_scaled(tmp_path):
    net = nbsnn.Sequential(nbsnn.Dense(3, 5), nbsnn.ReLU(), nbsnn.Dropout(0.5), seed=1, device="python")
    x = RNG.normal(0.0, 1.0, (200, 3)).astype(np.float32)
    made = nbsnn.to_spiking(net, [x[:100], x[100:]], momentum=0.5)
    assert list(made.children) == ["dense1", "relu1", "output"]
    rates = made.run(np.broadcast_to(x, (400, *x.shape))).output.mean(0)
    clipped = np.minimum(net.run(x[None]).output[0], made["output"].params["scale"])
    assert np.abs(rates - clipped).max() < 0.01 * clipped.max()
    nbsnn.save(made, tmp_path / "net.npz")
    again = nbsnn.load(tmp_path / "net.npz")
    assert repr(again["relu1"]) == repr(made["relu1"]) and "IF(" in repr(nbsnn.Population(IF(v_reset=None), 3))


@pytest.mark.parametrize(
    ("layers", "options", "message"),
    [
        ([nbsnn.Dense(3, 4), LIF()], {}, "lif1, a Population, cannot be converted"),
        ([nbsnn.Dense(3, 4), nbsnn.ReLU(), nbsnn.ReLU()], {}, "each ReLU needs a connection"),
        ([nbsnn.Dense(3, 4), nbsnn.ReLU(), nbsnn.BatchNorm()], {}, "right before it"),
        ([nbsnn.Dense(3, 4), nbsnn.BatchNorm(running=False), nbsnn.ReLU()], {}, "if it has running statistics"),
        ([nbsnn.Dense(3, 4), nbsnn.ReLU()], {"scale": "most"}, "scale must be"),
        ([nbsnn.Dense(3, 4), nbsnn.ReLU()], {"scale": 1.5}, "scale must be at most 1"),
        ([nbsnn.Dense(3, 4), nbsnn.ReLU()], {"scale": "120%"}, "scale must be"),
        ([nbsnn.Dense(3, 4), nbsnn.ReLU()], {"per_channel": 1}, "per_channel must be True or False"),
        ([nbsnn.Dense(3, 4), nbsnn.ReLU()], {"x": []}, "there are none"),
        ([nbsnn.Dense(3, 4), nbsnn.ReLU()], {"x": np.ones((2, 5))}, "x must have shape"),
        ([nbsnn.Dense(3, 4, weight=nbsnn.init.constant(-1.0), bias=False), nbsnn.ReLU()], {}, "relu1 never activates"),
    ],
)
def test_what_cannot_be_converted_is_named(layers, options, message):
    net = nbsnn.Sequential(*layers, seed=0, device="python")
    with pytest.raises((TypeError, ValueError), match=message):
        nbsnn.to_spiking(net, **{"x": np.ones((4, 3)), **options})


FOLDED = {  # a connection, the shape of its input
    "dense": (lambda: nbsnn.Dense(5, 4, bias=False), (5,)),
    "standardised": (lambda: nbsnn.WSConv2d(2, 4, 3, groups=2), (2, 5, 4)),
    "in groups": (lambda: nbsnn.Conv1d(4, 6, 3, groups=2, bias=False), (4, 5)),
    "transposed": (lambda: nbsnn.ConvTranspose2d(4, 6, 3, groups=2), (4, 2, 3)),
    "temporal": (lambda: nbsnn.TemporalConv(5, 4, 3, bias=False), (5,)),
}


@pytest.mark.parametrize("kind", FOLDED)
@pytest.mark.parametrize("options", [{}, {"affine": False}, {"bias": False, "momentum": None, "gain": 0.7}])
def test_folded_batch_normalisation_computes_the_same(kind, options):
    make, shape = FOLDED[kind]
    inner = nbsnn.Sequential(make(), nbsnn.BatchNorm(**options), nbsnn.BatchNorm(), LIF())
    net = nbsnn.Sequential(nbsnn.Parallel(inner), input_shape=shape, seed=0, dtype="f8", device="python")
    for name, array in [*net.parameters().items(), *net.all_buffers().items()]:
        array[...] = np.array(7) if name.endswith("batches") else RNG.uniform(0.5, 1.5, array.shape)
    x, before = RNG.normal(0.0, 1.0, (4, 3, *shape)), repr(net)
    folded = nbsnn.fold_batch_norm(net)
    assert not any(layer.kind == "batchnorm" for layer in folded.layers().values()) and repr(net) == before
    place = "parallel1/sequential1/"
    assert list(folded[place[:-1]].children) == [next(iter(net[place[:-1]].children)), "lif1"]
    found, wanted = (each.run(x)[place + "lif1"] for each in (folded, net))
    np.testing.assert_allclose(found["v"], wanted["v"], 1e-10, 1e-12)
    np.testing.assert_array_equal(found["spikes"], wanted["spikes"])


def test_batch_normalisation_that_cannot_be_folded_stays():
    layers = [
        nbsnn.BatchNorm(), nbsnn.Dense(4, 4), nbsnn.BatchNorm(running=False), nbsnn.Dense(4, 4),
        nbsnn.BatchNorm(per_step=2), nbsnn.Dense(4, 4), LIF(), nbsnn.BatchNorm(),
    ]  # fmt: skip
    net = nbsnn.Sequential(*layers, seed=0, input_shape=4, device="python")
    folded, x = nbsnn.fold_batch_norm(net), RNG.normal(0.0, 1.0, (2, 3, 4))
    assert repr(folded) == repr(net)
    np.testing.assert_array_equal(folded.run(x).output, net.run(x).output)
    with pytest.raises(ValueError, match="no shape yet"):
        nbsnn.fold_batch_norm(nbsnn.Sequential(nbsnn.BatchNorm()))
    with pytest.raises(TypeError, match="net must be a network"):
        nbsnn.fold_batch_norm(3)
