// The task board: plans above, their tasks in columns, the way on a map. For the office and the van.

import { get, poll, post } from "../api.js";
import { busy, clone, fill, find, findAll, onAction, say, show } from "../dom.js";
import { CityMap, pinName } from "../map.js";
import { moment, money, page, text } from "../page.js";
import { drawDistricts } from "./districts.js";

const REFRESH_S = 10;
const COMPUTING_S = 2;
const COLUMNS = { open: ["open"], claimed: ["claimed"], done: ["done", "dropped"] };

const map = new CityMap(find("#map"), { ...page.map, zoom: 12.5, label: text("map_label") });
let plans = [];
let tasks = [];
let shown = null;

async function load() {
  plans = (await get("/fleet/plans", { limit: 5 })).results;
  shown = plans.some(({ id }) => id === shown) ? shown : current()?.id;
  tasks = shown ? (await get("/fleet/tasks", { plan: shown, limit: 200 })).results : [];
  draw();
  return plans.some(({ state }) => state === "computing");
}

/** The plan that the crews follow, else the newest. */
const current = () => plans.find(({ state }) => ["running", "published"].includes(state)) || plans[0];

function draw() {
  const cards = plans.map(planCard);
  const none = document.createElement("p");
  none.textContent = text("plan_none");
  show(find("[data-plan-list]"), ...(cards.length ? cards : [none]));
  for (const [column, states] of Object.entries(COLUMNS)) {
    const rows = tasks.filter(({ state }) => states.includes(state));
    find(`[data-count="${column}"]`).textContent = rows.length;
    show(find(`[data-column="${column}"]`), ...rows.map(taskCard));
  }
  map.showPoints(
    "tasks",
    tasks
      .filter(({ state }) => state === "open" || state === "claimed")
      .map((task) => ({ id: task.id, lon: task.lon, lat: task.lat, pin: pinName(task.vehicle_kind, null, task.state === "claimed" ? "dim" : "") })),
    { cluster: false },
  );
}

function planCard(plan) {
  const row = fill(clone("plan-row"), {
    title: text("plan_title", { when: moment(plan.requested_at) }),
    state: text(`plan_${plan.state}`),
    progress: progress(plan),
    value: plan.summary?.value_cents ? money(plan.summary.value_cents) : null,
    may_publish: page.plans && plan.state === "draft" ? true : null,
    may_close: page.plans && ["draft", "published", "running"].includes(plan.state) ? true : null,
  });
  row.dataset.id = plan.id;
  row.toggleAttribute("data-current", plan.id === shown);
  return row;
}

function progress({ state, tasks_done: done, tasks_total: total }) {
  if (state !== "computing" && total === 0) return text("plan_empty");
  return text("plan_line", { done, total });
}

function taskCard(task) {
  const over = task.state === "done" || task.state === "dropped";
  const row = fill(clone("task-row"), {
    what: [text(`task_${task.kind}`, { count: task.quantity }), task.vehicle].filter(Boolean).join(" · "),
    van: text("van", { number: task.van }),
    place: task.place || null,
    reason: task.reason_text,
    worth: text("worth", { value: money(task.value_cents), cost: money(task.cost_cents) }),
    dropped: task.drop_text || null,
    may_claim: task.state === "open" ? true : null,
    may_complete: task.state === "claimed" ? true : null,
    may_drop: over ? null : true,
    way: over ? null : `geo:${task.lat},${task.lon}`,
  });
  row.dataset.id = task.id;
  find("[data-deeds]", row).hidden = over;
  return row;
}

const idOf = (button) => button.closest("[data-id]").dataset.id;

async function act(button, path, body) {
  await busy(button, async () => {
    try {
      await post(path, body);
      say(document, "");
    } catch (error) {
      say(document, error.message);
    }
    await load();
  });
}

onAction(document, {
  plan: async (button) => {
    await act(button, "/fleet/plans");
    poll(load, (computing) => !computing, COMPUTING_S);
  },
  print: () => window.print(),
  publish: (button) => act(button, `/fleet/plans/${idOf(button)}/publish`),
  "close-plan": (button) => act(button, `/fleet/plans/${idOf(button)}/close`),
  "show-plan": (button) => {
    shown = idOf(button);
    load();
  },
  claim: (button) => act(button, `/fleet/tasks/${idOf(button)}/claim`),
  complete: (button) => act(button, `/fleet/tasks/${idOf(button)}/complete`),
  drop: (button) => act(button, `/fleet/tasks/${idOf(button)}/drop`, { reason: button.dataset.reason }),
});
for (const button of findAll("[data-plans]")) button.hidden = !page.plans;
map.onPick((pick) => {
  const row = pick && find(`li[data-id="${pick.properties.id}"]`);
  if (row) row.scrollIntoView({ behavior: "smooth", block: "center" });
});

drawDistricts(map);
load().catch((error) => say(document, error.message));
poll(load, () => false, REFRESH_S);
