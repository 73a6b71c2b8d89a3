// The page that stands in for any other while there is no network: the ride or charge that goes on, as last known.

import { fill, find } from "../dom.js";
import { newest } from "../offline/last-known.js";
import { moment, money, text } from "../page.js";

const AGAIN_MS = 4000;

const root = find("[data-offline]");
const known = newest();

function words({ path, answer, at }) {
  const ride = path.startsWith("/trips/");
  return {
    going_on: ride ? text("going_on_ride") : text("going_on_charge"),
    what: ride ? `${text(`kind_${answer.vehicle.kind}`)} ${answer.vehicle.code}` : answer.connector.site,
    state: text(`state_${answer.state}`),
    cost: money(answer.cost_so_far_cents, answer.currency),
    heard_at: moment(new Date(at).toISOString()),
    address: ride ? `/trip/${answer.id}/` : `/charge/${answer.id}/`,
    ride: ride || null,
  };
}

fill(root, known ? { known: true, ...words(known) } : { known: null });
find("[data-again]", root).addEventListener("click", () => location.reload());
window.addEventListener("online", () => location.reload());

// A browser may think that it is connected while nothing comes through, and the other way round.
setInterval(async () => {
  const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
  if (answer?.ok) location.reload();
}, AGAIN_MS);
