// A training, played back: its loss curve with a mark where the model on screen stands. A drag along
// the curve, the arrow keys, or Play move the mark from one kept step to the next.
// Kept steps lie at equal distances, for they are kept at log-spaced steps; the curve is stretched
// between them. State "at": {place, press}, counted as in turns.js.

const PACE = 350; // milliseconds that a step stays on screen while playing, at least
const PAD = 8;
const SVG = "http://www.w3.org/2000/svg";

export default function ({ data, parentElement, setStateValue }) {
  const box = parentElement.querySelector(".replay");
  const status = parentElement.querySelector(".status");
  const fresh = data.press >= (box.press ?? 0);
  if (fresh) Object.assign(box, { place: data.place, press: data.press, arrived: performance.now() });
  Object.assign(box, { data, go, draw, play }); // listeners of the first drawing call the latest
  if (!box.querySelector("svg")) build();
  if (box.run !== data.run) {
    box.run = data.run;
    pause();
  }
  draw();
  if (box.playing && fresh) next();

  function build() {
    const drawing = document.createElementNS(SVG, "svg");
    drawing.tabIndex = 0;
    drawing.setAttribute("role", "slider");
    drawing.onpointerdown = (event) => {
      drawing.setPointerCapture(event.pointerId);
      box.held = true;
      reach(event);
    };
    drawing.onpointermove = (event) => box.held && reach(event);
    drawing.onpointerup = drawing.onpointercancel = () => (box.held = false);
    drawing.onkeydown = press;
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "press", onclick: () => box.play() });
    box.prepend(drawing, button);
    new ResizeObserver(() => box.draw()).observe(drawing);
  }

  function press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { length } = box.data.steps;
    const to = {
      ArrowLeft: box.place - 1,
      ArrowDown: box.place - 1,
      ArrowRight: box.place + 1,
      ArrowUp: box.place + 1,
      Home: 0,
      End: length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // the arrows belong to the page's own steps otherwise
    pause();
    box.go(within(to, length));
  }

  function reach(event) {
    pause();
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const { length } = box.data.steps;
    const share = (event.clientX - left - PAD) / (width - 2 * PAD);
    box.go(within(Math.round(share * (length - 1)), length));
  }

  // While a drag is faster than the page, only its latest place is sent.
  function go(place) {
    if (place === box.place) return;
    Object.assign(box, { place, press: box.press + 1 });
    draw();
    clearTimeout(box.sending);
    box.sending = setTimeout(() => setStateValue("at", { place: box.place, press: box.press }), box.held ? 60 : 0);
  }

  function play() {
    if (box.playing) return pause();
    box.playing = true;
    const last = box.data.steps.length - 1;
    if (box.place === last) box.go(0);
    else next();
    label();
  }

  function pause() {
    box.playing = false;
    clearTimeout(box.ticking);
    label();
  }

  // The next step is asked for when this one is on screen and was there long enough.
  function next() {
    if (box.place === box.data.steps.length - 1) return pause();
    clearTimeout(box.ticking);
    const wait = Math.max(0, PACE - (performance.now() - box.arrived));
    box.ticking = setTimeout(() => box.playing && box.go(box.place + 1), wait);
  }

  function label() {
    const button = box.querySelector("button");
    button.textContent = box.playing ? "❚❚ Pause" : "▶ Play";
    button.setAttribute("aria-label", box.playing ? "Pause the replay" : "Play the training from here");
  }

  function draw() {
    const drawing = box.querySelector("svg");
    const { width, height } = drawing.getBoundingClientRect();
    const { steps, curve, losses } = box.data;
    const highest = Math.max(...curve.map(([, loss]) => loss));
    const lowest = Math.min(...curve.map(([, loss]) => loss));
    const across = (place) => PAD + (place / (steps.length - 1)) * (width - 2 * PAD);
    const up = (loss) => PAD + ((highest - loss) / (highest - lowest || 1)) * (height - 2 * PAD);
    drawing.replaceChildren();
    const made = (name, attributes) => {
      const node = document.createElementNS(SVG, name);
      for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
      drawing.append(node);
      return node;
    };
    steps.forEach((_, place) => made("line", { class: "kept", x1: across(place), x2: across(place), y1: height - 5, y2: height }));
    if (curve.length) made("path", { d: "M" + curve.map(([place, loss]) => `${across(place).toFixed(1)} ${up(loss).toFixed(1)}`).join("L") });
    const x = across(box.place);
    made("line", { class: "now", x1: x, x2: x, y1: 0, y2: height });
    const loss = losses[box.place];
    if (loss !== null) made("circle", { cx: x, cy: up(loss), r: 5 });
    const words = `step ${steps[box.place]}` + (loss === null ? "" : `, loss ${loss.toFixed(3)}`);
    drawing.setAttribute("aria-label", "Training step on screen");
    drawing.setAttribute("aria-valuemin", 0);
    drawing.setAttribute("aria-valuemax", steps.length - 1);
    drawing.setAttribute("aria-valuenow", box.place);
    drawing.setAttribute("aria-valuetext", words);
    status.textContent = words;
  }
}
