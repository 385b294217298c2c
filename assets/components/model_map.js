// The model on screen as a road upward: tokens, embedding, blocks, output. A part is as strongly
// coloured as the vector is long that it writes into the residual stream at one position, and the
// road as wide as the stream there is long. A click on a part triggers "go" with the part's own
// data, and the page leads on.

export default function ({ data, parentElement, setTriggerValue }) {
  const drawing = parentElement.querySelector(".drawing");
  const status = parentElement.querySelector(".status");
  if (drawing.dataset.drawn === JSON.stringify(data)) return;
  drawing.dataset.drawn = JSON.stringify(data);
  drawing.setAttribute("role", "group");
  drawing.setAttribute("aria-label", data.alt);
  const rows = data.rows.map((row, i) => (row.on_road ? station : beside)(row, lane(row, i)));
  drawing.replaceChildren(legend(), ...rows.reverse());
  status.textContent = data.hint;

  function legend() {
    const words = [make("span", "", "0"), make("span", "scale"), make("span", "", data.longest)];
    return make("div", "legend", ...words, make("span", "", data.meaning));
  }

  // The road through row i, below and above its part.
  function lane(row, i) {
    const pieces = [];
    if (i > 0) pieces.push(piece("below", data.rows[i - 1].norm));
    if (i < data.rows.length - 1) pieces.push(piece("above", row.norm));
    return make("div", "lane", ...pieces);
  }

  function piece(side, norm) {
    const road = make("div", `road ${side}`);
    road.style.width = `${3 + 9 * norm}px`;
    return road;
  }

  function station(row, road) {
    road.append(...row.parts.map(box));
    return make("div", "row station", road, make("div", "words", row.label));
  }

  function beside(row, road) {
    const parts = make("div", "parts", ...row.parts.map(box));
    const lines = Math.ceil(row.parts.length / 8);
    parts.style.setProperty("--columns", Math.ceil(row.parts.length / lines));
    const foot = make("div", "foot", ...(row.gate ? [box(row.gate)] : []), make("span", "words", row.label));
    if (row.writes) road.append(make("div", "writes"), make("div", "plus", "+"));
    if (row.reads) road.append(make("div", "reads"));
    const look = `row beside ${row.reads ? "reading" : ""} ${row.gate ? "gated" : ""}`;
    return make("div", look, road, make("div", "side", parts, foot));
  }

  function box(part) {
    const button = make("button", "", part.short);
    const said = `${part.label}: ${part.about}`;
    button.type = "button";
    button.setAttribute("aria-label", said);
    button.style.setProperty("--strength", `${Math.round(50 * part.strength)}%`);
    button.onclick = () => setTriggerValue("go", part.go);
    button.onmouseenter = button.onfocus = () => (status.textContent = said);
    button.onmouseleave = button.onblur = () => (status.textContent = data.hint);
    return button;
  }
}

function make(tag, name, ...inside) {
  const node = document.createElement(tag);
  node.className = name;
  node.append(...inside); // strings become text, never markup
  return node;
}
