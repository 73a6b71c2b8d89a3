// From "unlock" to the page of the ride.

import { post } from "../api.js";
import { busy } from "../dom.js";

const AT_THE_BANK = "trip-at-the-bank";

/** Ask for a ride by reservation or vehicle and go to its page; a refusal is said in the sheet. */
export function startRide(wish, button, tools) {
  return busy(button, async () => {
    try {
      const trip = await post("/trips", wish);
      location.assign(`/trip/${trip.id}/`);
      // The button stays busy until the next page is there.
      await new Promise((resolve) => setTimeout(resolve, 8000));
    } catch (error) {
      if (error.code === "payment_action_required" && error.problem.action.url) askTheBank(error.problem);
      else tools.alert(error);
    }
  });
}

/** The bank wants to hear from the person first; its page sends them back to ours. */
function askTheBank({ trip, action }) {
  sessionStorage.setItem(AT_THE_BANK, trip);
  location.assign(action.url);
}

/** Back from the bank: go on with the start that waited for it. */
export async function goOnWithStart(tools) {
  const trip = sessionStorage.getItem(AT_THE_BANK);
  if (!trip) return;
  sessionStorage.removeItem(AT_THE_BANK);
  try {
    await post(`/trips/${trip}/confirm-payment`);
    location.assign(`/trip/${trip}/`);
  } catch (error) {
    tools.alert(error);
  }
}
