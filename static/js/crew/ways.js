// How far the crew came, measured on the phone and only with consent. Places never leave it: only sums do.

import { page } from "../page.js";

const CONSENT = `giro-ways:${page.me}`;
const SUMS = `giro-ways-sums:${page.me}`;
const GOOD_M = 40;
const STEP_M = 12;
// Nobody on foot with a battery is faster; no van in traffic is slower for long.
const WALK_MPS = 2.4;
const EARTH_M = 6371000;

let watch = null;
let last = null;

export const agreed = () => localStorage.getItem(CONSENT) === "yes";

/** Begin or end measuring as the person says. */
export function agree(yes) {
  if (yes) localStorage.setItem(CONSENT, "yes");
  else {
    localStorage.removeItem(CONSENT);
    localStorage.removeItem(SUMS);
  }
  measure();
}

export function measure() {
  const wanted = agreed() && "geolocation" in navigator;
  if (wanted && watch === null) {
    watch = navigator.geolocation.watchPosition(({ coords, timestamp }) => step(coords, timestamp), () => {}, { enableHighAccuracy: true, maximumAge: 5000 });
  } else if (!wanted && watch !== null) {
    navigator.geolocation.clearWatch(watch);
    [watch, last] = [null, null];
  }
}

function step({ latitude: lat, longitude: lon, accuracy }, at) {
  if (accuracy > GOOD_M) return;
  const here = { lat, lon, at };
  if (!last) return void (last = here);
  const metres = between(last, here);
  if (metres < Math.max(STEP_M, accuracy)) return undefined;
  const seconds = Math.max(1, (at - last.at) / 1000);
  last = here;
  const sums = read();
  sums[metres / seconds > WALK_MPS ? "driven_m" : "walked_m"] += metres;
  localStorage.setItem(SUMS, JSON.stringify(sums));
  return undefined;
}

function between(a, b) {
  const rad = Math.PI / 180;
  const x = (b.lon - a.lon) * rad * Math.cos(((a.lat + b.lat) / 2) * rad);
  return Math.hypot(x, (b.lat - a.lat) * rad) * EARTH_M;
}

const read = () => JSON.parse(localStorage.getItem(SUMS) || '{"driven_m":0,"walked_m":0}');

/** The sums since they were last taken, as the API wants them; nothing without consent. */
export function takeWays() {
  if (!agreed()) return {};
  const { driven_m: driven, walked_m: walked } = read();
  localStorage.removeItem(SUMS);
  return { driven_m: Math.round(driven), walked_m: Math.round(walked) };
}
