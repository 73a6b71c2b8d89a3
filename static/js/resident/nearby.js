// The list beside the map: the nearest vehicles and charging sites with what they cost.

import { get } from "../api.js";
import { clone, fill, find, show } from "../dom.js";
import { distance, text } from "../page.js";
import { redraw } from "../redraw.js";
import { metresBetween, wayTo } from "./place.js";
import { short } from "./prices.js";
import { badge, startOffers } from "./rewards.js";
import { energyPrice, freeOf } from "./station.js";

const QUIET_MS = 500;
const MOST = 50;
const NEAREST_RADIUS_M = 600;
const WIDEST_RADIUS_M = 5000;

function spot({ lon, lat, radius_m: reach }) {
  const radius = Math.round(Math.min(Math.max(reach ?? 1500, NEAREST_RADIUS_M), WIDEST_RADIUS_M));
  return { lon: lon.toFixed(5), lat: lat.toFixed(5), radius_m: radius };
}

export class Nearby {
  constructor({ place, count, trouble, centre, onRows }) {
    this.onRows = onRows;
    this.place = place;
    this.count = count;
    this.trouble = trouble;
    this.centre = centre;
    this.kinds = new Set();
    this.needs = new URLSearchParams();
    this.rows = [];
    this.offers = new Map();
    this.asked = 0;
  }

  /** Only these kinds; an empty set is everything. */
  show(kinds) {
    this.kinds = new Set(kinds);
    this.refresh();
  }

  /** Only vehicles that have all of it; chargers have no equipment, so they show only when asked for. */
  need(needs) {
    this.needs = needs;
    this.refresh();
  }

  isChoosy() {
    return this.needs.size > 0;
  }

  refreshSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), QUIET_MS);
  }

  async refresh() {
    clearTimeout(this.timer);
    this.asked += 1;
    const turn = this.asked;
    const centre = this.centre();
    const around = spot(centre);
    try {
      const rows = await this.read(centre, around);
      // An older answer that comes late must not replace a newer one.
      if (turn !== this.asked) return;
      this.say("");
      this.draw(rows, centre);
      await this.lookForRewards(around, turn);
    } catch (error) {
      // What was near a moment ago stays; it is only said that it may have changed.
      if (turn === this.asked) this.say(error.message);
    }
  }

  async read({ lon, lat }, around) {
    const answers = await Promise.allSettled([this.vehicles(around), this.sites(around)]);
    const [vehicles, sites] = answers.map(({ value }) => value ?? []);
    const failed = answers.find(({ status }) => status === "rejected");
    const rows = [...vehicles, ...sites.map((site) => ({ ...site, kind: "charger" }))];
    // Half a list is better than none; an empty one would be a lie.
    if (failed && !rows.length) throw failed.reason;
    for (const row of rows) row.distance_m ??= metresBetween({ lon, lat }, row);
    return rows.sort((a, b) => a.distance_m - b.distance_m);
  }

  /** One question for the whole list, which does not wait for the answer. */
  async lookForRewards(around, turn) {
    if (!this.rows.some(({ kind }) => kind !== "charger")) return;
    const offers = await startOffers(around);
    if (turn !== this.asked) return;
    this.offers = offers;
    for (const { id, code } of this.rows) {
      const button = code && find(`[data-id="${CSS.escape(code)}"]`, this.place);
      if (button) fill(button, { reward: badge(offers.get(id)) });
    }
  }

  async vehicles(around) {
    const kinds = [...this.kinds].filter((kind) => kind !== "charger");
    if (this.kinds.size && !kinds.length) return [];
    const filter = kinds.length === 1 ? { kind: kinds[0] } : {};
    const asked = new URLSearchParams([...Object.entries({ ...around, ...filter, limit: MOST }), ...this.needs]);
    const { results } = await get("/vehicles", asked);
    return kinds.length ? results.filter(({ kind }) => kinds.includes(kind)) : results;
  }

  async sites(around) {
    if (this.kinds.size ? !this.kinds.has("charger") : this.isChoosy()) return [];
    const { results } = await get("/stations", around);
    return results;
  }

  draw(rows, centre) {
    this.rows = rows;
    this.onRows(rows);
    if (!rows.length) return this.tell(text("nearby_none"));
    const count = rows.length < MOST ? rows.length : `${rows.length}+`;
    const words = centre.name ? "near_place" : centre.known ? "nearby_count" : "nearby_count_centre";
    this.count.textContent = text(words, { count, name: centre.name });
    redraw(this.place, ...rows.map((row) => this.row(row, centre)));
    return undefined;
  }

  row(row, centre) {
    const charger = row.kind === "charger";
    const node = fill(clone("nearby-row"), {
      kind: row.kind,
      title: charger ? row.name : text(`kind_${row.kind}`),
      way: centre.known ? wayTo(row.distance_m) : distance(row.distance_m),
      energy: row.battery_pct === undefined || row.battery_pct === null ? null : `${Math.round(row.battery_pct)}%`,
      free: charger ? freeOf(row) : null,
      reward: badge(this.offers.get(row.id)),
      ...(charger ? { price: energyPrice(row), price_more: null } : short(row.price)),
    });
    const button = node.querySelector("button");
    button.dataset.id = charger ? row.id : row.code;
    button.dataset.kind = row.kind;
    node.dataset.id = button.dataset.id;
    return node;
  }

  say(sentence) {
    this.trouble.textContent = sentence;
    this.trouble.hidden = !sentence;
  }

  tell(sentence) {
    this.count.textContent = "";
    const line = document.createElement("li");
    line.className = "nearby-row";
    line.textContent = sentence;
    show(this.place, line);
  }
}
