"""Bounds and normalisation of all weights in a step, for rules that touch more than the synapses of spikes.

    W <- W + D;    W_ij <- total W_ij / sum_i |W_ij|;    W <- clip(W)              or clip first, then normalise

D is not zero only where the rule has visited: in the rows and columns that spiked. So adding is sparse. Normalising is
not: whoever normalises again what has been normalised changes last digits, in some columns for ever, so that all of
them have to be done in every step to get what the equations say.
"""

from .synapse import clip

CLIP_ALL = 0  # whether the bounds hold for all weights, or for those that change
BOUNDED = 1  # whether there are bounds at all
BEFORE_CLIP = 0  # whether weights are normalised first
GUARD = 1  # whether a column of zeros is left as it is


def settle(w, dw, rows, columns, L, sums, total, due, cut):
    """Add ``dw`` [n_pre, n_post] to ``w`` where ``rows`` or ``columns`` are marked, and leave zeros there.

    L holds w_min and w_max; ``sums`` [n_post] is scratch. ``due`` says whether to normalise, and ``cut`` whether a
    weight may be out of its bounds that no increment has met.
    """
    add(w, dw, rows, columns)
    if due and BEFORE_CLIP:
        normalize(w, sums, total)
    if BOUNDED and CLIP_ALL and (cut or due):
        for i in range(w.shape[0]):
            for j in range(w.shape[1]):
                w[i, j] = clip(w[i, j], L[0], L[1])
    elif BOUNDED:
        clip_changed(w, dw, rows, columns, L)
    if due and not BEFORE_CLIP:
        normalize(w, sums, total)
    clear(dw, rows, columns)


def add(w, dw, rows, columns):
    """w += dw."""
    for i in range(w.shape[0]):
        if rows[i]:
            for j in range(w.shape[1]):
                w[i, j] += dw[i, j]
    for j in range(w.shape[1]):
        if columns[j]:
            for i in range(w.shape[0]):
                if not rows[i]:
                    w[i, j] += dw[i, j]


def clip_changed(w, dw, rows, columns, L):
    """Enforce the bounds where ``dw`` is not zero."""
    for i in range(w.shape[0]):
        if rows[i]:
            for j in range(w.shape[1]):
                if dw[i, j] != 0.0:
                    w[i, j] = clip(w[i, j], L[0], L[1])
    for j in range(w.shape[1]):
        if columns[j]:
            for i in range(w.shape[0]):
                if dw[i, j] != 0.0:
                    w[i, j] = clip(w[i, j], L[0], L[1])


def clear(dw, rows, columns):
    """dw = 0."""
    for i in range(dw.shape[0]):
        if rows[i]:
            for j in range(dw.shape[1]):
                dw[i, j] = 0
    for j in range(dw.shape[1]):
        if columns[j]:
            for i in range(dw.shape[0]):
                dw[i, j] = 0


def normalize(w, sums, total):
    """Scale each column to a total of absolute values; the sum runs down the rows in order."""
    for j in range(w.shape[1]):
        sums[j] = 0
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            sums[j] += abs(w[i, j])
    if GUARD:
        for j in range(w.shape[1]):
            if sums[j] == 0.0:
                sums[j] = total
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            w[i, j] = total * w[i, j] / sums[j]


def mark(s, marks):
    """Mark the units [n] that spike at the only step of ``s`` [1, B, n], in any sample."""
    for n in range(s.shape[2]):
        marks[n] = 0
    for b in range(s.shape[1]):
        for n in range(s.shape[2]):
            if s[0, b, n] != 0.0:
                marks[n] = 1
