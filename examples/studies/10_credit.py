"""How far do online learning rules agree with back-propagation through time, and how does that change with history?

python examples/studies/10_credit.py [--plot credit.png]
"""

import argparse

import numpy as np

import nbsnn
from nbsnn.neurons import LI, LIF

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--plot", help="file for a figure")
arguments = parser.parse_args()

data = nbsnn.data.digits()
x, labels = nbsnn.encode.constant(T=12)(data.x_train[:64]), data.y_train[:64]
decay = np.exp(-1 / 5.0)
for recurrent in (False, True):
    neuron = LIF(tau=5.0, v_reset=None, detach_reset=True)
    hidden = nbsnn.Recurrent(neuron) if recurrent else neuron
    net = nbsnn.Sequential(nbsnn.Dense(64, 50), hidden, nbsnn.Dense(50, 10), LI(tau=5.0), seed=0)
    credit = nbsnn.compare_credit(net, x, labels, chunk=3, input_decay=float(decay))
    print("recurrent" if recurrent else "feed-forward")
    print(credit, end="\n\n")
if arguments.plot:
    credit.plot(arguments.plot)
