"""Published networks, each a function that returns a ``Network``: what simulators are measured and compared with."""

from .brunel import brunel as brunel
from .coba import coba as coba
from .cobahh import cobahh as cobahh
from .cuba import cuba as cuba
from .microcircuit import microcircuit as microcircuit
from .wang import wang as wang
