"""Width of a loop's vectors."""

from ...compile.simd import widest as instruction_of_widest
from ...scalar.hole import instruction


@instruction(instruction_of_widest)
def widest():
    """Let the loops of the kernel that calls this use vectors as wide as the processor's registers.

    Worth it where neurons are worked out from arrays in a near cache; what waits for memory gains nothing.
    """
