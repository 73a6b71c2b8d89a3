// A list that is drawn again while somebody uses it: what has not changed is left alone, and what has
// changed takes over what the person opened, filled in or stands on.

import { find, findAll } from "./dom.js";

const FIELDS = "input:not([type=hidden]), select, textarea";
// Another one each time the server draws a form, and all of them are good.
const TOKEN = /<input type="hidden" name="csrfmiddlewaretoken"[^>]*>/g;
// How a node looked when it was drawn, before anybody touched it.
const drawn = new WeakMap();

/** Make the children of `place` the given nodes; `data-id` tells which is which, `data-kept` what people fill in. */
export function redraw(place, ...nodes) {
  const old = [...place.children];
  const stood = place.contains(document.activeElement) ? document.activeElement : null;
  const now = nodes.map((node) => heir(node, old, stood));
  const stays = new Set(now);
  for (const node of [...place.childNodes]) if (!stays.has(node)) node.remove();
  now.forEach((node, turn) => {
    if (place.childNodes[turn] !== node) place.insertBefore(node, place.childNodes[turn] ?? null);
  });
  place.removeAttribute("aria-busy");
  if (stood) standAgain(stood, now);
}

/** The old node where it would look the same or is being filled in, else the new one with what was done in the old. */
function heir(node, old, stood) {
  const look = lookOf(node);
  drawn.set(node, look);
  const place = old.findIndex((one) => keyOf(one) === keyOf(node) && (keyOf(node) || drawnAs(one) === look));
  if (place < 0) return node;
  const [before] = old.splice(place, 1);
  const fills = stood?.matches(FIELDS) && before.contains(stood) && stood.closest("[data-kept]");
  if (fills || drawnAs(before) === look) return before;
  if (!before.children.length && !node.children.length && before.tagName === node.tagName) return said(before, node, look);
  takeOver(before, node);
  return node;
}

/** Plain words change in place: who listens is told what changes in a node, not that another stands there. */
function said(before, node, look) {
  before.textContent = node.textContent;
  before.className = node.className;
  drawn.set(before, look);
  return before;
}

const drawnAs = (node) => drawn.get(node) ?? lookOf(node);
const keyOf = ({ dataset }) => dataset?.id ?? "";

/** What a person sees: the markup, and what stands in the fields, which markup does not tell. */
function lookOf(node) {
  const values = findAll(FIELDS, node).map((field) => (/^(checkbox|radio)$/.test(field.type) ? field.checked : field.value));
  return node.outerHTML.replace(TOKEN, "") + JSON.stringify(values);
}

function takeOver(before, node) {
  const parts = findAll("details", node);
  findAll("details", before).forEach((part, turn) => {
    if (part.open && parts[turn]) parts[turn].open = true;
  });
  for (const part of findAll("[data-kept]", before)) {
    const counterpart = find(`[data-kept="${part.dataset.kept}"]`, node);
    if (counterpart && isTouched(part, counterpart)) counterpart.replaceWith(part);
  }
}

/** Opened by hand, or something in it stands otherwise than it was drawn. */
function isTouched(part, counterpart) {
  if (counterpart.hidden) return part.matches("form") && !part.hidden;
  return findAll(FIELDS, part).some((field) => {
    if (/^(checkbox|radio)$/.test(field.type)) return field.checked !== field.defaultChecked;
    if (field.matches("select")) return [...field.options].some((option) => option.selected !== option.defaultSelected) && field.selectedIndex > 0;
    return field.type === "file" ? field.files.length > 0 : field.value !== field.defaultValue;
  });
}

/** The focus stays where it was: on the same element, or on what does the same in its place. */
function standAgain(stood, now) {
  if (stood.isConnected) {
    if (document.activeElement !== stood) stood.focus({ preventScroll: true });
    return;
  }
  const row = now.find((node) => keyOf(node) && keyOf(node) === stood.closest("[data-id]")?.dataset.id);
  if (row) counterpartOf(stood, row)?.focus({ preventScroll: true });
}

function counterpartOf(stood, row) {
  const { do: deed, reason, action } = stood.dataset;
  const same = (one) => one.tagName === stood.tagName && one.name === stood.name && one.dataset.do === deed && one.dataset.reason === reason && one.dataset.action === action;
  const seen = findAll("a, button, summary, input, select, textarea", row).filter((one) => one.offsetParent !== null);
  // What was pressed may be gone with what it did; who goes by key goes on beside it.
  return seen.find(same) ?? seen.find((one) => one.matches("button"));
}
