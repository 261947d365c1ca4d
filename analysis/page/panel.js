// Says what is under the pointer (tooltip) and what is selected (panel), and draws the selection over the chart.

function factList(facts) {
  const list = element("dl");
  for (const [what, value] of facts) list.append(element("dt", "", what), element("dd", "", value));
  return list;
}

class Tooltip {
  constructor(node) {
    this.node = node;
  }
  show(thing, x, y) {
    this.node.replaceChildren(element("strong", "", thing.title), factList(thing.facts));
    this.node.hidden = false;
    const {width, height} = this.node.getBoundingClientRect();
    this.node.style.left = `${Math.max(4, x + 16 + width > innerWidth ? x - width - 12 : x + 16)}px`;
    this.node.style.top = `${Math.max(4, y + 18 + height > innerHeight ? y - height - 12 : y + 18)}px`;
  }
  hide() {
    this.node.hidden = true;
  }
}

const longestList = 100; // entries; collectives of large groups wait for many

class Panel {
  // jump(row) selects a row that an entry stands for and goes there.
  constructor(model, node, jump) {
    Object.assign(this, {model, node, jump});
    this.clear();
  }

  clear() {
    this.node.replaceChildren(
        element("h2", "", "Nothing selected"),
        element("p", "", "Click a task, a pass or a bubble to see what it waited for and what waited for it."),
        ...this.bubbles());
  }

  // Where the idle time of each stage, and of an average rank, comes from.
  bubbles() {
    const {bubble_causes: causes, makespan} = this.model.header;
    if (causes.length === 0 || makespan === 0) return [];
    const share = (time) => (time > 0 ? ((100 * time) / makespan).toFixed(1) : "–");
    const table = element("table", "causes"), head = element("tr");
    head.append(element("th", "", "stage"), ...causes.map(({label}) => element("th", "", label)));
    table.append(head);
    const add = (name, times) => {
      const line = element("tr");
      line.append(element("th", "", name), ...times.map((time) => element("td", "", share(time))));
      line.title = times.map((time, i) => `${causes[i].label}: ${formatTime(time)}`).join("\n");
      table.append(line);
    };
    causes[0].stages.slice(0, longestList).forEach((_, i) => add(`${i}`, causes.map(({stages}) => stages[i])));
    add("mean", causes.map(({mean}) => mean));
    return [element("h3", "", "Bubbles by cause, % of the time"), table];
  }

  show({row, before, after, lanes}, span) {
    const {model} = this;
    const unlisted = model.tasks.unlisted[model.rows.task[row]];
    const note =
        unlisted > 0 ? `and ${unlisted} on ranks, or at times, that this page leaves out; they ended no later` : "";
    this.node.replaceChildren(
        element("h2", "", rowName(model, row)),
        factList(factsOfRow(model, row, lanes.get(row), span)),
        element("h3", "before", `waited for ${before.length}`),
        this.list(before, lanes, note,
                  (other, i) =>
                      (i === 0 ? "the last to end"
                               : `ended ${formatTime(model.rows.end[before[0]] - model.rows.end[other])} earlier`)),
        element("h3", "after", `waiting for it ${after.length}`),
        this.list(after, lanes, "",
                  (other) => (model.rows.start[other] > model.rows.end[row]
                                  ? `started ${formatTime(model.rows.start[other] - model.rows.end[row])} later`
                                  : "started at once")),
    );
  }

  list(rows, lanes, note, remark) {
    const {model} = this, list = element("ul");
    rows.slice(0, longestList).forEach((row, i) => {
      const entry = element("button", "entry"), swatch = element("i");
      swatch.style.background = model.header.categories[model.rows.category[row]].colour;
      entry.append(swatch, element("b", "", rowName(model, row)), element("span", "", `${placeInModel(model, row)}`),
                   element("span", "", `${placeInJob(model, row, lanes.get(row))}; ${remark(row, i)}`));
      entry.disabled = !lanes.get(row);
      if (entry.disabled)
        entry.title = "not among the ranks and times of this page";
      else
        entry.onclick = () => this.jump(row);
      list.append(element("li"));
      list.lastChild.append(entry);
    });
    if (rows.length > longestList) list.append(element("li", "note", `and ${rows.length - longestList} more`));
    if (note) list.append(element("li", "note", note));
    return list;
  }
}

// The selected task, what it waited for (full lines) and what waits for it (dashed lines), and the pointer's moment.
class Overlay {
  constructor(model, lanes, canvas) {
    Object.assign(this, {model, lanes, canvas, context: canvas.getContext("2d")});
  }

  draw(scale, top, height, selection, pointer) {
    const {context, canvas} = this;
    fitCanvas(canvas, context, scale.range()[1], height);
    context.clearRect(0, 0, canvas.width, height);
    if (pointer !== null) {
      context.fillStyle = "rgba(0,0,0,.35)";
      context.fillRect(Math.round(scale(pointer)), 0, 1, height);
    }
    if (!selection) return;
    context.save();
    context.translate(0, -top);
    const box = (row) => this.box(scale, row, selection.lanes.get(row));
    const own = box(selection.row);
    for (const [rows, dash] of [[selection.before, []], [selection.after, [5, 3]]])
      for (const other of rows.slice(0, longestList)) {
        const at = box(other);
        if (!at || !own) continue;
        this.outline(at, 1.5, "#111", dash);
        if (dash.length === 0)
          this.connect(at, own, dash);
        else
          this.connect(own, at, dash);
      }
    if (own) {
      this.outline(own, 4, "#fff", []);
      this.outline(own, 2.5, "#111", []);
    }
    context.restore();
  }

  // The range that a drag has chosen so far.
  shade(x1, x2) {
    this.context.fillStyle = "rgba(0,114,178,.18)";
    this.context.fillRect(Math.min(x1, x2), 0, Math.abs(x2 - x1), this.canvas.height);
  }

  box(scale, row, lane) {
    const bar = lane && this.lanes.barOf(lane, row);
    if (!bar) return null;
    const x = scale(this.model.rows.start[row]);
    return {x, y: bar.y, width: Math.max(2, scale(this.model.rows.end[row]) - x), height: bar.height};
  }
  outline({x, y, width, height}, thickness, colour, dash) {
    const {context} = this;
    context.setLineDash(dash);
    context.strokeStyle = colour;
    context.lineWidth = thickness;
    context.strokeRect(x - 0.5, y - 0.5, width + 1, height + 1);
  }
  connect(from, to, dash) {
    const {context} = this;
    const x1 = from.x + from.width, y1 = from.y + from.height / 2, x2 = to.x, y2 = to.y + to.height / 2;
    if (y1 === y2 && Math.abs(x2 - x1) < 2) return; // neighbours in a stream
    const bend = Math.max(14, Math.abs(x2 - x1) / 2);
    const sag = y1 === y2 ? from.height : 0; // below the blocks between two of a lane
    context.setLineDash(dash);
    context.strokeStyle = "#111";
    context.lineWidth = 1.4;
    context.beginPath();
    context.moveTo(x1, y1);
    context.bezierCurveTo(x1 + bend, y1 + sag, x2 - bend, y2 + sag, x2, y2);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = "#111";
    context.beginPath();
    context.moveTo(x2 + 1, y2);
    context.lineTo(x2 - 6, y2 - 3.5);
    context.lineTo(x2 - 6, y2 + 3.5);
    context.fill();
  }
}
