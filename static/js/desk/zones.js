// The page of a set of zones: the text of the form drawn on a map, zones drawn into the text, and
// their corners moved. The text is what is saved, so the map only ever reads and writes the text.

import { find, onAction } from "../dom.js";
import { CityMap } from "../map.js";
import { named, page } from "../page.js";
import { drawDistricts } from "./districts.js";

const REDRAW_MS = 400;
const DIGITS = 1e7;
const MOST_CORNERS = 300;
// A new zone stands before the first that is more general: the first that says something decides.
const ORDER = ["bay", "no_ride", "no_park", "slow", "operating"];

const field = find("#id_drawing");
const map = new CityMap(find("#map"), { ...page.map, zoom: 11.5 });
let line = null;
let timer = 0;

/** The zones of the form, else those of the page; null when the text cannot be read. */
function zones() {
  if (!field) return page.zones;
  if (!field.value.trim()) return { type: "FeatureCollection", features: [] };
  try {
    const read = JSON.parse(field.value);
    return Array.isArray(read.features) ? read : null;
  } catch {
    return null;
  }
}

/** Back into the text, one zone a line. */
function write({ global_rules: rules = [], features }) {
  const lines = features.map((feature) => JSON.stringify(feature)).join(",\n");
  field.value = `{"type":"FeatureCollection","global_rules":${JSON.stringify(rules)},"features":[\n${lines}\n]}`;
}

function show() {
  const read = zones();
  const alert = find("[data-alert]");
  if (alert) alert.hidden = read !== null;
  if (!read) return;
  const features = read.features
    .filter(({ geometry, properties }) => geometry?.coordinates?.length && properties)
    .map(({ properties: { kind, name, code }, ...feature }) => ({
      ...feature,
      properties: { kind, label: named(name) || code },
    }));
  // The general first, so that the special lies on top of it.
  map.showAreas("zones", { type: "FeatureCollection", features: features.reverse() }, "zone");
  if (field) offer(read.features);
}

// --- a new zone -----------------------------------------------------------------------------------

/** The line so far, as an area as soon as it is one. */
function showLine() {
  const ring = line?.length ? [...line, line[0]] : [];
  const area = { type: "Feature", geometry: { type: "Polygon", coordinates: [ring] }, properties: { kind: "slow", label: "" } };
  map.showAreas("drawn", { type: "FeatureCollection", features: ring.length ? [area] : [] }, "zone");
  find('[data-do="finish"]').disabled = !line || line.length < 3;
  find('[data-do="undo"]').disabled = !line?.length;
}

const rounded = (degrees) => Math.round(degrees * DIGITS) / DIGITS;

function placeFor(features, kind) {
  const later = features.findIndex(({ properties }) => ORDER.indexOf(properties?.kind) > ORDER.indexOf(kind));
  return later < 0 ? features.length : later;
}

function finish() {
  const read = zones();
  if (!read || !line || line.length < 3) return;
  const kind = find("[data-kind]").value;
  const code = find("[data-code]").value.trim() || `${kind}-${read.features.length + 1}`;
  read.features.splice(placeFor(read.features, kind), 0, {
    type: "Feature",
    geometry: { type: "Polygon", coordinates: [[...line, line[0]]] },
    properties: { code, name: { it: code }, kind, rules: kind === "slow" ? [{ maximum_speed_kmh: 6 }] : [] },
  });
  write(read);
  line = null;
  find("[data-code]").value = "";
  showLine();
  show();
}

// --- the corners of a zone that is there ----------------------------------------------------------

/** The codes to choose from; what was chosen stays. */
function offer(features) {
  const choice = find("[data-zone]");
  const chosen = choice.value;
  const codes = features.map(({ properties }) => properties?.code).filter(Boolean);
  choice.replaceChildren(choice.options[0], ...codes.map((code) => new Option(code, code, false, code === chosen)));
}

/** Every corner with the rings it stands in: [polygon, ring, place]; the last of a ring is its first. */
function cornersOf({ type, coordinates }) {
  const polygons = type === "Polygon" ? [coordinates] : coordinates;
  return polygons.flatMap((rings) => rings.flatMap((ring) => ring.slice(0, -1).map((spot, place) => ({ ring, place, spot }))));
}

function showCorners() {
  const code = find("[data-zone]").value;
  const zone = code && zones()?.features.find(({ properties }) => properties?.code === code);
  const corners = zone ? cornersOf(zone.geometry) : [];
  map.showCorners(
    corners.length <= MOST_CORNERS ? corners.map(({ spot }) => spot) : [],
    (number, spot) => moveCorner(code, number, spot),
  );
}

function moveCorner(code, number, { lon, lat }) {
  const read = zones();
  const zone = read?.features.find(({ properties }) => properties?.code === code);
  const corner = zone && cornersOf(zone.geometry)[number];
  if (!corner) return;
  const spot = [rounded(lon), rounded(lat)];
  corner.ring[corner.place] = spot;
  if (corner.place === 0) corner.ring[corner.ring.length - 1] = spot;
  write(read);
  show();
}

if (field) {
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      show();
      showCorners();
    }, REDRAW_MS);
  });
  find("[data-zone]").addEventListener("change", showCorners);
  map.map.on("click", ({ lngLat }) => {
    if (!line) return;
    line.push([rounded(lngLat.lng), rounded(lngLat.lat)]);
    showLine();
  });
  onAction(document, {
    draw: () => {
      line = [];
      showLine();
    },
    undo: () => {
      line?.pop();
      showLine();
    },
    finish,
  });
}

drawDistricts(map).catch(() => {}).then(show);
