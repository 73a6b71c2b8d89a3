// Where the person is, if they want to tell; else the middle of the map stands in.

import { text, walkMinutes } from "../page.js";

const ASK = { enableHighAccuracy: true, timeout: 8000, maximumAge: 30000 };

/** The phone's position, or null when it is not given in time. */
export function whereAmI(options = {}) {
  if (!navigator.geolocation) return Promise.resolve(null);
  return new Promise((resolve) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ lon: coords.longitude, lat: coords.latitude, accuracy_m: Math.round(coords.accuracy) }),
      () => resolve(null),
      { ...ASK, ...options },
    );
  });
}

/** The position only where the person has already allowed it: no question pops up. */
export async function whereAmIIfAllowed(options) {
  const permission = await navigator.permissions?.query({ name: "geolocation" }).catch(() => null);
  return permission?.state === "granted" ? whereAmI(options) : null;
}

/** Metres between two {lon, lat}; a city is small enough for a flat piece of earth. */
export function metresBetween(a, b) {
  const east = (b.lon - a.lon) * 111320 * Math.cos(((a.lat + b.lat) / 2) * (Math.PI / 180));
  const north = (b.lat - a.lat) * 110540;
  return Math.hypot(east, north);
}

/** "4 min walk" from where the person is. */
export const wayTo = (metres) => text("walk", { minutes: walkMinutes(metres) });
