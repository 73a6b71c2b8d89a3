// One charge, live: energy and cost as the charger reports them.

import { poll, post } from "../api.js";
import { busy, fill, find, onAction, say } from "../dom.js";
import { Heard } from "../offline/silence.js";
import { money, number, page, stopwatch, text } from "../page.js";
import { pinName } from "../pins.js";
import { drawAreas } from "./areas.js";
import { LaterMap } from "./later-map.js";

const WORDS = {
  starting: "charging_starting",
  charging: "charging_running",
  stopping: "charging_stopping",
  start_failed: "charging_failed",
};
const OVER = new Set(["priced", "settled", "payment_due", "written_off"]);
const AGAIN_S = 2;

const root = find("[data-recharge]");
const map = new LaterMap(find("#map"), { ...page.map, zoom: 16, label: text("map_label"), controls: false });
const path = `/recharges/${page.id}`;
const server = new Heard(root, path, ({ state }) => OVER.has(state) || state === "start_failed");
let recharge = null;

function draw(next) {
  const first = recharge === null;
  recharge = next;
  const { state } = recharge;
  const words = WORDS[state] ?? "charging_over";
  fill(root, {
    kind: "charger",
    headline: text(words),
    hint: text(`${words}_hint`),
    waiting: state === "starting" || state === "stopping" || null,
    metered: state === "start_failed" ? null : true,
    energy: number(recharge.energy_wh / 1000, 2),
    cost: money(recharge.price_cents ?? recharge.cost_so_far_cents, recharge.currency),
    power: recharge.power_w ? `${number(recharge.power_w / 1000, 1)} kW` : null,
    soc: recharge.soc_pct ? `${Math.round(recharge.soc_pct)}%` : null,
    place: placeName(),
    can_stop: state === "charging" || null,
    over: OVER.has(state) || null,
    failed: state === "start_failed" || null,
    receipt_address: `/charge/${page.id}/receipt/`,
  });
  root.dataset.state = state;
  root.removeAttribute("aria-busy");
  tick();
  if (first) placeStation();
  return OVER.has(state) || state === "start_failed";
}

function placeName() {
  const { site, address, station } = recharge.connector;
  return [site, address, station].filter(Boolean).join(" · ");
}

function placeStation() {
  const { lon, lat } = recharge.connector;
  if (lon === undefined || lon === null) return;
  map.showPoints("mine", [{ lon, lat, id: "mine", kind: "charger", pin: pinName("charger") }], { cluster: false });
  map.goTo({ lon, lat, below: matchMedia("(max-width: 899px)").matches ? 320 : 0 });
}

function tick() {
  if (!recharge?.started_at) return;
  const end = recharge.ended_at ? Date.parse(recharge.ended_at) : Date.now();
  fill(root, { time: stopwatch((end - Date.parse(recharge.started_at)) / 1000) });
}

onAction(root, {
  stop: (button) =>
    busy(button, async () => {
      try {
        draw(server.heard(await post(`${path}/stop`)));
      } catch (error) {
        say(root, error.message);
      }
    }),
});

async function begin() {
  drawAreas(map);
  try {
    if (!draw(await server.read().finally(() => void map.load()))) poll(() => server.read(), draw, AGAIN_S);
  } catch (error) {
    const last = error.status ? null : server.last();
    if (last) {
      draw(last);
      poll(() => server.read(), draw, AGAIN_S);
    } else {
      say(root, error.message);
      fill(root, { failed: true });
    }
  }
}

// A silent network must not keep the clock of what may be over running.
setInterval(() => recharge?.state === "charging" && Date.now() - server.at < 60000 && tick(), 1000);
begin();
