// A reserved vehicle: time left, unlock or let go.

import { get, post } from "../api.js";
import { busy, clone, fill } from "../dom.js";
import { stopwatch, text } from "../page.js";
import { head } from "./head.js";
import { holdTerms } from "./prices.js";
import { startRide } from "./ride.js";

export class HeldCard {
  constructor(reservation, tools) {
    this.reservation = reservation;
    this.tools = tools;
    const { vehicle } = reservation;
    this.at = vehicle.lon === undefined || vehicle.lon === null ? null : { lon: vehicle.lon, lat: vehicle.lat };
    // Not free any more, so not among the public's vehicles: the card brings its own pin.
    this.mine = this.at && vehicle;
    this.root = fill(clone("held-card"), { ...head(vehicle), terms: holdTerms(reservation.quote) });
    this.ends = Date.parse(reservation.expires_at);
    history.replaceState(null, "", "/");
    this.tick();
    this.timer = setInterval(() => this.tick(), 1000);
  }

  leave() {
    clearInterval(this.timer);
  }

  tick() {
    const left = (this.ends - Date.now()) / 1000;
    fill(this.root, { left: stopwatch(left) });
    if (left <= 0) this.checkEnd();
  }

  // The phone's clock may be wrong: the server says whether it is over.
  async checkEnd() {
    clearInterval(this.timer);
    const now = await get(`/reservations/${this.reservation.id}`).catch(() => null);
    if (now?.state === "held" && Date.parse(now.expires_at) > this.ends) {
      this.tools.open(new HeldCard(now, this.tools));
    } else {
      this.tools.close();
      this.tools.alert(text("reservation_expired"));
    }
  }

  unlock(button) {
    return startRide({ reservation: this.reservation.id }, button, this.tools);
  }

  cancel(button) {
    return busy(button, async () => {
      try {
        await post(`/reservations/${this.reservation.id}/cancel`);
        this.tools.close();
      } catch (error) {
        this.tools.alert(error);
      }
    });
  }
}
