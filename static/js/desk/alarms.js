// What goes on now, the oldest first: to take, to note as seen, to close.

import { get, poll, post } from "../api.js";
import { busy, clone, fill, find, findAll, onAction, say } from "../dom.js";
import { moment, page, text } from "../page.js";
import { redraw } from "../redraw.js";
import { followOrder } from "./orders.js";

const REFRESH_S = 5;
const MANY = 200;
const MOST_PAGES = 5;
// What became of an order, by the vehicle's code: a list that is drawn anew must not forget it.
const told = new Map();
let alarms = [];
let turn = 0;

async function load() {
  turn += 1;
  const mine = turn;
  const found = await all(filters().kind);
  // What was asked for before another filter was chosen, or a deed done, is no answer any more.
  if (mine !== turn) return;
  alarms = found.sort((a, b) => Date.parse(a.opened_at) - Date.parse(b.opened_at));
  draw();
}

/** The newest come first in pages; the oldest matter most, so every page is asked for. */
async function all(kind) {
  const found = [];
  let asked = { limit: MANY, ...(kind && { kind }) };
  for (let turn = 0; asked && turn < MOST_PAGES; turn += 1) {
    const answer = await get("/fleet/alarms", asked);
    found.push(...answer.results);
    asked = answer.next && Object.fromEntries(new URL(answer.next, location.href).searchParams);
  }
  return found;
}

const filters = () => Object.fromEntries(findAll("[data-filter]").map((field) => [field.dataset.filter, field.value]));

function draw() {
  const { whose } = filters();
  const shown = alarms.filter(
    ({ assigned_to: owner }) => !whose || (whose === "mine" ? owner === page.me : !owner),
  );
  find("[data-count]").textContent = text("alarm_count", { count: shown.length });
  redraw(find("[data-list]"), ...(shown.length ? shown.map(row) : [none()]));
}

function none() {
  const item = document.createElement("li");
  item.textContent = text("alarms_none");
  return item;
}

function row(alarm) {
  const { lat, lon } = alarm.details ?? {};
  const node = fill(clone("alarm-row"), {
    severity: text(`severity_${alarm.severity}`),
    kind: page.kinds[alarm.kind] ?? alarm.kind,
    code: alarm.vehicle,
    vehicle: `/admin/vehicle/${alarm.vehicle}/`,
    since: moment(alarm.opened_at),
    times: alarm.count > 1 ? text("alarm_times", { count: alarm.count }) : null,
    whose: owner(alarm),
    may_take: alarm.assigned_to === page.me ? null : true,
    may_acknowledge: alarm.state === "open" ? true : null,
    way: lat === undefined ? null : `geo:${lat},${lon}`,
  });
  node.dataset.id = alarm.id;
  node.dataset.vehicle = alarm.vehicle;
  find("[data-severity]", node).dataset.severity = alarm.severity;
  if (told.has(alarm.vehicle)) say(node, ...told.get(alarm.vehicle));
  return node;
}

function owner({ assigned_to: who }) {
  if (!who) return null;
  return who === page.me ? text("assigned_me") : text("assigned_other", { name: who });
}

async function act(button, verb, body) {
  const { id } = button.closest("[data-id]").dataset;
  await busy(button, async () => {
    try {
      await post(`/fleet/alarms/${id}/${verb}`, body);
      say(document, "");
    } catch (error) {
      say(document, error.message);
    }
    await load();
  });
}

/** Say something at every alarm of a vehicle, and keep it there. */
function tell(code, sentence, tone) {
  told.set(code, [sentence, { tone }]);
  for (const node of findAll(`[data-vehicle="${code}"]`)) say(node, sentence, { tone });
}

// The API knows vehicles by their ids, alarms name them by their codes.
async function idOf(code) {
  const { results } = await get("/fleet/vehicles", { code, limit: MANY });
  return results.find((vehicle) => vehicle.code === code)?.id;
}

function order(button, work) {
  const { vehicle: code } = button.closest("[data-id]").dataset;
  return busy(button, async () => {
    try {
      await work(await idOf(code), code);
    } catch (error) {
      tell(code, error.message, "error");
    }
  });
}

const honk = (button) =>
  order(button, async (id, code) => {
    const { id: sent } = await post(`/fleet/vehicles/${id}/commands`, { kind: "locate" });
    tell(code, text("command_sent"), "info");
    followOrder(id, sent, (words, tone) => tell(code, words, tone));
  });

const missing = (button) =>
  window.confirm(button.dataset.ask) &&
  order(button, async (id, code) => {
    await post(`/fleet/vehicles/${id}/case`, { kind: "missing" });
    tell(code, text("missing_done"), "success");
  });

onAction(document, {
  honk,
  missing,
  take: (button) => act(button, "assign", { email: page.me }),
  acknowledge: (button) => act(button, "acknowledge"),
  "close-alarm": (button) => act(button, "close"),
});

const kinds = find("[data-filter=kind]");
for (const [value, label] of Object.entries(page.kinds)) kinds.add(new Option(label, value));
kinds.value = new URLSearchParams(location.search).get("kind") ?? "";
for (const field of findAll("[data-filter]")) field.addEventListener("change", load);

load().catch((error) => say(document, error.message));
poll(load, () => false, REFRESH_S);
