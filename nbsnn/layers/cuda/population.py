"""A population on a GPU: a launch for all steps of all units and samples, forward and in reverse.

``record`` is arranged as on the CPU, ``record[k, t]`` being variable k before step t. A state is a view of the place
where a run's last step left it, so it must be copied to outlive the next run on the same tape.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...compile.unroll import plus_items, plus_row, row, store, zeros
from ...device import gpu
from ...device.buffers import Argument, GpuArray, GpuKernel
from ...device.constant_input import ConstantInput
from ...kernels.population.loops import Gradients
from ..layer import Array, Nested, Start
from ..population_tape import PopulationTape
from .learned import LearnedOnGpu
from .low_pass import LowPassOnGpu, leaky_sums


class HeldStart(Start):
    """As ``Start``, with all variables as lines of one array [V, 1, lanes]."""

    source: GpuArray
    step = 0


class Held(dict[str, Any]):
    """A state whose variables stand in ``source`` [V, steps, lanes] at ``step``."""

    source: GpuArray
    step: int


class CudaPopulation(LearnedOnGpu):
    """Neurons of one model."""

    def start(self, batch: int, first: Array) -> Start:
        """As ``Population.start``; nobody may write into these arrays."""
        layer, key = self.layer, ("initial", batch)
        fixed = not layer.start_learned
        if fixed and key in self.cache:
            return self.cache[key]
        values = {**layer.starts, layer.neuron.output: first}
        block = gpu.empty((len(layer.variables), batch, *layer.shape), self.dtype)
        lines = [block[k] for k in range(len(layer.variables))]
        for line, name in zip(lines, layer.variables, strict=True):
            units = np.broadcast_to(values[name], layer.shape)
            if units.min() == units.max():
                gpu.fill(line, units.flat[0])
            else:
                gpu.launch(
                    "arrays.elementwise_cuda",
                    "repeat",
                    self.dtype,
                    line.size,
                    gpu.put(units.reshape(-1)),
                    gpu.flat(line),
                )
        start = HeldStart(zip(layer.variables, lines, strict=True))
        start.source = block.reshape(len(layer.variables), 1, batch * layer.units)
        if fixed:
            self.cache[key] = start
        return start

    def begin(self, x: GpuArray, state: Nested, tape: Nested) -> PopulationTape:
        """See ``Population.begin``."""
        layer, (steps, batch) = self.layer, x.shape[:2]
        lanes = batch * layer.units
        shape = (len(layer.variables), steps + 1, batch, layer.units)
        room = tape.setdefault("/room", {})
        record = gpu.buffer(room, "record", shape, self.dtype)
        lines = record.reshape(len(layer.variables), steps + 1, lanes)
        if isinstance(state, (HeldStart, Held)):
            gpu.launch(
                "population.record_cuda",
                "enter",
                self.dtype,
                len(layer.variables) * lanes,
                state.source,
                state.step,
                lines,
            )
        else:
            for k, name in enumerate(layer.variables):
                gpu.copy(state[name], lines[k, 0])
        x = x.array if isinstance(x, ConstantInput) else x
        given: Any = x.reshape(len(x), batch, layer.units)
        run = tape["run"] = PopulationTape(record, given, self.table(), isinstance(state, Start), room)
        return run

    def advance(self, run: PopulationTape, t0: int, t1: int) -> None:
        """Run steps [t0, t1)."""
        arrays = run.x, run.params, self.states(run.record), run.record[0]
        self._start_kernel(self.made("forward", "population.loops_cuda"), t0, t1, *arrays)

    def final(self, run: PopulationTape) -> Nested:
        """The state after the last step, where the run left it."""
        record: Any = run.record
        layer = self.layer
        variables, steps, batch, units = record.shape
        shape = (batch, *layer.shape)
        final = Held((name, record[k, steps - 1].reshape(shape)) for k, name in enumerate(layer.variables))
        final.source, final.step = record.reshape(variables, steps, batch * units), steps - 1
        return final

    def states(self, record: Any) -> Any:
        """The states in a record, without the output; one empty line if there are none."""
        return record[1:] if len(record) > 1 else gpu.empty((0, 1, 1, 1), self.dtype)

    def retreat_within(self, gy: Any, run: PopulationTape) -> Gradients:
        """See ``Population.retreat_within``."""
        gy = gy.reshape(len(gy), gy.shape[1], self.layer.units)
        gS, gP = self._sums(run.room, gy.shape[1])
        back = Gradients(gy, gS, gy, gP)
        arrays = run.x, run.params, self.states(run.record), gy, back.gS, back.gP
        self._start_kernel(self.made_reverse("within", "population.loops_cuda", None), 0, len(gy), *arrays)
        return back

    def traced(self, output: Any, run: PopulationTape, before: Any) -> tuple[Any, Any]:
        """See ``Population.traced``."""
        layer = self.layer
        place = list(layer.values).index(layer.neuron.leak) if layer.neuron.leak else None
        leak = np.ones(1, self.dtype) if place is None else layer.step_parameters()[place]
        if len(output) > 1 and np.ptp(leak) == 0.0:
            window = LowPassOnGpu(output, float(leak.flat[0]), before, "cuda")
            return window, window.after()
        return leaky_sums(output, gpu.put(leak), before)

    def begin_reverse(
        self, gy: Any, run: PopulationTape, after: Nested | None, inject: Nested | None
    ) -> tuple[Any, Gradients]:
        """See ``Population.begin_reverse``."""
        layer, (steps, batch), output = self.layer, gy.shape[:2], self.layer.neuron.output
        after, inject, lanes = after or {}, dict(inject or {}), (batch, layer.units)
        for name in inject:
            if name not in layer.variables:
                raise KeyError(f"the loss's gradient names {name!r}, but this {layer.kind} has {layer.variables}")
        if output in inject or output in after:
            own = gpu.buffer(run.room, "gy", (steps, *lanes), self.dtype)
            gpu.copy(gy, own)
            if output in inject:
                gpu.add(inject.pop(output), own)
            if output in after:
                gpu.add(after[output], own[steps - 1])
            gy = own
        gS, gP = self._sums(run.room, batch)
        for k, name in enumerate(layer.neuron.state):
            if name in after:
                gpu.copy(after[name], gS[k])
        gV = gpu.buffer(run.room, "gV", (len(layer.neuron.state), steps if inject else 0, *lanes), self.dtype)
        if inject:
            gpu.fill(gV, 0)
        for name, g in inject.items():
            gpu.add(g, gV[list(layer.neuron.state).index(name)])
        gx = gpu.buffer(run.room, "gx", (len(run.x), *lanes), self.dtype)
        if len(gx) < steps:
            gpu.fill(gx, 0)
        return gy.reshape(steps, *lanes), Gradients(gV, gS, gx, gP)

    def retreat(self, gy: GpuArray, run: PopulationTape, back: Gradients, t0: int, t1: int) -> None:
        """Run the reverse of steps [t0, t1)."""
        second, static = ("t, b, n" if back.gV.shape[1] else None), int(len(back.gx) < len(gy))
        compiled = self.made_reverse("backward", "population.loops_cuda", second, STATIC=static)
        self._start_kernel(compiled, t0, t1, run.x, run.params, self.states(run.record), gy, back)

    def before(self, gS: GpuArray) -> Nested:
        """Gradient of the loss with respect to the initial state, where the backward pass left it."""
        shape = (gS.shape[1], *self.layer.shape)
        return {name: gS[k].reshape(*shape) for k, name in enumerate(self.layer.neuron.state)}

    def _start_kernel(self, compiled: GpuKernel, t0: int, t1: int, x: Array, *arrays: Argument) -> None:
        batch, units = x.shape[1], self.layer.units
        gpu.start(compiled, batch * units, t0, t1, 0, batch, 0, units, x, *arrays)

    def made(self, loop: str, module: str, **constants: int | None) -> Any:
        """A loop forward, of ``kernels.<module>``."""
        layer = self.layer
        return self._made(loop, module, step=layer._step, keep=store(layer._places, "t, b, n"), **constants)

    def made_reverse(self, loop: str, module: str, second: str | None, **constants: int | None) -> Any:
        """A backward loop; ``second`` says where the loss's own gradient of states is, if there is one."""
        model, states = self.layer.neuron, len(self.layer.neuron.state)
        if model.vjp is None:
            raise ValueError(f"{model!r} has no vjp: it can be simulated, but no gradient flows through it")
        learned = tuple(1 + states + list(model.params).index(name) for name in model.trained)
        holes: dict[str, Any] = {
            "carried": row(states, "b, n"),
            "learned": row(len(learned), "b, n"),
            "more": plus_items(learned),
            "carry": store(tuple(range(states)), "b, n"),
            "learn": store(tuple(range(len(learned))), "b, n"),
            "cotangent": zeros(states, "t, b, n") if loop == "within" else plus_row(states, second, "t, b, n"),
        }
        return self._made(loop, module, vjp=model.vjp, **holes, **constants)

    def _made(self, loop: str, module: str, **filling: Any) -> Any:
        key = (module, loop, *sorted(filling.items(), key=lambda item: item[0]))
        if key not in self.cache:
            model = self.layer.neuron
            filling |= model.filling(self.layer.setting.smooth)
            filling |= {"state": row(len(model.state), "t, b, n"), "param": row(len(model.params), "n")}
            filling["END"] = 1 + len(model.state)
            self.cache[key] = gpu.compiled(module, loop, self.dtype, **filling)
        return self.cache[key]
