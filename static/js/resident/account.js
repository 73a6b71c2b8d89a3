// A person's rides and charges, and what they told us is wrong.

import { get } from "../api.js";
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

onAction(document.body, {
  more: (button) => busy(button, () => safely(load(button.dataset.list, { older: true }))),
});

async function tellGoingOn() {
  const busyThings = await goingOn();
  const place = find("[data-going-on]");
  place.replaceChildren(...busyThings.map((thing) => fill(clone("going-on"), thing)));
  place.hidden = !busyThings.length;
}

safely(load("trips"));
safely(load("recharges"));
safely(loadFaults());
tellGoingOn();
