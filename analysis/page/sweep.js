// The page of a sweep: which figure's picture is shown, and the table of all points.
const data = JSON.parse(document.getElementById("data").textContent);
const body = document.querySelector("#points tbody");
const mostRows = 500; // that a browser lays out in no time; the search leads to the others

// Columns: {name, words: [...]} or {name, numbers: [...]} with null where a point has none.
const isWords = (column) => column.words !== undefined;
const cell = (column, point) => (isWords(column) ? column.words : column.numbers)[point];
const shown = (value) => (value === null              ? ""
                          : typeof value === "number" ? String(Number(value.toPrecision(6)))
                                                      : value);

let order = data.columns[0].numbers.map((_, point) => point);
let sorted = {column: 0, descending: false};
let chosen = null;

function matches(point) {
  const words = document.getElementById("search").value.toLowerCase().split(/\s+/).filter((word) => word);
  const text =
      data.columns.filter(isWords).map((column) => `${column.name}=${cell(column, point)}`).join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
}

function compare(a, b) {
  const column = data.columns[sorted.column];
  const [x, y] = [cell(column, a), cell(column, b)];
  if (x === null || y === null) return (x === null) - (y === null) || a - b; // last, whichever way it is sorted
  const difference = typeof x === "number" ? x - y : x.localeCompare(y, "en", {numeric: true});
  return (sorted.descending ? -difference : difference) || a - b;
}

function fill() {
  const found = order.filter(matches).sort(compare);
  body.replaceChildren(...found.slice(0, mostRows).map((point) => {
    const row = document.createElement("tr");
    row.dataset.row = point;
    row.classList.toggle("chosen", point === chosen);
    for (const column of data.columns) {
      const place = row.insertCell();
      place.textContent = shown(cell(column, point));
      place.classList.toggle("word", isWords(column));
    }
    row.addEventListener("click", () => choose(point));
    return row;
  }));
  document.getElementById("count").textContent =
      `${found.length} of ${order.length} points` + (found.length > mostRows ? `, the first ${mostRows} shown` : "");
  document.querySelectorAll("#points th")
      .forEach((head, at) => head.setAttribute("aria-sort", at !== sorted.column ? "none"
                                                            : sorted.descending  ? "descending"
                                                                                 : "ascending"));
}

function choose(point) {
  chosen = point;
  for (const mark of document.querySelectorAll("#pictures [data-point]"))
    mark.classList.toggle("chosen", Number(mark.dataset.point) === point);
  document.getElementById("point").textContent =
      `point ${point}: ` + data.columns.slice(1)
                               .filter((column) => isWords(column) && cell(column, point) !== "")
                               .map((column) => `${column.name} ${cell(column, point)}`)
                               .join(" · ");
  for (const row of body.rows) row.classList.toggle("chosen", Number(row.dataset.row) === point);
}

function showFigure() {
  const name = document.getElementById("figure").value;
  for (const picture of document.querySelectorAll("#pictures > div")) picture.hidden = picture.dataset.figure !== name;
}

const head = document.querySelector("#points thead").insertRow();
data.columns.forEach((column, at) => {
  const place = document.createElement("th");
  const button = document.createElement("button");
  button.textContent = column.name;
  button.addEventListener("click", () => {
    sorted = {column: at, descending: sorted.column === at && !sorted.descending};
    fill();
  });
  place.append(button);
  head.append(place);
});
document.getElementById("search").addEventListener("input", fill);
document.getElementById("figure").addEventListener("change", showFigure);
document.getElementById("pictures").addEventListener("click", (event) => {
  const mark = event.target.closest("[data-point]");
  if (mark !== null) choose(Number(mark.dataset.point));
});
showFigure();
fill();
document.body.dataset.ready = "yes";
