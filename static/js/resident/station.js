// A charging site's card: what is free, what it costs, start.

import { get, poll, post } from "../api.js";
import { busy, clone, fill, find, findAll } from "../dom.js";
import { money, number, page, signIn, text } from "../page.js";
import { redraw } from "../redraw.js";
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
const connectorsOf = (site) => site.stations.flatMap(({ connectors }) => connectors);
const freeFirst = (one, other) => isFree(other) - isFree(one);

/** "2 of 6 free". */
export function freeOf(site) {
  return text("free_of", { free: site.available, total: connectorsOf(site).length });
}

/** The lowest price of a kWh there, or null when energy has no price. */
export function energyPrice(site) {
  const prices = connectorsOf(site).map(({ price }) => price).filter((price) => price?.kwh_cents);
  const [lowest] = prices.sort((a, b) => a.kwh_cents - b.kwh_cents);
  return lowest ? text("per_kwh", { price: money(lowest.kwh_cents, lowest.currency) }) : null;
}

/** All parts of a connector's price in one line, VAT included. */
function priceLine(price) {
  if (!price) return null;
  const part = (key, cents) => (cents ? text(key, { price: money(cents, price.currency) }) : null);
  const parts = [
    part("per_kwh", price.kwh_cents),
    part("to_start", price.session_cents),
    part("per_minute", price.minute_cents),
    part("idle_minute", price.idle_minute_cents),
  ];
  return parts.filter(Boolean).join(" + ");
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
    const centre = this.tools.centre();
    fill(this.root, {
      kind: "charger",
      title: site.name,
      address: site.address || null,
      operator: site.operator,
      way: centre.known ? wayTo(metresBetween(centre, this.at)) : null,
      free: freeOf(site),
    });
    this.drawConnectors();
  }

  drawConnectors() {
    const list = find("[data-connectors]", this.root);
    redraw(list, ...connectorsOf(this.site).sort(freeFirst).map((connector) => this.row(connector)));
  }

  row(connector) {
    const row = fill(clone("connector-row"), {
      title: PLUGS[connector.standard] ?? connector.standard,
      power: `${number(connector.max_power_w / 1000, 1)} kW ${connector.power_type.startsWith("DC") ? "DC" : "AC"}`,
      status: text(`status_${connector.status}`),
      price: priceLine(connector.price),
      can_start: isFree(connector) || null,
      // Many people plug in first: the occupied socket may hold their own cable.
      can_claim: connector.status === "Occupied" || null,
    });
    row.dataset.id = connector.id;
    row.dataset.status = connector.status;
    for (const button of findAll("[data-do=charge]", row)) button.dataset.connector = connector.id;
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
