// Puts the page together: reads the data, connects view, lanes, chart and panels, and listens to pointer and keys.

const byId = (id) => document.getElementById(id);

class Page {
  constructor(model) {
    const {header} = model;
    useUnitsOf(header);
    this.model = model;
    this.selection = null; // {row, before, after, lane, lanes}: rows, and the lanes that show them
    this.pointer = null;   // the moment under it
    this.view = new View(header.from, header.to, byId("overlay"), () => this.redraw());
    this.lanes = new Lanes(model, byId("content"), () => this.redraw());
    this.chart = new Chart(model, this.lanes, byId("chart"));
    this.overlay = new Overlay(model, this.lanes, byId("overlay"));
    this.overview = new Overview(model, this.chart, byId("overview"), this.view);
    this.memory = new MemoryChart(model, byId("memory"), byId("memory-axis"), byId("memory-rank"));
    this.throughput = new ThroughputChart(model, byId("throughput"), byId("throughput-axis"));
    this.tooltip = new Tooltip(byId("tooltip"));
    this.panel = new Panel(model, byId("panel"), (row) => this.jump(row));
    this.search =
        new Search(model, byId("search"), byId("hits"), (hits) => this.refilter(hits), (row) => this.jump(row));
    makeLegend(model, byId("legend"), this.chart.hidden, () => this.refilter(this.chart.hits));
    byId("figures").textContent = figures(header);
    listen(this);
    new ResizeObserver(() => this.resize()).observe(byId("scroll"));
    this.resize();
  }

  resize() {
    this.view.resize(Math.max(50, byId("scroll").clientWidth - gutterWidth));
    this.redraw();
  }

  // Once per frame, however often it is asked for.
  redraw() {
    if (this.waiting || !this.chart) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  draw() {
    const begin = performance.now();
    const {view} = this, scroll = byId("scroll"), height = scroll.clientHeight;
    this.lanes.labelWhatIsInView();
    const gridlines = drawAxis(view, document.querySelector("#axis g"), byId("axis-unit"));
    this.chart.draw(view.scale, scroll.scrollTop, height, gridlines);
    this.overview.draw(byId("overview-row").clientHeight);
    this.drawPointer();
    this.drawTime = performance.now() - begin; // ms
  }

  // What follows the pointer: light enough for every move.
  drawPointer() {
    const {view} = this, scroll = byId("scroll");
    this.overlay.draw(view.scale, scroll.scrollTop, scroll.clientHeight, this.selection, this.pointer);
    this.memory.draw(view, byId("memory-row").clientHeight, this.pointer);
    this.throughput.draw(view, byId("throughput-row").clientHeight, this.pointer);
  }

  refilter(hits) {
    this.chart.hits = hits;
    this.chart.retrack();
    this.redraw();
  }

  // What is under a point of the chart.
  thing(x, y) {
    const below = y + byId("scroll").scrollTop, bar = this.lanes.barAt(below), {scale} = this.view;
    if (!bar) return null;
    const time = scale.invert(x), tolerance = scale.invert(x + 2) - time;
    const thing = thingAt(this.chart, {bar, y: below, time, tolerance}, this.view.span);
    return thing && {...thing, lane: bar.lane};
  }

  select(row, lane) {
    this.selection = row < 0 ? null : this.selectionOf(row, lane);
    if (this.selection) {
      this.panel.show(this.selection, this.view.span);
      this.memory.choose(lane.rank);
    } else
      this.panel.clear();
    this.redraw();
  }

  selectionOf(row, lane) {
    const before = rowsBefore(this.model, row), after = rowsAfter(this.model, row);
    const shown = [...before.slice(0, longestList), ...after.slice(0, longestList)];
    const lanes = new Map(shown.map((other) => [other, this.lanes.laneOf(other, lane)]));
    return {row, before, after, lane, lanes: lanes.set(row, lane)};
  }

  // Selects a row and moves to where it can be seen, and is wide enough to be.
  jump(row) {
    const {rows} = this.model, near = this.selection ? this.selection.lane : null;
    const lane = this.lanes.laneOf(row, near);
    if (!lane) return;
    this.lanes.reveal(lane);
    const [from, to] = this.view.scale.domain(), {start, end, duration} = rows;
    const tooSmall = duration[row] > 0 && duration[row] / this.view.span < 8 / this.view.width;
    const span = tooSmall ? (duration[row] * this.view.width) / 60 : this.view.span,
          centre = (start[row] + end[row]) / 2;
    if (tooSmall || start[row] < from || end[row] > to) this.view.show(centre - span / 2, centre + span / 2);
    const bar = this.lanes.barOf(lane, row), scroll = byId("scroll");
    if (bar.y < scroll.scrollTop || bar.y + bar.height > scroll.scrollTop + scroll.clientHeight)
      scroll.scrollTop = bar.y - scroll.clientHeight / 2;
    this.select(row, lane);
  }

  // The next or previous task of the selected one's stream; without one, the first in view.
  step(by) {
    const {rows} = this.model;
    if (!this.selection) {
      const lane = this.lanes.all[0], [first, last] = lane.part.rows;
      const row = lowerBound(rows.start, this.view.scale.domain()[0], first, last);
      if (row < last) this.jump(row);
      return;
    }
    const {row, lane} = this.selection, [first, last] = lane.part.rows;
    for (let next = row + by; next >= first && next < last; next += by)
      if (rows.stream[next] === rows.stream[row]) return this.jump(next);
  }
}

const gutterWidth = 168; // as gantt.css has it

function figures({figures: f, unit}) {
  const time = formatTime(f.iteration_time_s * 1e9);
  if (unit === "units") return `${time}  ·  bubble ${percent(f.bubble_fraction + f.exposed_communication_fraction)}`;
  return [
    time,
    formatCount(f.tokens_per_s, " tokens/s"),
    `bubble ${percent(f.bubble_fraction)}`,
    `exposed communication ${percent(f.exposed_communication_fraction)}`,
    `MFU ${percent(f.mfu)}`,
    `${f.world_size.toLocaleString("en")} GPUs`,
  ].join("  ·  ");
}

function listen(page) {
  const {view, lanes} = page, scroll = byId("scroll");
  const on = (id, action) => byId(id).addEventListener("click", action);
  on("zoom-in", () => view.magnify(1.6));
  on("zoom-out", () => view.magnify(1 / 1.6));
  on("reset", () => view.reset());
  on("pan-left", () => view.pan(-0.3));
  on("pan-right", () => view.pan(0.3));
  on("expand", () => lanes.openAll(true));
  on("collapse", () => lanes.openAll(false));
  byId("grouping").addEventListener("change", (event) => lanes.group(event.target.value));
  byId("memory-rank").addEventListener("change", (event) => {
    page.memory.choose(+event.target.value);
    page.redraw();
  });
  scroll.addEventListener("scroll", () => page.redraw());
  listenToKeys(page);
  listenToPointer(page, byId("overlay"));
}

function listenToKeys(page) {
  const {view} = page, keys = {
    ArrowLeft: () => view.pan(-0.15),
    ArrowRight: () => view.pan(0.15),
    "+": () => view.magnify(1.6),
    "=": () => view.magnify(1.6),
    "-": () => view.magnify(1 / 1.6),
    0: () => view.reset(),
    ",": () => page.step(-1),
    ".": () => page.step(1),
    w: () => page.selection && page.selection.before.length > 0 && page.jump(page.selection.before[0]),
    "/": () => byId("search").focus(),
    Escape: () => page.select(-1, null),
  };
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys))
      return;
    event.preventDefault();
    keys[event.key]();
  });
}

function listenToPointer(page, canvas) {
  const {view, tooltip} = page, scroll = byId("scroll");
  let chosenFrom = null; // where a drag with shift began
  canvas.addEventListener("pointermove", (event) => {
    page.pointer = view.scale.invert(event.offsetX);
    if (chosenFrom === null && event.buttons & 1) scroll.scrollTop -= event.movementY; // d3.zoom moves sideways
    const thing = event.buttons ? null : page.thing(event.offsetX, event.offsetY);
    if (thing)
      tooltip.show(thing, event.clientX, event.clientY);
    else
      tooltip.hide();
    canvas.style.cursor = thing && thing.row >= 0 ? "pointer" : "default";
    page.drawPointer();
    if (chosenFrom !== null) page.overlay.shade(chosenFrom, event.offsetX);
  });
  canvas.addEventListener("pointerleave", () => {
    page.pointer = null;
    tooltip.hide();
    page.drawPointer();
  });
  canvas.addEventListener("click", (event) => {
    const thing = event.shiftKey ? null : page.thing(event.offsetX, event.offsetY);
    if (thing) page.select(thing.row, thing.lane);
  });
  canvas.addEventListener("pointerdown", (event) => {
    if (!event.shiftKey || event.button !== 0) return;
    chosenFrom = event.offsetX;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (chosenFrom === null) return;
    const [from, to] = [chosenFrom, event.offsetX].sort((a, b) => a - b);
    chosenFrom = null;
    if (to - from > 3)
      view.show(view.scale.invert(from), view.scale.invert(to));
    else
      page.drawPointer();
  });
  canvas.addEventListener("wheel", (event) => {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!event.shiftKey && !sideways) return; // d3.zoom's
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.shiftKey)
      scroll.scrollTop += event.deltaX || event.deltaY;
    else
      view.pan(event.deltaX / view.width);
  }, {capture: true, passive: false});
}

readModel(JSON.parse(byId("header").textContent), byId("columns").textContent)
    .then((model) => {
      window.moesim = new Page(model); // for the console, and for tests
      document.body.dataset.ready = "yes";
    })
    .catch((error) => {
      byId("panel").textContent = `This page could not be drawn: ${error}`;
      throw error;
    });
