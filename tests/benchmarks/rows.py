"""What is compared with what: the rows of ``compare.py`` as data.

A row sets one of our commands against a peer's, or against the best of several. Commands of the rows of one group run
in turn, and a row is worked out from what they printed.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Command:
    """One way to do the work.

    ``module`` is what an interpreter must be able to import, nothing for ours; ``threads`` None means as many as the
    user asks for. In ``options``, ``{python}`` stands for that interpreter (the script itself then runs in ours) and
    ``{folder}`` for a folder of the command's own, which stays between runs.
    """

    name: str
    module: str
    script: str
    options: str = ""
    threads: int | None = None


@dataclass(frozen=True)
class Row:
    """``same`` says how far apart, relatively, numbers may be that show that both sides did the same work."""

    group: str
    name: str
    work: str
    against: str
    ours: tuple[Command, ...]
    peers: tuple[Command, ...]
    target: float | None
    value: str = "step_s"
    same: dict[str, float] = field(default_factory=dict, hash=False)


def ours(script: str, options: str, threads: int | None = None) -> Command:
    return Command("nbsnn", "", script, options, threads)


def training() -> list[Row]:
    """W1 and W2."""
    rows: list[Row] = []
    same = {"in_spikes": 0.0, "hidden_spikes": 0.01, "out_spikes": 0.02, "loss": 0.02}
    # snnTorch's recurrent neuron loses the input of the step after a spike; its spikes are 10 % fewer.
    similar = {"in_spikes": 0.0, "hidden_spikes": 0.15, "out_spikes": 0.15, "loss": 0.2}

    def add(key: str, options: str, work: str, libraries: float, by_hand: float, variants: list[str]) -> None:
        group, mine = f"{key.split()[0]} {options}", ours("train.py", options)
        peers = tuple(
            Command(name, module, f"peers/train_{module}.py", options)
            for name, module in (("SpikingJelly", "spikingjelly"), ("snnTorch", "snntorch"), ("Norse", "norse"))
        )
        loops = tuple(
            Command(f"torch, {v}", "torch", "peers/train_torch.py", f"{options} --variant {v}") for v in variants
        )
        tolerance = same if key.startswith("W1") else similar
        rows.append(Row(group, f"{key} libraries", work, "best library", (mine,), peers, libraries, same=tolerance))
        rows.append(Row(group, f"{key} by hand", work, "torch by hand", (mine,), loops, by_hand, same=same))

    for rate, libraries, by_hand in ((0.01, 10, 6), (0.02, 8, 6), (0.05, 6, 6), (0.2, 3, 3)):
        options = f"--workload w1 --T 100 --batch 128 --rate {rate}"
        work = f"training step, 784-800-10, T 100, batch 128, input {rate:.0%}"
        add(f"W1 {rate:.0%}", options, work, libraries, by_hand, ["product", "fused", "sparse"])
        if rate == 0.05:
            library, work = rows[-2], f"peak memory above the idle process, {work}"
            jelly, budget = library.peers[:1], ours("train.py", f"{options} --max-bytes 46000000")
            rows.append(Row(library.group, "W1 memory", work, "SpikingJelly", library.ours, jelly, 5, "memory_mb"))
            rows.append(
                Row(library.group, "W1 budget", f"{work}, budget of 46 MB", "SpikingJelly", (budget,), jelly, 10,
                    "memory_mb")
            )  # fmt: skip
    for steps in (100, 250):
        options = f"--workload w2 --T {steps} --batch 64 --rate 0.015"
        work = f"training step, 700-256 recurrent-20, T {steps}, batch 64, input 1.5%"
        add(f"W2 {steps}", options, work, 10, 4, ["step", "product"])
    return rows


def online_and_times() -> list[Row]:
    """W3 and W4."""
    rows = []
    for rule in ("ottt", "sltt"):
        work = f"training step by {rule.upper()}, 784-800-10, T 100, batch 64"
        options = f"--variant {rule} --T 100 --batch 64"
        rows.append(
            Row(
                f"W3 {rule}", f"W3 {rule}", work, "SpikingJelly",
                (ours("online.py", options),),
                (Command("SpikingJelly", "spikingjelly", "peers/online_spikingjelly.py", options),),
                7, same={"out_spikes": 0.02, "loss": 0.02},
            )
        )  # fmt: skip
    for active in (1.0, 0.19):
        options, work = (
            f"--active {active}",
            f"training step of a Tempotron, 784 inputs, {active:.0%} active, T 100, batch 64",
        )
        rows.append(
            Row(
                f"W4 {active}", f"W4 {active:.0%}", work,
                "SpikingJelly", (ours("tempotron.py", options),),
                (Command("SpikingJelly", "spikingjelly", "peers/tempotron_spikingjelly.py", options),),
                15, same={"events": 0.0, "fired": 0.01},
            )
        )  # fmt: skip
    return rows


def convolution() -> list[Row]:
    """W8: the fastest of the libraries and torch by hand."""
    rows = []
    for size in (28, 34):
        for rate, target in ((0.01, 5), (0.05, 4), (0.2, 2.5)):
            options = f"--size {size} --rate {rate}"
            peers = tuple(
                Command(name, module, "peers/conv_torch.py", f"{options} --variant {variant}")
                for name, module, variant in (
                    ("torch by hand", "torch", "hand"), ("snnTorch", "snntorch", "snntorch"),
                    ("SpikingJelly", "spikingjelly", "spikingjelly"),
                )
            )  # fmt: skip
            name, work = (
                f"W8 {size} {rate:.0%}",
                f"training step, 12C5-MP2-64C5-MP2-10, {size}x{size}, T 25, batch 32, input {rate:.0%}",
            )
            rows.append(
                Row(name, name, work, "best torch", (ours("conv.py", options),), peers, target, same={"in_spikes": 0.0})
            )
    return rows


def whole() -> list[Row]:
    """W9; data in the folder NBSNN_DATA."""
    rows = []
    for task, peer, options, work in (
        ("nmnist", "snnTorch", "--epochs 2 --batch 32 --T 100", "N-MNIST, 12C5-MP2-32C5-MP2-10, frames of 3.1 ms"),
        ("fashion", "SpikingJelly", "--epochs 4", "Fashion-MNIST, 2 x (16C3-BN-MP2)-FC-FC, T 4"),
    ):
        given = f"--task {task} {options}"
        both = (ours("whole.py", given),), (Command(peer, peer.lower(), "peers/whole_torch.py", given),)
        for what, value, target in (("", "run_s", 3), (" error", "test_error", 1)):
            rows.append(Row(f"W9 {task}", f"W9 {task}{what}", f"training, {work}", peer, *both, target, value))
    return rows


def plasticity() -> list[Row]:
    """W5. What rate a white pixel stands for differs, and ours follows each peer's."""
    image, own = "--n-neurons 400 --time 350", "--intensity 63.75"
    cases = (
        ("W5 BindsNET", "350 ms", "bindsnet", image, image, None, 60),
        ("W5 Brian 2", "350 ms, Brian 2 by steps of 0.5 ms, ours of 1 ms", "brian2",
         f"{image} --dt 0.5 --work-dir {{folder}}", f"{image} {own}", 1, 4),
        ("W5 Brian 2, 1 ms", "350 ms, both by steps of 1 ms", "brian2",
         f"{image} --dt 1.0 --work-dir {{folder}}", f"{image} {own}", 1, None),
        ("W5 SPAIC", "256 steps", "spaic",
         "--n-neurons 400 --steps 256", f"--n-neurons 400 --time 256 {own}", None, 150),
    )  # fmt: skip
    rows = []
    for name, length, module, theirs, mine, threads, target in cases:
        against = name.removeprefix("W5 ").removesuffix(", 1 ms")
        peer = Command(against, module, f"peers/stdp_{module}.py", theirs, threads)
        rows.append(
            Row(
                name, name, f"Diehl-Cook, 400 neurons, an image of {length}", against,
                (ours("stdp.py", mine, threads),), (peer,), target, "s_per_sample", {"in_spikes_per_sample": 0.05},
            )
        )  # fmt: skip
    return rows


def simulation() -> list[Row]:
    """W6: the best of any number of threads. With these seeds COBA does not fall silent."""
    rows = []
    cases = (
        ("cuba", "CUBA, 4000 neurons", 4), ("coba", "COBA, 4000 neurons", 8),
        ("cobahh", "Hodgkin-Huxley COBA, 4000 neurons", 15), ("brunel", "Brunel, 12,500 neurons", 14),
        ("wang", "Wang 2002, 2000 cells with NMDA gates", 1), ("pd", "Potjans-Diesmann at scale 0.1", 5),
    )  # fmt: skip
    for model, title, target in cases:
        options, peers = f"--model {model} --seed 2", []
        for threads in (1, 2):
            settling = " --presim-ms 200" if model == "pd" else ""
            if model != "wang":
                peers.append(Command(f"NEST, {threads}", "nest", "peers/simulate_nest.py", options + settling, threads))
            own = {"pd": (), "wang": (("Brian 2", "brian2"),)}
            for name, module in own.get(model, (("Brian 2", "brian2"), ("ANNarchy", "annarchy"))):
                needs = "ANNarchy" if module == "annarchy" else module
                # Brian 2 draws other numbers on one thread than on two.
                seeded = options.replace("--seed 2", "--seed 1") if (module, threads) == ("brian2", 1) else options
                script, more = f"peers/simulate_{module}.py", f"{seeded} --work-dir {{folder}}"
                peers.append(Command(f"{name}, {threads}", needs, script, more, threads))
        rows.append(
            Row(
                f"W6 {model}", f"W6 {model}", f"{title}, 1 s by steps of 0.1 ms",
                {"pd": "NEST", "wang": "Brian 2"}.get(model, "best simulator"),
                tuple(ours("simulate.py", options, threads) for threads in (1, 2)), tuple(peers), target, "sim_s",
                {"rate_hz": 0.2, "synapses": 0.02},
            )
        )  # fmt: skip
    return rows


def starting() -> list[Row]:
    """W7."""
    libraries = (("torch", "torch"), ("SpikingJelly", "spikingjelly"), ("snnTorch", "snntorch"), ("Norse", "norse"))
    brian = (("Brian 2, NumPy", "brian2-numpy"), ("Brian 2, C++", "brian2-cpp"), ("Brian 2, Cython", "brian2-cython"))
    rows = []
    for name, against, program, peers, target in (
        ("W7 torch", "best torch library", "network", libraries, 2), ("W7 Brian 2", "Brian 2", "simulator", brian, 2),
        ("W7 NEST", "NEST", "simulator", (("NEST", "nest"),), None),
    ):  # fmt: skip
        what = {"network": "network", "simulator": "simulation"}[program]
        # What compiles for half a minute each time is started once a round.
        starts = {peer: "1 --warmup 0" if peer in ("brian2-cpp", "brian2-cython") else "3" for _, peer in peers}
        commands = tuple(
            Command(
                title, peer.split("-")[0], "startup.py", f"--python {{python}} --peer {peer} --repeat {starts[peer]}", 1
            )
            for title, peer in peers
        )
        mine = ours("startup.py", f"--program {program} --repeat 3", 1)
        rows.append(
            Row(name, name, f"new process to its first small {what}", against, (mine,), commands, target, "first_s")
        )
    return rows


ROWS = [*training(), *online_and_times(), *convolution(), *whole(), *plasticity(), *simulation(), *starting()]
