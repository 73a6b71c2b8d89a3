// Work on vehicles: take it, begin, go through the checklist, finish. Made for a telephone in one hand.

import { get, poll, post } from "../api.js";
import { busy, clone, fill, find, findAll, onAction, say, show } from "../dom.js";
import { moment, page, text } from "../page.js";
import { redraw } from "../redraw.js";

const REFRESH_S = 15;
const MANY = 100;
const VERDICTS = ["passed", "failed", "not_applicable"];
let orders = [];
let turn = 0;

async function load() {
  turn += 1;
  const mine = turn;
  const asked = Object.fromEntries(Object.entries(filters()).filter(([, value]) => value));
  const { results } = await get("/fleet/work-orders", { limit: MANY, ...asked });
  // What was asked for before another filter was chosen, or a deed done, is no answer any more.
  if (mine !== turn) return;
  orders = results;
  draw();
}

const filters = () => Object.fromEntries(findAll("[data-filter]").map((field) => [field.dataset.filter, field.value.trim()]));

function draw() {
  find("[data-count]").textContent = text("order_count", { count: orders.length });
  redraw(find("[data-list]"), ...(orders.length ? orders.map(row) : [none()]));
}

function none() {
  const item = document.createElement("li");
  item.textContent = text("orders_none");
  return item;
}

function row(order) {
  const said = order.faults.filter((fault) => fault.text);
  const going = order.state === "in_progress";
  const node = fill(clone("order-row"), {
    priority: page.priorities[order.priority],
    heading: order.heading,
    code: order.code,
    vehicle: `/admin/vehicle/${order.vehicle}/`,
    state: text(`order_${order.state}`),
    whose: owner(order),
    due: order.due_at ? text("due", { when: moment(order.due_at) }) : null,
    said: said.length ? true : null,
    may_take: !going && order.assigned_to !== page.me ? true : null,
    may_begin: going ? null : true,
    may_finish: going ? true : null,
    way: order.lat === null ? null : `geo:${order.lat},${order.lon}`,
  });
  node.dataset.id = order.id;
  find("[data-priority]", node).dataset.priority = order.priority;
  show(find("[data-said]", node), ...said.map(words));
  find("[data-work]", node).addEventListener("submit", finish);
  return node;
}

function words(fault) {
  const item = document.createElement("li");
  item.textContent = `„${fault.text}“`;
  return item;
}

function owner({ assigned_to: who, assigned_name: name }) {
  if (!who) return null;
  return who === page.me ? text("assigned_me") : text("assigned_other", { name });
}

// --- the checklist ------------------------------------------------------------------------------

async function openWork(button) {
  const card = button.closest("[data-id]");
  const form = find("[data-work]", card);
  if (!form.hidden) return void (form.hidden = true);
  const order = await get(`/fleet/work-orders/${card.dataset.id}`);
  const given = Object.fromEntries(order.answers.map(({ item, verdict }) => [item, verdict]));
  const list = find("[data-checklist]", form);
  for (const old of findAll(".desk-item", list)) old.remove();
  list.hidden = !order.checklist.length;
  list.append(...order.checklist.map((item) => question(item, given[item.id])));
  form.hidden = false;
  find("input", form).focus();
  return undefined;
}

function question({ id, text: asked, required }, verdict) {
  const node = fill(clone("item-row"), { text: asked });
  node.setAttribute("aria-label", asked);
  for (const value of VERDICTS.slice(0, required ? 2 : 3)) {
    const label = document.createElement("label");
    const radio = Object.assign(document.createElement("input"), { type: "radio", name: `item-${id}`, value });
    radio.checked = verdict === value;
    label.append(radio, text(`verdict_${value}`));
    node.append(label);
  }
  return node;
}

function answers(form) {
  return findAll("input[type=radio]:checked", form).map(({ name, value }) => ({ item: Number(name.slice(5)), verdict: value }));
}

async function finish(event) {
  event.preventDefault();
  const form = event.target;
  const { id } = form.closest("[data-id]").dataset;
  await busy(find("button", form), async () => {
    try {
      const found = answers(form);
      if (found.length) await post(`/fleet/work-orders/${id}/checklist`, { answers: found });
      await post(`/fleet/work-orders/${id}/finish`, report(form));
      await load();
    } catch (error) {
      say(form, refusal(error));
    }
  });
}

function report(form) {
  const told = Object.fromEntries(new FormData(form));
  const cents = Math.round(Number(told.part_cost || 0) * 100);
  const parts = told.part ? [{ name: told.part, unit_cost_cents: cents }] : [];
  return { labour_minutes: Number(told.labour_minutes || 0), notes: told.notes, parts };
}

function refusal(error) {
  const { missing = [], failed = [] } = error.problem;
  const named = (items) => items.map((item) => item.text).join("; ");
  if (missing.length) return text("checklist_missing", { items: named(missing) });
  if (failed.length) return text("checklist_failed", { items: named(failed) });
  return error.message;
}

// --- deeds --------------------------------------------------------------------------------------

async function act(button, verb, body) {
  const { id } = button.closest("[data-id]").dataset;
  await busy(button, async () => {
    try {
      await post(`/fleet/work-orders/${id}/${verb}`, body);
      say(document, "");
    } catch (error) {
      say(document, error.message);
    }
    await load();
  });
}

onAction(document, {
  take: (button) => act(button, "assign"),
  begin: (button) => act(button, "start", { place: button.dataset.place }),
  "give-up": (button) => act(button, "cancel"),
  "open-work": (button) => openWork(button).catch((error) => say(document, error.message)),
});

const reasons = find("[data-filter=reason]");
for (const [value, label] of Object.entries(page.reasons)) reasons.add(new Option(label, value));
for (const field of findAll("[data-filter]")) field.addEventListener("change", load);

load().catch((error) => say(document, error.message));
poll(load, () => false, REFRESH_S);
