// A model as a road upward: tokens, embedding, blocks, output; or as two roads, of which the second
// asks the first. A part is as strongly coloured as the vector is long that it writes into the
// residual stream at one position, and the road as wide as the stream there is long. A click on a
// part triggers "go" with the part's own data, and the page leads on.

const CORNER = 8; // pixels between the top of the first road and the line that leaves it

export default function ({ data, parentElement, setTriggerValue }) {
  const drawing = parentElement.querySelector(".drawing");
  const status = parentElement.querySelector(".status");
  if (drawing.dataset.drawn === JSON.stringify(data)) return;
  drawing.dataset.drawn = JSON.stringify(data);
  drawing.setAttribute("role", "group");
  drawing.setAttribute("aria-label", data.alt);
  const roads = make("div", data.roads.length > 1 ? "roads two" : "roads", ...data.roads.map(stack));
  drawing.replaceChildren(legend(), roads);
  status.textContent = data.hint;
  if (data.roads.length > 1) join();

  function legend() {
    const words = [make("span", "", "0"), make("span", "scale"), make("span", "", data.longest)];
    return make("div", "legend", ...words, make("span", "", data.meaning));
  }

  function stack({ name, rows }) {
    const drawn = rows.map((row, i) => (row.on_road ? station : beside)(row, lane(rows, i)));
    return make("div", "stack", ...(name ? [make("div", "name", name)] : []), ...drawn.reverse());
  }

  // The road through row i, below and above its part.
  function lane(rows, i) {
    const pieces = [];
    if (i > 0) pieces.push(piece("below", rows[i - 1].norm));
    if (i < rows.length - 1) pieces.push(piece("above", rows[i].norm));
    return make("div", "lane", ...pieces);
  }

  function piece(side, norm) {
    const road = make("div", `road ${side}`);
    road.style.width = `${3 + 9 * norm}px`;
    return road;
  }

  function station(row, road) {
    road.append(...row.parts.map(box));
    const look = `row station ${row.slim ? "slim" : ""}`;
    return make("div", look, road, make("div", "words", row.label));
  }

  function beside(row, road) {
    const parts = make("div", "parts", ...row.parts.map(box));
    const lines = Math.ceil(row.parts.length / 8);
    parts.style.setProperty("--columns", Math.ceil(row.parts.length / lines));
    const foot = make("div", "foot", ...row.gates.map(box), make("span", "words", row.label));
    if (row.writes) road.append(make("div", "writes"), make("div", "plus", "+"));
    if (row.reads) foot.append(make("div", "reads"));
    const looks = { reading: row.reads, gated: row.gates.length, asking: row.asks };
    const look = Object.keys(looks).filter((name) => looks[name]);
    return make("div", ["row", "beside", ...look].join(" "), road, make("div", "side", parts, foot));
  }

  function box(part) {
    const button = make("button", "", part.short);
    const said = `${part.label}: ${part.about}`;
    button.type = "button";
    button.setAttribute("aria-label", said);
    button.style.setProperty("--strength", `${Math.round(50 * part.strength)}%`);
    if (part.go) button.onclick = () => setTriggerValue("go", part.go);
    else button.setAttribute("aria-disabled", "true"); // it only tells what it is
    button.onmouseenter = button.onfocus = () => (status.textContent = said);
    button.onmouseleave = button.onblur = () => (status.textContent = data.hint);
    return button;
  }

  // A line from the top of the first road to every row of the second that asks it.
  function join() {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("aria-hidden", "true");
    roads.append(svg);
    const watch = new ResizeObserver(() => (roads.isConnected ? draw() : watch.disconnect()));
    watch.observe(roads);

    function draw() {
      const zero = roads.getBoundingClientRect();
      const [first, second] = roads.querySelectorAll(".stack");
      const top = first.querySelector(".station button").getBoundingClientRect();
      const middle = top.left + top.width / 2 - zero.left;
      const above = top.top - zero.top - CORNER;
      const between =
        (first.getBoundingClientRect().right + second.getBoundingClientRect().left) / 2 - zero.left;
      const lines = [...second.querySelectorAll(".asking .parts")].map((parts) => {
        const to = parts.firstElementChild.getBoundingClientRect();
        const y = to.top + to.height / 2 - zero.top;
        const x = to.left - zero.left;
        return (
          `M${middle} ${top.top - zero.top}V${above}H${between}V${y}H${x - 2}` +
          `M${x - 9} ${y - 5}L${x - 2} ${y}L${x - 9} ${y + 5}`
        );
      });
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", lines.join(""));
      svg.replaceChildren(path);
    }
  }
}

function make(tag, name, ...inside) {
  const node = document.createElement(tag);
  node.className = name;
  node.append(...inside); // strings become text, never markup
  return node;
}
