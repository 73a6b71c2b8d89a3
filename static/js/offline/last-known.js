// What the server last said about a ride or a charge, with when it said so: never shown as if it were now.

const PREFIX = "giro:last:";

/** Keep an answer under its address; a browser that keeps nothing costs only this. */
export function remember(path, answer) {
  try {
    localStorage.setItem(PREFIX + path, JSON.stringify({ answer, at: Date.now() }));
  } catch {
    // Full, or a private window.
  }
}

/** {answer, at} of this address, or null. */
export function recall(path) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + path));
  } catch {
    return null;
  }
}

export function forget(path) {
  try {
    localStorage.removeItem(PREFIX + path);
  } catch {
    // Nothing was kept.
  }
}

/** The newest ride or charge that is known, as {path, answer, at}, or null. */
export function newest() {
  const all = keys().map((key) => ({ path: key.slice(PREFIX.length), ...recall(key.slice(PREFIX.length)) }));
  return all.filter(({ answer }) => answer).sort((one, other) => other.at - one.at)[0] ?? null;
}

export function forgetTrips() {
  for (const key of keys()) forget(key.slice(PREFIX.length));
}

function keys() {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
  } catch {
    return [];
  }
}
