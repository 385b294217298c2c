// Maps of the same cells side by side, rows by columns, tokens on both axes where they fit. Hover
// reads a cell in all maps at once; a click (or Enter) locks it, a second click unlocks it; arrow
// keys move. A cell without a number is empty, one at minus infinity is grey, with a cross.
// Rings stand in the cells of head.rings, [row, column] each; head.ringed says what they mean.
// Numbers are written into cells that have room for them, where that is asked for.
// The locked cell is the component's state "cell": {row, column}, or null; where whole rows are
// locked, its column is null, and its row where only a column is.

const LABEL = 13; // pixels from one label to the next, at least
const CROSSES_UP_TO = 32; // rows: beyond, a cell has no room for one, and closed cells are hatched
const CROSS = '<path class="closed" d="M0 0h20v20h-20z"/><path class="cross" d="M7 7l6 6m0-6l-6 6"/>';
const EDGES_UP_TO = 19; // rows: narrower cells would have gaps of unequal width on the screen
const EDGE = (cells) => `<path class="edge" d="M20 0v20h-20" stroke-width="${0.04 * cells}"/>`; // some 1 pixel
const WRITTEN = 6.2; // pixels of a written number's letter
const HATCHED = "repeating-linear-gradient(45deg, rgb(128 128 128 / 0.75) 0 1.5px, rgb(128 128 128 / 0.25) 1.5px 6px)";

export default function ({ data, parentElement, setStateValue }) {
  const maps = parentElement.querySelector(".maps");
  const status = parentElement.querySelector(".status");
  const { head, cells } = unpack(data);
  const { panels } = head;
  const [rows, columns] = [head.rows.labels.length, head.columns.labels.length];
  const floats = floatsOf(cells);
  const shape = `${panels.length}|${rows}|${columns}`;

  maps.locked = head.lock;
  maps.at ??= { row: rows - 1, column: 0 };
  if (head.lock && ![head.lock.row, head.lock.column].includes(null)) maps.at = head.lock;
  maps.at = { row: within(maps.at.row, rows), column: within(maps.at.column, columns) };
  Object.assign(maps, { read, lock, labels });
  if (maps.dataset.shape !== shape) build();
  maps.style.setProperty("--widest", `${head.width}px`);
  maps.classList.toggle("locks", head.locks);
  panels.forEach(draw);
  labels();
  show(head.lock);

  function build() {
    maps.dataset.shape = shape;
    maps.replaceChildren(...panels.map(panelOf));
    maps.onmouseleave = () => maps.read(null);
    maps.watch?.disconnect();
    maps.watch = new ResizeObserver(() => maps.labels());
    maps.watch.observe(maps);
  }

  function panelOf(panel, i) {
    const figure = document.createElement("figure");
    figure.innerHTML =
      '<figcaption></figcaption><div class="scale"><span></span><b></b><span></span></div>' +
      '<div class="square"><div class="down"></div><div class="drawing"><svg class="crosses"></svg><canvas role="img"></canvas><svg class="edges"></svg><div class="numbers" aria-hidden="true"></div><div class="rings"></div><i></i></div>' +
      '<div class="across"></div></div>';
    const canvas = figure.querySelector("canvas");
    canvas.tabIndex = i === 0 ? 0 : -1;
    const under = (event) => {
      const [row, column] = cellAt(event, canvas, Number(canvas.dataset.rows), Number(canvas.dataset.columns));
      return { row, column };
    };
    canvas.onmousemove = (event) => maps.read(under(event));
    canvas.onclick = (event) => maps.lock(under(event));
    canvas.onfocus = () => maps.read(maps.at);
    canvas.onkeydown = press;
    return figure;
  }

  function press(event) {
    const step = ARROWS[event.key];
    if (!step && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation(); // the page's own shortcuts stay quiet while a map has the focus
    if (!step) return maps.lock(maps.at);
    const { rows, columns } = event.target.dataset;
    maps.at = { row: within(maps.at.row + step[0], Number(rows)), column: within(maps.at.column + step[1], Number(columns)) };
    maps.read(maps.at);
  }

  function read(cell) {
    if (cell) maps.at = cell;
    show(cell ?? maps.locked);
  }

  function lock(cell) {
    if (!head.locks) return maps.read(cell);
    maps.locked = isLocked(cell) ? null : { row: cell.row, column: head.by_row ? null : cell.column };
    maps.at = cell;
    show(cell);
    setStateValue("cell", maps.locked);
  }

  function isLocked(cell) {
    return maps.locked?.row === cell.row && maps.locked.column === (head.by_row ? null : cell.column);
  }

  function show(cell) {
    status.textContent = cell ? sentence(cell) : head.hint;
    maps.querySelectorAll("i").forEach((mark) => {
      mark.hidden = !cell;
      if (!cell) return;
      const { row, column } = cell;
      frameCell(mark, row ?? 0, column ?? 0, row === null ? 1 : rows, column === null ? 1 : columns);
    });
  }

  function sentence(cell) {
    const { row, column } = cell;
    if (row === null) return `${placed(head.columns, column)} (${head.mark}). ${head.hint}`;
    const from = placed(head.rows, row);
    if (column === null) return `${from} (${head.mark}). ${head.hint}`;
    const mark = isLocked(cell) ? ` (${head.mark})` : "";
    const values = panels.map((panel, i) => `${panel.what} ${written(value(i, row, column), panel.words)}`);
    const ringed = head.rings.some((ring) => ring[0] === row && ring[1] === column) ? `, ${head.ringed}` : "";
    return `${from}, ${placed(head.columns, column)}: ${values.join(", ")}${ringed}${mark}`;
  }

  function value(i, row, column) {
    return floats[(i * rows + row) * columns + column];
  }

  function written(number, words) {
    return words?.[String(number)] ?? inWords(number);
  }

  function draw(panel, i) {
    const figure = maps.children[i];
    const canvas = figure.querySelector("canvas");
    const caption = figure.querySelector("figcaption");
    caption.textContent = panel.title;
    caption.hidden = !panel.title;
    const [low, bar, high] = figure.querySelector(".scale").children;
    figure.querySelector(".scale").hidden = panel.words !== null;
    bar.style.background = `linear-gradient(to right, ${panel.scale})`;
    [low.textContent, high.textContent] = [panel.low, panel.high].map((end) => String(Number(end.toPrecision(3))).replace("-", "−"));
    if (panel.by_row) high.textContent = "the row's largest";
    if (panel.by_row && panel.low < 0) low.textContent = "as far below 0";
    canvas.setAttribute("aria-label", panel.alt);
    Object.assign(canvas.dataset, { rows, columns });
    const drawing = figure.querySelector(".drawing");
    const tall = `${rows * head.row_height}px`;
    Object.assign(drawing.style, head.flat ? { aspectRatio: "auto", height: tall } : { aspectRatio: `${columns} / ${rows}`, minHeight: tall });
    const palette = colours(panel.scale);
    const tops = panel.by_row ? rowTops(i) : null;
    const levels = Array.from(floats.subarray(i * rows * columns, (i + 1) * rows * columns), (number, p) => {
      if (!Number.isFinite(number)) return number;
      const high = tops ? tops[Math.floor(p / columns)] : panel.high;
      const low = panel.low < 0 ? -high : 0;
      return within(Math.round((255 * (number - low)) / (high - low)), 256);
    });
    paint(canvas, levels, palette);
    const longest = Math.max(rows, columns);
    const closed = levels.includes(-Infinity);
    const [crosses, edges] = drawing.querySelectorAll("svg");
    canvas.style.background = closed && longest > CROSSES_UP_TO ? HATCHED : "none";
    tiled(crosses, closed && longest <= CROSSES_UP_TO ? CROSS : "", i);
    tiled(edges, longest <= EDGES_UP_TO ? EDGE(longest) : "", i);
    drawing.querySelector(".rings").replaceChildren(...head.rings.map(ringAt));
    if (head.digits !== null) write(drawing.querySelector(".numbers"), i, levels.map((level) => palette[level]));
  }

  function ringAt([row, column]) {
    const ring = document.createElement("b");
    frameCell(ring, row, column, rows, columns);
    return ring;
  }

  function write(numbers, i, pixels) {
    numbers.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    numbers.replaceChildren(...pixels.map((pixel, p) => {
      const cell = document.createElement("span");
      const number = floats[i * rows * columns + p];
      if (Number.isFinite(number)) cell.textContent = number.toFixed(head.digits).replace(/^-(?=[0.]*$)/, "").replace("-", "−");
      cell.className = isDark(pixel) ? "on-dark" : "on-light";
      return cell;
    }));
    numbers.longest = longestOf([...numbers.children].map((cell) => cell.textContent));
  }

  // Whether white is easier to read on a colour than black: by its luminance, as WCAG has it.
  function isDark(pixel) {
    const [r, g, b] = [0, 8, 16].map((shift) => ((((pixel >> shift) & 255) / 255) ** 2.2));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.18;
  }

  function rowTops(i) {
    return Array.from({ length: rows }, (_, row) => {
      const start = (i * rows + row) * columns;
      return Math.max(1e-9, ...floats.subarray(start, start + columns).filter(Number.isFinite).map(Math.abs));
    });
  }

  // One pixel to a cell, none where it is closed: there the crosses behind it are seen.
  function paint(canvas, levels, palette) {
    Object.assign(canvas, { width: columns, height: rows });
    const context = canvas.getContext("2d");
    const image = context.createImageData(columns, rows);
    const pixels = new Uint32Array(image.data.buffer);
    const empty = background(canvas);
    levels.forEach((level, p) => (pixels[p] = level === -Infinity ? 0 : palette[level] ?? empty));
    context.putImageData(image, 0, 0);
  }

  // A cross in every cell, behind the canvas, or the edges of all cells, before it.
  function tiled(svg, tile, i) {
    const wanted = `${rows}|${columns}|${tile}`;
    if (svg.dataset.wanted === wanted) return;
    svg.dataset.wanted = wanted;
    const id = `${svg.getAttribute("class")}-${i}`;
    svg.innerHTML =
      `<pattern id="${id}" width="${1 / columns}" height="${1 / rows}" viewBox="0 0 20 20" preserveAspectRatio="none">${tile}</pattern>` +
      `<rect width="100%" height="100%" fill="url(#${id})"/>`;
  }

  // The page's own colour, as a pixel: a cell that is not there looks like none.
  function background(canvas) {
    const named = getComputedStyle(canvas).getPropertyValue("--st-background-color").trim();
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(named.slice(at, at + 2), 16));
    return Number.isNaN(r + g + b) ? 0 : (255 << 24) | (b << 16) | (g << 8) | r;
  }

  function labels() {
    const sizes = [...maps.querySelectorAll(".drawing")].map((drawing) => drawing.getBoundingClientRect());
    [...maps.children].forEach((figure, i) => {
      ticks(figure.querySelector(".down"), head.rows, sizes[i].height, "top");
      ticks(figure.querySelector(".across"), head.columns, sizes[i].width, "left");
      const numbers = figure.querySelector(".numbers");
      numbers.hidden = head.digits === null || sizes[i].width / columns < WRITTEN * numbers.longest + 1;
    });
  }

  function ticks(axis, { name, labels: texts, colour }, length, side) {
    const step = Math.max(1, Math.ceil((LABEL * texts.length) / Math.max(length, 1)));
    const wanted = `${step}|${name}|${texts.join("\n")}`;
    if (axis.wanted === wanted) return;
    axis.wanted = wanted;
    const title = document.createElement("em");
    title.textContent = name;
    title.style.color = colour;
    const shown = texts.flatMap((text, at) => {
      if (at % step) return [];
      const tick = document.createElement("span");
      tick.textContent = text;
      tick.style[side] = `${(100 * (at + 0.5)) / texts.length}%`;
      return [tick];
    });
    axis.replaceChildren(title, ...shown);
    axis.style.setProperty("--longest", longestOf(texts));
  }
}
