// Ways to look at the map that a person keeps: their own, and two that everybody needs.

import { get, post } from "../api.js";
import { clone, fill, find, onAction, say, show } from "../dom.js";
import { text } from "../page.js";

const PATH = "/desk/views";
const given = () => [
  { id: "silent", name: text("view_silent"), filters: { silent_min: 20 } },
  { id: "battery", name: text("view_battery"), filters: { battery_below: 20, layers: ["battery"] } },
];
let views = [];

/** `read()` tells the filters of now, `apply(filters)` puts others in their place. */
export function keepViews({ read, apply }) {
  const draw = () => {
    const all = [...given(), ...views];
    const rows = all.map(({ id, name }) => {
      const row = fill(clone("view-row"), { name });
      for (const button of row.querySelectorAll("button")) button.dataset.id = id;
      find('[data-do="forget"]', row).hidden = !views.some((view) => view.id === id);
      return row;
    });
    show(find("[data-views]"), ...rows);
  };
  const load = async () => {
    ({ results: views } = await get(PATH));
    draw();
  };
  onAction(find("[data-views]"), {
    view: ({ dataset: { id } }) => apply([...given(), ...views].find((view) => view.id === id).filters),
    forget: async ({ dataset: { id } }) => {
      await post(`${PATH}/${id}`, {}, { method: "DELETE" });
      await load();
    },
  });
  const form = find("[data-keep]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await post(PATH, { name: form.elements.name.value.trim(), filters: read() });
      form.reset();
      await load();
    } catch (error) {
      say(document, error.message);
    }
  });
  draw();
  load().catch((error) => say(document, error.message));
}
