// One vehicle: how it is now, and everything that happened to it in one list, cause beside effect.

import { get, poll, post } from "../api.js";
import { busy, clone, fill, find, say, show } from "../dom.js";
import { moment, page, text } from "../page.js";

const REFRESH_S = 5;
const { words } = page;
const named = (group, key) => words[group]?.[key] ?? key;
const all = (group, keys) => (keys ?? []).map((key) => named(group, key)).join(", ");

// What a person wants to read of each kind of entry.
const SAY = {
  state: ({ state, events, life_state: life, rental_state: rental, blocks }) =>
    [events.length ? `${state} (${events.join(", ")})` : state, named("life", life), named("rental", rental), all("block", blocks)].filter(Boolean).join(" · "),
  command: ({ kind, state }) => `${named("command", kind)}: ${state}`,
  hold: ({ purpose, holder }) => `${purpose} · ${holder}`,
  block: ({ reason }) => named("block", reason),
  block_lifted: ({ reason }) => named("block", reason),
  alarm: ({ kind }) => named("alarm", kind),
  fault: ({ category, case_number: number, text: told }) => [named("order_reason", category), number, told].filter(Boolean).join(" · "),
  work_order: ({ heading }) => heading,
  work_ended: ({ heading, state }) => `${heading}: ${text(`order_${state}`)}`,
};
const plain = (details) =>
  Object.values(details)
    .filter((value) => typeof value === "string" || typeof value === "number")
    .join(" · ");

function entry({ at, what, by, details }) {
  const key = `what_${what}`;
  const title = text(key);
  return fill(clone("entry-row"), {
    when: moment(at, { dateStyle: "short", timeStyle: "medium" }),
    what: title === key ? what : title,
    words: (SAY[what] ?? plain)(details),
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
  show(find("[data-timeline]"), ...(rows.length ? rows : [nothing]));
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
