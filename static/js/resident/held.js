// A reserved vehicle: time left, unlock or let go.

import { get, post } from "../api.js";
import { busy, clone, fill, find } from "../dom.js";
import { stopwatch, text } from "../page.js";
import { Found } from "./found.js";
import { head } from "./head.js";
import { holdTerms } from "./prices.js";
import { drop, promised, rewardOf, sorry } from "./rewards.js";
import { startRide } from "./ride.js";

export class HeldCard {
  /** `reward` is what is promised for it, null if nothing is; left out, the server is asked. */
  constructor(reservation, tools, reward) {
    this.reservation = reservation;
    this.tools = tools;
    const { vehicle } = reservation;
    this.at = vehicle.lon === undefined || vehicle.lon === null ? null : { lon: vehicle.lon, lat: vehicle.lat };
    // Not free any more, so not among the public's vehicles: the card brings its own pin.
    this.mine = this.at && vehicle;
    this.root = fill(clone("held-card"), {
      ...head(vehicle),
      terms: holdTerms(reservation.quote),
      can_show_found: vehicle.kind === "car",
    });
    this.found = new Found(find("[data-found]", this.root), reservation.id);
    this.ends = Date.parse(reservation.expires_at);
    this.showReward(reward ?? null);
    if (reward === undefined) rewardOf(reservation.id).then((found) => this.showReward(found));
    history.replaceState(null, "", "/");
    this.tick();
    this.timer = setInterval(() => this.tick(), 1000);
  }

  showReward(reward) {
    this.reward = reward;
    fill(this.root, promised(reward));
  }

  leave() {
    clearInterval(this.timer);
  }

  tick() {
    const left = (this.ends - Date.now()) / 1000;
    fill(this.root, { left: stopwatch(left), ...promised(this.reward) });
    if (left <= 0) this.checkEnd();
  }

  // The phone's clock may be wrong: the server says whether it is over.
  async checkEnd() {
    clearInterval(this.timer);
    const now = await get(`/reservations/${this.reservation.id}`).catch(() => null);
    if (now?.state === "held" && Date.parse(now.expires_at) > this.ends) {
      this.tools.open(new HeldCard(now, this.tools, this.reward));
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
        // Somebody else may have the reward; if this does not arrive, its time runs out.
        if (this.reward) drop(this.reward.id).catch(() => null);
        this.tools.close();
      } catch (error) {
        this.tools.alert(error);
      }
    });
  }
  drop(button) {
    return busy(button, async () => {
      try {
        await drop(this.reward.id);
        this.showReward(null);
      } catch (error) {
        this.tools.alert(sorry(error));
      }
    });
  }
}
