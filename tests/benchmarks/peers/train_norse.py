"""W1 and W2 in Norse: LIFBoxCell, which has no synaptic current, in a loop over time.

Its input is scaled by tau / dt, so that the neuron is the others'. It has no arctan surrogate: SuperSpike.
"""

from __future__ import annotations

from typing import Any

import harness
import workloads


def build(torch: Any, a: Any, weights: list[Any]) -> tuple[list[Any], Any, Any]:
    from norse.torch import LIFBoxCell, LIFBoxParameters

    linear, number = torch.nn.functional.linear, torch.as_tensor
    steps_per_tau = 1.0 / (1.0 - workloads.BETA)
    params = [torch.nn.Parameter(w * steps_per_tau) for w in weights]
    setting = LIFBoxParameters(
        tau_mem_inv=number(1000.0 / steps_per_tau), v_th=number(1.0), v_reset=number(0.0), alpha=number(10.0)
    )
    middle, output = LIFBoxCell(p=setting), LIFBoxCell(p=setting)

    def forward(x: Any) -> tuple[Any, Any]:
        s = x.new_zeros(x.shape[1], workloads.sizes(a)[1])
        state = state_out = None
        counts, hidden = 0.0, []
        for now in x:
            current = linear(now, params[0])
            if a.workload == "w2":
                current = current + linear(s, params[1])
            s, state = middle(current, state)
            s_out, state_out = output(linear(s, params[-1]), state_out)
            counts = counts + s_out
            hidden.append(s.detach().sum())
        return torch.stack(hidden), counts

    return params, forward, lambda: None


if __name__ == "__main__":
    harness.require("torch", "norse")
    harness.train(workloads.training_arguments(__doc__), "norse", build)
