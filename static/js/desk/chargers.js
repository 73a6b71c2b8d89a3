// One's own charging sites: stations, connectors, what they deliver now, and what may be asked of them.

import { get, poll, post } from "../api.js";
import { busy, clone, fill, find, onAction, say, show } from "../dom.js";
import { moment, number, page, text } from "../page.js";

const REFRESH_S = 5;
const ANSWER_S = 1;
const FREE = "Available";

let stations = new Map();
let sessions = new Map();
let open = new Set();

async function load() {
  const [sites, posts, charging] = await Promise.all([
    all("/charging/sites"),
    all("/charging/stations"),
    get("/charging/sessions", { state: "open", limit: 200 }),
  ]);
  // Opened while this was being asked for.
  if (find("[data-sites] details[open]")) return;
  stations = new Map(posts.map((station) => [station.id, station]));
  sessions = new Map(charging.results.map((one) => [one.connector, one]));
  draw(sites);
}

async function all(path) {
  const rows = [];
  for (let next = path, params = { limit: 200 }; next; params = undefined) {
    const answer = await get(next, params);
    rows.push(...answer.results);
    next = answer.next && new URL(answer.next).pathname.replace("/api/v1", "") + new URL(answer.next).search;
  }
  return rows;
}

function draw(sites) {
  const every = [...stations.values()];
  const connectors = every.flatMap((station) => station.connectors);
  find("[data-count]").textContent = text("free_of", {
    free: connectors.filter(({ status }) => status === FREE).length,
    total: connectors.length,
  });
  const rows = sites.map((site) => siteRow(site, every.filter((station) => station.site === site.id)));
  const none = document.createElement("p");
  none.textContent = text("no_sites");
  show(find("[data-sites]"), ...(rows.length ? rows : [none]));
}

function siteRow(site, own) {
  const connectors = own.flatMap((station) => station.connectors);
  const row = fill(clone("site-row"), {
    name: site.name,
    address: site.address || null,
    free: text("free_of", { free: connectors.filter(({ status }) => status === FREE).length, total: connectors.length }),
  });
  show(find("[data-stations]", row), ...own.sort((a, b) => a.identity.localeCompare(b.identity)).map(stationRow));
  return row;
}

function stationRow(station) {
  const row = fill(clone("station-row"), {
    identity: station.identity,
    link: station.online ? text("online") : text("offline"),
    admin: `/admin/charging/chargingstation/?q=${encodeURIComponent(station.identity)}`,
  });
  row.dataset.id = station.id;
  const details = find("details", row);
  details.open = open.has(station.id);
  details.addEventListener("toggle", () => open[details.open ? "add" : "delete"](station.id));
  find("[data-dot]", row).dataset.dot = station.online ? "rentable" : "silent";
  show(find("[data-connectors]", row), ...station.connectors.map(connectorRow));
  show(find("[data-connector]", row), ...station.connectors.map(choice));
  return row;
}

function choice({ id, evse, number: plug }) {
  const option = document.createElement("option");
  option.value = id;
  option.textContent = `${evse}.${plug}`;
  return option;
}

function connectorRow(connector) {
  const item = document.createElement("li");
  const session = sessions.get(connector.id);
  const doing =
    session &&
    text("session_line", {
      energy: number(session.energy_wh / 1000, 1),
      power: number((session.power_w || 0) / 1000, 1),
      when: moment(session.started_at, { timeStyle: "short" }),
    });
  item.textContent = [
    `${connector.evse}.${connector.number}`,
    `${number(connector.max_power_w / 1000)} kW`,
    connector.status,
    connector.error_code && connector.error_code !== "NoError" ? connector.error_code : null,
    doing,
  ]
    .filter(Boolean)
    .join(" · ");
  item.dataset.status = connector.status;
  return item;
}

async function command(button) {
  const row = button.closest("[data-id]");
  const station = stations.get(row.dataset.id);
  const connector = find("[data-connector]", row).value;
  const order = { action: button.dataset.action };
  if (order.action === "remote_start" || order.action === "unlock") order.connector = connector;
  if (order.action === "remote_start") {
    order.token = window.prompt(text("token_ask"));
    if (!order.token) return;
  }
  if (order.action === "remote_stop") {
    order.session = sessions.get(connector)?.id;
  }
  await busy(button, async () => {
    try {
      const { id } = await post(`/charging/stations/${station.id}/commands`, order);
      say(row, text("station_sent"), { tone: "info" });
      poll(() => get(`/charging/commands/${id}`), (state) => answered(station.id, state), ANSWER_S);
    } catch (error) {
      say(row, error.message);
    }
  });
}

function answered(stationId, { state }) {
  if (state === "queued" || state === "sent") return false;
  const row = find(`[data-id="${stationId}"]`);
  if (row) say(row, text(`station_${state}`), { tone: state === "accepted" ? "success" : "error" });
  return true;
}

onAction(document, { command });
load().catch((error) => say(document, error.message));
// While somebody reads an answer or types, the board stands still.
poll(async () => (open.size ? null : load()), () => false, REFRESH_S);
