// Rewards for rides: what is offered for taking a vehicle or for ending somewhere, and what is promised.

import { get, post } from "../api.js";
import { money, moment, text } from "../page.js";

const WISH = "reward-wish";
const SOON_MS = 600000;

/** Offers to take a vehicle around a place, by the vehicle's id; none when nothing is heard of them. */
export async function startOffers(around) {
  const { results } = await get("/offers", { ...around, direction: "start" }).catch(() => ({ results: [] }));
  return new Map(results.map((offer) => [offer.vehicle, offer]));
}

/** The offer for taking this very vehicle, or null. */
export async function startOffer({ id, code, lon, lat }) {
  const offers = await startOffers({ lon, lat, vehicle: code });
  return offers.get(id) ?? null;
}

export const badge = (offer) =>
  offer ? text("take_reward", { price: money(offer.reward_cents, offer.currency) }) : null;

/** The reward that waits for a reservation to become a ride, or null. */
export async function rewardOf(reservation) {
  const { results } = await get("/rewards").catch(() => ({ results: [] }));
  return results.find((reward) => reward.reservation === reservation && reward.state === "promised") ?? null;
}

export const accept = (offer, ride) => post(`/offers/${offer}/accept`, ride);
export const drop = (reward) => post(`/rewards/${reward}/drop`);

/** Why a reward was refused, in words for the very reason. */
export function sorry(error) {
  const reason = error.code === "offer_unfit" && error.problem.reason;
  return reason ? text(`unfit_${reason}`) : error.message;
}

/** What is promised and until when, for the places of `parts/promise.html`. */
export function promised(reward) {
  if (!reward) return { promise: null, promise_until: null, promise_ends: null };
  const [given, ends] = [reward.promised_at, reward.expires_at].map((iso) => Date.parse(iso));
  const time = moment(reward.expires_at, { timeStyle: "short" });
  const soon = ends - Date.now() < Math.min(SOON_MS, (ends - given) / 3);
  return {
    promise: reward.offer.text,
    promise_until: text("promise_until", { time }),
    promise_ends: soon ? text("promise_ends", { time }) : null,
  };
}

// --- unlocked without a reservation -------------------------------------------------------------

/** The ride that is asked for now takes this vehicle for its reward: its page accepts it. */
export function wish(vehicle, offer) {
  sessionStorage.removeItem(WISH);
  if (offer) sessionStorage.setItem(WISH, JSON.stringify({ vehicle, offer: offer.id }));
}

/** The offer that was wished for with this vehicle, told once. */
export function wished(vehicle) {
  const kept = JSON.parse(sessionStorage.getItem(WISH) ?? "null");
  sessionStorage.removeItem(WISH);
  return kept?.vehicle === vehicle ? kept.offer : null;
}
