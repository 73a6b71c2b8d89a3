// What a ride under way can earn: up to three places to end it, then the promise that was accepted.

import { get } from "../api.js";
import { busy, clone, fill, find, findAll, say, show } from "../dom.js";
import { distance, text } from "../page.js";
import { metresBetween } from "./place.js";
import { accept, drop, promised, sorry, wished } from "./rewards.js";

const UNDER_WAY = new Set(["starting", "running", "paused"]);
const AGAIN_MS = 60000;
const AGAIN_AT_END_MS = 15000;
const MOST = 3;

export class Earning {
  /** `showOffer(offer)` shows its place on the map, `showOffer(null)` takes that away. */
  constructor(root, { path, showOffer }) {
    this.root = root;
    this.path = path;
    this.showOffer = showOffer;
    this.offers = [];
    this.reward = null;
    this.turn = 0;
    this.askedAt = -Infinity;
  }

  /** The trip as it was heard of just now. */
  follow(trip) {
    const first = !this.trip;
    this.trip = trip;
    if (!UNDER_WAY.has(trip.state)) {
      this.root.hidden = true;
      return undefined;
    }
    const wish = first ? wished(trip.vehicle.id) : null;
    if (wish) return this.act(() => this.have(wish));
    if (Date.now() - this.askedAt > (this.isOver() ? AGAIN_AT_END_MS : AGAIN_MS)) this.ask();
    return this.draw();
  }

  // By the phone's clock, which may be wrong: the server is asked before it is said.
  isOver() {
    return Boolean(this.reward) && Date.parse(this.reward.expires_at) <= Date.now();
  }

  async ask() {
    this.askedAt = Date.now();
    this.turn += 1;
    const { turn } = this;
    const heard = await get(`${this.path}/offers`).catch(() => null);
    // What was told a moment ago stays; and an answer from before a deed must not undo it.
    if (!heard || turn !== this.turn) return;
    if (this.isOver() && !heard.reward) {
      say(this.root, text("promise_over"), { tone: "warning" });
      this.showOffer(null);
    }
    this.offers = heard.results;
    this.reward = heard.reward;
    this.draw();
  }

  draw() {
    const here = this.trip.vehicle;
    const offers = this.reward ? [] : nearest(this.offers, here);
    fill(this.root, { ...promised(this.reward), offers: offers.length || null });
    this.list(offers);
    this.root.hidden = !this.reward && !offers.length && find("[data-alert]", this.root).hidden;
  }

  /** The same rows stay, only the way to them changes. */
  list(offers) {
    const place = find("[data-offers]", this.root);
    const there = findAll("li", place).map(({ dataset }) => dataset.offer);
    if (there.join() !== offers.map(({ offer }) => offer.id).join()) show(place, ...offers.map(row));
    findAll("li", place).forEach((node, turn) => fill(node, { offer_away: offers[turn].away }));
  }

  offerOf(button) {
    const id = button.closest("li")?.dataset.offer;
    return id ? this.offers.find((offer) => offer.id === id) : this.reward?.offer;
  }

  look(button) {
    const offer = this.offerOf(button);
    if (offer) this.showOffer(offer);
  }

  accept(button) {
    const offer = this.offerOf(button);
    if (!offer) return undefined;
    return this.pressed(button, async () => {
      await this.have(offer.id);
      this.showOffer(offer);
    });
  }

  drop(button) {
    return this.pressed(button, async () => {
      await drop(this.reward.id);
      this.reward = null;
      this.showOffer(null);
    });
  }

  async have(offer) {
    this.reward = await accept(offer, { trip: this.trip.id });
  }

  async pressed(button, deed) {
    await busy(button, () => this.act(deed));
    // The button may be gone with what it stood beside.
    const next = this.reward ? find("[data-promise]", this.root) : this.root;
    if (!button.isConnected || button.closest("[hidden]")) next.focus({ preventScroll: true });
  }

  /** Do it and say what was refused, with what else there is. */
  async act(deed) {
    this.turn += 1;
    say(this.root, "");
    try {
      await deed();
    } catch (error) {
      say(this.root, sorry(error));
    }
    this.draw();
    this.ask();
  }
}

function nearest(offers, { lon, lat }) {
  const known = lon !== undefined && lon !== null;
  const far = (offer) => (known ? metresBetween({ lon, lat }, offer.place) : null);
  return offers
    .map((offer) => ({ offer, metres: far(offer) }))
    .sort((one, other) => one.metres - other.metres)
    .slice(0, MOST)
    .map(({ offer, metres }) => ({ offer, away: known ? text("offer_away", { distance: distance(metres) }) : null }));
}

function row({ offer, away }) {
  const node = fill(clone("ride-offer"), { offer: offer.text, offer_away: away });
  node.dataset.offer = offer.id;
  return node;
}
