// One version of zones on the map and in a list, which say the same: whatever can be drawn can be
// typed. Nothing is stored before "Save and check"; until then every step can be taken back.

import { get, post } from "../../api.js";
import { busy, clone, fill, find, onAction, say, show } from "../../dom.js";
import { CityMap } from "../../map.js";
import { named, page, text } from "../../page.js";
import { drawDistricts } from "../districts.js";
import { corners, readInto, showCorners, showZone } from "./form.js";
import { caught, copyOf, cornersOf, deleteCorner, insertCorner, middlesOf, moveCorner, newZone, placeFor } from "./shapes.js";

const SET = `/fleet/zone-sets/${page.id}`;
const REACH_PX = 12;
const MOST_HANDLES = 300;
const MOST_STEPS = 100;
const HALF_SIDE = 0.0015;

const map = new CityMap(find("#map"), { ...page.map, zoom: 12.5, label: text("zones_map_label") });
const form = find("[data-form]");
let { revision, ...drawing } = page.zones;
let chosen = null;
let line = null;
let dirty = false;
const steps = [];

// --- what is seen ---------------------------------------------------------------------------------

function draw() {
  const features = drawing.features.map(({ geometry, properties: { kind, name, code } }) => ({
    type: "Feature",
    geometry,
    properties: { kind, label: named(name) || code },
  }));
  // The general first, so that the special lies on top of it.
  map.showAreas("zones", { type: "FeatureCollection", features: features.reverse() }, "zone");
  list();
  handles();
  const undo = find('[data-do="undo"]');
  if (undo) undo.disabled = !steps.length;
  find("[data-dirty]").hidden = !dirty;
}

function list() {
  find("[data-total]").textContent = `(${drawing.features.length})`;
  const rows = drawing.features.map(({ properties: { code, kind } }, number) => {
    const row = fill(clone("zone-row"), { code, kind: page.words.zone[kind] });
    find("[data-dot]", row).dataset.dot = kind;
    const button = find("button", row);
    button.dataset.number = number;
    button.setAttribute("aria-pressed", String(number === chosen));
    return row;
  });
  const place = find("[data-zones]");
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.number : null;
  show(place, ...rows);
  if (focused !== null) find(`[data-number="${focused}"]`, place)?.focus();
}

const zone = () => drawing.features[chosen] ?? null;

function handles() {
  const shape = page.edits && zone()?.geometry;
  const few = shape && cornersOf(shape).length <= MOST_HANDLES;
  const middles = few ? middlesOf(shape) : [];
  map.showCorners(few ? cornersOf(shape).map(({ spot }) => spot) : [], (number, { lon, lat }) =>
    change(() => moveCorner(shape, number, snapped([lon, lat]))),
  );
  map.showCorners(
    middles,
    (number, { lon, lat }) => change(() => insertCorner(shape, number, snapped([lon, lat]))),
    { className: "map-middle" },
  );
}

function snapped(spot) {
  if (!find("[data-snap]").checked) return spot;
  const others = drawing.features.filter((_, number) => number !== chosen).map(({ geometry }) => geometry);
  return caught(spot, others, {
    flat: ([lon, lat]) => map.toPixels({ lon, lat }),
    round: (pixels) => map.toPlace(pixels),
    reach: REACH_PX,
  });
}

function choose(number, { fly = true } = {}) {
  chosen = number;
  showZone(zone());
  draw();
  if (!zone()) return;
  if (fly) map.show(zone().geometry);
  form.focus({ preventScroll: false });
}

// --- what is changed ------------------------------------------------------------------------------

/** Do something to the drawing that can be taken back. */
function change(deed, { fields = false } = {}) {
  steps.push({ drawing: copyOf(drawing), chosen });
  if (steps.length > MOST_STEPS) steps.shift();
  deed();
  dirty = true;
  if (zone() && !fields) showZone(zone());
  draw();
}

function undo() {
  const step = steps.pop();
  if (!step) return;
  ({ drawing, chosen } = step);
  dirty = true;
  showZone(zone());
  draw();
}

function add(ring) {
  const kind = find("[data-kind]").value;
  const place = placeFor(drawing.features, kind);
  change(() => {
    drawing.features.splice(place, 0, newZone(drawing.features, kind, ring));
    chosen = place;
  });
  choose(place, { fly: false });
}

function shift(by) {
  const to = chosen + by;
  if (to < 0 || to >= drawing.features.length) return;
  change(() => {
    const [one] = drawing.features.splice(chosen, 1);
    drawing.features.splice(to, 0, one);
    chosen = to;
  });
}

function showLine() {
  const ring = line?.length ? [...line, line[0]] : [];
  const area = { type: "Feature", geometry: { type: "Polygon", coordinates: [ring] }, properties: { kind: "slow", label: "" } };
  map.showAreas("drawn", { type: "FeatureCollection", features: ring.length ? [area] : [] }, "zone");
  find('[data-do="finish"]').disabled = !line || line.length < 3;
  find('[data-do="back"]').disabled = !line?.length;
  find('[data-do="draw"]').setAttribute("aria-pressed", String(line !== null));
}

function square() {
  const { lon, lat } = map.view();
  add([[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([x, y]) => [lon + x * HALF_SIDE, lat + y * HALF_SIDE * 0.7]));
  corners().open = true;
}

const rowNumber = (node) => Number(node.closest("tr").dataset.number);
const ruleNumber = (node) => Number(node.closest("fieldset").dataset.number);

// --- saving, checking, publishing -----------------------------------------------------------------

async function save() {
  const saved = await post(`${SET}/zones`, { type: "FeatureCollection", ...drawing, revision }, { method: "PUT" });
  revision = saved.revision;
  dirty = false;
  const { conflicts } = await get(`${SET}/conflicts`);
  showFindings([...saved.findings, ...conflicts]);
  draw();
}

function showFindings(found) {
  find("[data-check]").hidden = false;
  const rows = found.map(({ severity, message, lon, lat }) => {
    const row = fill(clone("finding-row"), { severity: text(`finding_${severity}`), message });
    find("[data-severity]", row).dataset.severity = severity === "error" ? "critical" : severity;
    Object.assign(find("button", row).dataset, lon === null ? {} : { lon, lat });
    return row;
  });
  const none = document.createElement("li");
  none.textContent = text("findings_none");
  show(find("[data-findings]"), ...(rows.length ? rows : [none]));
}

/** Run a call and say what was wrong with it, feature by feature where the server tells. */
function trying(button, work) {
  return busy(button, async () => {
    try {
      say(document, "");
      await work();
    } catch (error) {
      const problems = (error.problem?.problems ?? []).map(
        ({ feature, field, detail }) => `${drawing.features[feature]?.properties.code ?? feature}, ${field}: ${detail}`,
      );
      say(document, [error.message, ...problems].join(" "));
      if (error.problem?.findings) showFindings(error.problem.findings);
    }
  });
}

function moment(field) {
  return field.value ? new Date(field.value).toISOString() : null;
}

onAction(document, {
  choose: (button) => choose(Number(button.dataset.number)),
  where: ({ dataset: { lon, lat } }) => lon && map.goTo({ lon: Number(lon), lat: Number(lat), zoom: 16 }),
  undo,
  draw: () => {
    line = line ? null : [];
    showLine();
  },
  back: () => {
    line?.pop();
    showLine();
  },
  finish: () => {
    const ring = line;
    line = null;
    showLine();
    add(ring);
  },
  square,
  earlier: () => shift(-1),
  later: () => shift(1),
  remove: () => {
    change(() => drawing.features.splice(chosen, 1));
    choose(null);
  },
  insert: (button) => change(() => insertCorner(zone().geometry, rowNumber(button))),
  delete: (button) => {
    const number = rowNumber(button);
    if (cornersOf(zone().geometry).length <= 3) say(document, text("corners_few"));
    else change(() => deleteCorner(zone().geometry, number));
  },
  "add-rule": () => change(() => (zone().properties.rules ??= []).push({})),
  "remove-rule": (button) => change(() => zone().properties.rules.splice(ruleNumber(button), 1)),
  save: (button) => trying(button, save),
});

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", ({ target }) => {
  if (!page.edits) return;
  if (target.dataset.axis === undefined) {
    change(() => readInto(zone()), { fields: true });
    return;
  }
  const number = rowNumber(target);
  const spot = [...cornersOf(zone().geometry)[number].spot];
  const value = target.valueAsNumber;
  if (Number.isNaN(value)) return;
  spot[Number(target.dataset.axis)] = value;
  change(() => moveCorner(zone().geometry, number, spot), { fields: true });
});
corners().addEventListener("toggle", () => zone() && showCorners(zone()));

map.map.on("click", ({ lngLat: { lng, lat } }) => {
  if (!line) return;
  line.push(snapped([lng, lat]));
  showLine();
});

find("[data-publish]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const { elements } = event.target;
  trying(find("button", event.target), async () => {
    await save();
    await post(`${SET}/publish`, { starts_at: moment(elements.starts_at), acknowledge_warnings: elements.acknowledged.checked });
    location.reload();
  });
});
find("[data-rollback]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const starts = moment(event.target.elements.starts_at);
  trying(find("button", event.target), async () => {
    const { id } = await post(`${SET}/rollback`, { starts_at: starts });
    location.assign(`/admin/zones/${id}/`);
  });
});

window.addEventListener("beforeunload", (event) => dirty && event.preventDefault());
drawDistricts(map).catch(() => {}).then(draw);
