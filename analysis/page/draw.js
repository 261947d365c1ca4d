// Draws the lanes on a canvas: never more rectangles than pixels.

// Collects rectangles by colour, so that the canvas changes its colour seldom. Neighbours that look alike become one.
class Painter {
  constructor(scale) {
    this.scale = scale;
    this.width = scale.range()[1];
    this.piles = new Map();                  // "colour alpha" -> [x, y, width, height, ...]
    this.before = {y: -1, end: 0, right: 0}; // what was added last
  }
  add(start, end, y, height, colour, alpha) {
    const x = this.scale(start), {before} = this;
    // A gap of less than half a pixel closes; rounding alone would show some of them as a pixel.
    const left = before.y === y && x - before.end < 0.5 && x >= before.end ? before.right : Math.max(-2, Math.round(x));
    const right = Math.min(this.width + 2, Math.max(left + 1, Math.round(this.scale(end))));
    this.before = {y, end: this.scale(end), right};
    if (right <= left) return;
    const level = Math.max(1, Math.ceil(alpha * 5)) / 5;
    const key = `${colour} ${level}`;
    let pile = this.piles.get(key);
    if (!pile) this.piles.set(key, (pile = []));
    const last = pile.length - 4;
    if (last >= 0 && pile[last] + pile[last + 2] >= left && pile[last] <= left && pile[last + 1] === y &&
        pile[last + 3] === height)
      pile[last + 2] = Math.max(pile[last + 2], right - pile[last]);
    else
      pile.push(left, y, right - left, height);
  }
  paint(context, alpha = 1) {
    let count = 0;
    for (const [key, pile] of this.piles) {
      const [colour, level] = key.split(" ");
      context.fillStyle = colour;
      context.globalAlpha = alpha * level;
      for (let i = 0; i < pile.length; i += 4) context.fillRect(pile[i], pile[i + 1], pile[i + 2], pile[i + 3]);
      count += pile.length / 4;
    }
    context.globalAlpha = 1;
    return count;
  }
}

// The later chunks of a stage get lighter, as in the SVG picture.
const lighter = new Map();
function passColour(header, category, chunk) {
  const times = Math.min(chunk, 3), key = category * 4 + times;
  if (!lighter.has(key))
    lighter.set(key, d3.interpolateRgb(header.categories[category].colour, "#fff")(0.22 * times).replace(/ /g, ""));
  return lighter.get(key);
}

// The part of a bar in which a pass is drawn: see halves().
function halfOf({y, height}, half) {
  const upper = height >> 1;
  return half === 0 ? {y, height} : half === 1 ? {y, height: upper} : {y: y + upper, height: height - upper};
}

const computing = "#B4B4B4"; // in the strip; which pass it is stands above
const textOn = (colour) => (d3.lab(colour).l > 62 ? "#222" : "#fff");

// "F3", "B1", and "F3.1" when stages have several chunks.
function passName(model, i) {
  return shortPassName(model, i) +
         (model.hasChunks && model.passes.micro_batch[i] >= 0 ? `.${model.passes.chunk[i]}` : "");
}
function shortPassName({passes, header}, i) {
  const {letter, label} = header.categories[passes.category[i]];
  return passes.micro_batch[i] < 0 ? label.split(" ")[0] : letter + passes.micro_batch[i];
}

function hatching(context) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const pen = tile.getContext("2d");
  pen.fillStyle = "#fbfaf7";
  pen.fillRect(0, 0, 6, 6);
  pen.strokeStyle = "#c9c4b8";
  pen.lineWidth = 1;
  for (const shift of [-6, 0, 6]) {
    pen.beginPath();
    pen.moveTo(shift, 6);
    pen.lineTo(shift + 6, 0);
    pen.stroke();
  }
  return context.createPattern(tile, "repeat");
}

const letterWidth = 5.6; // pixels, about, of small text

class Chart {
  constructor(model, lanes, canvas) {
    this.model = model;
    this.lanes = lanes;
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.hatching = hatching(this.context);
    this.hidden = new Set(); // categories
    this.hits = null;        // of a search: one byte per row
    this.retrack();
  }

  // What is shown has changed. Tracks are made when first drawn.
  retrack() {
    const shown = (table, i) => !this.hidden.has(table.category[i]);
    const isHit = (table, i) => shown(table, i) && table === this.model.rows && this.hits[i] === 1;
    this.tracks = this.maker(shown);
    this.hitTracks = this.hits ? this.maker(isHit) : null;
  }
  maker(keep) {
    const made = new Map();
    return (part) => {
      if (!made.has(part.rank)) made.set(part.rank, tracksOf(this.model, part, keep));
      return made.get(part.rank);
    };
  }
  trackOf(bar, tracks = this.tracks) {
    const own = tracks(bar.lane.part);
    return bar.kind === "stream" ? own.streams[bar.stream] : own[bar.kind];
  }

  draw(scale, top, height, gridlines) {
    const {context, canvas} = this;
    this.scale = scale;
    this.width = scale.range()[1];
    fitCanvas(canvas, context, this.width, height);
    context.clearRect(0, 0, this.width, height);
    context.save();
    context.translate(0, -top);
    const bars = this.lanes.bars.filter((bar) => bar.y + bar.height >= top && bar.y <= top + height);
    const texts = [], edges = []; // [right, y, height] of pieces wide enough to tell apart
    for (const bar of bars) this.drawGround(bar, texts);
    context.fillStyle = "rgba(0,0,0,.07)";
    for (const x of gridlines) context.fillRect(x, top, 1, height);
    const painter = new Painter(scale);
    for (const bar of bars)
      if (bar.kind !== "group") this.drawTrack(painter, bar, this.trackOf(bar), texts, edges);
    this.drawn = painter.paint(context, this.hits ? 0.2 : 1);
    if (this.hits) {
      const bright = new Painter(scale);
      for (const bar of bars)
        if (bar.kind === "stream") this.drawTrack(bright, bar, this.trackOf(bar, this.hitTracks), texts, edges);
      for (const bar of bars)
        if (bar.kind === "passes") this.drawHitMarks(bright, bar);
      this.drawn += bright.paint(context);
    }
    context.fillStyle = "rgba(255,255,255,.85)";
    for (const [right, y, barHeight] of edges) context.fillRect(right - 1, y, 1, barHeight);
    for (const text of texts) this.drawText(text);
    context.restore();
  }

  // Bubbles: hatched where a rank idles, with the cause where no pass covers them and there is room.
  drawGround(bar, texts) {
    const {context} = this;
    context.fillStyle = bar.kind === "group" ? "#f1f3f5" : bar.kind === "stream" ? "#f8f9fa" : "#fff";
    context.fillRect(0, bar.y, this.width, bar.height);
    if (bar.kind !== "passes" && bar.kind !== "strip") return;
    context.fillStyle = this.hatching;
    const {model} = this, {bubbles, passes, lower} = this.tracks(bar.lane.part);
    bubbles.visit(this.scale, (i, start, end, share) => {
      const left = Math.max(0, Math.round(this.scale(start))),
            right = Math.min(this.width, Math.round(this.scale(end)));
      if (share > 0.5 && right > left) context.fillRect(left, bar.y, right - left, bar.height);
      if (share < 1 || bar.kind === "strip" || right - left < 60 ||
          [passes, lower].some((track) => track.at((start + end) / 2, 0) >= 0))
        return;
      const cause = model.header.bubbles[model.bubbles.label[i]], room = Math.floor((right - left - 6) / letterWidth);
      this.addText(texts, bar, start, end, cause.length <= room ? cause : `${cause.slice(0, room - 1)}…`, "#6b5b3e",
                   "10px");
    });
  }

  drawTrack(painter, bar, track, texts, edges) {
    const {header, rows, passes, stretches} = this.model;
    const {y, height} = bar;
    const label = (start, end, box, names, colour, font) => {
      const right = this.scale(end);
      if (right - this.scale(start) < 4) return;
      edges.push([Math.round(right), box.y, box.height]);
      names.some((name) => this.addText(texts, box, start, end, name, colour, font)); // the first that fits
    };
    if (bar.kind === "passes") {
      for (const half of [track, this.tracks(bar.lane.part).lower])
        half.visit(this.scale, (i, start, end, share) => {
          const colour = passColour(header, passes.category[i], passes.chunk[i]), box = halfOf(bar, passes.half[i]);
          painter.add(start, end, box.y, box.height, colour, share);
          if (share === 1)
            label(start, end, box, [passName(this.model, i), shortPassName(this.model, i)],
                  this.hits ? "#444" : textOn(colour), "bold 11px");
        });
    } else if (bar.kind === "strip") {
      track.visit(this.scale,
                  (i, start, end, share) => painter.add(
                      start, end, y, height,
                      stretches.category[i] < 0 ? computing : header.categories[stretches.category[i]].colour, share));
    } else {
      track.visit(this.scale, (row, start, end, share) => {
        const colour = header.categories[rows.category[row]].colour;
        painter.add(start, end, y, height, colour, share);
        if (share === 1 && !(this.hits && !this.hits[row]))
          label(start, end, bar, [header.names[rows.name[row]]], textOn(colour), "10px");
      });
    }
  }

  // A search finds tasks: where only the passes of a rank are open, marks below say where the hits are.
  drawHitMarks(painter, bar) {
    for (const track of this.hitTracks(bar.lane.part).streams)
      track.visit(this.scale, (i, start, end) => painter.add(start, end, bar.y + bar.height - 4, 4, "#111", 1));
  }

  // Whether there is room. Text sits in the middle of what can be seen of its piece.
  addText(texts, bar, start, end, text, colour, font) {
    const left = Math.max(0, this.scale(start)), right = Math.min(this.width, this.scale(end));
    const needed = text.length * (font.startsWith("bold") ? 6.8 : letterWidth) + 4;
    if (right - left < needed) return false;
    texts.push({x: (left + right) / 2, y: bar.y + bar.height / 2 + 0.5, text, colour, font});
    return true;
  }
  drawText({x, y, text, colour, font}) {
    const {context} = this;
    context.font = `${font} Helvetica, Arial, 'DejaVu Sans', sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = colour;
    context.fillText(text, x, y);
  }
}

// Gives a canvas a size in CSS pixels, and as many dots as the screen has.
function fitCanvas(canvas, context, width, height) {
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
}
