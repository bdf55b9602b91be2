# %% [markdown]
# # A first training
#
# 1797 handwritten digits of 8 x 8 pixels. Pixels become input currents that stay on for eight steps; a hidden layer of
# spiking neurons reads them, and ten leaky integrators that do not spike say which digit it is. The gradient flows
# back through time and through the surrogate derivative of every spike.

# %%
import nbsnn
from nbsnn.neurons import LI, LIF

data = nbsnn.data.digits()
net = nbsnn.Sequential(nbsnn.Dense(64, 128), LIF(tau=2.0), nbsnn.Dense(128, 10), LI(tau=2.0), seed=0)
history = nbsnn.fit(
    net,
    (data.x_train, data.y_train),
    (data.x_test, data.y_test),
    encoder=nbsnn.encode.constant(T=8),
    learner=nbsnn.BPTT(net, loss=nbsnn.losses.rate_cross_entropy, optimizer=nbsnn.optim.Adam(5e-3)),
    epochs=8,
    batch_size=32,
)

# %% [markdown]
# `history` is a list of rows, one per epoch. **See** on the right what the hidden layer does for one digit: time to the
# right, a dot for each spike. The input stays the same, so units spike again and again, each at its own pace.

# %%
x = nbsnn.encode.constant(T=8)(data.x_test[:1])
run = net.run(x)
print("digit", data.y_test[0], "- read as", run.output.mean(0).argmax())
nbsnn.plot.training(history, run, "05_first_training.png")

# %% [markdown]
# **Try** `T=2` in both encoders. Two steps are enough for most digits: which does the network lose?
