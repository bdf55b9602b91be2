"""W1 and W2 in snnTorch: Leaky or RLeaky in a loop over time, with the input's product before the loop or in it."""

from __future__ import annotations

from typing import Any

import harness
import workloads


def build(torch: Any, a: Any, weights: list[Any]) -> tuple[list[Any], Any, Any]:
    import snntorch

    linear = torch.nn.functional.linear
    _, hidden, n_post = workloads.sizes(a)
    setting = {
        "beta": workloads.BETA, "reset_mechanism": "zero", "spike_grad": snntorch.surrogate.atan(alpha=2.0),
    }  # fmt: skip
    first, last = torch.nn.Parameter(weights[0]), torch.nn.Parameter(weights[-1])
    params = [first, last]
    if a.workload == "w1":
        middle = snntorch.Leaky(**setting)
    else:
        middle = snntorch.RLeaky(linear_features=hidden, all_to_all=True, **setting)
        with torch.no_grad():
            middle.recurrent.weight.copy_(weights[1])
            if middle.recurrent.bias is not None:
                middle.recurrent.bias.zero_()
        params = [first, middle.recurrent.weight, last]
    output = snntorch.Leaky(**setting)

    def forward(x: Any) -> tuple[Any, Any]:
        steps, batch = x.shape[:2]
        current = linear(x, first) if a.variant == "product" else None
        v = s = x.new_zeros(batch, hidden)
        v_out, counts, number = x.new_zeros(batch, n_post), 0.0, []
        for t in range(steps):
            now = linear(x[t], first) if current is None else current[t]
            s, v = middle(now, v) if a.workload == "w1" else middle(now, s, v)
            s_out, v_out = output(linear(s, last), v_out)
            counts = counts + s_out
            number.append(s.detach().sum())
        return torch.stack(number), counts

    return params, forward, lambda: None


if __name__ == "__main__":
    harness.require("torch", "snntorch")
    p = workloads.training_arguments(__doc__)
    p.add_argument("--variant", choices=["product", "step"], default="product", help="one product, or one per step")
    harness.train(p, "snntorch", build)
