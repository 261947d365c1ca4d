// Which time is shown: one scale for everything on the page, moved by d3.zoom (wheel, drag, touch), keys and buttons.

class View {
  constructor(from, to, canvas, changed) {
    this.from = from;
    this.to = Math.max(to, from + 1);
    this.canvas = d3.select(canvas);
    this.changed = changed;
    this.zoom = d3.zoom().filter((event) => {
      const cause = d3.event || event; // d3 5 has the event in a global, d3 7 passes it
      return !cause.button && !(cause.shiftKey && cause.type !== "dblclick");
    });
    this.zoom.on("zoom", () => {
      this.scale = d3.zoomTransform(canvas).rescaleX(this.whole);
      this.changed();
    });
    this.canvas.call(this.zoom);
    this.resize(1);
  }

  // The part of the time that was shown stays so.
  resize(width) {
    const shown = this.scale ? this.scale.domain() : [this.from, this.to];
    this.width = width;
    this.whole = d3.scaleLinear().domain([this.from, this.to]).range([0, width]);
    const largest = Math.max(1, (20 * (this.to - this.from)) / width); // 1 ns is 20 pixels
    this.zoom.extent([[0, 0], [width, 1]]).scaleExtent([1, largest]).translateExtent([
      [0, -Infinity], [width, Infinity]
    ]);
    this.largest = largest;
    this.show(...shown);
  }

  // Moves, and widens or narrows, to what is possible.
  show(from, to) {
    const total = this.to - this.from;
    const span = Math.min(total, Math.max(to - from, total / this.largest));
    const begin = Math.min(Math.max((from + to - span) / 2, this.from), this.to - span);
    const factor = total / span;
    this.canvas.call(this.zoom.transform, d3.zoomIdentity.translate(-this.whole(begin) * factor, 0).scale(factor));
  }

  reset() {
    this.show(this.from, this.to);
  }
  // By a share of what is shown.
  pan(share) {
    const [from, to] = this.scale.domain(), step = share * (to - from);
    const allowed = Math.min(Math.max(step, this.from - from), this.to - to);
    this.show(from + allowed, to + allowed);
  }
  magnify(factor, centre = d3.mean(this.scale.domain())) {
    const [from, to] = this.scale.domain();
    this.show(centre - (centre - from) / factor, centre + (to - centre) / factor);
  }
  get span() {
    const [from, to] = this.scale.domain();
    return to - from;
  }
}

// Units and digits: of seconds and bytes, or, where a schedule runs by itself, of its units of time and of micro-batches
// whose activations are held (in thousandths, since a chunk holds a share of one).
let timeUnits = [["s", 1e9], ["ms", 1e6], ["us", 1e3], ["ns", 1]];
let amountUnits = [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10], ["B", 1]];

function useUnitsOf({unit}) {
  if (unit !== "units") return;
  timeUnits = [["units", 1e9]];
  amountUnits = [["micro-batches", 1000]];
}

// The largest unit that is not above the size, or the smallest.
const unitFor = (units, size) => units.find(([, factor]) => Math.abs(size) >= factor) || units[units.length - 1];

function formatTime(time) {
  const [unit, size] = unitFor(timeUnits, time);
  return `${+ (time / size).toPrecision(4)} ${unit}`;
}

// A moment, with digits enough to tell apart a thousandth of what is shown.
function formatMoment(time, span) {
  const [unit, size] = unitFor(timeUnits, time);
  const digits = Math.max(0, Math.ceil(Math.log10(size / Math.max(span / 1000, 1))));
  return `${(time / size).toFixed(Math.min(digits, 9))} ${unit}`;
}

function formatAmount(amount) {
  const [unit, size] = unitFor(amountUnits, amount);
  return `${+ (amount / size).toPrecision(4)} ${unit}`;
}

function formatScaled(value, base, units) {
  let unit = 0;
  while (value >= base && unit + 1 < units.length) {
    value /= base;
    ++unit;
  }
  return `${+ value.toPrecision(4)} ${units[unit].trim()}`;
}
const formatBytes = (bytes) => formatScaled(bytes, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
const formatCount = (count, what) =>
    formatScaled(count, 1000, ["", "k", "M", "G", "T", "P", "E"].map((prefix) => prefix + what));

// The axis, in the largest unit in which the view is wide enough to need few digits. Returns where its lines are.
function drawAxis(view, group, unitElement) {
  const [from, to] = view.scale.domain();
  const [unit, size] = unitFor(timeUnits, view.span / 2);
  const scale = d3.scaleLinear().domain([from / size, to / size]).range([0, view.width]);
  const count = Math.max(2, view.width / 110);
  const ticks = scale.ticks(count);
  const whole = ticks.filter((tick) => scale(tick) < view.width - 22); // whose labels are not cut off
  d3.select(group).call(d3.axisTop(scale).ticks(count).tickValues(whole));
  unitElement.textContent = `time, ${unit}`;
  return ticks.map((tick) => Math.round(scale(tick)));
}
