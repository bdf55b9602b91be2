"""Stand-ins for the derivative of the step function, by the shape of their slope.

``smooth``: bells over the whole real line with integral 1. ``gaussians``: bells made of normal densities.
``compact``: zero outside a window. ``heavy_tailed``: falling like a power, not normalised. ``unbounded``: rectifiers.
``norse``, ``snntorch``: what these alone have.
A surrogate of your own is a ``Surrogate`` with two scalar functions; nothing needs to be registered.
"""

from .compact import piecewise_quadratic as piecewise_quadratic
from .compact import rect as rect
from .compact import spike_linear as spike_linear
from .gaussians import erf as erf
from .gaussians import gaussian as gaussian
from .gaussians import multi_gaussian as multi_gaussian
from .gaussians import stbp_gaussian as stbp_gaussian
from .heavy_tailed import fake_numerical_gradient as fake_numerical_gradient
from .heavy_tailed import inverse_square as inverse_square
from .heavy_tailed import nonzero_sign_log_abs as nonzero_sign_log_abs
from .heavy_tailed import s2nn as s2nn
from .heavy_tailed import squarewave_fourier_series as squarewave_fourier_series
from .heavy_tailed import superspike as superspike
from .norse import circ as circ
from .norse import heavi_erfc as heavi_erfc
from .norse import no_slope as no_slope
from .norse import tanh as tanh
from .smooth import atan as atan
from .smooth import piecewise_exp as piecewise_exp
from .smooth import q_pseudo_spike as q_pseudo_spike
from .smooth import sigmoid as sigmoid
from .smooth import soft_sign as soft_sign
from .snntorch import heaviside as heaviside
from .snntorch import sfs as sfs
from .snntorch import spike_rate_escape as spike_rate_escape
from .snntorch import triangular as triangular
from .surrogate import Surrogate as Surrogate
from .surrogate import above as above
from .surrogate import at_or_above as at_or_above
from .surrogate import dspike as dspike
from .surrogate import spike as spike
from .unbounded import leaky_k_relu as leaky_k_relu
from .unbounded import log_tailed_relu as log_tailed_relu
from .unbounded import piecewise_leaky_relu as piecewise_leaky_relu
from .unbounded import straight_through as straight_through
