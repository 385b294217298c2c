// One entry of the browser's history for each page. A page's own choices stand in the URL, too, and
// replace it: so Back leads to the page before, as it was left, and not through every token that was
// locked on the way. The browser also keeps the key to its runs.

const SETTLED = 600; // milliseconds
const YEAR = 365 * 24 * 3600; // seconds
const HASTY = 1000; // milliseconds: a second click so soon may be meant for the page that is being left

export default function ({ data }) {
  // The key to this browser's own runs. Strict: no other site's link or picture sends it along.
  if (!document.cookie.split("; ").some((cookie) => cookie.startsWith(`${data.cookie}=`))) {
    document.cookie = `${data.cookie}=${data.owner}; path=/; max-age=${YEAR}; SameSite=Strict`;
  }
  if (data.misled) return location.reload();
  const { pushState, replaceState } = history;
  if (pushState.perPage) return onTop(data.view);
  // Just before a page is left, Streamlit takes its choices out of the URL, in one go or in several.
  // What was there at the reader's last act is how the page was left, however slow the server is.
  let cleared = null;
  const act = () => {
    if (cleared && performance.now() - cleared.at > HASTY) cleared = null;
  };
  addEventListener("pointerdown", act, true);
  addEventListener("keydown", act, true);
  addEventListener("popstate", () => (cleared = null));

  history.pushState = function (state, title, url) {
    const to = new URL(url ?? "", location.href);
    const here = new URL(location.href);
    if (to.pathname === here.pathname) {
      const gone = [...here.searchParams.keys()].some((name) => !to.searchParams.has(name));
      if (gone) cleared ??= { at: performance.now(), href: here.href };
      return replaceState.call(history, state, title, url);
    }
    if (cleared && new URL(cleared.href).pathname === here.pathname) {
      replaceState.call(history, history.state, "", cleared.href);
    }
    cleared = null;
    return pushState.call(history, state, title, url);
  };
  Object.assign(history.pushState, { perPage: true, view: data.view });
}

// A tour's next step is read from its top, also where the page before was scrolled down; once more
// when the new page stands.
function onTop(view) {
  if (history.pushState.view === view) return;
  history.pushState.view = view;
  const toTop = () => document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
  if (!view) return;
  toTop();
  setTimeout(toTop, SETTLED);
}
