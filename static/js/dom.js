// Markup lives in the server's templates; these few verbs clone it, fill it and listen to it.

export const find = (selector, root = document) => root.querySelector(selector);
export const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];

/** A copy of `<template id=…>`'s first element. */
export function clone(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

/** Put values into `[data-f=name]`; null or undefined hides the `[data-if=name]` around it. */
export function fill(root, values) {
  for (const [name, value] of Object.entries(values)) {
    const missing = value === null || value === undefined || value === false;
    for (const node of own(root, `[data-if~="${name}"]`)) node.hidden = missing;
    for (const node of own(root, `[data-unless~="${name}"]`)) node.hidden = !missing;
    if (missing) continue;
    for (const node of own(root, `[data-f="${name}"]`)) setText(node, value);
    for (const node of own(root, `[data-href="${name}"]`)) node.href = value;
    for (const node of own(root, `[data-icon="${name}"]`)) setIcon(node, value);
  }
  return root;
}

function own(root, selector) {
  const inside = findAll(selector, root);
  return root.matches?.(selector) ? [root, ...inside] : inside;
}

// Live regions announce every change, so the same words are not written twice.
function setText(node, value) {
  if (node.textContent !== String(value)) node.textContent = value;
}

function setIcon(node, name) {
  const use = node.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${name}`));
  node.dataset.kind = name;
}

/** Listen once on `root` for clicks on `[data-do=verb]` inside it. */
export function onAction(root, actions) {
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button || !root.contains(button) || button.getAttribute("aria-disabled") === "true") return;
    actions[button.dataset.do]?.(button, event);
  });
}

/** Run `work` with the button shown as busy; a second tap meanwhile does nothing. */
export async function busy(button, work) {
  if (button.getAttribute("aria-busy") === "true") return undefined;
  button.setAttribute("aria-busy", "true");
  button.setAttribute("aria-disabled", "true");
  try {
    return await work();
  } finally {
    button.removeAttribute("aria-busy");
    button.removeAttribute("aria-disabled");
  }
}

/** Say a sentence in the page's own alert place, with a way on if there is one; no text takes it away. */
export function say(root, sentence, { tone = "error", link = null } = {}) {
  const place = find("[data-alert]", root);
  if (!place) return;
  place.textContent = sentence ? `${sentence} ` : "";
  place.className = `notice ${tone}`;
  if (sentence && link) {
    const way = document.createElement("a");
    way.href = link.address;
    way.textContent = link.words;
    place.append(way);
  }
  place.hidden = !sentence;
}

/** Make the children of `place` the given nodes. A list that is drawn again under the hand wants `redraw`. */
export function show(place, ...nodes) {
  place.replaceChildren(...nodes);
  place.removeAttribute("aria-busy");
}
