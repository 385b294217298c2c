// Buttons and arrow keys that go to another place. The place is counted here, and sent as a whole
// number, so that no press is lost while the server is still drawing the one before.
// State "at": {place, press}; the server answers with the last press that it has seen, and what it
// says about the place is news only when that is the latest. A button with `every` plays: it goes
// forward by itself, every so many milliseconds and never ahead of the server, up to the end or
// until anything is pressed; at the end it begins anew.

const PAUSE = 150; // milliseconds between two messages while a key is held
const OWN_ARROWS = "input, textarea, select, [contenteditable], [role=slider], [role=radio], [role=tab], [role=option], [role=gridcell]";

export default function ({ data, parentElement, setStateValue }) {
  const row = parentElement.querySelector(".turns");
  const status = parentElement.querySelector(".status");
  if (data.press >= (row.press ?? 0)) Object.assign(row, { place: data.place, press: data.press });
  Object.assign(row, { data, turn, go, stop });
  const names = data.buttons.map(({ name }) => name).join("|");
  if (row.dataset.names !== names) build();
  show();

  function build() {
    row.dataset.names = names;
    row.replaceChildren(...data.buttons.map(button));
    row.listening?.abort();
    row.listening = new AbortController();
    const { signal } = row.listening;
    // The steps' own names take the arrows for themselves once they were clicked: come before them.
    document.addEventListener("keydown", (event) => press(event, true), { capture: true, signal });
    document.addEventListener("keydown", (event) => press(event, false), { signal });
  }

  function button({ name }, i) {
    const made = document.createElement("button");
    Object.assign(made, { type: "button", className: "press" });
    made.textContent = name;
    made.onclick = () => row.turn(i);
    return made;
  }

  function press(event, first) {
    if (!row.isConnected) return row.listening.abort();
    const i = row.data.buttons.findIndex(({ key }) => key === event.key);
    if (i < 0 || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const path = event.composedPath();
    const ours = path.some((node) => node.classList?.contains(row.data.beside));
    if (first !== ours || event.defaultPrevented) return;
    if (!ours && path[0].matches?.(OWN_ARROWS)) return;
    event.preventDefault();
    event.stopPropagation();
    row.turn(i);
  }

  function turn(i) {
    const wasPlaying = row.playing !== undefined;
    row.stop();
    const { every } = row.data.buttons[i];
    if (!every) return go(target(row.data.buttons[i]));
    if (!wasPlaying) play(every);
  }

  function play(every) {
    if (row.place === row.data.last) row.go(0);
    row.playing = setInterval(() => {
      if (!row.isConnected || row.place === row.data.last) return row.stop();
      if (row.data.press >= row.press) row.go(row.place + 1);
    }, every);
    show();
  }

  function stop() {
    clearInterval(row.playing);
    row.playing = undefined;
    show();
  }

  function go(place) {
    if (place === row.place) return;
    Object.assign(row, { place, press: row.press + 1 });
    show();
    const wait = (row.sent ?? -PAUSE) + PAUSE - performance.now();
    clearTimeout(row.waiting);
    if (wait > 0) row.waiting = setTimeout(send, wait);
    else send();
  }

  function send() {
    row.sent = performance.now();
    setStateValue("at", { place: row.place, press: row.press });
  }

  function target({ by, to, row: length }) {
    const place = length ? (Math.floor(row.place / length) + 1) * length : to ?? row.place + by;
    return within(place, row.data.last + 1);
  }

  function show() {
    [...row.children].forEach((button, i) => {
      const { name, every } = row.data.buttons[i];
      button.disabled = every ? row.data.last === 0 : target(row.data.buttons[i]) === row.place;
      if (every) button.textContent = row.playing === undefined ? name : "Pause";
    });
    const { name, first, last } = row.data;
    status.textContent = `${name} ${row.place + first} of ${last + first}`;
  }
}
