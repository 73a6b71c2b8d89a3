// A crew's day on a phone: the route in order, what to do at each stop, and what waits to be sent.
// The page is drawn from what was last seen plus what was done since; without a network nothing stops.

import { ApiError, get, post as postNow } from "../api.js";
import { busy, clone, fill, find, findAll, onAction, say, show } from "../dom.js";
import { CityMap, pinName } from "../map.js";
import { moment, money, named, page, signIn, text } from "../page.js";
import { redraw } from "../redraw.js";
import { keepAtHand } from "../offline/register.js";
import { Queue } from "./queue.js";
import { scan } from "./scan.js";
import { fact, keepFact } from "./store.js";
import { agree, agreed, measure, takeWays } from "./ways.js";

const REFRESH_MS = 20000;
const PAGES = 5;
const PHOTO_PX = 1600;
const OVER = new Set(["done", "dropped"]);
const UNLOADS = new Set(["move_dropoff", "unload"]);

const asked = new URLSearchParams(location.search);
let seen = null; // {plan, tasks, vans, packs, at}
let open = null; // the task whose card is open
let fresh = false;
let fitted = null; // the van whose route the map shows whole
let turn = 0; // of reading: what was asked before something was done must not undo it
const confirmed = new Map(); // task → {codes, serials}

const queue = new Queue({ changed: draw, answered });
const map = new CityMap(find("#map"), { ...page.map, zoom: 12.5, label: text("map_label"), controls: false });

// --- reading ------------------------------------------------------------------------------------

async function load() {
  turn += 1;
  const mine = turn;
  try {
    const plans = (await get("/fleet/plans", { limit: 10 })).results;
    const plan = plans.find(({ id }) => id === asked.get("plan") && !["closed", "computing"].includes(planState(plans, id))) || plans.find(({ state }) => state === "running" || state === "published");
    const [tasks, vans] = plan ? await Promise.all([allTasks(plan.id), get(`/fleet/plans/${plan.id}/vans`)]) : [[], { vans: [], packs: [] }];
    if (mine !== turn) return;
    seen = { plan: plan || null, tasks, vans: vans.vans, packs: vans.packs, at: new Date().toISOString() };
    fresh = true;
    await keepFact(`route:${page.me}`, seen);
  } catch (error) {
    if (mine !== turn) return;
    fresh = false;
    if (error.status === 401 || error.code === "not_authenticated") queue.state = "log-in";
    else if (!(error instanceof ApiError)) throw error;
    seen ||= (await fact(`route:${page.me}`)) || null;
  }
  draw();
}

const planState = (plans, id) => plans.find((plan) => plan.id === id).state;

async function allTasks(plan) {
  const found = [];
  let cursor = null;
  for (let turn = 0; turn < PAGES; turn += 1) {
    const answer = await get("/fleet/tasks", { plan, limit: 200, ...(cursor ? { cursor } : {}) });
    found.push(...answer.results);
    cursor = answer.next && new URL(answer.next).searchParams.get("cursor");
    if (!cursor) break;
  }
  return found;
}

/** The tasks as they are once everything that waits is sent. */
function tasksNow() {
  const done = new Map();
  for (const deed of queue.mine) done.set(deed.task, [...(done.get(deed.task) || []), deed]);
  return (seen?.tasks || []).map((task) => (done.get(task.id) || []).reduce(after, { ...task }));
}

function after(task, { verb, at, body }) {
  if (verb === "claim") return { ...task, state: "claimed", assignee: page.me, claimed_at: at, unsent: true };
  if (verb === "arrive") return { ...task, arrived_at: at, unsent: true };
  if (verb === "complete") return { ...task, state: "done", finished_at: at, done_quantity: body.vehicles?.length || task.quantity, put_down: body.vehicles, unsent: true };
  if (verb === "drop" || (verb === "problem" && body.give_up)) return { ...task, state: "dropped", drop_text: text("unsent"), unsent: true };
  return { ...task, unsent: true };
}

function myVan() {
  const given = seen?.vans.find(({ crew }) => crew === page.me);
  return given ? given.van : null;
}

/** Vehicles that this crew picked up and has not put down; broken ones go to the workshop only. */
function aboard(tasks, unload = null) {
  const down = new Set(tasks.filter(({ unsent }) => unsent).flatMap(({ put_down: codes }) => codes || []));
  return tasks.filter(
    (task) =>
      task.kind === "move_pickup" &&
      task.state === "done" &&
      task.assignee === page.me &&
      (task.aboard || task.unsent) &&
      !down.has(task.vehicle) &&
      (unload === null || (task.reason === "maintenance") === unload),
  );
}

// --- drawing ------------------------------------------------------------------------------------

function draw() {
  drawState();
  if (!seen) return;
  const van = myVan();
  const tasks = tasksNow();
  const mine = van === null ? [] : tasks.filter((task) => task.van === van);
  find("[data-choose]").hidden = !seen.plan || van !== null;
  find("[data-day]").hidden = van === null;
  find("[data-none]").hidden = Boolean(seen.plan);
  if (seen.plan && van === null) drawVans();
  if (van !== null) drawRoute(van, mine);
}

function drawState() {
  const waiting = queue.mine.length;
  const words = { "log-in": text("state_log_in"), sending: text("state_sending"), waiting: text("state_waiting") }[queue.state];
  const line = waiting ? `${text(waiting === 1 ? "unsent_one" : "unsent_many", { count: waiting })} ${words || ""}` : queue.state === "log-in" ? words : "";
  const old = seen && !fresh ? text("as_of", { when: moment(seen.at, { timeStyle: "short" }) }) : "";
  say(find("[data-link]"), [old, line].filter(Boolean).join(" · "), { tone: waiting || old ? "warning" : "", link: queue.state === "log-in" ? { address: `${page.login_url}?next=${encodeURIComponent(location.pathname)}`, words: text("log_in") } : null });
  redraw(find("[data-told]"), ...queue.told.map(toldCard));
}

function toldCard({ id, about, words, advice }) {
  const card = fill(clone("told-row"), { about, words, advice });
  card.dataset.told = id;
  return card;
}

function drawVans() {
  const cards = seen.vans.map((van) => {
    const row = fill(clone("van-row"), {
      name: vanName(van),
      stops: text("van_stops", { count: van.stops, value: money(van.value_cents) }),
      crew: van.crew_name ? text("van_crew", { name: van.crew_name }) : null,
      may_take: van.crew && !page.decides ? null : true,
    });
    row.dataset.van = van.van;
    row.toggleAttribute("data-asked", String(van.van) === asked.get("van"));
    return row;
  });
  redraw(find("[data-vans]"), ...cards);
}

const vanName = ({ van, name }) => name || text("van_number", { number: van + 1 });

function drawRoute(van, tasks) {
  const tour = seen.vans.find((one) => one.van === van);
  const left = tasks.filter(({ state, assignee }) => !OVER.has(state) && (state === "open" || assignee === page.me));
  const over = tasks.filter(({ state }) => OVER.has(state));
  find("[data-f=van]").textContent = vanName(tour);
  find("[data-f=progress]").textContent = text("progress", { done: over.filter(({ state }) => state === "done").length, total: tasks.length, value: money(left.reduce((sum, { value_cents: value }) => sum + value, 0)) });
  if (!left.some(({ id }) => id === open)) open = left.find(({ state }) => state === "claimed")?.id || left[0]?.id || null;
  drawLoad(tour, tasks);
  redraw(find("[data-stops]"), ...left.map((task, place) => stopCard(task, place, tasks)));
  find("[data-all-done]").hidden = left.length > 0;
  redraw(find("[data-over]"), ...over.map(overRow));
  find("[data-over-part]").hidden = !over.length;
  find("[data-f=over]").textContent = over.length;
  map.showPoints("stops", left.map((task) => ({ id: task.id, lon: task.lon, lat: task.lat, pin: pinName(task.vehicle_kind, null, task.id === open ? "" : "dim") })), { cluster: false });
  if (left.length > 1) map.showWay("way", left);
  const next = left.find(({ id }) => id === open);
  map.mark(next || null);
  if (left.length && fitted !== van) {
    fitted = van;
    map.ready.then(() => map.show({ coordinates: left.map(({ lon, lat }) => [lon, lat]) }));
  }
}

function drawLoad(tour, tasks) {
  const lines = tour.load.map((load) => text("load_packs", { count: load.packs, model: named(load.name) || load.model, wh: load.capacity_wh }));
  const kinds = (counts, key) => Object.entries(counts).map(([kind, count]) => text(key, { count, kind: text(`kind_${kind}`) }));
  lines.push(...kinds(tour.to_bring, "load_bring"), ...kinds(tour.to_drop, "load_drop"));
  const items = lines.length ? lines : [text("load_nothing")];
  show(find("[data-load]"), ...items.map(item));
  const codes = aboard(tasks).map(({ vehicle }) => vehicle);
  find("[data-aboard]").textContent = codes.length ? text("aboard", { codes: codes.join(", ") }) : "";
  for (const link of findAll("[data-sheet]")) link.href = `${link.dataset.sheet}?plan=${seen.plan.id}&van=${tour.van}`;
}

function item(words) {
  const node = document.createElement("li");
  node.textContent = words;
  return node;
}

const what = (task) => [text(`task_${task.kind}`, { count: task.quantity, kind: text(`kind_${task.vehicle_kind}`) }), task.vehicle].filter(Boolean).join(" · ");

function stopCard(task, place, tasks) {
  const expanded = task.id === open;
  const claimed = task.state === "claimed";
  const ready = confirmed.get(task.id) || {};
  const unloads = UNLOADS.has(task.kind);
  const checked = unloads || task.vehicle === null || ready.codes?.includes(task.vehicle);
  const row = fill(clone("stop-row"), {
    number: place + 1,
    what: what(task),
    place: task.place || text("on_the_street"),
    when: task.planned_at ? text("planned", { when: moment(task.planned_at, { timeStyle: "short" }) }) : task.due_at ? text("due", { when: moment(task.due_at, { timeStyle: "short" }) }) : null,
    worth: text("worth_short", { value: money(task.value_cents) }),
    reason: task.reason_text,
    unsent: task.unsent ? text("unsent") : null,
    state: claimed ? text(task.arrived_at ? "state_here" : "state_taken") : null,
    way: `geo:${task.lat},${task.lon}?q=${task.lat},${task.lon}(${encodeURIComponent(what(task))})`,
    may_claim: claimed ? null : true,
    may_arrive: claimed && !task.arrived_at ? true : null,
    may_scan: claimed && task.arrived_at && !unloads && task.vehicle && !checked ? true : null,
    checked: claimed && checked && task.vehicle ? text("checked", { code: task.vehicle }) : null,
    may_finish: claimed && task.arrived_at && checked ? true : null,
    finish: text(`finish_${task.kind}`),
    chooses: claimed && task.arrived_at && unloads ? true : null,
    swaps: claimed && task.arrived_at && checked && task.kind === "swap_battery" ? true : null,
    may_photo: claimed ? true : null,
    has_vehicle: task.vehicle ? true : null,
  });
  row.dataset.id = task.id;
  const head = find("[data-do=open]", row);
  head.setAttribute("aria-expanded", String(expanded));
  find("[data-body]", row).hidden = !expanded;
  if (!expanded) return row;
  if (unloads) show(find("[data-aboard-list]", row), ...aboard(tasks, task.kind === "unload").filter((one) => task.kind === "unload" || one.vehicle_kind === task.vehicle_kind).map(choice));
  if (task.kind === "swap_battery") drawPacks(row, task, ready.serials || []);
  return row;
}

function choice({ vehicle }) {
  const label = fill(clone("aboard-row"), { code: vehicle });
  find("input", label).value = vehicle;
  return label;
}

function drawPacks(row, task, serials) {
  const fields = Array.from({ length: task.battery_slots || 1 }, (_, slot) => {
    const field = fill(clone("pack-row"), { label: task.battery_slots > 1 ? text("pack_slot", { number: slot + 1 }) : text("pack") });
    find("input", field).defaultValue = serials[slot] || "";
    return field;
  });
  show(find("[data-packs]", row), ...fields);
  const fits = seen.packs.filter(({ capacity_wh: wh, charging }) => wh === task.pack_wh && !charging);
  show(find("#packs"), ...fits.map(({ serial, hub }) => new Option(hub ? `${serial} · ${named(hub)}` : serial, serial)));
}

function overRow(task) {
  const row = fill(clone("over-row"), {
    what: what(task),
    state: task.state === "done" ? text("over_done") : task.drop_text || text("over_dropped"),
    may_photo: task.state === "done" && task.assignee === page.me ? true : null,
  });
  row.dataset.id = task.id;
  return row;
}

// --- deeds --------------------------------------------------------------------------------------

const idOf = (node) => node.closest("[data-id]").dataset.id;
const taskOf = (node) => tasksNow().find(({ id }) => id === idOf(node));

/** Whoever has done something is no longer filling in: a phone leaves the focus in the field all the same. */
function deed(task, verb, body = {}, photo = null) {
  if (document.activeElement?.matches("input, select, textarea")) document.activeElement.blur();
  return queue.add({ verb, task: task.id, about: what(task), body, photo });
}

/** The city's answer to a deed: the task as it is there. */
async function answered({ verb, task: id }, answer) {
  const told = verb === "problem" ? answer?.task : answer;
  if (verb === "problem" && answer?.case_number) say(find("[data-word]"), text("case", { number: answer.case_number }), { tone: "" });
  if (told?.id && seen) {
    turn += 1;
    seen.tasks = seen.tasks.map((task) => (task.id === told.id ? { ...task, ...told } : task));
    await keepFact(`route:${page.me}`, seen);
  }
  if (!queue.mine.length) load();
  else if (!told && id) draw();
}

function complete(button) {
  const task = taskOf(button);
  const card = button.closest("[data-id]");
  const body = takeWays();
  if (UNLOADS.has(task.kind)) {
    body.vehicles = findAll("[data-aboard-list] input:checked", card).map(({ value }) => value);
    if (!body.vehicles.length) return say(card, text("choose_aboard"));
  }
  const serials = findAll("[data-packs] input", card).map(({ value }) => value.trim().toUpperCase()).filter(Boolean);
  if (serials.length) body.batteries = serials;
  open = null;
  return deed(task, "complete", body);
}

async function check(button) {
  const task = taskOf(button);
  const read = await scan(text("scan_vehicle", { code: task.vehicle }));
  if (read === null) return;
  if (read === task.vehicle.toUpperCase() || read === (task.qr_code || "").toUpperCase()) {
    confirmed.set(task.id, { ...confirmed.get(task.id), codes: [task.vehicle] });
    draw();
    find(`[data-id="${task.id}"] [data-do=finish]`)?.focus();
  } else say(find(`li[data-id="${task.id}"]`), text("scan_other", { read, code: task.vehicle }));
}

async function scanPack(button) {
  const id = idOf(button);
  const slot = findAll("[data-pack]", button.closest("[data-packs]")).indexOf(button.closest("[data-pack]"));
  const read = await scan(text("scan_pack"));
  // The stops may have been drawn anew while the camera was open: the field is looked for again.
  const fields = findAll(`li[data-id="${id}"] [data-packs] input`);
  if (!fields[slot]) return;
  if (read) fields[slot].value = read;
  confirmed.set(id, { ...confirmed.get(id), serials: fields.map(({ value }) => value) });
  fields[slot].focus();
}

/** One input outside of the stops: these are drawn anew while the camera is open. */
function takePhoto(button) {
  const input = find("[data-camera]");
  const task = taskOf(button);
  input.onchange = () => photo(input, task).catch(() => say(find("[data-word]"), text("photo_unreadable")));
  input.click();
}

async function photo(input, task) {
  const [file] = input.files;
  if (!file) return;
  input.value = "";
  await deed(task, "photo", {}, await smaller(file));
  say(find("[data-word]"), text("photo_kept"), { tone: "" });
}

/** A picture as large as it needs to be: a phone's own would take minutes in a weak network. */
async function smaller(file) {
  const image = await createImageBitmap(file);
  const scale = Math.min(1, PHOTO_PX / Math.max(image.width, image.height));
  const sheet = Object.assign(document.createElement("canvas"), { width: Math.round(image.width * scale), height: Math.round(image.height * scale) });
  sheet.getContext("2d").drawImage(image, 0, 0, sheet.width, sheet.height);
  return new Promise((resolve) => sheet.toBlob(resolve, "image/jpeg", 0.85));
}

function problem(event) {
  event.preventDefault();
  const form = event.target;
  const told = Object.fromEntries(new FormData(form));
  const task = taskOf(form);
  form.reset();
  form.closest("details").open = false;
  deed(task, "problem", { category: told.category, text: told.text.trim(), give_up: "give_up" in told });
}

async function takeVan(button) {
  await busy(button, async () => {
    try {
      await postNow(`/fleet/plans/${seen.plan.id}/vans`, { van: Number(button.closest("[data-van]").dataset.van), crew: page.me });
      say(find("[data-word]"), "");
    } catch (error) {
      say(find("[data-word]"), error.message);
    }
    await load();
  });
}

async function giveBack(button) {
  const van = myVan();
  await busy(button, async () => {
    try {
      await postNow(`/fleet/plans/${seen.plan.id}/vans`, { van, crew: null });
    } catch (error) {
      say(find("[data-word]"), error.message);
    }
    await load();
  });
}

onAction(document, {
  "take-van": takeVan,
  "give-van-back": giveBack,
  open: (button) => {
    open = open === idOf(button) ? null : idOf(button);
    const id = idOf(button);
    document.activeElement.blur();
    draw();
    find(`li[data-id="${id}"] [data-do=open]`)?.focus();
  },
  claim: (button) => deed(taskOf(button), "claim"),
  arrive: (button) => deed(taskOf(button), "arrive", takeWays()),
  scan: check,
  "scan-pack": scanPack,
  photo: takePhoto,
  finish: complete,
  skip: (button) => deed(taskOf(button), "drop", { reason: button.dataset.reason }),
  understood: (button) => queue.understood(Number(button.closest("[data-told]").dataset.told)),
  "log-in": () => signIn(),
  view: (button) => {
    const larger = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(larger));
    find("#map").toggleAttribute("data-large", larger);
    map.map.resize();
  },
  "close-scan": (button) => button.closest("dialog").close("no"),
});
document.addEventListener("submit", (event) => event.target.matches("[data-problem]") && problem(event));
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-agree]")) agree(event.target.checked);
});
map.onPick((pick) => {
  if (!pick) return;
  open = pick.properties.id;
  draw();
  find(`li[data-id="${open}"]`)?.scrollIntoView({ block: "start" });
});

async function drawGround() {
  const kept = await fact("districts");
  const districts = await get("/districts").catch(() => kept);
  if (!districts) return;
  for (const { properties } of districts.features) properties.label = named(properties.name);
  await keepFact("districts", districts);
  await map.showAreas("districts", districts, "district");
}

async function begin() {
  find("[data-agree]").checked = agreed();
  measure();
  seen = (await fact(`route:${page.me}`)) || null;
  await queue.begin();
  await load();
  setInterval(() => document.hidden || load(), REFRESH_MS);
  addEventListener("online", load);
  addEventListener("offline", () => {
    fresh = false;
    draw();
  });
  await keepAtHand(page.worker, page.scope);
  find("main").setAttribute("data-ready", "yes");
}

drawGround().catch(() => {});
begin().catch((error) => say(find("[data-word]"), error.message));
