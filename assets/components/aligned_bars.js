// Rows of bars, or of lines, over one axis of tokens: each row has its own scale, and a token stands
// at the same place in all of them. Hover (or a tap, or arrow keys) reads a token through all rows.
// A token that is closed, minus infinity in the first row, lies on a hatched band.
// Tokens run from left to right below the rows; or from top to bottom, the rows side by side.

const LABEL = 13; // pixels from one label to the next, at least
const LETTER = 6.7; // pixels of a label's letter
const LINE = 24; // pixels of a token's line, where tokens run downward
const TITLE = 22;
const NARROWEST = 84; // pixels of a row, where rows stand side by side
const GAP = 12; // and between two of them
const ACROSS = 30; // pixels of a column in which a number is written across; in less, upward
const UPWARD = 12; // and in less than this, not at all
const DASH = { solid: "", dash: "7 4", dot: "2 3", dashdot: "7 3 2 3" };
const SYMBOLS = [
  (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`,
  (x, y, r) => `M${x} ${y - 1.3 * r}l${1.3 * r} ${1.3 * r}l${-1.3 * r} ${1.3 * r}l${-1.3 * r} ${-1.3 * r}z`,
  (x, y, r) => `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
  (x, y, r) => `M${x} ${y - 1.2 * r}l${1.2 * r} ${2.2 * r}h${-2.4 * r}z`,
];

export default function ({ data, parentElement }) {
  const [legend, chart, status] = parentElement.querySelectorAll(".legend, .chart, .status");
  const { head, cells } = unpack(data);
  const { rows, axis, down } = head;
  const floats = floatsOf(cells);
  const count = axis.labels.length;
  const numbers = numbersOf(floats); // [row line token], one line where there are bars
  const closed = Array.from(numbers[0][0], (value) => value === -Infinity);

  chart.at = within(chart.at ?? 0, count);
  Object.assign(chart, { draw, read, move });
  chart.tabIndex = 0;
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", head.alt);
  chart.onmousemove = (event) => chart.read(under(event));
  chart.onclick = (event) => chart.read(under(event));
  chart.onmouseleave = () => chart.read(null);
  chart.onblur = () => chart.read(null);
  chart.onfocus = () => chart.matches(":focus-visible") && chart.read(chart.at);
  chart.onkeydown = (event) => chart.move(event);
  chart.watch ??= new ResizeObserver(() => chart.clientWidth !== chart.drawnFor && chart.draw());
  chart.watch.observe(chart);
  nameLines();
  draw();
  read(chart.matches(":focus-visible") ? chart.at : null);

  function numbersOf(floats) {
    let from = 0;
    return rows.map((row) => Array.from({ length: row.lines.length || 1 }, () => floats.subarray(from, (from += count))));
  }

  function move(event) {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -count, End: count }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation(); // the page's own shortcuts stay quiet while the bars have the focus
    chart.read(within(chart.at + step, count));
  }

  function read(token) {
    if (token !== null) chart.at = token;
    status.textContent = token === null ? head.hint : sentence(token);
    chart.querySelectorAll(".at").forEach((frame, line) => {
      frame.toggleAttribute("hidden", token === null);
      const at = chart.plan.lines[line];
      if (token !== null) set(frame, oriented(at.from + token * at.step, at.step, at.across, at.thick));
    });
  }

  function sentence(token) {
    const mark = token === head.mark ? ` (${head.marked})` : "";
    const read = rows.flatMap((row, i) => numbers[i].map((line, j) => {
      const word = row.words[token] ? ` (${row.words[token]})` : "";
      return `${row.lines[j]?.name ?? row.title} ${inWords(line[token])}${word}`;
    }));
    return `${placed(axis, token)}${mark}: ${read.join(", ")}`;
  }

  function under(event) {
    const box = chart.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const line = chart.plan.lines.findLast((each) => !down || y >= each.from) ?? chart.plan.lines[0];
    return within(Math.floor(((down ? y : x) - line.from) / line.step), count);
  }

  function nameLines() {
    legend.replaceChildren(...rows.flatMap(({ lines, level }) => [
      ...lines.map(({ name, colour, dash }, i) => entry(name, [
        node("path", { class: "line", d: "M0 7h34", stroke: colour, "stroke-dasharray": DASH[dash] }),
        node("path", { d: SYMBOLS[i % SYMBOLS.length](17, 7, 3.5), fill: colour }),
      ])),
      ...(level ? [entry(level.name, [node("path", { class: "level", d: "M0 7.5h34" })])] : []),
    ]));
  }

  function entry(name, drawing) {
    const [item, swatch] = [document.createElement("span"), node("svg", { width: 34, height: 14 })];
    swatch.append(...drawing);
    item.append(swatch, name);
    return item;
  }

  // Where everything stands: a box for each row, and the lines of tokens that boxes share.
  function planned(width) {
    return down ? sideBySide(width) : oneBelowTheOther(width);
  }

  function oneBelowTheOther(width) {
    const left = 44;
    const step = (width - left - 8) / count;
    let y = 0;
    const boxes = rows.map(({ low }) => {
      const box = { x: left, y: y + TITLE, width: step * count, height: head.height * (low < 0 ? 1.6 : 1), line: 0 };
      y = box.y + box.height + 10;
      return box;
    });
    const bottom = y - 10;
    const line = { from: left, step, across: TITLE - 2, thick: bottom - TITLE + 2, labels: bottom };
    return { width, height: bottom + 26 + longestOf(axis.labels) * LETTER, boxes, lines: [line] };
  }

  function sideBySide(width) {
    const left = Math.min(0.3 * width, 28 + longestOf(axis.labels) * LETTER);
    const above = rows.some((row) => row.unit) ? 2 * TITLE : TITLE + 6;
    const tall = above + LINE * count + 22;
    const together = Math.max(1, Math.floor((width - left + GAP) / (NARROWEST + GAP)));
    const lines = Math.ceil(rows.length / together);
    const boxes = Array.from({ length: lines }, (_, line) => {
      const many = Math.floor((rows.length + line) / lines); // the last lines have one more
      const cell = (width - left) / many;
      return Array.from({ length: many }, (_, i) => ({ x: left + i * cell, y: line * tall + above, width: cell - GAP, height: LINE * count, line }));
    }).flat();
    const placed = Array.from({ length: lines }, (_, i) => ({ from: i * tall + above, step: LINE, across: 0, thick: width, labels: left }));
    return { width, height: lines * tall, boxes, lines: placed };
  }

  function draw() {
    const width = Math.floor(chart.clientWidth);
    if (!width) return;
    chart.drawnFor = width;
    chart.plan = planned(width);
    const { boxes, lines, height } = chart.plan;
    const svg = node("svg", { width, height });
    svg.innerHTML = patterns();
    svg.append(...boxes.flatMap(bands), ...lines.map(() => node("rect", { class: "at", hidden: "" })));
    rows.forEach((row, i) => svg.append(...drawnRow(row, numbers[i], boxes[i], lines[boxes[i].line])));
    svg.append(...lines.flatMap(labels));
    chart.replaceChildren(svg);
  }

  function patterns() {
    const stripes = (id, colour) => `<pattern id="${id}" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="5" height="5" fill="${colour}" fill-opacity="0.25"/><rect width="2.5" height="5" fill="${colour}"/></pattern>`;
    const hatch = '<pattern id="hatched" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0v7"/></pattern>';
    return `<defs>${stripes("striped", head.colours.marked)}${hatch}</defs>`;
  }

  // Closed tokens, neighbours as one band, through this row as through all others.
  function bands({ x, y, width, height, line }) {
    const { from, step } = chart.plan.lines[line];
    return runsOf(closed).flatMap(([first, last]) => {
      const place = oriented(from + first * step, (last + 1 - first) * step, down ? x : y, down ? width : height);
      return [node("rect", { class: "shut", ...place }), node("rect", { fill: "url(#hatched)", ...place })];
    });
  }

  function drawnRow(row, lines, box, { from, step }) {
    const written = row.lines.length || row.digits === null ? 0 : down ? 38 : step >= ACROSS ? 16 : step >= UPWARD ? 34 : 4;
    const span = down ? box.width : box.height;
    const length = span - written - (row.low < 0 ? written : 0);
    const along = (value) => (row.low < 0 ? written : 0) + ((value - row.low) / (row.high - row.low)) * length;
    const at = (value) => (down ? box.x + along(value) : box.y + box.height - along(value));
    const rule = (value, name) => node("path", { class: name, d: down ? `M${half(at(value))} ${box.y}v${box.height}` : `M${box.x} ${half(at(value))}h${box.width}` });
    const middle = (token) => from + (token + 0.5) * step;
    const parts = [...title(row, box), ...ticksOf(row, length / (down ? 34 : 16)).flatMap((value) => [rule(value, value ? "grid" : "zero"), tick(value, at(value), box)])];
    if (row.level) parts.push(rule(row.level.at, "level"));
    if (row.lines.length) return [...parts, ...row.lines.flatMap((line, i) => curve(line, i, lines[i], middle, at, step))];
    return [...parts, ...bars(row, lines[0], middle, at, step), ...(written > 4 ? numbersAt(row, lines[0], middle, at, step) : []), ...signs(lines[0], middle, at, step)];
  }

  function title(row, box) {
    if (!down) {
      const words = node("text", { class: "title", x: 0, y: box.y - 7 }, row.title);
      if (row.unit) words.append(node("tspan", { class: "unit", dx: 8 }, row.unit));
      return [words];
    }
    const words = node("text", { class: "title", x: box.x, y: box.y - (row.unit ? 24 : 8) }, row.title);
    return row.unit ? [words, node("text", { class: "unit", x: box.x, y: box.y - 8 }, row.unit)] : [words];
  }

  function tick(value, at, box) {
    const place = down ? { x: at, y: box.y + box.height + 13, "text-anchor": "middle" } : { x: box.x - 6, y: at + 4, "text-anchor": "end" };
    return node("text", { class: "tick", ...place }, short(value));
  }

  function bars(row, values, middle, at, step) {
    const thick = Math.min(0.75 * step, 48);
    const drawn = { bar: "", marked: "", positive: "", negative: "" };
    values.forEach((value, token) => {
      if (!Number.isFinite(value) || value === 0) return;
      const kind = token === head.mark ? "marked" : !row.two_colours ? "bar" : value > 0 ? "positive" : "negative";
      const [one, other] = [at(0), at(value)];
      const { x, y, width, height } = oriented(middle(token) - thick / 2, thick, Math.min(one, other), Math.abs(other - one));
      drawn[kind] += `M${round(x)} ${round(y)}h${round(width)}v${round(height)}h${round(-width)}z`;
    });
    return Object.entries(drawn).filter(([, d]) => d).map(([kind, d]) =>
      node("path", { class: kind, d, fill: kind === "marked" ? "url(#striped)" : head.colours[kind] }));
  }

  // The number at the end of each bar.
  function numbersAt(row, values, middle, at, step) {
    return Array.from(values).flatMap((value, token) => {
      const text = row.words[token] || (value === 0 ? "0" : value.toFixed(row.digits).replace("-", "−"));
      if (!Number.isFinite(value)) return [];
      const below = value < 0;
      if (down) return [node("text", { x: at(value) + (below ? -4 : 4), y: middle(token) + 4, "text-anchor": below ? "end" : "start" }, text)];
      if (step >= ACROSS || text.length === 1) return [node("text", { x: middle(token), y: at(value) + (below ? 12 : -4), "text-anchor": "middle" }, text)];
      const [x, y] = [middle(token) + 4, at(value) + (below ? 4 : -4)];
      return [node("text", { x, y, transform: `rotate(-90 ${x} ${y})`, "text-anchor": below ? "end" : "start" }, text)];
    });
  }

  // Minus infinity; where tokens stand side by side, one sign for all neighbours.
  function signs(values, middle, at, step) {
    const shut = Array.from(values, (value) => value === -Infinity);
    if (down) return shut.flatMap((is, token) => (is ? [node("text", { x: at(0) + 4, y: middle(token) + 4 }, "−∞")] : []));
    return runsOf(shut).filter(([first, last]) => (last + 1 - first) * step >= 16).map(([first, last]) =>
      node("text", { class: "name", x: (middle(first) + middle(last)) / 2, y: at(0) - 5, "text-anchor": "middle" }, "−∞"));
  }

  function curve({ colour, dash }, i, values, middle, at, step) {
    const size = Math.max(2, Math.min(3.5, step / 2.5));
    let [path, points] = ["", ""];
    values.forEach((value, token) => {
      if (!Number.isFinite(value)) return;
      const [x, y] = [round(middle(token)), round(at(value))];
      path += `${token && Number.isFinite(values[token - 1]) ? "L" : "M"}${x} ${y}`;
      points += SYMBOLS[i % SYMBOLS.length](x, y, size);
    });
    return [node("path", { class: "line", d: path, stroke: colour, "stroke-dasharray": DASH[dash] }), node("path", { d: points, fill: colour })];
  }

  function labels({ from, step, labels: edge }) {
    const every = Math.max(1, Math.ceil(LABEL / step));
    const texts = axis.labels.flatMap((label, token) => {
      if (token % every) return [];
      const at = from + (token + 0.5) * step + 4;
      const marked = token === head.mark;
      const name = marked ? "label marked" : "label";
      const text = marked ? `▶ ${label}` : label;
      if (!down) return [node("text", { class: name, x: at, y: edge + 8, transform: `rotate(-90 ${at} ${edge + 8})`, "text-anchor": "end" }, text)];
      const room = Math.floor((edge - 8) / LETTER);
      return [node("text", { class: name, x: edge - 8, y: at, "text-anchor": "end" }, text.length > room ? `${text.slice(0, room - 1)}…` : text)];
    });
    if (!axis.name || down) return texts;
    const middle = from + (count * step) / 2;
    return [...texts, node("text", { class: "name", x: middle, y: chart.plan.height - 4, "text-anchor": "middle", style: `fill:${axis.colour}` }, axis.name)];
  }

  // A place along the axis of tokens and across it, as x, y, width and height.
  function oriented(along, length, across, thick) {
    return down ? { x: across, y: along, width: thick, height: length } : { x: along, y: across, width: length, height: thick };
  }
}

function node(name, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  set(made, attributes);
  made.textContent = text;
  return made;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

// First and last place of every stretch of true.
function runsOf(marks) {
  const starts = marks.flatMap((mark, i) => (mark && !marks[i - 1] ? [i] : []));
  const ends = marks.flatMap((mark, i) => (mark && !marks[i + 1] ? [i] : []));
  return starts.map((first, i) => [first, ends[i]]);
}

// Round numbers within a row's scale, 0 among them: about as many as have room, but few.
function ticksOf({ low, high }, room) {
  const rough = (high - low) / Math.max(2, Math.min(Math.floor(room), low < 0 ? 6 : 4));
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((times) => times * power >= 0.999 * rough);
  const [first, last] = [Math.ceil(low / step - 0.001), Math.floor(high / step + 0.001)];
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

function short(number) {
  return String(Number(number.toPrecision(3))).replace("-", "−");
}

function round(pixels) {
  return Math.round(pixels * 10) / 10;
}

// A line of one pixel is sharp where it covers one.
function half(pixels) {
  return Math.floor(pixels) + 0.5;
}
