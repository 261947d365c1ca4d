// The series below the lanes, on the same time: memory of a rank by category, and tokens per second of the job.

// In the order of the record's categories. What stays is blue-grey, what comes and goes has a colour; neighbours differ
// in how light they are, and none is the colour of a pass.
const memoryColours =
    ["#62748A", "#9DB2C6", "#D3DAE1", "#E8B84A", "#B79AC8", "#D9824A", "#8C8C8C", "#F0E4A0", "#333333"];

const blockSize = 64; // rows
const headroom = 1.3; // for the legend above the fullest moment

class MemoryChart {
  constructor(model, canvas, axis, select) {
    Object.assign(this, {model, canvas, context: canvas.getContext("2d"), axis, select});
    this.categories = model.header.memory.map(
        (name, i) => ({name, bytes: model.memory.bytes[i], colour: memoryColours[i % memoryColours.length]}));
    for (const {rank} of model.header.lanes) select.append(new Option(`rank ${rank}`, rank));
    this.choose(+select.value);
  }

  choose(rank) {
    this.select.value = rank;
    const lane = this.model.header.lanes.find((one) => one.rank === rank);
    const [first, last] = this.model.ranks.get(lane.representative).memory;
    const used = this.categories.map((category) => ({...category, bytes: category.bytes.subarray(first, last)}))
                     .filter(({bytes}) => bytes.some((amount) => amount > 0));
    this.used = used;
    this.times = this.model.memory.time.subarray(first, last);
    this.totals = Float64Array.from(this.times, (_, i) => used.reduce((sum, {bytes}) => sum + bytes[i], 0));
    this.most = d3.max(this.totals) || 1;
    this.fullestOfBlock = Uint32Array.from({length: Math.floor((last - first) / blockSize)},
                                           (_, k) => this.fullestOf(k * blockSize, (k + 1) * blockSize - 1));
  }

  // The row that holds at a time; -1 before the first.
  at(time) {
    return lowerBound(this.times, time + 1) - 1;
  }

  // The row from `first` to `last` with the most bytes. Whole blocks have been looked at once and for all.
  fullest(first, last) {
    const block = Math.ceil(first / blockSize), end = Math.floor(last / blockSize);
    if (block >= end) return this.fullestOf(first, last);
    let best = this.fullestOf(first, block * blockSize);
    for (let k = block; k < end; ++k)
      if (this.totals[this.fullestOfBlock[k]] > this.totals[best]) best = this.fullestOfBlock[k];
    const rest = this.fullestOf(end * blockSize, last);
    return this.totals[rest] > this.totals[best] ? rest : best;
  }
  fullestOf(first, last) {
    let best = first;
    for (let i = first + 1; i <= last; ++i)
      if (this.totals[i] > this.totals[best]) best = i;
    return best;
  }

  // Of the changes in a pixel the fullest is drawn: peaks do not depend on the zoom.
  draw(view, height, pointer) {
    const {context, times} = this, {scale, width} = view;
    const y = this.scale(height);
    fitCanvas(this.canvas, context, width, height);
    context.clearRect(0, 0, width, height);
    const columns = this.used.map(() => []);
    for (let x = 0, row = this.at(scale.invert(0)); x < width; ++x) {
      const next = Math.max(row, lowerBound(times, scale.invert(x + 1), Math.max(row, 0)) - 1);
      const fullest = next < 0 ? -1 : this.fullest(Math.max(row, 0), next);
      row = next;
      if (fullest >= 0) this.used.forEach(({bytes}, k) => columns[k].push([x, bytes[fullest]]));
    }
    const floor = new Float64Array(width + 1);
    this.used.forEach(({colour}, k) => {
      context.fillStyle = colour;
      for (const [x, amount] of columns[k]) {
        const bottom = y(floor[x]), ceiling = y((floor[x] += amount));
        context.fillRect(x, ceiling, 1, bottom - ceiling);
      }
    });
    drawPointer(context, scale, pointer, height);
    this.write(pointer);
  }

  scale(height) {
    const y = d3.scaleLinear().domain([0, this.most * headroom]).range([height - 1, 2]);
    const [unit, size] = unitFor(amountUnits, this.most);
    const shown = d3.scaleLinear().domain([0, (this.most * headroom) / size]).range(y.range());
    d3.select(this.axis).call(
        d3.axisLeft(shown).ticks(3).tickFormat((tick) => (tick > 0 ? `${tick} ${unit.length < 4 ? unit : ""}` : "")));
    return y;
  }

  // Names and amounts in the chart's corner: at the pointer, or else at the peak.
  write(pointer) {
    const {context} = this, peak = this.totals.indexOf(this.most);
    const row = pointer === null ? peak : this.at(pointer);
    if (row < 0) return;
    const entries = [...this.used]
                        .reverse()
                        .filter(({bytes}) => bytes[row] > 0)
                        .map(({name, bytes, colour}) => [`${name} ${formatAmount(bytes[row])}`, colour]);
    writeLegend(context,
                [[`${pointer === null ? "peak" : "now"} ${formatAmount(this.totals[row])}`, null], ...entries]);
  }
}

class ThroughputChart {
  constructor(model, canvas, axis) {
    const {time, tokens_per_s} = model.header.throughput;
    Object.assign(
        this, {canvas, context: canvas.getContext("2d"), axis, ends: time.map((s) => s * 1e9), rates: tokens_per_s});
    this.most = d3.max(tokens_per_s) || 1;
  }

  // A rate holds from the end of the slice before to the end of its own.
  draw(view, height, pointer) {
    const {context, ends, rates} = this, {scale, width} = view;
    const y = d3.scaleLinear().domain([0, this.most * headroom]).range([height - 1, 2]);
    d3.select(this.axis).call(d3.axisLeft(y).ticks(2).tickFormat((tick) => (tick > 0 ? d3.format("~s")(tick) : "")));
    fitCanvas(this.canvas, context, width, height);
    context.clearRect(0, 0, width, height);
    context.fillStyle = "#7AA6C2";
    for (let i = 0; i < rates.length; ++i) {
      const left = Math.max(0, Math.round(scale(i > 0 ? ends[i - 1] : 0))),
            right = Math.min(width, Math.round(scale(ends[i])));
      if (right > left) context.fillRect(left, y(rates[i]), right - left, y(0) - y(rates[i]));
    }
    drawPointer(context, scale, pointer, height);
    const slice = pointer === null ? -1 : lowerBound(ends, pointer);
    if (slice >= 0 && slice < rates.length)
      writeLegend(context, [[`now ${formatCount(rates[slice], " tokens/s")}`, null]]);
  }
}

function drawPointer(context, scale, pointer, height) {
  if (pointer === null) return;
  context.fillStyle = "rgba(0,0,0,.35)";
  context.fillRect(Math.round(scale(pointer)), 0, 1, height);
}

function writeLegend(context, entries) {
  context.font = "11px Helvetica, Arial, 'DejaVu Sans', sans-serif";
  context.textBaseline = "middle";
  context.textAlign = "left";
  let x = 6;
  const widths = entries.map(([text, colour]) => context.measureText(text).width + (colour ? 28 : 14));
  context.fillStyle = "rgba(255,255,255,.85)";
  context.fillRect(2, 2, d3.sum(widths) + 4, 17);
  entries.forEach(([text, colour], i) => {
    if (colour) {
      context.fillStyle = colour;
      context.fillRect(x, 6, 10, 9);
    }
    context.fillStyle = "#222";
    context.fillText(text, x + (colour ? 14 : 0), 11);
    x += widths[i];
  });
}

// The whole time in a few lines, with a frame around what is shown; a drag moves the frame.
class Overview {
  constructor(model, chart, canvas, view) {
    Object.assign(this, {chart, canvas, context: canvas.getContext("2d"), view});
    const lanes = chart.lanes.all, step = Math.max(1, Math.ceil(lanes.length / 8));
    this.shown = lanes.filter((_, i) => i % step === 0);
    const move = (event) => {
      const centre = view.whole.invert(event.offsetX), half = view.span / 2;
      view.show(centre - half, centre + half);
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      move(event);
    });
    canvas.addEventListener("pointermove", (event) => event.buttons & 1 && move(event));
  }

  draw(height) {
    const {context, view} = this;
    fitCanvas(this.canvas, context, view.width, height);
    context.clearRect(0, 0, view.width, height);
    this.painter(height).paint(context);
    const [left, right] = view.scale.domain().map((time) => view.whole(time));
    context.fillStyle = "rgba(255,255,255,.72)";
    context.fillRect(0, 0, left, height);
    context.fillRect(right, 0, view.width - right, height);
    context.strokeStyle = "#111";
    context.lineWidth = 2;
    context.strokeRect(Math.min(left + 1, view.width - 3), 1, Math.max(2, right - left - 2), height - 2);
  }

  // The passes, collected again only when they have changed.
  painter(height) {
    const {view, chart} = this, each = (height - 2) / this.shown.length;
    if (this.collected && this.collected.tracks === chart.tracks && this.collected.whole === view.whole)
      return this.collected.painter;
    const painter = new Painter(view.whole);
    this.shown.forEach((lane, i) => {
      const bar = {kind: "passes", lane, y: Math.round(1 + i * each), height: Math.max(1, Math.round(each) - 1)};
      const {passes, lower} = chart.tracks(lane.part);
      for (const track of [passes, lower])
        track.visit(view.whole, (pass, start, end, share) => {
          const {category, chunk, half} = chart.model.passes, {y, height} = halfOf(bar, half[pass]);
          painter.add(start, end, y, height, passColour(chart.model.header, category[pass], chunk[pass]), share);
        });
    });
    this.collected = {painter, tracks: chart.tracks, whole: view.whole};
    return painter;
  }
}
