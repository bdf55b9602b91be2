"""Classes from the spikes of neurons that learned without labels.

Each neuron is given the class to which it responds most, on samples whose labels are known; then neurons vote::

    response[n, c] = mean spike count of neuron n over the samples of class c
    label[n]       = argmax_c response[n, c]
    all activity   score[c] = mean count of the neurons labelled c
    proportional   score[c] = sum_n count[n] share[n, c] / sum_n share[n, c] over the neurons labelled c,
                   share[n, c] = response[n, c] / sum_c response[n, c]

Diehl and Cook 2015 (doi:10.3389/fncom.2015.00099); the names of the votes as in BindsNET (Hazan et al. 2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .validate import choice, count, finite, numbers, real, shaped

VOTES = ("all", "proportional")


@dataclass(frozen=True)
class Assignment:
    """Class that each neuron stands for.

    Attributes
    ----------
    labels : int array [N]
        Class of each neuron; -1 for one that never spiked.
    response : float array [N, C]
        Mean spike count of each neuron for each class.

    Examples
    --------
    >>> import numpy as np
    >>> assign_labels(np.array([[3, 0], [0, 2]]), np.array([1, 0])).labels
    array([1, 0])
    """

    labels: np.ndarray
    response: np.ndarray

    def __post_init__(self) -> None:
        if shaped("labels", real("labels", self.labels), (None,)).dtype.kind not in "iu":
            raise TypeError(f"labels must be integers, not {np.asarray(self.labels).dtype}")
        shaped("response", numbers("response", self.response), (len(self.labels), None))

    def predict(self, counts: ArrayLike, vote: str = "all") -> np.ndarray:
        """Classes [S] of samples with spike counts ``counts`` [S, N].

        Parameters
        ----------
        counts : array [S, N]
            Spikes of each neuron in each sample.
        vote : {"all", "proportional"}
            See this module. Ties, and samples without a spike, go to the lowest class.
        """
        choice("vote", vote, VOTES)
        counts = _counts(counts)
        if counts.shape[1] != len(self.labels):
            raise ValueError(f"counts must have {len(self.labels)} neurons, not {counts.shape[1]}")
        member = (self.labels[:, None] == np.arange(self.response.shape[1])).astype(np.float64)
        if vote == "proportional":
            total = self.response.sum(axis=1, keepdims=True)
            member *= np.divide(self.response, total, out=np.zeros_like(self.response), where=total > 0.0)
        weight = member.sum(axis=0)
        score = np.divide(counts @ member, weight, out=np.zeros((len(counts), len(weight))), where=weight > 0.0)
        return score.argmax(axis=1)


def assign_labels(counts: ArrayLike, labels: ArrayLike, classes: int | None = None) -> Assignment:
    """Give each neuron the class to which it responds most.

    Parameters
    ----------
    counts : array [S, N]
        Spikes of each neuron in each sample.
    labels : int array [S]
        Classes of the samples.
    classes : int, optional
        Number of classes; one more than the largest label by default.

    Returns
    -------
    Assignment

    Raises
    ------
    TypeError, ValueError
        If shapes, labels or counts are not as said.

    Examples
    --------
    >>> import numpy as np
    >>> from nbsnn.voting import assign_labels
    >>> counts = np.array([[5, 0, 0], [4, 1, 0], [0, 6, 0]])
    >>> found = assign_labels(counts, np.array([0, 0, 1]))
    >>> found.labels, found.predict(counts)
    (array([ 0,  1, -1]), array([0, 0, 1]))
    """
    counts, labels = _counts(counts), real("labels", labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, not {labels.dtype}")
    if labels.shape != (len(counts),):
        raise ValueError(f"labels must have shape [{len(counts)}], one for each sample, not {list(labels.shape)}")
    classes = int(labels.max()) + 1 if classes is None else count("classes", classes, most=1 << 20)
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"labels must be from 0 to {classes - 1}, but span {labels.min()} to {labels.max()}")
    member = (labels[:, None] == np.arange(classes)).astype(np.float64)
    samples = member.sum(axis=0)
    response = np.divide(counts.T @ member, samples, out=np.zeros((counts.shape[1], classes)), where=samples > 0.0)
    best = response.argmax(axis=1)
    return Assignment(np.where(response.max(axis=1) > 0.0, best, -1), response)


def _counts(counts: ArrayLike) -> np.ndarray:
    counts = real("counts", counts)
    if counts.ndim != 2 or not counts.size or counts.dtype.kind not in "fiub":
        raise ValueError(f"counts must be numbers [samples, neurons], not {counts.dtype} {list(counts.shape)}")
    counts = finite("counts", counts.astype(np.float64))
    if counts.min() < 0.0:
        raise ValueError(f"counts must not be negative, but the least is {counts.min():g}")
    return counts
