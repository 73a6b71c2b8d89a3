// A station's page keeps itself up to date: every few seconds the parts in sight are asked for, and
// those that look different by now are put in. Without this script the page is as of its loading.

import { find, findAll } from "../dom.js";

const REFRESH_MS = 2000;
const REST_MS = 15000;

const page = find("[data-parts]");
const inSight = new Set();

function watchSight() {
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) inSight.add(target);
      else inSight.delete(target);
    }
  });
  for (const body of findAll("[data-part]", page)) watcher.observe(body);
}

// Who reads an opened message, has the keyboard in a part or has written something there, is not interrupted.
function mayChange(body) {
  return !find("details[open]", body) && !body.contains(document.activeElement) && !findAll("input, textarea", body).some(isWritten);
}

const isWritten = ({ value, defaultValue, checked, defaultChecked }) => value !== defaultValue || checked !== defaultChecked;

async function refresh() {
  const bodies = [...inSight].filter(mayChange);
  if (!bodies.length) return;
  const asked = new URLSearchParams(bodies.map((body) => ["part", `${body.dataset.part}~${body.dataset.digest}`]));
  const answer = await fetch(`${page.dataset.parts}?${asked}`, {
    headers: { Accept: "application/json" },
    credentials: "same-origin",
    signal: AbortSignal.timeout(REST_MS),
  });
  if (!answer.ok || answer.redirected) throw new Error(`${answer.status}`);
  for (const [name, { html, digest }] of Object.entries(await answer.json())) {
    const body = find(`[data-part="${name}"]`, page);
    if (!body || !mayChange(body)) continue;
    const scrolled = findAll("[tabindex]", body).map((place) => [place.scrollTop, place.scrollLeft]);
    body.innerHTML = html;
    body.dataset.digest = digest;
    findAll("[tabindex]", body).forEach((place, at) => place.scrollTo(scrolled[at]?.[1] ?? 0, scrolled[at]?.[0] ?? 0));
  }
}

async function run() {
  let wait = REFRESH_MS;
  if (!document.hidden) await refresh().catch(() => (wait = REST_MS));
  setTimeout(run, wait);
}

function offerCopies() {
  if (!navigator.clipboard) return;
  for (const button of findAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.setAttribute("data-done", "");
    });
  }
}

offerCopies();
if (page) {
  watchSight();
  setTimeout(run, REFRESH_MS);
}
