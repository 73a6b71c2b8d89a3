// What may lie under the vehicles: zones, and how many trips are expected where.

import { get } from "../api.js";
import { clone, fill, find, show } from "../dom.js";
import { moment, named, number, text } from "../page.js";

const LISTED = 30;
const NOTHING = { type: "FeatureCollection", features: [] };
let zones = null;
let demand = null;

export async function showZones(map, on) {
  if (on) zones ??= await get("/zones");
  const features = on
    ? zones.features.map(({ geometry, properties: { kind, name, code } }) => ({ type: "Feature", geometry, properties: { kind, label: named(name) || code } }))
    : [];
  return map.showAreas("zones", { ...NOTHING, features: features.reverse() }, "zone");
}

/** Districts in five steps of expected trips, and the same as a table. */
export async function showDemand(map, on) {
  const panel = find("[data-forecast]");
  panel.hidden = !on;
  if (on) demand ??= await Promise.all([get("/fleet/forecast"), get("/districts")]);
  const [told, districts] = demand ?? [{ districts: [] }, NOTHING];
  const trips = new Map(told.districts.map(({ code, trips: kinds }) => [code, Object.values(kinds).reduce((sum, one) => sum + one, 0)]));
  const most = Math.max(...trips.values(), 1);
  const features = districts.features
    .filter(({ properties }) => on && trips.has(properties.code))
    .map(({ geometry, properties: { code, name } }) => ({
      type: "Feature",
      geometry,
      properties: { label: `${named(name)} ${number(trips.get(code), 1)}`, kind: "demand", step: Math.ceil((trips.get(code) / most) * 5) },
    }));
  if (on) {
    find("[data-hours]").textContent = told.start
      ? text("forecast_hours", { start: moment(told.start), end: moment(told.end) })
      : text("forecast_none");
    find(".desk-table", panel).hidden = !told.districts.length;
    const rows = told.districts.slice(0, LISTED).map(({ code, name }) => fill(clone("district-row"), { name, trips: number(trips.get(code), 1) }));
    show(find("[data-districts]"), ...rows);
  }
  return map.showAreas("demand", { ...NOTHING, features }, "demand");
}
