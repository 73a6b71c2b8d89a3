// One ride, from unlocking to its end. The server's word is asked again and again; between two
// answers only the clock and the cost move on by themselves.

import { poll, post, upload } from "../api.js";
import { busy, clone, fill, find, onAction, say, show } from "../dom.js";
import { Heard } from "../offline/silence.js";
import { distance, money, named, page, stopwatch, text } from "../page.js";
import { pinName } from "../pins.js";
import { drawAreas } from "./areas.js";
import { Earning } from "./earning.js";
import { Found } from "./found.js";
import { LaterMap } from "./later-map.js";
import { reportProblem } from "./report.js";
import { whereAmIIfAllowed } from "./place.js";
import { short } from "./prices.js";

const WAITING = new Set(["starting", "ending"]);
const RIDING = new Set(["running", "paused"]);
const OVER = new Set(["ended", "priced", "settled", "payment_due", "written_off"]);
const WAITING_S = 1;
const RIDING_S = 4;
// As long as the server takes a broken vehicle back by itself, by default.
const GIVE_BACK_MS = 300000;
// As long as the server takes photos of what was there before.
const JUST_BEGUN_MS = 600000;
// Far enough away to see an area whole.
const AREA_ZOOM = 14.5;

const root = find("[data-trip]");
const map = new LaterMap(find("#map"), { ...page.map, zoom: 16, label: text("map_label"), controls: false });
const path = `/trips/${page.id}`;
const earning = new Earning(find("[data-rewards]", root), { path, showOffer });
const server = new Heard(root, path, ({ state }) => OVER.has(state) || state === "start_failed");

let trip = null;
let found = null;
let heardAt = 0;
let stopAsking = () => {};

// --- what is shown ------------------------------------------------------------------------------

function words({ state }) {
  const key = OVER.has(state) ? "over" : state === "starting" ? "unlocking" : state;
  return { headline: text(key), hint: text(`${key}_hint`) };
}

function draw(next) {
  const first = trip === null;
  trip = next;
  heardAt = Date.now();
  const { state, vehicle } = trip;
  fill(root, {
    ...words(trip),
    kind: vehicle.kind,
    vehicle: `${text(`kind_${vehicle.kind}`)} ${vehicle.code}`,
    fare: fareLine(trip.quote),
    waiting: WAITING.has(state) || null,
    metered: state !== "starting" && state !== "start_failed" ? true : null,
    can_ride: RIDING.has(state) || null,
    can_report: state === "start_failed" || state === "starting" ? null : true,
    can_pause: state === "running" || null,
    can_resume: state === "paused" || null,
    over: OVER.has(state) || null,
    failed: state === "start_failed" || null,
    can_give_back: RIDING.has(state) && Date.now() - Date.parse(trip.started_at) < GIVE_BACK_MS ? true : null,
    can_show_found: canShowFound(),
    photo_wanted: trip.photo_asked || photoMissing() || null,
    alternative: alternative(trip.alternative),
    alternative_address: trip.alternative ? `/book/${trip.alternative.code}/` : "/",
    receipt_address: `/receipt/${page.id}/`,
    help_address: `/help/new/?trip=${page.id}`,
  });
  find("[data-meter]", root).dataset.tone = state;
  root.removeAttribute("aria-busy");
  root.dataset.state = state;
  tick();
  placeVehicle(first);
  earning.follow(trip);
  ask();
  if (OVER.has(state) && !trip.photo_asked) goToReceipt();
}

/** Of a car, whose inside is seen only after unlocking. */
function canShowFound() {
  const { state, vehicle, started_at: began } = trip;
  if (vehicle.kind !== "car" || !(state === "starting" || RIDING.has(state))) return null;
  if (began && Date.now() - Date.parse(began) > JUST_BEGUN_MS) return null;
  found ??= new Found(find("[data-found]", root), trip.reservation);
  return true;
}

function photoMissing() {
  return (trip.end_blocked?.conditions ?? []).some((one) => one.code === "photo_required");
}

function alternative(other) {
  return other ? text("take_instead", { code: other.code, distance: distance(other.distance_m) }) : null;
}

function fareLine(quote) {
  if (!quote) return null;
  const { price, price_more: more } = short(quote);
  return ["·", price, more && `+ ${more}`].filter(Boolean).join(" ");
}

function tick() {
  if (!trip?.started_at) return;
  const last = trip.end_requested_at ?? trip.ended_at;
  const end = last ? Date.parse(last) : Date.now();
  fill(root, {
    time: stopwatch((end - Date.parse(trip.started_at)) / 1000),
    cost: money(trip.cost_so_far_cents, trip.currency),
  });
}

function placeVehicle(first) {
  const { vehicle } = trip;
  if (vehicle.lon === undefined || vehicle.lon === null) return;
  const here = { lon: vehicle.lon, lat: vehicle.lat };
  map.showPoints("mine", [{ ...here, id: vehicle.id, kind: vehicle.kind, pin: pinName(vehicle.kind, vehicle.battery_pct) }], { cluster: false });
  map.mark(here);
  if (first) map.goTo({ ...here, below: matchMedia("(max-width: 899px)").matches ? 320 : 0 });
}

// --- asking the server --------------------------------------------------------------------------

let askingFor = null;

/** Ask often while the vehicle is being waited for, seldom while riding, no more when it is over. */
function ask() {
  if (askingFor === trip.state) return;
  askingFor = trip.state;
  stopAsking();
  if (WAITING.has(trip.state) || trip.state === "ended") stopAsking = poll(() => server.read(), draw, WAITING_S);
  else if (RIDING.has(trip.state)) stopAsking = poll(() => server.read(), draw, RIDING_S);
}

let leaving = false;

function goToReceipt() {
  if (leaving || trip.state === "ended") return;
  leaving = true;
  setTimeout(() => location.replace(`/receipt/${page.id}/`), 1200);
}

// --- what a person does -------------------------------------------------------------------------

function act(verb, body) {
  return async (button) => {
    clearRefusal();
    await busy(button, async () => {
      try {
        draw(server.heard(await post(`${path}/${verb}`, await body?.())));
        // A button that has done its work may be gone: whoever pressed it by key goes on beside it.
        if (button.hidden) find(".actions:not([hidden]) .button:not([hidden])", root)?.focus();
      } catch (error) {
        refused(error);
      }
    });
  };
}

function clearRefusal() {
  say(root, "");
  find("[data-conditions]", root).hidden = true;
}

/** All unmet conditions at once, each with what to do and the nearest place that would do. */
function refused(error) {
  const { conditions } = error.problem;
  if (!conditions?.length) return say(root, error.message);
  const place = find("[data-conditions]", root);
  show(place, ...conditions.map(condition));
  if (conditions.some((one) => one.code === "photo_required")) fill(root, { photo_wanted: true });
  place.hidden = false;
  const [nearest] = conditions.map((one) => one.nearest).filter(Boolean);
  if (nearest) showPlace(nearest);
  return undefined;
}

function condition({ message, hint, nearest }) {
  const node = fill(clone("condition"), {
    message,
    advice: hint || null,
    nearest: nearest ? text("place_ahead", { name: named(nearest.name), distance: distance(nearest.distance_m) }) : null,
  });
  if (nearest) Object.assign(find("[data-do=showPlace]", node).dataset, { lon: nearest.lon, lat: nearest.lat });
  return node;
}

function showPlace({ lon, lat, zoom }) {
  const here = { lon: Number(lon), lat: Number(lat) };
  map.showPoints("legal", [{ ...here, id: "legal", kind: "parking", pin: pinName("parking") }], { cluster: false });
  map.goTo({ ...here, zoom, below: matchMedia("(max-width: 899px)").matches ? 320 : 0 });
}

/** The place that a reward names: the area where it counts, or its hub; null takes it away. */
function showOffer(offer) {
  const area = offer?.place.area;
  const label = offer ? money(offer.reward_cents, offer.currency) : "";
  const features = area ? [{ type: "Feature", geometry: area, properties: { kind: "bay", label } }] : [];
  map.showAreas("reward", { type: "FeatureCollection", features }, "zone");
  if (offer) showPlace({ ...offer.place, zoom: AREA_ZOOM });
  else map.showPoints("legal", [], { cluster: false });
}

async function myPlace() {
  return (await whereAmIIfAllowed({ timeout: 3000 })) ?? {};
}

async function sendPhoto(input) {
  const [photo] = input.files;
  if (!photo) return;
  const form = new FormData();
  form.append("photo", photo);
  clearRefusal();
  await busy(input, async () => {
    try {
      await upload(`${path}/photo`, form);
      draw(await server.read());
      // What was missing is there; whether it was all, the next try says.
      fill(root, { photo_wanted: null });
      say(root, text("photo_thanks"), { tone: "success" });
    } catch (error) {
      say(root, error.message);
    }
  });
  input.value = "";
}

find("[data-photo]", root).addEventListener("change", (event) => sendPhoto(event.target));

onAction(document.body, {
  pause: act("pause"),
  resume: act("resume"),
  end: act("end", myPlace),
  giveBack: act("broken", () => ({ category: "other" })),
  report: () => reportProblem(trip.vehicle),
  showPlace: (button) => showPlace(button.dataset),
  showOffer: (button) => earning.look(button),
  accept: (button) => earning.accept(button),
  drop: (button) => earning.drop(button),
});

/** As it was when we last heard of it: the clock and the cost stand where they stood then. */
function drawLast(last) {
  draw(last);
  heardAt = 0;
  fill(root, { time: stopwatch((server.at - Date.parse(last.started_at ?? last.requested_at)) / 1000) });
}

// --- the beginning ------------------------------------------------------------------------------

async function begin() {
  drawAreas(map);
  try {
    draw(await server.read().finally(() => void map.load()));
  } catch (error) {
    const last = error.status ? null : server.last();
    if (last) return drawLast(last);
    say(root, error.message);
    fill(root, { failed: true });
  }
  return undefined;
}

// A frozen meter must not move and a silent network must not freeze a running one.
setInterval(() => {
  if (trip && trip.state === "running" && Date.now() - heardAt < 60000) tick();
}, 1000);

begin();
