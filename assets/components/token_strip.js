// A prompt as a row of tokens. Hovering or focusing one shows its row of weights on all others;
// a click (or Enter) locks it, a second click unlocks it. Without weights, each token carries its
// own value, or none. Of a long prompt only the ends are in view, if the page wants it so, until all
// are asked for. The locked index is the component's state "index".

const SHORT = 4; // fewer tokens than these are never left out

export default function ({ data, parentElement, setStateValue }) {
  const strip = parentElement.querySelector(".strip");
  const all = parentElement.querySelector(".all");
  const status = parentElement.querySelector(".status");
  const { head, cells } = unpack(data);
  const floats = floatsOf(cells);
  const { labels, weighted, lock, phrase, unit } = head;
  const count = labels.length;

  if (strip.dataset.labels !== JSON.stringify(labels)) build();
  strip.setAttribute("aria-label", head.name);
  strip.classList.toggle("plain", !head.numbered);
  strip.locked = lock;
  fold();
  strip.show = show;
  strip.toggle = toggle;
  show(lock);

  function build() {
    strip.dataset.labels = JSON.stringify(labels);
    strip.tokens = labels.map(token);
    strip.out = null;
    strip.whole = false;
    strip.onmouseleave = () => strip.show(strip.locked);
    all.onclick = () => {
      strip.whole = !strip.whole;
      fold();
    };
  }

  // The tokens in view, and between them how many are not.
  function fold() {
    const ends = head.ends ?? count;
    const far = (i) => i >= ends && i < count - ends && i !== strip.locked;
    const runs = []; // of neighbours, all far or all near
    labels.forEach((_, i) => {
      if (i === 0 || far(i) !== far(i - 1)) runs.push([]);
      runs.at(-1).push(i);
    });
    const long = runs.filter((run) => far(run[0]) && run.length >= SHORT);
    const out = strip.whole ? [] : long;
    all.hidden = !long.length;
    all.textContent = strip.whole ? "Show the ends only" : `Show all ${count} tokens`;
    if (strip.out === JSON.stringify(out)) return; // what has the focus keeps it
    strip.out = JSON.stringify(out);
    const focused = strip.getRootNode().activeElement;
    strip.replaceChildren(
      ...runs.flatMap((run) => (out.includes(run) ? [gap(run.length)] : run.map((i) => strip.tokens[i])))
    );
    if (focused?.isConnected && strip.contains(focused)) focused.focus();
    if (!inView().some((token) => token.tabIndex === 0)) inView()[0].tabIndex = 0;
  }

  function inView() {
    return strip.tokens.filter((token) => token.isConnected);
  }

  function gap(left) {
    const node = document.createElement("span");
    node.className = "gap";
    node.setAttribute("aria-hidden", "true"); // the button below says it
    node.textContent = `⋯ ${left} ⋯`;
    return node;
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
    const seen = inView();
    const [at, last] = [seen.indexOf(strip.tokens[i]), seen.length - 1];
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // the page's own shortcuts stay quiet while the strip has the focus
    const next = seen[Math.max(0, Math.min(last, to))];
    for (const other of strip.tokens) other.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  function toggle(i) {
    strip.locked = strip.locked === i ? null : i;
    strip.show(strip.locked ?? i);
    setStateValue("index", strip.locked);
  }

  function show(from) {
    const row = weighted ? rowOf(from) : head.numbered ? floats : null;
    const largest = weighted ? 1 : Math.max(...floats.map(Math.abs), 1e-9);
    strip.tokens.forEach((button, j) => {
      const value = row ? row[j] : null;
      const strength = value === null ? 0 : Math.min(1, Math.abs(value) / largest);
      button.style.setProperty("--strength", `${Math.round(strength * 50)}%`);
      button.lastChild.textContent = value === null ? "" : value.toFixed(2);
      button.setAttribute("aria-selected", j === strip.locked);
      button.classList.toggle("from", weighted && j === from);
      button.title = `${j}: ${labels[j]}${value === null ? "" : `  ${value.toFixed(4)}`}`;
    });
    status.textContent = row && weighted ? sentence(from, row) : head.hint;
    status.hidden = !head.numbered;
  }

  function rowOf(from) {
    return from === null ? null : floats.subarray(from * count, (from + 1) * count);
  }

  function sentence(from, row) {
    const order = [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, 3);
    const shares = order.filter((j) => row[j] > 0).map((j) => `${j} "${labels[j]}" ${row[j].toFixed(3)}`);
    const locked = strip.locked === from ? " (locked)" : "";
    return `${from} "${labels[from]}"${locked} ${phrase} ${shares.join(", ") || "nothing"}${unit}`;
  }
}
