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
  let attempt = 0;
  let timer = 0;

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
