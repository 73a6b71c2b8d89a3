// A person's rides, charges and cards.

import { get, post } from "../api.js";
import { busy, clone, fill, find, onAction, say, show } from "../dom.js";
import { moment, money, text } from "../page.js";
import { goingOn } from "./going-on.js";

const LISTS = {
  trips: { empty: "empty_trips", page: (id) => `/trip/${id}/`, receipt: (id) => `/receipt/${id}/` },
  recharges: { empty: "empty_recharges", page: (id) => `/charge/${id}/`, receipt: (id) => `/charge/${id}/receipt/` },
};
const PAPER = new Set(["priced", "settled", "payment_due"]);
const next = {};

function journey(list, item) {
  const over = PAPER.has(item.state);
  const kind = list === "trips" ? item.vehicle.kind : "charger";
  const when = item.started_at ?? item.requested_at ?? item.ended_at;
  return fill(clone("journey-row"), {
    kind,
    title: list === "trips" ? `${text(`kind_${kind}`)} ${item.vehicle.code}` : item.connector.site,
    when: when ? moment(when) : "",
    amount: item.price_cents === null || item.price_cents === undefined ? null : money(item.price_cents, item.currency),
    state: item.state === "settled" ? null : text(`state_${item.state}`),
    address: over ? LISTS[list].receipt(item.id) : LISTS[list].page(item.id),
  });
}

async function load(list, { older = false } = {}) {
  const place = find(`[data-${list}]`);
  const answer = await get(`/${list}`, older ? next[list] : { limit: 20 });
  const rows = answer.results.map((item) => journey(list, item));
  if (older) place.append(...rows);
  else show(place, ...(rows.length ? rows : [emptyRow(LISTS[list].empty)]));
  next[list] = answer.next ? new URL(answer.next, location.href).searchParams : null;
  find(`[data-list=${list}]`).hidden = !next[list];
}

function emptyRow(key) {
  const row = document.createElement("li");
  row.className = "empty";
  row.textContent = text(key);
  return row;
}

async function loadCards() {
  const answer = await get("/payment-methods");
  const rows = answer.results.map(({ id, label, is_default: first }) => {
    const row = fill(clone("card-row"), { label, default: first ? text("card_default") : null });
    find("[data-do=removeCard]", row).dataset.id = id;
    return row;
  });
  show(find("[data-cards]"), ...(rows.length ? rows : [emptyRow("empty_cards")]));
}

const safely = (work) => work.catch((error) => say(document.body, error.message));

async function loadFaults() {
  const { results } = await get("/faults", { limit: 10 });
  const rows = results.map((report) =>
    fill(clone("fault-row"), {
      number: report.case_number,
      title: `${text(`category_${report.category}`)} · ${report.vehicle}`,
      when: moment(report.at),
      state: text(`fault_${report.state}`),
    }),
  );
  show(find("[data-faults]"), ...(rows.length ? rows : [emptyRow("empty_faults")]));
}

async function removeCard(id) {
  await post(`/payment-methods/${id}`, {}, { method: "DELETE" });
  await loadCards();
  say(document.body, text("card_removed"), { tone: "" });
}

/** To the provider's own page; it sends the person back here with `?setup=`. */
async function addCard() {
  const { url } = await post("/payment-methods/setup", { return_url: `${location.origin}/account/` });
  location.assign(url);
}

/** Back from the provider: the set-up is the token of the card. */
async function takeCard(token) {
  history.replaceState(null, "", location.pathname);
  await post("/payment-methods", { token });
  await loadCards();
  say(document.body, text("card_added"), { tone: "" });
}

onAction(document.body, {
  addCard: (button) => busy(button, () => safely(addCard())),
  removeCard: (button) => busy(button, () => safely(removeCard(button.dataset.id))),
  more: (button) => busy(button, () => safely(load(button.dataset.list, { older: true }))),
});

find("[data-add-card]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button");
  busy(button, async () => {
    try {
      await post("/payment-methods", Object.fromEntries(new FormData(form)));
      await loadCards();
      say(document.body, text("card_added"), { tone: "" });
    } catch (error) {
      say(document.body, error.message);
    }
  });
});

async function tellGoingOn() {
  const busyThings = await goingOn();
  const place = find("[data-going-on]");
  place.replaceChildren(...busyThings.map((thing) => fill(clone("going-on"), thing)));
  place.hidden = !busyThings.length;
}

safely(load("trips"));
safely(load("recharges"));
const setup = new URLSearchParams(location.search).get("setup");
safely(setup ? takeCard(setup) : loadCards());
safely(loadFaults());
tellGoingOn();
