// Taking the car that was booked: the same start as for a reservation.

import { find, onAction, say } from "../dom.js";
import { page } from "../page.js";
import { startRide } from "./ride.js";

const tools = { alert: (error) => say(find("[data-booking]"), error.message) };

onAction(document.body, {
  unlock: (button) => startRide({ booking: page.booking }, button, tools),
});
