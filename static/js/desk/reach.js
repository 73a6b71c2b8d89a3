// What Django's admin draws and a keyboard or a screen reader would miss.

import { find, findAll } from "../dom.js";

const SCROLLING = ".inline-group, .results, .desk-scroll";
const CHOOSING = ".select2-selection";

/** A region that scrolls must be reachable to be scrolled; one that does not is no stop on the way. */
function reachScrolling() {
  for (const region of findAll(SCROLLING)) {
    const scrolls = region.scrollWidth > region.clientWidth || region.scrollHeight > region.clientHeight;
    if (scrolls) region.tabIndex = 0;
    else region.removeAttribute("tabindex");
  }
}

/** A field that searches as one types is drawn without its label: say it, and then what is chosen. */
function nameChoices() {
  for (const choice of findAll(CHOOSING)) {
    const field = choice.closest(".select2-container").previousElementSibling;
    const label = field?.id && find(`label[for="${field.id}"]`);
    const chosen = find("[role=textbox]", choice);
    if (!label || !chosen) continue;
    label.id ||= `${field.id}_label`;
    chosen.removeAttribute("role");
    chosen.removeAttribute("aria-readonly");
    choice.setAttribute("aria-labelledby", `${label.id} ${chosen.id}`);
  }
}

const content = find("#content");
if (content) {
  new MutationObserver(nameChoices).observe(content, { childList: true, subtree: true });
  new ResizeObserver(reachScrolling).observe(content);
  nameChoices();
}
