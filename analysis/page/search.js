// Finds tasks by words and numbers, and filters them by kind.

// "attention mb:3 layer:5" as a test of rows: words are parts of the name, kind, stream or phase; all must hold.
function parseQuery(model, query) {
  const {rows, header} = model;
  const numbers =
      {mb: rows.micro_batch, "micro-batch": rows.micro_batch, layer: rows.layer, chunk: rows.chunk, rank: rows.rank};
  const tests = query.toLowerCase().split(/\s+/).filter(Boolean).map((term) => {
    const [, field, value] = term.match(/^([\w-]+):(\d+)$/) || [];
    if (field === "stage") return (row) => header.stages[rows.rank[row]] === +value;
    if (field in numbers) return (row) => numbers[field][row] === +value;
    const columns = [
      [header.names, rows.name], [header.kinds, rows.kind], [header.streams, rows.stream], [header.phases, rows.phase]
    ];
    const found = columns.map(([words, column]) => [words.map((word) => word.includes(term)), column]);
    return (row) => found.some(([holds, column]) => holds[column[row]]);
  });
  return (row) => tests.every((test) => test(row));
}

// Steps through the hits in the order of the lanes, then of time.
class Search {
  // found(hits or null) when the hits change; jump(row) to go to one.
  constructor(model, input, output, found, jump) {
    Object.assign(this, {model, input, output, found, jump});
    input.addEventListener("input", () => this.find());
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.step(event.shiftKey ? -1 : 1);
      if (event.key === "Escape") this.clear();
    });
  }

  find() {
    const query = this.input.value.trim(), {shown} = this.model.rows;
    this.position = -1;
    this.hits = [];
    if (!query) {
      this.output.textContent = "";
      this.found(null);
      return;
    }
    const holds = parseQuery(this.model, query), marks = new Uint8Array(shown);
    for (let row = 0; row < shown; ++row)
      if (holds(row)) {
        marks[row] = 1;
        this.hits.push(row);
      }
    this.report();
    this.found(marks);
  }
  step(by) {
    if (!this.hits || this.hits.length === 0) return;
    this.position =
        this.position < 0 && by < 0 ? this.hits.length - 1 : (this.position + by + this.hits.length) % this.hits.length;
    this.report();
    this.jump(this.hits[this.position]);
  }
  report() {
    const count = this.hits.length.toLocaleString("en");
    this.output.textContent =
        this.position < 0 ? `${count} found` : `${(this.position + 1).toLocaleString("en")} of ${count}`;
  }
  clear() {
    this.input.value = "";
    this.find();
    this.input.blur();
  }
}

// A button for each kind that there is; a click hides it or shows it again.
function makeLegend(model, node, hidden, changed) {
  const {header, rows, passes, stretches, bubbles} = model, used = new Set();
  for (let row = 0; row < rows.shown; ++row) used.add(rows.category[row]);
  for (const table of [passes, stretches, bubbles])
    for (const category of table.category) used.add(category);
  header.categories.forEach(({label, colour}, category) => {
    if (!used.has(category)) return;
    const button = element("button", "kind"), swatch = element("i", category === header.idle ? "hatched" : "");
    if (category !== header.idle) swatch.style.background = colour;
    button.append(swatch, category === header.idle ? "bubble" : label);
    button.setAttribute("aria-pressed", "true");
    button.title = "hide or show";
    button.onclick = () => {
      if (!hidden.delete(category)) hidden.add(category);
      button.setAttribute("aria-pressed", String(!hidden.has(category)));
      changed();
    };
    node.append(button);
  });
}
