// What staff decide about a plan that crews follow: vans and their crews, order, locks, what a new route changed.

import { get } from "../api.js";
import { clone, fill, find, show } from "../dom.js";
import { moment, money, named, number, page, text } from "../page.js";
import { redraw } from "../redraw.js";

const PATIENCE_MS = 30000;
const LOOK_MS = 1000;

export const vanName = (vans, van) => vans.find((one) => one.van === van)?.name || text("van", { number: van + 1 });

/** Everything about a plan beside its tasks. */
export async function readPlan(plan) {
  const [vans, figures, decisions] = await Promise.all([get(`/fleet/plans/${plan}/vans`), get(`/fleet/plans/${plan}/figures`), get(`/fleet/plans/${plan}/decisions`)]);
  return { ...vans, figures, decisions: decisions.results };
}

export function drawFigures(figures) {
  const line = find("[data-figures]");
  line.hidden = !figures.tasks;
  const { crew } = figures;
  line.textContent = text("figures", {
    done: figures.done,
    total: figures.tasks,
    dropped: figures.dropped,
    moved: figures.moved,
    swapped: figures.swapped,
    value: money(figures.value_done_cents),
    cost: money(crew.cost_cents),
    net: money(figures.net_cents),
    minutes: number(crew.minutes),
    km: number(crew.km, 1),
    share: number(crew.measured_pct),
    walked: number(crew.walked_km, 1),
  });
}

export function drawVans({ vans, crews }, plan) {
  const list = find("[data-van-list]");
  list.hidden = !plan || plan.state === "closed" || plan.state === "computing";
  // A list that is open under somebody's fingers stays.
  if (list.hidden || list.contains(document.activeElement)) return;
  redraw(list, ...vans.map((van) => vanCard(van, crews, plan, vans)));
}

function vanCard(van, crews, plan, vans) {
  const card = fill(clone("van-card"), {
    name: vanName(vans, van.van),
    line: text("van_line", { done: van.done, stops: van.stops, value: money(van.value_cents) }),
    may_assign: page.plans ? true : null,
    crew: page.plans ? null : van.crew_name || null,
    sheet: `/crew/sheet/?plan=${plan.id}&van=${van.van}`,
    pdf: `/crew/sheet.pdf?plan=${plan.id}&van=${van.van}`,
  });
  card.dataset.van = van.van;
  show(find("[data-load]", card), ...van.load.map((load) => line(text("load_packs", { count: load.packs, model: named(load.name) || load.model, wh: load.capacity_wh }))));
  const choice = find("[data-assign]", card);
  choice.add(new Option(text("nobody"), ""));
  for (const { id, name } of crews) choice.add(new Option(name, id, id === van.crew, id === van.crew));
  return card;
}

function line(words) {
  const item = document.createElement("li");
  item.textContent = words;
  return item;
}

export function drawDecisions(decisions, vans) {
  find("[data-decisions-part]").hidden = !decisions.length;
  const rows = decisions.map(({ at, by, action, task, changes }) =>
    fill(clone("decision-row"), {
      when: moment(at, { dateStyle: "short", timeStyle: "short" }),
      words: [by.startsWith("system:") ? text("by_itself") : by, text(`decided_${action}`, { number: task ?? "", van: changes.van === undefined ? "" : vanName(vans, changes.van), version: changes.version ?? "" })].join(": "),
    }),
  );
  redraw(find("[data-decisions]"), ...rows);
}

/** Where an open task may be moved to among the open ones of its van: [task before it, task two after it]. */
export function neighbours(task, tasks) {
  const mine = tasks.filter(({ van, state }) => van === task.van && state === "open");
  const place = mine.findIndex(({ id }) => id === task.id);
  return { first: place === 0, last: place === mine.length - 1, earlier: mine[place - 1]?.id ?? null, later: mine[place + 2]?.id ?? null };
}

/** Wait until the plan has a newer version; null if that takes too long. */
export async function newVersion({ id, version }) {
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const plan = await get(`/fleet/plans/${id}`);
    if (plan.version > version) return plan;
  }
  return null;
}

/** What a new route changed, in a sentence. */
export function changed(before, after, vans) {
  const then = new Map(before.map((task) => [task.id, task]));
  const open = (task) => task && (task.state === "open" || task.state === "claimed");
  const added = after.filter((task) => !then.has(task.id) && open(task));
  const dropped = after.filter((task) => open(then.get(task.id)) && task.state === "dropped");
  const moved = after.filter((task) => open(task) && then.has(task.id) && then.get(task.id).van !== task.van);
  const order = (tasks) => tasks.filter((task) => open(task) && then.has(task.id)).map(({ id }) => id).join();
  const reordered = order(before.filter(({ id }) => after.some((task) => task.id === id && open(task)))) !== order(after);
  const worth = (tasks) => tasks.filter(open).reduce((sum, { value_cents: value }) => sum + value, 0);
  const parts = [];
  if (added.length) parts.push(text("changed_added", { count: added.length, what: some(added) }));
  if (dropped.length) parts.push(text("changed_dropped", { count: dropped.length, what: some(dropped) }));
  for (const task of moved.slice(0, 3)) parts.push(text("changed_moved", { what: some([task]), van: vanName(vans, task.van) }));
  if (reordered) parts.push(text("changed_order"));
  if (!parts.length) return text("changed_nothing");
  parts.push(text("changed_worth", { before: money(worth(before)), after: money(worth(after)) }));
  return parts.join(" ");
}

function some(tasks) {
  const names = tasks.map((task) => task.vehicle || task.place || `#${task.sequence}`);
  return names.length > 4 ? `${names.slice(0, 4).join(", ")} …` : names.join(", ");
}
