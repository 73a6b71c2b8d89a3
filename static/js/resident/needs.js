// What else a vehicle must have: range, child seat, room for cargo, wheelchair access.

import { find } from "../dom.js";

/** `use(params)` with what is asked for, each time that changes. */
export function watchNeeds(root, use) {
  const form = find("[data-needs-form]", root);
  const badge = find("[data-needs-count]", root);

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => {
    const asked = [...new FormData(form)].filter(([, value]) => value !== "0");
    badge.textContent = asked.length;
    badge.hidden = !asked.length;
    use(new URLSearchParams(asked));
  });
}
