"""Optimisers: ``optimizer.step(params, grads)`` changes a dict of arrays in place; schedules; gradient clipping."""

from .adam import Adam as Adam
from .adam import Adamax as Adamax
from .adam import AdamW as AdamW
from .clip import clip_by_norm as clip_by_norm
from .clip import clip_by_value as clip_by_value
from .cycles import OneCycle as OneCycle
from .cycles import OneCycleMomentum as OneCycleMomentum
from .cycles import WarmRestarts as WarmRestarts
from .groups import Groups as Groups
from .optimizer import Optimizer as Optimizer
from .schedules import Constant as Constant
from .schedules import Cosine as Cosine
from .schedules import MultiStep as MultiStep
from .schedules import Schedule as Schedule
from .schedules import StepDecay as StepDecay
from .schedules import Warmup as Warmup
from .sgd import SGD as SGD
from .watching import Plateau as Plateau
