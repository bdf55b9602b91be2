"""Figures, with matplotlib (``pip install "nbsnn[plot]"``), which is imported only when a figure is drawn.

Functions take arrays, draw into the axes they are given or into a new figure, and return the figure; ``raster``,
``training`` and ``confusion`` return axes. ``save`` writes a figure to a file.
"""

from .activity import activity as activity
from .activity import traces as traces
from .canvas import pyplot as pyplot
from .canvas import save as save
from .course import confusion as confusion
from .course import raster as raster
from .course import training as training
from .histograms import cv_histogram as cv_histogram
from .histograms import rate_histogram as rate_histogram
from .positions import partners as partners
from .weights import receptive_fields as receptive_fields
from .weights import weight_matrix as weight_matrix
from .weights import weights_over_time as weights_over_time
