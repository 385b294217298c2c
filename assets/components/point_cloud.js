// Points in space. A drag or the arrow keys turn them, + and - bring them nearer, a hover reads one,
// and Enter reads one marked point after the other; buttons do what a finger has no key for.
// It is drawn without WebGL: it stands at once, also in a browser that has none.
// What is further away is smaller and paler. Three lines through the middle are the axes.

const REACH = 14; // pixels from a point within which it is read
const LETTER = [6.6, 14]; // pixels: width and height of one, about
const STEP = Math.PI / 18; // an arrow key
const EYE = 3.4; // its distance from the middle; the outermost point is at 1
const AXIS = 1.15; // half of an axis

export default function ({ data, parentElement }) {
  const cloud = parentElement.querySelector(".cloud");
  const status = parentElement.querySelector(".status");
  const { head, cells } = unpack(data);
  const points = placed(floatsOf(cells));
  const marked = new Set(head.marked);
  cloud.view ??= { yaw: 0.7, pitch: 0.45, zoom: 1 };
  Object.assign(cloud, { draw, read, act });
  if (!cloud.firstChild) build();
  const canvas = cloud.querySelector("canvas");
  canvas.setAttribute("aria-label", head.alt);
  cloud.reading = undefined;
  draw();
  read(null);

  function build() {
    const made = document.createElement("canvas");
    made.tabIndex = 0;
    made.setAttribute("role", "img");
    const buttons = document.createElement("div");
    buttons.className = "buttons";
    for (const [name, key] of [["Nearer", "+"], ["Further", "-"], ["Next point", "Enter"]]) {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "press", textContent: name, onclick: () => cloud.act(key) });
      buttons.append(button);
    }
    cloud.append(made, buttons);
    new ResizeObserver(() => cloud.draw()).observe(cloud);
    let from = null;
    made.onpointerdown = (event) => {
      from = { x: event.clientX, y: event.clientY, ...cloud.view };
      made.setPointerCapture(event.pointerId);
    };
    made.onpointerup = made.onpointercancel = () => (from = null);
    made.onpointermove = (event) => {
      if (!from) return cloud.read(event);
      const up = event.pointerType === "touch" ? 0 : event.clientY - from.y; // a finger scrolls
      turn(from.yaw + (event.clientX - from.x) / 150, from.pitch + up / 150);
    };
    made.onclick = (event) => cloud.read(event);
    made.onmouseleave = () => cloud.read(null);
    made.onkeydown = press;
  }

  function press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !cloud.act(event.key)) return;
    event.preventDefault();
    event.stopPropagation(); // the page's own shortcuts stay quiet while the cloud has the focus
  }

  function act(key) {
    const step = ARROWS[key];
    const nearer = { "+": 1.2, "=": 1.2, "-": 1 / 1.2 }[key];
    if (key === "Enter") return readNext();
    if (!step && !nearer) return false;
    const { view } = cloud;
    view.zoom = Math.min(20, Math.max(0.5, view.zoom * (nearer ?? 1)));
    turn(view.yaw + STEP * (step?.[1] ?? 0), view.pitch + STEP * (step?.[0] ?? 0));
    return true;
  }

  function readNext() {
    const rows = head.marked.length ? head.marked : points.map(({ i }) => i);
    cloud.reading = rows[(rows.indexOf(cloud.reading) + 1) % rows.length];
    say(points[cloud.reading]);
    draw();
    return true;
  }

  function turn(yaw, pitch) {
    Object.assign(cloud.view, { yaw, pitch: Math.max(-Math.PI / 2, Math.min(Math.PI / 2, pitch)) });
    cloud.next ??= requestAnimationFrame(() => {
      cloud.next = null;
      cloud.draw();
    });
  }

  // The middle of all is at 0, the outermost at a distance of 1; a unit is as long on every axis.
  function placed(numbers) {
    const rows = Array.from({ length: numbers.length / 3 }, (_, i) => [...numbers.subarray(3 * i, 3 * i + 3)]);
    const lows = [0, 1, 2].map((axis) => rows.reduce((low, row) => Math.min(low, row[axis]), Infinity));
    const highs = [0, 1, 2].map((axis) => rows.reduce((high, row) => Math.max(high, row[axis]), -Infinity));
    const middle = lows.map((low, axis) => (low + highs[axis]) / 2);
    const centred = rows.map((row) => row.map((value, axis) => value - middle[axis]));
    const most = centred.reduce((far, row) => Math.max(far, Math.hypot(...row)), 1e-9);
    return centred.map((row, i) => ({ i, values: rows[i], at: row.map((value) => value / most) }));
  }

  // Where on the canvas a place in space is seen, and how large (more than 1: nearer than the middle).
  function seen([x, y, z], { width, height }) {
    const { yaw, pitch, zoom } = cloud.view;
    const across = x * Math.cos(yaw) + y * Math.sin(yaw);
    const away = y * Math.cos(yaw) - x * Math.sin(yaw);
    const up = z * Math.cos(pitch) + away * -Math.sin(pitch);
    const size = EYE / (EYE + away * Math.cos(pitch) + z * Math.sin(pitch));
    const scale = 0.42 * Math.min(width, height) * zoom * size;
    return { x: width / 2 + across * scale, y: height / 2 - up * scale, size };
  }

  function draw() {
    if (!cloud.isConnected) return;
    const box = canvas.getBoundingClientRect();
    const dots = window.devicePixelRatio || 1;
    Object.assign(canvas, { width: box.width * dots, height: box.height * dots });
    const context = canvas.getContext("2d");
    context.scale(dots, dots);
    const style = getComputedStyle(cloud);
    const text = style.getPropertyValue("--st-text-color");
    context.font = `12px ${style.getPropertyValue("--st-font")}`;
    context.textBaseline = "middle";
    cloud.taken = []; // where words stand already
    axes(context, box, text);
    cloud.places = points.map(({ at }) => seen(at, box));
    if (head.path) path(context);
    const nearestLast = [...points].sort((a, b) => cloud.places[a.i].size - cloud.places[b.i].size);
    for (const front of [false, true]) {
      for (const { i } of nearestLast) if (marked.has(i) === front) dot(context, i, front);
    }
    context.globalAlpha = 1;
    ring(context, head.lock, 10);
    ring(context, cloud.reading, 14);
    words(context, nearestLast.filter(({ i }) => marked.has(i)).reverse(), text, style);
    Object.assign(canvas.dataset, { yaw: cloud.view.yaw.toFixed(3), pitch: cloud.view.pitch.toFixed(3), zoom: cloud.view.zoom.toFixed(2) });
  }

  function axes(context, box, text) {
    context.strokeStyle = "#808080";
    context.fillStyle = text;
    head.axes.forEach((name, axis) => {
      const end = [0, 1, 2].map((other) => (other === axis ? AXIS : 0));
      const [a, b] = [seen(end.map((value) => -value), box), seen(end, box)];
      context.globalAlpha = 0.6;
      context.beginPath();
      context.moveTo(a.x, a.y);
      context.lineTo(b.x, b.y);
      context.stroke();
      context.globalAlpha = 1;
      const width = LETTER[0] * name.length;
      const [x, y] = [Math.min(b.x + 4, box.width - width), Math.max(8, Math.min(box.height - 8, b.y - 8))];
      context.fillText(name, x, y);
      cloud.taken.push(boxOf(x, y, name));
    });
  }

  function path(context) {
    context.globalAlpha = 0.5;
    context.beginPath();
    cloud.places.forEach(({ x, y }) => context.lineTo(x, y));
    context.stroke();
  }

  function dot(context, i, front) {
    const { x, y, size } = cloud.places[i];
    const radius = size * (front ? 5 : marked.size ? 3 : 4);
    context.globalAlpha = front ? 1 : within(Math.round(100 * (size - 0.6)), 100) / 100 + 0.15;
    context.fillStyle = front ? head.colours[1] : head.colours[0];
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
  }

  function ring(context, i, radius) {
    const place = cloud.places[i];
    if (!place) return;
    context.strokeStyle = head.colours[1];
    context.lineWidth = 3;
    context.beginPath();
    context.arc(place.x, place.y, radius, 0, 2 * Math.PI);
    context.stroke();
    context.lineWidth = 1;
  }

  // The nearest come first; a label that would cover another is left to the hover.
  function words(context, rows, text, style) {
    context.fillStyle = text;
    context.strokeStyle = style.getPropertyValue("--st-background-color");
    context.lineWidth = 3; // the page's own colour around each letter, where points are dense
    context.lineJoin = "round";
    const asked = rows.filter(({ i }) => i === head.lock);
    for (const { i } of [...asked, ...rows]) {
      const { x, y } = cloud.places[i];
      const label = head.labels[i];
      const box = boxOf(x + 9, y, label);
      if (cloud.taken.some(([l, t, r, b]) => box[0] < r && l < box[2] && box[1] < b && t < box[3])) continue;
      cloud.taken.push(box);
      context.strokeText(label, x + 9, y);
      context.fillText(label, x + 9, y);
    }
  }

  function boxOf(x, y, word) {
    return [x, y - LETTER[1] / 2, x + LETTER[0] * word.length, y + LETTER[1] / 2];
  }

  function read(event) {
    const point = event && under(event);
    if (point || cloud.reading === undefined) say(point);
  }

  function say(point) {
    if (!point) return void (status.textContent = head.hint);
    const numbers = point.values.map((value) => value.toFixed(3).replace("-", "−")).join(", ");
    status.textContent = `${head.what} ${head.labels[point.i]}: ${numbers}`;
  }

  function under({ clientX, clientY }) {
    const box = canvas.getBoundingClientRect();
    const away = ({ i }) => Math.hypot(cloud.places[i].x - clientX + box.left, cloud.places[i].y - clientY + box.top);
    const nearest = points.reduce((best, point) => (away(point) < away(best) ? point : best), points[0]);
    return away(nearest) <= REACH ? nearest : null;
  }
}
