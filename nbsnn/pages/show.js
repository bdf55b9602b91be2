// The unit of the picked row: its traces, its spikes, and in words what is the matter with it.
const of = rows.data, asked = picked.data.row[0], p = of.population[asked]
let row = -1
for (const [i, q] of of.population.entries()) {
  if (q == p && of.trace[i] >= 0 && (row < 0 || Math.abs(i - asked) < Math.abs(row - asked))) row = i
}
const known = row >= 0, unit = of.unit[known ? row : asked], first = known ? of.trace[row] * steps : 0
const data = {time: shown.data.time}
for (const name of Object.keys(shown.data)) {
  if (name in store.data) {
    data[name] = known ? store.data[name].slice(first, first + steps) : new Float32Array(steps).fill(NaN)
  }
}
for (const name of Object.keys(shown.data)) {
  const edge = name.match(/^(low|high)(\d)$/)
  if (edge) {
    const pair = windows[p][Number(edge[2])]
    const away = pair ? pair[edge[1] == "low" ? 0 : 1] : NaN
    data[name] = data.threshold.map((v) => v + away)
  }
}
shown.data = data
const spikes = sources[p].data, at = []
for (let i = 0; i < spikes.unit.length; i++) if (spikes.unit[i] == unit) at.push(spikes.time[i])
strokes.data = {time: at}
spiked.visible = at.length > 0
mark.top = (known ? row : asked) - 0.5
mark.bottom = (known ? row : asked) + 0.5
for (const [k, item] of legends.entries()) {
  const name = inputs[p][k]
  item.label = {value: name ?? ""}
  item.visible = name != null
}

const share = (x) => (x < 0.0995 ? (100 * x).toPrecision(1) : (100 * x).toFixed(0)) + " %"
const short = (x) => String(Number(x.toPrecision(3)))
const said = []
if (!known) said.push("No membrane of this population is on this page.")
else if (row != asked) said.push(`Unit ${of.unit[asked]}, which you clicked, has no membrane on this page; this is the nearest that has.`)
const rate = of.rate[known ? row : asked]
if (clock == "ms") {
  if (Number.isFinite(rate)) said.push(rate ? `${at.length} spike${at.length === 1 ? "" : "s"}, ${short(rate)} Hz.` : "It never spikes.")
} else if (Number.isFinite(rate)) {
  const here = `${at.length} spike${at.length == 1 ? "" : "s"} in this sample`
  if (of.silent[row]) said.push("<b>Silent</b>: it never spikes in the whole batch.")
  else if (of.saturated[row]) said.push(`<b>Saturated</b>: it spikes in ${share(rate)} of all steps of the batch; ${here}.`)
  else said.push(`${here}; ${short(rate)} per step in the batch.`)
}
if (known && clock == "step" && Number.isFinite(rate)) {
  let near = -Infinity, slope = 0, counted = 0, arrives = 0, passes = 0
  for (let t = 0; t < steps; t++) {
    const u = data.membrane[t] - data.threshold[t]
    if (u > near) near = u
    if (Number.isFinite(data.slope[t])) [slope, counted] = [slope + Math.abs(data.slope[t]), counted + 1]
    if ("error" in data) [arrives, passes] = [arrives + Math.abs(data.error[t]), passes + Math.abs(data.passed[t])]
  }
  if (!at.length && Number.isFinite(near)) said.push(`Its membrane stays ${short(-near)} below the threshold.`)
  if (counted) said.push(`The surrogate's slope is ${share(slope / counted)} of its peak on average.`)
  if ("error" in data && Number.isFinite(arrives)) {
    if (arrives == 0) said.push("No error arrives: what follows this unit passes nothing back.")
    else if (passes < 0.01 * arrives) said.push("<b>Almost no error passes</b>: its membrane lies outside the surrogate's window, so its weights hardly change.")
    else said.push(`The error at its input is ${share(passes / arrives)} of what arrives at its spikes.`)
  }
}
info.text = `<b>${names[p]}, unit ${unit}</b> &nbsp; <span style="color:#666">${models[p]}</span><br>${said.join(" ")}`
if (known && choose.value != String(row)) choose.value = String(row)
