"""Spiking neural networks on plain NumPy arrays, simulated and trained by Numba kernels.

Modules are loaded when their names are first used: a program pays for what it needs, not for the whole package.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .version import __version__ as __version__

if TYPE_CHECKING:
    from . import augment as augment
    from . import data as data
    from . import encode as encode
    from . import events as events
    from . import files as files
    from . import init as init
    from . import layers as layers
    from . import learning as learning
    from . import losses as losses
    from . import models as models
    from . import neurons as neurons
    from . import nir as nir
    from . import optim as optim
    from . import plasticity as plasticity
    from . import plot as plot
    from . import presets as presets
    from . import random as random
    from . import ranks as ranks
    from . import sklearn as sklearn
    from . import sparse as sparse
    from . import statistics as statistics
    from . import surrogates as surrogates
    from . import synapses as synapses
    from . import tempotron as tempotron
    from . import unsupervised as unsupervised
    from . import voting as voting
    from .checkpoint.save import load as load
    from .checkpoint.save import save as save
    from .conversion import fold_batch_norm as fold_batch_norm
    from .conversion import from_torch as from_torch
    from .conversion import load_torch as load_torch
    from .conversion import to_spiking as to_spiking
    from .device.products import deterministic as deterministic
    from .device.profile import profile as profile
    from .device.threads import set_threads as set_threads
    from .diagnosis.report import SilentNetworkWarning as SilentNetworkWarning
    from .diagnosis.report import report as report
    from .diagnosis.summary import summary as summary
    from .diagnosis.sweep import sweep as sweep
    from .diagnosis.target_rate import target_rate as target_rate
    from .gradcheck.check import GradientError as GradientError
    from .gradcheck.check import check as check
    from .layers import AdaptiveAvgPool as AdaptiveAvgPool
    from .layers import AdaptiveMaxPool as AdaptiveMaxPool
    from .layers import AvgPool1d as AvgPool1d
    from .layers import AvgPool2d as AvgPool2d
    from .layers import BatchNorm as BatchNorm
    from .layers import Container as Container
    from .layers import Conv1d as Conv1d
    from .layers import Conv2d as Conv2d
    from .layers import ConvTranspose1d as ConvTranspose1d
    from .layers import ConvTranspose2d as ConvTranspose2d
    from .layers import Delay as Delay
    from .layers import Dense as Dense
    from .layers import Dropout as Dropout
    from .layers import Flatten as Flatten
    from .layers import GlobalAvgPool as GlobalAvgPool
    from .layers import GlobalMaxPool as GlobalMaxPool
    from .layers import GlobalSumPool as GlobalSumPool
    from .layers import GroupNorm as GroupNorm
    from .layers import Identity as Identity
    from .layers import InstanceNorm as InstanceNorm
    from .layers import Layer as Layer
    from .layers import LayerNorm as LayerNorm
    from .layers import LearnedDelays as LearnedDelays
    from .layers import MaxPool1d as MaxPool1d
    from .layers import MaxPool2d as MaxPool2d
    from .layers import Parallel as Parallel
    from .layers import Population as Population
    from .layers import QuantConv2d as QuantConv2d
    from .layers import QuantDense as QuantDense
    from .layers import Recurrent as Recurrent
    from .layers import ReLU as ReLU
    from .layers import Reshape as Reshape
    from .layers import Residual as Residual
    from .layers import Rounded as Rounded
    from .layers import Run as Run
    from .layers import Scale as Scale
    from .layers import Sequential as Sequential
    from .layers import SumPool1d as SumPool1d
    from .layers import SumPool2d as SumPool2d
    from .layers import TemporalConv as TemporalConv
    from .layers import Upsample as Upsample
    from .layers import WSConv2d as WSConv2d
    from .layers import WSDense as WSDense
    from .learning import BPTT as BPTT
    from .learning import OTTT as OTTT
    from .learning import SLTT as SLTT
    from .learning import STBP as STBP
    from .learning import Accumulator as Accumulator
    from .learning import Credit as Credit
    from .learning import EProp as EProp
    from .learning import compare_credit as compare_credit
    from .learning.fit import fit as fit
    from .network import Network as Network
    from .neuron import Neuron as Neuron
    from .pages.page import page as page
    from .pages.snapshots import Snapshots as Snapshots
    from .progress.tensorboard import TensorBoard as TensorBoard
    from .quantization import IntegerNetwork as IntegerNetwork
    from .quantization import quantize as quantize
    from .quantization import to_integer as to_integer
    from .sparse import AllToAll as AllToAll
    from .sparse import Distance as Distance
    from .sparse import Explicit as Explicit
    from .sparse import Multiple as Multiple
    from .sparse import OneToOne as OneToOne
    from .sparse import Sparse as Sparse
    from .sparse import from_scipy as from_scipy
    from .sparse import values as values
    from .surrogates.surrogate import dspike as dspike
    from .surrogates.surrogate import spike as spike
    from .tempotron import Tempotron as Tempotron

NAMES = {
    "": """
        augment data encode events files init layers learning losses models neurons nir optim plasticity plot presets
        random ranks sklearn sparse statistics surrogates synapses tempotron unsupervised voting
    """,
    "checkpoint.save": "load save",
    "conversion": "fold_batch_norm from_torch load_torch to_spiking",
    "device.profile": "profile",
    "device.threads": "set_threads",
    "diagnosis.report": "SilentNetworkWarning report",
    "diagnosis.summary": "summary",
    "diagnosis.sweep": "sweep",
    "diagnosis.target_rate": "target_rate",
    "gradcheck.check": "GradientError check",
    "layers": """
        AdaptiveAvgPool AdaptiveMaxPool AvgPool1d AvgPool2d BatchNorm Container Conv1d Conv2d ConvTranspose1d
        ConvTranspose2d Delay Dense Dropout Flatten GlobalAvgPool GlobalMaxPool GlobalSumPool GroupNorm Identity
        InstanceNorm Layer LayerNorm LearnedDelays MaxPool1d MaxPool2d Parallel Population QuantConv2d QuantDense ReLU
        Recurrent Reshape Residual Rounded Run Scale Sequential SumPool1d SumPool2d TemporalConv Upsample
        WSConv2d WSDense
    """,
    "learning": "Accumulator BPTT OTTT SLTT STBP Credit EProp compare_credit",
    "learning.fit": "fit",
    "network": "Network",
    "neuron": "Neuron",
    "progress.tensorboard": "TensorBoard",
    "pages.page": "page",
    "pages.snapshots": "Snapshots",
    "quantization": "IntegerNetwork quantize to_integer",
    "sparse": "AllToAll Distance Explicit Multiple OneToOne Sparse from_scipy values",
    "device.products": "deterministic",
    "surrogates.surrogate": "dspike spike",
    "tempotron": "Tempotron",
}
"""Module -> what of it stands here; of the package itself, modules."""

PLACES = {name: module for module, names in NAMES.items() for name in names.split()}


HOMES = (
    "neurons", "synapses", "surrogates", "losses", "optim", "encode", "plasticity", "data", "events", "files",
    "network", "statistics", "unsupervised", "voting", "tempotron", "presets.snntorch", "presets.spikingjelly",
    "presets.norse",
)  # fmt: skip
"""Where a name is looked for that is not here, to say so."""


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        # ``from .. import validate`` asks here before it imports the module.
        elsewhere = not name.startswith("_") and find_spec(f"{__name__}.{name}") is None
        homes = {home: import_module(f".{home}", __name__) for home in HOMES} if elsewhere else {}
        made = {home: str(getattr(getattr(of, name, None), "__module__", "")) for home, of in homes.items()}
        found = [f"{__name__}.{home}" for home, module in made.items() if module.startswith(f"{__name__}.{home}")]
        more = f"; it is {' or '.join(f'{home}.{name}' for home in found)}" if found else ""
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{more}")
    module = import_module(f".{PLACES[name] or name}", __name__)
    value = globals()[name] = getattr(module, name) if PLACES[name] else module
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *PLACES})
