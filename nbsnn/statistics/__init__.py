"""Statistics of spike trains: rates, irregularity, synchrony and correlation.

Spikes are two arrays of one length: ``times`` in ms, ascending, and ``units``, from 0 to n - 1. Spikes with
``start <= time < stop`` count. Where there are too few, a statistic is NaN.
"""

from .correlogram import cross_correlogram as cross_correlogram
from .intervals import cv as cv
from .intervals import cv2 as cv2
from .intervals import cv_per_unit as cv_per_unit
from .intervals import intervals as intervals
from .intervals import lv as lv
from .rates import counts as counts
from .rates import mean_rate as mean_rate
from .rates import population_rate as population_rate
from .rates import rates as rates
from .synchrony import correlation as correlation
from .synchrony import correlations as correlations
from .synchrony import fano as fano
from .synchrony import synchrony as synchrony
from .synchrony import synchrony_of as synchrony_of
