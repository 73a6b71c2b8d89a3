// The page of a set of zones: the text of the form drawn on a map, and new zones drawn into the text.

import { find, onAction } from "../dom.js";
import { CityMap } from "../map.js";
import { named, page } from "../page.js";
import { drawDistricts } from "./districts.js";

const REDRAW_MS = 400;
const DIGITS = 1e7;

const field = document.querySelector("#id_drawing");
const map = new CityMap(find("#map"), { ...page.map, zoom: 11.5 });
let corners = null;
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

function show() {
  const read = zones();
  const alert = document.querySelector("[data-alert]");
  if (alert) alert.hidden = read !== null;
  if (!read) return;
  const features = read.features
    .filter(({ geometry, properties }) => geometry?.coordinates?.length && properties)
    .map((feature) => ({
      ...feature,
      properties: { kind: feature.properties.kind, label: named(feature.properties.name) || feature.properties.code },
    }));
  // The general first, so that the special lies on top of it.
  map.showAreas("zones", { type: "FeatureCollection", features: features.reverse() }, "zone");
}

/** The line so far, as an area as soon as it is one. */
function showLine() {
  const ring = corners && corners.length ? [...corners, corners[0]] : [];
  const features = ring.length
    ? [{ type: "Feature", geometry: { type: "Polygon", coordinates: [ring] }, properties: { kind: "slow", label: "" } }]
    : [];
  map.showAreas("drawn", { type: "FeatureCollection", features }, "zone");
  find('[data-do="finish"]').disabled = !corners || corners.length < 3;
  find('[data-do="undo"]').disabled = !corners || !corners.length;
}

const rounded = (degrees) => Math.round(degrees * DIGITS) / DIGITS;

/** A zone of this kind stands before the first that is more general: the order of the kinds. */
const ORDER = ["bay", "no_ride", "no_park", "slow", "operating"];

function placeFor(features, kind) {
  const later = features.findIndex(({ properties }) => ORDER.indexOf(properties?.kind) > ORDER.indexOf(kind));
  return later < 0 ? features.length : later;
}

function finish() {
  const read = zones();
  if (!read || !corners || corners.length < 3) return;
  const kind = find("[data-kind]").value;
  const code = find("[data-code]").value.trim() || `${kind}-${read.features.length + 1}`;
  const rules = kind === "slow" ? [{ maximum_speed_kmh: 6 }] : [];
  const zone = {
    type: "Feature",
    geometry: { type: "Polygon", coordinates: [[...corners, corners[0]]] },
    properties: { code, name: { it: code }, kind, rules },
  };
  read.features.splice(placeFor(read.features, kind), 0, zone);
  const lines = read.features.map((feature) => JSON.stringify(feature)).join(",\n");
  const rest = JSON.stringify(read.global_rules ?? []);
  field.value = `{"type":"FeatureCollection","global_rules":${rest},"features":[\n${lines}\n]}`;
  corners = null;
  find("[data-code]").value = "";
  showLine();
  show();
}

if (field) {
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, REDRAW_MS);
  });
  map.map.on("click", ({ lngLat }) => {
    if (!corners) return;
    corners.push([rounded(lngLat.lng), rounded(lngLat.lat)]);
    showLine();
  });
  onAction(document, {
    draw: () => {
      corners = [];
      showLine();
    },
    undo: () => {
      corners?.pop();
      showLine();
    },
    finish,
  });
}

drawDistricts(map).catch(() => {}).then(show);
