// The live picture of the city: a snapshot, then what changed, each second, from the live process.
// The desk uses it with audience "staff".

import { get } from "./api.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30000;

/**
 * Watch the city. `onChange({vehicles, sites, at})` gets two maps by id, whole, after each change;
 * `onSilence(true|false)` tells when the stream is away and when it is back.
 */
export function watchCity({ audience = "public", onChange, onSilence = () => {} }) {
  const city = { vehicles: new Map(), sites: new Map(), at: null };
  let columns = {};
  let source = null;
  let wait = FIRST_WAIT_MS;
  let closed = false;

  const asObject = (group, row) => Object.fromEntries(columns[group].map((name, place) => [name, row[place]]));
  const put = (group, rows = []) => {
    for (const row of rows) city[group].set(row[0], asObject(group, row));
  };
  const drop = (group, ids = []) => ids.forEach((id) => city[group].delete(id));

  function snapshot(event) {
    const told = JSON.parse(event.data);
    columns = told.columns;
    city.vehicles.clear();
    city.sites.clear();
    put("vehicles", told.vehicles);
    put("sites", told.sites);
    tell(told.at);
  }

  function delta(event) {
    const told = JSON.parse(event.data);
    put("vehicles", told.vehicles);
    put("sites", told.sites);
    drop("vehicles", told.vehicles_gone);
    drop("sites", told.sites_gone);
    tell(told.at);
  }

  function tell(at) {
    wait = FIRST_WAIT_MS;
    city.at = at;
    onSilence(false);
    onChange(city);
  }

  async function open() {
    if (closed) return;
    try {
      const { url } = await get("/live-token", { audience });
      source = new EventSource(url);
    } catch {
      return again();
    }
    source.addEventListener("snapshot", snapshot);
    source.addEventListener("delta", delta);
    source.addEventListener("renew", () => reopen());
    source.onerror = () => again();
  }

  function reopen() {
    source?.close();
    open();
  }

  function again() {
    source?.close();
    onSilence(true);
    setTimeout(open, wait + Math.random() * wait);
    wait = Math.min(LONGEST_WAIT_MS, wait * 2);
  }

  // A phone in a pocket needs no map: nothing runs while nobody looks.
  const look = () => (document.hidden ? source?.close() : reopen());
  document.addEventListener("visibilitychange", look);
  open();

  return () => {
    closed = true;
    source?.close();
    document.removeEventListener("visibilitychange", look);
  };
}
