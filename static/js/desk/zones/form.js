// The form of one zone: what it is, its rules, and its corners as numbers, for who uses no mouse.

import { clone, fill, find, findAll, show } from "../../dom.js";
import { page, text } from "../../page.js";
import { cornersOf } from "./shapes.js";

const MOST_CORNERS = 300;
const form = find("[data-form]");
const box = find("[data-corners-box]");
const yesNo = new Set(["ride_start_allowed", "ride_end_allowed", "ride_through_allowed", "station_parking"]);

for (const { code, name } of page.hubs) form.elements.hub.add(new Option(name, code));

/** Fill the form with a zone; null closes it. */
export function showZone(zone) {
  form.hidden = !zone;
  if (!zone) return;
  const { properties: said } = zone;
  fill(form, { title: said.code, corners: cornersOf(zone.geometry).length });
  const values = { code: said.code, name_it: said.name?.it, name_en: said.name?.en, kind: said.kind, hub: said.hub, capacity: said.capacity };
  for (const [name, value] of Object.entries(values)) form.elements[name].value = value ?? "";
  show(find("[data-rules]", form), ...(said.rules ?? []).map(ruleBox));
  showCorners(zone);
}

/** Only the corners anew: the fields that somebody types in stay as they are. */
export function showCorners(zone) {
  fill(form, { corners: cornersOf(zone.geometry).length });
  if (!box.open) return;
  show(find("[data-corners]", form), ...cornersOf(zone.geometry).slice(0, MOST_CORNERS).map(cornerRow));
}

export const corners = () => box;

function cornerRow({ spot }, number) {
  const row = fill(clone("corner-row"), { number: number + 1 });
  row.dataset.number = number;
  for (const field of findAll("[data-axis]", row)) {
    field.value = spot[Number(field.dataset.axis)];
    field.disabled = !page.edits;
    field.setAttribute("aria-label", text(field.dataset.axis === "0" ? "corner_lon" : "corner_lat", { number: number + 1 }));
  }
  for (const button of findAll("button", row)) {
    button.hidden = !page.edits;
    button.setAttribute("aria-label", text(`corner_${button.dataset.do}`, { number: number + 1 }));
  }
  return row;
}

function ruleBox(rule, number) {
  const part = fill(clone("rule-box"), { number: text("rule_number", { number: number + 1 }) });
  part.dataset.number = number;
  for (const field of findAll("[data-rule]", part)) {
    const value = rule[field.dataset.rule];
    if (field.multiple) for (const option of field.options) option.selected = (value ?? []).includes(option.value);
    else field.value = Array.isArray(value) ? value.join(",") : (value ?? "");
  }
  return part;
}

/** What the form says, into the zone. Fields that the form does not show stay in its rules. */
export function readInto(zone) {
  const said = zone.properties;
  const { elements } = form;
  const name = Object.fromEntries([["it", elements.name_it.value.trim()], ["en", elements.name_en.value.trim()]].filter(([, words]) => words));
  said.code = elements.code.value.trim() || said.code;
  said.name = Object.keys(name).length ? name : { it: said.code };
  said.kind = elements.kind.value;
  said.hub = elements.hub.value || null;
  said.capacity = elements.capacity.value === "" ? null : Number(elements.capacity.value);
  said.rules = findAll("[data-rules] > fieldset", form).map((part) => readRule(part, said.rules[Number(part.dataset.number)] ?? {}));
}

function readRule(part, before) {
  const rule = { ...before };
  for (const field of findAll("[data-rule]", part)) {
    const name = field.dataset.rule;
    const value = valueOf(field, name);
    if (value === null || (Array.isArray(value) && !value.length)) delete rule[name];
    else rule[name] = value;
  }
  return rule;
}

function valueOf(field, name) {
  if (field.multiple) return [...field.selectedOptions].map(({ value }) => value);
  const words = field.value.trim();
  if (!words) return null;
  if (yesNo.has(name)) return words === "true";
  if (name === "weekdays") return [...new Set(words.split(",").map(Number))].filter((day) => day >= 1 && day <= 7).sort();
  return name === "maximum_speed_kmh" ? Number(words) : words;
}
