// A ride again: its way on the map, and where the vehicle was at each moment.

import { find, onAction } from "../dom.js";
import { CityMap, pinName } from "../map.js";
import { moment, page, text } from "../page.js";
import { drawDistricts } from "./districts.js";

const STEP_MS = 120;
const { points } = page;
const map = new CityMap(find("#map"), { ...page.map, label: text("replay_map_label") });
const slider = find("[data-moment]");
let timer = 0;

function at(number) {
  const point = points[number];
  slider.value = number;
  const parts = [
    point.at && moment(point.at, { timeStyle: "medium" }),
    point.speed_kmh !== null && text("speed_now", { speed: point.speed_kmh }),
  ];
  find("[data-told]").textContent = parts.filter(Boolean).join(" · ");
  map.mark(point);
}

function play(button) {
  const runs = button.getAttribute("aria-pressed") === "true";
  button.setAttribute("aria-pressed", String(!runs));
  clearInterval(timer);
  if (runs) return;
  if (Number(slider.value) >= points.length - 1) at(0);
  timer = setInterval(() => {
    const next = Number(slider.value) + 1;
    if (next < points.length) at(next);
    else play(button);
  }, STEP_MS);
}

/** The last point before that moment. */
function jump({ dataset: { at: when } }) {
  if (!points.length || !points[0].at) return;
  const wanted = Date.parse(when);
  const later = points.findIndex(({ at: told }) => Date.parse(told) > wanted);
  at(later < 0 ? points.length - 1 : Math.max(0, later - 1));
}

onAction(document, { play, at: jump });

drawDistricts(map).catch(() => {}).then(() => {
  find("[data-player]").hidden = !points.length;
  find("[data-none]").hidden = points.length > 0;
  if (!points.length) return;
  const way = { coordinates: points.map(({ lon, lat }) => [lon, lat]) };
  map.showWay("way", points);
  map.show(way);
  map.showPoints("ends", [
    { id: "start", ...points[0], pin: pinName("parking") },
    { id: "end", ...points.at(-1), pin: pinName("parking", null, "alert") },
  ], { cluster: false });
  slider.max = points.length - 1;
  slider.addEventListener("input", () => at(Number(slider.value)));
  at(0);
});
