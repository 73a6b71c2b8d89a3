// A price board as a person reads it: only what this fare really has.

import { money, text } from "../page.js";

const amount = (cents, currency) => (cents === null || cents === undefined ? null : money(cents, currency));
const some = (cents, currency) => (cents ? money(cents, currency) : null);

/** The cells of a vehicle's price table. */
export function board(price) {
  const { currency } = price;
  return {
    unlock: amount(price.unlock_cents ?? 0, currency),
    minute: some(price.minute_cents, currency),
    pause: some(price.pause_minute_cents, currency),
    hour: some(price.hour_cents, currency),
    day: some(price.day_cap_cents, currency),
  };
}

/** The two short lines of a list row. */
export function short(price) {
  if (!price) return { price: null, price_more: null };
  const { currency } = price;
  const minute = price.minute_cents ? text("per_minute", { price: money(price.minute_cents, currency) }) : money(price.hour_cents, currency);
  const more = price.unlock_cents ? text("unlock_plus", { price: money(price.unlock_cents, currency) }) : null;
  return { price: minute, price_more: more };
}

/** "A ride of 20 minutes costs …", from a quote. */
export function estimate(quote) {
  if (!quote?.estimate) return null;
  const { minutes, total_cents: cents } = quote.estimate;
  return text("estimate", { minutes, total: money(cents, quote.currency) });
}

/** The terms of a reservation, from a quote. */
export function holdTerms(quote) {
  return quote?.hold_free_minutes ? text("hold_terms", { minutes: quote.hold_free_minutes }) : null;
}
