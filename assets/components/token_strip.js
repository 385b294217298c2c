// A prompt as a row of tokens. Hovering or focusing one shows its row of weights on all others;
// a click (or Enter) locks it, a second click unlocks it. Without weights, each token carries its
// own value. The locked index is the component's state "index".

export default function ({ data, parentElement, setStateValue }) {
  const strip = parentElement.querySelector(".strip");
  const status = parentElement.querySelector(".status");
  const { head, cells } = unpack(data);
  const floats = floatsOf(cells);
  const { labels, weighted, lock, phrase, unit } = head;
  const count = labels.length;

  if (strip.dataset.labels !== JSON.stringify(labels)) build();
  strip.setAttribute("aria-label", head.name);
  strip.locked = lock;
  strip.show = show;
  strip.toggle = toggle;
  show(lock);

  function build() {
    strip.dataset.labels = JSON.stringify(labels);
    strip.replaceChildren(...labels.map(token));
    strip.onmouseleave = () => strip.show(strip.locked);
  }

  function token(label, i) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("role", "option");
    button.tabIndex = i === (lock ?? 0) ? 0 : -1;
    const text = document.createElement("span");
    text.textContent = label;
    const value = document.createElement("small");
    button.append(text, value);
    button.onmouseenter = () => strip.show(i);
    button.onfocus = () => strip.show(i);
    button.onclick = () => strip.toggle(i);
    button.onkeydown = (event) => move(event, i);
    return button;
  }

  function move(event, i) {
    const last = strip.children.length - 1;
    const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // the page's own shortcuts stay quiet while the strip has the focus
    const next = strip.children[Math.max(0, Math.min(last, to))];
    for (const other of strip.children) other.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  function toggle(i) {
    strip.locked = strip.locked === i ? null : i;
    strip.show(strip.locked ?? i);
    setStateValue("index", strip.locked);
  }

  function show(from) {
    const row = !weighted ? floats : from === null ? null : floats.subarray(from * count, (from + 1) * count);
    const largest = weighted ? 1 : Math.max(...floats.map(Math.abs), 1e-9);
    [...strip.children].forEach((button, j) => {
      const value = row ? row[j] : null;
      const strength = value === null ? 0 : Math.min(1, Math.abs(value) / largest);
      button.style.setProperty("--strength", `${Math.round(strength * 50)}%`);
      button.lastChild.textContent = value === null ? "" : value.toFixed(2);
      button.setAttribute("aria-selected", j === strip.locked);
      button.classList.toggle("from", weighted && j === from);
      button.title = `${j}: ${labels[j]}${value === null ? "" : `  ${value.toFixed(4)}`}`;
    });
    status.textContent = row && weighted ? sentence(from, row) : head.hint;
  }

  function sentence(from, row) {
    const order = [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, 3);
    const shares = order.filter((j) => row[j] > 0).map((j) => `${j} "${labels[j]}" ${row[j].toFixed(3)}`);
    const locked = strip.locked === from ? " (locked)" : "";
    return `${from} "${labels[from]}"${locked} ${phrase} ${shares.join(", ") || "nothing"}${unit}`;
  }
}
