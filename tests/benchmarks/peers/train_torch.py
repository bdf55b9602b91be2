"""W1 and W2 in plain torch, written by hand as well as it is commonly done.

step     products and neurons in the loop over time
product  one product for the whole input before the loop, another after it
fused    the same, and each population one autograd function with its reverse written out (W1)
sparse   as fused, the input's products with sparse matrices, made of the spikes within the step (W1)
compiled as product, the loop over time of each population compiled by torch (W1)
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import harness
import workloads

BETA = workloads.BETA


def functions(torch: Any) -> tuple[Any, Any, Any]:
    """The spike with its surrogate, a population over all steps, and a product with a sparse matrix."""

    class Population(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            u, s, v = torch.empty_like(x), torch.empty_like(x), torch.zeros_like(x[0])
            for now, u_now, s_now in zip(x, u, s, strict=True):
                torch.add(now, v, alpha=BETA, out=u_now)
                torch.ge(u_now, 1.0, out=s_now)
                v = u_now * (1.0 - s_now)
            ctx.save_for_backward(u, s)
            return s

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            u, s = ctx.saved_tensors
            g = g / (1.0 + (math.pi * (u - 1.0)).square())
            kept = (1.0 - s).mul_(BETA)
            for t in range(len(g) - 2, -1, -1):
                g[t].addcmul_(g[t + 1], kept[t])
            return g

    class SparseProduct(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, transposed: Any, w: Any) -> Any:
            ctx.transposed = transposed
            return torch.sparse.mm(x, w)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return None, None, torch.sparse.mm(ctx.transposed, g)

    return harness.spike(torch), Population.apply, SparseProduct.apply


def build(torch: Any, a: Any, weights: list[Any]) -> tuple[list[Any], Any, Any]:
    linear, recurrent = torch.nn.functional.linear, a.workload == "w2"
    spike, population, sparse_product = functions(torch)
    if a.variant == "sparse":  # wants its matrix with a row per input
        weights = [weights[0].t().contiguous(), *weights[1:]]
        warnings.filterwarnings("ignore")
    params = [torch.nn.Parameter(w) for w in weights]
    first, last = params[0], params[-1]
    hidden = workloads.sizes(a)[1]

    def neuron(x: Any, v: Any) -> tuple[Any, Any]:
        u = BETA * v + x
        s = spike(u - 1.0)
        return s, u * (1.0 - s.detach())

    def loop(x: Any) -> tuple[Any, Any]:
        """Neurons in a loop over time, products in it or outside."""
        products = a.variant == "product"
        s = v = x.new_zeros(x.shape[1], hidden)
        spikes, v_out, counts = [], 0.0, 0.0
        for now in linear(x, first) if products else x:
            now = now if products else linear(now, first)
            s, v = neuron(now + linear(s, params[1]) if recurrent else now, v)
            spikes.append(s)
            if not products:
                s_out, v_out = neuron(linear(s, last), v_out)
                counts = counts + s_out
        spikes = torch.stack(spikes)
        for now in linear(spikes, last) if products else []:
            s_out, v_out = neuron(now, v_out)
            counts = counts + s_out
        return spikes, counts

    def neurons(x: Any) -> Any:
        """A population over all steps, for torch's compiler."""
        v, spikes = 0.0, []
        for now in x.unbind(0):
            s, v = neuron(now, v)
            spikes.append(s)
        return torch.stack(spikes)

    fast = torch.compile(neurons) if a.variant == "compiled" else neurons

    def compiled(x: Any) -> tuple[Any, Any]:
        """Products outside the loops, and these compiled."""
        spikes = fast(linear(x, first))
        return spikes, fast(linear(spikes, last)).sum(0)

    def whole(x: Any) -> tuple[Any, Any]:
        """Each population in one call."""
        steps, batch, n_pre = x.shape
        if a.variant == "sparse":
            flat = x.view(-1, n_pre)
            current = sparse_product(flat.to_sparse_csr(), flat.t().to_sparse_csr(), first).view(steps, batch, -1)
        else:
            current = linear(x, first)
        spikes = population(current)
        return spikes, population(linear(spikes, last)).sum(0)

    ways = {"step": loop, "product": loop, "compiled": compiled}
    return params, ways.get(a.variant, whole), lambda: None


if __name__ == "__main__":
    harness.require("torch")
    p = workloads.training_arguments(__doc__)
    p.add_argument("--variant", choices=["step", "product", "fused", "sparse", "compiled"], default="product")
    a, _ = p.parse_known_args()
    if a.workload == "w2" and a.variant in ("fused", "sparse", "compiled"):
        p.error(f"--variant {a.variant} has no recurrent form")
    harness.train(p, "torch", build)
