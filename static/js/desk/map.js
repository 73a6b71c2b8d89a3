// The live map of the staff: every vehicle with its state, and the chargers of one's own sites.

import { post } from "../api.js";
import { busy, clone, fill, find, findAll, onAction, say } from "../dom.js";
import { watchCity } from "../live.js";
import { CityMap, pinName } from "../map.js";
import { page, text } from "../page.js";
import { redraw } from "../redraw.js";
import { bulkDeeds } from "./bulk.js";
import { drawDistricts } from "./districts.js";
import { showDemand, showZones } from "./layers.js";
import { followOrder } from "./orders.js";
import { keepViews } from "./views.js";

const SILENT_MS = 20 * 60 * 1000;
const LONGEST_LIST = 200;
const LOW_PCT = 20;
const BUSY = new Set(["held", "starting", "on_trip", "paused", "ending", "staff"]);
const PIN_STATES = { rentable: "", busy: "dim", blocked: "alert", silent: "alert", away: "dim" };

const map = new CityMap(find("#map"), { ...page.map, zoom: 12.5, label: text("map_label") });
const card = find("[data-card]");
let city = { vehicles: new Map(), sites: new Map() };
let chosen = null;
let stopAsking = () => {};

/** What a member of staff wants to know first of a vehicle. */
function look(vehicle) {
  if (vehicle.life_state !== "in_service") return "away";
  if (!vehicle.heard_ms || Date.now() - vehicle.heard_ms > SILENT_MS) return "silent";
  if (BUSY.has(vehicle.rental_state)) return "busy";
  return vehicle.rentable ? "rentable" : "blocked";
}

function filters() {
  return Object.fromEntries(findAll("[data-filter]").map((field) => [field.dataset.filter, field.value.trim()]));
}

const layers = () => findAll("[data-layer]").filter(({ checked }) => checked).map(({ dataset }) => dataset.layer);
const lays = (layer) => layers().includes(layer);

/** The filters as they are kept: only those that ask for something. */
function asked() {
  const numbers = new Set(["silent_min", "battery_below"]);
  const set = Object.entries(filters()).filter(([, value]) => value);
  return { ...Object.fromEntries(set.map(([name, value]) => [name, numbers.has(name) ? Number(value) : value])), layers: layers() };
}

function apply({ layers: wanted_layers = ["sites"], ...wish }) {
  for (const field of findAll("[data-filter]")) field.value = wish[field.dataset.filter] ?? "";
  for (const box of findAll("[data-layer]")) {
    box.checked = wanted_layers.includes(box.dataset.layer);
    box.dispatchEvent(new Event("change"));
  }
  draw();
}

function silentFor({ heard_ms: heard }) {
  return heard ? (Date.now() - heard) / 60000 : Infinity;
}

function wanted() {
  const { kind, look: state, code, silent_min: silent, battery_below: below, block } = filters();
  const part = code.toLowerCase();
  return [...city.vehicles.values()].filter(
    (vehicle) =>
      (!kind || vehicle.kind === kind) &&
      (!state || look(vehicle) === state) &&
      (!code || vehicle.code.toLowerCase().includes(part)) &&
      (!silent || silentFor(vehicle) > Number(silent)) &&
      (!below || (vehicle.battery_pct !== null && vehicle.battery_pct < Number(below))) &&
      (!block || vehicle.blocks.includes(block)),
  );
}

/** The ring tells the battery; as a layer it colours the whole pin, too. */
function pin(vehicle) {
  const state = lays("battery") ? (vehicle.battery_pct !== null && vehicle.battery_pct < LOW_PCT ? "alert" : "") : PIN_STATES[look(vehicle)];
  return pinName(vehicle.kind, vehicle.battery_pct, state);
}

// The stream tells the minute, not the second.
function ago(ms) {
  if (!ms) return text("never_heard");
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (seconds < 120) return text("heard_now");
  if (seconds < 5400) return text("heard", { ago: text("ago_minutes", { count: Math.round(seconds / 60) }) });
  return text("heard", { ago: text("ago_hours", { count: Math.round(seconds / 3600) }) });
}

function draw() {
  const vehicles = wanted();
  map.showPoints(
    "vehicles",
    vehicles.map((vehicle) => ({
      id: vehicle.id,
      lon: vehicle.lon,
      lat: vehicle.lat,
      pin: pin(vehicle),
    })),
  );
  map.showPoints(
    "sites",
    (lays("sites") ? [...city.sites.values()] : []).map((site) => ({ id: site.id, lon: site.lon, lat: site.lat, pin: pinName("charger", null, site.faulted ? "alert" : "") })),
    { cluster: false },
  );
  find("[data-count]").textContent = text("vehicles_count", { count: vehicles.length, total: city.vehicles.size });
  list(vehicles);
  if (chosen) drawCard(city.vehicles.get(chosen));
}

function list(vehicles) {
  const rows = vehicles
    .sort((a, b) => (a.code < b.code ? -1 : 1))
    .slice(0, LONGEST_LIST)
    .map((vehicle) => {
      const row = fill(clone("vehicle-row"), {
        code: vehicle.code,
        state: text(`look_${look(vehicle)}`),
        battery: vehicle.battery_pct === null ? null : `${vehicle.battery_pct}%`,
      });
      find("[data-dot]", row).dataset.dot = look(vehicle);
      find("button", row).dataset.id = vehicle.id;
      row.dataset.id = vehicle.id;
      return row;
    });
  redraw(find("[data-list]"), ...rows);
}

function drawCard(vehicle) {
  if (!vehicle) return close();
  fill(card, {
    code: vehicle.code,
    kind: text(`kind_${vehicle.kind}`),
    look: text(`look_${look(vehicle)}`),
    rental: text(`rental_${vehicle.rental_state}`),
    battery: vehicle.battery_pct === null ? null : text("battery", { percent: vehicle.battery_pct }),
    heard: ago(vehicle.heard_ms),
    blocks: vehicle.blocks.length ? vehicle.blocks.map((reason) => text(`block_${reason}`)).join(", ") : null,
    life: text(`life_${vehicle.life_state}`),
    admin: `/admin/vehicle/${vehicle.id}/`,
  });
  find("[data-commands]", card).hidden = !page.commands;
  card.hidden = false;
  return map.mark(vehicle);
}

function choose(id, { fly = false } = {}) {
  if (chosen !== id) say(card, "");
  stopAsking();
  chosen = id;
  const vehicle = city.vehicles.get(id);
  drawCard(vehicle);
  if (vehicle && fly) map.goTo({ lon: vehicle.lon, lat: vehicle.lat, zoom: 16 });
  card.focus({ preventScroll: false });
}

function close() {
  stopAsking();
  chosen = null;
  card.hidden = true;
  map.mark(null);
}

async function command(button) {
  const id = chosen;
  await busy(button, async () => {
    try {
      const order = await post(`/fleet/vehicles/${id}/commands`, { kind: button.dataset.kind });
      say(card, text("command_sent"), { tone: "info" });
      follow(id, order.id);
    } catch (error) {
      say(card, error.message);
    }
  });
}

function follow(vehicle, order) {
  stopAsking();
  stopAsking = followOrder(vehicle, order, (words, tone) => say(card, words, { tone }));
}

async function missing(button) {
  if (!window.confirm(button.dataset.ask)) return;
  const id = chosen;
  await busy(button, async () => {
    try {
      await post(`/fleet/vehicles/${id}/case`, { kind: "missing" });
      say(card, text("missing_done"), { tone: "success" });
    } catch (error) {
      say(card, error.message);
    }
  });
}

onAction(document, {
  show: (button) => choose(button.dataset.id, { fly: true }),
  close,
  command,
  missing,
});
const blocks = find("[data-filter=block]");
for (const [key, words] of Object.entries(page.texts)) {
  if (key.startsWith("block_")) blocks.add(new Option(words, key.slice("block_".length)));
}
for (const field of findAll("[data-filter]")) field.addEventListener("input", draw);
const UNDER = { zones: showZones, demand: showDemand };
for (const box of findAll("[data-layer]")) {
  box.addEventListener("change", () => {
    UNDER[box.dataset.layer]?.(map, box.checked).catch((error) => say(document, error.message));
    draw();
  });
}
keepViews({ read: asked, apply });
bulkDeeds(() => wanted().map(({ code }) => code));
map.onPick((pick) => (pick?.layer === "vehicles" ? choose(pick.properties.id) : close()));

drawDistricts(map);
watchCity({
  audience: "staff",
  onChange: (now) => {
    city = now;
    draw();
  },
  onSilence: (silent) => {
    find("[data-silence]").hidden = !silent;
  },
});
