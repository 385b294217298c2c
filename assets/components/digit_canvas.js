// A square of cells to draw on; ink lies on the canvas until a stroke is over, then goes to Python.

const EDGE_INK = 0.35; // beside a stroke, as scaled-down handwriting has it

export default function ({ data, parentElement, setStateValue }) {
  const { head } = unpack(data);
  const canvas = parentElement.querySelector("canvas");
  const status = parentElement.querySelector(".status");
  const { side } = head;
  canvas.ink ??= new Array(side * side).fill(0);
  canvas.at ??= [0, 0];
  canvas.setAttribute("aria-label", head.alt);
  status.textContent ||= head.hint;
  const palette = colours(head.scale);
  paint();

  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    canvas.drawing = true;
    stroke(cellAt(event, canvas, side, side));
  };
  canvas.onpointermove = (event) => canvas.drawing && stroke(cellAt(event, canvas, side, side));
  canvas.onpointerup = canvas.onpointercancel = () => {
    if (canvas.drawing) send();
    canvas.drawing = false;
  };
  canvas.onkeydown = (event) => {
    const step = ARROWS[event.key];
    if (!step && event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation(); // the page's own shortcuts stay quiet while the canvas has the focus
    if (step) {
      canvas.at = canvas.at.map((place, axis) => within(place + step[axis], side));
    } else {
      stroke(canvas.at);
      send();
    }
    const [row, column] = canvas.at;
    status.textContent = `row ${row}, column ${column}: ink ${canvas.ink[row * side + column].toFixed(2)}`;
  };

  function stroke([row, column]) {
    canvas.at = [row, column];
    [[0, 0, 1], ...Object.values(ARROWS).map((step) => [...step, EDGE_INK])].forEach(([down, right, ink]) => {
      const [r, c] = [row + down, column + right];
      if (r < 0 || c < 0 || r >= side || c >= side) return;
      canvas.ink[r * side + c] = Math.max(canvas.ink[r * side + c], ink);
    });
    paint();
  }

  function send() {
    setStateValue("ink", [...canvas.ink]);
  }

  function paint() {
    Object.assign(canvas, { width: side, height: side });
    const context = canvas.getContext("2d");
    const image = context.createImageData(side, side);
    const pixels = new Uint32Array(image.data.buffer);
    canvas.ink.forEach((ink, p) => (pixels[p] = palette[Math.round(255 * ink)]));
    context.putImageData(image, 0, 0);
  }
}
