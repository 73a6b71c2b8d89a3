// A charging site's card: what is free, what it costs, start.

import { get, poll, post } from "../api.js";
import { busy, clone, fill, find } from "../dom.js";
import { money, named, number, page, signIn, text } from "../page.js";
import { metresBetween, wayTo } from "./place.js";

const AGAIN_S = 5;
const PLUGS = {
  IEC_62196_T2: "Type 2",
  IEC_62196_T2_COMBO: "CCS 2",
  IEC_62196_T1: "Type 1",
  IEC_62196_T3A: "Type 3A",
  CHADEMO: "CHAdeMO",
  DOMESTIC_F: "Schuko",
  DOMESTIC_L: "Italia",
};

const isFree = ({ status }) => status === "Available";

/** "2 of 6 free". */
export function freeOf({ connectors = [] }) {
  return text("free_of", { free: connectors.filter(isFree).length, total: connectors.length });
}

const priceOf = (site) => site.price ?? site.connectors?.find(({ price }) => price)?.price ?? null;

/** "€0.55 / kWh", or null when the site has no such price. */
export function energyPrice(site) {
  const price = priceOf(site);
  return price?.kwh_cents ? text("per_kwh", { price: money(price.kwh_cents, price.currency) }) : null;
}

export class StationCard {
  /** The card of a site, as the server knows it now. */
  static async of(id, tools) {
    return new StationCard(await get(`/stations/${encodeURIComponent(id)}`), tools);
  }

  constructor(site, tools) {
    this.tools = tools;
    this.at = { lon: site.lon, lat: site.lat };
    this.root = clone("station-card");
    this.draw(site);
    history.replaceState(null, "", `/charge/at/${site.id}/`);
    this.leave = poll(() => get(`/stations/${site.id}`), (now) => this.draw(now), AGAIN_S);
  }

  draw(site) {
    this.site = site;
    const price = priceOf(site);
    const centre = this.tools.centre();
    const cents = (name) => (price?.[name] ? money(price[name], price.currency) : null);
    fill(this.root, {
      kind: "charger",
      title: named(site.name),
      address: site.address || null,
      way: wayTo(metresBetween(centre, this.at), centre.known),
      free: freeOf(site),
      energy_price: cents("kwh_cents"),
      start_price: cents("start_cents"),
      time_price: cents("hour_cents"),
      idle_price: cents("idle_hour_cents"),
    });
    this.drawConnectors();
  }

  drawConnectors() {
    const list = find("[data-connectors]", this.root);
    const focused = document.activeElement?.dataset?.connector;
    list.replaceChildren(...this.site.connectors.map((connector) => this.row(connector)));
    if (focused) find(`[data-connector="${focused}"]`, list)?.focus();
  }

  row(connector) {
    const row = fill(clone("connector-row"), {
      title: PLUGS[connector.standard] ?? connector.standard,
      power: `${number(connector.max_power_w / 1000)} kW ${connector.power_type.startsWith("DC") ? "DC" : "AC"}`,
      status: text(`status_${connector.status}`),
      // Many cars are plugged in first: an occupied socket may be this person's own cable.
      can_start: isFree(connector) || connector.plugged_in || null,
    });
    const button = find("[data-do=charge]", row);
    button.dataset.connector = connector.id;
    return row;
  }

  charge(button) {
    if (!page.signed_in) return signIn(`/charge/at/${this.site.id}/`);
    return busy(button, async () => {
      try {
        const recharge = await post("/recharges", { connector: button.dataset.connector });
        location.assign(`/charge/${recharge.id}/`);
      } catch (error) {
        this.tools.alert(error);
      }
    });
  }
}
