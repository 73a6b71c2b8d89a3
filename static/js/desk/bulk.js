// One deed for all vehicles that the filters leave: first who would and who refuses, then the deed.

import { post } from "../api.js";
import { busy, clone, fill, find, show } from "../dom.js";
import { text } from "../page.js";

const MOST = 1000;
const SHOWN = 200;

/** `codes()` tells which vehicles are meant now. */
export function bulkDeeds(codes) {
  const form = find("[data-bulk-form]");
  if (!form) return;
  const { apply } = form.elements;
  let seen = null;

  function report({ done, refused, vehicles }, key) {
    find("[data-bulk-count]").textContent = text(key, { done, refused, total: vehicles.length });
    // Who refuses stands first: that is what one has to read.
    const sorted = [...vehicles].sort((a, b) => a.ok - b.ok || (a.words === "") - (b.words === ""));
    const rows = sorted.slice(0, SHOWN).map(({ code, ok, words }) =>
      fill(clone("bulk-row"), { code, words, verdict: text(ok ? "bulk_ok" : "bulk_no") }),
    );
    show(find("[data-bulk-list]"), ...rows);
  }

  function complain(sentence) {
    const place = find("[data-bulk-alert]");
    place.textContent = sentence;
    place.hidden = !sentence;
  }

  const forget = () => {
    seen = null;
    apply.disabled = true;
  };
  form.addEventListener("change", forget);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const acts = event.submitter === apply;
    const wish = { deed: form.elements.deed.value, reason: form.elements.reason.value };
    // What was looked at is what is done, whatever has moved on the map since.
    const vehicles = acts ? seen : codes();
    if (!vehicles?.length) return complain(text("bulk_none"));
    if (vehicles.length > MOST) return complain(text("bulk_most", { most: MOST }));
    complain("");
    return busy(event.submitter, async () => {
      try {
        report(await post(acts ? "/fleet/bulk" : "/fleet/bulk/preview", { ...wish, vehicles }), acts ? "bulk_done" : "bulk_line");
        if (acts) forget();
        else {
          seen = vehicles;
          apply.disabled = false;
        }
      } catch (error) {
        complain(error.message);
      }
    });
  });
}
