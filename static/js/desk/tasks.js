// The task board: plans above, their tasks in columns, the way on a map. For the office and the van.

import { get, poll, post } from "../api.js";
import { busy, clone, fill, find, findAll, onAction, say } from "../dom.js";
import { CityMap, pinName } from "../map.js";
import { moment, money, page, text } from "../page.js";
import { redraw } from "../redraw.js";
import { changed, drawDecisions, drawFigures, drawVans, neighbours, newVersion, readPlan, vanName } from "./board.js";
import { drawDistricts } from "./districts.js";

const REFRESH_S = 10;
const COMPUTING_S = 2;
const COLUMNS = { open: ["open"], claimed: ["claimed"], done: ["done", "dropped"] };

const map = new CityMap(find("#map"), { ...page.map, zoom: 12.5, label: text("map_label") });
let plans = [];
let tasks = [];
let shown = null;
let turn = 0;
let newest = null;
let rest = { vans: [], crews: [], figures: null, decisions: [] };

function load() {
  newest = read();
  return newest;
}

async function read() {
  turn += 1;
  const mine = turn;
  const { results } = await get("/fleet/plans", { limit: 5 });
  // What was asked for before another plan was shown, or a deed done, is no answer any more.
  if (mine !== turn) return newest;
  plans = results;
  shown = plans.some(({ id }) => id === shown) ? shown : current()?.id;
  const found = shown ? await Promise.all([allTasks(shown), readPlan(shown)]) : [[], { vans: [], crews: [], figures: null, decisions: [] }];
  if (mine !== turn) return newest;
  [tasks, rest] = found;
  draw();
  return plans.some(({ state }) => state === "computing");
}

async function allTasks(plan) {
  const found = [];
  let cursor = null;
  do {
    const answer = await get("/fleet/tasks", { plan, limit: 200, ...(cursor ? { cursor } : {}) });
    found.push(...answer.results);
    cursor = answer.next && new URL(answer.next).searchParams.get("cursor");
  } while (cursor);
  return found;
}

/** The plan that the crews follow, else the newest. */
const current = () => plans.find(({ state }) => ["running", "published"].includes(state)) || plans[0];

function draw() {
  const kept = standing();
  const plan = plans.find(({ id }) => id === shown);
  if (rest.figures) drawFigures(rest.figures);
  drawVans(rest, plan);
  drawDecisions(rest.decisions, rest.vans);
  find("[data-demand]").hidden = !page.plans || !revisable(plan);
  const cards = plans.map(planCard);
  const none = document.createElement("p");
  none.textContent = text("plan_none");
  redraw(find("[data-plan-list]"), ...(cards.length ? cards : [none]));
  for (const [column, states] of Object.entries(COLUMNS)) {
    const rows = tasks.filter(({ state }) => states.includes(state));
    find(`[data-count="${column}"]`).textContent = rows.length;
    redraw(find(`[data-column="${column}"]`), ...rows.map(taskCard));
  }
  map.showPoints(
    "tasks",
    tasks
      .filter(({ state }) => state === "open" || state === "claimed")
      .map((task) => ({ id: task.id, lon: task.lon, lat: task.lat, pin: pinName(task.vehicle_kind, null, task.state === "claimed" ? "dim" : "") })),
    { cluster: false },
  );
  standAgain(kept);
}

const revisable = (plan) => Boolean(plan) && ["draft", "published", "running"].includes(plan.state);

/** Where the person was: what they decided may have put the task elsewhere, or turned its button round. */
function standing() {
  const at = document.activeElement?.closest("li[data-id]");
  return { id: at?.dataset.id, deed: document.activeElement?.dataset.do, select: document.activeElement?.matches("select") };
}

function standAgain({ id, deed, select }) {
  const row = id && find(`li[data-id="${id}"]`);
  if (!row) return;
  const there = select ? find("[data-place-van]", row) : deed && find(`[data-do="${deed}"]:not([hidden])`, row);
  const other = { lock: "unlock", unlock: "lock" }[deed];
  (there || (other && find(`[data-do="${other}"]:not([hidden])`, row)) || find("summary", row))?.focus();
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
  const decides = page.plans && task.state === "open" && revisable(plans.find(({ id }) => id === shown));
  const near = decides ? neighbours(task, tasks) : {};
  const row = fill(clone("task-row"), {
    what: [text(`task_${task.kind}`, { count: task.quantity }), task.vehicle].filter(Boolean).join(" · "),
    van: vanName(rest.vans, task.van),
    decided: task.locked ? text("task_locked") : task.forced ? text("task_forced") : null,
    may_decide: decides ? true : null,
    locked: task.locked ? true : null,
    unlocked: task.locked ? null : true,
    may_earlier: decides && !near.first ? true : null,
    may_later: decides && !near.last ? true : null,
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
  if (decides) for (const one of rest.vans) find("[data-place-van]", row).add(new Option(vanName(rest.vans, one.van), one.van, one.van === task.van, one.van === task.van));
  return row;
}

const idOf = (button) => button.closest("[data-id]").dataset.id;

const taskOf = (node) => tasks.find(({ id }) => id === idOf(node));
const place = (button, van, before) => act(button, `/fleet/tasks/${idOf(button)}/place`, { van, before });

/** Ask for a new route, wait for it, and say what it changed. */
async function revise(button) {
  const plan = plans.find(({ id }) => id === shown);
  const before = tasks;
  await busy(button, async () => {
    try {
      say(document, text("revising"), { tone: "" });
      await post(`/fleet/plans/${plan.id}/revise`);
      const fresh = await newVersion(plan);
      await load();
      say(document, fresh ? changed(before, tasks, rest.vans) : text("revising_late"), { tone: "" });
    } catch (error) {
      say(document, error.message);
    }
  });
}

async function demand(event) {
  event.preventDefault();
  const form = event.target;
  const { vehicle, kind } = Object.fromEntries(new FormData(form));
  if (await act(find("button", form), `/fleet/plans/${shown}/tasks`, { vehicle: vehicle.trim().toUpperCase(), kind })) form.reset();
}

/** Whether it was done; a refusal is said. */
async function act(button, path, body) {
  return busy(button, async () => {
    let done = false;
    try {
      await post(path, body);
      done = true;
      say(document, "");
    } catch (error) {
      say(document, error.message);
    }
    await load();
    return done;
  });
}

onAction(document, {
  plan: async (button) => {
    await act(button, "/fleet/plans");
    poll(load, (computing) => !computing, COMPUTING_S);
  },
  print: () => window.print(),
  publish: (button) => {
    shown = idOf(button);
    return act(button, `/fleet/plans/${shown}/publish`);
  },
  "close-plan": (button) => act(button, `/fleet/plans/${idOf(button)}/close`),
  "show-plan": (button) => {
    shown = idOf(button);
    load();
  },
  revise,
  lock: (button) => act(button, `/fleet/tasks/${idOf(button)}/lock`, { locked: true }),
  unlock: (button) => act(button, `/fleet/tasks/${idOf(button)}/lock`, { locked: false }),
  earlier: (button) => place(button, taskOf(button).van, neighbours(taskOf(button), tasks).earlier),
  later: (button) => place(button, taskOf(button).van, neighbours(taskOf(button), tasks).later),
  claim: (button) => act(button, `/fleet/tasks/${idOf(button)}/claim`),
  complete: (button) => act(button, `/fleet/tasks/${idOf(button)}/complete`),
  drop: (button) => act(button, `/fleet/tasks/${idOf(button)}/drop`, { reason: button.dataset.reason }),
});
find("[data-demand]").addEventListener("submit", demand);
document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-place-van]")) place(target, Number(target.value), null);
  if (target.matches("[data-assign]")) {
    const van = Number(target.closest("[data-van]").dataset.van);
    const crew = target.value || null;
    target.blur();
    act(target, `/fleet/plans/${shown}/vans`, { van, crew });
  }
});
for (const button of findAll("[data-plans]")) button.hidden = !page.plans;
map.onPick((pick) => {
  const row = pick && find(`li[data-id="${pick.properties.id}"]`);
  if (row) row.scrollIntoView({ behavior: "smooth", block: "center" });
});

drawDistricts(map);
load().catch((error) => say(document, error.message));
poll(load, () => false, REFRESH_S);
