// The map page: what is near, what it costs, and the way to have it.

import { find, findAll, fill, clone, onAction, say, show } from "../dom.js";
import { page, text } from "../page.js";
import { pinName } from "../pins.js";
import { watchCity } from "../live.js";
import { drawAreas } from "./areas.js";
import { heldReservation, goingOn } from "./going-on.js";
import { HeldCard } from "./held.js";
import { LaterMap } from "./later-map.js";
import { Nearby } from "./nearby.js";
import { whereAmI, whereAmIIfAllowed } from "./place.js";
import { watchNeeds } from "./needs.js";
import { reportProblem } from "./report.js";
import { goOnWithStart } from "./ride.js";
import { Search } from "./search.js";
import { StationCard } from "./station.js";
import { VehicleCard } from "./vehicle.js";

const CLOSE_ZOOM = 16.3;
const NARROW = matchMedia("(max-width: 899px)");
const sheet = find("[data-sheet]");
const cardPlace = find("[data-panel=card]");
const listPlace = find("[data-panel=list]");

const WORDS = { "NavigationControl.ZoomIn": text("zoom_in"), "NavigationControl.ZoomOut": text("zoom_out") };
const map = new LaterMap(find("#map"), { ...page.map, label: text("map_label"), words: WORDS });
const nearby = new Nearby({ place: find("[data-nearby]"), count: find("[data-count]"), trouble: find("[data-trouble]"), centre, onRows });
const shown = new Set();
let me = null;
let looked = null;
let card = null;

function centre() {
  if (looked) return { ...looked, known: true };
  return me ? { ...me, known: true } : { ...map.view(), known: false };
}

// --- the map's points ---------------------------------------------------------------------------

const wanted = (kind) => shown.size === 0 || shown.has(kind);
let city = null;
let listed = { vehicles: [], sites: [] };

/** Until the live picture is there, and while it is away for good, the list's places stand in. */
function onRows(rows) {
  const [sites, vehicles] = [rows.filter(({ kind }) => kind === "charger"), rows.filter(({ kind }) => kind !== "charger")];
  listed = { vehicles, sites };
  if (!city || nearby.isChoosy()) drawPoints();
}

function drawPoints() {
  // The live picture does not know who has a child seat; the list does.
  const all = city && !nearby.isChoosy() ? { vehicles: [...city.vehicles.values()], sites: [...city.sites.values()] } : listed;
  const vehicles = all.vehicles.filter(({ kind }) => wanted(kind));
  const sites = wanted("charger") ? all.sites : [];
  map.showPoints("vehicles", vehicles.map(vehiclePoint));
  map.showPoints("sites", sites.map(sitePoint), { aside: true });
}

const vehiclePoint = ({ id, code, kind, lon, lat, battery_pct: battery }) => ({
  id, code, kind, lon, lat, pin: pinName(kind, battery),
});
const sitePoint = ({ id, lon, lat, available }) => ({
  id, kind: "charger", lon, lat, pin: pinName("charger", null, available ? "" : "dim"),
});

function startWatching() {
  watchCity({
    onChange: (now) => {
      city = now;
      drawPoints();
      card?.seen?.(now);
    },
    onSilence: (silent) => {
      find("[data-silence]").hidden = !silent;
    },
  });
}

// --- the sheet ----------------------------------------------------------------------------------

function resize(size) {
  sheet.dataset.size = size;
  find("[data-do=resize]", sheet).setAttribute("aria-expanded", String(size === "full"));
}

/** Put a card into the sheet, or the list back when there is none. */
function open(next) {
  card?.leave?.();
  const left = card;
  card = next;
  say(sheet, "");
  cardPlace.hidden = !card;
  listPlace.hidden = Boolean(card);
  cardPlace.replaceChildren(...(card ? [card.root] : []));
  resize(card ? "fit" : "peek");
  map.mark(card?.at ?? looked);
  map.showPoints("mine", card?.mine ? [vehiclePoint(card.mine)] : [], { cluster: false });
  if (card) cardPlace.focus({ preventScroll: true });
  else if (left) listAgain(left.vehicle ?? left.site ?? {});
  if (card?.at) lookAt(card.at);
}

/** Who leaves a card goes on where they chose it, or at the head of the list. */
function listAgain({ id, code }) {
  const names = [code, id].filter(Boolean);
  const row = findAll("[data-do=choose]", listPlace).find(({ dataset }) => names.includes(dataset.id));
  (row ?? find("[data-nearby]")).focus();
}

// Close enough that the place stands for itself, and above the sheet where that covers the map.
function lookAt(place) {
  const zoom = Math.max(map.view().zoom, CLOSE_ZOOM);
  map.goTo({ ...place, zoom, below: NARROW.matches ? sheet.offsetHeight - 40 : 0 });
}

const close = () => {
  open(null);
  history.replaceState(null, "", "/");
  nearby.refresh();
};

/** Where what was refused can be put right: a card or a debt in the wallet, papers in the profile. */
function wayOut(error) {
  if (error.status === 402) return { address: "/wallet/#payment", words: text("to_wallet") };
  if (error.code === "access_refused") return { address: "/profile/papers/", words: text("to_papers") };
  return null;
}

/** Say why something was refused, and where that is put right. */
function alert(reason) {
  const error = reason instanceof Error ? reason : new Error(reason);
  say(sheet, error.message, { link: wayOut(error) });
}

const tools = { centre, close, open, alert };

/** Choose what a row, a pin or the address names. */
async function choose(kind, id) {
  if (card instanceof HeldCard || !id) return;
  say(sheet, "");
  try {
    open(kind === "charger" ? await StationCard.of(id, tools) : await VehicleCard.of(id, tools));
  } catch (error) {
    close();
    say(sheet, error.status === 404 ? text("vehicle_gone") : error.message);
  }
}

// --- what a person does -------------------------------------------------------------------------

async function locate() {
  me = await whereAmI();
  if (!me) return;
  search.clear();
  map.showMe(me);
  map.goTo({ ...me, zoom: 15.5 });
}

function filter(button) {
  const { kind } = button.dataset;
  shown.has(kind) ? shown.delete(kind) : shown.add(kind);
  for (const chip of findAll("[data-chips] [data-kind][aria-pressed]")) {
    chip.setAttribute("aria-pressed", String(shown.has(chip.dataset.kind)));
  }
  drawPoints();
  nearby.show(shown);
}

const search = new Search(find("[data-search]"), {
  onPlace: (place) => {
    looked = place;
    map.mark(place);
    if (place) map.goTo({ ...place, zoom: 15.5 });
    nearby.refresh();
  },
});
watchNeeds(find("[data-needs]"), (needs) => {
  nearby.need(needs);
  if (city) drawPoints();
});

onAction(document.body, {
  go: (button) => search.go(button),
  filter,
  locate,
  close,
  resize: () => resize(sheet.dataset.size === "full" ? "peek" : "full"),
  choose: (row) => choose(row.dataset.kind, row.dataset.id),
  reserve: (button) => card.reserve(button),
  unlock: (button) => card.unlock(button),
  cancel: (button) => card.cancel(button),
  drop: (button) => card.drop(button),
  report: () => reportProblem(card.vehicle),
  charge: (button) => card.charge(button),
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && card && !(card instanceof HeldCard)) close();
});

map.onPick((pick) => {
  if (pick && pick.layer !== "mine") choose(pick.properties.kind, pick.properties.id);
});
map.onMoved(() => {
  if (!card) nearby.refreshSoon();
});

// --- the beginning ------------------------------------------------------------------------------

function tellGoingOn({ address, sentence }) {
  const place = find("[data-going-on]");
  show(place, fill(clone("going-on"), { address, sentence }));
  place.hidden = false;
}

async function begin() {
  // The list is there to be read before the map and what is on it are fetched.
  nearby.refresh().finally(() => {
    drawAreas(map);
    map.load().then(startWatching);
  });
  whereAmIIfAllowed().then((place) => {
    me = place;
    if (me) map.showMe(me);
  });
  if (page.vehicle) choose("vehicle", page.vehicle);
  else if (page.station) choose("charger", page.station);
  if (!page.signed_in) return;
  goOnWithStart(tools);
  const [held, busy] = await Promise.all([heldReservation(), goingOn()]);
  if (held) open(new HeldCard(held, tools));
  busy.forEach(tellGoingOn);
}

begin();
