// Every head's pattern as a small canvas. Hover reads a cell; a click (or Enter) locks it, a second
// click unlocks it; arrow keys move within a head, Shift + arrow keys from head to head. Where there
// are several frames, such as the snapshots of a training, a slider draws any of them at once.
// Rows from `open` on are not there yet: they are empty and cannot be chosen.
// The locked cell is the component's state "cell": {head, query, key}, or null.

const MOST = 2.5; // times as long one way as the other: cells of longer patterns are no squares

export default function ({ data, parentElement, setStateValue }) {
  const grid = parentElement.querySelector(".grid");
  const status = parentElement.querySelector(".status");
  const { head, cells } = unpack(data);
  const { names, queries, keys, frames, query_labels, key_labels } = head;
  const size = queries * keys;
  const palette = colours(head.scale);
  const shape = `${names.length}|${queries}|${keys}`;

  if (grid.dataset.shape !== shape) build();
  grid.style.setProperty("--columns", head.columns);
  grid.classList.toggle("growing", head.open < queries);
  Object.assign(grid, { at: head.lock ? { ...head.lock } : grid.at, locked: head.lock, open: head.open });
  grid.at.query = within(grid.at.query, head.open);
  grid.read = read;
  grid.lock = lock;
  scrubber();
  draw();

  function build() {
    grid.dataset.shape = shape;
    grid.at = { head: 0, query: head.open - 1, key: 0 };
    grid.replaceChildren(...names.map((_, i) => panel(i)));
    grid.onmouseleave = () => (status.textContent = sentence(grid.locked));
  }

  function panel(i) {
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    const frame = document.createElement("div");
    const canvas = document.createElement("canvas");
    canvas.width = keys;
    canvas.height = queries;
    canvas.style.aspectRatio = Math.min(Math.max(keys / queries, 1 / MOST), MOST);
    canvas.setAttribute("role", "img");
    canvas.tabIndex = i === 0 ? 0 : -1;
    const mark = document.createElement("i");
    frame.append(canvas, mark);
    figure.append(caption, frame);
    canvas.onmousemove = (event) => grid.read(under(event, canvas, i));
    canvas.onclick = (event) => grid.lock(under(event, canvas, i));
    canvas.onfocus = () => grid.read({ ...grid.at, head: i });
    canvas.onkeydown = (event) => press(event, i);
    return figure;
  }

  function under(event, canvas, i) {
    const [query, key] = cellAt(event, canvas, queries, keys);
    return { head: i, query: within(query, grid.open), key };
  }

  function press(event, i) {
    const step = ARROWS[event.key];
    if (!step && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation(); // the page's own shortcuts stay quiet while a head has the focus
    if (!step) return grid.lock({ ...grid.at, head: i });
    if (event.shiftKey) return focusHead(i + step[1] + step[0] * head.columns);
    grid.at.query = within(grid.at.query + step[0], grid.open);
    grid.at.key = within(grid.at.key + step[1], keys);
    grid.read({ ...grid.at, head: i });
  }

  function focusHead(i) {
    const canvases = grid.querySelectorAll("canvas");
    if (!canvases[i]) return;
    canvases.forEach((canvas, j) => (canvas.tabIndex = j === i ? 0 : -1));
    canvases[i].focus();
  }

  function read(cell) {
    grid.at = cell;
    status.textContent = sentence(cell);
    place(cell, "at");
  }

  function lock(cell) {
    const same = grid.locked && ["head", "query", "key"].every((k) => grid.locked[k] === cell[k]);
    grid.locked = same ? null : cell;
    grid.at = cell;
    place(cell, "at");
    status.textContent = sentence(cell);
    setStateValue("cell", grid.locked);
  }

  function place(cell, kind) {
    [...grid.children].forEach((figure, i) => {
      const mark = figure.querySelector("i");
      const here = cell && i === cell.head;
      const locked = grid.locked && i === grid.locked.head;
      figure.classList.toggle("chosen", i === (grid.locked?.head ?? head.chosen));
      const shown = here && kind === "at" ? cell : locked ? grid.locked : null;
      mark.hidden = !shown;
      if (!shown) return;
      frameCell(mark, shown.query, shown.key, queries, keys);
    });
  }

  function sentence(cell) {
    if (!cell) return head.hint;
    const value = cells[(frameNow() * names.length + cell.head) * size + cell.query * keys + cell.key] / 255;
    const query = `query ${cell.query} "${query_labels[cell.query]}"`;
    const key = `key ${cell.key} "${key_labels[cell.key]}"`;
    const locked = grid.locked && ["head", "query", "key"].every((k) => grid.locked[k] === cell[k]);
    return `${names[cell.head]}: ${query} → ${key}: ${value.toFixed(2)}${locked ? " (locked)" : ""}`;
  }

  function frameNow() {
    const slider = parentElement.querySelector("input");
    return slider ? Number(slider.value) : 0;
  }

  function scrubber() {
    const bar = parentElement.querySelector(".scrub");
    bar.hidden = frames.length < 2;
    if (bar.hidden) return bar.replaceChildren();
    let slider = bar.querySelector("input");
    if (!slider) {
      slider = document.createElement("input");
      slider.type = "range";
      bar.append(slider, document.createElement("output"));
    }
    slider.setAttribute("aria-label", head.frame_name);
    slider.max = frames.length - 1;
    slider.value = head.frame;
    slider.oninput = draw;
    slider.onchange = () => setStateValue("frame", frameNow());
  }

  function draw() {
    const frame = frameNow();
    const output = parentElement.querySelector("output");
    if (output) output.textContent = `${head.frame_name} ${frames[frame]}`;
    grid.querySelectorAll("canvas").forEach((canvas, i) => {
      const context = canvas.getContext("2d");
      const image = context.createImageData(keys, queries);
      const pixels = new Uint32Array(image.data.buffer);
      const start = (frame * names.length + i) * size;
      for (let row = 0; row < head.open * keys; row += keys) {
        const weights = cells.subarray(start + row, start + row + keys);
        const full = head.row_scale ? Math.max(...weights, 1) : 255;
        weights.forEach((level, key) => (pixels[row + key] = palette[Math.round((255 * level) / full)]));
      }
      context.putImageData(image, 0, 0);
      grid.children[i].querySelector("figcaption").textContent = names[i];
      canvas.setAttribute("aria-label", `${names[i]}: ${head.alts[i]}`);
    });
    place(grid.locked, "locked");
    status.textContent = sentence(grid.locked);
  }
}
