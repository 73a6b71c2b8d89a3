// On every page of somebody with an account: keep the shell at hand, and forget it when they leave.

import { forgetTrips } from "./last-known.js";
import { forgetPages, keepAtHand } from "./register.js";

function begin() {
  keepAtHand("/worker.js", "/");
}

// First what somebody came for, then what they may need in a cellar.
if (document.readyState === "complete") begin();
else window.addEventListener("load", () => setTimeout(begin, 1500));

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-leave]")) return;
  forgetTrips();
  forgetPages();
});
