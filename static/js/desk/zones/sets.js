// The versions of zones: a new draft, a copy, going back, throwing away.

import { post } from "../../api.js";
import { busy, find, onAction, say } from "../../dom.js";

const SETS = "/fleet/zone-sets";
const open = ({ id }) => location.assign(`/admin/zones/${id}/`);

function act(button, work) {
  if (button.dataset.ask && !window.confirm(button.dataset.ask)) return undefined;
  return busy(button, async () => {
    try {
      await work(button.closest("[data-id]")?.dataset);
    } catch (error) {
      say(document, error.message);
    }
  });
}

onAction(document, {
  copy: (button) =>
    act(button, async ({ id, title, organisation, city }) => open(await post(SETS, { title, organisation, city, based_on: id }))),
  rollback: (button) => act(button, async ({ id }) => open(await post(`${SETS}/${id}/rollback`))),
  discard: (button) =>
    act(button, async ({ id }) => {
      await post(`${SETS}/${id}`, {}, { method: "DELETE" });
      button.closest("tr").remove();
    }),
});

const form = find("[data-new]");
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const { start, ...wish } = Object.fromEntries(new FormData(form));
  act(find("button", form), async () => open(await post(SETS, { ...wish, empty: start === "empty" })));
});
