// What there is to say about tasks, passes and bubbles, in words.

// Of a row: rows of the tasks that it waits for, the one that ended last first.
function rowsBefore(model, row) {
  return neighbours(model, model.tasks.before.of(model.rows.task[row]), row)
      .sort((a, b) => model.rows.end[b] - model.rows.end[a]);
}
// Rows of the tasks that wait for it, the earliest first.
function rowsAfter(model, row) {
  return neighbours(model, model.tasks.after.of(model.rows.task[row]), row)
      .sort((a, b) => model.rows.start[a] - model.rows.start[b]);
}
// A task of several ranks has a row on each: the one on the same rank tells most.
function neighbours(model, tasks, row) {
  const {rank} = model.rows;
  return Array.from(tasks, (task) => {
    const own = model.tasks.rows.of(task);
    return own.find((other) => rank[other] === rank[row]) ?? own[0];
  });
}

// The first row of a rank that starts at a time; -1 when none does.
function rowStartingAt(model, part, time) {
  const row = lowerBound(model.rows.start, time, ...part.rows);
  return row < part.rows[1] && model.rows.start[row] === time ? row : -1;
}
// The row of the compute stream with which a pass begins.
function firstRowOfPass(model, part, i) {
  const {rows, passes} = model;
  for (let row = lowerBound(rows.start, passes.start[i], ...part.rows);
       row < part.rows[1] && rows.start[row] === passes.start[i]; ++row)
    if (rows.category[row] === passes.category[i]) return row;
  return -1;
}

const rowName = (model, row) => model.header.names[model.rows.name[row]];

// "micro-batch 3, layer 5, chunk 1": what a row has of these.
function placeInModel(model, row) {
  const {rows} = model, parts = [model.header.phases[rows.phase[row]]];
  if (rows.micro_batch[row] >= 0) parts.push(`micro-batch ${rows.micro_batch[row]}`);
  if (rows.layer[row] >= 0) parts.push(`layer ${rows.layer[row]}`);
  if (model.hasChunks) parts.push(`chunk ${rows.chunk[row]}`);
  return parts.join(", ");
}

// A row of several ranks that behave alike is the lane's, if it is one of them.
function placeInJob(model, row, lane) {
  const own = model.rows.rank[row], rank = lane && lane.representative === own ? lane.rank : own;
  return `stage ${model.header.stages[rank]}, rank ${rank}`;
}

// "attention (forward, micro-batch 3, layer 5) on stage 0, rank 0"
function describeRow(model, row, lane) {
  return `${rowName(model, row)} (${placeInModel(model, row)}) on ${placeInJob(model, row, lane)}`;
}

function waitedFor(model, row, lane) {
  const before = rowsBefore(model, row);
  return before.length > 0 ? describeRow(model, before[0], lane) : "nothing";
}

// Pairs of what and how much, for tooltip and panel.
function factsOfRow(model, row, lane, span) {
  const {rows, header} = model, seconds = rows.duration[row] / 1e9;
  const facts = [
    ...factsOfTime(rows, row, span),
    ["what", placeInModel(model, row)],
    ["where", `${placeInJob(model, row, lane)}, stream ${header.streams[rows.stream[row]]}`],
  ];
  if (header.kinds[rows.kind[row]] !== "compute") facts.push(["kind", header.kinds[rows.kind[row]]]);
  const rate = (amount, what) => (seconds > 0 ? `, ${formatCount(amount / seconds, what)}` : "");
  if (rows.bytes[row] > 0) facts.push(["bytes", formatBytes(rows.bytes[row]) + rate(rows.bytes[row], "B/s")]);
  if (rows.flops[row] > 0)
    facts.push(["FLOPs", formatCount(rows.flops[row], "FLOP") + rate(rows.flops[row], "FLOP/s")]);
  return facts;
}

function factsOfPass(model, i, span) {
  const {passes, header} = model;
  const facts = factsOfTime(passes, i, span);
  if (passes.micro_batch[i] >= 0)
    facts.unshift([
      "what", `${header.categories[passes.category[i]].label} of micro-batch ${passes.micro_batch[i]}` +
                  (model.hasChunks ? `, chunk ${passes.chunk[i]}` : "")
    ]);
  return facts;
}

function factsOfBubble(model, i, span) {
  const {bubbles, header} = model;
  return [["cause", header.bubbles[bubbles.label[i]]], ...factsOfTime(bubbles, i, span)];
}

// With digits enough to tell a tenth of it, or a thousandth of what is shown.
function factsOfTime({start, end, duration}, i, span) {
  const fine = Math.min(span, 100 * duration[i]);
  return [
    ["when", `${formatMoment(start[i], fine)} to ${formatMoment(end[i], fine)}`], ["how long", formatTime(duration[i])]
  ];
}

// What stands at a point of a bar: {title, facts, row}; row is the task that a click selects, or -1.
function thingAt(chart, {bar, y, time, tolerance}, span) {
  const {model} = chart, {stretches} = model, {part} = bar.lane;
  if (bar.kind === "group") return null;
  let i = chart.trackOf(bar).at(time, bar.kind === "strip" ? 0 : tolerance);
  const below = bar.kind === "passes" ? chart.tracks(part).lower.at(time, 0) : -1;
  if (below >= 0 && y >= halfOf(bar, 2).y) i = below;
  if (bar.kind === "stream" && i >= 0) return rowThing(model, i, bar.lane, span);
  if (bar.kind === "passes" && i >= 0) {
    const row = firstRowOfPass(model, part, i), facts = factsOfPass(model, i, span);
    if (row >= 0) facts.push(["waited for", waitedFor(model, row, bar.lane)]);
    return {title: passName(model, i), facts, row};
  }
  if (bar.kind === "stream") return null;
  if (bar.kind === "strip" && i >= 0) {
    const label = stretches.category[i] < 0 ? "compute" : model.header.categories[stretches.category[i]].label;
    const exposed = stretches.category[i] >= model.header.passes;
    return {
      title: exposed ? `exposed ${label}` : label,
      facts: factsOfTime(stretches, i, span),
      row: rowStartingAt(model, part, stretches.start[i])
    };
  }
  const bubble = chart.tracks(part).bubbles.at(time, 0);
  if (bubble < 0) return null;
  return {title: "bubble", facts: factsOfBubble(model, bubble, span), row: model.bubbles.row[bubble]};
}

function rowThing(model, row, lane, span) {
  const facts = factsOfRow(model, row, lane, span);
  facts.push(["waited for", waitedFor(model, row, lane)]);
  return {title: rowName(model, row), facts, row};
}
