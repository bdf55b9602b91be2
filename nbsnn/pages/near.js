// A click: the spike that is nearest to it, if one is near, else the row.
const [x, y] = [cb_obj.x, cb_obj.y]
const across = made.inner_width / Math.abs(made.x_range.end - made.x_range.start)
const down = made.inner_height / Math.abs(made.y_range.end - made.y_range.start)
let row = Math.round(y), nearest = 12 * 12  // pixels, squared
for (const {data} of sources) {
  for (let i = 0; i < data.time.length; i++) {
    const far = ((data.time[i] - x) * across) ** 2 + ((data.row[i] - y) * down) ** 2
    if (far < nearest) {
      nearest = far
      row = data.row[i]
    }
  }
}
row = Math.max(0, Math.min(rows.data.row.length - 1, row))
picked.data = {row: [row]}
