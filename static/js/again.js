// A page that waits for something asks for itself again and puts in what has changed: nobody loses their
// place on it, and its state is said as it turns. Without scripts the browser loads the page anew.

import { find } from "./dom.js";
import { redraw } from "./redraw.js";

const PATIENCE_MS = 15000;

const asks = (page) => find("script[data-again]", page);
const place = (page) => find("[data-again-place]", page) ?? find("main", page);

async function look() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok || answer.redirected) return location.reload();
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  redraw(place(document), ...place(next).children);
  return wait(asks(next));
}

// Nobody looks at a page in the background, and a network that is away may come back.
function wait(script) {
  if (script) setTimeout(() => (document.hidden ? wait(script) : look().catch(() => wait(script))), script.dataset.again * 1000);
}

wait(asks(document));
