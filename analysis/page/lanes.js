// Lanes: one per rank, in groups by stage or node that open and close. What is open decides which bars stand where.

const heights = {
  group: 20,
  gap: 6
};
const roomy = {
  passes: 32,
  strip: 8,
  stream: 17
},
      dense = {
        passes: 20,
        strip: 5,
        stream: 13
      }; // few lanes, and many
const fewLanes = 8;
const labelMargin = 2000; // pixels

class Lanes {
  constructor(model, content, changed) {
    this.model = model;
    this.content = content;
    this.changed = changed;
    this.grouping = "stage";
    this.closedGroups = new Set(); // "stage 2", "node 5"
    this.all = model.header.lanes.map((lane) => ({...lane, part: model.ranks.get(lane.representative), open: false}));
    const [from, to] = [model.header.from, model.header.to];
    for (const lane of this.all) lane.idle = idleShare(model, lane.part, from, to);
    const isRoomy = this.all.length <= fewLanes;
    this.heights = {...heights, ...(isRoomy ? roomy : dense)};
    content.classList.toggle("roomy", isRoomy);
    this.usedStreams = new Map([...model.ranks.values()].map((part) => [part.rank, streamsOf(model, part)]));
    this.openWhatFits(content.parentNode.clientHeight);
  }

  // Every rank with its streams, or else the first one, which shows that they can be opened.
  openWhatFits(height) {
    this.openAll(this.all.length <= fewLanes);
    if (this.all.length <= fewLanes && this.height <= height) return;
    this.openAll(false);
    this.all[0].open = true;
    this.place();
    if (this.height > height) this.openAll(false);
  }

  // Groups in order, with their lanes.
  groups() {
    const groups = new Map();
    for (const lane of this.all) {
      const name = `${this.grouping} ${lane[this.grouping]}`;
      if (!groups.has(name)) groups.set(name, {name, number: lane[this.grouping], lanes: []});
      groups.get(name).lanes.push(lane);
    }
    return [...groups.values()].sort((a, b) => a.number - b.number);
  }

  // The bars from top to bottom: {kind, lane, y, height}, and {stream} of a stream. Groups of one rank each need no
  // heads: the lane says both.
  place() {
    this.bars = [];
    this.barsOf = new Map(this.all.map((lane) => [lane, []]));
    this.labels = [];
    this.height = 2;
    const groups = this.groups(), areSingle = groups.every(({lanes}) => lanes.length === 1);
    this.content.classList.toggle("grouped", !areSingle);
    for (const group of groups) {
      const isClosed = this.closedGroups.has(group.name);
      if (!areSingle) this.placeHead(group, isClosed);
      if (areSingle || !isClosed)
        for (const lane of group.lanes) this.placeLane(lane, areSingle ? group.name : null);
    }
    this.content.style.height = `${this.height}px`;
    this.label();
    this.changed();
  }
  add(kind, lane, height, more) {
    const bar = {kind, lane, y: this.height, height, ...more};
    this.bars.push(bar);
    this.barsOf.get(lane).push(bar);
    this.height += height + 1;
  }
  // A closed group shows the passes of its first rank.
  placeHead(group, isClosed) {
    this.labels.push({group, y: this.height, open: !isClosed});
    this.add(isClosed ? "passes" : "group", group.lanes[0], this.heights.group);
    this.height += 3;
  }
  placeLane(lane, groupName) {
    this.labels.push({lane, groupName, y: this.height, open: lane.open});
    this.add("passes", lane, this.heights.passes);
    this.add("strip", lane, this.heights.strip);
    if (lane.open)
      for (const stream of this.usedStreams.get(lane.representative))
        this.add("stream", lane, this.heights.stream, {stream});
    this.height += this.heights.gap;
  }

  // Buttons beside the lanes, so that a keyboard and a screen reader reach them: those in view and some beyond, since
  // a page can have thousands.
  label() {
    const {scrollTop, clientHeight} = this.content.parentNode;
    this.labelled = [scrollTop - labelMargin, scrollTop + clientHeight + labelMargin];
    const isNear = ({y}) => y >= this.labelled[0] && y <= this.labelled[1];
    const labels = document.createDocumentFragment();
    for (const one of this.labels.filter(isNear)) labels.append(one.group ? this.groupLabel(one) : this.laneLabel(one));
    for (const bar of this.bars.filter(isNear))
      if (bar.kind === "stream") {
        const text = element("span", "stream-label", this.model.header.streams[bar.stream]);
        text.style.top = `${bar.y}px`;
        labels.append(text);
      }
    const focused = document.activeElement.dataset.name;
    for (const old of this.content.querySelectorAll("button, .stream-label")) old.remove();
    this.content.prepend(labels);
    // The buttons are new; the keyboard stays where it was.
    const again = focused && this.content.querySelector(`[data-name="${focused}"]`);
    if (again) again.focus({preventScroll: true});
  }
  // After scrolling.
  labelWhatIsInView() {
    const {scrollTop, clientHeight} = this.content.parentNode;
    if (scrollTop < this.labelled[0] || scrollTop + clientHeight > this.labelled[1]) this.label();
  }
  groupLabel({group, y, open}) {
    const count = group.lanes.length, ranks = count === 1 ? "1 rank" : `${count} ranks`;
    return this.button({className: "group-label", y, open, name: group.name, more: ranks}, () => {
      if (!this.closedGroups.delete(group.name)) this.closedGroups.add(group.name);
    });
  }
  laneLabel({lane, groupName, y, open}) {
    const name = groupName || `rank ${lane.rank}`, bubble = `bubble ${percent(lane.idle)}`;
    const more = groupName ? `${bubble}, rank ${lane.rank}` : bubble;
    const button = this.button({className: "lane-label", y, open, name, more}, () => (lane.open = !lane.open));
    button.title = `rank ${lane.rank}: ${lane.coordinates}`;
    if (lane.rank !== lane.representative) button.title += `; behaves as rank ${lane.representative} does`;
    return button;
  }
  button({className, y, open, name, more}, toggle) {
    const button = element("button", className);
    button.style.top = `${y}px`;
    button.setAttribute("aria-expanded", open);
    button.append(element("span", "arrow", open ? "▾" : "▸"), element("b", "", name), element("small", "", ` ${more}`));
    button.dataset.name = name;
    button.onclick = () => {
      toggle();
      this.place();
    };
    return button;
  }
  group(by) {
    this.grouping = by;
    this.place();
  }
  openAll(open) {
    this.closedGroups.clear();
    for (const lane of this.all) lane.open = open;
    this.place();
  }
  // Opens what hides the streams of a lane.
  reveal(lane) {
    const wasClosed = this.closedGroups.delete(`${this.grouping} ${lane[this.grouping]}`);
    if (lane.open && !wasClosed) return;
    lane.open = true;
    this.place();
  }

  barAt(y) {
    return this.bars.find((bar) => y >= bar.y && y < bar.y + bar.height);
  }
  // Where a row of a lane is drawn: its stream or, when that is closed, the passes.
  barOf(lane, row) {
    const own = this.barsOf.get(lane);
    return own.find((bar) => bar.stream === this.model.rows.stream[row]) || own.find((bar) => bar.kind === "passes") ||
           null;
  }
  // The lane that shows a row: of those with its rows, the one most like `near`.
  laneOf(row, near) {
    const lanes = this.all.filter((lane) => lane.representative === this.model.rows.rank[row]);
    if (row >= this.model.rows.shown || lanes.length === 0) return null;
    const likeness = (lane) =>
        (lane === near ? 8 : 0) + (near && lane.node === near.node ? 2 : 0) + sameParts(lane, near);
    return lanes.reduce((best, lane) => (likeness(lane) > likeness(best) ? lane : best));
  }
}

// Coordinates in the layout that two lanes have in common: "pp1 tp0 ep4 dp3".
function sameParts(lane, near) {
  if (!near) return 0;
  const parts = near.coordinates.split(" ");
  return lane.coordinates.split(" ").filter((part) => parts.includes(part)).length;
}

function streamsOf(model, part) {
  const used = new Set();
  for (let row = part.rows[0]; row < part.rows[1]; ++row) used.add(model.rows.stream[row]);
  return [...used].sort((a, b) => a - b);
}

// Of the time that the page has.
function idleShare({bubbles}, part, from, to) {
  let idle = 0;
  for (let i = part.bubbles[0]; i < part.bubbles[1]; ++i)
    idle += Math.max(0, Math.min(to, bubbles.end[i]) - Math.max(from, bubbles.start[i]));
  return to > from ? idle / (to - from) : 0;
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

function element(tag, className, text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.textContent = text;
  return node;
}
