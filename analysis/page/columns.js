// Reads the data of the page: the header, and the columns that analysis/page_columns.cpp wrote.

function bytesOfBase64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; ++i) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

async function gunzip(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Undoes the planes of bytes, the zigzag and the differences.
function decodeColumn(bytes, offset, {count, width, differences}) {
  const numbers = width <= 3 && !differences ? new Int32Array(count) : new Float64Array(count);
  for (let plane = 0; plane < width; ++plane) {
    const scale = 256 ** plane, base = offset + plane * count;
    for (let i = 0; i < count; ++i) numbers[i] += bytes[base + i] * scale;
  }
  let sum = 0;
  for (let i = 0; i < count; ++i) {
    const code = numbers[i], half = Math.floor(code / 2);
    const number = code === 2 * half ? half : -half - 1;
    numbers[i] = differences ? (sum += number) : number;
  }
  return numbers;
}

async function readColumns(header, base64) {
  const bytes = await gunzip(bytesOfBase64(base64));
  const columns = {};
  let offset = 0;
  for (const column of header.columns) {
    columns[column.name] = decodeColumn(bytes, offset, column);
    offset += column.width * column.count;
  }
  return columns;
}

const floats = (bits) => new Float32Array(Uint32Array.from(bits).buffer);
const sums = (starts, lengths) => starts.map((start, i) => start + lengths[i]);

// The columns whose names start with `prefix`, under the rest of their names, with the end of each row.
function table(columns, prefix) {
  const part = {};
  for (const [name, column] of Object.entries(columns))
    if (name.startsWith(prefix)) part[name.slice(prefix.length)] = column;
  part.end = sums(part.start, part.duration);
  return part;
}

// Where in a sorted list `value` would stand: before those that are not smaller.
function lowerBound(list, value, low = 0, high = list.length) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] < value)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

const rangeOf =
    (ranks, rank, high = ranks.length) => [lowerBound(ranks, rank, 0, high), lowerBound(ranks, rank + 1, 0, high)];

// What the page knows. Times are nanoseconds. A rank has the rows of its representative.
async function readModel(header, base64) {
  const columns = await readColumns(header, base64);
  const rows = {count: columns.start.length, shown: header.shown_rows};
  for (const name of ["start", "duration", "stream", "kind", "name", "phase", "layer", "micro_batch", "chunk",
                      "category", "rank"])
    rows[name] = columns[name];
  rows.end = sums(rows.start, rows.duration);
  rows.task = Int32Array.from(columns.task);
  rows.bytes = floats(columns.bytes);
  rows.flops = floats(columns.flops);
  const model = {header, rows, memory: {}};
  for (const [name, prefix] of [["passes", "pass_"], ["stretches", "stretch_"], ["bubbles", "bubble_"]])
    model[name] = table(columns, prefix);
  model.bubbles.category = new Uint8Array(model.bubbles.start.length).fill(header.idle);
  model.passes.half = halves(model.passes);
  for (const name of ["rank", "time"]) model.memory[name] = columns["memory_" + name];
  model.memory.bytes = header.memory.map((_, i) => columns["memory_" + i]);
  model.tasks = readTasks(columns, rows);
  model.ranks = new Map();
  for (const {representative} of header.lanes)
    model.ranks.set(representative, {
      rank: representative,
      rows: rangeOf(rows.rank, representative, rows.shown),
      passes: rangeOf(model.passes.rank, representative),
      stretches: rangeOf(model.stretches.rank, representative),
      bubbles: rangeOf(model.bubbles.rank, representative),
      memory: rangeOf(model.memory.rank, representative),
    });
  model.hasChunks = model.passes.chunk.some((chunk) => chunk > 0);
  return model;
}

// A forward and a backward that run together are passes at the same time: the first is drawn in the upper half of its
// lane (1), the other in the lower one (2). Passes that have their time to themselves are 0.
function halves({rank, start, end}) {
  const half = new Uint8Array(start.length);
  for (let i = 1; i < start.length; ++i) {
    if (rank[i] !== rank[i - 1] || start[i] >= end[i - 1]) continue;
    if (half[i - 1] === 0) half[i - 1] = 1;
    half[i] = 3 - half[i - 1];
  }
  return half;
}

// Lists of numbers, one after the other: list i is values[first[i]] to values[first[i + 1]].
class Lists {
  // keys[k] says into which list values[k] goes.
  constructor(count, keys, values) {
    this.first = new Uint32Array(count + 1);
    for (const key of keys) ++this.first[key + 1];
    for (let i = 0; i < count; ++i) this.first[i + 1] += this.first[i];
    const next = this.first.slice();
    this.values = new Uint32Array(keys.length);
    for (let k = 0; k < keys.length; ++k) this.values[next[keys[k]]++] = values[k];
  }
  of(i) {
    return this.values.subarray(this.first[i], this.first[i + 1]);
  }
}

// What each task waits for and what waits for it, and its rows.
function readTasks(columns, rows) {
  const counts = columns.before_count, distances = columns.before_distance;
  const before = new Uint32Array(distances.length), after = new Uint32Array(distances.length);
  for (let task = 0, k = 0; task < counts.length; ++task)
    for (let i = 0; i < counts[task]; ++i, ++k) {
      after[k] = task;
      before[k] = task - distances[k];
    }
  return {
    before: new Lists(counts.length, after, before),
    after: new Lists(counts.length, before, after),
    rows: new Lists(counts.length, rows.task, Uint32Array.from(rows.task, (_, row) => row)),
    unlisted: columns.before_unlisted,
  };
}
