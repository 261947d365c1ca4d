// Tracks: pieces of time in order, one after the other, such as the tasks of a stream. However many there are, a track
// is asked for no more pieces than pixels.

class Track {
  // `indices` are rows of `table` by start; neighbours do not overlap.
  constructor(table, indices) {
    this.table = table;
    this.indices = indices;
    this.starts = Float64Array.from(indices, (i) => table.start[i]);
    this.ends = Float64Array.from(indices, (i) => table.end[i]);
    this.busy = new Float64Array(indices.length + 1); // time that the pieces before this one take
    for (let k = 0; k < indices.length; ++k) this.busy[k + 1] = this.busy[k] + this.ends[k] - this.starts[k];
  }

  // Calls visit(index, start, end, share) for what a scale shows. A piece of a pixel or more comes as it is. Smaller
  // ones that begin in the same pixel come as one: `share` is the part of the pixel that they take, `index` one of
  // them, drawn with a chance that is its share of their time. Pixels are counted from time 0, and chance depends on
  // the pixel only: nothing flickers when the view moves.
  visit(scale, visit) {
    const [from, to] = scale.domain(), [left, right] = scale.range();
    const pixel = (to - from) / (right - left);
    const {indices, starts, ends, busy} = this;
    for (let k = lowerBound(ends, from), next; k < indices.length && starts[k] <= to; k = next) {
      next = k + 1;
      if (ends[k] - starts[k] >= pixel) {
        visit(indices[k], starts[k], ends[k], 1);
        continue;
      }
      const cell = Math.floor(starts[k] / pixel), cellEnd = (cell + 1) * pixel;
      next = Math.max(next, this.firstFrom(cellEnd, k));
      if (next - 1 > k && ends[next - 1] - starts[next - 1] >= pixel) --next;
      const time = busy[next] - busy[k];
      const chosen =
          next === k + 1
              ? k
              : Math.min(next - 1, Math.max(k, lowerBound(busy, busy[k] + chance(cell) * time, k + 1, next) - 1));
      visit(indices[chosen], cell * pixel, cellEnd, Math.min(1, time / pixel));
    }
  }

  // The first piece that starts at `time` or later. Looks near `k` first: most pixels hold few pieces.
  firstFrom(time, k) {
    let step = 1;
    while (k + step < this.starts.length && this.starts[k + step] < time) step *= 2;
    return lowerBound(this.starts, time, k + (step >> 1), Math.min(k + step, this.starts.length));
  }

  // The piece at a time, or the nearest one within `tolerance`; -1 when there is none.
  at(time, tolerance) {
    const k = lowerBound(this.ends, time);
    let best = -1, distance = tolerance;
    for (let i = Math.max(0, k - 1); i < Math.min(this.starts.length, k + 2); ++i) {
      const away = Math.max(0, this.starts[i] - time, time - this.ends[i]);
      if (away < distance || (away === 0 && best < 0)) {
        best = i;
        distance = away;
      }
    }
    return best < 0 ? -1 : this.indices[best];
  }
}

// A number in [0, 1) that looks random and depends on an integer only.
function chance(integer) {
  const product = integer * 0.6180339887498949; // the golden ratio spreads successive integers evenly
  return product - Math.floor(product);
}

function indicesWhere([first, last], keep) {
  const kept = [];
  for (let i = first; i < last; ++i)
    if (keep(i)) kept.push(i);
  return Uint32Array.from(kept);
}

// The tracks of a rank. keep(table, i) says what is shown.
function tracksOf(model, part, keep) {
  const {rows, passes, stretches, bubbles, header} = model;
  const byStream = header.streams.map(() => []);
  for (let row = part.rows[0]; row < part.rows[1]; ++row)
    if (keep(rows, row)) byStream[rows.stream[row]].push(row);
  return {
    passes: new Track(passes, indicesWhere(part.passes, (i) => passes.half[i] < 2 && keep(passes, i))),
    lower: new Track(passes, indicesWhere(part.passes, (i) => passes.half[i] === 2 && keep(passes, i))),
    strip: new Track(stretches, indicesWhere(part.stretches, (i) => keep(stretches, i))),
    bubbles: new Track(bubbles, indicesWhere(part.bubbles, (i) => keep(bubbles, i))),
    streams: byStream.map((list) => new Track(rows, Uint32Array.from(list))),
  };
}
