"""Files of runs: spikes and variables that a network has written while it ran, and the writers that continue them."""

from .csv import read_csv as read_csv
from .csv import write_csv as write_csv
from .neo import read_neo as read_neo
from .spikes import SpikeFile as SpikeFile
from .spikes import SpikeWriter as SpikeWriter
from .variables import VariableFile as VariableFile
from .variables import VariableWriter as VariableWriter
