// One vehicle: how it is now, and everything that happened to it in one list, cause beside effect.

import { get, poll, post } from "../api.js";
import { busy, clone, fill, find, say } from "../dom.js";
import { moment, page, text } from "../page.js";
import { redraw } from "../redraw.js";

const REFRESH_S = 5;
const { words } = page;
const named = (group, key) => words[group]?.[key] ?? key;
const all = (group, keys) => (keys ?? []).map((key) => named(group, key)).join(", ");

function entry({ at, title, words: told, by }) {
  return fill(clone("entry-row"), {
    when: moment(at, { dateStyle: "short", timeStyle: "medium" }),
    what: title,
    words: told,
    by,
  });
}

async function load() {
  const vehicle = await get(`/fleet/vehicles/${page.id}`);
  fill(document, { kind: text(`kind_${vehicle.kind}`) });
  const facts = find("[data-facts]");
  fill(facts, {
    life: named("life", vehicle.life_state),
    rental: named("rental", vehicle.rental_state),
    link: named("link", vehicle.link_state),
    blocks: vehicle.blocks.length ? all("block", vehicle.blocks) : null,
    battery: vehicle.battery_pct === null ? null : text("battery", { percent: vehicle.battery_pct }),
    reported: vehicle.reported_at ? moment(vehicle.reported_at) : null,
  });
  facts.removeAttribute("aria-busy");
  const nothing = document.createElement("li");
  nothing.textContent = text("timeline_none");
  const rows = vehicle.timeline.map(entry);
  redraw(find("[data-timeline]"), ...(rows.length ? rows : [nothing]));
}

const report = find("[data-report]");
const form = find("[data-report-form]", report);
report.hidden = !page.acts;
for (const [value, label] of Object.entries(words.fault)) form.elements.category.add(new Option(label, value));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  busy(find("button", form), async () => {
    try {
      const told = await post("/fleet/faults", { vehicle: page.code, ...Object.fromEntries(new FormData(form)) });
      say(document, text("fault_noted", { number: told.case_number }), { tone: "success" });
      form.reset();
      report.open = false;
      await load();
    } catch (error) {
      say(document, error.message);
    }
  });
});

load().catch((error) => say(document, error.message));
poll(load, () => false, REFRESH_S);
