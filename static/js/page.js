// What the server told this page: facts and texts, in one JSON block.

const block = document.getElementById("page");

/** Facts given by the view: signed_in, login_url, city, ids … */
export const page = block ? JSON.parse(block.textContent) : { texts: {} };

const language = document.documentElement.lang || "it";
// English as in Europe: the day before the month, 24 hours.
const region = language === "en" ? "en-GB" : language;

/** The text of that key in the person's language, with {name} parts filled in. */
export function text(key, parts = {}) {
  const template = page.texts[key] ?? key;
  return template.replace(/\{(\w+)\}/g, (whole, name) => parts[name] ?? whole);
}

const moneyFormats = new Map();

/** "€ 1,23" from cents. */
export function money(cents, currency = "EUR") {
  if (!moneyFormats.has(currency)) {
    moneyFormats.set(currency, new Intl.NumberFormat(region, { style: "currency", currency }));
  }
  return moneyFormats.get(currency).format((cents ?? 0) / 100);
}

export function number(value, digits = 0) {
  return new Intl.NumberFormat(region, { maximumFractionDigits: digits }).format(value);
}

/** "1:02:03" or "2:03" from seconds. */
export function stopwatch(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (part) => String(part).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function distance(metres) {
  if (metres < 950) return `${number(Math.round(metres / 10) * 10)} m`;
  return `${number(metres / 1000, 1)} km`;
}

export function moment(iso, style = { dateStyle: "medium", timeStyle: "short" }) {
  return new Intl.DateTimeFormat(region, { timeZone: "Europe/Rome", ...style }).format(new Date(iso));
}

// People walk about 75 m in a minute; streets are about 1.3 times the straight line.
const WALK_M_PER_MIN = 75 / 1.3;

export function walkMinutes(metres) {
  return Math.max(1, Math.round(metres / WALK_M_PER_MIN));
}

/** Texts of data come as {it, en} maps or as plain strings. */
export function named(value) {
  if (!value || typeof value === "string") return value || "";
  return value[language] || value.en || value.it || "";
}

/** Log in, then come back to `next` (this address by default). */
export function signIn(next = location.pathname + location.search) {
  location.assign(`${page.login_url}?next=${encodeURIComponent(next)}`);
}
