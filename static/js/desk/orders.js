// What becomes of an order: the vehicle answers when it next reports, and its timeline tells.

import { get, poll } from "../api.js";
import { text } from "../page.js";

const POLL_S = 1.5;
const ENDS = ["confirmed", "rejected", "expired", "unknown", "superseded"];

/** `use(sentence, tone)` once the vehicle has answered, or the time is over; returns how to stop asking. */
export function followOrder(vehicle, order, use) {
  return poll(
    () => get(`/fleet/vehicles/${vehicle}`),
    ({ timeline }) => {
      const entry = timeline.find((one) => one.what === "command" && one.details.id === order);
      const end = entry?.details.state;
      if (!ENDS.includes(end)) return false;
      use(text(`command_${end}`), end === "confirmed" ? "success" : "error");
      return true;
    },
    POLL_S,
  );
}
