// What several components use; it stands before each of their scripts.

function unpack(data) {
  const length = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)));
  return { head, cells: data.subarray(4 + length) };
}

function floatsOf(bytes) {
  return new Float32Array(bytes.slice().buffer); // a copy starts at offset 0, as floats must
}

// 256 colours along a scale of hex colours, as pixels of an ImageData.
function colours(scale) {
  const rgb = scale.map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  return Uint32Array.from({ length: 256 }, (_, level) => {
    const place = (level / 255) * (rgb.length - 1);
    const low = Math.min(Math.floor(place), rgb.length - 2);
    const [r, g, b] = rgb[low].map((from, c) => Math.round(from + (place - low) * (rgb[low + 1][c] - from)));
    return (255 << 24) | (b << 16) | (g << 8) | r; // little endian: alpha, blue, green, red
  });
}

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function within(place, count) {
  return Math.max(0, Math.min(count - 1, place));
}

// The cell under the mouse, as [row, column].
function cellAt(event, canvas, rows, columns) {
  const box = canvas.getBoundingClientRect();
  const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
  const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
  return [within(row, rows), within(column, columns)];
}

function frameCell(mark, row, column, rows, columns) {
  mark.style.left = `${(100 * column) / columns}%`;
  mark.style.top = `${(100 * row) / rows}%`;
  mark.style.width = `${100 / columns}%`;
  mark.style.height = `${100 / rows}%`;
}

// One row or column, or one token of an axis, in words: query 3 "the".
function placed({ name, labels, first }, index) {
  const label = labels[index];
  if (!name) return label;
  if (first === null) return `${name} "${label}"`;
  const number = String(first + index);
  return label === number ? `${name} ${number}` : `${name} ${number} "${label}"`;
}

// A number as a reader hears it.
function inWords(number) {
  if (Number.isNaN(number)) return "not there";
  return number === -Infinity ? "−∞" : number.toFixed(4).replace("-", "−");
}

// Letters of the longest label, an East Asian one or an emoji counted twice.
function longestOf(labels) {
  return Math.max(...labels.map((label) => [...label].reduce((sum, char) => sum + (char > "\u1100" ? 2 : 1), 0)));
}
