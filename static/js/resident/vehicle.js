// One vehicle's card: all prices before anything, then reserve or unlock.

import { get, post } from "../api.js";
import { busy, clone, fill } from "../dom.js";
import { number, page, named, signIn, text } from "../page.js";
import { head } from "./head.js";
import { HeldCard } from "./held.js";
import { metresBetween, wayTo } from "./place.js";
import { board, estimate, holdTerms } from "./prices.js";
import { accept, badge, sorry, startOffer, wish } from "./rewards.js";
import { startRide } from "./ride.js";

export class VehicleCard {
  /** The card of a vehicle by code or id, as the server knows it now. */
  static async of(idOrCode, tools) {
    const vehicle = await get(`/vehicles/${encodeURIComponent(idOrCode)}`);
    if (!vehicle.available) throw new Error(text("vehicle_gone"));
    return new VehicleCard(vehicle, tools);
  }

  constructor(vehicle, tools) {
    this.vehicle = vehicle;
    this.tools = tools;
    this.at = { lon: vehicle.lon, lat: vehicle.lat };
    this.root = fill(clone("vehicle-card"), { ...this.facts(), reward: null });
    this.offer = null;
    this.lookForReward();
    history.replaceState(null, "", `/book/${vehicle.code}/`);
  }

  facts() {
    const { vehicle } = this;
    const quote = vehicle.quote ?? vehicle.price;
    const centre = this.tools.centre();
    return {
      ...head(vehicle),
      name: named(vehicle.name),
      way: centre.known ? wayTo(metresBetween(centre, this.at)) : null,
      battery: percent(vehicle.battery_pct),
      range: vehicle.range_m ? text("range", { km: number(vehicle.range_m / 1000) }) : null,
      ...board(quote),
      estimate: estimate(quote),
      hold: holdTerms(quote),
      note: text(`note_${vehicle.kind}`),
      reserve: text(page.signed_in ? "reserve" : "log_in_to_reserve"),
      signed_in: page.signed_in || null,
      later: vehicle.kind === "car" ? `/bookings/car/${vehicle.code}/` : null,
    };
  }

  async lookForReward() {
    this.offer = await startOffer(this.vehicle);
    fill(this.root, { reward: badge(this.offer) });
  }

  /** The live picture has changed; say so when somebody else took this one. */
  seen({ vehicles }) {
    const gone = vehicles.size > 0 && !vehicles.has(this.vehicle.id);
    if (gone && !this.taking) this.tools.alert(text("vehicle_gone"));
  }

  async reserve(button) {
    if (!page.signed_in) return signIn(`/book/${this.vehicle.code}/`);
    this.taking = true;
    return busy(button, async () => {
      try {
        const reservation = await post("/reservations", { vehicle: this.vehicle.id });
        const { reward, refusal } = await this.promiseFor(reservation);
        this.tools.open(new HeldCard(reservation, this.tools, reward));
        if (refusal) this.tools.alert(refusal);
      } catch (error) {
        this.tools.alert(error);
      } finally {
        this.taking = false;
      }
    });
  }

  /** The reward that the card showed goes with the reservation; without it that stands all the same. */
  async promiseFor(reservation) {
    if (!this.offer) return { reward: null };
    try {
      return { reward: await accept(this.offer.id, { reservation: reservation.id }) };
    } catch (error) {
      return { reward: null, refusal: sorry(error) };
    }
  }

  unlock(button) {
    this.taking = true;
    wish(this.vehicle.id, this.offer);
    return startRide({ vehicle: this.vehicle.id }, button, this.tools);
  }
}

const percent = (value) =>
  value === null || value === undefined ? null : text("battery", { percent: Math.round(value) });
