"""The columns of the tables of integers that tell the loop over a network where everything is.

``nbsnn.network`` fills them. A place is an index into one of the flat arrays.
"""

# A population: which model it is (-1: a list of spikes), how many units, the first of them in the network, distance
# between two variables, place and number of the variables (of a list: of its spikes), places of shared and of own
# parameters, place of the variable that a conductance pulls, ports, currents, key of its random numbers, and whether
# its spikes are recorded.
(
    MODEL, UNITS, FIRST, STRIDE, STATE, VARIABLES, SCALARS, VECTORS, MEMBRANE, PORT, PORTS, CURRENT, CURRENTS, KEY,
    RECORDED, POPULATION_COLUMNS,
) = range(16)  # fmt: skip

# A port, where synapses of one kind end at a population: STATE, VARIABLES and SCALARS as above (the first scalar
# is the reversal potential), its place in a row of the ring, its Poisson drives, and -1. Below the ports, gates of
# sources: MODEL, STATE and SCALARS as above, place of what they put out among the variables, how many numbers that is
# (VARIABLES), and the population of the sources.
ROW, DRIVE, DRIVES, OPENS, PORT_COLUMNS = 10, 11, 12, 13, 14

# What is given from outside in the course of time: rows, steps per row, first step, and the step at which it ends.
ROWS, EVERY, BEGIN, END = range(4)

# A current: the same, place of its values, how many at a time (1, or one per unit), and the place of the factor by
# which it enters the neurons; the factor lies among the values.
VALUES, WIDTH, FACTOR, CURRENT_COLUMNS = range(4, 8)

# A Poisson drive: the same, from where to where its table of probabilities goes, the place of its weight among the
# values of currents, that of its key, the line of its first row, which is one of the last lines of the table (in rows,
# places of tables alone matter), and whether each unit has a weight of its own.
TABLE, TABLE_END, DRIVE_WEIGHT, DRIVE_KEY, FIRST_ROW, DRIVE_EACH, DRIVE_COLUMNS = range(4, 11)

# A connection: population of the source, and from where to where its units have synapses; population of the target,
# place of its port in a row of the ring, first row of ``bounds``, place of the one weight or -1, from the number of a
# synapse to its place among the weights, delay in steps or -1 where each synapse has its own, first of the factors of
# short-term plasticity or -1, plasticity rule, -1 or ``GATED``, and for how many steps the factors of spikes are kept;
# the row of its gate in the table of ports, and where all sources end at all targets with one weight, the first target
# and the one after the last, and whether units that are on both sides are left out; how many of ``bounds`` are its own,
# and how far those of two sources are apart.
(
    SOURCE, FROM, TO, TARGET, TARGET_ROW, BOUNDS, WEIGHT, SHIFT, DELAY, SHORT, RULE, KEPT, GATE, SPREAD, SPREAD_END,
    APART, EXTENT, BOUNDS_STRIDE, WIRE_COLUMNS,
) = range(19)  # fmt: skip
GATED = 1 << 30

# Short-term plasticity: connection, place of its numbers, place of its variables.
WIRE, NUMBERS, RESOURCES, SHORT_COLUMNS = range(4)

# A plastic connection: WIRE as above, model of the rule, whether it learns now, steps from a spike to its arrival,
# which its weight meets as it is after the step before; places of 0/1 arrays (spikes of the
# source that arrive, of the target) and of traces as they are carried and as the rule uses them, their number and
# factors, for both sides; parameters and their number, limits, and the columns of synapses: bounds, entries. Whether
# spikes change synapses at all; place of the numbers of a rule that waits for a reward or -1, and how far from a weight
# its eligibility lies; what homeostasis there is, its interval in steps, places of its numbers and of its rates; of a
# rule that steers mean weights, the place of these, or -1; of a rule in integers, the place of its integers or -1, of
# its keys, and of the variable that is a threshold, or -1; of a rule that normalises in every step, the place of its
# numbers, or -1, and from which step on. Where delays differ: the first of the lines of other delays among the
# connections, and their number; for how many steps what is known of sources is kept, or 0, and the places of their
# spikes and of their traces as the rule uses them. The place among the tallies of the step from which on the source's
# spikes are those of this connection, which are none that came before it. Of a rule that sees variables of neurons, for
# both sides, the list of these or -1, and the place of their rings (see ``plasticity.membrane``). How many numbers
# there are among the traces, from the source's spikes on.
(
    RULE_MODEL, LEARNS, AFTER, ARRIVED, SPIKED, PRE_CARRIED, PRE_USED, PRE_TRACES, PRE_FACTORS, POST_CARRIED, POST_USED,
    POST_TRACES, POST_FACTORS, PARAMS, PARAM_COUNT, LIMITS, COLUMN_BOUNDS, COLUMNS, CHANGES, REWARD, GAP, TENDED,
    INTERVAL, TARGETS, RATES, STEERED, INTEGERS, ROUNDING, THRESHOLD, BALANCED, DUE, MORE, MORES, SPAN, PAST_SEEN,
    PAST_USED, BEGUN, PRE_VARIABLES, PRE_RING, POST_VARIABLES, POST_RING, KNOWN, PLASTIC_COLUMNS,
) = range(1, 44)  # fmt: skip

# Kinds of homeostasis, and the numbers of both: target rate or total, strength, and how much of an interval's rate
# enters the mean, what a spike of an interval counts in Hz, bounds.
NONE, SCALED, NORMALIZED = range(3)
TARGET_VALUE, STRENGTH, SMOOTHING, HERTZ, LOWEST, HIGHEST = range(6)

# The numbers of a rule that waits for a reward: the reward, the factor with which it acts, how much of an increment is
# eligible, by how much the logarithm of eligibility falls in a step, bounds.
REWARD_VALUE, REWARD_FACTOR, SHARE, FALL, REWARD_LOW, REWARD_HIGH, REWARD_NUMBERS = range(7)

# What is kept of each unit whose mean weight is steered: a line each of the mean it aims at, the sum of its weights as
# they are stored, and two factors whose product makes weights of them, the second being that of the latest step.
AIM, SUM, SCALE, STEP, STEERED_LINES = range(5)

# What is kept of each unit whose weights are normalised in every step: the same factors; of its weights as they are,
# the sum of their absolute values, the largest such sum since all have been visited, and two numbers between which
# they lie; and how its synapses are visited (see ``balanced``). The numbers of such a rule: the total, whether weights
# are normalised before they are clipped, and bounds of all weights.
LARGEST, TOP, BOTTOM, VISITED, BALANCED_LINES = 0, 4, 5, 6, 7
TOTAL, BEFORE_CLIP, ALL_LOW, ALL_HIGH = range(4)

# The integers of a rule in integers: how many numbers stand before the traces of source and target.
INTEGER_NUMBERS = 9
