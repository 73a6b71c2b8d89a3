// Something is wrong with a vehicle: a small form, then the case number.

import { post } from "../api.js";
import { busy, fill, find, say } from "../dom.js";
import { text } from "../page.js";
import { whereAmIIfAllowed } from "./place.js";

const dialog = find("[data-report]");
const form = find("[data-report-form]", dialog);
const send = find("[data-report-send]", dialog);
let vehicle = null;

/** Open the form for this vehicle. */
export function reportProblem(about) {
  vehicle = about;
  form.reset();
  fill(dialog, { code: vehicle.code });
  say(dialog, "");
  send.hidden = false;
  dialog.showModal();
}

async function tell() {
  const { category, text: words } = Object.fromEntries(new FormData(form));
  const here = (await whereAmIIfAllowed({ timeout: 3000 })) ?? {};
  const place = here.lat === undefined ? {} : { lat: here.lat, lon: here.lon };
  try {
    const report = await post(`/vehicles/${encodeURIComponent(vehicle.code)}/faults`, { category, text: words, ...place });
    say(dialog, text("report_thanks", { number: report.case_number }), { tone: "success" });
    send.hidden = true;
  } catch (error) {
    say(dialog, error.message);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  busy(send, tell);
});
find("[data-report-close]", dialog).addEventListener("click", () => dialog.close());
