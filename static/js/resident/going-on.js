// What this person has going on, as the server knows it: it survives reloads and other phones.

import { get } from "../api.js";
import { text } from "../page.js";

const RIDING = new Set(["starting", "running", "paused", "ending"]);
const CHARGING = new Set(["starting", "charging", "stopping"]);

/** The reservation that waits for its rider, or null. */
export async function heldReservation() {
  const { results } = await get("/reservations").catch(() => ({ results: [] }));
  return results.find(({ state }) => state === "held") ?? null;
}

/** Rides and charges under way, as {address, sentence}. */
export async function goingOn() {
  const none = { results: [] };
  const [trips, recharges] = await Promise.all([
    get("/trips").catch(() => none),
    get("/recharges").catch(() => none),
  ]);
  return [
    ...trips.results
      .filter(({ state }) => RIDING.has(state))
      .map(({ id }) => ({ address: `/trip/${id}/`, sentence: text("going_on_ride") })),
    ...recharges.results
      .filter(({ state }) => CHARGING.has(state))
      .map(({ id }) => ({ address: `/charge/${id}/`, sentence: text("going_on_charge") })),
  ];
}
