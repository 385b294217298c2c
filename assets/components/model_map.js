// The model on screen as a road upward: tokens, embedding, blocks, unembedding. A part is as bright
// as what it writes into the residual stream at the last position is large; a click on a part
// triggers "go" with the part's own data, and the page leads on.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 560;
const ROAD = 56; // x of the residual stream
const ROW = 78; // height of one half block

export default function ({ data, parentElement, setTriggerValue }) {
  const drawing = parentElement.querySelector(".drawing");
  const status = parentElement.querySelector(".status");
  if (drawing.dataset.drawn === JSON.stringify(data)) return;
  drawing.dataset.drawn = JSON.stringify(data);
  const rows = data.rows; // from the tokens upward: {label, parts: [{label, about, strength, go}]}
  const height = rows.length * ROW + 16;
  const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "group", "aria-label": data.alt });
  svg.append(...rows.flatMap((row, i) => stream(row, i, height)));
  svg.append(...rows.flatMap((row, i) => boxes(row, height - (i + 1) * ROW)));
  drawing.replaceChildren(svg);
  status.textContent = data.hint;

  function stream(row, i, height) {
    if (i === rows.length - 1) return [];
    const y = height - (i + 0.5) * ROW - 8;
    const line = make("line", { x1: ROAD, x2: ROAD, y1: y, y2: y - ROW, class: "road" });
    line.style.strokeWidth = 3 + 9 * row.norm;
    return [line];
  }

  function boxes(row, y) {
    const left = row.on_road ? ROAD - 46 : ROAD + 60;
    const room = WIDTH - left - 10;
    const gap = 6;
    const wide = row.on_road ? 92 : Math.min(120, (room - 76 - gap * (row.parts.length - 1)) / row.parts.length);
    const items = row.parts.map((part, i) => box(part, left + i * (wide + gap), y, wide));
    if (row.on_road) return [...items, words(row.label, left + 104, y + 38)];
    const reach = left + row.parts.length * (wide + gap);
    return [
      make("path", { class: "branch", d: `M ${ROAD} ${y + 64} H ${left - 12} V ${y + 34} H ${left}` }),
      make("path", { class: "branch", d: `M ${left} ${y + 18} H ${ROAD + 12}` }),
      make("text", { x: ROAD, y: y + 24, class: "plus" }, "+"),
      ...items,
      words(row.label, reach + 4, y + 32),
    ];
  }

  function box(part, x, y, wide) {
    const group = make("g", { role: "button", tabindex: 0, "aria-label": `${part.label}: ${part.about}` });
    const rect = make("rect", { x, y: y + 8, width: wide, height: 40, rx: 6 });
    rect.style.setProperty("--strength", `${Math.round(75 * part.strength)}%`);
    group.append(rect, make("text", { x: x + wide / 2, y: y + 32, class: "name" }, part.short ?? part.label));
    const go = () => setTriggerValue("go", part.go);
    const tell = () => (status.textContent = `${part.label}: ${part.about}`);
    Object.assign(group, { onclick: go, onmouseenter: tell, onfocus: tell });
    group.onkeydown = (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      go();
    };
    return group;
  }

  function words(text, x, y) {
    return make("text", { x, y, class: "label" }, text);
  }
}

function make(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}
