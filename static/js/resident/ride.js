// From "unlock" to the page of the ride.

import { post } from "../api.js";
import { busy } from "../dom.js";

/** Ask for a ride by reservation or vehicle and go to its page; a refusal is said in the sheet. */
export function startRide(wish, button, tools) {
  return busy(button, async () => {
    try {
      const trip = await post("/trips", wish);
      location.assign(`/trip/${trip.id}/`);
      // The button stays busy until the next page is there.
      await new Promise((resolve) => setTimeout(resolve, 8000));
    } catch (error) {
      tools.alert(error);
    }
  });
}
