// The live picture of the city: a snapshot, then what changed, each second, from the live process.
// The desk uses it with audience "staff".

import { get } from "./api.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30000;

const MICRO = 1e6;
const MINUTE_MS = 60000;

/** The vehicles of a picture, which come in columns and by numbers, as objects by id. */
class Fleet {
  byId = new Map();
  #byNumber = new Map();
  #faces = {};
  #columns = [];

  begin({ columns, faces, vehicles }) {
    this.byId.clear();
    this.#byNumber.clear();
    this.#columns = columns.face;
    this.learn(faces);
    this.come(vehicles);
  }

  learn(faces = {}) {
    for (const [number, values] of Object.entries(faces)) {
      this.#faces[number] = Object.fromEntries(this.#columns.map((name, place) => [name, values[place]]));
    }
  }

  come({ n, id, code, lon, lat, heading, battery_pct: battery, seen, face }) {
    n.forEach((number, place) => {
      const vehicle = { id: id[place], code: code[place], ...this.#faces[face[place]] };
      this.#put(vehicle, { lon: lon[place], lat: lat[place], heading: heading[place], battery: battery[place], seen: seen[place] });
      this.byId.set(vehicle.id, vehicle);
      this.#byNumber.set(number, vehicle);
    });
  }

  /** Numbers and places come as steps from the one before. */
  move({ n, lon, lat, heading, battery_pct: battery, seen }) {
    let number = 0;
    n.forEach((step, place) => {
      number += step;
      const vehicle = this.#byNumber.get(number);
      const { raw } = vehicle;
      this.#put(vehicle, {
        lon: raw.lon + lon[place],
        lat: raw.lat + lat[place],
        heading: heading[place],
        battery: battery[place],
        seen: raw.seen + seen[place],
      });
    });
  }

  turn({ n, face }) {
    n.forEach((number, place) => Object.assign(this.#byNumber.get(number), this.#faces[face[place]]));
  }

  go(numbers) {
    for (const number of numbers) {
      this.byId.delete(this.#byNumber.get(number)?.id);
      this.#byNumber.delete(number);
    }
  }

  #put(vehicle, raw) {
    vehicle.raw = raw;
    vehicle.lon = raw.lon / MICRO;
    vehicle.lat = raw.lat / MICRO;
    vehicle.heading = raw.heading < 0 ? null : raw.heading;
    vehicle.battery_pct = raw.battery < 0 ? null : raw.battery;
    vehicle.heard_ms = raw.seen ? raw.seen * MINUTE_MS : null;
  }
}

/**
 * Watch the city. `onChange({vehicles, sites, at})` gets two maps by id, whole, after each change;
 * `onSilence(true|false)` tells when the stream is away and when it is back.
 */
export function watchCity({ audience = "public", onChange, onSilence = () => {} }) {
  const fleet = new Fleet();
  const city = { vehicles: fleet.byId, sites: new Map(), at: null };
  let columns = {};
  let source = null;
  let wait = FIRST_WAIT_MS;
  let closed = false;
  let attempt = 0;
  let timer = 0;

  const putSites = (rows = []) => {
    for (const row of rows) city.sites.set(row[0], Object.fromEntries(columns.sites.map((name, place) => [name, row[place]])));
  };

  function snapshot(event) {
    const told = JSON.parse(event.data);
    columns = told.columns;
    fleet.begin(told);
    city.sites.clear();
    putSites(told.sites);
    tell(told.at);
  }

  function delta(event) {
    const told = JSON.parse(event.data);
    fleet.learn(told.faces);
    if (told.gone) fleet.go(told.gone);
    if (told.came) fleet.come(told.came);
    if (told.moved) fleet.move(told.moved);
    if (told.turned) fleet.turn(told.turned);
    putSites(told.sites);
    for (const id of told.sites_gone ?? []) city.sites.delete(id);
    tell(told.at);
  }

  function tell(at) {
    wait = FIRST_WAIT_MS;
    city.at = at;
    onSilence(false);
    onChange(city);
  }

  // Only the newest attempt may open a stream: waking up while a retry waits must not make two.
  async function open() {
    attempt += 1;
    const mine = attempt;
    clearTimeout(timer);
    source?.close();
    const answer = await get("/live-token", { audience }).catch(() => null);
    if (closed || mine !== attempt) return;
    if (!answer) return again();
    source = new EventSource(answer.url);
    source.addEventListener("snapshot", snapshot);
    source.addEventListener("delta", delta);
    source.addEventListener("renew", open);
    source.onerror = again;
  }

  function again() {
    source?.close();
    onSilence(true);
    timer = setTimeout(open, wait + Math.random() * wait);
    wait = Math.min(LONGEST_WAIT_MS, wait * 2);
  }

  function rest() {
    attempt += 1;
    clearTimeout(timer);
    source?.close();
  }

  // A phone in a pocket needs no map: nothing runs while nobody looks.
  const look = () => (document.hidden ? rest() : open());
  document.addEventListener("visibilitychange", look);
  open();

  return () => {
    closed = true;
    rest();
    document.removeEventListener("visibilitychange", look);
  };
}
