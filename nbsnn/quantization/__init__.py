"""Networks in few bits: trained with rounded weights and states, and run in integers with the same bits."""

from .integer import IntegerNetwork as IntegerNetwork
from .simulate import quantize as quantize
from .simulate import to_integer as to_integer
