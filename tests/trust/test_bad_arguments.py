"""Every public callable answers bad arguments at the call, with an error that names them.

What is tried and how an answer is judged stands in ``bad_arguments``, what is called in ``valid_calls``. A process of
its own makes the calls, so that one that ends the process or never returns is a finding like any other.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import nbsnn
from nbsnn import losses, neurons, plasticity, surrogates
from nbsnn.cli.main import main, parser
from nbsnn.neurons import LIF, PLIF
from nbsnn.presets import rnnbuilder, spaic, spikingjelly

ROOT = Path(__file__).parents[2]
PARTS = 20  # of all single bad values, each a trial; pairs at random are others


def tried(folder: Path, *options: str, seconds: float = 600.0) -> tuple[list[dict], dict]:
    """What was answered wrongly, and the tally."""
    current = folder / "current"
    quick = {"NUMBA_DISABLE_JIT": "1", "NBSNN_THREADS": "1", "MPLBACKEND": "Agg"}
    command = [sys.executable, "-m", "tests.trust.bad_arguments", "--current", str(current), *options]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **quick}, capture_output=True, text=True, timeout=seconds
    )
    said = current.read_text() if current.exists() else done.stderr
    assert done.returncode == 0, f"ended with {done.returncode} in {said}"
    *rows, tally = map(json.loads, done.stdout.splitlines())
    return rows, tally


def told(rows: list[dict]) -> str:
    return "\n".join(f"{r['kind']}: {r.get('call')} {r.get('spoilt', '')} {r['words']}" for r in rows)


def test_every_argument_is_named_that_is_none_a_text_or_nan(tmp_path):
    wrong, tally = tried(tmp_path, "--few", "--limit", "30")  # which a busy machine needs for a figure
    assert not wrong, told(wrong)
    assert tally["callables"] > 320 and tally["calls"] > 1200


@pytest.mark.trust(share=1.8)
def test_bad_arguments_are_named_or_harmless(trials, tmp_path):
    calls, wrong, start = 0, [], time.perf_counter()
    for seed in trials("parts of bad arguments", least=2, hour=8):  # alone and in pairs, by turns
        alone = seed % 2 == 0 and seed // 2 < PARTS
        part = ("--part", str(seed // 2)) if alone else ("--seed", str(seed), "--calls", "2000")
        rows, tally = tried(tmp_path, "--parts", str(PARTS), *part, seconds=3600.0)
        calls, wrong = calls + tally["calls"], wrong + rows
    trials.tell("bad calls", calls, time.perf_counter() - start)
    assert not wrong, told(wrong)


def connected(source="a", **options):
    net = nbsnn.Network()
    net.poisson(4, 10.0, name="a")
    net.connect(source, net.population(LIF(tau=20.0), 3), nbsnn.AllToAll(), **options)


def brain():
    return nbsnn.unsupervised.diehl_cook(4, 3)


def built(weight):
    return nbsnn.Sequential(nbsnn.Dense(4, 3, weight=weight), seed=0)


def ran(rule):
    rule.run(np.ones((4, 3), np.float32), np.ones((2, 1, 4)), np.ones((2, 1, 3)), device="python")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: LIF(refractory=None), TypeError, "refractory must be a number or an array of numbers, not None"),
        (lambda: LIF(refractory=[[1.0], [1.0, 2.0]]), TypeError, "refractory must be a number"),
        (lambda: LIF(tau="5"), TypeError, "parameter tau must be a number"),
        (lambda: LIF(decay_input="no"), TypeError, "decay_input must be True or False, not 'no'"),
        (lambda: LIF(detach_reset=np.nan), TypeError, "detach_reset must be True or False, not nan"),
        (lambda: LIF(surrogate="atn"), ValueError, "surrogate must be one of .*, not 'atn'; did you mean .*'atan'"),
        (lambda: LIF(surrogate=surrogates.atan), TypeError, r"atan itself: atan\(\), with parentheses"),
        (lambda: LIF(learn=None), TypeError, "learn must be a name or a tuple of names, not None"),
        (lambda: PLIF(decays="exp"), TypeError, "PLIF has no option 'decays'; its options are v_rest"),
        (lambda: neurons.AdEx(substeps=10**30), ValueError, "substeps must be at most 100"),
        (lambda: plasticity.NearestSTDP(w_mix=1.0), TypeError, "NearestSTDP has no option 'w_mix'"),
        (lambda: nbsnn.Dense(4, 3, weight=0.5), TypeError, "weight must be an initialiser, .* not 0.5"),
        (lambda: nbsnn.Dense(4, 3, weight=nbsnn.init.normal), TypeError, r"normal\(\), with parentheses"),
        (lambda: nbsnn.Dense(4, 3, bias=1), TypeError, "bias must be True or False, not 1"),
        (lambda: nbsnn.Sparse(total=10**14).build(1000, 1000), ValueError, "100000000000000 synapses .* would take 8e"),
        (
            lambda: nbsnn.encode.poisson(T=2**31 - 1)(np.zeros((9, 999)), nbsnn.random.Draws(0)),
            ValueError,
            "T = .* take",
        ),
        (lambda: nbsnn.set_threads(np.nan), TypeError, "count of threads must be an integer, not nan"),
        (
            lambda: LIF(refractory=[]),
            ValueError,
            "refractory must be a number or .*, not an empty one",
        ),
        (lambda: connected(coordinates=np.zeros((3, 2))), ValueError, "coordinates are for Distance: AllToAll"),
        (lambda: connected(weight=1e300), ValueError, "weight must be finite as float32, not 1e"),
        (lambda: connected(source="q"), KeyError, "source: this network has no population 'q'"),
        (lambda: nbsnn.Network().run(0.1, callback=nbsnn.Dense), TypeError, "callback must be a function"),
        (lambda: nbsnn.network.State.load(None), TypeError, "path must be a path, not None"),
        (lambda: nbsnn.files.VariableFile(None), TypeError, "path must be a path, not None"),
        (lambda: nbsnn.tempotron.Gradient(optimizer=np.nan), TypeError, "optimizer must be one of nbsnn.optim"),
        (lambda: nbsnn.tempotron.Gradient(0.5), TypeError, "loss must be a loss of nbsnn.tempotron"),
        (lambda: nbsnn.Sequential(nbsnn.Dense(4, 3))[5], TypeError, "name must be the name of a layer, not 5"),
        (lambda: ran(plasticity.PairSTDP(1e300)), ValueError, "a_.* of Rule must be finite as float32, not 1e"),
        (lambda: ran(plasticity.MSTDP(tau_e=1e-320)), ValueError, "1 / tau_e of .* must be finite"),
        (lambda: built(nbsnn.init.normal(std=1e300)), ValueError, r"made by normal\(mean=0.0, std=1e\+300\)"),
        (lambda: built(nbsnn.init.constant(-1e300)), ValueError, r"constant\(value=-1e\+300\), contains 12 NaN or inf"),
        (lambda: surrogates.stbp_gaussian(1e-320), ValueError, "alpha of stbp_gaussian must be at least 1e-12"),
        (lambda: surrogates.multi_gaussian(height=1e30), ValueError, "height of multi_gaussian must be at most 1e"),
        (lambda: surrogates.squarewave_fourier_series(2**31), ValueError, "n of .* must be at most 10000"),
        (lambda: nbsnn.Network(dt=1e-320), ValueError, "dt must be at least 1e-30, not 1e-320"),
        (lambda: nbsnn.Sequential(nbsnn.Flatten(), input_shape=2, dt=1e-320), ValueError, "dt must be at least 1e-30"),
        (lambda: nbsnn.models.cuba(dt=1e-20), ValueError, r"refractory of cells is 5e\+20 steps of dt"),
        (lambda: nbsnn.encode.population(4, high=1e-320), ValueError, r"\(high - low\) / beta must be at least 1e-30"),
        (
            lambda: nbsnn.unsupervised.respond(brain(), [], (1, 2), {}),
            TypeError,
            r"encoder must be one .* not \(1, 2\)",
        ),
        (lambda: spaic.lif(tau_m=()), ValueError, "tau_m must be a number or .*, not an empty one"),
        (lambda: spaic.clif(v_th=[]), ValueError, "v_th must be a number or .*, not an empty one"),
        (lambda: rnnbuilder.Discontinuous(threshold=()), ValueError, "threshold must be .*, not an empty one"),
        (lambda: spikingjelly.ParametricLIFNode(()), ValueError, "init_tau must be .*, not an empty one"),
        (lambda: nbsnn.Sequential(nbsnn.Flatten(), input_shape=2.5), TypeError, "input_shape must be an integer or"),
        (lambda: nbsnn.Sequential(nbsnn.Flatten(), input_shape=3, dtype="x"), TypeError, "dtype must be float32 or"),
    ],
)
def test_messages_say_what_was_given_and_what_is_allowed(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"optimizer": 3}, "optimizer must be one of nbsnn.optim, .* not 3"),
        ({"optimizer": nbsnn.optim.Adam}, r"Adam itself: Adam\(\), with parentheses"),
        ({"loss": losses.RateCrossEntropy}, r"RateCrossEntropy itself: RateCrossEntropy\(\)"),
        ({"loss": lambda y: y}, "called with 2 arguments"),
        ({"seed": 0.5}, "seed"),
        ({"compact": "yes"}, "compact must be True or False"),
    ],
)
def test_learners_look_at_what_they_are_made_of(options, words):
    net = nbsnn.Sequential(nbsnn.Dense(4, 3), LIF(), seed=0)
    with pytest.raises(TypeError, match=words):
        nbsnn.BPTT(net, **{"loss": losses.rate_cross_entropy, **options})


def test_large_integers_are_numbers_like_others():
    assert neurons.Izhikevich(b=2, v_start=2**62, v_u=-(2**62)).state["u"] == 2.0**64
    gates = neurons.HodgkinHuxley(v_start=10**30, v_shift=10**30 - 2**50).state
    assert 0.0 <= gates["h"] < 1e-6 and gates["m"] > 0.999


def test_arrays_that_are_handed_over_keep_their_values():
    tau, pre, weight = np.array([2.0, 3.0]), np.array([0, 1]), np.array([0.5, 1.5])
    neuron, pairs = LIF(tau=tau), nbsnn.Explicit(pre, [1, 0], weight=weight)
    rule = plasticity.Rule(lambda w, pre, post, rate: (rate * post, 0.0), params=(rates := {"rate": 0.1}))
    tau[:], pre[:], weight[:], rates["rate"] = 9.0, 0, 9.0, 9.0
    assert neuron.params["tau"].tolist() == [2.0, 3.0] == neuron.options["tau"].tolist()
    assert pairs.pre.tolist() == [0, 1] and pairs.weight.tolist() == [0.5, 1.5]
    assert rule.params == {"rate": 0.1}
    made = np.zeros((2, 2), np.float32)
    layer = nbsnn.Conv2d(1, 1, 2, weight=lambda shape, **_: made.reshape(shape))
    net = nbsnn.Sequential(layer, input_shape=(1, 4, 4))
    made[:] = 1.0
    assert not net["conv2d1"].params["weight"].any()


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "x", "1" + 30 * "0"])
def test_the_command_line_names_the_option_that_is_wrong(text, capsys):
    (commands,) = (a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    tried = 0
    for command, task in (("train", "digits"), ("simulate", "cuba")):
        (tasks,) = (a for a in commands.choices[command]._actions if isinstance(a, argparse._SubParsersAction))
        for option in tasks.choices[task]._actions:
            if option.type not in (int, float) or option.dest == "seed" or (text[0] in "-1" and option.type is float):
                continue
            try:
                status = main([command, task, option.option_strings[-1], text])
            except SystemExit as end:
                status = end.code
            tried += 1
            assert status == 2 and option.option_strings[-1] in capsys.readouterr().err
    assert tried >= 5
